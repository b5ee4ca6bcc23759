//! `report.json`: the report for machines (contract, section 7).
//!
//! Field order is that of the structs, amounts are integers of minor units or null, indentation is two blanks and the
//! last byte is a line feed; so the same report has the same bytes everywhere.

use serde::Serialize;

use super::{MismatchRow, Report, Section, UnclaimedRow};

/// Version of the file's shape. It grows when a field changes its meaning, not when one is added.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    bill_date: String,
    verdict: &'static str,
    units: &'a [Section],
    unclaimed: &'a [UnclaimedRow],
}

/// The whole file.
pub fn write(report: &Report) -> String {
    let document = Document {
        schema: SCHEMA,
        bill_date: report.bill_date.to_string(),
        verdict: report.verdict.as_str(),
        units: &report.units,
        unclaimed: &report.unclaimed,
    };
    let mut text = serde_json::to_string_pretty(&document).expect("texts, numbers and lists are always JSON");
    text.push('\n');
    text
}

/// One unit on one line, as the ledger keeps it.
pub fn write_section(section: &Section) -> String {
    serde_json::to_string(section).expect("texts, numbers and lists are always JSON")
}

/// One mismatch on one line, as the ledger keeps it of each change.
pub fn write_mismatch(row: &MismatchRow) -> String {
    serde_json::to_string(row).expect("texts and numbers are always JSON")
}

/// Reads what [`write_mismatch`] wrote.
///
/// # Errors
///
/// As [`read_section`].
pub fn read_mismatch(text: &str) -> Result<MismatchRow, serde_json::Error> {
    serde_json::from_str(text)
}

/// Reads what [`write_section`] wrote.
///
/// # Errors
///
/// The place and what was expected there: the ledger was altered, or written by a newer program.
pub fn read_section(text: &str) -> Result<Section, serde_json::Error> {
    serde_json::from_str(text)
}
