//! A unit that ends anywhere before its commit was never there.

use std::process::{Command, Stdio};

use super::*;

on_every_engine! {
    a_load_that_nobody_waits_for_any_more_keeps_nothing,
}

/// The steps of a unit; it is cut off after each of them.
async fn some_of_a_unit(ledger: &Ledger, steps: usize) {
    let bill = statement("20161108", "payment B1 - 52001 77 paid 09:34:03");
    let logged = orders("20161108", "payment B1 - 52001 77 paid 09:34:00");
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    if steps > 0 {
        tx.statement(meta(&bill, "bb")).await.unwrap();
    }
    if steps > 1 {
        tx.entries(Arc::clone(&bill)).await.unwrap();
    }
    if steps > 2 {
        tx.orders(Arc::clone(&logged), all(&logged)).await.unwrap();
    }
    if steps > 3 {
        tx.mismatches(&[mismatch("wx", "20161108", "bb", "channel_only")]).await.unwrap();
    }
}

#[tokio::test]
async fn a_unit_that_is_dropped_between_any_two_steps_was_never_there() {
    for with_former_result in [false, true] {
        let home = Home::new();
        let ledger = home.open().await;
        if with_former_result {
            keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
        }
        let before = home.dump().await;
        for steps in 0..5 {
            some_of_a_unit(&ledger, steps).await;
            assert_eq!(home.dump().await, before, "after {steps} steps");
        }
        keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
        assert!(ledger.verify_unit("wx", day("20161108")).await.unwrap().unwrap().is_intact());
    }
}

async fn a_load_that_nobody_waits_for_any_more_keeps_nothing(home: Home) {
    let ledger = home.open().await;
    let before = home.dump().await;
    let lines: String = (0..5_000).map(|n| format!("payment C{n} - 62{n} 5 paid 10:00:00\n")).collect();
    let bill = statement("20161108", &lines);
    for patience in [0, 1, 3, 10] {
        let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
        let wait = std::time::Duration::from_millis(patience);
        tokio::time::timeout(wait, tx.entries(Arc::clone(&bill))).await.ok();
        drop(tx);
        assert_eq!(home.dump().await, before);
    }
    keep(&ledger, &key("wx", "20161108"), &bill, "aa").await;
}

/// The other process of the next test: stands in the middle of a unit until it is killed.
#[tokio::test]
async fn stand_in_the_middle_of_a_unit_for_the_test_beside() {
    let Some(url) = std::env::var_os("NIGHTJOB_TEST_LEDGER") else { return };
    let ledger = Ledger::open(url.to_str().unwrap()).await.unwrap();
    let bill = statement("20161108", "payment B1 - 52001 77 paid 09:34:03");
    let mut tx = ledger.begin_unit(key("wx", "20161108")).await.unwrap();
    tx.statement(meta(&bill, "bb")).await.unwrap();
    tx.entries(bill).await.unwrap();
    println!("\nin the middle");
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[tokio::test]
async fn a_process_that_is_killed_in_a_unit_leaves_the_former_result() {
    use std::io::BufRead;
    let home = Home::new();
    let ledger = home.open().await;
    keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
    let before = home.dump().await;
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args([
            "store::tests::crash::stand_in_the_middle_of_a_unit_for_the_test_beside",
            "--exact",
            "--nocapture",
        ])
        .env("NIGHTJOB_TEST_LEDGER", home.url())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "in the middle"));
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(home.dump().await, before);
    keep(&ledger, &key("wx", "20161108"), &statement("20161108", LINES), "aa").await;
    assert_eq!(home.dump().await, before);
}
