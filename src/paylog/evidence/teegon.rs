//! Teegon's replies (`TEEGON`): JSON, amounts in yuan, times in seconds since 1970.
//!
//! Source: `spec/ttpay.md` A.7 (R123 to R127) and D.5. Quirks: `paid` may be a truth, a number or a text; false means
//! "still processing"; a charge is asked for by its own id, so that is the movement's transaction number, not
//! `transaction_no`; the status answer has no amount; what was refunded is told in all. The printed samples are no JSON by the letter
//! (a trailing comma).

use super::{Action, Asked, Evidence, Family, Fields, Finding, ListedRefund, Slot, epoch, look_up};
use crate::domain::{Currency, PayType, money};
use crate::paylog::decode::Syntax;
use crate::paylog::wallet::Wallet;

pub(super) const FAMILY: Family = Family { code: "teegon", pay_types: &[PayType::Teegon], sniff, judge };

/// Both providers' words (R126); they do not contradict each other.
const TRADE_STATES: &[(&str, Finding)] = &[
    ("SUCCESS", Finding::Paid),
    // Paid, and refunded at least in part.
    ("REFUND", Finding::Paid),
    ("CLOSED", Finding::NotPaidForGood),
    ("REVOKED", Finding::Reversed),
    ("USERPAYING", Finding::Pending),
    ("PAYERROR", Finding::NotPaidForGood),
    ("WAIT_BUYER_PAY", Finding::Pending),
    ("TRADE_SUCCESS", Finding::Paid),
    ("TRADE_FINISHED", Finding::Paid),
    ("TRADE_CLOSED", Finding::ClosedOrRefunded),
];

fn sniff(fields: &Fields<'_>) -> bool {
    fields.syntax == Syntax::Json && (fields.node == "result" || !fields.raw(Slot::Error).is_empty())
}

fn judge<'t>(fields: &Fields<'t>, asked: Asked) -> Evidence<'t> {
    let currency = Currency::parse(fields.raw(Slot::Currency)).unwrap_or(Currency::CNY);
    let mut evidence = Evidence::new(finding(fields, asked.action), currency);
    let yuan =
        |slot| money::parse_minor(&fields.plain(slot), currency.digits()).ok().filter(|minor| *minor >= 0);
    evidence.order_no = fields.plain(Slot::OrderNo);
    evidence.trade_no = fields.first(&[Slot::Id, Slot::ChargeId]);
    evidence.wallet = Wallet::of_channel(&fields.plain(Slot::PayChannel));
    let refunded = yuan(Slot::AmountRefunded).filter(|minor| *minor > 0);
    if evidence.finding.is_refund() {
        evidence.amount_minor = refunded;
        evidence.cumulative = refunded.is_some();
        return evidence;
    }
    evidence.amount_minor = yuan(Slot::Amount);
    evidence.provider_at = epoch(fields.raw(Slot::TimePaid));
    if let Some(amount) = refunded {
        evidence.listed.push(ListedRefund {
            finding: Finding::RefundDone,
            refund_no: String::new(),
            amount_minor: Some(amount),
            cumulative: true,
            provider_at: None,
        });
    }
    evidence
}

fn finding(fields: &Fields<'_>, action: Action) -> Finding {
    if !fields.raw(Slot::Error).is_empty() {
        return match action {
            // Without a charge nothing can be asked again.
            Action::Pay | Action::Precreate => Finding::NotPaid,
            other => other.unknown(),
        };
    }
    if action.is_refund() {
        let refunded = fields.raw(Slot::AmountRefunded).bytes().any(|b| matches!(b, b'1'..=b'9'));
        return if refunded { Finding::RefundDone } else { action.unknown() };
    }
    if fields.has(Slot::TradeStatus) {
        return look_up(TRADE_STATES, fields.raw(Slot::TradeStatus)).unwrap_or(Finding::Unknown);
    }
    match fields.raw(Slot::Paid) {
        "true" | "True" | "TRUE" | "1" => Finding::Paid,
        "false" | "False" | "FALSE" | "0" => Finding::Pending,
        _ => action.unknown(),
    }
}
