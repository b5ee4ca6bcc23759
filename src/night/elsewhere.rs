//! The second pass over a day: what one account's log has and another account's statement shows.
//!
//! A unit is compared when its statement is there; the others of the day may not be done by then. So when all are, each
//! one that still misses something is looked at once more, if another account has it. The mismatch belongs to the
//! account that the log names (contract, section 5); the other account's line is explained, and no mismatch of its own.

use std::collections::HashSet;
use std::sync::Arc;

use super::again::{done_errands, redo, tell_again};
use super::log::NightLog;
use super::{House, Outcome, pages};
use crate::domain::{BillDate, Errand, Failure, MismatchKind};

/// Compares again what another account explains. Also of accounts that this run was not asked for: the statement that
/// explains what they miss may have come only now.
pub(super) async fn second_look(house: &House, date: BillDate, log: &NightLog, outcome: &mut Outcome) {
    if house.settings.accounts.len() < 2 {
        return;
    }
    let done = match done_errands(house, date).await {
        Ok(done) => done,
        Err(failure) => return outcome.fail(date.to_string(), failure),
    };
    for errand in &done {
        match is_explained(house, errand, log).await {
            Ok(true) => look_again(house, errand, log, outcome).await,
            Ok(false) => {}
            Err(failure) => outcome.fail(errand.to_string(), failure),
        }
    }
}

/// A unit of this run is told again in its place; of any other, only what is new there.
async fn look_again(house: &House, errand: &Errand, log: &NightLog, outcome: &mut Outcome) {
    if !outcome.is_done(&errand.account.name, errand.date) {
        return tell_again(house, errand, log, outcome).await;
    }
    match redo(house, errand, log).await {
        Ok(line) => outcome.unit_done(errand.to_string(), line),
        Err(failure) => outcome.fail(errand.to_string(), failure),
    }
}

/// Whether another account has what this one calls one-sided.
async fn is_explained(house: &House, errand: &Errand, log: &NightLog) -> Result<bool, Failure> {
    let Some(section) = pages::section(house, errand).await? else { return Ok(false) };
    let keys = |kind: MismatchKind| -> HashSet<String> {
        let rows = section.mismatches.iter().filter(|row| row.kind == kind.as_str());
        let numbers = rows.flat_map(|row| [row.order_no.clone(), row.trade_no.clone()]);
        numbers.filter(|number| !number.is_empty()).collect()
    };
    let (ours, theirs) = (Arc::new(keys(MismatchKind::GatewayOnly)), keys(MismatchKind::ChannelOnly));
    if ours.is_empty() && theirs.is_empty() {
        return Ok(false);
    }
    for (account, logged) in log.others(house, errand) {
        let known = |order: &&crate::domain::LoggedOrder| {
            order.day == errand.date
                && order.is_success()
                && (theirs.contains(logged.order_no(order)) || theirs.contains(logged.trade_no(order)))
        };
        if logged.orders.iter().any(|order| known(&order)) {
            return Ok(true);
        }
        if !house.ledger.neighbour_entries(&account, &[errand.date], &ours).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
