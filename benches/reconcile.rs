//! Reconciliation alone: both books in memory, shuffled, one order in a thousand missing on each side.
//!
//! `NIGHTJOB_BENCH_ROWS=1000000 cargo bench --bench reconcile`

use divan::counter::ItemsCount;
use nightjob::domain::entry::CellSpan;
use nightjob::domain::{
    BillDate, Cell, Currency, Draft, Entry, EntryKind, LogCover, LoggedOrder, LoggedOrders, State, Statement,
};
use nightjob::reconcile::{Neighbours, Unit, pair};

/// Small, so that it can run as a test.
const ROWS: u32 = 10_000;
const ORDER_NO: usize = 20;
const TRADE_NO: usize = 28;

fn main() {
    divan::main();
}

fn rows() -> u32 {
    std::env::var("NIGHTJOB_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROWS)
}

fn day() -> BillDate {
    BillDate::parse("20161108").expect("a day")
}

/// Order numbers in an order of their own for each side.
fn shuffled(seed: u64) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..rows()).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut numbers);
    numbers
}

fn amount(number: u32) -> i64 {
    i64::from(number % 9_999) + 1
}

fn statement() -> Statement {
    let mut draft = Draft { parts: vec![String::new()], ..Draft::default() };
    for (number, line) in shuffled(1).into_iter().filter(|number| number % 1000 != 1).zip(2u32..) {
        let start = u32::try_from(draft.text.len()).expect("small");
        draft.text.push_str(&format!("{number:0ORDER_NO$},{number:0TRADE_NO$}\n"));
        let mut entry = Entry::at(start, 49, 0, line);
        entry.set_cell(Cell::OrderNo, CellSpan { start: 0, len: 20 });
        entry.set_cell(Cell::TradeNo, CellSpan { start: 21, len: 28 });
        entry.amount_minor = Some(amount(number));
        entry.happened_at = day().start().plus_seconds(i64::from(number % 86_400));
        draft.entries.push(entry);
    }
    Statement::new(day(), draft).expect("no totals")
}

fn orders() -> LoggedOrders {
    let mut orders = LoggedOrders::default();
    let name = orders.names.intern("WX");
    for number in shuffled(2).into_iter().filter(|number| number % 1000 != 2) {
        let at = day().start().plus_seconds(i64::from(number % 86_400));
        let order = LoggedOrder {
            day: day(),
            kind: EntryKind::Payment,
            state: State::Paid,
            currency: Currency::CNY,
            notes: 0,
            rows: 1,
            amount_minor: Some(amount(number)),
            logged_at: at,
            provider_at: Some(at),
            order_no: orders.keep(&format!("{number:0ORDER_NO$}")),
            refund_no: orders.keep(""),
            trade_no: orders.keep(&format!("{number:0TRADE_NO$}")),
            req_type: name,
            business_date: name,
            seller: name,
            mall: name,
            store: name,
            till: name,
            cashier: name,
            wallet: name,
        };
        orders.orders.push(order);
    }
    orders
}

#[divan::bench(sample_count = 10)]
fn both_books(bencher: divan::Bencher<'_, '_>) {
    let (statement, orders) = (statement(), orders());
    let picked: Vec<u32> = (0u32..).take(orders.orders.len()).collect();
    let cover = LogCover {
        first: Some(day().start()),
        last: Some(day().end()),
        rows_on_day: orders.orders.len() as u64,
    };
    let unit = Unit {
        account: "wx",
        pay_type: "WX",
        date: day(),
        statement: &statement,
        no_bill: false,
        orders: &orders,
        picked: &picked,
        cover,
        held_before: &[],
        cutoff_seconds: 600,
    };
    bencher
        .counter(ItemsCount::new(statement.entries().len() + picked.len()))
        .bench(|| pair(unit).close(&Neighbours::default()));
}
