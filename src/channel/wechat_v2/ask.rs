//! What to ask WeChat, and what its answer means: the error table of `pay/downloadbill`, decided on
//! (error_code, return_msg) together, because 20002 has two meanings.

use crate::channel::sign::{WechatSign, wechat};
use crate::channel::{Exhausted, Heard, Need, Request, Step, address, shown, unless_ok, xml};
use crate::domain::{Account, Errand, Exit, Failure, Secret, Stamp};

pub(super) const NEEDS: &[Need] = &[
    Need::required("app_id"),
    Need::secret("key", true),
    Need::option("sub_merchant", ""),
    Need::one_of("sign_type", "MD5", &["MD5", "HMAC-SHA256"]),
    Need::option("url", HOST),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

const HOST: &str = "https://api.mch.weixin.qq.com";
const PATH: &str = "/pay/downloadbill";

/// WeChat keeps a trade bill for three months; the longest three months are 92 days. What is older by this
/// count is surely gone, and a date at the edge is asked for.
const WINDOW_DAYS: i64 = 92;

/// Bills of a day can be fetched from 10:00 of the next; before that "no bill" proves nothing.
const READY_SECONDS: i64 = 10 * 3600;

pub(super) fn check(account: &Account) -> Result<(), Failure> {
    let fail = |why: &str| Err(Failure::new(Exit::Config, format!("account `{}`: {why}", account.name)));
    // The v2 key is 32 characters on the merchant platform; another length is a key of something else.
    if account.secret("key").is_none_or(|key| key.expose().trim().len() != 32) {
        return fail("`key` must be the APIv2 key of 32 characters (merchant platform, API security)");
    }
    address::check_own(account, HOST)
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    match heard {
        [] => opening(errand, stamp),
        [first] if first.status == 200 && gzip_failed(first) => question(errand, stamp, Tar::Plain),
        [.., last] => unless_ok(last).unwrap_or_else(|| answer(errand, last, stamp)),
    }
}

/// What can be known without asking.
fn opening(errand: &Errand, stamp: &Stamp) -> Step {
    let age = stamp.now.date().days_since(errand.date);
    if age < 1 {
        return Step::NotReady(format!("the bill of {} is made on the next day, from 09:00", errand.date));
    }
    if age > WINDOW_DAYS {
        return Step::Refused(format!(
            "WeChat keeps bills for three months, and {} is {age} days ago; download it from the merchant \
             platform if it still shows it, then `nightjob import FILE --account {} --date {}`",
            errand.date, errand.account.name, errand.date
        ));
    }
    question(errand, stamp, Tar::Gzip)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tar {
    Gzip,
    Plain,
}

fn question(errand: &Errand, stamp: &Stamp, tar: Tar) -> Step {
    let account = &errand.account;
    let Some(key) = account.secret("key") else {
        return Step::Refused("`key` is not set".into());
    };
    let url = address::own(account, HOST).trim_end_matches('/');
    let url = if url.ends_with(PATH) { url.to_owned() } else { format!("{url}{PATH}") };
    let mut request = Request::new("POST", url, account);
    request.headers.push(("content-type", "text/xml; charset=utf-8".into()));
    request.body = body(errand, stamp, tar, key).into_bytes();
    request.bill = true;
    Step::ask(request)
}

fn body(errand: &Errand, stamp: &Stamp, tar: Tar, key: &Secret) -> String {
    let account = &errand.account;
    let hmac = account.option("sign_type") == "HMAC-SHA256";
    let date = errand.date.compact();
    let mut params = vec![
        ("appid", account.option("app_id")),
        ("bill_date", &date),
        ("bill_type", "ALL"),
        ("mch_id", &account.merchant),
        ("nonce_str", &stamp.nonce),
        ("sign_type", if hmac { "HMAC-SHA256" } else { "" }),
        ("sub_mch_id", account.option("sub_merchant")),
        ("tar_type", if tar == Tar::Gzip { "GZIP" } else { "" }),
    ];
    let key = Secret::new(key.expose().trim());
    let sign = wechat(&params, &key, if hmac { WechatSign::HmacSha256 } else { WechatSign::Md5 });
    params.push(("sign", &sign));
    xml::body(&params)
}

/// The three shapes of an answer with status 200.
fn answer(errand: &Errand, heard: &Heard, stamp: &Stamp) -> Step {
    let text = xml::start(&heard.head);
    if heard.head.starts_with(&[0x1f, 0x8b]) || text.starts_with("交易时间".as_bytes()) {
        return Step::Statement;
    }
    match failure(heard) {
        Some((code, message)) => judge(errand, stamp, &code, &message),
        None => Step::again(Exhausted::Rejected, not_a_bill(heard)),
    }
}

fn not_a_bill(heard: &Heard) -> String {
    let what = if heard.len == 0 {
        "nothing"
    } else if heard.looks_like_markup() {
        "a page (HTML or XML)"
    } else {
        "something that does not begin like a bill"
    };
    format!("{} answered {what} where a bill or its error is expected", heard.source)
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
    let said = format!("WeChat says {} {}", if code.is_empty() { "FAIL" } else { code }, shown(message));
    let message = message.to_ascii_lowercase();
    let passing = ["system timeout", "system error", "systemerror", "network traffic limit"];
    match code {
        "20002" | "" if message.contains("no bill exist") => no_bill(errand, stamp),
        "20002" | "" if message.contains("bill creating") => {
            Step::NotReady(format!("WeChat is still making the bill of {}", errand.date))
        }
        _ if is_gzip_error(&message) => Step::again(Exhausted::Passing, said),
        "20003" | "20100" | "100" => Step::again(Exhausted::Passing, said),
        "" if passing.iter().any(|text| message.contains(text)) => Step::again(Exhausted::Passing, said),
        "20007" => Step::Refused(format!(
            "{said}: the bill interface of this merchant number is closed; have it opened on the merchant platform"
        )),
        _ => Step::Refused(format!("{said}{}", advice(&message, &errand.account))),
    }
}

/// `No Bill Exist` also comes before the bill is made; only from 10:00 of the next day it proves an empty day.
fn no_bill(errand: &Errand, stamp: &Stamp) -> Step {
    if stamp.now >= errand.date.after().start().plus_seconds(READY_SECONDS) {
        Step::NoMovements
    } else {
        Step::NotReady(format!(
            "WeChat has no bill of {} yet; before 10:00 of the next day that does not mean an empty day",
            errand.date
        ))
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
