//! A day of a channel without statements: every logged order is asked about, and the answers become the book that the
//! log is held against.
//!
//! Each answer is kept as it comes, so a run that is broken off, or that a provider stops, asks only for the rest the
//! next time. What is final is not asked again; what was pending or unclear, or denies what the log holds, is. Nothing here
//! decides what agrees.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::House;
use super::log::NightLog;
use super::ours::{Ours, our_side};
use crate::acquire::{Answered, Received, Status};
use crate::channel::answered::{self, Asked};
use crate::channel::{self, Inquiry, Judged, Queries, Told, answers};
use crate::domain::{EntryKind, Errand, Exit, Failure, LoggedOrder, State};
use crate::store::{AnswerOutcome, StoredAnswer};

/// Orders that one unit may ask about in one run. Providers state no limit; at two a second this is three hours
/// (`spec/ttpay.md` B.4).
const QUESTIONS_MAX: usize = 20_000;
/// Orders in a row that a provider may fail to answer before it is left alone until the next run (B.4).
const SILENT_MAX: usize = 10;

/// Asks about every logged order of the errand's day. The book of answers, in the archive.
///
/// # Errors
///
/// [`Exit::Passing`] if some orders are still without an answer, [`Exit::Refused`] and [`Exit::Rejected`] as the room
/// says. Answers that came until then are kept.
pub(super) async fn answer(
    house: &House,
    errand: &Errand,
    why: &str,
    log: &NightLog,
) -> Result<Received, Failure> {
    let room = channel::room(&errand.account.channel);
    let queries = room.and_then(|room| room.queries).ok_or_else(|| {
        Failure::new(
            Exit::Refused,
            format!(
                "{errand}: there is no statement, and channel {} cannot be asked about single orders: {why}",
                errand.account.channel
            ),
        )
    })?;
    let ours = our_side(house, errand, log).await?;
    let mut sweep = Sweep::begin(house, errand, queries).await?;
    let orders = by_order(errand, &ours);
    let count = orders.values().map(Vec::len).sum::<usize>() as u64;
    let mut lines = Vec::new();
    for order in orders.into_values() {
        let told = sweep.order(order).await?;
        lines.extend(answered::lines(&told));
    }
    sweep.end()?;
    let authenticated = lines.iter().all(|line| line.authentic || line.state == State::Unknown);
    keep_book(house, errand, (answers::write(errand, count, why, &lines), authenticated)).await
}

/// One logged movement to be asked about.
struct Wanted {
    inquiry: Inquiry,
    success: bool,
}

/// The movements of the day by order: what has no order number stands under the provider's.
fn by_order(errand: &Errand, ours: &Ours) -> BTreeMap<String, Vec<Wanted>> {
    let mut orders: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    for &place in &ours.picked {
        let order = &ours.orders.orders[place as usize];
        let inquiry = inquiry(errand, ours, order);
        let key = if inquiry.order_no.is_empty() {
            format!("\t{}", inquiry.trade_no)
        } else {
            inquiry.order_no.clone()
        };
        orders.entry(key).or_default().push(Wanted { inquiry, success: order.is_success() });
    }
    orders
}

fn inquiry(errand: &Errand, ours: &Ours, order: &LoggedOrder) -> Inquiry {
    let orders = &ours.orders;
    Inquiry {
        account: Arc::clone(&errand.account),
        date: errand.date,
        kind: order.kind,
        order_no: orders.order_no(order).to_owned(),
        refund_no: orders.refund_no(order).to_owned(),
        trade_no: orders.trade_no(order).to_owned(),
        amount_minor: order.amount_minor,
        currency: order.currency,
        logged_at: order.logged_at,
        wallet: orders.names.get(order.wallet).to_owned(),
    }
}

/// What tells one movement of a unit from another.
type Key = (EntryKind, String, String, String);

fn key(inquiry: &Inquiry) -> Key {
    let Inquiry { kind, order_no, refund_no, trade_no, .. } = inquiry;
    (*kind, order_no.clone(), refund_no.clone(), trade_no.clone())
}

/// Asking, one order after another.
struct Sweep<'h> {
    house: &'h House,
    errand: &'h Errand,
    queries: Queries,
    known: HashMap<Key, StoredAnswer>,
    asked: usize,
    silent: usize,
    /// Orders without an answer, and why the last of them has none.
    open: usize,
    trouble: Option<Failure>,
}

impl<'h> Sweep<'h> {
    async fn begin(house: &'h House, errand: &'h Errand, queries: Queries) -> Result<Sweep<'h>, Failure> {
        let kept = house.ledger.answers(&errand.account.name, errand.date).await?;
        let known = kept.into_iter().map(|answer| {
            let numbers = (answer.order_no.clone(), answer.refund_no.clone(), answer.trade_no.clone());
            ((answer.kind, numbers.0, numbers.1, numbers.2), answer)
        });
        let known = known.collect();
        Ok(Sweep { house, errand, queries, known, asked: 0, silent: 0, open: 0, trouble: None })
    }

    /// Everything that is asked about one order.
    async fn order(&mut self, order: Vec<Wanted>) -> Result<Vec<Asked>, Failure> {
        let has_payment = order.iter().any(|wanted| wanted.inquiry.kind == EntryKind::Payment);
        let mut told = Vec::with_capacity(order.len());
        for Wanted { inquiry, success } in order {
            // The payment's answer says what became of it.
            let spared = has_payment && inquiry.kind == EntryKind::Reversal;
            let judged = if spared { Some(Judged::NotFound) } else { self.judged(&inquiry, success).await? };
            if let Some(judged) = judged {
                told.push(Asked { inquiry, success, judged });
            }
        }
        Ok(told)
    }

    /// The answer that is kept, or a new one; `None` if none came.
    async fn judged(&mut self, inquiry: &Inquiry, success: bool) -> Result<Option<Judged>, Failure> {
        if let Some(answer) = self.known.get(&key(inquiry)).filter(|answer| stands(answer.outcome, success)) {
            return Ok(Some(judged(answer)));
        }
        if self.silent >= SILENT_MAX || self.asked >= QUESTIONS_MAX {
            self.open += 1;
            return Ok(None);
        }
        self.asked += 1;
        let waiting = self.house.talk.waiting(format!("{} {}", self.errand, self.asked));
        let answered =
            self.house.acquirer.inquire(&self.queries, inquiry, &|progress| waiting.show(progress)).await;
        drop(waiting);
        match answered {
            Ok(answered) => self.keep(inquiry, answered).await.map(Some),
            Err(failure) if failure.exit == Exit::Passing => {
                tracing::warn!(errand = %self.errand, order = inquiry.order_no, "{failure}");
                self.silent += 1;
                self.open += 1;
                self.trouble = Some(failure);
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Keeps an answer before anything is made of it.
    async fn keep(&mut self, inquiry: &Inquiry, answered: Answered) -> Result<Judged, Failure> {
        self.silent = 0;
        let about = format!("{}: order {}", self.errand, inquiry.order_no);
        if let Judged::Refused(why) = &answered.judged {
            return Err(
                Failure::new(Exit::Refused, format!("{about}: {why}")).hint("the answers that came are kept")
            );
        }
        let Some(answer) = stored(inquiry, &answered, self.house) else {
            return Err(Failure::new(Exit::Bug, format!("{about}: the question never ended")));
        };
        self.house.ledger.keep_answer(&answer).await?;
        // What was kept and not what was heard: a run that finds the answer kept writes the same book.
        match judged(&answer) {
            Judged::Rejected(why) => Err(Failure::new(Exit::Rejected, format!("{about}: {why}"))
                .hint("nothing was compared; the answers that came are kept, this one marked")),
            judged => Ok(judged),
        }
    }

    fn end(self) -> Result<(), Failure> {
        if self.open == 0 {
            return Ok(());
        }
        let (errand, open) = (self.errand, self.open);
        let why = match self.trouble {
            Some(failure) => failure.message,
            None => format!("{QUESTIONS_MAX} orders were asked about in this run"),
        };
        Err(Failure::new(Exit::Passing, format!("{errand}: {open} orders have no answer yet: {why}"))
            .hint("run it again: only what is missing is asked for"))
    }
}

/// Whether asking again would change nothing. An order that failed in the log and that the provider does not know has no
/// more to it; one that succeeded may have been asked about with a wrong number or key, which was put right since.
fn stands(outcome: AnswerOutcome, success: bool) -> bool {
    match outcome {
        AnswerOutcome::Told(state) => !matches!(state, State::Pending | State::Unknown | State::Held),
        AnswerOutcome::NotFound => !success,
        AnswerOutcome::Unaskable | AnswerOutcome::Rejected => false,
    }
}

fn judged(answer: &StoredAnswer) -> Judged {
    match answer.outcome {
        AnswerOutcome::Told(state) => Judged::Told(Told {
            state,
            amount_minor: answer.amount_minor,
            currency: answer.currency,
            at: answer.happened_at,
            trade_no: answer.told_trade.clone(),
            word: answer.word.clone(),
            authentic: answer.authentic,
        }),
        AnswerOutcome::NotFound => Judged::NotFound,
        AnswerOutcome::Unaskable => Judged::Unaskable(answer.word.clone()),
        AnswerOutcome::Rejected => Judged::Rejected(answer.word.clone()),
    }
}

/// The row of an answer; `None` for what is none.
pub(super) fn stored(inquiry: &Inquiry, answered: &Answered, house: &House) -> Option<StoredAnswer> {
    let (outcome, word) = match &answered.judged {
        Judged::Told(told) => (AnswerOutcome::Told(told.state), told.word.clone()),
        Judged::NotFound => (AnswerOutcome::NotFound, String::new()),
        Judged::Unaskable(why) => (AnswerOutcome::Unaskable, why.clone()),
        Judged::Rejected(why) => (AnswerOutcome::Rejected, why.clone()),
        Judged::Refused(_) | Judged::Again { .. } => return None,
    };
    let told = if let Judged::Told(told) = &answered.judged { Some(told) } else { None };
    let last = answered.heard.last();
    Some(StoredAnswer {
        account: inquiry.account.name.clone(),
        date: inquiry.date,
        kind: inquiry.kind,
        order_no: inquiry.order_no.clone(),
        refund_no: inquiry.refund_no.clone(),
        trade_no: inquiry.trade_no.clone(),
        asked_at: house.clock.now(),
        source: last.map_or(String::new(), |heard| heard.source.clone()),
        outcome,
        amount_minor: told.and_then(|told| told.amount_minor),
        currency: told.map_or(inquiry.currency, |told| told.currency),
        happened_at: told.and_then(|told| told.at),
        told_trade: told.map_or(String::new(), |told| told.trade_no.clone()),
        word,
        authentic: answered.authenticated && told.is_none_or(|told| told.authentic),
        reply: last.map_or(String::new(), |heard| String::from_utf8_lossy(&heard.head).into_owned()),
    })
}

/// The book, through the same door as every statement.
async fn keep_book(
    house: &House,
    errand: &Errand,
    (bytes, authenticated): (Vec<u8>, bool),
) -> Result<Received, Failure> {
    let (archive, of, now) = (Arc::clone(&house.archive), errand.clone(), house.clock.now());
    let keep = move || {
        let mut partial = archive.partial()?;
        partial.write(&bytes)?;
        let kept = archive.keep(partial)?;
        let received = Received {
            sha256: kept.sha256,
            len: kept.len,
            source: "answers about single orders".to_owned(),
            fetched_at: now,
            authenticated,
            tries: 1,
        };
        archive.note(&of, &received, Status::Received, "")?;
        archive.note(&of, &received, Status::Statement, "")?;
        Ok(received)
    };
    let kept = tokio::task::spawn_blocking(keep).await;
    kept.map_err(|error| super::book::bug(errand, &error))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_changed_is_asked_again() {
        for (outcome, stands_for) in [
            (AnswerOutcome::Told(State::Paid), [true, true]),
            (AnswerOutcome::Told(State::Closed), [true, true]),
            (AnswerOutcome::Told(State::Pending), [false, false]),
            (AnswerOutcome::Told(State::Unknown), [false, false]),
            (AnswerOutcome::NotFound, [false, true]),
            (AnswerOutcome::Unaskable, [false, false]),
            (AnswerOutcome::Rejected, [false, false]),
        ] {
            assert_eq!([true, false].map(|success| stands(outcome, success)), stands_for, "{outcome:?}");
        }
    }
}
