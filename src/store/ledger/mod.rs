//! The ledger: what was received, what was compared, what disagreed. A projection of the archive and the log.
//!
//! [`Ledger`] is an enum of the pools behind one face; the SQL of each engine stands in that engine's folder. A unit
//! changes only through a [`UnitTx`]. Reads never wait for a unit that is being written.

mod answers;
mod canonical;
mod lock;
mod records;
pub(super) mod schema;
mod sqlite;
mod unit;

pub use answers::{Outcome as AnswerOutcome, StoredAnswer};
pub use canonical::canonical_hash;
pub use lock::RunLock;
pub use records::{
    Neighbour, RunRecord, SectionRecord, StatementMeta, StatementRecord, StatementState, StoredEntry,
    StoredMismatch, StoredOrder, Sums, UnitEnd, UnitKey, UnitRecord, UnitState, VerifiedUnit,
};
pub use unit::UnitTx;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};
use sqlx::{Connection, Row};
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};

use crate::domain::{Bill, BillDate, Exit, Failure, LoggedOrders, Moment};
use crate::store::place::{At, Place};
use crate::store::sqlite as engine;
use sqlite::stream::Book;
use sqlite::{reads, stream};

/// Connections that read at the same time: a run's tasks and a report.
const READERS: u32 = 4;
/// How long a small write waits for a unit of this process. A unit's transaction takes seconds per million rows.
const WRITER_TIMEOUT: Duration = Duration::from_secs(120);

/// The pool of one engine.
#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
}

/// The ledger's database.
#[derive(Clone, Debug)]
pub struct Ledger {
    pool: Pool,
    place: Place,
    /// One writer at a time in this process; between processes the database's own lock holds.
    writer: Arc<Mutex<()>>,
}

impl Ledger {
    /// Opens `sqlite:/path` for writing; makes folders (0700) and file (0600) and brings its tables up to date.
    ///
    /// # Errors
    ///
    /// [`Exit::Config`]: another engine, newer tables, a database that is not a ledger. [`Exit::Storage`]: a folder
    /// or file that cannot be written, a damaged file, a file system without WAL.
    pub async fn open(url: &str) -> Result<Ledger, Failure> {
        let place = Place::parse(url, "database")?;
        engine::prepare_file(&place)?;
        let options = engine::ledger_options(place.path());
        let mut connection = engine::connect(&options, &place).await?;
        assert_durable(&mut connection, &place).await?;
        sqlite::schema::migrate(&mut connection, &place).await?;
        let pool = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options);
        connection.close().await.at(&place, "opening the database")?;
        Ok(Ledger { pool: Pool::Sqlite(pool), place, writer: Arc::default() })
    }

    /// Opens an existing ledger for reading; nothing is made or changed.
    ///
    /// # Errors
    ///
    /// As [`Ledger::open`]; also [`Exit::Storage`] without a file and [`Exit::Config`] with older tables.
    pub async fn open_read_only(url: &str) -> Result<Ledger, Failure> {
        let place = Place::parse(url, "database")?;
        if !place.path().is_file() {
            return Err(Failure::new(Exit::Storage, format!("{}: there is no ledger yet", place.name()))
                .hint("run `nightjob run` first, or check `database`"));
        }
        let options = engine::read_only_options(place.path());
        let mut connection = engine::connect(&options, &place).await?;
        sqlite::schema::require_current(&mut connection, &place).await?;
        let pool = SqlitePoolOptions::new().max_connections(READERS).connect_lazy_with(options);
        connection.close().await.at(&place, "opening the database")?;
        Ok(Ledger { pool: Pool::Sqlite(pool), place, writer: Arc::default() })
    }

    /// Brings the tables up to date, for `nightjob migrate`; the versions before and after.
    pub async fn migrate(url: &str) -> Result<(i64, i64), Failure> {
        let place = Place::parse(url, "database")?;
        engine::prepare_file(&place)?;
        let mut connection = engine::connect(&engine::ledger_options(place.path()), &place).await?;
        assert_durable(&mut connection, &place).await?;
        let versions = sqlite::schema::migrate(&mut connection, &place).await?;
        connection.close().await.at(&place, "closing the database")?;
        Ok(versions)
    }

    /// Ends the connections and copies what is left of the write-ahead log into the file.
    pub async fn close(self) {
        let Pool::Sqlite(pool) = self.pool;
        let _writer = self.writer.lock().await;
        sqlite::unit::checkpoint(pool.clone(), true).await;
        pool.close().await;
    }

    /// Begins the one transaction in which a unit is replaced. Waits until the unit before it has ended.
    pub async fn begin_unit(&self, key: UnitKey) -> Result<UnitTx, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let writer: OwnedMutexGuard<()> = Arc::clone(&self.writer).lock_owned().await;
        UnitTx::begin(pool.clone(), self.place.clone(), key, writer).await
    }

    /// Records a bill that was quarantined; what stands is not touched. The version it got.
    pub async fn put_rejected(&self, key: &UnitKey, meta: &StatementMeta) -> Result<u32, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let _writer = self.small_write().await?;
        let mut connection = pool.acquire().await.at(&self.place, "recording a rejected statement")?;
        sqlite::unit::rejected(&mut connection, &self.place, key, meta).await
    }

    /// Records a unit that could not be compared, with a `report::Section` as JSON. False, and nothing changed, if
    /// the unit was done before: a failure never destroys a result.
    pub async fn put_not_compared(
        &self,
        key: &UnitKey,
        reason: &str,
        section: &str,
    ) -> Result<bool, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let _writer = self.small_write().await?;
        sqlite::unit::put_not_compared(pool, &self.place, key, (reason, section)).await
    }

    /// Records a day's orders that no account claims, as JSON.
    pub async fn put_unclaimed(&self, date: BillDate, rows: &str) -> Result<(), Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let _writer = self.small_write().await?;
        sqlite::unit::put_unclaimed(pool, &self.place, &date.to_string(), rows).await
    }

    /// Records that a run began; its id.
    pub async fn start_run(&self, arguments: &str, now: Moment) -> Result<i64, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let _writer = self.small_write().await?;
        sqlite::unit::start_run(pool, &self.place, arguments, &now.to_string()).await
    }

    /// Records how a run ended.
    pub async fn finish_run(&self, id: i64, now: Moment, exit: Exit, reasons: &str) -> Result<(), Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let _writer = self.small_write().await?;
        sqlite::unit::finish_run(pool, &self.place, id, (&now.to_string(), exit, reasons)).await
    }

    pub async fn run(&self, id: i64) -> Result<Option<RunRecord>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        reads::run(pool, &self.place, id).await
    }

    pub async fn unit(&self, account: &str, date: BillDate) -> Result<Option<UnitRecord>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        reads::unit(pool, &self.place, account, date).await
    }

    /// The units of a day that are done, by account.
    pub async fn done_units(&self, date: BillDate) -> Result<Vec<UnitRecord>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        reads::done_units(pool, &self.place, date).await
    }

    /// What a day's report is written from: a section of each unit, done or not, by account.
    pub async fn sections(&self, date: BillDate) -> Result<Vec<SectionRecord>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        reads::sections(pool, &self.place, date).await
    }

    /// The bill that stands, `current` or `empty`.
    pub async fn current_statement(
        &self,
        account: &str,
        date: BillDate,
        bill: Bill,
    ) -> Result<Option<StatementRecord>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let mut connection = pool.acquire().await.at(&self.place, "reading `statement`")?;
        reads::standing_statement(&mut connection, &self.place, (account, date, bill)).await
    }

    /// A day's unclaimed orders as JSON; `None` if the day was never recorded.
    pub async fn unclaimed(&self, date: BillDate) -> Result<Option<String>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        reads::unclaimed(pool, &self.place, date).await
    }

    /// The logged orders of a done unit, exactly as stored; `None` if the unit is not done.
    pub async fn logged_orders(
        &self,
        account: &str,
        date: BillDate,
    ) -> Result<Option<LoggedOrders>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        match reads::done_number(pool, &self.place, account, date).await? {
            Some((number, _)) => stream::logged_orders(pool, &self.place, number, date).await.map(Some),
            None => Ok(None),
        }
    }

    /// Statement lines of other days of an account whose order, refund or transaction number is among `keys`. A day that
    /// is not done has none.
    pub async fn neighbour_entries(
        &self,
        account: &str,
        dates: &[BillDate],
        keys: &Arc<HashSet<String>>,
    ) -> Result<Vec<Neighbour>, Failure> {
        self.neighbours(Book::Entries, account, dates, keys).await
    }

    /// Logged orders of other days of an account whose order, refund or transaction number is among `keys`.
    pub async fn neighbour_orders(
        &self,
        account: &str,
        dates: &[BillDate],
        keys: &Arc<HashSet<String>>,
    ) -> Result<Vec<Neighbour>, Failure> {
        self.neighbours(Book::Orders, account, dates, keys).await
    }

    async fn neighbours(
        &self,
        book: Book,
        account: &str,
        dates: &[BillDate],
        keys: &Arc<HashSet<String>>,
    ) -> Result<Vec<Neighbour>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let mut found = Vec::new();
        if keys.is_empty() {
            return Ok(found);
        }
        for date in dates {
            if let Some((number, _)) = reads::done_number(pool, &self.place, account, *date).await? {
                let asked = (book, number, *date);
                found.extend(stream::neighbours(pool, &self.place, asked, Arc::clone(keys)).await?);
            }
        }
        Ok(found)
    }

    /// Hashes a done unit's rows again; `None` if it is not done.
    pub async fn verify_unit(&self, account: &str, date: BillDate) -> Result<Option<VerifiedUnit>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        let Some((number, kept)) = reads::done_number(pool, &self.place, account, date).await? else {
            return Ok(None);
        };
        let (found, rows) = stream::canonical(pool, &self.place, number).await?;
        Ok(Some(VerifiedUnit { kept, found, rows }))
    }

    pub async fn mismatch(&self, id: &str) -> Result<Option<StoredMismatch>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        reads::mismatch(pool, &self.place, id).await
    }

    /// Newest day first.
    pub async fn mismatches_of_order(&self, order_no: &str) -> Result<Vec<StoredMismatch>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        reads::mismatches_of_order(pool, &self.place, order_no).await
    }

    /// Statement lines of every day with this order, refund or transaction number. Reads the whole table.
    pub async fn entries_of_order(&self, number: &str) -> Result<Vec<StoredEntry>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        if number.is_empty() {
            Ok(Vec::new())
        } else {
            reads::entries_of_order(pool, &self.place, number).await
        }
    }

    /// Logged orders of every day with this order, refund or transaction number. Reads the whole table.
    pub async fn orders_of_order(&self, number: &str) -> Result<Vec<StoredOrder>, Failure> {
        let Pool::Sqlite(pool) = &self.pool;
        if number.is_empty() {
            Ok(Vec::new())
        } else {
            reads::orders_of_order(pool, &self.place, number).await
        }
    }

    pub(super) fn sqlite(&self) -> &SqlitePool {
        let Pool::Sqlite(pool) = &self.pool;
        pool
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The right to write something small. A caller that holds a [`UnitTx`] must not ask for it.
    pub(super) async fn small_write(&self) -> Result<MutexGuard<'_, ()>, Failure> {
        tokio::time::timeout(WRITER_TIMEOUT, self.writer.lock()).await.map_err(|_| {
            let waited = WRITER_TIMEOUT.as_secs();
            Failure::new(Exit::Bug, format!("{}: a unit held the ledger for {waited} s", self.place.name()))
                .hint("please report this")
        })
    }
}

/// Each commit must be on the disk when it returns, or a power cut could undo what a report already says.
async fn assert_durable(connection: &mut sqlx::SqliteConnection, place: &Place) -> Result<(), Failure> {
    const FULL: i64 = 2;
    let doing = "checking its settings";
    let synchronous: i64 =
        sqlx::query("PRAGMA synchronous").fetch_one(&mut *connection).await.at(place, doing)?.get(0);
    let journal: String =
        sqlx::query("PRAGMA journal_mode").fetch_one(&mut *connection).await.at(place, doing)?.get(0);
    if synchronous == FULL && journal == "wal" {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Storage,
        format!("{}: wants journal `wal` and synchronous 2, has `{journal}` and {synchronous}", place.name()),
    )
    .hint("put the ledger on a local disk; network file systems cannot hold it"))
}
