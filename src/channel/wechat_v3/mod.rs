//! WeChat Pay, API v3 `bill/tradebill` and `bill/fundflowbill`: a signed question, whose verified answer names a hash
//! and an address; then a second signed question for the file.
//!
//! Source: WeChat Pay v3 manual (merchant 4012084430, partner 4014314390); `spec/wechat.md` 3. Quirks: the address
//! lives from 30 seconds to five minutes; the file itself comes without a signature and is proven by the SHA-1 of its
//! uncompressed bytes, which stands in the signed answer; failures need not be signed. Never asks for the bills of
//! other merchants of an ecommerce platform, which are encrypted for it.

mod ask;
mod judge;
mod read;

use super::{Queries, Room, Statements, wechat};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "wechat_v3",
    pay_types: &[PayType::Wx],
    bills: &[Bill::Trade, Bill::FundFlow],
    needs: ask::NEEDS,
    check: ask::check,
    statements: Some(Statements {
        next: ask::next,
        join: Some(read::join),
        read: read::read,
        keeps: wechat::keeps,
    }),
    queries: Some(Queries { ask: judge::ask, judge: judge::judge }),
};
