//! What happened, and which exit code that is.

use super::talk::counted;
use crate::domain::{BillDate, Errand, Exit, Failure, Verdict};

/// One cause of the exit code.
#[derive(Clone, Debug)]
pub struct Cause {
    pub exit: Exit,
    /// Account and bill date, or empty for the run as a whole.
    pub about: String,
    pub message: String,
    pub hint: String,
}

/// One unit as the run left it.
#[derive(Clone, Debug)]
pub struct UnitLine {
    pub account: String,
    pub date: BillDate,
    pub verdict: Verdict,
    pub lines: u64,
    pub orders: u64,
    pub mismatches: usize,
    /// The same bytes as before, the same result as before.
    pub already_done: bool,
}

/// A run's result. The worst cause is its exit code; all of them are told.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub causes: Vec<Cause>,
    pub units: Vec<UnitLine>,
    /// Written files, relative to the configuration's folder where they lie below it.
    pub files: Vec<String>,
}

impl Outcome {
    pub fn exit(&self) -> Exit {
        Exit::worst(self.causes.iter().map(|cause| cause.exit))
    }

    /// Records a failure, and says it: an operator must not have to wait for the end.
    pub fn fail(&mut self, about: impl Into<String>, failure: Failure) {
        let Failure { exit, message, hint, .. } = failure;
        let (about, code) = (about.into(), exit.code());
        if about.is_empty() || message.starts_with(&about) {
            tracing::error!(code, "{message}");
        } else {
            tracing::error!(code, "{about}: {message}");
        }
        // One cause for many units has one hint.
        if !hint.is_empty() && self.causes.last().is_none_or(|last| last.hint != hint) {
            tracing::error!(code, "  hint: {hint}");
        }
        self.causes.push(Cause { exit, about, message, hint });
    }

    /// A unit that is done; told before, it is told again in its place.
    pub fn unit_done(&mut self, about: String, line: UnitLine) {
        self.units.retain(|told| (&told.account, told.date) != (&line.account, line.date));
        self.causes.retain(|cause| cause.exit != Exit::Look || cause.about != about);
        if line.verdict > Verdict::Confirmed {
            let what = format!("{}, {}", counted(line.mismatches as u64, "mismatch"), line.verdict.as_str());
            self.look(about, what);
        }
        self.units.push(line);
    }

    /// Whether this run compared the unit. What stands of it from an earlier one is not this run's to tell.
    pub fn is_done(&self, account: &str, date: BillDate) -> bool {
        self.verdict(account, date).is_some_and(|verdict| verdict != Verdict::NotCompared)
    }

    /// Whether this run tried the unit in vain: what the ledger has of it is an earlier run's, if anything.
    pub fn is_vain(&self, account: &str, date: BillDate) -> bool {
        self.verdict(account, date) == Some(Verdict::NotCompared)
    }

    fn verdict(&self, account: &str, date: BillDate) -> Option<Verdict> {
        let line = self.units.iter().find(|unit| unit.account == account && unit.date == date);
        line.map(|unit| unit.verdict)
    }

    pub fn look(&mut self, about: impl Into<String>, message: impl Into<String>) {
        self.causes.push(Cause {
            exit: Exit::Look,
            about: about.into(),
            message: message.into(),
            hint: String::new(),
        });
    }

    /// The run was broken off by a signal.
    pub fn break_off(&mut self, exit: Exit) {
        let failure = Failure::new(exit, "interrupted");
        self.fail("", failure.hint("what was done is kept as a whole; run it again for the rest"));
    }

    /// Notes a written file, once.
    pub fn wrote(&mut self, file: String) {
        if !self.files.contains(&file) {
            self.files.push(file);
        }
    }

    pub fn merge(&mut self, other: Outcome) {
        self.causes.extend(other.causes);
        self.units.extend(other.units);
        other.files.into_iter().for_each(|file| self.wrote(file));
    }
}

impl UnitLine {
    pub(super) fn not_compared(errand: &Errand) -> UnitLine {
        UnitLine {
            account: errand.account.name.clone(),
            date: errand.date,
            verdict: Verdict::NotCompared,
            lines: 0,
            orders: 0,
            mismatches: 0,
            already_done: false,
        }
    }
}
