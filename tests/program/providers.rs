//! Nights against the sandbox: real HTTP, verified signatures, and providers that misbehave.

use std::sync::Arc;

use nightjob::domain::BillDate;
use nightjob::sandbox::{self, DayPlan, Desk, Faults, Mishap, Rule, Running, Scenario, Site, Tries};
use nightjob::store::SampleLog;

use crate::site::{Ran, command, ran};

/// Longer than any of these tests.
const LONG: std::time::Duration = std::time::Duration::from_secs(600);

struct Town {
    dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    providers: Running,
}

impl Town {
    fn new(orders: u32, faults: Faults, rules: Vec<Rule>) -> Town {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads");
        let plan =
            DayPlan { orders, faults, ..DayPlan::new(BillDate::parse("20161108").expect("a day"), 11) };
        let day = Arc::new(sandbox::simulate(&plan));
        let providers = runtime.block_on(sandbox::start(day.clone(), rules, 0)).expect("a free port");
        let dir = tempfile::tempdir().expect("a folder");
        Site::of(&day).write_files(dir.path(), providers.addr, nightjob::domain::Lang::En).expect("files");
        let mut log = SampleLog::create(&dir.path().join("ttpayment.db")).expect("a log");
        log.insert(day.rows().map(nightjob::command::logged)).expect("rows");
        runtime.block_on(log.finish()).expect("a log");
        Town { dir, runtime, providers }
    }

    fn of(scenario: Scenario) -> Town {
        Town::new(120, scenario.faults(Faults::Spread(6)), scenario.rules())
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ran(command(self.dir.path(), arguments).output().expect("the program"))
    }
}

#[test]
fn scenarios_end_with_their_codes() {
    for (scenario, code) in [
        (Scenario::Ordinary, 10),
        (Scenario::Clean, 0),
        (Scenario::NotReady, 7),
        (Scenario::Refused, 6),
        (Scenario::Hostile, 8),
    ] {
        let town = Town::of(scenario);
        town.run(&[]).expect(code);
    }
}

#[test]
fn trouble_that_passes_heals_within_the_run() {
    let town = Town::of(Scenario::Flaky);
    let mut night = command(town.dir.path(), &[]);
    night.env("NIGHTJOB_HTTP__PAUSE", "10ms");
    ran(night.output().expect("the program")).expect(10).says("trying again");
}

#[test]
fn one_account_that_fails_does_not_stop_the_others() {
    let rules = vec![Rule::new(Desk::WechatBill, Tries::Always, Mishap::Refused).of("mall-wx")];
    let town = Town::new(120, Faults::Spread(0), rules);
    let ran = town.run(&["--json"]).expect(6);
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("a document");
    let verdicts: Vec<&str> =
        document["units"].as_array().expect("units").iter().filter_map(|u| u["verdict"].as_str()).collect();
    assert_eq!(verdicts, ["not_compared", "balanced", "balanced"]);
}

#[test]
fn a_wrong_key_is_refused_and_named() {
    let town = Town::new(60, Faults::Spread(0), Vec::new());
    std::fs::write(town.dir.path().join("secrets/mall-wx.key"), "0123456789abcdef0123456789abcdef")
        .expect("a key");
    town.run(&[]).expect(6).says("mall-wx 2016-11-08").says("20001");
    std::fs::write(town.dir.path().join("secrets/mall-ali.private.pem"), "no key at all").expect("a key");
    town.run(&[]).expect(3).says("mall-ali");
}

#[test]
fn no_network_is_5_and_keeps_what_was_done() {
    let town = Town::new(60, Faults::Spread(0), Vec::new());
    town.run(&[]).expect(0);
    let Town { dir, runtime, providers } = town;
    runtime.block_on(providers.shutdown());
    let before = std::fs::read(dir.path().join("reports/2016-11-08/report.json")).expect("a report");
    let mut offline = command(dir.path(), &[]);
    offline.env("NIGHTJOB_HTTP__TRIES", "1");
    ran(offline.output().expect("the program")).expect(5);
    assert_eq!(std::fs::read(dir.path().join("reports/2016-11-08/report.json")).expect("a report"), before);
}

#[test]
fn the_deadline_ends_a_run_with_12_and_the_next_one_does_the_rest() {
    let rules = vec![Rule::new(Desk::WechatBill, Tries::Only(1), Mishap::Slow(LONG)).of("mall-wx")];
    let town = Town::new(60, Faults::Spread(0), rules);
    let ran = town.run(&["--max-duration", "1s", "--json"]).expect(12).says("--max-duration");
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("a document");
    assert_eq!(document["units"].as_array().map(Vec::len), Some(3), "{document:#}");
    assert!(town.dir.path().join("reports/2016-11-08/report.json").exists(), "a report always");
    town.run(&[]).expect(0);
}

#[test]
fn no_bill_never_undoes_a_day_that_had_lines() {
    let rules = vec![Rule::new(Desk::WechatBill, Tries::Only(2), Mishap::NoBill).of("mall-wx")];
    let town = Town::new(60, Faults::Spread(0), rules);
    town.run(&[]).expect(0);
    let report = town.dir.path().join("reports/2016-11-08/report.json");
    let before = std::fs::read(&report).expect("a report");
    town.run(&[]).expect(8).says("now says that there is no bill");
    assert_eq!(std::fs::read(&report).expect("a report"), before);
    town.run(&[]).expect(0);
}

#[test]
fn the_demo_finds_exactly_what_was_planted_for_20_seeds() {
    for seed in 1..=20 {
        let dir = tempfile::tempdir().expect("a folder");
        let seed = seed.to_string();
        let words =
            ["demo", "--dir", "d", "--orders", "150", "--faults", "25", "--seed", &seed, "--json", "-q"];
        let ran = ran(command(dir.path(), &words).output().expect("the program")).expect(10);
        let document: serde_json::Value = serde_json::from_str(&ran.out).expect("a document");
        assert!(document["planted"].as_u64() > Some(25), "mismatches, and what moved over midnight");
        assert_eq!(document["planted"], document["found"], "seed {seed}");
        assert_eq!(
            (&document["missed"], &document["not_planted"]),
            (&serde_json::json!([]), &serde_json::json!([]))
        );
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_and_the_next_one_does_the_rest() {
    let rules = vec![Rule::new(Desk::WechatBill, Tries::First(2), Mishap::Slow(LONG)).of("mall-wx")];
    let town = Town::new(60, Faults::Spread(0), rules);
    let day = BillDate::parse("20161108").expect("a day");
    for (signal, code, seen) in [("-TERM", 143, 1), ("-INT", 130, 2)] {
        let mut child = command(town.dir.path(), &[])
            .stderr(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the program");
        // Once its request has arrived it waits for the answer, and signals are listened to.
        while town.providers.tries(Desk::WechatBill, "mall-wx", day) < seen {
            assert!(child.try_wait().expect("a child").is_none(), "it ended by itself");
            std::thread::yield_now();
        }
        let killed = std::process::Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .expect("kill");
        assert!(killed.success());
        assert_eq!(child.wait().expect("an end").code(), Some(code));
        town.run(&["status"]).expect(0).says(&format!(", exit {code}: "));
    }
    town.run(&[]).expect(0);
}
