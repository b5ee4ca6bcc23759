//! TianTa's replies: JSON around what WeChat or Alipay said (`spec/ttpay.md` A.6, B.2).
//!
//! The answer of a payment is documented; that of a query is whatever the provider's own fields are. Both shapes that
//! were seen are written: the object on top, and the object as a JSON text in `content`. The format of `pay_date` is
//! documented nowhere.

use serde_json::{Map, Value, json};

use crate::sandbox::log_row::Scene;
use crate::sandbox::numbers::{self, LETTERS, push_letters};
use crate::sandbox::orders::{Order, Returned, State};
use crate::sandbox::reply::alipay_json::push_logon;
use crate::sandbox::story::{Reply, Step};

/// Writes a reply; returns what the gateway notes beside it in RES_ERR and RES_MSG.
pub(in crate::sandbox) fn write(out: &mut String, scene: &Scene<'_>) -> (&'static str, &'static str) {
    let order = Order::logged(scene.day, scene.index);
    let (told, body) = match (scene.step, scene.reply()) {
        (Step::Pay(_), Reply::Done | Reply::DoneTorn) => (("0", ""), paid(scene, &order)),
        (Step::Pay(_), Reply::Pending) => (("0", ""), failed(pending(&order), "等待用户支付")),
        (Step::Query(_), Reply::Done) => (("0", ""), succeeded(native(&order, State::Paid))),
        (Step::Query(_), Reply::Pending) => (("0", ""), succeeded(native(&order, State::Waiting))),
        (Step::Refund(_), Reply::Done | Reply::Repeated) => {
            (("0", ""), refund_of(scene).map_or_else(Map::new, |one| succeeded(refunded(&order, &one))))
        }
        _ => {
            let (code, words) = trouble(scene);
            (("1", words), failed(native_error(order.by_wechat, code, words), words))
        }
    };
    out.push_str(&wrapped(body, scene.index));
    told
}

/// One of the two shapes, by the order's place.
pub(in crate::sandbox) fn wrapped(body: Map<String, Value>, index: u32) -> String {
    if (index / 2).is_multiple_of(2) {
        return Value::Object(body).to_string();
    }
    let mut outer = Map::new();
    for name in ["code", "msg", "respType"] {
        if let Some(value) = body.get(name) {
            outer.insert(name.to_owned(), value.clone());
        }
    }
    outer.insert("content".to_owned(), Value::from(Value::Object(body).to_string()));
    Value::Object(outer).to_string()
}

fn refund_of(scene: &Scene<'_>) -> Option<Returned> {
    scene.refund.map(|refund| Returned::logged(scene.day, refund))
}

/// The documented answer of a payment.
fn paid(scene: &Scene<'_>, order: &Order<'_>) -> Map<String, Value> {
    let mut serial = String::from("TT");
    push_letters(&mut serial, LETTERS, 28, numbers::mix(scene.day.seed, u64::from(scene.index), 0x77));
    let fields = json!({
        "trade_no": serial,
        "out_trade_no": order.order_no,
        "money": scene.story.amount().to_string(),
        "pay_date": order.time(order.paid_at),
        "shopname": scene.story.till.store().name,
        "mchname": "示例商场",
        "pay_channel": if order.by_wechat { "WECHAT" } else { "ALIPAY" },
    });
    succeeded(object(fields))
}

fn pending(order: &Order<'_>) -> Map<String, Value> {
    let state = if order.by_wechat { "USERPAYING" } else { "WAIT_BUYER_PAY" };
    let mut fields = Map::new();
    fields.insert("out_trade_no".to_owned(), Value::from(order.order_no.clone()));
    fields.insert("status_code".to_owned(), Value::from(state));
    if order.by_wechat {
        fields.insert("trade_state".to_owned(), Value::from(state));
    } else {
        fields.insert("response".to_owned(), json!({ "code": "10003", "trade_status": state }));
    }
    fields
}

fn trouble(scene: &Scene<'_>) -> (&'static str, &'static str) {
    let by_wechat = scene.by_wechat();
    match (scene.step, scene.reply()) {
        (Step::Refund(_), Reply::Refused) if by_wechat => ("NOTENOUGH", "基本账户余额不足"),
        (Step::Refund(_), Reply::Refused) => ("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"),
        (_, Reply::AlreadyPaid) if by_wechat => ("ORDERPAID", "该订单已支付"),
        (_, Reply::AlreadyPaid) => ("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"),
        (_, Reply::NotFound) => not_found(by_wechat),
        (_, Reply::Refused) if by_wechat => ("NOTENOUGH", "用户帐号余额不足"),
        (_, Reply::Refused) => ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足"),
        _ if by_wechat => ("SYSTEMERROR", "系统超时"),
        _ => ("ACQ.SYSTEM_ERROR", "系统错误"),
    }
}

/// What either provider says of an order that it does not know.
pub(in crate::sandbox) fn not_found(by_wechat: bool) -> (&'static str, &'static str) {
    if by_wechat { ("ORDERNOTEXIST", "订单不存在") } else { ("ACQ.TRADE_NOT_EXIST", "交易不存在") }
}

/// The provider's own fields about an order.
pub(in crate::sandbox) fn native(order: &Order<'_>, state: State) -> Map<String, Value> {
    if order.by_wechat { wechat(order, state) } else { alipay(order, state) }
}

fn wechat(order: &Order<'_>, state: State) -> Map<String, Value> {
    let words = match state {
        State::Paid => "SUCCESS",
        State::PartlyRefunded | State::Refunded => "REFUND",
        State::Waiting => "USERPAYING",
        State::Closed => "CLOSED",
        State::Failed => "PAYERROR",
        State::Undone => "REVOKED",
    };
    let mut fields = object(json!({
        "return_code": "SUCCESS", "result_code": "SUCCESS",
        "trade_state": words, "out_trade_no": order.order_no,
    }));
    if state.was_paid() {
        fields.insert("trade_type".to_owned(), Value::from("MICROPAY"));
        fields.insert("fee_type".to_owned(), Value::from("CNY"));
        fields.insert("total_fee".to_owned(), Value::from(order.amount_minor.to_string()));
        fields.insert("time_end".to_owned(), Value::from(order.compact_time(order.paid_at)));
        fields.insert("transaction_id".to_owned(), Value::from(order.trade_no.clone()));
    }
    fields
}

fn alipay(order: &Order<'_>, state: State) -> Map<String, Value> {
    let words = match state {
        State::Paid | State::PartlyRefunded => "TRADE_SUCCESS",
        State::Waiting => "WAIT_BUYER_PAY",
        State::Closed | State::Failed | State::Undone | State::Refunded => "TRADE_CLOSED",
    };
    let mut logon = String::new();
    push_logon(&mut logon, order.day.seed, order.index);
    let mut response = object(json!({
        "code": "10000", "msg": "Success", "trade_status": words, "out_trade_no": order.order_no,
        "trade_no": order.trade_no, "total_amount": yuan(order.amount_minor), "buyer_logon_id": logon,
    }));
    if state.was_paid() {
        response.insert("send_pay_date".to_owned(), Value::from(order.time(order.paid_at)));
    }
    object(json!({ "response": response }))
}

/// The provider's own fields about one refund.
pub(in crate::sandbox) fn refunded(order: &Order<'_>, refund: &Returned) -> Map<String, Value> {
    if order.by_wechat {
        return object(json!({
            "return_code": "SUCCESS", "result_code": "SUCCESS",
            "out_trade_no": order.order_no, "transaction_id": order.trade_no,
            "out_refund_no": refund.refund_no, "refund_id": refund.provider_no,
            "refund_fee": refund.amount_minor.to_string(), "total_fee": order.amount_minor.to_string(),
            "refund_status": "SUCCESS",
        }));
    }
    object(json!({ "response": {
        "code": "10000", "msg": "Success", "fund_change": "Y",
        "out_trade_no": order.order_no, "trade_no": order.trade_no, "out_request_no": refund.refund_no,
        "refund_amount": yuan(refund.amount_minor), "send_back_fee": yuan(refund.amount_minor),
        "refund_status": "REFUND_SUCCESS",
        "gmt_refund_pay": order.time(refund.done_at),
    } }))
}

/// An error as WeChat or Alipay puts it.
pub(in crate::sandbox) fn native_error(by_wechat: bool, code: &str, words: &str) -> Map<String, Value> {
    if by_wechat {
        return object(json!({
            "return_code": "SUCCESS", "result_code": "FAIL", "err_code": code, "err_code_des": words,
        }));
    }
    object(json!({ "response": {
        "code": "40004", "msg": "Business Failed", "sub_code": code, "sub_msg": words,
    } }))
}

/// With what TianTa says of a call that worked.
pub(in crate::sandbox) fn succeeded(mut fields: Map<String, Value>) -> Map<String, Value> {
    fields.insert("code".to_owned(), Value::from("1"));
    fields.insert("msg".to_owned(), Value::from("操作成功"));
    fields.insert("respType".to_owned(), Value::from("Success"));
    fields
}

/// With what TianTa says of a call that did not.
pub(in crate::sandbox) fn failed(mut fields: Map<String, Value>, words: &str) -> Map<String, Value> {
    fields.insert("code".to_owned(), Value::from("0"));
    fields.insert("msg".to_owned(), Value::from(words));
    fields.insert("respType".to_owned(), Value::from("Fail"));
    fields
}

fn yuan(fen: i64) -> String {
    let mut out = String::new();
    numbers::push_yuan(&mut out, fen);
    out
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
