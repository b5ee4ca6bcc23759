//! The refunds of an order (R-D28 to R-D30).
//!
//! One number is one refund, however often it was asked for. Refunds without a number are told apart by the serial of
//! their request. Alipay states what was refunded of a trade *in all*: such totals are never summed, the difference of
//! two of them is a refund.

use crate::domain::{EntryKind, Moment, Note, State};

use super::payment::Payment;
use super::rows::{Movement, Order, Row, Text};
use crate::paylog::evidence::{Action, Finding};
use crate::paylog::record::{CUMULATIVE, LISTED};

/// What all rows of one refund say.
struct Refund<'a> {
    number: Text<'a>,
    crc: &'a str,
    /// The row that says most of it: the first that proves it, else the first.
    row: Row<'a>,
    rows: u32,
    done: bool,
    /// A later answer says that it came to nothing.
    closed: bool,
    pending: bool,
    unknown: bool,
    /// The refund itself is in the log, not only questions about it.
    asked: bool,
    asked_minor: Option<i64>,
    refunded_minor: Option<i64>,
    /// Refunded of the whole trade, up to and with this refund.
    total_minor: Option<i64>,
    at: Option<Moment>,
    notes: u16,
}

/// Appends the order's refunds. True if older rows would tell how much they were.
pub(super) fn tell<'a>(order: &Order<'_, 'a>, payment: &Payment, out: &mut Vec<Movement<'a>>) -> bool {
    if !order.rows.iter().any(Row::is_about_refund) {
        return false;
    }
    let mut refunds = collect(order);
    let mut wants_history = resolve_totals(&mut refunds, payment);
    wants_history |= refunds.iter().any(Refund::points_back);
    let paid = out.first().copied();
    let first = out.len();
    for refund in &refunds {
        let mut movement = refund.movement(order, payment);
        if let Some(paid) = &paid {
            movement.trade_no = movement.trade_no.or(paid.trade_no);
        }
        out.push(movement);
    }
    if contradicts(&out[first..], payment) {
        out.iter_mut().for_each(|movement| movement.note(Note::Conflict));
    }
    wants_history
}

/// More refunded than paid, or refunded without ever having been paid (R-D30).
fn contradicts(refunds: &[Movement<'_>], payment: &Payment) -> bool {
    let done = || refunds.iter().filter(|m| m.state == State::Refunded);
    let never_paid = matches!(payment.state, Some(State::Failed | State::Closed));
    let refunded = done().filter_map(|m| m.amount_minor).fold(0, i64::saturating_add);
    done().next().is_some() && (never_paid || payment.paid_minor.is_some_and(|paid| refunded > paid))
}

fn collect<'a>(order: &Order<'_, 'a>) -> Vec<Refund<'a>> {
    let mut refunds: Vec<Refund<'a>> = Vec::new();
    for row in order.rows.iter().filter(|row| row.is_about_refund()) {
        let number = number(row, order);
        let place = refunds.iter().position(|refund| refund.is_same(row, number));
        // A question that nobody could answer tells of no refund by itself.
        let asks_only = row.record.action == Action::RefundQuery && !row.record.is(LISTED);
        let says_nothing =
            matches!(row.finding(), Finding::RefundUnknown | Finding::Nothing | Finding::RefundFailed);
        match place {
            Some(place) => refunds[place].hear(row),
            None if asks_only && says_nothing => {}
            None => {
                let mut refund = Refund::new(*row, number);
                refund.hear(row);
                refunds.push(refund);
            }
        }
    }
    without_echoes(refunds)
}

/// The refund's own number: the reply's or the request's, else an OutID that is not the order's (R-D28).
fn number<'a>(row: &Row<'a>, order: &Order<'_, 'a>) -> Text<'a> {
    let own = row.out_id();
    let own = if own.text == order.text || row.record.is(LISTED) { Text::default() } else { own };
    row.refund_no().or(own)
}

/// A repeated request that moved no money is an echo of a refund that is known; it is not one more.
fn without_echoes(mut refunds: Vec<Refund<'_>>) -> Vec<Refund<'_>> {
    let known: Vec<Option<i64>> = refunds.iter().filter(|r| r.done).map(|r| r.asked_minor).collect();
    let is_echo = |r: &Refund<'_>| r.row.finding() == Finding::RefundRepeated && r.number.is_empty();
    refunds.retain(|refund| refund.done || !is_echo(refund) || !known.contains(&refund.asked_minor));
    refunds
}

impl Row<'_> {
    /// A total that stands beside a payment's own state, such as Teegon's `amount_refunded`.
    fn is_seen_total(&self) -> bool {
        self.record.is(LISTED) && self.record.is(CUMULATIVE)
    }
}

impl<'a> Refund<'a> {
    fn new(row: Row<'a>, number: Text<'a>) -> Refund<'a> {
        Refund {
            number,
            crc: row.crc().text,
            row,
            rows: 0,
            done: false,
            closed: false,
            pending: false,
            unknown: false,
            asked: false,
            asked_minor: None,
            refunded_minor: None,
            total_minor: None,
            at: None,
            notes: 0,
        }
    }

    fn is_same(&self, row: &Row<'a>, number: Text<'a>) -> bool {
        if !number.is_empty() || !self.number.is_empty() {
            return number.text == self.number.text;
        }
        // What was refunded in all, told again.
        if row.is_seen_total() {
            return self.total_minor.is_some() && self.total_minor == row.record.amount_minor();
        }
        !self.crc.is_empty() && self.crc == row.crc().text
    }

    fn hear(&mut self, row: &Row<'a>) {
        let record = row.record;
        self.rows += 1;
        self.notes |= record.notes();
        let asks = record.action == Action::RefundQuery || row.is_seen_total();
        self.asked |= !asks;
        // A list of refunds names each one's amount, whatever became of it.
        let named = match record.is(LISTED) {
            true => record.amount_minor().filter(|_| !row.is_seen_total()),
            false => record.fee_minor().filter(|_| !asks),
        };
        self.asked_minor = self.asked_minor.or(named);
        match row.finding() {
            Finding::RefundDone => self.prove(row),
            Finding::RefundPending => self.pending = true,
            Finding::RefundClosed => self.closed = true,
            Finding::RefundAttention => {
                self.pending = true;
                self.notes |= Note::Conflict as u16;
            }
            Finding::RefundFailed => {}
            _ if asks => {}
            // Also a reply that is no refund's, and a repetition of what is not known to have happened.
            _ => self.unknown = true,
        }
    }

    fn prove(&mut self, row: &Row<'a>) {
        let record = row.record;
        // The row of the refund itself says more of place and time than a later question about it.
        let asks = record.action == Action::RefundQuery || row.is_seen_total();
        if !self.done && (!asks || !self.asked) {
            self.row = *row;
        }
        self.done = true;
        self.at = self.at.or(record.provider_at().filter(|_| !record.is(LISTED) || !self.asked));
        let amount = record.amount_minor();
        if record.is(CUMULATIVE) {
            self.total_minor = self.total_minor.or(amount);
        } else {
            self.refunded_minor = self.refunded_minor.or(amount);
        }
    }

    fn state(&self) -> State {
        match self {
            Refund { closed: true, .. } => State::Failed,
            Refund { done: true, .. } => State::Refunded,
            Refund { pending: true, .. } => State::Pending,
            Refund { unknown: true, .. } => State::Unknown,
            _ => State::Failed,
        }
    }

    fn movement(&self, order: &Order<'_, 'a>, payment: &Payment) -> Movement<'a> {
        let mut movement = Movement::at(EntryKind::Refund, self.state(), self.row, order.number);
        movement.notes |= self.notes;
        movement.rows = self.rows;
        movement.refund_no = self.number;
        movement.provider_at = self.at.filter(|_| movement.state == State::Refunded);
        movement.amount_minor = self.refunded_minor.or(self.asked_minor);
        if movement.provider_at.is_none() {
            movement.note(Note::DayInferred);
        }
        if self.done && self.refunded_minor.is_none() {
            movement.note(Note::Weak);
        }
        if !self.asked {
            movement.note(Note::PartialHistory);
        }
        // Some tills name the order's total in a refund; that is no disagreement.
        if let (Some(refunded), Some(asked)) = (self.refunded_minor, self.asked_minor)
            && refunded != asked
            && payment.paid_minor != Some(asked)
        {
            movement.note(Note::FeeDiffers);
        }
        movement
    }
}

/// Turns totals into refunds, in the order of the totals. True if an earlier total is missing.
fn resolve_totals(refunds: &mut [Refund<'_>], payment: &Payment) -> bool {
    let mut by_total: Vec<usize> = (0..refunds.len()).filter(|i| refunds[*i].needs_total()).collect();
    by_total.sort_by(|a, b| {
        let (a, b) = (&refunds[*a], &refunds[*b]);
        a.total_minor.cmp(&b.total_minor).then_with(|| a.row.total_order(&b.row))
    });
    // Where the payment request itself is in the log, nothing was refunded before the first refund in it.
    let mut before = payment.attempted.then_some(0);
    let mut wants_history = false;
    for index in by_total {
        let (total, asked) = (refunds[index].total_minor.unwrap_or(0), refunds[index].asked_minor);
        let refunded = match before {
            Some(before) => difference(refunds, index, total - before),
            // The first in the window, and the first of all if the total is what was asked for.
            None if asked.is_none_or(|asked| asked >= total) => {
                wants_history |= asked.is_none();
                Some(total)
            }
            None => {
                wants_history = true;
                None
            }
        };
        refunds[index].refunded_minor = refunded;
        if refunded.is_some_and(|refunded| refunded <= 0) {
            refunds[index].refunded_minor = None;
            refunds[index].notes |= Note::Conflict as u16;
        }
        before = Some(total);
    }
    wants_history
}

/// A refund from the difference of two totals. What lies between may hold refunds whose own outcome is not known.
fn difference(refunds: &[Refund<'_>], index: usize, difference: i64) -> Option<i64> {
    let Some(asked) = refunds[index].asked_minor else { return Some(difference) };
    let until = refunds[index].row;
    let open =
        refunds.iter().filter(|r| !r.done && (r.unknown || r.pending) && r.row.total_order(&until).is_lt());
    let open_minor = open.filter_map(|r| r.asked_minor).fold(0, i64::saturating_add);
    let explained = open_minor > 0 && difference - asked == open_minor;
    Some(if explained { asked } else { difference })
}

impl Refund<'_> {
    /// Whether it is only asked about, or repeated, so that the refund itself must be older.
    fn points_back(&self) -> bool {
        !self.asked || !self.done && self.row.finding() == Finding::RefundRepeated
    }

    fn needs_total(&self) -> bool {
        self.done && self.refunded_minor.is_none() && self.total_minor.is_some()
    }
}
