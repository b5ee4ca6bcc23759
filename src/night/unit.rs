//! One unit: both books compared, and everything of it kept in one transaction.
//!
//! What is compared is the `Statement` in memory, in the same breath as it is committed. If anything fails on the
//! way, the transaction is dropped and the unit is what it was before. Comparing and keeping are two steps, so that
//! one unit can be compared while the one before it is being written.

use std::time::{Duration, Instant};

use super::book::{self, Book, Extra};
use super::log::NightLog;
use super::neighbours::Days;
use super::ours::{Ours, our_side};
use super::telling::{Beside, Told, write_section};
use super::{House, UnitLine, doubts, pages};
use crate::acquire::Acquired;
use crate::domain::{Control, Errand, Exit, Failure};
use crate::reconcile::{self, Reconciliation, Unit};
use crate::report::{self, Input};
use crate::store::{
    self, Stamp, StatementMeta, StatementState, UnitEnd, UnitKey, UnitState, UnitTx, canonical_hash,
};

pub(super) fn key(errand: &Errand) -> UnitKey {
    UnitKey { account: errand.account.name.clone(), pay_type: errand.account.pay_type(), date: errand.date }
}

/// A unit that was compared and proven, and is not kept yet.
pub(super) struct Compared<'e> {
    errand: &'e Errand,
    book: Book,
    extras: Vec<Extra<'e>>,
    ours: Ours,
    result: Reconciliation,
    canonical_hash: String,
}

impl Compared<'_> {
    /// Bills beside the trade bill that could not be had.
    pub(super) fn failures(&self) -> impl Iterator<Item = (&Errand, &Failure)> {
        self.extras.iter().filter_map(|extra| Some((extra.errand, extra.book.as_ref().err()?)))
    }
}

/// What a unit is made of: the trade bill, and the bills beside it.
pub(super) struct Bills<'e> {
    pub(super) errand: &'e Errand,
    pub(super) trade: Acquired,
    pub(super) extras: Vec<(&'e Errand, Result<Acquired, Failure>)>,
}

/// Reads the statement and compares both books. Nothing is written, except that a refused file is marked.
pub(super) async fn compare<'e>(
    house: &House,
    Bills { errand, trade, extras }: Bills<'e>,
    log: &NightLog,
) -> Result<Compared<'e>, Failure> {
    let mut watch = Watch::start(errand);
    log.check_unit_of_amounts(errand, house.account_index(errand))?;
    let book = book::read(house, errand, trade).await?;
    let extras = book::read_extras(house, extras).await;
    watch.lap("read");
    let hashed = book.statement.clone();
    let hash = tokio::task::spawn_blocking(move || canonical_hash(&hashed));
    let ours = our_side(house, errand, log).await?;
    let result = reconcile_unit(house, errand, (&book, &ours), log).await?;
    watch.lap("reconciled");
    if !result.is_proven() {
        return Err(Failure::new(Exit::Bug, format!("{errand}: the proofs do not close; nothing was kept"))
            .hint(
                "this is a bug of nightjob, whatever the data: please report it with the report of the day",
            ));
    }
    let canonical_hash = hash.await.map_err(|error| book::bug(errand, &error))?;
    Ok(Compared { errand, book, extras, ours, result, canonical_hash })
}

/// Between two tries to keep a unit: a server that is started again needs some seconds, and then waits for connections.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Keeps a compared unit, in one transaction. If the line to the server breaks meanwhile, nothing of it is there, or (in
/// the instant of its commit) all of it, and it is begun anew.
pub(super) async fn keep(house: &House, unit: Compared<'_>, log: &NightLog) -> Result<UnitLine, Failure> {
    for pause in PAUSES {
        match keep_once(house, &unit, log).await {
            Err(failure) if failure.is_passing => {
                tracing::warn!("{failure}; {} is begun anew", unit.errand);
                // No server says when it will take connections again; begun at once, all tries would meet the same outage.
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
    keep_once(house, &unit, log).await
}

async fn keep_once(house: &House, unit: &Compared<'_>, log: &NightLog) -> Result<UnitLine, Failure> {
    let Compared { errand, book, extras, ours, result, canonical_hash } = unit;
    let mut watch = Watch::start(errand);
    let before = house.ledger.unit(&errand.account.name, errand.date).await?;
    let mut kept = house.ledger.begin_unit(key(errand)).await?;
    refuse_lost_bill(house, errand, book).await?;
    let version = kept.statement(meta_of(errand, book)?).await?;
    let sums = kept.entries(book.statement.clone()).await?;
    watch.lap("lines loaded");
    let beside = keep_extras(&mut kept, extras).await?;
    let answers = match book.statement.is_answers() {
        // There the answers are the statement itself.
        true => Vec::new(),
        false => doubts::evidence(&house.ledger, errand).await?,
    };
    let told = Told { ours, log, result, sums, version, beside: &beside, answers: &answers };
    let section = write_section(house, errand, book, told);
    if let Some(open) = report::proofs::open(&section).first() {
        return Err(Failure::new(Exit::Bug, format!("{errand}: {open}; nothing was kept")));
    }
    let line = UnitLine {
        account: errand.account.name.clone(),
        date: errand.date,
        verdict: result.verdict,
        lines: result.lines.total.count,
        orders: result.orders.total.count,
        mismatches: result.mismatches.len(),
        already_done: before.is_some_and(|unit| unit.state == UnitState::Done && unit.version == version),
    };
    kept.orders(ours.orders.clone(), ours.picked.clone()).await?;
    watch.lap("orders loaded");
    kept.mismatches(&section.mismatches).await?;
    let end = UnitEnd {
        verdict: result.verdict,
        reason: section.reason.clone(),
        section: report::json::write_section(&section),
        canonical_hash: canonical_hash.clone(),
        stamp: Stamp::of_run(house.run_id, house.clock.now()),
    };
    kept.finish(end).await?;
    watch.lap("committed");
    Ok(line)
}

/// Keeps the other bills of the unit in its transaction: their version, and that they add up. Their movements stay in
/// the archive.
async fn keep_extras(kept: &mut UnitTx, extras: &[Extra<'_>]) -> Result<Beside, Failure> {
    let mut beside = Beside::default();
    for Extra { errand, book } in extras {
        let bill = errand.bill.as_str();
        let book = match book {
            Ok(book) => book,
            Err(failure) => {
                beside.remarks.push(format!("{bill}: {failure}"));
                continue;
            }
        };
        let version = kept.statement(meta_of(errand, book)?).await?;
        beside.inputs.push(Input {
            kind: bill.to_owned(),
            sha256: book.received.sha256.clone(),
            rows: book.statement.entries().len() as u64,
            version,
        });
        let named =
            |control: &Control| Control { title: format!("{bill} {}", control.title), ..control.clone() };
        beside.controls.extend(book.statement.controls().iter().map(named));
        beside.remarks.extend(book.statement.remarks().iter().map(|remark| format!("{bill}: {remark}")));
    }
    Ok(beside)
}

/// How long the steps of a unit take, for `-v`.
struct Watch<'e> {
    errand: &'e Errand,
    last: Instant,
}

impl Watch<'_> {
    fn start(errand: &Errand) -> Watch<'_> {
        Watch { errand, last: Instant::now() }
    }

    fn lap(&mut self, step: &str) {
        let now = Instant::now();
        let (errand, took) = (self.errand, now.duration_since(self.last));
        tracing::debug!("{errand}: {step} after {} ms", took.as_millis());
        self.last = now;
    }
}

/// A provider that had lines of this day and now says that there is no bill has not undone the day (a date beyond
/// its window is answered so): what stands is kept.
async fn refuse_lost_bill(house: &House, errand: &Errand, book: &Book) -> Result<(), Failure> {
    let standing = house.ledger.current_statement(&errand.account.name, errand.date, errand.bill).await?;
    let Some(lines) = standing.map(|record| record.meta.sums.rows).filter(|rows| book.no_bill && *rows > 0)
    else {
        return Ok(());
    };
    let message =
        format!("{errand}: the provider now says that there is no bill; it had {lines} lines before");
    Err(Failure::new(Exit::Rejected, message)
        .hint("the earlier statement and its result are kept as they were"))
}

fn meta_of(errand: &Errand, book: &Book) -> Result<StatementMeta, Failure> {
    let sums = store::Sums::of(&book.statement).ok_or_else(|| {
        Failure::new(Exit::Rejected, format!("{errand}: the amounts add up to more than 64 bits can hold"))
    })?;
    Ok(StatementMeta {
        bill: errand.bill,
        sha256: book.received.sha256.clone(),
        source: book.received.source.clone(),
        sums,
        fetched_at: book.received.fetched_at,
        state: if book.no_bill { StatementState::Empty } else { StatementState::Current },
        authenticated: book.received.authenticated,
    })
}

/// On a thread where thinking hurts nobody: another unit may be being written meanwhile.
async fn reconcile_unit(
    house: &House,
    errand: &Errand,
    (book, ours): (&Book, &Ours),
    log: &NightLog,
) -> Result<Reconciliation, Failure> {
    let days = Days {
        ledger: house.ledger.clone(),
        account: errand.account.name.clone(),
        date: errand.date,
        orders: log.orders(house.account_index(errand)),
        window: [errand.date.before(), errand.date.after()]
            .into_iter()
            .filter(|day| log.holds(*day))
            .collect(),
        others: log.others(house, errand),
    };
    let held_before = pages::held_before(house, errand).await?;
    let pay_type = errand.account.pay_type();
    let (statement, no_bill) = (book.statement.clone(), book.no_bill);
    let (orders, picked, cover) = (ours.orders.clone(), ours.picked.clone(), ours.cover);
    let cutoff_seconds = i64::from(house.settings.cutoff_minutes) * 60;
    let runtime = tokio::runtime::Handle::current();
    let think = move || {
        let pairing = reconcile::pair(Unit {
            account: &days.account,
            pay_type: pay_type.as_str(),
            date: days.date,
            statement: &statement,
            no_bill,
            orders: &orders,
            picked: &picked,
            cover,
            held_before: &held_before,
            cutoff_seconds,
        });
        let neighbours = runtime.block_on(days.look_for(pairing.open_keys()))?;
        Ok(pairing.close(&neighbours))
    };
    tokio::task::spawn_blocking(think).await.map_err(|error| book::bug(errand, &error))?
}
