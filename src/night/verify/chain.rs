//! The chain of events: each one's hash, each one's predecessor, and the heads that the archive's index sealed.

use std::collections::HashMap;

use super::Verifier;
use super::damage::{Damage, Verified};
use crate::acquire::{Index, Seal};
use crate::domain::{Exit, Failure};
use crate::store::{Head, StoredEvent};

/// Walks the whole chain, whatever the scope: one that lacks its middle proves nothing about its end.
pub(super) async fn walk(
    verifier: &Verifier<'_>,
    index: &Index,
    found: &mut Verified,
) -> Result<(), Failure> {
    let mut sealed = sealed(index);
    let mut head = Head::default();
    loop {
        let events = verifier.ledger.events_after(head.seq).await?;
        if events.is_empty() {
            break;
        }
        for event in events {
            step(&head, &event, found);
            if let Some((line, seal)) = sealed.remove(&event.seq)
                && seal.hash != event.hash
            {
                let place = format!("event {}, sealed by line {line} of index.jsonl", event.seq);
                let hashes = (seal.hash.clone(), event.hash.clone());
                found.damage(
                    Damage::new("mismatch_event", place, hashes).of(&event.account, &event.bill_date),
                );
            }
            head = Head { seq: event.seq, hash: event.hash };
            found.events += 1;
        }
    }
    let mut lacking: Vec<_> = sealed.into_iter().filter(|(seq, _)| *seq > head.seq).collect();
    lacking.sort_unstable_by_key(|(seq, _)| *seq);
    // One line says it: the last of them says how much is lacking.
    if let Some((seq, (line, seal))) = lacking.pop() {
        let place = format!("events {} to {seq}", head.seq + 1);
        let expected = format!("the events that line {line} of index.jsonl sealed at {}", seal.at);
        let none = "none: the last ones were removed, or the ledger is an older copy";
        found.damage(Damage::new("mismatch_event", place, (expected, none)));
    }
    unsealed(verifier, head.seq, found).await
}

/// Events that no seal names though the last run ended in good order, and such a run seals them all: the end of the index
/// was cut off, or every seal taken out of it.
async fn unsealed(verifier: &Verifier<'_>, head: i64, found: &mut Verified) -> Result<(), Failure> {
    let run = match verifier.ledger.first_and_last_run().await? {
        Some((_, last)) => verifier.ledger.run(last).await?,
        None => None,
    };
    let in_order = [Exit::Done, Exit::Look].map(|exit| Some(exit.code()));
    if !run.is_none_or(|run| in_order.contains(&run.exit_code)) {
        return Ok(());
    }
    // Read again: what was sealed while the chain was walked stands there by now.
    let index = verifier.archive.read_index()?;
    let sealed = index.seals().next_back().map_or(0, |(_, seal)| seal.event);
    if sealed < head {
        found.unproven.push(format!(
            "events {} to {head}: no seal of the archive's index names them, and the run that wrote them sealed them: \
             lines were removed from the index",
            sealed + 1
        ));
    }
    Ok(())
}

/// The heads that the ledger must hold: from the last break that a run wrote down.
fn sealed(index: &Index) -> HashMap<i64, (u64, &Seal)> {
    let mut heads = HashMap::new();
    for (placed, seal) in index.seals() {
        if !seal.broken.is_empty() {
            heads.clear();
        }
        if seal.event > 0 {
            heads.insert(seal.event, (placed.number, seal));
        }
    }
    heads
}

fn step(before: &Head, event: &StoredEvent, found: &mut Verified) {
    let place = format!("event {} ({} of mismatch {})", event.seq, event.action, event.mismatch);
    let mut damage = |place: String, expected: String, actual: String| {
        let damage = Damage::new("mismatch_event", place, (expected, actual));
        found.damage(damage.of(&event.account, &event.bill_date));
    };
    if event.seq > before.seq + 1 {
        let (first, last) = (before.seq + 1, event.seq - 1);
        let lost = if first == last { format!("event {first}") } else { format!("events {first} to {last}") };
        damage(lost, "an unbroken chain".into(), format!("event {} behind event {}", event.seq, before.seq));
    } else if event.previous != before.hash {
        damage(format!("{place}, previous"), before.hash.clone(), event.previous.clone());
    }
    let hashed = event.hashed();
    if hashed != event.hash {
        damage(place, format!("the fields of {}", event.hash), format!("fields with the hash {hashed}"));
    }
}
