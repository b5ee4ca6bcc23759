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

use book::Book;
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
    let (log, books) = tokio::join!(NightLog::read(house, date), books(house, errands, source));
    match log {
        Ok(log) => {
            for (errand, book) in errands.iter().zip(books) {
                let done = match book {
                    Ok(book) => unit::compare(house, errand, &book, &log).await,
                    Err(failure) => Err(failure),
                };
                settle(house, errand, done, &mut outcome).await;
            }
            again(house, date.before(), &log, &mut outcome).await;
            pages::keep_unclaimed(house, date, &log, &mut outcome).await;
        }
        Err(failure) => {
            for (errand, book) in errands.iter().zip(books) {
                let failure = book.err().unwrap_or_else(|| failure.clone());
                settle(house, errand, Err(failure), &mut outcome).await;
            }
        }
    }
    pages::write(house, date, &mut outcome).await;
    outcome
}

/// The statements of a day, one after another: providers like it so, and the log is read meanwhile.
async fn books(house: &House, errands: &[&Errand], source: Source) -> Vec<Result<Book, Failure>> {
    let mut books = Vec::with_capacity(errands.len());
    for errand in errands {
        let acquired = match source {
            Source::Providers => book::acquire(house, errand).await,
            Source::Archive => archived(house, errand).await,
        };
        books.push(match acquired {
            Ok(acquired) => book::read(house, errand, acquired).await,
            Err(failure) => Err(failure),
        });
    }
    books
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
    let book = book::read(house, errand, archived(house, errand).await?).await?;
    unit::compare(house, errand, &book, log).await?;
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
    let book = match house.archive.import(file, errand, house.clock.now()) {
        Ok(received) => book::read(house, errand, Acquired::Statement(received)).await,
        Err(failure) => Err(failure),
    };
    let done = match (book, NightLog::read(house, errand.date).await) {
        (Ok(book), Ok(log)) => unit::compare(house, errand, &book, &log).await,
        (Err(failure), _) | (_, Err(failure)) => Err(failure),
    };
    settle(house, errand, done, &mut outcome).await;
    pages::write(house, errand.date, &mut outcome).await;
    outcome
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
