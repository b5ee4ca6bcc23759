//! Arbitrary bytes as an overseas statement of WeChat: read or refused, never a panic; and what is read can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nightjob::domain::{BillDate, Cell};
use nightjob::format::Asked;
use nightjob::format::wechat_overseas::{self, Generation};

fuzz_target!(|bytes: &[u8]| {
    let Some(date) = BillDate::parse("2024-03-07") else { return };
    let asked = Asked { merchant: "1900012345", sub_merchant: "", date };
    for generation in [Generation::V2, Generation::V3] {
        let Ok(statement) = wechat_overseas::read(&asked, bytes.to_vec(), generation) else { continue };
        for entry in statement.entries() {
            assert!(statement.line(entry).contains(statement.cell(entry, Cell::OrderNo)));
        }
    }
});
