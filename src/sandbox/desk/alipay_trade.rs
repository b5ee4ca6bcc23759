//! `single_trade_query` of the old interface: one order, by either number (`spec/alipay.md` 3.5, 6.1, 6.2).

use super::alipay_mapi::{Asked, Response, scripted, send};
use crate::sandbox::lines;
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::numbers::push_yuan;
use crate::sandbox::orders::{Order, State};
use crate::sandbox::reply::alipay_json::push_logon;
use crate::sandbox::reply::xml::{filled, text};
use crate::sandbox::server::Answer;
use crate::sandbox::story::Path;

pub(super) fn single(asked: &Asked<'_>) -> Result<Answer, &'static str> {
    let [order_no, trade_no] = ["out_trade_no", "trade_no"].map(|name| asked.form.text(name));
    if order_no.is_empty() && trade_no.is_empty() {
        return Err("ILLEGAL_ARGUMENT");
    }
    let day = asked.house.day();
    let found = if trade_no.is_empty() {
        Order::by_order_no(day, asked.account, &order_no)
    } else {
        Order::by_trade_no(day, asked.account, &trade_no)
    };
    let mut order = found.ok_or("TRADE_NOT_EXIST")?;
    let mishap = asked.house.mishap(Desk::AlipayOrder, asked.account, order.date());
    scripted(mishap)?;
    if mishap == Some(Mishap::OtherOrder) {
        order = order.next();
    }
    let state = order.state().filter(|_| mishap != Some(Mishap::UnknownOrder)).ok_or("TRADE_NOT_EXIST")?;
    let signed = trade(&order, state);
    let mut xml = String::new();
    filled(&mut xml, "trade", |out| {
        signed.iter().filter(|(_, value)| !value.is_empty()).for_each(|(name, value)| text(out, name, value));
    });
    Ok(send(asked, &Response { xml, signed }, mishap))
}

/// The leaves of `response/trade`, in the order of their names.
fn trade(order: &Order<'_>, state: State) -> Vec<(&'static str, String)> {
    let returned: i64 = order.refunds().iter().map(|refund| refund.amount_minor).sum();
    let given_back = order.story.path == Path::EscrowGivenBack;
    let closed_at = order.story.credited_at().unwrap_or(order.asked_at + 10_800);
    let status = status(order, state);
    let closed = ["TRADE_FINISHED", "TRADE_CLOSED"].contains(&status);
    let time = |when: bool, at: i32| if when { order.time(at) } else { String::new() };
    let refunded = if given_back { order.amount_minor } else { returned };
    let mut logon = String::new();
    push_logon(&mut logon, order.day.seed, order.index);
    vec![
        ("buyer_email", logon),
        ("discount", "0.00".to_owned()),
        ("flag_trade_locked", "0".to_owned()),
        ("gmt_close", time(closed, closed_at)),
        ("gmt_create", order.time(order.asked_at)),
        ("gmt_last_modified_time", order.time(if closed { closed_at } else { order.paid_at })),
        ("gmt_payment", time(state.was_paid(), order.paid_at)),
        ("gmt_refund", time(given_back, closed_at)),
        ("is_total_fee_adjust", "F".to_owned()),
        ("out_trade_no", order.order_no.clone()),
        ("payment_type", "1".to_owned()),
        ("price", yuan(order.amount_minor)),
        ("quantity", "1".to_owned()),
        ("refund_fee", if refunded > 0 { yuan(refunded) } else { String::new() }),
        ("refund_status", if refunded > 0 { "REFUND_SUCCESS".to_owned() } else { String::new() }),
        ("seller_id", order.account.merchant.to_owned()),
        ("subject", lines::subject(order.story).to_owned()),
        ("total_fee", yuan(order.amount_minor)),
        ("trade_no", order.trade_no.clone()),
        ("trade_status", status.to_owned()),
        ("use_coupon", "F".to_owned()),
    ]
}

fn status(order: &Order<'_>, state: State) -> &'static str {
    match (order.story.path, state) {
        (Path::EscrowHeld, _) => "WAIT_SELLER_SEND_GOODS",
        (Path::EscrowFinished | Path::EscrowNextDay, _) => "TRADE_FINISHED",
        (Path::EscrowGivenBack, _) => "TRADE_CLOSED",
        (_, State::Paid | State::PartlyRefunded) => "TRADE_SUCCESS",
        (_, State::Waiting) => "WAIT_BUYER_PAY",
        (_, State::Refunded | State::Closed | State::Failed | State::Undone) => "TRADE_CLOSED",
    }
}

fn yuan(fen: i64) -> String {
    let mut out = String::new();
    push_yuan(&mut out, fen);
    out
}
