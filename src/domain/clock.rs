//! The one door to the time of day.

use super::{BillDate, Moment};

/// Either the machine's clock or a fixed instant (`NIGHTJOB_NOW`, tests, replays).
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    Fixed(Moment),
    /// A clock that jumps while the night goes on.
    #[cfg(feature = "rig")]
    Told(fn() -> Moment),
}

impl Clock {
    pub fn now(self) -> Moment {
        match self {
            Clock::System => Moment::from_unix(chrono::Utc::now().timestamp()),
            Clock::Fixed(moment) => moment,
            #[cfg(feature = "rig")]
            Clock::Told(tell) => tell(),
        }
    }

    pub fn today(self) -> BillDate {
        self.now().date()
    }
}

/// What a request needs that is not in the errand: handed in, so that a signature test is exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub now: Moment,
    /// 32 characters `[0-9a-f]`, fresh for each request.
    pub nonce: String,
}
