//! Whole units of the two big tables, row by row: for proofs, reruns and midnight.
//!
//! SQLite is read on its raw handle (`sqlite/stream.rs`), a server's rows are read as they come over the wire; what is
//! done with a row is the same.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::{Row as _, ValueRef as _};

use super::canonical::{CanonicalHasher, Numbers};
use super::engine::{Engine, Pool};
use super::load::id_range;
use super::records::Neighbour;
use super::sqlite::stream::each_row;
use crate::domain::{BillDate, Currency, EntryKind, Failure, LoggedOrder, LoggedOrders, Moment, State};
use crate::store::place::{At, Place, foreign_value};
use crate::store::sqlite::bulk;
use crate::store::trouble::Trouble;

const DOING: &str = "reading a unit";

const ENTRY_ROWS: &str =
    "SELECT part, line, amount_minor, settled_minor, fee_e5, entry, state, currency, happened_at,
        order_no, refund_no, trade_no, refund_trade_no, merchant, sub_merchant, store, till, subject
    FROM ledger_entry WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

const ORDER_ROWS: &str =
    "SELECT entry, state, currency, notes, log_rows, amount_minor, logged_at, provider_at,
        order_no, refund_no, trade_no, req_type, business_date, seller, mall, store, till, cashier
    FROM logged_order WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

const NEIGHBOUR_ENTRIES: &str =
    "SELECT order_no, trade_no, refund_no, entry, state, currency, happened_at, '',
        amount_minor, part, line, 0
    FROM ledger_entry WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

const NEIGHBOUR_ORDERS: &str =
    "SELECT order_no, trade_no, refund_no, entry, state, currency, logged_at, provider_at,
        amount_minor, 0, 0, notes
    FROM logged_order WHERE id BETWEEN ?1 AND ?2 ORDER BY id";

/// Which of the two books of a neighbouring day is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Book {
    Entries,
    Orders,
}

/// A row as it is shown; its columns count from 0.
pub(super) struct Shown<'r> {
    pub(super) row: Cells<'r>,
    pub(super) place: &'r Place,
}

/// The row of one engine.
pub(super) enum Cells<'r> {
    Sqlite(&'r bulk::Row<'r>),
    Postgres(&'r PgRow),
    Mysql(&'r MySqlRow),
}

/// A number of a server's row: a column of ours is 64 bits wide, a constant in a question perhaps 32.
macro_rules! number_of {
    ($row:expr, $column:expr) => {
        match $row.try_get::<Option<i64>, _>($column) {
            Ok(number) => Ok(number),
            Err(_) => $row.try_get::<Option<i32>, _>($column).map(|number| number.map(i64::from)),
        }
    };
}

impl Shown<'_> {
    /// The bytes of a text.
    pub(super) fn bytes(&self, column: usize) -> Result<&[u8], Failure> {
        match &self.row {
            Cells::Sqlite(row) => Ok(row.text(i32::try_from(column).unwrap_or(i32::MAX))),
            Cells::Postgres(row) => {
                let value = row.try_get_raw(column).at(self.place, DOING)?;
                let bytes = if value.is_null() { Ok(&b""[..]) } else { value.as_bytes() };
                bytes.map_err(|error| Trouble::Driver(error.to_string())).at(self.place, DOING)
            }
            Cells::Mysql(row) => row
                .try_get_unchecked::<Option<&[u8]>, _>(column)
                .map(Option::unwrap_or_default)
                .at(self.place, DOING),
        }
    }

    pub(super) fn integer(&self, column: usize) -> Result<Option<i64>, Failure> {
        match &self.row {
            Cells::Sqlite(row) => Ok(row.integer(i32::try_from(column).unwrap_or(i32::MAX))),
            Cells::Postgres(row) => number_of!(row, column).at(self.place, DOING),
            Cells::Mysql(row) => number_of!(row, column).at(self.place, DOING),
        }
    }

    pub(super) fn number(&self, column: usize) -> Result<i64, Failure> {
        Ok(self.integer(column)?.unwrap_or(0))
    }

    /// A number that fits where it is kept.
    fn small<T: TryFrom<i64>>(&self, column: usize, name: &str) -> Result<T, Failure> {
        let number = self.number(column)?;
        T::try_from(number).map_err(|_| foreign_value(self.place, name, &number.to_string()))
    }

    fn text(&self, column: usize, name: &str) -> Result<&str, Failure> {
        std::str::from_utf8(self.bytes(column)?)
            .map_err(|_| foreign_value(self.place, name, "bytes that are no text"))
    }

    /// A text as a word of the house.
    fn parsed<T>(&self, column: usize, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
        let text = self.text(column, name)?;
        parse(text).ok_or_else(|| foreign_value(self.place, name, text))
    }

    fn optional<T>(
        &self,
        column: usize,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        if self.text(column, name)?.is_empty() {
            Ok(None)
        } else {
            self.parsed(column, name, parse).map(Some)
        }
    }
}

/// Shows `visit` each row of a unit, in order, with what it gathers; gives that back.
pub(super) async fn fold<T: Send + 'static>(
    (pool, place): (&Pool, &Place),
    (sql, unit_number): (&'static str, i64),
    mut gathered: T,
    mut visit: impl FnMut(&mut T, &Shown<'_>) -> Result<(), Failure> + Send + 'static,
) -> Result<T, Failure> {
    /// The rows of a server as they come.
    macro_rules! each {
        ($connection:expr, $sql:expr, $cells:path) => {{
            let (first, last) = id_range(unit_number);
            let mut rows = sqlx::query($sql).bind(first).bind(last).fetch(&mut **$connection);
            while let Some(row) = rows.try_next().await.at(place, DOING)? {
                visit(&mut gathered, &Shown { row: $cells(&row), place })?;
            }
        }};
    }
    let mut lease = pool.acquire().await.at(place, DOING)?;
    match &mut lease {
        Engine::Postgres(connection) => each!(connection, server_sql(sql, ["$1", "$2"]), Cells::Postgres),
        Engine::Mysql(connection) => each!(connection, server_sql(sql, ["?", "?"]), Cells::Mysql),
        Engine::Sqlite(_) => {}
    }
    match lease {
        Engine::Sqlite(connection) => {
            each_row(connection, place, (sql, unit_number), (gathered, visit)).await
        }
        _ => Ok(gathered),
    }
}

/// The two values of these questions, as a server names them.
fn server_sql(sql: &str, [first, last]: [&str; 2]) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(sql.replace("?1", first).replace("?2", last))
}

/// The hash of a unit's rows as they are now, and their number.
pub(super) async fn canonical(at: (&Pool, &Place), unit_number: i64) -> Result<(String, u64), Failure> {
    let empty = (CanonicalHasher::default(), 0);
    let (hasher, rows) = fold(at, (ENTRY_ROWS, unit_number), empty, |(hasher, rows), row| {
        *rows += 1;
        let numbers = Numbers {
            part: row.number(0)?,
            line: row.number(1)?,
            amount_minor: row.integer(2)?,
            settled_minor: row.number(3)?,
            fee_e5: row.number(4)?,
        };
        let words = [row.bytes(5)?, row.bytes(6)?, row.bytes(7)?];
        let mut cells = [&b""[..]; 9];
        for (place, cell) in cells.iter_mut().enumerate() {
            *cell = row.bytes(9 + place)?;
        }
        hasher.row(&numbers, words, row.bytes(8)?, cells);
        Ok(())
    })
    .await?;
    Ok((hasher.finish(), rows))
}

/// The logged orders of a unit, as they were stored.
pub(super) async fn logged_orders(
    at: (&Pool, &Place),
    unit_number: i64,
    day: BillDate,
) -> Result<LoggedOrders, Failure> {
    fold(at, (ORDER_ROWS, unit_number), LoggedOrders::default(), move |orders, row| {
        let order = logged_order(orders, row, day)?;
        orders.orders.push(order);
        Ok(())
    })
    .await
}

fn logged_order(orders: &mut LoggedOrders, row: &Shown<'_>, day: BillDate) -> Result<LoggedOrder, Failure> {
    let mut name = |column, name| Ok::<u32, Failure>(orders.names.intern(row.text(column, name)?));
    let [req_type, business_date, seller, mall, store, till, cashier] = [
        name(11, "req_type")?,
        name(12, "business_date")?,
        name(13, "seller")?,
        name(14, "mall")?,
        name(15, "store")?,
        name(16, "till")?,
        name(17, "cashier")?,
    ];
    let wallet = orders.names.intern("");
    Ok(LoggedOrder {
        day,
        kind: row.parsed(0, "entry", EntryKind::parse)?,
        state: row.parsed(1, "state", State::parse)?,
        currency: row.parsed(2, "currency", |text| Currency::parse(text).ok())?,
        notes: row.small(3, "notes")?,
        rows: row.small(4, "log_rows")?,
        amount_minor: row.integer(5)?,
        logged_at: row.parsed(6, "logged_at", Moment::parse)?,
        provider_at: row.optional(7, "provider_at", Moment::parse)?,
        order_no: orders.keep(row.text(8, "order_no")?),
        refund_no: orders.keep(row.text(9, "refund_no")?),
        trade_no: orders.keep(row.text(10, "trade_no")?),
        req_type,
        business_date,
        seller,
        mall,
        store,
        till,
        cashier,
        wallet,
    })
}

/// The rows of a unit whose order, transaction or refund number is among `keys`.
pub(super) async fn neighbours(
    at: (&Pool, &Place),
    (book, unit_number, date): (Book, i64, BillDate),
    keys: Arc<HashSet<String>>,
) -> Result<Vec<Neighbour>, Failure> {
    let sql = match book {
        Book::Entries => NEIGHBOUR_ENTRIES,
        Book::Orders => NEIGHBOUR_ORDERS,
    };
    fold(at, (sql, unit_number), Vec::new(), move |found, row| {
        for column in 0..3 {
            let is_key = |text: &str| !text.is_empty() && keys.contains(text);
            if std::str::from_utf8(row.bytes(column)?).is_ok_and(is_key) {
                found.push(neighbour(row, date)?);
                break;
            }
        }
        Ok(())
    })
    .await
}

fn neighbour(row: &Shown<'_>, date: BillDate) -> Result<Neighbour, Failure> {
    let at = row.parsed(6, "happened_at or logged_at", Moment::parse)?;
    Ok(Neighbour {
        date,
        order_no: row.text(0, "order_no")?.to_owned(),
        trade_no: row.text(1, "trade_no")?.to_owned(),
        refund_no: row.text(2, "refund_no")?.to_owned(),
        kind: row.parsed(3, "entry", EntryKind::parse)?,
        state: row.parsed(4, "state", State::parse)?,
        currency: row.parsed(5, "currency", |text| Currency::parse(text).ok())?,
        at: row.optional(7, "provider_at", Moment::parse)?.unwrap_or(at),
        amount_minor: row.integer(8)?,
        part: row.small(9, "part")?,
        line: row.small(10, "line")?,
        notes: row.small(11, "notes")?,
    })
}
