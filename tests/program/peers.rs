//! Defects of peers that only the whole program can show (see `tests/reconcile/peers.rs` for the others).

use crate::site::{SiteFolder, bill, paid};

/// A good night, then the same day with a bad file.
fn after_a_good_night(bad: &str) -> (SiteFolder, String, String) {
    let site = SiteFolder::with_local_file();
    site.log([paid("A1", 1200, "09:00:00"), paid("A2", 900, "09:01:00")]);
    site.statement(bill(&[("A1", "12.00"), ("A2", "9.00")]));
    site.run(&[]).expect(0);
    let before = site.text("reports/2016-11-08/report.json");
    site.statement(bad);
    site.run(&[]).expect(8);
    let after = site.text("reports/2016-11-08/report.json");
    (site, before, after)
}

#[test]
fn peers_4_a_parse_failure_gave_an_empty_side_and_the_comparison_went_on() {
    let (_site, before, after) = after_a_good_night("this is no bill\n");
    assert_eq!(before, after);
}

#[test]
fn peers_5_the_trailer_was_read_and_ignored() {
    let text = bill(&[("A1", "12.00"), ("A2", "9.00")]).replace("`2,`21.00", "`2,`21.01");
    let (_site, before, after) = after_a_good_night(&text);
    assert_eq!(before, after);
}

#[test]
fn peers_20_a_file_read_partly_left_its_earlier_rows() {
    let text = bill(&[("A1", "12.00"), ("A2", "9.00")]).replacen("`9.00", "`9.0x", 1);
    let (site, before, after) = after_a_good_night(&text);
    assert_eq!(before, after);
    let fresh = SiteFolder::with_local_file();
    fresh.log([paid("A1", 1200, "09:00:00")]);
    fresh.statement(&text);
    fresh.run(&[]).expect(8);
    fresh.run(&["explain", "A1"]).expect(2).says("nothing is known");
    drop(site);
}
