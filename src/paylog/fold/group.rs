//! Which rows belong to one order (R-D20, R-D28).
//!
//! The key is account and order number. The order number is the reply's own where it states one, else the OutID; of a
//! refund or reversal whose reply states none, first the order that its transaction number belongs to, because such a
//! row's OutID may be the refund's. Rows without any order number stand together by transaction number, or alone.
//!
//! # Why by account and not by seller
//!
//! Several seller ids may share one merchant account (R032), and a provider takes an order number only once for each
//! merchant: a retry from a till of the other seller is the same order. Two payments under one number have two
//! transaction numbers and become two movements (`payment`).

use hashbrown::{HashMap, HashTable};
use xxhash_rust::xxh3::{Xxh3DefaultBuilder, xxh3_64};

use crate::domain::PayType;

use super::rows::{Log, Row, Text};
use crate::paylog::gather::Gathered;
use crate::paylog::place::Name;
use crate::paylog::record::{LISTED, ORDER_FROM_REPLY, TRADE_FROM_REPLY};

/// Who an order belongs to: an account; or, where none claims it, a seller within a family of pay types.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scope {
    pub account: Option<usize>,
    family: u8,
    seller: String,
}

/// Pay types that share their order numbers: a till upgraded from ALI to ALI_20 retries under the same number.
fn family(pay_type: PayType) -> u8 {
    match pay_type {
        PayType::Ali | PayType::Ali20 => PayType::Ali as u8,
        other @ (PayType::Wx
        | PayType::WxOs
        | PayType::AliOs
        | PayType::Tianta
        | PayType::Teegon
        | PayType::Tb) => other as u8,
    }
}

/// The scope of every place of every batch.
struct Scopes {
    list: Vec<Scope>,
    of_place: Vec<Vec<u32>>,
}

impl Scopes {
    fn new(batches: &[Gathered]) -> Scopes {
        let mut list: Vec<Scope> = Vec::new();
        let mut index: HashMap<Scope, u32, Xxh3DefaultBuilder> = HashMap::default();
        let mut scope = |batch: &Gathered, id: u32| -> u32 {
            let place = batch.places.get(id);
            let seller = if place.account.is_some() { "" } else { batch.places.text(id, Name::Seller) };
            let family = place.pay_type.map_or(u8::MAX, family);
            let scope = Scope { account: place.account, family, seller: seller.to_owned() };
            *index.entry(scope).or_insert_with_key(|scope| {
                list.push(scope.clone());
                u32::try_from(list.len() - 1).expect("fewer scopes than places")
            })
        };
        let of_batch = |batch: &Gathered| (0..).take(batch.places.len()).map(|id| scope(batch, id)).collect();
        let of_place = batches.iter().map(of_batch).collect();
        Scopes { list, of_place }
    }

    fn of(&self, row: Row<'_>) -> u32 {
        self.of_place[row.index][row.record.place as usize]
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Order,
    /// No order number: rows of one transaction.
    Trade,
    /// Neither: a row by itself.
    Lone,
}

/// A group while it is found: 16 bytes, because there are as many as orders.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Number of a row that has its key.
    row: u32,
    scope: u32,
    /// Rows in it; later the end of its rows in the sorted list.
    rows: u32,
    kind: Kind,
    reused: bool,
}

/// One order's rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group<'a> {
    start: u32,
    end: u32,
    scope: u32,
    /// The order number; empty for orphans.
    pub text: &'a str,
    /// The same number was used for another account.
    pub reused: bool,
}

impl<'a> Group<'a> {
    /// The order number as it stands in the arena of one of the group's rows.
    pub(crate) fn number(&self, rows: &[Row<'a>]) -> Text<'a> {
        let mut candidates = rows.iter().flat_map(|row| [row.out_id(), row.other_order()]);
        candidates.find(|t| !self.text.is_empty() && t.text == self.text).unwrap_or_default()
    }
}

pub(super) struct Groups<'a> {
    keys: Keys<'a>,
    cells: Vec<Cell>,
    /// Row numbers, group by group.
    members: Vec<u32>,
    pub orphans: u64,
    /// Transaction numbers of refunds and reversals whose order is not in the window.
    pub look_back: Vec<String>,
}

impl<'a> Groups<'a> {
    pub(crate) fn list<'g>(&'g self, log: &'g Log<'a>) -> impl Iterator<Item = Group<'a>> + 'g {
        let mut start = 0;
        self.cells.iter().map(move |cell| {
            let (kind, text) = self.keys.key(cell.row, log.row(cell.row));
            let text = if kind == Kind::Order { text } else { "" };
            let group = Group { start, end: cell.rows, scope: cell.scope, text, reused: cell.reused };
            start = cell.rows;
            group
        })
    }

    /// How many groups each account has.
    pub(crate) fn by_account(&self, batches: &[Gathered]) -> Vec<usize> {
        let mut counts = vec![0; batches.iter().map(|b| b.accounts).max().unwrap_or(0)];
        for cell in &self.cells {
            if let Some(account) = self.keys.scopes.list[cell.scope as usize].account {
                counts[account] += 1;
            }
        }
        counts
    }

    pub(crate) fn members(&self, group: &Group<'_>) -> &[u32] {
        &self.members[group.start as usize..group.end as usize]
    }

    pub(crate) fn scope(&self, group: &Group<'_>) -> &Scope {
        &self.keys.scopes.list[group.scope as usize]
    }
}

pub(super) fn group<'a>(log: &Log<'a>) -> Groups<'a> {
    let scopes = Scopes::new(log.batches);
    let joined = join(log, &scopes);
    let keys = Keys { scopes, joined };
    let look_back = look_back(log, &keys);
    let mut finder =
        Finder { log, keys: &keys, cells: Vec::new(), index: HashTable::with_capacity(log.len()) };
    let group_of: Vec<u32> = log.iter().map(|(number, row)| finder.place(number, row)).collect();
    let cells = finder.cells;
    let orphaned = |(number, row): (u32, Row<'_>)| {
        cells[group_of[number as usize] as usize].kind != Kind::Order
            && !row.record.is(LISTED)
            && !row.is_notice()
    };
    let orphans = log.iter().filter(|r| orphaned(*r)).count() as u64;
    let (cells, members) = sorted(cells, &group_of);
    Groups { keys, cells, members, orphans, look_back }
}

/// Counting sort: rows group by group, each cell with the end of its own.
fn sorted(mut cells: Vec<Cell>, group_of: &[u32]) -> (Vec<Cell>, Vec<u32>) {
    let mut start = 0;
    for cell in &mut cells {
        // From here on where its next row goes; after the last one, where its rows end.
        start += std::mem::replace(&mut cell.rows, start);
    }
    let mut members = vec![0; group_of.len()];
    for (number, group) in (0..).zip(group_of) {
        let place = &mut cells[*group as usize].rows;
        members[*place as usize] = number;
        *place += 1;
    }
    (cells, members)
}

/// How a row finds its group.
struct Keys<'a> {
    scopes: Scopes,
    /// Order numbers of rows that know only a transaction number, by row number.
    joined: HashMap<u32, &'a str, Xxh3DefaultBuilder>,
}

impl<'a> Keys<'a> {
    fn key(&self, number: u32, row: Row<'a>) -> (Kind, &'a str) {
        if let Some(order) = direct_order(row) {
            return (Kind::Order, order);
        }
        if let Some(order) = self.joined.get(&number) {
            return (Kind::Order, order);
        }
        let (out_id, trade) = (row.out_id().text, row.trade().text);
        match (out_id.is_empty(), trade.is_empty()) {
            (false, _) => (Kind::Order, out_id),
            (true, false) => (Kind::Trade, trade),
            (true, true) => (Kind::Lone, ""),
        }
    }
}

/// The order number that a row states by itself.
fn direct_order<'a>(row: Row<'a>) -> Option<&'a str> {
    let (stated, out_id) = (row.other_order().text, row.out_id().text);
    let believed = !row.is_about_return() || row.trade().is_empty();
    match (stated, out_id) {
        ("", "") => None,
        // A reply whose order number is the OutID has stated it; it is kept once.
        ("", out_id) => (believed || row.record.is(ORDER_FROM_REPLY)).then_some(out_id),
        (stated, _) => Some(stated),
    }
}

/// Finds the orders of rows that know only a transaction number.
fn join<'a>(log: &Log<'a>, scopes: &Scopes) -> HashMap<u32, &'a str, Xxh3DefaultBuilder> {
    let needs_order = |row: &Row<'a>| direct_order(*row).is_none() && !row.trade().is_empty();
    let waiting: Vec<(u32, Row<'a>)> = log.iter().filter(|(_, row)| needs_order(row)).collect();
    let key = |row: Row<'a>| (scopes.of(row), row.trade().text);
    let mut orders: HashMap<(u32, &str), Option<&'a str>, Xxh3DefaultBuilder> =
        waiting.iter().map(|(_, row)| (key(*row), None)).collect();
    if orders.is_empty() {
        return HashMap::default();
    }
    for (_, row) in log.iter().filter(|(_, row)| row.record.is(TRADE_FROM_REPLY)) {
        if let (Some(order), Some(found)) = (direct_order(row), orders.get_mut(&key(row))) {
            // Two orders of one transaction contradict each other; the choice must not depend on their order.
            *found = Some(found.map_or(order, |other| other.min(order)));
        }
    }
    waiting.iter().filter_map(|(number, row)| Some((*number, (*orders.get(&key(*row))?)?))).collect()
}

fn look_back<'a>(log: &Log<'a>, keys: &Keys<'a>) -> Vec<String> {
    let lost = |number: u32, row: Row<'a>| {
        let claimed = row.batch.places.get(row.record.place).account.is_some();
        claimed && row.is_about_return() && direct_order(row).is_none() && !keys.joined.contains_key(&number)
    };
    let rows = log.iter().filter(|(number, row)| lost(*number, *row) && !row.trade().is_empty());
    rows.map(|(_, row)| row.trade().text.to_owned()).collect()
}

struct Finder<'f, 'a> {
    log: &'f Log<'a>,
    keys: &'f Keys<'a>,
    cells: Vec<Cell>,
    index: HashTable<u32>,
}

impl<'a> Finder<'_, 'a> {
    /// Puts a row into its group and returns the group's index.
    fn place(&mut self, number: u32, row: Row<'a>) -> u32 {
        let (kind, text) = self.keys.key(number, row);
        let scope = self.keys.scopes.of(row);
        if kind == Kind::Lone {
            return self.place_lone(number, row, scope);
        }
        // The number alone is hashed, so that an order number used twice is met on the way.
        let hash = xxh3_64(text.as_bytes());
        let known = self.find(hash, |cell| cell.scope == scope && cell.kind == kind, text);
        if let Some(index) = known {
            self.cells[index as usize].rows += 1;
            return index;
        }
        let family = |scope: u32| self.keys.scopes.list[scope as usize].family;
        let twin =
            |cell: &Cell| kind == Kind::Order && cell.kind == kind && family(cell.scope) == family(scope);
        let other = self.find(hash, twin, text);
        if let Some(other) = other {
            self.cells[other as usize].reused = true;
        }
        self.add(hash, Cell { row: number, scope, rows: 1, kind, reused: other.is_some() })
    }

    /// A row that names nothing stands alone; the same row, read twice, is still one.
    fn place_lone(&mut self, number: u32, row: Row<'a>, scope: u32) -> u32 {
        let hash = xxh3_64(&row.record.row_id.to_le_bytes());
        let same = |index: &u32| {
            let cell = &self.cells[*index as usize];
            cell.kind == Kind::Lone && cell.scope == scope && self.log.row(cell.row).total_order(&row).is_eq()
        };
        if let Some(index) = self.index.find(hash, same).copied() {
            self.cells[index as usize].rows += 1;
            return index;
        }
        self.add(hash, Cell { row: number, scope, rows: 1, kind: Kind::Lone, reused: false })
    }

    fn add(&mut self, hash: u64, cell: Cell) -> u32 {
        let index = u32::try_from(self.cells.len()).expect("fewer groups than rows");
        self.cells.push(cell);
        // Room for every row was made, so nothing is ever hashed again.
        self.index.insert_unique(hash, index, |_| hash);
        index
    }

    fn find(&self, hash: u64, fits: impl Fn(&Cell) -> bool, text: &str) -> Option<u32> {
        let same = |index: &u32| {
            let cell = &self.cells[*index as usize];
            fits(cell) && self.keys.key(cell.row, self.log.row(cell.row)).1 == text
        };
        self.index.find(hash, same).copied()
    }
}
