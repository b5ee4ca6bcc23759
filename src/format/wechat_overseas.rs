//! The overseas statements of WeChat Pay: v2 (English or Chinese titles, 24 columns and more) and v3 (38 columns).
//!
//! Shape: as the trade bill at home (a title line, values behind backticks), but each line has its own currency, with
//! or without minor units, and a summary is not described: where there is one whose titles are known, it is proven,
//! else a remark says that the file states no totals. Amounts are in major units of the priced currency. What is settled
//! in another currency is not converted: the line then counts as settled in full, and a remark says so.
//!
//! Columns go by title. Of v3's English titles only some are known; they are taken by their documented place if the file
//! has exactly the documented columns and every title that is known stands where it should.
//!
//! Format: `spec/wechat.md` 4; official pages `QuickPay/chapter8_6` and `api_external/apis/chapter3_3_6`.

mod columns;
mod repair;
mod row;
mod totals;

use columns::Columns;
use row::Reader;

use super::table::{Cutter, Line, Row, Titles};
use super::unpack::{Encoding, Part, unpack};
use super::{Asked, ReadError, shown};
use crate::domain::{Draft, Statement};

/// Which of the two layouts is expected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Generation {
    /// `pay/downloadbill` at the overseas host.
    V2,
    /// `v3/global/statements`.
    V3,
}

/// Reads a whole overseas statement as it was downloaded, plain or gzip.
///
/// # Errors
///
/// The first line that cannot be understood, with its number and column; a file of the other layout; lines of another
/// merchant or day; known totals that differ from the lines.
///
/// Source: WeChat Pay overseas, v2 `pay/downloadbill` and v3 `global/statements`.
pub fn read(asked: &Asked<'_>, raw: Vec<u8>, generation: Generation) -> Result<Statement, ReadError> {
    let part = super::only_part(unpack(raw)?)?;
    let mut cutter = Cutter::<true>::new(&part.text, part.start);
    let titles = super::title_line(&part, &mut cutter)?;
    let mut remarks = Vec::new();
    let columns = Columns::find(&titles, generation, &mut remarks)?;
    let mut reader = Reader::new(asked, &titles, &columns, &part.text);
    let controls = match movements(&mut cutter, &mut reader, &part)? {
        Some(summary) => {
            let controls = totals::read(&mut cutter, &part.text, &summary, (&reader, &mut remarks))?;
            super::refuse_more(&mut cutter, &part.text)?;
            controls
        }
        None => Vec::new(),
    };
    if controls.is_empty() {
        remarks.push("the file states no totals of its own that could be proven".to_owned());
    }
    if part.encoding == Encoding::Gb18030 {
        remarks.push("the bill is GB18030 text, not UTF-8".to_owned());
    }
    reader.refuse_only_foreign()?;
    let (entries, foreign) = reader.finish(&mut remarks)?;
    let draft = Draft { parts: vec![part.name], text: part.text, entries, controls, foreign, remarks };
    Ok(Statement::new(asked.date, draft)?)
}

/// Reads the movements up to a summary, if there is one; a later line without a backtick begins it.
fn movements(
    cutter: &mut Cutter<'_, true>,
    reader: &mut Reader<'_>,
    part: &Part,
) -> Result<Option<Titles>, ReadError> {
    let text = &part.text;
    while let Some(line) = cutter.advance()? {
        let body = text.get(line.start..line.end).unwrap_or("");
        if body.starts_with('`') {
            movement(cutter, reader, text)?;
        } else if !body.is_empty() {
            return Titles::read(body, line.number).map(Some);
        } else if !cutter.rest().trim().is_empty() {
            return Err(ReadError::at(line.number, "is empty, but the bill goes on"));
        }
    }
    Ok(None)
}

/// Reads one movement; nearly always its cells are as many as the titles.
fn movement(cutter: &mut Cutter<'_, true>, reader: &mut Reader<'_>, text: &str) -> Result<(), ReadError> {
    let columns = reader.columns;
    let line = whole(cutter, columns.count, text)?;
    let row = Row::new(text, line, cutter.fences());
    if row.count() == columns.count {
        return reader.keep(&row);
    }
    let fences = repair::told_apart(&row, cutter.fences(), columns)?;
    reader.repaired.add(line.number);
    reader.keep(&Row::new(text, line, &fences))
}

/// The current line with at least as many cells as there are titles; the next lines are taken in while cells are
/// missing, because a line break stood in a text.
fn whole(cutter: &mut Cutter<'_, true>, columns: usize, text: &str) -> Result<Line, ReadError> {
    // As many as at home: a product name has 128 letters at most.
    const JOINED_MAX: usize = 32;
    let mut line = cutter.line();
    for _ in 0..JOINED_MAX {
        if cutter.cells() >= columns || cutter.rest().is_empty() || cutter.rest().starts_with('`') {
            break;
        }
        line = cutter.join()?;
    }
    if cutter.cells() >= columns {
        return Ok(line);
    }
    let end = if cutter.rest().is_empty() { "; if the file ends here, it was cut short" } else { "" };
    let begin: String = shown(text.get(line.start..line.end).unwrap_or("")).chars().take(24).collect();
    let found = format!("has {} cells, the titles {columns}{end}: {begin}", cutter.cells());
    Err(ReadError::at(line.number, found))
}
