//! What to ask the gateway: the statement from its beginning, then from where the last chunk ended; and, where the
//! gateway gives an address of the provider, that.

use super::content::{self, Chunk, Content, Sniffed};
use super::read;
use super::reply::{self, Closed, REPLY_MAX};
use super::request::Question;
use crate::channel::{Exhausted, Heard, Need, Request, Step, address, unless_ok, wechat};
use crate::domain::{Account, Errand, Exit, Failure, PayType, Stamp};

pub(super) const NEEDS: &[Need] = &[
    Need::one_of("layout", "auto", read::NAMES),
    Need::option("sub_merchant", ""),
    Need::option("download_hosts", DOWNLOAD_HOST),
    Need::shared("paylog.amount_unit"),
    Need::shared("gateway.url"),
    Need::shared("gateway.transport"),
    Need::shared("gateway.isbase64"),
    Need::shared("gateway.allow_plain_http"),
    Need::shared("gateway.path"),
    Need::shared("gateway.action_download"),
    Need::shared("gateway.action_query"),
    Need::shared("gateway.sweep"),
    Need::shared("gateway.param"),
    Need::shared("gateway.soap_namespace"),
    Need::shared("gateway.soap_contract"),
    Need::shared("gateway.terminal_type"),
    Need::shared("gateway.mall_id"),
    Need::shared("gateway.till_id"),
    Need::shared("gateway.bill_date_key"),
    Need::shared("gateway.bill_date_format"),
    Need::shared("gateway.bill_type_key"),
    Need::shared("gateway.bill_type"),
    Need::shared("gateway.ok_codes"),
    Need::shared("gateway.reply_error_code"),
    Need::shared("gateway.reply_error_message"),
    Need::shared("gateway.reply_result"),
    Need::shared("gateway.reply_crc"),
    Need::shared("gateway.reply_alert"),
    Need::shared("gateway.reply_content"),
];

/// Where Alipay's bills are, for a gateway that passes on the address.
const DOWNLOAD_HOST: &str = "dwbillcenter.alipay.com";

/// Bytes of the statement in one answer. Larger ones would only make the memory of an old gateway larger.
const CHUNK_BYTES: &str = "4194304";

/// The gateway has no longer memory than the provider that it asks.
pub(super) fn keeps(account: &Account) -> Option<i64> {
    if account.pay_type() == PayType::Wx { wechat::keeps(account) } else { None }
}

/// Whether `gateway.url` may be plain http is checked with the configuration, once for all accounts.
pub(super) fn check(account: &Account) -> Result<(), Failure> {
    let fail = |key: &str, why: &str| {
        Err(Failure::new(Exit::Config, format!("account `{}`: `{key}`: {why}", account.name)))
    };
    if let Err(why) = address::parse(account.option("gateway.url").trim()) {
        return fail("gateway.url", &format!("it cannot be used: {why}"));
    }
    address::check_hosts(account)
}

/// https, or a gateway on this machine.
pub(super) fn is_guarded(account: &Account) -> bool {
    address::parse(account.option("gateway.url").trim()).is_ok_and(|url| url.https || url.is_loopback())
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    let Some(last) = heard.last() else {
        if errand.date >= stamp.now.date() {
            return Step::NotReady(format!("the bill of {} is made on the next day", errand.date));
        }
        return download(errand, stamp, 0, 0);
    };
    if last.mark.is_empty() {
        return fetched(last);
    }
    let account = &*errand.account;
    let answer = match reply::open(account, last) {
        Ok(answer) => answer,
        Err(Closed::Step(step)) => return step,
        Err(Closed::Unsupported(why)) => return unsupported(account, &why),
    };
    if !answer.is_ok(account) {
        // A provider's word may be passed on beside an error of the gateway.
        let word = content::provider_word(errand, stamp, &answer);
        return word.unwrap_or_else(|| answer.complaint());
    }
    if answer.is_empty() {
        let why = "the gateway says success and gives nothing; that does not prove an empty day";
        return Step::again(Exhausted::Rejected, why);
    }
    match content::read(account, &answer.result) {
        Err(why) => Step::Rejected(format!("the gateway's answer cannot be read: {why}")),
        Ok(Content::Whole(bytes)) if heard.len() == 1 => sniffed(errand, stamp, &bytes, vec![0]),
        Ok(Content::Whole(_)) => {
            Step::Rejected("the gateway gave a chunk, and then bytes without a place".into())
        }
        Ok(Content::Chunk(chunk)) => chunked(errand, heard, stamp, &chunk),
    }
}

fn download(errand: &Errand, stamp: &Stamp, turn: usize, offset: u64) -> Step {
    let account = &*errand.account;
    let date = match account.option("gateway.bill_date_format") {
        "yyyy-MM-dd" => errand.date.to_string(),
        _ => errand.date.compact(),
    };
    let offset = offset.to_string();
    let params = [
        (account.option("gateway.bill_date_key"), date.as_str()),
        (account.option("gateway.bill_type_key"), account.option("gateway.bill_type")),
        ("Format", "RAW"),
        ("Offset", &offset),
        ("MaxBytes", CHUNK_BYTES),
        ("ExtParam", "{}"),
    ];
    let question = Question { account, stamp, turn, action: "gateway.action_download", params: &params };
    let mut request = question.request(&offset);
    request.bill = true;
    request.head_max = REPLY_MAX;
    Step::ask(request)
}

/// The gateway is older than the download, or calls it by another name.
fn unsupported(account: &Account, why: &str) -> Step {
    match account.option("gateway.sweep") {
        "true" => Step::OneByOne(format!("the gateway has no statement download ({why})")),
        _ => Step::Refused(format!(
            "the gateway does not know `{}` ({why}): correct `gateway.path` and `gateway.action_download`, or set \
             `gateway.sweep = true` to ask it about each logged order instead (one call an order), or import \
             statements that were downloaded by hand",
            account.option("gateway.action_download")
        )),
    }
}

fn chunked(errand: &Errand, heard: &[Heard], stamp: &Stamp, chunk: &Chunk) -> Step {
    if let Err(why) = chunk.check_echo(errand) {
        return Step::Rejected(why);
    }
    let mark = heard.last().map_or("", |last| last.mark.as_str());
    let asked: u64 = mark.split(' ').nth(1).and_then(|offset| offset.parse().ok()).unwrap_or(0);
    if chunk.offset != asked {
        let why = format!("the gateway gives the statement from byte {}, asked was {asked}", chunk.offset);
        return Step::again(Exhausted::Rejected, why);
    }
    let end = chunk.offset.saturating_add(chunk.length);
    match () {
        () if chunk.end && heard.len() == 1 => sniffed(errand, stamp, &chunk.bytes, vec![0]),
        () if chunk.end => Step::Join((0..heard.len()).collect()),
        () if chunk.length == 0 || end >= chunk.total => Step::Rejected(format!(
            "the gateway says that the statement goes on behind byte {end}, and that it has {} bytes",
            chunk.total
        )),
        () => download(errand, stamp, heard.len(), end),
    }
}

fn sniffed(errand: &Errand, stamp: &Stamp, bytes: &[u8], turns: Vec<usize>) -> Step {
    match content::sniff(errand, stamp, bytes) {
        Sniffed::Bill => Step::Join(turns),
        Sniffed::End(step) => step,
        Sniffed::At(url) => fetch(&errand.account, &url),
    }
}

/// The address lives for 30 seconds, so it is fetched at once; it is held to the same list as in the direct room.
fn fetch(account: &Account, url: &str) -> Step {
    match address::given(url, account.option("download_hosts")) {
        Err(why) => Step::Rejected(why),
        Ok(given) => {
            let allow_plain_http = account.option("gateway.allow_plain_http") == "true";
            Step::ask(Request { allow_plain_http, ..Request::bill_at(given, account) })
        }
    }
}

fn fetched(file: &Heard) -> Step {
    match unless_ok(file) {
        None if file.head.starts_with(b"PK\x03\x04") => Step::Statement,
        None => Step::again(
            Exhausted::Rejected,
            format!("{} answered something else where a zip is expected", file.source),
        ),
        // An address that is refused is one that has expired; the next one may be in time.
        Some(Step::Refused(why)) => Step::again(Exhausted::Refused, why),
        Some(step) => step,
    }
}
