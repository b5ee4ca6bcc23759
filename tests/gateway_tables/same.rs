//! The same log gives the same texts, the same orders and the same bounds, whoever keeps it.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use nightjob::domain::{Account, Claims, LoggedOrders};
use nightjob::paylog::{Folded, Gatherer, LogRow, Rules, fold};
use nightjob::sandbox::{self, Faults};
use nightjob::store::{OwnedLogRow, PayLog};

use crate::logs::{Everywhere, at, day, read, row, runtime, texts};
use crate::town;

const DAY: (&str, &str) = ("2016-11-08 00:00:00", "2016-11-09 00:00:00");

/// Texts that a charset, a quote, a buffer's end or an empty cell could hurt.
fn awkward() -> Vec<OwnedLogRow> {
    let long = |n: usize| "长¥x".repeat(n);
    let mut rows = vec![
        row("2016-11-08 00:00:00", "A0"),
        row("2016-11-08 23:59:59", "A1"),
        row("2016-11-07 23:59:59", "A2"),
        row("2016-11-09 00:00:00", "A3"),
        OwnedLogRow {
            req_shop_code: "𠀀🀄\u{7f}".into(),
            res_err: "'; --".into(),
            ..row("2016-11-08 10:00:00", "A4")
        },
        // Twice the same: two rows.
        row("2016-11-08 11:00:00", "A5"),
        row("2016-11-08 11:00:00", "A5"),
    ];
    for units in [255, 256, 257, 1024, 4096, 70_000, 300_000] {
        let text = "7".repeat(units);
        rows.push(OwnedLogRow {
            req_obj: text,
            res_obj: long(units / 3),
            ..row("2016-11-08 12:00:00", "A6")
        });
    }
    rows.extend((0..3_000).map(|n| {
        let date = at("2016-11-07 12:00:00").plus_seconds(n * 47).to_string();
        OwnedLogRow {
            res_obj: long(usize::try_from(n % 40).expect("a number")),
            ..row(&date, &format!("B{n}"))
        }
    }));
    rows
}

#[test]
fn every_text_arrives_whole_and_once() {
    let rows = awkward();
    let everywhere = Everywhere::new(&rows);
    let in_day = |row: &&OwnedLogRow| row.req_date.as_str() >= DAY.0 && row.req_date.as_str() < DAY.1;
    let mut expected: Vec<&OwnedLogRow> = rows.iter().filter(in_day).collect();
    expected.sort_by(|a, b| texts(a).cmp(&texts(b)));
    for log in &everywhere.logs {
        let mut ids = Vec::new();
        for threads in [1, 3] {
            let (found, count) = read(&log.url, DAY, threads);
            assert_eq!(found.len(), expected.len(), "{}", log.name);
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    texts(found) == texts(expected),
                    "{}: {} {}",
                    log.name,
                    expected.req_date,
                    expected.req_obj.len()
                );
            }
            assert_eq!(
                (count.rows, count.odd_dates, count.undated, count.not_utf8),
                (found.len() as u64, 0, 0, 0)
            );
            assert_eq!(
                count.bytes,
                expected.iter().flat_map(|row| texts(row)).map(|t| t.len() as u64).sum::<u64>()
            );
            let distinct: HashSet<i64> = found.iter().map(|row| row.row_id).collect();
            assert_eq!(distinct.len(), found.len(), "{}: each row has an id of its own", log.name);
            ids.push(distinct);
        }
        assert_eq!(ids[0], ids[1], "{}: ids do not depend on who reads", log.name);
    }
}

#[test]
fn bounds_and_rows_without_a_date_are_the_same() {
    let mut rows = vec![row("2016-11-08 09:00:00", "A1"), row("2016-11-08 23:59:59", "A2"), row("", "A3")];
    rows.push(row("2016-12-31 23:59:59", "A4"));
    let everywhere = Everywhere::new(&rows);
    for log in &everywhere.logs {
        runtime().block_on(async {
            let paylog = PayLog::open(&log.url, "").await.expect("a log");
            let cover = paylog.cover(day("20161108")).await.expect("bounds");
            assert_eq!(cover.rows_on_day, 2, "{}", log.name);
            assert_eq!(cover.first, Some(at("2016-11-08 09:00:00")), "{}", log.name);
            assert_eq!(cover.last, Some(at("2016-12-31 23:59:59")), "{}", log.name);
            assert_eq!(paylog.cover(day("20161109")).await.expect("bounds").rows_on_day, 0, "{}", log.name);
        });
        let (found, count) = read(&log.url, DAY, 2);
        assert_eq!((found.len(), count.undated), (2, 1), "{}", log.name);
    }
    let empty = Everywhere::new(&[]);
    for log in &empty.logs {
        runtime().block_on(async {
            let paylog = PayLog::open(&log.url, "").await.expect("a log");
            assert_eq!(
                paylog.cover(day("20161108")).await.expect("bounds"),
                Default::default(),
                "{}",
                log.name
            );
        });
        assert_eq!(read(&log.url, DAY, 2).0.len(), 0, "{}", log.name);
    }
}

#[test]
fn keys_are_found_in_the_same_rows() {
    let rows: Vec<OwnedLogRow> = (0..900)
        .map(|n| row(&at("2016-11-01 00:00:00").plus_seconds(n * 60).to_string(), &format!("1611010{n:08}")))
        .collect();
    let everywhere = Everywhere::new(&rows);
    let keys: HashSet<String> =
        ["161101000000042", "161101000000500", "161101000000899"].map(str::to_owned).into();
    for log in &everywhere.logs {
        let found = runtime().block_on(async {
            let paylog = PayLog::open(&log.url, "").await.expect("a log");
            paylog.find(&keys, at("1970-01-01 08:00:00")..at("2016-11-01 14:59:00")).await.expect("rows")
        });
        let dates: Vec<&str> = found.rows.iter().map(|row| row.req_date.as_str()).collect();
        assert_eq!(dates, ["2016-11-01 00:42:00", "2016-11-01 08:20:00"], "{}", log.name);
        assert_eq!((found.count.rows, found.cut_off), (899, false), "{}: rows looked through", log.name);
    }
}

/// A line for each movement, in the order in which they were folded.
fn dump(folded: &Folded) -> Vec<String> {
    let line = |orders: &LoggedOrders, at: usize| {
        let order = &orders.orders[at];
        let texts =
            [order.order_no, order.refund_no, order.trade_no].map(|span| orders.text(span).to_owned());
        let names =
            [order.seller, order.till, order.cashier, order.store].map(|id| orders.names.get(id).to_owned());
        format!(
            "{:?} {:?} {:?} {} {} {:?} {} {:?} {texts:?} {names:?}",
            order.day,
            order.kind,
            order.state,
            order.notes,
            order.rows,
            order.amount_minor,
            order.logged_at,
            order.provider_at
        )
    };
    let mut lines: Vec<String> = folded
        .accounts
        .iter()
        .flat_map(|orders| (0..orders.orders.len()).map(move |at| line(orders, at)))
        .collect();
    lines.push(format!("{:?} {:?} {:?}", folded.counters, folded.unclaimed, folded.skew_seconds));
    lines
}

fn folded(url: &str, accounts: &[Account], threads: usize) -> Vec<String> {
    let claims = Arc::new(Claims::new(accounts, &BTreeMap::new()));
    let gatherers = (0..threads).map(|_| Gatherer::new(claims.clone(), Rules::default())).collect();
    let (gathered, _) = runtime().block_on(async {
        let log = PayLog::open(url, "").await.expect("a log");
        let window = at("2016-11-04 00:00:00")..at("2016-11-11 00:00:00");
        log.read(window, gatherers, |gatherer: &mut Gatherer, row: &LogRow<'_>| gatherer.push(row))
            .await
            .expect("rows")
    });
    let gathered: Vec<_> = gathered.into_iter().map(Gatherer::finish).collect();
    let mut lines = dump(&fold(&gathered));
    lines.sort();
    lines
}

/// Random nights, all of whose rows are pressed into few seconds, some of them doubled: where the engines' own order
/// could show.
#[test]
fn random_logs_fold_to_the_same_orders() {
    for seed in [3, 4, 5] {
        let mut random = fastrand::Rng::with_seed(seed);
        let plan = nightjob::sandbox::DayPlan { seed, ..town::usual(150, Faults::Spread(40)) };
        let simulated = sandbox::simulate(&plan);
        let mut rows: Vec<OwnedLogRow> = simulated.rows().map(nightjob::command::logged).collect();
        for row in &mut rows {
            if random.u8(..) < 100 && row.req_date.len() == 19 {
                row.req_date.replace_range(14.., "00:00");
            }
        }
        let doubled: Vec<OwnedLogRow> = rows.iter().filter(|_| random.u8(..) < 10).cloned().collect();
        rows.extend(doubled);
        random.shuffle(&mut rows);
        let accounts = accounts(&simulated);
        let everywhere = Everywhere::new(&rows);
        let expected = folded(&everywhere.logs[0].url, &accounts, 1);
        assert!(expected.len() > 100, "{} orders", expected.len());
        let window = ("2016-11-04 00:00:00", "2016-11-11 00:00:00");
        let plain = read(&everywhere.logs[0].url, window, 1).0;
        for log in &everywhere.logs {
            let read = read(&log.url, window, 2).0;
            assert_eq!(read.len(), plain.len(), "seed {seed}, {}", log.name);
            let differs = plain.iter().zip(&read).find(|(expected, found)| texts(expected) != texts(found));
            assert!(differs.is_none(), "seed {seed}, {}: {differs:#?}", log.name);
            let found = folded(&log.url, &accounts, 2);
            let differs = expected.iter().zip(&found).find(|(expected, found)| expected != found);
            assert!(
                found.len() == expected.len() && differs.is_none(),
                "seed {seed}, {}: {differs:#?}",
                log.name
            );
        }
    }
}

fn accounts(day: &sandbox::SimulatedDay) -> Vec<Account> {
    let site =
        sandbox::Site::of(day).config("127.0.0.1:9".parse().expect("an address"), nightjob::domain::Lang::En);
    let request = nightjob::config::Request {
        secrets: nightjob::config::SecretUse::Leave,
        ..nightjob::config::Request::new()
    };
    let world = nightjob::config::World::default();
    let loaded = nightjob::config::settle(
        &site,
        std::path::Path::new("/"),
        &request,
        &world,
        crate::logs::day("20161110"),
    );
    loaded.unwrap_or_else(|found| panic!("{found:?}")).settings.accounts
}
