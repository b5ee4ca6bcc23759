//! Bills beside the trade bill: fetched, proven and named, and never compared with the log.

use nightjob::sandbox::{Desk, Faults, Mishap, Rule, Tries};

use crate::town::{Town, every_room};

/// An account alone, with this bill beside its trade bill.
fn town(account: &str, bill: &str, rules: Vec<Rule>) -> Town {
    let town = Town::new(&every_room(150, Faults::Spread(40)), rules);
    town.keep_accounts(&[account], |_, part| format!("{part}bills = [\"trade\", \"{bill}\"]\n"));
    town
}

#[test]
fn both_bills_are_named_with_their_hashes_and_only_the_trade_bill_is_loaded() {
    for (account, bill) in [("mall-wx3", "fundflow"), ("mall-ali", "signcustomer")] {
        let town = town(account, bill, Vec::new());
        town.run(&[]).expect(10);
        let unit = town.unit(account);
        let inputs = unit["inputs"].as_array().expect("inputs");
        let hash = |kind: &str| {
            let input =
                inputs.iter().find(|input| input["kind"] == kind).unwrap_or_else(|| panic!("{unit:#}"));
            input["sha256"].as_str().expect("a hash").to_owned()
        };
        let (trade, beside) = (hash("statement"), hash(bill));
        assert!(trade.len() == 64 && beside.len() == 64 && trade != beside, "{trade} {beside}");
        let kept =
            town.ledger("SELECT bill || ' ' || sha256 || ' ' || state FROM statement ORDER BY bill DESC");
        let mut wanted = [format!("trade {trade} current"), format!("{bill} {beside} current")];
        wanted.sort_by(|a, b| b.cmp(a));
        assert_eq!(kept, wanted);
        let rows =
            inputs.iter().find(|input| input["kind"] == "statement").expect("the trade bill")["rows"].clone();
        let lines = town.ledger("SELECT order_no FROM ledger_entry").len();
        assert_eq!(rows, lines, "only the trade bill's lines");
        let before = (town.mismatches(), town.text("reports/2016-11-08/report.json"));
        town.run(&["reconcile"]).expect(10);
        town.run(&[]).expect(10);
        assert_eq!((town.mismatches(), town.text("reports/2016-11-08/report.json")), before);
        town.run(&["verify"]);
    }
}

#[test]
fn a_bill_beside_that_fails_leaves_the_comparison_standing_and_comes_with_the_next_night() {
    for (account, bill, desk, number, mishap, code) in [
        ("mall-wx3", "fundflow", Desk::WechatFundFlow, 1, Mishap::NotReady, 7),
        ("mall-wx3", "fundflow", Desk::WechatFundFlow, 1, Mishap::BalanceOff, 8),
        ("mall-wx3", "fundflow", Desk::WechatFundFlow, 1, Mishap::WrongHash, 8),
        ("mall-ali", "signcustomer", Desk::AlipayGateway, 2, Mishap::NotReady, 7),
        ("mall-ali", "signcustomer", Desk::AlipayGateway, 2, Mishap::Refused, 6),
        ("mall-ali", "signcustomer", Desk::AlipayDownload, 2, Mishap::OtherMerchant, 8),
    ] {
        let about = format!("{bill} {mishap:?}");
        let rules = vec![Rule::new(desk, Tries::Only(number), mishap).of(account)];
        let town = town(account, bill, rules);
        town.run_with(&[], &[("NIGHTJOB_HTTP__TRIES", "1")]).expect(code).says(bill);
        let unit = town.unit(account);
        assert_eq!(unit["verdict"], "unbalanced", "{about}: {unit:#}");
        let rows = town.mismatches();
        assert!(rows.lines().count() > 1);
        assert!(unit["remarks"].to_string().contains(bill), "{about}: {unit:#}");
        let kept = town.ledger("SELECT bill FROM statement WHERE state = 'current'");
        assert_eq!(kept, ["trade"], "{about}");
        town.run(&[]).expect(10);
        let kept = town.ledger("SELECT bill FROM statement WHERE state = 'current'");
        assert_eq!((kept.len(), town.mismatches()), (2, rows), "{about}");
    }
}
