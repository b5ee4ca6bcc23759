//! The lists of a day: which page to ask for next, and one file of all pages.
//!
//! Two lists, charges first, then what left the account (`journal`, where the refunds are). The secret travels in the
//! address, so they are asked over https only and no address is ever shown with its query. What one page says of the
//! whole (its count) is carried to the next question in its mark, because of earlier answers only a part is seen.
//!
//! Source: `spec/ttpay.md`, B.3, extended mode.

use serde_json::value::RawValue;

use super::ask::{host, is_extended, secret};
use super::judge::{self, Trouble};
use crate::channel::json::{self, Object, Value};
use crate::channel::sign_cashier::teegon;
use crate::channel::{Exhausted, Heard, Request, Step, form, shown, unless_ok};
use crate::domain::{Errand, Stamp};

/// Rows asked for at once. The service may give fewer; the next question begins behind what came.
const LIMIT: u64 = 100;
/// A page of a hundred rows has some 50 KiB; more than this is no page.
const PAGE_MAX: usize = 1 << 20;
/// The default columns lack the charge's number, the fee and the refunds (B.3).
const COLUMNS: &str =
    "id,order_no,amount,real_amount,paid,time_paid,created,transaction_no,refunded,amount_refunded";

/// It is not known whether the lists go by the time of creation or of payment: a day before and an hour behind are
/// asked for as well, and what is of the day is decided here.
const BEFORE_SECONDS: i64 = 24 * 3600;
const BEHIND_SECONDS: i64 = 25 * 3600;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum List {
    Charges,
    Journal,
}

impl List {
    fn path(self) -> &'static str {
        match self {
            List::Charges => "/v1/charge/list",
            List::Journal => "/v1/account/journal/list",
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            List::Charges => "charges",
            List::Journal => "journal",
        }
    }
}

/// Seconds between which the lists are asked for.
pub(super) fn window(errand: &Errand) -> (i64, i64) {
    let start = errand.date.start().unix();
    (start - BEFORE_SECONDS, start + BEHIND_SECONDS)
}

/// What a question remembers: the list, where in it the page begins, and what its first page said of its length.
struct Mark {
    list: List,
    offset: u64,
    count: Option<u64>,
}

impl Mark {
    fn first(list: List) -> Mark {
        Mark { list, offset: 0, count: None }
    }

    fn write(&self) -> String {
        let count = self.count.map_or("-".into(), |count| count.to_string());
        format!("{} {} {count}", self.list.name(), self.offset)
    }

    fn read(text: &str) -> Option<Mark> {
        let mut words = text.split(' ');
        let list =
            [List::Charges, List::Journal].into_iter().find(|l| Some(l.name()) == words.clone().next())?;
        words.next();
        let offset = words.next()?.parse().ok()?;
        Some(Mark { list, offset, count: words.next()?.parse().ok() })
    }
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    if !is_extended(&errand.account) {
        return Step::OneByOne(String::new());
    }
    let Some(last) = heard.last() else {
        if errand.date >= stamp.now.date() {
            return Step::NotReady(format!("the day {} is not over", errand.date));
        }
        return ask(errand, &Mark::first(List::Charges));
    };
    let Some(mark) = Mark::read(&last.mark) else {
        return Step::Rejected("an answer to a question that was never asked".into());
    };
    match page(last) {
        Ok(page) => turned(errand, heard.len(), &mark, &page),
        // The first page is the probe: whatever is wrong with it, orders can still be asked about one by one.
        Err(trouble) if mark.count.is_none() => Step::OneByOne(unavailable(last, &mark, trouble)),
        Err(trouble) => unless_ok(last).unwrap_or_else(|| {
            Step::again(Exhausted::Rejected, format!("{} answered {}", last.source, words(trouble)))
        }),
    }
}

fn words(trouble: Trouble) -> String {
    match trouble {
        Trouble::NoReply(what) => what.to_owned(),
        Trouble::Error(error) => shown(&error),
    }
}

fn unavailable(last: &Heard, mark: &Mark, trouble: Trouble) -> String {
    let what = if last.status == 200 { words(trouble) } else { format!("status {}", last.status) };
    format!("the list calls are not available: {} answered {what}", mark.list.path())
}

fn ask(errand: &Errand, mark: &Mark) -> Step {
    let account = &*errand.account;
    let (from, to) = window(errand);
    let [from, to, offset, limit] =
        [from.to_string(), to.to_string(), mark.offset.to_string(), LIMIT.to_string()];
    let secret = secret(account);
    let mut params = match mark.list {
        List::Charges => vec![("cols", COLUMNS)],
        List::Journal => vec![("account_id", "main"), ("journal_type", "outcome")],
    };
    params.extend([
        ("client_id", account.merchant.as_str()),
        ("client_secret", secret.expose()),
        ("from_time", from.as_str()),
        ("limit", limit.as_str()),
        ("offset", offset.as_str()),
        ("to_time", to.as_str()),
    ]);
    let sign = teegon(&params, &secret);
    params.push(("sign", &sign));
    let url = format!("{}{}?{}", host(account), mark.list.path(), form::body(&params));
    let mut request = Request::new("GET", url, account);
    request.allow_plain_http = false;
    request.bill = true;
    request.head_max = PAGE_MAX;
    request.mark = mark.write();
    Step::ask(request)
}

/// One page.
struct Page {
    rows: u64,
    count: u64,
}

fn page(heard: &Heard) -> Result<Page, Trouble> {
    if heard.status != 200 {
        return Err(Trouble::NoReply("no page"));
    }
    let result = judge::result(heard)?;
    let rows = items(&result).ok_or(Trouble::NoReply("a result without items"))?.len() as u64;
    let count = result.word("count").parse().map_err(|_| Trouble::NoReply("a result without a count"))?;
    Ok(Page { rows, count })
}

fn items(result: &Object) -> Option<&[Value]> {
    match result.get("items") {
        Some(Value::List(items)) => Some(items),
        // An empty list is written as nothing by some serialisers.
        Some(Value::Nothing) if result.word("count") == "0" => Some(&[]),
        _ => None,
    }
}

fn turned(errand: &Errand, turns: usize, mark: &Mark, page: &Page) -> Step {
    let list = mark.list.name();
    if let Some(count) = mark.count.filter(|count| *count != page.count) {
        let why = format!("Teegon's {list} grew from {count} to {} rows while they were read", page.count);
        return Step::again(Exhausted::Passing, why);
    }
    let offset = mark.offset + page.rows;
    if offset < page.count && page.rows > 0 {
        return ask(errand, &Mark { list: mark.list, offset, count: Some(page.count) });
    }
    if offset != page.count {
        let why = format!("Teegon states {} rows of its {list} and gives {offset}", page.count);
        return Step::again(Exhausted::Rejected, why);
    }
    match mark.list {
        List::Charges => ask(errand, &Mark::first(List::Journal)),
        List::Journal => Step::Join((0..turns).collect()),
    }
}

/// One file of all pages: a line for each list with its length, and a line for each row as it came.
pub(super) fn join(_errand: &Errand, pages: Vec<Vec<u8>>) -> Result<Vec<u8>, String> {
    let mut whole = String::new();
    let mut pages = pages.iter();
    for list in [List::Charges, List::Journal] {
        let mut left: Option<u64> = None;
        while left != Some(0) {
            let page = pages.next().ok_or_else(|| format!("Teegon's {} end too early", list.name()))?;
            let text = std::str::from_utf8(page).map_err(|_| "a page is not UTF-8".to_owned())?;
            let (count, rows) = raw_rows(text).ok_or("a page is not a list")?;
            if left.is_none() {
                whole.push_str(&format!("{{\"list\":\"{}\",\"count\":{count}}}\n", list.name()));
            }
            let before = left.unwrap_or(count);
            let behind = before.checked_sub(rows.len() as u64).filter(|left| *left < before || before == 0);
            left = Some(behind.ok_or_else(|| format!("the pages of Teegon's {} do not fit", list.name()))?);
            for row in rows {
                // Line breaks stand only between the values of a row; inside a text they are escaped.
                whole.extend(row.chars().map(|c| if matches!(c, '\r' | '\n') { ' ' } else { c }));
                whole.push('\n');
            }
        }
    }
    Ok(whole.into_bytes())
}

/// The count that a page states, and its rows as they are written.
fn raw_rows(page: &str) -> Option<(u64, Vec<String>)> {
    type Members<'a> = std::collections::BTreeMap<String, &'a RawValue>;
    let named = |members: &Members<'_>, name: &str| -> Option<String> {
        let (_, raw) = members.iter().find(|(key, _)| json::normalised(key) == name)?;
        Some(raw.get().to_owned())
    };
    let page = page.trim_start_matches('\u{feff}');
    let top: Members<'_> = serde_json::from_str(page).ok()?;
    let result = named(&top, "result")?;
    // Written as a text, it is a JSON text once more.
    let result = if result.starts_with('"') { serde_json::from_str::<String>(&result).ok()? } else { result };
    let result: Members<'_> = serde_json::from_str(&result).ok()?;
    let count = named(&result, "count")?.trim_matches('"').parse().ok()?;
    let items = named(&result, "items")?;
    let rows: Option<Vec<&RawValue>> = serde_json::from_str(&items).ok()?;
    Some((count, rows.unwrap_or_default().iter().map(|row| row.get().to_owned()).collect()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::channel::Ask;
    use crate::domain::{Account, Bill, BillDate, Moment, PayType, Secret};

    fn errand() -> Errand {
        let mut account = Account {
            pay_type: Some(PayType::Teegon),
            merchant: "x6k7oaqey98uddkl4r4233aq".into(),
            ..Account::default()
        };
        account.options.insert("extended".into(), "true".into());
        // Even where plain http is allowed, these questions are not asked over it.
        account.options.insert("allow_plain_http".into(), "true".into());
        account.secrets.insert("client_secret".into(), Secret::new("CANARY"));
        let date = BillDate::parse("2016-11-08").unwrap();
        Errand { account: Arc::new(account), date, bill: Bill::Trade }
    }

    fn question(heard: &[Heard]) -> Box<Request> {
        let stamp = Stamp { now: Moment::parse("2016-11-10 03:00:00").unwrap(), nonce: "0".repeat(32) };
        match next(&errand(), heard, &stamp) {
            Step::Ask(Ask::Http(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    fn page_of(rows: usize, count: u64, mark: &str) -> Heard {
        let items = vec!["{}"; rows].join(",");
        let head = format!("{{\"result\":{{\"Items\":[{items}],\"Count\":{count}}}}}").into_bytes();
        Heard { status: 200, len: head.len() as u64, head, mark: mark.into(), ..Heard::default() }
    }

    /// From a day before the bill date to an hour behind it (B.3), in seconds since 1970.
    #[test]
    fn the_secret_is_in_the_address_and_never_shown() {
        let request = question(&[]);
        assert!(!request.allow_plain_http && request.url.starts_with("https://"));
        let signed = "&client_id=x6k7oaqey98uddkl4r4233aq&client_secret=CANARY&from_time=1478448000&limit=100\
                      &offset=0&to_time=1478624400&sign=";
        assert!(request.url.contains(signed), "{}", request.url);
        assert!(!format!("{request:?} {}", request.mark).contains("CANARY"));
        assert_eq!(format!("{request:?}"), "GET https://api.teegon.com/v1/charge/list");
    }

    #[test]
    fn each_page_begins_behind_the_last_and_the_journal_follows() {
        let second = question(&[page_of(3, 5, "charges 0 -")]);
        assert!(second.url.contains("&offset=3&"), "{}", second.url);
        assert_eq!(second.mark, "charges 3 5");
        let journal = question(&[page_of(2, 5, "charges 3 5")]);
        assert!(journal.url.contains("/v1/account/journal/list?account_id=main&journal_type=outcome"));
        assert_eq!(journal.mark, "journal 0 -");
    }
}
