//! What was done already, compared once more from archive and log: the day before, because late items may have come, and
//! the day after, if it was done first (a backfill, catch-up).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::book::archived;
use super::log::NightLog;
use super::talk::counted;
use super::{House, Outcome, UnitLine, pages, unit};
use crate::domain::{Bill, BillDate, Errand, Failure};

/// Which done units a caller wants to see again.
pub(super) type Which<'w> = &'w (dyn Fn(&Errand) -> bool + Sync);

/// A day that was done before the one before it: what it called missing may have come with that one.
pub(super) async fn day_after(house: &House, date: BillDate, which: Which<'_>, outcome: &mut Outcome) {
    match done_errands(house, date).await {
        Ok(done) if !done.iter().any(which) => {}
        Ok(_) => match NightLog::read(house, date).await {
            Ok(log) => again(house, date, &log, which, outcome).await,
            Err(failure) => outcome.fail(date.to_string(), failure),
        },
        Err(failure) => outcome.fail(date.to_string(), failure),
    }
}

/// A day once more: late items may have come, and what is still missing now is missing.
pub(super) async fn again(
    house: &House,
    date: BillDate,
    log: &NightLog,
    which: Which<'_>,
    outcome: &mut Outcome,
) {
    let mut done = match done_errands(house, date).await {
        Ok(done) => done,
        Err(failure) => return outcome.fail(date.to_string(), failure),
    };
    done.retain(which);
    for errand in &done {
        tell_again(house, errand, log, outcome).await;
    }
    if !done.is_empty() {
        pages::write(house, date, outcome).await;
    }
}

/// The trade bills of a day that were compared, of the accounts that are still configured.
pub(super) async fn done_errands(house: &House, date: BillDate) -> Result<Vec<Errand>, Failure> {
    let done = house.ledger.done_units(date).await?;
    let configured =
        |name: &str| house.settings.accounts.iter().find(|account| account.name == name).cloned();
    let accounts = done.iter().filter_map(|unit| configured(&unit.account));
    Ok(accounts.map(|account| Errand { account: Arc::new(account), date, bill: Bill::Trade }).collect())
}

/// Compares a done unit again. Only what is new there is a reason for a person to look again.
pub(super) async fn tell_again(house: &House, errand: &Errand, log: &NightLog, outcome: &mut Outcome) {
    match compare_again(house, errand, log).await {
        Ok(0) => {}
        Ok(fresh) => {
            let what = format!("{} not told before", counted(fresh as u64, "mismatch"));
            tracing::warn!(account = %errand.account.name, date = %errand.date, "{errand}: {what}");
            outcome.look(errand.to_string(), what);
        }
        Err(failure) => outcome.fail(errand.to_string(), failure),
    }
}

/// Compares a done unit again from archive and log. How many mismatches are new.
async fn compare_again(house: &House, errand: &Errand, log: &NightLog) -> Result<usize, Failure> {
    // If the run before was broken off, nobody may have heard of what it found: then all of it is new.
    let before =
        if house.was_broken_off().await? { BTreeSet::new() } else { pages::open_ids(house, errand).await? };
    redo(house, errand, log).await?;
    let after = pages::open_ids(house, errand).await?;
    Ok(after.difference(&before).count())
}

/// Compares a unit once more, from the archive.
pub(super) async fn redo(house: &House, errand: &Errand, log: &NightLog) -> Result<UnitLine, Failure> {
    let others: Vec<Errand> = beside(errand);
    let mut extras = Vec::with_capacity(others.len());
    for other in &others {
        extras.push((other, archived(house, other).await));
    }
    let trade = archived(house, errand).await?;
    let unit = unit::compare(house, unit::Bills { errand, trade, extras }, log).await?;
    unit::keep(house, unit, log).await
}

/// The errands of the account's other bills of the day.
pub(super) fn beside(errand: &Errand) -> Vec<Errand> {
    let others = errand.account.bills.iter().filter(|bill| **bill != errand.bill);
    others.map(|bill| Errand { bill: *bill, ..errand.clone() }).collect()
}
