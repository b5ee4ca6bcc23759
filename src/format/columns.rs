//! Any table of movements, read by a map of its titles that the account's configuration gives.
//!
//! For what no document describes, such as the orders that a shop exports (Taobao). The map is one line of text:
//!
//! ```text
//! order_no=订单号; trade_no=支付宝交易号; amount=金额; time=付款时间; kind=类型; payment=支付|收款; refund=退款; fee=手续费
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `order_no`, `trade_no` | at least one of them |
//! | `amount`, `time` | always needed |
//! | `kind` | the column that tells payments from refunds; without it the sign of the amount does |
//! | `payment`, `refund`, `reversal`, `other` | its values, parted by a bar; `other` is counted and not compared |
//! | `refund_no`, `fee`, `currency`, `subject`, `store`, `till`, `merchant` | further columns; `fee=-…` if negative is charged |
//! | `unit` | `yuan` (the default) or `fen` |
//!
//! Such a file states no totals: what it is proven by is its day, its merchant (where it has that column) and that each
//! line is understood. It is UTF-8 or GB18030, its cells stand between commas, TABs, semicolons or bars, and lines
//! before the titles are passed over with a remark.

mod map;
mod row;

pub use map::Map;

use super::sheet::Sheet;
use super::table::{Titles, normalised};
use super::unpack::unpack;
use super::{Asked, ReadError, shown};
use crate::domain::{Draft, Statement};

/// Lines before the titles.
const PREAMBLE_MAX: usize = 32;

/// Reads a table by its map.
///
/// # Errors
///
/// No line with all the titles; another day or merchant; the first line that cannot be understood.
pub fn read(asked: &Asked<'_>, map: &Map, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let parts = unpack(raw)?;
    let [part] = parts.as_slice() else {
        return Err(ReadError::File("an archive of several files, where one table is expected".into()));
    };
    let delimiter = delimiter(part.body(), map);
    let mut sheet = Sheet::new(&part.text, part.start, 1, delimiter);
    let (titles, passed) = titles(&mut sheet, map)?;
    let mut reader = row::Reader::new(asked, map, &titles, &part.text)?;
    if passed > 0 {
        reader.remarks.push(format!("{passed} lines before the titles, not read"));
    }
    while let Some(mut record) = sheet.advance()? {
        record.without_formulas();
        reader.keep(&record)?;
    }
    let told = reader.finish()?;
    let draft = Draft {
        text: format!("{}{}", part.text, told.rewritten),
        parts: vec![part.name.clone()],
        entries: told.entries,
        controls: Vec::new(),
        foreign: told.foreign,
        remarks: told.remarks,
    };
    Ok(Statement::new(asked.date, draft)?)
}

/// The sign between the cells: the one that is most frequent in the line of the titles.
fn delimiter(text: &str, map: &Map) -> char {
    let has_amount = |line: &&str| normalised(line).contains(&normalised(&map.amount));
    let line = text.lines().take(PREAMBLE_MAX).find(has_amount).unwrap_or("");
    // The comma comes last, so that it wins where nothing is frequent.
    ['|', ';', '\t', ','].into_iter().max_by_key(|sign| line.matches(*sign).count()).unwrap_or(',')
}

/// The first line that has all the titles, and how many stood before it.
fn titles(sheet: &mut Sheet<'_>, map: &Map) -> Result<(Titles, usize), ReadError> {
    let mut lacking = String::new();
    for passed in 0..PREAMBLE_MAX {
        let Some(record) = sheet.advance()? else { break };
        let cells: Vec<String> = (0..record.count()).map(|column| normalised(record.cell(column))).collect();
        let missing: Vec<&str> =
            map.titles().filter(|title| !cells.contains(&normalised(title))).map(String::as_str).collect();
        if missing.is_empty() {
            return Ok((record.titles()?, passed));
        }
        // What the likeliest line lacks is what a person must hear.
        if lacking.is_empty() || missing.len() < map.titles().count() {
            lacking = missing.join(", ");
        }
    }
    Err(ReadError::File(format!("no line has all the titles of `columns`; missing: {}", shown(&lacking))))
}
