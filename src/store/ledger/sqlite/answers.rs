//! The rows of `answer`.

use sqlx::Row;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::domain::{BillDate, Currency, EntryKind, Failure, Moment};
use crate::store::ledger::answers::{Outcome, StoredAnswer};
use crate::store::place::{At, Place};
use crate::store::sqlite::foreign_value;

const DOING: &str = "keeping an answer";
const READING: &str = "reading `answer`";

pub(in crate::store) async fn keep(
    pool: &SqlitePool,
    place: &Place,
    answer: &StoredAnswer,
) -> Result<(), Failure> {
    let query = sqlx::query(
        "INSERT OR REPLACE INTO answer (account, bill_date, entry, order_no, refund_no, trade_no, asked_at, source,
             outcome, state, amount_minor, currency, happened_at, told_trade, word, authentic, reply)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
    );
    query
        .bind(&answer.account)
        .bind(answer.date.to_string())
        .bind(answer.kind.as_str())
        .bind(&answer.order_no)
        .bind(&answer.refund_no)
        .bind(&answer.trade_no)
        .bind(answer.asked_at.to_string())
        .bind(&answer.source)
        .bind(answer.outcome.as_str())
        .bind(answer.outcome.state())
        .bind(answer.amount_minor)
        .bind(answer.currency.as_str().to_owned())
        .bind(answer.happened_at.map_or(String::new(), |at| at.to_string()))
        .bind(&answer.told_trade)
        .bind(&answer.word)
        .bind(answer.authentic)
        .bind(&answer.reply)
        .execute(pool)
        .await
        .at(place, DOING)?;
    Ok(())
}

pub(in crate::store) async fn of_unit(
    pool: &SqlitePool,
    place: &Place,
    (account, date): (&str, BillDate),
) -> Result<Vec<StoredAnswer>, Failure> {
    let rows = sqlx::query(
        "SELECT * FROM answer WHERE account = ?1 AND bill_date = ?2 ORDER BY order_no, entry, refund_no, trade_no",
    )
    .bind(account)
    .bind(date.to_string())
    .fetch_all(pool)
    .await
    .at(place, READING)?;
    rows.iter().map(|row| answer(row, place)).collect()
}

pub(in crate::store) async fn of_order(
    pool: &SqlitePool,
    place: &Place,
    number: &str,
) -> Result<Vec<StoredAnswer>, Failure> {
    let rows = sqlx::query(
        "SELECT * FROM answer WHERE ?1 IN (order_no, refund_no, trade_no, told_trade)
         ORDER BY bill_date DESC, account, entry, refund_no",
    )
    .bind(number)
    .fetch_all(pool)
    .await
    .at(place, READING)?;
    rows.iter().map(|row| answer(row, place)).collect()
}

fn answer(row: &SqliteRow, place: &Place) -> Result<StoredAnswer, Failure> {
    let text = |column: &str| row.get::<&str, _>(column);
    let wrong = |column: &str| foreign_value(place, column, text(column));
    let happened_at = match text("happened_at") {
        "" => None,
        at => Some(Moment::parse(at).ok_or_else(|| wrong("happened_at"))?),
    };
    Ok(StoredAnswer {
        account: text("account").to_owned(),
        date: BillDate::parse(text("bill_date")).ok_or_else(|| wrong("bill_date"))?,
        kind: EntryKind::parse(text("entry")).ok_or_else(|| wrong("entry"))?,
        order_no: text("order_no").to_owned(),
        refund_no: text("refund_no").to_owned(),
        trade_no: text("trade_no").to_owned(),
        asked_at: Moment::parse(text("asked_at")).ok_or_else(|| wrong("asked_at"))?,
        source: text("source").to_owned(),
        outcome: Outcome::parse(text("outcome"), text("state")).ok_or_else(|| wrong("outcome"))?,
        amount_minor: row.get("amount_minor"),
        currency: Currency::parse(text("currency")).map_err(|_| wrong("currency"))?,
        happened_at,
        told_trade: text("told_trade").to_owned(),
        word: text("word").to_owned(),
        authentic: row.get("authentic"),
        reply: text("reply").to_owned(),
    })
}
