//! The account's own log of the legacy gateway: pages of XML (`account.page.query`), or one text of 14 columns, inside
//! XML (`export_trade_account_report`) or as a file of its own.
//!
//! Shape: one row for each movement of the balance, with income and outcome unsigned in two columns. Payments are 在线支付
//! rows, refunds 交易退款 rows; a fee is a row of its own (收费) with its payment's trade number and becomes the fee of
//! that payment. All other rows (withdrawals, transfers, top-ups) are counted and summed in a remark: they are no orders.
//! A row of an XML page has its ordinal in the whole file as its line, because a reply is often a single line.
//!
//! Proven: the account (`trans_account`, the echo of the request), the day of every row, no row twice, the pages complete
//! and in order, the stated `count`. Signatures are the room's business: a file that a hand brings has none.
//!
//! Format: `spec/alipay.md` 3.3 and 3.4.

mod book;
mod pages;

use book::{Book, Columns};

use super::markup;
use super::sheet::{Record, Sheet};
use super::table::{Aliases, Titles};
use super::unpack::{Charset, unpack};
use super::{Asked, ReadError, shown};
use crate::domain::{Control, Draft, Statement, Unit};

/// Reads pages, an export or its bare text.
///
/// # Errors
///
/// Another account, day or kind of file; the first row that cannot be understood; pages that lack one; a `count` that
/// the rows are not.
pub fn read(asked: &Asked<'_>, raw: Vec<u8>) -> Result<Statement, ReadError> {
    if is_markup(&raw) {
        let charset = markup::declared(&raw);
        let text = Charset::of(&charset).and_then(|charset| charset.decode(without_mark(&raw)));
        let text = text.ok_or_else(|| {
            ReadError::File(format!("the XML is not the {} that it declares", shown(&charset)))
        })?;
        return match pages::export(&text)? {
            Some(export) => csv(asked, &export.text, export.line, export.count),
            None => pages::read(asked, &text),
        };
    }
    let parts = unpack(raw)?;
    match parts.as_slice() {
        [part] => csv(asked, part.body(), 1, None),
        _ => Err(ReadError::File("an archive of several files, where one ledger is expected".into())),
    }
}

/// Whether bytes are XML; else they are the bare text.
pub fn is_markup(raw: &[u8]) -> bool {
    without_mark(raw).trim_ascii_start().first() == Some(&b'<')
}

fn without_mark(raw: &[u8]) -> &[u8] {
    raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw)
}

/// Whether a text begins with the titles of the 14 columns.
pub fn is_titles(text: &str) -> bool {
    text.trim_start().starts_with(ORDER_NO[0]) && text.contains(INCOME[0]) && text.contains(AT[0])
}

const ORDER_NO: Aliases = &["外部订单号"];
const AT: Aliases = &["时间"];
const ID: Aliases = &["流水号"];
const TRADE_NO: Aliases = &["支付宝交易号"];
const INCOME: Aliases = &["收入"];
const OUTCOME: Aliases = &["支出"];
const SUBJECT: Aliases = &["商品名称"];
const KIND: Aliases = &["类型"];
const KNOWN: &[Aliases] = &[
    ORDER_NO,
    AT,
    ID,
    TRADE_NO,
    INCOME,
    OUTCOME,
    SUBJECT,
    KIND,
    &["账户余额"],
    &["交易对方Email"],
    &["交易对方"],
    &["用户编号"],
    &["交易场所"],
    &["说明"],
];

/// The 14 columns. `line` is the physical line of the text's first one, `count` what the reply states.
fn csv(asked: &Asked<'_>, text: &str, line: u32, count: Option<i64>) -> Result<Statement, ReadError> {
    let mut sheet = Sheet::new(text, 0, line, ',');
    let Some(head) = sheet.advance()? else {
        return Err(ReadError::File("the file has no titles; it is empty or was cut short".into()));
    };
    let titles = head.titles()?;
    let columns = Columns {
        id: titles.need(ID)?,
        order_no: titles.need(ORDER_NO)?,
        trade_no: titles.need(TRADE_NO)?,
        kind: titles.need(KIND)?,
        income: titles.need(INCOME)?,
        outcome: titles.need(OUTCOME)?,
        at: titles.need(AT)?,
        subject: titles.find(SUBJECT)?,
        ..Columns::default()
    };
    let mut book = Book::new(asked, text, columns);
    let (mut rows, mut cells) = (0, None);
    while let Some(record) = sheet.advance()? {
        check_shape(&record, &titles, cells.replace(record.count()))?;
        book.keep(&record)?;
        rows += 1;
    }
    let unknown = titles.unknown(KNOWN);
    if !unknown.is_empty() {
        book.remarks.push(format!("unknown columns, not read: {}", shown(&unknown.join(", "))));
    }
    let stated =
        count.map(|stated| Control { title: "count".into(), unit: Unit::Count, stated, counted: rows });
    finish(asked, book, text, stated)
}

/// Each record ends with a comma, and so do the titles; a file may lack them on either. But then on all records: one with
/// a cell more has a comma in a text, and its amounts stand in other columns.
fn check_shape(record: &Record<'_>, titles: &Titles, before: Option<usize>) -> Result<(), ReadError> {
    let cells = record.count();
    let named = titles.names().filter(|name| !name.is_empty()).count();
    let closed = cells == named + 1 && record.cell(named).is_empty();
    if (cells == named || closed) && before.is_none_or(|before| before == cells) {
        return Ok(());
    }
    let why = if cells > named { "; a text with a comma in it, perhaps" } else { "" };
    Err(ReadError::at(record.number, format!("has {cells} cells, the titles {named}{why}")))
}

fn finish(
    asked: &Asked<'_>,
    book: Book<'_>,
    text: &str,
    count: Option<Control>,
) -> Result<Statement, ReadError> {
    let told = book.finish()?;
    let draft = Draft {
        text: format!("{text}{}", told.rewritten),
        parts: vec![String::new()],
        entries: told.entries,
        controls: count.into_iter().collect(),
        foreign: told.foreign,
        remarks: told.remarks,
    };
    Ok(Statement::new(asked.date, draft)?)
}
