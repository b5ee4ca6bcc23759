//! TianTa (微客), a cashier service without statements: each logged order is asked about.
//!
//! Source: `spec/ttpay.md`, A.6, A.9 (X10 to X20) and B.2. Quirks: a payment is asked by wallet (`WECHAT`, `ALIPAY`),
//! and where the wallet is not known both are tried; replies hold the wallet's own fields, flat or inside `response`,
//! at the top or as a text in `content`; `code` 1 says that the question was answered, not that anything was paid.
//! The service is plain http and its replies carry no signature: what it says is not tamper-proof, and each answer
//! says so. Never pays, refunds or reverses.

mod ask;
mod judge;

use super::{Queries, Room};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "tianta",
    pay_types: &[PayType::Tianta],
    bills: &[Bill::Trade],
    needs: ask::NEEDS,
    check: ask::check,
    statements: None,
    queries: Some(Queries { ask: ask::ask, judge: judge::judge }),
};
