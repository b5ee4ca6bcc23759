//! Arbitrary bytes as an Alipay bill: read or refused, never a panic; and what is read can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nightjob::domain::{BillDate, Cell};
use nightjob::format::{Asked, alipay_bill};

fuzz_target!(|bytes: &[u8]| {
    let Some(date) = BillDate::parse("2024-05-02") else { return };
    let asked = Asked { merchant: "2088900000000018", sub_merchant: "", date };
    if let Ok(statement) = alipay_bill::read(&asked, bytes.to_vec()) {
        for entry in statement.entries() {
            assert!(statement.line(entry).contains(statement.cell(entry, Cell::OrderNo)));
        }
    }
});
