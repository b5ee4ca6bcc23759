//! The database's own lock: it also holds between two machines, and dies with its connection.
//!
//! Beside the file lock (`lock.rs`), for a ledger on a server. A connection of its own holds an advisory lock
//! (PostgreSQL) or a named lock (MariaDB); a killed process, a broken line or a lost machine ends the connection, and
//! with it the lock. Nobody ever has to unlock anything.
//!
//! # A line that breaks while we live
//!
//! Then the server gives the lock to the next instance while this one still writes. So whoever takes the lock puts a
//! token into the table `holder`, and each transaction looks for its own token first (`tx.rs`): what the former holder
//! has not committed by then is refused.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::engine::{Engine, Lease, Session};
use super::link::{Arg, Link};
use crate::domain::{Exit, Failure};
use crate::failpoint::reach;
use crate::store::place::{At, Place};
use crate::store::trouble::Trouble;

const DOING: &str = "taking the lock of the database";
/// A line that is silent for longer may be taken for dead by what is on its way.
const PULSE: Duration = Duration::from_secs(20);
/// A server that does not answer at the end has no claim to be waited for: the connection ends with the process.
const FAREWELL: Duration = Duration::from_secs(5);

/// Held as long as this value lives.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) token: Arc<str>,
    /// Another instance has it by now.
    pub(super) is_lost: AtomicBool,
    /// Dropped, it ends the task that keeps the connection.
    end: oneshot::Sender<()>,
    kept: JoinHandle<()>,
}

impl Hold {
    /// Takes the lock at once or not at all. `name` says who we are.
    ///
    /// # Errors
    ///
    /// [`Exit::Busy`] naming the holder; [`Exit::Storage`] if the server cannot be reached.
    pub(super) async fn take(place: &Place, name: &str) -> Result<Hold, Failure> {
        let mut session = Session::open(place).await.at(place, DOING)?;
        prepare(&mut session).await.at(place, DOING)?;
        alone(&mut session, place).await?;
        let token: Arc<str> = hex::encode(fastrand::u128(..).to_be_bytes()).into();
        sign(&mut session, name, &token).await.at(place, "writing down who holds the ledger")?;
        let (end, ended) = oneshot::channel();
        let kept = tokio::spawn(keep(session, Arc::clone(&token), ended));
        Ok(Hold { token, is_lost: AtomicBool::new(false), end, kept })
    }

    /// Gives the lock back, and returns when it is free: a server sees the end of a connection only a moment after it.
    pub(super) async fn end(self) {
        drop(self.end);
        tokio::time::timeout(FAREWELL, self.kept).await.ok();
    }
}

/// Takes the lock for as long as the connection lives.
///
/// # Errors
///
/// As [`Hold::take`].
pub(super) async fn alone(session: &mut Session, place: &Place) -> Result<(), Failure> {
    if lock(session).await.at(place, DOING)? {
        return Ok(());
    }
    // Before the first `migrate` there is no table of names, and before the first holder no name.
    let holder = holder(session.link()).await.unwrap_or_default();
    let is_passing = holder.is_empty();
    let holder = if is_passing { "another instance" } else { &holder };
    let failure = Failure::new(Exit::Busy, format!("{}: held by {holder}", place.name()))
        .hint("nothing was changed; wait until it has ended, or let this one wait with --wait 10m");
    Err(Failure { is_passing, ..failure })
}

/// Makes the server notice soon if this machine is gone.
async fn prepare(session: &mut Session) -> Result<(), Trouble> {
    match session {
        Engine::Sqlite(_) => Ok(()),
        Engine::Postgres(_) => {
            let sql = "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3";
            session.link().command(sql).await
        }
        // Three pulses may be missed.
        Engine::Mysql(_) => session.link().command("SET SESSION wait_timeout = 80").await,
    }
}

/// Whether we have it now. It is one for each ledger: a schema of a database.
async fn lock(session: &mut Session) -> Result<bool, Trouble> {
    let sql = match session {
        Engine::Sqlite(_) => return Ok(true),
        Engine::Postgres(_) => {
            "SELECT cast(pg_try_advisory_lock(1853450089, hashtext(current_schema())) AS int) AS taken"
        }
        Engine::Mysql(_) => "SELECT GET_LOCK(concat('nightjob.', left(sha1(database()), 40)), 0) AS taken",
    };
    let row = session.link().fetch_one(sql, &[]).await?;
    Ok(row.and_then(|row| row.integer("taken")) == Some(1))
}

/// Takes away our name, or the next holder would have it until it has written its own; then the lock and the connection.
async fn sign_off(mut session: Session, token: &str) {
    let sql = "DELETE FROM holder WHERE id = 1 AND token = ?1";
    // Whoever holds it by now has taken the row away already.
    session.link().execute(sql, &[token.into()]).await.ok();
    leave(session).await;
}

/// Ends the connection, the lock before it.
pub(super) async fn leave(mut session: Session) {
    let sql = match session {
        Engine::Sqlite(_) => "SELECT 1",
        Engine::Postgres(_) => "SELECT pg_advisory_unlock_all()",
        Engine::Mysql(_) => "DO RELEASE_LOCK(concat('nightjob.', left(sha1(database()), 40)))",
    };
    // Without the line there is nothing to give back.
    session.link().command(sql).await.ok();
    session.close().await;
}

async fn holder(mut link: Link<'_>) -> Result<String, Trouble> {
    let row = link.fetch_one("SELECT name FROM holder WHERE id = 1", &[]).await?;
    Ok(row.map_or(String::new(), |row| row.string("name")))
}

/// Who has the lock now, for a reader, who does not touch it.
pub(super) async fn held_by(lease: &mut Lease) -> Result<Option<String>, Trouble> {
    let sql = match lease {
        Engine::Sqlite(_) => return Ok(None),
        // As `lock` takes it: two numbers, of which the second is shown without its sign.
        Engine::Postgres(_) => {
            "SELECT cast(count(*) AS int) AS taken FROM pg_locks
             WHERE locktype = 'advisory' AND granted AND classid = 1853450089 AND objsubid = 2
               AND cast(objid AS bigint) = cast(hashtext(current_schema()) AS bigint) & 4294967295
               AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        }
        Engine::Mysql(_) => {
            "SELECT IS_USED_LOCK(concat('nightjob.', left(sha1(database()), 40))) IS NOT NULL AS taken"
        }
    };
    let row = lease.link().fetch_one(sql, &[]).await?;
    match row.and_then(|row| row.integer("taken")) {
        Some(1..) => holder(lease.link()).await.map(Some),
        _ => Ok(None),
    }
}

/// From here on, transactions of whoever held it before are refused.
async fn sign(session: &mut Session, name: &str, token: &str) -> Result<(), Trouble> {
    reach("lock: write down who holds the database")?;
    session.link().begin().await?;
    session.link().execute("DELETE FROM holder WHERE id = 1", &[]).await?;
    let sql = "INSERT INTO holder (id, name, token) VALUES (1, ?1, ?2)";
    session.link().execute(sql, &[name.into(), token.into()]).await?;
    session.link().commit().await
}

/// Keeps the connection alive until nobody wants it any more. If it breaks, the token in `holder` decides.
async fn keep(mut session: Session, token: Arc<str>, mut ended: oneshot::Receiver<()>) {
    let mut pulse = tokio::time::interval(PULSE);
    // As long as the process holds the ledger.
    loop {
        tokio::select! {
            _ = &mut ended => return sign_off(session, &token).await,
            _ = pulse.tick() => {
                let one = session.link().fetch_one("SELECT holder.id FROM holder WHERE id = ?1", &[Arg::from(1i64)]).await;
                if let Err(trouble) = one {
                    tracing::warn!(trouble = trouble.text(), "the connection that holds the ledger broke");
                    return;
                }
            }
        }
    }
}
