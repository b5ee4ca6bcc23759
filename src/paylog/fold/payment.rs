//! The payment of an order, and its reversal (R-D21 to R-D27).
//!
//! | the log proves | payment | reversal |
//! |---|---|---|
//! | paid | `paid` | |
//! | paid, then reversed | `paid` | `reversed` |
//! | paid, then closed, nobody says by whom | `paid` | `reversed`, either way |
//! | reversed, unknown whether it had been paid | `reversed`, either way | `reversed`, either way |
//! | reversed, and every attempt had failed; or closed | `closed` | |
//! | held, and not released (escrow) | `held`, on the day it was paid | |
//! | held, then TRADE_FINISHED | `paid`, on the day it finished | |
//! | held, then closed | `closed`: it went back to the buyer | |
//! | nothing decisive | `pending`, `unknown`, `failed` | in the state of its own reply, where one was asked for |

use crate::domain::{Currency, EntryKind, Moment, Note, State};

use super::rows::{Movement, Order, Row, Text};
use crate::paylog::evidence::{Action, Finding};

/// "No such order" is believed if it was said so long after the last attempt (R-D25); before, the attempt may still
/// have been on its way.
const NOT_FOUND_AFTER_SECONDS: i64 = 60;

/// What the rest of the fold needs to know of an order's payment.
#[derive(Clone, Debug, Default)]
pub(super) struct Payment {
    /// Whether the log tells of a payment at all; refunds of earlier payments stand on their own (R-D44).
    pub state: Option<State>,
    /// The provider's amount of a payment that is proven, and what was asked for it.
    pub paid_minor: Option<i64>,
    pub asked_minor: Option<i64>,
    /// The payment request itself is in the log, so all that happened to the order later should be.
    pub attempted: bool,
    /// Sellers of its attempts differ.
    pub sellers_differ: bool,
    /// Older rows would tell more.
    pub wants_history: bool,
    /// It was asked for, and known to be paid only then.
    pub open_until: Option<Moment>,
}

/// A decisive success; several rows that tell of the same transaction are one.
pub(super) struct Proof<'a> {
    row: usize,
    trade: Text<'a>,
    amount_minor: Option<i64>,
    at: Option<Moment>,
    /// When money that was held was released: the first time that anybody said so.
    finished_at: Option<(Moment, bool)>,
    currency: Currency,
    contradicted: bool,
    /// No row of the log proves it, or none its amount.
    by_notice: bool,
    amount_by_notice: bool,
}

/// Appends the order's payment and reversal, if the log tells of any. `proofs` is room that is used again for every
/// order.
pub(super) fn tell<'a>(
    order: &Order<'_, 'a>,
    proofs: &mut Vec<Proof<'a>>,
    out: &mut Vec<Movement<'a>>,
) -> Payment {
    let about = order.rows.iter().filter(|row| row.is_about_payment() && !row.is_notice());
    let rows = u32::try_from(about.count()).unwrap_or(u32::MAX);
    if rows == 0 {
        return Payment::default();
    }
    let course = Course::of(order.rows);
    prove(order.rows, &course, proofs);
    let mut payment = Payment { attempted: course.attempted, ..Payment::default() };
    payment.sellers_differ = sellers_differ(order.rows);
    if proofs.is_empty() {
        out.push(unproven(order, &course));
    }
    for proof in proofs.iter() {
        out.push(proven(order, proof, &course, proofs.len() > 1));
    }
    for movement in out.iter_mut() {
        movement.rows = rows;
        movement.notes |= course.notes(order.rows);
    }
    let main = out[0];
    payment.state = Some(main.state);
    payment.paid_minor = main.amount_minor.filter(|_| main.state == State::Paid);
    payment.asked_minor = proofs.first().and_then(|proof| asked_minor(order.rows, proof.row));
    // An older row may say that the money was held.
    let maybe_held = !course.held && order.rows.iter().any(is_end_of_escrow);
    payment.wants_history =
        !course.attempted && (proofs.is_empty() || main.provider_at.is_none() || maybe_held);
    payment.open_until = proofs.first().and_then(|proof| open_until(order.rows, proof.row));
    out.extend(reversal(order, &main));
    payment
}

fn sellers_differ(rows: &[Row<'_>]) -> bool {
    let mut sellers = rows.iter().filter(|r| r.is_attempt()).map(Row::seller);
    let first = sellers.next();
    sellers.any(|seller| Some(seller) != first)
}

/// The time of the proof, if the attempt that it belongs to had been left open.
fn open_until(rows: &[Row<'_>], proof: usize) -> Option<Moment> {
    let attempt = anchor(rows, proof);
    let left_open = matches!(attempt.finding(), Finding::Unknown | Finding::Pending | Finding::NotYetPaid);
    let until = rows[proof].record.logged_at();
    (attempt.is_attempt() && left_open && until > attempt.record.logged_at()).then_some(until)
}

fn is_end_of_escrow(row: &Row<'_>) -> bool {
    row.record.finished_at().is_some() || row.finding() == Finding::ClosedOrRefunded
}

pub(super) fn is_proof(row: &Row<'_>) -> bool {
    match row.finding() {
        Finding::Paid => true,
        // Closed after it had been paid: the reply still states when.
        Finding::ClosedOrRefunded => row.record.provider_at().is_some(),
        _ => false,
    }
}

/// The decisive successes, one for each transaction number.
fn prove<'a>(rows: &[Row<'a>], course: &Course, proofs: &mut Vec<Proof<'a>>) {
    proofs.clear();
    // Money that was held and then closed went back to the buyer; it never was the merchant's.
    let given_back = |row: &Row<'_>| course.held && row.finding() == Finding::ClosedOrRefunded;
    for (index, row) in rows.iter().enumerate().filter(|(_, row)| is_proof(row) && !given_back(row)) {
        let trade = row.trade();
        let same = |p: &&mut Proof<'a>| p.trade.is_empty() || trade.is_empty() || p.trade.text == trade.text;
        match proofs.iter_mut().find(same) {
            Some(proof) => proof.hear(row),
            None => proofs.push(Proof::of(index, row)),
        }
    }
    for proof in proofs.iter_mut() {
        let Some(told) = told_amount(rows, proof.trade) else { continue };
        proof.contradicted |= proof.amount_minor.is_some_and(|amount| amount != told);
        proof.amount_by_notice &= proof.amount_minor != Some(told);
        proof.amount_minor = proof.amount_minor.or(Some(told));
    }
}

/// What another answer says of the amount of a transaction: Teegon's states it when the charge is made, and no more when
/// it is asked whether it was paid.
fn told_amount(rows: &[Row<'_>], trade: Text<'_>) -> Option<i64> {
    let told = rows.iter().filter(|row| {
        if row.is_notice() {
            return false;
        }
        let state = matches!(row.finding(), Finding::Pending | Finding::NotYetPaid | Finding::Held);
        state && !trade.is_empty() && row.trade().text == trade.text
    });
    told.filter_map(|row| row.record.amount_minor()).next()
}

impl<'a> Proof<'a> {
    fn of(index: usize, row: &Row<'a>) -> Proof<'a> {
        let record = row.record;
        Proof {
            row: index,
            trade: row.trade(),
            amount_minor: record.amount_minor(),
            at: record.provider_at(),
            finished_at: record.finished_at(),
            currency: record.currency,
            contradicted: false,
            by_notice: row.is_notice(),
            amount_by_notice: row.is_notice(),
        }
    }

    /// One more row that tells of the same transaction.
    fn hear(&mut self, row: &Row<'a>) {
        let (amount_minor, notice) = (row.record.amount_minor(), row.is_notice());
        self.contradicted |= matches!((self.amount_minor, amount_minor), (Some(a), Some(b)) if a != b);
        self.amount_by_notice = match (self.amount_minor, amount_minor) {
            (None, Some(_)) => notice,
            (Some(_), Some(_)) => self.amount_by_notice && notice,
            (_, None) => self.amount_by_notice,
        };
        self.by_notice &= notice;
        self.trade = self.trade.or(row.trade());
        self.amount_minor = self.amount_minor.or(amount_minor);
        self.at = self.at.or(row.record.provider_at());
        let first = |a: (Moment, bool), b: (Moment, bool)| if b.0 < a.0 { b } else { a };
        self.finished_at = match (self.finished_at, row.record.finished_at()) {
            (Some(a), Some(b)) => Some(first(a, b)),
            (a, b) => a.or(b),
        };
    }
}

/// The attempt that a row belongs to: itself, the last one before it, or the first.
fn anchor<'a>(rows: &[Row<'a>], index: usize) -> Row<'a> {
    let before = rows[..=index].iter().rev().find(|row| row.is_attempt());
    let attempt = before.or_else(|| rows.iter().find(|row| row.is_attempt()));
    let any = rows.iter().find(|row| row.is_about_payment() && !row.is_notice());
    *attempt.or(any).unwrap_or(&rows[index])
}

fn asked_minor(rows: &[Row<'_>], index: usize) -> Option<i64> {
    anchor(rows, index).record.fee_minor().or(rows[index].record.fee_minor())
}

fn proven<'a>(
    order: &Order<'_, 'a>,
    proof: &Proof<'a>,
    course: &Course,
    one_of_several: bool,
) -> Movement<'a> {
    let anchor = anchor(order.rows, proof.row);
    let asked = asked_minor(order.rows, proof.row);
    let mut movement = Movement::at(EntryKind::Payment, State::Paid, anchor, order.number);
    movement.notes |= order.rows[proof.row].record.notes();
    movement.currency = proof.currency;
    movement.trade_no = proof.trade;
    // The day of money that was held is the day on which it was released.
    let released_at = proof.finished_at.filter(|_| course.held);
    movement.provider_at = released_at.map(|(at, _)| at).or(proof.at);
    movement.amount_minor = proof.amount_minor.or(asked);
    if proof.by_notice || proof.amount_by_notice {
        movement.note(Note::ByNotice);
    }
    if proof.amount_minor.is_none() {
        movement.note(Note::Weak);
    }
    if movement.provider_at.is_none() || released_at.is_some_and(|(_, stated)| !stated) {
        movement.note(Note::DayInferred);
    }
    if one_of_several || proof.contradicted {
        movement.note(Note::Conflict);
    }
    if let (Some(paid), Some(asked)) = (proof.amount_minor, asked)
        && paid != asked
        && !super::check::is_factor_hundred(paid, asked)
    {
        movement.note(Note::FeeDiffers);
    }
    movement
}

/// What the rows say, short of a decisive success.
#[derive(Debug, Default)]
struct Course {
    attempted: bool,
    last_attempt: Option<Moment>,
    /// The last attempt that is neither paid nor failed.
    open: Option<State>,
    failed: bool,
    weak: bool,
    held: bool,
    closed: bool,
    closed_by_us: bool,
    closed_weak: bool,
    closed_or_refunded: bool,
    reversed: bool,
    reversed_weak: bool,
    contradicted: bool,
}

impl Course {
    fn of(rows: &[Row<'_>]) -> Course {
        let mut course = Course::default();
        rows.iter().filter(|row| row.is_about_payment()).for_each(|row| course.follow(row));
        course
    }

    fn follow(&mut self, row: &Row<'_>) {
        let at = row.record.logged_at();
        if row.is_attempt() {
            self.attempted = true;
            self.last_attempt = Some(at);
            // The number that was paid is not the number that was asked for.
            self.contradicted |= !row.out_id().is_empty() && !row.other_order().is_empty();
        }
        match row.finding() {
            Finding::PaidWeak => self.weak = true,
            Finding::Held => self.held = true,
            Finding::Pending => self.open = Some(State::Pending),
            Finding::NotYetPaid if row.is_attempt() || !self.attempted => self.open = Some(State::Pending),
            Finding::Unknown if row.is_attempt() => self.open = Some(State::Unknown),
            Finding::Contradiction => {
                self.open = Some(State::Unknown);
                self.contradicted = true;
            }
            Finding::NotPaid | Finding::NotSent => self.failed = true,
            Finding::NotPaidForGood => self.fail(),
            Finding::NotFound | Finding::NothingToReverse if self.is_long_after(at) => self.fail(),
            Finding::Closed => self.closed = true,
            Finding::ClosedByUs => self.closed_by_us = true,
            Finding::ClosedWeak => self.closed_weak = true,
            Finding::ClosedOrRefunded => self.closed_or_refunded = true,
            Finding::Reversed => self.reversed = true,
            Finding::ReversedWeak => self.reversed_weak = true,
            _ => {}
        }
    }

    fn is_long_after(&self, at: Moment) -> bool {
        self.last_attempt.is_some_and(|last| at.since(last) >= NOT_FOUND_AFTER_SECONDS)
    }

    fn fail(&mut self) {
        self.open = None;
        self.failed = true;
    }

    /// The state if there had been no reversal or closing.
    fn base(&self) -> State {
        self.open.unwrap_or(if self.failed { State::Failed } else { State::Unknown })
    }

    fn notes(&self, rows: &[Row<'_>]) -> u16 {
        let mut notes = if self.contradicted { Note::Conflict as u16 } else { 0 };
        notes |= if self.attempted { 0 } else { Note::PartialHistory as u16 };
        let mut fees = rows.iter().filter(|r| r.is_attempt()).filter_map(|r| r.record.fee_minor());
        let first = fees.next();
        let varied = fees.any(|fee| Some(fee) != first) && !rows.iter().any(is_proof);
        notes | if varied { Note::AmountVaried as u16 } else { 0 }
    }
}

/// State and notes of a payment without a decisive success.
fn state_of(course: &Course) -> (State, u16) {
    let proven_unpaid = course.attempted && course.base() == State::Failed;
    let gone = course.reversed || course.reversed_weak || course.closed_or_refunded;
    match course {
        Course { weak: true, .. } => (State::Paid, Note::Weak as u16),
        Course { held: true, closed: true, .. } | Course { held: true, closed_or_refunded: true, .. } => {
            (State::Closed, 0)
        }
        Course { held: true, .. } => (State::Held, 0),
        Course { closed: true, .. } | Course { closed_by_us: true, .. } => (State::Closed, 0),
        _ if gone && proven_unpaid => (State::Closed, 0),
        _ if gone => (State::Reversed, Note::EitherWay as u16),
        Course { closed_weak: true, .. } => (State::Closed, Note::Weak as u16),
        _ => (course.base(), 0),
    }
}

fn unproven<'a>(order: &Order<'_, 'a>, course: &Course) -> Movement<'a> {
    let (state, notes) = state_of(course);
    let anchor = anchor(order.rows, 0);
    let mut movement = Movement::at(EntryKind::Payment, state, anchor, order.number);
    movement.notes |= notes | Note::DayInferred as u16;
    // Amount and time of the provider, where some reply states them (an order that is held, a payment in passing).
    let told = order.rows.iter().filter(|r| matches!(r.finding(), Finding::PaidWeak | Finding::Held));
    for row in told {
        movement.amount_minor = movement.amount_minor.or(row.record.amount_minor());
        movement.provider_at = movement.provider_at.or(row.record.provider_at());
        if row.is_notice() && movement.state == State::Held {
            movement.note(Note::ByNotice);
        }
    }
    if movement.provider_at.is_some() {
        movement.notes &= !(Note::DayInferred as u16);
    }
    let fees = order.rows.iter().filter(|r| r.is_about_payment()).filter_map(|r| r.record.fee_minor());
    movement.amount_minor = movement.amount_minor.or(anchor.record.fee_minor()).or(fees.into_iter().next());
    let trades = order.rows.iter().map(Row::trade).find(|t| !t.is_empty());
    movement.trade_no = movement.trade_no.or(trades.unwrap_or_default());
    movement
}

/// The reversal that the rows tell of, beside its payment.
fn reversal<'a>(order: &Order<'_, 'a>, main: &Movement<'a>) -> Option<Movement<'a>> {
    let (row, state, notes) = reversal_row(order.rows, main)?;
    let mut movement = Movement::at(EntryKind::Reversal, state, row, order.number);
    movement.notes |= notes | main.notes & (Note::EitherWay as u16 | Note::PartialHistory as u16);
    let asked = order.rows.iter().filter(|r| r.record.action == Action::Reverse).count();
    movement.rows = u32::try_from(asked.max(1)).unwrap_or(u32::MAX);
    movement.amount_minor = main.amount_minor;
    movement.currency = main.currency;
    movement.trade_no = movement.trade_no.or(main.trade_no);
    movement.provider_at = row.record.provider_at().filter(|_| row.finding() == Finding::Reversed);
    // WeChat's order query states when the order was paid, not when it was reversed.
    if row.record.action != Action::Reverse {
        movement.provider_at = None;
    }
    if movement.provider_at.is_none() {
        movement.note(Note::DayInferred);
    }
    Some(movement)
}

/// The row that tells of a reversal, how it ended, and what is to be noted.
fn reversal_row<'a>(rows: &[Row<'a>], main: &Movement<'_>) -> Option<(Row<'a>, State, u16)> {
    let first = |wanted: &[Finding]| rows.iter().find(|row| wanted.contains(&row.finding())).copied();
    let may_return = matches!(main.state, State::Paid | State::Held) || main.has(Note::EitherWay);
    if may_return {
        let reversed = first(&[Finding::Reversed]).map(|row| (row, State::Reversed, 0));
        let in_passing =
            || first(&[Finding::ReversedWeak]).map(|row| (row, State::Reversed, Note::Weak as u16));
        // Closed although it had been paid: perhaps returned in full, by whom and when is not told (R-D27).
        let refunded = rows.iter().any(|row| row.finding() == Finding::RefundDone);
        let closed = first(&[Finding::Closed, Finding::ClosedOrRefunded]).filter(|_| !refunded);
        let closed = || closed.map(|row| (row, State::Reversed, Note::EitherWay as u16));
        if let Some(found) = reversed.or_else(in_passing).or_else(closed) {
            return Some(found);
        }
    }
    if main.state == State::Closed {
        return None;
    }
    let unknown = first(&[Finding::ReverseUnknown]).map(|row| (row, State::Unknown, 0));
    unknown.or_else(|| first(&[Finding::ReverseNotSent]).map(|row| (row, State::Failed, 0)))
}
