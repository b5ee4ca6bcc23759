//! Catch-up: what earlier nights left undone, before the night's own day.
//!
//! Only the bare nightly run does it, and oldest first, because a day is compared with the one before it. A unit that is
//! done is left alone; one that nobody can have any more is named and not asked for.

use std::sync::Arc;

use super::{DateSource, Known, Plan, bills};
use crate::channel;
use crate::domain::{Account, BillDate, Errand, Stage};

/// A unit of an earlier day.
#[derive(Clone, Debug)]
pub struct Owed {
    pub account: Arc<Account>,
    pub date: BillDate,
    /// Missing, waiting, failed or quarantined.
    pub stage: Stage,
}

impl Plan {
    /// Puts the undone units of the last `days` before the night's own day.
    #[must_use]
    pub fn catching_up(mut self, days: u64, known: &Known, today: BillDate) -> Plan {
        let (DateSource::Lag, Some(own)) = (self.source, self.own_day()) else { return self };
        let accounts = self.accounts();
        for date in (1..=days).rev().map(|days| own.minus_days(days)) {
            let owed = accounts.iter().filter(|account| known.is_owed(&account.name, date));
            for account in owed {
                let stage = known.unit(&account.name, date).stage;
                let unit = Owed { account: Arc::clone(account), date, stage };
                if stage.is_done() {
                } else if keeps_days(account).is_some_and(|days| today.days_since(date) > days) {
                    self.out_of_reach.push(unit);
                } else {
                    self.owed.push(unit);
                }
            }
        }
        let errands = self.owed.iter().flat_map(|unit| bills(&unit.account, unit.date));
        self.errands = errands.collect::<Vec<Errand>>().into_iter().chain(self.errands).collect();
        let mut dates: Vec<BillDate> = self.owed.iter().map(|unit| unit.date).chain([own]).collect();
        dates.dedup();
        self.dates = dates;
        self
    }

    /// Its accounts, each once, in their order.
    fn accounts(&self) -> Vec<Arc<Account>> {
        let mut accounts: Vec<Arc<Account>> = Vec::new();
        for errand in &self.errands {
            if accounts.last().is_none_or(|account| account.name != errand.account.name) {
                accounts.push(Arc::clone(&errand.account));
            }
        }
        accounts
    }
}

/// How far back the account's provider can be asked; `None` where nobody says.
pub fn keeps_days(account: &Account) -> Option<i64> {
    let statements = channel::room(&account.channel)?.statements?;
    (statements.keeps)(account)
}
