//! TianTa's `query` and `refund_query` below `/scanpay.php/Gateway/` (`spec/ttpay.md` A.6, B.2), by form or JSON.
//!
//! The real one still answers unsigned calls without a `version`; the merchant simulated here demands the signature.
//! Orders are known by the provider's kind: asked as the other one, an order does not exist.

use axum::body::Bytes;
use md5::{Digest, Md5};
use serde_json::{Map, Value};

use super::Call;
use crate::sandbox::form::{fields, value};
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::orders::Order;
use crate::sandbox::reply::tianta::{failed, native, native_error, not_found, refunded, succeeded, wrapped};
use crate::sandbox::server::{Answer, House};
use crate::sandbox::town::ACCOUNTS;

type Fields = [(String, String)];
type Form = Vec<(String, String)>;

pub(super) fn answer(house: &House, call: &Call<'_>) -> Answer {
    let Some((_, name)) = call.path.rsplit_once("/scanpay.php/Gateway/") else {
        return Answer::status(404, "TianTa has no such address");
    };
    if call.method != "POST" || !["query", "refund_query"].contains(&name) {
        return Answer::status(404, "the sandbox asks TianTa only about orders and refunds");
    }
    match asked(house, call) {
        Ok((account, form)) if name == "query" => order(house, account, &form),
        Ok((account, form)) => refund(house, account, &form),
        Err(words) => json(failed(Map::new(), words), 0),
    }
}

/// Whose request it is, if it is signed.
fn asked(house: &House, call: &Call<'_>) -> Result<(u8, Form), &'static str> {
    let form = parameters(call.body).ok_or("参数格式错误")?;
    for name in ["user_token", "type", "version", "sign"] {
        if value(&form, name).is_empty() {
            return Err("缺少参数");
        }
    }
    if value(&form, "trade_no").is_empty() && value(&form, "pay_no").is_empty() {
        return Err("trade_no和pay_no不能同时为空");
    }
    if !["WECHAT", "ALIPAY"].contains(&value(&form, "type")) {
        return Err("type参数错误");
    }
    let token = value(&form, "user_token");
    let account = house
        .account(|known| known.channel == "tianta" && known.merchant == token)
        .ok_or("user_token不存在")?;
    if signature(&form, ACCOUNTS[usize::from(account)].api_key) != value(&form, "sign") {
        return Err("签名错误");
    }
    Ok((account, form))
}

fn parameters(body: &[u8]) -> Option<Form> {
    let text = std::str::from_utf8(body).ok()?;
    if !text.starts_with('{') {
        return fields(text);
    }
    let read: Map<String, Value> = serde_json::from_str(text).ok()?;
    read.into_iter().map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
}

/// MD5 of the pairs that are not empty, by name, the key behind them (`spec/ttpay.md` R108).
fn signature(form: &Fields, key: &str) -> String {
    let mut signed: Vec<&(String, String)> =
        form.iter().filter(|(name, value)| name != "sign" && !value.is_empty()).collect();
    signed.sort();
    let pairs: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
    hex::encode_upper(Md5::digest(format!("{}{key}", pairs.join("&"))))
}

/// The order that is asked about, as the kind that is asked for.
fn found<'h>(house: &'h House, account: u8, form: &Fields) -> Option<Order<'h>> {
    let day = house.day();
    let order = match value(form, "pay_no") {
        "" => Order::by_trade_no(day, account, value(form, "trade_no")),
        order_no => Order::by_order_no(day, account, order_no),
    };
    order.filter(|order| order.by_wechat == (value(form, "type") == "WECHAT"))
}

fn order(house: &House, account: u8, form: &Fields) -> Answer {
    let unknown = || {
        let (code, words) = not_found(value(form, "type") == "WECHAT");
        json(failed(native_error(value(form, "type") == "WECHAT", code, words), words), 0)
    };
    let Some(mut order) = found(house, account, form) else { return unknown() };
    let mishap = house.mishap(Desk::Tianta, account, order.date());
    if let Some(answer) = scripted(mishap, order.by_wechat) {
        return answer;
    }
    if mishap == Some(Mishap::OtherOrder) {
        order = order.next();
    }
    match order.state().filter(|_| mishap != Some(Mishap::UnknownOrder)) {
        Some(state) => json(succeeded(native(&order, state)), order.index).after(mishap),
        None => unknown().after(mishap),
    }
}

fn refund(house: &House, account: u8, form: &Fields) -> Answer {
    let by_wechat = value(form, "type") == "WECHAT";
    let none = || {
        if by_wechat {
            return json(failed(native_error(true, "REFUNDNOTEXIST", "退款不存在"), "退款不存在"), 0);
        }
        // Alipay's refund query succeeds without an amount.
        let mut fields = Map::new();
        fields.insert("response".to_owned(), serde_json::json!({ "code": "10000", "msg": "Success" }));
        json(succeeded(fields), 0)
    };
    if value(form, "refund_no").is_empty() {
        return json(failed(Map::new(), "缺少参数"), 0);
    }
    let Some(mut order) = found(house, account, form) else { return none() };
    let mishap = house.mishap(Desk::Tianta, account, order.date());
    if let Some(answer) = scripted(mishap, by_wechat) {
        return answer;
    }
    let refunds = order.refunds();
    let wanted = value(form, "refund_no");
    if mishap == Some(Mishap::OtherOrder) {
        order = order.next();
    }
    match refunds.iter().find(|refund| refund.refund_no == wanted) {
        Some(refund) if mishap != Some(Mishap::UnknownOrder) => {
            json(succeeded(refunded(&order, refund)), order.index).after(mishap)
        }
        _ => none().after(mishap),
    }
}

fn scripted(mishap: Option<Mishap>, by_wechat: bool) -> Option<Answer> {
    let error = |code, words| json(failed(native_error(by_wechat, code, words), words), 0);
    match mishap {
        Some(Mishap::Busy) if by_wechat => Some(error("SYSTEMERROR", "系统超时")),
        Some(Mishap::Busy) => Some(error("ACQ.SYSTEM_ERROR", "系统错误")),
        Some(Mishap::Refused) => Some(json(failed(Map::new(), "商户已停用"), 0)),
        Some(Mishap::WrongSignature) => Some(json(failed(Map::new(), "签名错误"), 0)),
        _ => None,
    }
}

fn json(body: Map<String, Value>, index: u32) -> Answer {
    Answer::ok("application/json;charset=utf-8", Bytes::from(wrapped(body, index)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adopted_vectors() {
        // spec/ttpay.md A.10: TT-1, and the nightly calls.
        let pay = "auth_code=28705321936224024&body=%E6%B5%8B%E8%AF%95&money=1&notifyUrl=http://www.baidu.com\
                   &operatorId=1234&orderNo=1524731816&type=ALIPAY&user_token=123456&version=V1.0.7";
        let common = "user_token=123456&version=V1.0.10&pay_no=1524731816";
        for (text, expected) in [
            (pay.to_owned(), "9735031ADF19C1FEFDB42A67A0E9EA2A"),
            (format!("{common}&type=WECHAT"), "5029CA5F2B48B5C1B9B1B36AACFA9E1F"),
            (format!("{common}&type=WECHAT&trade_no=&sign=x"), "5029CA5F2B48B5C1B9B1B36AACFA9E1F"),
            (
                format!("{common}&type=ALIPAY&money=1&refund_no=R1524731816"),
                "CD1C6821A48EC8D748EE4E2074DA0637",
            ),
            (format!("{common}&type=ALIPAY&refund_no=R1524731816"), "D62741A249F91B25CDEF6ACFC875FF2C"),
        ] {
            let form = fields(&text).expect("a form");
            assert_eq!(signature(&form, "C3226F16BE"), expected, "{text}");
        }
    }

    #[test]
    fn a_form_or_json() {
        let read = parameters(br#"{"pay_no":"1","type":"WECHAT"}"#).expect("JSON");
        assert_eq!(value(&read, "type"), "WECHAT");
        assert_eq!(parameters(b"pay_no=1&type=WECHAT"), Some(read));
        assert_eq!(parameters(br#"{"pay_no":1}"#), None);
    }
}
