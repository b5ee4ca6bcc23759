//! Units: replaced as a whole, twice the same, never half.

use super::*;
use crate::domain::Exit;

on_every_engine! {
    a_second_run_leaves_the_rows_that_the_first_one_left,
    what_is_stored_is_what_was_read,
    other_bytes_become_the_next_version_and_the_old_ones_are_superseded,
    the_same_bytes_that_prove_something_else_are_another_version,
    the_same_bytes_read_otherwise_by_a_newer_program_keep_their_version,
    an_empty_day_takes_the_rows_away,
    a_rejected_file_is_recorded_once_and_touches_nothing_that_stands,
    other_bills_have_versions_of_their_own_and_no_entries,
    sums_that_differ_by_one_fen_keep_nothing,
    orders_of_another_day_are_a_bug_and_the_unit_cannot_go_on,
    mismatches_stay_for_ever_and_say_whether_they_still_stand,
    more_mismatches_than_one_statement_holds,
    the_hash_in_memory_is_the_hash_of_the_table_and_any_change_shows,
    long_ids_case_and_texts_that_look_like_sql_are_kept_as_they_are,
    entries_are_loaded_while_the_caller_does_something_else,
}

async fn a_second_run_leaves_the_rows_that_the_first_one_left(home: Home) {
    let ledger = home.open().await;
    let bill = statement("20161108", LINES);
    for unit in [key("wx", "20161108"), key("ali", "20161108"), key("wx", "20161109")] {
        let bill = statement(&unit.date.to_string(), LINES);
        keep(&ledger, &unit, &bill, "aa").await;
    }
    let before = home.dump().await;
    assert_eq!(before.lines().filter(|line| line.starts_with("ledger_entry")).count(), 12);
    // The second time the file is fetched later.
    let mut unit = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    let later = StatementMeta { fetched_at: at("2016-11-11 03:00:00"), ..meta(&bill, "aa") };
    assert_eq!(unit.statement(later).await.unwrap(), 1);
    drop(unit);
    keep(&ledger, &key("wx", "20161108"), &bill, "aa").await;
    assert_eq!(home.dump().await, before);
}

async fn what_is_stored_is_what_was_read(home: Home) {
    let ledger = home.open().await;
    keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
    let dump = home.dump().await;
    let id = 1_i64 << 32;
    for line in [
        format!(
            "ledger_entry|{id}|1000|1000|6000|0|2|A1||42001||payment|paid|CNY|2016-11-08 09:34:03|wx|2016-11-08|1900012345||8888|01|商品,一件\t\\"
        ),
        format!(
            "ledger_entry|{}|NULL|0|0|0|5|A3||42003||reversal|reversed|CNY|2016-11-08 23:59:59|wx|2016-11-08|1900012345||8888|01|商品,一件\t\\",
            id + 3
        ),
        format!(
            "logged_order|{}|-300|5|3|A1|R1|42001|refund|refunded|CNY|2016-11-08 11:59:58||wx|2016-11-08|2016-11-08|WX|8888|M1|S1|01|收银一",
            id + 1
        ),
        "statement|wx|WX|2016-11-08|trade|1|aa|wechat_v2|4|950|5700|2016-11-10 02:00:00|current|1".to_owned(),
    ] {
        assert!(dump.contains(&line), "{line}\n{dump}");
    }
}

async fn other_bytes_become_the_next_version_and_the_old_ones_are_superseded(home: Home) {
    let ledger = home.open().await;
    let unit = key("wx", "20161108");
    keep(&ledger, &unit, &statement("20161108", LINES), "aa").await;
    let longer = statement("20161108", &format!("{LINES}\n payment A7 - 42007 7 paid 10:00:00"));
    keep(&ledger, &unit, &longer, "bb").await;
    let standing = ledger.current_statement("wx", day("20161108"), Bill::Trade).await.unwrap().unwrap();
    assert_eq!((standing.version, standing.meta), (2, meta(&longer, "bb")));
    let dump = home.dump().await;
    assert!(dump.contains("|trade|1|aa|wechat_v2|4|950|5700|2016-11-10 02:00:00|superseded|1"), "{dump}");
    assert_eq!(dump.matches("ledger_entry|").count(), 5, "only the current version has rows");
    assert_eq!(ledger.unit("wx", day("20161108")).await.unwrap().unwrap().version, 2);
    // The first bytes again: a third version, not a return to the first.
    keep(&ledger, &unit, &statement("20161108", LINES), "aa").await;
    let standing = ledger.current_statement("wx", day("20161108"), Bill::Trade).await.unwrap().unwrap();
    assert_eq!(standing.version, 3);
    assert_eq!(home.dump().await.matches("|current|1\n").count(), 1);
}

async fn the_same_bytes_that_prove_something_else_are_another_version(home: Home) {
    let ledger = home.open().await;
    let empty = Statement::empty(day("20161108"));
    for (state, version) in [
        (StatementState::Current, 1),
        (StatementState::Empty, 2),
        (StatementState::Empty, 2),
        (StatementState::Current, 3),
    ] {
        let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
        assert_eq!(tx.statement(StatementMeta { state, ..meta(&empty, "aa") }).await.unwrap(), version);
        tx.finish(end(&empty)).await.unwrap();
    }
}

async fn the_same_bytes_read_otherwise_by_a_newer_program_keep_their_version(home: Home) {
    let ledger = home.open().await;
    keep(
        &ledger,
        &key("wx", "20161108"),
        &statement("20161108", "payment A1 - 42001 1000 paid 09:34:03"),
        "aa",
    )
    .await;
    keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
    let dump = home.dump().await;
    assert!(dump.contains("|trade|1|aa|wechat_v2|4|950|5700|2016-11-10 02:00:00|current|1"), "{dump}");
    assert_eq!(dump.matches("statement|").count(), 1);
}

/// A night runs its units as tasks: what they await must be able to move between threads.
#[test]
fn units_and_reads_can_be_tasks() {
    fn is_send<T: Send>(_: &T) {}
    async fn unit(ledger: Ledger, log: PayLog) {
        let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
        tx.entries(statement("20161108", LINES)).await.unwrap();
        tx.orders(orders("20161108", ORDERS), vec![0]).await.unwrap();
        tx.finish(end(&statement("20161108", LINES))).await.unwrap();
        log.find(&std::collections::HashSet::new(), at("2016-11-08 00:00:00")..at("2016-11-09 00:00:00"))
            .await
            .unwrap();
        ledger.verify_unit("wx", day("20161108")).await.unwrap();
    }
    let _ = |ledger, log| is_send(&unit(ledger, log));
}

async fn an_empty_day_takes_the_rows_away(home: Home) {
    let ledger = home.open().await;
    let unit = key("wx", "20161108");
    keep(&ledger, &unit, &statement("20161108", LINES), "aa").await;
    let empty = Statement::empty(day("20161108"));
    let mut tx = ledger.begin_unit(unit.clone()).await.unwrap();
    tx.statement(StatementMeta { state: StatementState::Empty, ..meta(&empty, "ee") }).await.unwrap();
    tx.finish(end(&empty)).await.unwrap();
    let dump = home.dump().await;
    assert_eq!(dump.matches("ledger_entry|").count(), 0);
    assert_eq!(dump.matches("logged_order|").count(), 3, "a unit without a word on the log keeps its orders");
    assert!(dump.contains("|trade|2|ee|wechat_v2|0|0|0|2016-11-10 02:00:00|empty|1"), "{dump}");
    assert!(dump.contains("|gone\n") && !dump.contains("|open\n"), "{dump}");
    assert!(ledger.verify_unit("wx", day("20161108")).await.unwrap().unwrap().is_intact());
}

async fn a_rejected_file_is_recorded_once_and_touches_nothing_that_stands(home: Home) {
    let ledger = home.open().await;
    let unit = key("wx", "20161108");
    let bill = statement("20161108", LINES);
    keep(&ledger, &unit, &bill, "aa").await;
    let torn = StatementMeta { sums: Sums::default(), ..meta(&bill, "torn") };
    assert_eq!(ledger.put_rejected(&unit, &torn).await.unwrap(), 2);
    assert_eq!(ledger.put_rejected(&unit, &torn).await.unwrap(), 2);
    let standing = ledger.current_statement("wx", day("20161108"), Bill::Trade).await.unwrap().unwrap();
    assert_eq!((standing.version, standing.meta.sha256.as_str()), (1, "aa"));
    assert_eq!(home.dump().await.matches("|rejected|").count(), 1);
    let mut tx = ledger.begin_unit(unit).await.unwrap();
    let failure = tx.statement(StatementMeta { state: StatementState::Rejected, ..torn }).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Bug);
}

async fn other_bills_have_versions_of_their_own_and_no_entries(home: Home) {
    let ledger = home.open().await;
    let bill = statement("20161108", LINES);
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    let flow = StatementMeta { bill: Bill::FundFlow, ..meta(&bill, "ff") };
    assert_eq!(tx.statement(flow).await.unwrap(), 1);
    assert_eq!(tx.statement(meta(&bill, "aa")).await.unwrap(), 1);
    tx.entries(Arc::clone(&bill)).await.unwrap();
    tx.finish(end(&bill)).await.unwrap();
    let record = ledger.unit("wx", day("20161108")).await.unwrap().unwrap();
    assert_eq!((record.version, record.state, record.source.as_str()), (1, UnitState::Done, "wechat_v2"));
}

async fn sums_that_differ_by_one_fen_keep_nothing(home: Home) {
    let ledger = home.open().await;
    let unit = key("wx", "20161108");
    keep(&ledger, &unit, &statement("20161108", LINES), "aa").await;
    let before = home.dump().await;
    let bill = statement("20161108", "payment A1 - 42001 1000 paid 09:34:03");
    for (rows, amount, fee) in [(0, 1, 0), (0, 0, 1), (1, 0, 0)] {
        let mut wrong = meta(&bill, "bb");
        wrong.sums.rows += rows;
        wrong.sums.amount_minor += amount;
        wrong.sums.fee_e5 += fee;
        let mut tx = ledger.begin_unit(unit.clone()).await.unwrap();
        tx.statement(wrong).await.unwrap();
        tx.entries(Arc::clone(&bill)).await.unwrap();
        let failure = tx.finish(end(&bill)).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Bug);
        assert!(failure.message.starts_with("wx 2016-11-08: the ledger holds"), "{}", failure.message);
        assert_eq!(home.dump().await, before);
    }
}

#[tokio::test]
async fn a_row_that_did_not_arrive_is_noticed_before_the_commit() {
    let home = Home::new();
    let ledger = home.open().await;
    // Something between us and the table takes a row away: here a trigger that a stranger left.
    home.execute(
        "CREATE TRIGGER thief AFTER INSERT ON ledger_entry WHEN NEW.order_no = 'A2'
         BEGIN DELETE FROM ledger_entry WHERE id = NEW.id; END",
    )
    .await;
    let before = home.dump().await;
    let bill = statement("20161108", LINES);
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    tx.statement(meta(&bill, "aa")).await.unwrap();
    let failure = tx.entries(Arc::clone(&bill)).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Bug);
    assert!(
        failure.message.contains("rows: 3") && failure.message.contains("rows: 4"),
        "{}",
        failure.message
    );
    // Whoever goes on after an error gets no further.
    assert_eq!(tx.finish(end(&bill)).await.unwrap_err().exit, Exit::Bug);
    assert_eq!(home.dump().await, before);
}

async fn orders_of_another_day_are_a_bug_and_the_unit_cannot_go_on(home: Home) {
    let ledger = home.open().await;
    let before = home.dump().await;
    let (bill, of_day) = (statement("20161108", LINES), orders("20161108", ORDERS));
    for (logged, indices) in [(orders("20161109", ORDERS), vec![0]), (of_day, vec![0, 7])] {
        let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
        tx.statement(meta(&bill, "aa")).await.unwrap();
        tx.entries(Arc::clone(&bill)).await.unwrap();
        assert_eq!(tx.orders(logged, indices).await.unwrap_err().exit, Exit::Bug);
        let failure = tx.finish(end(&bill)).await.unwrap_err();
        assert!(failure.message.contains("used again"), "{}", failure.message);
        assert_eq!(home.dump().await, before);
    }
}

async fn mismatches_stay_for_ever_and_say_whether_they_still_stand(home: Home) {
    let ledger = home.open().await;
    let unit = key("wx", "20161108");
    let other = mismatch("wx", "20161109", "ff", "channel_only");
    let mut tx = ledger.begin_unit(key("wx", "20161109")).await.unwrap();
    tx.mismatches(std::slice::from_ref(&other)).await.unwrap();
    tx.finish(end(&Statement::empty(day("20161109")))).await.unwrap();
    let [a, b, c] = ["aa", "bb", "cc"].map(|id| mismatch("wx", "20161108", id, "channel_only"));
    let changed = MismatchRow { kind: "amount_mismatch".into(), gateway_amount_minor: Some(1), ..b.clone() };
    for rows in [vec![a.clone(), b.clone()], vec![changed.clone(), c.clone()]] {
        let mut tx = ledger.begin_unit(unit.clone()).await.unwrap();
        tx.mismatches(&rows).await.unwrap();
        tx.finish(end(&Statement::empty(day("20161108")))).await.unwrap();
    }
    for (id, row, open) in [("aa", &a, false), ("bb", &changed, true), ("cc", &c, true), ("ff", &other, true)]
    {
        let found = ledger.mismatch(id).await.unwrap().unwrap();
        assert_eq!((&found.row, found.open), (row, open));
    }
    let found = ledger.mismatches_of_order("O-bb").await.unwrap();
    assert_eq!(found.iter().map(|m| &m.row).collect::<Vec<_>>(), [&changed]);
    assert_eq!(ledger.mismatch("dd").await.unwrap(), None);
    for wrong in [vec![a.clone(), a.clone()], vec![other]] {
        let mut tx = ledger.begin_unit(unit.clone()).await.unwrap();
        assert_eq!(tx.mismatches(&wrong).await.unwrap_err().exit, Exit::Bug);
    }
}

async fn more_mismatches_than_one_statement_holds(home: Home) {
    let ledger = home.open().await;
    let rows: Vec<MismatchRow> =
        (0..1_001).map(|n| mismatch("wx", "20161108", &format!("{n:016x}"), "gateway_only")).collect();
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    tx.mismatches(&rows).await.unwrap();
    tx.finish(end(&Statement::empty(day("20161108")))).await.unwrap();
    assert_eq!(home.dump().await.matches("mismatch|").count(), 1_001);
}

async fn the_hash_in_memory_is_the_hash_of_the_table_and_any_change_shows(home: Home) {
    let ledger = home.open().await;
    let bill = statement("20161108", LINES);
    keep(&ledger, &key("wx", "20161108"), &bill, "aa").await;
    keep(&ledger, &key("ali", "20161108"), &statement("20161108", ""), "ab").await;
    let verified = ledger.verify_unit("wx", day("20161108")).await.unwrap().unwrap();
    assert_eq!((verified.found.as_str(), verified.rows), (canonical_hash(&bill).as_str(), 4));
    assert!(verified.is_intact());
    assert!(ledger.verify_unit("wx", day("20161107")).await.unwrap().is_none());
    for change in [
        "UPDATE ledger_entry SET amount_minor = amount_minor + 1 WHERE order_no = 'A2'",
        "UPDATE ledger_entry SET amount_minor = 0 WHERE order_no = 'A3'",
        "UPDATE ledger_entry SET subject = '' WHERE line = 3",
        "DELETE FROM ledger_entry WHERE line = 5",
    ] {
        home.execute(change).await;
        let verified = ledger.verify_unit("wx", day("20161108")).await.unwrap().unwrap();
        assert!(!verified.is_intact(), "{change}");
        keep(&ledger, &key("wx", "20161108"), &bill, "aa").await;
        assert!(ledger.verify_unit("wx", day("20161108")).await.unwrap().unwrap().is_intact());
    }
}

async fn long_ids_case_and_texts_that_look_like_sql_are_kept_as_they_are(home: Home) {
    let ledger = home.open().await;
    let long = "9".repeat(128);
    let nasty = "'; DROP TABLE ledger_entry; --";
    let names = [long.as_str(), "Ab-1", "aB-1", nasty, "AB-1 ", "=1+1", "\u{202e}x", "订单"];
    let mut draft = Draft { parts: vec![String::new()], ..Draft::default() };
    for (number, name) in (2..).zip(names) {
        let entry = entry(&mut draft.text, number, [name, "", name, "", "", "", "", "", name]);
        draft.entries.push(entry);
    }
    let bill = Arc::new(Statement::new(day("20161108"), draft).unwrap());
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    tx.statement(meta(&bill, nasty)).await.unwrap();
    tx.entries(Arc::clone(&bill)).await.unwrap();
    let strange =
        MismatchRow { reason: nasty.to_owned(), ..mismatch("wx", "20161108", nasty, "channel_only") };
    tx.mismatches(std::slice::from_ref(&strange)).await.unwrap();
    tx.finish(end(&bill)).await.unwrap();
    for (line, name) in (2..).zip(names) {
        let found = ledger.entries_of_order(name).await.unwrap();
        assert_eq!(
            found.iter().map(|e| e.movement.line).collect::<Vec<_>>(),
            [line],
            "{name}: by bytes, not by case"
        );
        assert_eq!((found[0].movement.order_no.as_str(), found[0].subject.as_str()), (name, name));
    }
    assert_eq!(ledger.mismatch(nasty).await.unwrap().unwrap().row, strange);
    assert!(ledger.verify_unit("wx", day("20161108")).await.unwrap().unwrap().is_intact());
}

async fn entries_are_loaded_while_the_caller_does_something_else(home: Home) {
    let ledger = home.open().await;
    let bill = statement("20161108", LINES);
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    tx.statement(meta(&bill, "aa")).await.unwrap();
    let fold = tokio::task::spawn_blocking(|| 6 * 7);
    let (sums, folded) = tokio::join!(tx.entries(Arc::clone(&bill)), fold);
    assert_eq!((sums.unwrap().rows, folded.unwrap()), (4, 42));
    // A reader sees the state before, and does not wait.
    assert!(ledger.entries_of_order("A1").await.unwrap().is_empty());
    tx.finish(end(&bill)).await.unwrap();
    assert_eq!(ledger.entries_of_order("A1").await.unwrap().len(), 2);
}
