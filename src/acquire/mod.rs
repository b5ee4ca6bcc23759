//! Acquiring: holds the conversation that a room leads, and archives what is heard.
//!
//! The only place that talks to providers. Time-outs, tries, pauses, rate limits, size caps, archiving and redacted
//! logs exist here, once, for all rooms. It never reads a bill and never decides what an answer means: the room does.
//!
//! # Why a retry starts the conversation again
//!
//! Addresses expire and signatures carry the time, so what was heard before a failure may be worth nothing after the
//! pause. Most statements take one or two questions; asking them again is cheap and always right. Of one that comes in many
//! pages or chunks, each must be of the same whole: a page from before the pause and one from after it may not be.
//!
//! Questions about single orders (`inquire`) are held in the same way, and begun again one by one.

mod archive;
mod disk;
mod file;
mod http;
mod index;
mod inquire;
mod inspect;
mod join;
mod pace;
mod times;
mod world;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

pub use archive::{Archive, Kept, Partial};
pub use index::{Index, IndexLine, Line, Placed, Seal, Sealing, Status};
pub use inquire::Answered;
pub use inspect::Object;
#[cfg(feature = "rig")]
pub use world::Simulated;
pub use world::World;

use crate::channel::{ASKS_MAX, Ask, Exhausted, HEAD_MAX, Heard, Room, Statements, Step};
use crate::config::HttpSettings;
use crate::domain::{Clock, Errand, Exit, Failure, Moment, Stamp};
use times::{clock_off, retry_after};

/// The largest bill as it travels. Providers split what is larger than that.
pub const BILL_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Bounds of everything outside.
#[derive(Clone, Debug)]
pub struct Limits {
    pub connect_timeout: Duration,
    /// Without a single byte.
    pub idle_timeout: Duration,
    /// For one request with its whole body.
    pub file_total: Duration,
    /// At least `window_bytes_min` bytes must come in each `window`.
    pub window: Duration,
    pub window_bytes_min: u64,
    pub bill_bytes_max: u64,
    pub reply_bytes_max: u64,
    /// Conversations held for one errand, the first included; at least one.
    pub tries: u32,
    /// Pauses between tries: at random between `pause_min` and its double, fourfold, … up to `pause_max`.
    pub pause_min: Duration,
    pub pause_max: Duration,
    /// How long a pause that the provider asks for (`Retry-After`, throttling) may be.
    pub asked_pause_max: Duration,
    /// Between two requests to one host; none on loopback.
    pub gap: Duration,
}

impl Limits {
    pub fn new(http: &HttpSettings) -> Limits {
        let rate = http.rate_per_second;
        // A rate that is not a number, or none, means no gap.
        let gap = if rate.is_finite() && rate > 0.001 {
            Duration::from_secs(1).div_f64(rate)
        } else {
            Duration::ZERO
        };
        Limits {
            connect_timeout: http.connect_timeout,
            idle_timeout: http.idle_timeout,
            file_total: Duration::from_secs(15 * 60),
            window: Duration::from_secs(60),
            window_bytes_min: 60 * 1024,
            bill_bytes_max: BILL_BYTES_MAX,
            reply_bytes_max: 1024 * 1024,
            tries: http.tries.max(1),
            pause_min: http.pause,
            pause_max: Duration::from_secs(60),
            asked_pause_max: Duration::from_secs(600),
            gap,
        }
    }
}

/// Bytes that arrived and are in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub sha256: String,
    pub len: u64,
    /// Where they came from, fit for a log and a report.
    pub source: String,
    pub fetched_at: Moment,
    /// False if anything on the way was plain http (loopback aside) or came from a hand.
    pub authenticated: bool,
    /// Conversations it took.
    pub tries: u32,
}

/// How an errand ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// The raw statement, to be read by the room.
    Statement(Received),
    /// The provider's own word that the day has no movements.
    NoMovements(Received),
    /// There is no statement to be had: the logged orders are asked about one by one. The text says why.
    OneByOne(String),
}

/// What is going on, for a progress bar.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    Asking { source: &'a str },
    Receiving { bytes: u64, of: Option<u64> },
    Pausing { why: &'a str, pause: Duration },
}

/// Where progress is told.
pub type Tell<'a> = &'a (dyn Fn(Progress<'_>) + Send + Sync);

/// An answer as the transport gives it; its body went into the partial file.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub source: String,
    pub authenticated: bool,
}

/// Why a conversation did not get to its end.
#[derive(Debug)]
pub enum Trouble {
    /// May pass: again, from the beginning.
    Again { why: String, when_exhausted: Exhausted, at_least: Duration },
    /// Asking again changes nothing.
    Final(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        match failure.exit {
            Exit::Passing => Trouble::Again {
                why: failure.message,
                when_exhausted: Exhausted::Passing,
                at_least: Duration::ZERO,
            },
            _ => Trouble::Final(failure),
        }
    }
}

/// The world, or a recording of it. The house's only trait, because there truly are two.
pub trait Transport: Send + Sync {
    /// Does what the room asks; the body goes into `into`.
    fn send(
        &self,
        ask: &Ask,
        into: &mut Partial,
        tell: Tell<'_>,
    ) -> impl Future<Output = Result<Reply, Trouble>> + Send;
}

fn too_large(from: &str, bytes_max: u64) -> Failure {
    Failure::new(
        Exit::Rejected,
        format!("{from} sends more than {bytes_max} bytes, more than any bill or reply has"),
    )
}

/// Gets statements. One for the whole night; errands may be done side by side.
pub struct Acquirer<T: Transport = World> {
    transport: T,
    limits: Limits,
    archive: Arc<Archive>,
    clock: Clock,
}

impl<T: Transport> Acquirer<T> {
    pub fn with_transport(transport: T, limits: Limits, archive: Arc<Archive>, clock: Clock) -> Acquirer<T> {
        Acquirer { transport, limits, archive, clock }
    }

    pub fn archive(&self) -> &Arc<Archive> {
        &self.archive
    }

    /// Holds the conversation for `errand` to its end, as often as it takes and `tries` allows.
    ///
    /// # Errors
    ///
    /// [`Exit::NotReady`], [`Exit::Refused`] and [`Exit::Rejected`] as the room says (none of them is asked again),
    /// [`Exit::Passing`] when every try failed, [`Exit::Storage`] when the archive cannot be written,
    /// [`Exit::Config`] for an address that may not be used.
    pub async fn acquire(&self, room: &Room, errand: &Errand, tell: Tell<'_>) -> Result<Acquired, Failure> {
        let Some(statements) = room.statements else { return Ok(Acquired::OneByOne(String::new())) };
        let mut healed = String::new();
        for tries in 1..=self.limits.tries {
            let (why, when_exhausted, at_least) = match self.converse(&statements, errand, tries, tell).await
            {
                Ok(acquired) => {
                    if tries > 1 {
                        tracing::info!(errand = %errand, tries, after = healed, "got it after trying again");
                    }
                    return Ok(acquired);
                }
                Err(Trouble::Final(failure)) => return Err(failure),
                Err(Trouble::Again { why, when_exhausted, at_least }) => (why, when_exhausted, at_least),
            };
            if tries == self.limits.tries {
                return Err(exhausted(why, when_exhausted, tries));
            }
            let pause = self.pause(tries).max(at_least.min(self.limits.asked_pause_max));
            tracing::warn!(errand = %errand, tries, pause_ms = pause.as_millis(), why, "trying again");
            tell(Progress::Pausing { why: &why, pause });
            // The pause between two tries is the work here: jittered, bounded, and as long as the provider asked for.
            tokio::time::sleep(pause).await;
            healed = why;
        }
        Err(Failure::new(Exit::Bug, "no try was made"))
    }

    /// Full jitter: anything between the least pause and its double for each try so far, so that accounts that
    /// failed together do not come back together.
    fn pause(&self, tries: u32) -> Duration {
        let millis = |pause: Duration| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        let (least, most) = (millis(self.limits.pause_min), millis(self.limits.pause_max));
        let most = least.saturating_mul(1 << tries.min(16)).min(most).max(least);
        Duration::from_millis(fastrand::u64(least..=most))
    }

    async fn converse(
        &self,
        statements: &Statements,
        errand: &Errand,
        tries: u32,
        tell: Tell<'_>,
    ) -> Result<Acquired, Trouble> {
        let mut heard: Vec<Heard> = Vec::new();
        let mut last: Option<Received> = None;
        let mut authenticated = true;
        loop {
            let ask = match (statements.next)(errand, &heard, &self.stamp()) {
                Step::Ask(ask) if heard.len() < ASKS_MAX => ask,
                Step::Join(turns) => {
                    let parts = join::Parts { turns: &turns, heard: &heard, last, tries, authenticated };
                    return self.join(statements, errand, parts).await;
                }
                Step::OneByOne(why) => return Ok(Acquired::OneByOne(why)),
                Step::Ask(_) => {
                    let text =
                        format!("still asking after {ASKS_MAX} requests; the provider's paging is broken");
                    return self.conclude(errand, Step::Rejected(text), last, heard.last());
                }
                step => return self.conclude(errand, step, last, heard.last()),
            };
            let (words, received) = self.hear(errand, &ask, tell).await?;
            authenticated &= received.authenticated;
            // A reply that was shown whole has been understood by now.
            heard.iter_mut().for_each(|earlier| earlier.head.truncate(HEAD_MAX));
            heard.push(words);
            last = (received.len > 0).then_some(Received { tries, authenticated, ..received });
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp { now: self.clock.now(), nonce: format!("{:032x}", fastrand::u128(..)) }
    }

    /// One turn: says it, and archives what comes back before anybody reads it. Of an empty answer there is nothing
    /// to archive, and its hash is empty.
    async fn hear(&self, errand: &Errand, ask: &Ask, tell: Tell<'_>) -> Result<(Heard, Received), Trouble> {
        let mut partial = self.archive.partial()?;
        let Reply { status, headers, source, authenticated } =
            self.transport.send(ask, &mut partial, tell).await?;
        let mut head = partial.head().to_vec();
        let Kept { sha256, len } = self.keep(partial).await?;
        if let Ask::Http(request) = ask
            && request.head_max > HEAD_MAX
            && len > HEAD_MAX as u64
        {
            head = self.archive.read(&sha256)?;
            head.truncate(request.head_max);
        }
        let now = self.clock.now();
        let (hash, from, mark) = (sha256.clone(), source.clone(), ask.mark().to_owned());
        let heard = Heard { status, headers, head, len, sha256: hash, source: from, mark, at: Some(now) };
        self.check_clock(&heard)?;
        let received = Received { sha256, len, source, fetched_at: now, authenticated, tries: 1 };
        if len > 0 {
            self.archive.note(errand, &received, Status::Received, "")?;
        }
        Ok((heard, received))
    }

    /// A clock that is off makes wrong bill dates and refused signatures: nothing is done with it. A replay's clock
    /// (`NIGHTJOB_NOW`) is meant to be another.
    fn check_clock(&self, heard: &Heard) -> Result<(), Failure> {
        let Clock::System = self.clock else { return Ok(()) };
        let Some(off) = clock_off(heard, self.clock.now()) else { return Ok(()) };
        let text = format!("this machine's clock is {off} s off the provider's ({})", heard.source);
        Err(Failure::new(Exit::Config, text).hint("set the clock (NTP) and run again"))
    }

    /// Syncing half a gigabyte takes a while: it is done beside the other conversations.
    async fn keep(&self, partial: Partial) -> Result<Kept, Failure> {
        if partial.is_empty() {
            return Ok(Kept { sha256: String::new(), len: 0 });
        }
        let archive = Arc::clone(&self.archive);
        let kept = tokio::task::spawn_blocking(move || archive.keep(partial));
        kept.await.map_err(|e| Failure::new(Exit::Bug, format!("archiving was stopped: {e}")))?
    }

    /// The last thing a room says, as the errand's end.
    fn conclude(
        &self,
        errand: &Errand,
        step: Step,
        last: Option<Received>,
        heard: Option<&Heard>,
    ) -> Result<Acquired, Trouble> {
        let note = |status, why: &str| match &last {
            Some(got) => self.archive.note(errand, got, status, why),
            None => Ok(()),
        };
        let fail = |exit, why: String, hint: &str| Trouble::Final(Failure::new(exit, why).hint(hint));
        Err(match (step, &last) {
            (Step::Statement, Some(got)) => {
                note(Status::Statement, "")?;
                return Ok(Acquired::Statement(got.clone()));
            }
            (Step::NoMovements, Some(got)) => {
                note(Status::Empty, "")?;
                return Ok(Acquired::NoMovements(got.clone()));
            }
            (Step::Statement | Step::NoMovements | Step::Ask(_) | Step::Join(_) | Step::OneByOne(_), _) => {
                fail(Exit::Bug, "the room ended the conversation before anything was heard".into(), "")
            }
            (Step::NotReady(why), _) => {
                note(Status::NotReady, &why)?;
                fail(Exit::NotReady, why, "nothing to do: the next run asks again")
            }
            (Step::Refused(why), _) => {
                note(Status::Refused, &why)?;
                fail(Exit::Refused, why, "")
            }
            (Step::Rejected(why), _) => {
                note(Status::Rejected, &why)?;
                fail(Exit::Rejected, why, "what came stays in the archive, marked")
            }
            (Step::Again { why, when_exhausted, at_least_seconds }, _) => {
                note(Status::Again, &why)?;
                let asked = heard.and_then(|h| retry_after(h, self.clock.now())).unwrap_or_default();
                let at_least = asked.max(Duration::from_secs(at_least_seconds));
                Trouble::Again { why, when_exhausted, at_least }
            }
        })
    }
}

fn exhausted(why: String, when_exhausted: Exhausted, tries: u32) -> Failure {
    let (exit, hint) = match when_exhausted {
        Exhausted::Passing => (Exit::Passing, "this may pass: run it again later"),
        Exhausted::Refused => (Exit::Refused, ""),
        Exhausted::NotReady => (Exit::NotReady, "nothing to do: the next run asks again"),
        Exhausted::Rejected => (Exit::Rejected, "what came stays in the archive, marked"),
    };
    let times = if tries == 1 { "1 try".to_owned() } else { format!("{tries} tries") };
    Failure::new(exit, format!("{why} ({times})")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_follows_the_rate() {
        for (rate, millis) in [(2.0, 500), (0.5, 2000), (1000.0, 1), (0.0, 0), (-1.0, 0), (f64::NAN, 0)] {
            let (connect_timeout, idle_timeout) = (Duration::ZERO, Duration::ZERO);
            let http = HttpSettings {
                connect_timeout,
                idle_timeout,
                tries: 0,
                pause: connect_timeout,
                rate_per_second: rate,
            };
            let limits = Limits::new(&http);
            assert_eq!((limits.gap.as_millis(), limits.tries), (millis, 1), "{rate}");
        }
    }
}
