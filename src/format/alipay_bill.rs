//! The Alipay trade bill (业务明细): the zip as downloaded, or its detail file alone; the 22, 25, 27 and 29 column
//! layouts.
//!
//! Shape: a frame of lines that begin with `#` (account, period, list marks, totals) around a table of cells
//! between commas, GBK, with a TAB behind ids. Entries of the zip are told apart by their first line, never by name.
//! Columns go by title. Amounts are signed in the file: refunds negative, fees negative where they are charged.
//!
//! Proven: the account, the period, counts and sums of payments and refunds in both wordings of the totals, and
//! the summary file's 合计 row where there is one. A file that a spreadsheet saved again is read while it is
//! unambiguous, with a remark.
//!
//! Format: `spec/alipay.md` 2.

mod columns;
mod files;
pub(super) mod frame;
mod quotes;
mod row;
mod stores;
mod totals;

use columns::Columns;
use files::Files;
use row::Reader;

use super::table::{Cutter, Line, Row, Titles};
use super::unpack::{Part, unpack};
use super::{Asked, ReadError, shown};
use crate::domain::{Draft, Statement};

/// Reads a whole trade bill as it was downloaded.
///
/// # Errors
///
/// No trade detail or several; another account or period; the first line that cannot be understood, with its
/// number and column; totals that differ from the lines; a file that ends before its totals; a personal export.
///
/// Source: `alipay.data.dataservice.bill.downloadurl.query`, bill type `trade`.
pub fn read(asked: &Asked<'_>, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let mut parts = unpack(raw)?;
    let files = Files::among(&parts)?;
    let detail = &parts[files.detail];
    let mut draft = detail_draft(asked, detail, &files).map_err(|e| e.in_part(&detail.name))?;
    if let Some(summary) = files.summary.map(|index| &parts[index]) {
        let own = &mut draft.controls;
        stores::check(asked, summary, &draft.sums, own).map_err(|e| e.in_part(&summary.name))?;
    }
    draft.remarks.extend(files.remarks);
    let mut text = std::mem::take(&mut parts[files.detail].text);
    text.push_str(&draft.rewritten);
    let parts = parts.into_iter().map(|part| part.name).collect();
    let Gathered { entries, controls, foreign, remarks, .. } = draft;
    Ok(Statement::new(asked.date, Draft { text, parts, entries, controls, foreign, remarks })?)
}

/// What the detail file gave.
struct Gathered {
    entries: Vec<crate::domain::Entry>,
    controls: Vec<crate::domain::Control>,
    foreign: crate::domain::statement::Foreign,
    remarks: Vec<String>,
    sums: row::Sums,
    /// Lines whose values differ from their bytes (quotes), to be put behind the text.
    rewritten: String,
}

fn detail_draft(asked: &Asked<'_>, part: &Part, files: &Files) -> Result<Gathered, ReadError> {
    let mut remarks = Vec::new();
    let mut cutter = Cutter::<false>::new(&part.text, part.start);
    let head = frame::Head::read(&mut cutter, part)?;
    head.check(asked)?;
    let titles = title_line(&mut cutter, part)?;
    let columns = Columns::find(&titles)?;
    let mut reader = Reader::new(asked, &titles, &columns, part, files.detail)?;
    movements(&mut cutter, &mut reader, part)?;
    let foot = frame::Foot::read(&mut cutter, part)?;
    reader.refuse_only_foreign()?;
    let controls = totals::controls(&foot, &reader.sums, &columns)?;
    let unknown = columns.unknown(&titles);
    if !unknown.is_empty() {
        remarks.push(format!("unknown columns, not read: {}", shown(&unknown.join(", "))));
    }
    head.traces.remark(&mut remarks);
    foot.remark(&mut remarks);
    let sums = reader.sums;
    let (entries, foreign, rewritten) = reader.finish(&mut remarks)?;
    Ok(Gathered { entries, controls, foreign, remarks, sums, rewritten })
}

fn title_line(cutter: &mut Cutter<'_, false>, part: &Part) -> Result<Titles, ReadError> {
    match cutter.advance()? {
        Some(line) => Titles::read(part.text.get(line.start..line.end).unwrap_or(""), line.number),
        None => Err(frame::cut_short("its titles")),
    }
}

/// Reads the movements up to the mark of the list's end.
fn movements(cutter: &mut Cutter<'_, false>, reader: &mut Reader<'_>, part: &Part) -> Result<(), ReadError> {
    while let Some(line) = cutter.advance()? {
        let body = part.text.get(line.start..line.end).unwrap_or("");
        if body.starts_with('#') {
            if frame::is_list_end(body) {
                return Ok(());
            }
            return Err(ReadError::at(line.number, format!("`{}` inside the list", shown(body))));
        }
        movement(cutter, reader, line, part)?;
    }
    Err(frame::cut_short("the mark of its list's end (`列表结束`)"))
}

#[inline]
fn movement(
    cutter: &mut Cutter<'_, false>,
    reader: &mut Reader<'_>,
    line: Line,
    part: &Part,
) -> Result<(), ReadError> {
    if cutter.rest().is_empty() {
        // Every whole file has its totals behind the list.
        return Err(ReadError::at(line.number, "the file ends inside its list; it was cut short"));
    }
    if cutter.quoted() {
        let plain = quotes::plain_line(cutter, &part.text)?;
        return reader.keep_rewritten(line, plain);
    }
    reader.keep(&Row::new(&part.text, line, cutter.fences()), 0)
}
