//! What providers answered about single orders: kept one by one, so that a run that was broken off asks only for the
//! rest, and so that a doubt keeps its evidence. Never what a statement says: that is `ledger_entry`.

use super::Ledger;
use super::link::{Arg, Record};
use crate::domain::logged_order::keepable;
use crate::domain::{BillDate, Currency, EntryKind, Failure, Moment, State};
use crate::store::place::{At, Place, foreign_value};

/// A row of `answer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    pub account: String,
    pub date: BillDate,
    pub kind: EntryKind,
    pub order_no: String,
    pub refund_no: String,
    /// The provider's number that was asked with; may be empty.
    pub trade_no: String,
    pub asked_at: Moment,
    /// Where the answer came from, fit for a log.
    pub source: String,
    pub outcome: Outcome,
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    pub happened_at: Option<Moment>,
    /// The provider's number as answered; may be empty.
    pub told_trade: String,
    /// The provider's word, or why there is none.
    pub word: String,
    pub authentic: bool,
    /// The answer itself, as text.
    pub reply: String,
}

/// How an inquiry ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Told(State),
    NotFound,
    Unaskable,
    /// It may not be believed.
    Rejected,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Told(_) => "told",
            Outcome::NotFound => "not_found",
            Outcome::Unaskable => "unaskable",
            Outcome::Rejected => "rejected",
        }
    }

    /// The state that was told; empty without one.
    pub fn state(self) -> &'static str {
        if let Outcome::Told(state) = self { state.as_str() } else { "" }
    }

    pub fn parse(outcome: &str, state: &str) -> Option<Outcome> {
        Some(match outcome {
            "told" => Outcome::Told(State::parse(state)?),
            "not_found" => Outcome::NotFound,
            "unaskable" => Outcome::Unaskable,
            "rejected" => Outcome::Rejected,
            _ => return None,
        })
    }
}

impl Ledger {
    /// Keeps an answer in place of an earlier one about the same movement; on the disk when it returns.
    pub async fn keep_answer(&self, answer: &StoredAnswer) -> Result<(), Failure> {
        const DOING: &str = "keeping an answer";
        let mut tx = self.small_write().await?;
        let place = tx.place().clone();
        let remove =
            "DELETE FROM answer WHERE account = ?1 AND bill_date = ?2 AND entry = ?3 AND order_no = ?4
                      AND refund_no = ?5 AND trade_no = ?6";
        let insert = "INSERT INTO answer (account, bill_date, entry, order_no, refund_no, trade_no, asked_at, source,
                          outcome, state, amount_minor, currency, happened_at, told_trade, word, authentic, reply)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
        let (date, asked_at) = (answer.date.to_string(), answer.asked_at.to_string());
        let happened_at = answer.happened_at.map_or(String::new(), |at| at.to_string());
        let (word, reply) = (keepable(&answer.word), keepable(&answer.reply));
        let args = columns(answer, [&date, &asked_at, &happened_at, &word, &reply]);
        tx.link().execute(remove, &args[..KEY_COLUMNS]).await.at(&place, DOING)?;
        tx.link().execute(insert, &args).await.at(&place, DOING)?;
        tx.commit().await
    }

    /// The answers of a unit, by order.
    pub async fn answers(&self, account: &str, date: BillDate) -> Result<Vec<StoredAnswer>, Failure> {
        let sql = "SELECT * FROM answer WHERE account = ?1 AND bill_date = ?2
                   ORDER BY order_no, entry, refund_no, trade_no";
        self.asked(sql, &[account.into(), (&date.to_string()).into()]).await
    }

    /// Answers of every day about an order, refund or transaction number, the newest first.
    pub async fn answers_of_order(&self, number: &str) -> Result<Vec<StoredAnswer>, Failure> {
        let sql = "SELECT * FROM answer WHERE ?1 IN (order_no, refund_no, trade_no, told_trade)
                   ORDER BY bill_date DESC, account, entry, refund_no";
        if number.is_empty() { Ok(Vec::new()) } else { self.asked(sql, &[number.into()]).await }
    }

    async fn asked(&self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<StoredAnswer>, Failure> {
        let mut lease = self.lease().await?;
        let rows = lease.link().fetch(sql, args).await.at(&self.place, "reading `answer`")?;
        rows.iter().map(|row| answer(row, &self.place)).collect()
    }
}

/// The first columns say which movement it is about.
const KEY_COLUMNS: usize = 6;

fn columns<'a>(
    answer: &'a StoredAnswer,
    [date, asked_at, happened_at, word, reply]: [&'a str; 5],
) -> [Arg<'a>; 17] {
    [
        (&answer.account).into(),
        date.into(),
        answer.kind.as_str().into(),
        (&answer.order_no).into(),
        (&answer.refund_no).into(),
        (&answer.trade_no).into(),
        asked_at.into(),
        (&answer.source).into(),
        answer.outcome.as_str().into(),
        answer.outcome.state().into(),
        answer.amount_minor.into(),
        answer.currency.as_str().into(),
        happened_at.into(),
        (&answer.told_trade).into(),
        word.into(),
        answer.authentic.into(),
        reply.into(),
    ]
}

fn answer(row: &Record, place: &Place) -> Result<StoredAnswer, Failure> {
    let wrong = |column: &str| foreign_value(place, column, row.text(column));
    let happened_at = match row.text("happened_at") {
        "" => None,
        at => Some(Moment::parse(at).ok_or_else(|| wrong("happened_at"))?),
    };
    Ok(StoredAnswer {
        account: row.string("account"),
        date: BillDate::parse(row.text("bill_date")).ok_or_else(|| wrong("bill_date"))?,
        kind: EntryKind::parse(row.text("entry")).ok_or_else(|| wrong("entry"))?,
        order_no: row.string("order_no"),
        refund_no: row.string("refund_no"),
        trade_no: row.string("trade_no"),
        asked_at: Moment::parse(row.text("asked_at")).ok_or_else(|| wrong("asked_at"))?,
        source: row.string("source"),
        outcome: Outcome::parse(row.text("outcome"), row.text("state")).ok_or_else(|| wrong("outcome"))?,
        amount_minor: row.integer("amount_minor"),
        currency: Currency::parse(row.text("currency")).map_err(|_| wrong("currency"))?,
        happened_at,
        told_trade: row.string("told_trade"),
        word: row.string("word"),
        authentic: row.number("authentic") != 0,
        reply: row.string("reply"),
    })
}
