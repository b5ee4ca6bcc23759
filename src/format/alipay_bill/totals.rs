//! The two lines of totals behind the list, in both wordings (`spec/alipay.md` 2.4).
//!
//! Wording A names the columns that it sums (商家实收, 商家优惠). Wording B says 交易金额 and 优惠金额, which are columns of the
//! 22-column layout only; elsewhere no document tells what they sum, so the sum must be that of one of the
//! columns that the words can mean, and the control names it.

use super::columns::{Columns, TRADE_AMOUNT};
use super::frame::{Foot, Total};
use super::row::{KindSums, Sums};
use crate::domain::{Control, Unit};
use crate::format::ReadError;

const YUAN: Unit = Unit::Minor { digits: 2 };

/// # Errors
///
/// A total of something unknown: it cannot be proven.
pub(super) fn controls(foot: &Foot, sums: &Sums, columns: &Columns) -> Result<Vec<Control>, ReadError> {
    let mut controls = Vec::with_capacity(6);
    of_kind("交易合计", &foot.payments, &sums.payments, columns, &mut controls)?;
    of_kind("退款合计", &foot.refunds, &sums.refunds, columns, &mut controls)?;
    Ok(controls)
}

fn of_kind(
    title: &str,
    total: &Total,
    sums: &KindSums,
    columns: &Columns,
    controls: &mut Vec<Control>,
) -> Result<(), ReadError> {
    let held = |sum: i128| {
        let error = || ReadError::at(total.line, "the lines add up to more than this program can hold");
        i64::try_from(sum).map_err(|_| error())
    };
    let title_of = |what: &str| format!("{title} {what}");
    controls.push(Control {
        title: title_of("笔数"),
        unit: Unit::Count,
        stated: total.count,
        counted: held(sums.rows)?,
    });
    let mut money = false;
    for (name, stated) in &total.sums {
        let meant = name.replacen("退款", "", 1);
        money |= matches!(meant.as_str(), "商家实收" | TRADE_AMOUNT);
        let Some(meanings) = meanings(&meant, sums, columns) else {
            return Err(ReadError::at(
                total.line,
                format!("`{name}` sums something unknown; it cannot be proven"),
            ));
        };
        // The first that fits; if none does, the likeliest, so that the message shows both numbers.
        let found = meanings.iter().find(|(_, sum)| *sum == i128::from(*stated)).or(meanings.first());
        let Some((column, sum)) = found else { continue };
        let shown = if *column == meant { title_of(name) } else { format!("{} ({column})", title_of(name)) };
        controls.push(Control { title: shown, unit: YUAN, stated: *stated, counted: held(*sum)? });
    }
    if money {
        Ok(())
    } else {
        Err(ReadError::at(total.line, format!("{title} states no sum of 商家实收 or 交易金额")))
    }
}

/// The columns that a word can mean, likeliest first, with their sums. `None` = an unknown word. Refunds' discounts have
/// been seen as zero only, so their sign is open.
fn meanings(word: &str, sums: &KindSums, columns: &Columns) -> Option<Vec<(&'static str, i128)>> {
    let settled = ("商家实收", sums.settled);
    let gross = ("订单金额", sums.gross);
    let either_sign = |list: Vec<(&'static str, i128)>| {
        let negated: Vec<_> = list.iter().map(|(name, sum)| (*name, -sum)).collect();
        list.into_iter().chain(negated).collect()
    };
    match word {
        "商家实收" => Some(vec![settled]),
        TRADE_AMOUNT if columns.settled_is_trade_amount => Some(vec![(TRADE_AMOUNT, sums.settled)]),
        TRADE_AMOUNT => Some(vec![settled, gross]),
        "商家优惠" => Some(either_sign(vec![("商家优惠", sums.merchant_discount)])),
        "优惠金额" if columns.all_discounts.is_some() => {
            Some(either_sign(vec![("优惠汇总", sums.all_discounts)]))
        }
        "优惠金额" => Some(either_sign(vec![
            ("商家优惠", sums.merchant_discount),
            ("支付宝优惠 + 商家优惠", sums.merchant_discount + sums.alipay_discount),
            ("支付宝优惠", sums.alipay_discount),
        ])),
        _ => None,
    }
}
