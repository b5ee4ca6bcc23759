//! EB_PAYLOG in SQLite: found by name, planned by REQ_DATE, read on the raw handle. Never written.
//!
//! REQ_DATE is text here (`yyyy-MM-dd HH:mm:ss`, perhaps with `T` or a fraction), so a window is asked for by its
//! days, as text, which an index serves, and cut to the second while reading.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::sqlite::{LockedSqliteHandle, SqliteConnectOptions};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use crate::domain::{BillDate, Exit, Failure, LogCover, Moment};
use crate::store::gateway::log_row::{COLUMNS, REQ_DATE};
use crate::store::gateway::paylog::instant;
use crate::store::place::{At, Place};
use crate::store::sqlite::bulk::{Query, Row};
use crate::store::sqlite::{connect, read_only_options};

const TABLE: &str = "EB_PAYLOG";
const LOOKING: &str = "looking for the gateway's tables";
const PLANNING: &str = "looking where the window lies in EB_PAYLOG";
/// Rows between two looks at whether anybody still waits for them.
const STOP_ROWS: u64 = 4096;
/// Texts from here on are no dates; a date begins with a digit.
const AFTER_DIGITS: &str = ":";

/// The gateway's log: its table, its columns as they are spelled there, and how it can be read.
#[derive(Clone, Debug)]
pub(in crate::store) struct LogTable {
    pub(in crate::store) place: Place,
    options: SqliteConnectOptions,
    /// Quoted, with its schema.
    table: String,
    /// Quoted, in the order of [`COLUMNS`].
    columns: Vec<String>,
    has_rowid: bool,
    has_index: bool,
}

/// A part of a window that one thread reads.
#[derive(Clone, Debug)]
pub(in crate::store) struct Slice {
    sql: String,
    /// Bound as ?1 and ?2, where the rows are read in the order of their ids.
    ids: Option<(i64, i64)>,
    /// Bound as ?3 and ?4.
    dates: (String, String),
}

impl Slice {
    pub(in crate::store) fn sql(self) -> String {
        self.sql
    }
}

/// How a window will be read.
#[derive(Clone, Debug)]
pub(in crate::store) struct Plan {
    pub(in crate::store) slices: Vec<Slice>,
    /// Rows of the whole log whose REQ_DATE is NULL or does not begin with a digit.
    pub(in crate::store) undated: u64,
}

impl LogTable {
    /// # Errors
    ///
    /// [`Exit::Storage`] if the file cannot be opened; [`Exit::Config`] if the table or a column is missing.
    pub(in crate::store) async fn open(place: Place, schema: &str) -> Result<LogTable, Failure> {
        if !place.path().is_file() {
            return Err(Failure::new(Exit::Storage, format!("{}: there is no such file", place.name()))
                .hint("check `database` under [paylog]"));
        }
        let options = read_only_options(place.path());
        let mut connection = connect(&options, &place).await?;
        let (table, schema) = find_table(&mut connection, &place, schema).await?;
        let columns = find_columns(&mut connection, &place, (&table, &schema)).await?;
        let qualified = format!("{}.{}", quoted(&schema), quoted(&table));
        let mut log =
            LogTable { place, options, table: qualified, columns, has_rowid: false, has_index: false };
        let rowid = format!("SELECT rowid FROM {} LIMIT 0", log.table);
        log.has_rowid = is_table(&mut connection, &log.place, (&table, &schema)).await?
            && sqlx::query(AssertSqlSafe(rowid)).fetch_all(&mut connection).await.is_ok();
        log.has_index = has_index(&mut connection, &log.place, (&table, &schema)).await?;
        Ok(log)
    }

    pub(in crate::store) async fn connect(&self) -> Result<SqliteConnection, Failure> {
        connect(&self.options, &self.place).await
    }

    /// First and last REQ_DATE of the whole log, and the rows of one day.
    pub(in crate::store) async fn cover(&self, day: BillDate) -> Result<LogCover, Failure> {
        let (table, date) = (&self.table, &self.columns[REQ_DATE]);
        let dated = format!("{date} >= '0' AND {date} < '{AFTER_DIGITS}'");
        // With an index three questions of one page each; without one a single pass.
        let sql = if self.has_index {
            format!(
                "SELECT (SELECT min({date}) FROM {table} WHERE {dated}), (SELECT max({date}) FROM {table} WHERE {dated}),
                        (SELECT count(*) FROM {table} WHERE {date} >= ?1 AND {date} < ?2)"
            )
        } else {
            format!(
                "SELECT min({date}), max({date}), coalesce(sum({date} >= ?1 AND {date} < ?2), 0) FROM {table} WHERE {dated}"
            )
        };
        let mut connection = self.connect().await?;
        let row = sqlx::query(AssertSqlSafe(sql))
            .bind(day.to_string())
            .bind(day.after().to_string())
            .fetch_one(&mut connection)
            .await
            .at(&self.place, "looking how far EB_PAYLOG reaches")?;
        let of_text = |text: Option<String>| instant(&text.unwrap_or_default(), &self.place);
        Ok(LogCover {
            first: of_text(row.get(0))?,
            last: of_text(row.get(1))?,
            rows_on_day: row.get::<i64, _>(2).cast_unsigned(),
        })
    }

    /// Cuts a window into at most `parts` slices of about as many rows.
    pub(in crate::store) async fn plan(&self, window: &Range<Moment>, parts: usize) -> Result<Plan, Failure> {
        let parts = i64::try_from(parts.max(1)).unwrap_or(1);
        let (table, date) = (&self.table, &self.columns[REQ_DATE]);
        let dates = (window.start.date().to_string(), window.end.plus_seconds(-1).date().after().to_string());
        let mut connection = self.connect().await?;
        let undated = format!(
            "SELECT (SELECT count(*) FROM {table} WHERE {date} IS NULL) + (SELECT count(*) FROM {table} WHERE {date} < '0')
                  + (SELECT count(*) FROM {table} WHERE {date} >= '{AFTER_DIGITS}')"
        );
        let row =
            sqlx::query(AssertSqlSafe(undated)).fetch_one(&mut connection).await.at(&self.place, PLANNING)?;
        let undated = row.get::<i64, _>(0).cast_unsigned();
        let slices = match (self.has_rowid, self.has_index) {
            (true, true) => self.slices_by_date(&mut connection, &dates, parts).await?,
            (true, false) => self.slices_by_id(&mut connection, &dates, parts).await?,
            // Without ids the rows are numbered, so one thread must see them all.
            (false, _) => vec![self.slice_by_date(dates)],
        };
        Ok(Plan { slices, undated })
    }

    /// Without an index every row is looked at once, in the order of the ids.
    async fn slices_by_id(
        &self,
        connection: &mut SqliteConnection,
        dates: &(String, String),
        parts: i64,
    ) -> Result<Vec<Slice>, Failure> {
        let (table, date) = (&self.table, &self.columns[REQ_DATE]);
        let range = format!("SELECT (SELECT min(rowid) FROM {table}), (SELECT max(rowid) FROM {table})");
        let row = sqlx::query(AssertSqlSafe(range)).fetch_one(connection).await.at(&self.place, PLANNING)?;
        let (Some(first), Some(last)) = (row.get::<Option<i64>, _>(0), row.get::<Option<i64>, _>(1)) else {
            return Ok(Vec::new());
        };
        let sql = format!(
            "SELECT {}, rowid FROM {table} WHERE rowid BETWEEN ?1 AND ?2 AND {date} >= ?3 AND {date} < ?4 ORDER BY rowid",
            self.columns.join(", ")
        );
        let step = (last.saturating_sub(first) / parts).saturating_add(1);
        let slice = |part: i64| {
            let from = first.saturating_add(step.saturating_mul(part));
            let to = from.saturating_add(step - 1).min(last);
            Slice { sql: sql.clone(), ids: Some((from, to)), dates: dates.clone() }
        };
        Ok((0..parts).map(slice).collect())
    }

    /// With an index the window is read in its order and cut at REQ_DATEs. Where to cut is guessed from the ids,
    /// without counting: a log grows in the order of time, so the row in the middle of the ids is the middle of the
    /// window. Where it did not, the parts are of unequal length, and that is all.
    async fn slices_by_date(
        &self,
        connection: &mut SqliteConnection,
        (from, to): &(String, String),
        parts: i64,
    ) -> Result<Vec<Slice>, Failure> {
        let (table, date) = (&self.table, &self.columns[REQ_DATE]);
        let edge = |order: &str| {
            format!(
                "SELECT rowid FROM {table} WHERE {date} >= ?1 AND {date} < ?2 ORDER BY {date} {order} LIMIT 1"
            )
        };
        let mut ids = Vec::new();
        for sql in [edge("ASC"), edge("DESC")] {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(from).bind(to);
            let row = query.fetch_optional(&mut *connection).await.at(&self.place, PLANNING)?;
            ids.extend(row.map(|row| row.get::<i64, _>(0)));
        }
        let [first, last] = ids[..] else { return Ok(Vec::new()) };
        let mut cuts = vec![from.clone(), to.clone()];
        for part in 1..parts {
            let middle = first.saturating_add(last.saturating_sub(first) / parts * part);
            let sql = format!(
                "SELECT {date} FROM {table} WHERE rowid BETWEEN ?1 AND ?4 AND +{date} >= ?2 AND +{date} < ?3
                 ORDER BY rowid LIMIT 1"
            );
            let query =
                sqlx::query(AssertSqlSafe(sql)).bind(middle).bind(from).bind(to).bind(first.max(last));
            let row = query.fetch_optional(&mut *connection).await.at(&self.place, PLANNING)?;
            cuts.extend(row.map(|row| row.get::<String, _>(0)));
        }
        cuts.sort();
        cuts.dedup();
        Ok(cuts.windows(2).map(|pair| self.slice_by_date((pair[0].clone(), pair[1].clone()))).collect())
    }

    fn slice_by_date(&self, dates: (String, String)) -> Slice {
        let (table, date) = (&self.table, &self.columns[REQ_DATE]);
        let (id, order) = if self.has_rowid { ("rowid", ", rowid") } else { ("NULL", "") };
        let sql = format!(
            "SELECT {}, {id} FROM {table} WHERE {date} >= ?3 AND {date} < ?4 ORDER BY {date}{order}",
            self.columns.join(", ")
        );
        Slice { sql, ids: None, dates }
    }
}

/// Shows `visit` the texts of each row of a slice, and its id; the number of rows. Ends early once `stop` is set.
pub(in crate::store) fn each_row(
    handle: &mut LockedSqliteHandle<'_>,
    place: &Place,
    (slice, stop): (&Slice, &AtomicBool),
    mut visit: impl FnMut(i64, [&[u8]; 13]),
) -> Result<(), Failure> {
    const DOING: &str = "reading EB_PAYLOG";
    let mut query = Query::prepare(handle, &slice.sql).at(place, DOING)?;
    if let Some((first, last)) = slice.ids {
        query.bind_integer(1, first).at(place, DOING)?;
        query.bind_integer(2, last).at(place, DOING)?;
    }
    query.bind_text(3, &slice.dates.0).at(place, DOING)?;
    query.bind_text(4, &slice.dates.1).at(place, DOING)?;
    let mut rows: u64 = 0;
    while let Some(row) = query.next_row().at(place, DOING)? {
        rows += 1;
        let id = row.integer(ROW_ID).unwrap_or(rows.cast_signed());
        visit(id, texts(&row));
        if rows.is_multiple_of(STOP_ROWS) && stop.load(Ordering::Relaxed) {
            return Err(Failure::new(Exit::Interrupted, "reading EB_PAYLOG was cut off"));
        }
    }
    Ok(())
}

/// The column after the texts.
const ROW_ID: i32 = 13;

fn texts<'q>(row: &Row<'q>) -> [&'q [u8]; 13] {
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(|column| row.text(column))
}

/// The table's and the schema's names as they are spelled there.
async fn find_table(
    connection: &mut SqliteConnection,
    place: &Place,
    schema: &str,
) -> Result<(String, String), Failure> {
    let schema = find_schema(connection, place, schema).await?;
    let sql = format!(
        "SELECT name FROM {}.sqlite_master WHERE type IN ('table', 'view') ORDER BY name",
        quoted(&schema)
    );
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await.at(place, LOOKING)?;
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    match names.iter().find(|name| name.eq_ignore_ascii_case(TABLE)) {
        Some(table) => Ok((table.clone(), schema)),
        None => Err(no_table(place, &names)),
    }
}

/// The schema's name as it is spelled there; empty is the main one.
pub(super) async fn find_schema(
    connection: &mut SqliteConnection,
    place: &Place,
    schema: &str,
) -> Result<String, Failure> {
    let schemas = sqlx::query("SELECT name FROM pragma_database_list")
        .fetch_all(&mut *connection)
        .await
        .at(place, LOOKING)?;
    let wanted = if schema.is_empty() { "main" } else { schema };
    let found =
        schemas.iter().map(|row| row.get::<String, _>(0)).find(|name| name.eq_ignore_ascii_case(wanted));
    found.ok_or_else(|| {
        Failure::new(Exit::Config, format!("{}: there is no schema `{wanted}`", place.name()))
            .hint("leave `schema` under [paylog] empty for SQLite")
    })
}

fn no_table(place: &Place, names: &[String]) -> Failure {
    const SHOWN_MAX: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN_MAX).map(String::as_str).collect();
    let holds = if shown.is_empty() { "no table".to_owned() } else { shown.join(", ") };
    Failure::new(Exit::Config, format!("{}: there is no table {TABLE}; it holds {holds}", place.name()))
        .hint("check `database` under [paylog]: it must be the gateway's database")
}

/// All columns of R050 in their order, quoted; other columns do not matter.
async fn find_columns(
    connection: &mut SqliteConnection,
    place: &Place,
    (table, schema): (&str, &str),
) -> Result<Vec<String>, Failure> {
    let rows = sqlx::query("SELECT name FROM pragma_table_info(?1, ?2)")
        .bind(table)
        .bind(schema)
        .fetch_all(connection)
        .await
        .at(place, "reading the columns of EB_PAYLOG")?;
    let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let find = |wanted: &&str| names.iter().find(|name| name.eq_ignore_ascii_case(wanted));
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|column| find(column).is_none()).collect();
    if !missing.is_empty() {
        let message = format!("{}: table {TABLE} lacks the columns {}", place.name(), missing.join(", "));
        return Err(
            Failure::new(Exit::Config, message).hint("check that it is the log of the payment gateway")
        );
    }
    Ok(COLUMNS.iter().filter_map(find).map(|name| quoted(name)).collect())
}

async fn is_table(
    connection: &mut SqliteConnection,
    place: &Place,
    (table, schema): (&str, &str),
) -> Result<bool, Failure> {
    let sql =
        format!("SELECT count(*) FROM {}.sqlite_master WHERE type = 'table' AND name = ?1", quoted(schema));
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(table)
        .fetch_one(connection)
        .await
        .at(place, "reading what EB_PAYLOG is")?;
    Ok(row.get::<i64, _>(0) == 1)
}

/// Whether an index begins with REQ_DATE and holds all rows.
async fn has_index(
    connection: &mut SqliteConnection,
    place: &Place,
    (table, schema): (&str, &str),
) -> Result<bool, Failure> {
    let row = sqlx::query(
        "SELECT count(*) FROM pragma_index_list(?1, ?2) AS list, pragma_index_info(list.name, ?2) AS info
         WHERE list.partial = 0 AND info.seqno = 0 AND upper(info.name) = 'REQ_DATE'",
    )
    .bind(table)
    .bind(schema)
    .fetch_one(connection)
    .await
    .at(place, "reading the indexes of EB_PAYLOG")?;
    Ok(row.get::<i64, _>(0) > 0)
}

/// A name as SQL. Every name here was read from the database itself.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
