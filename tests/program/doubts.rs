//! Asking the provider about doubts: `run --investigate`, and `explain --ask` for one item. The answer is evidence, and
//! never changes a verdict.

use nightjob::sandbox::{Desk, Faults, Mishap, Rule, Tries};

use crate::site::{SiteFolder, bill, paid};
use crate::town::{Town, usual};

const DOUBTFUL: [&str; 3] = ["gateway_only", "channel_only", "lost_confirmation"];

fn town(rules: Vec<Rule>) -> Town {
    Town::new(&usual(120, Faults::Spread(38)), rules)
}

/// The CSV's rows without their evidence, and the evidence of each with its kind.
fn rows(town: &Town) -> (Vec<String>, Vec<(String, String)>) {
    let text = town.mismatches();
    let rows = text.lines().skip(1).map(|row| row.rsplit_once(',').expect("evidence is the last column"));
    let kind = |row: &str| row.split(',').nth(4).expect("a kind").to_owned();
    rows.map(|(row, evidence)| (row.to_owned(), (kind(row), evidence.to_owned()))).unzip()
}

fn verdicts(town: &Town) -> Vec<String> {
    let report = town.report();
    let units = report["units"].as_array().expect("units");
    units.iter().map(|unit| format!("{} {} {}", unit["account"], unit["verdict"], unit["reason"])).collect()
}

fn reports(town: &Town) -> [String; 2] {
    [town.mismatches(), town.text("reports/2016-11-08/report.json")]
}

#[test]
fn doubts_are_asked_about_and_the_answers_change_no_verdict() {
    let town = town(Vec::new());
    town.run(&[]).expect(10);
    let (before, plain) = rows(&town);
    let verdicts_before = verdicts(&town);
    assert!(plain.iter().all(|(_, evidence)| !evidence.contains("query:")));
    assert!(town.ledger("SELECT order_no FROM answer").is_empty());
    town.run(&["run", "--investigate"]).expect(10);
    let (after, told) = rows(&town);
    assert_eq!(after, before, "nothing but the evidence is new");
    assert_eq!(verdicts(&town), verdicts_before);
    let doubts = told.iter().filter(|(kind, _)| DOUBTFUL.contains(&kind.as_str()));
    let (asked, left): (Vec<_>, Vec<_>) = doubts.partition(|(_, evidence)| evidence.contains("query:"));
    assert!(asked.len() >= 20 && left.is_empty(), "{} {left:?}", asked.len());
    for word in ["query:paid", "query:not_found", "query:refunded"] {
        assert!(asked.iter().any(|(_, evidence)| evidence.contains(word)), "{word} {asked:#?}");
    }
    let answers = town.ledger("SELECT order_no FROM answer").len();
    assert_eq!(answers, asked.len());
    let kept = reports(&town);
    town.run(&["reconcile"]).expect(10);
    assert_eq!(reports(&town), kept, "from the ledger, without the provider");
    town.run(&["report"]).expect(10);
    assert_eq!(reports(&town), kept);
    let id = town.mismatches();
    let row = id.lines().find(|row| row.contains("query:not_found")).expect("one that it does not know");
    let requests = [Desk::WechatOrder, Desk::AlipayTrade].map(|desk| {
        ["mall-wx", "mall-wx-sub", "mall-ali"].map(|account| town.asked(desk, account)).iter().sum::<u32>()
    });
    town.run(&["explain", row.split(',').next().expect("an id")])
        .expect(0)
        .says("the channel does not know it");
    let again = [Desk::WechatOrder, Desk::AlipayTrade].map(|desk| {
        ["mall-wx", "mall-wx-sub", "mall-ali"].map(|account| town.asked(desk, account)).iter().sum::<u32>()
    });
    assert!(requests[0] > 5 && requests[1] > 5 && again == requests, "`explain` alone asks nobody");
}

#[test]
fn one_item_is_asked_about_and_its_answer_shown() {
    let town = town(Vec::new());
    town.run(&[]).expect(10);
    let before = reports(&town);
    let rows = before[0].clone();
    for account in ["mall-wx", "mall-ali"] {
        let wanted = format!(",{account},");
        let row = rows.lines().find(|row| row.contains(&wanted) && row.contains(",gateway_only,"));
        let id = row.expect("an order that the statement lacks").split(',').next().expect("an id");
        town.run(&["explain", id]).expect(0);
        assert!(town.ledger(&format!("SELECT order_no FROM answer WHERE account = '{account}'")).is_empty());
        town.run(&["explain", id, "--ask"]).expect(0).says("the channel does not know it");
        town.run(&["explain", id]).expect(0).says("the channel does not know it");
        assert_eq!(
            town.ledger(&format!("SELECT outcome FROM answer WHERE account = '{account}'")),
            ["not_found"]
        );
    }
    assert_eq!(reports(&town), before, "no report is written by a question");
    town.run(&["reconcile"]).expect(10);
    assert!(town.mismatches().contains("query:not_found"), "the next comparison shows it");
}

#[test]
fn an_answer_that_may_not_be_believed_is_kept_as_such() {
    let always = |mishap| vec![Rule::new(Desk::AlipayTrade, Tries::Always, mishap)];
    for mishap in [Mishap::OtherOrder, Mishap::ChangedAfterSigning, Mishap::Unsigned] {
        let town = town(always(mishap));
        town.run(&["run", "--investigate"]).expect(10);
        let outcomes = town.ledger("SELECT DISTINCT outcome FROM answer WHERE account = 'mall-ali'");
        // That it does not know an order is soundly signed all the same.
        let is_rejected = outcomes.iter().any(|outcome| outcome == "rejected");
        let is_told = outcomes.iter().any(|outcome| outcome == "told");
        assert!(is_rejected && !is_told, "{mishap:?}: {outcomes:?}");
        let told = rows(&town).1;
        assert!(
            told.iter().any(|(_, evidence)| evidence.contains("query:rejected")),
            "{mishap:?}: {told:#?}"
        );
    }
}

#[test]
fn a_provider_that_does_not_answer_costs_the_night_nothing() {
    for mishap in [Mishap::Status(503), Mishap::Refused] {
        let town = town(vec![Rule::new(Desk::WechatOrder, Tries::Always, mishap)]);
        town.run(&[]).expect(10);
        let before = rows(&town).0;
        town.run_with(&["run", "--investigate"], &[("NIGHTJOB_HTTP__TRIES", "1")])
            .expect(10)
            .says("not everything was asked about");
        assert_eq!(rows(&town).0, before, "{mishap:?}");
        assert!(
            !town.ledger("SELECT outcome FROM answer WHERE account = 'mall-ali'").is_empty(),
            "{mishap:?}"
        );
    }
}

#[test]
fn a_channel_that_cannot_be_asked_says_so() {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00")]));
    site.log([paid("A1", 1200, "09:00:00"), paid("A2", 700, "09:01:00")]);
    site.run(&["run", "--investigate"]).expect(10);
    site.run(&["explain", "A2", "--ask"])
        .expect(3)
        .says("channel local_file cannot be asked about single orders");
}
