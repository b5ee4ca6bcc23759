//! `--reprocess`: which units of the days that were asked for are done again.

use super::{Dates, Known, Plan, Selection, Unit, usage};
use crate::domain::{BillDate, Failure, Stage};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reprocess {
    /// Never tried, or the statement was not there yet.
    Missing,
    /// Whatever is not done.
    Failed,
    All,
}

/// A unit that is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub account: String,
    pub date: BillDate,
    pub unit: Unit,
}

impl Reprocess {
    pub const ALL: [Reprocess; 3] = [Reprocess::Missing, Reprocess::Failed, Reprocess::All];

    pub fn as_str(self) -> &'static str {
        match self {
            Reprocess::Missing => "missing",
            Reprocess::Failed => "failed",
            Reprocess::All => "all",
        }
    }

    pub fn parse(text: &str) -> Option<Reprocess> {
        Reprocess::ALL.into_iter().find(|which| which.as_str() == text)
    }

    fn takes(self, stage: Stage) -> bool {
        match self {
            Reprocess::Missing => matches!(stage, Stage::Missing | Stage::NotOwed | Stage::Waiting),
            Reprocess::Failed => !stage.is_done(),
            Reprocess::All => true,
        }
    }
}

/// The choice needs days to choose from: a bare night has its own rule, which is catch-up.
///
/// # Errors
///
/// [`Exit::Usage`](crate::domain::Exit::Usage) without `--date`, `--from` and `--to`.
pub fn check_reprocess(selection: &Selection, asked: Option<Reprocess>) -> Result<(), Failure> {
    match (selection.dates, asked) {
        (Dates::Nightly, Some(which)) => Err(usage(
            format!("--reprocess {} is about days, and none was named", which.as_str()),
            "add --from and --to, or --date; a bare nightly run fills the last catch_up_days by itself",
        )),
        _ => Ok(()),
    }
}

impl Plan {
    /// Leaves out the units that are not to be done again, and the days without any other.
    #[must_use]
    pub fn choosing(mut self, which: Reprocess, known: &Known) -> Plan {
        self.errands.retain(|errand| {
            let unit = known.unit(&errand.account.name, errand.date);
            let takes = which.takes(unit.stage);
            let left = Left { account: errand.account.name.clone(), date: errand.date, unit };
            if !takes && self.left.last() != Some(&left) {
                self.left.push(left);
            }
            takes
        });
        self.dates.retain(|date| self.errands.iter().any(|errand| errand.date == *date));
        self
    }
}
