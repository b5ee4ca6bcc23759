//! `purge-plan`: up to which day the log may be deleted. It executes nothing.

use crate::site::{SiteFolder, bill_of, paid, ran};
use nightjob::store::OwnedLogRow;

/// A payment of a day of November.
fn on(day: u32, order_no: &str, fen: i64) -> OwnedLogRow {
    let mut row = paid(order_no, fen, "09:00:00");
    row.req_date = format!("2016-11-{day:02} 09:00:00");
    row.req_txdate = format!("201611{day:02}");
    row.res_obj = row.res_obj.replace("20161108", &format!("201611{day:02}"));
    row.req_obj = row.req_obj.replace("20161108", &format!("201611{day:02}"));
    row
}

/// Nights of the 1st to the 10th of November, all balanced, with an older row that nobody compared.
fn ten_days() -> SiteFolder {
    let site = SiteFolder::with_local_file();
    let mut rows: Vec<OwnedLogRow> = (1..=10).map(|day| on(day, &format!("A{day}"), 100)).collect();
    let mut older = on(1, "OLD", 100);
    older.req_date = "2016-10-20 09:00:00".into();
    older.res_obj = older.res_obj.replace("20161101", "20161020");
    rows.push(older);
    site.log(rows);
    for day in 1..=10 {
        let text = bill_of("1900012345", &format!("2016-11-{day:02}"), &[(&format!("A{day}"), "1.00")]);
        site.write(&format!("statements/WX/1900012345/201611{day:02}.csv"), text);
    }
    site
}

fn at(site: &SiteFolder, arguments: &[&str]) -> crate::site::Ran {
    let mut command = site.command(arguments);
    command.env("NIGHTJOB_NOW", "2016-11-12T02:17:00+08:00");
    ran(command.output().expect("the program"))
}

#[test]
fn the_plan_ends_before_what_the_next_day_looks_back_over() {
    let site = ten_days();
    at(&site, &["purge-plan"]).expect(9).says("there is no ledger yet");
    at(&site, &["run", "--from", "20161101", "--to", "20161110"]).expect(0);
    let log = site.read("ttpayment.db");
    let plan = at(&site, &["purge-plan"]).expect(0);
    // Look back 3 days, and one for midnight: the 7th to the 10th stay.
    let plan = plan
        .says("-- 6 rows of EB_PAYLOG from 2016-11-01 to 2016-11-06 may be deleted")
        .says("2016-11-07 to 2016-11-10 are kept")
        .says("wx 2016-11-11 is not done")
        .says("1 rows before the first day were never compared")
        .says("DELETE FROM EB_PAYLOG WHERE REQ_DATE >= '2016-11-01 00:00:00' AND REQ_DATE < '2016-11-07 00:00:00';");
    assert!(plan.out.lines().all(|line| line.starts_with("-- ") || line.ends_with(';')), "{}", plan.out);
    assert_eq!(site.read("ttpayment.db"), log, "nothing is executed");
    // Done as it says, nothing changes but what was printed.
    let before = site.text("reports/2016-11-06/report.json");
    delete(&site, plan.out.lines().find(|line| line.starts_with("DELETE")).expect("a statement"));
    at(&site, &["reconcile", "--from", "20161101", "--to", "20161110"]).expect(0);
    assert!(site.text("reports/2016-11-06/report.json").contains("purged since"), "{before}");
    at(&site, &["verify"]).expect(0).says("10 of 10 units proven");
    at(&site, &["purge-plan"]).expect(0).says("-- 0 rows");
}

fn delete(site: &SiteFolder, statement: &str) {
    use sqlx::Connection as _;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let url = format!("sqlite:{}", site.path("ttpayment.db").display());
        let mut log = sqlx::SqliteConnection::connect(&url).await.expect("the log");
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
            .execute(&mut log)
            .await
            .expect("sound SQL");
        assert_eq!(done.rows_affected(), 6);
        log.close().await.expect("closed");
    });
}

#[test]
fn whatever_is_open_holds_the_log() {
    for (what, change, code, reason) in [
        ("a mismatch", "mismatch", 10, "wx 2016-11-03 has 1 mismatch open"),
        ("a day that failed", "missing", 7, "wx 2016-11-03 is not done"),
        ("an order of nobody", "unclaimed", 10, "2016-11-03: 1 logged orders belong to no account"),
        ("a log that came late", "late", 10, "wx 2016-11-03 is compared, but the data lack something"),
    ] {
        let site = ten_days();
        match change {
            "mismatch" => {
                let text = bill_of("1900012345", "2016-11-03", &[("A3", "1.00"), ("X", "9.00")]);
                site.write("statements/WX/1900012345/20161103.csv", text);
            }
            "late" => {
                std::fs::remove_file(site.path("ttpayment.db")).expect("the log");
                site.log((1..=10).filter(|day| *day != 3).map(|day| on(day, &format!("A{day}"), 100)));
            }
            "missing" => {
                std::fs::remove_file(site.path("statements/WX/1900012345/20161103.csv")).expect("a file")
            }
            _ => {
                let config = site.text("nightjob.toml") + "seller = [\"8888\"]\n";
                site.write("nightjob.toml", config);
                let mut stray = on(3, "S1", 100);
                stray.req_obj = stray.req_obj.replace("\"SellerID\":\"8888\"", "\"SellerID\":\"7777\"");
                let rows = (1..=10).map(|day| on(day, &format!("A{day}"), 100)).chain([stray]);
                std::fs::remove_file(site.path("ttpayment.db")).expect("the log");
                site.log(rows);
            }
        }
        at(&site, &["run", "--from", "20161101", "--to", "20161110"]).expect(code);
        let plan = at(&site, &["purge-plan", "--json"]).expect(0).says(reason);
        let plan: serde_json::Value = serde_json::from_str(&plan.out).expect("JSON");
        // The 1st and 2nd are settled, and look-back keeps both.
        assert_eq!(plan["through"], serde_json::Value::Null, "{what}: {plan:#}");
        assert_eq!(plan["statements"].as_array().map(Vec::len), Some(0), "{what}");
    }
}
