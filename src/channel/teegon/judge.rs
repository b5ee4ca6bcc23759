//! What Teegon says of one charge.
//!
//! What its words for a state mean stands in `paylog` (they are WeChat's and Alipay's own), and only there.

use super::ask;
use crate::channel::json::{self, Object, Value};
use crate::channel::{Exhausted, Heard, Inquiry, Judged, Told, shown, unless_ok};
use crate::domain::{Currency, EntryKind, State};
use crate::format::unpack;
use crate::paylog;

pub(super) fn judge(inquiry: &Inquiry, heard: &[Heard]) -> Judged {
    let Some(reply) = heard.last() else {
        return Judged::Unaskable(
            "Teegon is asked by its own number of the charge, and the log holds none for this order".into(),
        );
    };
    if let Some(step) = unless_ok(reply) {
        return step.into();
    }
    match result(reply) {
        Ok(result) => status(inquiry, &result),
        Err(Trouble::NoReply(what)) => Judged::Again {
            why: format!("{} answered {what} where JSON is expected", reply.source),
            when_exhausted: Exhausted::Rejected,
            at_least_seconds: 0,
        },
        Err(Trouble::Error(error)) => failed(inquiry, &error),
    }
}

/// Why there is no result.
pub(super) enum Trouble {
    /// What came instead of a reply.
    NoReply(&'static str),
    /// Teegon's own words.
    Error(String),
}

/// `result` of a reply without an `error`.
pub(super) fn result(reply: &Heard) -> Result<Object, Trouble> {
    let raw = reply.whole().ok_or(Trouble::NoReply("more than a reply can be"))?;
    let text = unpack::reply_text(raw);
    // The manual prints its errors with a comma behind the last member (`spec/ttpay.md` R125).
    let Some(top) = json::object(&text).or_else(|| json::object(&json::without_last_commas(&text))) else {
        let what = if reply.looks_like_markup() { "a page (HTML or XML)" } else { "something else" };
        return Err(Trouble::NoReply(what));
    };
    match top.get("error") {
        Some(Value::Word(error)) if !error.trim().is_empty() => Err(Trouble::Error(error.trim().to_owned())),
        Some(Value::Object(_) | Value::List(_)) => Err(Trouble::Error("an error without a text".into())),
        _ => top.inner("result").ok_or_else(|| Trouble::Error("neither an error nor a result".into())),
    }
}

/// Words of an error that turns *us* away. No manual lists errors; these are what it calls the things it checks.
pub(super) fn is_ours(error: &str) -> bool {
    ["sign", "签名", "client_id", "client_secret", "auth"]
        .iter()
        .any(|word| error.to_lowercase().contains(word))
}

fn failed(inquiry: &Inquiry, error: &str) -> Judged {
    let lower = error.to_lowercase();
    if is_ours(error) {
        let name = &inquiry.account.name;
        return Judged::Refused(format!(
            "Teegon refuses the question: {}; check `merchant` (client_id) and `client_secret` of account `{name}`",
            shown(error)
        ));
    }
    if ["not found", "not exist", "不存在"].iter().any(|word| lower.contains(word)) {
        return Judged::NotFound;
    }
    // No error is known to say that nothing was paid.
    Judged::Told(told(inquiry, State::Unknown, shown(error)))
}

fn told(inquiry: &Inquiry, state: State, word: String) -> Told {
    Told {
        state,
        amount_minor: None,
        currency: Currency::CNY,
        at: None,
        trade_no: inquiry.trade_no.clone(),
        word,
        authentic: ask::is_guarded(&inquiry.account),
    }
}

fn status(inquiry: &Inquiry, result: &Object) -> Judged {
    if let Some(why) = of_another(inquiry, result) {
        return Judged::Rejected(why);
    }
    let word = result.word("trade_status");
    let state = match (inquiry.kind, word) {
        // That money went back is all that is said: not how much, and not by which refund.
        (EntryKind::Refund, "REFUND") => State::Refunded,
        (EntryKind::Refund, _) => State::Unknown,
        (kind, word) => paylog::judge_word(kind, word).state(),
    };
    let word = if word.is_empty() { "no trade_status".to_owned() } else { shown(word) };
    Judged::Told(told(inquiry, state, word))
}

/// The answer must be about the charge and the order that were asked about, and must say so.
fn of_another(inquiry: &Inquiry, result: &Object) -> Option<String> {
    let (charge, order) = (result.word("charge_id"), result.first(&["order_no", "out_order_no"]));
    if charge.is_empty() && order.is_empty() {
        return Some("Teegon's answer names neither a charge nor an order".into());
    }
    for (what, found, asked) in [("charge", charge, &inquiry.trade_no), ("order", order, &inquiry.order_no)] {
        if !found.is_empty() && !asked.is_empty() && found != asked {
            return Some(format!("Teegon answers for {what} {}, and {asked} was asked about", shown(found)));
        }
    }
    None
}
