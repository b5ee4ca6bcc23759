//! What is written in small: a unit's bill, its mismatches and its marker; what belongs to a day; runs.
//!
//! An engine's upsert is said in two statements here, which is safe: there is one writer.

use std::collections::{HashMap, HashSet};

use super::fingerprint::{self, Fingerprint};
use super::link::{Arg, Link};
use super::records::{StatementMeta, StatementRecord, StatementState, StoredMismatch, UnitEnd, UnitKey};
use super::tx::Tx;
use crate::domain::{Exit, Failure};
use crate::failpoint::reach;
use crate::report::MismatchRow;
use crate::store::place::{At, Place};

/// Runs a statement of the transaction.
async fn run(tx: &mut Tx, doing: &str, sql: &'static str, args: &[Arg<'_>]) -> Result<u64, Failure> {
    let place = tx.place().clone();
    reach("ledger: change something small").at(&place, doing)?;
    tx.link().execute(sql, args).await.at(&place, doing)
}

/// The only number that a question is answered with.
async fn number(
    tx: &mut Tx,
    doing: &str,
    sql: &'static str,
    args: &[Arg<'_>],
) -> Result<Option<i64>, Failure> {
    let place = tx.place().clone();
    let row = tx.link().fetch_one(sql, args).await.at(&place, doing)?;
    Ok(row.and_then(|row| row.integer("n")))
}

/// The unit's number, which its rows' ids begin with; given once and kept for ever.
pub(super) async fn unit_number(tx: &mut Tx, key: &UnitKey) -> Result<i64, Failure> {
    const DOING: &str = "numbering the unit";
    let date = key.date.to_string();
    let sql = "SELECT number AS n FROM unit WHERE account = ?1 AND bill_date = ?2";
    let args = [Arg::from(&key.account), Arg::from(&date)];
    if let Some(known) = number(tx, DOING, sql, &args).await? {
        return Ok(known);
    }
    let last = number(tx, DOING, "SELECT max(number) AS n FROM unit", &[]).await?;
    let next = last.unwrap_or(0) + 1;
    let sql =
        "INSERT INTO unit (number, account, paytype, bill_date, state, verdict, reason, version, source,
                                 canonical_hash, section)
               VALUES (?1, ?2, ?3, ?4, 'not_compared', 'not_compared', '', 0, '', '', '')";
    let args = [next.into(), args[0], key.pay_type.as_str().into(), args[1]];
    run(tx, DOING, sql, &args).await?;
    Ok(next)
}

/// Records a bill and decides its version: the same bytes as the one that stands keep their row as it is, other
/// bytes become the next version and the one that stood is superseded.
pub(super) async fn statement(tx: &mut Tx, key: &UnitKey, meta: &StatementMeta) -> Result<u32, Failure> {
    let standing = tx.ask().standing_statement((&key.account, key.date, meta.bill)).await?;
    if let Some(StatementRecord { version, meta: old }) = &standing
        && old.sha256 == meta.sha256
        && old.state == meta.state
    {
        if old.sums != meta.sums {
            update_sums(tx, key, (meta, *version)).await?;
        }
        return Ok(*version);
    }
    let sql = "UPDATE statement SET state = 'superseded'
               WHERE account = ?1 AND bill_date = ?2 AND bill = ?3 AND state IN ('current', 'empty')";
    let date = key.date.to_string();
    let args = [Arg::from(&key.account), Arg::from(&date), meta.bill.as_str().into()];
    run(tx, "superseding a statement", sql, &args).await?;
    next_version(tx, key, meta).await
}

/// Records a bill that was quarantined, once for the same bytes. What stands is not touched.
pub(super) async fn rejected(tx: &mut Tx, key: &UnitKey, meta: &StatementMeta) -> Result<u32, Failure> {
    let sql = "SELECT max(version) AS n FROM statement
               WHERE account = ?1 AND bill_date = ?2 AND bill = ?3 AND sha256 = ?4 AND state = 'rejected'";
    let date = key.date.to_string();
    let args = [Arg::from(&key.account), Arg::from(&date), meta.bill.as_str().into(), (&meta.sha256).into()];
    match number(tx, "looking for a rejected statement", sql, &args).await? {
        Some(version) => Ok(as_version(version)),
        None => {
            let meta = StatementMeta { state: StatementState::Rejected, ..meta.clone() };
            next_version(tx, key, &meta).await
        }
    }
}

async fn next_version(tx: &mut Tx, key: &UnitKey, meta: &StatementMeta) -> Result<u32, Failure> {
    const DOING: &str = "recording a statement";
    let date = key.date.to_string();
    let sql = "SELECT max(version) AS n FROM statement WHERE account = ?1 AND bill_date = ?2 AND bill = ?3";
    let args = [Arg::from(&key.account), Arg::from(&date), meta.bill.as_str().into()];
    let version = number(tx, DOING, sql, &args).await?.unwrap_or(0) + 1;
    let sql = r#"INSERT INTO statement (account, paytype, bill_date, bill, version, sha256, source, "rows",
                                        amount_minor, fee_e5, fetched_at, state, authenticated)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"#;
    let fetched_at = meta.fetched_at.to_string();
    let args = [
        args[0],
        key.pay_type.as_str().into(),
        args[1],
        args[2],
        version.into(),
        (&meta.sha256).into(),
        (&meta.source).into(),
        meta.sums.rows.cast_signed().into(),
        meta.sums.amount_minor.into(),
        meta.sums.fee_e5.into(),
        (&fetched_at).into(),
        meta.state.as_str().into(),
        meta.authenticated.into(),
    ];
    run(tx, DOING, sql, &args).await?;
    Ok(as_version(version))
}

fn as_version(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The same bytes, read otherwise by a newer program: the ledger is what is read now.
async fn update_sums(
    tx: &mut Tx,
    key: &UnitKey,
    (meta, version): (&StatementMeta, u32),
) -> Result<(), Failure> {
    let sql = r#"UPDATE statement SET "rows" = ?5, amount_minor = ?6, fee_e5 = ?7
                 WHERE account = ?1 AND bill_date = ?2 AND bill = ?3 AND version = ?4"#;
    let date = key.date.to_string();
    let args = [
        (&key.account).into(),
        (&date).into(),
        meta.bill.as_str().into(),
        version.into(),
        meta.sums.rows.cast_signed().into(),
        meta.sums.amount_minor.into(),
        meta.sums.fee_e5.into(),
    ];
    run(tx, "recording a statement", sql, &args).await.map(drop)
}

/// What became of a mismatch when its unit was compared again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// Never seen before.
    Found,
    /// It did not occur in the comparison before, and does again.
    Returned,
    /// It still occurs, and something about it is told otherwise.
    Changed,
    /// It does not occur any more.
    Gone,
}

/// Replaces the unit's mismatches. Those that no longer occur stay, with standing `gone`. What changed, by id.
pub(super) async fn mismatches(
    tx: &mut Tx,
    key: &UnitKey,
    rows: &[MismatchRow],
) -> Result<Vec<(Change, MismatchRow)>, Failure> {
    refuse_foreign_or_repeated(key, rows)?;
    let before = tx.ask().mismatches_of_unit(&key.account, key.date).await?;
    let changes = changes(before, rows);
    let place = tx.place().clone();
    let is_new = |(change, _): &&(Change, MismatchRow)| *change == Change::Found;
    let found: Vec<Arg<'_>> =
        changes.iter().filter(is_new).flat_map(|(_, row)| columns(row, "open")).collect();
    insert_mismatches(&mut tx.link(), &place, &found).await?;
    for (change, row) in changes.iter().filter(|change| !is_new(change)) {
        let standing = if *change == Change::Gone { "gone" } else { "open" };
        let args = columns(row, standing);
        run(tx, "recording mismatches", UPDATE_MISMATCH, &args).await?;
    }
    Ok(changes)
}

fn changes(before: Vec<StoredMismatch>, rows: &[MismatchRow]) -> Vec<(Change, MismatchRow)> {
    let mut known: HashMap<String, StoredMismatch> =
        before.into_iter().map(|mismatch| (mismatch.row.id.clone(), mismatch)).collect();
    let mut changes = Vec::new();
    for row in rows {
        let change = match known.remove(&row.id) {
            None => Change::Found,
            Some(mismatch) if !mismatch.open => Change::Returned,
            Some(mismatch) if mismatch.row != *row => Change::Changed,
            Some(_) => continue,
        };
        changes.push((change, row.clone()));
    }
    let gone = known.into_values().filter(|mismatch| mismatch.open);
    changes.extend(gone.map(|mismatch| (Change::Gone, mismatch.row)));
    changes.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    changes
}

const MISMATCH_COLUMNS: usize = 24;

async fn insert_mismatches(link: &mut Link<'_>, place: &Place, args: &[Arg<'_>]) -> Result<(), Failure> {
    let head = "INSERT INTO mismatch (id, bill_date, account, paytype, kind, entry, order_no, refund_no, trade_no,
                    gateway_amount_minor, channel_amount_minor, difference_minor, currency, gateway_state,
                    channel_state, gateway_time, channel_time, mall, store, till, cashier, reason, evidence, standing)
                VALUES";
    link.insert(head, MISMATCH_COLUMNS, args).await.at(place, "recording mismatches")
}

const UPDATE_MISMATCH: &str =
    "UPDATE mismatch SET bill_date = ?2, account = ?3, paytype = ?4, kind = ?5, entry = ?6,
        order_no = ?7, refund_no = ?8, trade_no = ?9, gateway_amount_minor = ?10, channel_amount_minor = ?11,
        difference_minor = ?12, currency = ?13, gateway_state = ?14, channel_state = ?15, gateway_time = ?16,
        channel_time = ?17, mall = ?18, store = ?19, till = ?20, cashier = ?21, reason = ?22, evidence = ?23,
        standing = ?24
    WHERE id = ?1";

fn columns<'r>(row: &'r MismatchRow, standing: &'static str) -> [Arg<'r>; MISMATCH_COLUMNS] {
    [
        (&row.id).into(),
        (&row.bill_date).into(),
        (&row.account).into(),
        (&row.paytype).into(),
        (&row.kind).into(),
        (&row.entry).into(),
        (&row.order_no).into(),
        (&row.refund_no).into(),
        (&row.trade_no).into(),
        row.gateway_amount_minor.into(),
        row.channel_amount_minor.into(),
        row.difference_minor.into(),
        (&row.currency).into(),
        (&row.gateway_state).into(),
        (&row.channel_state).into(),
        (&row.gateway_time).into(),
        (&row.channel_time).into(),
        (&row.mall).into(),
        (&row.store).into(),
        (&row.till).into(),
        (&row.cashier).into(),
        (&row.reason).into(),
        (&row.evidence).into(),
        standing.into(),
    ]
}

fn refuse_foreign_or_repeated(key: &UnitKey, rows: &[MismatchRow]) -> Result<(), Failure> {
    let date = key.date.to_string();
    let mut ids = HashSet::with_capacity(rows.len());
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
pub(super) async fn mark_done(
    tx: &mut Tx,
    unit_number: i64,
    (end, trade): (&UnitEnd, Option<&(u32, StatementMeta)>),
) -> Result<(), Failure> {
    let (version, source) = trade.map_or((0, ""), |(version, meta)| (*version, meta.source.as_str()));
    let sql = "UPDATE unit SET state = 'done', verdict = ?2, reason = ?3, version = ?4, source = ?5,
                      canonical_hash = ?6, section = ?7
               WHERE number = ?1";
    let args = [
        unit_number.into(),
        end.verdict.as_str().into(),
        (&end.reason).into(),
        version.into(),
        source.into(),
        (&end.canonical_hash).into(),
        (&end.section).into(),
    ];
    run(tx, "marking the unit as done", sql, &args).await.map(drop)
}

/// Keeps what the archive cannot prove later: hashes of the section, and of the logged orders if they were replaced.
pub(super) async fn mark_proofs(
    tx: &mut Tx,
    unit_number: i64,
    (section, orders): (&str, Option<&Fingerprint>),
) -> Result<(), Failure> {
    const DOING: &str = "marking the unit as done";
    let section = fingerprint::hash_of_section(section);
    let sql = "UPDATE unit SET section_hash = ?2 WHERE number = ?1";
    run(tx, DOING, sql, &[unit_number.into(), (&section).into()]).await?;
    let Some(orders) = orders else { return Ok(()) };
    let sql = "UPDATE unit SET orders_hash = ?2 WHERE number = ?1";
    run(tx, DOING, sql, &[unit_number.into(), (&orders.to_string()).into()]).await.map(drop)
}

/// Writes a day's unclaimed orders, as JSON.
pub(super) async fn unclaimed(tx: &mut Tx, date: &str, rows: &str) -> Result<(), Failure> {
    const DOING: &str = "recording unclaimed orders";
    run(tx, DOING, "DELETE FROM unclaimed WHERE bill_date = ?1", &[date.into()]).await?;
    let sql = r#"INSERT INTO unclaimed (bill_date, "rows") VALUES (?1, ?2)"#;
    run(tx, DOING, sql, &[date.into(), rows.into()]).await.map(drop)
}

/// Records a unit that could not be compared; false if it is done already, and then nothing changes.
pub(super) async fn not_compared(
    tx: &mut Tx,
    key: &UnitKey,
    (reason, section): (&str, &str),
) -> Result<bool, Failure> {
    let unit_number = unit_number(tx, key).await?;
    let sql = "UPDATE unit SET paytype = ?2, reason = ?3, section = ?4 WHERE number = ?1 AND state <> 'done'";
    let args = [unit_number.into(), key.pay_type.as_str().into(), reason.into(), section.into()];
    Ok(run(tx, "recording a unit that was not compared", sql, &args).await? > 0)
}

/// The run's id.
pub(super) async fn start_run(tx: &mut Tx, arguments: &str, now: &str) -> Result<i64, Failure> {
    const DOING: &str = "recording the run";
    let last = number(tx, DOING, "SELECT max(id) AS n FROM night_run", &[]).await?;
    let id = last.unwrap_or(0) + 1;
    let sql =
        "INSERT INTO night_run (id, started_at, finished_at, arguments, reasons) VALUES (?1, ?2, '', ?3, '')";
    run(tx, DOING, sql, &[id.into(), now.into(), arguments.into()]).await?;
    Ok(id)
}

pub(super) async fn finish_run(
    tx: &mut Tx,
    id: i64,
    (now, exit, reasons): (&str, Exit, &str),
) -> Result<(), Failure> {
    let sql = "UPDATE night_run SET finished_at = ?2, exit_code = ?3, reasons = ?4 WHERE id = ?1";
    let args = [id.into(), now.into(), i64::from(exit.code()).into(), reasons.into()];
    run(tx, "recording the end of the run", sql, &args).await.map(drop)
}
