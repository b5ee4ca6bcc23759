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

    /// `wx 2016-11-08: ledger_entry, line 3, amount_minor: 10000 expected, 10001 found`
    pub fn message(&self) -> String {
        let about = self.about();
        let colon = if about.is_empty() { "" } else { ": " };
        format!("{about}{colon}{}: {} expected, {} found", self.place, self.expected, self.found)
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
