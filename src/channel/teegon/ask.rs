//! What to ask Teegon about a charge.

use crate::channel::sign_cashier::teegon;
use crate::channel::{Ask, Heard, Inquiry, Need, Request, address, form};
use crate::domain::{Account, Exit, Failure, Secret, Stamp};

pub(super) const NEEDS: &[Need] = &[
    Need::secret("client_secret", true),
    Need::one_of("extended", "false", &["false", "true"]),
    Need::option("url", HOST),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

pub(super) const HOST: &str = "https://api.teegon.com";
/// Without `/v1`, as the manual and the public SDKs have it (X23).
const STATUS: &str = "/charge/barcode_pay_status";

pub(super) fn check(account: &Account) -> Result<(), Failure> {
    let fail = |why: &str| Err(Failure::new(Exit::Config, format!("account `{}`: {why}", account.name)));
    if secret(account).expose().is_empty() {
        return fail("`client_secret` is empty");
    }
    address::check_own(account, HOST)?;
    if is_extended(account) && !is_guarded(account) {
        return fail(
            "`extended`: the list calls carry the secret in their address, and `url` is plain http; use https",
        );
    }
    Ok(())
}

pub(super) fn is_extended(account: &Account) -> bool {
    account.option("extended") == "true"
}

/// Nobody on the way can read along: https, or this machine.
pub(super) fn is_guarded(account: &Account) -> bool {
    address::parse(address::own(account, HOST)).is_ok_and(|url| url.https || url.is_loopback())
}

pub(super) fn secret(account: &Account) -> Secret {
    Secret::new(account.secret("client_secret").map_or("", Secret::expose).trim())
}

pub(super) fn host(account: &Account) -> &str {
    address::own(account, HOST).trim_end_matches('/')
}

pub(super) fn ask(inquiry: &Inquiry, heard: &[Heard], _stamp: &Stamp) -> Option<Ask> {
    if !heard.is_empty() || inquiry.trade_no.is_empty() {
        return None;
    }
    let account = &*inquiry.account;
    let mut params = vec![("charge_id", inquiry.trade_no.as_str()), ("client_id", account.merchant.as_str())];
    let sign = teegon(&params, &secret(account));
    params.push(("sign", &sign));
    let mut request = Request::new("POST", format!("{}{STATUS}", host(account)), account);
    request.headers.push(("content-type", "application/x-www-form-urlencoded; charset=utf-8".into()));
    request.body = form::body(&params).into_bytes();
    Some(request.into())
}
