//! Bringing the ledger's file to the version of this program.

use sqlx::{Row, SqliteConnection};

use crate::domain::{Exit, Failure};
use crate::store::ledger::schema::{SCHEMA_VERSION, STEPS, VERSION};
use crate::store::place::{At, Place};

/// The version of the tables; `None` for a file without any table.
pub(in crate::store) async fn version(
    connection: &mut SqliteConnection,
    place: &Place,
) -> Result<Option<i64>, Failure> {
    let tables: Vec<String> =
        sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            .fetch_all(&mut *connection)
            .await
            .at(place, "reading its tables")?
            .iter()
            .map(|row| row.get(0))
            .collect();
    if tables.is_empty() {
        return Ok(None);
    }
    if !tables.iter().any(|name| name == "schema_version") {
        return Err(not_a_ledger(place, &tables));
    }
    let row = sqlx::query("SELECT max(version) FROM schema_version")
        .fetch_one(&mut *connection)
        .await
        .at(place, "reading `schema_version`")?;
    Ok(row.get(0))
}

/// Runs the steps that are missing, in one transaction. The versions before and after.
///
/// # Errors
///
/// [`Exit::Config`] if the tables are newer than this program, or the file holds other tables than a ledger's.
pub(in crate::store) async fn migrate(
    connection: &mut SqliteConnection,
    place: &Place,
) -> Result<(i64, i64), Failure> {
    const DOING: &str = "bringing the tables up to date";
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await.at(place, DOING)?;
    let from = version(connection, place).await?.unwrap_or(0);
    refuse_newer(from, place)?;
    sqlx::query(SCHEMA_VERSION).execute(&mut *connection).await.at(place, DOING)?;
    for (number, step) in (1i64..).zip(STEPS).filter(|(number, _)| *number > from) {
        for statement in step.sqlite {
            sqlx::query(*statement).execute(&mut *connection).await.at(place, DOING)?;
        }
        sqlx::query("INSERT INTO schema_version (version) VALUES (?1)")
            .bind(number)
            .execute(&mut *connection)
            .await
            .at(place, DOING)?;
    }
    sqlx::query("COMMIT").execute(&mut *connection).await.at(place, DOING)?;
    Ok((from, VERSION))
}

/// For readers, which never migrate.
pub(in crate::store) async fn require_current(
    connection: &mut SqliteConnection,
    place: &Place,
) -> Result<(), Failure> {
    let found = version(connection, place).await?.unwrap_or(0);
    refuse_newer(found, place)?;
    if found < VERSION {
        return Err(Failure::new(
            Exit::Config,
            format!(
                "{}: the ledger's tables have version {found}, this program needs {VERSION}",
                place.name()
            ),
        )
        .hint("run `nightjob migrate`"));
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
    .hint("name a file of its own in `database`; the log belongs under [paylog]")
}
