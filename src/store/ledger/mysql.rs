//! The ledger's bulk load on MariaDB and MySQL: prepared inserts of many rows, encoded on a thread of its own.

use sqlx::mysql::MySqlArguments;
use sqlx::{Arguments, AssertSqlSafe, MySqlConnection};
use tokio::sync::mpsc;

use super::load::Load;
use super::rows::COLUMNS;
use crate::store::trouble::Trouble;
use crate::store::value::Value;

/// Rows of one insert. More are slower: 2000 take half as long again.
const BATCH_ROWS: usize = 500;
/// Batches that are encoded ahead.
const AHEAD: usize = 4;

/// Values of some rows.
#[derive(Default)]
struct Batch {
    rows: usize,
    values: MySqlArguments,
}

/// Adds the rows.
pub(super) async fn insert(connection: &mut MySqlConnection, load: &Load) -> Result<(), Trouble> {
    let head = match load.rows.table().name {
        "ledger_entry" => "INSERT INTO ledger_entry VALUES ",
        _ => "INSERT INTO logged_order VALUES ",
    };
    let (sender, mut batches) = mpsc::channel(AHEAD);
    let load = load.clone();
    let encoding = tokio::task::spawn_blocking(move || encode(&load, &sender));
    while let Some(Batch { rows, values }) = batches.recv().await {
        let sql = AssertSqlSafe(statement(head, rows));
        // The last one is of another length, and never again.
        let query = sqlx::query_with(sql, values).persistent(rows == BATCH_ROWS);
        query.execute(&mut *connection).await?;
    }
    match encoding.await {
        Ok(encoded) => encoded,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Trouble::Driver(format!("a thread ended early: {error}"))),
    }
}

/// Sends the rows. If nobody listens any more, it ends: the transaction has failed.
fn encode(load: &Load, batches: &mpsc::Sender<Batch>) -> Result<(), Trouble> {
    let send = |batch| {
        batches.blocking_send(batch).map_err(|_| Trouble::Driver("the load was broken off".to_owned()))
    };
    let mut batch = Batch::default();
    load.each(|_, row| {
        for value in row {
            add(&mut batch.values, value)?;
        }
        batch.rows += 1;
        if batch.rows == BATCH_ROWS { send(std::mem::take(&mut batch)) } else { Ok(()) }
    })?;
    if batch.rows > 0 { send(batch) } else { Ok(()) }
}

fn add(values: &mut MySqlArguments, value: &Value<'_>) -> Result<(), Trouble> {
    let added = match value {
        Value::Null => values.add(None::<i64>),
        Value::Integer(number) => values.add(*number),
        Value::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => values.add(text),
            Err(error) => Err(error.into()),
        },
    };
    added.map_err(|error| Trouble::Driver(error.to_string()))
}

fn statement(head: &str, rows: usize) -> String {
    let row = format!("({})", vec!["?"; COLUMNS].join(","));
    head.to_owned() + &vec![row; rows].join(",")
}
