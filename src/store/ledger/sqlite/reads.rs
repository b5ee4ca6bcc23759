//! What the ledger is asked for in small: units, statements, mismatches, one order.

use sqlx::sqlite::{SqlitePool, SqliteRow};
use sqlx::{Row, SqliteConnection};

use crate::domain::{Bill, BillDate, Currency, EntryKind, Failure, Moment, State, Verdict};
use crate::report::MismatchRow;
use crate::store::ledger::records::{
    Neighbour, RunRecord, SectionRecord, StatementMeta, StatementRecord, StatementState, StoredEntry,
    StoredMismatch, StoredOrder, Sums, UnitRecord, UnitState,
};
use crate::store::place::{At, Place};
use crate::store::sqlite::foreign_value;

/// The bill of a unit that stands: `current` or `empty`.
pub(in crate::store) async fn standing_statement(
    connection: &mut SqliteConnection,
    place: &Place,
    (account, date, bill): (&str, BillDate, Bill),
) -> Result<Option<StatementRecord>, Failure> {
    let row = sqlx::query(
        "SELECT version, sha256, source, rows, amount_minor, fee_e5, fetched_at, state, authenticated FROM statement
         WHERE account = ?1 AND bill_date = ?2 AND bill = ?3 AND state IN ('current', 'empty')",
    )
    .bind(account)
    .bind(date.to_string())
    .bind(bill.as_str())
    .fetch_optional(connection)
    .await
    .at(place, "reading `statement`")?;
    row.map(|row| statement_record(&row, bill, place)).transpose()
}

fn statement_record(row: &SqliteRow, bill: Bill, place: &Place) -> Result<StatementRecord, Failure> {
    let sums = Sums {
        rows: row.get::<i64, _>("rows").cast_unsigned(),
        amount_minor: row.get("amount_minor"),
        fee_e5: row.get("fee_e5"),
    };
    let meta = StatementMeta {
        bill,
        sha256: row.get("sha256"),
        source: row.get("source"),
        sums,
        fetched_at: parsed(row, "fetched_at", place, Moment::parse)?,
        state: parsed(row, "state", place, StatementState::parse)?,
        authenticated: row.get("authenticated"),
    };
    Ok(StatementRecord { version: row.get("version"), meta })
}

/// A text column as a word of the house.
fn parsed<T>(
    row: &SqliteRow,
    column: &str,
    place: &Place,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Failure> {
    let text: &str = row.get(column);
    parse(text).ok_or_else(|| foreign_value(place, column, text))
}

pub(in crate::store) async fn unit(
    pool: &SqlitePool,
    place: &Place,
    account: &str,
    date: BillDate,
) -> Result<Option<UnitRecord>, Failure> {
    let row = sqlx::query(
        "SELECT account, paytype, bill_date, state, verdict, reason, version, source, canonical_hash FROM unit
         WHERE account = ?1 AND bill_date = ?2",
    )
    .bind(account)
    .bind(date.to_string())
    .fetch_optional(pool)
    .await
    .at(place, "reading `unit`")?;
    row.map(|row| unit_record(&row, place)).transpose()
}

/// The units of a day that are done, by account.
pub(in crate::store) async fn done_units(
    pool: &SqlitePool,
    place: &Place,
    date: BillDate,
) -> Result<Vec<UnitRecord>, Failure> {
    sqlx::query(
        "SELECT account, paytype, bill_date, state, verdict, reason, version, source, canonical_hash FROM unit
         WHERE bill_date = ?1 AND state = 'done' ORDER BY account",
    )
    .bind(date.to_string())
    .fetch_all(pool)
    .await
    .at(place, "reading `unit`")?
    .iter()
    .map(|row| unit_record(row, place))
    .collect()
}

fn unit_record(row: &SqliteRow, place: &Place) -> Result<UnitRecord, Failure> {
    Ok(UnitRecord {
        account: row.get("account"),
        pay_type: row.get("paytype"),
        date: parsed(row, "bill_date", place, BillDate::parse)?,
        state: parsed(row, "state", place, UnitState::parse)?,
        verdict: parsed(row, "verdict", place, Verdict::parse)?,
        reason: row.get("reason"),
        version: row.get("version"),
        source: row.get("source"),
        canonical_hash: row.get("canonical_hash"),
    })
}

/// What the ledger keeps of a day's report, by account.
pub(in crate::store) async fn sections(
    pool: &SqlitePool,
    place: &Place,
    date: BillDate,
) -> Result<Vec<SectionRecord>, Failure> {
    let rows = sqlx::query("SELECT account, state, section FROM unit WHERE bill_date = ?1 ORDER BY account")
        .bind(date.to_string())
        .fetch_all(pool)
        .await
        .at(place, "reading `unit`")?;
    rows.iter()
        .map(|row| {
            Ok(SectionRecord {
                account: row.get("account"),
                state: parsed(row, "state", place, UnitState::parse)?,
                section: row.get("section"),
            })
        })
        .collect()
}

pub(in crate::store) async fn unclaimed(
    pool: &SqlitePool,
    place: &Place,
    date: BillDate,
) -> Result<Option<String>, Failure> {
    let row = sqlx::query("SELECT rows FROM unclaimed WHERE bill_date = ?1")
        .bind(date.to_string())
        .fetch_optional(pool)
        .await
        .at(place, "reading `unclaimed`")?;
    Ok(row.map(|row| row.get(0)))
}

pub(in crate::store) async fn run(
    pool: &SqlitePool,
    place: &Place,
    id: i64,
) -> Result<Option<RunRecord>, Failure> {
    let row = sqlx::query(
        "SELECT id, started_at, finished_at, arguments, exit_code, reasons FROM night_run WHERE id = ?1",
    )
    .bind(id)
    .fetch_optional(pool)
    .await
    .at(place, "reading `night_run`")?;
    row.map(|row| {
        let finished: &str = row.get("finished_at");
        Ok(RunRecord {
            id: row.get("id"),
            started_at: parsed(&row, "started_at", place, Moment::parse)?,
            finished_at: Moment::parse(finished),
            arguments: row.get("arguments"),
            exit_code: row.get("exit_code"),
            reasons: row.get("reasons"),
        })
    })
    .transpose()
}

pub(in crate::store) async fn mismatch(
    pool: &SqlitePool,
    place: &Place,
    id: &str,
) -> Result<Option<StoredMismatch>, Failure> {
    let row = sqlx::query("SELECT * FROM mismatch WHERE id = ?1")
        .bind(id)
        .fetch_optional(pool)
        .await
        .at(place, "reading `mismatch`")?;
    Ok(row.map(|row| stored_mismatch(&row)))
}

/// By order number, newest day first.
pub(in crate::store) async fn mismatches_of_order(
    pool: &SqlitePool,
    place: &Place,
    order_no: &str,
) -> Result<Vec<StoredMismatch>, Failure> {
    let rows = sqlx::query(
        "SELECT * FROM mismatch WHERE order_no = ?1 OR refund_no = ?1 OR trade_no = ?1
         ORDER BY bill_date DESC, account, id",
    )
    .bind(order_no)
    .fetch_all(pool)
    .await
    .at(place, "reading `mismatch`")?;
    Ok(rows.iter().map(stored_mismatch).collect())
}

fn stored_mismatch(row: &SqliteRow) -> StoredMismatch {
    let standing: &str = row.get("standing");
    StoredMismatch {
        open: standing == "open",
        row: MismatchRow {
            id: row.get("id"),
            bill_date: row.get("bill_date"),
            account: row.get("account"),
            paytype: row.get("paytype"),
            kind: row.get("kind"),
            entry: row.get("entry"),
            order_no: row.get("order_no"),
            refund_no: row.get("refund_no"),
            trade_no: row.get("trade_no"),
            gateway_amount_minor: row.get("gateway_amount_minor"),
            channel_amount_minor: row.get("channel_amount_minor"),
            difference_minor: row.get("difference_minor"),
            currency: row.get("currency"),
            gateway_state: row.get("gateway_state"),
            channel_state: row.get("channel_state"),
            gateway_time: row.get("gateway_time"),
            channel_time: row.get("channel_time"),
            mall: row.get("mall"),
            store: row.get("store"),
            till: row.get("till"),
            cashier: row.get("cashier"),
            reason: row.get("reason"),
            evidence: row.get("evidence"),
        },
    }
}

/// Lines whose order, refund or transaction number is this one, of every day; reads the whole table.
pub(in crate::store) async fn entries_of_order(
    pool: &SqlitePool,
    place: &Place,
    number: &str,
) -> Result<Vec<StoredEntry>, Failure> {
    let rows = sqlx::query(
        "SELECT * FROM ledger_entry
         WHERE order_no = ?1 OR refund_no = ?1 OR trade_no = ?1 OR refund_trade_no = ?1 ORDER BY bill_date, id",
    )
    .bind(number)
    .fetch_all(pool)
    .await
    .at(place, "reading `ledger_entry`")?;
    rows.iter().map(|row| stored_entry(row, place)).collect()
}

fn stored_entry(row: &SqliteRow, place: &Place) -> Result<StoredEntry, Failure> {
    let at = parsed(row, "happened_at", place, Moment::parse)?;
    let movement = Neighbour { part: row.get("part"), line: row.get("line"), ..movement(row, place, at)? };
    Ok(StoredEntry {
        account: row.get("account"),
        movement,
        settled_minor: row.get("settled_minor"),
        fee_e5: row.get("fee_e5"),
        refund_trade_no: row.get("refund_trade_no"),
        merchant: row.get("merchant"),
        sub_merchant: row.get("sub_merchant"),
        store: row.get("store"),
        till: row.get("till"),
        subject: row.get("subject"),
    })
}

/// Logged orders whose order, refund or transaction number is this one, of every day; reads the whole table.
pub(in crate::store) async fn orders_of_order(
    pool: &SqlitePool,
    place: &Place,
    number: &str,
) -> Result<Vec<StoredOrder>, Failure> {
    let rows = sqlx::query(
        "SELECT * FROM logged_order WHERE order_no = ?1 OR refund_no = ?1 OR trade_no = ?1 ORDER BY bill_date, id",
    )
    .bind(number)
    .fetch_all(pool)
    .await
    .at(place, "reading `logged_order`")?;
    rows.iter().map(|row| stored_order(row, place)).collect()
}

fn stored_order(row: &SqliteRow, place: &Place) -> Result<StoredOrder, Failure> {
    let logged_at = parsed(row, "logged_at", place, Moment::parse)?;
    let provider_at = Moment::parse(row.get("provider_at"));
    let movement =
        Neighbour { notes: row.get("notes"), ..movement(row, place, provider_at.unwrap_or(logged_at))? };
    Ok(StoredOrder {
        account: row.get("account"),
        movement,
        logged_at,
        provider_at,
        business_date: row.get("business_date"),
        req_type: row.get("req_type"),
        seller: row.get("seller"),
        mall: row.get("mall"),
        store: row.get("store"),
        till: row.get("till"),
        cashier: row.get("cashier"),
        log_rows: row.get("log_rows"),
    })
}

/// The columns that both big tables have.
fn movement(row: &SqliteRow, place: &Place, at: Moment) -> Result<Neighbour, Failure> {
    Ok(Neighbour {
        date: parsed(row, "bill_date", place, BillDate::parse)?,
        kind: parsed(row, "entry", place, EntryKind::parse)?,
        state: parsed(row, "state", place, State::parse)?,
        order_no: row.get("order_no"),
        refund_no: row.get("refund_no"),
        trade_no: row.get("trade_no"),
        amount_minor: row.get("amount_minor"),
        currency: parsed(row, "currency", place, |text| Currency::parse(text).ok())?,
        at,
        part: 0,
        line: 0,
        notes: 0,
    })
}

/// The unit's number and kept hash, if it is done.
pub(in crate::store) async fn done_number(
    pool: &SqlitePool,
    place: &Place,
    account: &str,
    date: BillDate,
) -> Result<Option<(i64, String)>, Failure> {
    let row = sqlx::query(
        "SELECT number, canonical_hash FROM unit WHERE account = ?1 AND bill_date = ?2 AND state = 'done'",
    )
    .bind(account)
    .bind(date.to_string())
    .fetch_optional(pool)
    .await
    .at(place, "reading `unit`")?;
    Ok(row.map(|row| (row.get(0), row.get(1))))
}
