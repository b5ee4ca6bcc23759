//! The log: found, planned, read, and never written.

use std::collections::HashSet;
use std::ops::Range;

use super::*;
use crate::domain::Exit;
use crate::paylog::LogRow;
use crate::store::gateway::log_row::COLUMNS;

fn row(date: &str, order: &str) -> OwnedLogRow {
    OwnedLogRow {
        req_txdate: "2016-11-08".into(),
        req_mallid: "M1".into(),
        req_storecode: "S1".into(),
        req_tillid: "01".into(),
        req_cashierno: "收银一".into(),
        req_date: date.into(),
        req_obj: format!("{{\"Header\":{{}},\"RequestParam\":{{\"OutID\":\"{order}\"}}}}"),
        req_action: "createandpay".into(),
        req_type: "WX".into(),
        res_obj: "<xml/>".into(),
        ..OwnedLogRow::default()
    }
}

fn window(start: &str, end: &str) -> Range<Moment> {
    at(start)..at(end)
}

/// All rows of a window, in time order, as `id date order`.
async fn shown(log: &PayLog, window: Range<Moment>, threads: usize) -> (Vec<String>, ReadCount) {
    let (parts, count) = log
        .read(window, vec![Vec::new(); threads], |rows: &mut Vec<OwnedLogRow>, row: &LogRow<'_>| {
            rows.push(row.into())
        })
        .await
        .unwrap();
    assert_eq!(parts.len(), threads, "every gatherer comes back");
    let mut rows: Vec<OwnedLogRow> = parts.into_iter().flatten().collect();
    rows.sort_by(|a, b| (&a.req_date, a.row_id).cmp(&(&b.req_date, b.row_id)));
    (rows.iter().map(|r| format!("{} {}", r.row_id, r.req_date)).collect(), count)
}

async fn sample(home: &Home, rows: Vec<OwnedLogRow>) -> PayLog {
    let mut log = SampleLog::create(&home.path).unwrap();
    log.insert(rows).unwrap();
    log.finish().await.unwrap();
    PayLog::open(&home.url(), "").await.unwrap()
}

#[tokio::test]
async fn a_window_is_cut_to_the_second_whatever_the_spelling() {
    let home = Home::new();
    let dates = [
        "2016-11-07 23:59:59",
        "2016-11-08 00:00:00",
        "2016-11-08T00:00:01",
        "2016-11-08 09:33:59.948",
        "2016-11-08 23:59:59",
        "2016-11-08T23:59:59.999",
        "2016-11-09 00:00:00",
        "2016-11-09T00:00:00",
        "2016-11-08 ??:??",
        "",
        "today",
    ];
    let log = sample(&home, dates.iter().map(|date| row(date, "A1")).collect()).await;
    for threads in [1, 2, 5] {
        let (rows, count) = shown(&log, window("2016-11-08 00:00:00", "2016-11-09 00:00:00"), threads).await;
        assert_eq!(
            rows,
            [
                "2 2016-11-08 00:00:00",
                "4 2016-11-08 09:33:59.948",
                "5 2016-11-08 23:59:59",
                "9 2016-11-08 ??:??",
                "3 2016-11-08T00:00:01",
                "6 2016-11-08T23:59:59.999",
            ]
        );
        assert_eq!((count.rows, count.odd_dates, count.undated), (6, 1, 2));
    }
    let (rows, _) = shown(&log, window("2016-11-08 23:59:59", "2016-11-09 00:00:00"), 2).await;
    assert_eq!(rows.len(), 3, "{rows:?}");
    let (rows, _) = shown(&log, window("2016-11-08 00:00:00", "2016-11-08 23:59:59"), 2).await;
    assert_eq!(
        rows,
        ["2 2016-11-08 00:00:00", "4 2016-11-08 09:33:59.948", "9 2016-11-08 ??:??", "3 2016-11-08T00:00:01"]
    );
    let (rows, _) = shown(&log, window("2016-11-10 00:00:00", "2016-11-11 00:00:00"), 2).await;
    assert_eq!(rows.len(), 0);
    let (rows, _) = shown(&log, window("2016-11-08 00:00:00", "2016-11-08 00:00:00"), 2).await;
    assert_eq!(rows.len(), 0);
}

#[tokio::test]
async fn all_texts_arrive_and_null_is_empty() {
    let home = Home::new();
    let given = OwnedLogRow {
        row_id: 1,
        res_err: "E1".into(),
        res_msg: "签名错误".into(),
        ..row("2016-11-08 10:00:00", "A1")
    };
    let log = sample(&home, vec![given.clone()]).await;
    let gatherers = vec![Vec::new()];
    let day = window("2016-11-08 00:00:00", "2016-11-09 00:00:00");
    let (rows, count) = log
        .read(day, gatherers, |rows: &mut Vec<OwnedLogRow>, row: &LogRow<'_>| rows.push(row.into()))
        .await
        .unwrap();
    assert_eq!(rows, [vec![given.clone()]]);
    assert_eq!(OwnedLogRow::from(&given.as_row()), given);
    assert_eq!(count.bytes, given.texts().iter().map(|text| text.len() as u64).sum::<u64>());
    assert!(count.rows_per_second() > 0);
}

#[tokio::test]
async fn a_long_log_in_any_order_gives_each_row_once() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut rows: Vec<OwnedLogRow> = (0..5_000)
        .map(|n| {
            let moment = at("2016-11-07 12:00:00").plus_seconds(n * 36);
            row(&moment.to_string(), &format!("A{n}"))
        })
        .collect();
    let day = window("2016-11-08 00:00:00", "2016-11-09 00:00:00");
    let expected = rows.iter().filter(|r| r.req_date.starts_with("2016-11-08")).count();
    for shuffled in [false, true] {
        if shuffled {
            // Far apart: the window's rows lie all over the table, so the index is used.
            random.shuffle(&mut rows);
            rows.splice(0..0, (0..8_000).map(|_| row("2016-11-01 00:00:00", "B")));
        }
        for index in [true, false] {
            let home = Home::new();
            sample(&home, rows.clone()).await;
            if !index {
                home.execute("DROP INDEX EB_PAYLOG_REQ_DATE").await;
            }
            let log = PayLog::open(&home.url(), "").await.unwrap();
            for threads in [1, 2, 3] {
                let (found, count) = shown(&log, day.clone(), threads).await;
                let distinct: HashSet<&String> = found.iter().collect();
                assert_eq!(
                    (found.len(), distinct.len()),
                    (expected, expected),
                    "{shuffled} {index} {threads}"
                );
                assert_eq!(count.rows, expected as u64);
            }
            let cover = log.cover(super::day("20161108")).await.unwrap();
            assert_eq!(cover.rows_on_day, expected as u64);
            let first = if shuffled { "2016-11-01 00:00:00" } else { "2016-11-07 12:00:00" };
            assert_eq!((cover.first, cover.last), (Some(at(first)), Some(at("2016-11-09 13:59:24"))));
        }
    }
}

#[tokio::test]
async fn tables_of_other_shapes_are_read_too() {
    let columns = COLUMNS.map(|column| format!("{} varchar(4000)", column.to_lowercase())).join(", ");
    let fill = "SELECT '2016-11-08','M','S','S','01','C','2016-11-08 0' || value || ':00:00','{}','pay','WX',NULL,NULL,'<a/>'
        FROM (SELECT 1 AS value UNION SELECT 2 UNION SELECT 3)";
    let names = COLUMNS.join(", ");
    for shape in [
        format!("CREATE TABLE eb_paylog (extra INTEGER, {columns}); INSERT INTO eb_paylog ({names}) {fill}"),
        format!(
            "CREATE TABLE eb_paylog ({columns}, PRIMARY KEY (req_date)) WITHOUT ROWID; INSERT INTO eb_paylog {fill}"
        ),
        format!(
            "CREATE TABLE log ({columns}); INSERT INTO log {fill}; CREATE VIEW EB_PayLog AS SELECT * FROM log"
        ),
    ] {
        let home = Home::new();
        std::fs::create_dir_all(home.path.parent().unwrap()).unwrap();
        home.execute(&shape).await;
        for schema in ["", "main"] {
            let log = PayLog::open(&home.url(), schema).await.unwrap();
            for threads in [1, 2] {
                let (rows, _) =
                    shown(&log, window("2016-11-08 01:30:00", "2016-11-08 04:00:00"), threads).await;
                assert_eq!(rows, ["2 2016-11-08 02:00:00", "3 2016-11-08 03:00:00"], "{shape}");
            }
            assert_eq!(log.cover(day("20161108")).await.unwrap().rows_on_day, 3);
        }
        let failure = PayLog::open(&home.url(), "TTPAY").await.unwrap_err();
        assert_eq!(failure.exit, Exit::Config);
        assert!(failure.message.contains("`TTPAY`"), "{}", failure.message);
    }
}

#[tokio::test]
async fn bytes_that_are_no_utf8_are_shown_and_counted() {
    let home = Home::new();
    sample(&home, vec![row("2016-11-08 10:00:00", "A1"), row("2016-11-08 10:00:01", "A2")]).await;
    home.execute("UPDATE EB_PAYLOG SET RES_MSG = CAST(x'cad5d2f8' AS TEXT) WHERE rowid = 2").await;
    let log = PayLog::open(&home.url(), "").await.unwrap();
    let (parts, count) = log
        .read(
            window("2016-11-08 00:00:00", "2016-11-09 00:00:00"),
            vec![Vec::new()],
            |seen: &mut Vec<String>, row: &LogRow<'_>| {
                seen.push(row.res_msg.to_owned());
            },
        )
        .await
        .unwrap();
    assert_eq!((count.rows, count.not_utf8), (2, 1));
    assert_eq!(parts[0], ["", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}"]);
}

#[tokio::test]
async fn a_missing_table_or_column_is_named() {
    let home = Home::new();
    std::fs::create_dir_all(home.path.parent().unwrap()).unwrap();
    home.execute("CREATE TABLE EB_SELLER (id TEXT); CREATE TABLE OTHER (id TEXT)").await;
    let failure = PayLog::open(&home.url(), "").await.unwrap_err();
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.contains("no table EB_PAYLOG; it holds EB_SELLER, OTHER"), "{}", failure.message);
    let some = COLUMNS.iter().filter(|c| !["REQ_TILLID", "RES_OBJ"].contains(c)).copied().collect::<Vec<_>>();
    home.execute(&format!("CREATE TABLE EB_PAYLOG ({})", some.join(", "))).await;
    let failure = PayLog::open(&home.url(), "").await.unwrap_err();
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.ends_with("lacks the columns REQ_TILLID, RES_OBJ"), "{}", failure.message);
    let nowhere = PayLog::open("sqlite:/nowhere/ttpayment.db", "").await.unwrap_err();
    assert_eq!(nowhere.exit, Exit::Storage);
    assert!(!std::path::Path::new("/nowhere").exists());
    let odbc = PayLog::open("odbc:DSN=ttpay;uid=ttpay;pwd=geheim;", "").await.unwrap_err();
    assert_eq!(odbc.exit, Exit::Config);
    assert!(!format!("{odbc:?}").contains("geheim"));
}

#[tokio::test]
async fn dates_that_do_not_sort_as_text_are_refused_by_name() {
    let home = Home::new();
    let log = sample(&home, vec![row("2016/11/08 10:00:00", "A1")]).await;
    let failure = log.cover(day("20161108")).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Config);
    assert!(failure.message.contains("`2016/11/08 10:00:00`"), "{}", failure.message);
}

#[tokio::test]
async fn an_empty_log_covers_nothing() {
    let home = Home::new();
    let log = sample(&home, Vec::new()).await;
    assert_eq!(log.cover(day("20161108")).await.unwrap(), crate::domain::LogCover::default());
    assert_eq!(shown(&log, window("2016-11-08 00:00:00", "2016-11-09 00:00:00"), 2).await.0.len(), 0);
}

#[tokio::test]
async fn nothing_can_be_written_through_the_log() {
    let home = Home::new();
    sample(&home, vec![row("2016-11-08 10:00:00", "A1")]).await;
    let before = std::fs::read(&home.path).unwrap();
    let options = crate::store::sqlite::read_only_options(&home.path);
    let mut connection = options.connect().await.unwrap();
    for write in [
        "DELETE FROM EB_PAYLOG",
        "UPDATE EB_PAYLOG SET RES_OBJ = ''",
        "CREATE TABLE x (y)",
        "DROP TABLE EB_PAYLOG",
    ] {
        let error = sqlx::raw_sql(write).execute(&mut connection).await.unwrap_err();
        assert!(error.to_string().contains("readonly"), "{write}: {error}");
        // Even without the second bolt the file itself is open for reading only.
        sqlx::raw_sql("PRAGMA query_only = 0").execute(&mut connection).await.unwrap();
        assert!(sqlx::raw_sql(write).execute(&mut connection).await.is_err(), "{write}");
        sqlx::raw_sql("PRAGMA query_only = 1").execute(&mut connection).await.unwrap();
    }
    assert_eq!(std::fs::read(&home.path).unwrap(), before);
}

#[tokio::test]
async fn keys_are_found_in_older_days_plain_and_in_base64() {
    use base64::Engine as _;
    let home = Home::new();
    let mut rows: Vec<OwnedLogRow> = (0..3_000)
        .map(|n| row(&at("2016-11-01 00:00:00").plus_seconds(n * 60).to_string(), &format!("1611010{n:08}")))
        .collect();
    rows[500].req_obj = base64::engine::general_purpose::STANDARD.encode(&rows[500].req_obj);
    rows[700].res_obj = "<xml><out_trade_no>161101000000042</out_trade_no></xml>".into();
    let log = sample(&home, rows).await;
    let keys: HashSet<String> =
        ["161101000000042", "161101000000500", "161101000002999", "x"].map(str::to_owned).into();
    let keys: HashSet<String> = keys.into_iter().filter(|key| key != "x").collect();
    let found = log.find(&keys, at("2016-10-01 00:00:00")..at("2016-11-03 00:00:00")).await.unwrap();
    let ids: Vec<i64> = found.rows.iter().map(|row| row.row_id).collect();
    assert_eq!(ids, [43, 501, 701], "the last key lies in the window's end");
    assert_eq!((found.count.rows, found.cut_off), (2_880, false));
    assert_eq!(
        log.find(&HashSet::new(), window("2016-11-01 00:00:00", "2016-11-02 00:00:00")).await.unwrap(),
        FoundRows::default()
    );
}

#[tokio::test]
async fn a_reader_that_is_given_up_stops_soon() {
    let home = Home::new();
    let log = sample(&home, (0..50_000).map(|_| row("2016-11-08 10:00:00", "A1")).collect()).await;
    let seen = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = Arc::clone(&seen);
    let gate = Arc::new(std::sync::Barrier::new(2));
    let at_gate = Arc::clone(&gate);
    let day = window("2016-11-08 00:00:00", "2016-11-09 00:00:00");
    let (began, mut begun) = tokio::sync::mpsc::channel(1);
    let read = log.read(day, vec![()], move |(), _: &LogRow<'_>| {
        if counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0 {
            began.blocking_send(()).unwrap();
            at_gate.wait();
        }
    });
    tokio::select! {
        _ = read => panic!("nothing can be read before the gate opens"),
        _ = begun.recv() => {}
    }
    // `read` is dropped now; the thread goes on, looks up, and ends.
    gate.wait();
    while Arc::strong_count(&seen) > 1 {
        tokio::task::yield_now().await;
    }
    assert!(seen.load(std::sync::atomic::Ordering::Relaxed) < 5_000);
}

#[tokio::test]
async fn a_sample_never_overwrites_a_file() {
    let home = Home::new();
    sample(&home, vec![row("2016-11-08 10:00:00", "A1")]).await;
    let failure = SampleLog::create(&home.path).err().unwrap();
    assert_eq!(failure.exit, Exit::Storage);
    assert!(failure.message.contains("exists already"), "{}", failure.message);
}
