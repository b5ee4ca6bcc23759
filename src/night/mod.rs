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
//! | `book` | a statement: acquired, archived, read |
//! | `unit` | both books of one errand, compared and kept in one transaction |
//! | `pages` | the reports of a day, from what the ledger keeps |
//! | `outcome` | what happened, and which exit code that is |
//! | `why` | `explain` |
//! | `talk` | what is said while it happens |

mod log;
mod book;
mod unit;
mod pages;
mod outcome;
mod why;
mod talk;

use std::path::Path;
use std::sync::Arc;

use crate::acquire::{Acquired, Acquirer, Archive, Received};
use crate::config::Settings;
use crate::domain::{Bill, BillDate, Clock, Errand, Exit, Failure, Verdict};
use crate::plan::Plan;
use crate::report::Report;
use crate::store::{Ledger, StatementState};

pub use outcome::{Cause, Outcome, UnitLine};
pub use talk::{Manner, Talk};
pub use why::explain;

use log::NightLog;

/// Everything a night works with.
pub struct House {
    pub settings: Settings,
    pub clock: Clock,
    pub ledger: Ledger,
    pub archive: Arc<Archive>,
    pub acquirer: Acquirer,
    pub talk: Talk,
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
    /// Opens the ledger and the archive of the settings.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`] or [`Exit::Config`]: a folder that cannot be written, a database that cannot be opened.
    pub async fn open(settings: Settings, clock: Clock, talk: Talk) -> Result<House, Failure> {
        let archive = Arc::new(Archive::open(&settings.archive)?);
        let ledger = Ledger::open(&settings.database).await?;
        let acquirer = Acquirer::new(&settings.http, archive.clone(), &settings.home, clock);
        Ok(House { settings, clock, ledger, archive, acquirer, talk })
    }

    /// The account's place in the settings, which is its place in what the log was folded into.
    fn account_index(&self, errand: &Errand) -> usize {
        let named = |account: &crate::domain::Account| account.name == errand.account.name;
        self.settings.accounts.iter().position(named).unwrap_or(usize::MAX)
    }
}

/// Fetch, read, keep, compare, report: all units of the plan, date by date.
pub async fn run(house: &House, plan: &Plan, source: Source) -> Outcome {
    let mut outcome = Outcome::default();
    for &date in &plan.dates {
        let errands: Vec<&Errand> = plan.errands.iter().filter(|errand| errand.date == date).collect();
        outcome.merge(one_day(house, date, &errands, source).await);
    }
    outcome
}

/// One bill date: its units, the day before once more, and both reports.
async fn one_day(house: &House, date: BillDate, errands: &[&Errand], source: Source) -> Outcome {
    let mut outcome = Outcome::default();
    let (log, acquired) = tokio::join!(NightLog::read(house, date), acquire(house, errands, source));
    match log {
        Ok(log) => {
            units(house, errands, acquired, &log, &mut outcome).await;
            again(house, date.before(), &log, &mut outcome).await;
            pages::keep_unclaimed(house, date, &log, &mut outcome).await;
        }
        Err(failure) => {
            for (errand, acquired) in errands.iter().zip(acquired) {
                let failure = acquired.err().unwrap_or_else(|| failure.clone());
                settle(house, errand, Err(failure), &mut outcome).await;
            }
        }
    }
    pages::write(house, date, &mut outcome).await;
    outcome
}

/// Where the statements of a day are, one after another: providers like it so, and the log is read meanwhile.
async fn acquire(house: &House, errands: &[&Errand], source: Source) -> Vec<Result<Acquired, Failure>> {
    let mut acquired = Vec::with_capacity(errands.len());
    for errand in errands {
        acquired.push(match source {
            Source::Providers => book::acquire(house, errand).await,
            Source::Archive => archived(house, errand).await,
        });
    }
    acquired
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
    let mut waiting = errands.iter().copied().zip(acquired);
    let mut compared = compare_next(house, waiting.next(), log).await;
    while let Some((errand, unit)) = compared {
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
    next: Option<(&'e Errand, Result<Acquired, Failure>)>,
    log: &NightLog,
) -> Option<(&'e Errand, Result<unit::Compared<'e>, Failure>)> {
    let (errand, acquired) = next?;
    let compared = match acquired {
        Ok(acquired) => unit::compare(house, errand, acquired, log).await,
        Err(failure) => Err(failure),
    };
    Some((errand, compared))
}

/// The statement that stands in the ledger, from the archive.
async fn archived(house: &House, errand: &Errand) -> Result<Acquired, Failure> {
    let standing = house.ledger.current_statement(&errand.account.name, errand.date, errand.bill).await?;
    let Some(record) = standing else {
        return Err(Failure::new(Exit::NotReady, format!("{errand}: the archive has no statement yet"))
            .hint("`nightjob run` gets it from the provider, `nightjob import` takes a file"));
    };
    let received = Received {
        sha256: record.meta.sha256,
        len: 0,
        source: record.meta.source,
        fetched_at: record.meta.fetched_at,
        authenticated: record.meta.authenticated,
        tries: 0,
    };
    Ok(match record.meta.state {
        StatementState::Empty => Acquired::NoMovements(received),
        _ => Acquired::Statement(received),
    })
}

/// Tells how a unit ended, and keeps what a failure has to say where no earlier result stands.
async fn settle(house: &House, errand: &Errand, done: Result<UnitLine, Failure>, outcome: &mut Outcome) {
    match done {
        Ok(line) => {
            house.talk.unit_done(&line);
            if line.verdict > Verdict::Confirmed {
                let what = format!("{} mismatches, {}", line.mismatches, line.verdict.as_str());
                outcome.look(errand.to_string(), what);
            }
            outcome.units.push(line);
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

/// The day before, once more: late items may have come, and what is still missing now is missing. Only what is new
/// there is a reason for a person to look again.
async fn again(house: &House, date: BillDate, log: &NightLog, outcome: &mut Outcome) {
    let done = match house.ledger.done_units(date).await {
        Ok(done) => done,
        Err(failure) => return outcome.fail(date.to_string(), failure),
    };
    let mut written = false;
    for unit in done {
        let Some(account) = house.settings.accounts.iter().find(|account| account.name == unit.account)
        else {
            continue;
        };
        let errand = Errand { account: Arc::new(account.clone()), date, bill: Bill::Trade };
        match compare_again(house, &errand, log).await {
            Ok(fresh) => {
                written = true;
                if fresh > 0 {
                    outcome
                        .look(errand.to_string(), format!("{fresh} mismatches that were not there before"));
                }
            }
            Err(failure) => {
                outcome.fail(errand.to_string(), failure);
            }
        }
    }
    if written {
        pages::write(house, date, outcome).await;
    }
}

/// Compares a done unit again from archive and log. How many mismatches are new.
async fn compare_again(house: &House, errand: &Errand, log: &NightLog) -> Result<usize, Failure> {
    let before = pages::open_ids(house, errand).await?;
    let unit = unit::compare(house, errand, archived(house, errand).await?, log).await?;
    unit::keep(house, unit, log).await?;
    let after = pages::open_ids(house, errand).await?;
    Ok(after.difference(&before).count())
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
            Err(failure) => {
                outcome.fail(errand.to_string(), failure);
            }
        }
    }
    outcome
}

/// A statement that someone downloaded by hand, through the same checks as any other.
pub async fn import(house: &House, errand: &Errand, file: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    let done = import_unit(house, errand, file).await;
    settle(house, errand, done, &mut outcome).await;
    pages::write(house, errand.date, &mut outcome).await;
    outcome
}

async fn import_unit(house: &House, errand: &Errand, file: &Path) -> Result<UnitLine, Failure> {
    let received = house.archive.import(file, errand, house.clock.now())?;
    let log = NightLog::read(house, errand.date).await?;
    let unit = unit::compare(house, errand, Acquired::Statement(received), &log).await?;
    unit::keep(house, unit, &log).await
}

/// Writes the reports again, from what the ledger keeps.
pub async fn report(house: &House, plan: &Plan) -> Outcome {
    let mut outcome = Outcome::default();
    for &date in &plan.dates {
        pages::write(house, date, &mut outcome).await;
    }
    outcome
}

/// A day's report as a value, for the terminal.
///
/// # Errors
///
/// [`Exit::Storage`]: the ledger cannot be read.
pub async fn day(house: &House, date: BillDate) -> Result<Report, Failure> {
    pages::report(house, date).await
}
