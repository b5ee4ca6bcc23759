//! `status`: the grid of accounts and days, as a person and as a script sees it.

use std::path::Path;

use crate::missed_nights::{night, site, statement};
use crate::site::{SiteFolder, bill_of, ran};

fn json(site: &SiteFolder, arguments: &[&str]) -> serde_json::Value {
    let said = night(site, 15, &[&["status", "--json"], arguments].concat()).expect(0);
    serde_json::from_str::<serde_json::Value>(&said.out).expect("one document")["status"].clone()
}

/// A ledger with one unit of each kind: 08 done, 09 empty, 10 waiting, 11 quarantined, 12 failed, 13 missing.
fn mixed() -> SiteFolder {
    let site = site(8..=8, |_| true);
    night(&site, 10, &[]).expect(0);
    site.write("statements/WX/1900012345/20161109.csv", bill_of("1900012345", "2016-11-09", &[]));
    night(&site, 15, &["--date", "20161109"]);
    night(&site, 15, &["--date", "20161110"]).expect(7);
    site.write("statements/WX/1900012345/20161111.csv", "nonsense");
    night(&site, 15, &["--date", "20161111"]).expect(8);
    statement(&site, 12);
    let log = site.read("ttpayment.db");
    std::fs::remove_file(site.path("ttpayment.db")).expect("the log");
    night(&site, 15, &["--date", "20161112"]).expect(9);
    site.write("ttpayment.db", log);
    site
}

/// Names, lengths and times of change of every file.
fn files(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let (path, data) = entry.map(|e| (e.path(), e.metadata().expect("data"))).expect("an entry");
        if data.is_dir() {
            files(&path, found);
        } else {
            found.push(format!("{} {} {:?}", path.display(), data.len(), data.modified().expect("a time")));
        }
    }
    found.sort();
}

#[test]
fn every_kind_of_unit_has_its_word() {
    let site = mixed();
    let status = json(&site, &[]);
    let stage = |day: &str| {
        let units = status["units"].as_array().expect("units");
        units.iter().find(|unit| unit["bill_date"] == day).expect(day)["stage"]
            .as_str()
            .expect("a word")
            .to_owned()
    };
    let stages: Vec<String> = (7..=14).map(|day| stage(&format!("2016-11-{day:02}"))).collect();
    assert_eq!(
        stages,
        ["not_owed", "done", "empty", "waiting", "quarantined", "failed", "missing", "not_due"]
    );
    assert_eq!((&status["from"], &status["to"]), (&"2016-11-01".into(), &"2016-11-14".into()));
    assert_eq!(status["stages"]["quarantined"], 1);
    assert_eq!(status["last_run"]["exit_code"], 9);
    assert_eq!(status["lock"]["held"], false);
    let text = night(&site, 15, &["status"]).expect(0).says("6 units: done 1, empty 1, waiting 1, failed 1");
    let row = text.out.lines().find(|line| line.starts_with("wx ")).expect("a row");
    let marks: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(marks, ["wx", "ok", "-", "w", "Q", "F", "M", "."], "{}", text.out);
    assert!(
        text.out.contains("nightjob run --from 2016-11-10 --to 2016-11-13 --reprocess failed"),
        "{}",
        text.out
    );
    assert_eq!(json(&site, &["--last", "3"])["units"].as_array().map(Vec::len), Some(3));
    assert_eq!(json(&site, &["--date", "20161108"])["units"][0]["statement_version"], 1);
    night(&site, 15, &["status", "--last", "3", "--date", "20161108"]).expect(2);
    night(&site, 15, &["status", "--last", "93"]).expect(2);
}

#[test]
fn mismatches_are_counted_and_healed_days_change_their_word() {
    let site = mixed();
    site.write(
        "statements/WX/1900012345/20161108.csv",
        bill_of("1900012345", "2016-11-08", &[("A8", "13.00")]),
    );
    statement(&site, 10);
    night(&site, 15, &["--from", "20161108", "--to", "20161110"]);
    let status = json(&site, &["--from", "20161108", "--to", "20161110"]);
    assert_eq!(status["units"][0]["mismatches"], 1);
    assert_eq!(
        (&status["units"][0]["stage"], &status["units"][2]["stage"]),
        (&"done".into(), &"done".into())
    );
}

#[test]
fn it_reads_and_nothing_else_also_without_a_ledger() {
    let site = site(8..=8, |_| true);
    let mut before = Vec::new();
    files(site.dir.path(), &mut before);
    night(&site, 15, &["status"]).expect(0).says("there is no ledger yet");
    let mut after = Vec::new();
    files(site.dir.path(), &mut after);
    assert_eq!(before, after);
    let site = mixed();
    // The lock file and the ledger of a run that has ended; SQLite's own reader's files come and go beside it.
    let (mut before, mut after) = (Vec::new(), Vec::new());
    files(site.dir.path(), &mut before);
    night(&site, 15, &["status"]).expect(0);
    files(site.dir.path(), &mut after);
    let ours = |list: &[String]| -> Vec<String> {
        list.iter().filter(|line| !line.contains("-shm ") && !line.contains("-wal ")).cloned().collect()
    };
    assert_eq!(ours(&before), ours(&after));
}

#[test]
fn a_ledger_that_is_gone_is_not_taken_for_one_that_nobody_has_made_yet() {
    let site = site(8..=9, |_| true);
    night(&site, 15, &["--from", "20161108", "--to", "20161109"]);
    for name in ["data/nightjob.db", "data/nightjob.db-wal", "data/nightjob.db-shm"] {
        drop(std::fs::remove_file(site.path(name)));
    }
    let again = "nightjob reconcile --from 2016-11-08 --to 2016-11-09";
    let said = night(&site, 15, &["status"]).expect(0).says("the ledger is gone").says(again);
    assert!(!said.out.contains("no ledger yet"), "{}", said.out);
    let status = json(&site, &[]);
    assert_eq!(
        status["lost_ledger"],
        serde_json::json!({"statements": 2, "from": "2016-11-08", "to": "2016-11-09"})
    );
    for command in [&["verify"][..], &["backup", "copy"], &["purge-plan"]] {
        night(&site, 15, command).expect(9).says("the ledger is gone").says("a backup").says(again);
    }
    // As it says.
    night(&site, 15, &again.split(' ').skip(1).collect::<Vec<&str>>());
    night(&site, 15, &["verify"]).expect(0);
    assert_eq!(json(&site, &[])["lost_ledger"], serde_json::Value::Null);
}

#[test]
fn days_are_those_of_utc_plus_8_wherever_the_machine_thinks_it_is() {
    let site = mixed();
    let here = json(&site, &[]);
    for zone in ["America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "UTC"] {
        let mut command = site.command(&["status", "--json"]);
        command.env("TZ", zone).env("NIGHTJOB_NOW", "2016-11-14T18:17:00Z");
        let said = ran(command.output().expect("the program")).expect(0);
        let document: serde_json::Value = serde_json::from_str(&said.out).expect("one document");
        assert_eq!(document["status"], here, "{zone}");
        let mut plan = site.command(&["plan"]);
        plan.env("TZ", zone).env("NIGHTJOB_NOW", "2016-11-14T18:17:00Z");
        let said = ran(plan.output().expect("the program")).expect(0);
        assert!(
            said.out.contains("2016-11-13 wx") && !said.out.contains("2016-11-14 wx"),
            "{zone}: {}",
            said.out
        );
    }
}

#[test]
fn the_grid_is_said_in_chinese_too() {
    let site = mixed();
    let mut command = site.command(&["status"]);
    command.env("NIGHTJOB_NOW", "2016-11-15T02:17:00+08:00").env("LANG", "zh_CN.UTF-8");
    let said = ran(command.output().expect("the program")).expect(0);
    let row = said.out.lines().find(|line| line.starts_with("wx ")).expect("a row");
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["wx", "平", "空", "等", "隔", "败", "缺", "."]);
    assert!(
        said.out.contains("合计 6 个：已对账 1") && said.out.contains("现在没有实例在运行"),
        "{}",
        said.out
    );
}
