//! Both books of a night from a text that a person can read, and what `reconcile` made of them as text again.
//!
//! ```text
//! day 2016-11-08
//! log                                    what EB_PAYLOG says, folded
//!   pay    A1      12.00 paid 09:00:00   kind, order[/refund], amount, then in any order: state, time, T… trade
//!   refund A1/R1   3.00  refunded 10:00:00
//! bill                                   the statement
//!   pay    A1      12.00 09:00:03
//! bill+1, bill-1, log+1, log-1           the neighbouring days
//! other_bill, other_log                  another account, the same day
//! held                                   what the channel held on the day before
//! answers                                the bill is what the provider answered about logged orders
//! ```
//!
//! Amounts are written unsigned; refunds and reversals are negative by their kind. `?` is an amount that the side
//! does not carry, `-` an empty number. `untold` is a logged payment without the provider's time (refunds never have
//! one), `either` a reversal without proof of payment.

use std::collections::BTreeMap;

use nightjob::domain::entry::CellSpan;
use nightjob::domain::money::{major, parse_minor};
use nightjob::domain::{
    BillDate, Cell, Currency, Draft, Entry, EntryKind, LogCover, LoggedOrder, LoggedOrders, Moment, Note,
    State, Statement,
};
use nightjob::reconcile::{
    Bridge, Mismatch, Neighbour, Neighbours, Origin, Places, Reconciliation, Timing, TimingKind, Unit, pair,
};

#[derive(Clone, Debug)]
pub(crate) struct Movement {
    pub(crate) kind: EntryKind,
    pub(crate) order_no: String,
    pub(crate) refund_no: String,
    pub(crate) trade_no: String,
    pub(crate) amount_minor: Option<i64>,
    pub(crate) currency: Currency,
    pub(crate) state: Option<State>,
    pub(crate) time: String,
    pub(crate) told: bool,
    pub(crate) either: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Books {
    pub(crate) day: BillDate,
    pub(crate) log: Vec<Movement>,
    pub(crate) bill: Vec<Movement>,
    /// By offset in days.
    pub(crate) log_of: BTreeMap<i64, Vec<Movement>>,
    pub(crate) bill_of: BTreeMap<i64, Vec<Movement>>,
    pub(crate) other_log: Vec<Movement>,
    pub(crate) other_bill: Vec<Movement>,
    pub(crate) held: Vec<Movement>,
    pub(crate) answers: bool,
    pub(crate) no_bill: bool,
    pub(crate) cover: Option<LogCover>,
}

impl Movement {
    pub(crate) fn parse(text: &str) -> Movement {
        let mut words = text.split_whitespace();
        let kind = match words.next() {
            Some("pay") => EntryKind::Payment,
            Some("refund") => EntryKind::Refund,
            Some("reverse") => EntryKind::Reversal,
            other => panic!("{other:?} is no kind in `{text}`"),
        };
        let number = words.next().unwrap_or_else(|| panic!("no order number in `{text}`"));
        let (order_no, refund_no) = number.split_once('/').unwrap_or((number, ""));
        let amount = words.next().unwrap_or_else(|| panic!("no amount in `{text}`"));
        let mut movement = Movement {
            kind,
            order_no: order_no.trim_start_matches('-').to_owned(),
            refund_no: refund_no.to_owned(),
            trade_no: String::new(),
            amount_minor: None,
            currency: Currency::CNY,
            state: None,
            time: "12:00:00".to_owned(),
            told: kind == EntryKind::Payment,
            either: false,
        };
        for word in words {
            match word {
                "untold" => movement.told = false,
                "either" => movement.either = true,
                _ if word.contains(':') => movement.time = word.to_owned(),
                _ if word.starts_with('T') => movement.trade_no = word.to_owned(),
                _ => match State::parse(word) {
                    Some(state) => movement.state = Some(state),
                    None => movement.currency = Currency::parse(word).unwrap_or_else(|_| panic!("`{word}`?")),
                },
            }
        }
        if amount != "?" {
            let minor = parse_minor(amount, movement.currency.digits()).expect(amount);
            movement.amount_minor = Some(minor * kind.sign());
        }
        movement
    }

    fn state(&self) -> State {
        self.state.unwrap_or(match self.kind {
            EntryKind::Payment => State::Paid,
            EntryKind::Refund => State::Refunded,
            EntryKind::Reversal => State::Reversed,
        })
    }

    fn at(&self, day: BillDate) -> Moment {
        Moment::parse(&format!("{day} {}", self.time)).unwrap_or_else(|| panic!("`{}` is no time", self.time))
    }

    fn is_success(&self) -> bool {
        !self.either
            && matches!(self.state(), State::Paid | State::Refunded | State::Reversed)
            && !(self.kind == EntryKind::Payment && self.state() == State::Reversed)
    }

    fn neighbour(&self, day: BillDate, success: bool) -> Neighbour {
        Neighbour {
            account: String::new(),
            day,
            kind: self.kind,
            state: self.state(),
            success,
            order_no: self.order_no.clone(),
            refund_no: self.refund_no.clone(),
            trade_no: self.trade_no.clone(),
            amount_minor: self.amount_minor,
            currency: self.currency,
            at: self.at(day),
            origin: Origin::default(),
            log_rows: 1,
        }
    }

    fn held_since(&self, day: BillDate) -> Timing {
        Timing {
            kind: TimingKind::Held,
            entry: self.kind,
            order_no: self.order_no.clone(),
            refund_no: String::new(),
            trade_no: self.trade_no.clone(),
            amount_minor: self.amount_minor.unwrap_or(0),
            currency: self.currency,
            other_day: None,
            gateway_time: Some(self.at(day)),
            channel_time: None,
        }
    }
}

impl Default for Books {
    /// A day on which nothing happened.
    fn default() -> Books {
        Books {
            day: BillDate::parse("20161108").expect("a day"),
            log: Vec::new(),
            bill: Vec::new(),
            log_of: BTreeMap::new(),
            bill_of: BTreeMap::new(),
            other_log: Vec::new(),
            other_bill: Vec::new(),
            held: Vec::new(),
            answers: false,
            no_bill: false,
            cover: None,
        }
    }
}

impl Books {
    /// Everything before `expect`, and what is expected.
    pub(crate) fn parse(text: &str) -> (Books, String) {
        let mut books = Books::default();
        let mut section = String::new();
        let mut expected = Vec::new();
        for line in text.lines().map(|line| line.split(" #").next().unwrap_or("")) {
            if section == "expect" {
                expected.push(line.trim());
            } else if line.trim().is_empty() || line.starts_with('#') {
                continue;
            } else if line.starts_with(' ') {
                let movement = Movement::parse(line);
                match section.split_at_checked(section.len().saturating_sub(2)) {
                    Some(("log", offset)) => {
                        books.log_of.entry(offset.parse().expect(offset)).or_default().push(movement)
                    }
                    Some(("bill", offset)) => {
                        books.bill_of.entry(offset.parse().expect(offset)).or_default().push(movement);
                    }
                    _ => books.section(&section).push(movement),
                }
            } else {
                books.heading(line, &mut section);
            }
        }
        (books, expected.join("\n").trim().to_owned())
    }

    fn section(&mut self, name: &str) -> &mut Vec<Movement> {
        match name {
            "log" => &mut self.log,
            "bill" => &mut self.bill,
            "other_log" => &mut self.other_log,
            "other_bill" => &mut self.other_bill,
            "held" => &mut self.held,
            _ => panic!("no section {name}"),
        }
    }

    fn heading(&mut self, line: &str, section: &mut String) {
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        match word {
            "day" => self.day = BillDate::parse(rest.trim()).expect(rest),
            "no_bill" => self.no_bill = true,
            "answers" => self.answers = true,
            "covers" => {
                let at = |time: &str| Moment::parse(&format!("{} {time}", self.day));
                let (first, last) = rest.trim().split_once(' ').unwrap_or(("", ""));
                self.cover = Some(LogCover {
                    first: at(first),
                    last: at(last.trim()),
                    rows_on_day: self.log.len() as u64,
                });
            }
            _ => {
                *section = word.to_owned();
                if let Some(offset) = word.strip_prefix("bill").and_then(|o| o.parse().ok()) {
                    self.bill_of.entry(offset).or_default();
                }
            }
        }
    }

    pub(crate) fn statement(&self) -> Statement {
        let mut draft = Draft { parts: vec![String::new()], ..Draft::default() };
        for (movement, number) in self.bill.iter().zip(1u32..) {
            let start = draft.text.len();
            let mut spans = Vec::new();
            for (cell, text) in [
                (Cell::OrderNo, &movement.order_no),
                (Cell::RefundNo, &movement.refund_no),
                (Cell::TradeNo, &movement.trade_no),
            ] {
                let from = u16::try_from(draft.text.len() - start).expect("a short line");
                draft.text.push_str(text);
                spans.push((cell, CellSpan { start: from, len: u16::try_from(text.len()).expect("short") }));
                draft.text.push(',');
            }
            let len = u16::try_from(draft.text.len() - start).expect("a short line");
            let mut entry = Entry::at(u32::try_from(start).expect("small"), len, 0, number);
            for (cell, span) in spans {
                entry.set_cell(cell, span);
            }
            entry.kind = movement.kind;
            entry.state = movement.state();
            entry.currency = movement.currency;
            entry.amount_minor = movement.amount_minor;
            entry.happened_at = movement.at(self.day);
            draft.entries.push(entry);
        }
        let statement = Statement::new(self.day, draft).expect("no totals, nothing to differ");
        if self.answers { statement.of_answers() } else { statement }
    }

    pub(crate) fn logged(&self) -> LoggedOrders {
        let mut orders = LoggedOrders::default();
        let nothing = orders.names.intern("");
        let wx = orders.names.intern("WX");
        for movement in &self.log {
            let mut order = LoggedOrder {
                day: self.day,
                kind: movement.kind,
                state: movement.state(),
                currency: movement.currency,
                notes: 0,
                rows: 1,
                amount_minor: movement.amount_minor,
                logged_at: movement.at(self.day),
                provider_at: movement.told.then(|| movement.at(self.day)),
                order_no: orders.keep(&movement.order_no),
                refund_no: orders.keep(&movement.refund_no),
                trade_no: orders.keep(&movement.trade_no),
                req_type: wx,
                business_date: nothing,
                seller: nothing,
                mall: nothing,
                store: nothing,
                till: nothing,
                cashier: nothing,
                wallet: nothing,
            };
            if movement.either {
                order.note(Note::EitherWay);
            }
            orders.orders.push(order);
        }
        orders
    }

    pub(crate) fn neighbours(&self) -> Neighbours {
        let mut found = Neighbours { tomorrow_known: self.bill_of.contains_key(&1), ..Neighbours::default() };
        let day_at = |offset: i64| if offset < 0 { self.day.before() } else { self.day.after() };
        for (offset, movements) in &self.bill_of {
            found.lines.extend(movements.iter().map(|m| m.neighbour(day_at(*offset), true)));
        }
        for (offset, movements) in &self.log_of {
            found.orders.extend(movements.iter().map(|m| m.neighbour(day_at(*offset), m.is_success())));
        }
        let other = |m: &Movement| Neighbour { account: "other".into(), ..m.neighbour(self.day, true) };
        found.elsewhere_lines.extend(self.other_bill.iter().map(other));
        found.elsewhere_orders.extend(self.other_log.iter().map(other));
        found
    }

    pub(crate) fn reconcile(&self) -> Reconciliation {
        let statement = self.statement();
        let orders = self.logged();
        let picked: Vec<u32> = (0..u32::try_from(orders.orders.len()).expect("few")).collect();
        let whole = LogCover {
            first: Some(self.day.before().start()),
            last: Some(self.day.after().end()),
            rows_on_day: (self.log.len() + self.log_of.len()).max(1) as u64,
        };
        let held_before: Vec<Timing> = self.held.iter().map(|m| m.held_since(self.day.before())).collect();
        let unit = Unit {
            account: "wx",
            pay_type: "WX",
            date: self.day,
            statement: &statement,
            no_bill: self.no_bill,
            orders: &orders,
            picked: &picked,
            cover: self.cover.unwrap_or(whole),
            held_before: &held_before,
            cutoff_seconds: 600,
        };
        let pairing = pair(unit);
        let keys = pairing.open_keys();
        let mut neighbours = self.neighbours();
        for side in [&mut neighbours.lines, &mut neighbours.orders] {
            side.retain(|item| {
                [&item.order_no, &item.trade_no, &item.refund_no].iter().any(|n| keys.contains(*n))
            });
        }
        pairing.close(&neighbours)
    }
}

/// What finance reads, one line each: verdict, mismatches, timing, the two conservations, the bridge.
pub(crate) fn show(result: &Reconciliation) -> String {
    let mut lines = vec![format!("verdict {}", result.verdict.as_str())];
    lines.extend(result.lacks.iter().map(|lack| format!("lacks {lack}")));
    lines.extend(result.mismatches.iter().map(show_mismatch));
    for t in &result.timing {
        let kind = match t.kind {
            TimingKind::Out => "out",
            TimingKind::In => "in",
            TimingKind::Awaiting => "awaiting",
            TimingKind::Held => "held",
        };
        let day = t.other_day.map_or("-".to_owned(), |day| day.to_string());
        let amount = major(t.amount_minor, 2);
        lines.push(format!("timing {kind} {} {} {amount} {day}", t.entry.as_str(), t.order_no));
    }
    for held in &result.held {
        let since = held.gateway_time.map_or(String::new(), |at| at.date().to_string());
        lines.push(format!("held {} {} {since}", held.order_no, major(held.amount_minor, 2)));
    }
    if result.of_others > 0 {
        lines.push(format!("of others {}", result.of_others));
    }
    lines.push(show_places("lines", &result.lines));
    lines.push(show_places("orders", &result.orders));
    lines.extend(result.bridges.iter().map(show_bridge));
    lines.join("\n")
}

fn show_mismatch(m: &Mismatch) -> String {
    let money =
        |amount: Option<i64>| amount.map_or("-".to_owned(), |minor| major(minor, m.currency.digits()));
    let state = |state: Option<State>| state.map_or("-", State::as_str);
    let number =
        if m.refund_no.is_empty() { m.order_no.clone() } else { format!("{}/{}", m.order_no, m.refund_no) };
    format!(
        "{} {} {} {} {} {} {}>{}",
        m.kind.as_str(),
        m.entry.as_str(),
        if number.is_empty() { "-" } else { &number },
        money(m.gateway_amount_minor),
        money(m.channel_amount_minor),
        money(Some(m.difference_minor())),
        state(m.gateway_state),
        state(m.channel_state),
    )
}

fn show_places(side: &str, p: &Places) -> String {
    let all = [
        ("matched", p.matched),
        ("mismatched", p.mismatched),
        ("timing", p.timing),
        ("excluded", p.excluded),
        ("nothing", p.nothing_happened),
    ];
    let parts: Vec<String> = all
        .iter()
        .filter(|(_, tally)| tally.count > 0)
        .map(|(name, tally)| format!(" {name} {} {}", tally.count, major(tally.amount_minor, 2)))
        .collect();
    format!("{side} {} {} ={}", p.total.count, major(p.total.amount_minor, 2), parts.concat())
}

fn show_bridge(b: &Bridge) -> String {
    let money = |minor| major(minor, b.currency.digits());
    let mut steps: Vec<String> = b
        .mismatches
        .iter()
        .map(|(kind, t)| format!(" {} {}", kind.as_str(), money(t.amount_minor)))
        .collect();
    let timing = [
        ("out", -1, b.timing_out),
        ("in", 1, b.timing_in),
        ("elsewhere", -1, b.elsewhere),
        ("excluded", 1, b.excluded),
    ];
    steps.extend(
        timing
            .iter()
            .filter(|(_, _, tally)| tally.count > 0)
            .map(|(name, sign, tally)| format!(" {name} {}", money(sign * tally.amount_minor))),
    );
    let currency = if b.currency == Currency::CNY { String::new() } else { format!(" {}", b.currency) };
    let (from, to, rest) = (money(b.gateway_minor), money(b.channel_minor), money(b.unexplained_minor()));
    format!("bridge{currency} {from}{} = {to} unexplained {rest}", steps.concat())
}
