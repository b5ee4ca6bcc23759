//! What one reply proves: a [`Finding`], with the provider's numbers, amount and time.
//!
//! One file for each provider family, each of one shape: a row of [`FAMILIES`] with the way to recognise the family by
//! content (R-D4) and the way to judge its replies. The codes are data tables; a code that no table lists proves
//! nothing. The tables are those of `spec/ttpay.md`, D.5.
//!
//! # A new family
//!
//! 1. A file with its `FAMILY`, its tables and its `judge`.
//! 2. Its line in [`FAMILIES`].
//! 3. Fields that no other family has: a line each in [`fields::Slot`].

pub(super) mod fields;
mod finding;
mod wechat;
mod alipay;
mod alipay_json;
mod alipay_xml;
mod alipay_overseas;
mod tianta;
mod teegon;
mod local;
mod notice;

use std::borrow::Cow;

use super::wallet::Wallet;
use crate::domain::{Currency, Moment, PayType};

pub(super) use fields::{Fields, Slot};
pub use finding::Finding;
pub(super) use local::without_reply;
pub(super) use notice::of_notice;

/// What the till asked for (REQ_ACTION, `spec/ttpay.md`, D.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Pay,
    Precreate,
    Query,
    Refund,
    RefundQuery,
    Reverse,
    Close,
    /// The statement download: a row of our own.
    Download,
    /// Kept and counted; its reply is judged by what it holds.
    Other,
}

/// Normalised REQ_ACTION values. Only the first and the query are documented; the others follow the providers' names.
const ACTIONS: &[(&str, Action)] = &[
    ("createandpay", Action::Pay),
    ("pay", Action::Pay),
    ("micropay", Action::Pay),
    ("precreate", Action::Precreate),
    ("unifiedorder", Action::Precreate),
    ("orderquery", Action::Query),
    ("query", Action::Query),
    ("refund", Action::Refund),
    ("orderrefund", Action::Refund),
    ("refundorder", Action::Refund),
    ("refundquery", Action::RefundQuery),
    ("cancel", Action::Reverse),
    ("reverse", Action::Reverse),
    ("orderreverse", Action::Reverse),
    ("close", Action::Close),
    ("closeorder", Action::Close),
    ("downloadbill", Action::Download),
];

impl Action {
    /// Any case; `_`, `-` and blanks are ignored.
    pub fn parse(text: &str) -> Action {
        let letters =
            || text.bytes().filter(|b| !matches!(b, b'_' | b'-' | b' ')).map(|b| b.to_ascii_lowercase());
        ACTIONS
            .iter()
            .find(|(name, _)| letters().eq(name.bytes()))
            .map_or(Action::Other, |(_, action)| *action)
    }

    /// What a reply that proves nothing leaves open.
    pub(super) fn unknown(self) -> Finding {
        match self {
            Action::Pay | Action::Precreate | Action::Query | Action::Close => Finding::Unknown,
            Action::Refund | Action::RefundQuery => Finding::RefundUnknown,
            Action::Reverse => Finding::ReverseUnknown,
            Action::Download | Action::Other => Finding::Nothing,
        }
    }

    /// What is known of a request that never left the gateway, or was refused at the door.
    pub(super) fn not_sent(self) -> Finding {
        match self {
            Action::Pay | Action::Precreate => Finding::NotSent,
            Action::Query | Action::Close => Finding::Unknown,
            Action::Refund => Finding::RefundFailed,
            Action::RefundQuery => Finding::RefundUnknown,
            Action::Reverse => Finding::ReverseNotSent,
            Action::Download | Action::Other => Finding::Nothing,
        }
    }

    /// Whether a refund is what the row is about.
    pub(super) fn is_refund(self) -> bool {
        matches!(self, Action::Refund | Action::RefundQuery)
    }
}

/// What a family needs to know of the request to judge its reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub action: Action,
    /// The reply breaks off: what is absent from it proves nothing (R-D9).
    pub damaged: bool,
    /// The request's currency, where the reply names none.
    pub currency: Currency,
}

/// One more refund that a list of refunds tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ListedRefund {
    pub finding: Finding,
    pub refund_no: String,
    pub amount_minor: Option<i64>,
    /// As in [`Evidence`].
    pub cumulative: bool,
    pub provider_at: Option<Moment>,
}

/// What one reply proves.
#[derive(Clone, Debug)]
pub(super) struct Evidence<'t> {
    /// Code of the family that the reply belongs to; empty if none was recognised.
    pub family: &'static str,
    pub finding: Finding,
    pub order_no: Cow<'t, str>,
    pub trade_no: Cow<'t, str>,
    pub refund_no: Cow<'t, str>,
    /// Gross and positive: of the payment, or of the refund, as the finding says.
    pub amount_minor: Option<i64>,
    /// `amount_minor` is all that was refunded of the trade so far, not this refund.
    pub cumulative: bool,
    pub provider_at: Option<Moment>,
    /// Alipay says TRADE_FINISHED: money that was held is the merchant's now.
    pub finished: bool,
    /// When it finished, where the reply states it.
    pub finished_at: Option<Moment>,
    pub currency: Currency,
    pub wallet: Wallet,
    pub listed: Vec<ListedRefund>,
}

impl<'t> Evidence<'t> {
    pub(crate) fn new(finding: Finding, currency: Currency) -> Evidence<'t> {
        Evidence {
            family: "",
            finding,
            order_no: Cow::Borrowed(""),
            trade_no: Cow::Borrowed(""),
            refund_no: Cow::Borrowed(""),
            amount_minor: None,
            cumulative: false,
            provider_at: None,
            finished: false,
            finished_at: None,
            currency,
            wallet: Wallet::Unknown,
            listed: Vec::new(),
        }
    }
}

/// A provider family: how its replies are recognised and what they prove.
pub(super) struct Family {
    pub code: &'static str,
    /// Pay types whose replies are of this family.
    pub pay_types: &'static [PayType],
    pub sniff: fn(&Fields<'_>) -> bool,
    pub judge: for<'t> fn(&Fields<'t>, Asked) -> Evidence<'t>,
}

/// Every family, in the order in which content is tried: those that carry another family's fields inside come first.
const FAMILIES: &[Family] = &[
    tianta::FAMILY,
    wechat::FAMILY,
    alipay_overseas::FAMILY,
    alipay_xml::FAMILY,
    teegon::FAMILY,
    alipay_json::FAMILY,
];

/// What a reply with fields proves, by its content. What was salvaged from a broken reply may prove money, never its
/// absence.
pub(super) fn judge<'t>(fields: &Fields<'t>, asked: Asked) -> Evidence<'t> {
    let Some(family) = FAMILIES.iter().find(|f| (f.sniff)(fields)) else {
        return Evidence::new(asked.action.unknown(), asked.currency);
    };
    let mut evidence = (family.judge)(fields, asked);
    evidence.family = family.code;
    if asked.damaged {
        if !evidence.finding.survives_damage() {
            evidence.finding = asked.action.unknown();
        }
        for refund in evidence.listed.iter_mut().filter(|r| !r.finding.survives_damage()) {
            refund.finding = Finding::RefundUnknown;
        }
    }
    evidence
}

/// Whether a reply of `family` is what a REQ_TYPE's provider sends. Pay types without a family are not judged.
pub(super) fn fits(family: &str, pay_type: PayType) -> bool {
    let mut of_type = FAMILIES.iter().filter(|f| f.pay_types.contains(&pay_type)).peekable();
    family.is_empty() || of_type.peek().is_none() || of_type.any(|f| f.code == family)
}

/// Seconds since 1970, as Teegon writes times; 0 is none.
fn epoch(text: &str) -> Option<Moment> {
    text.parse().ok().filter(|seconds| *seconds > 0).map(Moment::from_unix)
}

/// What a provider's word for the state of a payment means, in WeChat's or Alipay's words; the cashier services pass
/// them on. `None` for a word that no table lists.
pub(super) fn state_word(word: &str) -> Option<Finding> {
    match word {
        "TRADE_CLOSED" => Some(Finding::ClosedOrRefunded),
        _ => look_up(wechat::TRADE_STATES, word).or_else(|| look_up(alipay::TRADE_STATES, word)),
    }
}

/// What a provider's word for the state of a refund means.
pub(super) fn refund_word(word: &str) -> Option<Finding> {
    match word {
        "REFUND_SUCCESS" => Some(Finding::RefundDone),
        _ => look_up(wechat::REFUND_STATES, word),
    }
}

/// The finding of a code in a table.
fn look_up(table: &[(&str, Finding)], code: &str) -> Option<Finding> {
    table.iter().find(|(listed, _)| *listed == code).map(|(_, finding)| *finding)
}
