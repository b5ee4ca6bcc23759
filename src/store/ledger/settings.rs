//! What an engine must promise before the ledger trusts it: a commit is on the disk, a text is kept as it is.

use super::engine::{Engine, Session};
use super::schema;
use crate::domain::{Exit, Failure};
use crate::store::place::{At, Place};

const DOING: &str = "checking its settings";

/// # Errors
///
/// [`Exit::Storage`] or [`Exit::Config`] naming what is set, and what it must be.
pub(super) async fn check(session: &mut Session, place: &Place) -> Result<(), Failure> {
    match session {
        Engine::Sqlite(_) => sqlite(session, place).await,
        Engine::Postgres(_) => postgres(session, place).await,
        Engine::Mysql(_) => mysql(session, place).await,
    }
}

/// Each commit must be on the disk when it returns, or a power cut could undo what a report already says.
async fn sqlite(session: &mut Session, place: &Place) -> Result<(), Failure> {
    const FULL: i64 = 2;
    let sync = session.link().fetch_one("PRAGMA synchronous", &[]).await.at(place, DOING)?;
    let sync = sync.map_or(0, |row| row.number("synchronous"));
    let journal = session.link().fetch_one("PRAGMA journal_mode", &[]).await.at(place, DOING)?;
    let journal = journal.map_or(String::new(), |row| row.string("journal_mode"));
    if sync == FULL && journal == "wal" {
        return Ok(());
    }
    let found = format!("wants journal `wal` and synchronous 2, has `{journal}` and {sync}");
    Err(Failure::new(Exit::Storage, format!("{}: {found}", place.name()))
        .hint("put the ledger on a local disk; network file systems cannot hold it"))
}

async fn postgres(session: &mut Session, place: &Place) -> Result<(), Failure> {
    let sql = "SELECT current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS sync,
                      current_setting('fsync') AS fsync";
    let Some(row) = session.link().fetch_one(sql, &[]).await.at(place, DOING)? else { return Ok(()) };
    let encoding = row.text("encoding");
    if encoding != "UTF8" {
        let message = format!("{}: the database is in {encoding}, and must be in UTF8", place.name());
        return Err(Failure::new(Exit::Config, message)
            .hint("make one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"));
    }
    for (name, value) in [("synchronous_commit", row.text("sync")), ("fsync", row.text("fsync"))] {
        if value == "off" {
            tracing::warn!(
                "{}: {name} is off: a power cut can undo what a report already says",
                place.name()
            );
        }
    }
    Ok(())
}

async fn mysql(session: &mut Session, place: &Place) -> Result<(), Failure> {
    let sql = "SELECT cast(@@innodb_flush_log_at_trx_commit AS SIGNED) AS flush";
    let flush = session.link().fetch_one(sql, &[]).await.at(place, DOING)?;
    let flush = flush.map_or(0, |row| row.number("flush"));
    if flush != 1 {
        tracing::warn!(
            "{}: innodb_flush_log_at_trx_commit is {flush}, not 1: a power cut can undo what a report already says",
            place.name()
        );
    }
    let sql = "SELECT table_name AS name, coalesce(engine, '') AS engine, coalesce(table_collation, '') AS collation
               FROM information_schema.tables WHERE table_schema = database() ORDER BY 1";
    let tables = session.link().fetch(sql, &[]).await.at(place, DOING)?;
    let is_wrong = |engine: &str, collation: &str| {
        !engine.eq_ignore_ascii_case("InnoDB")
            || !matches!(collation, "utf8mb4_nopad_bin" | "utf8mb4_0900_bin")
    };
    let is_ours = |name: &str| schema::tables().any(|table| table.name == name);
    let mut ours = tables.iter().filter(|row| is_ours(row.text("name")));
    match ours.find(|row| is_wrong(row.text("engine"), row.text("collation"))) {
        None => Ok(()),
        Some(row) => {
            let [name, engine, collation] = ["name", "engine", "collation"].map(|column| row.text(column));
            let found = format!("table {name} is {engine} in {collation}");
            Err(Failure::new(Exit::Config, format!("{}: {found}", place.name())).hint(
                "the ledger needs transactions (InnoDB) and texts that compare by bytes (utf8mb4_nopad_bin); make the \
                 tables with `nightjob migrate`",
            ))
        }
    }
}
