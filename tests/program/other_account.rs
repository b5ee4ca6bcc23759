//! An order that the log names one account for, and that stands in another account's statement.

use nightjob::store::OwnedLogRow;

use crate::site::{SiteFolder, bill_of, paid};

const A: &str = "[[account]]\nname = \"a\"\npaytype = \"WX\"\nchannel = \"local_file\"\nmerchant = \"1900012345\"\n\
                 seller = [\"8888\"]\npath = \"statements/{merchant}/{date}.csv\"\n\n";
const B: &str = "[[account]]\nname = \"b\"\npaytype = \"WX\"\nchannel = \"local_file\"\nmerchant = \"1900054321\"\n\
                 seller = [\"8801\"]\npath = \"statements/{merchant}/{date}.csv\"\n\n";

fn of_b(row: OwnedLogRow) -> OwnedLogRow {
    OwnedLogRow { req_obj: row.req_obj.replace("\"SellerID\":\"8888\"", "\"SellerID\":\"8801\""), ..row }
}

/// X1 is logged for `a` and stands in the statement of `b`.
fn site(accounts: [&str; 2]) -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.write(
        "nightjob.toml",
        format!(
            "paytype = \"WX\"\nreport_lang = \"en\"\n\n[paylog]\ndatabase = \"sqlite:ttpayment.db\"\n\n{}",
            accounts.concat()
        ),
    );
    site.write("statements/1900012345/20161108.csv", bill_of("1900012345", "2016-11-08", &[("A1", "12.00")]));
    let theirs = bill_of("1900054321", "2016-11-08", &[("B1", "3.00"), ("X1", "7.00"), ("N1", "2.00")]);
    site.write("statements/1900054321/20161108.csv", theirs);
    site.log([paid("A1", 1200, "09:00:00"), of_b(paid("B1", 300, "09:00:00")), paid("X1", 700, "09:01:00")]);
    site
}

fn csv(site: &SiteFolder) -> String {
    site.text("reports/2016-11-08/mismatches.csv")
}

/// The sections by account.
fn units(site: &SiteFolder) -> Vec<serde_json::Value> {
    let report: serde_json::Value =
        serde_json::from_str(&site.text("reports/2016-11-08/report.json")).expect("a report");
    let mut units = report["units"].as_array().expect("units").clone();
    units.sort_by_key(|unit| unit["account"].to_string());
    units
}

#[test]
fn what_stands_in_another_accounts_statement_is_one_mismatch_of_the_account_that_the_log_names() {
    let mut seen = Vec::new();
    for accounts in [[A, B], [B, A]] {
        let site = site(accounts);
        site.run(&[]).expect(10);
        let rows: Vec<String> = csv(&site).lines().skip(1).map(str::to_owned).collect();
        assert_eq!(rows.len(), 2, "{rows:#?}");
        assert!(rows[0].contains(",a,WX,account_mismatch,payment,X1,"), "{}", rows[0]);
        assert!(rows[1].contains(",b,WX,channel_only,payment,N1,"), "nobody knows it: {}", rows[1]);
        let both = units(&site);
        for unit in &both {
            for sides in ["lines", "orders"] {
                assert_eq!(unit["conservation"][sides]["rest"]["count"], 0, "{unit:#}");
            }
            assert_eq!(unit["bridge"][0]["unexplained_minor"], 0, "{unit:#}");
        }
        let before = (csv(&site), both);
        site.run(&["reconcile"]).expect(10);
        assert_eq!((csv(&site), units(&site)), before, "after `reconcile`");
        site.run(&[]).expect(10);
        assert_eq!((csv(&site), units(&site)), before, "after another night");
        site.run(&["reconcile", "--account", "b"]).expect(10);
        assert_eq!((csv(&site), units(&site)), before, "after `reconcile` of the one");
        seen.push(before);
    }
    assert_eq!(seen[0], seen[1], "whatever the order of the accounts");
}

#[test]
fn what_the_other_account_shows_is_found_also_when_it_comes_later_and_alone() {
    let wanted = |site: &SiteFolder| {
        let rows = csv(site);
        assert!(rows.contains(",a,WX,account_mismatch,payment,X1,"), "{rows}");
        assert_eq!(rows.lines().count(), 3, "{rows}");
    };
    for (first, second) in [("a", "b"), ("b", "a")] {
        let site = site([A, B]);
        site.run(&["--account", first]).expect(10);
        assert!(!csv(&site).contains("account_mismatch"), "{}", csv(&site));
        site.run(&["--account", second]).expect(10);
        wanted(&site);
    }
    let site = site([A, B]);
    let theirs = site.text("statements/1900054321/20161108.csv");
    std::fs::remove_file(site.path("statements/1900054321/20161108.csv")).expect("the other statement");
    site.run(&[]).expect(7);
    assert!(csv(&site).contains(",a,WX,gateway_only,payment,X1,"), "{}", csv(&site));
    site.write("by-hand.csv", theirs);
    site.run(&["import", "by-hand.csv", "--account", "b", "--date", "20161108"]).expect(10);
    wanted(&site);
}

/// X1 was paid at midnight and settled by `b` the next day. The charge that `a`'s statement has under the same number is
/// another one.
#[test]
fn what_the_other_account_settles_the_next_day_covers_no_second_charge() {
    let site = site([A, B]);
    std::fs::remove_file(site.path("ttpayment.db")).expect("the site's log");
    site.log([
        paid("A1", 1200, "09:00:00"),
        of_b(paid("B1", 300, "09:00:00")),
        of_b(paid("X1", 700, "23:59:50")),
    ]);
    for (merchant, day, lines) in [
        ("1900012345", "2016-11-08", &[("A1", "12.00"), ("X1", "7.00")][..]),
        ("1900054321", "2016-11-08", &[("B1", "3.00")]),
        ("1900054321", "2016-11-09", &[("X1", "7.00")]),
    ] {
        let file = format!("statements/{merchant}/{}.csv", day.replace('-', ""));
        site.write(&file, bill_of(merchant, day, lines));
    }
    site.run(&["--date", "20161108"]).expect(10);
    assert!(!csv(&site).contains(",a,"), "`b` still misses it, and says so: {}", csv(&site));
    site.run(&["--date", "20161109", "--account", "b"]);

    let rows = csv(&site);
    assert!(rows.contains(",a,WX,channel_only,payment,X1,"), "{rows}");
    assert_eq!(rows.lines().count(), 2, "{rows}");
}
