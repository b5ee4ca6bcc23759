//! Rows of one order into movements: a payment, its refunds, its reversal (`spec/ttpay.md`, R-D20 to R-D33).
//!
//! `group` finds the rows of each order, `payment` and `refund` say what they amount to, `shelf` puts the movements in
//! order. Nothing depends on how the rows were distributed over gatherers: inside an order they are sorted by
//! REQ_DATE and row id, and everything that is kept is sorted at the end.
//!
//! # Why PAID wins
//!
//! A complete success proves money, whatever came before or after it: a till that asks again gets ORDERPAID or an
//! expired code, and a query may break off. So no failure undoes a success; two successes that differ are both kept.

mod rows;
mod group;
mod payment;
mod refund;
mod shelf;
mod twice;
mod check;

use std::collections::BTreeMap;

use crate::domain::{BillDate, EntryKind, LoggedOrders, Note, State};

use super::gather::Gathered;
use super::place::Name;
use super::{Counters, Folded, Unclaimed};
use check::{Skew, UnitCheck};
use group::{Group, Groups, Scope};
use payment::Proof;
use rows::{Log, Movement, Order, Row};
use shelf::Shelf;

/// Folds what gatherers have gathered. May be called again with more (older rows that [`Folded::look_back`] asked
/// for): it does not consume what it is given. A row given twice counts once.
pub fn fold(gathered: impl AsRef<[Gathered]>) -> Folded {
    let batches = gathered.as_ref();
    let log = Log::new(batches);
    let mut groups = group::group(&log);
    let mut teller = Teller::new(batches);
    teller.look_back.append(&mut groups.look_back);
    for (shelf, orders) in teller.shelves.iter_mut().zip(groups.by_account(batches)) {
        shelf.reserve(orders);
    }
    for group in groups.list(&log) {
        teller.tell(&log, &groups, group);
    }
    let mut folded = teller.finish(batches);
    folded.counters =
        Counters { notices_alone: folded.counters.notices_alone, ..counters(batches, groups.orphans) };
    folded.first = batches.iter().filter_map(|b| b.first).min();
    folded.last = batches.iter().filter_map(|b| b.last).max();
    folded
}

fn counters(batches: &[Gathered], orphans: u64) -> Counters {
    let mut all = Counters { orphans, ..Counters::default() };
    let mut actions: BTreeMap<&str, u64> = BTreeMap::new();
    let mut types: BTreeMap<&str, u64> = BTreeMap::new();
    for batch in batches {
        all.add(&batch.counters);
        batch.unknown_actions.iter().for_each(|(name, n)| *actions.entry(name).or_default() += n);
        batch.unknown_types.iter().for_each(|(name, n)| *types.entry(name).or_default() += n);
    }
    let list = |map: BTreeMap<&str, u64>| map.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    all.unknown_actions = list(actions);
    all.unknown_types = list(types);
    all
}

/// Day, seller and REQ_TYPE of what no account claims; orders and the sum of the successes among them.
type UnclaimedBy = BTreeMap<(BillDate, String, String), (u64, i64)>;

/// Goes from group to group and keeps what they amount to.
struct Teller<'a> {
    shelves: Vec<Shelf>,
    checks: Vec<UnitCheck>,
    skew: Skew,
    unclaimed: UnclaimedBy,
    look_back: Vec<String>,
    notices_alone: u64,
    rows: Vec<Row<'a>>,
    proofs: Vec<Proof<'a>>,
    movements: Vec<Movement<'a>>,
}

impl<'a> Teller<'a> {
    fn new(batches: &[Gathered]) -> Teller<'a> {
        let accounts = batches.iter().map(|b| b.accounts).max().unwrap_or(0);
        Teller {
            shelves: vec![Shelf::default(); accounts],
            checks: vec![UnitCheck::default(); accounts],
            skew: Skew::default(),
            unclaimed: BTreeMap::new(),
            look_back: Vec::new(),
            notices_alone: 0,
            rows: Vec::new(),
            proofs: Vec::new(),
            movements: Vec::new(),
        }
    }

    fn tell(&mut self, log: &Log<'a>, groups: &Groups<'a>, group: Group<'a>) {
        log.rows(groups.members(&group), &mut self.rows);
        let order = Order { rows: &self.rows, number: group.number(&self.rows), text: group.text };
        self.movements.clear();
        if self.rows.iter().all(Row::is_notice) {
            return self.tell_notices(group.text);
        }
        let payment = payment::tell(&order, &mut self.proofs, &mut self.movements);
        let wants_history = refund::tell(&order, &payment, &mut self.movements);
        let wallet = rows::wallet(&self.rows);
        self.movements.iter_mut().for_each(|m| m.wallet = wallet);
        let reused = group.reused || payment.sellers_differ;
        let orphan = group.text.is_empty();
        self.movements.retain(|m| !orphan || m.is_money());
        self.movements.iter_mut().filter(|_| reused).for_each(|m| m.notes |= Note::OutIdReuse as u16);
        match groups.scope(&group) {
            Scope { account: Some(account), .. } => {
                if (wants_history || payment.wants_history) && !orphan {
                    self.look_back.push(group.text.to_owned());
                }
                self.checks[*account].see(&self.movements, &payment);
                self.skew.see(&self.rows);
                self.shelves[*account].put_all(&self.movements, payment.open_until);
            }
            Scope { account: None, .. } => self.tell_unclaimed(),
        }
    }

    /// Notifications make no order of the log. Its rows may be older than the window, if they say that it was paid only
    /// now.
    fn tell_notices(&mut self, order_no: &str) {
        if self.rows.iter().any(payment::is_proof) {
            self.notices_alone += 1;
            if !order_no.is_empty() {
                self.look_back.push(order_no.to_owned());
            }
        }
    }

    fn tell_unclaimed(&mut self) {
        let mut last = None;
        for movement in &self.movements {
            let place = movement.place;
            let name = |name| place.batch.places.text(place.record.place, name).to_owned();
            let key = (movement.day(), name(Name::Seller), name(Name::ReqType));
            let counted = last.as_ref() == Some(&key);
            let (orders, successes) = self.unclaimed.entry(key.clone()).or_default();
            *orders += u64::from(!counted);
            *successes += if movement.is_success() { movement.signed_minor().unwrap_or(0) } else { 0 };
            last = Some(key);
        }
    }

    fn finish(mut self, batches: &[Gathered]) -> Folded {
        shelf::note_shared_trades(&mut self.shelves, batches);
        self.shelves.iter_mut().for_each(|shelf| twice::note_maybe_twice(shelf, batches));
        self.look_back.sort_unstable();
        self.look_back.dedup();
        let accounts: Vec<LoggedOrders> = self.shelves.into_iter().map(|s| s.settle(batches)).collect();
        let rules = batches.first().map(|b| b.rules).unwrap_or_default();
        Folded {
            accounts,
            factor_hundred: self.checks.into_iter().map(|c| c.verdict(rules.amount_unit)).collect(),
            unclaimed: self.unclaimed.into_iter().map(unclaimed).collect(),
            skew_seconds: self.skew.median(),
            look_back: self.look_back,
            counters: Counters { notices_alone: self.notices_alone, ..Counters::default() },
            ..Folded::default()
        }
    }
}

fn unclaimed(
    ((day, seller, req_type), (orders, successes_minor)): ((BillDate, String, String), (u64, i64)),
) -> Unclaimed {
    Unclaimed { day, seller, req_type, orders, successes_minor }
}

impl Movement<'_> {
    /// Whether it tells of money, be it weakly.
    fn is_money(&self) -> bool {
        match self.kind {
            EntryKind::Payment => matches!(self.state, State::Paid | State::Held),
            EntryKind::Refund => self.state == State::Refunded,
            EntryKind::Reversal => self.state == State::Reversed,
        }
    }
}
