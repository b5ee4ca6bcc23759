//! What the job's own account needs on a server's tables, after `migrate` has made them: no right to make tables, and
//! none to change or remove an event, so that even whoever has the job's password cannot rewrite what was done.

use super::Ledger;
use super::engine::Session;
use super::schema::{SCHEMA_VERSION, tables};
use crate::domain::Failure;
use crate::store::place::{At, Place};

/// Rows of this table are only ever added.
const APPEND_ONLY: &str = "mismatch_event";

impl Ledger {
    /// `USAGE ON SCHEMA public`, `SELECT, INSERT ON mismatch_event`, … for each table; none for a file, which has no
    /// accounts. A schema is PostgreSQL's, and its name is asked of the server.
    ///
    /// # Errors
    ///
    /// [`Exit::Config`](crate::domain::Exit::Config): no address of a database. As [`Ledger::open_read_only`], where the
    /// server is asked.
    pub async fn grants(url: &str) -> Result<Vec<String>, Failure> {
        let place = Place::parse(url, "database")?;
        let mut grants = match &place {
            Place::Sqlite(_) => return Ok(Vec::new()),
            Place::Postgres(_) => vec![format!("USAGE ON SCHEMA {}", schema(&place).await?)],
            Place::Mysql(_) => Vec::new(),
            Place::Odbc(_) => place.is_no_ledger(),
        };
        let rights =
            |name| if name == APPEND_ONLY { "SELECT, INSERT" } else { "SELECT, INSERT, UPDATE, DELETE" };
        grants.extend(tables().map(|table| format!("{} ON {}", rights(table.name), table.name)));
        grants.push(format!("SELECT ON {}", SCHEMA_VERSION.name));
        Ok(grants)
    }
}

/// Where the tables are, as SQL writes it.
async fn schema(place: &Place) -> Result<String, Failure> {
    const DOING: &str = "asking for its schema";
    let mut session = Session::open(place).await.at(place, "opening the database")?;
    let sql = "SELECT cast(quote_ident(current_schema()) AS varchar(128)) AS name";
    let row = session.link().fetch_one(sql, &[]).await.at(place, DOING)?;
    session.close().await;
    Ok(row.map(|row| row.string("name")).unwrap_or_default())
}
