//! A line with more cells than titles: one of its texts holds a comma and a backtick, as at home
//! (`wechat_bill/repair.rs`).
//!
//! Only the device, the product with the merchant's data beside it, and the note on the rate are free text. Each place
//! is tried in turn as the owner of the surplus; if the machine-made cells then have their shapes for exactly one of
//! them, the line is understood, else it is refused.

use super::columns::Columns;
use crate::domain::money;
use crate::format::ReadError;
use crate::format::table::Row;

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
    let surplus = row.count() - columns.count;
    let fits = |owner: &usize| shapes_fit(row, columns, *owner, surplus);
    let mut ways = free_texts(columns).into_iter().flatten().filter(fits);
    match (ways.next(), ways.next()) {
        (Some(owner), None) => {
            // The fences inside the owner's text go; the one before it and the one behind it stay.
            let inside = owner + 1..=owner + surplus;
            let kept = fences.iter().enumerate().filter(|(index, _)| !inside.contains(index));
            Ok(kept.map(|(_, fence)| *fence).collect())
        }
        (one, _) => {
            let why =
                if one.is_none() { "no column explains them" } else { "several columns could own them" };
            let found = format!("has {} cells, the titles {}; {why}", row.count(), columns.count);
            Err(ReadError::at(row.line().number, found))
        }
    }
}

/// Of product and merchant's data side by side nobody can say where the one ends; both are information only, so the
/// surplus goes to the first of them.
fn free_texts(columns: &Columns) -> [Option<usize>; 4] {
    let beside = columns.subject.zip(columns.attach).is_some_and(|(subject, attach)| attach == subject + 1);
    let attach = if beside { None } else { columns.attach };
    [columns.till, columns.subject, attach, columns.rate_note]
}

/// Whether all machine-made cells have their shape if column `owner` owns the surplus. Overseas, amounts of what a line
/// is not may be empty.
fn shapes_fit(row: &Row<'_, true>, columns: &Columns, owner: usize, surplus: usize) -> bool {
    let cell = |column: usize| row.cell(if column > owner { column + surplus } else { column });
    let amount = |column: usize| cell(column).is_empty() || money::parse_e5(cell(column)).is_ok();
    let number = |column: usize| !cell(column).is_empty() && cell(column).bytes().all(|b| b.is_ascii_digit());
    let code =
        |column: usize| !cell(column).is_empty() && cell(column).bytes().all(|b| b.is_ascii_uppercase());
    (26..=32).contains(&cell(columns.trade_no).len())
        && number(columns.trade_no)
        && number(columns.merchant)
        && code(columns.status)
        && code(columns.currency)
        && [columns.gross, columns.settled.amount, columns.refund, columns.refund_settled.amount]
            .into_iter()
            .all(amount)
        && !cell(columns.fee).is_empty()
        && amount(columns.fee)
        && columns.rate.is_none_or(|rate| cell(rate).ends_with('%'))
}
