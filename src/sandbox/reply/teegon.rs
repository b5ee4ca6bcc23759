//! Teegon's replies: a charge in yuan with times in seconds since 1970, 0 for none (`spec/ttpay.md` A.7).
//!
//! A payment answers with the whole charge, a query with its state alone; an error has no charge and is printed in the
//! document with a comma that JSON does not allow, which is kept.

use serde_json::{Value, json};

use crate::sandbox::log_row::Scene;
use crate::sandbox::numbers::{self, fee_fen};
use crate::sandbox::orders::{Order, State};
use crate::sandbox::story::{Reply, Step};
use crate::sandbox::town::SimAccount;

/// Writes a reply; returns what the gateway notes beside it in RES_ERR and RES_MSG.
pub(in crate::sandbox) fn write(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    let order = Order::logged(scene.day, scene.index);
    let words = match (scene.step, scene.reply()) {
        (Step::Pay(_), Reply::Done | Reply::DoneTorn) => {
            out.push_str(&answer(logged_charge(scene, &order, true)));
            return ("0", "");
        }
        (Step::Pay(_), Reply::Pending) => {
            out.push_str(&answer(logged_charge(scene, &order, false)));
            return ("0", "");
        }
        (Step::Query(_), Reply::Done) => {
            out.push_str(&answer(status(&order, State::Paid)));
            return ("0", "");
        }
        (Step::Query(_), Reply::Pending) => {
            out.push_str(&answer(status(&order, State::Waiting)));
            return ("0", "");
        }
        (_, Reply::AlreadyPaid) => "订单已支付",
        (_, Reply::Refused) => "支付授权码无效或已过期",
        (_, Reply::NotFound) => "订单不存在",
        _ => "系统繁忙",
    };
    out.push_str(&error(words));
    ("1", words)
}

/// `{"result": …}` as Teegon answers.
pub(in crate::sandbox) fn answer(result: Value) -> String {
    json!({ "result": result }).to_string()
}

/// The failure as the document prints it, trailing comma included.
pub(in crate::sandbox) fn error(words: &str) -> String {
    format!("{{\"error\":{},\"result\":\"\",}}", Value::from(words))
}

/// The charge as the till was told of it: the log's own amount.
fn logged_charge(scene: &Scene<'_>, order: &Order<'_>, paid: bool) -> Value {
    charge(scene.account, order, if paid { State::Paid } else { State::Waiting })
}

/// A whole charge.
pub(in crate::sandbox) fn charge(account: &SimAccount, order: &Order<'_>, state: State) -> Value {
    let paid = state.was_paid();
    let net = order.amount_minor - fee_fen(order.amount_minor, account.rate_e4);
    json!({
        "id": order.charge_id, "domain_id": "sandbox", "orderno": order.order_no,
        "channel": channel(order), "amount": yuan(order.amount_minor), "real_amount": yuan(net),
        "client_ip": "127.0.0.1", "currency": "RMB", "subject": "中央收银", "charge_type": "pay",
        "account_id": "main", "buyer_account": "", "paid": paid, "livemode": true,
        "refunded": false, "amount_refunded": "0.00", "amountsettle": "0.00", "time_settle": 0,
        "time_paid": if paid { order.unix(order.paid_at) } else { 0 },
        "created": order.unix(order.asked_at), "updated": order.unix(order.paid_at),
        "transaction_no": if paid { order.trade_no.as_str() } else { "" },
        "failure_code": "", "failure_msg": "", "metadata": "", "pay_rate": "0.6",
        "action": { "type": "", "url": "", "params": "" },
    })
}

/// The documented answer about a charge: its state, and no amount.
pub(in crate::sandbox) fn status(order: &Order<'_>, state: State) -> Value {
    let words = match (order.by_wechat, state) {
        (true, State::Paid) => "SUCCESS",
        (true, State::PartlyRefunded | State::Refunded) => "REFUND",
        (true, State::Waiting) => "USERPAYING",
        (true, State::Closed) => "CLOSED",
        (true, State::Failed) => "PAYERROR",
        (true, State::Undone) => "REVOKED",
        (false, State::Paid | State::PartlyRefunded) => "TRADE_SUCCESS",
        (false, State::Waiting) => "WAIT_BUYER_PAY",
        (false, State::Closed | State::Failed | State::Undone | State::Refunded) => "TRADE_CLOSED",
    };
    json!({
        "charge_id": order.charge_id, "order_no": order.order_no,
        "pay_channel": channel(order), "trade_status": words,
    })
}

/// `wx…` or `ali…`, in one of the forms that the document shows.
fn channel(order: &Order<'_>) -> &'static str {
    if order.by_wechat { "wxbarcodepay_pinganpay" } else { "alibarcodepay_pinganpay" }
}

pub(in crate::sandbox) fn yuan(fen: i64) -> String {
    let mut out = String::new();
    numbers::push_yuan(&mut out, fen);
    out
}
