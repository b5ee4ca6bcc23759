//! The gateway's tables on a server, PostgreSQL or MariaDB, or behind an ODBC driver: found by name in any case, read
//! as text, never written.
//!
//! | file | what it is |
//! |---|---|
//! | `dialect` | what the engines spell differently, side by side; the one place where names become SQL |
//! | `catalog` | which tables and columns there are, and where |
//! | `stream` | one question and its rows, bounded in memory |
//! | `odbc` | the same through a driver manager (feature `odbc`) |
//! | `log` `tables` | EB_PAYLOG; EB_SELLER* and stored notices |
//!
//! Every value arrives as the text that SQLite would hold: numbers as digits, a date as `yyyy-MM-dd HH:mm:ss` in UTC+8,
//! NULL as nothing. Each question runs in a transaction that the server itself keeps from writing.

mod catalog;
mod dialect;
pub(super) mod log;
#[cfg(feature = "odbc")]
mod odbc;
mod stream;
pub(super) mod tables;

#[cfg(not(feature = "odbc"))]
use crate::domain::Exit;
use crate::domain::Failure;
use crate::store::place::{At, Place};
use dialect::Dialect;
pub(super) use stream::Visit;

/// A place with the gateway's tables, and how it is spoken to.
#[derive(Clone, Debug)]
pub(in crate::store) struct Server {
    pub(in crate::store) place: Place,
    dialect: Dialect,
}

impl Server {
    /// Meets the server once, so that what is wrong with the address is said first.
    ///
    /// # Panics
    ///
    /// For a file.
    pub(in crate::store) async fn meet(place: Place) -> Result<Server, Failure> {
        const DOING: &str = "opening the database";
        let dialect = match &place {
            Place::Postgres(server) => server.connect().await.map(|_| Dialect::Postgres).at(&place, DOING)?,
            Place::Mysql(server) => server.connect().await.map(|_| Dialect::Mysql).at(&place, DOING)?,
            #[cfg(feature = "odbc")]
            Place::Odbc(source) => Dialect::Odbc(odbc::meet(source.clone(), place.clone()).await?),
            #[cfg(not(feature = "odbc"))]
            Place::Odbc(_) => return Err(without_odbc(&place)),
            Place::Sqlite(_) => unreachable!("{} is a file", place.name()),
        };
        Ok(Server { place, dialect })
    }
}

#[cfg(not(feature = "odbc"))]
fn without_odbc(place: &Place) -> Failure {
    Failure::new(Exit::Config, format!("{}: this nightjob was built without ODBC", place.name()))
        .hint("build it with `cargo build --release --features odbc` (needs unixodbc-dev), or use a package, which has it")
}
