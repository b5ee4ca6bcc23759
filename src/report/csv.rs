//! `mismatches.csv`: the list for finance (contract, section 7).
//!
//! UTF-8 with BOM and CRLF, because a Chinese Excel reads it as GBK otherwise; the header always, also for a balanced
//! day. A text cell that a spreadsheet would run as a formula gets a leading apostrophe; amounts never do, or `-12.00`
//! would no longer be a number. No apostrophe is ever taken away.

use ::csv::{QuoteStyle, Terminator, WriterBuilder};

use super::{MismatchRow, Report, amount, optional_amount};
use crate::domain::MismatchKind;

pub const HEADER: [&str; 23] = [
    "id",
    "bill_date",
    "account",
    "paytype",
    "kind",
    "entry",
    "order_no",
    "refund_no",
    "trade_no",
    "gateway_amount",
    "channel_amount",
    "difference",
    "currency",
    "gateway_state",
    "channel_state",
    "gateway_time",
    "channel_time",
    "mall",
    "store",
    "till",
    "cashier",
    "reason",
    "evidence",
];

/// The columns that hold amounts and are therefore never guarded.
const AMOUNTS: std::ops::RangeInclusive<usize> = 9..=11;

const BOM: &str = "\u{feff}";

/// What makes a spreadsheet see a formula at the beginning of a cell: OWASP's list and the full-width twins that some
/// fold to it. NUL is on it because readers that drop NUL would uncover what stands behind.
const FORMULA_STARTS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\0'];

/// The whole file.
pub fn write(report: &Report) -> String {
    let mut rows: Vec<&MismatchRow> = report.units.iter().flat_map(|unit| &unit.mismatches).collect();
    rows.sort_by(|a, b| place(a).cmp(&place(b)));
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(BOM.as_bytes().to_vec());
    writer.write_record(HEADER).expect("a Vec takes every byte");
    for row in rows {
        writer.write_record(record(row)).expect("a Vec takes every byte, and all records are of one length");
    }
    let bytes = writer.into_inner().expect("a Vec takes every byte");
    String::from_utf8(bytes).expect("cells are UTF-8, and so are commas and quotes")
}

/// Account by bytes, kind, |difference| from the largest, order, refund; then what makes the order total.
fn place(row: &MismatchRow) -> impl Ord {
    let kind = MismatchKind::parse(&row.kind).map_or(usize::MAX, |kind| kind as usize);
    (
        row.account.as_bytes(),
        kind,
        std::cmp::Reverse(row.difference_minor.unsigned_abs()),
        row.order_no.as_bytes(),
        row.refund_no.as_bytes(),
        (row.trade_no.as_bytes(), row.id.as_bytes()),
    )
}

fn record(row: &MismatchRow) -> Vec<String> {
    let cells: [&str; HEADER.len()] = [
        &row.id,
        &row.bill_date,
        &row.account,
        &row.paytype,
        &row.kind,
        &row.entry,
        &row.order_no,
        &row.refund_no,
        &row.trade_no,
        &optional_amount(row.gateway_amount_minor, &row.currency),
        &optional_amount(row.channel_amount_minor, &row.currency),
        &amount(row.difference_minor, &row.currency),
        &row.currency,
        &row.gateway_state,
        &row.channel_state,
        &row.gateway_time,
        &row.channel_time,
        &row.mall,
        &row.store,
        &row.till,
        &row.cashier,
        &row.reason,
        &row.evidence,
    ];
    let guarded = |(at, cell): (usize, &&str)| {
        if AMOUNTS.contains(&at) { (*cell).to_owned() } else { guard(cell) }
    };
    cells.iter().enumerate().map(guarded).collect()
}

/// A text that no spreadsheet will run.
fn guard(text: &str) -> String {
    if text.starts_with(FORMULA_STARTS) { format!("'{text}") } else { text.to_owned() }
}
