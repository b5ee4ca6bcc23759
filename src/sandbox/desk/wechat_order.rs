//! WeChat Pay's word about one order: v2's `POST /pay/orderquery` and `/pay/refundquery` with signed replies in XML, and
//! the same truth as v3's JSON (`spec/wechat.md` 5.1, 5.2).

use axum::body::Bytes;
use serde_json::json;

use super::wechat_sign::{self, Fail};
use super::{Call, wechat_v2};
use crate::sandbox::form::value;
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::numbers::{self, HEX_UPPER, push_letters};
use crate::sandbox::reply::wechat::{bank, push_openid};
use crate::sandbox::server::{Answer, House};
use crate::sandbox::story::Refund;
use crate::sandbox::town::{ACCOUNTS, SimAccount};
use crate::sandbox::truth::{self, Known, State};
use crate::sandbox::{currency, lines};

/// Elements of a reply, in their order.
pub(super) type Fields = Vec<(String, String)>;

pub(super) fn order(house: &House, call: &Call<'_>) -> Answer {
    answer(house, call, |account, fields| {
        let (ours, theirs) = (value(fields, "out_trade_no"), value(fields, "transaction_id"));
        if ours.is_empty() && theirs.is_empty() {
            return Err("缺少参数");
        }
        Ok(order_fields(house, account, |order_no, trade_no| {
            if theirs.is_empty() { order_no == ours } else { trade_no == theirs }
        }))
    })
}

pub(super) fn refund(house: &House, call: &Call<'_>) -> Answer {
    answer(house, call, |account, fields| {
        let names = ["refund_id", "out_refund_no", "transaction_id", "out_trade_no"];
        let Some(name) = names.into_iter().find(|name| !value(fields, name).is_empty()) else {
            return Err("缺少参数");
        };
        Ok(refund_fields(house, account, name, value(fields, name)))
    })
}

/// The common envelope of both: the request verified, the reply signed by the same algorithm.
fn answer(
    house: &House,
    call: &Call<'_>,
    tell: impl Fn(u8, &[(String, String)]) -> Result<Fields, &'static str>,
) -> Answer {
    let (account, request) = match wechat_v2::request(house, call.method, call.body, &[]) {
        Ok(read) => read,
        Err((_, "sign error")) => return refused("签名错误"),
        Err((_, words)) => return refused(words),
    };
    let known = &ACCOUNTS[usize::from(account)];
    if value(&request, "appid") != known.app_id || value(&request, "sub_mch_id") != known.sub_merchant {
        return refused("appid 或 sub_mch_id 与商户号不匹配");
    }
    let mishap = house.mishap(Desk::WechatOrder, account, house.day().date());
    let told = match mishap {
        Some(Mishap::Busy) => Ok(failure("SYSTEMERROR", "系统超时")),
        Some(Mishap::Refused | Mishap::SignError) => return refused("签名错误"),
        Some(Mishap::NoBill | Mishap::NotReady) => Ok(failure("ORDERNOTEXIST", "订单不存在")),
        _ => tell(account, &request),
    };
    match told {
        Ok(told) => {
            let body = document(known, told, value(&request, "sign_type"), mishap);
            Answer::ok("text/xml; charset=utf-8", Bytes::from(body)).after(mishap)
        }
        Err(words) => refused(words),
    }
}

fn refused(words: &str) -> Answer {
    let body = format!(
        "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{words}]]></return_msg></xml>"
    );
    Answer::ok("text/xml; charset=utf-8", Bytes::from(body))
}

/// The whole reply, signed with the account's key. `sign_type` stands in no reply.
fn document(account: &SimAccount, told: Fields, sign_type: &str, mishap: Option<Mishap>) -> String {
    let fields = with_envelope(account, told);
    let key = if mishap == Some(Mishap::WrongSignature) { "not the merchant's key" } else { account.api_key };
    let sign = wechat_v2::signature(&fields, sign_type, key).unwrap_or_default();
    let mut out = as_xml(&fields);
    if mishap != Some(Mishap::MissingSignature) {
        out.push_str(&format!("<sign><![CDATA[{sign}]]></sign>"));
    }
    format!("<xml>{out}</xml>")
}

fn with_envelope(account: &SimAccount, told: Fields) -> Fields {
    let mut fields = pairs(&[
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("appid", account.app_id),
        ("mch_id", account.merchant),
        ("sub_mch_id", account.sub_merchant),
    ]);
    fields.retain(|(_, value)| !value.is_empty());
    let mut nonce = String::new();
    let length = u64::try_from(told.iter().map(|(_, value)| value.len()).sum::<usize>()).unwrap_or(0);
    push_letters(&mut nonce, HEX_UPPER, 16, numbers::mix(length, 3, 9));
    fields.push(("nonce_str".to_owned(), nonce));
    fields.extend(told);
    fields
}

/// Integers bare, strings in CDATA.
fn as_xml(fields: &[(String, String)]) -> String {
    fields
        .iter()
        .map(|(name, value)| {
            let is_number = ["fee", "count"].iter().any(|word| name.contains(word)) && !name.contains("type");
            if is_number {
                format!("<{name}>{value}</{name}>")
            } else {
                format!("<{name}><![CDATA[{value}]]></{name}>")
            }
        })
        .collect()
}

/// The same reply as a gateway hands it on: complete, though only the provider's merchant could verify it.
pub(super) fn handed_on(house: &House, account: u8, order_no: &str, trade_no: &str) -> String {
    let told =
        order_fields(
            house,
            account,
            |ours, theirs| {
                if trade_no.is_empty() { ours == order_no } else { theirs == trade_no }
            },
        );
    document(&ACCOUNTS[usize::from(account)], told, "", None)
}

fn pairs(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn failure(code: &str, words: &str) -> Fields {
    pairs(&[("result_code", "FAIL"), ("err_code", code), ("err_code_des", words)])
}

fn trade_state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Paid => ("SUCCESS", "支付成功"),
        State::Refunded => ("REFUND", "订单发生过退款，退款详情请查询退款单"),
        State::Reversed => ("REVOKED", "订单已撤销"),
        State::Unpaid => ("NOTPAY", "订单未支付"),
        State::Failed => ("PAYERROR", "支付失败"),
    }
}

fn order_fields(house: &House, account: u8, is_it: impl Fn(&str, &str) -> bool) -> Fields {
    let Some(known) = truth::find(house.day(), account, is_it) else {
        return failure("ORDERNOTEXIST", "订单不存在");
    };
    let (state, words) = trade_state(known.state);
    let mut fields =
        pairs(&[("result_code", "SUCCESS"), ("trade_state", state), ("trade_state_desc", words)]);
    let day = house.day();
    fields.push(("out_trade_no".to_owned(), lines::order_no(day, known.index)));
    let Some(paid_at) = known.paid_at else { return fields };
    let mut openid = String::new();
    push_openid(&mut openid, day.seed, known.index);
    let mut time_end = String::new();
    day.calendar.push_compact_time(&mut time_end, paid_at);
    let account = &ACCOUNTS[usize::from(account)];
    let coupon = i64::from(known.story.coupon_fen);
    for (name, value) in [
        ("openid", openid),
        ("trade_type", "MICROPAY".to_owned()),
        ("bank_type", bank(known.index).to_owned()),
        ("total_fee", known.amount_minor.to_string()),
        ("fee_type", currency::billed(account, known.index, known.story.fault).to_owned()),
        ("transaction_id", lines::trade_no(day, known.index, false)),
        ("time_end", time_end),
        ("cash_fee", cash(account, &known).to_string()),
    ] {
        fields.push((name.to_owned(), value));
    }
    if coupon > 0 {
        fields.push(("coupon_fee".to_owned(), coupon.to_string()));
    }
    if known.story.settled() != known.story.amount() {
        let settled = known.amount_minor - (known.story.amount() - known.story.settled());
        fields.push(("settlement_total_fee".to_owned(), settled.to_string()));
    }
    fields
}

fn cash(account: &SimAccount, known: &Known<'_>) -> i64 {
    let amount = known.amount_minor - i64::from(known.story.coupon_fen);
    match currency::priced(account, known.index) {
        "CNY" => amount,
        foreign => currency::in_fen(amount, foreign),
    }
}

/// Numbers and time of one refund.
struct Told {
    refund_no: String,
    refund_id: String,
    at: i32,
}

fn told_of(house: &House, refund: &Refund) -> Told {
    let day = house.day();
    let at = refund.done_at().unwrap_or(refund.asked_at);
    let (mut refund_no, mut refund_id) = (String::new(), String::new());
    lines::push_refund_no(&mut refund_no, day, refund);
    numbers::push_wechat_refund_id(&mut refund_id, day.calendar.compact_date(at), refund.story, refund.part);
    Told { refund_no, refund_id, at }
}

/// The order of a refund's number, and which of its refunds are meant.
fn with_refunds<'d>(
    house: &'d House,
    account: u8,
    name: &str,
    number: &str,
) -> Option<(Known<'d>, Vec<&'d Refund>)> {
    let day = house.day();
    if name == "transaction_id" || name == "out_trade_no" {
        let is_it =
            |ours: &str, theirs: &str| if name == "out_trade_no" { ours == number } else { theirs == number };
        let known = truth::find(day, account, is_it)?;
        let refunds = known.refunds.clone();
        return Some((known, refunds));
    }
    let is_it = |refund: &&Refund| {
        let told = told_of(house, refund);
        lines::story_of(day, refund).account == account
            && number == if name == "refund_id" { told.refund_id } else { told.refund_no }
    };
    let refund = day.refunds.iter().find(is_it)?;
    let order_no = lines::order_no(day, refund.story);
    let known = truth::find(day, account, |ours, _| ours == order_no)?;
    let meant: Vec<&Refund> = known.refunds.iter().copied().filter(is_it).collect();
    (!meant.is_empty()).then_some((known, meant))
}

fn refund_fields(house: &House, account: u8, name: &str, number: &str) -> Fields {
    let found = with_refunds(house, account, name, number).filter(|(_, refunds)| !refunds.is_empty());
    let Some((known, refunds)) = found else {
        return failure("REFUNDNOTEXIST", "退款订单查询失败");
    };
    let day = house.day();
    let account = &ACCOUNTS[usize::from(account)];
    let mut fields = pairs(&[("result_code", "SUCCESS")]);
    for (name, value) in [
        ("transaction_id", lines::trade_no(day, known.index, false)),
        ("out_trade_no", lines::order_no(day, known.index)),
        ("total_fee", known.amount_minor.to_string()),
        ("fee_type", currency::billed(account, known.index, known.story.fault).to_owned()),
        ("cash_fee", cash(account, &known).to_string()),
        ("refund_count", refunds.len().to_string()),
    ] {
        fields.push((name.to_owned(), value));
    }
    let free = known.story.amount() - known.story.settled();
    for (place, refund) in refunds.iter().enumerate() {
        let told = told_of(house, refund);
        let mut time = String::new();
        day.calendar.push_time(&mut time, told.at + 2);
        let mut push = |name: &str, value: String| fields.push((format!("{name}_{place}"), value));
        push("out_refund_no", told.refund_no);
        push("refund_id", told.refund_id);
        push("refund_channel", "ORIGINAL".to_owned());
        push("refund_fee", refund.billed().to_string());
        if free > 0 {
            push("settlement_refund_fee", (refund.billed() - free).to_string());
        }
        push("refund_status", "SUCCESS".to_owned());
        push("refund_recv_accout", "支付用户零钱".to_owned());
        push("refund_success_time", time);
    }
    fields
}

// ---------------------------------------------------------------- v3

/// RFC 3339 in UTC+8.
fn rfc3339(house: &House, at: i32) -> String {
    let mut time = String::new();
    house.day().calendar.push_time(&mut time, at);
    time.replace(' ', "T") + "+08:00"
}

pub(super) fn as_json(
    house: &House,
    account: u8,
    number: &str,
    is_ours: bool,
) -> Result<serde_json::Value, Fail> {
    let is_it = |ours: &str, theirs: &str| if is_ours { ours == number } else { theirs == number };
    let known = truth::find(house.day(), account, is_it).ok_or((404, "ORDER_NOT_EXIST", "订单不存在"))?;
    let told = &ACCOUNTS[usize::from(account)];
    let (state, words) = trade_state(known.state);
    let mut body = json!({
        "appid": told.app_id,
        "mchid": told.merchant,
        "out_trade_no": lines::order_no(house.day(), known.index),
        "trade_state": state,
        "trade_state_desc": words,
    });
    if let Some(paid_at) = known.paid_at {
        let mut openid = String::new();
        push_openid(&mut openid, house.day().seed, known.index);
        body["transaction_id"] = json!(lines::trade_no(house.day(), known.index, false));
        body["trade_type"] = json!("MICROPAY");
        body["bank_type"] = json!(bank(known.index));
        body["success_time"] = json!(rfc3339(house, paid_at));
        body["payer"] = json!({"openid": openid});
        body["amount"] = json!({
            "total": known.amount_minor,
            "payer_total": cash(told, &known),
            "currency": currency::billed(told, known.index, known.story.fault),
            "payer_currency": "CNY",
        });
    }
    Ok(body)
}

pub(super) fn refund_as_json(house: &House, account: u8, number: &str) -> Result<serde_json::Value, Fail> {
    let found = with_refunds(house, account, "out_refund_no", number);
    let (known, refunds) = found.ok_or((404, "RESOURCE_NOT_EXISTS", "退款单不存在"))?;
    let refund = refunds.first().ok_or(wechat_sign::SYSTEM_ERROR)?;
    let told = told_of(house, refund);
    let account = &ACCOUNTS[usize::from(account)];
    let free = known.story.amount() - known.story.settled();
    Ok(json!({
        "refund_id": told.refund_id,
        "out_refund_no": told.refund_no,
        "transaction_id": lines::trade_no(house.day(), known.index, false),
        "out_trade_no": lines::order_no(house.day(), known.index),
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(house, told.at),
        "success_time": rfc3339(house, told.at + 2),
        "status": "SUCCESS",
        "amount": {
            "total": known.amount_minor,
            "refund": refund.billed(),
            "settlement_refund": refund.billed() - free,
            "currency": currency::billed(account, known.index, known.story.fault),
        },
    }))
}
