//! Whole nights from files: what is found, what is written, and that running twice leaves what running once leaves.

use crate::site::{SiteFolder, bill, paid};

fn ordinary() -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00"), ("A2", "100.00"), ("A3", "5.00")]));
    site.log([paid("A1", 1200, "09:00:00"), paid("A2", 9999, "09:01:00"), paid("A4", 700, "09:03:00")]);
    site
}

#[test]
fn a_night_finds_what_disagrees_and_exits_10() {
    let site = ordinary();
    site.run(&[]).expect(10).says("amount mismatch: the channel has 0.01 more");
    let csv = site.text("reports/2016-11-08/mismatches.csv");
    let rows: Vec<&str> = csv.trim_start_matches('\u{feff}').lines().skip(1).collect();
    assert_eq!(rows.len(), 3, "{csv}");
    assert!(
        rows[0].contains(",amount_mismatch,payment,A2,") && rows[0].contains(",99.99,100.00,0.01,CNY,"),
        "{csv}"
    );
    assert!(rows[1].contains(",channel_only,payment,A3,") && rows[1].contains(",,5.00,5.00,CNY,"), "{csv}");
    assert!(rows[2].contains(",gateway_only,payment,A4,") && rows[2].contains(",7.00,,-7.00,CNY,"), "{csv}");
    assert!(csv.ends_with("\r\n") && csv.starts_with('\u{feff}'));
}

#[test]
fn a_clean_night_exits_0_and_says_balanced() {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00")]));
    site.log([paid("A1", 1200, "09:00:00")]);
    site.run(&[]).expect(0).says("balanced");
    assert!(site.text("reports/2016-11-08/report.json").contains("\"verdict\": \"balanced\""));
    assert_eq!(
        site.text("reports/2016-11-08/mismatches.csv").lines().count(),
        1,
        "the title line, also when balanced"
    );
    let quiet = site.run(&["-q"]).expect(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""), "silence is good news");
}

#[test]
fn a_second_run_changes_nothing() {
    let site = ordinary();
    site.run(&[]).expect(10);
    let before = state(&site);
    site.run(&[]).expect(10).says("same statement as before");
    let after = state(&site);
    assert_eq!(before, after);
}

#[test]
fn report_and_reconcile_write_the_same_bytes_again() {
    let site = ordinary();
    site.run(&[]).expect(10);
    let before = state(&site);
    std::fs::remove_dir_all(site.path("reports")).expect("reports");
    site.run(&["report"]).expect(10);
    assert_eq!(state(&site), before);
    std::fs::remove_dir_all(site.path("statements")).expect("statements");
    site.run(&["reconcile"]).expect(10);
    assert_eq!(state(&site), before, "from archive and log, without the provider");
}

#[test]
fn a_lost_ledger_is_built_anew_from_the_archive() {
    let site = ordinary();
    site.run(&[]).expect(10);
    let before = state(&site);
    std::fs::remove_dir_all(site.path("statements")).expect("statements");
    for name in ["data/nightjob.db", "data/nightjob.db-wal", "data/nightjob.db-shm"] {
        drop(std::fs::remove_file(site.path(name)));
    }
    site.run(&["reconcile"]).expect(10);
    assert_eq!(state(&site), before);
}

#[test]
fn a_log_that_lost_rows_never_replaces_a_richer_result() {
    let site = ordinary();
    site.run(&[]).expect(10);
    let before = mismatches(&site);
    for (what, rows) in [
        ("all but a stray old row", vec![stray("2000-01-01 00:00:00")]),
        ("one row in the middle", vec![paid("A1", 1200, "09:00:00"), paid("A4", 700, "09:03:00")]),
        ("all but rows of a later day", vec![stray("2016-11-09 10:00:00")]),
    ] {
        std::fs::remove_file(site.path("ttpayment.db")).expect("the log");
        site.log(rows);
        site.run(&[]).expect(10).says("the log has been purged since");
        assert_eq!(mismatches(&site), before, "{what}");
    }
}

#[test]
fn a_narrower_account_loses_its_orders_to_the_configuration_and_not_to_a_purge() {
    let site = ordinary();
    site.run(&[]).expect(10);
    site.write("nightjob.toml", site.text("nightjob.toml") + "seller = [\"7777\"]\n");
    let ran = site.run(&[]).expect(10).says("belong to no configured account");
    assert!(!ran.out.contains("purged since"), "{}", ran.out);
    assert!(!mismatches(&site).contains("gateway_only"), "{}", mismatches(&site));
}

fn stray(at: &str) -> nightjob::store::OwnedLogRow {
    nightjob::store::OwnedLogRow { req_date: at.to_owned(), ..paid("Z1", 100, "09:00:00") }
}

fn mismatches(site: &SiteFolder) -> String {
    site.text("reports/2016-11-08/mismatches.csv")
}

#[test]
fn rows_without_a_time_are_told_and_looked_at() {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00")]));
    site.log([paid("A1", 1200, "09:00:00"), stray("")]);
    site.run(&[]).expect(10).says("1 log rows without a readable time");
}

/// Every row of every table but the journal of runs, and every byte of the reports.
fn state(site: &SiteFolder) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut state = runtime.block_on(rows(&site.path("data/nightjob.db")));
    for name in ["report.json", "mismatches.csv"] {
        state.push(site.text(&format!("reports/2016-11-08/{name}")));
    }
    state
}

async fn rows(database: &std::path::Path) -> Vec<String> {
    use sqlx::{Connection, Row};
    let mut connection =
        sqlx::SqliteConnection::connect(&format!("sqlite:{}", database.display())).await.expect("open");
    let mut all = Vec::new();
    for table in ["statement", "ledger_entry", "logged_order", "mismatch", "unit", "unclaimed"] {
        let columns = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT group_concat('quote(' || name || ')', '||') FROM pragma_table_info('{table}')"
        )))
        .fetch_one(&mut connection)
        .await
        .expect("columns");
        let columns: String = columns.get(0);
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {columns} FROM {table} ORDER BY 1")))
            .fetch_all(&mut connection)
            .await
            .expect("rows");
        all.extend(rows.iter().map(|row| format!("{table}: {}", row.get::<String, _>(0))));
    }
    all
}

#[test]
fn a_changed_statement_is_the_next_version_and_the_old_one_stays() {
    let site = ordinary();
    site.run(&[]).expect(10);
    site.statement(bill(&[("A1", "12.00"), ("A2", "99.99"), ("A4", "7.00")]));
    site.run(&[]).expect(0);
    let rows = state(&site);
    let statements: Vec<&String> = rows.iter().filter(|row| row.starts_with("statement:")).collect();
    assert_eq!(statements.len(), 2, "{statements:?}");
    assert!(statements[0].contains("'superseded'") && statements[1].contains("'current'"), "{statements:?}");
    let gone = rows.iter().filter(|row| row.starts_with("mismatch:") && row.contains("'gone'")).count();
    assert_eq!(gone, 3, "a mismatch is for ever");
}

#[test]
fn a_failed_day_is_retried_by_the_next_run_and_leaves_a_trace() {
    let site = SiteFolder::with_local_file();
    site.log([paid("A1", 1200, "09:00:00")]);
    let failed = site.run(&[]).expect(7);
    assert!(!failed.out.contains("of an earlier one"), "there is none: {failed:?}");
    let report = site.text("reports/2016-11-08/report.json");
    assert!(report.contains("\"not_compared\"") && report.contains("statement is not ready"), "{report}");
    site.statement(bill(&[("A1", "12.00")]));
    site.run(&[]).expect(0).says("balanced");
}

#[test]
fn a_failure_never_destroys_an_earlier_result() {
    let site = ordinary();
    site.run(&[]).expect(10);
    let before = state(&site);
    std::fs::remove_dir_all(site.path("statements")).expect("statements");
    let failed = site.run(&[]).expect(7);
    assert!(
        failed.out.starts_with("wx 2016-11-08: this run failed; what follows is of an earlier one\n"),
        "{failed:?}"
    );
    assert_eq!(state(&site), before);
}

#[test]
fn a_statement_that_is_not_in_this_archive_is_told_with_what_may_have_happened() {
    let site = ordinary();
    site.run(&[]).expect(10);
    std::fs::remove_dir_all(site.path("data/archive/objects")).expect("objects");
    site.run(&["reconcile"]).expect(9).says("machines that share a ledger must share its archive");
}

#[test]
fn yesterday_is_reconciled_again_when_todays_statement_brings_the_rest() {
    let site = SiteFolder::with_local_file();
    // Logged two minutes before midnight, without the provider's time.
    let mut late = paid("L1", 300, "23:58:00");
    late.res_obj = "<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code>\
                    <out_trade_no>L1</out_trade_no><total_fee>300</total_fee></xml>"
        .into();
    let mut lost = paid("L2", 400, "23:59:00");
    lost.res_obj = late.res_obj.replace("L1", "L2").replace("300", "400");
    site.log([paid("A1", 1200, "09:00:00"), late, lost]);
    site.statement(bill(&[("A1", "12.00")]));
    site.run(&[]).expect(0).says("awaiting");
    let next = crate::site::bill_of("1900012345", "2016-11-09", &[("L1", "3.00")]);
    site.write("statements/WX/1900012345/20161109.csv", next);
    let mut night = site.command(&[]);
    night.env("NIGHTJOB_NOW", "2016-11-11T02:17:00+08:00");
    crate::site::ran(night.output().expect("the program")).expect(10);
    let report = site.text("reports/2016-11-08/report.json");
    assert!(
        report.contains("\"kind\": \"out\"") && report.contains("\"other_day\": \"2016-11-09\""),
        "{report}"
    );
    assert!(report.contains("\"gateway_only\""), "L2 came nowhere: {report}");
    let second = site.text("reports/2016-11-09/report.json");
    assert!(second.contains("\"kind\": \"in\""), "{second}");
}

#[test]
fn the_log_was_purged_and_what_was_kept_is_used() {
    let site = ordinary();
    site.run(&[]).expect(10);
    let before = site.text("reports/2016-11-08/mismatches.csv");
    std::fs::remove_file(site.path("ttpayment.db")).expect("the log");
    let mut later = paid("Z1", 100, "09:00:00");
    later.req_date = "2016-11-09 10:00:00".into();
    site.log([later]);
    site.run(&[]).expect(10).says("the log has been purged since");
    assert_eq!(site.text("reports/2016-11-08/mismatches.csv"), before);
}

#[test]
fn an_empty_log_makes_the_day_incomplete_and_not_full_of_false_mismatches() {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00"), ("A2", "9.00")]));
    site.log([]);
    site.run(&[]).expect(10).says("incomplete");
    assert_eq!(site.text("reports/2016-11-08/mismatches.csv").lines().count(), 1);
}
