//! WeChat Pay API v2 replies (`WX`, `WX_OS`): XML, amounts in the smallest unit, times `yyyyMMddHHmmss`.
//!
//! Source: `spec/ttpay.md` D.5; `spec/wechat.md` 5. Quirk: a micropay reply has no `trade_state`; where one is present,
//! the reply is an order query's, whatever the till asked for, and its state decides.

use super::{Action, Asked, Evidence, Family, Fields, Finding, ListedRefund, Slot, look_up};
use crate::domain::{Currency, Moment, PayType, money};

pub(super) const FAMILY: Family =
    Family { code: "wechat", pay_types: &[PayType::Wx, PayType::WxOs], sniff, judge };

/// `err_code` of a payment. A code that is not here proves nothing.
const PAY_FAILURES: &[(&str, Finding)] = &[
    ("USERPAYING", Finding::Pending),
    ("SYSTEMERROR", Finding::Unknown),
    ("BANKERROR", Finding::Unknown),
    ("INVALID_REQUEST", Finding::Unknown),
    ("OUT_TRADE_NO_USED", Finding::Unknown),
    ("ORDERPAID", Finding::PaidWeak),
    ("ORDERREVERSED", Finding::ReversedWeak),
    ("ORDERCLOSED", Finding::ClosedWeak),
    ("AUTHCODEEXPIRE", Finding::NotPaid),
    ("AUTH_CODE_ERROR", Finding::NotPaid),
    ("AUTH_CODE_INVALID", Finding::NotPaid),
    ("NOTENOUGH", Finding::NotPaid),
    ("NOTSUPORTCARD", Finding::NotPaid),
    ("BUYER_MISMATCH", Finding::NotPaid),
    ("PARAM_ERROR", Finding::NotPaid),
    ("SIGNERROR", Finding::NotPaid),
    ("NOAUTH", Finding::NotPaid),
    ("LACK_PARAMS", Finding::NotPaid),
    ("APPID_NOT_EXIST", Finding::NotPaid),
    ("MCHID_NOT_EXIST", Finding::NotPaid),
    ("APPID_MCHID_NOT_MATCH", Finding::NotPaid),
];

const QUERY_FAILURES: &[(&str, Finding)] = &[("ORDERNOTEXIST", Finding::NotFound)];

/// A refund that failed with any other code has failed.
const REFUND_FAILURES: &[(&str, Finding)] =
    &[("SYSTEMERROR", Finding::RefundUnknown), ("BIZERR_NEED_RETRY", Finding::RefundUnknown)];

const CLOSE_FAILURES: &[(&str, Finding)] = &[
    ("ORDERPAID", Finding::PaidWeak),
    ("ORDERCLOSED", Finding::ClosedWeak),
    ("ORDERREVERSED", Finding::ReversedWeak),
];

pub(super) const TRADE_STATES: &[(&str, Finding)] = &[
    ("SUCCESS", Finding::Paid),
    // Paid, and refunded at least in part; the refunds are rows of their own.
    ("REFUND", Finding::Paid),
    ("NOTPAY", Finding::NotYetPaid),
    ("CLOSED", Finding::Closed),
    ("REVOKED", Finding::Reversed),
    ("USERPAYING", Finding::Pending),
    ("ACCEPT", Finding::Pending),
    ("PAYERROR", Finding::NotPaidForGood),
];

pub(super) const REFUND_STATES: &[(&str, Finding)] = &[
    ("SUCCESS", Finding::RefundDone),
    ("PROCESSING", Finding::RefundPending),
    ("REFUNDCLOSE", Finding::RefundClosed),
    ("CHANGE", Finding::RefundAttention),
];

/// Words of a `return_msg` that complains of the signature or a parameter: the request was not acted upon.
const REFUSED_AT_THE_DOOR: &[&str] =
    &["签名", "参数", "XML格式", "appid", "mch_id", "SIGNERROR", "PARAM_ERROR", "LACK_PARAMS"];

fn sniff(fields: &Fields<'_>) -> bool {
    fields.has(Slot::ReturnCode) || fields.node == "xml"
}

fn judge<'t>(fields: &Fields<'t>, asked: Asked) -> Evidence<'t> {
    let finding = match fields.raw(Slot::ReturnCode) {
        "SUCCESS" => business(fields, asked),
        "" => asked.action.unknown(),
        _ => not_transported(fields, asked.action),
    };
    evidence(fields, finding, asked)
}

/// Numbers, amount and time, as far as the finding calls for them.
pub(super) fn evidence<'t>(fields: &Fields<'t>, finding: Finding, asked: Asked) -> Evidence<'t> {
    let currency = Currency::parse(fields.raw(Slot::FeeType)).unwrap_or(asked.currency);
    let mut evidence = Evidence::new(finding, currency);
    evidence.order_no = fields.plain(Slot::OutTradeNo);
    evidence.trade_no = fields.plain(Slot::TransactionId);
    if evidence.finding.is_refund() {
        evidence.refund_no = fields.plain(Slot::OutRefundNo);
        evidence.amount_minor = smallest_unit(fields.raw(Slot::RefundFee));
    } else {
        evidence.amount_minor = smallest_unit(fields.raw(Slot::TotalFee));
        evidence.provider_at = Moment::parse_compact(fields.raw(Slot::TimeEnd));
    }
    if asked.action == Action::RefundQuery {
        evidence.amount_minor = None;
        evidence.listed = listed(fields);
    }
    evidence
}

/// An amount in the smallest unit of its currency, whatever that is: 100 yen are `100`, one yuan too.
pub(super) fn smallest_unit(text: &str) -> Option<i64> {
    money::parse_integer(text).ok().filter(|minor| *minor >= 0)
}

/// What the business part says, whoever transported it.
pub(super) fn business(fields: &Fields<'_>, asked: Asked) -> Finding {
    let result = fields.raw(Slot::ResultCode);
    if !matches!(result, "" | "SUCCESS") {
        return failure(fields.raw(Slot::ErrCode), asked.action);
    }
    if fields.has(Slot::TradeState) {
        return look_up(TRADE_STATES, fields.raw(Slot::TradeState)).unwrap_or(Finding::Unknown);
    }
    if result.is_empty() {
        return asked.action.unknown();
    }
    success(fields, asked)
}

/// `return_code` is not SUCCESS: the provider did not get as far as the order.
fn not_transported(fields: &Fields<'_>, action: Action) -> Finding {
    let message = fields.plain(Slot::ReturnMsg);
    match action {
        Action::Pay | Action::Precreate
            if REFUSED_AT_THE_DOOR.iter().any(|words| message.contains(words)) =>
        {
            Finding::NotPaid
        }
        other => other.unknown(),
    }
}

fn failure(code: &str, action: Action) -> Finding {
    match action {
        Action::Pay | Action::Precreate => look_up(PAY_FAILURES, code).unwrap_or(Finding::Unknown),
        Action::Query => look_up(QUERY_FAILURES, code).unwrap_or(Finding::Unknown),
        Action::Refund => look_up(REFUND_FAILURES, code).unwrap_or(Finding::RefundFailed),
        Action::Close => look_up(CLOSE_FAILURES, code).unwrap_or(Finding::Unknown),
        Action::RefundQuery | Action::Reverse | Action::Download | Action::Other => action.unknown(),
    }
}

/// `result_code` SUCCESS without a `trade_state`.
fn success(fields: &Fields<'_>, asked: Asked) -> Finding {
    match asked.action {
        Action::Pay if is_only_prepared(fields) => Finding::Pending,
        Action::Pay => Finding::Paid,
        Action::Precreate => Finding::Pending,
        Action::Refund => Finding::RefundDone,
        Action::Close => Finding::ClosedByUs,
        Action::Reverse => reversal(fields, asked),
        // The answer is in the list of refunds.
        Action::RefundQuery => Finding::Nothing,
        Action::Query => Finding::Unknown,
        Action::Download | Action::Other => by_structure(fields, asked),
    }
}

/// An order that was placed for the buyer to pay (`prepay_id`, `code_url`), and not yet a payment.
fn is_only_prepared(fields: &Fields<'_>) -> bool {
    !fields.has(Slot::TransactionId) && (fields.has(Slot::PrepayId) || fields.has(Slot::CodeUrl))
}

fn reversal(fields: &Fields<'_>, asked: Asked) -> Finding {
    match fields.raw(Slot::Recall) {
        "Y" => Finding::ReverseUnknown,
        // A reply that breaks off may have said Y.
        "" if asked.damaged => Finding::ReverseUnknown,
        _ => Finding::Reversed,
    }
}

fn by_structure(fields: &Fields<'_>, asked: Asked) -> Finding {
    if fields.has(Slot::Recall) {
        reversal(fields, asked)
    } else if fields.has(Slot::OutRefundNo) && fields.has(Slot::RefundFee) {
        Finding::RefundDone
    } else if fields.has(Slot::TransactionId) && fields.has(Slot::TimeEnd) {
        Finding::Paid
    } else {
        Finding::Nothing
    }
}

fn listed(fields: &Fields<'_>) -> Vec<ListedRefund> {
    let refund = |r: &super::fields::Listed<'_>| ListedRefund {
        finding: look_up(REFUND_STATES, r.status).unwrap_or(Finding::RefundUnknown),
        refund_no: r.refund_no.to_owned(),
        amount_minor: smallest_unit(r.fee),
        cumulative: false,
        provider_at: Moment::parse(r.succeeded_at),
    };
    // Without its number a refund cannot be told from the others; only a reply that breaks off lacks it.
    fields.refunds.iter().filter(|r| !r.refund_no.is_empty()).map(refund).collect()
}
