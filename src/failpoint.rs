//! Failpoints: every step that leaves something durable is announced here, just before it is taken.
//!
//! A crash or a full disk can come between any two steps, and a runtime spreads its steps over threads, so they are
//! numbered in the program itself (`background/reliability_ux.md` 1.5). Without the feature `rig`, which is never
//! shipped, an announcement is nothing at all. With it, what was armed decides what becomes of each step: it goes on, it
//! fails as a disk fails, or the process ends there. This room does none of that by itself: the floors above arm it
//! (`command/rig.rs` for the real program, `tests/simulation` in process).

#[cfg(feature = "rig")]
pub use armed::{arm, disarm, plant, planted, reach};

/// Announces a durable step, by the words `room: what is done`. An error means that the step failed and was not taken.
///
/// # Errors
///
/// None, ever, without the feature `rig`.
#[cfg(not(feature = "rig"))]
#[inline]
pub fn reach(_step: &'static str) -> std::io::Result<()> {
    Ok(())
}

/// Whether the bug of this name was planted: a suite that does not find it proves nothing. Never without the feature
/// `rig`.
#[cfg(not(feature = "rig"))]
#[inline]
pub fn planted(_bug: &'static str) -> bool {
    false
}

#[cfg(feature = "rig")]
mod armed {
    use std::io;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{PoisonError, RwLock};

    /// Is told the number of a step, counted from 1 over all threads, and its words.
    type Judge = dyn Fn(u64, &'static str) -> io::Result<()> + Send + Sync;

    static JUDGE: RwLock<Option<Box<Judge>>> = RwLock::new(None);
    static REACHED: AtomicU64 = AtomicU64::new(0);

    static PLANTED: RwLock<String> = RwLock::new(String::new());

    /// Plants the bug of this name, for as long as the process lives.
    pub fn plant(bug: &str) {
        bug.clone_into(&mut PLANTED.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether the bug of this name was planted: a suite that does not find it proves nothing.
    pub fn planted(bug: &'static str) -> bool {
        *PLANTED.read().unwrap_or_else(PoisonError::into_inner) == bug
    }

    /// From now on `judge` decides, and the numbers begin again at 1. One for the whole process.
    pub fn arm(judge: impl Fn(u64, &'static str) -> io::Result<()> + Send + Sync + 'static) {
        let mut armed = JUDGE.write().unwrap_or_else(PoisonError::into_inner);
        REACHED.store(0, Ordering::Relaxed);
        *armed = Some(Box::new(judge));
    }

    /// Nothing happens at failpoints any more. How many steps were reached since they were armed.
    pub fn disarm() -> u64 {
        let mut armed = JUDGE.write().unwrap_or_else(PoisonError::into_inner);
        *armed = None;
        REACHED.load(Ordering::Relaxed)
    }

    /// Announces a durable step, by the words `room: what is done`. An error means that the step failed and was not
    /// taken.
    ///
    /// # Errors
    ///
    /// Whatever was armed for this step.
    pub fn reach(step: &'static str) -> io::Result<()> {
        match &*JUDGE.read().unwrap_or_else(PoisonError::into_inner) {
            Some(judge) => judge(REACHED.fetch_add(1, Ordering::Relaxed) + 1, step),
            None => Ok(()),
        }
    }
}

#[cfg(all(test, feature = "rig"))]
mod tests {
    use std::io;

    use super::{arm, disarm, reach};

    /// The judge is one for the process, and `cargo test` runs side by side: all of it in one test, by its own words.
    #[test]
    fn steps_are_numbered_and_the_armed_one_fails() {
        assert!(reach("test: before anything is armed").is_ok());
        let full = |step: &str| match step {
            "test: the second" => Err(io::Error::from(io::ErrorKind::StorageFull)),
            _ => Ok(()),
        };
        arm(move |_, step| full(step));
        assert!(reach("test: the first").is_ok());
        assert_eq!(reach("test: the second").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(reach("test: the third").is_ok());
        assert!(disarm() >= 3);
        assert!(reach("test: the second").is_ok());
    }
}
