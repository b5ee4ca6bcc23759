//! Bringing the ledger's tables to the version of this program.
//!
//! Readers and the job itself never do it on a server, where the job's account needs no right to make tables; a file
//! is brought up to date when it is opened for writing.

use super::engine::{Engine, Session};
use super::link::Arg;
use super::schema::{Change, Dialect, SCHEMA_VERSION, STEPS, Table, VERSION};
use crate::domain::{Exit, Failure};
use crate::failpoint::reach;
use crate::store::place::{At, Place};
use crate::store::trouble::Trouble;

const DOING: &str = "bringing the tables up to date";

/// The version of the tables; `None` where there are none of ours.
///
/// # Errors
///
/// [`Exit::Config`] if what is there is somebody else's.
async fn version(session: &mut Session, place: &Place) -> Result<Option<i64>, Failure> {
    let tables = seen(session, place).await?;
    if !tables.iter().any(|name| name == SCHEMA_VERSION.name) {
        // A file is the ledger's alone; on a server only our own names must be free.
        let is_file = matches!(place, Place::Sqlite(_));
        let foreign: Vec<String> = tables.into_iter().filter(|name| is_file || is_ours(name)).collect();
        return if foreign.is_empty() { Ok(None) } else { Err(not_a_ledger(place, &foreign)) };
    }
    let sql = "SELECT max(version) AS version FROM schema_version";
    let row = session.link().fetch_one(sql, &[]).await.at(place, "reading `schema_version`")?;
    Ok(row.and_then(|row| row.integer("version")))
}

/// PostgreSQL shows nothing of a schema that a user may not use, whatever is in it; and nobody can make tables there.
///
/// # Errors
///
/// [`Exit::Config`], where this user may use no schema.
pub(super) async fn require_schema(session: &mut Session, place: &Place) -> Result<(), Failure> {
    let Engine::Postgres(_) = session else { return Ok(()) };
    let row = session.link().fetch_one(SCHEMA_OF_USER, &[]).await.at(place, "asking for its schema")?;
    let Some(row) = row.filter(|row| row.text("usable").is_empty()) else { return Ok(()) };
    let [path, there, user] = ["path", "there", "who"].map(|name| row.string(name));
    let message = format!("{}: user {user} may use no schema of its search_path ({path})", place.name());
    let hint = match there.as_str() {
        "" => format!("none of them is there: ALTER ROLE {user} SET search_path = the ledger's schema"),
        schema => format!(
            "GRANT USAGE ON SCHEMA {schema} TO {user}; `nightjob migrate` prints all that the job's account needs"
        ),
    };
    Err(Failure::new(Exit::Config, message).hint(hint))
}

async fn seen(session: &mut Session, place: &Place) -> Result<Vec<String>, Failure> {
    require_schema(session, place).await?;
    tables(session).await.at(place, "reading its tables")
}

/// The schema in use, empty without one; the search path, and the first schema in it that exists, to be told.
const SCHEMA_OF_USER: &str = "
    SELECT cast(coalesce(current_schema(), '') AS varchar(128)) AS usable,
           cast(current_setting('search_path') AS varchar(128)) AS path,
           cast(quote_ident(current_user) AS varchar(128)) AS who,
           cast(coalesce((SELECT quote_ident(nspname) FROM pg_namespace
               JOIN unnest(string_to_array(current_setting('search_path'), ',')) WITH ORDINALITY AS step (name, place)
                 ON nspname = trim(BOTH ' \"' FROM replace(step.name, '\"$user\"', current_user))
               ORDER BY step.place LIMIT 1), '') AS varchar(128)) AS there";

async fn tables(session: &mut Session) -> Result<Vec<String>, Trouble> {
    let sql = match session {
        Engine::Sqlite(_) => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
        Engine::Postgres(_) => {
            "SELECT cast(table_name AS varchar(128)) AS name FROM information_schema.tables
             WHERE table_schema = current_schema() ORDER BY 1"
        }
        Engine::Mysql(_) => {
            "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = database() ORDER BY 1"
        }
    };
    let rows = session.link().fetch(sql, &[]).await?;
    Ok(rows.iter().map(|row| row.string("name")).collect())
}

fn is_ours(name: &str) -> bool {
    let makes = |change: &Change| matches!(change, Change::Table(table) if table.name == name);
    STEPS.iter().any(|step| step.iter().any(makes))
}

/// Makes the changes that are missing. The versions before and after.
///
/// SQLite and PostgreSQL do it in one transaction. MariaDB ends a transaction with each change, so there each change
/// is made only where it is missing, and a step counts when all of it is there: one that was broken off is done again.
///
/// # Errors
///
/// [`Exit::Config`] if the tables are newer than this program, or other tables than a ledger's are there.
pub(super) async fn migrate(session: &mut Session, place: &Place) -> Result<(i64, i64), Failure> {
    session.link().begin().await.at(place, DOING)?;
    let from = version(session, place).await?;
    refuse_newer(from.unwrap_or(0), place)?;
    let dialect = session.dialect().await.at(place, DOING)?;
    if from.is_none() {
        // It may be there, and empty: where a step before the first was broken off.
        let create = SCHEMA_VERSION
            .create(dialect)
            .replace("CREATE TABLE schema", "CREATE TABLE IF NOT EXISTS schema");
        session.link().command(&create).await.at(place, DOING)?;
    }
    let from = from.unwrap_or(0);
    for (number, step) in (1i64..).zip(STEPS).filter(|(number, _)| *number > from) {
        for made in *step {
            change(session, dialect, made).await.at(place, DOING)?;
        }
        let sql = "INSERT INTO schema_version (version) VALUES (?1)";
        session.link().execute(sql, &[Arg::from(number)]).await.at(place, DOING)?;
    }
    session.link().commit().await.at(place, DOING)?;
    Ok((from, VERSION))
}

async fn change(session: &mut Session, dialect: Dialect, change: &Change) -> Result<(), Trouble> {
    reach("ledger: change a table")?;
    let in_transaction = matches!(dialect, Dialect::Sqlite | Dialect::Postgres);
    if !in_transaction && is_made(session, change).await? {
        return Ok(());
    }
    session.link().command(&change.statement(dialect)).await
}

/// Whether MariaDB has the change already.
async fn is_made(session: &mut Session, change: &Change) -> Result<bool, Trouble> {
    let (sql, table, name): (&'static str, &Table, &str) = match change {
        Change::Table(_) => return Ok(false),
        Change::Index(index) => (
            "SELECT index_name AS name FROM information_schema.statistics
             WHERE table_schema = database() AND table_name = ?1 AND index_name = ?2",
            index.table,
            index.name,
        ),
        Change::Column(table, column) => (
            "SELECT column_name AS name FROM information_schema.columns
             WHERE table_schema = database() AND table_name = ?1 AND column_name = ?2",
            table,
            column.name,
        ),
    };
    Ok(session.link().fetch_one(sql, &[table.name.into(), name.into()]).await?.is_some())
}

/// Whether a table of ours is there, in whatever version. Beside it a server may hold others (the gateway's own).
pub(super) async fn is_there(session: &mut Session, place: &Place) -> Result<bool, Failure> {
    let tables = seen(session, place).await?;
    Ok(tables.iter().any(|name| name == SCHEMA_VERSION.name || is_ours(name)))
}

/// For whoever does not migrate.
pub(super) async fn require_current(session: &mut Session, place: &Place) -> Result<(), Failure> {
    let found = version(session, place).await?.unwrap_or(0);
    refuse_newer(found, place)?;
    if found < VERSION {
        let message = match found {
            0 => format!("{}: there are no tables of a ledger yet", place.name()),
            _ => format!(
                "{}: the ledger's tables have version {found}, this program needs {VERSION}",
                place.name()
            ),
        };
        let hint = match place {
            Place::Sqlite(_) => "run `nightjob migrate`",
            _ => "run `nightjob migrate` once, as a user that may make tables",
        };
        return Err(Failure::new(Exit::Config, message).hint(hint));
    }
    Ok(())
}

fn refuse_newer(found: i64, place: &Place) -> Result<(), Failure> {
    if found <= VERSION {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Config,
        format!(
            "{}: the ledger's tables have version {found}, this program knows up to {VERSION}",
            place.name()
        ),
    )
    .hint("use the newer nightjob that wrote it"))
}

fn not_a_ledger(place: &Place, tables: &[String]) -> Failure {
    const SHOWN_MAX: usize = 5;
    let shown: Vec<&str> = tables.iter().take(SHOWN_MAX).map(String::as_str).collect();
    Failure::new(
        Exit::Config,
        format!("{}: is not a ledger of nightjob; it holds the tables {}", place.name(), shown.join(", ")),
    )
    .hint("give `database` a file or a database of its own; the log belongs under [paylog]")
}
