//! The rig: what `NIGHTJOB_FAILPOINT` arms, `NIGHTJOB_PLANTED` plants and `NIGHTJOB_CLOCK` does to the clock. Only with
//! the feature `rig`, which is never shipped; without it they are refused like any other variable that names no key.
//!
//! `NIGHTJOB_CLOCK=-3600`: once it was read, the clock of `NIGHTJOB_NOW` is an hour back.
//!
//! | `NIGHTJOB_FAILPOINT` | what becomes of the steps |
//! |---|---|
//! | `list` | each is told on stderr: `failpoint 17 archive: rename the object` |
//! | `kill:17` | the process ends at step 17 as `kill -9` ends it: nothing is closed, flushed or cleaned up |
//! | `enospc:17`, `eio:17` | step 17 fails: the disk is full, or broken |
//! | `enospc:17-`, `eio:17-` | so do all after it |

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::config::World;
use crate::domain::{Clock, Exit, Failure, Moment};
use crate::failpoint;

/// Numbers of Linux; elsewhere the error is another, and still one.
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Where the clock stood, and how far it jumps once it was read.
static STOOD: AtomicI64 = AtomicI64::new(0);
static JUMPS: AtomicI64 = AtomicI64::new(0);
static READ: AtomicBool = AtomicBool::new(false);

fn jumping() -> Moment {
    let jump = if READ.swap(true, Ordering::Relaxed) { JUMPS.load(Ordering::Relaxed) } else { 0 };
    Moment::from_unix(STOOD.load(Ordering::Relaxed)).plus_seconds(jump)
}

/// Arms what the environment asks for. The clock of this process.
pub(super) fn arm(world: &World, clock: Clock) -> Result<Clock, Failure> {
    failpoints(world)?;
    let Some(text) = world.env.get("NIGHTJOB_CLOCK") else { return Ok(clock) };
    let jumps = text.parse();
    let jumps =
        jumps.map_err(|_| Failure::new(Exit::Usage, format!("NIGHTJOB_CLOCK: `{text}` is no jump")))?;
    STOOD.store(clock.now().unix(), Ordering::Relaxed);
    JUMPS.store(jumps, Ordering::Relaxed);
    Ok(Clock::Told(jumping))
}

fn failpoints(world: &World) -> Result<(), Failure> {
    if let Some(bug) = world.env.get("NIGHTJOB_PLANTED") {
        failpoint::plant(bug);
    }
    let Some(text) = world.env.get("NIGHTJOB_FAILPOINT") else { return Ok(()) };
    let unknown = || Failure::new(Exit::Usage, format!("NIGHTJOB_FAILPOINT: `{text}` is no plan"));
    let (what, at) = text.split_once(':').unwrap_or((text, ""));
    let (first, last) = match at.strip_suffix('-') {
        Some(first) => (first.parse::<u64>().ok(), u64::MAX),
        None => (at.parse().ok(), at.parse().unwrap_or(0)),
    };
    let fail = |code, first| {
        failpoint::arm(move |number, _| match (first..=last).contains(&number) {
            true => Err(io::Error::from_raw_os_error(code)),
            false => Ok(()),
        });
    };
    match (what, first) {
        ("list", None) => failpoint::arm(|number, step| {
            let line = format!("failpoint {number} {step}\n");
            drop(io::stderr().write_all(line.as_bytes()));
            Ok(())
        }),
        ("kill", Some(at)) => {
            failpoint::arm(move |number, _| if number == at { std::process::abort() } else { Ok(()) });
        }
        ("enospc", Some(first)) => fail(ENOSPC, first),
        ("eio", Some(first)) => fail(EIO, first),
        _ => return Err(unknown()),
    }
    Ok(())
}
