//! The other commands: plan, fetch, import, explain, config, migrate, completions, man, and `--json`.

use crate::site::{SiteFolder, bill, paid};

fn site() -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00"), ("A2", "100.00")]));
    site.log([paid("A1", 1200, "09:00:00"), paid("A2", 9999, "09:01:00")]);
    site
}

#[test]
fn plan_touches_nothing() {
    let site = site();
    site.run(&["plan"]).expect(0).says("2016-11-08 wx WX local_file");
    site.run(&["plan", "--from", "20161101", "--to", "20161103"]).expect(0).says("2016-11-02 wx");
    assert!(!site.path("data").exists() && !site.path("reports").exists());
}

#[test]
fn fetch_archives_and_leaves_the_ledger_alone() {
    let site = site();
    site.run(&["fetch"]).expect(0);
    assert!(site.text("data/archive/index.jsonl").contains("20161108"));
    assert!(!site.path("reports").exists());
}

#[test]
fn import_takes_a_file_through_the_same_checks() {
    let site = site();
    std::fs::remove_dir_all(site.path("statements")).expect("statements");
    site.write("download.csv", bill(&[("A1", "12.00"), ("A2", "99.99")]));
    site.run(&["import", "download.csv", "--account", "wx", "--date", "20161108"]).expect(0).says("balanced");
    site.write("wrong.csv", crate::site::bill_of("1900099999", "2016-11-08", &[("A1", "1.00")]));
    site.run(&["import", "wrong.csv", "--account", "wx", "--date", "20161108"]).expect(8).says("1900099999");
    site.run(&["import", "absent.csv", "--account", "wx", "--date", "20161108"]).says("absent.csv");
    site.run(&["import", "download.csv", "--date", "20161108"]).expect(2);
}

#[test]
fn explain_shows_both_sides_the_raw_line_and_the_log() {
    let site = site();
    site.run(&[]).expect(10);
    let csv = site.text("reports/2016-11-08/mismatches.csv");
    let row = csv.lines().nth(1).expect("a mismatch");
    let id = row.split(',').next().expect("an id");
    for asked in [id, "A2"] {
        let ran = site.run(&["explain", asked]).expect(0);
        let told = ran.says("99.99").says("100.00").says("createandpay").says("`TA2,`A2");
        assert!(!told.out.contains('\u{1b}'));
    }
    site.run(&["explain", "TA2"]).expect(0).says("amount mismatch");
    site.run(&["explain", "A1"]).expect(0).says("`TA1,`A1");
    site.run(&["explain", "NOPE"]).expect(2).says("NOPE");
}

#[test]
fn json_is_one_document_with_the_exit_code_and_all_reasons() {
    let site = site();
    let ran = site.run(&["--json"]).expect(10);
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("one document");
    assert_eq!(document["exit"]["code"], 10);
    assert_eq!(document["units"][0]["verdict"], "unbalanced");
    assert_eq!(document["files"][0], "reports/2016-11-08/report.json");
    let ran = site.run(&["--json", "--date", "20161131"]).expect(2);
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("one document");
    assert_eq!(document["exit"]["code"], 2);
}

#[test]
fn talk_as_json_is_one_object_a_line() {
    let ran = site().run(&["--log-format", "json"]).expect(10);
    assert!(!ran.err.is_empty());
    for line in ran.err.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(event["level"].is_string() && event["message"].is_string(), "{line}");
    }
}

#[test]
fn config_check_and_show() {
    let site = site();
    site.run(&["config", "check"]).expect(0).says("wx");
    site.run(&["config", "show"]).expect(0).says("nightjob.toml:").says("lag_days");
}

#[test]
fn config_check_tells_of_an_address_that_no_night_could_use() {
    let site = site();
    site.write("x", "CANARY");
    let check = |variables: &[(&str, &str)]| {
        let mut command = site.command(&["config", "check"]);
        command.envs(variables.iter().copied());
        let said = crate::site::ran(command.output().expect("the program")).expect(3);
        assert!(!said.err.contains("CANARY") && !said.err.contains(" warn"), "{}", said.err);
        said
    };
    for address in ["postgres://u@h/ledger?pasword=file:x", "mysql://u@h/ledger?pasword=file:x"] {
        check(&[("NIGHTJOB_DATABASE", address)]).says("an option `pasword`").says("NIGHTJOB_DATABASE");
    }
    let both = check(&[
        ("NIGHTJOB_DATABASE", "postgres://u@h/ledger?sslmode=requir"),
        ("NIGHTJOB_PAYLOG__DATABASE", "mysql://h/log?password=file:x"),
    ]);
    both.says("`sslmode` a value `requir`").says("verify-full").says("`paylog.database` names no user");
    site.run(&["config", "check"]).expect(0);
}

#[test]
fn migrate_completions_and_man() {
    let site = site();
    site.run(&["migrate"]).expect(0);
    site.run(&["migrate"]).expect(0).says("already");
    for shell in ["bash", "zsh", "fish", "powershell"] {
        site.run(&["completions", shell]).expect(0).says("explain");
    }
    site.run(&["man"]).expect(0).says(".TH nightjob");
}

#[test]
fn the_talk_is_chinese_where_the_locale_is() {
    let site = site();
    let mut night = site.command(&[]);
    night.env("LANG", "zh_CN.UTF-8");
    crate::site::ran(night.output().expect("the program")).expect(10).says("差异 1 项");
    site.run(&["--lang", "zh-CN"]).expect(10).says("差异 1 项");
}
