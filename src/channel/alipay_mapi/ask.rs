//! What to ask the legacy gateway: page after page of the account's log, its export, or one trade.

use crate::channel::mapi_reply::{self, Reply};
use crate::channel::{ASKS_MAX, Ask, Heard, Inquiry, Need, Request, Step, mapi, shown, unless_ok};
use crate::domain::{Account, Errand, Stamp};
use crate::format::unpack::Charset;

pub(super) const NEEDS: &[Need] = &[
    Need::secret("key", true),
    Need::one_of("service", PAGES, &[PAGES, EXPORT]),
    Need::one_of("input_charset", "utf-8", &["utf-8", "gbk"]),
    Need::option("url", mapi::GATEWAY),
    Need::one_of("allow_plain_http", "false", &["false", "true"]),
];

const PAGES: &str = "account.page.query";
const EXPORT: &str = "export_trade_account_report";

/// Rows of a page; the most that the gateway gives.
const PAGE_ROWS: &str = "5000";

/// What a page may have: 5,000 rows of some 2 KB each, and room for longer texts.
const PAGE_BYTES_MAX: usize = 64 << 20;
/// What an export may have: a day in one text.
const EXPORT_BYTES_MAX: usize = 256 << 20;

fn charset(account: &Account) -> Charset {
    Charset::of(account.option("input_charset")).unwrap_or(Charset::Utf8)
}

fn charset_name(account: &Account) -> &'static str {
    if charset(account) == Charset::Gbk { "gbk" } else { "utf-8" }
}

pub(super) fn next(errand: &Errand, heard: &[Heard], stamp: &Stamp) -> Step {
    let export = errand.account.option("service") == EXPORT;
    match heard {
        [] if errand.date >= stamp.now.date() => {
            Step::NotReady(format!("the account's log of {} goes on until midnight", errand.date))
        }
        [] => ask_statement(errand, if export { None } else { Some(1) }),
        [.., last] => {
            let page = if export { None } else { Some(heard.len()) };
            unless_ok(last).unwrap_or_else(|| answered(errand, page, last))
        }
    }
}

fn answered(errand: &Errand, page: Option<usize>, last: &Heard) -> Step {
    let reply = match mapi_reply::open(&errand.account, last) {
        Ok(reply) => reply,
        Err(trouble) => return trouble.into(),
    };
    if let Err(why) = reply.answers(&borrowed(&params(errand, page))) {
        return Step::Rejected(why);
    }
    match page {
        Some(page) => turned(errand, page, &reply),
        None => exported(&reply),
    }
}

fn statement(request: Result<Request, String>, head_max: usize) -> Step {
    match request {
        Ok(mut request) => {
            request.bill = true;
            request.head_max = head_max;
            Step::ask(request)
        }
        Err(why) => Step::Refused(why),
    }
}

/// What a statement is asked by: a page's number, or none for the export. All kinds of rows are asked for, because fees
/// and refunds have their own.
fn params(errand: &Errand, page: Option<usize>) -> Vec<(&'static str, String)> {
    let account = &errand.account;
    let (start, end) = (errand.date.start().to_string(), errand.date.end().to_string());
    let mut params =
        vec![("partner", account.merchant.clone()), ("_input_charset", charset_name(account).to_owned())];
    match page {
        Some(page) => params.extend([
            ("service", PAGES.to_owned()),
            ("page_no", page.to_string()),
            ("page_size", PAGE_ROWS.to_owned()),
            ("gmt_start_time", start),
            ("gmt_end_time", end),
        ]),
        None => params.extend([
            ("service", EXPORT.to_owned()),
            ("gmt_create_start", start),
            ("gmt_create_end", end),
            ("no_coupon", "Y".to_owned()),
        ]),
    }
    params
}

fn borrowed<'p>(params: &'p [(&'static str, String)]) -> Vec<(&'p str, &'p str)> {
    params.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn ask_statement(errand: &Errand, page: Option<usize>) -> Step {
    let account = &errand.account;
    let head_max = if page.is_some() { PAGE_BYTES_MAX } else { EXPORT_BYTES_MAX };
    statement(mapi::post(account, &borrowed(&params(errand, page)), charset(account)), head_max)
}

/// What a believed page means; `page` is its number, as it was asked for.
fn turned(errand: &Errand, page: usize, reply: &Reply) -> Step {
    if reply.payload != "account_page_query_result" {
        return Step::Rejected(format!("Alipay answered with `{}`, not with a page", shown(&reply.payload)));
    }
    let number = reply.field("page_no");
    if number != page.to_string() {
        return Step::Rejected(format!(
            "page {page} was asked for, and page {} came; an earlier reply was repeated",
            shown(number)
        ));
    }
    let rows = reply.field("account_log_list").matches("<AccountQueryAccountLogVO>").count();
    match reply.field("has_next_page") {
        "F" if rows == 0 && page == 1 => Step::NoMovements,
        "F" => Step::Join((0..page).collect()),
        "T" if rows == 0 => {
            Step::Rejected(format!("page {page} has no rows and says that another page follows"))
        }
        "T" if page == ASKS_MAX => {
            Step::Rejected(format!("the day has more than {ASKS_MAX} pages; ask Alipay for its file"))
        }
        "T" => ask_statement(errand, Some(page + 1)),
        other => Step::Rejected(format!("page {page} says `{}` of the page after it", shown(other))),
    }
}

fn exported(reply: &Reply) -> Step {
    match (reply.payload.as_str(), reply.field("count")) {
        ("csv_result", "0") => Step::NoMovements,
        ("csv_result", _) if reply.field("csv_data").is_empty() => {
            Step::Rejected("Alipay's export states rows and has no text".into())
        }
        ("csv_result", _) => Step::Statement,
        (other, _) => Step::Rejected(format!("Alipay answered with `{}`, not with its export", shown(other))),
    }
}

/// One question about an order, by our number where there is one.
pub(super) fn about(inquiry: &Inquiry, heard: &[Heard], _: &Stamp) -> Option<Ask> {
    let account = &inquiry.account;
    if !heard.is_empty() || (inquiry.order_no.is_empty() && inquiry.trade_no.is_empty()) {
        return None;
    }
    let trade_no = if inquiry.order_no.is_empty() { inquiry.trade_no.as_str() } else { "" };
    let params = [
        ("service", "single_trade_query"),
        ("partner", account.merchant.as_str()),
        ("_input_charset", charset_name(account)),
        ("out_trade_no", inquiry.order_no.as_str()),
        ("trade_no", trade_no),
    ];
    mapi::post(account, &params, charset(account)).ok().map(Ask::from)
}
