//! The proofs of a section, checked over the rows that people will read (contract, section 6).
//!
//! `reconcile` proves its own values; here the same is asked of the finished rows, and that every figure equals the sum
//! of the rows below it. A report whose proofs do not close is a bug of ours, whatever the data.

use super::{BridgeRow, ControlRow, PlacesRow, Section, amount, digits};
use crate::domain::{MismatchKind, Verdict};

/// What does not close, one sentence each; empty is what must be.
pub fn open(section: &Section) -> Vec<String> {
    let mut open: Vec<String> = section.totals.iter().filter_map(total).collect();
    open.extend(rest("statement lines", &section.conservation.lines));
    open.extend(rest("logged orders", &section.conservation.orders));
    for bridge in &section.bridge {
        open.extend(unexplained(bridge));
        open.extend(mismatch_steps(section, bridge));
        open.extend(timing_steps(section, bridge));
    }
    if section.verdict() < Verdict::Unbalanced && !section.mismatches.is_empty() {
        open.push(format!("called {} with {} mismatches", section.verdict, section.mismatches.len()));
    }
    open.iter().map(|what| format!("{}: {what}", section.account)).collect()
}

fn total(row: &ControlRow) -> Option<String> {
    let differs = |side: &str| !side.is_empty() && side != row.parsed;
    (differs(&row.stated) || differs(&row.ledger)).then(|| {
        format!(
            "`{}` is stated as `{}`, parsed as `{}`, in the ledger `{}`",
            row.title, row.stated, row.parsed, row.ledger
        )
    })
}

fn rest(what: &str, row: &PlacesRow) -> Option<String> {
    let places = [row.matched, row.mismatched, row.timing, row.excluded, row.nothing_happened, row.rest];
    let count: u64 = places.iter().map(|p| p.count).fold(0, u64::wrapping_add);
    let sum: i64 = places.iter().map(|p| p.amount_minor).sum();
    let rest = (row.rest.count, row.rest.amount_minor);
    let same = count == row.total.count && sum == row.total.amount_minor;
    (rest != (0, 0) || !same).then(|| {
        format!("{} {what} ended nowhere, with {} minor units", row.rest.count.cast_signed(), rest.1)
    })
}

fn unexplained(row: &BridgeRow) -> Option<String> {
    let steps: i64 = row.steps.iter().map(|s| s.amount_minor).sum();
    let left = row.channel_minor - row.gateway_minor - steps;
    (left != 0 || row.unexplained_minor != 0)
        .then(|| format!("the bridge leaves {} {} unexplained", amount(left, &row.currency), row.currency))
}

/// Each step of the bridge is the sum of its rows. A currency mismatch has one row and a step in two bridges.
fn mismatch_steps(section: &Section, bridge: &BridgeRow) -> Vec<String> {
    let kinds = MismatchKind::ALL.into_iter().filter(|kind| *kind != MismatchKind::CurrencyMismatch);
    kinds.filter_map(|kind| mismatch_step(section, bridge, kind.as_str())).collect()
}

fn mismatch_step(section: &Section, bridge: &BridgeRow, kind: &str) -> Option<String> {
    let rows = section.mismatches.iter().filter(|m| m.kind == kind && m.currency == bridge.currency);
    let listed = rows.fold((0, 0), |(count, sum), m| (count + 1, sum + m.difference_minor));
    let steps = bridge.steps.iter().filter(|s| s.kind == kind);
    let bridged = steps.fold((0, 0), |(count, sum), s| (count + s.count, sum + s.amount_minor));
    let show = |sum: i64| crate::domain::money::major(sum, digits(&bridge.currency));
    (listed != bridged).then(|| {
        format!(
            "the bridge has {} `{kind}` with {} {}, the list {} with {}",
            bridged.0,
            show(bridged.1),
            bridge.currency,
            listed.0,
            show(listed.1)
        )
    })
}

fn timing_steps(section: &Section, bridge: &BridgeRow) -> Option<String> {
    let items = section.timing.iter().filter(|t| t.currency == bridge.currency);
    let listed: i64 = items.map(|t| if t.kind == "in" { t.amount_minor } else { -t.amount_minor }).sum();
    let steps = bridge.steps.iter().filter(|s| s.kind == "timing_out" || s.kind == "timing_in");
    let bridged: i64 = steps.map(|s| s.amount_minor).sum();
    (listed != bridged).then(|| {
        format!(
            "the bridge has timing of {} {}, the list of {}",
            amount(bridged, &bridge.currency),
            bridge.currency,
            amount(listed, &bridge.currency)
        )
    })
}
