//! Money that Alipay holds for a buyer: a list of its own with its age, and no mismatch, until the trade is finished.

use std::collections::BTreeMap;

use nightjob::domain::PayType;
use nightjob::sandbox::{DayPlan, Faults, Moved};

use crate::site::{command, ran};
use crate::town::{Town, every_room};

/// Held items of a day: age by order.
fn held(town: &Town, day: &str) -> BTreeMap<String, i64> {
    let text = town.text(&format!("reports/{day}/report.json"));
    let report: serde_json::Value = serde_json::from_str(&text).expect("a report");
    let units = report["units"].as_array().expect("units");
    let held = units.iter().flat_map(|unit| unit["held"].as_array().cloned().unwrap_or_default());
    held.map(|item| {
        let number = item["order_no"].as_str().expect("a number").to_owned();
        (number, item["age_days"].as_i64().expect("an age"))
    })
    .collect()
}

#[test]
fn what_is_held_is_listed_with_its_age_until_it_is_finished() {
    let plan = DayPlan { paytypes: vec![PayType::Ali], ..every_room(200, Faults::Spread(0)) };
    let town = Town::with_log(&plan, Vec::new(), |row| row.req_date.as_str() < "2016-11-09 02:00:00");
    let night = |day: &str, now: &str| {
        let mut night = command(town.dir.path(), &["--account", "mall-ali1", "--date", day]);
        night.env("NIGHTJOB_NOW", now);
        ran(night.output().expect("the program"))
    };
    // The next morning, when the log goes no further.
    night("20161108", "2016-11-09T02:17:00+08:00").expect(0);
    let first = held(&town, "2016-11-08");
    let planted = town.day.expected_timing().iter().filter(|item| item.moved == Moved::Held);
    let planted: Vec<String> =
        planted.filter(|item| item.account == "mall-ali1").map(|item| item.order_no.clone()).collect();
    assert!(planted.len() >= 2, "{planted:?}");
    assert!(first.values().any(|age| *age == 0), "{first:?}");
    town.log(|_| true);
    night("20161109", "2016-11-11T02:17:00+08:00").expect(0);
    let second = held(&town, "2016-11-09");
    for order in &planted {
        let ages = (first.get(order).copied(), second.get(order).copied());
        assert_eq!(ages.0.map(|age| age + 1), ages.1, "{order}: one day older");
    }
    let finished: Vec<&String> = first.keys().filter(|order| !second.contains_key(*order)).collect();
    assert!(!finished.is_empty(), "what was finished on the second day is gone: {first:?} {second:?}");
    for order in finished {
        let lines = town.ledger(&format!(
            "SELECT bill_date FROM ledger_entry WHERE order_no = '{order}' AND entry = 'payment'"
        ));
        assert_eq!(lines, ["2016-11-09"], "{order}: it is money of the day on which it was finished");
    }
    let before = (held(&town, "2016-11-08"), held(&town, "2016-11-09"));
    town.run(&["reconcile", "--account", "mall-ali1", "--from", "20161108", "--to", "20161109"]).expect(0);
    assert_eq!((held(&town, "2016-11-08"), held(&town, "2016-11-09")), before);
}
