//! A hint, and never more than that: two orders that may be one purchase paid twice (R-D32).
//!
//! A till that heard nothing of a payment asks for another one, under a new order number, and then both come: same till, same amount,
//! paid within ten minutes, and the first was still open when the second began. No amount is changed by it.

use hashbrown::HashMap;
use xxhash_rust::xxh3::Xxh3DefaultBuilder;

use super::shelf::Shelf;
use crate::domain::{Currency, EntryKind, LoggedOrder, Moment, Note, State};
use crate::paylog::gather::Gathered;
use crate::paylog::place::Name;

/// Two payments further apart are two purchases (R-D32).
const APART_SECONDS: i64 = 600;

/// Amount and currency of open payments, and their places on the shelf.
type OpenBy = HashMap<(i64, Currency), Vec<(usize, Moment)>, Xxh3DefaultBuilder>;

/// Notes both orders of each such pair.
pub(super) fn note_maybe_twice(shelf: &mut Shelf, batches: &[Gathered]) {
    let orders = &shelf.orders;
    let mut open = OpenBy::default();
    for &(place, until) in &shelf.open {
        if let Some(amount) = orders[place].amount_minor {
            open.entry((amount, orders[place].currency)).or_default().push((place, until));
        }
    }
    if open.is_empty() {
        return;
    }
    let mut noted = Vec::new();
    for (second, order) in orders.iter().enumerate().filter(|(_, order)| is_paid(order)) {
        let Some(amount) = order.amount_minor else { continue };
        let Some(before) = open.get(&(amount, order.currency)) else { continue };
        let began_meanwhile = |first: &LoggedOrder, until: Moment| {
            order.logged_at > first.logged_at && order.logged_at <= until
        };
        for &(first, until) in before {
            let other = &orders[first];
            if began_meanwhile(other, until)
                && paid_at(order).since(paid_at(other)).abs() <= APART_SECONDS
                && same_till(order, other, batches)
            {
                noted.extend([first, second]);
            }
        }
    }
    noted.into_iter().for_each(|place| shelf.orders[place].note(Note::MaybeTwice));
}

fn is_paid(order: &LoggedOrder) -> bool {
    order.kind == EntryKind::Payment && order.state == State::Paid
}

fn paid_at(order: &LoggedOrder) -> Moment {
    order.provider_at.unwrap_or(order.logged_at)
}

/// Until a shelf is settled, `mall` is the batch of an order's row and `store` its place.
fn same_till(order: &LoggedOrder, other: &LoggedOrder, batches: &[Gathered]) -> bool {
    let text = |of: &LoggedOrder, name| batches[of.mall as usize].places.text(of.store, name);
    [Name::Mall, Name::Store, Name::Till].into_iter().all(|name| text(order, name) == text(other, name))
}
