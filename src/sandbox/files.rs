//! What lies in a folder instead of at a desk: the list that a Taobao seller exports by hand, and the in-store files of
//! the merchant abroad as an SFTP box would have delivered them.

use super::day::SimulatedDay;
use super::paper::alipay_forex::{settlement_file, transaction_file};
use super::paper::{self, Paper};
use super::town::{ACCOUNTS, Family};

/// Files by their path below the folder; nothing for a day without movements.
pub(super) fn of(day: &SimulatedDay) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for &account in &day.accounts {
        let known = &ACCOUNTS[usize::from(account)];
        for (number, date) in (-1..).zip(day.dates()) {
            let compact = date.compact();
            if paper::of(known) == Paper::TaobaoList
                && let Some(bytes) = day.statement(known.name, date)
            {
                let folder = format!("statements/{}/{}", known.pay_type, known.merchant);
                files.push((format!("{folder}/{compact}.csv"), bytes));
            }
            if known.family() == Family::AlipayOverseas {
                let named = |kind: &str| format!("inbox/{}_{kind}_{compact}.txt", known.merchant);
                files.push((named("transaction"), transaction_file(day, account, number).into_bytes()));
                files.push((named("settlement"), settlement_file(day, account, number).into_bytes()));
            }
        }
    }
    files
}
