//! What to ask TianTa about an order: by our number and each wallet it may have been paid with, then by the wallet's.

use crate::channel::sign_cashier::tianta;
use crate::channel::{Ask, Heard, Inquiry, Need, Request, address, form};
use crate::domain::{Account, EntryKind, Exit, Failure, Secret, Stamp};

use super::judge;

pub(super) const NEEDS: &[Need] = &[
    Need::secret("key", true),
    // The signature takes effect only where a version is sent; this is the one in public use.
    Need::option("version", "V1.0.10"),
    Need::option("url", HOST),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

const HOST: &str = "http://pay.tiantapay.com";
const GATEWAY: &str = "/scanpay.php/Gateway";

/// The wallets that TianTa knows, in the order in which they are tried.
const WALLETS: [&str; 2] = ["ALIPAY", "WECHAT"];

pub(super) fn check(account: &Account) -> Result<(), Failure> {
    let fail = |why: &str| Err(Failure::new(Exit::Config, format!("account `{}`: {why}", account.name)));
    if account.secret("key").is_none_or(|key| key.expose().trim().is_empty()) {
        return fail("`key` is empty");
    }
    if account.option("version").trim().is_empty() {
        return fail("`version` is empty; without it TianTa does not look at the signature");
    }
    address::check_own(account, HOST)
}

/// The name of an order in a question, with its value.
type By<'a> = (&'static str, &'a str);

/// Every way to ask about an order, the likeliest first.
fn ways(inquiry: &Inquiry) -> Vec<(&'static str, By<'_>)> {
    let numbers = [("pay_no", inquiry.order_no.as_str()), ("trade_no", inquiry.trade_no.as_str())];
    let wallets = WALLETS.iter().filter(|wallet| inquiry.wallet.is_empty() || inquiry.wallet == **wallet);
    let wallets: Vec<&'static str> = wallets.copied().collect();
    let known = numbers.into_iter().filter(|(_, number)| !number.is_empty());
    known.flat_map(|by| wallets.iter().map(move |wallet| (*wallet, by)).collect::<Vec<_>>()).collect()
}

pub(super) fn ask(inquiry: &Inquiry, heard: &[Heard], _stamp: &Stamp) -> Option<Ask> {
    if inquiry.kind == EntryKind::Refund && inquiry.refund_no.is_empty() {
        return None;
    }
    if heard.last().is_some_and(|last| !judge::leaves_open(inquiry, last)) {
        return None;
    }
    let (wallet, by) = *ways(inquiry).get(heard.len())?;
    Some(question(inquiry, wallet, by).into())
}

fn question(inquiry: &Inquiry, wallet: &str, by: By<'_>) -> Request {
    let account = &*inquiry.account;
    let mut params = vec![
        by,
        ("type", wallet),
        ("user_token", account.merchant.as_str()),
        ("version", account.option("version").trim()),
    ];
    let action = match inquiry.kind {
        EntryKind::Refund => {
            params.push(("refund_no", &inquiry.refund_no));
            "refund_query"
        }
        EntryKind::Payment | EntryKind::Reversal => "query",
    };
    let key = account.secret("key").map_or("", Secret::expose);
    let sign = tianta(&params, &Secret::new(key.trim()));
    params.push(("sign", &sign));
    let url = address::own(account, HOST).trim_end_matches('/');
    let gateway = if url.ends_with(GATEWAY) { "" } else { GATEWAY };
    let mut request = Request::new("POST", format!("{url}{gateway}/{action}"), account);
    request.headers.push(("content-type", "application/x-www-form-urlencoded; charset=utf-8".into()));
    request.body = form::body(&params).into_bytes();
    request
}
