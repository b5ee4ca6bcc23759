//! The ledger as it stands at one moment, in a file of its own, while runs go on.
//!
//! SQLite makes such a copy itself (`VACUUM INTO`, in one read transaction). A server's tables are read in one read-only
//! transaction that sees one moment, and written to a ledger file of the same version, which `verify` reads like any.

use std::path::Path;

use super::Ledger;
use super::engine::{Engine, Session};
use super::link::Arg;
use super::migrate;
use super::schema::{self, Table};
use crate::domain::Failure;
use crate::store::place::{At, Place};
use crate::store::sqlite::new_private_file;
use crate::store::trouble::Trouble;

const DOING: &str = "copying the ledger";
/// Rows that are on their way at once.
const PAGE: i64 = 5_000;
/// Who holds the ledger: of the original only.
const NOT_COPIED: &str = "holder";

impl Ledger {
    /// Copies the ledger to a new file at `path`; on the disk when it returns.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`](crate::domain::Exit::Storage) if the ledger cannot be read, or the file not be written.
    pub async fn copy_to(&self, path: &Path) -> Result<(), Failure> {
        let target = Place::Sqlite(path.to_owned());
        let file = new_private_file(path).at(&target, DOING)?;
        // Out of its pool: dropped, it ends, and its transaction with it.
        let mut session = self.lease().await?.detach();
        match &session {
            Engine::Sqlite(_) => {
                let name = path.to_string_lossy();
                // The bolt of a reader's connection, which is this copy's own by now.
                session.link().command("PRAGMA query_only = 0").await.at(&target, DOING)?;
                session.link().execute("VACUUM INTO ?1", &[(&*name).into()]).await.at(&target, DOING)?;
            }
            Engine::Postgres(_) | Engine::Mysql(_) => {
                let mut copy = Session::open(&target).await.at(&target, DOING)?;
                migrate::migrate(&mut copy, &target).await?;
                one_moment(&mut session).await.at(&self.place, DOING)?;
                for table in schema::tables().filter(|table| table.name != NOT_COPIED) {
                    self.copy_table(table, (&mut session, &mut copy), &target).await?;
                }
                copy.link().command("PRAGMA wal_checkpoint(TRUNCATE)").await.at(&target, DOING)?;
                copy.close().await;
            }
        }
        session.close().await;
        file.sync_all().at(&target, DOING)
    }

    async fn copy_table(
        &self,
        table: &'static Table,
        (from, to): (&mut Session, &mut Session),
        target: &Place,
    ) -> Result<(), Failure> {
        let mut after = i64::MIN;
        loop {
            let rows = from.link().page(table, (after, PAGE)).await.at(&self.place, DOING)?;
            let Some(last) = rows.last() else { return Ok(()) };
            let values: Vec<Arg<'_>> = rows.iter().flat_map(|row| row.args()).collect();
            to.link().begin().await.at(target, DOING)?;
            to.link().add(table, &values).await.at(target, DOING)?;
            to.link().commit().await.at(target, DOING)?;
            match table.id() {
                Some(id) => after = last.number(id),
                // A table without a number was read as a whole.
                None => return Ok(()),
            }
        }
    }
}

/// A transaction that sees what is committed now, and nothing that comes after.
async fn one_moment(session: &mut Session) -> Result<(), Trouble> {
    match session {
        Engine::Mysql(_) => {
            session.link().command("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
            session.link().command("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await
        }
        Engine::Sqlite(_) | Engine::Postgres(_) => {
            session.link().command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
        }
    }
}
