//! WeChat Pay overseas (WX_OS): the v2 bill from the overseas host, or v3 `global/statements`.
//!
//! Source: WeChat Pay overseas manuals (`QuickPay/chapter8_6`, `api_external/apis/chapter3_3_6`); `spec/wechat.md` 4.
//! Quirks: amounts are in major units of each line's own currency, also of those without minor units; v2 titles come
//! in English; the v3 answer is the text itself, whose SHA-1 stands in a header, and what is signed is that
//! hash and not the text. Never converts one currency into another.

mod ask;
mod judge;
mod read;

use super::{Queries, Room, Statements};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "wechat_global",
    pay_types: &[PayType::WxOs],
    bills: &[Bill::Trade],
    needs: ask::NEEDS,
    check: ask::check,
    statements: Some(Statements { next: ask::next, join: None, read: read::read, keeps: ask::keeps }),
    queries: Some(Queries { ask: judge::ask, judge: judge::judge }),
};
