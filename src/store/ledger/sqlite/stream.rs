//! The rows of a unit in SQLite, on the raw handle: stepped on a thread that may block.

use sqlx::Sqlite;
use sqlx::pool::PoolConnection;

use crate::domain::Failure;
use crate::store::ledger::load::id_range;
use crate::store::ledger::stream::{Cells, Shown};
use crate::store::place::{At, Place};
use crate::store::sqlite::bulk::Query;
use crate::store::sqlite::with_handle;

/// Shows `visit` each row of a unit with what it gathers; gives that back. The rows are bounded by the unit's ids.
pub(in crate::store::ledger) async fn each_row<T, F>(
    connection: PoolConnection<Sqlite>,
    place: &Place,
    (sql, unit_number): (&'static str, i64),
    (mut gathered, mut visit): (T, F),
) -> Result<T, Failure>
where
    T: Send + 'static,
    F: FnMut(&mut T, &Shown<'_>) -> Result<(), Failure> + Send + 'static,
{
    const DOING: &str = "reading a unit";
    let home = place.clone();
    let (_, gathered) = with_handle(connection, place, move |handle| {
        let (first, last) = id_range(unit_number);
        let mut query = Query::prepare(handle, sql).at(&home, DOING)?;
        query.bind_integer(1, first).at(&home, DOING)?;
        query.bind_integer(2, last).at(&home, DOING)?;
        while let Some(row) = query.next_row().at(&home, DOING)? {
            visit(&mut gathered, &Shown { row: Cells::Sqlite(&row), place: &home })?;
        }
        Ok(gathered)
    })
    .await?;
    Ok(gathered)
}
