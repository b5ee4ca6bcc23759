//! Alipay OpenAPI 2.0 replies (`ALI_20`): JSON, amounts in yuan.
//!
//! Source: `spec/ttpay.md` D.5; `spec/alipay.md` 5.1. Quirks: the node's name says what was really asked
//! (`alipay_trade_query_response` under a payment row is a query); `refund_fee` is what was refunded in all.

use super::{Action, Asked, Evidence, Family, Fields, Finding, Slot, alipay, look_up};
use crate::domain::{Currency, PayType};
use crate::paylog::decode::{Syntax, same_name};

pub(super) const FAMILY: Family = Family { code: "alipay_json", pay_types: &[PayType::Ali20], sniff, judge };

/// The nodes that hold an answer, normalised, and what was asked.
const NODES: &[(&str, Action)] = &[
    ("alipaytradepayresponse", Action::Pay),
    ("alipaytradequeryresponse", Action::Query),
    ("alipaytraderefundresponse", Action::Refund),
    ("alipaytradefastpayrefundqueryresponse", Action::RefundQuery),
    ("alipaytradecancelresponse", Action::Reverse),
    ("alipaytradecloseresponse", Action::Close),
    ("alipaytradeprecreateresponse", Action::Precreate),
];

/// `sub_code` of a payment that was answered with 40004. A code that is not here proves nothing.
const PAY_FAILURES: &[(&str, Finding)] = &[
    ("ACQ.TRADE_HAS_SUCCESS", Finding::PaidWeak),
    ("ACQ.TRADE_HAS_CLOSE", Finding::ClosedWeak),
    ("ACQ.CONTEXT_INCONSISTENT", Finding::Contradiction),
    ("ACQ.SYSTEM_ERROR", Finding::Unknown),
    ("ACQ.PAYMENT_AUTH_CODE_INVALID", Finding::NotPaid),
    ("ACQ.BUYER_BALANCE_NOT_ENOUGH", Finding::NotPaid),
    ("ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", Finding::NotPaid),
    ("ACQ.ERROR_BALANCE_PAYMENT_DISABLE", Finding::NotPaid),
    ("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", Finding::NotPaid),
    ("ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", Finding::NotPaid),
    ("ACQ.BEYOND_PAY_RESTRICTION", Finding::NotPaid),
    ("ACQ.BEYOND_PER_RECEIPT_RESTRICTION", Finding::NotPaid),
    ("ACQ.TOTAL_FEE_EXCEED", Finding::NotPaid),
];

const QUERY_FAILURES: &[(&str, Finding)] = &[("ACQ.TRADE_NOT_EXIST", Finding::NotFound)];

/// `sub_code` of a refund: refused before money moved. A code that is not here proves nothing.
const REFUND_FAILURES: &[(&str, Finding)] = &[
    ("ACQ.SELLER_BALANCE_NOT_ENOUGH", Finding::RefundFailed),
    ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", Finding::RefundFailed),
    ("ACQ.REASON_TRADE_REFUND_FEE_ERR", Finding::RefundFailed),
    ("ACQ.REASON_TRADE_BEEN_FREEZEN", Finding::RefundFailed),
    ("ACQ.TRADE_NOT_EXIST", Finding::RefundFailed),
    ("ACQ.TRADE_HAS_FINISHED", Finding::RefundFailed),
    ("ACQ.TRADE_STATUS_ERROR", Finding::RefundFailed),
    ("ACQ.INVALID_PARAMETER", Finding::RefundFailed),
];

const CLOSE_FAILURES: &[(&str, Finding)] = &[
    ("ACQ.TRADE_HAS_SUCCESS", Finding::PaidWeak),
    ("ACQ.TRADE_HAS_CLOSE", Finding::ClosedWeak),
    ("ACQ.TRADE_NOT_EXIST", Finding::NotFound),
];

/// Codes of the gateway that mean "not acted upon": permission, missing or wrong parameters, limits.
const NOT_SENT: &[&str] = &["20001", "40001", "40002", "40006"];

fn sniff(fields: &Fields<'_>) -> bool {
    let is_code =
        |code: &str| matches!(code, "10000" | "10003" | "20000" | "40004") || NOT_SENT.contains(&code);
    let in_answer = fields.syntax == Syntax::Json && !fields.node.is_empty();
    fields.has(Slot::Code) && (in_answer || is_code(fields.raw(Slot::Code)))
}

fn judge<'t>(fields: &Fields<'t>, asked: Asked) -> Evidence<'t> {
    let action = really_asked(fields, asked.action);
    let finding = finding(fields, Asked { action, ..asked });
    let currency = Currency::parse(fields.raw(Slot::TransCurrency)).unwrap_or(asked.currency);
    alipay::evidence(fields, finding, currency, &[Slot::TotalAmount])
}

/// The answer's own name decides; an SDK's object has none and is told by its fields.
fn really_asked(fields: &Fields<'_>, action: Action) -> Action {
    let named = NODES.iter().find(|(node, _)| same_name(fields.node, node)).map(|(_, action)| *action);
    named.unwrap_or_else(|| match action {
        Action::Pay | Action::Other if fields.has(Slot::TradeStatus) => Action::Query,
        Action::Other if fields.has(Slot::FundChange) => Action::Refund,
        Action::Other if fields.has(Slot::RetryFlag) => Action::Reverse,
        Action::Other if fields.has(Slot::GmtPayment) => Action::Pay,
        other => other,
    })
}

fn finding(fields: &Fields<'_>, asked: Asked) -> Finding {
    match fields.raw(Slot::Code) {
        "10000" => success(fields, asked),
        "10003" if matches!(asked.action, Action::Pay | Action::Precreate | Action::Query) => {
            Finding::Pending
        }
        "40004" => failure(fields.raw(Slot::SubCode), asked.action),
        code if NOT_SENT.contains(&code) => asked.action.not_sent(),
        _ => asked.action.unknown(),
    }
}

fn success(fields: &Fields<'_>, asked: Asked) -> Finding {
    match asked.action {
        Action::Pay => Finding::Paid,
        Action::Precreate => Finding::Pending,
        Action::Query if fields.has(Slot::TradeStatus) => alipay::trade_state(fields),
        Action::Query => Finding::Unknown,
        Action::Refund => alipay::refund(fields),
        Action::RefundQuery => refund_query(fields),
        Action::Reverse => alipay::cancel(fields, asked.damaged),
        Action::Close => Finding::ClosedByUs,
        Action::Download | Action::Other => Finding::Nothing,
    }
}

/// A refund that the provider does not know is answered with 10000 and no amount.
fn refund_query(fields: &Fields<'_>) -> Finding {
    match (fields.raw(Slot::RefundStatus), fields.has(Slot::RefundAmount)) {
        ("REFUND_SUCCESS", _) | ("", true) => Finding::RefundDone,
        ("", false) => Finding::RefundFailed,
        _ => Finding::RefundPending,
    }
}

/// `sub_code` of a reply that failed with 40004.
pub(super) fn failure(sub_code: &str, action: Action) -> Finding {
    let table = match action {
        Action::Pay | Action::Precreate => PAY_FAILURES,
        Action::Query => QUERY_FAILURES,
        Action::Refund => REFUND_FAILURES,
        Action::Close => CLOSE_FAILURES,
        Action::RefundQuery | Action::Reverse | Action::Download | Action::Other => &[],
    };
    look_up(table, sub_code).unwrap_or(action.unknown())
}
