//! The ledger of the old interface: `account.page.query`, page by page, and `export_trade_account_report`, all at once
//! (`spec/alipay.md` 3.3, 3.4).
//!
//! However large a page somebody asks for, this desk gives at most a quarter of the day on one, so that there are
//! several at any size; the reply says which size it was.

use super::alipay_mapi::{Asked, Response, scripted, send};
use crate::domain::Moment;
use crate::sandbox::mishap::{Desk, Mishap};
use crate::sandbox::paper::alipay_account_log::{csv, push_vo};
use crate::sandbox::paper::movements::{self, Movement};
use crate::sandbox::reply::xml::{filled, text};
use crate::sandbox::server::Answer;
use crate::sandbox::town::{OTHER_ALIPAY_MERCHANT, SimAccount};

/// What Alipay gives at most (`spec/alipay.md` 3.3), and the least that this desk does.
const PAGE_ROWS_MAX: usize = 5_000;
const PAGE_ROWS_MIN: usize = 20;
const DAY_SECONDS: i64 = 86_400;

/// From and to, the end not in it.
struct Span {
    from: Moment,
    to: Moment,
}

impl Span {
    /// At most one day.
    fn read(asked: &Asked<'_>, names: [&str; 2]) -> Result<Span, &'static str> {
        let [from, to] = names.map(|name| {
            let value = asked.form.text(name);
            Moment::parse(&value).filter(|_| value.len() == 19).ok_or("ILLEGAL_ARGUMENT")
        });
        let span = Span { from: from?, to: to? };
        let seconds = span.to.since(span.from);
        if (1..=DAY_SECONDS).contains(&seconds) { Ok(span) } else { Err("ILLEGAL_ARGUMENT") }
    }
}

/// The movements of a span, limited to some kinds; those of the day before if a script wants another day.
fn movements(asked: &Asked<'_>, span: &Span, mishap: Option<Mishap>) -> Vec<Movement> {
    if matches!(mishap, Some(Mishap::NoBill | Mishap::EmptyFile)) {
        return Vec::new();
    }
    let day = asked.house.day();
    let back = if mishap == Some(Mishap::OtherDay) { DAY_SECONDS } else { 0 };
    let start = day.date().start();
    let seconds = |moment: Moment| i32::try_from(moment.since(start) - back).unwrap_or(i32::MAX);
    let (from, to) = (seconds(span.from), seconds(span.to));
    let wanted = asked.form.text("trans_code");
    let is_wanted = |movement: &Movement| {
        (from..to).contains(&movement.at)
            && (wanted.is_empty() || wanted.split(',').any(|code| code == movement.kind.trans_code()))
    };
    (-1..=1).flat_map(|number| movements::of(day, asked.account, number)).filter(is_wanted).collect()
}

/// One page of the ledger.
pub(super) fn page(asked: &Asked<'_>) -> Result<Answer, &'static str> {
    let span = Span::read(asked, ["gmt_start_time", "gmt_end_time"])?;
    let number: usize = asked.form.text("page_no").parse().map_err(|_| "ILLEGAL_ARGUMENT")?;
    let size = asked.form.text("page_size");
    let size = if size.is_empty() { PAGE_ROWS_MAX } else { size.parse().map_err(|_| "ILLEGAL_ARGUMENT")? };
    if number == 0 || !(1..=PAGE_ROWS_MAX).contains(&size) {
        return Err("ILLEGAL_ARGUMENT");
    }
    let mishap = asked.house.mishap(Desk::AlipayMapi, asked.account, span.from.date());
    scripted(mishap)?;
    let all = movements(asked, &span, mishap);
    let size = size.min((all.len() / 4).clamp(PAGE_ROWS_MIN, PAGE_ROWS_MAX));
    let shown = if mishap == Some(Mishap::PageRepeated) { number.saturating_sub(1).max(1) } else { number };
    let mut pages = all.chunks(size);
    let rows = pages.nth(shown - 1).unwrap_or(&[]);
    let more = all.len() > number * size || mishap == Some(Mishap::EndlessPages);
    Ok(send(asked, &page_of(asked, rows, (number, size, more), mishap), mishap))
}

fn page_of(
    asked: &Asked<'_>,
    rows: &[Movement],
    (number, size, more): (usize, usize, bool),
    mishap: Option<Mishap>,
) -> Response {
    let known = asked.known();
    let other = SimAccount { merchant: OTHER_ALIPAY_MERCHANT, ..*known };
    let account = if mishap == Some(Mishap::OtherMerchant) { &other } else { known };
    let mut list = String::new();
    filled(&mut list, "account_log_list", |out| {
        rows.iter().for_each(|movement| push_vo(out, asked.house.day(), account, movement));
    });
    let signed = vec![
        ("account_log_list", list.clone()),
        ("has_next_page", if more { "T" } else { "F" }.to_owned()),
        ("page_no", number.to_string()),
        ("page_size", size.to_string()),
    ];
    let mut xml = String::new();
    filled(&mut xml, "account_page_query_result", |out| {
        out.push_str(&list);
        signed.iter().skip(1).for_each(|(name, value)| text(out, name, value));
    });
    Response { xml, signed }
}

/// The whole ledger as CSV within the XML.
pub(super) fn export(asked: &Asked<'_>) -> Result<Answer, &'static str> {
    let span = Span::read(asked, ["gmt_create_start", "gmt_create_end"])?;
    let mishap = asked.house.mishap(Desk::AlipayMapi, asked.account, span.from.date());
    scripted(mishap)?;
    let all = movements(asked, &span, mishap);
    let count = all.len() + usize::from(mishap == Some(Mishap::TotalsOff));
    let signed = vec![("count", count.to_string()), ("csv_data", csv(asked.house.day(), &all))];
    let mut xml = String::new();
    filled(&mut xml, "csv_result", |out| {
        text(out, "count", &signed[0].1);
        out.push_str("<csv_data><![CDATA[");
        out.push_str(&signed[1].1);
        out.push_str("]]></csv_data>");
    });
    Ok(send(asked, &Response { xml, signed }, mishap))
}
