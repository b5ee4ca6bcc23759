//! One line of a trade bill: a movement, its amounts and its place.

use super::columns::{Columns, RefundColumns};
use crate::domain::money::{E5_DIGITS, MoneyError};
use crate::domain::statement::Foreign;
use crate::domain::{Cell, Currency, Entry, EntryKind, Moment, State};
use crate::format::day::Day;
use crate::format::table::{Row, Titles, below_line_max};
use crate::format::tally::{Lines, Names};
use crate::format::{Asked, ROWS_MAX, ReadError, shown};

/// What the lines add up to, as the file counts it: amounts without sign, the fee with its sign.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) rows: i128,
    pub(super) settled: i128,
    pub(super) refund: i128,
    pub(super) coupon_refund: i128,
    /// 1/100000 of the major unit.
    pub(super) fee: i128,
    pub(super) gross: i128,
    pub(super) requested: i128,
}

/// The amounts of one line as they stand there.
struct Amounts {
    settled: i64,
    gross: i64,
    refund: i64,
    requested: i64,
    fee_e5: i64,
}

/// Gathers the movements.
pub(super) struct Reader<'a> {
    asked: &'a Asked<'a>,
    titles: &'a Titles,
    pub(super) columns: &'a Columns,
    day: Day,
    entries: Vec<Entry>,
    pub(super) sums: Sums,
    /// Of the first line; the totals can only be proven if all lines have as many decimals.
    currency: Option<Currency>,
    foreign_rows: u64,
    foreign_minor: i128,
    foreign_names: Names,
    /// Lines whose cells had to be told apart.
    pub(super) repaired: Lines,
    /// Lines that settle more than they were paid, or refund more than was asked for.
    odd: Lines,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        asked: &'a Asked<'a>,
        titles: &'a Titles,
        columns: &'a Columns,
        text: &str,
    ) -> Reader<'a> {
        Reader {
            asked,
            titles,
            columns,
            day: Day::new(asked.date),
            entries: Vec::with_capacity(crate::format::tally::likely_rows(text, columns.count)),
            sums: Sums::default(),
            currency: None,
            foreign_rows: 0,
            foreign_minor: 0,
            foreign_names: Names::default(),
            repaired: Lines::default(),
            odd: Lines::default(),
        }
    }

    /// Decimals of the file's amounts.
    pub(super) fn digits(&self) -> u32 {
        self.currency.unwrap_or(Currency::CNY).digits()
    }

    /// Reads one movement whose cells are as many as the titles.
    #[inline]
    pub(super) fn keep(&mut self, row: &Row<'_, true>) -> Result<(), ReadError> {
        if self.entries.len() >= ROWS_MAX {
            return Err(self.at(
                row,
                self.columns.time,
                format!("more than {ROWS_MAX} movements in one file"),
            ));
        }
        self.check_merchant(row)?;
        let kind = self.kind(row)?;
        let currency = self.currency(row)?;
        let amounts = self.amounts(row, currency.digits())?;
        let mut entry = self.place(row)?;
        entry.kind = kind;
        entry.currency = currency;
        entry.state = self.state(row, kind)?;
        entry.happened_at = self.happened_at(row)?;
        entry.fee_e5 = amounts.fee_e5;
        (entry.amount_minor, entry.settled_minor) = signed(kind, &amounts);
        if amounts.settled > amounts.gross || amounts.refund > amounts.requested {
            self.odd.add(row.line().number);
        }
        if self.asked.sub_merchant.is_empty()
            || row.cell(self.columns.sub_merchant) == self.asked.sub_merchant
        {
            self.set_cells(row, &mut entry);
            self.entries.push(entry);
        } else {
            self.foreign_rows += 1;
            self.foreign_minor += i128::from(entry.amount_minor.unwrap_or(0));
            self.foreign_names.add(row.cell(self.columns.sub_merchant));
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

    pub(super) fn finish(self, remarks: &mut Vec<String>) -> Result<(Vec<Entry>, Foreign), ReadError> {
        if self.foreign_rows > 0 {
            remarks.push(format!("lines of other sub-merchants, not kept: {}", self.foreign_names));
        }
        self.repaired.remark(
            "a text holds a comma and a backtick; its cells were told apart by their shapes",
            remarks,
        );
        self.odd.remark("settles more than was paid or refunds more than was asked for", remarks);
        let amount_minor = i64::try_from(self.foreign_minor).map_err(|_| {
            ReadError::File(
                "the lines of other sub-merchants add up to more than this program can hold".to_owned(),
            )
        })?;
        Ok((self.entries, Foreign { rows: self.foreign_rows, amount_minor }))
    }

    #[inline(always)]
    fn check_merchant(&self, row: &Row<'_, true>) -> Result<(), ReadError> {
        if row.bytes(self.columns.merchant) == self.asked.merchant.as_bytes() {
            return Ok(());
        }
        let found = format!("{} (line {})", shown(row.cell(self.columns.merchant)), row.line().number);
        Err(ReadError::OtherMerchant { asked: self.asked.merchant.to_owned(), found })
    }

    #[inline(always)]
    fn kind(&self, row: &Row<'_, true>) -> Result<EntryKind, ReadError> {
        if row.bytes(self.columns.status) == b"SUCCESS" {
            return Ok(EntryKind::Payment);
        }
        let status = row.cell(self.columns.status);
        match status {
            "REFUND" | "REVOKED" if self.columns.refunds.is_none() => {
                Err(self.at(row, self.columns.status, format!("`{status}` in a bill without refund columns")))
            }
            "REFUND" => Ok(EntryKind::Refund),
            "REVOKED" => Ok(EntryKind::Reversal),
            _ => {
                let found = format!("`{}` is none of SUCCESS, REFUND, REVOKED", shown(status));
                Err(self.at(row, self.columns.status, found))
            }
        }
    }

    #[inline(always)]
    fn currency(&mut self, row: &Row<'_, true>) -> Result<Currency, ReadError> {
        let column = self.columns.currency;
        if row.bytes(column) == b"CNY" && self.currency == Some(Currency::CNY) {
            return Ok(Currency::CNY);
        }
        let currency = Currency::parse(row.cell(column)).map_err(|e| self.money_error(row, column, &e))?;
        let first = *self.currency.get_or_insert(currency);
        if first.digits() == currency.digits() {
            return Ok(currency);
        }
        let found = format!("{currency} in a bill of {first}: the totals of both together cannot be proven");
        Err(self.at(row, column, found))
    }

    #[inline(always)]
    fn amounts(&mut self, row: &Row<'_, true>, digits: u32) -> Result<Amounts, ReadError> {
        let columns = self.columns;
        let settled = self.amount(row, columns.settled, digits)?;
        let gross = match columns.gross {
            Some(column) => self.amount(row, column, digits)?,
            None => settled,
        };
        let (refund, coupon_refund, requested) = match &columns.refunds {
            Some(refunds) => self.refund_amounts(row, refunds, digits)?,
            None => (0, 0, 0),
        };
        let fee_e5 =
            row.amount(columns.fee, E5_DIGITS).map_err(|e| self.money_error(row, columns.fee, &e))?;
        let sums = &mut self.sums;
        sums.rows += 1;
        sums.settled += i128::from(settled);
        sums.gross += i128::from(gross);
        sums.refund += i128::from(refund);
        sums.coupon_refund += i128::from(coupon_refund);
        sums.requested += i128::from(requested);
        sums.fee += i128::from(fee_e5);
        Ok(Amounts { settled, gross, refund, requested, fee_e5 })
    }

    #[inline(always)]
    fn refund_amounts(
        &self,
        row: &Row<'_, true>,
        refunds: &RefundColumns,
        digits: u32,
    ) -> Result<(i64, i64, i64), ReadError> {
        let refund = self.amount(row, refunds.amount, digits)?;
        let coupon = self.amount(row, refunds.coupon, digits)?;
        let requested = match refunds.requested {
            Some(column) => self.amount(row, column, digits)?,
            None => refund,
        };
        Ok((refund, coupon, requested))
    }

    /// An amount without sign: WeChat writes refunds as positive numbers.
    #[inline(always)]
    fn amount(&self, row: &Row<'_, true>, column: usize, digits: u32) -> Result<i64, ReadError> {
        match row.amount(column, digits) {
            Ok(amount) if amount >= 0 => Ok(amount),
            Ok(_) => Err(self.at(row, column, format!("`{}` is negative", shown(row.cell(column))))),
            Err(error) => Err(self.money_error(row, column, &error)),
        }
    }

    #[inline(always)]
    fn state(&self, row: &Row<'_, true>, kind: EntryKind) -> Result<State, ReadError> {
        match (kind, &self.columns.refunds) {
            (EntryKind::Payment, _) => Ok(State::Paid),
            (EntryKind::Reversal, _) => Ok(State::Reversed),
            (EntryKind::Refund, None) => Ok(State::Unknown),
            (EntryKind::Refund, Some(refunds)) => match row.cell(refunds.state) {
                // Frozen when the file was made: what was under way then is done by now, says the official FAQ.
                "SUCCESS" | "PROCESSING" | "CHANGE" => Ok(State::Refunded),
                "FAIL" => Ok(State::Failed),
                other => {
                    let found = format!("`{}` is none of SUCCESS, PROCESSING, CHANGE, FAIL", shown(other));
                    Err(self.at(row, refunds.state, found))
                }
            },
        }
    }

    /// The time that puts the line into its day. In bills of refunds 交易时间 is the payment's, often of another
    /// day, and the day is that of the application or of its success.
    #[inline(always)]
    fn happened_at(&self, row: &Row<'_, true>) -> Result<Moment, ReadError> {
        let column = self.columns.refund_asked_at.unwrap_or(self.columns.time);
        let Some(moment) = self.day.moment(row.cell(column)) else {
            let found = format!("`{}` is not a time (yyyy-MM-dd HH:mm:ss)", shown(row.cell(column)));
            return Err(self.at(row, column, found));
        };
        let done = || self.columns.refund_done_at.and_then(|done| self.day.moment(row.cell(done)));
        if self.day.contains(moment) || done().is_some_and(|done| self.day.contains(done)) {
            return Ok(moment);
        }
        let found = format!("{} (line {})", moment.date(), row.line().number);
        Err(ReadError::OtherDay { asked: self.asked.date, found })
    }

    #[inline(always)]
    fn place(&self, row: &Row<'_, true>) -> Result<Entry, ReadError> {
        let line = row.line();
        let start = u32::try_from(line.start);
        let start = start.map_err(|_| ReadError::at(line.number, "begins behind the first 4 GiB"))?;
        Ok(Entry::at(start, below_line_max(line.end - line.start), 0, line.number))
    }

    #[inline(always)]
    fn set_cells(&self, row: &Row<'_, true>, entry: &mut Entry) {
        let columns = self.columns;
        entry.set_cell(Cell::OrderNo, row.span(columns.order_no));
        entry.set_cell(Cell::TradeNo, row.span(columns.trade_no));
        entry.set_cell(Cell::Merchant, row.span(columns.merchant));
        if let Some(till) = columns.till {
            entry.set_cell(Cell::Till, row.span(till));
        }
        if let Some(subject) = columns.subject {
            entry.set_cell(Cell::Subject, row.span(subject));
        }
        set_number(row, entry, Cell::SubMerchant, columns.sub_merchant);
        if let Some(refunds) = &columns.refunds {
            set_number(row, entry, Cell::RefundNo, refunds.refund_no);
            set_number(row, entry, Cell::RefundTradeNo, refunds.trade_no);
        }
    }

    #[cold]
    fn at(&self, row: &Row<'_, true>, column: usize, found: String) -> ReadError {
        ReadError::at(row.line().number, found).in_column(self.titles.name(column))
    }

    #[cold]
    fn money_error(&self, row: &Row<'_, true>, column: usize, error: &MoneyError) -> ReadError {
        self.at(row, column, error.to_string())
    }
}

/// `0` is WeChat's way to leave a number out.
#[inline]
fn set_number(row: &Row<'_, true>, entry: &mut Entry, cell: Cell, column: usize) {
    if row.bytes(column) != b"0" {
        entry.set_cell(cell, row.span(column));
    }
}

/// Gross and settled amount with their sign. A reversal without amounts leaves its gross amount open.
fn signed(kind: EntryKind, amounts: &Amounts) -> (Option<i64>, i64) {
    match kind {
        EntryKind::Payment => (Some(amounts.gross), amounts.settled),
        EntryKind::Refund => (Some(-amounts.requested), -amounts.refund),
        EntryKind::Reversal => {
            let stated = [amounts.refund, amounts.requested].into_iter().find(|amount| *amount > 0);
            (stated.map(|amount| -amount), -amounts.refund)
        }
    }
}
