//! Reversals of turn 1: what a cashier undid, against lines that undo a whole payment, or refund it in full.

use super::finding::Finding;
use super::pair::{Books, Place};
use super::settle::{conclude_pair, disagreements, matched, report_group};
use crate::domain::{EntryKind, MismatchKind, Reason, State};

pub(super) struct Reversing<'s> {
    pub(super) paid: &'s [u32],
    pub(super) reversed: &'s [u32],
    /// Refund lines that no logged refund met: a reversal may meet one in full.
    pub(super) spare: &'s [u32],
}

/// Returns whether the statement shows the reversal that the log tells of.
pub(super) fn settle_reversals(books: &mut Books<'_>, channel: &Reversing<'_>, reversals: &[u32]) -> bool {
    if let ([_, _, ..], [order, ..]) = (channel.reversed, reversals) {
        report_group(books, channel.reversed, &[*order]);
        return books.order(*order).state == State::Reversed;
    }
    let mut undone = false;
    for &order in reversals {
        let line = channel.reversed.iter().copied().find(|&line| books.lines[line as usize] == Place::Open);
        let line = line.or_else(|| full_refund(books, channel, order));
        match line {
            Some(line) if books.order(order).state == State::Reversed => {
                undone = true;
                compare_reversal(books, line, order);
            }
            // Asked for but not confirmed (recall, time-out), and the channel did it.
            Some(line) => {
                let finding = disagreements(books, line, order);
                conclude_pair(books, finding, line, order);
            }
            None => missing_reversal(books, channel, order),
        }
    }
    undone
}

/// A refund line over the whole payment that nothing else met.
fn full_refund(books: &Books<'_>, channel: &Reversing<'_>, order: u32) -> Option<u32> {
    let paid = channel.paid.first().and_then(|&line| books.line(line).amount_minor).map(|amount| -amount);
    let whole = paid.or(books.order(order).amount_minor)?;
    channel.spare.iter().copied().find(|&line| {
        books.lines[line as usize] == Place::Open && books.line(line).amount_minor == Some(whole)
    })
}

pub(super) fn compare_reversal(books: &mut Books<'_>, line: u32, order: u32) {
    let (entry, logged) = (books.line(line), books.order(order));
    if entry.amount_minor.is_none() && !books.resolved.contains_key(&line) {
        // No payment line in this file; the neighbouring day may have it. Until then the log's word is the amount.
        if let Some(amount) = logged.amount_minor {
            books.resolved.insert(line, amount);
        }
    }
    let amount = books.line_amount(line);
    let differs =
        entry.currency != logged.currency || (logged.amount_minor.is_some() && amount != logged.amount_minor);
    if !differs {
        books.counted.insert(order, amount.unwrap_or(0));
        matched(books, line, order);
        return;
    }
    let mut finding = Finding::new(EntryKind::Reversal, vec![line], vec![order]);
    finding = if entry.currency == logged.currency {
        finding.because(MismatchKind::AmountMismatch, Reason::Amount)
    } else {
        let (gateway, channel) = (logged.currency.to_string(), entry.currency.to_string());
        finding.because(MismatchKind::CurrencyMismatch, Reason::Currency { gateway, channel })
    };
    conclude_pair(books, finding, line, order);
}

/// The log tells of a reversal, today's statement does not show it; a neighbouring day's may.
fn missing_reversal(books: &mut Books<'_>, channel: &Reversing<'_>, order: u32) {
    if !books.order(order).is_success() {
        books.place_order(order, Place::NothingHappened);
    } else if !channel.paid.is_empty() {
        books.charged.insert(order);
    }
}

/// Reversal lines that no logged reversal of today met. Unless the log of a neighbouring day has it, the channel
/// undid what the log holds as something else.
pub(super) fn settle_loose_reversals(books: &mut Books<'_>, reversed: &[u32], payments: &[u32]) {
    let loose: Vec<u32> =
        reversed.iter().copied().filter(|&line| books.lines[line as usize] == Place::Open).collect();
    if loose.len() > 1 {
        report_group(books, &loose, &[]);
        return;
    }
    if let (Some(&line), Some(&order)) = (loose.first(), payments.first())
        && books.order(order).state != State::Reversed
    {
        books.loose.insert(line, order);
    }
}
