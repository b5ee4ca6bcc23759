//! Alipay, open API: `alipay.data.dataservice.bill.downloadurl.query` (ask for an address, then fetch the trade bill or the
//! account's ledger), and the state of one trade or refund.
//!
//! Source: Alipay open platform, api_15 (request, reply and its signature), and easysdk's `SignContentExtractor`
//! for what is signed. Quirks: the address lives 30 seconds, so both requests belong to one conversation; it is
//! plain http and carries tokens; a late answer is a page with status 200. A reply is believed only after its
//! signature was checked over its raw bytes; an unsigned failure may stop the errand, but never proves an empty
//! day. Never asks for a month's bill or for today's.

mod ask;
mod judge;
mod read;
mod reply;

use super::{Queries, Room, Statements, for_ever};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "alipay_open",
    pay_types: &[PayType::Ali, PayType::Ali20],
    bills: &[Bill::Trade, Bill::SignCustomer],
    needs: ask::NEEDS,
    check: ask::check,
    statements: Some(Statements { next: ask::next, join: None, read: read::read, keeps: for_ever }),
    queries: Some(Queries { ask: judge::ask, judge: judge::judge }),
};
