//! A table of stored notifications in the log's database. Read-only, like the log.

use sqlx::{Row as _, SqliteConnection};

use crate::domain::{Exit, Failure};
use crate::store::gateway::notices::{NoticeRow, columns, lacks_columns};
use crate::store::place::{At, Place};
use crate::store::sqlite::bulk::{Query, Row};
use crate::store::sqlite::{connect, read_only_options, with_handle};

const DOING: &str = "reading stored notices";

/// Shows each row of the table `name` to `listener`, and gives it back.
pub(in crate::store) async fn of_table<L, F>(
    (place, name): (Place, &str),
    mut listener: L,
    mut show: F,
) -> Result<L, Failure>
where
    L: Send + 'static,
    F: FnMut(&mut L, &NoticeRow<'_>) + Send + 'static,
{
    let mut connection = connect(&read_only_options(place.path()), &place).await?;
    let sql = select(&mut connection, &place, name).await?;
    let home = place.clone();
    let (_, listener) = with_handle(Box::new(connection), &place, move |handle| {
        let mut query = Query::prepare(handle, &sql).at(&home, DOING)?;
        let mut number = 0;
        // As many as the table has.
        while let Some(row) = query.next_row().at(&home, DOING)? {
            number += 1;
            let (at, body) = (text(&row, 0), text(&row, 1));
            show(&mut listener, &NoticeRow { number, at: &at, body: &body });
        }
        Ok(listener)
    })
    .await?;
    Ok(listener)
}

fn text<'q>(row: &Row<'q>, column: i32) -> std::borrow::Cow<'q, str> {
    String::from_utf8_lossy(row.text(column))
}

/// The question, with the names as they are spelled there.
async fn select(connection: &mut SqliteConnection, place: &Place, name: &str) -> Result<String, Failure> {
    let rows = sqlx::query("SELECT name FROM pragma_table_info(?1)")
        .bind(name)
        .fetch_all(connection)
        .await
        .at(place, DOING)?;
    if rows.is_empty() {
        return Err(Failure::new(Exit::Config, format!("{}: there is no table {name}", place.name()))
            .hint("check `notices` under [paylog]: the table must be in the log's database"));
    }
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let (at, body) = columns(names.iter().cloned())
        .ok_or_else(|| lacks_columns(&format!("{}: table {name}", place.name())))?;
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    Ok(format!("SELECT {}, {} FROM {} ORDER BY 1", quoted(&names[at]), quoted(&names[body]), quoted(name)))
}
