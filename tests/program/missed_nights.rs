//! Nights that were missed or failed, and the bare run after them; `--reprocess`.

use crate::site::{Ran, SiteFolder, bill_of, paid, ran};

/// A night that begins at 02:17 of this day of November 2016; its own day is two days before.
pub(crate) fn night(site: &SiteFolder, day: u32, arguments: &[&str]) -> Ran {
    let mut command = site.command(arguments);
    command.env("NIGHTJOB_NOW", format!("2016-11-{day:02}T02:17:00+08:00"));
    ran(command.output().expect("the program"))
}

/// One payment on each of the days, logged and (where `stated`) in the statement.
pub(crate) fn site(days: std::ops::RangeInclusive<u32>, stated: impl Fn(u32) -> bool) -> SiteFolder {
    let site = SiteFolder::with_local_file();
    let on = |day: u32, text: &str| {
        text.replace("2016-11-08", &format!("2016-11-{day:02}"))
            .replace("20161108", &format!("201611{day:02}"))
    };
    site.log(days.clone().map(|day| {
        let mut row = paid(&format!("A{day}"), 1200, "09:00:00");
        for text in [&mut row.req_txdate, &mut row.req_date, &mut row.req_obj, &mut row.res_obj] {
            *text = on(day, text);
        }
        row
    }));
    days.filter(|day| stated(*day)).for_each(|day| statement(&site, day));
    site
}

pub(crate) fn statement(site: &SiteFolder, day: u32) {
    let bytes = bill_of("1900012345", &format!("2016-11-{day:02}"), &[(&format!("A{day}"), "12.00")]);
    site.write(&format!("statements/WX/1900012345/201611{day:02}.csv"), bytes);
}

/// Days of November that have a report.
fn reported(site: &SiteFolder) -> Vec<String> {
    let entries = std::fs::read_dir(site.path("reports")).expect("reports");
    let mut days: Vec<String> =
        entries.map(|entry| entry.expect("a folder").file_name().to_string_lossy()[8..].to_owned()).collect();
    days.sort();
    days
}

fn verdict(site: &SiteFolder, day: u32) -> String {
    let report = site.text(&format!("reports/2016-11-{day:02}/report.json"));
    let report: serde_json::Value = serde_json::from_str(&report).expect("a report");
    report["verdict"].as_str().expect("a verdict").to_owned()
}

/// Days in the order in which a run told of them.
fn told(ran: &Ran) -> Vec<&str> {
    let units =
        ran.err.lines().filter(|line| line.starts_with("wx 2016-11-") && line.contains(" statement line"));
    units.map(|line| &line["wx 2016-11-".len()..][..2]).collect()
}

#[test]
fn missed_nights_are_filled_oldest_first_and_nothing_before_the_first_one() {
    let site = site(1..=12, |_| true);
    let first = night(&site, 10, &[]).expect(0);
    assert_eq!(told(&first), ["08"], "a fresh ledger catches up nothing");
    let plan = night(&site, 14, &["plan"]).expect(0).says("2016-11-09 wx").says("catch-up: missing");
    assert!(!plan.out.contains("2016-11-08") && plan.out.contains("2016-11-12 wx"), "{}", plan.out);
    let after = night(&site, 14, &[]).expect(0).says("first the 3 that 2016-11-09 to 2016-11-11 left undone");
    assert_eq!(told(&after), ["09", "10", "11", "12"]);
    assert_eq!(reported(&site), ["08", "09", "10", "11", "12"]);
    let again = night(&site, 14, &[]).expect(0);
    assert_eq!(told(&again), ["12"], "what is done is left alone");
}

#[test]
fn a_day_that_failed_is_healed_by_the_next_night_that_can() {
    let site = site(8..=10, |day| day != 8);
    night(&site, 10, &[]).expect(7);
    let still = night(&site, 11, &[]).expect(7).says("wx 2016-11-08 waiting");
    assert_eq!(told(&still), ["09"], "a failing old day never stops tonight's");
    assert_eq!((verdict(&site, 8).as_str(), verdict(&site, 9).as_str()), ("not_compared", "balanced"));
    statement(&site, 8);
    let healed = night(&site, 12, &[]).expect(0);
    assert_eq!(told(&healed), ["08", "10"]);
    assert_eq!(verdict(&site, 8), "balanced");
}

#[test]
fn a_filled_day_has_the_one_after_it_compared_again() {
    let site = site(8..=10, |day| day != 8);
    // Paid on the 8th, in the statement of the 9th: without the 8th nobody knows it, and it is 12.00 too much.
    let bytes = bill_of("1900012345", "2016-11-09", &[("A9", "12.00"), ("A8", "12.00")]);
    site.write("statements/WX/1900012345/20161109.csv", bytes);
    site.write("nightjob.toml", format!("cutoff_minutes = 0\n{}", site.text("nightjob.toml")));
    night(&site, 10, &[]).expect(7);
    night(&site, 11, &[]);
    site.write("statements/WX/1900012345/20161108.csv", bill_of("1900012345", "2016-11-08", &[]));
    night(&site, 12, &[]);
    let report = site.text("reports/2016-11-09/report.json");
    assert!(report.contains("\"kind\": \"in\"") && !report.contains("\"channel_only\""), "{report}");
}

#[test]
fn it_is_compared_again_also_where_another_account_has_that_day_filled() {
    let site = site(8..=11, |day| day != 8);
    let bytes = bill_of("1900012345", "2016-11-09", &[("A9", "12.00"), ("A8", "12.00")]);
    site.write("statements/WX/1900012345/20161109.csv", bytes);
    let second = "[[account]]\nname = \"second\"\npaytype = \"WX\"\nchannel = \"local_file\"\nmerchant = \"2088\"\n\
                  seller = [\"9999\"]\npath = \"statements/{paytype}/{merchant}/{date}.csv\"\n";
    let config =
        site.text("nightjob.toml").replace("name = \"wx\"\n", "name = \"wx\"\nseller = [\"8888\"]\n");
    site.write("nightjob.toml", format!("cutoff_minutes = 0\n{config}\n{second}"));
    let other = |day: u32| {
        let bytes = bill_of("2088", &format!("2016-11-{day:02}"), &[]);
        site.write(&format!("statements/WX/2088/201611{day:02}.csv"), bytes);
    };
    [8, 10, 11].into_iter().for_each(other);
    (10..=12).for_each(|day| drop(night(&site, day, &[]).expect(7)));
    // Now both come: the 8th of the first account, the 9th of the other. The 10th keeps the night's own day away.
    site.write("statements/WX/1900012345/20161108.csv", bill_of("1900012345", "2016-11-08", &[]));
    other(9);
    night(&site, 13, &[]).says("wx 2016-11-08 waiting; second 2016-11-09 waiting");
    let report = site.text("reports/2016-11-09/report.json");
    assert!(report.contains("\"kind\": \"in\"") && !report.contains("\"channel_only\""), "{report}");
}

#[test]
fn only_the_bare_night_catches_up_and_only_as_far_as_it_was_told() {
    for (before, arguments) in [
        ("", &["--date", "20161112"][..]),
        ("", &["--from", "20161112", "--to", "20161112"]),
        ("", &["reconcile"]),
        ("catch_up_days = 0\n", &[]),
        ("sqe_date = \"20161112\"\n", &[]),
    ] {
        let site = site(8..=12, |_| true);
        night(&site, 10, &[]).expect(0);
        site.write("nightjob.toml", format!("{before}{}", site.text("nightjob.toml")));
        night(&site, 14, arguments);
        assert_eq!(reported(&site), ["08", "12"], "{before}{arguments:?}");
    }
    let site = site(8..=12, |_| true);
    night(&site, 10, &[]).expect(0);
    site.write("nightjob.toml", format!("catch_up_days = 1\n{}", site.text("nightjob.toml")));
    night(&site, 14, &[]).expect(0);
    assert_eq!(reported(&site), ["08", "11", "12"]);
}

#[test]
fn an_account_that_was_added_later_is_not_filled_from_before_it_was_there() {
    let site = site(8..=13, |_| true);
    night(&site, 10, &[]).expect(0);
    let second = "[[account]]\nname = \"late\"\npaytype = \"ALI\"\nchannel = \"local_file\"\nmerchant = \"2088\"\n\
                  path = \"statements/{paytype}/{merchant}/{date}.csv\"\n";
    let config =
        site.text("nightjob.toml").replace("paytype = \"WX\"\nreport", "paytype = \"WX|ALI\"\nreport");
    site.write("nightjob.toml", format!("{config}\n{second}"));
    let ran = night(&site, 14, &[]).expect(7);
    let asked = |day: u32| ran.err.contains(&format!("late 2016-11-{day:02}"));
    assert_eq!((8..=12).filter(|day| asked(*day)).collect::<Vec<u32>>(), [12], "{}", ran.err);
    let ran = night(&site, 15, &["--account", "late"]).expect(7).says("late 2016-11-12 waiting");
    assert_eq!(told(&ran), Vec::<&str>::new(), "narrowed to one account");
    let ran = night(&site, 15, &[]).expect(7);
    assert_eq!(told(&ran), ["13"]);
}

#[test]
fn what_the_provider_keeps_no_more_is_named_and_not_asked_for() {
    let site = SiteFolder::with_local_file();
    site.log([]);
    site.write(
        "nightjob.toml",
        "paytype = \"WX\"\nlag_days = 90\n[paylog]\ndatabase = \"sqlite:ttpayment.db\"\n[http]\ntries = 1\n[[account]]\n\
         name = \"wx\"\npaytype = \"WX\"\nchannel = \"wechat_v2\"\nmerchant = \"1900012345\"\napp_id = \"wx01\"\n\
         key = \"env:KEY\"\nurl = \"http://127.0.0.1:1\"\n",
    );
    let night = |day: u32| {
        let mut command = site.command(&[]);
        command.env("NIGHTJOB_NOW", format!("2016-11-{day:02}T02:17:00+08:00"));
        ran(command.env("KEY", "0123456789abcdef0123456789abcdef").output().expect("the program"))
    };
    night(10).expect(5);
    let late = night(14).expect(5);
    // Own day 2016-08-16; 08-12 and 08-13 are 94 and 93 days ago.
    for (day, is_out) in [("12", true), ("13", true), ("14", false), ("15", false)] {
        let said = late.err.contains(&format!("wx 2016-08-{day} is not done and 9"));
        let asked = late.err.contains(&format!("error: wx 2016-08-{day}"));
        assert_eq!((said, asked), (is_out, !is_out), "{day}\n{}", late.err);
    }
}

#[test]
fn reprocess_takes_what_is_missing_or_failed_or_all() {
    let site = site(8..=11, |day| day != 9);
    night(&site, 10, &[]).expect(0);
    night(&site, 11, &[]).expect(7);
    // A day whose file is refused.
    site.write("statements/WX/1900012345/20161110.csv", "nonsense");
    night(&site, 12, &["--date", "20161110"]).expect(8);
    statement(&site, 9);
    statement(&site, 10);
    let with = |which: &str| {
        night(&site, 13, &["run", "--from", "20161108", "--to", "20161111", "--reprocess", which]).expect(0)
    };
    let missing =
        with("missing").says("wx 2016-11-08: already done, version 1").says("--reprocess failed takes it");
    assert_eq!(told(&missing), ["09", "11"]);
    let failed = with("failed");
    assert_eq!(told(&failed), ["10"]);
    let nothing = with("missing").says("nothing to do: 4 units are left as they are");
    assert_eq!(told(&nothing), Vec::<&str>::new());
    assert_eq!(told(&with("all")), ["08", "09", "10", "11"]);
    let json = night(&site, 13, &["run", "--date", "20161108", "--reprocess", "failed", "--json"]).expect(0);
    let document: serde_json::Value = serde_json::from_str(&json.out).expect("one document");
    assert_eq!(document["left"][0]["stage"], "done");
    night(&site, 13, &["run", "--reprocess", "failed"]).expect(2).says("none was named");
    night(&site, 13, &["run", "--date", "20161108", "--reprocess", "some"]).expect(2);
}
