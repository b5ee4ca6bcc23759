//! Turn 3: what is still open, looked for by key in the neighbouring days.
//!
//! Found there with the same amount, it has only moved over midnight: a timing item. An item of a neighbouring day
//! can be used only if that day does not need it itself: a line whose own day's log knows it is no explanation for
//! today's order, and the other way round.

use std::collections::{HashMap, HashSet};

use super::finding::Finding;
use super::pair::{Books, HeldPayment, Place};
use super::settle::{held_by_channel, state_differs};
use super::{Neighbour, Neighbours, TOLERANCE_SECONDS, Timing, TimingKind};
use crate::domain::{Cell, EntryKind, LoggedOrder, MismatchKind, Moment, Reason, State};

/// Keys of what is still open, and of reversals whose payment is not in today's statement.
pub(super) fn open_keys(books: &Books<'_>) -> HashSet<String> {
    let mut keys = HashSet::new();
    for line in books.open_lines() {
        keys.extend([Cell::OrderNo, Cell::TradeNo].map(|cell| books.cell(line, cell).to_owned()));
        if books.cell(line, Cell::OrderNo).is_empty() {
            keys.insert(books.cell(line, Cell::RefundNo).to_owned());
        }
    }
    for order in books.open_orders() {
        keys.extend(
            [books.order_no(order), books.trade_no(order), books.refund_no(order)].map(str::to_owned),
        );
    }
    for held in &books.held {
        keys.insert(books.order_no(held.payment).to_owned());
    }
    keys.remove("");
    keys
}

pub(super) fn close(books: &mut Books<'_>, neighbours: &Neighbours) {
    let mut lines = Shelf::new(&neighbours.lines);
    let mut orders = Shelf::new(&neighbours.orders);
    let mut others = Elsewhere {
        lines: Shelf::new(&neighbours.elsewhere_lines),
        orders: Shelf::new(&neighbours.elsewhere_orders),
    };
    let mut held = std::mem::take(&mut books.held);
    held.sort_by_cached_key(|held| order_content(books, held.payment));
    for held in held {
        close_held(books, held, &mut lines);
    }
    for line in in_order_of_content(books, books.open_lines()) {
        close_line(books, line, &lines, &mut orders);
    }
    for line in in_order_of_content(books, books.open_lines()) {
        others.close_line(books, line);
    }
    for order in orders_in_order_of_content(books) {
        close_order(books, order, (&mut lines, &orders), neighbours.tomorrow_known);
    }
    for order in orders_in_order_of_content(books) {
        others.close_order(books, order);
    }
}

/// What other accounts have of the same day: the last place that is looked at before something is called missing.
struct Elsewhere<'n> {
    lines: Shelf<'n>,
    orders: Shelf<'n>,
}

impl Elsewhere<'_> {
    /// A line that nobody here knows. If another account's log has it as a success, that account reports it.
    fn close_line(&mut self, books: &mut Books<'_>, line: u32) {
        if let Some(at) = self.orders.find(wanted_by_line(books, line), |_| true) {
            self.orders.taken.insert(at);
            books.place_line(line, Place::Excluded);
            books.of_others += 1;
        } else if is_covered(books, line) {
            report_line(books, line, (MismatchKind::ChannelOnly, Reason::ChannelOnly), None);
        } else {
            books.place_line(line, Place::Excluded);
        }
    }

    /// An order that no statement of this account has.
    fn close_order(&mut self, books: &mut Books<'_>, order: u32) {
        let key = wanted_by_order(books, order);
        let Some(at) = self.lines.find(key, |_| true) else {
            let paid = books.charged.contains(&order) || books.paid_nearby.contains(&order);
            return report_missing(books, order, paid);
        };
        self.lines.taken.insert(at);
        let line = self.lines.items[at].clone();
        let told = Reason::OtherAccount { account: line.account.clone() };
        let mut finding =
            Finding::new(key.kind, Vec::new(), vec![order]).because(MismatchKind::AccountMismatch, told);
        if line.amount_minor.is_some() && line.amount_minor != books.order(order).amount_minor {
            finding = finding.because(MismatchKind::AmountMismatch, Reason::Amount);
        }
        finding.other_line = Some(line);
        books.place_order(order, Place::Mismatched);
        books.findings.push(finding);
    }
}

/// What was held by the channel before, and is neither in today's statement nor known to the log as anything else, is
/// held still, and a day older.
pub(super) fn still_held(books: &mut Books<'_>) {
    let unit = books.unit;
    let earlier = |order: &&LoggedOrder| order.state == State::Held && order.day < unit.date;
    let logged = unit.orders.orders.iter().filter(earlier).map(|order| held_by_channel(&unit, order));
    books.timing.extend(logged);
    if unit.held_before.is_empty() {
        return;
    }
    let lines = unit.statement.entries().iter().map(|line| unit.statement.cell(line, Cell::OrderNo));
    let logged = unit.orders.orders.iter().map(|order| unit.orders.order_no(order));
    let heard: HashSet<&str> = lines.chain(logged).collect();
    let quiet = unit.held_before.iter().filter(|item| !heard.contains(item.order_no.as_str()));
    books.timing.extend(quiet.cloned());
}

/// Nothing may depend on where a line stands in the file.
fn in_order_of_content(books: &Books<'_>, mut lines: Vec<u32>) -> Vec<u32> {
    lines.sort_by_cached_key(|&line| {
        let entry = books.line(line);
        let cell = |cell| books.cell(line, cell).to_owned();
        (
            cell(Cell::OrderNo),
            cell(Cell::TradeNo),
            cell(Cell::RefundNo),
            entry.happened_at,
            entry.amount_minor,
            (cell(Cell::RefundTradeNo), entry.kind, entry.state, entry.currency),
            line,
        )
    });
    lines
}

fn orders_in_order_of_content(books: &Books<'_>) -> Vec<u32> {
    let mut orders = books.open_orders();
    orders.sort_by_cached_key(|&order| order_content(books, order));
    orders
}

fn order_content(books: &Books<'_>, order: u32) -> impl Ord {
    let logged = books.order(order);
    let texts = [books.order_no(order), books.trade_no(order), books.refund_no(order)].map(str::to_owned);
    let facts = (logged.state, logged.notes, logged.provider_at, logged.currency);
    (texts, logged.kind, logged.logged_at, logged.amount_minor, facts, order)
}

/// Movements of the neighbouring days by their keys; each can be taken once.
struct Shelf<'n> {
    items: Vec<&'n Neighbour>,
    by_key: HashMap<&'n str, Vec<usize>>,
    taken: HashSet<usize>,
}

/// What is looked for.
#[derive(Clone, Copy)]
struct Wanted<'w> {
    kind: EntryKind,
    order_no: &'w str,
    refund_no: &'w str,
    trade_no: &'w str,
    amount_minor: Option<i64>,
    at: Moment,
}

impl<'n> Shelf<'n> {
    fn new(items: &'n [Neighbour]) -> Shelf<'n> {
        let mut items: Vec<&Neighbour> = items.iter().collect();
        // Nothing may depend on the order in which a database hands them over.
        items.sort_by(|a, b| content(a).cmp(&content(b)));
        let mut by_key: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, item) in items.iter().enumerate() {
            for key in [item.order_no.as_str(), item.trade_no.as_str(), item.refund_no.as_str()] {
                if !key.is_empty() {
                    by_key.entry(key).or_default().push(place);
                }
            }
        }
        Shelf { items, by_key, taken: HashSet::new() }
    }

    fn candidates(&self, wanted: Wanted<'_>) -> impl Iterator<Item = usize> {
        // A refund number is a key only where one side names no order: numbers may be used again for another order.
        let fits = move |place: usize, key: usize| {
            let item = self.items[place];
            key < 2 || item.order_no.is_empty() || wanted.order_no.is_empty()
        };
        [wanted.order_no, wanted.trade_no, wanted.refund_no]
            .into_iter()
            .enumerate()
            .filter(|(_, key)| !key.is_empty())
            .filter_map(|(number, key)| Some(self.by_key.get(key)?.iter().map(move |&place| (place, number))))
            .flatten()
            .filter(move |&(place, number)| fits(place, number))
            .map(|(place, _)| place)
            .filter(move |&place| is_same(self.items[place], wanted))
    }

    /// The best that is not taken: the same amount first, then the nearest time.
    fn find(&self, wanted: Wanted<'_>, free: impl Fn(&Neighbour) -> bool) -> Option<usize> {
        self.candidates(wanted)
            .filter(|place| !self.taken.contains(place) && free(self.items[*place]))
            .min_by_key(|&place| {
                let item = self.items[place];
                let differs = item.amount_minor != wanted.amount_minor;
                (differs, !item.success, item.at.since(wanted.at).unsigned_abs(), place)
            })
    }

    /// Whether `day` itself holds the movement.
    fn has(&self, wanted: Wanted<'_>, day: crate::domain::BillDate, success: bool) -> bool {
        self.candidates(wanted).any(|place| {
            let item = self.items[place];
            item.day == day && (!success || item.success)
        })
    }
}

fn content(item: &Neighbour) -> impl Ord {
    let texts = [&item.order_no, &item.refund_no, &item.trade_no];
    (texts, item.kind, item.day, item.at, item.amount_minor, (item.state, item.currency))
}

/// The same movement: the same kind, and for refunds the same number (one without a number, the same amount).
fn is_same(item: &Neighbour, wanted: Wanted<'_>) -> bool {
    item.kind == wanted.kind
        && match wanted.kind {
            EntryKind::Refund if item.refund_no.is_empty() || wanted.refund_no.is_empty() => {
                item.amount_minor == wanted.amount_minor
            }
            EntryKind::Refund => item.refund_no == wanted.refund_no,
            EntryKind::Payment | EntryKind::Reversal => true,
        }
}

fn wanted(item: &Neighbour) -> Wanted<'_> {
    Wanted {
        kind: item.kind,
        order_no: &item.order_no,
        refund_no: &item.refund_no,
        trade_no: &item.trade_no,
        amount_minor: item.amount_minor,
        at: item.at,
    }
}

// ---------------------------------------------------------------- lines

fn close_line<'a>(books: &mut Books<'a>, line: u32, lines: &Shelf<'_>, orders: &mut Shelf<'_>) {
    let key = wanted_by_line(books, line);
    if key.kind == EntryKind::Reversal && key.amount_minor.is_none() {
        let payment = Wanted { kind: EntryKind::Payment, ..key };
        if let Some(amount) = lines.find(payment, |_| true).and_then(|at| lines.items[at].amount_minor) {
            books.resolved.insert(line, -amount);
        }
    }
    let free = |order: &Neighbour| !lines.has(wanted(order), order.day, false);
    if let Some(at) = orders.find(wanted_by_line(books, line), free) {
        orders.taken.insert(at);
        meet_order(books, line, orders.items[at]);
        return;
    }
    if let Some(payment) = books.loose.get(&line).map(|&order| books.as_neighbour(order)) {
        let told = Reason::Status { gateway: payment.state, channel: State::Reversed };
        report_line(books, line, (MismatchKind::StatusMismatch, told), Some(payment));
        return;
    }
    if key.kind == EntryKind::Reversal {
        let payment = Wanted { kind: EntryKind::Payment, ..key };
        if let Some(at) = orders.find(payment, |order| order.state != State::Reversed) {
            let order = orders.items[at];
            let told = Reason::Status { gateway: order.state, channel: State::Reversed };
            report_line(books, line, (MismatchKind::StatusMismatch, told), Some(order.clone()));
            return;
        }
    }
    let state = books.line(line).state;
    if state.moved_nothing() || state == State::Unknown {
        // The channel refused it and the log has nothing of it: no money moved.
        books.place_line(line, Place::Excluded);
    }
}

fn wanted_by_line<'a>(books: &Books<'a>, line: u32) -> Wanted<'a> {
    let entry = books.line(line);
    Wanted {
        kind: entry.kind,
        order_no: books.cell(line, Cell::OrderNo),
        refund_no: books.cell(line, Cell::RefundNo),
        trade_no: books.cell(line, Cell::TradeNo),
        amount_minor: books.line_amount(line),
        at: entry.happened_at,
    }
}

/// A line that the log has on another day. If that is a success the line has only moved (should the amounts differ,
/// the order's own day reports it); if the log is unsure of it, the confirmation was lost over midnight.
fn meet_order(books: &mut Books<'_>, line: u32, order: &Neighbour) {
    let entry = books.line(line);
    match state_differs(entry.state, order.state) {
        Some(differs) if !order.success => report_line(books, line, differs, Some(order.clone())),
        _ => {
            books.place_line(line, Place::Timing);
            books.timing.push(Timing {
                kind: TimingKind::In,
                entry: entry.kind,
                order_no: or_else(books.cell(line, Cell::OrderNo), &order.order_no),
                refund_no: or_else(books.cell(line, Cell::RefundNo), &order.refund_no),
                trade_no: or_else(books.cell(line, Cell::TradeNo), &order.trade_no),
                amount_minor: books.line_amount(line).unwrap_or(0),
                currency: entry.currency,
                other_day: Some(order.day),
                gateway_time: Some(order.at),
                channel_time: Some(entry.happened_at),
            });
        }
    }
}

/// A number of the line; where it has none, of the order that it met.
fn or_else(line: &str, order: &str) -> String {
    if line.is_empty() { order } else { line }.to_owned()
}

fn report_line(books: &mut Books<'_>, line: u32, why: (MismatchKind, Reason), order: Option<Neighbour>) {
    let mut finding = Finding::new(books.line(line).kind, vec![line], Vec::new()).because(why.0, why.1);
    if let Some(order) = order.as_ref().filter(|order| order.day != books.unit.date) {
        finding = finding.because(why.0, Reason::OtherDay { day: order.day });
    }
    finding.other_order = order;
    books.place_line(line, Place::Mismatched);
    books.findings.push(finding);
}

/// Whether the log reaches over the moment of a line.
pub(super) fn is_covered(books: &Books<'_>, line: u32) -> bool {
    let cover = books.unit.cover;
    let at = books.line(line).happened_at;
    match (cover.first, cover.last) {
        (Some(first), Some(last)) => {
            cover.rows_on_day > 0
                && at >= first.plus_seconds(-TOLERANCE_SECONDS)
                && at <= last.plus_seconds(TOLERANCE_SECONDS)
        }
        _ => false,
    }
}

// ---------------------------------------------------------------- orders

fn close_order(
    books: &mut Books<'_>,
    order: u32,
    shelves: (&mut Shelf<'_>, &Shelf<'_>),
    tomorrow_known: bool,
) {
    let (lines, orders) = shelves;
    let key = wanted_by_order(books, order);
    let free = |line: &Neighbour| !orders.has(wanted(line), line.day, true);
    if let Some(at) = lines.find(key, free).or_else(|| full_refund(lines, key, free)) {
        lines.taken.insert(at);
        meet_line(books, order, lines.items[at]);
        return;
    }
    let logged = books.order(order);
    let late = logged.provider_at.is_none()
        && books.unit.date.end().since(logged.logged_at) <= books.unit.cutoff_seconds;
    if late && !tomorrow_known {
        time_order(books, order, TimingKind::Awaiting, None);
        return;
    }
    let payment = Wanted { kind: EntryKind::Payment, ..key };
    if key.kind == EntryKind::Reversal && lines.find(payment, |_| true).is_some() {
        books.paid_nearby.insert(order);
    }
}

/// A reversal may meet a refund line in full.
fn full_refund(lines: &Shelf<'_>, key: Wanted<'_>, free: impl Fn(&Neighbour) -> bool) -> Option<usize> {
    if key.kind != EntryKind::Reversal {
        return None;
    }
    let refund = Wanted { kind: EntryKind::Refund, refund_no: "", ..key };
    lines.find(refund, |line| line.amount_minor == key.amount_minor && free(line))
}

/// A payment that today's statement has and the log calls reversed: right, if a neighbouring day returns it.
fn close_held(books: &mut Books<'_>, held: HeldPayment, lines: &mut Shelf<'_>) {
    let HeldPayment { line, payment, reversal } = held;
    let returned = reversal.and_then(|order| {
        let key = wanted_by_order(books, order);
        lines.find(key, |_| true).or_else(|| full_refund(lines, key, |_| true)).map(|at| (order, at))
    });
    let Some((order, at)) = returned else { return report_held(books, held) };
    lines.taken.insert(at);
    let amount = books.line_amount(line).unwrap_or(0);
    books.counted.extend([(payment, amount), (order, -amount)]);
    books.place_line(line, Place::Matched);
    books.place_order(payment, Place::Matched);
    time_order(books, order, TimingKind::Out, Some(lines.items[at]));
}

/// The channel kept the money.
fn report_held(books: &mut Books<'_>, HeldPayment { line, payment, reversal }: HeldPayment) {
    let (gateway, channel) = (books.order(payment).state, books.line(line).state);
    let finding = Finding::new(EntryKind::Payment, vec![line], vec![payment])
        .because(MismatchKind::StatusMismatch, Reason::Status { gateway, channel });
    books.place_line(line, Place::Mismatched);
    books.place_order(payment, Place::Mismatched);
    books.findings.push(finding);
    if let Some(reversal) = reversal {
        books.place_order(reversal, Place::NothingHappened);
    }
}

fn report_missing(books: &mut Books<'_>, order: u32, channel_says_paid: bool) {
    let mut finding = Finding::new(books.order(order).kind, Vec::new(), vec![order]);
    finding = if channel_says_paid {
        let told = Reason::Status { gateway: State::Reversed, channel: State::Paid };
        finding.because(MismatchKind::StatusMismatch, told)
    } else {
        finding.because(MismatchKind::GatewayOnly, Reason::GatewayOnly)
    };
    if books.unit.no_bill {
        finding = finding.because(MismatchKind::GatewayOnly, Reason::NoBill);
    }
    books.place_order(order, Place::Mismatched);
    books.findings.push(finding);
}

fn wanted_by_order<'a>(books: &Books<'a>, order: u32) -> Wanted<'a> {
    let logged = books.order(order);
    Wanted {
        kind: logged.kind,
        order_no: books.order_no(order),
        refund_no: books.refund_no(order),
        trade_no: books.trade_no(order),
        amount_minor: logged.amount_minor,
        at: logged.provider_at.unwrap_or(logged.logged_at),
    }
}

/// An order that the statement of another day has.
fn meet_line(books: &mut Books<'_>, order: u32, line: &Neighbour) {
    let logged = books.order(order);
    let mut finding = Finding::new(logged.kind, Vec::new(), vec![order]);
    // A reversal may meet a refund line; the two say the same.
    if line.state != logged.state && line.kind == logged.kind {
        let told = Reason::Status { gateway: logged.state, channel: line.state };
        finding = finding.because(MismatchKind::StatusMismatch, told);
    }
    let ours = books.trade_no(order);
    if logged.kind == EntryKind::Payment
        && !ours.is_empty()
        && !line.trade_no.is_empty()
        && line.trade_no != ours
    {
        let (gateway, channel) = (ours.to_owned(), line.trade_no.clone());
        finding = finding.because(MismatchKind::DoublePayment, Reason::OtherTrade { gateway, channel });
    }
    if line.currency != logged.currency {
        let (gateway, channel) = (logged.currency.to_string(), line.currency.to_string());
        finding = finding.because(MismatchKind::CurrencyMismatch, Reason::Currency { gateway, channel });
    }
    if line.amount_minor.is_some() && line.amount_minor != logged.amount_minor {
        finding = finding.because(MismatchKind::AmountMismatch, Reason::Amount);
    }
    if finding.reasons.is_empty() {
        time_order(books, order, TimingKind::Out, Some(line));
    } else {
        let kind = finding.kind();
        finding = finding.because(kind, Reason::OtherDay { day: line.day });
        finding.other_line = Some(line.clone());
        books.place_order(order, Place::Mismatched);
        books.findings.push(finding);
    }
}

fn time_order(books: &mut Books<'_>, order: u32, kind: TimingKind, line: Option<&Neighbour>) {
    let logged = books.order(order);
    books.place_order(order, Place::Timing);
    books.timing.push(Timing {
        kind,
        entry: logged.kind,
        order_no: books.order_no(order).to_owned(),
        refund_no: books.refund_no(order).to_owned(),
        trade_no: books.trade_no(order).to_owned(),
        amount_minor: books.gateway_amount(order),
        currency: logged.currency,
        other_day: line.map(|line| line.day),
        gateway_time: Some(logged.logged_at),
        channel_time: line.map(|line| line.at),
    });
}
