//! `alipay.trade.query` and `alipay.trade.fastpay.refund.query` of the open platform: what is asked about one order,
//! and what stands in the node of the answer (`spec/alipay.md` 5.1, 6.3). Signing is the gateway's.

use serde_json::Value;

use super::alipay_open::Fail;
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::numbers::push_yuan;
use crate::sandbox::orders::{Order, State};
use crate::sandbox::reply::alipay_json::push_logon;
use crate::sandbox::server::House;

/// The members of an answer's node, and the script that holds for it.
pub(super) type Told = (Vec<(&'static str, String)>, Option<Mishap>);

/// The order that is asked about, and what goes wrong with the answer.
fn found<'h>(
    house: &'h House,
    account: Option<u8>,
    content: &Value,
) -> Result<(Order<'h>, Option<Mishap>), Fail> {
    let unknown = || Fail::new("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在");
    let account = account.ok_or_else(unknown)?;
    let text = |name: &str| content.get(name).and_then(Value::as_str).unwrap_or("");
    let found = match (text("trade_no"), text("out_trade_no")) {
        ("", "") => return Err(Fail::new("40004", "ACQ.INVALID_PARAMETER", "参数无效")),
        ("", order_no) => Order::by_order_no(house.day(), account, order_no),
        (trade_no, _) => Order::by_trade_no(house.day(), account, trade_no),
    };
    let order = found.ok_or_else(unknown)?;
    let mishap = house.mishap(Desk::AlipayTrade, account, order.date());
    match mishap {
        Some(Mishap::Busy) => Err(Fail::new("20000", "isp.unknow-error", "系统繁忙")),
        Some(Mishap::Refused) => Err(Fail::new("40006", "isv.insufficient-isv-permissions", "ISV权限不足")),
        Some(Mishap::UnknownOrder) => Err(unknown()),
        Some(Mishap::OtherOrder) => Ok((order.next(), mishap)),
        _ => Ok((order, mishap)),
    }
}

/// The node of `alipay.trade.query`.
pub(super) fn trade(house: &House, account: Option<u8>, content: &Value) -> Result<Told, Fail> {
    let (order, mishap) = found(house, account, content)?;
    let state = order.state();
    let state = state.ok_or_else(|| Fail::new("40004", "ACQ.TRADE_NOT_EXIST", "交易不存在"))?;
    let status = match state {
        State::Paid | State::PartlyRefunded => "TRADE_SUCCESS",
        State::Waiting => "WAIT_BUYER_PAY",
        State::Refunded | State::Closed | State::Failed | State::Undone => "TRADE_CLOSED",
    };
    let mut logon = String::new();
    push_logon(&mut logon, order.day.seed, order.index);
    let mut members = vec![
        ("code", "10000".to_owned()),
        ("msg", "Success".to_owned()),
        ("buyer_logon_id", logon),
        ("out_trade_no", order.order_no.clone()),
        ("total_amount", yuan(order.amount_minor)),
        ("trade_no", order.trade_no.clone()),
        ("trade_status", status.to_owned()),
    ];
    if state.was_paid() {
        members.push(("receipt_amount", yuan(order.story.settled())));
        members.push(("send_pay_date", order.time(order.paid_at)));
        members.push(("store_id", order.story.till.store().code.to_owned()));
        members.push(("terminal_id", order.story.till.code().to_owned()));
    }
    Ok((members, mishap))
}

/// The node of `alipay.trade.fastpay.refund.query`: without an amount where there is no such refund.
pub(super) fn refund(house: &House, account: Option<u8>, content: &Value) -> Result<Told, Fail> {
    let wanted = content.get("out_request_no").and_then(Value::as_str).unwrap_or("");
    if wanted.is_empty() {
        return Err(Fail::new("40004", "ACQ.INVALID_PARAMETER", "参数无效"));
    }
    let (order, mishap) = found(house, account, content)?;
    let mut members = vec![("code", "10000".to_owned()), ("msg", "Success".to_owned())];
    if let Some(refund) = order.refunds().into_iter().find(|refund| refund.refund_no == wanted) {
        members.extend([
            ("gmt_refund_pay", order.time(refund.done_at)),
            ("out_request_no", refund.refund_no),
            ("out_trade_no", order.order_no.clone()),
            ("refund_amount", yuan(refund.amount_minor)),
            ("refund_status", "REFUND_SUCCESS".to_owned()),
            ("total_amount", yuan(order.amount_minor)),
            ("trade_no", order.trade_no.clone()),
        ]);
    }
    Ok((members, mishap))
}

fn yuan(fen: i64) -> String {
    let mut out = String::new();
    push_yuan(&mut out, fen);
    out
}
