//! What goes into the ledger and comes out of it, as plain values.

use super::events::Stamp;
use crate::domain::{Bill, BillDate, Currency, EntryKind, Moment, PayType, State, Statement, Verdict};

/// One account and one bill date: done or not done as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitKey {
    pub account: String,
    pub pay_type: PayType,
    pub date: BillDate,
}

/// What stands in the ledger of one version of a bill.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatementState {
    Current,
    Superseded,
    /// The provider proved that the day has no movements.
    Empty,
    /// Quarantined: it never reached the ledger.
    Rejected,
}

impl StatementState {
    const ALL: [StatementState; 4] = [
        StatementState::Current,
        StatementState::Superseded,
        StatementState::Empty,
        StatementState::Rejected,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            StatementState::Current => "current",
            StatementState::Superseded => "superseded",
            StatementState::Empty => "empty",
            StatementState::Rejected => "rejected",
        }
    }

    pub fn parse(text: &str) -> Option<StatementState> {
        StatementState::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// Rows, Σ amount and Σ fee: the control totals of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    pub rows: u64,
    /// A line without an amount of its own (a reversal) adds nothing.
    pub amount_minor: i64,
    pub fee_e5: i64,
}

impl Sums {
    /// Over the parsed lines; `None` if a sum does not fit 64 bits.
    pub fn of(statement: &Statement) -> Option<Sums> {
        let mut sums = Sums { rows: statement.entries().len() as u64, ..Sums::default() };
        for entry in statement.entries() {
            sums.amount_minor = sums.amount_minor.checked_add(entry.amount_minor.unwrap_or(0))?;
            sums.fee_e5 = sums.fee_e5.checked_add(entry.fee_e5)?;
        }
        Some(sums)
    }
}

/// One bill as it was received: a row of `statement` but for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementMeta {
    pub bill: Bill,
    /// Of the archived bytes, in hex.
    pub sha256: String,
    /// Where it came from, such as the channel's name or `import`.
    pub source: String,
    pub sums: Sums,
    pub fetched_at: Moment,
    /// `Current` or `Empty` in a unit.
    pub state: StatementState,
    /// False if it came over plain http or from a hand.
    pub authenticated: bool,
}

/// A row of `statement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementRecord {
    pub version: u32,
    pub meta: StatementMeta,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UnitState {
    Done,
    NotCompared,
}

impl UnitState {
    pub fn as_str(self) -> &'static str {
        match self {
            UnitState::Done => "done",
            UnitState::NotCompared => "not_compared",
        }
    }

    pub fn parse(text: &str) -> Option<UnitState> {
        [UnitState::Done, UnitState::NotCompared].into_iter().find(|s| s.as_str() == text)
    }
}

/// What a unit ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitEnd {
    pub verdict: Verdict,
    /// As in the report; empty if balanced.
    pub reason: String,
    /// A `report::Section` as JSON.
    pub section: String,
    /// [`canonical_hash`](super::canonical_hash) of the statement that was compared.
    pub canonical_hash: String,
    /// Who did it, and when: for the events of its mismatches.
    pub stamp: Stamp,
}

/// A row of `unit`, without its section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitRecord {
    pub account: String,
    pub pay_type: String,
    pub date: BillDate,
    pub state: UnitState,
    pub verdict: Verdict,
    pub reason: String,
    /// Of the trade bill that was compared; 0 without one.
    pub version: u32,
    pub source: String,
    pub canonical_hash: String,
}

/// A unit's part of the day's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionRecord {
    pub account: String,
    pub state: UnitState,
    pub section: String,
}

/// A movement of a neighbouring day, of a statement or of the log, that was asked for by key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    pub date: BillDate,
    pub kind: EntryKind,
    pub state: State,
    pub order_no: String,
    pub refund_no: String,
    pub trade_no: String,
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    /// The provider's time; of a logged order without one, REQ_DATE.
    pub at: Moment,
    /// Part and physical line of the statement; 0 of a logged order.
    pub part: u8,
    pub line: u32,
    /// Set of [`Note`](crate::domain::Note)s of a logged order; 0 of an entry.
    pub notes: u16,
}

/// A row of `ledger_entry`, for a person who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    pub account: String,
    pub movement: Neighbour,
    pub settled_minor: i64,
    pub fee_e5: i64,
    pub refund_trade_no: String,
    pub merchant: String,
    pub sub_merchant: String,
    pub store: String,
    pub till: String,
    pub subject: String,
}

/// A row of `logged_order`, for a person who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredOrder {
    pub account: String,
    pub movement: Neighbour,
    pub logged_at: Moment,
    pub provider_at: Option<Moment>,
    pub business_date: String,
    pub req_type: String,
    pub seller: String,
    pub mall: String,
    pub store: String,
    pub till: String,
    pub cashier: String,
    pub log_rows: u32,
}

/// A mismatch as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMismatch {
    pub row: crate::report::MismatchRow,
    /// False once the unit was compared again and it did not occur any more.
    pub open: bool,
}

/// What `verify` finds of one unit: the hash kept at the commit, and the hash of the rows now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedUnit {
    pub kept: String,
    pub found: String,
    pub rows: u64,
}

impl VerifiedUnit {
    pub fn is_intact(&self) -> bool {
        self.kept == self.found
    }
}

/// A row of `night_run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    pub id: i64,
    pub started_at: Moment,
    /// `None` while it runs, and for ever if it was killed.
    pub finished_at: Option<Moment>,
    pub arguments: String,
    pub exit_code: Option<u8>,
    pub reasons: String,
}
