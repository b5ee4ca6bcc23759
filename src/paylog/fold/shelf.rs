//! The movements of one account, put in order and settled in their own arena.
//!
//! Until then a movement's texts stay where the gatherers put them: its spans name batch, place and length, its `mall`
//! the batch, its `store` the place of its row and its `wallet` a number. So a million movements are never held twice.

use xxhash_rust::xxh3::xxh3_64;

use crate::domain::{EntryKind, LoggedOrder, LoggedOrders, Moment, Note, Span, State};

use super::rows::{Movement, Text};
use crate::paylog::gather::Gathered;
use crate::paylog::place::Name;
use crate::paylog::wallet::Wallet;

#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    pub(super) orders: Vec<LoggedOrder>,
    /// Payments that were open for a while after they were asked for, and until when; by their place in `orders`.
    pub(super) open: Vec<(usize, Moment)>,
}

impl Shelf {
    /// Makes room for that many orders; most have one movement.
    pub(crate) fn reserve(&mut self, orders: usize) {
        self.orders.reserve(orders + orders / 8);
    }

    /// `open_until`: when it became known that the first of them was paid, if that was later than it was asked for.
    pub(crate) fn put_all(&mut self, movements: &[Movement<'_>], open_until: Option<Moment>) {
        self.open.extend(open_until.map(|until| (self.orders.len(), until)));
        self.orders.extend(movements.iter().map(lodge));
    }

    /// Sorts by day, time, order number, kind, refund and transaction number, and gives the texts an arena of their
    /// own, in that order.
    pub(crate) fn settle(self, batches: &[Gathered]) -> LoggedOrders {
        let mut orders = self.orders;
        sort(&mut orders, batches);
        let mut settled = LoggedOrders::default();
        settled.arena.reserve(orders.iter().map(|o| text_length(o, batches)).sum());
        let mut known: Vec<Vec<Option<Interned>>> =
            batches.iter().map(|b| vec![None; b.places.len()]).collect();
        let wallets = [Wallet::Unknown, Wallet::Wechat, Wallet::Alipay].map(Wallet::as_str);
        let wallets = wallets.map(|name| settled.names.intern(name));
        for order in &mut orders {
            order.wallet = wallets[order.wallet as usize];
            for span in [&mut order.order_no, &mut order.refund_no, &mut order.trade_no] {
                *span = settled.keep(Text::lodged(*span, batches));
            }
            let (batch, place) = (order.mall as usize, order.store);
            let interned = &mut known[batch][place as usize];
            interned.get_or_insert_with(|| Interned::new(&mut settled, &batches[batch], place)).name(order);
        }
        settled.orders = orders;
        settled
    }
}

/// Ids of a place's names in the account's own names.
#[derive(Clone, Copy, Debug)]
struct Interned([u32; 7]);

impl Interned {
    fn new(settled: &mut LoggedOrders, batch: &Gathered, place: u32) -> Interned {
        let names = [
            Name::ReqType,
            Name::BusinessDate,
            Name::Seller,
            Name::Mall,
            Name::Store,
            Name::Till,
            Name::Cashier,
        ];
        Interned(names.map(|name| settled.names.intern(batch.places.text(place, name))))
    }

    fn name(self, order: &mut LoggedOrder) {
        [
            order.req_type,
            order.business_date,
            order.seller,
            order.mall,
            order.store,
            order.till,
            order.cashier,
        ] = self.0;
    }
}

fn lodge(movement: &Movement<'_>) -> LoggedOrder {
    LoggedOrder {
        day: movement.day(),
        kind: movement.kind,
        state: movement.state,
        currency: movement.currency,
        notes: movement.notes,
        rows: movement.rows,
        amount_minor: movement.signed_minor(),
        logged_at: movement.logged_at,
        provider_at: movement.provider_at,
        order_no: movement.order_no.lodge(),
        refund_no: movement.refund_no.lodge(),
        trade_no: movement.trade_no.lodge(),
        req_type: 0,
        business_date: 0,
        seller: 0,
        mall: u32::try_from(movement.place.index).expect("a gatherer for each thread"),
        store: movement.place.record.place,
        till: 0,
        cashier: 0,
        wallet: movement.wallet as u32,
    }
}

fn text_length(order: &LoggedOrder, batches: &[Gathered]) -> usize {
    [order.order_no, order.refund_no, order.trade_no].iter().map(|s| Text::lodged(*s, batches).len()).sum()
}

/// Sorts numbers, which are small and nearly in order already, and then moves each record once.
fn sort(orders: &mut [LoggedOrder], batches: &[Gathered]) {
    let texts =
        |o: &LoggedOrder| (Text::lodged(o.order_no, batches), o.kind, Text::lodged(o.refund_no, batches));
    let last =
        |o: &LoggedOrder| (Text::lodged(o.trade_no, batches), o.state, o.amount_minor, o.notes, o.rows);
    // Day and time in one number; both fit 32 bits, because times were packed when they were gathered.
    let time = |o: &LoggedOrder| o.day.start().unix() << 32 | o.logged_at.unix();
    let mut places: Vec<(i64, u32)> = orders.iter().map(time).zip(0..).collect();
    places.sort_by(|a, b| {
        let (x, y) = (&orders[a.1 as usize], &orders[b.1 as usize]);
        a.0.cmp(&b.0).then_with(|| texts(x).cmp(&texts(y))).then_with(|| last(x).cmp(&last(y)))
    });
    let mut from: Vec<u32> = places.into_iter().map(|(_, index)| index).collect();
    for place in 0..orders.len() {
        // The record that belongs here may have been moved by an earlier swap.
        let mut source = from[place] as usize;
        while source < place {
            source = from[source] as usize;
        }
        orders.swap(place, source);
        from[place] = u32::try_from(source).expect("an index that fitted before");
    }
}

/// A transaction number under two order numbers contradicts itself (R-D33).
pub(super) fn note_shared_trades(shelves: &mut [Shelf], batches: &[Gathered]) {
    let mut trades: Vec<(u64, u32, u32)> = Vec::new();
    for (shelf, orders) in (0..).zip(shelves.iter()) {
        for (index, order) in (0..).zip(&orders.orders) {
            let trade = Text::lodged(order.trade_no, batches);
            if order.kind == EntryKind::Payment && order.state == State::Paid && !trade.is_empty() {
                trades.push((xxh3_64(trade.as_bytes()), shelf, index));
            }
        }
    }
    trades.sort_unstable();
    for same in trades.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        note_if_shared(shelves, batches, same);
    }
}

fn note_if_shared(shelves: &mut [Shelf], batches: &[Gathered], same: &[(u64, u32, u32)]) {
    let texts = |shelves: &[Shelf], (_, shelf, index): (u64, u32, u32)| -> (Span, Span) {
        let order = &shelves[shelf as usize].orders[index as usize];
        (order.trade_no, order.order_no)
    };
    let shared = |shelves: &[Shelf], one| {
        let (trade, order) = texts(shelves, one);
        let (trade, order) = (Text::lodged(trade, batches), Text::lodged(order, batches));
        same.iter().any(|other| {
            let (other_trade, other_order) = texts(shelves, *other);
            Text::lodged(other_trade, batches) == trade && Text::lodged(other_order, batches) != order
        })
    };
    let contradicted: Vec<bool> = same.iter().map(|one| shared(shelves, *one)).collect();
    for ((_, shelf, index), _) in same.iter().zip(contradicted).filter(|(_, contradicted)| *contradicted) {
        shelves[*shelf as usize].orders[*index as usize].note(Note::Conflict);
    }
}
