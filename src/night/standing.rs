//! Where the units stand, as the ledger tells it.

use std::collections::BTreeMap;

use crate::domain::{BillDate, Failure};
use crate::plan::{Known, Unit};
use crate::report::{self, status::Standing};
use crate::store::{Ledger, UnitState};

/// Since when nights owe each account, and where the units of these days stand.
///
/// # Errors
///
/// [`Exit::Storage`](crate::domain::Exit::Storage): the ledger cannot be read.
pub async fn known(ledger: &Ledger, lag_days: u64, days: &[BillDate]) -> Result<Known, Failure> {
    let first_run = match ledger.first_and_last_run().await? {
        Some((first, _)) => ledger.run(first).await?,
        None => None,
    };
    let mut known = Known {
        first_night: first_run.map(|run| run.started_at.date().minus_days(lag_days)),
        first_days: ledger.first_days().await?.into_iter().collect(),
        units: BTreeMap::new(),
    };
    for &date in days {
        for record in ledger.sections(date).await? {
            // A section that cannot be read hides no more than its own figures.
            let section = report::json::read_section(&record.section).unwrap_or_default();
            let Standing { stage, version, .. } = Standing::of(&section, record.state == UnitState::Done);
            known.units.insert((date, record.account), Unit { stage, version });
        }
    }
    Ok(known)
}
