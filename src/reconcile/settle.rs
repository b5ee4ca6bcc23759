//! Turns 1 and 2: each case by itself, and what is left by the provider's transaction number.
//!
//! Within a case nothing depends on the order of the input: lines and orders are first brought into the order of
//! their content. A line or an order is used once.

use std::collections::HashMap;

use super::finding::Finding;
use super::pair::{Books, Cases, HeldPayment, Place, of_kind};
use super::reversal::{Reversing, compare_reversal, settle_loose_reversals, settle_reversals};
use super::{Timing, TimingKind, Unit};
use crate::domain::{Cell, EntryKind, LoggedOrder, MismatchKind, Note, Reason, State};

/// Turn 1.
pub(super) fn settle(books: &mut Books<'_>, cases: &Cases) {
    for case in 0..cases.len() {
        match cases.simple(case) {
            Some((line, order)) if agrees(books, line, order) => matched(books, line, order),
            _ => settle_case(books, cases.lines(case), cases.orders(case)),
        }
    }
}

/// The common case: one payment each, or one numbered refund each, and every field agrees.
fn agrees(books: &Books<'_>, line: u32, order: u32) -> bool {
    let (entry, logged) = (books.line(line), books.order(order));
    entry.kind == logged.kind
        && entry.kind != EntryKind::Reversal
        && logged.is_success()
        && entry.state == logged.state
        && entry.amount_minor.is_some()
        && entry.amount_minor == logged.amount_minor
        && entry.currency == logged.currency
        && same_trade(books, line, order)
        && (entry.kind == EntryKind::Payment || may_meet(books, line, order))
}

fn same_trade(books: &Books<'_>, line: u32, order: u32) -> bool {
    let (theirs, ours) = (books.cell(line, Cell::TradeNo), books.trade_no(order));
    theirs.is_empty() || ours.is_empty() || theirs == ours
}

/// A logged refund with a number meets only that number; one without meets any of its order.
fn may_meet(books: &Books<'_>, line: u32, order: u32) -> bool {
    let ours = books.refund_no(order);
    ours.is_empty() || ours == books.cell(line, Cell::RefundNo)
}

pub(super) fn matched(books: &mut Books<'_>, line: u32, order: u32) {
    books.place_line(line, Place::Matched);
    books.place_order(order, Place::Matched);
}

fn settle_case(books: &mut Books<'_>, mut lines: Vec<u32>, mut orders: Vec<u32>) {
    lines.sort_by_cached_key(|&line| content_of_line(books, line));
    orders.sort_by_cached_key(|&order| content_of_order(books, order));
    let lines_of = |kind| of_kind(&lines, kind, |line| books.line(line).kind);
    let orders_of = |kind| of_kind(&orders, kind, |order| books.order(order).kind);
    let (paid, refunded, reversed) =
        (lines_of(EntryKind::Payment), lines_of(EntryKind::Refund), lines_of(EntryKind::Reversal));
    let (payments, refunds, reversals) =
        (orders_of(EntryKind::Payment), orders_of(EntryKind::Refund), orders_of(EntryKind::Reversal));
    resolve_reversals(books, &paid, &reversed);
    let spare = settle_refunds(books, &refunded, &refunds);
    let undone =
        settle_reversals(books, &Reversing { paid: &paid, reversed: &reversed, spare: &spare }, &reversals);
    settle_payments(books, &paid, &payments, undone);
    settle_loose_reversals(books, &reversed, &payments);
}

/// Order of content: nothing that depends on where a line stands in the file, except to break a perfect tie.
fn content_of_line(books: &Books<'_>, line: u32) -> impl Ord {
    let entry = books.line(line);
    let cell = |cell| books.cell(line, cell).to_owned();
    (
        cell(Cell::TradeNo),
        cell(Cell::RefundNo),
        cell(Cell::RefundTradeNo),
        entry.amount_minor,
        entry.happened_at,
        (entry.state, entry.currency),
        line,
    )
}

fn content_of_order(books: &Books<'_>, order: u32) -> impl Ord {
    let logged = books.order(order);
    let texts = (books.trade_no(order).to_owned(), books.refund_no(order).to_owned());
    let facts = (logged.state, logged.notes, logged.provider_at, logged.currency);
    (texts, logged.amount_minor, logged.logged_at, !logged.is_success(), facts, order)
}

/// A `REVOKED` line that carries no amount undoes the whole payment of its order.
fn resolve_reversals(books: &mut Books<'_>, paid: &[u32], reversed: &[u32]) {
    let Some(payment) = paid.first().and_then(|&line| books.line(line).amount_minor) else { return };
    for &line in reversed {
        if books.line(line).amount_minor.is_none() {
            books.resolved.insert(line, -payment);
        }
    }
}

// ---------------------------------------------------------------- payments

/// `undone`: the log says reversed, and the statement shows it.
fn settle_payments(books: &mut Books<'_>, paid: &[u32], payments: &[u32], undone: bool) {
    match (paid, payments) {
        ([], _) => payments.iter().for_each(|&order| nothing_unless_success(books, order)),
        ([_], []) => {}
        ([line], orders) => {
            let order = of_same_trade(books, *line, orders);
            compare_payment(books, *line, order, undone);
            orders
                .iter()
                .filter(|&&other| other != order)
                .for_each(|&other| nothing_unless_success(books, other));
        }
        (group, orders) => report_group(books, group, orders),
    }
}

/// Where the log holds two successes under one number, the one whose transaction the line is; else the first.
fn of_same_trade(books: &Books<'_>, line: u32, orders: &[u32]) -> u32 {
    let trade_no = books.cell(line, Cell::TradeNo);
    let same =
        orders.iter().copied().find(|&order| !trade_no.is_empty() && books.trade_no(order) == trade_no);
    same.unwrap_or(orders[0])
}

/// An order without a line: a success stays open for the neighbouring days, anything else agrees with the statement.
fn nothing_unless_success(books: &mut Books<'_>, order: u32) {
    if books.orders[order as usize] == Place::Open && !books.order(order).is_success() {
        books.place_order(order, Place::NothingHappened);
        if books.order(order).state == State::Held {
            let held = held_by_channel(&books.unit, books.order(order));
            books.timing.push(held);
        }
    }
}

/// Escrow: the buyer has paid, and the merchant is credited when the goods have come. Not missing: a list of its own.
pub(super) fn held_by_channel(unit: &Unit<'_>, order: &LoggedOrder) -> Timing {
    Timing {
        kind: TimingKind::Held,
        entry: order.kind,
        order_no: unit.orders.order_no(order).to_owned(),
        refund_no: String::new(),
        trade_no: unit.orders.trade_no(order).to_owned(),
        amount_minor: order.amount_minor.unwrap_or(0),
        currency: order.currency,
        other_day: None,
        gateway_time: Some(order.logged_at),
        channel_time: None,
    }
}

fn compare_payment(books: &mut Books<'_>, line: u32, order: u32, undone: bool) {
    if nothing_moved(books, line, order) {
        return;
    }
    let logged = books.order(order);
    let entry = books.line(line);
    let same = entry.amount_minor == logged.amount_minor && entry.currency == logged.currency;
    if logged.has(Note::EitherWay) && same {
        if undone {
            // Charged and returned, and the log says reversed: one of the two right outcomes.
            books.counted.insert(order, logged.amount_minor.unwrap_or(0));
            matched(books, line, order);
        } else {
            hold(books, line, order);
        }
        return;
    }
    let finding = disagreements(books, line, order);
    conclude_pair(books, finding, line, order);
}

/// Charged, and the log says reversed; the return may be in tomorrow's statement.
fn hold(books: &mut Books<'_>, line: u32, payment: u32) {
    let number = books.order_no(payment);
    let is_its_reversal = |order: &u32| {
        books.order(*order).kind == EntryKind::Reversal
            && books.order(*order).has(Note::EitherWay)
            && books.order_no(*order) == number
    };
    let reversal = (0u32..).zip(&books.orders).map(|(order, _)| order).find(is_its_reversal);
    books.place_line(line, Place::Held);
    for order in [Some(payment), reversal].into_iter().flatten() {
        books.place_order(order, Place::Held);
    }
    books.held.push(HeldPayment { line, payment, reversal });
}

/// Places a compared pair: matched if nothing speaks against it.
pub(super) fn conclude_pair(books: &mut Books<'_>, finding: Finding, line: u32, order: u32) {
    if finding.reasons.is_empty() {
        matched(books, line, order);
    } else {
        books.place_line(line, Place::Mismatched);
        books.place_order(order, Place::Mismatched);
        books.findings.push(finding);
    }
}

/// Everything that differs between a line and an order that belong together.
pub(super) fn disagreements(books: &Books<'_>, line: u32, order: u32) -> Finding {
    let (entry, logged) = (books.line(line), books.order(order));
    let mut finding = Finding::new(entry.kind, vec![line], vec![order]);
    if let Some((kind, reason)) = state_differs(entry.state, logged.state) {
        finding = finding.because(kind, reason);
    }
    if !logged.is_success() {
        return finding;
    }
    if !same_trade(books, line, order) && entry.kind == EntryKind::Payment {
        let (gateway, channel) =
            (books.trade_no(order).to_owned(), books.cell(line, Cell::TradeNo).to_owned());
        finding = finding.because(MismatchKind::DoublePayment, Reason::OtherTrade { gateway, channel });
    }
    if entry.currency != logged.currency {
        let (gateway, channel) = (logged.currency.to_string(), entry.currency.to_string());
        finding = finding.because(MismatchKind::CurrencyMismatch, Reason::Currency { gateway, channel });
    }
    let moved = books.line_amount(line).filter(|_| !entry.state.moved_nothing());
    if moved.is_some_and(|amount| logged.amount_minor != Some(amount)) {
        finding = finding.because(MismatchKind::AmountMismatch, Reason::Amount);
    }
    finding
}

/// What the two states say of each other. Unknown is not failed: a line that the log asked for but could not confirm
/// is a lost confirmation; a log that is sure of something else is a status mismatch.
pub(super) fn state_differs(channel: State, gateway: State) -> Option<(MismatchKind, Reason)> {
    if channel == gateway {
        return None;
    }
    let unsure = matches!(gateway, State::Failed | State::Pending | State::Unknown);
    let lost = unsure && !channel.moved_nothing();
    if lost {
        Some((MismatchKind::LostConfirmation, Reason::LostConfirmation { gateway }))
    } else {
        Some((MismatchKind::StatusMismatch, Reason::Status { gateway, channel }))
    }
}

/// Several lines for one thing: duplicates of one transaction, or several transactions under one number.
pub(super) fn report_group(books: &mut Books<'_>, group: &[u32], orders: &[u32]) {
    let kind = books.line(group[0]).kind;
    let mut trades: Vec<&str> = group.iter().map(|&line| transaction(books, line)).collect();
    trades.sort_unstable();
    trades.dedup();
    let mut finding = Finding::new(kind, group.to_vec(), orders.to_vec());
    if trades.len() < group.len() {
        finding = finding.because(MismatchKind::DuplicateRow, Reason::DuplicateRow { rows: group.len() });
    }
    if trades.len() > 1 {
        finding =
            finding.because(MismatchKind::DoublePayment, Reason::DoublePayment { trades: trades.len() });
    }
    match orders.first().copied() {
        None => finding = finding.because(MismatchKind::ChannelOnly, Reason::ChannelOnly),
        Some(order) => {
            // The best of the group against the log: its other disagreements belong to the reasons too.
            let nearest =
                group.iter().copied().find(|&line| disagreements(books, line, order).reasons.is_empty());
            let compared = disagreements(books, nearest.unwrap_or(group[0]), order);
            finding.reasons.extend(compared.reasons);
            orders.iter().for_each(|&order| books.place_order(order, Place::Mismatched));
        }
    }
    group.iter().for_each(|&line| books.place_line(line, Place::Mismatched));
    books.findings.push(finding);
}

/// What makes a transaction one: the refund's own number where there is one.
fn transaction<'a>(books: &Books<'a>, line: u32) -> &'a str {
    let refund = books.cell(line, Cell::RefundTradeNo);
    if books.line(line).kind == EntryKind::Payment || refund.is_empty() {
        books.cell(line, Cell::TradeNo)
    } else {
        refund
    }
}

// ---------------------------------------------------------------- refunds

/// Numbered refunds meet their number; the others meet what is left by amount, then by nearest time. Returns the
/// lines that are still open.
fn settle_refunds(books: &mut Books<'_>, lines: &[u32], orders: &[u32]) -> Vec<u32> {
    let mut open = report_duplicate_refunds(books, lines, orders);
    let (numbered, unnumbered): (Vec<u32>, Vec<u32>) = orders
        .iter()
        .filter(|&&o| books.orders[o as usize] == Place::Open)
        .partition(|&&o| !books.refund_no(o).is_empty());
    let mut unmet = Vec::new();
    for order in numbered {
        let number = books.refund_no(order);
        match open.iter().position(|&line| books.cell(line, Cell::RefundNo) == number) {
            Some(at) => compare_refund(books, open.remove(at), order),
            None => unmet.push(order),
        }
    }
    // Some statements have no numbers of refunds (Alipay's own log); a number that differs is another refund.
    let bare = books.without_refund_no(&open);
    for (lines, orders) in [(Some(bare), &unmet), (None, &unnumbered)] {
        for (line, order) in by_amount_and_time(books, lines.as_ref().unwrap_or(&open), orders) {
            open.retain(|&other| other != line);
            compare_refund(books, line, order);
        }
    }
    unmet.iter().chain(&unnumbered).for_each(|&order| nothing_unless_success(books, order));
    open
}

fn compare_refund(books: &mut Books<'_>, line: u32, order: u32) {
    if nothing_moved(books, line, order) {
        return;
    }
    let finding = disagreements(books, line, order);
    conclude_pair(books, finding, line, order);
}

/// What the channel refused, closed or still waits for, and the log holds as no success either: they agree that no
/// money moved. And where the channel cannot tell, nothing is compared: both stand apart, for everybody to see.
fn nothing_moved(books: &mut Books<'_>, line: u32, order: u32) -> bool {
    let (state, success) = (books.line(line).state, books.order(order).is_success());
    let unsure = matches!(books.order(order).state, State::Pending | State::Unknown);
    let place = match state {
        State::Unknown if success || unsure => Place::Excluded,
        _ if (state.moved_nothing() || state == State::Unknown) && !success => Place::NothingHappened,
        _ => return false,
    };
    books.place_line(line, Place::Excluded);
    books.place_order(order, place);
    true
}

/// Pairs of equal amount, the nearest in time first; each line and order once.
fn by_amount_and_time(books: &Books<'_>, lines: &[u32], orders: &[u32]) -> Vec<(u32, u32)> {
    let mut candidates: Vec<(u64, u32, u32)> = Vec::new();
    for &order in orders {
        let logged = books.order(order);
        for &line in lines {
            let entry = books.line(line);
            if logged.amount_minor.is_some() && entry.amount_minor == logged.amount_minor {
                let at = logged.provider_at.unwrap_or(logged.logged_at);
                candidates.push((entry.happened_at.since(at).unsigned_abs(), line, order));
            }
        }
    }
    // Stable: a tie is broken by the order of content that the caller brought.
    candidates.sort_by_key(|&(distance, _, _)| distance);
    let mut pairs: Vec<(u32, u32)> = Vec::new();
    for (_, line, order) in candidates {
        if !pairs.iter().any(|&(l, o)| l == line || o == order) {
            pairs.push((line, order));
        }
    }
    pairs
}

/// Lines of one refund number that stand several times. Returns the lines of all others.
fn report_duplicate_refunds(books: &mut Books<'_>, lines: &[u32], orders: &[u32]) -> Vec<u32> {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for &line in lines {
        match groups.iter_mut().find(|group| same_refund(books, group[0], line)) {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    let mut single = Vec::new();
    for group in groups {
        if let [line] = group[..] {
            single.push(line);
            continue;
        }
        let number = books.cell(group[0], Cell::RefundNo);
        let order =
            orders.iter().copied().find(|&order| !number.is_empty() && books.refund_no(order) == number);
        let order = order.or_else(|| {
            let unnumbered: Vec<u32> = orders
                .iter()
                .copied()
                .filter(|&o| books.refund_no(o).is_empty() && books.orders[o as usize] == Place::Open)
                .collect();
            by_amount_and_time(books, &group[..1], &unnumbered).first().map(|&(_, order)| order)
        });
        report_group(books, &group, order.as_slice());
    }
    single
}

/// Two lines tell of one refund: the same number; or, where the provider gives none, the same in everything.
fn same_refund(books: &Books<'_>, a: u32, b: u32) -> bool {
    let number = |line| books.cell(line, Cell::RefundNo);
    if !number(a).is_empty() || !number(b).is_empty() {
        return number(a) == number(b);
    }
    let own = |line| books.cell(line, Cell::RefundTradeNo);
    let (x, y) = (books.line(a), books.line(b));
    own(a) == own(b)
        && books.cell(a, Cell::TradeNo) == books.cell(b, Cell::TradeNo)
        && x.amount_minor == y.amount_minor
        && x.happened_at == y.happened_at
}

// ---------------------------------------------------------------- turn 2

/// Turn 2: what is still open on both sides, by the provider's transaction number, where that is unique. An order
/// number that the gateway or the channel changed or lost does not make two mismatches of one payment.
pub(super) fn join_by_trade(books: &mut Books<'_>) {
    let mut lines: HashMap<(EntryKind, &str, &str), Vec<u32>> = HashMap::new();
    for line in books.open_lines() {
        let key = (books.line(line).kind, books.cell(line, Cell::TradeNo), books.cell(line, Cell::RefundNo));
        lines.entry(key).or_default().push(line);
    }
    let mut orders: HashMap<(EntryKind, &str, &str), Vec<u32>> = HashMap::new();
    for order in books.open_orders() {
        let key = (books.order(order).kind, books.trade_no(order), books.refund_no(order));
        orders.entry(key).or_default().push(order);
    }
    let mut pairs: Vec<(u32, u32)> = lines
        .iter()
        .filter(|((_, trade_no, _), _)| !trade_no.is_empty())
        .filter_map(|(key, found)| match (&found[..], orders.get(key).map(Vec::as_slice)) {
            ([line], Some([order])) => Some((*line, *order)),
            _ => None,
        })
        .collect();
    pairs.sort_unstable();
    for (line, order) in pairs {
        match (books.line(line).kind, books.order(order).state) {
            (EntryKind::Refund, _) => compare_refund(books, line, order),
            (EntryKind::Reversal, State::Reversed) => compare_reversal(books, line, order),
            _ => {
                let finding = disagreements(books, line, order);
                conclude_pair(books, finding, line, order);
            }
        }
    }
}
