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
fn a_bill_beside_that_fails_leaves_the_comparison_standing() {
    for (mishap, code) in [(Mishap::NotReady, 7), (Mishap::BalanceOff, 8), (Mishap::WrongHash, 8)] {
        let rules = vec![Rule::new(Desk::WechatFundFlow, Tries::First(3), mishap).of("mall-wx3")];
        let town = town("mall-wx3", "fundflow", rules);
        town.run_with(&[], &[("NIGHTJOB_HTTP__TRIES", "1")]).expect(code).says("fundflow");
        let unit = town.unit("mall-wx3");
        assert_eq!(unit["verdict"], "unbalanced", "{mishap:?}: {unit:#}");
        assert!(town.mismatches().lines().count() > 1);
        let remarks = unit["remarks"].to_string();
        assert!(remarks.contains("fundflow"), "{mishap:?}: {remarks}");
        let kept = town.ledger("SELECT bill FROM statement WHERE state = 'current'");
        assert_eq!(kept, ["trade"], "{mishap:?}");
    }
}
