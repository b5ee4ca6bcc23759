//! Rows that are loaded: a statement as wide as WeChat's, a day's orders. All of it is invented.

#![allow(dead_code, reason = "each bench loads a part of it")]

use std::sync::Arc;

use nightjob::domain::entry::CellSpan;
use nightjob::domain::{
    Bill, BillDate, Cell, Currency, Draft, Entry, EntryKind, LoggedOrder, LoggedOrders, Moment, PayType,
    State, Statement, Verdict,
};
use nightjob::store::{Stamp, StatementMeta, StatementState, Sums, UnitEnd, UnitKey};

pub(crate) fn rows() -> usize {
    std::env::var("NIGHTJOB_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

pub(crate) fn day() -> BillDate {
    BillDate::parse("20161108").expect("a day")
}

pub(crate) fn moment(n: usize) -> Moment {
    day().start().plus_seconds(i64::try_from(n * 86_400 / rows()).expect("a second of the day"))
}

/// As wide as a WeChat line: what is kept of it is about 150 bytes.
pub(crate) fn statement() -> Arc<Statement> {
    const CELLS: [Cell; 9] = [
        Cell::OrderNo,
        Cell::RefundNo,
        Cell::TradeNo,
        Cell::RefundTradeNo,
        Cell::Merchant,
        Cell::SubMerchant,
        Cell::Store,
        Cell::Till,
        Cell::Subject,
    ];
    let mut draft = Draft { parts: vec![String::new()], ..Draft::default() };
    for n in 0..rows() {
        let (order, trade) = (format!("161108093359{n:08}"), format!("42000021201611089395{n:08}"));
        let start = draft.text.len();
        let mut entry = Entry::at(
            u32::try_from(start).expect("below 4 GiB"),
            0,
            0,
            u32::try_from(n + 2).expect("a line"),
        );
        for (cell, text) in
            CELLS.into_iter().zip([&order, "", &trade, "", "1900012345", "", "8888", "01", "shop goods"])
        {
            let from = draft.text.len() - start;
            let span = CellSpan {
                start: u16::try_from(from).expect("short"),
                len: u16::try_from(text.len()).expect("short"),
            };
            draft.text.push_str(text);
            entry.set_cell(cell, span);
        }
        entry.amount_minor = Some(12_345);
        entry.settled_minor = 12_345;
        entry.fee_e5 = 7_400;
        entry.happened_at = moment(n);
        draft.entries.push(entry);
    }
    Arc::new(Statement::new(day(), draft).expect("no totals, none differ"))
}

pub(crate) fn orders() -> Arc<LoggedOrders> {
    let mut orders = LoggedOrders::default();
    for n in 0..rows() {
        let order_no = orders.keep(&format!("161108093359{n:08}"));
        let trade_no = orders.keep(&format!("42000021201611089395{n:08}"));
        let mut name = |text: &str| orders.names.intern(text);
        let order = LoggedOrder {
            day: day(),
            kind: EntryKind::Payment,
            state: State::Paid,
            currency: Currency::CNY,
            notes: 0,
            rows: 1,
            amount_minor: Some(12_345),
            logged_at: moment(n),
            provider_at: Some(moment(n)),
            order_no,
            refund_no: Default::default(),
            trade_no,
            req_type: name("WX"),
            business_date: name("2016-11-08"),
            seller: name("8888"),
            mall: name("M1"),
            store: name("S1"),
            till: name("01"),
            cashier: name("C1"),
            wallet: name(""),
        };
        orders.orders.push(order);
    }
    Arc::new(orders)
}

pub(crate) fn meta(statement: &Statement) -> StatementMeta {
    StatementMeta {
        bill: Bill::Trade,
        sha256: "aa".to_owned(),
        source: "bench".to_owned(),
        sums: Sums::of(statement).expect("small sums"),
        fetched_at: moment(0),
        state: StatementState::Current,
        authenticated: true,
    }
}

pub(crate) fn key(account: &str) -> UnitKey {
    UnitKey { account: account.to_owned(), pay_type: PayType::Wx, date: day() }
}

pub(crate) fn end() -> UnitEnd {
    UnitEnd {
        verdict: Verdict::Balanced,
        reason: String::new(),
        section: "{}".to_owned(),
        canonical_hash: String::new(),
        stamp: Stamp::of_run(0, moment(0)),
    }
}
