//! The WeChat Pay fund flow (资金账单): every movement of the merchant's own account, with the balance after it.
//!
//! Shape: as the trade bill (values behind backticks, a summary of two lines), with eleven columns. A movement is money
//! in (收入, read as a payment) or out (支出, read as a refund): a fee is a movement of its own here, and so is the
//! closing of a refund. The order number is the merchant's voucher (业务凭证号), the trade number WeChat's number of what
//! caused it; the movement's own number (资金流水单号) stays in the line.
//!
//! Proven: counts and sums of both directions, and the running balance line by line: each balance is the one before
//! it and the amount. A fund flow names no merchant, so that it is the asked one cannot be proven by its text.
//!
//! Format: `spec/wechat.md` 2; official page "资金账单" (`format-fundflow`) of the WeChat Pay merchant manual.

mod balance;

use balance::Step;

use super::day::Day;
use super::table::{Aliases, Cutter, Row, Titles, below_line_max, normalised};
use super::tally::{Lines, Names, likely_rows};
use super::unpack::{Part, unpack};
use super::{Asked, ROWS_MAX, ReadError, shown};
use crate::domain::money::{self, MoneyError};
use crate::domain::{Cell, Control, Currency, Draft, Entry, EntryKind, State, Statement, Unit};

const TIME: Aliases = &["记账时间"];
const CAUSE_NO: Aliases = &["微信支付业务单号"];
const FLOW_NO: Aliases = &["资金流水单号"];
const NAME: Aliases = &["业务名称"];
const KIND: Aliases = &["业务类型"];
const DIRECTION: Aliases = &["收支类型"];
const AMOUNT: Aliases = &["收支金额(元)"];
const BALANCE: Aliases = &["账户结余(元)"];
const APPLICANT: Aliases = &["资金变更提交申请人"];
const NOTE: Aliases = &["备注"];
const VOUCHER: Aliases = &["业务凭证号"];
const KNOWN: &[Aliases] =
    &[TIME, CAUSE_NO, FLOW_NO, NAME, KIND, DIRECTION, AMOUNT, BALANCE, APPLICANT, NOTE, VOUCHER];

/// The title that begins the summary.
const FIRST_TOTAL: &str = "资金流水总笔数";
const DIGITS: u32 = 2;

/// Reads a whole fund flow as it was downloaded.
///
/// # Errors
///
/// The first line that cannot be understood, with its number and column; a line of another day; a balance that does
/// not follow from the one before it; totals that differ from the lines; a file that ends before its totals or goes on
/// behind them.
///
/// Source: WeChat Pay v2 `pay/downloadfundflow`, v3 `bill/fundflowbill`.
pub fn read(asked: &Asked<'_>, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let part = super::only_part(unpack(raw)?)?;
    let mut cutter = Cutter::<true>::new(&part.text, part.start);
    let titles = super::title_line(&part, &mut cutter)?;
    if titles.find(TIME)?.is_none() && part.first_line().starts_with("交易时间") {
        let found = "this is WeChat's trade bill (交易账单), not its fund flow (资金账单)";
        return Err(ReadError::File(found.to_owned()));
    }
    let columns = Columns::find(&titles)?;
    let mut reader = Reader::new(asked, &titles, &columns, &part.text);
    let totals = movements(&mut cutter, &mut reader, &part)?;
    let mut controls = reader.controls(&mut cutter, &part, &totals)?;
    super::refuse_more(&mut cutter, &part.text)?;
    let mut remarks = Vec::new();
    controls.extend(reader.balance(&mut remarks)?);
    let unknown = titles.unknown(KNOWN);
    if !unknown.is_empty() {
        remarks.push(format!("unknown columns, not read: {}", shown(&unknown.join(", "))));
    }
    let entries = reader.finish(&mut remarks);
    let (parts, text) = (vec![part.name], part.text);
    Ok(Statement::new(asked.date, Draft { text, parts, entries, controls, remarks, ..Draft::default() })?)
}

/// Places of the columns that are read.
struct Columns {
    count: usize,
    time: usize,
    cause_no: usize,
    kind: usize,
    direction: usize,
    amount: usize,
    balance: usize,
    voucher: usize,
    applicant: Option<usize>,
    note: Option<usize>,
}

impl Columns {
    fn find(titles: &Titles) -> Result<Columns, ReadError> {
        titles.need(FLOW_NO)?;
        Ok(Columns {
            count: titles.count(),
            time: titles.need(TIME)?,
            cause_no: titles.need(CAUSE_NO)?,
            kind: titles.need(KIND)?,
            direction: titles.need(DIRECTION)?,
            amount: titles.need(AMOUNT)?,
            balance: titles.need(BALANCE)?,
            voucher: titles.need(VOUCHER)?,
            applicant: titles.find(APPLICANT)?,
            note: titles.find(NOTE)?,
        })
    }
}

/// Reads the movements up to the summary, whose titles are returned. Blank lines, which copies have, are passed over.
fn movements(
    cutter: &mut Cutter<'_, true>,
    reader: &mut Reader<'_>,
    part: &Part,
) -> Result<Titles, ReadError> {
    let text = &part.text;
    while let Some(line) = cutter.advance()? {
        let body = &text.as_bytes()[line.start..line.end];
        if body.first() == Some(&b'`') {
            let count = reader.columns.count;
            if cutter.cells() == count {
                reader.keep(&Row::new(text, line, cutter.fences()))?;
            } else {
                let fences = reader.told_apart(cutter.fences(), line.number)?;
                reader.keep(&Row::new(text, line, &fences))?;
            }
        } else if begins_totals(text.get(line.start..line.end).unwrap_or("")) {
            return Titles::read(text.get(line.start..line.end).unwrap_or(""), line.number);
        } else if !body.is_empty() {
            let found = "begins without a backtick; it is no movement and no summary";
            return Err(ReadError::at(line.number, found));
        }
    }
    Err(ReadError::File(format!("the file ends before its summary (`{FIRST_TOTAL}`); it was cut short")))
}

fn begins_totals(text: &str) -> bool {
    // The title alone is at most this long, blanks inside it included.
    const LETTERS_MAX: usize = 16;
    let head: String = text.chars().take(LETTERS_MAX).take_while(|c| !matches!(c, ',' | '，')).collect();
    normalised(&head) == FIRST_TOTAL
}

/// Gathers the movements.
struct Reader<'a> {
    asked: &'a Asked<'a>,
    titles: &'a Titles,
    columns: &'a Columns,
    day: Day,
    entries: Vec<Entry>,
    steps: Vec<Step>,
    /// Movements and their sum, in and out; amounts without sign.
    sums: [(i128, i128); 2],
    applicants: Names,
    own_applicants: bool,
    repaired: Lines,
}

impl<'a> Reader<'a> {
    fn new(asked: &'a Asked<'a>, titles: &'a Titles, columns: &'a Columns, text: &str) -> Reader<'a> {
        let likely = likely_rows(text, columns.count);
        Reader {
            asked,
            titles,
            columns,
            day: Day::new(asked.date),
            entries: Vec::with_capacity(likely),
            steps: Vec::with_capacity(likely),
            sums: [(0, 0); 2],
            applicants: Names::default(),
            own_applicants: false,
            repaired: Lines::default(),
        }
    }

    /// A line with more cells than titles: the note (备注) is the only column that people write, so it owns them.
    fn told_apart(&mut self, fences: &[u32], line: u32) -> Result<Vec<u32>, ReadError> {
        let cells = fences.len().saturating_sub(1);
        let (Some(note), Some(surplus)) = (self.columns.note, cells.checked_sub(self.columns.count)) else {
            let found = format!("has {cells} cells, the titles {}", self.columns.count);
            return Err(ReadError::at(line, found));
        };
        self.repaired.add(line);
        let inside = note + 1..=note + surplus;
        Ok(fences
            .iter()
            .enumerate()
            .filter(|(place, _)| !inside.contains(place))
            .map(|(_, fence)| *fence)
            .collect())
    }

    #[inline]
    fn keep(&mut self, row: &Row<'_, true>) -> Result<(), ReadError> {
        let columns = self.columns;
        if self.entries.len() >= ROWS_MAX {
            return Err(self.at(row, columns.time, format!("more than {ROWS_MAX} movements in one file")));
        }
        let (kind, state) = match row.cell(columns.direction) {
            "收入" => (EntryKind::Payment, State::Paid),
            "支出" => (EntryKind::Refund, State::Refunded),
            other => {
                let found = format!("`{}` is none of 收入, 支出", shown(other));
                return Err(self.at(row, columns.direction, found));
            }
        };
        let amount = self.amount(row, columns.amount)?;
        if amount < 0 {
            return Err(self.at(row, columns.amount, "is negative; its sign stands in 收支类型".to_owned()));
        }
        let balance = self.amount(row, columns.balance)?;
        let sum = &mut self.sums[usize::from(kind == EntryKind::Refund)];
        *sum = (sum.0 + 1, sum.1 + i128::from(amount));
        let signed = kind.sign() * amount;
        self.steps.push(Step { amount: signed, balance });
        let mut entry = self.place(row)?;
        (entry.kind, entry.state) = (kind, state);
        (entry.amount_minor, entry.settled_minor) = (Some(signed), signed);
        entry.happened_at = self.happened_at(row)?;
        entry.set_cell(Cell::OrderNo, row.span(columns.voucher));
        entry.set_cell(Cell::TradeNo, row.span(columns.cause_no));
        entry.set_cell(Cell::Subject, row.span(columns.kind));
        self.note_applicant(row);
        self.entries.push(entry);
        Ok(())
    }

    fn place(&self, row: &Row<'_, true>) -> Result<Entry, ReadError> {
        let line = row.line();
        let start = u32::try_from(line.start);
        let start = start.map_err(|_| ReadError::at(line.number, "begins behind the first 4 GiB"))?;
        let mut entry = Entry::at(start, below_line_max(line.end - line.start), 0, line.number);
        entry.currency = Currency::CNY;
        Ok(entry)
    }

    #[inline]
    fn amount(&self, row: &Row<'_, true>, column: usize) -> Result<i64, ReadError> {
        row.amount(column, DIGITS).map_err(|error: MoneyError| self.at(row, column, error.to_string()))
    }

    fn happened_at(&self, row: &Row<'_, true>) -> Result<crate::domain::Moment, ReadError> {
        let text = row.cell(self.columns.time);
        match self.day.moment(text) {
            Some(moment) if self.day.contains(moment) => Ok(moment),
            Some(moment) => {
                let found = format!("{} (line {})", moment.date(), row.line().number);
                Err(ReadError::OtherDay { asked: self.asked.date, found })
            }
            None => {
                let found = format!("`{}` is not a time (yyyy-MM-dd HH:mm:ss)", shown(text));
                Err(self.at(row, self.columns.time, found))
            }
        }
    }

    /// `1900012345API`: the one hint of whose account this is.
    #[inline]
    fn note_applicant(&mut self, row: &Row<'_, true>) {
        let applicant = self.columns.applicant.map_or("", |column| row.cell(column));
        let Some(merchant) = applicant.strip_suffix("API") else { return };
        if merchant == self.asked.merchant {
            self.own_applicants = true;
        } else if !self.own_applicants && !merchant.is_empty() && merchant.bytes().all(|b| b.is_ascii_digit())
        {
            self.applicants.add(applicant);
        }
    }

    /// Reads the summary's values: every total beside the same over the lines.
    fn controls(
        &self,
        cutter: &mut Cutter<'_, true>,
        part: &Part,
        titles: &Titles,
    ) -> Result<Vec<Control>, ReadError> {
        let mut line = cutter.advance()?;
        while line.is_some_and(|line| line.start == line.end) {
            line = cutter.advance()?;
        }
        let Some(line) = line else {
            let found = "the file ends before the values of its summary; it was cut short";
            return Err(ReadError::at(titles.line(), found));
        };
        let row = Row::<true>::new(&part.text, line, cutter.fences());
        if row.count() != titles.count() {
            let found = format!("the summary has {} values and {} titles", row.count(), titles.count());
            return Err(ReadError::at(line.number, found));
        }
        let [(count_in, sum_in), (count_out, sum_out)] = self.sums;
        let minor = Unit::Minor { digits: DIGITS };
        let totals: [(Aliases, Unit, i128); 5] = [
            (&[FIRST_TOTAL], Unit::Count, count_in + count_out),
            (&["收入笔数"], Unit::Count, count_in),
            (&["收入金额"], minor, sum_in),
            (&["支出笔数"], Unit::Count, count_out),
            (&["支出金额"], minor, sum_out),
        ];
        totals
            .iter()
            .map(|(aliases, unit, counted)| {
                let column = titles.need(aliases)?;
                let wrong = |found: String| ReadError::at(line.number, found).in_column(titles.name(column));
                // Counts are written as `20` and as `20.0`.
                let digits = if *unit == Unit::Count { 0 } else { DIGITS };
                let stated =
                    money::parse_minor(row.cell(column), digits).map_err(|error| wrong(error.to_string()))?;
                let counted = i64::try_from(*counted)
                    .map_err(|_| wrong("the lines add up to more than this program can hold".to_owned()))?;
                Ok(Control { title: titles.name(column).to_owned(), unit: *unit, stated, counted })
            })
            .collect()
    }

    /// The closing balance beside the opening one and all movements, once every line has been proven to follow.
    fn balance(&self, remarks: &mut Vec<String>) -> Result<Option<Control>, ReadError> {
        let title = self.titles.name(self.columns.balance);
        let chain = balance::prove(&self.steps).map_err(|broken| {
            let line = self.entries.get(broken.place).map_or(0, |entry| entry.line);
            let [before, amount, after] = broken.amounts.map(|minor| money::major(minor, DIGITS));
            let found = format!(
                "`{after}` does not follow from {before} and {amount}, and no other order of the lines explains the \
                 balances"
            );
            ReadError::at(line, found).in_column(title)
        })?;
        let Some(chain) = chain else { return Ok(None) };
        if chain.reordered {
            remarks.push(
                "the lines are not in the order of their balances; in another order all of them follow"
                    .into(),
            );
        }
        let unit = Unit::Minor { digits: DIGITS };
        Ok(Some(Control { title: title.to_owned(), unit, stated: chain.closing, counted: chain.counted }))
    }

    fn finish(self, remarks: &mut Vec<String>) -> Vec<Entry> {
        self.repaired.remark("a note holds a comma and a backtick; its cells were put together", remarks);
        let others = self.applicants.to_string();
        if !self.own_applicants && !others.is_empty() {
            remarks.push(format!("no line was asked for by merchant {}, but: {others}", self.asked.merchant));
        }
        self.entries
    }

    #[cold]
    fn at(&self, row: &Row<'_, true>, column: usize, found: String) -> ReadError {
        ReadError::at(row.line().number, found).in_column(self.titles.name(column))
    }
}
