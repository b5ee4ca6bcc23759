//! Alipay 1.0 replies (`ALI`): XML, amounts in yuan; the answer lies in `/alipay/response/alipay`.
//!
//! Source: `spec/ttpay.md` D.5 and R096; `spec/alipay.md` 3.6 and 5.2.

use super::{Action, Asked, Evidence, Family, Fields, Finding, Slot, alipay, look_up};
use crate::domain::PayType;

pub(super) const FAMILY: Family = Family {
    code: "alipay_xml",
    // Overseas a request that the gateway itself refuses is answered in the same words.
    pay_types: &[PayType::Ali, PayType::AliOs],
    sniff,
    judge,
};

/// `result_code` of a payment. A code that is not here proves nothing.
const PAY_RESULTS: &[(&str, Finding)] = &[
    ("ORDER_SUCCESS_PAY_SUCCESS", Finding::Paid),
    ("ORDER_SUCCESS_PAY_INPROCESS", Finding::Pending),
    ("ORDER_SUCCESS_PAY_FAIL", Finding::NotPaid),
    ("ORDER_FAIL", Finding::NotPaid),
];

/// `detail_error_code` that says more than ORDER_FAIL.
const PAY_DETAILS: &[(&str, Finding)] =
    &[("TRADE_HAS_SUCCESS", Finding::PaidWeak), ("SYSTEM_ERROR", Finding::Unknown)];

/// Errors of the gateway itself after which money may still have moved, or may have moved before.
pub(super) const LEFT_OPEN: &[&str] = &["TRADE_NOT_ALLOWED_PAY", "SYSTEM_ERROR", "SESSION_TIMEOUT"];

fn sniff(fields: &Fields<'_>) -> bool {
    fields.node == "alipay" || fields.has(Slot::IsSuccess)
}

fn judge<'t>(fields: &Fields<'t>, asked: Asked) -> Evidence<'t> {
    alipay::evidence(fields, finding(fields, asked), asked.currency, &[Slot::TotalFee])
}

fn finding(fields: &Fields<'_>, asked: Asked) -> Finding {
    if fields.raw(Slot::IsSuccess) == "F" {
        return rejected(fields.raw(Slot::Error), asked.action);
    }
    match really_asked(fields, asked.action) {
        Action::Pay => pay(fields),
        Action::Query => query(fields),
        Action::Refund => refund(fields),
        Action::Reverse => cancel(fields, asked.damaged),
        Action::Close if fields.raw(Slot::ResultCode) == "SUCCESS" => Finding::ClosedByUs,
        Action::Precreate if fields.raw(Slot::ResultCode) == "SUCCESS" => Finding::Pending,
        other => other.unknown(),
    }
}

fn really_asked(fields: &Fields<'_>, action: Action) -> Action {
    match action {
        Action::Refund | Action::Reverse | Action::Close => action,
        _ if fields.has(Slot::TradeStatus) => Action::Query,
        Action::Other if fields.raw(Slot::ResultCode).starts_with("ORDER_") => Action::Pay,
        Action::Other if fields.has(Slot::FundChange) => Action::Refund,
        Action::Other if fields.has(Slot::RetryFlag) => Action::Reverse,
        other => other,
    }
}

/// `is_success` F: refused before money moved, but for a few errors (R096).
pub(super) fn rejected(error: &str, action: Action) -> Finding {
    match action {
        Action::Query if error == "TRADE_NOT_EXIST" => Finding::NotFound,
        _ if LEFT_OPEN.contains(&error) || error.is_empty() => action.unknown(),
        _ => action.not_sent(),
    }
}

fn pay(fields: &Fields<'_>) -> Finding {
    let result = fields.raw(Slot::ResultCode);
    let detail = look_up(PAY_DETAILS, fields.raw(Slot::DetailErrorCode)).filter(|_| result == "ORDER_FAIL");
    detail.or_else(|| look_up(PAY_RESULTS, result)).unwrap_or(Finding::Unknown)
}

fn query(fields: &Fields<'_>) -> Finding {
    match fields.raw(Slot::ResultCode) {
        "SUCCESS" | "" if fields.has(Slot::TradeStatus) => alipay::trade_state(fields),
        "SUCCESS" | "" if alipay::is_quarrel(fields) => Finding::Held,
        "FAIL" if fields.raw(Slot::DetailErrorCode) == "TRADE_NOT_EXIST" => Finding::NotFound,
        _ => Finding::Unknown,
    }
}

fn refund(fields: &Fields<'_>) -> Finding {
    match fields.raw(Slot::ResultCode) {
        "SUCCESS" => alipay::refund(fields),
        "FAIL" if !LEFT_OPEN.contains(&fields.raw(Slot::DetailErrorCode)) => Finding::RefundFailed,
        _ => Finding::RefundUnknown,
    }
}

fn cancel(fields: &Fields<'_>, damaged: bool) -> Finding {
    match fields.raw(Slot::ResultCode) {
        "SUCCESS" => alipay::cancel(fields, damaged),
        _ => Finding::ReverseUnknown,
    }
}
