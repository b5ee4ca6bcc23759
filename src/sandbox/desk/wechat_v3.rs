//! WeChat Pay's API v3: bills in two steps, platform certificates, order and refund queries (`spec/wechat.md` 3, 5).
//!
//! `tradebill` and `fundflowbill` answer with a hash and an address; the address wants a signature of its own, and its
//! answer has none. The hash is over the uncompressed bytes, also where a gzip is sent.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha1::{Digest, Sha1};

use super::wechat_sign::{self, CREATING, Caller, Fail, NO_AUTH, NO_STATEMENT, PARAM_ERROR, SYSTEM_ERROR};
use super::{Call, wechat_order};
use crate::domain::BillDate;
use crate::sandbox::form::{fields, value};
use crate::sandbox::keys;
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::paper::Paper;
use crate::sandbox::server::{Answer, Content, House, Want};
use crate::sandbox::town::ACCOUNTS;

/// A host that no merchant allows: reserved for documentation (RFC 2606).
const FOREIGN_HOST: &str = "download.example.test";

type Fields = [(String, String)];

pub(super) fn trade_bill(house: &House, call: &Call<'_>) -> Answer {
    let query = fields(call.query).unwrap_or_default();
    apply(house, call, &query, (Desk::WechatApply, Paper::WechatBill), |query| {
        // The sandbox writes bills of this type only.
        ["", "ALL"].contains(&value(query, "bill_type"))
    })
}

pub(super) fn fund_flow_bill(house: &House, call: &Call<'_>) -> Answer {
    let query = fields(call.query).unwrap_or_default();
    apply(house, call, &query, (Desk::WechatFundFlow, Paper::WechatFundFlow), |query| {
        ["", "BASIC", "OPERATION", "FEES"].contains(&value(query, "account_type"))
    })
}

/// The first step of both.
fn apply(
    house: &House,
    call: &Call<'_>,
    query: &Fields,
    (desk, paper): (Desk, Paper),
    is_known: fn(&Fields) -> bool,
) -> Answer {
    let caller = match caller(house, call) {
        Ok(caller) => caller,
        Err(fail) => return wechat_sign::failed(fail, None),
    };
    let date = value(query, "bill_date");
    let known = is_known(query) && ["", "GZIP"].contains(&value(query, "tar_type"));
    let Some(date) = BillDate::parse(date).filter(|_| date.len() == 10 && known) else {
        return wechat_sign::failed(PARAM_ERROR, Some(caller));
    };
    let account = &ACCOUNTS[usize::from(caller.account)];
    if !["", account.sub_merchant].contains(&value(query, "sub_mchid")) {
        return wechat_sign::failed(NO_AUTH, Some(caller));
    }
    let mishap = house.mishap(desk, caller.account, date);
    if let Some(fail) = refusal(mishap) {
        return wechat_sign::failed(fail, Some(caller));
    }
    let gzip = value(query, "tar_type") == "GZIP";
    let want = Want { account: caller.account, date, paper, whole: false, content: Content::True, gzip };
    // The other accounts of a merchant number have no movements.
    let moved = ["", "BASIC"].contains(&value(query, "account_type"));
    match address(house, want, mishap).filter(|_| moved) {
        Some(body) => wechat_sign::reply(caller, &body, mishap),
        None => wechat_sign::failed(NO_STATEMENT, Some(caller)),
    }
}

fn caller(house: &House, call: &Call<'_>) -> Result<Caller, Fail> {
    if call.method != "GET" {
        return Err((405, "INVALID_REQUEST", "请求方法不支持"));
    }
    wechat_sign::caller(house, call)
}

/// What a mishap makes of any request.
pub(super) fn refusal(mishap: Option<Mishap>) -> Option<Fail> {
    match mishap {
        Some(Mishap::NotReady) => Some(CREATING),
        Some(Mishap::NoBill | Mishap::EmptyFile) => Some(NO_STATEMENT),
        Some(Mishap::Busy) => Some(SYSTEM_ERROR),
        Some(Mishap::Refused) => Some(NO_AUTH),
        Some(Mishap::SignError) => Some(wechat_sign::SIGN_ERROR),
        _ => None,
    }
}

/// Hash and address of a file; `None` on a day without movements. What is wrong with the file's content is wrong in
/// its hash too: such a file really is the one that WeChat has.
fn address(house: &House, want: Want, mishap: Option<Mishap>) -> Option<String> {
    let want = Want { content: Content::after(mishap), ..want };
    let want = if mishap == Some(Mishap::Replayed) {
        Want { date: neighbour(house, want.date), ..want }
    } else {
        want
    };
    let whole = mishap == Some(Mishap::SubMerchantsMixed);
    let want = Want { whole, ..want };
    let plain = house.statement(Want { gzip: false, ..want })?;
    let hash = match mishap {
        Some(Mishap::WrongHash) => hex::encode(Sha1::digest(b"another file")),
        Some(Mishap::HashOfAnotherDay) => {
            let other = Want { date: neighbour(house, want.date), gzip: false, ..want };
            hex::encode(Sha1::digest(house.statement(other)?))
        }
        _ => hex::encode(Sha1::digest(&plain)),
    };
    let (token, _) = house.issue(want);
    let host = if mishap == Some(Mishap::ForeignHost) { FOREIGN_HOST.to_owned() } else { house.origin() };
    let packed = if want.gzip { "&tartype=gzip" } else { "" };
    Some(format!(
        "{{\"hash_type\":\"SHA1\",\"hash_value\":\"{hash}\",\
         \"download_url\":\"http://{host}/v3/billdownload/file?token={token}{packed}\"}}"
    ))
}

/// The day before, or after if there is none before.
pub(super) fn neighbour(house: &House, date: BillDate) -> BillDate {
    let [first, second, _] = house.day().dates();
    if date == first { second } else { date.before() }
}

/// The second step: a signature of its own, and an answer without one.
pub(super) fn download(house: &House, call: &Call<'_>) -> Answer {
    let caller = match caller(house, call) {
        Ok(caller) => caller,
        Err(fail) => return wechat_sign::failed(fail, None),
    };
    let query = fields(call.query).unwrap_or_default();
    let late: Fail = (400, "INVALID_REQUEST", "下载地址已失效，请重新申请账单");
    let Some(want) = house.look_up(value(&query, "token")).filter(|want| want.account == caller.account)
    else {
        return wechat_sign::failed(late, None);
    };
    let mishap = house.mishap(Desk::WechatDownload, want.account, want.date);
    if let Some(fail) = refusal(mishap) {
        return wechat_sign::failed(fail, None);
    }
    let content = if want.content == Content::True { Content::after(mishap) } else { want.content };
    let kind = if want.gzip { "application/x-gzip" } else { "text/plain; charset=utf-8" };
    match house.statement(Want { content, ..want }) {
        Some(bytes) => Answer::ok(kind, bytes).after(mishap),
        None => wechat_sign::failed(late, None),
    }
}

/// `GET /v3/certificates`: the platform certificate, sealed with the merchant's APIv3 key.
pub(super) fn certificates(house: &House, call: &Call<'_>) -> Answer {
    let caller = match caller(house, call) {
        Ok(caller) => caller,
        Err(fail) => return wechat_sign::failed(fail, None),
    };
    let nonce = "61f9c719728a";
    let body = json!({"data": [{
        "serial_no": keys::WECHAT_PLATFORM_SERIAL,
        "effective_time": "2015-01-01T08:00:00+08:00",
        "expire_time": "2099-01-01T08:00:00+08:00",
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": "certificate",
            "ciphertext": sealed(keys::WECHAT_PLATFORM_CERTIFICATE_PEM, nonce),
        },
    }]});
    wechat_sign::reply(caller, &body.to_string(), None)
}

/// AES-256-GCM, the tag behind the ciphertext, in base64.
fn sealed(text: &str, nonce: &str) -> String {
    use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
    let key = UnboundKey::new(&AES_256_GCM, keys::WECHAT_API_V3_KEY.as_bytes()).map(LessSafeKey::new);
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes());
    let mut bytes = text.as_bytes().to_vec();
    let done = key.and_then(|key| key.seal_in_place_append_tag(nonce?, Aad::from("certificate"), &mut bytes));
    done.expect("the key has 32 bytes, the nonce 12");
    STANDARD.encode(bytes)
}

/// `GET /v3/pay/transactions/out-trade-no/{no}` and `…/id/{no}`, with `mchid`.
pub(super) fn order(house: &House, call: &Call<'_>) -> Answer {
    let rest = call.path.trim_start_matches("/v3/pay/transactions/");
    let by_our_number = rest.starts_with("out-trade-no/");
    let number = rest.trim_start_matches("out-trade-no/").trim_start_matches("id/");
    query(house, call, true, |account| wechat_order::as_json(house, account, number, by_our_number))
}

/// `GET /v3/refund/domestic/refunds/{no}`
pub(super) fn refund(house: &House, call: &Call<'_>) -> Answer {
    let number = call.path.trim_start_matches("/v3/refund/domestic/refunds/");
    query(house, call, false, |account| wechat_order::refund_as_json(house, account, number))
}

fn query(
    house: &House,
    call: &Call<'_>,
    names_merchant: bool,
    tell: impl Fn(u8) -> Result<serde_json::Value, Fail>,
) -> Answer {
    let caller = match caller(house, call) {
        Ok(caller) => caller,
        Err(fail) => return wechat_sign::failed(fail, None),
    };
    let query = fields(call.query).unwrap_or_default();
    if names_merchant && value(&query, "mchid") != wechat_sign::merchant(caller) {
        return wechat_sign::failed((400, "PARAM_ERROR", "mchid 与签名的商户号不一致"), Some(caller));
    }
    let mishap = house.mishap(Desk::WechatOrder, caller.account, house.day().date());
    match refusal(mishap).map_or_else(|| tell(caller.account), Err) {
        Ok(body) => wechat_sign::reply(caller, &body.to_string(), mishap),
        Err(fail) => wechat_sign::failed(fail, Some(caller)),
    }
}

/// The bytes of a text in gzip, for an answer that says so in a header.
pub(super) fn gzipped(bytes: &Bytes) -> Bytes {
    Bytes::from(crate::sandbox::paper::gzip::packed(bytes, "statement.csv"))
}
