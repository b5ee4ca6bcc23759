//! WeChat Pay, API v2 `pay/downloadbill` and `pay/downloadfundflow`: one signed question, and the answer is the bill.
//!
//! Source: WeChat Pay v2 manual, `pay/downloadbill` (direct merchant 4011985040, service provider 4011989905),
//! `pay/downloadfundflow` (4011939779). Quirk: every answer comes with status 200 and in one of three shapes, a gzip
//! file, the bare text of the bill or, also when gzip was asked for, XML that tells a failure. The bill carries no
//! signature and no hash: it is proven by its totals only. The fund flow is given out against the merchant's
//! certificate, and single orders are answered with a signature.

pub(super) mod ask;
mod flow;
pub(super) mod judge;
mod read;

use super::{Queries, Room, Statements, wechat};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "wechat_v2",
    pay_types: &[PayType::Wx],
    bills: &[Bill::Trade, Bill::FundFlow],
    needs: ask::NEEDS,
    check: ask::check,
    statements: Some(Statements { next: ask::next, join: None, read: read::read, keeps: wechat::keeps }),
    queries: Some(Queries { ask: judge::ask, judge: judge::judge }),
};
