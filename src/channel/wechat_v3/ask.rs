//! What to ask WeChat's v3 interfaces: for the address of the bill, if need be for the certificates that verify the
//! answer, and at once for the bill.

use serde::Deserialize;

use crate::channel::wechatpay::{self, Keys};
use crate::channel::{Exhausted, Heard, Need, Request, Step, address, unless_ok, wechat};
use crate::domain::{Account, Bill, Errand, Failure, Stamp};

pub(super) const NEEDS: &[Need] = &[
    Need { required: true, ..wechatpay::SERIAL_NO },
    Need { required: true, ..wechatpay::PRIVATE_KEY },
    wechatpay::PUBLIC_KEY,
    wechatpay::PUBLIC_KEY_ID,
    wechatpay::API_V3_KEY,
    Need::option("sub_merchant", ""),
    Need::option("url", wechat::HOST),
    Need::option("download_hosts", DOWNLOAD_HOSTS),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

/// WeChat's own hosts, as its libraries list them.
const DOWNLOAD_HOSTS: &str =
    "api.mch.weixin.qq.com,api2.mch.weixin.qq.com,api.wechatpay.cn,api2.wechatpay.cn";

pub(super) fn check(account: &Account) -> Result<(), Failure> {
    wechatpay::check(account)?;
    address::check_hosts(account)?;
    address::check_own(account, wechat::HOST)
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    let account = &errand.account;
    let step = match heard {
        [] => match wechat::out_of_window(errand, stamp, wechat::keeps(account)) {
            Some(step) => return step,
            None => wechatpay::get(account, &target(errand), stamp).map(Step::ask),
        },
        [reply] if wechatpay::lacks_certificate(account, reply) => {
            wechatpay::ask_certificates(account, stamp).map(Step::Ask)
        }
        [reply] => answered(errand, reply, None, stamp),
        [reply, second] if wechatpay::lacks_certificate(account, reply) => {
            answered(errand, reply, Some(second), stamp)
        }
        [.., file] => Ok(fetched(file, heard.len() - 1)),
    };
    step.unwrap_or_else(|end| end)
}

/// Path and query; every value is made of characters that need no encoding.
fn target(errand: &Errand) -> String {
    let (path, kind) = match errand.bill {
        Bill::FundFlow => ("/v3/bill/fundflowbill", "account_type=BASIC"),
        Bill::Trade | Bill::SignCustomer => ("/v3/bill/tradebill", "bill_type=ALL"),
    };
    // A fund flow is the account's own; it knows no sub-merchants.
    let sub_merchant = match errand.account.option("sub_merchant").trim() {
        sub if !sub.is_empty() && errand.bill == Bill::Trade => format!("&sub_mchid={sub}"),
        _ => String::new(),
    };
    format!("{path}?bill_date={}&{kind}{sub_merchant}&tar_type=GZIP", errand.date)
}

/// The first answer, once everything is there that verifies it.
fn answered(
    errand: &Errand,
    reply: &Heard,
    certificates: Option<&Heard>,
    stamp: &Stamp,
) -> Result<Step, Step> {
    let account = &errand.account;
    let keys = Keys::with(account, certificates)?;
    if reply.status != 200 {
        let complaint = wechatpay::complaint(reply, &keys).map_err(Step::Rejected)?;
        return Ok(match complaint {
            Some(complaint) => wechatpay::failure(errand, reply, &complaint, stamp),
            None => unless_ok(reply).unwrap_or_else(|| wechat::not_a_bill(reply)),
        });
    }
    let again = |why: &str| Step::again(Exhausted::Rejected, format!("{} answered {why}", reply.source));
    let raw = reply.whole().ok_or_else(|| again("more than a reply can be"))?;
    if reply.len == 0 || reply.looks_like_markup() {
        return Err(again("nothing, or a page (HTML or XML), where JSON is expected"));
    }
    wechatpay::verify(reply, raw, &keys).map_err(Step::Rejected)?;
    let address = Address::read(raw).map_err(Step::Rejected)?;
    download(account, address.download_url.trim(), stamp)
}

/// Where the bill is, and what it is.
#[derive(Deserialize)]
pub(super) struct Address {
    hash_type: String,
    pub(super) hash_value: String,
    download_url: String,
}

impl Address {
    /// # Errors
    ///
    /// It lacks a field, or speaks of a hash that is not known.
    pub(super) fn read(raw: &[u8]) -> Result<Address, String> {
        let address: Address = serde_json::from_slice(raw)
            .map_err(|_| "WeChat's reply does not hold the fields of this interface".to_owned())?;
        let hash = address.hash_value.trim();
        let is_sha1 = address.hash_type.eq_ignore_ascii_case("SHA1")
            && hash.len() == 40
            && hash.bytes().all(|b| b.is_ascii_hexdigit());
        is_sha1.then_some(address).ok_or("WeChat's reply states no SHA-1 of the bill".into())
    }
}

/// The second question; its signature covers path and query as they stood in the reply.
fn download(account: &Account, url: &str, stamp: &Stamp) -> Result<Step, Step> {
    let hosts = match account.option("download_hosts").trim() {
        "" => DOWNLOAD_HOSTS,
        hosts => hosts,
    };
    let given = address::given(url, hosts).map_err(Step::Rejected)?;
    let mut request = Request::bill_at(given, account);
    wechatpay::authorize(&mut request, account, stamp)?;
    Ok(Step::ask(request))
}

/// Whether the file may be one at all; its hash is looked at when it is joined with the reply that states it.
fn fetched(file: &Heard, turn: usize) -> Step {
    match unless_ok(file) {
        None if file.len == 0 || file.looks_like_markup() || file.head.starts_with(b"{") => {
            wechat::not_a_bill(file)
        }
        None => Step::Join(vec![0, turn]),
        // An address that is refused is one that has expired; the next one may be in time.
        Some(Step::Refused(why)) => Step::again(Exhausted::Refused, why),
        Some(step) => step,
    }
}
