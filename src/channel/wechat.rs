//! What all rooms of WeChat Pay have in common: when a bill can be had, what its states mean, how a conversation's end is
//! told.
//!
//! Never asks anything itself. Source: `spec/wechat.md` 1.4, 3.5, 4 and 5.

use super::{Exhausted, Heard, Step, shown, xml};
use crate::domain::{Account, EntryKind, Errand, Exit, Failure, Stamp, State};

/// WeChat keeps a bill for three months; the longest three months are 92 days. What is older by this count is surely
/// gone, and a date at the edge is asked for.
const THREE_MONTHS_DAYS: i64 = 92;

/// How many days WeChat keeps a trade bill.
pub(super) fn keeps(_: &Account) -> Option<i64> {
    Some(THREE_MONTHS_DAYS)
}

/// Bills of a day can be fetched from 10:00 of the next; before that "no bill" proves nothing.
const READY_SECONDS: i64 = 10 * 3600;

/// The mainland's address.
pub(super) const HOST: &str = "https://api.mch.weixin.qq.com";
/// The address for merchants overseas.
pub(super) const HOST_OVERSEAS: &str = "https://apihk.mch.weixin.qq.com";

/// The provider's own address for an account.
pub(super) fn host(account: &Account) -> &'static str {
    if account.channel == "wechat_global" { HOST_OVERSEAS } else { HOST }
}

/// What can be known of a date without asking. `keeps_days`: for how long the bill is kept; `None` where nobody says.
pub(super) fn out_of_window(errand: &Errand, stamp: &Stamp, keeps_days: Option<i64>) -> Option<Step> {
    let age = stamp.now.date().days_since(errand.date);
    if age < 1 {
        let why = format!("the bill of {} is made on the next day, from 09:00", errand.date);
        return Some(Step::NotReady(why));
    }
    let days = keeps_days.filter(|days| age > *days)?;
    let kept = match days {
        THREE_MONTHS_DAYS => "three months".to_owned(),
        days => format!("{days} days"),
    };
    Some({
        Step::Refused(format!(
            "WeChat keeps bills for {kept}, and {} is {age} days ago; download it from the merchant \
             platform if it still shows it, then `nightjob import FILE --account {} --date {}`",
            errand.date, errand.account.name, errand.date
        ))
    })
}

/// "No bill" also comes before the bill is made; only from 10:00 of the next day it proves an empty day.
pub(super) fn no_bill(errand: &Errand, stamp: &Stamp) -> Step {
    if stamp.now >= errand.date.after().start().plus_seconds(READY_SECONDS) {
        Step::NoMovements
    } else {
        Step::NotReady(format!(
            "WeChat has no bill of {} yet; before 10:00 of the next day that does not mean an empty day",
            errand.date
        ))
    }
}

pub(super) fn creating(errand: &Errand) -> Step {
    Step::NotReady(format!("WeChat is still making the bill of {}", errand.date))
}

/// Whether a body begins as a bill does: gzip, or one of these first titles.
pub(super) fn begins_like_a_bill(heard: &Heard, titles: &[&str]) -> bool {
    let text = xml::start(&heard.head);
    let begins =
        |title: &&str| text.get(..title.len()).is_some_and(|t| t.eq_ignore_ascii_case(title.as_bytes()));
    heard.head.starts_with(&[0x1f, 0x8b]) || titles.iter().any(begins)
}

/// The first titles of a trade bill.
pub(super) const TRADE_TITLES: &[&str] = &["交易时间", "Transaction time"];
/// The first title of a fund flow.
pub(super) const FLOW_TITLES: &[&str] = &["记账时间"];

pub(super) fn not_a_bill(heard: &Heard) -> Step {
    let what = if heard.len == 0 {
        "nothing"
    } else if heard.looks_like_markup() {
        "a page (HTML or XML)"
    } else {
        "something that does not begin like a bill"
    };
    let why = format!("{} answered {what} where a bill or its error is expected", heard.source);
    Step::again(Exhausted::Rejected, why)
}

/// A sentence about what WeChat said.
pub(super) fn said(code: &str, message: &str) -> String {
    format!("WeChat says {} {}", if code.is_empty() { "FAIL" } else { code }, shown(message))
}

/// What a `trade_state` says of the movement that was asked about. `REFUND` is a payment that was made, and refunded at
/// least in part: the refunds are movements of their own.
pub(super) fn trade_state(word: &str) -> State {
    match word {
        "SUCCESS" | "REFUND" => State::Paid,
        "CLOSED" => State::Closed,
        "REVOKED" => State::Reversed,
        "NOTPAY" | "USERPAYING" | "ACCEPT" => State::Pending,
        "PAYERROR" => State::Failed,
        _ => State::Unknown,
    }
}

/// What a refund's state says; the words of v2 and of v3.
pub(super) fn refund_state(word: &str) -> State {
    match word {
        "SUCCESS" => State::Refunded,
        "PROCESSING" => State::Pending,
        "REFUNDCLOSE" | "CLOSED" => State::Closed,
        // The money came back to the merchant and a person must send it in another way.
        "CHANGE" | "ABNORMAL" => State::Failed,
        _ => State::Unknown,
    }
}

/// An amount as the API writes it (minor units, never negative) with the sign of what was asked about.
pub(super) fn signed(kind: EntryKind, minor: i64) -> Option<i64> {
    (minor >= 0).then(|| kind.sign() * minor)
}

/// A complaint about an account's key.
pub(super) fn wrong_key(account: &Account, key: &str, why: &str) -> Failure {
    Failure::new(Exit::Config, format!("account `{}`: `{key}`: {why}", account.name))
}
