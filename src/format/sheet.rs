//! Small tables whose cells stand between any one character, with or without quotes, and the movements read from them.
//!
//! For the layouts of some thousand rows (ledgers, forex files, whatever a shop exports); the bills of millions go
//! through [`Cutter`](super::table::Cutter). A line without quotes stays where it is in the text; one whose values
//! differ from its bytes is written anew, behind the text.

use std::borrow::Cow;

use super::table::Titles;
use super::{LINE_MAX, ROWS_MAX, ReadError};
use crate::domain::entry::CellSpan;
use crate::domain::{Cell, Currency, Entry, EntryKind, Moment, State};

/// Physical lines that one quoted cell may be spread over; more is a quote that was never closed.
const JOINED_MAX: usize = 32;

/// Walks a text record by record; empty lines are passed over.
pub struct Sheet<'t> {
    text: &'t str,
    at: usize,
    /// Physical line of the next record.
    number: u32,
    delimiter: char,
}

/// One record: its text, and where its cells lie in it, without blanks and TABs around.
#[derive(Clone, Debug)]
pub struct Record<'t> {
    /// Physical line, from 1.
    pub number: u32,
    /// Where it begins in the text, if it stands there as it is.
    start: Option<usize>,
    text: Cow<'t, str>,
    spans: Vec<CellSpan>,
}

impl AsRef<str> for Record<'_> {
    /// The whole line.
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl<'t> Sheet<'t> {
    /// Begins at byte `at` of the text, which is physical line `number`.
    pub fn new(text: &'t str, at: usize, number: u32, delimiter: char) -> Sheet<'t> {
        Sheet { text, at, number, delimiter }
    }

    /// The next record that is not empty.
    ///
    /// # Errors
    ///
    /// A NUL byte, a line of 64 KiB or more, a quote that is not closed or has text behind it.
    pub fn advance(&mut self) -> Result<Option<Record<'t>>, ReadError> {
        loop {
            let (start, number) = (self.at, self.number);
            let Some(line) = self.line()? else { return Ok(None) };
            if line.trim_matches([' ', '\t', self.delimiter]).is_empty() {
                continue;
            }
            // A quote is a letter where cells stand between bars.
            if line.contains('"') && self.delimiter != '|' {
                return self.quoted(start, number).map(Some);
            }
            let mut spans = Vec::new();
            let mut from = 0;
            for cell in line.split(self.delimiter) {
                spans.push(span(line, from, from + cell.len()));
                from += cell.len() + self.delimiter.len_utf8();
            }
            return Ok(Some(Record { number, start: Some(start), text: line.into(), spans }));
        }
    }

    /// The next physical line without its line end.
    fn line(&mut self) -> Result<Option<&'t str>, ReadError> {
        let rest = self.text.get(self.at..).unwrap_or("");
        if rest.is_empty() {
            return Ok(None);
        }
        let end = rest.find('\n').unwrap_or(rest.len());
        if end >= LINE_MAX {
            let found = format!("longer than {} KiB; that is no line of a bill", LINE_MAX / 1024);
            return Err(ReadError::at(self.number, found));
        }
        let line = rest[..end].trim_end_matches(['\r', ' ']);
        if line.contains('\0') {
            return Err(ReadError::at(self.number, "holds a NUL byte; the file is damaged"));
        }
        self.at += (end + 1).min(rest.len());
        self.number = self.number.saturating_add(1);
        Ok(Some(line))
    }

    /// A record with quotes, over as many lines as they span.
    fn quoted(&mut self, start: usize, number: u32) -> Result<Record<'t>, ReadError> {
        let open = || ReadError::at(number, "a cell's quote is never closed");
        for _ in 0..JOINED_MAX {
            let text = self.text.get(start..self.at).unwrap_or("").trim_end_matches(['\r', '\n', ' ']);
            match cells(text, number, self.delimiter)? {
                Some(cells) => return Record::plain(number, &cells),
                None => drop(self.line()?.ok_or_else(open)?),
            }
        }
        Err(open())
    }
}

/// The values of a record with quotes (RFC 4180); `None` while a quote is open.
fn cells(text: &str, number: u32, delimiter: char) -> Result<Option<Vec<String>>, ReadError> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, more) = match rest.trim_start_matches(' ').strip_prefix('"') {
            None => {
                rest.split_once(delimiter).map_or((rest.to_owned(), None), |(c, m)| (c.to_owned(), Some(m)))
            }
            Some(quoted) => {
                let Some((cell, behind)) = unquoted(quoted) else { return Ok(None) };
                match behind.trim_start_matches(' ') {
                    "" => (cell, None),
                    more => match more.strip_prefix(delimiter) {
                        Some(more) => (cell, Some(more)),
                        None => {
                            let found = "text stands behind the closing quote of a cell";
                            return Err(ReadError::at(number, found));
                        }
                    },
                }
            }
        };
        cells.push(cell);
        match more {
            Some(more) => rest = more,
            None => return Ok(Some(cells)),
        }
    }
}

/// A cell up to its closing quote, and what follows; a doubled quote is one.
fn unquoted(mut rest: &str) -> Option<(String, &str)> {
    let mut cell = String::new();
    loop {
        let (inner, behind) = rest.split_once('"')?;
        cell.push_str(inner);
        match behind.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => return Some((cell, behind)),
        }
    }
}

/// A place without the blanks and TABs around it. Lines are shorter than 64 KiB.
fn span(text: &str, from: usize, to: usize) -> CellSpan {
    let cell = text.get(from..to).unwrap_or("");
    let start = from + cell.len() - cell.trim_start_matches([' ', '\t']).len();
    let short = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
    CellSpan { start: short(start), len: short(cell.trim_matches([' ', '\t']).len()) }
}

impl<'t> Record<'t> {
    /// A record whose text is put together of its cells, each behind its name; control characters in them become blanks.
    /// Empty cells leave nothing in the text.
    ///
    /// # Errors
    ///
    /// It would be 64 KiB or longer.
    pub fn named(number: u32, cells: &[(&str, String)]) -> Result<Record<'static>, ReadError> {
        let mut record = Record { number, start: None, text: Cow::default(), spans: Vec::new() };
        for (name, value) in cells {
            if value.trim().is_empty() {
                record.spans.push(CellSpan::default());
                continue;
            }
            let between = if record.text.is_empty() { "" } else { "; " };
            record.push(&format!("{between}{name}="), value)?;
        }
        Ok(record)
    }

    /// A record of which the quotes were taken away.
    fn plain(number: u32, cells: &[String]) -> Result<Record<'t>, ReadError> {
        let mut record = Record { number, start: None, text: Cow::default(), spans: Vec::new() };
        for (index, cell) in cells.iter().enumerate() {
            record.push(if index > 0 { "," } else { "" }, cell)?;
        }
        Ok(record)
    }

    fn push(&mut self, before: &str, value: &str) -> Result<(), ReadError> {
        let text = self.text.to_mut();
        text.push_str(before);
        let from = text.len();
        text.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
        if text.len() >= LINE_MAX {
            return Err(ReadError::at(self.number, "longer than 64 KiB; that is no line of a bill"));
        }
        self.spans.push(span(text, from, text.len()));
        Ok(())
    }

    /// Number of cells.
    pub fn count(&self) -> usize {
        self.spans.len()
    }

    /// A cell; empty if there is none.
    pub fn cell(&self, column: usize) -> &str {
        let Some(span) = self.spans.get(column) else { return "" };
        let start = usize::from(span.start);
        self.text.get(start..start + usize::from(span.len)).unwrap_or("")
    }

    fn span(&self, column: usize) -> CellSpan {
        self.spans.get(column).copied().unwrap_or_default()
    }

    /// Takes `="…"` from around the cells, which some shops write so that a spreadsheet leaves long numbers alone.
    pub fn without_formulas(&mut self) {
        for span in &mut self.spans {
            let start = usize::from(span.start);
            let cell = self.text.get(start..start + usize::from(span.len)).unwrap_or("");
            if cell.len() > 2 && cell.starts_with("=\"") && cell.ends_with('"') {
                *span = CellSpan { start: span.start + 2, len: span.len - 3 };
            }
        }
    }

    /// The titles that this record holds.
    ///
    /// # Errors
    ///
    /// As [`Titles::read`].
    pub fn titles(&self) -> Result<Titles, ReadError> {
        let cells: Vec<&str> = (0..self.count()).map(|column| self.cell(column)).collect();
        Titles::read(&cells.join(","), self.number)
    }

    /// An error at one of its cells.
    pub fn error(&self, title: &str, found: impl Into<String>) -> ReadError {
        ReadError::at(self.number, found).in_column(title)
    }
}

/// A movement as a layout understood it.
#[derive(Clone, Copy, Debug)]
pub struct Movement {
    pub kind: EntryKind,
    pub currency: Currency,
    pub happened_at: Moment,
    /// Signed as [`Entry::amount_minor`].
    pub amount_minor: i64,
    pub settled_minor: i64,
    pub fee_e5: i64,
}

/// Gathers movements, and the lines that had to be written anew.
pub struct Gather<'t> {
    text: &'t str,
    rewritten: String,
    pub entries: Vec<Entry>,
    part: u8,
    /// Where the records' own text begins in the whole.
    base: usize,
}

impl<'t> Gather<'t> {
    /// For the records of this text.
    pub fn new(text: &'t str) -> Gather<'t> {
        Gather { text, rewritten: String::new(), entries: Vec::new(), part: 0, base: 0 }
    }

    /// From now on the records are of the file's part of that place, whose text begins at `base` in the whole.
    pub fn turn_to(&mut self, part: usize, base: usize) {
        self.part = u8::try_from(part).unwrap_or(u8::MAX);
        self.base = base;
    }

    /// Keeps a movement; `cells` names the columns whose texts are kept.
    ///
    /// # Errors
    ///
    /// Too many movements, or a text behind 4 GiB.
    pub fn keep(
        &mut self,
        record: &Record<'_>,
        movement: &Movement,
        cells: &[(Cell, Option<usize>)],
    ) -> Result<(), ReadError> {
        let number = record.number;
        if self.entries.len() >= ROWS_MAX {
            return Err(ReadError::at(number, format!("more than {ROWS_MAX} movements in one file")));
        }
        let start = record.start.map_or(self.text.len() + self.rewritten.len(), |start| self.base + start);
        let far = |_| ReadError::at(number, "begins behind the first 4 GiB");
        let length = u16::try_from(record.text.len()).map_err(far)?;
        let mut entry = Entry::at(u32::try_from(start).map_err(far)?, length, self.part, number);
        if record.start.is_none() {
            self.rewritten.push_str(&record.text);
        }
        entry.kind = movement.kind;
        entry.state = match movement.kind {
            EntryKind::Payment => State::Paid,
            EntryKind::Refund => State::Refunded,
            EntryKind::Reversal => State::Reversed,
        };
        entry.currency = movement.currency;
        entry.happened_at = movement.happened_at;
        entry.amount_minor = Some(movement.amount_minor);
        entry.settled_minor = movement.settled_minor;
        entry.fee_e5 = movement.fee_e5;
        for (cell, column) in cells {
            if let Some(column) = column {
                entry.set_cell(*cell, record.span(*column));
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    /// A text of each movement, in their order.
    pub fn cells(&self, cell: Cell) -> impl Iterator<Item = &str> {
        self.entries.iter().map(move |entry| {
            let (start, length) = entry.place_of(cell);
            let text = match start.checked_sub(self.text.len()) {
                Some(behind) => self.rewritten.get(behind..behind + length),
                None => self.text.get(start..start + length),
            };
            text.unwrap_or("")
        })
    }

    /// The movements, and what is to be put behind the text.
    pub fn finish(self) -> (Vec<Entry>, String) {
        (self.entries, self.rewritten)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, delimiter: char) -> Result<Vec<(u32, Vec<String>)>, ReadError> {
        let mut sheet = Sheet::new(text, 0, 1, delimiter);
        let mut records = Vec::new();
        while let Some(record) = sheet.advance()? {
            let cells = (0..record.count()).map(|i| record.cell(i).to_owned()).collect();
            records.push((record.number, cells));
        }
        Ok(records)
    }

    fn row(number: u32, cells: &[&str]) -> (u32, Vec<String>) {
        (number, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn records_of_every_spelling() {
        assert_eq!(
            all("a, b\t,c\r\n\r\n,,\r\n茶,\"5\"\" x, y\",\n\"two\nlines\",2", ',').unwrap(),
            [row(1, &["a", "b", "c"]), row(4, &["茶", "5\" x, y", ""]), row(5, &["two lines", "2"]),]
        );
        assert_eq!(all("a|\"b|c\n", '|').unwrap(), [row(1, &["a", "\"b", "c"])]);
    }

    #[test]
    fn records_that_are_refused() {
        for text in ["a,\"b", "a,\"b\"c,d", "a\0b", &"x".repeat(LINE_MAX)] {
            assert!(all(text, ',').is_err(), "{}", &text[..text.len().min(20)]);
        }
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let text = "A1, 5.00\n\"A,2\",6.00\n";
        let mut sheet = Sheet::new(text, 0, 1, ',');
        let mut gather = Gather::new(text);
        let movement = Movement {
            kind: EntryKind::Payment,
            currency: Currency::CNY,
            happened_at: Moment::from_unix(0),
            amount_minor: 500,
            settled_minor: 500,
            fee_e5: 0,
        };
        while let Some(record) = sheet.advance().unwrap() {
            gather.keep(&record, &movement, &[(Cell::OrderNo, Some(0)), (Cell::Till, None)]).unwrap();
        }
        let (entries, rewritten) = gather.finish();
        let draft =
            crate::domain::Draft { text: format!("{text}{rewritten}"), entries, ..Default::default() };
        let date = crate::domain::BillDate::parse("20240502").unwrap();
        let statement = crate::domain::Statement::new(date, draft).unwrap();
        let told: Vec<_> = statement
            .entries()
            .iter()
            .map(|e| (statement.cell(e, Cell::OrderNo), statement.line(e)))
            .collect();
        assert_eq!(told, [("A1", "A1, 5.00"), ("A,2", "A,2,6.00")]);
    }
}
