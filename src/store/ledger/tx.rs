//! One transaction that writes the ledger, of this process the only one. Dropped before its commit, nothing of it
//! remains: its connection ends with it.

use std::sync::atomic::Ordering;

use tokio::sync::OwnedMutexGuard;

use super::engine::{Engine, Lease, Pool, Session};
use super::hold::Hold;
use super::link::{Arg, Link};
use super::reads::Asker;
use super::records::{UnitEnd, UnitKey};
use crate::domain::{Exit, Failure};
use crate::failpoint::reach;
use crate::store::place::{At, Place};
use crate::store::trouble::Trouble;

/// A transaction and the right to write.
pub(super) struct Tx {
    /// `None` once it was given back or ended.
    lease: Option<Lease>,
    place: Place,
    pool: Pool,
    _writer: OwnedMutexGuard<()>,
}

impl Tx {
    /// Begins. `hold` is ours, where the ledger was taken.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`] if the database cannot be had, or another process holds the ledger by now.
    pub(super) async fn begin(
        (pool, place): (&Pool, &Place),
        hold: Option<&Hold>,
        writer: OwnedMutexGuard<()>,
    ) -> Result<Tx, Failure> {
        const DOING: &str = "beginning a transaction";
        let lease = pool.acquire().await.at(place, DOING)?;
        let mut tx = Tx { lease: Some(lease), place: place.clone(), pool: pool.clone(), _writer: writer };
        tx.link().begin().await.at(place, DOING)?;
        if let Some(hold) = hold {
            tx.still_ours(hold).await?;
        }
        Ok(tx)
    }

    /// The lock is a connection, and a connection can break without us: whoever came after has put its own token here,
    /// and waits for this transaction before its first. While it does so we may find no row at all (PostgreSQL shows
    /// neither the removed one nor the one that came since): that is not ours either.
    async fn still_ours(&mut self, hold: &Hold) -> Result<(), Failure> {
        const DOING: &str = "looking who holds the ledger";
        let sql = match self.lease {
            Some(Engine::Sqlite(_)) => "SELECT token, name FROM holder WHERE id = 1",
            _ => "SELECT token, name FROM holder WHERE id = 1 FOR UPDATE",
        };
        let place = self.place.clone();
        let row = self.link().fetch_one(sql, &[]).await.at(&place, DOING)?;
        if row.as_ref().is_some_and(|row| row.text("token") == &*hold.token) {
            return Ok(());
        }
        hold.is_lost.store(true, Ordering::Relaxed);
        let other = row.as_ref().map_or("another instance", |row| row.text("name"));
        // Not `Busy`, which says that nothing was begun: mismatches that were found before would outweigh it.
        Err(Failure::new(Exit::Storage, format!("{}: taken over by {other}", place.name())).hint(
            "the connection that held the ledger broke; what was committed is kept, run it again for the rest",
        ))
    }

    pub(super) fn link(&mut self) -> Link<'_> {
        self.lease.as_mut().expect("a transaction until its end").link()
    }

    pub(super) fn ask(&mut self) -> Asker<'_> {
        let lease = self.lease.as_mut().expect("a transaction until its end");
        Asker { link: lease.link(), place: &self.place }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Commits; the connection goes back to its pool.
    pub(super) async fn commit(mut self) -> Result<(), Failure> {
        const DOING: &str = "committing";
        let place = self.place.clone();
        reach("ledger: commit something small").at(&place, DOING)?;
        self.link().commit().await.at(&place, DOING)?;
        reach("ledger: after it").at(&place, DOING)?;
        drop(self.lease.take());
        Ok(())
    }

    /// Commits a unit. If the reply to COMMIT does not come, the ledger itself is asked what became of it. `orders` is the
    /// hash of its logged orders, where they were replaced.
    pub(super) async fn commit_unit(
        mut self,
        key: &UnitKey,
        (end, orders): (&UnitEnd, Option<&str>),
    ) -> Result<(), Failure> {
        reach("ledger: commit the unit").at(&self.place, "committing the unit")?;
        let committed = self.link().commit().await;
        let session = self.lease.take().map(Lease::detach);
        match committed {
            Err(trouble) if trouble.is_lost_connection() && !matches!(self.place, Place::Sqlite(_)) => {
                drop(session);
                self.was_it_kept(&trouble, key, (end, orders)).await
            }
            Err(trouble) => Err(trouble).at(&self.place, "committing the unit"),
            Ok(()) => {
                tokio::spawn(settle(self, session));
                Ok(())
            }
        }
    }

    /// A connection that broke between COMMIT and its reply: the unit is done as we wanted it, or it is as it was.
    async fn was_it_kept(
        &self,
        trouble: &Trouble,
        key: &UnitKey,
        (end, orders): (&UnitEnd, Option<&str>),
    ) -> Result<(), Failure> {
        const DOING: &str = "looking whether the unit was committed";
        let lost = || self.place.failure("committing the unit", trouble);
        let Ok(mut session) = Session::open(&self.place).await else { return Err(lost()) };
        let sql = "SELECT state, verdict, canonical_hash, orders_hash, section FROM unit
                   WHERE account = ?1 AND bill_date = ?2";
        let args = [Arg::from(&key.account), Arg::Text(&key.date.to_string())];
        let row = session.link().fetch_one(sql, &args).await.at(&self.place, DOING)?;
        session.close().await;
        let is_kept = row.is_some_and(|row| {
            (row.text("state"), row.text("verdict")) == ("done", end.verdict.as_str())
                && (row.text("canonical_hash"), row.text("section")) == (&*end.canonical_hash, &*end.section)
                && orders.is_none_or(|orders| row.text("orders_hash") == orders)
        });
        if !is_kept {
            return Err(lost());
        }
        let (account, date) = (&key.account, key.date);
        tracing::warn!(account, %date, "the connection broke after COMMIT; the ledger has the unit");
        Ok(())
    }
}

/// After the commit, beside the caller's work. A file's write-ahead log is copied into it, and the next writer waits for
/// that, so that the log never grows beyond one unit.
async fn settle(tx: Tx, session: Option<Session>) {
    if let Some(session) = session {
        session.close().await;
    }
    if matches!(tx.place, Place::Sqlite(_)) && reach("ledger: copy the write-ahead log").is_ok() {
        checkpoint(&tx.pool, false).await;
    }
}

/// Copies the write-ahead log into the file, as far as no reader needs it.
pub(super) async fn checkpoint(pool: &Pool, truncate: bool) {
    let sql = if truncate { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };
    let copied = match pool.acquire().await {
        Ok(mut lease) => lease.link().command(sql).await,
        Err(trouble) => Err(trouble),
    };
    if let Err(trouble) = copied {
        tracing::debug!(?trouble, "the write-ahead log was not copied; the next unit tries again");
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        // Out of the pool and closed: that is what rolls back.
        drop(self.lease.take().map(Lease::detach));
    }
}
