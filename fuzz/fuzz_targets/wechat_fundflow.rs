//! Arbitrary bytes as WeChat's fund flow: read or refused, never a panic; and what is read can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nightjob::domain::{BillDate, Cell};
use nightjob::format::{Asked, wechat_fundflow};

fuzz_target!(|bytes: &[u8]| {
    let Some(date) = BillDate::parse("2024-03-07") else { return };
    let asked = Asked { merchant: "1900012345", sub_merchant: "", date };
    if let Ok(statement) = wechat_fundflow::read(&asked, bytes.to_vec()) {
        for entry in statement.entries() {
            assert!(statement.line(entry).contains(statement.cell(entry, Cell::OrderNo)));
        }
    }
});
