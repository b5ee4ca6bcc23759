//! Events: a chain in the transaction of its unit, only for what changed; what `verify` compares; and a copy of it all.

use super::*;

on_every_engine! {
    only_what_changed_is_an_event_and_each_knows_the_one_before,
    a_unit_that_is_dropped_leaves_no_event,
    a_changed_row_is_named_with_its_column,
    a_copy_is_a_ledger_with_the_same_rows,
}

/// Keeps a unit with these mismatches: id and difference.
async fn found(ledger: &Ledger, unit: &UnitKey, rows: &[(&str, i64)]) {
    let (bill, date) = (statement(&unit.date.to_string(), LINES), unit.date.to_string());
    let row = |(id, difference_minor): &(&str, i64)| MismatchRow {
        difference_minor: *difference_minor,
        ..mismatch(&unit.account, &date, id, "channel_only")
    };
    let rows: Vec<MismatchRow> = rows.iter().map(row).collect();
    let mut tx = ledger.begin_unit(unit.clone()).await.unwrap();
    tx.statement(meta(&bill, "aa")).await.unwrap();
    tx.entries(Arc::clone(&bill)).await.unwrap();
    tx.mismatches(&rows).await.unwrap();
    tx.finish(end(&bill)).await.unwrap();
}

async fn told(ledger: &Ledger) -> Vec<String> {
    let events = ledger.events_after(0).await.unwrap();
    events
        .iter()
        .map(|event| format!("{} {} {} {}", event.seq, event.account, event.action, event.mismatch))
        .collect()
}

async fn only_what_changed_is_an_event_and_each_knows_the_one_before(home: Home) {
    let ledger = home.open().await;
    assert_eq!(ledger.event_head().await.unwrap(), Head::default());
    let (wx, ali) = (key("wx", "20161108"), key("ali", "20161108"));
    found(&ledger, &wx, &[("w1", 1), ("w2", 1)]).await;
    found(&ledger, &ali, &[("a1", 1)]).await;
    found(&ledger, &wx, &[("w1", 1), ("w2", 1)]).await;
    found(&ledger, &wx, &[("w2", 2), ("w3", 1)]).await;
    found(&ledger, &wx, &[]).await;
    found(&ledger, &wx, &[("w2", 2)]).await;
    let expected = [
        "1 wx found w1",
        "2 wx found w2",
        "3 ali found a1",
        "4 wx changed w2",
        "5 wx found w3",
        "6 wx gone w1",
        "7 wx gone w2",
        "8 wx gone w3",
        "9 wx returned w2",
    ];
    assert_eq!(told(&ledger).await, expected);
    let events = ledger.events_after(0).await.unwrap();
    let mut before = String::new();
    for event in &events {
        assert_eq!((&event.previous, &event.hash), (&before, &event.hashed()), "event {}", event.seq);
        assert_eq!((event.actor.as_str(), event.run), (Stamp::RUN, 1));
        before.clone_from(&event.hash);
    }
    assert_eq!(ledger.event_head().await.unwrap(), Head { seq: 9, hash: before });
    assert_eq!(ledger.event_hash(4).await.unwrap().as_ref(), Some(&events[3].hash));
    assert_eq!(ledger.event_hash(10).await.unwrap(), None);
    assert_eq!(ledger.events_after(8).await.unwrap().len(), 1);
}

async fn a_unit_that_is_dropped_leaves_no_event(home: Home) {
    let ledger = home.open().await;
    let bill = statement("20161108", LINES);
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    tx.statement(meta(&bill, "aa")).await.unwrap();
    tx.mismatches(&[mismatch("wx", "20161108", "w1", "channel_only")]).await.unwrap();
    drop(tx);
    assert_eq!(told(&ledger).await, Vec::<String>::new());
    // The lines are missing: the unit is refused as a whole, with its events.
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    tx.statement(meta(&bill, "aa")).await.unwrap();
    tx.mismatches(&[mismatch("wx", "20161108", "w1", "channel_only")]).await.unwrap();
    tx.finish(end(&bill)).await.unwrap_err();
    assert_eq!(told(&ledger).await, Vec::<String>::new());
}

/// A change behind the program's back, and what is said of it.
const CHANGES: &[(&str, &[&str])] = &[
    ("", &[]),
    (
        "UPDATE ledger_entry SET amount_minor = 999 WHERE line = 2",
        &["ledger_entry, line 2 of the statement, amount_minor: 1000 999"],
    ),
    (
        "UPDATE ledger_entry SET amount_minor = NULL, order_no = 'A1 ' WHERE line = 2",
        &[
            "ledger_entry, line 2 of the statement, amount_minor: 1000 NULL",
            "ledger_entry, line 2 of the statement, order_no: A1 A1 ",
        ],
    ),
    (
        "UPDATE ledger_entry SET bill_date = '2016-11-09', state = 'odd' WHERE line = 5",
        &[
            "ledger_entry, line 5 of the statement, state: reversed odd",
            "ledger_entry, line 5 of the statement, bill_date: 2016-11-08 2016-11-09",
        ],
    ),
    ("DELETE FROM ledger_entry WHERE line = 3", &["ledger_entry, line 3 of the statement: a row none"]),
    ("DELETE FROM ledger_entry WHERE line = 5", &["ledger_entry, line 5 of the statement: a row none"]),
    (
        "UPDATE ledger_entry SET id = id + 10 WHERE line = 5",
        &["ledger_entry, line 5 of the statement: a row none", "ledger_entry, row 14: no such row one"],
    ),
    (
        "UPDATE logged_order SET state = 'failed' WHERE order_no = 'A9'",
        &["logged_order, row 3: the row of the commit payment A9 failed, amount_minor NULL"],
    ),
    (
        "UPDATE logged_order SET bill_date = '2016-11-09' WHERE refund_no = 'R1'",
        &["logged_order, row 2: the row of the commit refund A1 R1 refunded, amount_minor -300"],
    ),
    ("DELETE FROM logged_order WHERE order_no = 'A9'", &["logged_order: 3 rows 2 rows"]),
];

async fn a_changed_row_is_named_with_its_column(home: Home) {
    let bill = statement("20161108", LINES);
    for (change, expected) in CHANGES {
        let ledger = home.open().await;
        keep(&ledger, &key("wx", "20161108"), &bill, "aa").await;
        if !change.is_empty() {
            home.execute(change).await;
        }
        let unit = ledger.kept_unit("wx", day("20161108")).await.unwrap().unwrap();
        let mut wrong = ledger.compare_entries(&unit, Arc::clone(&bill)).await.unwrap();
        wrong.extend(ledger.compare_orders(&unit).await.unwrap());
        let wrong: Vec<String> =
            wrong.iter().map(|row| format!("{}: {} {}", row.place, row.expected, row.found)).collect();
        assert_eq!(wrong, *expected, "{change}");
        ledger.close().await;
    }
}

async fn a_copy_is_a_ledger_with_the_same_rows(home: Home) {
    let ledger = home.open().await;
    for date in ["20161108", "20161109"] {
        keep(&ledger, &key("wx", date), &statement(date, LINES), "aa").await;
    }
    ledger.start_run("run", at("2016-11-10 02:17:00")).await.unwrap();
    ledger.put_unclaimed(day("20161108"), "[]").await.unwrap();
    // A unit that is under way is not in it.
    let mut under_way = ledger.begin_unit(key("wx", "20161110")).await.unwrap();
    let late = statement("20161110", LINES);
    under_way.statement(meta(&late, "bb")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    ledger.copy_to(&path).await.unwrap();
    assert!(ledger.copy_to(&path).await.is_err(), "what is there is not written over");
    drop(under_way);
    let copy = format!("sqlite:{}", path.display());
    let rows = |dump: String| {
        dump.lines().filter(|line| !line.starts_with("schema_version")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rows(crate::store::ledger::dump::dump(&copy).await), rows(home.dump().await));
    let copy = Ledger::open_read_only(&copy).await.unwrap();
    assert_eq!(copy.event_head().await.unwrap(), ledger.event_head().await.unwrap());
    assert!(copy.verify_unit("wx", day("20161109")).await.unwrap().unwrap().is_intact());
}

/// The job's account, with nothing but what `migrate` prints: units can be kept, and no event changed or removed.
#[cfg(feature = "rig")]
#[tokio::test]
async fn the_jobs_account_can_add_events_and_nothing_else() {
    for (mut server, denied) in
        [(servers::postgres(), "permission denied"), (servers::mysql(), "command denied")]
    {
        Ledger::migrate(&server.url).await.unwrap();
        let grants = Ledger::grants(&server.url).await.unwrap();
        let job = server.user(&grants.iter().map(String::as_str).collect::<Vec<_>>());
        let ledger = Ledger::open(&job).await.unwrap();
        for sums in [1, 2] {
            found(&ledger, &key("wx", "20161108"), &[("w1", sums)]).await;
        }
        assert_eq!(told(&ledger).await, ["1 wx found w1", "2 wx changed w1"]);
        ledger.put_unclaimed(day("20161108"), "[]").await.unwrap();
        let run = ledger.start_run("run", at("2016-11-10 02:17:00")).await.unwrap();
        ledger.finish_run(run, at("2016-11-10 02:18:00"), crate::domain::Exit::Done, "[]").await.unwrap();
        ledger.close().await;
        for sql in [
            "DELETE FROM mismatch_event",
            "UPDATE mismatch_event SET detail = ''",
            "DROP TABLE mismatch_event",
        ] {
            let told = servers::try_execute(&job, sql).unwrap_err();
            assert!(told.contains(denied) || told.contains("must be owner"), "{sql}: {told}");
        }
    }
}
