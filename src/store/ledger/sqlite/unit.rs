//! The statements of one unit's transaction.

use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use super::reads;
use crate::domain::{Exit, Failure};
use crate::report::MismatchRow;
use crate::store::ledger::records::{StatementMeta, StatementRecord, StatementState, UnitEnd, UnitKey};
use crate::store::place::{At, Place};

/// Rows of one INSERT: 24 columns each, below SQLite's 32766 variables; larger ones were not faster.
const INSERT_ROWS: usize = 300;

pub(in crate::store) async fn begin(connection: &mut SqliteConnection, place: &Place) -> Result<(), Failure> {
    sqlx::query("BEGIN IMMEDIATE").execute(connection).await.at(place, "beginning a unit")?;
    Ok(())
}

pub(in crate::store) async fn commit(
    connection: &mut SqliteConnection,
    place: &Place,
) -> Result<(), Failure> {
    sqlx::query("COMMIT").execute(connection).await.at(place, "committing the unit")?;
    Ok(())
}

/// The unit's number, which its rows' ids begin with; given once and kept for ever.
pub(in crate::store) async fn number(
    connection: &mut SqliteConnection,
    place: &Place,
    key: &UnitKey,
) -> Result<i64, Failure> {
    sqlx::query(
        "INSERT INTO unit (account, paytype, bill_date, state, verdict, reason, version, source, canonical_hash, section)
         VALUES (?1, ?2, ?3, 'not_compared', 'not_compared', '', 0, '', '', '')
         ON CONFLICT (account, bill_date) DO NOTHING",
    )
    .bind(&key.account)
    .bind(key.pay_type.as_str())
    .bind(key.date.to_string())
    .execute(&mut *connection)
    .await
    .at(place, "numbering the unit")?;
    let row = sqlx::query("SELECT number FROM unit WHERE account = ?1 AND bill_date = ?2")
        .bind(&key.account)
        .bind(key.date.to_string())
        .fetch_one(&mut *connection)
        .await
        .at(place, "numbering the unit")?;
    Ok(row.get(0))
}

/// Records a bill and decides its version: the same bytes as the one that stands keep their row as it is, other
/// bytes become the next version and the one that stood is superseded.
pub(in crate::store) async fn statement(
    connection: &mut SqliteConnection,
    place: &Place,
    key: &UnitKey,
    meta: &StatementMeta,
) -> Result<u32, Failure> {
    let standing = reads::standing_statement(connection, place, (&key.account, key.date, meta.bill)).await?;
    if let Some(StatementRecord { version, meta: old }) = &standing
        && old.sha256 == meta.sha256
        && old.state == meta.state
    {
        if old.sums != meta.sums {
            update_sums(connection, place, key, (meta, *version)).await?;
        }
        return Ok(*version);
    }
    sqlx::query(
        "UPDATE statement SET state = 'superseded'
         WHERE account = ?1 AND bill_date = ?2 AND bill = ?3 AND state IN ('current', 'empty')",
    )
    .bind(&key.account)
    .bind(key.date.to_string())
    .bind(meta.bill.as_str())
    .execute(&mut *connection)
    .await
    .at(place, "superseding a statement")?;
    next_version(connection, place, key, meta).await
}

/// Records a bill that was quarantined, once for the same bytes. What stands is not touched.
pub(in crate::store) async fn rejected(
    connection: &mut SqliteConnection,
    place: &Place,
    key: &UnitKey,
    meta: &StatementMeta,
) -> Result<u32, Failure> {
    let known = sqlx::query(
        "SELECT max(version) FROM statement
         WHERE account = ?1 AND bill_date = ?2 AND bill = ?3 AND sha256 = ?4 AND state = 'rejected'",
    )
    .bind(&key.account)
    .bind(key.date.to_string())
    .bind(meta.bill.as_str())
    .bind(&meta.sha256)
    .fetch_one(&mut *connection)
    .await
    .at(place, "looking for a rejected statement")?;
    match known.get::<Option<u32>, _>(0) {
        Some(version) => Ok(version),
        None => {
            let meta = StatementMeta { state: StatementState::Rejected, ..meta.clone() };
            next_version(connection, place, key, &meta).await
        }
    }
}

async fn next_version(
    connection: &mut SqliteConnection,
    place: &Place,
    key: &UnitKey,
    meta: &StatementMeta,
) -> Result<u32, Failure> {
    let row = sqlx::query(
        "INSERT INTO statement (account, paytype, bill_date, bill, version, sha256, source, rows, amount_minor,
                                fee_e5, fetched_at, state, authenticated)
         SELECT ?1, ?2, ?3, ?4, coalesce(max(version), 0) + 1, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
         FROM statement WHERE account = ?1 AND bill_date = ?3 AND bill = ?4
         RETURNING version",
    )
    .bind(&key.account)
    .bind(key.pay_type.as_str())
    .bind(key.date.to_string())
    .bind(meta.bill.as_str())
    .bind(&meta.sha256)
    .bind(&meta.source)
    .bind(meta.sums.rows.cast_signed())
    .bind(meta.sums.amount_minor)
    .bind(meta.sums.fee_e5)
    .bind(meta.fetched_at.to_string())
    .bind(meta.state.as_str())
    .bind(meta.authenticated)
    .fetch_one(&mut *connection)
    .await
    .at(place, "recording a statement")?;
    Ok(row.get(0))
}

/// The same bytes, read otherwise by a newer program: the ledger is what is read now.
async fn update_sums(
    connection: &mut SqliteConnection,
    place: &Place,
    key: &UnitKey,
    (meta, version): (&StatementMeta, u32),
) -> Result<(), Failure> {
    sqlx::query(
        "UPDATE statement SET rows = ?5, amount_minor = ?6, fee_e5 = ?7
         WHERE account = ?1 AND bill_date = ?2 AND bill = ?3 AND version = ?4",
    )
    .bind(&key.account)
    .bind(key.date.to_string())
    .bind(meta.bill.as_str())
    .bind(version)
    .bind(meta.sums.rows.cast_signed())
    .bind(meta.sums.amount_minor)
    .bind(meta.sums.fee_e5)
    .execute(&mut *connection)
    .await
    .at(place, "recording a statement")?;
    Ok(())
}

/// Replaces the unit's mismatches. Those that no longer occur stay, with standing `gone`.
pub(in crate::store) async fn mismatches(
    connection: &mut SqliteConnection,
    place: &Place,
    key: &UnitKey,
    rows: &[MismatchRow],
) -> Result<(), Failure> {
    refuse_foreign_or_repeated(key, rows)?;
    sqlx::query("UPDATE mismatch SET standing = 'gone' WHERE account = ?1 AND bill_date = ?2")
        .bind(&key.account)
        .bind(key.date.to_string())
        .execute(&mut *connection)
        .await
        .at(place, "recording mismatches")?;
    for chunk in rows.chunks(INSERT_ROWS) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT INTO mismatch (id, bill_date, account, paytype, kind, entry, order_no, refund_no, trade_no,
                gateway_amount_minor, channel_amount_minor, difference_minor, currency, gateway_state, channel_state,
                gateway_time, channel_time, mall, store, till, cashier, reason, evidence, standing) ",
        );
        insert.push_values(chunk, |mut values, row| bind_mismatch(&mut values, row));
        insert.push(
            " ON CONFLICT (id) DO UPDATE SET paytype = excluded.paytype, kind = excluded.kind, entry = excluded.entry,
                order_no = excluded.order_no, refund_no = excluded.refund_no, trade_no = excluded.trade_no,
                gateway_amount_minor = excluded.gateway_amount_minor,
                channel_amount_minor = excluded.channel_amount_minor, difference_minor = excluded.difference_minor,
                currency = excluded.currency, gateway_state = excluded.gateway_state,
                channel_state = excluded.channel_state, gateway_time = excluded.gateway_time,
                channel_time = excluded.channel_time, mall = excluded.mall, store = excluded.store,
                till = excluded.till, cashier = excluded.cashier, reason = excluded.reason,
                evidence = excluded.evidence, standing = excluded.standing",
        );
        insert.build().execute(&mut *connection).await.at(place, "recording mismatches")?;
    }
    Ok(())
}

fn bind_mismatch(values: &mut sqlx::query_builder::Separated<'_, Sqlite, &'static str>, row: &MismatchRow) {
    for text in [
        &row.id,
        &row.bill_date,
        &row.account,
        &row.paytype,
        &row.kind,
        &row.entry,
        &row.order_no,
        &row.refund_no,
        &row.trade_no,
    ] {
        values.push_bind(text);
    }
    values.push_bind(row.gateway_amount_minor);
    values.push_bind(row.channel_amount_minor);
    values.push_bind(row.difference_minor);
    for text in [
        &row.currency,
        &row.gateway_state,
        &row.channel_state,
        &row.gateway_time,
        &row.channel_time,
        &row.mall,
        &row.store,
        &row.till,
        &row.cashier,
        &row.reason,
        &row.evidence,
    ] {
        values.push_bind(text);
    }
    values.push_bind("open");
}

fn refuse_foreign_or_repeated(key: &UnitKey, rows: &[MismatchRow]) -> Result<(), Failure> {
    let date = key.date.to_string();
    let mut ids = std::collections::HashSet::with_capacity(rows.len());
    let wrong = rows.iter().find(|r| r.account != key.account || r.bill_date != date || !ids.insert(&r.id));
    match wrong {
        None => Ok(()),
        Some(row) => Err(Failure::new(
            Exit::Bug,
            format!(
                "mismatch {} of {} {} is repeated or of another unit than {} {date}",
                row.id, row.account, row.bill_date, key.account
            ),
        )
        .hint("please report this")),
    }
}

/// Writes the unit's marker.
pub(in crate::store) async fn mark_done(
    connection: &mut SqliteConnection,
    place: &Place,
    unit_number: i64,
    (end, trade): (&UnitEnd, Option<&(u32, StatementMeta)>),
) -> Result<(), Failure> {
    let (version, source) = trade.map_or((0, ""), |(version, meta)| (*version, meta.source.as_str()));
    sqlx::query(
        "UPDATE unit SET state = 'done', verdict = ?2, reason = ?3, version = ?4, source = ?5, canonical_hash = ?6,
                section = ?7
         WHERE number = ?1",
    )
    .bind(unit_number)
    .bind(end.verdict.as_str())
    .bind(&end.reason)
    .bind(version)
    .bind(source)
    .bind(&end.canonical_hash)
    .bind(&end.section)
    .execute(&mut *connection)
    .await
    .at(place, "marking the unit as done")?;
    Ok(())
}

/// Copies the write-ahead log into the file, as far as no reader needs it.
pub(in crate::store) async fn checkpoint(pool: SqlitePool, truncate: bool) {
    let statement =
        if truncate { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "PRAGMA wal_checkpoint(PASSIVE)" };
    if let Err(error) = sqlx::query(statement).execute(&pool).await {
        tracing::debug!(%error, "the write-ahead log was not copied; the next unit tries again");
    }
}

/// Writes a day's unclaimed orders, as JSON.
pub(in crate::store) async fn put_unclaimed(
    pool: &SqlitePool,
    place: &Place,
    date: &str,
    rows: &str,
) -> Result<(), Failure> {
    sqlx::query(
        "INSERT INTO unclaimed (bill_date, rows) VALUES (?1, ?2)
         ON CONFLICT (bill_date) DO UPDATE SET rows = excluded.rows",
    )
    .bind(date)
    .bind(rows)
    .execute(pool)
    .await
    .at(place, "recording unclaimed orders")?;
    Ok(())
}

/// Records a unit that could not be compared; false if it is done already, and then nothing changes.
pub(in crate::store) async fn put_not_compared(
    pool: &SqlitePool,
    place: &Place,
    key: &UnitKey,
    (reason, section): (&str, &str),
) -> Result<bool, Failure> {
    let result = sqlx::query(
        "INSERT INTO unit (account, paytype, bill_date, state, verdict, reason, version, source, canonical_hash, section)
         VALUES (?1, ?2, ?3, 'not_compared', 'not_compared', ?4, 0, '', '', ?5)
         ON CONFLICT (account, bill_date) DO UPDATE
         SET paytype = excluded.paytype, reason = excluded.reason, section = excluded.section
         WHERE unit.state <> 'done'",
    )
    .bind(&key.account)
    .bind(key.pay_type.as_str())
    .bind(key.date.to_string())
    .bind(reason)
    .bind(section)
    .execute(pool)
    .await
    .at(place, "recording a unit that was not compared")?;
    Ok(result.rows_affected() > 0)
}

/// The run's id.
pub(in crate::store) async fn start_run(
    pool: &SqlitePool,
    place: &Place,
    arguments: &str,
    now: &str,
) -> Result<i64, Failure> {
    let row = sqlx::query(
        "INSERT INTO night_run (started_at, finished_at, arguments, reasons) VALUES (?1, '', ?2, '') RETURNING id",
    )
    .bind(now)
    .bind(arguments)
    .fetch_one(pool)
    .await
    .at(place, "recording the run")?;
    Ok(row.get(0))
}

pub(in crate::store) async fn finish_run(
    pool: &SqlitePool,
    place: &Place,
    id: i64,
    (now, exit, reasons): (&str, Exit, &str),
) -> Result<(), Failure> {
    sqlx::query("UPDATE night_run SET finished_at = ?2, exit_code = ?3, reasons = ?4 WHERE id = ?1")
        .bind(id)
        .bind(now)
        .bind(exit.code())
        .bind(reasons)
        .execute(pool)
        .await
        .at(place, "recording the end of the run")?;
    Ok(())
}
