//! The free texts of the trade bill, and the shapes of its other cells, by which a line with more cells than titles is
//! told apart (设备号, 商品名称 with 商户数据包 beside it, and 费率备注 are free text).

use super::columns::Columns;
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
    let amount_if = |column: Option<usize>| column.is_none_or(|column| line.amount(column));
    let refunds_fit = columns.refunds.as_ref().is_none_or(|refunds| {
        line.number(refunds.trade_no)
            && line.amount(refunds.amount)
            && line.amount(refunds.coupon)
            && amount_if(refunds.requested)
    });
    line.trade_no(columns.trade_no)
        && line.number(columns.merchant)
        && line.code(columns.status)
        && line.code(columns.currency)
        && line.amount(columns.settled)
        && line.amount(columns.fee)
        && amount_if(columns.gross)
        && columns.rate.is_none_or(|rate| line.rate(rate))
        && refunds_fit
}
