//! What the ledger answers.

use std::collections::HashSet;

use super::*;
use crate::domain::Exit;

on_every_engine! {
    a_failure_never_destroys_a_result,
    a_days_sections_are_those_of_every_unit,
    a_run_is_recorded_at_its_start_and_at_its_end,
    logged_orders_come_back_as_they_were_stored,
    neighbours_are_found_by_order_or_transaction_number_in_the_asked_days_only,
}

fn keys(keys: &[&str]) -> Arc<HashSet<String>> {
    Arc::new(keys.iter().map(|key| (*key).to_owned()).collect())
}

async fn a_failure_never_destroys_a_result(home: Home) {
    let ledger = home.open().await;
    let unit = key("wx", "20161108");
    assert!(ledger.put_not_compared(&unit, "not ready", "{\"n\":1}").await.unwrap());
    assert!(ledger.put_not_compared(&unit, "refused", "{\"n\":2}").await.unwrap());
    let record = ledger.unit("wx", day("20161108")).await.unwrap().unwrap();
    assert_eq!(
        (record.state, record.verdict, record.reason.as_str()),
        (UnitState::NotCompared, Verdict::NotCompared, "refused")
    );
    assert!(ledger.done_units(day("20161108")).await.unwrap().is_empty());
    assert!(ledger.logged_orders("wx", day("20161108")).await.unwrap().is_none());
    keep(&ledger, &unit, &statement("20161108", LINES), "aa").await;
    let before = home.dump().await;
    assert!(!ledger.put_not_compared(&unit, "refused", "{}").await.unwrap());
    assert_eq!(home.dump().await, before);
}

async fn a_days_sections_are_those_of_every_unit(home: Home) {
    let ledger = home.open().await;
    let bill = statement("20161108", LINES);
    keep(&ledger, &key("wx", "20161108"), &bill, "aa").await;
    ledger.put_not_compared(&key("ali", "20161108"), "not ready", "{\"a\":0}").await.unwrap();
    keep(&ledger, &key("wx", "20161109"), &statement("20161109", LINES), "bb").await;
    let sections = ledger.sections(day("20161108")).await.unwrap();
    let seen: Vec<_> = sections.iter().map(|s| (s.account.as_str(), s.state, s.section.as_str())).collect();
    assert_eq!(
        seen,
        [("ali", UnitState::NotCompared, "{\"a\":0}"), ("wx", UnitState::Done, "{\"account\":\"wx\"}")]
    );
    let first = [("ali".to_owned(), day("20161108")), ("wx".to_owned(), day("20161108"))];
    assert_eq!(ledger.first_days().await.unwrap(), first, "done or not");
    let done = ledger.done_units(day("20161108")).await.unwrap();
    assert_eq!(done.iter().map(|u| u.account.as_str()).collect::<Vec<_>>(), ["wx"]);
    assert_eq!(done[0].canonical_hash, canonical_hash(&bill));
    assert_eq!(ledger.unclaimed(day("20161108")).await.unwrap(), None);
    for rows in ["[1]", "[]"] {
        ledger.put_unclaimed(day("20161108"), rows).await.unwrap();
        assert_eq!(ledger.unclaimed(day("20161108")).await.unwrap().as_deref(), Some(rows));
    }
}

async fn a_run_is_recorded_at_its_start_and_at_its_end(home: Home) {
    let ledger = home.open().await;
    assert_eq!(ledger.first_and_last_run().await.unwrap(), None);
    let id = ledger.start_run("run --date 20161108", at("2016-11-10 02:00:00")).await.unwrap();
    let running = ledger.run(id).await.unwrap().unwrap();
    assert_eq!((running.finished_at, running.exit_code), (None, None));
    ledger.finish_run(id, at("2016-11-10 02:00:09"), Exit::Look, "wx: mismatches").await.unwrap();
    let ended = ledger.run(id).await.unwrap().unwrap();
    assert_eq!((ended.finished_at, ended.exit_code), (Some(at("2016-11-10 02:00:09")), Some(10)));
    assert_eq!((ended.arguments.as_str(), ended.reasons.as_str()), ("run --date 20161108", "wx: mismatches"));
    let next = ledger.start_run("run", at("2016-11-11 02:00:00")).await.unwrap();
    assert_ne!(next, id);
    assert_eq!(ledger.first_and_last_run().await.unwrap(), Some((id, next)));
}

async fn logged_orders_come_back_as_they_were_stored(home: Home) {
    let ledger = home.open().await;
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    let given = orders("20161108", ORDERS);
    // Not in the order of the arena, and not all of them.
    tx.orders(Arc::clone(&given), vec![2, 0]).await.unwrap();
    tx.finish(end(&Statement::empty(day("20161108")))).await.unwrap();
    let found = ledger.logged_orders("wx", day("20161108")).await.unwrap().unwrap();
    let show = |of: &LoggedOrders, index: usize| {
        let o = &of.orders[index];
        let names = [o.req_type, o.business_date, o.seller, o.mall, o.store, o.till, o.cashier];
        let texts = [o.order_no, o.refund_no, o.trade_no];
        let names: Vec<&str> = names.iter().map(|name| of.names.get(*name)).collect();
        let numbers =
            (o.day, o.kind, o.state, o.currency, o.notes, o.rows, o.amount_minor, o.logged_at, o.provider_at);
        format!("{numbers:?} {:?} {names:?}", texts.map(|text| of.text(text)))
    };
    assert_eq!(found.orders.len(), 2);
    assert_eq!(show(&found, 0), show(&given, 2));
    assert_eq!(show(&found, 1), show(&given, 0));
    let stored = ledger.orders_of_order("A1").await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].cashier.as_str(), stored[0].log_rows), ("收银一", 3));
    assert_eq!(stored[0].movement.at, at("2016-11-08 09:34:01"), "the provider's time");
    assert_eq!(stored[0].logged_at, at("2016-11-08 09:33:59"));
}

async fn neighbours_are_found_by_order_or_transaction_number_in_the_asked_days_only(home: Home) {
    let ledger = home.open().await;
    for date in ["20161107", "20161108", "20161109"] {
        keep(&ledger, &key("wx", date), &statement(date, LINES), date).await;
    }
    keep(&ledger, &key("ali", "20161107"), &statement("20161107", LINES), "cc").await;
    let days = [day("20161107"), day("20161109"), day("20161110")];
    let show = |found: Vec<Neighbour>| -> Vec<String> {
        found
            .iter()
            .map(|n| {
                let (kind, state) = (n.kind.as_str(), n.state.as_str());
                let amount = n.amount_minor.map_or("-".to_owned(), |a| a.to_string());
                format!(
                    "{} {kind} {state} {} {} {} {amount} {} {}",
                    n.date, n.order_no, n.refund_no, n.trade_no, n.at, n.line
                )
            })
            .collect()
    };
    let entries = ledger.neighbour_entries("wx", &days, &keys(&["A1", "42003", "A99", ""])).await.unwrap();
    assert_eq!(
        show(entries),
        [
            "2016-11-07 payment paid A1  42001 1000 2016-11-07 09:34:03 2",
            "2016-11-07 refund refunded A1 R1 42001 -300 2016-11-07 12:00:00 4",
            "2016-11-07 reversal reversed A3  42003 - 2016-11-07 23:59:59 5",
            "2016-11-09 payment paid A1  42001 1000 2016-11-09 09:34:03 2",
            "2016-11-09 refund refunded A1 R1 42001 -300 2016-11-09 12:00:00 4",
            "2016-11-09 reversal reversed A3  42003 - 2016-11-09 23:59:59 5",
        ]
    );
    let logged = ledger.neighbour_orders("wx", &days[..1], &keys(&["A9", "42001"])).await.unwrap();
    assert!(logged.iter().all(|n| n.notes == 5));
    assert_eq!(
        show(logged),
        [
            "2016-11-07 payment paid A1  42001 1000 2016-11-07 09:34:01 0",
            "2016-11-07 refund refunded A1 R1 42001 -300 2016-11-07 11:59:58 0",
            "2016-11-07 payment unknown A9   - 2016-11-07 13:00:00 0",
        ]
    );
    assert!(ledger.neighbour_entries("wx", &days, &keys(&[])).await.unwrap().is_empty());
    assert!(ledger.neighbour_entries("wx", &days, &keys(&["a1"])).await.unwrap().is_empty(), "by bytes");
}
