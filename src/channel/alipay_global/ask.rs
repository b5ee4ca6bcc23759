//! Which file to ask for, or which question to put; and what the answer is.

use crate::channel::mapi_reply::{self, Trouble};
use crate::channel::{Exhausted, Heard, Need, Step, local_file, mapi, shown, unless_ok};
use crate::domain::{Account, Errand, Exit, Failure, Stamp};
use crate::format::unpack;

pub(super) const NEEDS: &[Need] = &[
    Need::secret("key", false),
    Need::one_of("service", TRANSACTIONS, &[TRANSACTIONS, SETTLEMENTS, INBOX]),
    Need::option("path", ""),
    Need::option("url", mapi::GATEWAY),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

const TRANSACTIONS: &str = "forex_compare_file";
const SETTLEMENTS: &str = "forex_liquidation_file";
/// The files of an inbox folder, named by `path`.
const INBOX: &str = "path";

fn from_inbox(account: &Account) -> bool {
    account.option("service") == INBOX || !account.option("path").trim().is_empty()
}

pub(super) fn check(account: &Account) -> Result<(), Failure> {
    if from_inbox(account) {
        mapi::check_partner(account)?;
        return local_file::check_path(account);
    }
    if account.secret("key").is_none() {
        return Err(Failure::new(
            Exit::Config,
            format!(
                "account `{}`: it needs `key` to ask Alipay, or `path` for an inbox folder",
                account.name
            ),
        ));
    }
    mapi::check(account)
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    if from_inbox(&errand.account) {
        return match local_file::next(errand, heard, stamp) {
            Step::Statement => heard.last().map_or(Step::Statement, |file| of_partner(errand, file)),
            step => step,
        };
    }
    match heard {
        [] if errand.date >= stamp.now.date() => {
            Step::NotReady(format!("the file of {} is made on the next day", errand.date))
        }
        [] => question(errand),
        [.., last] => unless_ok(last).unwrap_or_else(|| answer(errand, last)),
    }
}

/// Most of these files say nowhere whose they are but in their name.
fn of_partner(errand: &Errand, file: &Heard) -> Step {
    let name = file.source.rsplit(['/', '\\']).next().unwrap_or("");
    let other = name.split(|c: char| !c.is_ascii_digit()).find(|digits| {
        digits.len() == 16 && digits.starts_with("2088") && *digits != errand.account.merchant
    });
    match other {
        Some(other) => Step::Rejected(format!("{name} is a file of partner {other}, not of this account")),
        None => Step::Statement,
    }
}

fn question(errand: &Errand) -> Step {
    let account = &errand.account;
    let date = errand.date.compact();
    let params = [
        ("service", account.option("service")),
        ("partner", account.merchant.as_str()),
        ("start_date", &date),
        ("end_date", &date),
    ];
    match mapi::get(account, &params) {
        Ok(mut request) => {
            request.bill = true;
            Step::ask(request)
        }
        Err(why) => Step::Refused(why),
    }
}

/// XML is an error, a line with bars the file, and any other text a sentence.
fn answer(errand: &Errand, heard: &Heard) -> Step {
    if heard.len == 0 {
        return Step::again(Exhausted::Rejected, format!("{} answered nothing", heard.source));
    }
    if heard.looks_like_markup() {
        return match mapi_reply::open(&errand.account, heard) {
            Err(trouble @ (Trouble::Error(_) | Trouble::Broken(_))) => trouble.into(),
            Ok(_) | Err(Trouble::Unbelievable(_)) => {
                Step::again(Exhausted::Rejected, format!("{} answered XML that is no error", heard.source))
            }
        };
    }
    let text = unpack::reply_text(&heard.head);
    let first = text.trim_start().lines().next().unwrap_or("");
    if first.contains('|') { Step::Statement } else { sentence(errand, heard, first) }
}

/// The sentences of `spec/alipay.md` 4.1, wherever in the text they stand.
fn sentence(errand: &Errand, heard: &Heard, text: &str) -> Step {
    let lower = text.to_ascii_lowercase();
    let says = |words: &str| lower.contains(&words.to_ascii_lowercase());
    let said = format!("Alipay says {}", shown(text));
    if says("No balance account data in the period") {
        return Step::NoMovements;
    }
    if says("Finish date not ahead of today") {
        return Step::NotReady(format!("{said}: the file of {} is not there yet", errand.date));
    }
    let ours = ["Over 10 days to Date period", "Finish date ahead of begin date", "Illegal Date period"];
    if ours.iter().any(|words| says(words)) || says("Date format incorrect") {
        return Step::Refused(format!("{said}: it does not take this date"));
    }
    if says("Over limit balance amount record") {
        return Step::Refused(format!(
            "{said}: the day has more lines than it gives out; take its files by SFTP and set `path`"
        ));
    }
    let passing = ["System exception", "Internet connected exception", "File download failed"];
    if passing.iter().any(|words| says(words)) {
        return Step::again(Exhausted::Passing, said);
    }
    Step::again(
        Exhausted::Rejected,
        format!("{} answered something else than a file: {}", heard.source, shown(text)),
    )
}
