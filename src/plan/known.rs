//! What a ledger tells of its units, as far as a plan needs it, and from which day on nights owe an account.

use std::collections::BTreeMap;

use crate::domain::{BillDate, Stage};

/// Filled by whoever may read the ledger. Without anything in it: a ledger that no run has ever written to.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The own day of the first run that was recorded, whatever that run did.
    pub first_night: Option<BillDate>,
    /// The first day of each account that has one.
    pub first_days: BTreeMap<String, BillDate>,
    /// Units that a run has come to.
    pub units: BTreeMap<(BillDate, String), Unit>,
}

/// A unit that a run has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    pub stage: Stage,
    /// Of the statement that was compared; 0 without one.
    pub version: u32,
}

impl Known {
    /// Whether some night should have taken the unit.
    ///
    /// Not before the ledger's first night: a new installation starts with its own day and does not empty the
    /// providers' archives. And not before the account's first day in the ledger, done or failed: when an account was
    /// added stands nowhere else, so one without any unit starts with the night's own day, and a person who wants
    /// more asks with `--from` and `--to`.
    pub fn is_owed(&self, account: &str, date: BillDate) -> bool {
        let since = self.first_days.get(account).zip(self.first_night).map(|(day, night)| night.max(*day));
        since.is_some_and(|since| date >= since)
    }

    /// Where a unit stands whose night is over.
    pub fn unit(&self, account: &str, date: BillDate) -> Unit {
        let unit = self.units.get(&(date, account.to_owned())).copied();
        let stage = if self.is_owed(account, date) { Stage::Missing } else { Stage::NotOwed };
        unit.unwrap_or(Unit { stage, version: 0 })
    }
}
