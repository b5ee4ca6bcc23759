//! Tests of the room against real SQLite files, and the data they share. All of it is invented.

/// Makes tests of functions that take a [`Home`]: one on SQLite, and with the servers of `scripts/with-servers` one on
/// each of them.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $test() { super::$test(super::Home::new()).await; })+
        }
        #[cfg(feature = "rig")]
        mod postgres {
            $(#[tokio::test] async fn $test() { super::$test(super::Home::postgres()).await; })+
        }
        #[cfg(feature = "rig")]
        mod mariadb {
            $(#[tokio::test] async fn $test() { super::$test(super::Home::mariadb()).await; })+
        }
    };
}

mod crash;
mod events;
mod image;
mod ledger;
mod notices;
mod open;
mod paylog;
#[cfg(feature = "rig")]
mod on_servers;
mod reads;
#[cfg(feature = "rig")]
#[path = "../../../tests/common/servers.rs"]
mod servers;

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Row, SqliteConnection};

use super::*;
use crate::domain::entry::CellSpan;
use crate::domain::{
    Bill, BillDate, Cell, Currency, Draft, Entry, EntryKind, LoggedOrder, LoggedOrders, Moment, PayType,
    State, Statement, Verdict,
};
use crate::report::MismatchRow;

/// An empty place for a ledger: a file of its own, or a database on a server.
pub(super) struct Home {
    _folder: tempfile::TempDir,
    pub(super) path: PathBuf,
    #[cfg(feature = "rig")]
    server: Option<servers::Database>,
}

impl Home {
    pub(super) fn new() -> Home {
        let folder = tempfile::tempdir().unwrap();
        Home {
            path: folder.path().join("data/nightjob.db"),
            _folder: folder,
            #[cfg(feature = "rig")]
            server: None,
        }
    }

    #[cfg(feature = "rig")]
    pub(super) fn postgres() -> Home {
        Home { server: Some(servers::postgres()), ..Home::new() }
    }

    #[cfg(feature = "rig")]
    pub(super) fn mariadb() -> Home {
        Home { server: Some(servers::mysql()), ..Home::new() }
    }

    pub(super) fn url(&self) -> String {
        #[cfg(feature = "rig")]
        if let Some(server) = &self.server {
            return server.url.clone();
        }
        format!("sqlite:{}", self.path.display())
    }

    pub(super) async fn open(&self) -> Ledger {
        Ledger::migrate(&self.url()).await.unwrap();
        Ledger::open(&self.url()).await.unwrap()
    }

    /// An own connection to the file, as a stranger would have it.
    pub(super) async fn connect(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(&self.path).create_if_missing(true).connect().await.unwrap()
    }

    pub(super) async fn execute(&self, sql: &str) {
        #[cfg(feature = "rig")]
        if let Some(server) = &self.server {
            return server.execute(sql);
        }
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    }

    /// Every row of every table as text, ids and all.
    pub(super) async fn dump(&self) -> String {
        crate::store::ledger::dump::dump(&self.url()).await
    }
}

pub(super) fn day(text: &str) -> BillDate {
    BillDate::parse(text).unwrap()
}

pub(super) fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

pub(super) fn key(account: &str, date: &str) -> UnitKey {
    UnitKey { account: account.to_owned(), pay_type: PayType::Wx, date: day(date) }
}

/// `kind order refund trade amount state time`, `-` for an empty cell or no amount; one entry a line.
pub(super) fn statement(date: &str, lines: &str) -> Arc<Statement> {
    let mut draft = Draft { parts: vec![String::new()], ..Draft::default() };
    for (number, line) in (2..).zip(lines.lines().map(str::trim).filter(|line| !line.is_empty())) {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, order, refund, trade, amount, state, time] = words[..] else { panic!("{line}") };
        let cells = [order, refund, trade, "-", "1900012345", "-", "8888", "01", "商品,一件\t\\"];
        draft.entries.push(entry(
            &mut draft.text,
            number,
            cells.map(|cell| if cell == "-" { "" } else { cell }),
        ));
        let entry = draft.entries.last_mut().unwrap();
        entry.kind = EntryKind::parse(kind).unwrap();
        entry.amount_minor = amount.parse().ok();
        entry.settled_minor = entry.amount_minor.unwrap_or(0);
        entry.fee_e5 = entry.settled_minor * 6;
        entry.state = State::parse(state).unwrap();
        entry.happened_at = at(&format!("{} {time}", day(date)));
    }
    Arc::new(Statement::new(day(date), draft).unwrap())
}

/// Appends a line of nine cells and describes it.
pub(super) fn entry(text: &mut String, number: u32, cells: [&str; 9]) -> Entry {
    let start = text.len();
    let mut spans = Vec::new();
    for cell in cells {
        let from = u16::try_from(text.len() - start).unwrap();
        text.push_str(cell);
        spans.push(CellSpan { start: from, len: u16::try_from(cell.len()).unwrap() });
        text.push(',');
    }
    let mut entry =
        Entry::at(u32::try_from(start).unwrap(), u16::try_from(text.len() - start).unwrap(), 0, number);
    let places = [
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
    for (cell, span) in places.into_iter().zip(spans) {
        entry.set_cell(cell, span);
    }
    entry
}

pub(super) fn meta(statement: &Statement, sha256: &str) -> StatementMeta {
    StatementMeta {
        bill: Bill::Trade,
        sha256: sha256.to_owned(),
        source: "wechat_v2".to_owned(),
        sums: Sums::of(statement).unwrap(),
        fetched_at: at("2016-11-10 02:00:00"),
        state: StatementState::Current,
        authenticated: true,
    }
}

/// `kind order refund trade amount state time`, `-` as in [`statement`]; all of one day.
pub(super) fn orders(date: &str, lines: &str) -> Arc<LoggedOrders> {
    let mut orders = LoggedOrders::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').map(|word| if word == "-" { "" } else { word }).collect();
        let [kind, order, refund, trade, amount, state, time] = words[..] else { panic!("{line}") };
        let [order_no, refund_no, trade_no] = [order, refund, trade].map(|text| orders.keep(text));
        let [req_type, business_date, seller, mall, store, till, cashier] =
            ["WX", "2016-11-08", "8888", "M1", "S1", "01", "收银一"].map(|name| orders.names.intern(name));
        let wallet = orders.names.intern("");
        orders.orders.push(LoggedOrder {
            day: day(date),
            kind: EntryKind::parse(kind).unwrap(),
            state: State::parse(state).unwrap(),
            currency: Currency::CNY,
            notes: 5,
            rows: 3,
            amount_minor: amount.parse().ok(),
            logged_at: at(&format!("{} {time}", day(date))),
            provider_at: (state == "paid").then(|| at(&format!("{} {time}", day(date))).plus_seconds(2)),
            order_no,
            refund_no,
            trade_no,
            req_type,
            business_date,
            seller,
            mall,
            store,
            till,
            cashier,
            wallet,
        });
    }
    Arc::new(orders)
}

pub(super) fn all(orders: &LoggedOrders) -> Vec<u32> {
    (0..u32::try_from(orders.orders.len()).unwrap()).collect()
}

pub(super) fn mismatch(account: &str, date: &str, id: &str, kind: &str) -> MismatchRow {
    MismatchRow {
        id: id.to_owned(),
        bill_date: day(date).to_string(),
        account: account.to_owned(),
        paytype: "WX".to_owned(),
        kind: kind.to_owned(),
        entry: "payment".to_owned(),
        order_no: format!("O-{id}"),
        refund_no: String::new(),
        trade_no: "4200".to_owned(),
        gateway_amount_minor: None,
        channel_amount_minor: Some(500),
        difference_minor: 500,
        currency: "CNY".to_owned(),
        gateway_state: String::new(),
        channel_state: "paid".to_owned(),
        gateway_time: String::new(),
        channel_time: "2016-11-08 09:34:03".to_owned(),
        mall: String::new(),
        store: String::new(),
        till: String::new(),
        cashier: String::new(),
        reason: "渠道多账".to_owned(),
        evidence: "statement:211".to_owned(),
    }
}

pub(super) fn end(statement: &Statement) -> UnitEnd {
    UnitEnd {
        verdict: Verdict::Unbalanced,
        reason: "渠道多账 1 笔".to_owned(),
        section: "{\"account\":\"wx\"}".to_owned(),
        canonical_hash: canonical_hash(statement),
        stamp: Stamp::of_run(1, at("2016-11-10 02:17:00")),
    }
}

/// A whole unit: statement, entries, orders, one mismatch.
pub(super) async fn keep(ledger: &Ledger, key: &UnitKey, statement: &Arc<Statement>, sha256: &str) {
    let date = key.date.to_string();
    let logged = orders(&date, ORDERS);
    let mut unit = ledger.begin_unit(key.clone()).await.unwrap();
    unit.statement(meta(statement, sha256)).await.unwrap();
    let sums = unit.entries(Arc::clone(statement)).await.unwrap();
    assert_eq!(Some(sums), Sums::of(statement));
    unit.orders(Arc::clone(&logged), all(&logged)).await.unwrap();
    let id = format!("{:016x}", key.account.len() * 100 + date.len());
    unit.mismatches(&[mismatch(&key.account, &date, &format!("{id}{date}"), "channel_only")]).await.unwrap();
    unit.finish(end(statement)).await.unwrap();
}

pub(super) const LINES: &str = "
    payment A1 - 42001 1000 paid 09:34:03
    payment A2 - 42002 250 paid 00:00:00
    refund A1 R1 42001 -300 refunded 12:00:00
    reversal A3 - 42003 - reversed 23:59:59";

pub(super) const ORDERS: &str = "
    payment A1 - 42001 1000 paid 09:33:59
    refund A1 R1 42001 -300 refunded 11:59:58
    payment A9 - - - unknown 13:00:00";
