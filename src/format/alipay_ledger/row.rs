//! One row of the ledger: which way the money went, and whether it is a fee.

use std::collections::HashSet;

use crate::domain::money;
use crate::domain::{Cell, Currency, Entry, EntryKind};
use crate::format::day::Day;
use crate::format::sheet::{Gather, Movement, Record};
use crate::format::table::{Aliases, Titles};
use crate::format::{Asked, ReadError, shown};

const ID: Aliases = &["账务流水号"];
const TRADE_NO: Aliases = &["业务流水号"];
const ORDER_NO: Aliases = &["商户订单号"];
const SUBJECT: Aliases = &["商品名称"];
const AT: Aliases = &["发生时间"];
const INCOME: Aliases = &["收入金额（+元）", "收入金额"];
const OUTGO: Aliases = &["支出金额（-元）", "支出金额"];
const KIND: Aliases = &["业务类型"];
const KNOWN: &[Aliases] = &[
    ID,
    TRADE_NO,
    ORDER_NO,
    SUBJECT,
    AT,
    INCOME,
    OUTGO,
    KIND,
    &["对方账号"],
    &["账户余额"],
    &["交易渠道"],
    &["备注"],
];

const FEE: &str = "收费";
const E5_OF_FEN: i64 = 1000;

/// What one direction adds up to, signed as in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) rows: i64,
    pub(super) minor: i64,
}

#[derive(Clone, Copy, Debug)]
struct Columns {
    count: usize,
    id: usize,
    trade_no: usize,
    order_no: usize,
    at: usize,
    income: usize,
    outgo: usize,
    kind: usize,
    subject: Option<usize>,
}

/// Gathers the rows of all parts.
pub(super) struct Reader<'a> {
    asked: &'a Asked<'a>,
    day: Day,
    columns: Option<Columns>,
    gather: Gather<'a>,
    ids: HashSet<String>,
    /// Outgo, then income.
    pub(super) sums: [Sum; 2],
    pub(super) remarks: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(asked: &'a Asked<'a>, text: &'a str) -> Reader<'a> {
        Reader {
            asked,
            day: Day::new(asked.date),
            columns: None,
            gather: Gather::new(text),
            ids: HashSet::new(),
            sums: [Sum::default(); 2],
            remarks: Vec::new(),
        }
    }

    pub(super) fn turn_to(&mut self, part: usize, base: usize) {
        self.gather.turn_to(part, base);
    }

    /// The titles of the rows that follow.
    pub(super) fn layout(&mut self, titles: &Titles) -> Result<(), ReadError> {
        self.columns = Some(Columns {
            count: titles.count(),
            id: titles.need(ID)?,
            trade_no: titles.need(TRADE_NO)?,
            order_no: titles.need(ORDER_NO)?,
            at: titles.need(AT)?,
            income: titles.need(INCOME)?,
            outgo: titles.need(OUTGO)?,
            kind: titles.need(KIND)?,
            subject: titles.find(SUBJECT)?,
        });
        let unknown = titles.unknown(KNOWN);
        if !unknown.is_empty() {
            self.remarks.push(format!("unknown columns, not read: {}", shown(&unknown.join(", "))));
        }
        Ok(())
    }

    /// Takes one row.
    ///
    /// # Errors
    ///
    /// Both sides or none, a sign on the wrong side, a ledger number twice, another day.
    pub(super) fn keep(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        let Some(columns) = self.columns else {
            return Err(ReadError::at(record.number, "a row before the titles"));
        };
        if record.count() != columns.count {
            let found = format!("has {} cells, the titles {}", record.count(), columns.count);
            return Err(ReadError::at(record.number, found));
        }
        let id = record.cell(columns.id);
        if id.is_empty() || id.contains('+') || !self.ids.insert(id.to_owned()) {
            let found = format!("`{}` is there twice, or is no number", shown(id));
            return Err(record.error(ID[0], found));
        }
        let minor = self.moved(record, &columns)?;
        let text = record.cell(columns.at);
        let happened_at = self.day.moment(text);
        let happened_at =
            happened_at.ok_or_else(|| record.error(AT[0], format!("`{}` is not a time", shown(text))))?;
        if !self.day.contains(happened_at) {
            let found = format!("{} (line {})", happened_at.date(), record.number);
            return Err(ReadError::OtherDay { asked: self.asked.date, found });
        }
        let kind = if minor < 0 { EntryKind::Refund } else { EntryKind::Payment };
        let (amount, fee) = if record.cell(columns.kind) == FEE { (0, -minor) } else { (minor, 0) };
        let fee_e5 = fee
            .checked_mul(E5_OF_FEN)
            .ok_or_else(|| ReadError::at(record.number, "the fee is larger than this program can hold"))?;
        let movement = Movement {
            kind,
            currency: Currency::CNY,
            happened_at,
            amount_minor: amount,
            settled_minor: amount,
            fee_e5,
        };
        let cells = [
            (Cell::OrderNo, Some(columns.order_no)),
            (Cell::TradeNo, Some(columns.trade_no)),
            (Cell::Subject, columns.subject),
        ];
        self.gather.keep(record, &movement, &cells)
    }

    /// The signed fen of a row, by its one side that is not zero.
    fn moved(&mut self, record: &Record<'_>, columns: &Columns) -> Result<i64, ReadError> {
        let side = |column: usize, title: &str| match record.cell(column) {
            "" => Ok(0),
            text => money::parse_minor(text, 2).map_err(|error| record.error(title, error.to_string())),
        };
        let (income, outgo) = (side(columns.income, INCOME[0])?, side(columns.outgo, OUTGO[0])?);
        let way = match (income, outgo) {
            (1.., 0) => 1,
            (0, ..=-1) => 0,
            _ => {
                let found = "a row moves money one way: income above, or outgo below zero";
                return Err(ReadError::at(record.number, found));
            }
        };
        let sum = &mut self.sums[way];
        sum.rows += 1;
        sum.minor = sum.minor.checked_add(income + outgo).ok_or_else(|| {
            ReadError::at(record.number, "the rows add up to more than this program can hold")
        })?;
        Ok(income + outgo)
    }

    pub(super) fn finish(self) -> (Vec<Entry>, String, Vec<String>) {
        let (entries, rewritten) = self.gather.finish();
        (entries, rewritten, self.remarks)
    }
}
