//! One unit's transaction: everything of one account and one bill date, with its marker, or nothing.

use std::sync::Arc;

use sqlx::sqlite::SqlitePool;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::OwnedMutexGuard;

use super::records::{StatementMeta, StatementState, Sums, UnitEnd, UnitKey};
use super::sqlite::{load, unit};
use crate::domain::{Bill, Exit, Failure, LoggedOrders, Statement};
use crate::report::MismatchRow;
use crate::store::place::Place;
use crate::store::sqlite;

/// A unit being replaced. Dropped without [`finish`](UnitTx::finish), or after any error, nothing of it remains.
///
/// The calls may come in any order; each may be awaited beside other work (`tokio::join!` of [`entries`](UnitTx::entries)
/// with the fold of the log), because what takes long runs on threads that may block.
pub struct UnitTx {
    connection: Box<SqliteConnection>,
    pool: SqlitePool,
    place: Place,
    key: UnitKey,
    number: i64,
    trade: Option<(u32, StatementMeta)>,
    loaded: Option<Sums>,
    has_mismatches: bool,
    /// Set while a step is under way: a step that failed or was cut off makes the unit unusable.
    broken: bool,
    writer: OwnedMutexGuard<()>,
}

/// After the commit, beside the caller's work: the write-ahead log is copied into the file. The next writer waits for
/// it, so the log never grows beyond one unit.
async fn settle(unit: UnitTx) {
    let UnitTx { connection, pool, writer, .. } = unit;
    connection.close().await.ok();
    unit::checkpoint(pool, false).await;
    drop(writer);
}

impl UnitTx {
    pub(super) async fn begin(
        pool: SqlitePool,
        place: Place,
        key: UnitKey,
        writer: OwnedMutexGuard<()>,
    ) -> Result<UnitTx, Failure> {
        // A connection of its own: if the unit is dropped, closing it is what rolls back.
        let options = sqlite::ledger_options(place.path());
        let mut connection = Box::new(sqlite::connect(&options, &place).await?);
        unit::begin(&mut connection, &place).await?;
        load::remove_leftovers(&place);
        let number = unit::number(&mut connection, &place, &key).await?;
        Ok(UnitTx {
            connection,
            pool,
            place,
            key,
            number,
            trade: None,
            loaded: None,
            has_mismatches: false,
            broken: false,
            writer,
        })
    }

    pub fn key(&self) -> &UnitKey {
        &self.key
    }

    /// Records a bill and decides its version: the same bytes as those that stand keep their version and their row,
    /// other bytes are the next version and supersede them.
    pub async fn statement(&mut self, meta: StatementMeta) -> Result<u32, Failure> {
        self.step()?;
        if !matches!(meta.state, StatementState::Current | StatementState::Empty) {
            return Err(self.bug(format!("a unit was given a statement that is {}", meta.state.as_str())));
        }
        let version = unit::statement(&mut self.connection, &self.place, &self.key, &meta).await?;
        if meta.bill == Bill::Trade {
            self.trade = Some((version, meta));
        }
        self.broken = false;
        Ok(version)
    }

    /// Replaces the unit's movements by those of the statement; the sums as the ledger holds them now, read back.
    ///
    /// # Errors
    ///
    /// [`Exit::Bug`] if what was read back differs from what was parsed.
    pub async fn entries(&mut self, statement: Arc<Statement>) -> Result<Sums, Failure> {
        self.step()?;
        let parsed = Sums::of(&statement)
            .ok_or_else(|| self.bug("the statement's amounts add up to more than 64 bits hold".to_owned()))?;
        let file = load::write_entries(&self.place, &self.key, self.number, statement).await?;
        load::replace(&mut self.connection, &self.place, load::ENTRIES, (self.number, file)).await?;
        let kept = load::sums(&mut self.connection, &self.place, self.number).await?;
        if kept != parsed {
            return Err(self.bug(format!("the ledger holds {kept:?}, the statement {parsed:?}")));
        }
        self.loaded = Some(kept);
        self.broken = false;
        Ok(kept)
    }

    /// Replaces the unit's logged orders by those at the indices `of_day`, which must be of the unit's date.
    /// Not called, the ones that are stored stay: a poorer log never replaces a richer result.
    pub async fn orders(&mut self, orders: Arc<LoggedOrders>, of_day: Vec<u32>) -> Result<(), Failure> {
        self.step()?;
        let date = self.key.date;
        let strange =
            |index: &&u32| orders.orders.get(**index as usize).is_none_or(|order| order.day != date);
        if let Some(index) = of_day.iter().find(strange) {
            return Err(self.bug(format!("logged order {index} is not of the unit's day")));
        }
        let file = load::write_orders(&self.place, &self.key, self.number, (orders, of_day)).await?;
        load::replace(&mut self.connection, &self.place, load::ORDERS, (self.number, file)).await?;
        self.broken = false;
        Ok(())
    }

    /// Replaces the unit's mismatches: those that no longer occur stay in the table, no longer open.
    pub async fn mismatches(&mut self, rows: &[MismatchRow]) -> Result<(), Failure> {
        self.step()?;
        unit::mismatches(&mut self.connection, &self.place, &self.key, rows).await?;
        self.has_mismatches = true;
        self.broken = false;
        Ok(())
    }

    /// Checks that statement and ledger agree, writes the marker and commits. A unit without entries or without
    /// mismatches has none from now on.
    ///
    /// # Errors
    ///
    /// [`Exit::Bug`] if rows or sums differ, [`Exit::Storage`] if the commit failed; either way nothing remains.
    pub async fn finish(mut self, end: UnitEnd) -> Result<(), Failure> {
        self.step()?;
        if self.loaded.is_none() {
            load::clear(&mut self.connection, &self.place, load::ENTRIES, self.number).await?;
        }
        if !self.has_mismatches {
            unit::mismatches(&mut self.connection, &self.place, &self.key, &[]).await?;
        }
        let stated = self.trade.as_ref().map_or(Sums::default(), |(_, meta)| meta.sums);
        let kept = self.loaded.unwrap_or_default();
        if stated != kept {
            return Err(self.bug(format!("the ledger holds {kept:?}, its statement {stated:?}")));
        }
        unit::mark_done(&mut self.connection, &self.place, self.number, (&end, self.trade.as_ref())).await?;
        unit::commit(&mut self.connection, &self.place).await?;
        tokio::spawn(settle(self));
        Ok(())
    }

    fn step(&mut self) -> Result<(), Failure> {
        if self.broken {
            return Err(self.bug("a step of the unit failed, and the unit was used again".to_owned()));
        }
        self.broken = true;
        Ok(())
    }

    fn bug(&self, found: String) -> Failure {
        let UnitKey { account, date, .. } = &self.key;
        Failure::new(Exit::Bug, format!("{account} {date}: {found}; nothing was kept"))
            .hint("please report this; the statement is in the archive")
    }
}
