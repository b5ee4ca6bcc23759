//! Where a unit stands: what `status` shows, and what catch-up and `--reprocess` choose by.

use super::Exit;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// Compared and kept.
    Done,
    /// Done, and the statement proves that nothing moved.
    Empty,
    /// The statement was not there yet; the next run asks again.
    Waiting,
    /// It could not be compared, for any other reason.
    Failed,
    /// What came did not pass the checks and is kept apart.
    Quarantined,
    /// A night should have taken it, and no run has come to it.
    Missing,
    /// No night owes it: it is from before the account's first recorded day.
    NotOwed,
    /// Its night is still to come.
    NotDue,
}

impl Stage {
    /// Best first.
    pub const ALL: [Stage; 8] = [
        Stage::Done,
        Stage::Empty,
        Stage::Waiting,
        Stage::Failed,
        Stage::Quarantined,
        Stage::Missing,
        Stage::NotOwed,
        Stage::NotDue,
    ];

    /// Of a unit that ended with this failure.
    pub fn after(failure: Exit) -> Stage {
        match failure {
            Exit::NotReady => Stage::Waiting,
            Exit::Rejected => Stage::Quarantined,
            _ => Stage::Failed,
        }
    }

    pub fn is_done(self) -> bool {
        matches!(self, Stage::Done | Stage::Empty)
    }

    /// A code, the same in every language.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Done => "done",
            Stage::Empty => "empty",
            Stage::Waiting => "waiting",
            Stage::Failed => "failed",
            Stage::Quarantined => "quarantined",
            Stage::Missing => "missing",
            Stage::NotOwed => "not_owed",
            Stage::NotDue => "not_due",
        }
    }
}
