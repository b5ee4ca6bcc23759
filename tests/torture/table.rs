//! The table: one row for each suite and engine, "n of N", computed; and how trials are run side by side.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What one suite found on one engine.
pub(crate) struct Row {
    pub(crate) suite: String,
    pub(crate) engine: &'static str,
    /// Trials that ended as they must.
    pub(crate) good: usize,
    pub(crate) of: usize,
    /// In place of "n of N".
    result: String,
    remark: String,
    pub(crate) complaints: Vec<String>,
    pub(crate) took: Duration,
    /// Why it was not run at all.
    not_run: Option<String>,
    /// The machine does not permit it: no fault of the program's.
    is_excused: bool,
}

impl Row {
    pub(crate) fn not_run(suite: &str, engine: &'static str, why: String) -> Row {
        Row { not_run: Some(why), ..Row::new(suite, engine, Vec::new(), Instant::now()) }
    }

    /// What this machine does not permit is said, and fails nothing.
    pub(crate) fn excused(self) -> Row {
        Row { is_excused: true, ..self }
    }

    /// Of the trials' complaints, `None` for a good one.
    pub(crate) fn new(suite: &str, engine: &'static str, trials: Vec<Option<String>>, since: Instant) -> Row {
        let of = trials.len();
        let complaints: Vec<String> = trials.into_iter().flatten().collect();
        Row {
            suite: suite.to_owned(),
            engine,
            good: of - complaints.len(),
            of,
            result: format!("{} of {of}", of - complaints.len()),
            remark: String::new(),
            complaints,
            took: since.elapsed(),
            not_run: None,
            is_excused: false,
        }
    }

    pub(crate) fn remark(mut self, remark: impl Into<String>) -> Row {
        self.remark = remark.into();
        self
    }

    /// One more condition, of all trials together; `None` if it holds.
    pub(crate) fn but(mut self, complaint: Option<String>) -> Row {
        if let Some(complaint) = complaint {
            self.good = 0;
            self.result = format!("0 of {}", self.of);
            self.complaints.push(complaint);
        }
        self
    }

    pub(crate) fn result(mut self, result: impl Into<String>) -> Row {
        self.result = result.into();
        self
    }

    /// A row of nothing proves nothing.
    pub(crate) fn is_complete(&self) -> bool {
        let is_run = self.not_run.is_none() && self.of > 0;
        self.is_excused || is_run && self.good == self.of
    }

    pub(crate) fn line(&self) -> String {
        let (result, remark) = match &self.not_run {
            Some(why) => ("not run", why),
            None => (self.result.as_str(), &self.remark),
        };
        columns([&self.suite, self.engine, result, remark])
    }

    pub(crate) fn say(&self, most: usize) {
        eprintln!("{} ({:.1} s)", self.line(), self.took.as_secs_f32());
        self.complaints
            .iter()
            .take(most)
            .for_each(|complaint| eprintln!("    {}", complaint.replace('\n', "\n    ")));
        if self.complaints.len() > most {
            eprintln!("    and {} more", self.complaints.len() - most);
        }
    }
}

pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = columns(["what was done to the night", "ledger", "as it must be", ""]);
    for row in rows {
        text.push('\n');
        text += &row.line();
    }
    text + "\n"
}

fn columns([suite, engine, result, remark]: [&str; 4]) -> String {
    format!("{suite:<52} {engine:<10} {result:<14} {remark}").trim_end().to_owned()
}

/// How many of a suite's trials are run: all, or every n-th, beginning anywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thin(pub(crate) usize);

impl Thin {
    pub(crate) const ALL: Thin = Thin(1);

    pub(crate) fn of<T: Copy>(self, all: &[T]) -> Vec<T> {
        all.iter().skip(fastrand::usize(..self.0)).step_by(self.0).copied().collect()
    }
}

/// Runs `trial` on every item, one more at once than the machine has processors (they also wait); the results in the items' order.
pub(crate) fn side_by_side<I: Sync, T: Send>(items: &[I], trial: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
    let together = std::thread::available_parallelism().map_or(2, usize::from) + 1;
    std::thread::scope(|scope| {
        for _ in 0..together {
            scope.spawn(|| {
                while let Some((at, item)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|at| items.get(at).map(|item| (at, item)))
                {
                    let result = trial(item);
                    results.lock().expect("no trial panics").push((at, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no trial panics");
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}
