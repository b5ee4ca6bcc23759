//! The weather of one process: what goes wrong at its network, its disk, its clock, and when it dies.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nightjob::acquire::{Partial, Reply, Simulated, Trouble};
use nightjob::channel::{Exhausted, Request, bare};
use nightjob::domain::BillDate;
use nightjob::failpoint;
use nightjob::sandbox::{Desk, Desks, Mishap, Rule, Said, Tries};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Faults that happened, by kind.
pub(crate) static TALLY: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

pub(crate) fn count(kind: &'static str) {
    *TALLY.lock().expect("no panic holds it").entry(kind).or_default() += 1;
}

/// What one process will suffer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather {
    seed: u64,
    /// Of a hundred requests.
    network: u8,
    /// Of a hundred durable steps, and with which error.
    disk: (u8, i32),
    /// From this durable step on nothing happens any more.
    pub(crate) crash_at: Option<u64>,
    /// Somebody loses patience after so many waits: a signal, which is answered in order.
    pub(crate) patience: Option<u32>,
    /// The time of `--max-duration` is over before it began.
    pub(crate) late: bool,
}

impl Weather {
    pub(crate) fn calm() -> Weather {
        Weather::default()
    }

    /// Draws for a process that took `steps` durable steps and `waits` waits in calm weather.
    pub(crate) fn draw(rng: &mut fastrand::Rng, (steps, waits): (u64, u32)) -> Weather {
        let mut weather = Weather { seed: rng.u64(..), ..Weather::default() };
        // One cause at a time, or two, so that each is also seen alone.
        for _ in 0..rng.u8(1..=2) {
            match rng.u8(..10) {
                0..3 => weather.network = [5, 15, 30][rng.usize(..3)],
                3..5 => weather.disk = (rng.u8(1..=10), [EIO, ENOSPC][rng.usize(..2)]),
                5..8 => weather.crash_at = Some(rng.u64(1..=steps.max(1))),
                8 => weather.patience = Some(rng.u32(0..=waits)),
                _ => weather.late = rng.u8(..3) == 0,
            }
        }
        weather
    }

    /// Arms the failpoints; the flag that goes up when the process has died.
    pub(crate) fn arm(&self) -> Arc<AtomicBool> {
        let dead = Arc::new(AtomicBool::new(false));
        let (weather, died) = (self.clone(), Arc::clone(&dead));
        let seen: Mutex<BTreeMap<&'static str, u64>> = Mutex::default();
        failpoint::arm(move |number, step| {
            if weather.crash_at.is_some_and(|at| number >= at) {
                if !died.swap(true, Ordering::SeqCst) {
                    count("crash");
                }
                return Err(io::Error::other("the process died here"));
            }
            let nth = {
                let mut seen = seen.lock().expect("no panic holds it");
                let nth = seen.entry(step).or_default();
                *nth += 1;
                *nth
            };
            // By the step's own count, so that it is the same whatever thread comes first.
            let (percent, code) = weather.disk;
            if percent > 0 && drawn(weather.seed, step, nth) < u64::from(percent) {
                count(if code == ENOSPC { "disk full" } else { "disk broken" });
                return Err(io::Error::from_raw_os_error(code));
            }
            Ok(())
        });
        dead
    }

    /// The network between the program and the desks.
    pub(crate) fn network(&self, desks: Arc<Desks>) -> Simulated {
        let percent = self.network;
        let line = Mutex::new((fastrand::Rng::with_seed(self.seed), None::<Said>));
        Arc::new(move |request: &Request, into: &mut Partial| {
            let heard = desks.answer(request.method, &request.url, &request.headers, &request.body);
            let (rng, before) = &mut *line.lock().expect("no panic holds it");
            let earlier = before.replace(heard.clone());
            let fault = if percent > rng.u8(..100) { rng.u8(..7) } else { u8::MAX };
            match fault {
                0 => lost("reply lost"),
                1 => {
                    into.write(&heard.body[..heard.body.len() / 2])?;
                    lost("reply cut short")
                }
                // The provider never heard the second one: its answer to the first comes once more.
                2 if earlier.is_some() => {
                    count("reply twice");
                    told(request, earlier.unwrap_or(heard), into)
                }
                3 => told(request, apology(503, "server error"), into),
                4 => told(request, apology(429, "too many requests"), into),
                5 => told(request, apology(200, "apology in HTML"), into),
                6 => told(request, Said { body: Vec::new(), ..apology(200, "empty reply") }, into),
                _ if heard.cut => {
                    into.write(&heard.body[..heard.body.len() / 2])?;
                    lost("reply cut by the provider")
                }
                _ => told(request, heard, into),
            }
        })
    }
}

fn apology(status: u16, kind: &'static str) -> Said {
    count(kind);
    let body = b"<!DOCTYPE html><html><body><h1>busy</h1></body></html>".to_vec();
    Said { status, headers: vec![("content-type".to_owned(), "text/html".to_owned())], body, cut: false }
}

fn lost(kind: &'static str) -> Result<Reply, Trouble> {
    count(kind);
    Err(Trouble::Again { why: kind.to_owned(), when_exhausted: Exhausted::Passing, at_least: Duration::ZERO })
}

fn told(request: &Request, said: Said, into: &mut Partial) -> Result<Reply, Trouble> {
    into.write(&said.body)?;
    let mut headers = said.headers;
    headers.push(("content-length".to_owned(), said.body.len().to_string()));
    let source = format!("{} {}", request.method, bare(&request.url));
    Ok(Reply { status: said.status, headers, source, authenticated: true })
}

fn drawn(seed: u64, step: &str, nth: u64) -> u64 {
    let mixed = step.bytes().fold(seed ^ nth, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    fastrand::Rng::with_seed(mixed).u64(..100)
}

/// What the providers themselves get wrong at first: not ready, busy, the wrong file, a torn one. It heals by itself.
pub(crate) fn mishaps(rng: &mut fastrand::Rng, date: BillDate) -> Vec<Rule> {
    const DESKS: [Desk; 3] = [Desk::WechatBill, Desk::AlipayGateway, Desk::AlipayDownload];
    const MISHAPS: [(Mishap, &str); 9] = [
        (Mishap::NotReady, "not ready yet"),
        (Mishap::Busy, "provider busy"),
        (Mishap::Html, "provider apologises"),
        (Mishap::CutShort, "provider cuts the line"),
        (Mishap::TotalsOff, "totals off"),
        (Mishap::OtherMerchant, "another merchant's bill"),
        (Mishap::OtherDay, "another day's bill"),
        (Mishap::Torn, "torn bill"),
        (Mishap::WrongSignature, "signature wrong"),
    ];
    (0..rng.usize(..3))
        .map(|_| {
            let (mishap, kind) = MISHAPS[rng.usize(..MISHAPS.len())];
            count(kind);
            Rule::new(DESKS[rng.usize(..3)], Tries::First(rng.u32(1..=4)), mishap).on(date)
        })
        .collect()
}
