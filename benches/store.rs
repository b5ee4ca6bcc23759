//! The ledger's loads and reads, and the reading of the log, on real files in a temporary folder.
//!
//! Small by default; `NIGHTJOB_BENCH_ROWS=1000000 cargo bench --bench store` for the figures of the README.

use std::collections::HashSet;
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use nightjob::domain::{LoggedOrders, Statement};
use nightjob::paylog::LogRow;
use nightjob::store::{Ledger, OwnedLogRow, PayLog, SampleLog, canonical_hash};
use tokio::runtime::Runtime;

mod rows;

use rows::*;

fn main() {
    divan::main();
}

struct Home {
    runtime: Runtime,
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Home {
        Home { runtime: Runtime::new().expect("a runtime"), folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bench.db")
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    fn ledger(&self) -> Ledger {
        self.runtime.block_on(Ledger::open(&self.url())).expect("a ledger")
    }
}

async fn keep_entries(ledger: &Ledger, account: &str, statement: &Arc<Statement>) {
    let mut unit = ledger.begin_unit(key(account)).await.expect("a unit");
    unit.statement(meta(statement)).await.expect("a version");
    unit.entries(Arc::clone(statement)).await.expect("entries");
    unit.finish(end()).await.expect("a commit");
}

async fn keep_orders(ledger: &Ledger, account: &str, orders: &Arc<LoggedOrders>) {
    let mut unit = ledger.begin_unit(key(account)).await.expect("a unit");
    let all = (0..u32::try_from(orders.orders.len()).expect("below 4 billion")).collect();
    unit.orders(Arc::clone(orders), all).await.expect("orders");
    unit.finish(end()).await.expect("a commit");
}

/// Begin to commit, read-back included, into a new ledger.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn load_ledger_entry(bencher: Bencher) {
    let statement = statement();
    bencher
        .counter(ItemsCount::new(rows()))
        .with_inputs(|| (Home::new(), Arc::clone(&statement)))
        .bench_values(|(home, statement)| {
            let ledger = home.ledger();
            home.runtime.block_on(keep_entries(&ledger, "a", &statement));
            home
        });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn load_logged_order(bencher: Bencher) {
    let orders = orders();
    bencher.counter(ItemsCount::new(rows())).with_inputs(|| (Home::new(), Arc::clone(&orders))).bench_values(
        |(home, orders)| {
            let ledger = home.ledger();
            home.runtime.block_on(keep_orders(&ledger, "a", &orders));
            home
        },
    );
}

/// The same unit again: the former rows are removed first.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn replace_ledger_entry(bencher: Bencher) {
    let (home, statement) = (Home::new(), statement());
    let ledger = home.ledger();
    home.runtime.block_on(keep_entries(&ledger, "a", &statement));
    bencher
        .counter(ItemsCount::new(rows()))
        .bench_local(|| home.runtime.block_on(keep_entries(&ledger, "a", &statement)));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn hash_a_statement(bencher: Bencher) {
    let statement = statement();
    bencher.counter(ItemsCount::new(rows())).bench_local(|| canonical_hash(black_box(&statement)));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn verify_a_unit(bencher: Bencher) {
    let (home, statement) = (Home::new(), statement());
    let ledger = home.ledger();
    home.runtime.block_on(keep_entries(&ledger, "a", &statement));
    bencher
        .counter(ItemsCount::new(rows()))
        .bench_local(|| home.runtime.block_on(ledger.verify_unit("a", day())).expect("a hash"));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn read_logged_orders(bencher: Bencher) {
    let (home, orders) = (Home::new(), orders());
    let ledger = home.ledger();
    home.runtime.block_on(keep_orders(&ledger, "a", &orders));
    bencher
        .counter(ItemsCount::new(rows()))
        .bench_local(|| home.runtime.block_on(ledger.logged_orders("a", day())).expect("orders"));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn look_up_a_neighbouring_day(bencher: Bencher) {
    let (home, statement) = (Home::new(), statement());
    let ledger = home.ledger();
    home.runtime.block_on(keep_entries(&ledger, "a", &statement));
    let keys: Arc<HashSet<String>> =
        Arc::new((0..rows()).step_by(1_000).map(|n| format!("161108093359{n:08}")).collect());
    bencher.counter(ItemsCount::new(rows())).bench_local(|| {
        let found = home.runtime.block_on(ledger.neighbour_entries("a", &[day()], &keys)).expect("rows");
        assert_eq!(found.len(), keys.len());
    });
}

/// Rows of about 1.2 KB, as the gateway writes them.
fn log_rows() -> impl Iterator<Item = OwnedLogRow> {
    (0..rows()).map(|n| OwnedLogRow {
        req_txdate: "2016-11-08".into(),
        req_mallid: "M1".into(),
        req_storecode: "S1".into(),
        req_shop_code: "8888".into(),
        req_tillid: "01".into(),
        req_cashierno: "C1".into(),
        req_date: moment(n).to_string(),
        req_obj: format!(
            "{{\"RequestParam\":{{\"OutID\":\"161108093359{n:08}\",\"Subject\":\"{}\"}}}}",
            "s".repeat(540)
        ),
        req_action: "createandpay".into(),
        req_type: "WX".into(),
        res_err: "0".into(),
        res_obj: format!(
            "<xml><out_trade_no>161108093359{n:08}</out_trade_no><x>{}</x></xml>",
            "y".repeat(480)
        ),
        ..OwnedLogRow::default()
    })
}

fn write_log(home: &Home) {
    let mut log = SampleLog::create(&home.path()).expect("a log");
    log.insert(log_rows()).expect("rows");
    home.runtime.block_on(log.finish()).expect("a database");
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn write_a_sample_log(bencher: Bencher) {
    bencher.counter(ItemsCount::new(rows())).with_inputs(Home::new).bench_values(|home| {
        write_log(&home);
        home
    });
}

/// Every text of a day is shown; the gatherer only looks at the lengths.
#[divan::bench(sample_count = 3, sample_size = 1, args = [1, 2])]
fn read_the_log(bencher: Bencher, threads: usize) {
    let home = Home::new();
    write_log(&home);
    let log = home.runtime.block_on(PayLog::open(&home.url(), "")).expect("a log");
    bencher.counter(ItemsCount::new(rows())).bench_local(|| {
        let show = |bytes: &mut usize, row: &LogRow<'_>| *bytes += row.req_obj.len() + row.res_obj.len();
        let (parts, count) = home
            .runtime
            .block_on(log.read(day().start()..day().end(), vec![0; threads], show))
            .expect("rows");
        assert_eq!(count.rows, rows() as u64);
        parts
    });
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn look_for_a_thousand_keys_in_the_log(bencher: Bencher) {
    let home = Home::new();
    write_log(&home);
    let log = home.runtime.block_on(PayLog::open(&home.url(), "")).expect("a log");
    let keys: HashSet<String> = (0..1_000).map(|n| format!("161107093359{n:08}")).collect();
    bencher
        .counter(ItemsCount::new(rows()))
        .bench_local(|| home.runtime.block_on(log.find(&keys, day().start()..day().end())).expect("rows"));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn how_far_the_log_reaches(bencher: Bencher) {
    let home = Home::new();
    write_log(&home);
    let log = home.runtime.block_on(PayLog::open(&home.url(), "")).expect("a log");
    bencher
        .counter(ItemsCount::new(rows()))
        .bench_local(|| home.runtime.block_on(log.cover(day())).expect("a cover"));
}
