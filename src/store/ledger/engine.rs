//! One of three: what is the same in shape for every engine and of another type in each.

use std::ops::DerefMut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{Connection, MySql, MySqlConnection, PgConnection, Postgres, Sqlite, SqliteConnection};

use super::link::Link;
use super::schema::Dialect;
use crate::store::place::{Place, WHOLE};
use crate::store::sqlite;
use crate::store::trouble::Trouble;

/// Connections at the same time: a run's tasks, a report, and the one that writes.
const CONNECTIONS: u32 = 6;
/// How long a task waits for one of them: a server that is started again for an update is there by then.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long it waits when the one before has waited in vain.
const GONE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub(in crate::store) enum Engine<S, P, M> {
    Sqlite(S),
    Postgres(P),
    Mysql(M),
}

/// The connections of a ledger, made when they are needed.
#[derive(Clone, Debug)]
pub(in crate::store) struct Pool {
    connections: Engine<SqlitePool, PgPool, MySqlPool>,
    /// Whoever waited last waited in vain. A server that is gone for good must not cost each account of a night a minute.
    is_gone: Arc<AtomicBool>,
}

/// A connection that goes back to its pool.
pub(in crate::store) type Lease =
    Engine<PoolConnection<Sqlite>, PoolConnection<Postgres>, PoolConnection<MySql>>;
/// A connection of its own.
pub(in crate::store) type Session = Engine<Box<SqliteConnection>, Box<PgConnection>, Box<MySqlConnection>>;

impl<S, P, M> Engine<S, P, M>
where
    S: DerefMut<Target = SqliteConnection>,
    P: DerefMut<Target = PgConnection>,
    M: DerefMut<Target = MySqlConnection>,
{
    pub(in crate::store) fn link(&mut self) -> Link<'_> {
        match self {
            Engine::Sqlite(connection) => Link::Sqlite(connection),
            Engine::Postgres(connection) => Link::Postgres(connection),
            Engine::Mysql(connection) => Link::Mysql(connection),
        }
    }
}

impl Pool {
    fn new(connections: Engine<SqlitePool, PgPool, MySqlPool>) -> Pool {
        Pool { connections, is_gone: Arc::default() }
    }

    pub(super) fn of_file(options: SqliteConnectOptions) -> Pool {
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        Pool::new(Engine::Sqlite(pool.connect_lazy_with(options)))
    }

    /// The pool of a place, as it is written.
    pub(super) fn of(place: &Place) -> Pool {
        match place {
            Place::Sqlite(path) => Pool::of_file(sqlite::ledger_options(path)),
            Place::Postgres(server) => {
                let pool = PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
                Pool::new(Engine::Postgres(pool.connect_lazy_with(server.options().clone())))
            }
            Place::Mysql(server) => {
                let pool = MySqlPoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .acquire_timeout(ACQUIRE_TIMEOUT)
                    .after_connect(|connection, _| {
                        Box::pin(async move { sqlx::query(WHOLE).execute(connection).await.map(drop) })
                    });
                Pool::new(Engine::Mysql(pool.connect_lazy_with(server.options().clone())))
            }
            Place::Odbc(_) => place.is_no_ledger(),
        }
    }

    /// A connection, as soon as there is one.
    ///
    /// # Errors
    ///
    /// [`Trouble::Connection`] if there was none for long.
    pub(in crate::store) async fn acquire(&self) -> Result<Lease, Trouble> {
        let patience = if self.is_gone.load(Ordering::Relaxed) { GONE_TIMEOUT } else { ACQUIRE_TIMEOUT };
        let lease = tokio::time::timeout(patience, Box::pin(self.lease())).await.unwrap_or_else(|_| {
            Err(Trouble::Connection(format!("no connection in {} seconds", patience.as_secs())))
        });
        self.is_gone.store(matches!(lease, Err(Trouble::Connection(_))), Ordering::Relaxed);
        lease
    }

    async fn lease(&self) -> Result<Lease, Trouble> {
        Ok(match &self.connections {
            Engine::Sqlite(pool) => Engine::Sqlite(pool.acquire().await?),
            Engine::Postgres(pool) => Engine::Postgres(pool.acquire().await?),
            Engine::Mysql(pool) => Engine::Mysql(pool.acquire().await?),
        })
    }

    pub(super) async fn close(&self) {
        match &self.connections {
            Engine::Sqlite(pool) => pool.close().await,
            Engine::Postgres(pool) => pool.close().await,
            Engine::Mysql(pool) => pool.close().await,
        }
    }
}

impl Lease {
    /// Takes the connection out of its pool: dropped, it ends, and with it its transaction.
    pub(super) fn detach(self) -> Session {
        match self {
            Engine::Sqlite(lease) => Engine::Sqlite(Box::new(lease.detach())),
            Engine::Postgres(lease) => Engine::Postgres(Box::new(lease.detach())),
            Engine::Mysql(lease) => Engine::Mysql(Box::new(lease.detach())),
        }
    }
}

impl Session {
    /// A connection that writes the ledger at `place`.
    pub(super) async fn open(place: &Place) -> Result<Session, Trouble> {
        Ok(match place {
            Place::Sqlite(path) => {
                let connection = sqlx::ConnectOptions::connect(&sqlite::ledger_options(path)).await?;
                Engine::Sqlite(Box::new(connection))
            }
            Place::Postgres(server) => Engine::Postgres(Box::new(server.connect().await?)),
            Place::Mysql(server) => Engine::Mysql(Box::new(server.connect().await?)),
            Place::Odbc(_) => place.is_no_ledger(),
        })
    }

    /// How the engine at the other end spells a table.
    pub(super) async fn dialect(&mut self) -> Result<Dialect, Trouble> {
        Ok(match self {
            Engine::Sqlite(_) => Dialect::Sqlite,
            Engine::Postgres(_) => Dialect::Postgres,
            Engine::Mysql(_) => {
                let row = self.link().fetch_one("SELECT version() AS version", &[]).await?;
                let is_maria = row.is_some_and(|row| row.text("version").contains("MariaDB"));
                if is_maria { Dialect::MariaDb } else { Dialect::MySql }
            }
        })
    }

    /// Ends the connection in good order. One that is gone already has ended, too.
    pub(super) async fn close(self) {
        match self {
            Engine::Sqlite(connection) => connection.close().await.ok(),
            Engine::Postgres(connection) => connection.close().await.ok(),
            Engine::Mysql(connection) => connection.close().await.ok(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_gone_is_waited_for_once() {
        for scheme in ["postgres", "mysql"] {
            // Nothing listens there.
            let url = format!("{scheme}://me@127.0.0.1:1/books");
            let pool = Pool::of(&Place::parse(&url, "database").unwrap());
            let mut took = Vec::new();
            for _ in 0..3 {
                let since = tokio::time::Instant::now();
                let trouble = pool.acquire().await.unwrap_err();
                assert!(matches!(trouble, Trouble::Connection(_)), "{scheme}: {trouble:?}");
                took.push(since.elapsed().as_secs());
            }
            assert_eq!(took, [60, 2, 2], "{scheme}");
        }
    }
}
