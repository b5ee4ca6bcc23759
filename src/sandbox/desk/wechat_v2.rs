//! WeChat Pay's `POST /pay/downloadbill` and `/pay/downloadfundflow` as the real ones answer (`spec/wechat.md` 1.1 to
//! 1.3, 2, 4.1): always status 200; the file as text or gzip, or a `FAIL` in XML that is never compressed.
//!
//! The fund flow really wants the merchant's client certificate. Plain loopback has none: everything else is checked.

use axum::body::Bytes;
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::Call;
use crate::domain::BillDate;
use crate::sandbox::form::{elements, value};
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::paper::{self, Paper};
use crate::sandbox::server::{Answer, Content, House, Want};
use crate::sandbox::town::{ACCOUNTS, SimAccount};

type Fields = [(String, String)];
/// `error_code` and `return_msg`.
pub(super) type Fail = (&'static str, &'static str);

const SYSTEM_ERROR: Fail = ("100", "SYSTEMERROR");
const NO_BILL: Fail = ("20002", "No Bill Exist");
const CREATING: Fail = ("20002", "Bill Creating");
const CLOSED: Fail = ("20007", "当前商户号账单API权限已经关闭");
const SIGN_ERROR: Fail = ("20001", "sign error");

/// What was asked for, by someone who may.
struct Asked {
    account: u8,
    date: BillDate,
    /// All sub-merchants of a service provider.
    whole: bool,
    gzip: bool,
}

pub(super) fn answer(house: &House, call: &Call<'_>) -> Answer {
    match asked(house, call.method, call.body) {
        Ok(asked) => bill(house, &asked),
        Err(fail) => failed(fail),
    }
}

fn asked(house: &House, method: &str, body: &[u8]) -> Result<Asked, Fail> {
    let (account, fields) = request(house, method, body, &["bill_date"])?;
    let known = &ACCOUNTS[usize::from(account)];
    let date = checked(&fields, known)?;
    let whole = !known.sub_merchant.is_empty() && value(&fields, "sub_mch_id").is_empty();
    Ok(Asked { account, date, whole, gzip: value(&fields, "tar_type") == "GZIP" })
}

/// Reads a signed request of an account with an APIv2 key; `more` are the fields it needs beside the common ones.
pub(super) fn request(
    house: &House,
    method: &str,
    body: &[u8],
    more: &[&str],
) -> Result<(u8, Vec<(String, String)>), Fail> {
    let fault = |words| Err(("20001", words));
    if method != "POST" {
        return fault("require POST method");
    }
    if body.is_empty() {
        return fault("empty post data");
    }
    let Some(fields) = std::str::from_utf8(body).ok().and_then(elements) else {
        return fault("data format error");
    };
    let mut needed = ["appid", "mch_id", "nonce_str", "sign"].iter().chain(more);
    if needed.any(|name| value(&fields, name).is_empty()) {
        return fault("missing parameter");
    }
    if value(&fields, "nonce_str").len() > 32 {
        return fault("nonce_str too long");
    }
    let merchant = value(&fields, "mch_id");
    let Some(account) = house.account(|account| signs_with_a_key(account) && account.merchant == merchant)
    else {
        return fault("invalid parameter");
    };
    let known = &ACCOUNTS[usize::from(account)];
    if signature(&fields, value(&fields, "sign_type"), known.api_key).as_deref()
        != Some(value(&fields, "sign"))
    {
        return Err(SIGN_ERROR);
    }
    Ok((account, fields))
}

fn signs_with_a_key(account: &SimAccount) -> bool {
    ["wechat_v2", "wechat_global"].contains(&account.channel) && !account.api_key.is_empty()
}

/// The rest of the parameters; returns the bill date.
fn checked(fields: &Fields, account: &SimAccount) -> Result<BillDate, Fail> {
    let fault = |words| Err(("20001", words));
    if value(fields, "appid") != account.app_id {
        return fault("invalid appid");
    }
    if !["", account.sub_merchant].contains(&value(fields, "sub_mch_id")) {
        return fault("invalid parameter");
    }
    if !["", "GZIP"].contains(&value(fields, "tar_type")) {
        return fault("invalid tar_type, Only GZIP supported");
    }
    // The sandbox writes bills of this type only.
    if !["", "ALL"].contains(&value(fields, "bill_type")) {
        return fault("invalid bill_type");
    }
    let date = value(fields, "bill_date");
    BillDate::parse(date).filter(|_| date.len() == 8).ok_or(("20001", "invalid bill_date"))
}

/// The signature over all fields but `sign`; `None` for an unknown sign type. (`spec/wechat.md` 1.2.)
pub(super) fn signature(fields: &Fields, sign_type: &str, key: &str) -> Option<String> {
    let text = text_to_sign(fields, key);
    match sign_type {
        "" | "MD5" => Some(hex::encode_upper(Md5::digest(text.as_bytes()))),
        "HMAC-SHA256" => {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
            mac.update(text.as_bytes());
            Some(hex::encode_upper(mac.finalize().into_bytes()))
        }
        _ => None,
    }
}

fn text_to_sign(fields: &Fields, key: &str) -> String {
    let mut signed: Vec<&(String, String)> =
        fields.iter().filter(|(name, value)| name != "sign" && !value.is_empty()).collect();
    signed.sort();
    let pairs: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}&key={key}", pairs.join("&"))
}

fn bill(house: &House, asked: &Asked) -> Answer {
    let mishap = house.mishap(Desk::WechatBill, asked.account, asked.date);
    let content = match mishap {
        Some(Mishap::NotReady) => return failed(CREATING),
        Some(Mishap::NoBill | Mishap::EmptyFile) => return failed(NO_BILL),
        Some(Mishap::Busy) => return failed(SYSTEM_ERROR),
        Some(Mishap::Refused) => return failed(CLOSED),
        Some(Mishap::WrongSignature | Mishap::SignError) => return failed(SIGN_ERROR),
        other => Content::after(other),
    };
    let Asked { account, date, gzip, .. } = *asked;
    let whole = asked.whole || mishap == Some(Mishap::SubMerchantsMixed);
    let paper = paper::of(&ACCOUNTS[usize::from(account)]);
    let want = Want { account, date, paper, whole, content, gzip };
    let Some(bytes) = house.statement(want) else { return failed(NO_BILL) };
    Answer::ok("text/plain; charset=utf-8", bytes).after(mishap)
}

fn failed((code, words): Fail) -> Answer {
    let body = format!(
        "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{words}]]></return_msg>\
         <error_code><![CDATA[{code}]]></error_code></xml>"
    );
    Answer::ok("text/plain; charset=utf-8", Bytes::from(body))
}

/// `POST /pay/downloadfundflow`: HMAC-SHA256 only, and errors in words of its own.
pub(super) fn fund_flow(house: &House, call: &Call<'_>) -> Answer {
    match flow_asked(house, call) {
        Ok(asked) => flow(house, &asked),
        Err((code, words)) => flow_failed((code, words)),
    }
}

fn flow_asked(house: &House, call: &Call<'_>) -> Result<Asked, Fail> {
    let needed = ["sign_type", "bill_date", "account_type"];
    let read = request(house, call.method, call.body, &needed);
    let (account, fields) = read.map_err(|(_, words)| ("PARAM_ERROR", words))?;
    let fault = |words| Err(("PARAM_ERROR", words));
    if value(&fields, "sign_type") != "HMAC-SHA256" {
        return fault("sign_type 仅支持 HMAC-SHA256");
    }
    if !["Basic", "Operation", "Fees"].contains(&value(&fields, "account_type")) {
        return fault("invalid account_type");
    }
    let known = &ACCOUNTS[usize::from(account)];
    let date = checked(&fields, known).map_err(|(_, words)| ("PARAM_ERROR", words))?;
    // The other accounts have no movements, and a provider's money goes to its sub-merchants.
    if value(&fields, "account_type") != "Basic" || !known.sub_merchant.is_empty() {
        return Err(NO_FLOW);
    }
    Ok(Asked { account, date, whole: false, gzip: value(&fields, "tar_type") == "GZIP" })
}

const NO_FLOW: Fail = ("NO_BILL_EXIST", "账单不存在");

fn flow(house: &House, asked: &Asked) -> Answer {
    let Asked { account, date, gzip, .. } = *asked;
    let mishap = house.mishap(Desk::WechatFundFlow, account, date);
    let content = match mishap {
        Some(Mishap::NotReady) => return flow_failed(("BILL_CREATING", "账单生成中")),
        Some(Mishap::NoBill | Mishap::EmptyFile) => return flow_failed(NO_FLOW),
        Some(Mishap::Busy) => return flow_failed(("SYSTEMERROR", "系统超时")),
        Some(Mishap::Refused) => return flow_failed(("PARAM_ERROR", "商户无权限")),
        Some(Mishap::WrongSignature | Mishap::SignError) => {
            return flow_failed(("PARAM_ERROR", "sign error"));
        }
        other => Content::after(other),
    };
    let want = Want { account, date, paper: Paper::WechatFundFlow, whole: false, content, gzip };
    let (Some(bytes), Some(plain)) = (house.statement(want), house.statement(Want { gzip: false, ..want }))
    else {
        return flow_failed(NO_FLOW);
    };
    let hash = match mishap {
        Some(Mishap::WrongHash) => Sha1::digest(b"another file"),
        _ => Sha1::digest(&plain),
    };
    let answer = Answer::ok("text/plain; charset=utf-8", bytes);
    let digest = format!("SHA={}", hex::encode(hash));
    let missing = mishap == Some(Mishap::MissingSignature);
    let answer = if missing { answer } else { answer.with_header("digest", digest) };
    answer.after(mishap)
}

fn flow_failed((code, words): Fail) -> Answer {
    let body = format!(
        "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[{words}]]></return_msg>\
         <result_code><![CDATA[FAIL]]></result_code><err_code><![CDATA[{code}]]></err_code>\
         <err_code_des><![CDATA[{words}]]></err_code_des></xml>"
    );
    Answer::ok("text/plain; charset=utf-8", Bytes::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_documentations_vector() {
        let fields = fields(&[
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
            ("sign", "anything"),
        ]);
        let key = "192006250b4c09247ec02edce69f6a2d";
        assert_eq!(signature(&fields, "", key).as_deref(), Some("9A0A8659F005D6984697E2CA0A9CF3B7"));
        assert_eq!(
            signature(&fields, "HMAC-SHA256", key).as_deref(),
            Some("6A9AE1657590FD6257D693A078E1C3E4BB6BA4DC30B23E0EE2496E54170DACD6")
        );
        assert_eq!(signature(&fields, "SHA1", key), None);
    }

    #[test]
    fn the_specifications_vectors() {
        let key = "a7F3kQ9zT2mX8vB6nC4wL1pR5sJ0hDyE";
        let common = [
            ("appid", "wx0123456789abcdef"),
            ("mch_id", "1900012345"),
            ("nonce_str", "7c1e9b0d4f6a48e2b3d5906f81a2c4e7"),
        ];
        let bill = [("bill_date", "20240307"), ("bill_type", "ALL")];
        let provider = [("sub_appid", ""), ("sub_mch_id", "1600098765"), ("sign_type", "HMAC-SHA256")];
        let zipped = [("tar_type", "GZIP")];
        let cases: [(Vec<(&str, &str)>, &str); 4] = [
            ([&common[..], &bill].concat(), "527DE128B4A1340997A44FEEE8D98694"),
            ([&common[..], &bill, &zipped].concat(), "A96BBE12128FBF61525B359474077DED"),
            (
                [&common[..], &bill, &provider, &zipped].concat(),
                "4B9146C44923558527A012195F88895AB31F22429E48712B82B45342FE22F892",
            ),
            ([&common[..], &[("body", "早餐 豆浆&油条")]].concat(), "004B8A95A3B723BB91668F17166831EF"),
        ];
        for (pairs, expected) in cases {
            let fields = fields(&pairs);
            let sign_type = value(&fields, "sign_type").to_owned();
            assert_eq!(signature(&fields, &sign_type, key).as_deref(), Some(expected));
        }
    }
}
