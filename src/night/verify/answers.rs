//! What providers answered about single orders, against the book that was made of the answers and archived.
//!
//! An answer may be newer than the book (a person asked again), so a state that differs proves nothing. An amount that
//! the provider told never changes: where both have one, it must be the same.

use super::damage::Damage;
use crate::domain::{Cell, Entry, Statement};
use crate::store::StoredAnswer;

/// Answers whose amount is not that of the book.
pub(super) fn differing(answers: &[StoredAnswer], book: &Statement) -> Vec<Damage> {
    let damage = |answer: &StoredAnswer| {
        let told = answer.amount_minor?;
        let mut amounts = book
            .entries()
            .iter()
            .filter(|entry| is_about(answer, entry, book))
            .filter_map(|e| e.amount_minor);
        let first = amounts.next()?;
        let agrees = first == told || amounts.any(|amount| amount == told);
        let number = if answer.order_no.is_empty() { &answer.trade_no } else { &answer.order_no };
        let place = format!("answer about {} {number}, amount_minor", answer.kind.as_str());
        (!agrees).then(|| Damage::new("answer", place, (first.to_string(), told.to_string())))
    };
    answers.iter().filter_map(damage).collect()
}

fn is_about(answer: &StoredAnswer, entry: &Entry, book: &Statement) -> bool {
    let numbers = [Cell::OrderNo, Cell::RefundNo].map(|cell| book.cell(entry, cell));
    entry.kind == answer.kind
        && numbers == [&*answer.order_no, &*answer.refund_no]
        && (!answer.order_no.is_empty() || book.cell(entry, Cell::TradeNo) == answer.trade_no)
}
