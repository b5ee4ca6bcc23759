//! What to ask WeChat, and what its answer means: the error table of `pay/downloadbill`, decided on
//! (error_code, return_msg) together, because 20002 has two meanings.

use super::flow;
use crate::channel::sign::{self, WechatSign};
use crate::channel::{Exhausted, Heard, Need, Request, Step, address, unless_ok, wechat, xml};
use crate::domain::{Account, Bill, Errand, Failure, Secret, Stamp};

pub(super) const NEEDS: &[Need] = &[
    Need::required("app_id"),
    Need::secret("key", true),
    Need::option("sub_merchant", ""),
    Need::one_of("sign_type", "MD5", &["MD5", "HMAC-SHA256"]),
    Need::binary("client_p12"),
    Need::secret("client_p12_password", false),
    Need::option("url", wechat::HOST),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

const PATH: &str = "/pay/downloadbill";

pub(in crate::channel) fn check(account: &Account) -> Result<(), Failure> {
    // The v2 key is 32 characters on the merchant platform; another length is a key of something else.
    if account.secret("key").is_none_or(|key| key.expose().trim().len() != 32) {
        let why = "must be the APIv2 key of 32 characters (merchant platform, API security)";
        return Err(wechat::wrong_key(account, "key", why));
    }
    if account.option("app_id").trim().is_empty() {
        return Err(wechat::wrong_key(
            account,
            "app_id",
            "write an appid that is bound to the merchant number",
        ));
    }
    flow::check(account)?;
    address::check_own(account, wechat::host(account))
}

pub(in crate::channel) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    match heard {
        _ if errand.bill == Bill::FundFlow => flow::next(errand, heard, stamp),
        [] => wechat::out_of_window(errand, stamp, wechat::keeps(&errand.account))
            .unwrap_or_else(|| question(errand, stamp, Tar::Gzip)),
        [first] if first.status == 200 && gzip_failed(first) => question(errand, stamp, Tar::Plain),
        [.., last] => unless_ok(last).unwrap_or_else(|| answer(errand, last, stamp)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tar {
    Gzip,
    Plain,
}

fn question(errand: &Errand, stamp: &Stamp, tar: Tar) -> Step {
    let account = &errand.account;
    let date = errand.date.compact();
    let params = vec![
        ("bill_date", date.as_str()),
        ("bill_type", "ALL"),
        ("sub_mch_id", account.option("sub_merchant")),
        ("tar_type", if tar == Tar::Gzip { "GZIP" } else { "" }),
    ];
    let mut request = post(account, PATH, stamp, (params, sign_type(account)));
    request.bill = true;
    Step::ask(request)
}

/// How an account signs.
pub(super) fn sign_type(account: &Account) -> WechatSign {
    if account.option("sign_type") == "HMAC-SHA256" { WechatSign::HmacSha256 } else { WechatSign::Md5 }
}

pub(super) fn key(account: &Account) -> Secret {
    Secret::new(account.secret("key").map_or("", |key| key.expose().trim()))
}

/// A signed question of any v2 interface: its own parameters beside those that all of them have.
pub(super) fn post(
    account: &Account,
    path: &str,
    stamp: &Stamp,
    (own, how): (Vec<(&str, &str)>, WechatSign),
) -> Request {
    let mut params = own;
    params.push(("appid", account.option("app_id")));
    params.push(("mch_id", &account.merchant));
    params.push(("nonce_str", &stamp.nonce));
    params.push(("sign_type", if how == WechatSign::HmacSha256 { "HMAC-SHA256" } else { "" }));
    params.sort_unstable();
    let sign = sign::wechat(&params, &key(account), how);
    params.push(("sign", &sign));
    let url = address::own(account, wechat::host(account)).trim_end_matches('/');
    // Some write the whole address of the bill's interface as `url`.
    let base = url.strip_suffix(PATH).unwrap_or(url);
    let mut request = Request::new("POST", format!("{base}{path}"), account);
    request.headers.push(("content-type", "text/xml; charset=utf-8".into()));
    request.body = xml::body(&params).into_bytes();
    request
}

/// The three shapes of an answer with status 200.
fn answer(errand: &Errand, heard: &Heard, stamp: &Stamp) -> Step {
    if wechat::begins_like_a_bill(heard, wechat::TRADE_TITLES) {
        return Step::Statement;
    }
    match failure(heard) {
        Some((code, message)) => judge(errand, stamp, &code, &message),
        None => wechat::not_a_bill(heard),
    }
}

/// (error_code, return_msg) of a failure XML; the code is empty in old answers.
fn failure(heard: &Heard) -> Option<(String, String)> {
    let fields = xml::flat(heard.whole()?)?;
    let failed = xml::field(&fields, "return_code").eq_ignore_ascii_case("FAIL");
    let field = |name| xml::field(&fields, name).to_owned();
    failed.then(|| (field("error_code"), field("return_msg")))
}

/// `CompressGZip Error`, `UnCompressGZip Error`: the bill is there, its packing failed.
fn gzip_failed(heard: &Heard) -> bool {
    failure(heard).is_some_and(|(_, message)| is_gzip_error(&message.to_ascii_lowercase()))
}

fn is_gzip_error(message: &str) -> bool {
    message.contains("compressgzip error")
}

fn judge(errand: &Errand, stamp: &Stamp, code: &str, message: &str) -> Step {
    let said = wechat::said(code, message);
    let message = message.to_ascii_lowercase();
    let passing = ["system timeout", "system error", "systemerror", "network traffic limit"];
    match code {
        "20002" | "" if message.contains("no bill exist") => wechat::no_bill(errand, stamp),
        "20002" | "" if message.contains("bill creating") => wechat::creating(errand),
        _ if is_gzip_error(&message) => Step::again(Exhausted::Passing, said),
        "20003" | "20100" | "100" => Step::again(Exhausted::Passing, said),
        "" if passing.iter().any(|text| message.contains(text)) => Step::again(Exhausted::Passing, said),
        "20007" => Step::Refused(format!(
            "{said}: the bill interface of this merchant number is closed; have it opened on the merchant platform"
        )),
        _ => Step::Refused(format!("{said}{}", advice(&message, &errand.account))),
    }
}

/// What a person can do about a permanent refusal.
fn advice(message: &str, account: &Account) -> String {
    if message.contains("sign error") {
        format!(": check `key` and `sign_type` of account `{}`", account.name)
    } else if message.contains("invalid bill_date") {
        ": the date is outside the window in which WeChat gives out bills; `nightjob import` takes a file that \
         was downloaded by hand"
            .into()
    } else if message.contains("appid") || message.contains("mch_id") {
        format!(": check `app_id` and `merchant` of account `{}`", account.name)
    } else {
        String::new()
    }
}
