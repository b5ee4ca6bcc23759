//! Reconciliation: two books of one day, side by side. Pure: same input, same result, whatever the order of it.
//!
//! Nothing here knows a database, a file or a clock. What may have moved over midnight is asked for by key and
//! handed in ([`Neighbours`]); an amount that a line does not carry itself (a reversal) is resolved here.

use crate::domain::mismatch::{MismatchKind, Reason};
use crate::domain::{BillDate, Currency, EntryKind, Moment, State, Verdict};

/// One disagreement, with everything a person needs to act on it. One pair, or one group of duplicates, gives one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// 16 hex digits over account, bill date, entry, order, refund and (order number empty or shared) trade number.
    pub id: String,
    pub bill_date: BillDate,
    pub account: String,
    /// The logged REQ_TYPE, else the account's pay type.
    pub pay_type: String,
    pub kind: MismatchKind,
    pub entry: EntryKind,
    pub order_no: String,
    pub refund_no: String,
    pub trade_no: String,
    /// Empty unless the log holds a success.
    pub gateway_amount_minor: Option<i64>,
    /// Empty without a line; the sum of the lines for duplicates.
    pub channel_amount_minor: Option<i64>,
    pub currency: Currency,
    pub gateway_state: Option<State>,
    pub channel_state: Option<State>,
    pub gateway_time: Option<Moment>,
    pub channel_time: Option<Moment>,
    pub mall: String,
    pub store: String,
    pub till: String,
    pub cashier: String,
    /// The first is the one its kind names; the others also apply.
    pub reasons: Vec<Reason>,
    /// Lines of the statement, as `part` and line number.
    pub lines: Vec<(u8, u32)>,
    pub log_rows: u32,
}

impl Mismatch {
    /// Channel − gateway, an empty side as 0.
    pub fn difference_minor(&self) -> i64 {
        self.channel_amount_minor.unwrap_or(0) - self.gateway_amount_minor.unwrap_or(0)
    }
}

/// Why an item that is only on one side today is no mismatch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimingKind {
    /// In our log today, in the statement of `other_day`.
    Out,
    /// In the statement today, in our log on `other_day`.
    In,
    /// In our log in the last minutes of the day; tomorrow's statement is not here yet.
    Awaiting,
}

/// An item that only moved over midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    pub kind: TimingKind,
    pub entry: EntryKind,
    pub order_no: String,
    pub refund_no: String,
    pub trade_no: String,
    pub amount_minor: i64,
    pub currency: Currency,
    pub other_day: Option<BillDate>,
    pub gateway_time: Option<Moment>,
    pub channel_time: Option<Moment>,
}

/// A count and a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub count: u64,
    pub amount_minor: i64,
}

impl Tally {
    pub fn add(&mut self, amount_minor: i64) {
        self.count += 1;
        self.amount_minor += amount_minor;
    }
}

/// Where everything of one side ended. The rest must be 0 (proof 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub total: Tally,
    pub matched: Tally,
    pub mismatched: Tally,
    pub timing: Tally,
    /// Lines that the log does not cover.
    pub excluded: Tally,
    /// Orders only: failed, closed, pending or unknown, and the statement agrees by not having them.
    pub nothing_happened: Tally,
}

impl Places {
    pub fn rest(&self) -> Tally {
        let gone = [self.matched, self.mismatched, self.timing, self.excluded, self.nothing_happened];
        Tally {
            count: gone.iter().fold(self.total.count, |rest, t| rest.wrapping_sub(t.count)),
            amount_minor: gone.iter().fold(self.total.amount_minor, |rest, t| rest - t.amount_minor),
        }
    }
}

/// From the gateway's total to the channel's, step by step (proof 3); one for each currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bridge {
    pub currency: Currency,
    /// Σ of what the log holds as successes.
    pub gateway_minor: i64,
    /// Count and Σ difference by kind, in the order of the kinds.
    pub mismatches: Vec<(MismatchKind, Tally)>,
    /// − what the log has today and the statement of another day.
    pub timing_out: Tally,
    /// + what the statement has today and the log on another day.
    pub timing_in: Tally,
    /// + lines that the log does not cover.
    pub excluded: Tally,
    /// Σ of the statement's lines.
    pub channel_minor: i64,
}

impl Bridge {
    /// What no step explains; must be 0.
    pub fn unexplained_minor(&self) -> i64 {
        let steps: i64 = self.mismatches.iter().map(|(_, t)| t.amount_minor).sum();
        let timing = self.timing_in.amount_minor - self.timing_out.amount_minor;
        self.channel_minor - (self.gateway_minor + steps + timing + self.excluded.amount_minor)
    }
}

/// The result of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    pub verdict: Verdict,
    /// In the order of the report: kind, |difference| descending, order number, refund number.
    pub mismatches: Vec<Mismatch>,
    pub timing: Vec<Timing>,
    pub lines: Places,
    pub orders: Places,
    pub bridges: Vec<Bridge>,
    /// Why the verdict is `incomplete`, as stable words: `log_does_not_cover`, `no_bill_but_log`.
    pub lacks: Vec<&'static str>,
}
