//! A channel without statements: every logged order is asked about, and what was answered is never asked again.

use nightjob::domain::PayType;
use nightjob::sandbox::{DayPlan, Desk, Faults, Mishap, Rule, Tries};

use crate::town::{Town, every_room};

const ACCOUNT: &str = "mall-tianta";
/// One try for each question, so that requests can be counted.
const ONE_TRY: (&str, &str) = ("NIGHTJOB_HTTP__TRIES", "1");
/// Longer than any of these tests.
const LONG: std::time::Duration = std::time::Duration::from_secs(600);
/// Orders in a row without an answer, after which a provider is left alone (`spec/ttpay.md` B.4).
const SILENT_MAX: u32 = 10;

/// A night of TianTa alone.
fn tianta(faults: Faults, rules: Vec<Rule>) -> Town {
    Town::new(&DayPlan { paytypes: vec![PayType::Tianta], ..every_room(60, faults) }, rules)
}

/// Something goes wrong with these requests about orders of the bill date.
fn wrong(requests: impl IntoIterator<Item = u32>, mishap: Mishap) -> Vec<Rule> {
    let rule = |number| {
        Rule::new(Desk::Tianta, Tries::Only(number), mishap).of(ACCOUNT).on(crate::town::date("20161108"))
    };
    requests.into_iter().map(rule).collect()
}

fn answers(town: &Town) -> usize {
    town.ledger("SELECT order_no FROM answer WHERE outcome <> 'rejected'").len()
}

/// A night without trouble: its requests, its answers, its reports.
fn undisturbed() -> (u32, usize, [String; 2]) {
    let town = tianta(Faults::Spread(12), Vec::new());
    town.run_with(&[], &[ONE_TRY]).expect(10);
    assert_eq!(town.unit(ACCOUNT)["proof"], "query");
    (town.asked(Desk::Tianta, ACCOUNT), answers(&town), reports(&town))
}

fn reports(town: &Town) -> [String; 2] {
    [town.mismatches(), town.text("reports/2016-11-08/report.json")]
}

#[test]
fn a_night_that_is_broken_off_keeps_its_answers_and_the_next_asks_only_what_is_missing() {
    let (requests, all_answers, undisturbed) = undisturbed();
    for (what, rules, arguments, code, lost) in [
        ("ten silences in a row", wrong(6..6 + SILENT_MAX, Mishap::Status(503)), &[][..], 5, SILENT_MAX),
        ("nine silences", wrong(6..5 + SILENT_MAX, Mishap::Status(503)), &[], 5, SILENT_MAX - 1),
        ("refused in the middle", wrong([6], Mishap::WrongSignature), &[], 6, 1),
        ("out of time", wrong([6], Mishap::Slow(LONG)), &["--max-duration", "2s"], 12, 1),
        ("an answer about another order", wrong([6], Mishap::OtherOrder), &[], 8, 1),
    ] {
        let town = tianta(Faults::Spread(12), rules);
        town.run_with(arguments, &[ONE_TRY]).expect(code);
        let first = town.asked(Desk::Tianta, ACCOUNT);
        let kept = answers(&town);
        assert!(kept >= 5, "{what}: {kept} answers");
        let is_compared = !town.ledger("SELECT order_no FROM ledger_entry").is_empty();
        assert!(!is_compared && town.unit(ACCOUNT)["verdict"] == "not_compared", "{what}");
        if what.starts_with("nine") {
            assert_eq!(kept + 9, all_answers, "after fewer silences the others are asked all the same");
        } else {
            assert!(first < requests, "{what}: {first} of {requests}");
        }
        // A success that TianTa denies is asked about again: a wrong key may have been put right since.
        let denied =
            u32::try_from(town.ledger("SELECT order_no FROM answer WHERE outcome = 'not_found'").len());
        let denied = denied.expect("few");
        town.run_with(&[], &[ONE_TRY]).expect(10);
        let all = town.asked(Desk::Tianta, ACCOUNT);
        assert_eq!(all, requests + lost + denied, "{what}: {first} requests in the first night");
        assert_eq!(reports(&town), undisturbed, "{what}");
        town.run_with(&["reconcile"], &[]).expect(10);
        assert_eq!((town.asked(Desk::Tianta, ACCOUNT), reports(&town)), (all, undisturbed.clone()), "{what}");
    }
}

#[test]
fn a_wrong_key_is_refused_at_the_first_question() {
    let town = tianta(Faults::Spread(0), Vec::new());
    town.write("secrets/mall-tianta.key", "ABCDEF0123");
    town.run_with(&[], &[ONE_TRY]).expect(6).says("mall-tianta 2016-11-08");
    assert_eq!(town.asked(Desk::Tianta, ACCOUNT), 0, "nothing that was well signed");
    assert_eq!(answers(&town), 0);
}

#[test]
fn an_answer_about_another_order_is_kept_marked_and_nothing_is_compared() {
    for (pay_type, desk) in [(PayType::Tianta, Desk::Tianta), (PayType::Teegon, Desk::Teegon)] {
        let plan = DayPlan { paytypes: vec![pay_type], ..every_room(60, Faults::Spread(0)) };
        let rule = Rule::new(desk, Tries::Only(3), Mishap::OtherOrder).on(crate::town::date("20161108"));
        let town = Town::new(&plan, vec![rule]);
        town.run_with(&[], &[ONE_TRY]).expect(8).says("nothing was compared");
        assert_eq!(town.ledger("SELECT order_no FROM answer WHERE outcome = 'rejected'").len(), 1);
        assert_eq!(town.ledger("SELECT order_no FROM logged_order").len(), 0);
        town.run_with(&[], &[ONE_TRY]).expect(0).says("confirmed");
        assert_eq!(
            answers(&town),
            town.ledger("SELECT order_no FROM answer").len(),
            "{pay_type}: asked again"
        );
    }
}

const GATEWAY: [&str; 2] = ["--account", "mall-gw"];

/// The gateway's own account, whose gateway has no `downloadbill`.
fn old_gateway(sweep: bool) -> Town {
    let town = Town::new(&every_room(120, Faults::Spread(0)), Vec::new());
    town.replace("[gateway]\n", &format!("[gateway]\naction_download = \"getbill\"\nsweep = {sweep}\n"));
    town
}

#[test]
fn a_gateway_without_a_download_is_asked_order_by_order_if_that_is_wanted() {
    let town = old_gateway(true);
    town.run(&[&GATEWAY[..], &["plan"]].concat()).expect(0).says("mall-gw WX ttpay http://127.0.0.1:");
    town.run(&GATEWAY).expect(0).says("mall-gw: compared by asking order by order");
    let unit = town.unit("mall-gw");
    assert_eq!((&unit["proof"], &unit["verdict"]), (&"query".into(), &"confirmed".into()), "{unit:#}");
    let asked = town.asked(Desk::GatewayOrder, "mall-gw");
    assert!(asked > 5, "{asked}");
    town.run(&GATEWAY).expect(0);
    assert_eq!(town.asked(Desk::GatewayOrder, "mall-gw"), asked, "what is known is not asked again");
    let never = old_gateway(false);
    never.run(&GATEWAY).expect(6).says("gateway.sweep");
    assert_eq!(never.asked(Desk::GatewayOrder, "mall-gw"), 0);
}
