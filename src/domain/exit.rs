//! Exit codes: what the scheduler reads. Fixed names (contract, section 3); the worst cause wins.

use std::fmt;

/// A cause of the program's exit code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Exit {
    Done,
    /// A bug of ours, also proofs that do not close.
    Bug,
    Usage,
    Config,
    Busy,
    /// Failed for reasons that may pass.
    Passing,
    Refused,
    NotReady,
    Rejected,
    Storage,
    /// Everything was done, and a person must look.
    Look,
    Undelivered,
    Deadline,
    Damage,
    Interrupted,
    Terminated,
}

impl Exit {
    /// Worst first. A signal outranks what the run had found so far, because the run is not over.
    const ORDER: [Exit; 16] = [
        Exit::Interrupted,
        Exit::Terminated,
        Exit::Damage,
        Exit::Rejected,
        Exit::Storage,
        Exit::Bug,
        Exit::Refused,
        Exit::Config,
        Exit::Passing,
        Exit::Deadline,
        Exit::NotReady,
        Exit::Undelivered,
        Exit::Look,
        Exit::Busy,
        Exit::Usage,
        Exit::Done,
    ];

    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Bug => 1,
            Exit::Usage => 2,
            Exit::Config => 3,
            Exit::Busy => 4,
            Exit::Passing => 5,
            Exit::Refused => 6,
            Exit::NotReady => 7,
            Exit::Rejected => 8,
            Exit::Storage => 9,
            Exit::Look => 10,
            Exit::Undelivered => 11,
            Exit::Deadline => 12,
            Exit::Damage => 13,
            Exit::Interrupted => 130,
            Exit::Terminated => 143,
        }
    }

    /// The cause that has this code.
    pub fn of_code(code: u8) -> Option<Exit> {
        Exit::ORDER.into_iter().find(|exit| exit.code() == code)
    }

    /// The worst of several causes; [`Exit::Done`] for none.
    pub fn worst(causes: impl IntoIterator<Item = Exit>) -> Exit {
        let rank = |exit: &Exit| Exit::ORDER.iter().position(|e| e == exit);
        causes.into_iter().min_by_key(rank).unwrap_or(Exit::Done)
    }
}

/// Why something was not done: the cause, what happened, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub exit: Exit,
    /// Where, what was found. One line; no secret in it.
    pub message: String,
    /// What to type or whom to ask; may be empty.
    pub hint: String,
    /// Nothing of it was done, and the same may well succeed in a moment.
    pub is_passing: bool,
}

impl Failure {
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), hint: String::new(), is_passing: false }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = hint.into();
        self
    }
}

/// Whether there is no space, or none that this user may have: then a person must make some, and nothing else helps.
pub fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::Exit::*;
    use super::*;

    #[test]
    fn the_worst_wins_in_the_order_of_the_contract() {
        let order = [
            Damage,
            Rejected,
            Storage,
            Bug,
            Refused,
            Config,
            Passing,
            Deadline,
            NotReady,
            Undelivered,
            Look,
            Busy,
        ];
        for pair in order.windows(2) {
            assert_eq!(Exit::worst([pair[1], pair[0], Done]), pair[0]);
        }
        assert_eq!(Exit::worst([]), Done);
    }
}
