//! The XML around the rows: pages one behind the other, or one export (`spec/alipay.md` 3.2 to 3.4).

use super::Columns;
use super::book::Book;
use crate::domain::{BillDate, Statement};
use crate::format::markup::{self, Mark};
use crate::format::sheet::Record;
use crate::format::{Asked, ReadError, shown};

/// The fields of a row that are shown, in this order.
const FIELDS: [&str; 16] = [
    "iw_account_log_id",
    "merchant_out_order_no",
    "trade_no",
    "trans_code_msg",
    "income",
    "outcome",
    "trans_date",
    "goods_title",
    "sub_trans_code_msg",
    "trans_out_order_no",
    "total_fee",
    "currency",
    "trans_account",
    "balance",
    "memo",
    "other_account_email",
];
const COLUMNS: Columns = Columns {
    id: 0,
    order_no: 1,
    trade_no: 2,
    kind: 3,
    income: 4,
    outcome: 5,
    at: 6,
    subject: Some(7),
    sub_kind: Some(8),
    refund_no: Some(9),
    total: Some(10),
    currency: Some(11),
    owner: Some(12),
};

const RESULT: [&str; 3] = ["alipay", "response", "account_page_query_result"];
const ROW: [&str; 5] =
    ["alipay", "response", "account_page_query_result", "account_log_list", "AccountQueryAccountLogVO"];

/// `csv_result`: the text, where it begins, and how many rows the reply states.
pub(super) struct Export {
    pub(super) text: String,
    /// Physical line of its first line.
    pub(super) line: u32,
    pub(super) count: Option<i64>,
}

/// The export in a reply, if it is one.
///
/// # Errors
///
/// No XML, an error of the gateway, a count that is no number.
pub(super) fn export(text: &str) -> Result<Option<Export>, ReadError> {
    let mut found: Option<(String, u32)> = None;
    let mut count = String::new();
    let mut line = 1;
    let walked = markup::walk(text, |path, mark| {
        let [root, response, result, leaf] = path else { return Ok(()) };
        if [root, response, result] != ["alipay", "response", "csv_result"] {
            return Ok(());
        }
        match (leaf.as_str(), mark) {
            ("csv_data", Mark::Open { tag, at }) => {
                let before = text.get(..at + tag.len()).unwrap_or("").matches('\n').count();
                line = u32::try_from(before + 1).unwrap_or(u32::MAX);
            }
            ("csv_data", Mark::Close { value, .. }) => found = Some((value.to_owned(), line)),
            ("count", Mark::Close { value, .. }) => value.trim().clone_into(&mut count),
            _ => {}
        }
        Ok(())
    });
    walked.map_err(|why| ReadError::File(format!("no reply of Alipay's gateway: {why}")))?;
    let Some((csv, line)) = found else { return Ok(None) };
    let count = match count.as_str() {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|_| ReadError::File(format!("`count` is `{}`, which is no number", shown(text))))?,
        ),
    };
    // A blank line before the titles, as CDATA is often written, is a line of the file all the same.
    Ok(Some(Export { text: csv, line, count }))
}

/// What one page says of itself.
#[derive(Default)]
struct Page {
    number: String,
    has_next: String,
    /// It had the element that holds the rows, or its result at all.
    result: bool,
}

/// The pages, in their order.
struct Pages<'a> {
    asked: &'a Asked<'a>,
    book: Book<'a>,
    row: Vec<String>,
    rows: u32,
    page: Page,
    pages: u32,
    complete: bool,
    /// The name of the `<param>` that is open.
    param: String,
    error: Option<ReadError>,
}

/// Reads all pages of a day.
///
/// # Errors
///
/// No pages; a page that is missing, twice or out of its order; another account or day; a row that cannot be understood.
pub(super) fn read(asked: &Asked<'_>, text: &str) -> Result<Statement, ReadError> {
    let mut pages = Pages {
        asked,
        book: Book::new(asked, "", COLUMNS),
        row: Vec::new(),
        rows: 0,
        page: Page::default(),
        pages: 0,
        complete: false,
        param: String::new(),
        error: None,
    };
    let walked = markup::walk(text, |path, mark| pages.take(path, &mark));
    if let Some(error) = pages.error {
        return Err(error);
    }
    walked.map_err(|why| ReadError::File(format!("no reply of Alipay's gateway: {why}")))?;
    if !pages.complete {
        let why = if pages.pages == 0 { "it has no page" } else { "its last page says that another follows" };
        return Err(ReadError::File(format!("the ledger is not complete: {why}")));
    }
    super::finish(asked, pages.book, "", None)
}

impl Pages<'_> {
    fn take(&mut self, path: &[String], mark: &Mark<'_>) -> Result<(), String> {
        let taken = match mark {
            Mark::Open { tag, .. } => {
                self.open(path, tag);
                Ok(())
            }
            Mark::Close { value, .. } => self.close(path, value),
        };
        // The walk ends here; the error keeps its place.
        taken.map_err(|error| {
            let told = error.to_string();
            self.error = Some(error);
            told
        })
    }

    fn open(&mut self, path: &[String], tag: &str) {
        if path.len() == 1 {
            self.page = Page::default();
        } else if path == ROW {
            self.row = vec![String::new(); FIELDS.len()];
        } else if path == RESULT {
            self.page.result = true;
        } else if path.len() == 3 && path[1] == "request" {
            markup::attribute(tag, "name").clone_into(&mut self.param);
        }
    }

    fn close(&mut self, path: &[String], value: &str) -> Result<(), ReadError> {
        if path == ROW {
            return self.end_row();
        }
        if path.len() == ROW.len() + 1 && path.starts_with(&ROW.map(str::to_owned)) {
            if let Some(place) = FIELDS.iter().position(|field| path.last().is_some_and(|p| p == field)) {
                value.clone_into(&mut self.row[place]);
            }
            return Ok(());
        }
        match path {
            [_] => self.end_page(),
            [_, request, param] if request == "request" && param == "param" => self.echo(value.trim()),
            [_, error] if error == "error" => {
                Err(ReadError::File(format!("the gateway answered {}, no ledger", shown(value))))
            }
            [a, b, c, leaf] if [a, b, c] == RESULT => {
                match leaf.as_str() {
                    "page_no" => value.trim().clone_into(&mut self.page.number),
                    "has_next_page" => value.trim().clone_into(&mut self.page.has_next),
                    _ => {}
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn end_row(&mut self) -> Result<(), ReadError> {
        self.rows = self.rows.saturating_add(1);
        let row = std::mem::take(&mut self.row);
        let cells: Vec<(&str, String)> = FIELDS.into_iter().zip(row).collect();
        self.book.keep(&Record::named(self.rows, &cells)?)
    }

    /// The reply repeats the request; what it repeats wrongly was not asked by us.
    fn echo(&self, value: &str) -> Result<(), ReadError> {
        let asked = self.asked;
        match self.param.as_str() {
            "partner" if value != asked.merchant => {
                Err(ReadError::OtherMerchant { asked: asked.merchant.to_owned(), found: shown(value) })
            }
            "gmt_start_time" if BillDate::parse(value.get(..10).unwrap_or("")) != Some(asked.date) => {
                Err(ReadError::OtherDay { asked: asked.date, found: shown(value) })
            }
            _ => Ok(()),
        }
    }

    fn end_page(&mut self) -> Result<(), ReadError> {
        let page = std::mem::take(&mut self.page);
        self.pages += 1;
        let wrong = |why: String| Err(ReadError::File(format!("the ledger is not complete: {why}")));
        if !page.result {
            return wrong(format!("document {} is no page of it", self.pages));
        }
        if self.complete {
            return wrong("a page follows its last one".into());
        }
        if page.number != self.pages.to_string() {
            return wrong(format!(
                "page {} stands where page {} is expected",
                shown(&page.number),
                self.pages
            ));
        }
        match page.has_next.as_str() {
            "T" => Ok(()),
            "F" => {
                self.complete = true;
                Ok(())
            }
            other => wrong(format!("`has_next_page` of page {} is `{}`", self.pages, shown(other))),
        }
    }
}
