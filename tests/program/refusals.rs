//! The bad days, one by one: what is said, the exit code, and that nothing is lost or half-written.

use std::io::Write as _;

use crate::site::{SiteFolder, bill, bill_of, paid};

/// A site whose ledger already holds a good night, so that a loss would show.
fn site() -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.log([paid("A1", 1200, "09:00:00")]);
    site
}

/// The file is refused with 8 and these words; it stays in the archive, marked, and the ledger has no line of it.
#[track_caller]
fn refused(bytes: impl AsRef<[u8]>, words: &str) {
    let site = site();
    site.statement(bytes.as_ref());
    site.run(&[]).expect(8).says(words);
    if !bytes.as_ref().is_empty() {
        let index = site.text("data/archive/index.jsonl");
        assert!(index.contains("\"rejected\""), "{index}");
    }
    let report = site.text("reports/2016-11-08/report.json");
    assert!(report.contains("\"verdict\": \"not_compared\""), "{report}");
    assert_eq!(site.text("reports/2016-11-08/mismatches.csv").lines().count(), 1);
}

fn good() -> String {
    bill(&[("A1", "12.00"), ("A2", "9.00")])
}

#[test]
fn a_truncated_file() {
    let text = good();
    let cut = text.find("总交易单数").expect("the totals");
    refused(&text[..cut], "总交易单数");
    refused(&text[..cut - 40], "line ");
}

#[test]
fn totals_off_by_one_fen_or_one_row() {
    refused(good().replace("`2,`21.00", "`2,`21.01"), "states 21.01, its lines add up to 21.00");
    refused(good().replace("`2,`21.00", "`3,`21.00"), "states 3, its lines add up to 2");
}

#[test]
fn another_merchants_bill_and_another_days() {
    refused(
        bill_of("1900099999", "2016-11-08", &[("A1", "1.00")]),
        "bill of merchant 1900099999 (line 2), not of 1900012345",
    );
    refused(
        bill_of("1900012345", "2016-11-07", &[("A1", "1.00")]),
        "bill of 2016-11-07 (line 2), not of 2016-11-08",
    );
}

#[test]
fn an_unknown_row_type_and_a_malformed_amount() {
    refused(good().replacen("`SUCCESS", "`SETTLED", 1), "SETTLED");
    refused(good().replacen("`12.00", "`1,200", 1), "1,200");
}

#[test]
fn nul_bytes_wrong_encoding_and_an_empty_file() {
    refused(good().replacen("tea", "t\0a", 1), "NUL");
    refused([good().as_bytes(), &[0xff, 0xff, 0xfe]].concat(), "not UTF-8");
    refused(good().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), "UTF-16");
    refused("", "empty");
}

#[test]
fn a_page_or_an_error_where_a_bill_is_expected() {
    refused("<html><body>502 Bad Gateway</body></html>", "HTML");
    refused("<xml><return_code>FAIL</return_code><return_msg>No Bill Exist</return_msg></xml>", "XML");
}

#[test]
fn a_line_of_100_mb_is_refused_at_once() {
    let text = good().replacen("tea", &"x".repeat(100_000_000), 1);
    let started = std::time::Instant::now();
    refused(&text, "line");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn a_gzip_bomb() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    let zeros = b"`0\r\n".repeat(1 << 18);
    (0..300).for_each(|_| packed.write_all(&zeros).expect("memory"));
    refused(packed.finish().expect("memory"), "inflates to more than 100 times its size");
}

#[test]
fn a_missing_table_or_column() {
    let site = SiteFolder::with_local_file();
    // A statement that is not there either hides nothing of it.
    site.run(&[]).expect(9).says("ttpayment.db").says("there is no file");
    site.statement(good());
    site.run(&[]).expect(9).says("ttpayment.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let make = |sql: &'static str| {
        let path = site.path("ttpayment.db");
        runtime.block_on(async move {
            use sqlx::Connection;
            let url = format!("sqlite:{}?mode=rwc", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a file");
            sqlx::query(sql).execute(&mut connection).await.expect("a table");
            connection.close().await.expect("closed");
        });
    };
    make("CREATE TABLE something (x)");
    site.run(&[]).expect(3).says("EB_PAYLOG");
    make(
        "CREATE TABLE EB_PAYLOG (REQ_TXDATE, REQ_MALLID, REQ_STORECODE, REQ_TILLID, REQ_DATE, REQ_OBJ, REQ_TYPE)",
    );
    site.run(&[]).expect(3).says("RES_OBJ");
}

#[test]
fn amounts_off_by_a_factor_of_100_stop_the_unit() {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00")]));
    let mut row = paid("A1", 1200, "09:00:00");
    row.req_obj = row.req_obj.replace("\"1200\"", "\"12\"");
    site.log([row]);
    site.run(&[]).expect(3).says("factor of 100").says("amount_unit");
    assert_eq!(site.text("reports/2016-11-08/mismatches.csv").lines().count(), 1);
}

#[test]
fn an_unwritable_folder() {
    let site = site();
    site.statement(bill(&[("A1", "12.00")]));
    site.write("blocked", "a file where a folder should be");
    for (key, folder) in [("reports", "blocked/reports"), ("archive", "blocked/archive")] {
        let mut command = site.command(&[]);
        command.env(format!("NIGHTJOB_{}", key.to_uppercase()), folder);
        crate::site::ran(command.output().expect("the program")).expect(9).says("blocked");
    }
    let mut command = site.command(&[]);
    command.env("NIGHTJOB_DATABASE", "sqlite:blocked/nightjob.db");
    crate::site::ran(command.output().expect("the program")).expect(9).says("blocked");
}

#[test]
fn bad_dates() {
    let site = site();
    for (date, words) in [
        ("20161110", "2016-11-10"),
        ("2016-11-11", "2016-11-11"),
        ("20161131", "20161131"),
        ("161108", "161108"),
        ("２０１６１１０８", "２０１６１１０８"),
    ] {
        site.run(&["--date", date]).expect(2).says(words);
    }
    assert!(!site.path("data").exists(), "nothing was written");
}

#[test]
fn an_unknown_pay_type_account_flag_or_key() {
    let site = site();
    site.run(&["--paytype", "WX|PAYPAL"]).expect(2).says("PAYPAL");
    site.run(&["--account", "wy"]).expect(2).says("wy");
    site.run(&["--dat", "20161108"]).expect(2);
    site.write("bad.toml", format!("chanels = 1\n{}", site.text("nightjob.toml")));
    site.run(&["--config", "bad.toml"]).expect(3).says("bad.toml:1:1").says("chanels");
    site.run(&["--config", "absent.toml"]).expect(3).says("absent.toml");
}

#[test]
fn a_second_instance_leaves_with_4_and_names_the_first() {
    let site = site();
    site.statement(bill(&[("A1", "12.00")]));
    std::fs::create_dir_all(site.path("data")).expect("a folder");
    let database = format!("sqlite:{}", site.path("data/nightjob.db").display());
    let path = nightjob::store::RunLock::path_of(&database, &site.path("data/archive")).expect("a path");
    let clock = nightjob::domain::Clock::System;
    let claim = nightjob::store::Claim { clock, host: "till-1", command: "the first" };
    let held = nightjob::store::RunLock::take(&path, &claim).expect("free");
    site.run(&[])
        .expect(4)
        .says(&format!("process {}", std::process::id()))
        .says("on till-1")
        .says("the first");
    drop(held);
    site.run(&[]).expect(0);
}

#[test]
fn orders_that_no_account_claims_are_named() {
    let site = SiteFolder::with_local_file();
    site.write("nightjob.toml", site.text("nightjob.toml") + "seller = [\"7777\"]\n");
    site.statement(bill(&[]));
    site.log([paid("A1", 1200, "09:00:00")]);
    site.run(&[]).expect(10).says("8888");
    assert!(site.text("reports/2016-11-08/report.json").contains("\"seller\": \"8888\""));
}

#[test]
fn a_set_sqe_date_is_honoured_and_warned_of_twice() {
    let site = site();
    site.statement(bill(&[("A1", "12.00")]));
    site.write("nightjob.toml", format!("sqe_date = \"20161108\"\n{}", site.text("nightjob.toml")));
    let mut night = site.command(&[]);
    night.env("NIGHTJOB_NOW", "2016-11-20T02:17:00+08:00");
    let ran = crate::site::ran(night.output().expect("the program")).expect(0);
    assert_eq!(ran.err.matches("sqe_date is set to 2016-11-08").count(), 2, "{}", ran.err);
    assert!(ran.err.contains("2016-11-18") && !ran.err.contains("2016-11-08 2016"), "{}", ran.err);
}
