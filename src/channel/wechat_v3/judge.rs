//! One order or one refund: what to ask, and what the verified answer means.
//!
//! Source: WeChat Pay v3 manual, `pay/transactions/out-trade-no/{out_trade_no}` and
//! `refund/domestic/refunds/{out_refund_no}`, with their service-provider twins.

use serde::Deserialize;

use crate::channel::wechatpay::{self, Keys};
use crate::channel::{Ask, Exhausted, Heard, Inquiry, Judged, Step, Told, shown, unless_ok, wechat};
use crate::domain::{Currency, EntryKind, Moment, Stamp, State};

pub(super) fn ask(inquiry: &Inquiry, heard: &[Heard], stamp: &Stamp) -> Option<Ask> {
    let account = &inquiry.account;
    match heard {
        [] => Some(wechatpay::get(account, &target(inquiry)?, stamp).ok()?.into()),
        [reply] if wechatpay::lacks_certificate(account, reply) => {
            wechatpay::ask_certificates(account, stamp).ok()
        }
        _ => None,
    }
}

/// Path and query; `None` if the movement has no number that can be asked by.
fn target(inquiry: &Inquiry) -> Option<String> {
    let sub = inquiry.account.option("sub_merchant").trim();
    let mchid = &inquiry.account.merchant;
    if inquiry.kind == EntryKind::Refund {
        let path = format!("/v3/refund/domestic/refunds/{}", segment(&inquiry.refund_no)?);
        return Some(if sub.is_empty() { path } else { format!("{path}?sub_mchid={sub}") });
    }
    let by = match (segment(&inquiry.order_no), segment(&inquiry.trade_no)) {
        (Some(order_no), _) => format!("out-trade-no/{order_no}"),
        (None, Some(trade_no)) => format!("id/{trade_no}"),
        (None, None) => return None,
    };
    Some(match sub {
        "" => format!("/v3/pay/transactions/{by}?mchid={mchid}"),
        sub => format!("/v3/pay/partner/transactions/{by}?sp_mchid={mchid}&sub_mchid={sub}"),
    })
}

/// A number as one step of a path. WeChat's own rule for it is letters, digits and `_-*`; `|` and `@` occur in older
/// numbers and are encoded.
fn segment(number: &str) -> Option<String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_-*|@".contains(&b);
    let fine = !number.is_empty() && number.bytes().all(fits);
    fine.then(|| number.replace('|', "%7C").replace('@', "%40"))
}

pub(super) fn judge(inquiry: &Inquiry, heard: &[Heard]) -> Judged {
    let Some(reply) = heard.first() else {
        return Judged::Unaskable("it has no number of ours that WeChat could know it by".into());
    };
    answered(inquiry, reply, heard.get(1)).unwrap_or_else(Judged::from)
}

fn answered(inquiry: &Inquiry, reply: &Heard, certificates: Option<&Heard>) -> Result<Judged, Step> {
    let keys = Keys::with(&inquiry.account, certificates)?;
    if reply.status != 200 {
        return complaint(reply, &keys);
    }
    let again = |why: &str| Step::again(Exhausted::Rejected, format!("{} answered {why}", reply.source));
    let raw = reply.whole().ok_or_else(|| again("more than a reply can be"))?;
    wechatpay::verify(reply, raw, &keys).map_err(Step::Rejected)?;
    let word: Answer = serde_json::from_slice(raw)
        .map_err(|_| Step::Rejected("WeChat's reply does not hold the fields of this interface".into()))?;
    if !word.is_about(inquiry) {
        return Err(Step::Rejected("WeChat answered about another order".into()));
    }
    word.told(inquiry).map(Judged::Told).map_err(Step::Rejected)
}

fn complaint(reply: &Heard, keys: &Keys) -> Result<Judged, Step> {
    let complaint = wechatpay::complaint(reply, keys).map_err(Step::Rejected)?;
    let Some(complaint) = complaint else {
        return Err(unless_ok(reply).unwrap_or_else(|| Step::Rejected("no answer".into())));
    };
    let why = wechat::said(&complaint.code, &complaint.message);
    Ok(match (reply.status, complaint.code.as_str()) {
        (404, "ORDER_NOT_EXIST" | "ORDERNOTEXIST" | "RESOURCE_NOT_EXISTS") => Judged::NotFound,
        (429 | 500..=599, _) | (_, "FREQUENCY_LIMITED" | "SYSTEM_ERROR") => {
            Judged::Again { why, when_exhausted: Exhausted::Passing, at_least_seconds: 0 }
        }
        (400, "PARAM_ERROR") => Judged::Unaskable(why),
        _ => Judged::Refused(why),
    })
}

/// An order or a refund in WeChat's words; times as RFC 3339.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    mchid: String,
    sp_mchid: String,
    out_trade_no: String,
    out_refund_no: String,
    transaction_id: String,
    trade_state: String,
    status: String,
    success_time: String,
    amount: Option<Amount>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Amount {
    total: Option<i64>,
    refund: Option<i64>,
    currency: String,
}

impl Answer {
    fn is_about(&self, inquiry: &Inquiry) -> bool {
        let merchant = [&self.mchid, &self.sp_mchid];
        let ours = merchant.iter().all(|id| id.is_empty() || **id == inquiry.account.merchant);
        let this = match inquiry.kind {
            EntryKind::Refund => self.out_refund_no == inquiry.refund_no,
            _ if inquiry.order_no.is_empty() => self.transaction_id == inquiry.trade_no,
            _ => self.out_trade_no == inquiry.order_no,
        };
        ours && this
    }

    fn told(self, inquiry: &Inquiry) -> Result<Told, String> {
        let refund = inquiry.kind == EntryKind::Refund;
        let word = if refund { &self.status } else { &self.trade_state };
        let state = if refund { wechat::refund_state(word) } else { wechat::trade_state(word) };
        let amount = self.amount.unwrap_or_default();
        let currency = match amount.currency.as_str() {
            "" => Currency::CNY,
            code => Currency::parse(code).map_err(|error| error.to_string())?,
        };
        let minor = if refund { amount.refund } else { amount.total };
        let done = matches!(state, State::Paid | State::Refunded);
        Ok(Told {
            state,
            amount_minor: minor.and_then(|minor| wechat::signed(inquiry.kind, minor)),
            currency,
            at: moment(&self.success_time).filter(|_| done),
            trade_no: self.transaction_id,
            word: shown(word),
            authentic: true,
        })
    }
}

/// `2018-06-08T10:34:56+08:00`
fn moment(text: &str) -> Option<Moment> {
    chrono::DateTime::parse_from_rfc3339(text).ok().map(|at| Moment::from_unix(at.timestamp()))
}
