//! Alipay, legacy gateway with an MD5 key: the account's own log, by pages or in one text, and one trade's state.
//!
//! Source: `spec/alipay.md` 3 and 6. Quirks: the log has what moved on the account, so an order paid into escrow is in it
//! on the day of TRADE_FINISHED and not before, and fees are rows of their own. A reply is believed only if the key
//! signed it; errors are never signed. The statement of `account.page.query` is its pages, one behind the other.
//! Never asks for more than one day, and never for today.

mod ask;
mod judge;
mod read;

use super::{Queries, Room, Statements, for_ever, mapi};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "alipay_mapi",
    pay_types: &[PayType::Ali, PayType::Ali20],
    bills: &[Bill::Trade],
    needs: ask::NEEDS,
    check: mapi::check,
    statements: Some(Statements {
        next: ask::next,
        join: Some(read::join),
        read: read::read,
        keeps: for_ever,
    }),
    queries: Some(Queries { ask: ask::about, judge: judge::judge }),
};
