//! Asking the gateway about one order (`orderquery`, the documented action), and what the provider's reply, which it
//! passes on, means.
//!
//! What a provider's words mean stands in `paylog`, and only there: ResObj here is the same text as RES_OBJ in the log.
//! The action names payments; of a refund the reply tells at most that there was one. Source: `spec/ttpay.md`, A.3
//! (R060, R061), C.6.

use super::ask::is_guarded;
use super::reply::{self, Closed, Reply};
use super::request::{Question, ext_param};
use crate::channel::json::Value;
use crate::channel::{Ask, Heard, Inquiry, Judged, Step, Told, shown};
use crate::domain::{Currency, EntryKind, Stamp, State, money};
use crate::paylog::{self, Answer, Finding};

/// The documented name, which the tables of the log know; what the gateway is told may be configured otherwise.
const QUERY: &str = "orderquery";

pub(super) fn ask(inquiry: &Inquiry, heard: &[Heard], stamp: &Stamp) -> Option<Ask> {
    if !heard.is_empty() || inquiry.order_no.is_empty() && inquiry.trade_no.is_empty() {
        return None;
    }
    let account = &*inquiry.account;
    let total = total_fee(inquiry);
    let currency = if inquiry.currency == Currency::CNY { "RMB" } else { inquiry.currency.as_str() };
    let ext = ext_param(&[("Currency", currency), ("OriginalFee", &total)]);
    let params = [
        ("OutID", inquiry.order_no.as_str()),
        ("TradeNO", inquiry.trade_no.as_str()),
        ("TotalFee", total.as_str()),
        ("ExtParam", ext.as_str()),
    ];
    let question = Question { account, stamp, turn: 0, action: "gateway.action_query", params: &params };
    Some(question.request("").into())
}

/// The amount in the unit of the log.
fn total_fee(inquiry: &Inquiry) -> String {
    let Some(minor) = inquiry.amount_minor.map(i64::abs) else { return String::new() };
    match inquiry.account.option("paylog.amount_unit") {
        "yuan" => money::major(minor, inquiry.currency.digits()),
        _ => minor.to_string(),
    }
}

pub(super) fn judge(inquiry: &Inquiry, heard: &[Heard]) -> Judged {
    let Some(last) = heard.last() else {
        return Judged::Unaskable("neither our order number nor the provider's is known".into());
    };
    let account = &*inquiry.account;
    let reply = match reply::open(account, last) {
        Ok(reply) => reply,
        Err(Closed::Step(step)) => return step.into(),
        Err(Closed::Unsupported(why)) => {
            let action = account.option("gateway.action_query");
            return Judged::Refused(format!("the gateway does not know `{action}` ({why})"));
        }
    };
    let text = match &reply.result {
        Value::Word(text) => text.clone(),
        Value::Object(object) => object.to_json(),
        Value::Nothing | Value::List(_) => String::new(),
    };
    if text.trim().is_empty() {
        return without_reply(inquiry, &reply);
    }
    answered(inquiry, &reply, &paylog::judge_reply(QUERY, &text))
}

/// The gateway's own word, where it passes on nothing.
fn without_reply(inquiry: &Inquiry, reply: &Reply) -> Judged {
    let unknown = |word: &str| Judged::Told(told(inquiry, State::Unknown, shown(word)));
    if reply.is_ok(&inquiry.account) || reply.error_code.is_empty() {
        return unknown("the gateway passes on no reply");
    }
    let message = &reply.error_message;
    if ["订单不存在", "交易不存在", "ORDERNOTEXIST", "TRADE_NOT_EXIST"]
        .iter()
        .any(|text| message.contains(text))
    {
        return Judged::NotFound;
    }
    match reply.complaint() {
        // Only what is known to be about us ends the questions; an unknown error is about this order.
        Step::Refused(why) if reply.is_known() => Judged::Refused(why),
        Step::Refused(_) => unknown(&format!("{} {message}", reply.error_code)),
        step => step.into(),
    }
}

fn told(inquiry: &Inquiry, state: State, word: String) -> Told {
    Told {
        state,
        amount_minor: None,
        currency: inquiry.currency,
        at: None,
        trade_no: String::new(),
        word,
        authentic: is_guarded(&inquiry.account),
    }
}

fn answered(inquiry: &Inquiry, reply: &Reply, answer: &Answer) -> Judged {
    let asked = &inquiry.order_no;
    if !answer.order_no.is_empty() && !asked.is_empty() && answer.order_no != *asked {
        let found = shown(&answer.order_no);
        return Judged::Rejected(format!(
            "the gateway answers for order {found}, and {asked} was asked about"
        ));
    }
    if answer.finding == Finding::NotFound {
        return Judged::NotFound;
    }
    if answer.order_no.is_empty() && !reply.echoed {
        return Judged::Rejected("the answer names neither the order nor the serial of the question".into());
    }
    let word = if answer.word.is_empty() { "a reply of no known kind".into() } else { shown(&answer.word) };
    if inquiry.kind == EntryKind::Refund {
        // That money went back is all that is said: not how much, and not by which refund.
        let state = if answer.word == "REFUND" { State::Refunded } else { State::Unknown };
        return Judged::Told(Told { trade_no: answer.trade_no.clone(), ..told(inquiry, state, word) });
    }
    Judged::Told(Told {
        amount_minor: answer.amount_minor.map(|minor| inquiry.kind.sign() * minor),
        currency: answer.currency,
        at: answer.provider_at,
        trade_no: answer.trade_no.clone(),
        ..told(inquiry, answer.finding.state(), word)
    })
}
