//! Alipay's overseas in-store replies (`ALI_OS`, `alipay.acquire.overseas.spot.pay` and its query and refund): XML, amounts
//! in major units of `currency`, times `yyyyMMddHHmmss`.
//!
//! Source: `spec/alipay.md` 5.3. Quirks: our number is `partner_trans_id`; `UNKNOW` is spelled so; a request that the
//! gateway itself refuses is answered as in ALI 1.0. The error codes are those of the open API without their `ACQ.`.

use super::alipay_xml::{LEFT_OPEN, rejected};
use super::{Action, Asked, Evidence, Family, Fields, Finding, Slot, alipay, alipay_json, look_up};
use crate::domain::{Currency, Moment, PayType, money};
use crate::paylog::decode::Syntax;

pub(super) const FAMILY: Family =
    Family { code: "alipay_overseas", pay_types: &[PayType::AliOs], sniff, judge };

const TRADE_STATES: &[(&str, Finding)] = &[
    ("WAIT_BUYER_PAY", Finding::Pending),
    ("TRADE_SUCCESS", Finding::Paid),
    ("TRADE_CLOSED", Finding::ClosedOrRefunded),
];

fn sniff(fields: &Fields<'_>) -> bool {
    let own = [Slot::PartnerTransId, Slot::AlipayTransId, Slot::AlipayTransStatus, Slot::PartnerRefundId];
    let words = || matches!(fields.raw(Slot::ResultCode), "FAILED" | "UNKNOW");
    fields.syntax == Syntax::Xml
        && (own.into_iter().any(|slot| fields.has(slot)) || fields.node == "alipay" && words())
}

fn judge<'t>(fields: &Fields<'t>, asked: Asked) -> Evidence<'t> {
    let currency = Currency::parse(fields.raw(Slot::Currency)).unwrap_or(asked.currency);
    let mut evidence = Evidence::new(finding(fields, asked), currency);
    let major =
        |slot| money::parse_minor(&fields.plain(slot), currency.digits()).ok().filter(|minor| *minor >= 0);
    evidence.order_no = fields.first(&[Slot::PartnerTransId, Slot::OutTradeNo]);
    evidence.trade_no = fields.first(&[Slot::AlipayTransId, Slot::TradeNo]);
    if evidence.finding.is_refund() {
        evidence.refund_no = fields.plain(Slot::PartnerRefundId);
        evidence.amount_minor = major(Slot::RefundAmount);
    } else if evidence.finding != Finding::Reversed {
        evidence.amount_minor = major(Slot::TransAmount);
        evidence.provider_at = Moment::parse_compact(fields.raw(Slot::AlipayPayTime));
    }
    evidence
}

fn finding(fields: &Fields<'_>, asked: Asked) -> Finding {
    if fields.raw(Slot::IsSuccess) == "F" {
        return rejected(fields.raw(Slot::Error), asked.action);
    }
    let error = fields.first(&[Slot::Error, Slot::DetailErrorCode]);
    match fields.raw(Slot::ResultCode) {
        "SUCCESS" => success(fields, asked),
        "FAILED" => failed(&error, asked.action),
        _ => asked.action.unknown(),
    }
}

fn success(fields: &Fields<'_>, asked: Asked) -> Finding {
    let state = fields.raw(Slot::AlipayTransStatus);
    match asked.action {
        Action::Refund => Finding::RefundDone,
        Action::Reverse if fields.has(Slot::Action) || fields.has(Slot::RetryFlag) => {
            alipay::cancel(fields, asked.damaged)
        }
        Action::Reverse if asked.damaged => Finding::ReverseUnknown,
        Action::Reverse => Finding::Reversed,
        Action::Close => Finding::ClosedByUs,
        // A question for an order shows whatever the till asked for.
        _ if !state.is_empty() => look_up(TRADE_STATES, state).unwrap_or(Finding::Unknown),
        Action::Pay => Finding::Paid,
        Action::Precreate => Finding::Pending,
        Action::Other if fields.has(Slot::PartnerRefundId) => Finding::RefundDone,
        Action::Other if fields.has(Slot::AlipayPayTime) => Finding::Paid,
        other => other.unknown(),
    }
}

/// `FAILED`: a code that no table lists proves nothing.
fn failed(error: &str, action: Action) -> Finding {
    if LEFT_OPEN.contains(&error) {
        return action.unknown();
    }
    alipay_json::failure(&format!("ACQ.{error}"), action)
}
