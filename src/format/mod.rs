//! Layouts that several channels write, read by column title and proven against their own totals.
//!
//! Bytes in, a [`Statement`](crate::domain::Statement) out, or the first thing that cannot be understood with its
//! place. Nothing is skipped: a line that is not understood is money that would go unreported. A layout moves
//! down here when a second channel writes it.

pub mod unpack;
pub mod table;
pub mod day;
pub mod tally;
pub mod markup;
pub mod sheet;
pub mod alipay_account_log;
pub mod wechat_bill;
pub mod wechat_fundflow;
pub mod wechat_overseas;
pub mod alipay_bill;
pub mod alipay_ledger;
pub mod alipay_forex;
pub mod columns;

use table::{Cutter, Titles};
use thiserror::Error;
use unpack::Part;

/// The longest line that is read. A 100 MB "line" dies here without being buffered.
pub const LINE_MAX: usize = 64 * 1024;

/// The most columns a title line may have. The widest bill known has 38.
pub const COLUMNS_MAX: usize = 256;

/// The most movements one file may hold. A larger day is split by the provider, and 20 million entries are
/// two gigabytes of memory: more is a file that was made to hurt.
pub const ROWS_MAX: usize = 20_000_000;

/// What the errand expects of the file; the reader refuses any other.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The account's merchant number (mch_id, PID).
    pub merchant: &'a str,
    /// The sub-merchant, where the account is one of a service provider; empty = all lines of the merchant.
    pub sub_merchant: &'a str,
    pub date: crate::domain::BillDate,
}

impl Asked<'_> {
    /// What an errand expects: its account's merchant and sub-merchant, and its day.
    pub fn of(errand: &crate::domain::Errand) -> Asked<'_> {
        let account = &errand.account;
        Asked { merchant: &account.merchant, sub_merchant: account.option("sub_merchant"), date: errand.date }
    }
}

/// Why bytes are not the statement that was asked for. Always exit 8: the file is quarantined.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// A place in the file, what stands there, and what should.
    #[error("{}line {line}{}: {found}", part_text(.part), column_text(.column))]
    At { part: String, line: u64, column: String, found: String },
    /// The file as a whole.
    #[error("{0}")]
    File(String),
    #[error("this is the bill of merchant {found}, not of {asked}")]
    OtherMerchant { asked: String, found: String },
    #[error("this is the bill of {found}, not of {asked}")]
    OtherDay { asked: crate::domain::BillDate, found: String },
    #[error(transparent)]
    Totals(#[from] crate::domain::statement::TotalsDiffer),
}

impl ReadError {
    /// A whole line of a plain file; `column` and `part` can be added.
    pub fn at(line: u32, found: impl Into<String>) -> ReadError {
        ReadError::At { part: String::new(), line: line.into(), column: String::new(), found: found.into() }
    }

    /// The same place, with the title of the column.
    #[must_use]
    pub fn in_column(mut self, title: &str) -> ReadError {
        if let ReadError::At { column, .. } = &mut self {
            title.clone_into(column);
        }
        self
    }

    /// The same trouble, with the name of the part of the file that it is in; an empty name changes nothing.
    #[must_use]
    pub fn in_part(mut self, name: &str) -> ReadError {
        match &mut self {
            ReadError::At { part, .. } => *part = shown(name),
            ReadError::File(found) if !name.is_empty() => *found = format!("{}: {found}", shown(name)),
            _ => {}
        }
        self
    }
}

fn part_text(part: &str) -> String {
    if part.is_empty() { String::new() } else { format!("{part}: ") }
}

fn column_text(column: &str) -> String {
    if column.is_empty() { String::new() } else { format!(", column `{column}`") }
}

/// A text of the file as it may stand in a message or a remark: short, and without characters that could forge
/// a log line or turn it around.
pub fn shown(text: &str) -> String {
    const LETTERS_MAX: usize = 60;
    shown_up_to(text, LETTERS_MAX)
}

/// [`shown`], with room for `letters`.
pub fn shown_up_to(text: &str, letters: usize) -> String {
    let turns =
        |c: char| matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain = |c: char| if c.is_control() || turns(c) { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(letters).map(plain).collect();
    if text.chars().nth(letters).is_some() {
        short.push('…');
    }
    short
}

/// The one text of a WeChat file.
fn only_part(parts: Vec<Part>) -> Result<Part, ReadError> {
    let count = parts.len();
    match <[Part; 1]>::try_from(parts) {
        Ok([part]) => Ok(part),
        Err(_) => Err(ReadError::File(format!("the archive holds {count} files; a WeChat bill is one"))),
    }
}

/// The titles of a WeChat file: its first line.
fn title_line(part: &Part, cutter: &mut Cutter<'_, true>) -> Result<Titles, ReadError> {
    let Some(line) = cutter.advance()? else {
        return Err(ReadError::File("the file has no text".to_owned()));
    };
    Titles::read(part.text.get(line.start..line.end).unwrap_or(""), line.number)
}

/// Nothing but blank lines may follow the summary of a WeChat file.
fn refuse_more(cutter: &mut Cutter<'_, true>, text: &str) -> Result<(), ReadError> {
    while let Some(line) = cutter.advance()? {
        let body = text.get(line.start..line.end).unwrap_or("");
        if !body.is_empty() {
            let found = format!("the bill goes on behind its summary: {}", shown(body));
            return Err(ReadError::at(line.number, found));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_file_cannot_forge_a_log_line() {
        assert_eq!(shown("a\r\nERROR b\u{202e}c\0"), "a\u{fffd}\u{fffd}ERROR b\u{fffd}c\u{fffd}");
        assert_eq!(shown(&"豆".repeat(61)), format!("{}…", "豆".repeat(60)));
        assert_eq!(shown(&"豆".repeat(60)), "豆".repeat(60));
    }
}
