//! Layouts that several channels write, read by column title and proven against their own totals.
//!
//! Bytes in, a [`Statement`](crate::domain::Statement) out, or the first thing that cannot be understood with its
//! place. Nothing is skipped: a line that is not understood is money that would go unreported. A layout moves
//! down here when a second channel writes it.

pub mod unpack;
pub mod table;
pub mod wechat_bill;
pub mod alipay_bill;

use thiserror::Error;

/// The longest line that is read. A 100 MB "line" dies here without being buffered.
pub const LINE_MAX: usize = 64 * 1024;

/// What the errand expects of the file; the reader refuses any other.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The account's merchant number (mch_id, PID).
    pub merchant: &'a str,
    /// The sub-merchant, where the account is one of a service provider; empty = all lines of the merchant.
    pub sub_merchant: &'a str,
    pub date: crate::domain::BillDate,
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

fn part_text(part: &str) -> String {
    if part.is_empty() { String::new() } else { format!("{part}: ") }
}

fn column_text(column: &str) -> String {
    if column.is_empty() { String::new() } else { format!(", column `{column}`") }
}
