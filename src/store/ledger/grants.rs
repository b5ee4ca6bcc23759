//! What the job's own account needs on a server's tables, after `migrate` has made them: no right to make tables, and
//! none to change or remove an event, so that even whoever has the job's password cannot rewrite what was done.

use super::Ledger;
use super::schema::{SCHEMA_VERSION, tables};
use crate::domain::Failure;
use crate::store::place::Place;

/// Rows of this table are only ever added.
const APPEND_ONLY: &str = "mismatch_event";

impl Ledger {
    /// `SELECT, INSERT ON mismatch_event`, … for each table; none for a file, which has no accounts.
    ///
    /// # Errors
    ///
    /// [`Exit::Config`](crate::domain::Exit::Config): no address of a database.
    pub fn grants(url: &str) -> Result<Vec<String>, Failure> {
        if let Place::Sqlite(_) = Place::parse(url, "database")? {
            return Ok(Vec::new());
        }
        let rights =
            |name| if name == APPEND_ONLY { "SELECT, INSERT" } else { "SELECT, INSERT, UPDATE, DELETE" };
        let grants = tables().map(|table| format!("{} ON {}", rights(table.name), table.name));
        Ok(grants.chain([format!("SELECT ON {}", SCHEMA_VERSION.name)]).collect())
    }
}
