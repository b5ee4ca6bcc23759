//! The WeChat Pay trade bill: both generations, bill types ALL, SUCCESS, REFUND and RECHARGE_REFUND, direct merchant and
//! service provider.
//!
//! Shape: a title line, one line a movement, a summary's title line and its values. Every value begins with a
//! backtick; the separator is a comma and a backtick, so bare commas, quotes and single backticks are content.
//! Amounts are decimal major units, times UTC+8. Columns go by title, never by place.
//!
//! The file's own totals are proven over all its lines, those of other sub-merchants included. A reversal
//! (REVOKED) that does not state its amount keeps it open: only the payment, perhaps of another day, knows it.
//!
//! Format: `spec/wechat.md` 1.5 to 1.10; official page "交易账单" (`format-trade`) of the WeChat Pay merchant manual.

mod columns;
mod repair;
mod row;
mod summary;

use columns::Columns;
use row::Reader;

use super::table::{Cutter, Line, Row, Titles};
use super::unpack::{Encoding, Part, unpack};
use super::{Asked, ReadError, shown};
use crate::domain::{Draft, Statement};

/// Physical lines that one movement may be spread over by line breaks in its texts. A product name has 128
/// letters at most; more breaks than this are a damaged file.
const JOINED_MAX: usize = 32;

/// Reads a whole trade bill as it was downloaded: plain or gzip (also from a zip of one file), UTF-8 with or
/// without byte order mark (GB18030, as some had in 2016, is read with a remark).
///
/// # Errors
///
/// The first line that cannot be understood, with its number and column; lines of another merchant or day; totals
/// that differ from the lines; a file that ends before its totals or goes on behind them.
///
/// Source: WeChat Pay v2 `pay/downloadbill`, v3 `bill/tradebill`.
pub fn read(asked: &Asked<'_>, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let part = super::only_part(unpack(raw)?)?;
    refuse_relatives(&part)?;
    let mut cutter = Cutter::<true>::new(&part.text, part.start);
    let titles = super::title_line(&part, &mut cutter)?;
    let columns = Columns::find(&titles)?;
    let mut reader = Reader::new(asked, &titles, &columns, &part.text);
    let summary_titles = movements(&mut cutter, &mut reader, &part.text)?;
    let summary = summary::read(&mut cutter, &part.text, &summary_titles)?;
    refuse_more(&mut cutter, &part.text)?;
    reader.refuse_only_foreign()?;
    let mut remarks = Vec::new();
    let controls = summary.controls(&reader.sums, reader.digits(), &columns, &mut remarks)?;
    if part.encoding == Encoding::Gb18030 {
        remarks.push("the bill is GB18030 text, not UTF-8".to_owned());
    }
    let unknown = columns.unknown(&titles);
    if !unknown.is_empty() {
        remarks.push(format!("unknown columns, not read: {}", shown(&unknown.join(", "))));
    }
    let (entries, foreign) = reader.finish(&mut remarks)?;
    let draft = Draft { parts: vec![part.name], text: part.text, entries, controls, foreign, remarks };
    Ok(Statement::new(asked.date, draft)?)
}

/// Files that people mistake for a WeChat bill.
fn refuse_relatives(part: &Part) -> Result<(), ReadError> {
    let first = part.first_line();
    if first.starts_with("微信支付账单明细") {
        let found = "this is a personal export (微信支付账单明细), not a merchant's trade bill (交易账单)";
        return Err(ReadError::File(found.to_owned()));
    }
    if first.starts_with("#支付宝") {
        return Err(ReadError::File("this is an Alipay bill, not one of WeChat Pay".to_owned()));
    }
    if first.contains("资金流水单号") {
        return Err(ReadError::File(
            "this is WeChat's fund flow (资金账单), not its trade bill (交易账单)".to_owned(),
        ));
    }
    Ok(())
}

/// Reads the movements up to the summary, whose titles are returned.
fn movements(
    cutter: &mut Cutter<'_, true>,
    reader: &mut Reader<'_>,
    text: &str,
) -> Result<Titles, ReadError> {
    while let Some(line) = cutter.advance()? {
        let body = &text.as_bytes()[line.start..line.end];
        if body.first() == Some(&b'`') {
            movement(cutter, reader, line, text)?;
        } else if summary::begins(text.get(line.start..line.end).unwrap_or("")) {
            return Titles::read(text.get(line.start..line.end).unwrap_or(""), line.number);
        } else if !body.is_empty() || !cutter.rest().trim().is_empty() {
            let found =
                if body.is_empty() { "is empty, but the bill goes on" } else { "begins without a backtick" };
            return Err(ReadError::at(line.number, format!("{found}; it is no movement and no summary")));
        }
    }
    let found = format!("the file ends before its summary (`{}`); it was cut short", summary::FIRST_TITLE);
    Err(ReadError::File(found))
}

/// Reads one movement; nearly always its cells are as many as the titles.
#[inline]
fn movement(
    cutter: &mut Cutter<'_, true>,
    reader: &mut Reader<'_>,
    line: Line,
    text: &str,
) -> Result<(), ReadError> {
    if cutter.cells() == reader.columns.count {
        return reader.keep(&Row::new(text, line, cutter.fences()));
    }
    let line = joined(cutter, reader.columns.count)?;
    let row = Row::new(text, line, cutter.fences());
    if row.count() == reader.columns.count {
        return reader.keep(&row);
    }
    let fences = repair::told_apart(&row, cutter.fences(), reader.columns)?;
    reader.repaired.add(line.number);
    reader.keep(&Row::new(text, line, &fences))
}

/// Joins physical lines while cells are missing: a text cell had a line break in it.
fn joined(cutter: &mut Cutter<'_, true>, columns: usize) -> Result<Line, ReadError> {
    let mut line = cutter.line();
    for _ in 0..JOINED_MAX {
        let rest = cutter.rest();
        let goes_on = !rest.is_empty() && !rest.starts_with('`') && !summary::begins(rest);
        if cutter.cells() >= columns || !goes_on {
            break;
        }
        line = cutter.join()?;
    }
    let cells = cutter.cells();
    if cells < columns {
        let end = if cutter.rest().is_empty() { "; the file ends here: it was cut short" } else { "" };
        let found = format!("has {cells} cells, the titles {columns}{end}");
        return Err(ReadError::at(line.number, found));
    }
    Ok(line)
}

fn refuse_more(cutter: &mut Cutter<'_, true>, text: &str) -> Result<(), ReadError> {
    while let Some(line) = cutter.advance()? {
        let body = text.get(line.start..line.end).unwrap_or("");
        if summary::begins(body) {
            return Err(ReadError::at(line.number, "a second summary; two bills were put together"));
        }
        if !body.is_empty() {
            return Err(ReadError::at(
                line.number,
                format!("the bill goes on behind its summary: {}", shown(body)),
            ));
        }
    }
    Ok(())
}
