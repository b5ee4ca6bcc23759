//! A summary behind the movements, as far as its titles are known; what is not known is told in a remark.
//!
//! No overseas summary is described. The names are those of the bill at home, which the Chinese pages show.

use super::row::Reader;
use crate::domain::money;
use crate::domain::{Control, Unit};
use crate::format::table::{Aliases, Cutter, Row, Titles};
use crate::format::{ReadError, shown};

const ROWS: Aliases = &["总交易单数"];
const SETTLED: Aliases = &["应结订单总金额", "总交易额"];
const REFUND: Aliases = &["退款总金额", "总退款金额"];
const FEE: Aliases = &["手续费总金额"];

/// Reads the line behind the summary's titles.
///
/// # Errors
///
/// There is none, or it has another number of values; a known total that is no number.
pub(super) fn read(
    cutter: &mut Cutter<'_, true>,
    text: &str,
    titles: &Titles,
    (reader, remarks): (&Reader<'_>, &mut Vec<String>),
) -> Result<Vec<Control>, ReadError> {
    let Some(line) = cutter.advance()? else {
        let found = "the file ends before the values of its summary; it was cut short";
        return Err(ReadError::at(titles.line(), found));
    };
    let row = Row::<true>::new(text, line, cutter.fences());
    if row.count() != titles.count() {
        let found = format!("the summary has {} values and {} titles", row.count(), titles.count());
        return Err(ReadError::at(line.number, found));
    }
    let sums = &reader.sums;
    let minor = Unit::Minor { digits: reader.digits() };
    let mut proven: Vec<Aliases> = Vec::new();
    let mut controls = Vec::new();
    for (aliases, unit, counted) in [
        (ROWS, Unit::Count, sums.rows),
        (SETTLED, minor, sums.settled),
        (REFUND, minor, sums.refund),
        (FEE, Unit::E5, sums.fee),
    ] {
        let Some(column) = titles.find(aliases)? else { continue };
        // Amounts of several currencies add up to nothing that can be stated.
        if reader.mixed && unit != Unit::Count {
            continue;
        }
        proven.push(aliases);
        let wrong = |found: String| ReadError::at(line.number, found).in_column(titles.name(column));
        let digits = match unit {
            Unit::Count => 0,
            Unit::Minor { digits } => digits,
            Unit::E5 => money::E5_DIGITS,
        };
        let stated =
            money::parse_minor(row.cell(column), digits).map_err(|error| wrong(error.to_string()))?;
        let counted = i64::try_from(counted)
            .map_err(|_| wrong("the lines add up to more than this program can hold".to_owned()))?;
        controls.push(Control { title: titles.name(column).to_owned(), unit, stated, counted });
    }
    let unknown = titles.unknown(&proven);
    if !unknown.is_empty() {
        remarks.push(format!("totals that are not proven: {}", shown(&unknown.join(", "))));
    }
    Ok(controls)
}
