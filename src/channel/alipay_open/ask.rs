//! What to ask Alipay: first for the address of the bill, then, at once, for the bill.

use crate::channel::sign::{AlipaySign, alipay, joined};
use crate::channel::{Exhausted, Heard, Need, Request, Step, address, form, keys, unless_ok};
use crate::domain::{Account, Bill, Errand, Exit, Failure, Secret, Stamp};

use super::read::{self, Reply};
use super::reply;

pub(super) const NEEDS: &[Need] = &[
    Need::required("app_id"),
    Need::secret("private_key", true),
    Need::secret("alipay_public_key", true),
    Need::one_of("sign_type", "RSA2", &["RSA2", "RSA"]),
    Need::secret("app_auth_token", false),
    Need::option("url", GATEWAY),
    Need::option("download_hosts", DOWNLOAD_HOST),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

const GATEWAY: &str = "https://openapi.alipay.com/gateway.do";
const DOWNLOAD_HOST: &str = "dwbillcenter.alipay.com";
const METHOD: &str = "alipay.data.dataservice.bill.downloadurl.query";

pub(super) fn check(account: &Account) -> Result<(), Failure> {
    let fail = |key: &str, why: &str| {
        Err(Failure::new(Exit::Config, format!("account `{}`: `{key}`: {why}", account.name)))
    };
    let private = match keys::private(&secret(account, "private_key")) {
        Ok(key) => key,
        Err(why) => return fail("private_key", &why),
    };
    let public = match keys::public(&secret(account, "alipay_public_key")) {
        Ok(key) => key,
        Err(why) => return fail("alipay_public_key", &why),
    };
    if public == private.public() {
        return fail(
            "alipay_public_key",
            "this is your own public key; give the one that Alipay shows for this app",
        );
    }
    address::check_hosts(account)?;
    address::check_own(account, GATEWAY)
}

pub(super) fn secret(account: &Account, key: &str) -> Secret {
    account.secret(key).cloned().unwrap_or_else(|| Secret::new(""))
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    match heard {
        [] if errand.date >= stamp.now.date() => {
            Step::NotReady(format!("the bill of {} is made on the next day", errand.date))
        }
        [] => ask_address(errand, stamp),
        [reply] => unless_ok(reply).unwrap_or_else(|| fetch_or_end(errand, reply)),
        [.., file] => fetched(file),
    }
}

fn ask_address(errand: &Errand, stamp: &Stamp) -> Step {
    let bill_type = if errand.bill == Bill::SignCustomer { "signcustomer" } else { "trade" };
    let biz_content = format!(r#"{{"bill_type":"{bill_type}","bill_date":"{}"}}"#, errand.date);
    match signed(&errand.account, METHOD, &biz_content, stamp) {
        Ok(request) => Step::ask(request),
        // `check` has read the key before the night began; a key that changed since then ends here.
        Err(why) => Step::Refused(format!("`private_key`: {why}")),
    }
}

/// One signed question of any method.
pub(super) fn signed(
    account: &Account,
    method: &str,
    biz_content: &str,
    stamp: &Stamp,
) -> Result<Request, String> {
    let key = keys::private(&secret(account, "private_key"))?;
    let how = AlipaySign::of(account.option("sign_type"));
    let token = secret(account, "app_auth_token");
    let timestamp = stamp.now.to_string();
    let mut params = vec![
        ("app_auth_token", token.expose().trim()),
        ("app_id", account.option("app_id")),
        ("biz_content", biz_content),
        ("charset", "utf-8"),
        ("format", "JSON"),
        ("method", method),
        ("sign_type", how.as_str()),
        ("timestamp", &timestamp),
        ("version", "1.0"),
    ];
    let sign = alipay(joined(&params).as_bytes(), &key, how)?;
    params.push(("sign", &sign));
    Ok(query(account, form::body(&params)))
}

fn query(account: &Account, body: String) -> Request {
    let url = address::own(account, GATEWAY).trim_end_matches('/');
    let bare_host = address::parse(url).is_ok_and(|address| address.rest.is_empty());
    let path = if bare_host { "/gateway.do" } else { "" };
    let query = if url.contains('?') { "" } else { "?charset=utf-8" };
    let mut request = Request::new("POST", format!("{url}{path}{query}"), account);
    request.headers.push(("content-type", "application/x-www-form-urlencoded;charset=utf-8".into()));
    request.body = body.into_bytes();
    request
}

fn fetch_or_end(errand: &Errand, heard: &Heard) -> Step {
    let account = &errand.account;
    let reply: Reply = match reply::open(account, heard, read::ROOT) {
        Ok(reply) => reply,
        Err(trouble) => return trouble.into(),
    };
    match reply.address() {
        Some(url) => download(account, url),
        None => reply.outcome(errand),
    }
}

fn download(account: &Account, url: &str) -> Step {
    let hosts = match account.option("download_hosts").trim() {
        "" => DOWNLOAD_HOST,
        hosts => hosts,
    };
    match address::given(url, hosts) {
        Err(why) => Step::Rejected(why),
        Ok(given) => Step::ask(Request::bill_at(given, account)),
    }
}

/// The bill must be a zip. Anything else is what a late or repeated fetch gets: a fresh address is asked for.
fn fetched(file: &Heard) -> Step {
    match unless_ok(file) {
        None if file.head.starts_with(b"PK\x03\x04") => Step::Statement,
        None => Step::again(
            Exhausted::Rejected,
            format!("{} answered {} where a zip is expected", file.source, what(file)),
        ),
        // An address that is refused is one that has expired; the next one may be in time.
        Some(Step::Refused(why)) => Step::again(Exhausted::Refused, why),
        Some(step) => step,
    }
}

fn what(file: &Heard) -> &'static str {
    match () {
        () if file.len == 0 => "nothing",
        () if file.looks_like_markup() => "a page (HTML or XML)",
        () => "something else",
    }
}
