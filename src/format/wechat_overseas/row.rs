//! One line of an overseas statement: a movement in its own currency.

use super::columns::{Columns, Settled};
use crate::domain::money::{E5_DIGITS, MoneyError};
use crate::domain::statement::Foreign;
use crate::domain::{Cell, Currency, Entry, EntryKind, Moment, State};
use crate::format::day::Day;
use crate::format::table::{Row, Titles, below_line_max};
use crate::format::tally::{Lines, Names, likely_rows};
use crate::format::{Asked, ROWS_MAX, ReadError, shown};

/// What the lines add up to, without sign, as a summary counts it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) rows: i128,
    pub(super) settled: i128,
    pub(super) refund: i128,
    /// 1/100000 of the major unit.
    pub(super) fee: i128,
}

/// Gathers the movements.
pub(super) struct Reader<'a> {
    asked: &'a Asked<'a>,
    titles: &'a Titles,
    pub(super) columns: &'a Columns,
    day: Day,
    entries: Vec<Entry>,
    pub(super) sums: Sums,
    /// The currency of all lines so far.
    currency: Option<Currency>,
    /// Lines have more than one currency: their amounts add up to nothing.
    pub(super) mixed: bool,
    foreign: (u64, i128),
    foreign_names: Names,
    /// Lines that are settled in another currency than they were priced in.
    converted: Lines,
    /// Lines whose cells were told apart by their shapes.
    pub(super) repaired: Lines,
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
            entries: Vec::with_capacity(likely_rows(text, columns.count)),
            sums: Sums::default(),
            currency: None,
            mixed: false,
            foreign: (0, 0),
            foreign_names: Names::default(),
            converted: Lines::default(),
            repaired: Lines::default(),
        }
    }

    /// Decimals of the amounts of a file in one currency.
    pub(super) fn digits(&self) -> u32 {
        self.currency.unwrap_or(Currency::CNY).digits()
    }

    /// Reads one movement.
    #[inline]
    pub(super) fn keep(&mut self, row: &Row<'_, true>) -> Result<(), ReadError> {
        let columns = self.columns;
        if self.entries.len() >= ROWS_MAX {
            return Err(self.at(row, columns.time, format!("more than {ROWS_MAX} movements in one file")));
        }
        self.check_merchant(row)?;
        let kind = self.kind(row)?;
        let currency = self.currency(row)?;
        let mut entry = self.place(row)?;
        entry.kind = kind;
        entry.currency = currency;
        entry.state = self.state(row, kind)?;
        entry.happened_at = self.happened_at(row)?;
        entry.fee_e5 = self.optional(row, columns.fee, E5_DIGITS)?;
        self.set_amounts(row, &mut entry)?;
        self.sums.rows += 1;
        self.sums.fee += i128::from(entry.fee_e5);
        if self.asked.sub_merchant.is_empty() || row.cell(columns.sub_merchant) == self.asked.sub_merchant {
            self.set_cells(row, &mut entry);
            self.entries.push(entry);
        } else {
            self.foreign.0 += 1;
            self.foreign.1 += i128::from(entry.amount_minor.unwrap_or(0));
            self.foreign_names.add(row.cell(columns.sub_merchant));
        }
        Ok(())
    }

    /// # Errors
    ///
    /// Lines, but none of the asked sub-merchant: this is someone else's bill.
    pub(super) fn refuse_only_foreign(&self) -> Result<(), ReadError> {
        if self.entries.is_empty() && self.foreign.0 > 0 {
            let asked = self.asked.sub_merchant.to_owned();
            return Err(ReadError::OtherMerchant { asked, found: self.foreign_names.to_string() });
        }
        Ok(())
    }

    pub(super) fn finish(self, remarks: &mut Vec<String>) -> Result<(Vec<Entry>, Foreign), ReadError> {
        let (rows, minor) = self.foreign;
        if rows > 0 {
            remarks.push(format!("lines of other sub-merchants, not kept: {}", self.foreign_names));
        }
        self.repaired.remark(
            "a text holds a comma and a backtick; its cells were told apart by their shapes",
            remarks,
        );
        self.converted.remark("settled in another currency than priced; not converted", remarks);
        let too_much = "the lines of other sub-merchants add up to more than this program can hold";
        let amount_minor = i64::try_from(minor).map_err(|_| ReadError::File(too_much.to_owned()))?;
        Ok((self.entries, Foreign { rows, amount_minor }))
    }

    fn check_merchant(&self, row: &Row<'_, true>) -> Result<(), ReadError> {
        if row.bytes(self.columns.merchant) == self.asked.merchant.as_bytes() {
            return Ok(());
        }
        let found = format!("{} (line {})", shown(row.cell(self.columns.merchant)), row.line().number);
        Err(ReadError::OtherMerchant { asked: self.asked.merchant.to_owned(), found })
    }

    fn kind(&self, row: &Row<'_, true>) -> Result<EntryKind, ReadError> {
        match row.cell(self.columns.status) {
            "SUCCESS" => Ok(EntryKind::Payment),
            "REFUND" => Ok(EntryKind::Refund),
            "REVOKED" => Ok(EntryKind::Reversal),
            other => {
                let found = format!("`{}` is none of SUCCESS, REFUND, REVOKED", shown(other));
                Err(self.at(row, self.columns.status, found))
            }
        }
    }

    fn currency(&mut self, row: &Row<'_, true>) -> Result<Currency, ReadError> {
        let column = self.columns.currency;
        let currency = Currency::parse(row.cell(column)).map_err(|e| self.money_error(row, column, &e))?;
        self.mixed |= *self.currency.get_or_insert(currency) != currency;
        Ok(currency)
    }

    /// Gross and settled amount with their sign, from the columns of the line's kind: the others may be empty, or
    /// repeat the payment's. A reversal without an amount of its own leaves it open.
    fn set_amounts(&mut self, row: &Row<'_, true>, entry: &mut Entry) -> Result<(), ReadError> {
        let (columns, digits) = (self.columns, entry.currency.digits());
        self.check_other_amounts(row, entry.kind)?;
        if entry.kind == EntryKind::Payment {
            let gross = self.amount(row, columns.gross, digits)?;
            let settled = self.settled(row, columns.settled, (entry.currency, gross))?;
            self.sums.settled += i128::from(settled);
            (entry.amount_minor, entry.settled_minor) = (Some(gross), settled);
            return Ok(());
        }
        let refund = match entry.kind {
            EntryKind::Refund => self.amount(row, columns.refund, digits)?,
            _ => self.optional(row, columns.refund, digits)?,
        };
        let settled = self.settled(row, columns.refund_settled, (entry.currency, refund))?;
        self.sums.refund += i128::from(settled);
        let open = entry.kind == EntryKind::Reversal && refund <= 0;
        (entry.amount_minor, entry.settled_minor) = ((!open).then_some(-refund), -settled);
        Ok(())
    }

    /// The amounts that lines of this kind are not read from must be amounts even so: one that is none is a damaged line.
    fn check_other_amounts(&self, row: &Row<'_, true>, kind: EntryKind) -> Result<(), ReadError> {
        let columns = self.columns;
        let others = match kind {
            EntryKind::Payment => [columns.refund, columns.refund_settled.amount],
            EntryKind::Refund | EntryKind::Reversal => [columns.gross, columns.settled.amount],
        };
        // They may be in another currency: only their shape is looked at.
        others.into_iter().try_for_each(|column| self.optional(row, column, E5_DIGITS).map(drop))
    }

    /// What is settled of `whole`; all of it, where another currency is settled.
    fn settled(
        &mut self,
        row: &Row<'_, true>,
        column: Settled,
        (currency, whole): (Currency, i64),
    ) -> Result<i64, ReadError> {
        let theirs = column.currency.map_or("", |place| row.cell(place));
        if !theirs.is_empty() && theirs != "0" {
            let place = column.currency.unwrap_or(column.amount);
            let theirs = Currency::parse(theirs).map_err(|e| self.money_error(row, place, &e))?;
            if theirs != currency {
                // Its amount must be one even so.
                self.amount(row, column.amount, theirs.digits())?;
                self.converted.add(row.line().number);
                return Ok(whole);
            }
        }
        match row.cell(column.amount) {
            "" => Ok(whole),
            _ => self.amount(row, column.amount, currency.digits()),
        }
    }

    /// An amount without sign: WeChat writes refunds as positive numbers.
    #[inline]
    fn amount(&self, row: &Row<'_, true>, column: usize, digits: u32) -> Result<i64, ReadError> {
        match row.amount(column, digits) {
            Ok(amount) if amount >= 0 => Ok(amount),
            Ok(_) => Err(self.at(row, column, format!("`{}` is negative", shown(row.cell(column))))),
            Err(error) => Err(self.money_error(row, column, &error)),
        }
    }

    /// A number that lines of this kind may leave out.
    #[inline]
    fn optional(&self, row: &Row<'_, true>, column: usize, digits: u32) -> Result<i64, ReadError> {
        match row.cell(column) {
            "" => Ok(0),
            _ => row.amount(column, digits).map_err(|error| self.money_error(row, column, &error)),
        }
    }

    fn state(&self, row: &Row<'_, true>, kind: EntryKind) -> Result<State, ReadError> {
        match (kind, row.cell(self.columns.refund_state)) {
            (EntryKind::Payment, _) => Ok(State::Paid),
            (EntryKind::Reversal, _) => Ok(State::Reversed),
            // Frozen when the file was made: what was under way then is done by now, says the official FAQ.
            (EntryKind::Refund, "SUCCESS" | "PROCESSING" | "CHANGE") => Ok(State::Refunded),
            (EntryKind::Refund, "FAIL") => Ok(State::Failed),
            (EntryKind::Refund, other) => {
                let found = format!("`{}` is none of SUCCESS, PROCESSING, CHANGE, FAIL", shown(other));
                Err(self.at(row, self.columns.refund_state, found))
            }
        }
    }

    #[inline]
    fn happened_at(&self, row: &Row<'_, true>) -> Result<Moment, ReadError> {
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

    fn place(&self, row: &Row<'_, true>) -> Result<Entry, ReadError> {
        let line = row.line();
        let start = u32::try_from(line.start);
        let start = start.map_err(|_| ReadError::at(line.number, "begins behind the first 4 GiB"))?;
        Ok(Entry::at(start, below_line_max(line.end - line.start), 0, line.number))
    }

    fn set_cells(&self, row: &Row<'_, true>, entry: &mut Entry) {
        let columns = self.columns;
        entry.set_cell(Cell::OrderNo, row.span(columns.order_no));
        entry.set_cell(Cell::TradeNo, row.span(columns.trade_no));
        entry.set_cell(Cell::Merchant, row.span(columns.merchant));
        for (cell, column) in [(Cell::Till, columns.till), (Cell::Subject, columns.subject)] {
            if let Some(column) = column {
                entry.set_cell(cell, row.span(column));
            }
        }
        for (cell, column) in [
            (Cell::SubMerchant, columns.sub_merchant),
            (Cell::RefundNo, columns.refund_no),
            (Cell::RefundTradeNo, columns.refund_trade_no),
        ] {
            // `0` is WeChat's way to leave a number out.
            if row.bytes(column) != b"0" {
                entry.set_cell(cell, row.span(column));
            }
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
