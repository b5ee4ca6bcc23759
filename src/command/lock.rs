//! The right to write: one instance at a time, on this machine and on any.

use std::time::{Duration, Instant};

use super::start::Start;
use crate::cli::Cli;
use crate::config::Settings;
use crate::domain::{Exit, Failure, Lang};
use crate::night::House;
use crate::store::{Claim, Ledger, RunLock};

/// Between two tries of one who waits: often enough for a person, seldom enough for a disk or a server.
const POLL: Duration = Duration::from_secs(1);
/// One who does not wait tries this often, because a reader who looks for the holder touches the lock for an instant.
const TRIES: u32 = 3;
/// And this often while the holder has not written down its name: a person wants to know who it is.
const NAMELESS_TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(50);

/// Takes the lock of this machine, or waits for it as long as `--wait` says: two instances that write would undo each
/// other's work.
///
/// # Errors
///
/// [`Exit::Busy`] naming the holder; [`Exit::Deadline`] if --max-duration ends the waiting.
pub(super) async fn lock(start: &Start, cli: &Cli, settings: &Settings) -> Result<RunLock, Failure> {
    let path = RunLock::path_of(&settings.database, &settings.archive)?;
    let claim = Claim { clock: start.clock, host: &start.world.host, command: &start.world.command_line };
    Patience::of(start, cli).try_for(async || RunLock::take(&path, &claim)).await
}

/// The house with its locks: the one of this machine, and the database's own, which an instance elsewhere may hold.
///
/// # Errors
///
/// As [`lock`] and [`House::open`].
pub(super) async fn open(start: &Start, cli: &Cli, settings: Settings) -> Result<(RunLock, House), Failure> {
    let lock = lock(start, cli, &settings).await?;
    let mut ledger = Box::pin(Ledger::open(&settings.database)).await?;
    Patience::of(start, cli).try_for(async || ledger.hold(lock.holder()).await).await?;
    House::of(ledger, settings, start.clock, start.talk.clone()).map(|house| (lock, house))
}

/// Brings the tables up to date; on a server nobody else may be at work. The versions before and after.
///
/// # Errors
///
/// As [`lock`] and [`Ledger::migrate`].
pub(super) async fn migrate(start: &Start, cli: &Cli, settings: &Settings) -> Result<(i64, i64), Failure> {
    let _lock = lock(start, cli, settings).await?;
    Patience::of(start, cli).try_for(async || Ledger::migrate(&settings.database).await).await
}

/// For how long somebody waits. Both spans count from the program's start, so that two locks are not waited for twice.
#[derive(Clone, Copy)]
struct Patience {
    lang: Lang,
    begun: Instant,
    wait: Duration,
    max_duration: Duration,
}

impl Patience {
    fn of(start: &Start, cli: &Cli) -> Patience {
        let wait = cli.global.wait.unwrap_or(Duration::ZERO);
        Patience { lang: start.lang, begun: start.begun, wait, max_duration: cli.global.max_duration }
    }

    fn left(self) -> Duration {
        self.wait.min(self.max_duration).saturating_sub(self.begun.elapsed())
    }

    /// Tries until nobody else is at work or the patience is over, and says once for whom it waits.
    async fn try_for<T>(self, mut attempt: impl AsyncFnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        let (mut tries, mut is_told) = (0, false);
        loop {
            tries += 1;
            let busy = match attempt().await {
                Err(failure) if failure.exit == Exit::Busy => failure,
                done => return done,
            };
            let left = self.left();
            let at_once = if busy.is_passing { NAMELESS_TRIES } else { TRIES };
            if tries < at_once {
                // Nothing tells that a holder has written down its name, or a reader has let go.
                tokio::time::sleep(PAUSE).await;
            } else if left.is_zero() {
                return Err(self.over(busy));
            } else if !is_told {
                self.tell(&busy);
                is_told = true;
            } else {
                // Waiting is the work here, and neither an operating system nor a database tells when a lock is free.
                tokio::time::sleep(POLL.min(left)).await;
            }
        }
    }

    fn tell(self, busy: &Failure) {
        let (seconds, message) = (self.wait.min(self.max_duration).as_secs(), &busy.message);
        let text = self.lang.pick(
            format!("等待另一个实例结束，最多 {seconds} 秒：{message}"),
            format!("waiting up to {seconds} s for another instance to end: {message}"),
        );
        tracing::info!("{text}");
    }

    fn over(self, busy: Failure) -> Failure {
        match self.max_duration < self.wait {
            true => Failure::new(
                Exit::Deadline,
                format!("--max-duration was reached while another instance was at work: {}", busy.message),
            )
            .hint("nothing was changed; run it again"),
            false => busy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(wait: u64, max_duration: u64) -> Patience {
        let (wait, max_duration) = (Duration::from_millis(wait), Duration::from_millis(max_duration));
        Patience { lang: Lang::En, begun: Instant::now(), wait, max_duration }
    }

    async fn tried(patience: Patience, free_at: u32) -> (Result<u32, Exit>, u32) {
        let mut tries = 0;
        let attempt = async || {
            tries += 1;
            if tries == free_at { Ok(tries) } else { Err(Failure::new(Exit::Busy, "held by the first")) }
        };
        let done = patience.try_for(attempt).await.map_err(|failure| failure.exit);
        (done, tries)
    }

    #[tokio::test]
    async fn who_waits_gets_it_when_it_is_free_or_leaves_when_the_time_is_over() {
        assert_eq!(
            tried(patience(0, 60_000), 9).await,
            (Err(Exit::Busy), TRIES),
            "a reader's touch is outlived"
        );
        assert_eq!(tried(patience(0, 60_000), 2).await, (Ok(2), 2));
        let begun = Instant::now();
        assert_eq!(tried(patience(300, 60_000), 99).await.0, Err(Exit::Busy));
        assert!(begun.elapsed() >= Duration::from_millis(300));
        assert_eq!(tried(patience(60_000, 300), 99).await.0, Err(Exit::Deadline));
        assert_eq!(tried(patience(60_000, 60_000), 5).await, (Ok(5), 5));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_no_name_yet_is_asked_for_it_a_little_longer() {
        for (named_at, asked) in [(7, 7), (1, TRIES), (99, NAMELESS_TRIES)] {
            let mut tries = 0;
            let attempt = async || {
                tries += 1;
                let busy = Failure::new(Exit::Busy, "held by somebody");
                Err::<(), _>(Failure { is_passing: tries < named_at, ..busy })
            };
            patience(0, 60_000).try_for(attempt).await.unwrap_err();
            assert_eq!(tries, asked);
        }
    }

    #[tokio::test]
    async fn another_failure_is_not_waited_for() {
        let refused = async || Err::<(), _>(Failure::new(Exit::Storage, "read-only"));
        let failure = patience(60_000, 60_000).try_for(refused).await;
        assert_eq!(failure.map_err(|failure| failure.exit), Err(Exit::Storage));
    }
}
