//! Whole units of the two big tables, row by row on the raw handle: for proofs, reruns and midnight.

use std::collections::HashSet;

use sqlx::sqlite::{LockedSqliteHandle, SqlitePool};

use super::load::id_range;
use crate::domain::{BillDate, Currency, EntryKind, Failure, LoggedOrder, LoggedOrders, Moment, State};
use crate::store::ledger::canonical::{CanonicalHasher, Numbers};
use crate::store::ledger::records::Neighbour;
use crate::store::place::{At, Place};
use crate::store::sqlite::bulk::{Query, Row};
use crate::store::sqlite::{foreign_value, with_handle};

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
pub(in crate::store) enum Book {
    Entries,
    Orders,
}

/// The hash of a unit's rows as they are now, and their number.
pub(in crate::store) async fn canonical(
    pool: &SqlitePool,
    place: &Place,
    unit_number: i64,
) -> Result<(String, u64), Failure> {
    let connection = pool.acquire().await.at(place, "reading `ledger_entry`")?;
    let home = place.clone();
    let (_, result) = with_handle(connection, place, move |handle| {
        let mut hasher = CanonicalHasher::default();
        let mut rows = 0;
        each_row(handle, &home, (ENTRY_ROWS, unit_number), |row| {
            rows += 1;
            let number = |column| row.integer(column).unwrap_or(0);
            let numbers = Numbers {
                part: number(0),
                line: number(1),
                amount_minor: row.integer(2),
                settled_minor: number(3),
                fee_e5: number(4),
            };
            let cells = [9, 10, 11, 12, 13, 14, 15, 16, 17].map(|column| row.text(column));
            hasher.row(&numbers, [5, 6, 7].map(|column| row.text(column)), row.text(8), cells);
            Ok(())
        })?;
        Ok((hasher.finish(), rows))
    })
    .await?;
    Ok(result)
}

/// The logged orders of a unit, as they were stored.
pub(in crate::store) async fn logged_orders(
    pool: &SqlitePool,
    place: &Place,
    unit_number: i64,
    day: BillDate,
) -> Result<LoggedOrders, Failure> {
    let connection = pool.acquire().await.at(place, "reading `logged_order`")?;
    let home = place.clone();
    let (_, orders) = with_handle(connection, place, move |handle| {
        let mut orders = LoggedOrders::default();
        each_row(handle, &home, (ORDER_ROWS, unit_number), |row| {
            let order = logged_order(&mut orders, row, &home, day)?;
            orders.orders.push(order);
            Ok(())
        })?;
        Ok(orders)
    })
    .await?;
    Ok(orders)
}

fn logged_order(
    orders: &mut LoggedOrders,
    row: &Row<'_>,
    place: &Place,
    day: BillDate,
) -> Result<LoggedOrder, Failure> {
    let texts = Texts { row, place };
    let small = |column, name| {
        let value = row.integer(column).unwrap_or(-1);
        u32::try_from(value).map_err(|_| foreign_value(place, name, &value.to_string()))
    };
    let mut name = |column, name| Ok::<u32, Failure>(orders.names.intern(texts.get(column, name)?));
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
        kind: texts.parsed(0, "entry", EntryKind::parse)?,
        state: texts.parsed(1, "state", State::parse)?,
        currency: texts.parsed(2, "currency", |text| Currency::parse(text).ok())?,
        notes: u16::try_from(small(3, "notes")?)
            .map_err(|_| foreign_value(place, "notes", "a large number"))?,
        rows: small(4, "log_rows")?,
        amount_minor: row.integer(5),
        logged_at: texts.parsed(6, "logged_at", Moment::parse)?,
        provider_at: texts.optional(7, "provider_at", Moment::parse)?,
        order_no: orders.keep(texts.get(8, "order_no")?),
        refund_no: orders.keep(texts.get(9, "refund_no")?),
        trade_no: orders.keep(texts.get(10, "trade_no")?),
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

/// The rows of a unit whose order or transaction number is among `keys`.
pub(in crate::store) async fn neighbours(
    pool: &SqlitePool,
    place: &Place,
    (book, unit_number, date): (Book, i64, BillDate),
    keys: std::sync::Arc<HashSet<String>>,
) -> Result<Vec<Neighbour>, Failure> {
    let connection = pool.acquire().await.at(place, "reading a neighbouring day")?;
    let home = place.clone();
    let sql = match book {
        Book::Entries => NEIGHBOUR_ENTRIES,
        Book::Orders => NEIGHBOUR_ORDERS,
    };
    let (_, found) = with_handle(connection, place, move |handle| {
        let mut found = Vec::new();
        each_row(handle, &home, (sql, unit_number), |row| {
            let is_key = |column| {
                std::str::from_utf8(row.text(column))
                    .is_ok_and(|text| !text.is_empty() && keys.contains(text))
            };
            if is_key(0) || is_key(1) || is_key(2) {
                found.push(neighbour(row, &home, date)?);
            }
            Ok(())
        })?;
        Ok(found)
    })
    .await?;
    Ok(found)
}

fn neighbour(row: &Row<'_>, place: &Place, date: BillDate) -> Result<Neighbour, Failure> {
    let texts = Texts { row, place };
    let small = |column| row.integer(column).unwrap_or(0);
    let foreign = |name: &str| foreign_value(place, name, "a number out of range");
    let at = texts.parsed(6, "happened_at or logged_at", Moment::parse)?;
    Ok(Neighbour {
        date,
        order_no: texts.get(0, "order_no")?.to_owned(),
        trade_no: texts.get(1, "trade_no")?.to_owned(),
        refund_no: texts.get(2, "refund_no")?.to_owned(),
        kind: texts.parsed(3, "entry", EntryKind::parse)?,
        state: texts.parsed(4, "state", State::parse)?,
        currency: texts.parsed(5, "currency", |text| Currency::parse(text).ok())?,
        at: texts.optional(7, "provider_at", Moment::parse)?.unwrap_or(at),
        amount_minor: row.integer(8),
        part: u8::try_from(small(9)).map_err(|_| foreign("part"))?,
        line: u32::try_from(small(10)).map_err(|_| foreign("line"))?,
        notes: u16::try_from(small(11)).map_err(|_| foreign("notes"))?,
    })
}

/// Texts of a row, as words of the house.
struct Texts<'r, 'q> {
    row: &'r Row<'q>,
    place: &'r Place,
}

impl<'q> Texts<'_, 'q> {
    fn get(&self, column: i32, name: &str) -> Result<&'q str, Failure> {
        std::str::from_utf8(self.row.text(column))
            .map_err(|_| foreign_value(self.place, name, "bytes that are no text"))
    }

    fn parsed<T>(&self, column: i32, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
        let text = self.get(column, name)?;
        parse(text).ok_or_else(|| foreign_value(self.place, name, text))
    }

    fn optional<T>(
        &self,
        column: i32,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Failure> {
        if self.get(column, name)?.is_empty() { Ok(None) } else { self.parsed(column, name, parse).map(Some) }
    }
}

/// Shows `visit` each row of a unit. The rows of a unit are bounded by its ids.
fn each_row(
    handle: &mut LockedSqliteHandle<'_>,
    place: &Place,
    (sql, unit_number): (&str, i64),
    mut visit: impl FnMut(&Row<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    const DOING: &str = "reading a unit";
    let (first, last) = id_range(unit_number);
    let mut query = Query::prepare(handle, sql).at(place, DOING)?;
    query.bind_integer(1, first).at(place, DOING)?;
    query.bind_integer(2, last).at(place, DOING)?;
    while let Some(row) = query.next_row().at(place, DOING)? {
        visit(&row)?;
    }
    Ok(())
}
