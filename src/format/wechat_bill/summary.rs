//! The summary of a trade bill: what the file itself states, proven against its lines.
//!
//! Both generations, and SUCCESS bills with four or seven columns, so columns go by title here too
//! (`spec/wechat.md` 1.7 and 1.8).

use super::columns::Columns;
use super::row::Sums;
use crate::domain::money::{self, MoneyError};
use crate::domain::{Control, Unit};
use crate::format::ReadError;
use crate::format::table::{Aliases, Cutter, Row, Titles, normalised};

/// The title that begins the summary, in both generations.
pub(super) const FIRST_TITLE: &str = "总交易单数";

const ROWS: Aliases = &[FIRST_TITLE];
const SETTLED: Aliases = &["应结订单总金额", "总交易额"];
const REFUND: Aliases = &["退款总金额", "总退款金额"];
const COUPON_REFUND: Aliases = &["充值券退款总金额", "总企业红包退款金额", "总代金券或立减优惠退款金额"];
const FEE: Aliases = &["手续费总金额"];
const GROSS: Aliases = &["订单总金额"];
const REQUESTED: Aliases = &["申请退款总金额"];
const KNOWN: &[Aliases] = &[ROWS, SETTLED, REFUND, COUPON_REFUND, FEE, GROSS, REQUESTED];

/// The summary as stated.
pub(super) struct Summary {
    titles: Titles,
    /// Physical line of the values.
    line: u32,
    values: Vec<String>,
}

/// Whether a line is the summary's title line.
pub(super) fn begins(text: &str) -> bool {
    // The title alone is at most this long, blanks inside it included.
    const LETTERS_MAX: usize = 16;
    let head: String =
        text.chars().take(LETTERS_MAX).take_while(|c| !matches!(c, ',' | '，' | '\n')).collect();
    normalised(&head) == FIRST_TITLE
}

/// Reads the line behind the summary's titles. Some files lack the first backtick.
pub(super) fn read(cutter: &mut Cutter<'_, true>, text: &str, titles: &Titles) -> Result<Summary, ReadError> {
    let Some(line) = cutter.advance()? else {
        return Err(ReadError::at(
            titles.line(),
            "the file ends before the values of its summary; it was cut short",
        ));
    };
    let row = Row::<true>::new(text, line, cutter.fences());
    if row.count() != titles.count() {
        let found = format!("the summary has {} values and {} titles", row.count(), titles.count());
        return Err(ReadError::at(line.number, found));
    }
    let values = (0..row.count()).map(|column| row.cell(column).to_owned()).collect();
    Ok(Summary { titles: titles.clone(), line: line.number, values })
}

impl Summary {
    /// Everything that is stated, beside the same over the lines. `digits` are those of the file's currency.
    ///
    /// A total of a column that the bill does not have (refunds in a SUCCESS bill) proves nothing: if it is not
    /// zero it becomes a remark.
    pub(super) fn controls(
        &self,
        sums: &Sums,
        digits: u32,
        columns: &Columns,
        remarks: &mut Vec<String>,
    ) -> Result<Vec<Control>, ReadError> {
        let minor = Unit::Minor { digits };
        let refunds = columns.refunds.as_ref();
        let totals: [(Aliases, Unit, i128, bool); 7] = [
            (ROWS, Unit::Count, sums.rows, true),
            (SETTLED, minor, sums.settled, true),
            (REFUND, minor, sums.refund, refunds.is_some()),
            (COUPON_REFUND, minor, sums.coupon_refund, refunds.is_some()),
            (FEE, Unit::E5, sums.fee, true),
            (GROSS, minor, sums.gross, columns.gross.is_some()),
            (REQUESTED, minor, sums.requested, refunds.is_some_and(|r| r.requested.is_some())),
        ];
        self.titles.need(SETTLED)?;
        let mut controls = Vec::with_capacity(totals.len());
        for (aliases, unit, counted, provable) in totals {
            let Some(column) = self.titles.find(aliases)? else { continue };
            let control = self.control(column, unit, counted)?;
            if provable || control.stated == 0 {
                controls.push(control);
            } else {
                let stated = control.show(control.stated);
                remarks
                    .push(format!("`{}` states {stated}, but the bill has no column of it", control.title));
            }
        }
        let unknown = self.titles.unknown(KNOWN);
        if !unknown.is_empty() {
            remarks
                .push(format!("unknown totals, not proven: {}", crate::format::shown(&unknown.join(", "))));
        }
        Ok(controls)
    }

    fn control(&self, column: usize, unit: Unit, counted: i128) -> Result<Control, ReadError> {
        let title = self.titles.name(column);
        let text = self.values.get(column).map_or("", String::as_str);
        let stated = match unit {
            Unit::Count => money::parse_minor(text, 0),
            Unit::Minor { digits } => money::parse_minor(text, digits),
            Unit::E5 => money::parse_e5(text),
        };
        let wrong = |error: MoneyError| ReadError::at(self.line, error.to_string()).in_column(title);
        let counted = i64::try_from(counted).map_err(|_| {
            ReadError::at(self.line, "the lines add up to more than this program can hold").in_column(title)
        })?;
        Ok(Control { title: title.to_owned(), unit, stated: stated.map_err(wrong)?, counted })
    }
}
