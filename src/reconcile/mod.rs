//! Reconciliation: two books of one day, side by side. Pure: same input, same result, whatever the order of it.
//!
//! Nothing here knows a database, a file or a clock. The unit of thought is the **case**: everything that both sides
//! say under one order number. Turn 1 settles each case by itself (`settle`). Turn 2 joins what is still open by the
//! provider's transaction number. Turn 3 looks, by key, at the neighbouring days that are handed in
//! ([`Neighbours`]): what is found there has only moved over midnight. Then everything is counted twice
//! (`prove`): each line and each order ends in exactly one place, and the bridge explains every fen.

mod pair;
mod settle;
mod reversal;
mod moved;
mod finding;
mod prove;

use std::collections::HashSet;

use crate::domain::mismatch::{MismatchKind, Reason};
use crate::domain::{
    BillDate, Currency, EntryKind, LogCover, LoggedOrders, Moment, State, Statement, Verdict,
};

/// Clocks of till, gateway and provider differ by minutes (two of the manual's own samples by 123 s); no rule may
/// rely on more than this many seconds (`spec/ttpay.md`, R065).
pub const TOLERANCE_SECONDS: i64 = 600;

/// Both books of one unit.
#[derive(Clone, Copy, Debug)]
pub struct Unit<'a> {
    pub account: &'a str,
    /// The account's pay type, for rows that the log does not know.
    pub pay_type: &'a str,
    pub date: BillDate,
    pub statement: &'a Statement,
    /// The provider said that the day has no bill.
    pub no_bill: bool,
    pub orders: &'a LoggedOrders,
    /// The day's orders: places in `orders.orders`.
    pub picked: &'a [u32],
    pub cover: LogCover,
    /// What the channel held on the day before (escrow): those of which nothing is heard today are held still.
    pub held_before: &'a [Timing],
    /// Seconds before midnight in which a success without the provider's time may wait for tomorrow's statement.
    pub cutoff_seconds: i64,
}

/// What the neighbouring days hold under the keys that are still open.
#[derive(Clone, Debug, Default)]
pub struct Neighbours {
    pub lines: Vec<Neighbour>,
    pub orders: Vec<Neighbour>,
    /// Lines of other accounts' statements of the same day that their own logs do not know.
    pub elsewhere_lines: Vec<Neighbour>,
    /// Logged successes of other accounts of the same day that their own statements lack.
    pub elsewhere_orders: Vec<Neighbour>,
    /// Whether tomorrow's statement is known; until then nothing late is missing.
    pub tomorrow_known: bool,
}

/// One movement of a neighbouring day: a line of its statement, or an order of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The other account, if it is not this one's.
    pub account: String,
    pub day: BillDate,
    pub kind: EntryKind,
    pub state: State,
    /// Of an order: whether the log holds a success.
    pub success: bool,
    pub order_no: String,
    pub refund_no: String,
    pub trade_no: String,
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    pub at: Moment,
    /// REQ_TYPE, mall, store, till, cashier of an order; empty for a line.
    pub origin: Origin,
    pub log_rows: u32,
}

impl Neighbour {
    /// What moved: nothing, if the channel itself calls it failed.
    fn moved_minor(&self) -> i64 {
        if self.state.moved_nothing() { 0 } else { self.amount_minor.unwrap_or(0) }
    }
}

/// Where in the mall an order was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub req_type: String,
    pub mall: String,
    pub store: String,
    pub till: String,
    pub cashier: String,
}

/// A unit of which turns 1 and 2 are done.
#[derive(Debug)]
pub struct Pairing<'a> {
    books: pair::Books<'a>,
}

/// Turns 1 and 2.
pub fn pair(unit: Unit<'_>) -> Pairing<'_> {
    let mut books = pair::Books::new(unit);
    let cases = pair::Cases::build(&books);
    settle::settle(&mut books, &cases);
    settle::join_by_trade(&mut books);
    Pairing { books }
}

impl Pairing<'_> {
    /// Order and transaction numbers of what is still open: the keys to look for in the neighbouring days.
    pub fn open_keys(&self) -> HashSet<String> {
        moved::open_keys(&self.books)
    }

    /// Turn 3, and the proofs.
    pub fn close(mut self, neighbours: &Neighbours) -> Reconciliation {
        moved::close(&mut self.books, neighbours);
        moved::still_held(&mut self.books);
        prove::conclude(&self.books)
    }
}

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
    /// Paid by the buyer and held by the channel (escrow) since `gateway_time`; the merchant has nothing of it yet, so
    /// it stands in no total.
    Held,
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

/// Where everything of one side ended. The rest must be 0 (proof 2). Amounts are check sums over all currencies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places {
    pub total: Tally,
    pub matched: Tally,
    pub mismatched: Tally,
    pub timing: Tally,
    /// Lines that the log does not cover; lines and orders of which the provider could not tell.
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
    /// − lines of another day's or account's statement that a mismatch of today is about.
    pub elsewhere: Tally,
    /// + lines that the log does not cover or another account's log explains, − successes of the log of which the provider could not tell.
    pub excluded: Tally,
    /// Σ of the statement's lines.
    pub channel_minor: i64,
}

impl Bridge {
    /// Nothing of this currency is on either side.
    fn is_blank(&self) -> bool {
        let tallies = [self.timing_out, self.timing_in, self.elsewhere, self.excluded];
        let sums = [self.gateway_minor, self.channel_minor];
        self.mismatches.is_empty() && sums == [0, 0] && tallies == [Tally::default(); 4]
    }

    /// What no step explains; must be 0.
    pub fn unexplained_minor(&self) -> i64 {
        let steps: i64 = self.mismatches.iter().map(|(_, t)| t.amount_minor).sum();
        let timing = self.timing_in.amount_minor - self.timing_out.amount_minor - self.elsewhere.amount_minor;
        self.channel_minor - (self.gateway_minor + steps + timing + self.excluded.amount_minor)
    }
}

/// The result of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    pub verdict: Verdict,
    /// In the order of the report: kind, |difference| descending, order number, refund number, id.
    pub mismatches: Vec<Mismatch>,
    pub timing: Vec<Timing>,
    /// Paid by buyers and held by the channel: in no total, and not missing.
    pub held: Vec<Timing>,
    /// Lines that the log of another account explains; that account reports them.
    pub of_others: u64,
    pub lines: Places,
    pub orders: Places,
    pub bridges: Vec<Bridge>,
    /// Why the verdict is `incomplete`, as stable words: [`LOG_DOES_NOT_COVER`], [`NO_BILL_BUT_LOG`], [`NOT_ANSWERED`].
    pub lacks: Vec<&'static str>,
}

/// The log does not reach over the whole day: it was purged, or it is empty.
pub const LOG_DOES_NOT_COVER: &str = "log_does_not_cover";
/// The provider says that there is no bill, and the log holds successes.
pub const NO_BILL_BUT_LOG: &str = "no_bill_but_log";
/// Orders that could not be asked about, or to which the provider has no clear answer.
pub const NOT_ANSWERED: &str = "not_answered";

impl Reconciliation {
    /// Whether the proofs close. If they do not, this program has a bug, whatever the data (contract, section 6).
    pub fn is_proven(&self) -> bool {
        let nothing = Tally::default();
        self.lines.rest() == nothing
            && self.orders.rest() == nothing
            && self.bridges.iter().all(|bridge| bridge.unexplained_minor() == 0)
    }
}
