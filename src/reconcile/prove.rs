//! The proofs: every line and order in exactly one place, and a bridge from the gateway's total to the channel's in
//! which nothing is unexplained. Computed from the places, not from the mismatches, so that the two can be compared.

use super::finding::{Finding, give_ids};
use super::moved::is_covered;
use super::pair::{Books, Place};
use super::{
    Bridge, LOG_DOES_NOT_COVER, Mismatch, NO_BILL_BUT_LOG, NOT_ANSWERED, Neighbour, Places, Reconciliation,
    Tally, Timing, TimingKind,
};
use crate::domain::{Currency, MismatchKind, Verdict};

pub(super) fn conclude(books: &Books<'_>) -> Reconciliation {
    let mut mismatches: Vec<Mismatch> =
        books.findings.iter().map(|finding| finding.to_mismatch(books)).collect();
    mismatches.sort_by(by_report_order);
    give_ids(&mut mismatches);
    mismatches.sort_by(|a, b| by_report_order(a, b).then_with(|| a.id.cmp(&b.id)));
    let mut timing = books.timing.clone();
    timing.sort_by(by_timing_order);
    let (held, timing) = timing.into_iter().partition(|item| item.kind == TimingKind::Held);
    let lacks = lacks(books);
    let verdict = match (lacks.is_empty(), mismatches.is_empty()) {
        (false, _) => Verdict::Incomplete,
        (true, false) => Verdict::Unbalanced,
        (true, true) if books.unit.statement.is_answers() => Verdict::Confirmed,
        (true, true) => Verdict::Balanced,
    };
    Reconciliation {
        verdict,
        mismatches,
        timing,
        held,
        of_others: books.of_others,
        lines: places_of_lines(books),
        orders: places_of_orders(books),
        bridges: bridges(books),
        lacks,
    }
}

/// Kind, |difference| descending, order number, refund number; then everything else that tells two apart.
fn by_report_order(a: &Mismatch, b: &Mismatch) -> std::cmp::Ordering {
    let size = |m: &Mismatch| m.difference_minor().unsigned_abs();
    a.kind
        .cmp(&b.kind)
        .then_with(|| size(b).cmp(&size(a)))
        .then_with(|| (&a.order_no, &a.refund_no).cmp(&(&b.order_no, &b.refund_no)))
        .then_with(|| (a.entry, &a.trade_no, a.channel_time).cmp(&(b.entry, &b.trade_no, b.channel_time)))
        .then_with(|| (a.gateway_time, a.channel_amount_minor).cmp(&(b.gateway_time, b.channel_amount_minor)))
}

fn by_timing_order(a: &Timing, b: &Timing) -> std::cmp::Ordering {
    (a.kind as u8, &a.order_no, &a.refund_no, &a.trade_no)
        .cmp(&(b.kind as u8, &b.order_no, &b.refund_no, &b.trade_no))
        .then_with(|| {
            (a.entry, a.amount_minor, a.gateway_time, a.channel_time).cmp(&(
                b.entry,
                b.amount_minor,
                b.gateway_time,
                b.channel_time,
            ))
        })
        .then_with(|| (a.currency, a.other_day).cmp(&(b.currency, b.other_day)))
}

fn lacks(books: &Books<'_>) -> Vec<&'static str> {
    let mut lacks = Vec::new();
    let lines = u32::try_from(books.lines.len()).unwrap_or(u32::MAX);
    if (0..lines).any(|line| !is_covered(books, line)) {
        lacks.push(LOG_DOES_NOT_COVER);
    }
    let missing = |finding: &Finding| !finding.orders.is_empty() && finding.lines.is_empty();
    if books.unit.no_bill && books.findings.iter().any(missing) {
        lacks.push(NO_BILL_BUT_LOG);
    }
    if books.orders.contains(&Place::Excluded) {
        lacks.push(NOT_ANSWERED);
    }
    lacks
}

fn places_of_lines(books: &Books<'_>) -> Places {
    let mut places = Places::default();
    for (line, place) in (0u32..).zip(&books.lines) {
        put(&mut places, *place, books.line_amount(line).unwrap_or(0));
    }
    places
}

fn places_of_orders(books: &Books<'_>) -> Places {
    let mut places = Places::default();
    for (order, place) in (0u32..).zip(&books.orders) {
        put(&mut places, *place, books.gateway_amount(order));
    }
    places
}

/// An open item is put nowhere: the rest is then not 0, and the proof fails as it must.
fn put(places: &mut Places, place: Place, amount_minor: i64) {
    places.total.add(amount_minor);
    match place {
        Place::Open | Place::Held => {}
        Place::Matched => places.matched.add(amount_minor),
        Place::Mismatched => places.mismatched.add(amount_minor),
        Place::Timing => places.timing.add(amount_minor),
        Place::Excluded => places.excluded.add(amount_minor),
        Place::NothingHappened => places.nothing_happened.add(amount_minor),
    }
}

fn bridges(books: &Books<'_>) -> Vec<Bridge> {
    let mut bridges = Bridges(Vec::new());
    bridges.of(Currency::CNY);
    for (order, place) in (0u32..).zip(&books.orders) {
        let bridge = bridges.of(books.order(order).currency);
        let amount = books.gateway_amount(order);
        bridge.gateway_minor += amount;
        if *place == Place::Excluded && amount != 0 {
            bridge.excluded.add(-amount);
        }
    }
    for (line, place) in (0u32..).zip(&books.lines) {
        let (currency, amount) = (books.line(line).currency, books.line_amount(line).unwrap_or(0));
        bridges.of(currency).channel_minor += amount;
        if *place == Place::Excluded {
            bridges.of(currency).excluded.add(amount);
        }
    }
    for item in &books.timing {
        let bridge = bridges.of(item.currency);
        match item.kind {
            TimingKind::In => bridge.timing_in.add(item.amount_minor),
            TimingKind::Out | TimingKind::Awaiting => bridge.timing_out.add(item.amount_minor),
            TimingKind::Held => {}
        }
    }
    for finding in &books.findings {
        bridges.add(books, finding);
    }
    bridges.conclude()
}

struct Bridges(Vec<Bridge>);

impl Bridges {
    fn of(&mut self, currency: Currency) -> &mut Bridge {
        let at = self.0.iter().position(|bridge| bridge.currency == currency).unwrap_or_else(|| {
            self.0.push(Bridge {
                currency,
                gateway_minor: 0,
                mismatches: Vec::new(),
                timing_out: Tally::default(),
                timing_in: Tally::default(),
                elsewhere: Tally::default(),
                excluded: Tally::default(),
                channel_minor: 0,
            });
            self.0.len() - 1
        });
        &mut self.0[at]
    }

    /// A finding's step: its lines in, its order out, each in its own currency.
    fn add(&mut self, books: &Books<'_>, finding: &Finding) {
        let kind = finding.kind();
        for &line in &finding.lines {
            self.step(books.line(line).currency, kind).amount_minor += books.line_amount(line).unwrap_or(0);
        }
        for &order in &finding.orders {
            self.step(books.order(order).currency, kind).amount_minor -= books.gateway_amount(order);
        }
        if let Some(line) = &finding.other_line {
            // The difference belongs to this day, the line itself to its own.
            let amount = line.moved_minor();
            self.step(line.currency, kind).amount_minor += amount;
            self.of(line.currency).elsewhere.add(amount);
        }
        self.step(finding.currency_of(books), kind).count += 1;
    }

    fn step(&mut self, currency: Currency, kind: MismatchKind) -> &mut Tally {
        let steps = &mut self.of(currency).mismatches;
        let at = steps.iter().position(|(other, _)| *other == kind).unwrap_or_else(|| {
            steps.push((kind, Tally::default()));
            steps.len() - 1
        });
        &mut steps[at].1
    }

    /// The home currency first, also if nothing moved at all; others by code.
    fn conclude(mut self) -> Vec<Bridge> {
        let abroad = self.0.len() > 1 && self.0[0].is_blank();
        self.0[1..].sort_by_key(|bridge| bridge.currency);
        if abroad {
            self.0.remove(0);
        }
        for bridge in &mut self.0 {
            bridge.mismatches.sort_by_key(|(kind, _)| *kind);
        }
        self.0
    }
}

impl Books<'_> {
    /// An order of this day in the form of a neighbour's: for a finding that is about a line, and tells of the order.
    pub(super) fn as_neighbour(&self, order: u32) -> Neighbour {
        let logged = self.order(order);
        Neighbour {
            account: String::new(),
            day: logged.day,
            kind: logged.kind,
            state: logged.state,
            success: logged.is_success(),
            order_no: self.order_no(order).to_owned(),
            refund_no: self.refund_no(order).to_owned(),
            trade_no: self.trade_no(order).to_owned(),
            amount_minor: logged.amount_minor,
            currency: logged.currency,
            at: logged.logged_at,
            origin: self.origin(order),
            log_rows: logged.rows,
        }
    }
}
