//! Simulated nights: the whole pipeline in process, with every fault that the seed draws.
//!
//! A seed is a small town with its providers and three nights. They happen twice: in calm weather, and in a storm of lost
//! replies, broken disks, crashes and impatient operators, until the storm is over and the last rerun went well. Then
//! both ledgers and all reports must be the same to the byte, and what was planted must have been found; and at every
//! moment in between each unit must have been old or new, never a mixture (`background/reliability_ux.md` 1.3, R1 to R6).
//!
//! ```text
//! cargo test --features odbc,rig --test simulation -- [--nights 2000] [--seed 1] [--jobs 2] [--planted BUG]
//! ```
//!
//! A night is one run of the job in the storm, reruns included: each has weather of its own.
//!
//! Failpoints are one for each process, so seeds are shared out between processes. It is no test of the harness: it
//! lists nothing, and `scripts/torture` runs it.

#![allow(clippy::print_stdout, reason = "a program of its own, whose table is its result")]

mod books;
mod crew;
mod night;
mod story;
mod torn;
mod town;
mod weather;

use std::process::ExitCode;

/// What was asked for on the command line.
pub(crate) struct Options {
    pub(crate) nights: u64,
    pub(crate) seed: u64,
    pub(crate) jobs: u64,
    /// This process is one of the crew: which of them.
    pub(crate) hand: Option<u64>,
    /// Tell every step of every seed.
    pub(crate) tell: bool,
    /// A bug of the program's own (`failpoint::planted`), which must be found.
    pub(crate) planted: Option<String>,
}

impl Options {
    fn read() -> Options {
        let jobs = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
        let mut options = Options { nights: 300, seed: 1, jobs, hand: None, tell: false, planted: None };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            if word == "--planted" {
                options.planted = words.next();
                continue;
            }
            let mut number = || words.next().and_then(|text| text.parse().ok());
            match word.as_str() {
                "--nights" => options.nights = number().expect("--nights N"),
                "--seed" => options.seed = number().expect("--seed S"),
                "--jobs" => options.jobs = number().expect("--jobs N"),
                "--hand" => options.hand = number(),
                "--tell" => options.tell = true,
                other => {
                    panic!("simulation: `{other}` is none of --nights, --seed, --jobs, --tell, --planted")
                }
            }
        }
        options
    }
}

fn main() -> ExitCode {
    if std::env::args().any(|word| word == "--list") {
        return ExitCode::SUCCESS;
    }
    let options = Options::read();
    match options.hand {
        Some(hand) => crew::work(&options, hand),
        None => crew::share_out(&options),
    }
}
