//! One line of the trade detail: a movement, its amounts and its place.

use super::columns::Columns;
use super::frame::Traces;
use super::quotes::PlainLine;
use crate::domain::money::{E5_DIGITS, MoneyError};
use crate::domain::statement::Foreign;
use crate::domain::{Cell, Currency, Entry, EntryKind, Moment, State};
use crate::format::day::{Day, spreadsheet_moment};
use crate::format::table::{Line, Row, Titles, below_line_max};
use crate::format::tally::{Names, likely_rows};
use crate::format::unpack::Part;
use crate::format::{Asked, LINE_MAX, ROWS_MAX, ReadError, shown};

/// What the lines of one kind add up to, in fen and signed as in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KindSums {
    pub(super) rows: i128,
    pub(super) gross: i128,
    pub(super) settled: i128,
    pub(super) merchant_discount: i128,
    pub(super) alipay_discount: i128,
    pub(super) all_discounts: i128,
    /// 1/100000 yuan, negative where charged.
    pub(super) fee_e5: i128,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) payments: KindSums,
    pub(super) refunds: KindSums,
}

/// Gathers the movements.
pub(super) struct Reader<'a> {
    asked: &'a Asked<'a>,
    titles: &'a Titles,
    columns: &'a Columns,
    /// The column to be compared with the asked sub-merchant, if one is asked.
    sub_merchant: Option<usize>,
    day: Day,
    part: u8,
    entries: Vec<Entry>,
    pub(super) sums: Sums,
    foreign_rows: u64,
    foreign_minor: i128,
    foreign_names: Names,
    traces: Traces,
    /// First byte behind the text, where rewritten lines will stand.
    text_end: usize,
    rewritten: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        asked: &'a Asked<'a>,
        titles: &'a Titles,
        columns: &'a Columns,
        part: &Part,
        place: usize,
    ) -> Result<Reader<'a>, ReadError> {
        Ok(Reader {
            asked,
            titles,
            columns,
            sub_merchant: columns.asked_sub_merchant(titles, asked.sub_merchant)?,
            day: Day::new(asked.date),
            part: u8::try_from(place).unwrap_or(u8::MAX),
            entries: Vec::with_capacity(likely_rows(&part.text, columns.count)),
            sums: Sums::default(),
            foreign_rows: 0,
            foreign_minor: 0,
            foreign_names: Names::default(),
            traces: Traces::default(),
            text_end: part.text.len(),
            rewritten: String::new(),
        })
    }

    /// Reads a line whose quotes were taken away; it will stand behind the text.
    pub(super) fn keep_rewritten(&mut self, line: Line, plain: PlainLine) -> Result<(), ReadError> {
        self.traces.add(line.number, "cells in quotes");
        let PlainLine { text, fences } = plain;
        if text.len() >= LINE_MAX {
            return Err(ReadError::at(line.number, "too long"));
        }
        let offset = self.text_end + self.rewritten.len();
        let place = Line { number: line.number, start: 0, end: text.len() };
        self.keep(&Row::new(&text, place, &fences), offset)?;
        self.rewritten.push_str(&text);
        Ok(())
    }

    /// Reads one movement. `offset` is added to its place in the text.
    #[inline]
    pub(super) fn keep(&mut self, row: &Row<'_, false>, offset: usize) -> Result<(), ReadError> {
        self.check_shape(row)?;
        let kind = self.kind(row)?;
        let mut entry = self.place(row, offset)?;
        entry.kind = kind;
        entry.state = if kind == EntryKind::Payment { State::Paid } else { State::Refunded };
        entry.currency = Currency::CNY;
        entry.happened_at = self.happened_at(row)?;
        let gross = self.amount(row, self.columns.gross)?;
        if gross * kind.sign() < 0 {
            let found =
                format!("`{}` on a line of {}", row.cell(self.columns.gross), row.cell(self.columns.kind));
            return Err(self.at(row, self.columns.gross, found));
        }
        entry.amount_minor = Some(gross);
        entry.settled_minor = self.amount(row, self.columns.settled)?;
        entry.fee_e5 = -self.fee_e5(row)?;
        self.add(row, &entry, gross)?;
        let ours = self.sub_merchant.is_none_or(|column| row.cell(column) == self.asked.sub_merchant);
        if ours {
            self.set_cells(row, &mut entry);
            self.entries.push(entry);
        } else if let Some(column) = self.sub_merchant {
            self.foreign_rows += 1;
            self.foreign_minor += i128::from(gross);
            self.foreign_names.add(row.cell(column));
        }
        Ok(())
    }

    /// # Errors
    ///
    /// Lines, but none of the asked sub-merchant: this is someone else's bill.
    pub(super) fn refuse_only_foreign(&self) -> Result<(), ReadError> {
        if self.entries.is_empty() && self.foreign_rows > 0 {
            let asked = self.asked.sub_merchant.to_owned();
            return Err(ReadError::OtherMerchant { asked, found: self.foreign_names.to_string() });
        }
        Ok(())
    }

    pub(super) fn finish(
        self,
        remarks: &mut Vec<String>,
    ) -> Result<(Vec<Entry>, Foreign, String), ReadError> {
        if self.foreign_rows > 0 {
            remarks.push(format!("lines of other sub-merchants, not kept: {}", self.foreign_names));
        }
        self.traces.remark(remarks);
        let amount_minor = i64::try_from(self.foreign_minor).map_err(|_| {
            ReadError::File(
                "the lines of other sub-merchants add up to more than this program can hold".to_owned(),
            )
        })?;
        let foreign = Foreign { rows: self.foreign_rows, amount_minor };
        Ok((self.entries, foreign, self.rewritten))
    }

    fn check_shape(&self, row: &Row<'_, false>) -> Result<(), ReadError> {
        let (cells, titles) = (row.count(), self.columns.count);
        let number = row.line().number;
        if cells != titles {
            let why = if cells > titles { "; a text with a comma in it, perhaps" } else { "" };
            return Err(ReadError::at(number, format!("has {cells} cells, the titles {titles}{why}")));
        }
        if self.entries.len() >= ROWS_MAX {
            return Err(ReadError::at(number, format!("more than {ROWS_MAX} movements in one file")));
        }
        // A spreadsheet writes 28 digits as 2.02405E+27.
        let trade_no = row.bytes(self.columns.trade_no);
        if trade_no.is_empty() || trade_no.contains(&b'+') {
            let trade_no = row.cell(self.columns.trade_no);
            let found =
                format!("`{}` is no number of a trade; a spreadsheet may have rounded it", shown(trade_no));
            return Err(self.at(row, self.columns.trade_no, found));
        }
        Ok(())
    }

    fn kind(&self, row: &Row<'_, false>) -> Result<EntryKind, ReadError> {
        match row.cell(self.columns.kind) {
            "交易" => Ok(EntryKind::Payment),
            "退款" => Ok(EntryKind::Refund),
            other => {
                let found = format!("`{}` is neither 交易 nor 退款", shown(other));
                Err(self.at(row, self.columns.kind, found))
            }
        }
    }

    fn happened_at(&mut self, row: &Row<'_, false>) -> Result<Moment, ReadError> {
        let column = self.columns.done_at;
        let text = row.cell(column);
        let moment = self.day.moment(text).or_else(|| {
            let moment = spreadsheet_moment(text)?;
            self.traces.add(row.line().number, "a time without leading zeros");
            Some(moment)
        });
        let Some(moment) = moment else {
            let found = format!("`{}` is not a time (yyyy-MM-dd HH:mm:ss)", shown(text));
            return Err(self.at(row, column, found));
        };
        if self.day.contains(moment) {
            return Ok(moment);
        }
        let found = format!("{} (line {})", moment.date(), row.line().number);
        Err(ReadError::OtherDay { asked: self.asked.date, found })
    }

    /// Fees have two decimals; should they ever have more, these count.
    #[inline(always)]
    fn fee_e5(&self, row: &Row<'_, false>) -> Result<i64, ReadError> {
        const E5_OF_FEN: i64 = 1000;
        let column = self.columns.fee;
        let fen = row.amount(column, 2).ok().and_then(|fen| fen.checked_mul(E5_OF_FEN));
        fen.map_or_else(|| row.amount(column, E5_DIGITS).map_err(|e| self.money_error(row, column, &e)), Ok)
    }

    #[inline(always)]
    fn amount(&self, row: &Row<'_, false>, column: usize) -> Result<i64, ReadError> {
        row.amount(column, 2).map_err(|e| self.money_error(row, column, &e))
    }

    fn add(&mut self, row: &Row<'_, false>, entry: &Entry, gross: i64) -> Result<(), ReadError> {
        let columns = self.columns;
        let discount = |column: Option<usize>| column.map_or(Ok(0), |column| self.amount(row, column));
        let merchant_discount = discount(columns.merchant_discount)?;
        let alipay_discount = discount(columns.alipay_discount)?;
        let all_discounts = discount(columns.all_discounts)?;
        let sums = match entry.kind {
            EntryKind::Payment => &mut self.sums.payments,
            EntryKind::Refund | EntryKind::Reversal => &mut self.sums.refunds,
        };
        sums.rows += 1;
        sums.gross += i128::from(gross);
        sums.settled += i128::from(entry.settled_minor);
        sums.merchant_discount += i128::from(merchant_discount);
        sums.alipay_discount += i128::from(alipay_discount);
        sums.all_discounts += i128::from(all_discounts);
        sums.fee_e5 -= i128::from(entry.fee_e5);
        Ok(())
    }

    fn place(&self, row: &Row<'_, false>, offset: usize) -> Result<Entry, ReadError> {
        let line = row.line();
        let start = u32::try_from(line.start + offset);
        let start = start.map_err(|_| ReadError::at(line.number, "begins behind the first 4 GiB"))?;
        Ok(Entry::at(start, below_line_max(line.end - line.start), self.part, line.number))
    }

    fn set_cells(&self, row: &Row<'_, false>, entry: &mut Entry) {
        let columns = self.columns;
        entry.set_cell(Cell::OrderNo, row.span(columns.order_no));
        entry.set_cell(Cell::TradeNo, row.span(columns.trade_no));
        if entry.kind != EntryKind::Payment {
            entry.set_cell(Cell::RefundNo, row.span(columns.refund_no));
        }
        for (cell, column) in [
            (Cell::Subject, columns.subject),
            (Cell::Store, columns.store),
            (Cell::Till, columns.till),
            (Cell::SubMerchant, columns.sub_merchant),
        ] {
            if let Some(column) = column {
                entry.set_cell(cell, row.span(column));
            }
        }
    }

    #[cold]
    fn at(&self, row: &Row<'_, false>, column: usize, found: String) -> ReadError {
        ReadError::at(row.line().number, found).in_column(self.titles.name(column))
    }

    #[cold]
    fn money_error(&self, row: &Row<'_, false>, column: usize, error: &MoneyError) -> ReadError {
        self.at(row, column, error.to_string())
    }
}
