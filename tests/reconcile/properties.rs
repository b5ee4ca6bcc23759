//! What holds for every night, whatever is in it: random books from a small space of keys, so that everything meets
//! everything; and a slow, obvious reference that must find the same.

use std::collections::BTreeMap;

use crate::books::{Books, Movement, show};
use nightjob::domain::{Currency, EntryKind, MismatchKind, State};
use nightjob::reconcile::{Mismatch, Reconciliation};
use proptest::prelude::*;
use proptest::sample::select;

const CASES: u32 = 1500;

fn movement(kinds: &'static [EntryKind], states: &'static [State]) -> impl Strategy<Value = Movement> {
    let numbers = (select(kinds), 0..5u8, 0..3u8, 0..3u8);
    let facts = (1..4i64, select(states), 0..4u8, any::<bool>(), any::<bool>());
    (numbers, facts).prop_map(|((kind, order, refund, trade), (amount, state, hour, told, either))| {
        let undone = matches!(state, State::Paid | State::Refunded | State::Reversed);
        Movement {
            kind,
            order_no: if order == 4 { String::new() } else { format!("A{order}") },
            refund_no: if kind == EntryKind::Refund && refund > 0 {
                format!("R{refund}")
            } else {
                String::new()
            },
            trade_no: if trade == 0 { String::new() } else { format!("T{order}{trade}") },
            amount_minor: (kind != EntryKind::Reversal || amount > 1).then_some(amount * kind.sign()),
            currency: Currency::CNY,
            state: (!undone).then_some(state),
            time: ["00:00:05", "12:00:00", "12:00:01", "23:55:00"][usize::from(hour)].to_owned(),
            told: told && kind == EntryKind::Payment,
            either: either && kind == EntryKind::Reversal,
        }
    })
}

const ALL_KINDS: &[EntryKind] =
    &[EntryKind::Payment, EntryKind::Payment, EntryKind::Refund, EntryKind::Reversal];
const LOG_STATES: &[State] =
    &[State::Paid, State::Paid, State::Failed, State::Pending, State::Unknown, State::Closed];
const BILL_STATES: &[State] = &[State::Paid];

/// A logged side as the fold writes it: one payment and one reversal an order number.
fn as_folded(mut log: Vec<Movement>) -> Vec<Movement> {
    let mut seen = std::collections::BTreeSet::new();
    log.retain(|m| {
        let once = m.kind != EntryKind::Refund || !m.refund_no.is_empty();
        !once
            || seen.insert((
                m.kind,
                m.order_no.clone(),
                m.refund_no.clone(),
                m.order_no.is_empty().then(|| m.trade_no.clone()),
            ))
    });
    log
}

fn night(kinds: &'static [EntryKind]) -> impl Strategy<Value = Books> {
    let side =
        |states: &'static [State], most: usize| prop::collection::vec(movement(kinds, states), 0..most);
    (side(LOG_STATES, 9), side(BILL_STATES, 9), side(LOG_STATES, 4), side(BILL_STATES, 4), any::<[bool; 3]>())
        .prop_map(|(log, bill, other_log, other_bill, [before, tomorrow_known, no_bill])| {
            let mut books = Books {
                log: as_folded(log),
                bill: if no_bill { Vec::new() } else { bill },
                no_bill,
                ..Books::default()
            };
            let offset = if before { -1 } else { 1 };
            books.log_of.insert(offset, as_folded(other_log));
            books.bill_of.insert(offset, other_bill);
            if !tomorrow_known {
                books.bill_of.remove(&1);
            }
            books
        })
}

/// Every mismatch without what depends on the place in the file.
fn content(result: &Reconciliation) -> Vec<Mismatch> {
    result.mismatches.iter().cloned().map(|m| Mismatch { lines: Vec::new(), ..m }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_proofs_always_close(books in night(ALL_KINDS)) {
        let result = books.reconcile();
        prop_assert!(result.is_proven(), "{}", show(&result));
        let kinds: u64 = result.bridges.iter().flat_map(|b| &b.mismatches).map(|(_, t)| t.count).sum();
        prop_assert_eq!(kinds, result.mismatches.len() as u64, "one step of the bridge for each mismatch");
    }

    #[test]
    fn a_line_is_in_one_mismatch_at_most(books in night(ALL_KINDS)) {
        let result = books.reconcile();
        let mut lines: Vec<_> = result.mismatches.iter().flat_map(|m| m.lines.clone()).collect();
        let all = lines.len();
        lines.sort_unstable();
        lines.dedup();
        prop_assert_eq!(lines.len(), all);
        prop_assert_eq!(lines.len() as u64, result.lines.mismatched.count);
    }

    #[test]
    fn ids_are_unique(books in night(ALL_KINDS)) {
        let result = books.reconcile();
        let mut ids: Vec<_> = result.mismatches.iter().map(|m| m.id.clone()).collect();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), result.mismatches.len());
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(books in night(ALL_KINDS), seed in any::<u64>()) {
        let mut shuffled = books.clone();
        let mut random = fastrand::Rng::with_seed(seed);
        random.shuffle(&mut shuffled.log);
        random.shuffle(&mut shuffled.bill);
        shuffled.log_of.values_mut().for_each(|side| random.shuffle(side));
        shuffled.bill_of.values_mut().for_each(|side| random.shuffle(side));
        let (one, other) = (books.reconcile(), shuffled.reconcile());
        prop_assert_eq!(show(&one), show(&other));
        prop_assert_eq!(content(&one), content(&other));
    }

    #[test]
    fn an_identical_night_is_balanced(bill in prop::collection::vec(movement(&[EntryKind::Payment, EntryKind::Refund], BILL_STATES), 0..9)) {
        let mut bill = as_folded(bill);
        let mut seen = std::collections::BTreeSet::new();
        // Refunds without a number are told apart by amount and time only: one of each will do.
        bill.retain(|m| !m.order_no.is_empty() && seen.insert((m.kind, m.order_no.clone(), m.refund_no.clone())));
        let mut seen = std::collections::BTreeSet::new();
        bill.retain(|m| m.trade_no.is_empty() || m.kind != EntryKind::Payment || seen.insert(m.trade_no.clone()));
        let books = Books {
            log: bill.clone(),
            bill,
            ..Books::default()
        };
        let result = books.reconcile();
        prop_assert!(result.mismatches.is_empty(), "{}", show(&result));
        prop_assert_eq!(result.lines.matched.count, books.bill.len() as u64);
    }

    /// Peers carry on one side only. With paid orders only, swapping the books swaps the words and the signs.
    #[test]
    fn swapping_the_sides_mirrors_the_result(log in paid_orders(), bill in paid_orders()) {
        let one = plain(log.clone(), bill.clone()).reconcile();
        let other = plain(bill, log).reconcile();
        let mirror = |kind| match kind {
            MismatchKind::ChannelOnly => MismatchKind::GatewayOnly,
            MismatchKind::GatewayOnly => MismatchKind::ChannelOnly,
            same => same,
        };
        let mut there: Vec<_> = one.mismatches.iter().map(|m| (mirror(m.kind), m.order_no.clone(), -m.difference_minor())).collect();
        let mut back: Vec<_> = other.mismatches.iter().map(|m| (m.kind, m.order_no.clone(), m.difference_minor())).collect();
        there.sort();
        back.sort();
        prop_assert_eq!(there, back);
    }

    #[test]
    fn a_slow_obvious_reference_finds_the_same(books in night(&[EntryKind::Payment]), ) {
        let mut books = books;
        for side in [&mut books.log, &mut books.bill] {
            side.retain(|m| !m.order_no.is_empty());
            side.iter_mut().for_each(|m| m.trade_no = format!("T{}", m.order_no));
        }
        books.log_of.clear();
        books.bill_of = BTreeMap::from([(1, Vec::new())]);
        let mut found: Vec<_> = books
            .reconcile()
            .mismatches
            .iter()
            .map(|m| (m.order_no.clone(), m.kind, m.gateway_amount_minor, m.channel_amount_minor))
            .collect();
        found.sort();
        prop_assert_eq!(found, reference(&books));
    }
}

fn paid_orders() -> impl Strategy<Value = Vec<Movement>> {
    prop::collection::vec(movement(&[EntryKind::Payment], BILL_STATES), 0..8).prop_map(|side| {
        let mut side = as_folded(side);
        side.retain(|m| !m.order_no.is_empty());
        side.iter_mut().for_each(|m| {
            m.trade_no.clear();
            m.time = "12:00:00".to_owned();
        });
        side
    })
}

fn plain(log: Vec<Movement>, bill: Vec<Movement>) -> Books {
    Books { log, bill, bill_of: BTreeMap::from([(1, Vec::new())]), ..Books::default() }
}

/// Payments only, no neighbours, one transaction an order: for each order number, look at everything again.
fn reference(books: &Books) -> Vec<(String, MismatchKind, Option<i64>, Option<i64>)> {
    let mut numbers: Vec<&str> = books.log.iter().chain(&books.bill).map(|m| m.order_no.as_str()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut found = Vec::new();
    for number in numbers {
        let lines: Vec<&Movement> = books.bill.iter().filter(|m| m.order_no == number).collect();
        let order = books.log.iter().find(|m| m.order_no == number);
        let paid = order.filter(|o| o.state.is_none()).and_then(|o| o.amount_minor);
        let total = (!lines.is_empty()).then(|| lines.iter().filter_map(|m| m.amount_minor).sum::<i64>());
        let kind = if lines.len() > 1 {
            Some(MismatchKind::DuplicateRow)
        } else if lines.is_empty() {
            paid.map(|_| MismatchKind::GatewayOnly)
        } else {
            match order {
                None => Some(MismatchKind::ChannelOnly),
                Some(o) => match o.state {
                    None => (paid != total).then_some(MismatchKind::AmountMismatch),
                    Some(State::Failed | State::Pending | State::Unknown) => {
                        Some(MismatchKind::LostConfirmation)
                    }
                    Some(_) => Some(MismatchKind::StatusMismatch),
                },
            }
        };
        found.extend(kind.map(|kind| (number.to_owned(), kind, paid, total)));
    }
    found.sort();
    found
}

#[test]
fn an_identical_pair_is_matched_and_any_single_differing_field_is_not() {
    let order = Movement::parse("pay A1 12.00 TA1 09:00:00");
    assert!(plain(vec![order.clone()], vec![order.clone()]).reconcile().mismatches.is_empty());
    for (line, kind) in [
        ("pay A1 12.01 TA1 09:00:00", MismatchKind::AmountMismatch),
        ("pay A1 12.00 TA2 09:00:00", MismatchKind::DoublePayment),
        ("pay A1 12.00 TA1 09:00:00 USD", MismatchKind::CurrencyMismatch),
        ("refund A1/R1 12.00 TA1 09:00:00", MismatchKind::ChannelOnly),
        ("reverse A1 12.00 TA1 09:00:00", MismatchKind::StatusMismatch),
    ] {
        let result = plain(vec![order.clone()], vec![Movement::parse(line)]).reconcile();
        assert_eq!(result.mismatches.first().map(|m| m.kind), Some(kind), "{line}\n{}", show(&result));
    }
}
