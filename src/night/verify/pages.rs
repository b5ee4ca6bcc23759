//! The reports on the disk against the ledger: what finance reads is what was compared.
//!
//! A report covers every configured account, also those that came later, so its bytes may rightly be others than the
//! ledger would write today. What must agree is each unit that was done, the list of mismatches, row by row, the orders
//! that no account claims, and the day's verdict with those of its units; no other unit has a result. A report that is
//! not there is no damage: it can be written at any time.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::damage::{Damage, Verified};
use super::{KeptUnit, Verifier};
use crate::domain::{BillDate, Exit, Failure, Verdict};
use crate::report::{self, Report, Section, UnclaimedRow};
use crate::store::UnitState;

pub(super) async fn hold(
    verifier: &Verifier<'_>,
    units: &[KeptUnit],
    found: &mut Verified,
) -> Result<(), Failure> {
    let done = units.iter().filter(|unit| unit.state == UnitState::Done.as_str());
    let days: BTreeSet<BillDate> = done.filter_map(|unit| BillDate::parse(&unit.bill_date)).collect();
    let mut missing = 0;
    // While a run is going on, and after one that was killed, a report may be behind the ledger.
    let behind = match verifier.ledger.first_and_last_run().await? {
        Some((_, last)) => verifier.ledger.run(last).await?.is_some_and(|run| run.finished_at.is_none()),
        None => false,
    };
    for date in days {
        let sections = verifier.ledger.sections(date).await?;
        let sections: Vec<Section> = sections
            .iter()
            .filter_map(|record| report::json::read_section(&record.section).ok())
            .filter(|section| section.verdict() != Verdict::NotCompared)
            .collect();
        let unclaimed = verifier.ledger.unclaimed(date).await?;
        let differ = day(verifier, date, (sections, unclaimed.as_deref()), &mut missing)?;
        if behind && !differ.is_empty() {
            found
                .remarks
                .push(format!("{date}: its report is behind the ledger; the last run has not ended"));
        } else {
            differ.into_iter().for_each(|damage| found.damage(damage));
        }
    }
    if missing > 0 {
        found.remarks.push(format!("{missing} reports are not there; `nightjob report` writes them"));
    }
    Ok(())
}

fn day(
    verifier: &Verifier<'_>,
    date: BillDate,
    (sections, unclaimed): (Vec<Section>, Option<&str>),
    missing: &mut u64,
) -> Result<Vec<Damage>, Failure> {
    let folder = verifier.settings.reports.join(date.to_string());
    let mut differ = Vec::new();
    match text_of(&folder.join("report.json"))? {
        Some(text) => {
            let report: Value = serde_json::from_str(&text).unwrap_or_default();
            differ.extend(sections.iter().filter_map(|section| unit(&report, section, date)));
            differ.extend(not_done(&report, &sections, date));
            differ.extend(verdict(&report, date));
            differ.extend(of_nobody(&report, unclaimed, date));
        }
        None => *missing += 1,
    }
    let report =
        Report { bill_date: date, verdict: Verdict::NotCompared, units: sections, unclaimed: Vec::new() };
    match text_of(&folder.join("mismatches.csv"))? {
        Some(text) => differ.extend(list(&text, &report::csv::write(&report), date)),
        None => *missing += 1,
    }
    Ok(differ)
}

/// A report as it lies there, whatever its bytes have become; `None` if it is not there.
fn text_of(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(Exit::Storage, format!("{}: reading it: {error}", path.display()))
            .hint("may this user read the reports?")),
    }
}

/// A done unit as the report has it.
fn unit(report: &Value, section: &Section, date: BillDate) -> Option<Damage> {
    let units = report["units"].as_array();
    let told = units.into_iter().flatten().find(|unit| unit["account"] == section.account.as_str());
    let expected = serde_json::to_value(section).unwrap_or_default();
    if told == Some(&expected) {
        return None;
    }
    let place = format!("{date}/report.json, unit {}", section.account);
    let damage = match told {
        Some(told) => {
            let (field, said, found) = first_difference(&expected, told, String::new());
            Damage::new("report.json", format!("{place}{field}"), (said, found))
        }
        None => Damage::new("report.json", place, ("the unit as the ledger has it", "none")),
    };
    Some(damage.of(&section.account, date))
}

/// Units of the report of which the ledger has no result: that is all that it may say of them.
fn not_done(report: &Value, sections: &[Section], date: BillDate) -> Vec<Damage> {
    let units = report["units"].as_array().into_iter().flatten();
    let not_compared = Verdict::NotCompared.as_str();
    let others = units.filter(|unit| !sections.iter().any(|section| unit["account"] == *section.account));
    let wrong = others.filter(|unit| unit["verdict"] != not_compared).map(|unit| {
        let account = unit["account"].as_str().unwrap_or_default();
        let place = format!("{date}/report.json, unit {account}");
        Damage::new("report.json", place, (not_compared, text(&unit["verdict"]))).of(account, date)
    });
    wrong.collect()
}

/// The day's verdict, which is the worst of its units'.
fn verdict(report: &Value, date: BillDate) -> Option<Damage> {
    let units = report["units"].as_array().into_iter().flatten();
    let worst = units.map(|unit| unit["verdict"].as_str().and_then(Verdict::parse)).max().flatten();
    let expected = worst.unwrap_or(Verdict::NotCompared).as_str();
    let found = &report["verdict"];
    let place = format!("{date}/report.json, verdict");
    (found != expected).then(|| Damage::new("report.json", place, (expected, text(found))).of("", date))
}

/// The orders that no account claims. No hash of them is kept: where the two differ, either may have been changed.
fn of_nobody(report: &Value, kept: Option<&str>, date: BillDate) -> Option<Damage> {
    let rows = serde_json::from_str(kept.unwrap_or("[]")).map(|mut rows: Vec<UnclaimedRow>| {
        report::day::sort_unclaimed(&mut rows);
        serde_json::to_value(rows).unwrap_or_default()
    });
    let expected = rows.unwrap_or_else(|_| kept.unwrap_or_default().into());
    let found = &report["unclaimed"];
    let place = format!("{date}/report.json and the table unclaimed");
    (*found != expected).then(|| Damage::new("unclaimed", place, (text(&expected), text(found))).of("", date))
}

/// The first value in which they differ, as deep as both sides go together: where it is, and both sides.
fn first_difference(expected: &Value, found: &Value, place: String) -> (String, String, String) {
    let inside = match (expected, found) {
        (Value::Object(one), Value::Object(other)) => {
            let mut names = one.keys().chain(other.keys());
            names.find(|name| one.get(*name) != other.get(*name)).map(|name| {
                let sides = (expected.get(name), found.get(name));
                (sides, format!("{place}, {name}"))
            })
        }
        (Value::Array(one), Value::Array(other)) => {
            let mut items = 0..one.len().max(other.len());
            items.find(|at| one.get(*at) != other.get(*at)).map(|at| {
                let sides = (one.get(at), other.get(at));
                (sides, format!("{place} {}", at + 1))
            })
        }
        _ => None,
    };
    match inside {
        Some(((one, other), place)) => {
            first_difference(one.unwrap_or(&Value::Null), other.unwrap_or(&Value::Null), place)
        }
        None => (place, text(expected), text(found)),
    }
}

/// A value as it stands in a report.
fn text(value: &Value) -> String {
    if value.is_null() { "none".to_owned() } else { value.to_string() }
}

/// The first row in which the list differs.
fn list(found: &str, expected: &str, date: BillDate) -> Option<Damage> {
    let mut lines = (1..).zip(
        expected
            .lines()
            .map(Some)
            .chain(std::iter::repeat(None))
            .zip(found.lines().map(Some).chain(std::iter::repeat(None))),
    );
    let differs = |(_, (expected, found)): &(i32, (Option<&str>, Option<&str>))| expected != found;
    let ends = expected.lines().count().max(found.lines().count());
    let first = lines.by_ref().take(ends).find(differs);
    let (row, (expected, found)) = first.or_else(|| (expected != found).then_some((0, (None, None))))?;
    let place = format!("{date}/mismatches.csv, line {row}");
    let say = |line: Option<&str>| line.map_or("nothing".to_owned(), |line| format!("`{line}`"));
    Some(Damage::new("mismatches.csv", place, (say(expected), say(found))).of("", date))
}
