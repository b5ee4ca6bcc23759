//! Asking the provider about doubts: `run --investigate` for what is one-sided or lost, `explain --ask` for one item.
//!
//! The answer is kept as evidence and shown; it never changes a verdict by itself, because a person has to decide what
//! follows from it. Only where the channel's room can be asked about single orders.

use std::sync::Arc;

use super::again::redo;
use super::log::NightLog;
use super::sweep::stored;
use super::{House, Outcome, pages};
use crate::channel::{self, Inquiry, Judged};
use crate::domain::{
    Account, Bill, BillDate, Currency, EntryKind, Errand, Exit, Failure, MismatchKind, Moment,
};
use crate::report::MismatchRow;
use crate::store::{AnswerOutcome, Ledger, StoredAnswer};

/// Doubts of one unit that are asked about in one run: a day with more than these has another trouble.
const DOUBTS_MAX: usize = 200;

/// Kinds that the provider's word may clear up.
const DOUBTFUL: [MismatchKind; 3] =
    [MismatchKind::GatewayOnly, MismatchKind::ChannelOnly, MismatchKind::LostConfirmation];

/// Asks about the doubts of a day's units. What cannot be asked is said, and costs nothing else.
pub(super) async fn investigate(house: &House, errands: &[&Errand], log: &NightLog, outcome: &mut Outcome) {
    let done =
        |errand: &&&Errand| errand.bill == Bill::Trade && outcome.is_done(&errand.account.name, errand.date);
    let errands: Vec<&Errand> = errands.iter().filter(done).copied().collect();
    for errand in errands {
        let asked = match super::in_time(house, errand, ask_unit(house, errand)).await {
            Ok(0) => continue,
            Ok(_) => redo(house, errand, log).await,
            Err(failure) => Err(failure),
        };
        match asked {
            Ok(line) => outcome.unit_done(errand.to_string(), line),
            // Nothing that was done is undone by an answer that did not come.
            Err(failure) => {
                tracing::warn!(errand = %errand, "{errand}: not everything was asked about: {failure}")
            }
        }
    }
}

/// How many new answers came.
async fn ask_unit(house: &House, errand: &Errand) -> Result<usize, Failure> {
    let Some(section) = pages::section(house, errand).await? else { return Ok(0) };
    let can_ask = channel::room(&errand.account.channel).is_some_and(|room| room.queries.is_some());
    if section.proof == "query" || !can_ask {
        return Ok(0);
    }
    let doubtful =
        |row: &&MismatchRow| MismatchKind::parse(&row.kind).is_some_and(|kind| DOUBTFUL.contains(&kind));
    let mut count = 0;
    for row in section.mismatches.iter().filter(doubtful).take(DOUBTS_MAX) {
        count += usize::from(ask(house, &errand.account, row).await?);
    }
    Ok(count)
}

/// Asks about one item. Whether something was learnt that was not known.
///
/// # Errors
///
/// As the room ends: refused, passing; [`Exit::Config`] where the channel cannot be asked.
pub(super) async fn ask(house: &House, account: &Arc<Account>, row: &MismatchRow) -> Result<bool, Failure> {
    let queries = channel::room(&account.channel).and_then(|room| room.queries).ok_or_else(|| {
        let message = format!("channel {} cannot be asked about single orders", account.channel);
        Failure::new(Exit::Config, message)
    })?;
    let Some(inquiry) = inquiry(account, row) else { return Ok(false) };
    let known = house.ledger.answers(&account.name, inquiry.date).await?;
    let waiting = house.talk.waiting(format!("{} {}", account.name, inquiry.order_no));
    let answered = house.acquirer.inquire(&queries, &inquiry, &|progress| waiting.show(progress)).await?;
    drop(waiting);
    if let Judged::Refused(why) = &answered.judged {
        return Err(Failure::new(
            Exit::Refused,
            format!("{}: order {}: {why}", account.name, inquiry.order_no),
        ));
    }
    let Some(answer) = stored(&inquiry, &answered, house) else { return Ok(false) };
    let news = !known.iter().any(|old| old.outcome == answer.outcome && names_of(old) == names_of(&answer));
    house.ledger.keep_answer(&answer).await?;
    Ok(news)
}

/// The question about a row of the report; `None` if it names nothing that can be asked for.
fn inquiry(account: &Arc<Account>, row: &MismatchRow) -> Option<Inquiry> {
    let at = Moment::parse(&row.gateway_time).or_else(|| Moment::parse(&row.channel_time));
    let date = BillDate::parse(&row.bill_date)?;
    let numbered = !row.order_no.is_empty() || !row.trade_no.is_empty();
    numbered.then_some(Inquiry {
        account: Arc::clone(account),
        date,
        kind: EntryKind::parse(&row.entry)?,
        order_no: row.order_no.clone(),
        refund_no: row.refund_no.clone(),
        trade_no: row.trade_no.clone(),
        amount_minor: row.gateway_amount_minor.or(row.channel_amount_minor),
        currency: Currency::parse(&row.currency).unwrap_or(Currency::CNY),
        logged_at: at.unwrap_or(date.start()),
        wallet: String::new(),
    })
}

/// What names a row of the report among its unit's: entry, order and refund number. Where it has no order number, the
/// provider's stands in its place.
fn names_of(answer: &StoredAnswer) -> [String; 3] {
    let order_no = if answer.order_no.is_empty() { &answer.trade_no } else { &answer.order_no };
    [answer.kind.as_str(), order_no, &answer.refund_no].map(str::to_owned)
}

/// What was answered about a unit's doubts, by what names a row of its report.
pub(super) async fn evidence(
    ledger: &Ledger,
    errand: &Errand,
) -> Result<Vec<([String; 3], String)>, Failure> {
    let answers = ledger.answers(&errand.account.name, errand.date).await?;
    let told = answers.into_iter().map(|answer| {
        let word = match answer.outcome {
            AnswerOutcome::Told(state) => state.as_str(),
            other => other.as_str(),
        };
        (names_of(&answer), word.to_owned())
    });
    Ok(told.collect())
}
