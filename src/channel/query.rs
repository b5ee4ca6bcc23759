//! The second shape of a conversation: the provider's word about one order.
//!
//! Pure like the first. `ask` says the next question about an order, `judge` what the answers mean. It is used for a
//! whole day where a channel has no statements (`tianta`, `teegon`, the gateway's `orderquery`), and for single doubts
//! (`run --investigate`, `explain --ask`) wherever the provider can be asked. Queries only ever read: no room pays,
//! refunds or reverses.

use std::sync::Arc;

use super::{Ask, Exhausted, Heard, Step};
use crate::domain::{Account, BillDate, Currency, EntryKind, Moment, Stamp, State};

/// How a channel is asked about one order.
#[derive(Clone, Copy)]
pub struct Queries {
    /// The next question, given all that was heard about this order; `None` when there is nothing more to ask, also
    /// at once, if the order cannot be asked about at all.
    pub ask: fn(&Inquiry, &[Heard], &Stamp) -> Option<Ask>,
    /// What was heard means this. Called once, when `ask` has no more questions.
    pub judge: fn(&Inquiry, &[Heard]) -> Judged,
}

/// What is asked about: one movement that the log, or a statement, tells of.
#[derive(Clone, Debug)]
pub struct Inquiry {
    pub account: Arc<Account>,
    /// The bill date it belongs to.
    pub date: BillDate,
    pub kind: EntryKind,
    /// Our number of the payment (OutID, `out_trade_no`); may be empty if the provider's is known.
    pub order_no: String,
    /// Our number of the refund; empty for payments, and for refunds that were logged without one.
    pub refund_no: String,
    /// The provider's number of the payment, as far as it is known. (Teegon: the charge's id.)
    pub trade_no: String,
    /// Signed minor units, as logged or as the statement has it.
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    pub logged_at: Moment,
    /// What the payment code told of the wallet: `WECHAT`, `ALIPAY`, or nothing (TianTa asks by it).
    pub wallet: String,
}

/// What the answers mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    Told(Told),
    /// The provider does not know this order.
    NotFound,
    /// This order cannot be asked about, such as a Teegon charge without an id. Not the same as unpaid.
    Unaskable(String),
    /// May pass.
    Again {
        why: String,
        when_exhausted: Exhausted,
        at_least_seconds: u64,
    },
    /// The provider refuses *us*; asking about other orders of the account is useless too.
    Refused(String),
    /// What came may not be believed: a wrong signature, another order's answer.
    Rejected(String),
}

impl From<Step> for Judged {
    /// How a conversation ended before the answer could be looked at, such as by an HTTP status.
    fn from(step: Step) -> Judged {
        match step {
            Step::Again { why, when_exhausted, at_least_seconds } => {
                Judged::Again { why, when_exhausted, at_least_seconds }
            }
            Step::Refused(why) => Judged::Refused(why),
            Step::NotReady(why) => {
                Judged::Again { why, when_exhausted: Exhausted::NotReady, at_least_seconds: 0 }
            }
            Step::Rejected(why) | Step::OneByOne(why) => Judged::Rejected(why),
            Step::Ask(_) | Step::Statement | Step::Join(_) | Step::NoMovements => {
                Judged::Rejected("it is no answer about an order".into())
            }
        }
    }
}

/// The provider's word about one movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub state: State,
    /// Gross, signed as the inquiry's kind (payments positive); `None` if the answer has no amount.
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    /// The provider's time of it.
    pub at: Option<Moment>,
    /// The provider's number of the payment; empty if not told.
    pub trade_no: String,
    /// The provider's own word for the state (`TRADE_CLOSED`), fit for a message.
    pub word: String,
    /// False where nothing authenticates the answer (plain http without a signature): it says so in the report.
    pub authentic: bool,
}
