//! Alipay's account ledger (账务明细, bill type `signcustomer`): every debit and credit of the balance, fees as rows of
//! their own.
//!
//! Shape: the frame of the trade bill around 12 columns; income positive and outgo negative in two of them; in a zip with
//! a summary (账务汇总), a large account in several parts. What came in is a payment, what went out a refund: the words
//! have only these two directions, and this bill never meets the log. A fee row moves no order's amount: it is nothing but
//! a fee (positive = charged), so that the fees here and in the trade bill can be added up side by side.
//!
//! Proven: the account, the period, count and sum of both directions (`#支出合计`, `#收入合计`), the summary's 合计, no
//! ledger number twice. The running balance is no proof: Alipay does not promise that it is without gaps.
//!
//! Format: `spec/alipay.md` 2.6.

mod row;

use row::Reader;

use super::alipay_bill::frame::{self, Head, cut_short};
use super::sheet::{Record, Sheet};
use super::table::{Aliases, Cutter, Line, Row, Titles};
use super::unpack::{Part, unpack};
use super::{Asked, ReadError, shown};
use crate::domain::money;
use crate::domain::{Control, Draft, Statement, Unit};

const DETAIL: &str = "#支付宝账务明细查询";
const SUMMARY: &str = "#支付宝账务汇总查询";
const ANY: &str = "#支付宝";

/// Whether a text is such a detail.
pub fn is_ledger(first_line: &str) -> bool {
    first_line == DETAIL
}

/// Reads a whole ledger as it was downloaded.
///
/// # Errors
///
/// No ledger detail; another account or period; a line that cannot be understood; totals that differ from the lines.
///
/// Source: `alipay.data.dataservice.bill.downloadurl.query`, bill type `signcustomer`.
pub fn read(asked: &Asked<'_>, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let parts = unpack(raw)?;
    let text: String = parts.iter().map(|part| part.text.as_str()).collect();
    let mut reader = Reader::new(asked, &text);
    let mut controls = Vec::new();
    let mut details = 0;
    let mut base = 0;
    for (place, part) in parts.iter().enumerate() {
        let in_part = |error: ReadError| error.in_part(&part.name);
        match part.first_line() {
            DETAIL => {
                details += 1;
                reader.turn_to(place, base);
                detail(asked, part, &mut reader, &mut controls).map_err(in_part)?;
            }
            SUMMARY => {}
            line if line.starts_with(ANY) => reader.remarks.push(format!("not read: `{}`", shown(line))),
            line => return Err(stranger(line).in_part(&part.name)),
        }
        base += part.text.len();
    }
    if details == 0 {
        return Err(ReadError::File("no ledger detail (账务明细) in the file".into()));
    }
    for part in parts.iter().filter(|part| part.first_line() == SUMMARY) {
        summary(asked, part, &reader, &mut controls).map_err(|error| error.in_part(&part.name))?;
    }
    let (entries, rewritten, remarks) = reader.finish();
    let parts = parts.into_iter().map(|part| part.name).collect();
    let text = format!("{text}{rewritten}");
    let foreign = crate::domain::statement::Foreign::default();
    Ok(Statement::new(asked.date, Draft { text, parts, entries, controls, foreign, remarks })?)
}

fn stranger(line: &str) -> ReadError {
    ReadError::File(format!(
        "this is no ledger of Alipay: its first line is `{}`, not `{DETAIL}`",
        shown(line)
    ))
}

/// Reads one detail file: frame, titles, rows, totals.
fn detail(
    asked: &Asked<'_>,
    part: &Part,
    reader: &mut Reader<'_>,
    controls: &mut Vec<Control>,
) -> Result<(), ReadError> {
    let mut cutter = Cutter::<false>::new(&part.text, part.start);
    Head::read(&mut cutter, part)?.check(asked)?;
    let Some(line) = cutter.advance()? else { return Err(cut_short("its titles")) };
    let titles = Titles::read(part.text.get(line.start..line.end).unwrap_or(""), line.number)?;
    reader.layout(&titles)?;
    let mut sheet =
        Sheet::new(&part.text, part.text.len() - cutter.rest().len(), line.number.saturating_add(1), ',');
    let before = reader.sums;
    loop {
        let Some(record) = sheet.advance()? else {
            return Err(cut_short("the mark of its list's end (`列表结束`)"));
        };
        if frame::is_list_end(record.as_ref()) && record.as_ref().starts_with('#') {
            break;
        }
        if record.as_ref().starts_with('#') {
            return Err(ReadError::at(
                record.number,
                format!("`{}` inside the list", shown(record.as_ref())),
            ));
        }
        reader.keep(&record)?;
    }
    totals(
        &mut sheet,
        controls,
        [("支出合计", 0), ("收入合计", 1)].map(|(word, way)| {
            let (now, then) = (reader.sums[way], before[way]);
            (word, now.rows - then.rows, now.minor - then.minor)
        }),
    )
}

/// Reads the lines behind the list; each total must be there, once.
fn totals(
    sheet: &mut Sheet<'_>,
    controls: &mut Vec<Control>,
    counted: [(&str, i64, i64); 2],
) -> Result<(), ReadError> {
    let mut seen = [false; 2];
    for _ in 0..frame::LINES_MAX {
        let Some(record) = sheet.advance()? else { break };
        let text = record.as_ref().trim_end_matches([',', ' ', '\t']);
        let words = text.trim_start_matches('#');
        if words.len() == text.len() {
            let found = format!("the file goes on behind its list: {}", shown(text));
            return Err(ReadError::at(record.number, found));
        }
        let Some(way) = counted.iter().position(|(word, ..)| words.starts_with(word)) else { continue };
        if std::mem::replace(&mut seen[way], true) {
            return Err(ReadError::at(record.number, "a second line of the same totals"));
        }
        controls.extend(total(words, &record, counted[way])?);
    }
    match seen {
        [true, true] => Ok(()),
        _ => Err(cut_short("its totals (`#支出合计`, `#收入合计`)")),
    }
}

fn total(words: &str, record: &Record<'_>, counted: (&str, i64, i64)) -> Result<[Control; 2], ReadError> {
    let line = Line { number: record.number, start: 0, end: 0 };
    let stated = frame::total_of(words, line)?;
    let [(_, sum)] = stated.sums.as_slice() else {
        return Err(ReadError::at(record.number, format!("one sum is expected in `{}`", shown(words))));
    };
    let (word, rows, minor) = counted;
    Ok([
        Control { title: format!("{word} 笔数"), unit: Unit::Count, stated: stated.count, counted: rows },
        Control { title: word.to_owned(), unit: YUAN, stated: *sum, counted: minor },
    ])
}

const YUAN: Unit = Unit::Minor { digits: 2 };
const WORD: Aliases = &["类型"];

/// The summary's row 合计, which must be what all details add up to.
fn summary(
    asked: &Asked<'_>,
    part: &Part,
    reader: &Reader<'_>,
    controls: &mut Vec<Control>,
) -> Result<(), ReadError> {
    let mut cutter = Cutter::<false>::new(&part.text, part.start);
    Head::read(&mut cutter, part)?.check(asked)?;
    let Some(line) = cutter.advance()? else { return Err(cut_short("its titles")) };
    let titles = Titles::read(part.text.get(line.start..line.end).unwrap_or(""), line.number)?;
    let word = titles.need(WORD)?;
    let [out, income] = reader.sums;
    let columns: [(Aliases, Unit, i64); 5] = [
        (&["收入笔数"], Unit::Count, income.rows),
        (&["收入金额（+元）"], YUAN, income.minor),
        (&["支出笔数"], Unit::Count, out.rows),
        (&["支出金额（-元）"], YUAN, out.minor),
        (&["总金额"], YUAN, income.minor + out.minor),
    ];
    while let Some(line) = cutter.advance()? {
        if frame::is_list_end(part.text.get(line.start..line.end).unwrap_or("")) {
            break;
        }
        let row = Row::<false>::new(&part.text, line, cutter.fences());
        if row.cell(word) != "合计" {
            continue;
        }
        for (aliases, unit, counted) in columns {
            let Some(column) = titles.find(aliases)? else { continue };
            let digits = if unit == Unit::Count { 0 } else { 2 };
            let stated = money::parse_minor(row.cell(column), digits);
            let stated =
                stated.map_err(|e| ReadError::at(line.number, e.to_string()).in_column(aliases[0]))?;
            controls.push(Control { title: format!("汇总 {}", aliases[0]), unit, stated, counted });
        }
        return Ok(());
    }
    Err(ReadError::File("the summary has no row 合计".into()))
}
