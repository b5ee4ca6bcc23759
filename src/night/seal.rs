//! The end of a run: the index of the archive is sealed, and the head of the ledger's chain of events with it.
//!
//! So an older copy of the ledger that was put in its place, and a chain that was written anew, lack what the archive
//! knows. A run that meets such a ledger does its work all the same (its results come from archive and log), says so,
//! and writes the break down: from then on the chain is held against the seals that follow. `verify` calls it damage until a
//! person has run `reconcile`: the next night of a scheduler must not heal what somebody did to the ledger.

use std::sync::Arc;

use super::{House, Outcome, Source};
use crate::acquire::{Index, Sealing};
use crate::domain::{Exit, Failure};
use crate::store::Ledger;

/// Seals what this run, or one that was killed, left unsealed.
pub(super) async fn seal(house: &House, source: Source, outcome: &mut Outcome) {
    match try_seal(house, source).await {
        Ok(broken) if broken.is_empty() => {}
        Ok(broken) => {
            tracing::warn!("{broken}");
            outcome.look("", broken);
        }
        Err(failure) => outcome.fail("", failure),
    }
}

/// Why the ledger is not the one that was sealed last; empty if it is.
async fn try_seal(house: &House, source: Source) -> Result<String, Failure> {
    let head = house.ledger.event_head().await?;
    let broken = lacks(&house.ledger, &house.archive.read_index()?).await?;
    let (archive, now, why) = (Arc::clone(&house.archive), house.clock.now(), broken.clone());
    let by_hand = source == Source::Archive;
    let write = move || archive.seal(Sealing { head: (head.seq, &head.hash), broken: &why, by_hand }, now);
    let written = tokio::task::spawn_blocking(write).await;
    written.map_err(|error| Failure::new(Exit::Bug, format!("sealing the index: {error}")))??;
    Ok(broken)
}

/// What the ledger lacks of the last seal.
async fn lacks(ledger: &Ledger, index: &Index) -> Result<String, Failure> {
    let Some((placed, seal)) = index.seals().next_back().filter(|(_, seal)| seal.event > 0) else {
        return Ok(String::new());
    };
    let found = ledger.event_hash(seal.event).await?;
    Ok(match found {
        Some(hash) if hash == seal.hash => String::new(),
        Some(_) => format!(
            "event {} of the ledger is not the one that line {} of the archive's index sealed: its events were \
             written anew, or the ledger is another one",
            seal.event, placed.number
        ),
        None => format!(
            "the ledger lacks event {} that line {} of the archive's index sealed: it is an older copy, or was begun \
             anew",
            seal.event, placed.number
        ),
    })
}
