//! The story of a night, in the order in which it happens.
//!
//! For each bill date: the log around it is read and folded while the statements come in; each errand is then done as
//! a whole or not at all; the day before is looked at again, because what was missing then may have come now; and the
//! reports of both days are written. One account's failure never stops the others: it becomes a cause of the exit
//! code and a line in the report.
//!
//! | file | what it tells |
//! |---|---|
//! | `log` | EB_PAYLOG around a date, folded once for all accounts |
//! | `notices` | stored notifications, proven and told |
//! | `book` | a statement: acquired, archived, read |
//! | `elsewhere` | what landed in another account's statement |
//! | `again` | the days beside a day, compared once more |
//! | `deadline` | until when a night asks |
//! | `standing` | where the units stand, for a plan and for `status` |
//! | `doubts` | what the provider says of one-sided items, if it is asked |
//! | `sweep` | a day without a statement: every logged order asked about |
//! | `ours`, `neighbours` | the log's side of a unit, and what the days around it hold |
//! | `unit`, `telling` | both books of one errand, compared and kept in one transaction, with their section |
//! | `pages` | the reports of a day, from what the ledger keeps |
//! | `seal` | the end of a run, in the archive's index |
//! | `outcome` | what happened, and which exit code that is |
//! | `why` | `explain` |
//! | `verify`, `backup`, `purge` | what is kept, proven; copied; and which log rows it no longer needs |
//! | `talk` | what is said while it happens |

mod log;
mod notices;
mod book;
mod ours;
mod neighbours;
mod elsewhere;
mod again;
mod deadline;
mod doubts;
mod sweep;
mod telling;
mod unit;
mod pages;
mod seal;
mod outcome;
mod standing;
mod why;
mod verify;
mod backup;
mod purge;
mod talk;

use std::path::Path;
use std::sync::Arc;

use crate::acquire::{Acquired, Acquirer, Archive, Received};
use crate::config::Settings;
use crate::domain::{Bill, BillDate, Clock, Errand, Exit, Failure, Verdict};
use crate::plan::Plan;
use crate::report::Report;
use crate::store::{Ledger, RunLock};

pub use backup::{Backup, backup};
pub use deadline::Deadline;
pub use outcome::{Cause, Outcome, UnitLine};
pub use purge::{PurgePlan, purge_plan};
pub use standing::known;
pub use talk::{Manner, Talk};
pub use verify::{Damage, UnitProof, Verified, verify};
pub use why::{ask, explain};

use again::{again, beside, day_after};
use deadline::in_time;
use log::NightLog;

/// Everything a night works with.
pub struct House {
    pub settings: Settings,
    pub clock: Clock,
    pub ledger: Ledger,
    pub archive: Arc<Archive>,
    pub acquirer: Acquirer,
    pub talk: Talk,
    /// `--max-duration`.
    pub deadline: Deadline,
    /// `--investigate`: the provider is asked about what is one-sided or lost.
    pub investigate: bool,
    /// This run's row in `night_run`; 0 before it has one.
    pub run_id: i64,
}

/// Where the statements of a night come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The providers: `run`.
    Providers,
    /// The archive: `reconcile`. No network.
    Archive,
}

impl House {
    /// Opens the ledger and the archive of the settings, for whoever holds the lock of this machine.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`] or [`Exit::Config`]: a folder that cannot be written, a database that cannot be opened.
    /// [`Exit::Busy`]: an instance on another machine.
    pub async fn open(
        settings: Settings,
        clock: Clock,
        talk: Talk,
        lock: &RunLock,
    ) -> Result<House, Failure> {
        let mut ledger = Ledger::open(&settings.database).await?;
        ledger.hold(lock.holder()).await?;
        House::of(ledger, settings, clock, talk)
    }

    /// The house of a ledger that is held.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`]: an archive that cannot be written.
    pub fn of(ledger: Ledger, settings: Settings, clock: Clock, talk: Talk) -> Result<House, Failure> {
        let archive = Arc::new(Archive::open(&settings.archive)?);
        let acquirer = Acquirer::new(&settings.http, archive.clone(), &settings.home, clock);
        Ok(House {
            settings,
            clock,
            ledger,
            archive,
            acquirer,
            talk,
            deadline: Deadline::default(),
            investigate: false,
            run_id: 0,
        })
    }

    /// Whether the run before this one never ended.
    async fn was_broken_off(&self) -> Result<bool, Failure> {
        let Some(before) = self.run_id.checked_sub(1) else { return Ok(false) };
        Ok(self.ledger.run(before).await?.is_some_and(|run| run.finished_at.is_none()))
    }

    /// The account's place in the settings, which is its place in what the log was folded into.
    fn account_index(&self, errand: &Errand) -> usize {
        let named = |account: &crate::domain::Account| account.name == errand.account.name;
        self.settings.accounts.iter().position(named).unwrap_or(usize::MAX)
    }
}

/// Fetch, read, keep, compare, report: all units of the plan, date by date. What happened is told in `outcome` as it
/// happens, so that a run that is broken off has said everything up to then.
pub async fn run(house: &House, plan: &Plan, source: Source, outcome: &mut Outcome) {
    for &date in &plan.dates {
        // Whoever has the ledger by now does the rest.
        if house.ledger.is_taken_over() {
            return;
        }
        let errands: Vec<&Errand> = plan.errands.iter().filter(|errand| errand.date == date).collect();
        if deadline::is_over(house, date) {
            deadline::leave(house, date, &errands, outcome).await;
        } else {
            one_day(house, date, &errands, source, outcome).await;
            day_after(house, date.after(), &|unit| is_first_now(plan, date, unit), outcome).await;
        }
    }
    seal::seal(house, source, outcome).await;
}

/// Whether a done unit of the day after `date` has now got the day before it, and the plan will not come to it.
fn is_first_now(plan: &Plan, date: BillDate, unit: &Errand) -> bool {
    let comes_to = |date: BillDate| {
        plan.errands.iter().any(|errand| errand.date == date && errand.account.name == unit.account.name)
    };
    !plan.dates.contains(&unit.date) || comes_to(date) && !comes_to(unit.date)
}

/// One bill date: its units, the day before once more, and both reports.
async fn one_day(house: &House, date: BillDate, errands: &[&Errand], source: Source, outcome: &mut Outcome) {
    let (log, acquired) = tokio::join!(NightLog::read(house, date), acquire(house, errands, source));
    match log {
        Ok(log) => {
            units(house, errands, acquired, &log, outcome).await;
            elsewhere::second_look(house, date, &log, outcome).await;
            if house.investigate {
                doubts::investigate(house, errands, &log, outcome).await;
            }
            the_rest(house, date, &log, outcome).await;
        }
        Err(failure) => {
            let trades = errands.iter().zip(acquired).filter(|(errand, _)| errand.bill == Bill::Trade);
            let trades: Vec<_> = trades.collect();
            // Where every unit has a reason of its own, none of them tells this one.
            if trades.iter().all(|(_, acquired)| acquired.is_err()) {
                outcome.fail(date.to_string(), failure.clone());
            }
            for (errand, acquired) in trades {
                let failure = acquired.err().unwrap_or_else(|| failure.clone());
                settle(house, errand, Err(failure), outcome).await;
            }
        }
    }
    pages::write(house, date, outcome).await;
}

/// What belongs to a day beside its units.
async fn the_rest(house: &House, date: BillDate, log: &NightLog, outcome: &mut Outcome) {
    again(house, date.before(), log, &|_| true, outcome).await;
    pages::keep_unclaimed(house, date, log, outcome).await;
}

/// Where the statements of a day are, one after another: providers like it so, and the log is read meanwhile.
async fn acquire(house: &House, errands: &[&Errand], source: Source) -> Vec<Result<Acquired, Failure>> {
    let mut acquired = Vec::with_capacity(errands.len());
    for errand in errands {
        acquired.push(match source {
            Source::Providers => in_time(house, errand, book::acquire(house, errand)).await,
            Source::Archive => book::archived(house, errand).await,
        });
    }
    acquired
}

/// What became of one errand's asking.
type Asked<'e> = (&'e Errand, Result<Acquired, Failure>);

/// A unit's trade bill, and the bills beside it.
struct Waiting<'e> {
    trade: Asked<'e>,
    extras: Vec<Asked<'e>>,
}

/// The day's units in their order: an account's other bills belong to the unit of its trade bill.
fn by_unit<'e>(asked: impl Iterator<Item = Asked<'e>>) -> Vec<Waiting<'e>> {
    let mut units: Vec<Waiting<'e>> = Vec::new();
    for asked in asked {
        let account = &asked.0.account.name;
        match units.iter_mut().find(|unit| unit.trade.0.account.name == *account) {
            Some(unit) if asked.0.bill == Bill::Trade => {
                let extra = std::mem::replace(&mut unit.trade, asked);
                unit.extras.push(extra);
            }
            Some(unit) => unit.extras.push(asked),
            None => units.push(Waiting { trade: asked, extras: Vec::new() }),
        }
    }
    units
}

/// The units of a day in their order: while one is being written, the next is read and compared. So two statements
/// are in memory at most.
async fn units(
    house: &House,
    errands: &[&Errand],
    acquired: Vec<Result<Acquired, Failure>>,
    log: &NightLog,
    outcome: &mut Outcome,
) {
    let mut waiting = by_unit(errands.iter().copied().zip(acquired)).into_iter();
    let mut compared = compare_next(house, waiting.next(), log).await;
    while let Some((errand, unit)) = compared {
        if let Ok(unit) = &unit {
            unit.failures().for_each(|(errand, failure)| outcome.fail(errand.to_string(), failure.clone()));
        }
        let keep = async {
            match unit {
                Ok(unit) => unit::keep(house, unit, log).await,
                Err(failure) => Err(failure),
            }
        };
        let (done, next) = tokio::join!(keep, compare_next(house, waiting.next(), log));
        settle(house, errand, done, outcome).await;
        compared = next;
    }
}

async fn compare_next<'e>(
    house: &House,
    next: Option<Waiting<'e>>,
    log: &NightLog,
) -> Option<(&'e Errand, Result<unit::Compared<'e>, Failure>)> {
    let Waiting { trade: (errand, acquired), extras } = next?;
    let acquired = match acquired {
        Ok(Acquired::OneByOne(why)) => {
            let answers = in_time(house, errand, sweep::answer(house, errand, &why, log));
            answers.await.map(Acquired::Statement)
        }
        acquired => acquired,
    };
    let compared = match acquired {
        Ok(trade) => unit::compare(house, unit::Bills { errand, trade, extras }, log).await,
        Err(failure) => Err(failure),
    };
    Some((errand, compared))
}

/// Tells how a unit ended, and keeps what a failure has to say where no earlier result stands.
async fn settle(house: &House, errand: &Errand, done: Result<UnitLine, Failure>, outcome: &mut Outcome) {
    match done {
        Ok(line) => {
            house.talk.unit_done(&line);
            outcome.unit_done(errand.to_string(), line);
        }
        Err(failure) => {
            if let Err(worse) = pages::keep_failure(house, errand, &failure).await {
                outcome.fail(errand.to_string(), worse);
            }
            outcome.units.push(UnitLine::not_compared(errand));
            outcome.fail(errand.to_string(), failure);
        }
    }
}

/// Gets and archives statements; no ledger.
pub async fn fetch(house: &House, plan: &Plan) -> Outcome {
    let mut outcome = Outcome::default();
    for errand in &plan.errands {
        match book::acquire(house, errand).await {
            Ok(Acquired::Statement(got) | Acquired::NoMovements(got)) => {
                tracing::info!(account = %errand.account.name, date = %errand.date, "{errand}: {} ({} bytes)", got.sha256, got.len);
                outcome.files.push(got.sha256);
            }
            Ok(Acquired::OneByOne(_)) => {
                tracing::info!(account = %errand.account.name, date = %errand.date, "{errand}: this channel has no statement to fetch");
            }
            Err(failure) => {
                outcome.fail(errand.to_string(), failure);
            }
        }
    }
    outcome
}

/// A statement that someone downloaded by hand, through the same checks as any other.
pub async fn import(house: &House, errand: &Errand, file: &Path, outcome: &mut Outcome) {
    let received = match house.archive.import(file, errand, house.clock.now()) {
        Ok(received) => received,
        // Nothing came: the day is what it was.
        Err(failure) => return outcome.fail(errand.to_string(), failure),
    };
    match NightLog::read(house, errand.date).await {
        Ok(log) => {
            let done = import_unit(house, errand, received, &log).await;
            settle(house, errand, done, outcome).await;
            elsewhere::second_look(house, errand.date, &log, outcome).await;
            the_rest(house, errand.date, &log, outcome).await;
        }
        Err(failure) => settle(house, errand, Err(failure), outcome).await,
    }
    day_after(house, errand.date.after(), &|_| true, outcome).await;
    pages::write(house, errand.date, outcome).await;
    seal::seal(house, Source::Providers, outcome).await;
}

async fn import_unit(
    house: &House,
    errand: &Errand,
    received: Received,
    log: &NightLog,
) -> Result<UnitLine, Failure> {
    let others = beside(errand);
    let mut extras = Vec::with_capacity(others.len());
    for other in &others {
        extras.push((other, book::archived(house, other).await));
    }
    let trade = Acquired::Statement(received);
    let unit = unit::compare(house, unit::Bills { errand, trade, extras }, log).await?;
    unit::keep(house, unit, log).await
}

/// Writes the reports again, from what the ledger keeps.
pub async fn report(house: &House, plan: &Plan, outcome: &mut Outcome) {
    for &date in &plan.dates {
        pages::write(house, date, outcome).await;
        match pages::report(house, date).await {
            Ok(report) => report.units.iter().for_each(|unit| match unit.verdict() {
                Verdict::Balanced | Verdict::Confirmed => {}
                Verdict::Unbalanced | Verdict::Incomplete => {
                    outcome.look(format!("{} {date}", unit.account), unit.reason.clone());
                }
                Verdict::NotCompared => {
                    let failure = Failure::new(Exit::NotReady, unit.reason.clone());
                    outcome.fail(format!("{} {date}", unit.account), failure);
                }
            }),
            Err(failure) => outcome.fail(date.to_string(), failure),
        }
    }
}

/// A day's report as a value, for the terminal.
///
/// # Errors
///
/// [`Exit::Storage`]: the ledger cannot be read.
pub async fn day(house: &House, date: BillDate) -> Result<Report, Failure> {
    pages::report(house, date).await
}
