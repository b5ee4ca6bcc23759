//! A line with more cells than titles: one of its texts holds a comma and a backtick.
//!
//! WeChat escapes nothing. But only three places are free text (设备号, 商品名称 with 商户数据包 beside it, 费率备注); all
//! others are made by machines and have a shape. So each place is tried in turn as the owner of the surplus; if the
//! machine-made cells then have their shapes for exactly one of them, the line is understood, else it is refused.

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
    let mut ways =
        free_texts(columns).into_iter().flatten().filter(|last| shapes_fit(row, columns, *last, surplus));
    match (ways.next(), ways.next()) {
        (Some(last), None) => Ok(without(fences, last, surplus)),
        (one, _) => {
            let why =
                if one.is_none() { "no column explains them" } else { "several columns could own them" };
            let found = format!("has {} cells, the titles {}; {why}", row.count(), columns.count);
            Err(ReadError::at(row.line().number, found))
        }
    }
}

/// The last column of each free-text place. Of 商品名称 and 商户数据包 side by side nobody can say where the one
/// ends; both are information only, so the surplus goes to the first of them.
fn free_texts(columns: &Columns) -> [Option<usize>; 4] {
    let beside = columns.subject.zip(columns.attach).is_some_and(|(subject, attach)| attach == subject + 1);
    let attach = if beside { None } else { columns.attach };
    [columns.till, columns.subject, attach, columns.rate_note]
}

/// Whether all machine-made cells have their shape if column `owner` owns the surplus.
fn shapes_fit(row: &Row<'_, true>, columns: &Columns, owner: usize, surplus: usize) -> bool {
    let cell = |column: usize| row.cell(if column > owner { column + surplus } else { column });
    let amount = |column: usize| money::parse_e5(cell(column)).is_ok();
    let amount_if = |column: Option<usize>| column.is_none_or(amount);
    let number = |column: usize| !cell(column).is_empty() && cell(column).bytes().all(|b| b.is_ascii_digit());
    let code =
        |column: usize| !cell(column).is_empty() && cell(column).bytes().all(|b| b.is_ascii_uppercase());
    let trade_no = cell(columns.trade_no);
    let refunds_fit = columns.refunds.as_ref().is_none_or(|refunds| {
        number(refunds.trade_no)
            && amount(refunds.amount)
            && amount(refunds.coupon)
            && amount_if(refunds.requested)
    });
    (26..=32).contains(&trade_no.len())
        && number(columns.trade_no)
        && number(columns.merchant)
        && code(columns.status)
        && code(columns.currency)
        && amount(columns.settled)
        && amount(columns.fee)
        && amount_if(columns.gross)
        && columns.rate.is_none_or(|rate| cell(rate).ends_with('%'))
        && refunds_fit
}

fn without(fences: &[u32], owner: usize, surplus: usize) -> Vec<u32> {
    // The fences inside the owner's text go; the one before it and the one behind it stay.
    let inside = owner + 1..=owner + surplus;
    fences.iter().enumerate().filter(|(index, _)| !inside.contains(index)).map(|(_, fence)| *fence).collect()
}
