//! One night over every room: what was planted is what is found, and a channel without statements never says more than
//! it can know.

use crate::site::{Ran, command, ran};

fn demo(words: &[&str]) -> (tempfile::TempDir, Ran) {
    let dir = tempfile::tempdir().expect("a folder");
    let words = [&["demo", "--dir", "d", "--orders", "100", "--paytype", "all"], words].concat();
    let ran = ran(command(dir.path(), &words).output().expect("the program"));
    (dir, ran)
}

fn document(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.out).expect("a document")
}

const QUERIED: [&str; 2] = ["mall-tianta", "mall-teegon"];

#[test]
fn the_demo_over_every_room_finds_exactly_what_was_planted() {
    for seed in ["1", "5", "23"] {
        let (_dir, ran) = demo(&["--faults", "60", "--seed", seed, "--json", "-q"]);
        let ran = ran.expect(10);
        let told = document(&ran);
        assert!(
            told["planted"].as_u64() > Some(60),
            "mismatches, what is held, and what moved over midnight"
        );
        assert_eq!(told["planted"], told["found"], "seed {seed}");
        let none = serde_json::json!([]);
        assert_eq!((&told["missed"], &told["not_planted"]), (&none, &none), "seed {seed}");
        assert_eq!(told["units"].as_array().map(Vec::len), Some(12), "seed {seed}");
    }
}

#[test]
fn a_clean_night_over_every_room_is_balanced_where_that_can_be_known() {
    let (dir, ran) = demo(&["--clean"]);
    let ran = ran.expect(0);
    let told = "mall-tianta, mall-teegon: compared by asking order by order: every logged order was asked for, what only \
                the channel knows cannot be seen";
    let (top, _) = ran.out.split_once("\nmall-wx  WX  ").expect("the first section");
    assert!(top.contains(told), "on top: {top}");
    let report =
        std::fs::read_to_string(dir.path().join("d/reports/2016-11-08/report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    for unit in report["units"].as_array().expect("units") {
        let name = unit["account"].as_str().expect("a name");
        let wanted = if QUERIED.contains(&name) { ("query", "confirmed") } else { ("statement", "balanced") };
        let found = (unit["proof"].as_str().unwrap_or(""), unit["verdict"].as_str().unwrap_or(""));
        assert_eq!(found, wanted, "{name}");
    }
    assert_eq!(report["verdict"], "confirmed", "no better than the worst of its units");
}
