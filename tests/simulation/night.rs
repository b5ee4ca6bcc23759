//! One process of the job, from its start to its end or its death: what `nightjob run` does, on the same functions.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use nightjob::acquire::Simulated;
use nightjob::config::Settings;
use nightjob::domain::{BillDate, Clock, Exit, Failure, Lang, Moment};
use nightjob::failpoint;
use nightjob::night::{self, House, Outcome, Source, Talk};
use nightjob::plan::{self, DateSource, Dates, Plan, Selection};
use nightjob::report::{csv, json};
use nightjob::store::{Claim, RunLock};

use crate::weather::{Weather, count};

/// How a process is started.
pub(crate) struct Start<'s> {
    pub(crate) settings: &'s Settings,
    pub(crate) now: Moment,
    pub(crate) dates: Dates,
    pub(crate) network: Simulated,
    pub(crate) weather: &'s Weather,
}

/// How it ended.
pub(crate) struct Ended {
    /// `None`: it died.
    pub(crate) exit: Option<Exit>,
    pub(crate) causes: Vec<String>,
    /// Durable steps and waits that it took.
    pub(crate) took: (u64, u32),
    /// An exit that claims that all was done, and what gives it the lie.
    pub(crate) lies: Vec<String>,
}

impl Ended {
    pub(crate) fn is_done(&self) -> bool {
        matches!(self.exit, Some(Exit::Done | Exit::Look))
    }
}

/// Runs the job once, in a runtime of its own; returns when nothing of it is left.
pub(crate) fn run(start: &Start<'_>) -> Ended {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let dead = start.weather.arm();
    let mut waits = 0;
    let life = Life { work: Box::pin(job(start)), dead: &dead, waits: &mut waits };
    let ended = runtime.block_on(life);
    drop(runtime);
    wait_for_connections();
    let steps = failpoint::disarm();
    match ended {
        Some((outcome, lies)) => Ended {
            exit: Some(outcome.exit()),
            causes: outcome
                .causes
                .iter()
                .map(|cause| format!("{}: {}", cause.about, cause.message))
                .collect(),
            took: (steps, waits),
            lies,
        },
        None => Ended { exit: None, causes: Vec::new(), took: (steps, waits), lies: Vec::new() },
    }
}

async fn job(start: &Start<'_>) -> (Outcome, Vec<String>) {
    let mut outcome = Outcome::default();
    let lies = match attempt(start, &mut outcome).await {
        Ok(lies) => lies,
        Err(failure) => {
            outcome.fail("", failure);
            Vec::new()
        }
    };
    (outcome, lies)
}

async fn attempt(start: &Start<'_>, outcome: &mut Outcome) -> Result<Vec<String>, Failure> {
    let settings = start.settings;
    let selection = Selection { dates: start.dates, ..Selection::nightly() };
    let plan = plan::plan(settings, &selection, Clock::Fixed(start.now).today())?;
    let clock = Clock::Fixed(start.now);
    let lock = lock(settings, clock)?;
    let mut house = House::open(settings.clone(), clock, Talk::silent(Lang::En), &lock).await?;
    house.acquirer.simulate(Arc::clone(&start.network));
    if start.weather.late {
        count("max-duration over");
        house.deadline.end = Some(Instant::now());
    }
    house.run_id = house.ledger.start_run("simulated", start.now).await?;
    let plan = caught_up(&house, plan, clock).await?;
    let work = Box::pin(night::run(&house, &plan, Source::Providers, outcome));
    let patient = Patient { work, left: start.weather.patience.unwrap_or(u32::MAX) }.await;
    if !patient {
        count("signal");
        outcome.break_off(Exit::Terminated);
    }
    let finished = house.ledger.finish_run(house.run_id, start.now, outcome.exit(), "[]").await;
    if let Err(failure) = finished {
        outcome.fail("", failure);
    }
    let claims = matches!(outcome.exit(), Exit::Done | Exit::Look);
    let lies = if claims { lies(&house, &plan).await } else { Vec::new() };
    house.ledger.close().await;
    Ok(lies)
}

/// The lock, in this life's own folder, whatever server its ledger is on.
pub(crate) fn lock(settings: &Settings, clock: Clock) -> Result<RunLock, Failure> {
    let claim = Claim { clock, host: "here", command: "simulated" };
    RunLock::take(&settings.archive.with_extension("lock"), &claim)
}

/// The bare night's plan with what earlier nights left undone, as `command/again.rs` makes it.
async fn caught_up(house: &House, plan: Plan, clock: Clock) -> Result<Plan, Failure> {
    let (DateSource::Lag, Some(own)) = (plan.source, plan.own_day()) else { return Ok(plan) };
    let back = house.settings.catch_up_days;
    let days: Vec<BillDate> = (1..=back).map(|days| own.minus_days(days)).collect();
    let known = night::known(&house.ledger, house.settings.lag_days, &days).await?;
    let plan = plan.catching_up(back, &known, clock.today());
    plan.owed.iter().for_each(|_| count("unit caught up"));
    Ok(plan)
}

/// What an exit of 0 or 10 is given the lie by: a unit that is not done, a report that is not what the ledger says.
async fn lies(house: &House, plan: &Plan) -> Vec<String> {
    let mut lies = Vec::new();
    for errand in &plan.errands {
        match house.ledger.verify_unit(&errand.account.name, errand.date).await {
            Ok(Some(unit)) if unit.is_intact() => {}
            other => lies.push(format!("{errand}: {other:?}")),
        }
    }
    for date in &plan.dates {
        let report = match night::day(house, *date).await {
            Ok(report) => report,
            Err(failure) => return vec![format!("{date}: {failure}")],
        };
        let folder = house.settings.reports.join(date.to_string());
        for (name, text) in [("report.json", json::write(&report)), ("mismatches.csv", csv::write(&report))] {
            if std::fs::read(folder.join(name)).ok().as_deref() != Some(text.as_bytes()) {
                lies.push(format!("{date}: {name} is not what the ledger says"));
            }
        }
    }
    lies
}

/// A connection to SQLite lives in a thread of its own, which ends a moment after it was dropped; the next process must
/// not meet it.
fn wait_for_connections() {
    let is_one = |task: std::fs::DirEntry| {
        std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.starts_with("sqlx-sqlite"))
    };
    let any = || std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.flatten().any(is_one));
    while any() {
        std::thread::yield_now();
    }
}

/// Work that ends at once where the process died: nothing of it is polled again.
struct Life<'l, F> {
    work: Pin<Box<F>>,
    dead: &'l AtomicBool,
    waits: &'l mut u32,
}

impl<F: Future> Future for Life<'_, F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.dead.load(Ordering::SeqCst) {
            return Poll::Ready(None);
        }
        *this.waits += 1;
        let polled = this.work.as_mut().poll(context);
        if this.dead.load(Ordering::SeqCst) {
            return Poll::Ready(None);
        }
        polled.map(Some)
    }
}

/// Work that is dropped after so many waits. Whether it came to its end.
struct Patient<F> {
    work: Pin<Box<F>>,
    left: u32,
}

impl<F: Future<Output = ()>> Future for Patient<F> {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        let this = self.get_mut();
        match (this.work.as_mut().poll(context), this.left) {
            (Poll::Ready(()), _) => Poll::Ready(true),
            (Poll::Pending, 0) => Poll::Ready(false),
            (Poll::Pending, left) => {
                this.left = left - 1;
                Poll::Pending
            }
        }
    }
}
