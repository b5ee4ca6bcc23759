//! The ledger: what was received, what was compared, what disagreed. A projection of the archive and the log.
//!
//! [`Ledger`] is one face for three engines. A unit changes only through a [`UnitTx`]; reads never wait for a unit that
//! is being written.
//!
//! | file | what it tells |
//! |---|---|
//! | `schema`, `migrate` | the tables, once, and how each engine spells them |
//! | `engine`, `link` | one of three pools or connections; small SQL, written once for all of them |
//! | `tx`, `unit` | a transaction; a unit's transaction |
//! | `writes`, `reads`, `answers` | small statements and questions |
//! | `rows`, `load` | rows by the million: as values, and each engine's fastest safe way in (`sqlite/`, `postgres`, `mysql`) |
//! | `stream`, `canonical` | rows by the million: out again, and their hash |
//! | `events`, `chain` | what was done to each mismatch, one event after the other; what `verify` asks |
//! | `compare`, `fingerprint` | rows by the million against what they must be |
//! | `copy`, `grants` | the ledger in a file of its own; what the job's account needs on a server |
//! | `settings` | what an engine must promise |
//! | `lock`, `hold` | one writing instance: on this machine, on any |

mod answers;
mod canonical;
mod chain;
mod compare;
mod copy;
#[cfg(test)]
pub(super) mod dump;
mod engine;
mod events;
mod fingerprint;
mod grants;
mod hold;
mod link;
mod load;
mod lock;
mod migrate;
mod mysql;
mod postgres;
mod reads;
mod records;
mod rows;
pub(super) mod schema;
mod settings;
mod sqlite;
mod stream;
mod tx;
mod unit;
mod writes;

pub use answers::{Outcome as AnswerOutcome, StoredAnswer};
pub use canonical::canonical_hash;
pub use chain::{KeptStatement, KeptUnit, RowDamage};
pub use events::{Action, Head, Stamp, StoredEvent};
pub use lock::{Claim, RunLock};
pub use records::{
    Neighbour, RunRecord, SectionRecord, StatementMeta, StatementRecord, StatementState, StoredEntry,
    StoredMismatch, StoredOrder, Sums, UnitEnd, UnitKey, UnitRecord, UnitState, VerifiedUnit,
};
pub use unit::UnitTx;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Mutex;

use super::place::{At, Place};
use super::sqlite as file;
use crate::domain::{Bill, BillDate, Exit, Failure, LoggedOrders, Moment};
use engine::{Lease, Pool, Session};
use hold::Hold;
use reads::Asker;
use stream::Book;
use tx::Tx;

/// How long a small write waits for a unit of this process. A unit's transaction takes seconds per million rows.
const WRITER_TIMEOUT: Duration = Duration::from_secs(120);

/// The ledger's database.
#[derive(Clone, Debug)]
pub struct Ledger {
    pool: Pool,
    place: Place,
    /// One writer at a time in this process; between processes the locks hold.
    writer: Arc<Mutex<()>>,
    hold: Option<Arc<Hold>>,
}

impl Ledger {
    /// Opens the ledger for writing. A file is made with its folders (0700, 0600) and brought up to date; on a server
    /// the tables must be there (`nightjob migrate`).
    ///
    /// # Errors
    ///
    /// [`Exit::Config`]: newer or older tables, a database that is not a ledger, a user who may not. [`Exit::Storage`]:
    /// a folder or file that cannot be written, a damaged file, a file system without WAL, a server out of reach.
    pub async fn open(url: &str) -> Result<Ledger, Failure> {
        let place = Place::parse(url, "database")?;
        let mut session = session(&place).await?;
        match &place {
            Place::Sqlite(_) => migrate::migrate(&mut session, &place).await.map(drop)?,
            Place::Postgres(_) | Place::Mysql(_) => migrate::require_current(&mut session, &place).await?,
            Place::Odbc(_) => place.is_no_ledger(),
        }
        settings::check(&mut session, &place).await?;
        session.close().await;
        let pool = Pool::of(&place);
        Ok(Ledger { pool, place, writer: Arc::default(), hold: None })
    }

    /// Opens an existing ledger for reading; nothing is made or changed.
    ///
    /// # Errors
    ///
    /// As [`Ledger::open`]; also [`Exit::Storage`] without a file and [`Exit::Config`] with older tables.
    pub async fn open_read_only(url: &str) -> Result<Ledger, Failure> {
        let place = Place::parse(url, "database")?;
        let pool = match &place {
            Place::Sqlite(path) if !path.is_file() => {
                return Err(Failure::new(Exit::Storage, format!("{}: there is no ledger yet", place.name()))
                    .hint("run `nightjob run` first, or check `database`"));
            }
            Place::Sqlite(path) => Pool::of_file(file::read_only_options(path)),
            _ => Pool::of(&place),
        };
        let opened = match &place {
            Place::Sqlite(_) => pool.acquire().await.map(Lease::detach),
            // A pool would try until its time is over, and then not say why.
            _ => Session::open(&place).await,
        };
        let mut session = opened.at(&place, "opening the database")?;
        migrate::require_current(&mut session, &place).await?;
        session.close().await;
        Ok(Ledger { pool, place, writer: Arc::default(), hold: None })
    }

    /// The same, for whoever has something to say without a ledger, too: a file or tables that nobody has made yet.
    ///
    /// # Errors
    ///
    /// As [`Ledger::open_read_only`], but for that.
    pub async fn open_if_there(url: &str) -> Result<Option<Ledger>, Failure> {
        let place = Place::parse(url, "database")?;
        let is_there = match &place {
            Place::Sqlite(path) => path.is_file(),
            Place::Postgres(_) | Place::Mysql(_) => {
                let mut session = session(&place).await?;
                let is_there = migrate::is_there(&mut session, &place).await?;
                session.close().await;
                is_there
            }
            Place::Odbc(_) => place.is_no_ledger(),
        };
        if is_there { Ledger::open_read_only(url).await.map(Some) } else { Ok(None) }
    }

    /// Who holds the ledger of a server now; `None` for a file, whose lock lies beside it.
    pub async fn held_by(&self) -> Result<Option<String>, Failure> {
        let mut lease = self.lease().await?;
        hold::held_by(&mut lease).await.at(&self.place, "asking who holds the ledger")
    }

    /// Brings the tables up to date, for `nightjob migrate`; the versions before and after. On a server it keeps every
    /// other instance out meanwhile: MariaDB changes its tables one after the other, and nobody may write between.
    ///
    /// # Errors
    ///
    /// As [`Ledger::open`]; [`Exit::Busy`] naming the holder.
    pub async fn migrate(url: &str) -> Result<(i64, i64), Failure> {
        let place = Place::parse(url, "database")?;
        let mut session = session(&place).await?;
        migrate::require_schema(&mut session, &place).await?;
        hold::alone(&mut session, &place).await?;
        let versions = migrate::migrate(&mut session, &place).await?;
        hold::leave(session).await;
        Ok(versions)
    }

    /// Keeps every other instance out, on this machine and on any, as long as this ledger lives. A file has its lock
    /// beside it ([`RunLock`]), and lies on one machine. `name` says who we are.
    ///
    /// # Errors
    ///
    /// [`Exit::Busy`] naming the holder.
    pub async fn hold(&mut self, name: &str) -> Result<(), Failure> {
        if !matches!(self.place, Place::Sqlite(_)) {
            self.hold = Some(Arc::new(Hold::take(&self.place, name).await?));
        }
        Ok(())
    }

    /// Whether another instance has taken the ledger since, after a line that broke: then nothing more is kept.
    pub fn is_taken_over(&self) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.is_lost.load(Ordering::Relaxed))
    }

    /// Ends the connections, and the hold; copies what is left of a file's write-ahead log into it.
    pub async fn close(self) {
        let _writer = self.writer.lock().await;
        if let Place::Sqlite(_) = self.place {
            tx::checkpoint(&self.pool, true).await;
        }
        self.pool.close().await;
        if let Some(hold) = self.hold.and_then(Arc::into_inner) {
            hold.end().await;
        }
    }

    /// Begins the one transaction in which a unit is replaced. Waits until the unit before it has ended.
    pub async fn begin_unit(&self, key: UnitKey) -> Result<UnitTx, Failure> {
        let writer = Arc::clone(&self.writer).lock_owned().await;
        let hold = self.hold.as_deref();
        UnitTx::begin(Tx::begin((&self.pool, &self.place), hold, writer).await?, key).await
    }

    /// Records a bill that was quarantined; what stands is not touched. The version it got.
    pub async fn put_rejected(&self, key: &UnitKey, meta: &StatementMeta) -> Result<u32, Failure> {
        let mut tx = self.small_write().await?;
        let version = writes::rejected(&mut tx, key, meta).await?;
        tx.commit().await.map(|()| version)
    }

    /// Records a unit that could not be compared, with a `report::Section` as JSON. False, and nothing changed, if
    /// the unit was done before: a failure never destroys a result.
    pub async fn put_not_compared(
        &self,
        key: &UnitKey,
        reason: &str,
        section: &str,
    ) -> Result<bool, Failure> {
        let mut tx = self.small_write().await?;
        let put = writes::not_compared(&mut tx, key, (reason, section)).await?;
        tx.commit().await.map(|()| put)
    }

    /// Records a day's orders that no account claims, as JSON.
    pub async fn put_unclaimed(&self, date: BillDate, rows: &str) -> Result<(), Failure> {
        let mut tx = self.small_write().await?;
        writes::unclaimed(&mut tx, &date.to_string(), rows).await?;
        tx.commit().await
    }

    /// Records that a run began; its id.
    pub async fn start_run(&self, arguments: &str, now: Moment) -> Result<i64, Failure> {
        let mut tx = self.small_write().await?;
        let id = writes::start_run(&mut tx, arguments, &now.to_string()).await?;
        tx.commit().await.map(|()| id)
    }

    /// Records how a run ended.
    pub async fn finish_run(&self, id: i64, now: Moment, exit: Exit, reasons: &str) -> Result<(), Failure> {
        let mut tx = self.small_write().await?;
        writes::finish_run(&mut tx, id, (&now.to_string(), exit, reasons)).await?;
        tx.commit().await
    }

    pub async fn run(&self, id: i64) -> Result<Option<RunRecord>, Failure> {
        self.asker(&mut self.lease().await?).run(id).await
    }

    /// Ids of the first and of the last run; `None` before any.
    pub async fn first_and_last_run(&self) -> Result<Option<(i64, i64)>, Failure> {
        self.asker(&mut self.lease().await?).first_and_last_run().await
    }

    /// Each account's first day, done or not, by account.
    pub async fn first_days(&self) -> Result<Vec<(String, BillDate)>, Failure> {
        self.asker(&mut self.lease().await?).first_days().await
    }

    pub async fn unit(&self, account: &str, date: BillDate) -> Result<Option<UnitRecord>, Failure> {
        self.asker(&mut self.lease().await?).unit(account, date).await
    }

    /// The units of a day that are done, by account.
    pub async fn done_units(&self, date: BillDate) -> Result<Vec<UnitRecord>, Failure> {
        self.asker(&mut self.lease().await?).done_units(date).await
    }

    /// What a day's report is written from: a section of each unit, done or not, by account.
    pub async fn sections(&self, date: BillDate) -> Result<Vec<SectionRecord>, Failure> {
        self.asker(&mut self.lease().await?).sections(date).await
    }

    /// The bill that stands, `current` or `empty`.
    pub async fn current_statement(
        &self,
        account: &str,
        date: BillDate,
        bill: Bill,
    ) -> Result<Option<StatementRecord>, Failure> {
        self.asker(&mut self.lease().await?).standing_statement((account, date, bill)).await
    }

    /// A day's unclaimed orders as JSON; `None` if the day was never recorded.
    pub async fn unclaimed(&self, date: BillDate) -> Result<Option<String>, Failure> {
        self.asker(&mut self.lease().await?).unclaimed(date).await
    }

    /// The logged orders of a done unit, exactly as stored; `None` if the unit is not done.
    pub async fn logged_orders(
        &self,
        account: &str,
        date: BillDate,
    ) -> Result<Option<LoggedOrders>, Failure> {
        match self.done_number(account, date).await? {
            Some((number, _)) => stream::logged_orders(self.at(), number, date).await.map(Some),
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
        let mut found = Vec::new();
        if keys.is_empty() {
            return Ok(found);
        }
        for date in dates {
            if let Some((number, _)) = self.done_number(account, *date).await? {
                found.extend(stream::neighbours(self.at(), (book, number, *date), Arc::clone(keys)).await?);
            }
        }
        Ok(found)
    }

    /// Hashes a done unit's rows again; `None` if it is not done.
    pub async fn verify_unit(&self, account: &str, date: BillDate) -> Result<Option<VerifiedUnit>, Failure> {
        let Some((number, kept)) = self.done_number(account, date).await? else { return Ok(None) };
        let (found, rows) = stream::canonical(self.at(), number).await?;
        Ok(Some(VerifiedUnit { kept, found, rows }))
    }

    pub async fn mismatch(&self, id: &str) -> Result<Option<StoredMismatch>, Failure> {
        self.asker(&mut self.lease().await?).mismatch(id).await
    }

    /// Newest day first.
    pub async fn mismatches_of_order(&self, order_no: &str) -> Result<Vec<StoredMismatch>, Failure> {
        self.asker(&mut self.lease().await?).mismatches_of_order(order_no).await
    }

    /// Statement lines of every day with this order, refund or transaction number. Reads the whole table.
    pub async fn entries_of_order(&self, number: &str) -> Result<Vec<StoredEntry>, Failure> {
        match number.is_empty() {
            true => Ok(Vec::new()),
            false => self.asker(&mut self.lease().await?).entries_of_order(number).await,
        }
    }

    /// Logged orders of every day with this order, refund or transaction number. Reads the whole table.
    pub async fn orders_of_order(&self, number: &str) -> Result<Vec<StoredOrder>, Failure> {
        match number.is_empty() {
            true => Ok(Vec::new()),
            false => self.asker(&mut self.lease().await?).orders_of_order(number).await,
        }
    }

    fn at(&self) -> (&Pool, &Place) {
        (&self.pool, &self.place)
    }

    async fn done_number(&self, account: &str, date: BillDate) -> Result<Option<(i64, String)>, Failure> {
        self.asker(&mut self.lease().await?).done_number(account, date).await
    }

    async fn lease(&self) -> Result<Lease, Failure> {
        self.pool.acquire().await.at(&self.place, "reading the ledger")
    }

    fn asker<'c>(&'c self, lease: &'c mut Lease) -> Asker<'c> {
        Asker { link: lease.link(), place: &self.place }
    }

    /// A transaction for something small. A caller that holds a [`UnitTx`] must not ask for it.
    async fn small_write(&self) -> Result<Tx, Failure> {
        let writer = tokio::time::timeout(WRITER_TIMEOUT, Arc::clone(&self.writer).lock_owned()).await;
        let writer = writer.map_err(|_| {
            let waited = WRITER_TIMEOUT.as_secs();
            Failure::new(Exit::Bug, format!("{}: a unit held the ledger for {waited} s", self.place.name()))
                .hint("please report this")
        })?;
        Tx::begin((&self.pool, &self.place), self.hold.as_deref(), writer).await
    }
}

/// A connection that writes; a file is made where there is none.
async fn session(place: &Place) -> Result<Session, Failure> {
    if let Place::Sqlite(_) = place {
        file::prepare_file(place)?;
    }
    Session::open(place).await.at(place, "opening the database")
}
