//! The free texts of an overseas statement, and the shapes of its other cells, by which a line with more cells than titles
//! is told apart. As at home, but lines of one kind leave amounts of the other kind empty.

use super::columns::{Columns, Settled};
use crate::format::ReadError;
use crate::format::table::Row;
use crate::format::table::repair::{self, Supposed};

/// The line's fences without those that are content.
///
/// # Errors
///
/// No place explains the line, or several do.
pub(super) fn told_apart(
    row: &Row<'_, true>,
    fences: &[u32],
    columns: &Columns,
) -> Result<Vec<u32>, ReadError> {
    let attach = repair::attach_alone(columns.subject, columns.attach);
    let free = [columns.till, columns.subject, attach, columns.rate_note];
    repair::told_apart(row, fences, (columns.count, &free), |line| shapes_fit(line, columns))
}

/// Whether all machine-made cells have their shape.
fn shapes_fit(line: &Supposed<'_, '_>, columns: &Columns) -> bool {
    let settled = |place: Settled| {
        let currency = |column: usize| matches!(line.cell(column), "" | "0") || line.code(column);
        place.currency.is_none_or(currency) && line.amount_or_nothing(place.amount)
    };
    let rate = |column: usize| line.cell(column).is_empty() || line.rate(column);
    let nothing_or_code = |column: usize| line.cell(column).is_empty() || line.code(column);
    line.trade_no(columns.trade_no)
        && line.number(columns.merchant)
        && line.code(columns.status)
        && line.code(columns.currency)
        && line.amount_or_nothing(columns.gross)
        && line.amount_or_nothing(columns.refund)
        && line.amount_or_nothing(columns.fee)
        && columns.rate.is_none_or(rate)
        && nothing_or_code(columns.refund_state)
        && settled(columns.settled)
        && settled(columns.refund_settled)
}
