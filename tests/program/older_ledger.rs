//! A ledger that an earlier version of the program made.

use crate::site::{SiteFolder, bill, paid};

fn change(site: &SiteFolder, sql: &'static str) -> Vec<String> {
    use sqlx::{Connection as _, Row as _};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let url = format!("sqlite:{}", site.path("data/nightjob.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a ledger");
        let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await.expect("sound SQL");
        connection.close().await.expect("closed");
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    })
}

#[test]
fn a_ledger_from_before_the_answers_is_brought_up_to_date_by_a_run() {
    const TABLES: &str = "SELECT name FROM sqlite_master WHERE name IN ('answer', 'unit') ORDER BY name";
    for first in [&["run"][..], &["migrate"], &["reconcile"]] {
        let site = SiteFolder::with_local_file();
        site.statement(bill(&[("A1", "12.00")]));
        site.log([paid("A1", 1200, "09:00:00"), paid("A2", 700, "09:01:00")]);
        site.run(&[]).expect(10);
        let before = site.text("reports/2016-11-08/report.json");
        change(
            &site,
            "DROP TABLE answer; DROP TABLE holder; DROP TABLE mismatch_event; ALTER TABLE unit DROP COLUMN orders_hash; \
             ALTER TABLE unit DROP COLUMN section_hash; UPDATE schema_version SET version = 1",
        );
        assert_eq!(change(&site, TABLES), ["unit"]);
        let index = site.text("data/archive/index.jsonl");
        let unsealed: Vec<&str> =
            index.split_inclusive('\n').filter(|line| !line.starts_with("{\"seal\"")).collect();
        site.write("data/archive/index.jsonl", unsealed.concat());
        // A reader alters nothing, and says what to do.
        site.run(&["explain", "A2"]).expect(3).says("migrate");
        let code = if first == ["migrate"] { 0 } else { 10 };
        site.run(first).expect(code);
        assert_eq!(change(&site, TABLES), ["answer", "unit"], "{first:?}");
        site.run(&["explain", "A2"]).expect(0);
        // A unit that was not compared since has no event and no hash of its own yet.
        let (code, words) =
            if first == ["migrate"] { (10, "kept no hash") } else { (0, "1 of 1 units proven") };
        site.run(&["verify"]).expect(code).says(words);
        site.run(&["report"]).expect(10);
        assert_eq!(site.text("reports/2016-11-08/report.json"), before, "{first:?}");
    }
}
