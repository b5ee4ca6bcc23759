//! TianTa's replies (`TIANTA`): JSON around the fields of WeChat or Alipay.
//!
//! Source: `spec/ttpay.md` A.6, B.2.5 and D.5. Quirks: the answer is flat, or a text in `content`, or an Alipay object in
//! `response`; `code` 1 means that the question was answered, not that anything was paid; `trade_no` of a pay answer is
//! TianTa's own serial and nobody else knows it (X20). The unit of an amount goes by its field's name: `money` and
//! WeChat's are fen, Alipay's are yuan (R110).

use std::borrow::Cow;

use super::wechat::{self, smallest_unit};
use super::{Action, Asked, Evidence, Family, Fields, Finding, Slot, alipay, alipay_json, epoch};
use crate::domain::{Moment, PayType};
use crate::paylog::decode::Syntax;
use crate::paylog::wallet::Wallet;

pub(super) const FAMILY: Family = Family { code: "tianta", pay_types: &[PayType::Tianta], sniff, judge };

fn sniff(fields: &Fields<'_>) -> bool {
    if fields.carrier_code.is_some() {
        return true;
    }
    let has = |slot| fields.has(slot);
    fields.syntax == Syntax::Json
        && (matches!(fields.node, "content")
            || has(Slot::Content)
            || has(Slot::Code) && (has(Slot::RespType) || fields.node.eq_ignore_ascii_case("response"))
            || has(Slot::TradeNo) && has(Slot::PayChannel) && has(Slot::MchName))
}

/// Whose fields the answer holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Native {
    Wechat,
    Alipay,
    /// Only TianTa's own.
    Nobody,
}

fn native(fields: &Fields<'_>) -> Native {
    let any = |slots: &[Slot]| slots.iter().any(|slot| fields.has(*slot));
    let wechat = [Slot::TradeState, Slot::TransactionId, Slot::ResultCode, Slot::ErrCode, Slot::TimeEnd];
    let alipay = [Slot::TradeStatus, Slot::SubCode, Slot::FundChange, Slot::SendBackFee, Slot::TotalAmount];
    if any(&wechat) || !fields.refunds.is_empty() {
        Native::Wechat
    } else if any(&alipay) || !alipay_code(fields).is_empty() {
        Native::Alipay
    } else {
        Native::Nobody
    }
}

fn judge<'t>(fields: &Fields<'t>, asked: Asked) -> Evidence<'t> {
    let native = native(fields);
    let mut evidence = match native {
        Native::Wechat => wechat::evidence(fields, of_wechat(fields, asked), asked),
        Native::Alipay => {
            let finding = of_alipay(fields, asked);
            alipay::evidence(fields, finding, asked.currency, &[Slot::TotalAmount])
        }
        Native::Nobody => own(fields, asked),
    };
    evidence.order_no = fields.plain(Slot::OutTradeNo);
    evidence.trade_no = provider_number(fields, asked.action);
    let told = Wallet::of_channel(&fields.plain(Slot::PayChannel));
    evidence.wallet = match (told, native) {
        (Wallet::Unknown, Native::Wechat) => Wallet::Wechat,
        (Wallet::Unknown, Native::Alipay) => Wallet::Alipay,
        (told, _) => told,
    };
    if evidence.finding == Finding::RefundDone && native == Native::Wechat {
        evidence.amount_minor = smallest_unit(fields.raw(Slot::RefundFee));
    }
    if evidence.finding.is_payment() {
        evidence.amount_minor = evidence.amount_minor.or_else(|| smallest_unit(fields.raw(Slot::Money)));
        evidence.provider_at = evidence.provider_at.or_else(|| moment(&fields.plain(Slot::PayDate)));
    }
    evidence
}

/// A number that WeChat or Alipay knows. The `trade_no` beside a pay answer's own `money` is TianTa's.
fn provider_number<'t>(fields: &Fields<'t>, action: Action) -> Cow<'t, str> {
    if fields.has(Slot::TransactionId) {
        return fields.plain(Slot::TransactionId);
    }
    let pay_answer = matches!(action, Action::Pay | Action::Precreate | Action::Other);
    let from_alipay = fields.node.eq_ignore_ascii_case("response") && !fields.has(Slot::Money);
    if pay_answer && !from_alipay { Cow::Borrowed("") } else { fields.plain(Slot::TradeNo) }
}

/// The format is not documented; what cannot be read is no time.
fn moment(text: &str) -> Option<Moment> {
    Moment::parse(text)
        .or_else(|| Moment::parse_compact(text))
        .or_else(|| epoch(text).filter(|_| text.len() == 10))
}

fn codes<'t>(fields: &Fields<'t>) -> [&'t str; 3] {
    [fields.carrier_code.unwrap_or_default(), fields.raw(Slot::Code), fields.second_code]
}

/// Alipay's code is five digits long, TianTa's at most four (R102).
fn alipay_code<'t>(fields: &Fields<'t>) -> &'t str {
    codes(fields).into_iter().find(|code| code.len() == 5).unwrap_or_default()
}

/// The question itself was answered.
fn is_answered(fields: &Fields<'_>) -> bool {
    let own = codes(fields).into_iter().find(|code| !code.is_empty() && code.len() < 5);
    let said = fields.raw(Slot::RespType);
    own == Some("1") && (said.is_empty() || said.eq_ignore_ascii_case("success"))
}

fn of_wechat(fields: &Fields<'_>, asked: Asked) -> Finding {
    let transported = matches!(fields.raw(Slot::ReturnCode), "" | "SUCCESS");
    let finding = if transported { wechat::business(fields, asked) } else { asked.action.unknown() };
    if finding == asked.action.unknown() { refund_told(fields, asked).unwrap_or(finding) } else { finding }
}

/// A refund that was answered without any word of WeChat's or Alipay's but its amount.
fn refund_told(fields: &Fields<'_>, asked: Asked) -> Option<Finding> {
    let amount = [Slot::RefundFee, Slot::SendBackFee].into_iter().any(|slot| !fields.raw(slot).is_empty());
    let done = asked.action.is_refund() && amount && fields.refunds.is_empty() && is_answered(fields);
    done.then_some(Finding::RefundDone)
}

fn of_alipay(fields: &Fields<'_>, asked: Asked) -> Finding {
    let action = asked.action;
    match action {
        Action::Refund if fields.has(Slot::FundChange) => return alipay::refund(fields),
        Action::Refund | Action::RefundQuery => {
            let failed = || alipay_json::failure(fields.raw(Slot::SubCode), action);
            return refund_told(fields, asked).unwrap_or_else(failed);
        }
        Action::Reverse if fields.has(Slot::Action) || fields.has(Slot::RetryFlag) => {
            return alipay::cancel(fields, asked.damaged);
        }
        _ => {}
    }
    if !fields.raw(Slot::TradeStatus).is_empty() {
        return alipay::trade_state(fields);
    }
    match (alipay_code(fields), fields.raw(Slot::SubCode)) {
        ("10003", _) => Finding::Pending,
        ("10000", "") if action == Action::Pay => Finding::Paid,
        (_, "") => own_finding(fields, action),
        (_, sub_code) => alipay_json::failure(sub_code, action),
    }
}

fn own<'t>(fields: &Fields<'t>, asked: Asked) -> Evidence<'t> {
    let finding = refund_told(fields, asked).unwrap_or_else(|| own_finding(fields, asked.action));
    let mut evidence = Evidence::new(finding, asked.currency);
    if finding.is_refund() {
        evidence.amount_minor = smallest_unit(fields.raw(Slot::RefundFee));
    }
    evidence
}

/// TianTa's own words. The document lists no codes, so a complete success is believed weakly, until somebody asks.
fn own_finding(fields: &Fields<'_>, action: Action) -> Finding {
    if matches!(fields.raw(Slot::StatusCode), "USERPAYING" | "WAIT_BUYER_PAY") {
        return if action.is_refund() { action.unknown() } else { Finding::Pending };
    }
    let complete =
        [Slot::TradeNo, Slot::Money, Slot::PayDate].into_iter().all(|slot| !fields.raw(slot).is_empty());
    match action {
        Action::Pay if complete && is_answered(fields) => Finding::PaidWeak,
        other => other.unknown(),
    }
}
