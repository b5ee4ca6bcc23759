//! What providers answered about single orders: kept one by one, so that a run that was broken off asks only for the
//! rest, and so that a doubt keeps its evidence. Never what a statement says: that is `ledger_entry`.

use super::Ledger;
use super::sqlite::answers;
use crate::domain::{BillDate, Currency, EntryKind, Failure, Moment, State};

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
        let _writer = self.small_write().await?;
        answers::keep(self.sqlite(), self.place(), answer).await
    }

    /// The answers of a unit, by order.
    pub async fn answers(&self, account: &str, date: BillDate) -> Result<Vec<StoredAnswer>, Failure> {
        answers::of_unit(self.sqlite(), self.place(), (account, date)).await
    }

    /// Answers of every day about an order, refund or transaction number, the newest first.
    pub async fn answers_of_order(&self, number: &str) -> Result<Vec<StoredAnswer>, Failure> {
        if number.is_empty() {
            return Ok(Vec::new());
        }
        answers::of_order(self.sqlite(), self.place(), number).await
    }
}
