//! What `verify` found, each with its exact place.

use crate::domain::{BillDate, Exit};
use crate::night::{Cause, Outcome};

/// One thing that is not what this program wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// `object`, `index`, or the name of a table or report.
    pub what: &'static str,
    /// The file, row, event or field.
    pub place: String,
    /// Empty where it belongs to no unit.
    pub account: String,
    /// `yyyy-MM-dd`; empty where it belongs to no unit.
    pub bill_date: String,
    pub expected: String,
    pub found: String,
}

impl Damage {
    pub(super) fn new(
        what: &'static str,
        place: impl Into<String>,
        (expected, found): (impl Into<String>, impl Into<String>),
    ) -> Damage {
        let (expected, found) = (expected.into(), found.into());
        Damage { what, place: place.into(), expected, found, ..Damage::default() }
    }

    pub(super) fn of(self, account: &str, bill_date: impl ToString) -> Damage {
        Damage { account: account.to_owned(), bill_date: bill_date.to_string(), ..self }
    }

    fn about(&self) -> String {
        format!("{} {}", self.account, self.bill_date).trim().to_owned()
    }

    /// `wx 2016-11-08: ledger_entry, line 3, amount_minor: expected 10000, found 10001`
    pub fn message(&self) -> String {
        let about = self.about();
        let colon = if about.is_empty() { "" } else { ": " };
        let (expected, found) = where_they_differ(&self.expected, &self.found);
        format!("{about}{colon}{}: expected {expected}, found {found}", self.place)
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self.what {
            "object" => "restore it from a backup, or fetch the day again while the provider still has it",
            "report.json" | "mismatches.csv" => "`nightjob report` writes it again from the ledger",
            "mismatch_event" => {
                "find out who changed it before anything else is done; a backup has it as it was. Once that is settled, \
                 `nightjob reconcile` goes on from what is there, and is remembered"
            }
            "index" => "find out who changed it before anything else is done; a backup has it as it was",
            "mismatch" | "unit" | "ledger_entry" => {
                "find out who changed it; `nightjob reconcile` of that day writes it again from the archive"
            }
            _ => "find out who changed it; a backup has it as it was",
        }
    }
}

/// Both values so far as a person wants to read them: around the first place in which they differ.
fn where_they_differ(expected: &str, found: &str) -> (String, String) {
    const BEFORE_MAX: usize = 40;
    const SHOWN_MAX: usize = 200;
    let same = expected.chars().zip(found.chars()).take_while(|(one, other)| one == other).count();
    let is_long = expected.chars().count().max(found.chars().count()) > SHOWN_MAX;
    let start = if is_long { same.saturating_sub(BEFORE_MAX) } else { 0 };
    let window = |text: &str| {
        let rest = text.chars().count().saturating_sub(start + SHOWN_MAX);
        let shown: String = text.chars().skip(start).take(SHOWN_MAX).collect();
        match (text.is_empty(), start > 0, rest > 0) {
            (true, ..) => "nothing".to_owned(),
            (_, cut_before, cut_behind) => {
                let dots = |cut: bool| if cut { "…" } else { "" };
                format!("{}{shown}{}", dots(cut_before), dots(cut_behind))
            }
        }
    };
    (window(expected), window(found))
}

/// What became of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitProof {
    pub account: String,
    pub date: BillDate,
    /// Lines of its statement that are in the ledger as they are in the archive.
    pub lines: u64,
    /// `proven`, `damaged`, `unproven`
    pub result: &'static str,
}

/// Everything that `verify` has to say.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    pub damages: Vec<Damage>,
    /// What could not be proven, and why: a person must look.
    pub unproven: Vec<String>,
    /// What a person may like to know.
    pub remarks: Vec<String>,
    pub units: Vec<UnitProof>,
    pub objects: u64,
    pub bytes: u64,
    pub index_lines: u64,
    pub events: i64,
}

impl Verified {
    pub(super) fn damage(&mut self, damage: Damage) {
        self.damages.push(damage);
    }

    /// As causes of an exit code: 13 for damage, 10 for what is not proven. They are the result of the command, so they
    /// are not said here as well.
    pub fn outcome(&self) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.causes.extend(self.damages.iter().map(|damage| Cause {
            exit: Exit::Damage,
            about: damage.about(),
            message: damage.message(),
            hint: damage.hint().to_owned(),
        }));
        self.unproven.iter().for_each(|what| outcome.look("", what.clone()));
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damage_reads_as_a_sentence_and_shows_the_difference() {
        let said =
            |sides: (&str, &str)| Damage::new("unit", "unit, reason", sides).of("wx", "2016-11-08").message();
        assert_eq!(said(("10000", "10001")), "wx 2016-11-08: unit, reason: expected 10000, found 10001");
        assert_eq!(said(("late", "")), "wx 2016-11-08: unit, reason: expected late, found nothing");
        let long = |figure: &str| format!("{}{figure}{}", "同".repeat(500), "x".repeat(500));
        let told = said((&long("[1]"), &long("[2]")));
        let (expected, found) = told.split_once(", found ").unwrap();
        assert!(expected.contains("同[1]x") && expected.ends_with("x…"), "{told}");
        assert!(found.starts_with("…同") && found.contains("同[2]x"), "{told}");
        assert!(told.chars().count() < 500, "{told}");
        let cut = said((&long("[1]"), "同同"));
        assert!(cut.ends_with("found 同同"), "{cut}");
    }
}
