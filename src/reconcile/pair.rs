//! Both books with a place for everything in them, and the index that puts what belongs together into cases.

use std::collections::{HashMap, HashSet};

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Unit;
use super::finding::Finding;
use crate::domain::{Cell, Entry, EntryKind, LoggedOrder, State};

/// Where a line or an order ended. Everything begins open, and nothing may stay so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    Open,
    /// A payment that was reversed without proof that it had been made: the day after may hold its return.
    Held,
    Matched,
    Mismatched,
    Timing,
    Excluded,
    NothingHappened,
}

/// A payment line, the logged payment, and its logged reversal; all [`Place::Held`].
#[derive(Clone, Copy, Debug)]
pub(super) struct HeldPayment {
    pub(super) line: u32,
    pub(super) payment: u32,
    pub(super) reversal: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Books<'a> {
    pub(super) unit: Unit<'a>,
    pub(super) lines: Vec<Place>,
    /// By position in `unit.picked`.
    pub(super) orders: Vec<Place>,
    /// What an order counts in the gateway's total where that is not its own success: either-way reversals that the
    /// statement did carry out.
    pub(super) counted: HashMap<u32, i64>,
    /// Amounts of lines that do not carry them (reversals), as resolved.
    pub(super) resolved: HashMap<u32, i64>,
    /// Reversal lines that no logged reversal met, with the logged payment of their order.
    pub(super) loose: HashMap<u32, u32>,
    /// Logged reversals that no line met, though the statement has the payment.
    pub(super) charged: HashSet<u32>,
    /// Logged reversals that no line met, though a neighbouring day's statement has the payment.
    pub(super) paid_nearby: HashSet<u32>,
    /// Lines that another account's log explains.
    pub(super) of_others: u64,
    pub(super) held: Vec<HeldPayment>,
    pub(super) findings: Vec<Finding>,
    pub(super) timing: Vec<super::Timing>,
}

impl<'a> Books<'a> {
    pub(super) fn new(unit: Unit<'a>) -> Books<'a> {
        Books {
            lines: vec![Place::Open; unit.statement.entries().len()],
            orders: vec![Place::Open; unit.picked.len()],
            unit,
            counted: HashMap::new(),
            resolved: HashMap::new(),
            loose: HashMap::new(),
            charged: HashSet::new(),
            paid_nearby: HashSet::new(),
            of_others: 0,
            held: Vec::new(),
            findings: Vec::new(),
            timing: Vec::new(),
        }
    }

    pub(super) fn line(&self, line: u32) -> &'a Entry {
        &self.unit.statement.entries()[line as usize]
    }

    pub(super) fn order(&self, order: u32) -> &'a LoggedOrder {
        &self.unit.orders.orders[self.unit.picked[order as usize] as usize]
    }

    pub(super) fn cell(&self, line: u32, cell: Cell) -> &'a str {
        self.unit.statement.cell(self.line(line), cell)
    }

    pub(super) fn order_no(&self, order: u32) -> &'a str {
        self.unit.orders.order_no(self.order(order))
    }

    pub(super) fn refund_no(&self, order: u32) -> &'a str {
        self.unit.orders.refund_no(self.order(order))
    }

    pub(super) fn trade_no(&self, order: u32) -> &'a str {
        self.unit.orders.trade_no(self.order(order))
    }

    /// The amount of a line: its own, or as resolved from the payment it undoes. What the channel itself calls failed
    /// moved nothing, whatever was asked for; and of what it cannot tell, nothing is counted.
    pub(super) fn line_amount(&self, line: u32) -> Option<i64> {
        let state = self.line(line).state;
        if state.moved_nothing() || state == State::Unknown {
            return Some(0);
        }
        self.line(line).amount_minor.or_else(|| self.resolved.get(&line).copied())
    }

    /// Those of the lines that do not carry a refund's number.
    pub(super) fn without_refund_no(&self, lines: &[u32]) -> Vec<u32> {
        lines.iter().copied().filter(|&line| self.cell(line, Cell::RefundNo).is_empty()).collect()
    }

    /// The amount that the log holds as a success; `None` if it holds none.
    pub(super) fn order_amount(&self, order: u32) -> Option<i64> {
        let logged = self.order(order);
        if logged.is_success() { Some(logged.amount_minor.unwrap_or(0)) } else { None }
    }

    /// What an order adds to the gateway's total: its success, or what an either-way reversal turned out to be.
    pub(super) fn gateway_amount(&self, order: u32) -> i64 {
        self.counted.get(&order).copied().or_else(|| self.order_amount(order)).unwrap_or(0)
    }

    pub(super) fn open_lines(&self) -> Vec<u32> {
        open(&self.lines)
    }

    pub(super) fn open_orders(&self) -> Vec<u32> {
        open(&self.orders)
    }

    pub(super) fn place_line(&mut self, line: u32, place: Place) {
        self.lines[line as usize] = place;
    }

    pub(super) fn place_order(&mut self, order: u32, place: Place) {
        self.orders[order as usize] = place;
    }
}

fn open(places: &[Place]) -> Vec<u32> {
    (0u32..).zip(places).filter(|(_, place)| **place == Place::Open).map(|(index, _)| index).collect()
}

/// End of a chain.
const NONE: u32 = u32::MAX;

/// Everything under one order number: the heads of two chains.
#[derive(Clone, Copy, Debug)]
struct Head {
    line: u32,
    order: u32,
}

/// All cases of a unit. Eight bytes a case, four for each line and order: the texts stay where they are.
pub(super) struct Cases {
    heads: Vec<Head>,
    next_line: Vec<u32>,
    next_order: Vec<u32>,
}

impl Cases {
    pub(super) fn build(books: &Books<'_>) -> Cases {
        let (lines, orders) = (books.lines.len(), books.orders.len());
        let mut cases = Cases {
            heads: Vec::with_capacity(lines.max(orders)),
            next_line: vec![NONE; lines],
            next_order: vec![NONE; orders],
        };
        let mut index = HashTable::with_capacity(lines.max(orders));
        let refunds = Refunds::of(books);
        for line in 0..u32::try_from(lines).unwrap_or(NONE) {
            let head = cases.head(books, (&mut index, &refunds), refunds.line_key(books, line));
            cases.next_line[line as usize] = std::mem::replace(&mut cases.heads[head].line, line);
        }
        for order in 0..u32::try_from(orders).unwrap_or(NONE) {
            let head = cases.head(books, (&mut index, &refunds), order_key(books, order));
            cases.next_order[order as usize] = std::mem::replace(&mut cases.heads[head].order, order);
        }
        cases
    }

    /// The case of a key, made if it is new. What has no number at all is a case of its own.
    fn head(
        &mut self,
        books: &Books<'_>,
        (index, refunds): (&mut HashTable<(u64, u32)>, &Refunds<'_>),
        key: Key<'_>,
    ) -> usize {
        let new = u32::try_from(self.heads.len()).unwrap_or(NONE);
        if key.text.is_empty() {
            self.heads.push(Head { line: NONE, order: NONE });
            return new as usize;
        }
        let hash = xxh3_64_with_seed(key.text.as_bytes(), u64::from(key.is_trade_no));
        let heads = &self.heads;
        let same = |&(other, head): &(u64, u32)| {
            other == hash && {
                let head = heads[head as usize];
                let found = if head.line == NONE {
                    order_key(books, head.order)
                } else {
                    refunds.line_key(books, head.line)
                };
                found == key
            }
        };
        let found = index.entry(hash, same, |&(hash, _)| hash).or_insert((hash, new)).get().1;
        if found == new {
            self.heads.push(Head { line: NONE, order: NONE });
        }
        found as usize
    }

    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// If the case is one line and one order, which nearly all are.
    pub(super) fn simple(&self, case: usize) -> Option<(u32, u32)> {
        let Head { line, order } = self.heads[case];
        (line != NONE
            && order != NONE
            && self.next_line[line as usize] == NONE
            && self.next_order[order as usize] == NONE)
            .then_some((line, order))
    }

    pub(super) fn lines(&self, case: usize) -> Vec<u32> {
        chain(self.heads[case].line, &self.next_line)
    }

    pub(super) fn orders(&self, case: usize) -> Vec<u32> {
        chain(self.heads[case].order, &self.next_order)
    }
}

fn chain(head: u32, next: &[u32]) -> Vec<u32> {
    let mut items: Vec<u32> = std::iter::successors(Some(head), |&at| next.get(at as usize).copied())
        .take_while(|&at| at != NONE)
        .collect();
    items.reverse();
    items
}

/// The order number; where there is none, the provider's transaction number, in a name space of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key<'a> {
    text: &'a str,
    is_trade_no: bool,
}

/// Orders of logged refunds by refund number, for statements whose refunds name nothing else (Alipay abroad).
/// A number that several orders have belongs to the one of the line's amount, else to the first by its number, whatever
/// the order of the log.
struct Refunds<'a>(HashMap<&'a str, Vec<(&'a str, Option<i64>)>>);

impl<'a> Refunds<'a> {
    /// Built only if a line needs it.
    fn of(books: &Books<'a>) -> Refunds<'a> {
        let lines = u32::try_from(books.lines.len()).unwrap_or(NONE);
        if !(0..lines).any(|line| names_only_refund(books, line)) {
            return Refunds(HashMap::new());
        }
        let orders = 0..u32::try_from(books.orders.len()).unwrap_or(NONE);
        let refunds = orders.filter(|&order| books.order(order).kind == EntryKind::Refund);
        let mut known: HashMap<&str, Vec<(&str, Option<i64>)>> = HashMap::new();
        for order in refunds {
            let (refund_no, order_no) = (books.refund_no(order), books.order_no(order));
            if !refund_no.is_empty() && !order_no.is_empty() {
                known.entry(refund_no).or_default().push((order_no, books.order(order).amount_minor));
            }
        }
        Refunds(known)
    }

    fn line_key(&self, books: &Books<'a>, line: u32) -> Key<'a> {
        let known = if self.0.is_empty() || !names_only_refund(books, line) {
            None
        } else {
            self.0.get(books.cell(line, Cell::RefundNo))
        };
        let amount = books.line(line).amount_minor;
        let nearest = |(order_no, logged): &&(&'a str, Option<i64>)| (*logged != amount, *order_no);
        match known.and_then(|orders| orders.iter().min_by_key(nearest)) {
            Some((order_no, _)) => Key { text: order_no, is_trade_no: false },
            None => key(books.cell(line, Cell::OrderNo), || books.cell(line, Cell::TradeNo)),
        }
    }
}

/// A refund line without the number of its order.
fn names_only_refund(books: &Books<'_>, line: u32) -> bool {
    books.line(line).kind == EntryKind::Refund
        && books.cell(line, Cell::OrderNo).is_empty()
        && !books.cell(line, Cell::RefundNo).is_empty()
}

fn order_key<'a>(books: &Books<'a>, order: u32) -> Key<'a> {
    key(books.order_no(order), || books.trade_no(order))
}

fn key<'a>(order_no: &'a str, trade_no: impl FnOnce() -> &'a str) -> Key<'a> {
    if order_no.is_empty() {
        Key { text: trade_no(), is_trade_no: true }
    } else {
        Key { text: order_no, is_trade_no: false }
    }
}

/// The members of a list that are of one kind.
pub(super) fn of_kind(items: &[u32], wanted: EntryKind, kind: impl Fn(u32) -> EntryKind) -> Vec<u32> {
    items.iter().copied().filter(|&item| kind(item) == wanted).collect()
}
