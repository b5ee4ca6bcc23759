//! What both generations of Alipay's replies share: trade states, amounts in yuan, times with dashes.
//!
//! Escrow (`create_partner_trade_by_buyer`): from WAIT_SELLER_SEND_GOODS on the money is the buyer's no longer and the
//! merchant's not yet; it is credited at TRADE_FINISHED.
//!
//! Source: `spec/ttpay.md` D.5 and R145; `spec/alipay.md` 6.

use super::{Evidence, Fields, Finding, Slot, look_up};
use crate::domain::{Currency, Moment, money};

pub(super) const TRADE_STATES: &[(&str, Finding)] = &[
    ("WAIT_BUYER_PAY", Finding::Pending),
    ("TRADE_SUCCESS", Finding::Paid),
    ("TRADE_FINISHED", Finding::Paid),
    // Paid by the buyer, the seller's account is frozen.
    ("TRADE_PENDING", Finding::PaidWeak),
    // Escrow: paid, held until the goods have come.
    ("WAIT_SELLER_SEND_GOODS", Finding::Held),
    ("WAIT_BUYER_CONFIRM_GOODS", Finding::Held),
];

/// Escrow, while buyer and seller quarrel: the money is where it was. (REFUND_SUCCESS shows in the trade's own state.)
const QUARRELS: &[&str] =
    &["WAIT_SELLER_AGREE", "SELLER_REFUSE_BUYER", "WAIT_BUYER_RETURN_GOODS", "WAIT_SELLER_CONFIRM_GOODS"];

/// The state that releases money which was held.
pub(super) const FINISHED: &str = "TRADE_FINISHED";

pub(super) fn trade_state(fields: &Fields<'_>) -> Finding {
    match fields.raw(Slot::TradeStatus) {
        "TRADE_CLOSED" if fields.closed_by_timeout => Finding::Closed,
        state => named_state(state),
    }
}

/// A trade state without anything beside it.
pub(super) fn named_state(state: &str) -> Finding {
    match state {
        "TRADE_CLOSED" => Finding::ClosedOrRefunded,
        state => look_up(TRADE_STATES, state).unwrap_or(Finding::Unknown),
    }
}

/// Whether a refund of held money is being asked for.
pub(super) fn is_quarrel(fields: &Fields<'_>) -> bool {
    QUARRELS.contains(&fields.raw(Slot::RefundStatus))
}

/// A refund that was answered with success: done only if money moved.
pub(super) fn refund(fields: &Fields<'_>) -> Finding {
    match fields.raw(Slot::FundChange) {
        "Y" => Finding::RefundDone,
        "N" => Finding::RefundRepeated,
        _ => Finding::RefundUnknown,
    }
}

/// A cancellation that was answered with success. What is absent from a reply that breaks off proves nothing.
pub(super) fn cancel(fields: &Fields<'_>, damaged: bool) -> Finding {
    match (fields.raw(Slot::RetryFlag), fields.raw(Slot::Action)) {
        ("Y", _) => Finding::ReverseUnknown,
        (_, "close") => Finding::ClosedByUs,
        (_, "refund") => Finding::Reversed,
        ("N", "") if !damaged => Finding::NothingToReverse,
        ("", "") if !damaged => Finding::NothingToReverse,
        _ => Finding::ReverseUnknown,
    }
}

/// Numbers, amount and time, as far as the finding calls for them. `total` names the payment's gross amount.
pub(super) fn evidence<'t>(
    fields: &Fields<'t>,
    finding: Finding,
    currency: Currency,
    total: &[Slot],
) -> Evidence<'t> {
    let mut evidence = Evidence::new(finding, currency);
    let yuan = |slots: &[Slot]| {
        let text = fields.first(slots);
        money::parse_minor(&text, currency.digits()).ok().filter(|minor| *minor >= 0)
    };
    evidence.order_no = fields.plain(Slot::OutTradeNo);
    evidence.trade_no = fields.plain(Slot::TradeNo);
    let paid_at = [Slot::GmtPayment, Slot::SendPayDate];
    if finding.is_refund() {
        evidence.refund_no = fields.plain(Slot::OutRequestNo);
        evidence.amount_minor = yuan(&[Slot::SendBackFee, Slot::RefundAmount]);
        if evidence.amount_minor.is_none() {
            evidence.amount_minor = yuan(&[Slot::RefundFee]);
            evidence.cumulative = evidence.amount_minor.is_some();
        }
        evidence.provider_at = Moment::parse(&fields.first(&[Slot::GmtRefundPay]));
    } else if matches!(finding, Finding::Reversed) {
        evidence.provider_at = Moment::parse(&fields.first(&[Slot::GmtRefundPay]));
    } else {
        evidence.amount_minor = yuan(total);
        evidence.provider_at = Moment::parse(&fields.first(&paid_at));
        evidence.finished = finding == Finding::Paid && fields.raw(Slot::TradeStatus) == FINISHED;
        evidence.finished_at = Moment::parse(fields.raw(Slot::GmtModified));
    }
    evidence
}
