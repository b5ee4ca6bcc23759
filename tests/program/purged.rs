//! A day whose log rows are gone: reruns, `explain` and `verify` work from what was kept, say so, and never make a result
//! poorer.

use crate::site::{SiteFolder, bill, bill_of, paid, ran};

fn night() -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00"), ("A2", "100.00"), ("A3", "5.00")]));
    site.log(rows());
    site.run(&[]).expect(10);
    site
}

fn rows() -> Vec<nightjob::store::OwnedLogRow> {
    vec![paid("A1", 1200, "09:00:00"), paid("A2", 9999, "09:01:00"), paid("A4", 700, "09:03:00")]
}

/// Another log in place of the one that was there.
fn relog(site: &SiteFolder, rows: Vec<nightjob::store::OwnedLogRow>) {
    std::fs::remove_file(site.path("ttpayment.db")).expect("the log");
    site.log(rows);
}

fn results(site: &SiteFolder) -> String {
    site.text("reports/2016-11-08/mismatches.csv")
}

#[test]
fn a_log_without_the_day_leaves_every_result_and_is_told() {
    for (what, left) in [
        ("the whole table is empty", vec![]),
        ("one row is left", vec![paid("A1", 1200, "09:00:00")]),
        ("all but one are left", rows()[..2].to_vec()),
    ] {
        let site = night();
        let before = results(&site);
        relog(&site, left);
        for command in [&["run"][..], &["reconcile"], &["run"]] {
            site.run(command).expect(10).says("the log has been purged since");
            assert_eq!(results(&site), before, "{what}: {command:?}");
        }
        site.run(&["verify"]).expect(0).says("1 of 1 units proven");
    }
}

/// `verify` says of such a unit that `reconcile` writes it again: it must not do so from a log that has nothing of the day.
#[test]
fn a_section_that_cannot_be_read_costs_no_order_that_was_kept() {
    let site = night();
    let before = results(&site);
    relog(&site, vec![]);
    crate::verify::sql(&site, "UPDATE unit SET section = '{'");
    site.run(&["verify"]).expect(13).says("expected a section of a report, found");
    site.run(&["reconcile"]).expect(10).says("the log has been purged since");
    assert_eq!(results(&site), before);
    site.run(&["verify"]).expect(0).says("1 of 1 units proven");
}

#[test]
fn an_item_is_explained_from_what_was_kept() {
    let site = night();
    relog(&site, vec![]);
    let told = site.run(&["explain", "A2"]).expect(0).says("the log no longer has its rows");
    assert!(told.out.contains("99.99") && told.out.contains("100.00"), "both sides: {}", told.out);
    assert!(told.out.contains("paid"), "what the log said: {}", told.out);
    // An order that is no mismatch, too.
    let told = site.run(&["explain", "A1"]).expect(0).says("the log no longer has its rows");
    assert!(told.out.contains("12.00"), "{}", told.out);
    // An order that only the statement has was never in the log: there nothing is missing.
    let told = site.run(&["explain", "A3"]).expect(0);
    assert!(!told.out.contains("no longer has"), "{}", told.out);
    site.run(&["explain", "A2", "--json"]).expect(0).says("the log no longer has its rows");
}

#[test]
fn a_log_that_is_there_is_not_called_purged() {
    let site = night();
    let told = site.run(&["explain", "A2"]).expect(0);
    assert!(!told.out.contains("no longer has"), "{}", told.out);
}

#[test]
fn the_next_day_still_knows_what_was_paid_before_midnight() {
    let site = SiteFolder::with_local_file();
    let mut late = paid("L1", 300, "23:58:00");
    late.res_obj = "<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code>\
                    <out_trade_no>L1</out_trade_no><total_fee>300</total_fee></xml>"
        .into();
    site.log([paid("A1", 1200, "09:00:00"), late]);
    site.statement(bill(&[("A1", "12.00")]));
    site.run(&[]).expect(0).says("awaiting");
    // The day was purged before the next one was compared.
    let mut next_day = paid("B1", 100, "10:00:00");
    next_day.req_date = "2016-11-09 09:00:00".into();
    next_day.res_obj = next_day.res_obj.replace("20161108", "20161109");
    relog(&site, vec![next_day]);
    let next = bill_of("1900012345", "2016-11-09", &[("L1", "3.00"), ("B1", "1.00")]);
    site.write("statements/WX/1900012345/20161109.csv", next);
    let mut night = site.command(&[]);
    night.env("NIGHTJOB_NOW", "2016-11-11T02:17:00+08:00");
    ran(night.output().expect("the program")).expect(0);
    let first = site.text("reports/2016-11-08/report.json");
    assert!(first.contains("\"kind\": \"out\"") && first.contains("purged since"), "{first}");
    let second = site.text("reports/2016-11-09/report.json");
    assert!(second.contains("\"kind\": \"in\"") && !second.contains("channel_only"), "{second}");
    site.run(&["verify"]).expect(0).says("2 of 2 units proven");
}

#[test]
fn a_day_that_is_asked_order_by_order_keeps_its_book_after_a_purge() {
    use crate::town::{Town, every_room};
    use nightjob::domain::PayType;
    use nightjob::sandbox::{DayPlan, Faults};
    let plan = DayPlan { paytypes: vec![PayType::Tianta], ..every_room(60, Faults::Spread(12)) };
    let town = Town::new(&plan, Vec::new());
    town.run(&[]).expect(10);
    let before = town.mismatches();
    town.log(|_| false);
    town.run(&[]).expect(10).says("the log has been purged since");
    assert_eq!(town.mismatches(), before);
    town.run(&["verify"]).expect(0);
}
