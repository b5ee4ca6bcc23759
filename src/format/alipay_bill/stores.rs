//! The trade summary (业务汇总): one row a store, and 合计, which must be what the detail adds up to
//! (`spec/alipay.md` 2.5).

use super::frame::{self, Head, cut_short};
use super::row::Sums;
use crate::domain::money;
use crate::domain::{Control, Unit};
use crate::format::table::{Aliases, Cutter, Row, Titles};
use crate::format::unpack::Part;
use crate::format::{Asked, ReadError};

const STORE: Aliases = &["门店编号"];
const TOTAL: &str = "合计";

/// Adds the summary's 合计 to the controls, for each column that the detail has too.
///
/// # Errors
///
/// The summary is of another account or period, has no 合计 or two, or a cell that is no number.
pub(super) fn check(
    asked: &Asked<'_>,
    part: &Part,
    sums: &Sums,
    controls: &mut Vec<Control>,
) -> Result<(), ReadError> {
    let mut cutter = Cutter::<false>::new(&part.text, part.start);
    Head::read(&mut cutter, part)?.check(asked)?;
    let Some(line) = cutter.advance()? else { return Err(cut_short("its titles")) };
    let titles = Titles::read(part.text.get(line.start..line.end).unwrap_or(""), line.number)?;
    let store = titles.need(STORE)?;
    let mut seen = false;
    while let Some(line) = cutter.advance()? {
        let body = part.text.get(line.start..line.end).unwrap_or("");
        if frame::is_list_end(body) {
            return if seen {
                Ok(())
            } else {
                Err(ReadError::at(line.number, "the list ends without a row 合计"))
            };
        }
        let row = Row::<false>::new(&part.text, line, cutter.fences());
        if row.cell(store) != TOTAL {
            continue;
        }
        if seen {
            return Err(ReadError::at(line.number, "a second row 合计"));
        }
        seen = true;
        add(&row, &titles, sums, controls)?;
    }
    Err(cut_short("the mark of its list's end (`列表结束`)"))
}

fn add(
    row: &Row<'_, false>,
    titles: &Titles,
    sums: &Sums,
    controls: &mut Vec<Control>,
) -> Result<(), ReadError> {
    let (paid, back) = (&sums.payments, &sums.refunds);
    let yuan = Unit::Minor { digits: 2 };
    let totals: [(Aliases, Unit, i128); 5] = [
        (&["交易订单总笔数"], Unit::Count, paid.rows),
        (&["退款订单总笔数"], Unit::Count, back.rows),
        (&["订单金额"], yuan, paid.gross + back.gross),
        (&["商家实收"], yuan, paid.settled + back.settled),
        (&["服务费"], Unit::E5, paid.fee_e5 + back.fee_e5),
    ];
    let at =
        |column: usize, found: String| ReadError::at(row.line().number, found).in_column(titles.name(column));
    for (aliases, unit, counted) in totals {
        let Some(column) = titles.find(aliases)? else { continue };
        let text = row.cell(column);
        let stated = match unit {
            Unit::Count => money::parse_minor(text, 0),
            Unit::Minor { digits } => money::parse_minor(text, digits),
            Unit::E5 => money::parse_e5(text),
        };
        let stated = stated.map_err(|e| at(column, e.to_string()))?;
        let counted = i64::try_from(counted)
            .map_err(|_| at(column, "the lines add up to more than this program can hold".to_owned()))?;
        controls.push(Control { title: format!("汇总 {}", aliases[0]), unit, stated, counted });
    }
    Ok(())
}
