//! Seeds shared out between processes, and what they report.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::panic;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use crate::Options;
use crate::story;
use crate::weather::TALLY;

/// Who found so much needs no more.
const FAILURES_MAX: usize = 3;

/// What a thread of a process that died meets: here its runtime is gone and not it, as it would be.
const LEFT_BEHIND: &str = "A Tokio 1.x context was found, but it is being shutdown";

/// The last panic of any thread: none is allowed, also not one that somebody caught.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// One of the crew: its share of the seeds.
pub(crate) fn work(options: &Options, hand: u64) -> ExitCode {
    panic::set_hook(Box::new(|info| {
        let text = info.to_string();
        if text.contains(LEFT_BEHIND) {
            return;
        }
        *PANIC.lock().unwrap_or_else(std::sync::PoisonError::into_inner) =
            Some(format!("{text}\n{}", std::backtrace::Backtrace::capture()));
    }));
    if let Some(bug) = &options.planted {
        nightjob::failpoint::plant(bug);
    }
    let most = if options.planted.is_some() { 1 } else { FAILURES_MAX };
    let share = options.nights.div_ceil(options.jobs);
    let (mut nights, mut failures) = (0, 0);
    let mut seeds = (options.seed + hand..).step_by(usize::try_from(options.jobs).expect("few hands"));
    while nights < share && failures < most {
        let seed = seeds.next().expect("seeds do not end");
        println!("seed {seed}");
        let told = panic::catch_unwind(|| story::tell(seed, options.tell));
        let panicked = PANIC.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        match (told, panicked) {
            (Ok(Ok(told)), None) => nights += told,
            (Ok(Err(broken)), None) => {
                failures += 1;
                nights += 1;
                println!("broken {seed} {}", broken.replace('\n', "\t"));
            }
            (_, panicked) => {
                failures += 1;
                nights += 1;
                println!("broken {seed} a panic: {}", panicked.unwrap_or_default().replace('\n', "\t"));
            }
        }
    }
    println!("nights {nights}");
    for (kind, count) in TALLY.lock().unwrap_or_else(std::sync::PoisonError::into_inner).iter() {
        println!("fault {count} {kind}");
    }
    ExitCode::from(u8::from(failures > 0))
}

/// What a crew reported.
#[derive(Default)]
struct Log {
    nights: u64,
    seeds: u64,
    faults: BTreeMap<String, u64>,
    broken: Vec<(u64, String)>,
}

/// The parent: starts the crew, and adds up.
pub(crate) fn share_out(options: &Options) -> ExitCode {
    let began = Instant::now();
    let crew: Vec<Child> = (0..options.jobs).map(|hand| start(options, hand)).collect();
    let mut log = Log::default();
    for hand in crew {
        log.listen(hand);
    }
    for (seed, broken) in &log.broken {
        println!("seed {seed}: {broken}");
        println!(
            "  again: cargo test --features odbc,rig --test simulation -- --seed {seed} --nights 1 --jobs 1 --tell\n"
        );
    }
    let faults: Vec<String> = log.faults.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let suffered: u64 = log.faults.values().sum();
    println!("{suffered} faults: {}", faults.join(", "));
    if let Some(bug) = &options.planted {
        let found = if log.broken.is_empty() { "NOT FOUND" } else { "found" };
        println!("planted bug `{bug}`: {found} within {} nights", log.nights);
        return ExitCode::from(u8::from(log.broken.is_empty()));
    }
    let sound = log.seeds - log.broken.len() as u64;
    println!(
        "simulated nights: {} in {} towns, {sound} of {} towns as in calm weather, seeds from {}, {} s",
        log.nights,
        log.seeds,
        log.seeds,
        options.seed,
        began.elapsed().as_secs()
    );
    ExitCode::from(u8::from(!log.broken.is_empty() || log.nights < options.nights))
}

fn start(options: &Options, hand: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    for (name, value) in
        [("--nights", options.nights), ("--seed", options.seed), ("--jobs", options.jobs), ("--hand", hand)]
    {
        command.args([name, &value.to_string()]);
    }
    if options.tell {
        command.arg("--tell");
    }
    if let Some(bug) = &options.planted {
        command.args(["--planted", bug]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("a process")
}

impl Log {
    fn listen(&mut self, mut hand: Child) {
        let lines = BufReader::new(hand.stdout.take().expect("a pipe")).lines();
        let (mut seed, mut ended) = (0, false);
        for line in lines {
            let line = line.expect("text");
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let (number, text) = rest.split_once(' ').unwrap_or((rest, ""));
            let number = number.parse::<u64>();
            match (word, number) {
                ("seed", Ok(number)) => {
                    seed = number;
                    self.seeds += 1;
                }
                ("broken", Ok(number)) => self.broken.push((number, text.replace('\t', "\n"))),
                ("nights", Ok(number)) => {
                    self.nights += number;
                    ended = true;
                }
                ("fault", Ok(number)) => *self.faults.entry(text.to_owned()).or_default() += number,
                _ => println!("{line}"),
            }
        }
        let status = hand.wait().expect("an end");
        if !ended {
            self.broken.push((seed, format!("the process ended: {status}")));
        }
    }
}
