//! Alipay's overseas files: transactions and settlements in several currencies, pulled, online and in-store.
//!
//! | layout | shape |
//! |---|---|
//! | pulled (`forex_compare_file`, `forex_liquidation_file`) | bars, no titles, 8 or 9 cells |
//! | online (`_fptrade_`, `_settle_`, a zip with `_settlebatch_`) | commas, titles in any order |
//! | in-store (`_transaction_`) | bars, `Partner:…|Payment_time: …|Total_count:…`, titles |
//! | in-store (`_settlement_`) | bars, titles |
//!
//! Amounts are in major units of each line's currency and unsigned, or signed as some regions write them: the type decides
//! the sign. Where a price was labelled in one currency and is settled in another, the labelled price is the amount.
//! A file is of the day its payments were made on (transactions), or else of the day they were settled on.
//!
//! Proven: `Total_count`, partner and day where the file states them, the batch totals of the zip. Nothing else in these
//! files is a total. Format: `spec/alipay.md` 4.1 to 4.3.

mod batch;
mod columns;
mod row;

use columns::{Columns, PULLED};
use row::Reader;

use super::sheet::{Record, Sheet};
use super::table::{Titles, normalised};
use super::unpack::{Part, unpack};
use super::{Asked, ReadError, shown};
use crate::domain::{BillDate, Control, Draft, Statement, Unit};

/// Reads one such file, or the zip of a settlement.
///
/// # Errors
///
/// Another partner or day; a line that cannot be understood, with its number and column; totals that differ.
pub fn read(asked: &Asked<'_>, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let parts = unpack(raw)?;
    let text: String = parts.iter().map(|part| part.text.as_str()).collect();
    let mut reader = Reader::new(asked, &text);
    let mut batches = batch::Batches::default();
    let mut base = 0;
    for (place, part) in parts.iter().enumerate() {
        reader.turn_to(place, base);
        read_part(asked, part, &mut reader, &mut batches).map_err(|error| error.in_part(&part.name))?;
        base += part.text.len();
    }
    let mut controls = reader.controls();
    controls.extend(batches.controls(&reader.sums)?);
    let told = reader.finish()?;
    let parts = parts.into_iter().map(|part| part.name).collect();
    let text = format!("{text}{}", told.rewritten);
    let foreign = crate::domain::statement::Foreign::default();
    Ok(Statement::new(
        asked.date,
        Draft { text, parts, entries: told.entries, controls, foreign, remarks: told.remarks },
    )?)
}

/// Whether a text begins as one of these files does.
pub fn is_forex(text: &str) -> bool {
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or("");
    let titled = normalised(first).starts_with("partner_transaction_id");
    let headed = first.starts_with("Partner:") && first.contains('|');
    titled || headed || batch::is_titles(first) || is_pulled(first)
}

/// `A1|32.20|EUR|20160301093359|…`: a currency and a time in their places.
fn is_pulled(line: &str) -> bool {
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let digits = |text: &str| text.len() == 14 && text.bytes().all(|b| b.is_ascii_digit());
    cells.len() >= 8 && cells[2].len() == 3 && digits(cells[3])
}

fn read_part(
    asked: &Asked<'_>,
    part: &Part,
    reader: &mut Reader<'_>,
    batches: &mut batch::Batches,
) -> Result<(), ReadError> {
    let first = part.first_line();
    if batch::is_titles(first) {
        return batches.read(part);
    }
    let bars = first.contains('|');
    let mut sheet = Sheet::new(&part.text, part.start, 1, if bars { '|' } else { ',' });
    let mut count = None;
    let Some(mut head) = sheet.advance()? else {
        return Err(ReadError::File("the file is empty".into()));
    };
    if head.cell(0).starts_with("Partner:") {
        count = Some(stated(asked, &head)?);
        head = sheet.advance()?.ok_or_else(|| ReadError::File("the file ends before its titles".into()))?;
    }
    let rows = if is_pulled(head.as_ref()) {
        let columns = Columns::find(&Titles::read(PULLED, head.number)?)?;
        reader.layout(Columns { bars, pulled: true, ..columns }, "");
        reader.keep(&head)?;
        1 + all(&mut sheet, reader)?
    } else {
        let titles = head.titles()?;
        let columns = Columns::find(&titles)?;
        let unknown = columns::unknown(&titles);
        reader.layout(Columns { bars, ..columns }, &shown(&unknown.join(", ")));
        all(&mut sheet, reader)?
    };
    if let Some(stated) = count {
        reader.add_count(Control { title: "Total_count".into(), unit: Unit::Count, stated, counted: rows });
    }
    Ok(())
}

fn all(sheet: &mut Sheet<'_>, reader: &mut Reader<'_>) -> Result<i64, ReadError> {
    let mut rows = 0;
    while let Some(record) = sheet.advance()? {
        // Newer files of this family close with a mark of their end.
        if record.as_ref().trim() == "<END>" {
            continue;
        }
        reader.keep(&record)?;
        rows += 1;
    }
    Ok(rows)
}

/// `Partner:2088…|Payment_time: 2016-03-01|Total_count:3`: the file's own word about itself.
fn stated(asked: &Asked<'_>, head: &Record<'_>) -> Result<i64, ReadError> {
    let value = |name: &str| {
        (0..head.count()).find_map(|column| head.cell(column).strip_prefix(name)).map_or("", str::trim)
    };
    let partner = value("Partner:");
    if partner != asked.merchant {
        return Err(ReadError::OtherMerchant { asked: asked.merchant.to_owned(), found: shown(partner) });
    }
    let day = value("Payment_time:");
    if BillDate::parse(day.get(..10).unwrap_or(day)) != Some(asked.date) {
        return Err(ReadError::OtherDay { asked: asked.date, found: shown(day) });
    }
    let count = value("Total_count:");
    count.parse().map_err(|_| head.error("Total_count", format!("`{}` is no number", shown(count))))
}
