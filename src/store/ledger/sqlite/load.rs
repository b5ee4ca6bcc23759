//! A unit's movements into the two big tables: written as a file of the table's shape, attached, moved over.
//!
//! The file lies beside the ledger with the same mode and is removed as soon as SQLite has opened it; what a crash
//! in between leaves is removed when the next unit begins. See `image.rs` for the reason.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{Row, SqliteConnection};

use crate::domain::{Failure, LoggedOrder, LoggedOrders, Statement};
use crate::store::ledger::canonical::CELLS;
use crate::store::ledger::records::{Sums, UnitKey};
use crate::store::ledger::schema::{LEDGER_ENTRY, LOGGED_ORDER};
use crate::store::place::{At, Place};
use crate::store::sqlite::image::Image;
use crate::store::sqlite::record::Value;
use crate::store::sqlite::{blocking, new_private_file};
use crate::store::text::MomentText;

/// Pages of the file to be attached; large ones need fewer steps.
const LOAD_PAGE_BYTES: usize = 65_536;
/// Marks files of a load; the ledger's own name stands before it.
const LOAD_MARK: &str = ".load-";
/// The rows of unit `n` have the ids from `n << UNIT_SHIFT`: four billion rows a unit, two billion units.
const UNIT_SHIFT: u32 = 32;

/// First and last id of a unit's rows.
pub(in crate::store) fn id_range(unit_number: i64) -> (i64, i64) {
    let first = unit_number << UNIT_SHIFT;
    (first, first + (1 << UNIT_SHIFT) - 1)
}

/// A big table and how a load names it.
#[derive(Clone, Copy)]
pub(in crate::store) struct BigTable {
    pub(in crate::store) name: &'static str,
    create: &'static str,
    clear: &'static str,
    fill: &'static str,
}

pub(in crate::store) const ENTRIES: BigTable = BigTable {
    name: "ledger_entry",
    create: LEDGER_ENTRY,
    clear: "DELETE FROM main.ledger_entry WHERE id BETWEEN ?1 AND ?2",
    fill: "INSERT INTO main.ledger_entry SELECT * FROM incoming_ledger_entry.ledger_entry",
};

pub(in crate::store) const ORDERS: BigTable = BigTable {
    name: "logged_order",
    create: LOGGED_ORDER,
    clear: "DELETE FROM main.logged_order WHERE id BETWEEN ?1 AND ?2",
    fill: "INSERT INTO main.logged_order SELECT * FROM incoming_logged_order.logged_order",
};

/// A file to be attached; removed when dropped.
pub(in crate::store) struct Incoming(PathBuf);

impl Drop for Incoming {
    fn drop(&mut self) {
        // On Windows an attached file cannot be removed; then the next unit does it.
        std::fs::remove_file(&self.0).ok();
    }
}

/// Writes a statement's entries as a file beside the ledger.
pub(in crate::store) async fn write_entries(
    place: &Place,
    key: &UnitKey,
    unit_number: i64,
    statement: std::sync::Arc<Statement>,
) -> Result<Incoming, Failure> {
    let (place, key) = (place.clone(), key.clone());
    blocking(move || {
        write_file(&place, ENTRIES, |image| entry_rows(image, &statement, &key, id_range(unit_number).0))
    })
    .await
}

/// Writes the orders at `of_day` as a file beside the ledger.
pub(in crate::store) async fn write_orders(
    place: &Place,
    key: &UnitKey,
    unit_number: i64,
    (orders, of_day): (std::sync::Arc<LoggedOrders>, Vec<u32>),
) -> Result<Incoming, Failure> {
    let (place, key) = (place.clone(), key.clone());
    blocking(move || {
        write_file(&place, ORDERS, |image| {
            let mut writer = OrderWriter::new(&key, &orders);
            for (id, index) in (id_range(unit_number).0..).zip(&of_day) {
                let order = orders.orders.get(*index as usize).ok_or(std::io::ErrorKind::InvalidInput)?;
                writer.row(image, id, order)?;
            }
            Ok(())
        })
    })
    .await
}

/// Replaces the unit's rows in a big table by those of the file.
pub(in crate::store) async fn replace(
    connection: &mut SqliteConnection,
    place: &Place,
    table: BigTable,
    (unit_number, incoming): (i64, Incoming),
) -> Result<(), Failure> {
    clear(connection, place, table, unit_number).await?;
    let (attach, doing) = match table.name {
        "ledger_entry" => ("ATTACH ?1 AS incoming_ledger_entry", "loading `ledger_entry`"),
        _ => ("ATTACH ?1 AS incoming_logged_order", "loading `logged_order`"),
    };
    sqlx::query(attach).bind(read_only_uri(&incoming.0)).execute(&mut *connection).await.at(place, doing)?;
    drop(incoming);
    sqlx::query(table.fill).execute(&mut *connection).await.at(place, doing)?;
    Ok(())
}

/// Removes the unit's rows from a big table.
pub(in crate::store) async fn clear(
    connection: &mut SqliteConnection,
    place: &Place,
    table: BigTable,
    unit_number: i64,
) -> Result<(), Failure> {
    let (first, last) = id_range(unit_number);
    sqlx::query(table.clear)
        .bind(first)
        .bind(last)
        .execute(&mut *connection)
        .await
        .at(place, "removing the unit's former rows")?;
    Ok(())
}

/// Rows, Σ amount and Σ fee as they stand in `ledger_entry` now, inside the transaction.
pub(in crate::store) async fn sums(
    connection: &mut SqliteConnection,
    place: &Place,
    unit_number: i64,
) -> Result<Sums, Failure> {
    let (first, last) = id_range(unit_number);
    let row = sqlx::query(
        "SELECT count(*), coalesce(sum(amount_minor), 0), coalesce(sum(fee_e5), 0)
         FROM ledger_entry WHERE id BETWEEN ?1 AND ?2",
    )
    .bind(first)
    .bind(last)
    .fetch_one(&mut *connection)
    .await
    .at(place, "adding up the unit")?;
    Ok(Sums { rows: row.get::<i64, _>(0).cast_unsigned(), amount_minor: row.get(1), fee_e5: row.get(2) })
}

/// Removes what a crash left between writing and attaching a file. Only for who holds the ledger's write lock: then
/// no load of another process is under way.
pub(in crate::store) fn remove_leftovers(place: &Place) {
    let path = place.path();
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let prefix = format!("{}{LOAD_MARK}", name.to_string_lossy());
    let Ok(files) = std::fs::read_dir(folder) else { return };
    for file in files.flatten() {
        if file.file_name().to_string_lossy().starts_with(&prefix) {
            tracing::info!(file = %file.path().display(), "removing what an interrupted load left");
            std::fs::remove_file(file.path()).ok();
        }
    }
}

fn write_file(
    place: &Place,
    table: BigTable,
    rows: impl FnOnce(&mut Image<BufWriter<std::fs::File>>) -> std::io::Result<()>,
) -> Result<Incoming, Failure> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = PathBuf::from(format!("{}{LOAD_MARK}{}-{number}", place.path().display(), std::process::id()));
    let file = new_private_file(&path).at(place, "making a file for the load beside it")?;
    let incoming = Incoming(path);
    let write = || {
        // The image gathers a megabyte itself; the buffer's capacity is not needed.
        let mut image = Image::new(BufWriter::with_capacity(0, file), LOAD_PAGE_BYTES)?;
        rows(&mut image)?;
        image.finish(table.name, table.create)?.flush()
    };
    write().at(place, "writing the file of the load beside it")?;
    Ok(incoming)
}

fn entry_rows<W: Write + std::io::Seek>(
    image: &mut Image<W>,
    statement: &Statement,
    key: &UnitKey,
    first_id: i64,
) -> std::io::Result<()> {
    let date = key.date.to_string();
    let mut moments = MomentText::default();
    for (id, entry) in (first_id..).zip(statement.entries()) {
        let [order, refund, trade, refund_trade, merchant, sub_merchant, store, till, subject] =
            CELLS.map(|cell| Value::Text(statement.cell(entry, cell).as_bytes()));
        image.row(
            id,
            &[
                Value::Null,
                number(entry.amount_minor),
                Value::Integer(entry.settled_minor),
                Value::Integer(entry.fee_e5),
                Value::Integer(i64::from(entry.part)),
                Value::Integer(i64::from(entry.line)),
                order,
                refund,
                trade,
                refund_trade,
                Value::Text(entry.kind.as_str().as_bytes()),
                Value::Text(entry.state.as_str().as_bytes()),
                Value::Text(entry.currency.as_str().as_bytes()),
                Value::Text(moments.of(entry.happened_at)),
                Value::Text(key.account.as_bytes()),
                Value::Text(date.as_bytes()),
                merchant,
                sub_merchant,
                store,
                till,
                subject,
            ],
        )?;
    }
    Ok(())
}

struct OrderWriter<'a> {
    account: &'a str,
    date: String,
    orders: &'a LoggedOrders,
    logged: MomentText,
    provider: MomentText,
}

impl<'a> OrderWriter<'a> {
    fn new(key: &'a UnitKey, orders: &'a LoggedOrders) -> OrderWriter<'a> {
        OrderWriter {
            account: &key.account,
            date: key.date.to_string(),
            orders,
            logged: MomentText::default(),
            provider: MomentText::default(),
        }
    }

    fn row<W: Write + std::io::Seek>(
        &mut self,
        image: &mut Image<W>,
        id: i64,
        order: &LoggedOrder,
    ) -> std::io::Result<()> {
        let name = |name: u32| Value::Text(self.orders.names.get(name).as_bytes());
        image.row(
            id,
            &[
                Value::Null,
                number(order.amount_minor),
                Value::Integer(i64::from(order.notes)),
                Value::Integer(i64::from(order.rows)),
                Value::Text(self.orders.order_no(order).as_bytes()),
                Value::Text(self.orders.refund_no(order).as_bytes()),
                Value::Text(self.orders.trade_no(order).as_bytes()),
                Value::Text(order.kind.as_str().as_bytes()),
                Value::Text(order.state.as_str().as_bytes()),
                Value::Text(order.currency.as_str().as_bytes()),
                Value::Text(self.logged.of(order.logged_at)),
                Value::Text(order.provider_at.map_or(b"", |at| self.provider.of(at))),
                Value::Text(self.account.as_bytes()),
                Value::Text(self.date.as_bytes()),
                name(order.business_date),
                name(order.req_type),
                name(order.seller),
                name(order.mall),
                name(order.store),
                name(order.till),
                name(order.cashier),
            ],
        )
    }
}

fn number(value: Option<i64>) -> Value<'static> {
    value.map_or(Value::Null, Value::Integer)
}

/// The path as SQLite's URI (<https://sqlite.org/uri.html>): read-only, and never locked or changed by others.
fn read_only_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    let text = path.to_string_lossy().replace('\\', "/");
    if !text.starts_with('/') {
        uri.push('/');
    }
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                uri.push(char::from(byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    uri
}
