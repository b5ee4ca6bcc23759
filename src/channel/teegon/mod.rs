//! Teegon (天工收银), a cashier service: each logged charge is asked about, or, where the account has them, the lists of
//! a day are read.
//!
//! Source: `spec/ttpay.md`, A.7, A.9 (X22 to X28, X32, X33) and B.3. Quirks: a charge is asked by Teegon's own number of
//! it, which only the log's reply to the payment holds; the answer has a state and no amount; `TRADE_CLOSED` means
//! timed out, or refunded in full. Replies carry no signature: https is what proves them. The list calls stand in no
//! manual (public SDKs of the time use them), so they are tried only with `extended = true`, and a first page that is
//! not one leads back to asking one by one. Never pays or refunds.

mod ask;
mod judge;
mod lists;
mod read;

use super::{Queries, Room, Statements, for_ever};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "teegon",
    pay_types: &[PayType::Teegon],
    bills: &[Bill::Trade],
    needs: ask::NEEDS,
    check: ask::check,
    statements: Some(Statements {
        next: lists::next,
        join: Some(lists::join),
        read: read::read,
        keeps: for_ever,
    }),
    queries: Some(Queries { ask: ask::ask, judge: judge::judge }),
};
