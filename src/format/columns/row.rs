//! One line of a mapped table.

use std::collections::BTreeMap;

use super::Map;
use crate::domain::money;
use crate::domain::statement::Foreign;
use crate::domain::{Cell, Currency, Entry, EntryKind, Moment};
use crate::format::day::spreadsheet_moment;
use crate::format::sheet::{Gather, Movement, Record};
use crate::format::table::{Titles, normalised};
use crate::format::tally::Names;
use crate::format::{Asked, ReadError, shown};

/// Places of the mapped columns.
#[derive(Clone, Copy)]
struct Columns {
    count: usize,
    amount: usize,
    time: usize,
    order_no: Option<usize>,
    trade_no: Option<usize>,
    kind: Option<usize>,
    refund_no: Option<usize>,
    fee: Option<usize>,
    currency: Option<usize>,
    subject: Option<usize>,
    store: Option<usize>,
    till: Option<usize>,
    merchant: Option<usize>,
}

/// Gathers the movements.
pub(super) struct Reader<'a> {
    asked: &'a Asked<'a>,
    map: &'a Map,
    columns: Columns,
    gather: Gather<'a>,
    others: BTreeMap<String, u64>,
    foreign: Foreign,
    foreign_names: Names,
    pub(super) remarks: Vec<String>,
}

/// What a [`Reader`] came to.
pub(super) struct Told {
    pub(super) entries: Vec<Entry>,
    pub(super) rewritten: String,
    pub(super) foreign: Foreign,
    pub(super) remarks: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        asked: &'a Asked<'a>,
        map: &'a Map,
        titles: &Titles,
        text: &'a str,
    ) -> Result<Reader<'a>, ReadError> {
        let place = |title: &str| titles.names().position(|name| normalised(name) == normalised(title));
        let of = |title: &Option<String>| title.as_deref().and_then(place);
        let needed = |title: &str| {
            place(title).ok_or_else(|| ReadError::at(titles.line(), format!("no column `{}`", shown(title))))
        };
        let columns = Columns {
            count: titles.count(),
            amount: needed(&map.amount)?,
            time: needed(&map.time)?,
            order_no: of(&map.order_no),
            trade_no: of(&map.trade_no),
            kind: of(&map.kind),
            refund_no: of(&map.refund_no),
            fee: of(&map.fee),
            currency: of(&map.currency),
            subject: of(&map.subject),
            store: of(&map.store),
            till: of(&map.till),
            merchant: of(&map.merchant),
        };
        Ok(Reader {
            asked,
            map,
            columns,
            gather: Gather::new(text),
            others: BTreeMap::new(),
            foreign: Foreign::default(),
            foreign_names: Names::default(),
            remarks: Vec::new(),
        })
    }

    /// Takes one line.
    ///
    /// # Errors
    ///
    /// A kind that the map does not name, a sign against it, another day, a cell that is no amount, time or currency.
    pub(super) fn keep(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        let columns = self.columns;
        if record.count() != columns.count {
            let found = format!("has {} cells, the titles {}", record.count(), columns.count);
            return Err(ReadError::at(record.number, found));
        }
        let currency = match columns.currency.map_or("", |column| record.cell(column)) {
            "" | "人民币" => Currency::CNY,
            code => Currency::parse(code).map_err(|e| record.error("currency", e.to_string()))?,
        };
        let minor = self.minor(record, currency)?;
        let Some(kind) = self.kind(record, minor)? else { return Ok(()) };
        let amount_minor = kind.sign() * minor.abs();
        let merchant = columns.merchant.map_or(self.asked.merchant, |column| record.cell(column));
        if merchant != self.asked.merchant {
            self.foreign_names.add(merchant);
            self.foreign.rows += 1;
            let sum = self.foreign.amount_minor.checked_add(amount_minor);
            self.foreign.amount_minor =
                sum.ok_or_else(|| ReadError::at(record.number, "the lines add up to too much"))?;
            return Ok(());
        }
        let happened_at = self.happened_at(record)?;
        let fee_e5 = self.fee_e5(record)?;
        if columns.order_no.map_or("", |column| record.cell(column)).is_empty()
            && columns.trade_no.map_or("", |column| record.cell(column)).is_empty()
        {
            return Err(ReadError::at(record.number, "a line without any number"));
        }
        let settled_minor = amount_minor;
        let movement = Movement { kind, currency, happened_at, amount_minor, settled_minor, fee_e5 };
        let refund_no = columns.refund_no.filter(|_| kind != EntryKind::Payment);
        let cells = [
            (Cell::OrderNo, columns.order_no),
            (Cell::TradeNo, columns.trade_no),
            (Cell::RefundNo, refund_no),
            (Cell::Subject, columns.subject),
            (Cell::Store, columns.store),
            (Cell::Till, columns.till),
        ];
        self.gather.keep(record, &movement, &cells)
    }

    fn minor(&self, record: &Record<'_>, currency: Currency) -> Result<i64, ReadError> {
        let digits = if self.map.fen { 0 } else { currency.digits() };
        let text = record.cell(self.columns.amount);
        money::parse_minor(text, digits).map_err(|e| record.error(&self.map.amount, e.to_string()))
    }

    /// What the line is; `None` for what is counted and not compared.
    fn kind(&mut self, record: &Record<'_>, minor: i64) -> Result<Option<EntryKind>, ReadError> {
        let map = self.map;
        let Some(column) = self.columns.kind else {
            return Ok(Some(if minor < 0 { EntryKind::Refund } else { EntryKind::Payment }));
        };
        let word = record.cell(column);
        let among = |values: &[String]| values.iter().any(|value| value == word);
        let kind = if among(&map.payments) {
            EntryKind::Payment
        } else if among(&map.refunds) {
            EntryKind::Refund
        } else if among(&map.reversals) {
            EntryKind::Reversal
        } else if among(&map.others) {
            *self.others.entry(shown(word)).or_default() += 1;
            return Ok(None);
        } else {
            let title = map.kind.as_deref().unwrap_or("");
            let found = format!("`{}` is none of the values in `columns`", shown(word));
            return Err(record.error(title, found));
        };
        if kind == EntryKind::Payment && minor < 0 {
            let found = format!("`{}` on a line of {}", record.cell(self.columns.amount), shown(word));
            return Err(record.error(&map.amount, found));
        }
        Ok(Some(kind))
    }

    fn happened_at(&self, record: &Record<'_>) -> Result<Moment, ReadError> {
        let text = record.cell(self.columns.time);
        let moment = Moment::parse(text).or_else(|| Moment::parse_compact(text));
        let moment = moment
            .or_else(|| spreadsheet_moment(text))
            .ok_or_else(|| record.error(&self.map.time, format!("`{}` is not a time", shown(text))))?;
        if self.asked.date.contains(moment) {
            return Ok(moment);
        }
        let found = format!("{} (line {})", moment.date(), record.number);
        Err(ReadError::OtherDay { asked: self.asked.date, found })
    }

    fn fee_e5(&self, record: &Record<'_>) -> Result<i64, ReadError> {
        const E5_OF_FEN: i64 = 1000;
        let text = self.columns.fee.map_or("", |column| record.cell(column));
        if text.is_empty() {
            return Ok(0);
        }
        let wrong = |found: String| record.error(self.map.fee.as_deref().unwrap_or(""), found);
        let fee = if self.map.fen {
            let fen = money::parse_integer(text).map_err(|e| wrong(e.to_string()))?;
            fen.checked_mul(E5_OF_FEN).ok_or_else(|| wrong("too large".to_owned()))?
        } else {
            money::parse_e5(text).map_err(|e| wrong(e.to_string()))?
        };
        Ok(if self.map.fee_is_negative { -fee } else { fee })
    }

    /// # Errors
    ///
    /// Lines, but none of the asked merchant.
    pub(super) fn finish(mut self) -> Result<Told, ReadError> {
        if self.gather.entries.is_empty() && self.foreign.rows > 0 {
            let asked = self.asked.merchant.to_owned();
            return Err(ReadError::OtherMerchant { asked, found: self.foreign_names.to_string() });
        }
        for (word, lines) in &self.others {
            self.remarks.push(format!("lines of another kind, not compared: {word} ({lines} lines)"));
        }
        if self.foreign.rows > 0 {
            self.remarks.push(format!("lines of other merchants, not kept: {}", self.foreign_names));
        }
        let (entries, rewritten) = self.gather.finish();
        Ok(Told { entries, rewritten, foreign: self.foreign, remarks: self.remarks })
    }
}
