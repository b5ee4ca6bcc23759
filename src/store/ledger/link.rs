//! Small SQL, written once for every engine.
//!
//! The ledger's own tables hold texts and 64-bit numbers and nothing else, so a statement that reads or writes a few
//! rows is the same on SQLite, PostgreSQL and MariaDB: ANSI words, `?1` for a value, `"rows"` for the one column whose
//! name some engine reserves. What cannot be said so (an upsert, a returned id) is said in two statements; the one
//! writer makes that safe. Bulk loads and streams go each engine's own way (`load.rs`, `stream.rs`).
//!
//! Statements are constants: nothing from outside ever becomes a part of one.

use std::sync::Arc;

use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{
    AssertSqlSafe, MySqlConnection, PgConnection, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _,
};

use super::schema::Table;
use crate::store::trouble::Trouble;

/// Values of one statement: below SQLite's 32766 and PostgreSQL's and MariaDB's 65535.
const ARGS_MAX: usize = 7200;

/// The connection of one engine, borrowed.
pub(in crate::store) enum Link<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
    Mysql(&'c mut MySqlConnection),
}

/// A value of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Arg<'v> {
    Text(&'v str),
    /// `None` is NULL: only amounts may be.
    Integer(Option<i64>),
}

impl<'v> From<&'v str> for Arg<'v> {
    fn from(text: &'v str) -> Arg<'v> {
        Arg::Text(text)
    }
}

impl<'v> From<&'v String> for Arg<'v> {
    fn from(text: &'v String) -> Arg<'v> {
        Arg::Text(text)
    }
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Arg::Integer(Some(number))
    }
}

impl From<u32> for Arg<'_> {
    fn from(number: u32) -> Self {
        Arg::Integer(Some(i64::from(number)))
    }
}

impl From<bool> for Arg<'_> {
    fn from(truth: bool) -> Self {
        Arg::Integer(Some(i64::from(truth)))
    }
}

impl From<Option<i64>> for Arg<'_> {
    fn from(number: Option<i64>) -> Self {
        Arg::Integer(number)
    }
}

/// Binds all values to a query of any engine.
macro_rules! bound {
    ($sql:expr, $args:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql));
        for arg in $args {
            query = match *arg {
                Arg::Text(text) => query.bind(text),
                Arg::Integer(number) => query.bind(number),
            };
        }
        query
    }};
}

impl Link<'_> {
    /// Runs a statement; the rows that it changed.
    pub(in crate::store) async fn execute(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<u64, Trouble> {
        self.run(sql, args).await
    }

    /// The rows of a question.
    pub(in crate::store) async fn fetch(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Vec<Record>, Trouble> {
        self.ask(sql, args).await
    }

    async fn ask(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<Vec<Record>, Trouble> {
        let (sql, args) = self.spoken(sql, args);
        match self {
            Link::Sqlite(link) => {
                let rows = Box::pin(bound!(sql, &args).fetch_all(&mut **link)).await?;
                records(&rows, names(rows.first().map(|row| row.columns())), sqlite_cell)
            }
            Link::Postgres(link) => {
                let rows = Box::pin(bound!(sql, &args).fetch_all(&mut **link)).await?;
                records(&rows, names(rows.first().map(|row| row.columns())), postgres_cell)
            }
            Link::Mysql(link) => {
                let rows = Box::pin(bound!(sql, &args).fetch_all(&mut **link)).await?;
                records(&rows, names(rows.first().map(|row| row.columns())), mysql_cell)
            }
        }
    }

    /// The first row of a question, if there is one.
    pub(in crate::store) async fn fetch_one(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Option<Record>, Trouble> {
        Ok(self.fetch(sql, args).await?.into_iter().next())
    }

    /// Adds rows, many to a statement. `head` is `INSERT INTO table (columns) VALUES`; each row has `width` values.
    pub(in crate::store) async fn insert(
        &mut self,
        head: &'static str,
        width: usize,
        args: &[Arg<'_>],
    ) -> Result<(), Trouble> {
        self.insert_many(head, width, args).await
    }

    async fn insert_many(&mut self, head: &str, width: usize, args: &[Arg<'_>]) -> Result<(), Trouble> {
        for chunk in args.chunks(ARGS_MAX / width * width) {
            let mut sql = head.to_owned();
            for row in 0..chunk.len() / width {
                let comma = if row == 0 { "" } else { "," };
                let places: Vec<String> = (1..=width).map(|n| format!("?{}", row * width + n)).collect();
                sql.push_str(&format!("{comma} ({})", places.join(",")));
            }
            self.run(&sql, chunk).await?;
        }
        Ok(())
    }

    /// The next rows of a table behind an id; of a table without one, all rows.
    pub(super) async fn page(
        &mut self,
        table: &'static Table,
        (after, count): (i64, i64),
    ) -> Result<Vec<Record>, Trouble> {
        let columns = table.names().join(", ");
        let (sql, args) = match table.id() {
            Some(id) => (
                format!("SELECT {columns} FROM {} WHERE {id} > ?1 ORDER BY {id} LIMIT ?2", table.name),
                vec![Arg::from(after), Arg::from(count)],
            ),
            None => (format!("SELECT {columns} FROM {}", table.name), Vec::new()),
        };
        self.ask(&sql, &args).await
    }

    /// Adds rows with a value for each column of a table.
    pub(super) async fn add(&mut self, table: &'static Table, values: &[Arg<'_>]) -> Result<(), Trouble> {
        let names = table.names();
        let head = format!("INSERT INTO {} ({}) VALUES", table.name, names.join(", "));
        self.insert_many(&head, names.len(), values).await
    }

    /// Begins a transaction that writes.
    pub(in crate::store) async fn begin(&mut self) -> Result<(), Trouble> {
        let sql = match self {
            Link::Sqlite(_) => "BEGIN IMMEDIATE",
            Link::Postgres(_) => "BEGIN",
            Link::Mysql(_) => "START TRANSACTION",
        };
        self.command(sql).await
    }

    pub(in crate::store) async fn commit(&mut self) -> Result<(), Trouble> {
        self.command("COMMIT").await
    }

    /// A statement without values, in the engine's own words; also what cannot be prepared.
    pub(in crate::store) async fn command(&mut self, sql: &str) -> Result<(), Trouble> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self {
            Link::Sqlite(link) => Box::pin(sqlx::raw_sql(sql).execute(&mut **link)).await.map(drop)?,
            Link::Postgres(link) => Box::pin(sqlx::raw_sql(sql).execute(&mut **link)).await.map(drop)?,
            Link::Mysql(link) => Box::pin(sqlx::raw_sql(sql).execute(&mut **link)).await.map(drop)?,
        }
        Ok(())
    }

    async fn run(&mut self, sql: &str, args: &[Arg<'_>]) -> Result<u64, Trouble> {
        let (sql, args) = self.spoken(sql, args);
        Ok(match self {
            Link::Sqlite(link) => Box::pin(bound!(sql, &args).execute(&mut **link)).await?.rows_affected(),
            Link::Postgres(link) => Box::pin(bound!(sql, &args).execute(&mut **link)).await?.rows_affected(),
            Link::Mysql(link) => Box::pin(bound!(sql, &args).execute(&mut **link)).await?.rows_affected(),
        })
    }

    /// A statement as this engine writes it, and its values in the order in which it wants them.
    fn spoken<'v>(&self, sql: &str, args: &[Arg<'v>]) -> (String, Vec<Arg<'v>>) {
        match self {
            Link::Sqlite(_) => (sql.to_owned(), args.to_vec()),
            Link::Postgres(_) => (sql.replace('?', "$"), args.to_vec()),
            Link::Mysql(_) => {
                let order = places(sql).map(|place| args[place - 1]);
                (without_numbers(sql), order.collect())
            }
        }
    }
}

/// The numbers behind the `?` of a statement, in their order.
fn places(sql: &str) -> impl Iterator<Item = usize> {
    sql.split('?').skip(1).map(|rest| {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        rest[..digits].parse().expect("a `?` of our statements has its number")
    })
}

fn without_numbers(sql: &str) -> String {
    let mut parts = sql.split('?');
    let head = parts.next().unwrap_or("").to_owned();
    parts.fold(head, |sql, rest| sql + "?" + rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// A row, its columns by name.
#[derive(Clone, Debug)]
pub(in crate::store) struct Record {
    names: Arc<[String]>,
    cells: Vec<Cell>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

impl Record {
    fn cell(&self, column: &str) -> &Cell {
        let place = self.names.iter().position(|name| name == column);
        &self.cells[place.unwrap_or_else(|| panic!("no column {column} among {:?}", self.names))]
    }

    /// A text; NULL and a number, which no text column of ours holds, are empty.
    pub(in crate::store) fn text(&self, column: &str) -> &str {
        if let Cell::Text(text) = self.cell(column) { text } else { "" }
    }

    /// A text to keep.
    pub(in crate::store) fn string(&self, column: &str) -> String {
        self.text(column).to_owned()
    }

    /// A number; `None` if it is NULL.
    pub(in crate::store) fn integer(&self, column: &str) -> Option<i64> {
        if let Cell::Integer(number) = self.cell(column) { Some(*number) } else { None }
    }

    /// Each cell as a value of a statement.
    pub(super) fn args(&self) -> impl Iterator<Item = Arg<'_>> {
        self.cells.iter().map(|cell| match cell {
            Cell::Null => Arg::Integer(None),
            Cell::Integer(number) => Arg::Integer(Some(*number)),
            Cell::Text(text) => Arg::Text(text),
        })
    }

    /// Each cell as text.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<String> {
        let text = |cell: &Cell| match cell {
            Cell::Null => "NULL".to_owned(),
            Cell::Integer(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
        };
        self.cells.iter().map(text).collect()
    }

    /// A number that is never NULL.
    pub(in crate::store) fn number(&self, column: &str) -> i64 {
        self.integer(column).unwrap_or(0)
    }
}

fn names<C: sqlx::Column>(columns: Option<&[C]>) -> Arc<[String]> {
    columns.unwrap_or(&[]).iter().map(|column| column.name().to_owned()).collect()
}

fn records<R: sqlx::Row>(
    rows: &[R],
    names: Arc<[String]>,
    cell: impl Fn(&R, usize) -> Result<Cell, sqlx::Error>,
) -> Result<Vec<Record>, Trouble> {
    let record = |row: &R| {
        let cells = (0..row.columns().len()).map(|place| cell(row, place)).collect::<Result<_, _>>()?;
        Ok(Record { names: Arc::clone(&names), cells })
    };
    rows.iter().map(record).collect()
}

fn sqlite_cell(row: &SqliteRow, place: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "INTEGER" => Cell::Integer(row.try_get(place)?),
        _ => Cell::Text(row.try_get_unchecked(place)?),
    })
}

fn postgres_cell(row: &PgRow, place: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "INT8" => Cell::Integer(row.try_get(place)?),
        "INT4" => Cell::Integer(i64::from(row.try_get::<i32, _>(place)?)),
        _ => Cell::Text(row.try_get(place)?),
    })
}

fn mysql_cell(row: &MySqlRow, place: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    Ok(match value.type_info().name() {
        "BIGINT" | "INT" => Cell::Integer(row.try_get(place)?),
        _ => Cell::Text(row.try_get(place)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_used_twice_is_given_twice_where_values_have_no_numbers() {
        let sql = "UPDATE t SET a = ?2 WHERE b = ?1 AND (c = ?1 OR d = ?12)";
        assert_eq!(places(sql).collect::<Vec<_>>(), [2, 1, 1, 12]);
        assert_eq!(without_numbers(sql), "UPDATE t SET a = ? WHERE b = ? AND (c = ? OR d = ?)");
        assert_eq!(without_numbers("SELECT 1"), "SELECT 1");
    }
}
