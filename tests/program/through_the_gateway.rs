//! The same night twice: each provider asked directly, and everything through the gateway. What is found is the same,
//! whatever the transport.

use nightjob::sandbox::{Desk, Faults, Mishap, Rule, Tries};
use serde_json::Value;

use crate::town::{Town, usual};

const USUAL: [&str; 3] = ["mall-wx", "mall-wx-sub", "mall-ali"];
const TRANSPORTS: [&str; 5] = ["rest-json", "rest-string", "form", "soap11", "soap12"];

/// What the account is, without how its own provider is reached.
fn by_gateway(_name: &str, part: &str) -> String {
    let kept = ["name", "paytype", "merchant", "sub_merchant", "seller"];
    let is_kept = |line: &&str| line.split('=').next().is_some_and(|key| kept.contains(&key.trim()));
    let mut lines: Vec<&str> = part.lines().filter(is_kept).collect();
    lines.extend(["channel = \"ttpay\"", "customer = \"TECHTRANS\""]);
    lines.join("\n") + "\n"
}

/// Every number of the report, without the names of files and sources.
fn proofs(town: &Town) -> Vec<Value> {
    let report = town.report();
    let units = report["units"].as_array().expect("units");
    let of_unit = |unit: &Value| {
        let parts = [
            "account",
            "paytype",
            "verdict",
            "proof",
            "totals",
            "conservation",
            "bridge",
            "timing",
            "mismatches",
        ];
        parts.iter().map(|part| unit[*part].clone()).collect::<Value>()
    };
    units.iter().map(of_unit).collect()
}

#[test]
fn one_night_through_the_gateway_finds_what_the_same_night_finds_directly() {
    let town = Town::new(&usual(120, Faults::Spread(19)), Vec::new());
    town.run(&[]).expect(10);
    let (rows, numbers) = (town.mismatches(), proofs(&town));
    assert!(rows.lines().count() >= 20, "{rows}");
    town.keep_accounts(&USUAL, by_gateway);
    let url = format!("http://{}/", town.providers.addr);
    for transport in TRANSPORTS {
        for isbase64 in ["false", "true"] {
            town.forget();
            let before = town.providers.tries(Desk::Gateway, "mall-wx", town.day.date());
            let gateway = [
                ("NIGHTJOB_GATEWAY__URL", url.as_str()),
                ("NIGHTJOB_GATEWAY__TRANSPORT", transport),
                ("NIGHTJOB_GATEWAY__ISBASE64", isbase64),
            ];
            town.run_with(&[], &gateway).expect(10);
            let about = format!("{transport}, isbase64 = {isbase64}");
            assert!(town.providers.tries(Desk::Gateway, "mall-wx", town.day.date()) > before, "{about}");
            assert_eq!(town.mismatches(), rows, "{about}");
            assert_eq!(proofs(&town), numbers, "{about}");
        }
    }
}

#[test]
fn a_large_bill_comes_in_chunks_and_other_sub_merchants_are_left_out() {
    let mixed = Rule::new(Desk::Gateway, Tries::Always, Mishap::SubMerchantsMixed).of("mall-wx-sub");
    let town = Town::new(&usual(700, Faults::Spread(38)), vec![mixed]);
    town.run(&[]).expect(10);
    let rows = town.mismatches();
    town.keep_accounts(&USUAL, by_gateway);
    town.forget();
    let url = format!("http://{}/", town.providers.addr);
    town.run_with(&[], &[("NIGHTJOB_GATEWAY__URL", &url)]).expect(10);
    assert!(town.asked(Desk::Gateway, "mall-wx") > 1, "in one piece");
    // The whole file has other lines, so evidence names other places; nothing else may differ.
    let told = |rows: &str| -> Vec<String> {
        rows.lines().map(|row| row.rsplit_once(',').expect("evidence").0.to_owned()).collect()
    };
    assert_eq!(told(&town.mismatches()), told(&rows));
    let totals = town.unit("mall-wx-sub")["totals"].to_string();
    assert!(totals.contains("foreign_rows"), "{totals}");
}
