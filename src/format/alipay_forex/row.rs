//! One line of a forex file: a movement with its currency, its fee and its two times.

use std::collections::BTreeMap;

use super::columns::Columns;
use crate::domain::money::{self, MoneyError};
use crate::domain::{BillDate, Cell, Control, Currency, Entry, EntryKind, Moment};
use crate::format::day::spreadsheet_moment;
use crate::format::sheet::{Gather, Movement, Record};
use crate::format::tally::Lines;
use crate::format::{Asked, ReadError, shown};

/// What the lines of one currency add up to, signed, in its minor unit; the fee in 1/100000 of the major unit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) rows: u64,
    pub(super) amount: i128,
    pub(super) settlement: i128,
    pub(super) fee_e5: i128,
}

/// Gathers the movements of all parts.
pub(super) struct Reader<'a> {
    asked: &'a Asked<'a>,
    columns: Option<Columns>,
    gather: Gather<'a>,
    /// Of each movement, when it was settled.
    settled_at: Vec<Option<Moment>>,
    /// By the currency in which is settled.
    pub(super) sums: BTreeMap<String, Sums>,
    counts: Vec<Control>,
    two_currencies: Lines,
    uneven: Lines,
    remarks: Vec<String>,
}

/// What a [`Reader`] came to.
pub(super) struct Told {
    pub(super) entries: Vec<Entry>,
    pub(super) rewritten: String,
    pub(super) remarks: Vec<String>,
}

/// The money of a line.
struct Money {
    currency: Currency,
    amount_minor: i64,
    settled_minor: i64,
    fee_e5: i64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(asked: &'a Asked<'a>, text: &'a str) -> Reader<'a> {
        Reader {
            asked,
            columns: None,
            gather: Gather::new(text),
            settled_at: Vec::new(),
            sums: BTreeMap::new(),
            counts: Vec::new(),
            two_currencies: Lines::default(),
            uneven: Lines::default(),
            remarks: Vec::new(),
        }
    }

    pub(super) fn turn_to(&mut self, part: usize, base: usize) {
        self.gather.turn_to(part, base);
    }

    /// The columns of the records that follow; `unknown` names those that nobody knows.
    pub(super) fn layout(&mut self, columns: Columns, unknown: &str) {
        self.columns = Some(columns);
        if !unknown.is_empty() {
            self.remarks.push(format!("unknown columns, not read: {unknown}"));
        }
    }

    pub(super) fn add_count(&mut self, control: Control) {
        self.counts.push(control);
    }

    pub(super) fn controls(&mut self) -> Vec<Control> {
        std::mem::take(&mut self.counts)
    }

    /// Takes one line.
    pub(super) fn keep(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        let Some(columns) = self.columns.clone() else {
            return Err(ReadError::at(record.number, "a line before the titles"));
        };
        check_shape(record, &columns)?;
        let kind = kind_of(record, &columns)?;
        let happened_at = moment(record, columns.paid_at, "Payment_time")?;
        let settled_at = match columns.settled_at {
            Some(column) if !record.cell(column).is_empty() => {
                Some(moment(record, column, "Settlement_time")?)
            }
            _ => None,
        };
        let money = self.money(record, &columns, kind)?;
        let Money { currency, amount_minor, settled_minor, fee_e5 } = money;
        let movement = Movement { kind, currency, happened_at, amount_minor, settled_minor, fee_e5 };
        self.gather.keep(record, &movement, &cells(kind, &columns))?;
        self.settled_at.push(settled_at);
        Ok(())
    }

    /// Sign by the type: payments positive, all else negative, however the file writes it.
    fn money(&mut self, record: &Record<'_>, columns: &Columns, kind: EntryKind) -> Result<Money, ReadError> {
        let currency = currency(record, columns.currency, "Currency")?;
        let minor = |column: usize, title: &str, currency: Currency| {
            let parsed = money::parse_minor(record.cell(column), currency.digits());
            parsed.map_err(|error| wrong(record, title, &error)).map(|minor| kind.sign() * minor.abs())
        };
        let settled_minor = minor(columns.amount, "Amount", currency)?;
        let settlement = match columns.settlement {
            Some(column) if !record.cell(column).is_empty() => Some(minor(column, "Settlement", currency)?),
            _ => None,
        };
        let fee_e5 = self.fee_e5(record, columns, kind, (settled_minor, settlement, currency))?;
        let sums = self.sums.entry(currency.to_string()).or_default();
        sums.rows += 1;
        sums.amount += i128::from(settled_minor);
        sums.settlement += i128::from(settlement.unwrap_or(0));
        sums.fee_e5 += i128::from(fee_e5);
        let labelled = match (columns.labelled, columns.labelled_currency) {
            (Some(amount), Some(code))
                if !record.cell(amount).is_empty() && !record.cell(code).is_empty() =>
            {
                Some((amount, self::currency(record, code, "Trans_currency")?))
            }
            _ => None,
        };
        match labelled {
            Some((column, labelled)) if labelled != currency => {
                // An entry has one currency: what is settled of it in another stays in the line.
                self.two_currencies.add(record.number);
                let amount_minor = minor(column, "Trans_amount", labelled)?;
                Ok(Money { currency: labelled, amount_minor, settled_minor: amount_minor, fee_e5: 0 })
            }
            Some((column, labelled)) => {
                let amount_minor = minor(column, "Trans_amount", labelled)?;
                Ok(Money { currency, amount_minor, settled_minor, fee_e5 })
            }
            None => Ok(Money { currency, amount_minor: settled_minor, settled_minor, fee_e5 }),
        }
    }

    /// Charged is positive. On a refund the unsigned fee is one that was given back, unless Settlement shows that it was
    /// charged on top.
    fn fee_e5(
        &mut self,
        record: &Record<'_>,
        columns: &Columns,
        kind: EntryKind,
        (amount, settlement, currency): (i64, Option<i64>, Currency),
    ) -> Result<i64, ReadError> {
        let Some(column) = columns.fee.filter(|column| !record.cell(*column).is_empty()) else {
            return Ok(0);
        };
        let fee = money::parse_e5(record.cell(column)).map_err(|error| wrong(record, "Fee", &error))?.abs();
        let Some(settlement) = settlement else { return Ok(kind.sign() * fee) };
        let unit = 10_i128.pow(money::E5_DIGITS - currency.digits());
        let rest = (i128::from(amount) - i128::from(settlement)) * unit;
        let fee = i128::from(fee);
        // What was held back of a payment, or is missing from what went back.
        let charged = if rest == fee {
            fee
        } else if rest == -fee {
            -fee
        } else {
            self.uneven.add(record.number);
            fee * i128::from(kind.sign())
        };
        i64::try_from(charged).map_err(|_| ReadError::at(record.number, "the fee is too large"))
    }

    /// Decides of which day the file is, and tells what a person should hear.
    pub(super) fn finish(mut self) -> Result<Told, ReadError> {
        self.of_the_day()?;
        if self.sums.len() > 1 {
            let mut words = Vec::new();
            for (code, sums) in &self.sums {
                let digits = Currency::parse(code).map_or(2, Currency::digits);
                let amount = i64::try_from(sums.amount).map_err(|_| too_much())?;
                words.push(format!("{code} {} ({} lines)", money::major(amount, digits), sums.rows));
            }
            self.remarks.push(format!("several currencies: {}", words.join(", ")));
        }
        self.two_currencies.remark(
            "the price was labelled in another currency than it is settled in; fee and settled amount stay in the line",
            &mut self.remarks,
        );
        self.uneven.remark("Settlement is not Amount less Fee", &mut self.remarks);
        let (entries, rewritten) = self.gather.finish();
        Ok(Told { entries, rewritten, remarks: self.remarks })
    }

    /// All payments of the asked day, or else all settled on it: settlements lag by days and come in batches.
    fn of_the_day(&mut self) -> Result<(), ReadError> {
        let date = self.asked.date;
        let entries = &mut self.gather.entries;
        let Some(stranger) = entries.iter().find(|entry| !date.contains(entry.happened_at)) else {
            return Ok(());
        };
        let other = format!("{} (line {})", stranger.happened_at.date(), stranger.line);
        if !self.settled_at.iter().all(|at| at.is_some_and(|at| date.contains(at))) {
            return Err(ReadError::OtherDay { asked: date, found: other });
        }
        let mut days: Vec<BillDate> = entries.iter().map(|entry| entry.happened_at.date()).collect();
        days.sort_unstable();
        self.remarks.push(format!(
            "a settlement: its payments are of {} to {}, so it cannot meet the log of one day",
            days[0],
            days[days.len() - 1]
        ));
        for (entry, at) in entries.iter_mut().zip(&self.settled_at) {
            entry.happened_at = at.unwrap_or(entry.happened_at);
        }
        Ok(())
    }
}

fn too_much() -> ReadError {
    ReadError::File("the lines add up to more than this program can hold".into())
}

/// The pulled layout may lack its last cell, the remarks; with bars a line may end with one.
fn check_shape(record: &Record<'_>, columns: &Columns) -> Result<(), ReadError> {
    let (cells, titles) = (record.count(), columns.count);
    let extra = columns.bars && cells == titles + 1 && record.cell(titles).is_empty();
    let lacking = columns.pulled && cells + 1 == titles;
    if cells == titles || extra || lacking {
        return Ok(());
    }
    Err(ReadError::at(record.number, format!("has {cells} cells, the titles {titles}")))
}

fn kind_of(record: &Record<'_>, columns: &Columns) -> Result<EntryKind, ReadError> {
    let status = columns.status.map_or("", |column| record.cell(column));
    if !matches!(status.to_ascii_uppercase().as_str(), "" | "P" | "L" | "SUCCESS" | "SETTLED") {
        return Err(record.error("Status", format!("`{}` is none of P, L, SUCCESS, SETTLED", shown(status))));
    }
    match record.cell(columns.kind).to_ascii_uppercase().as_str() {
        "P" | "PAYMENT" => Ok(EntryKind::Payment),
        "R" | "REFUND" => Ok(EntryKind::Refund),
        "REVERSAL" | "CANCEL" => Ok(EntryKind::Reversal),
        other => {
            Err(record.error("Type", format!("`{}` is no payment, refund, reversal or cancel", shown(other))))
        }
    }
}

/// A refund line's own number is the refund's; the payment's stands beside it, if anywhere.
fn cells(kind: EntryKind, columns: &Columns) -> [(Cell, Option<usize>); 4] {
    let (order, refund) = match kind {
        EntryKind::Refund => (columns.original, Some(columns.id)),
        EntryKind::Payment | EntryKind::Reversal => (Some(columns.id), None),
    };
    [
        (Cell::OrderNo, order),
        (Cell::RefundNo, refund),
        (Cell::TradeNo, columns.trade_no),
        (Cell::Subject, columns.remarks),
    ]
}

fn currency(record: &Record<'_>, column: usize, title: &str) -> Result<Currency, ReadError> {
    Currency::parse(record.cell(column)).map_err(|error| wrong(record, title, &error))
}

fn wrong(record: &Record<'_>, title: &str, error: &MoneyError) -> ReadError {
    record.error(title, error.to_string())
}

/// `yyyyMMddHHmmss`, `yyyy-MM-dd HH:mm:ss`, or `MM/DD/YYYY H:MM` as Hong Kong's files have it.
fn moment(record: &Record<'_>, column: usize, title: &str) -> Result<Moment, ReadError> {
    let text = record.cell(column);
    let american = || {
        let (date, time) = text.split_once(' ')?;
        let (month, rest) = date.split_once('/')?;
        let (day, year) = rest.split_once('/')?;
        spreadsheet_moment(&format!("{year}/{month}/{day} {time}"))
    };
    let read = Moment::parse_compact(text).or_else(|| Moment::parse(text)).or_else(american);
    read.ok_or_else(|| record.error(title, format!("`{}` is not a time", shown(text))))
}
