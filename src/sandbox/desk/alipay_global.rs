//! `forex_compare_file` and `forex_liquidation_file`: the files of a merchant abroad as plain text, with their three
//! ways of failing: XML, `File download failed`, and a list of sentences (`spec/alipay.md` 4.1).
//!
//! Neither the text nor its failures are signed.

use axum::body::Bytes;

use super::alipay_mapi::{Asked, refused, scripted};
use crate::domain::BillDate;
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::paper::Paper;
use crate::sandbox::server::{Answer, Content, Want};

const DAYS_MAX: i64 = 10;
const NOTHING: &str = "No balance account data in the period";

pub(super) fn file(asked: &Asked<'_>) -> Answer {
    let [from, to] = ["start_date", "end_date"].map(|name| {
        let value = asked.form.text(name);
        BillDate::parse(&value).filter(|_| value.len() == 8)
    });
    let (Some(from), Some(to)) = (from, to) else { return words("Date format incorrect YYYYMMDD") };
    let days = to.days_since(from);
    if days < 0 {
        return words("Finish date ahead of begin date");
    }
    if days >= DAYS_MAX {
        return words("Over 10 days to Date period");
    }
    let mishap = asked.house.mishap(Desk::AlipayForex, asked.account, from);
    match mishap {
        Some(Mishap::Busy) => return words("System exception"),
        Some(Mishap::NotReady) => return words("Finish date not ahead of today"),
        Some(Mishap::NoBill | Mishap::EmptyFile) => return words(NOTHING),
        Some(Mishap::DownloadFailed) => return words("File download failed, please try again"),
        Some(Mishap::WrongSignature) => return refused("ILLEGAL_SIGN"),
        _ => {}
    }
    if let Err(code) = scripted(mishap) {
        return refused(code);
    }
    let body = text(asked, (from, days), Content::after(mishap));
    if body.is_empty() { words(NOTHING) } else { plain(body).after(mishap) }
}

fn text(asked: &Asked<'_>, (from, days): (BillDate, i64), content: Content) -> Vec<u8> {
    let settled = asked.form.text("service") == "forex_liquidation_file";
    let paper = if settled { Paper::AlipayForexSettled } else { Paper::AlipayForex };
    let mut body = Vec::new();
    for day in 0..=days.unsigned_abs() {
        let date = from.plus_days(day);
        let want = Want { account: asked.account, date, paper, whole: false, content, gzip: false };
        body.extend(asked.house.statement(want).unwrap_or_default());
    }
    body
}

fn words(words: &'static str) -> Answer {
    plain(words.as_bytes().to_vec())
}

fn plain(body: Vec<u8>) -> Answer {
    Answer::ok("text/plain;charset=GBK", Bytes::from(body))
}
