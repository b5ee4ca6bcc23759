//! One order: what to ask (`alipay.trade.query`, `alipay.trade.fastpay.refund.query`), and what the answer means.
//!
//! Source: Alipay open platform, api_1; `spec/alipay.md` 5.1 and 6.3. A signed answer about another order is no answer. A
//! refund that Alipay does not know is answered with 10000 and without an amount.

use serde::Deserialize;

use super::ask;
use super::read::normalised;
use super::reply::{self, Signed, Trouble, said};
use crate::channel::{Ask, Exhausted, Heard, Inquiry, Judged, Told, shown, unless_ok};
use crate::domain::{Currency, EntryKind, Moment, Stamp, State, money};

const TRADE: &str = "alipay.trade.query";
const TRADE_ROOT: &str = "alipay_trade_query_response";
const REFUND: &str = "alipay.trade.fastpay.refund.query";
const REFUND_ROOT: &str = "alipay_trade_fastpay_refund_query_response";

const THROTTLED_SECONDS: u64 = 60;

/// What both methods answer; of the fields that only one has, the other leaves nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    code: String,
    msg: String,
    sub_code: String,
    sub_msg: String,
    out_trade_no: String,
    trade_no: String,
    trade_status: String,
    additional_trade_status: String,
    total_amount: String,
    send_pay_date: String,
    trans_currency: String,
    out_request_no: String,
    refund_amount: String,
    refund_status: String,
    gmt_refund_pay: String,
    #[serde(skip)]
    signed: bool,
}

impl Signed for Answer {
    fn code(&self) -> &str {
        &self.code
    }

    fn set_signed(&mut self, signed: bool) {
        self.signed = signed;
    }
}

/// A refund that was asked for without a number of its own has the order's.
fn request_no(inquiry: &Inquiry) -> &str {
    if inquiry.refund_no.is_empty() { &inquiry.order_no } else { &inquiry.refund_no }
}

pub(super) fn ask(inquiry: &Inquiry, heard: &[Heard], stamp: &Stamp) -> Option<Ask> {
    let known = !inquiry.order_no.is_empty() || !inquiry.trade_no.is_empty();
    let refund = inquiry.kind == EntryKind::Refund;
    if !heard.is_empty() || !known || (refund && request_no(inquiry).is_empty()) {
        return None;
    }
    let mut content = serde_json::Map::new();
    let mut set = |name: &str, value: &str| drop(content.insert(name.to_owned(), value.into()));
    match inquiry.order_no.as_str() {
        "" => set("trade_no", &inquiry.trade_no),
        order_no => set("out_trade_no", order_no),
    }
    if refund {
        set("out_request_no", request_no(inquiry));
    }
    let content = serde_json::Value::Object(content).to_string();
    let method = if refund { REFUND } else { TRADE };
    ask::signed(&inquiry.account, method, &content, stamp).ok().map(Ask::from)
}

pub(super) fn judge(inquiry: &Inquiry, heard: &[Heard]) -> Judged {
    let Some(last) = heard.last() else {
        return Judged::Unaskable("its numbers are not known, or `private_key` cannot be read".into());
    };
    if let Some(step) = unless_ok(last) {
        return step.into();
    }
    let root = if inquiry.kind == EntryKind::Refund { REFUND_ROOT } else { TRADE_ROOT };
    let answer: Answer = match reply::open(&inquiry.account, last, root) {
        Ok(answer) => answer,
        Err(Trouble::Broken(why)) => {
            return Judged::Again { why, when_exhausted: Exhausted::Rejected, at_least_seconds: 0 };
        }
        Err(Trouble::Unbelievable(why)) => return Judged::Rejected(why),
        Err(Trouble::Key(why)) => return Judged::Refused(why),
    };
    if answer.code != "10000" {
        return failed(&answer);
    }
    if let Some(other) = another(inquiry, &answer) {
        return Judged::Rejected(format!("Alipay answered about another order: {}", shown(other)));
    }
    match inquiry.kind {
        EntryKind::Payment => paid(inquiry, &answer),
        EntryKind::Refund => refunded(inquiry, &answer),
        EntryKind::Reversal => reversed(inquiry, &answer),
    }
}

fn failed(answer: &Answer) -> Judged {
    let said = said([&answer.code, &answer.msg, &answer.sub_code, &answer.sub_msg], answer.signed);
    let again = |at_least_seconds| Judged::Again {
        why: said.clone(),
        when_exhausted: Exhausted::Passing,
        at_least_seconds,
    };
    match (answer.code.as_str(), normalised(&answer.sub_code).as_str()) {
        ("40004", "TRADE_NOT_EXIST") if answer.signed => Judged::NotFound,
        ("40004", "TRADE_NOT_EXIST") => Judged::Rejected(
            "Alipay's reply says that there is no such order, but without a signature".into(),
        ),
        ("40005", _) | (_, "SYSTEM_RATE_LIMIT" | "USER_RATE_LIMIT") => again(THROTTLED_SECONDS),
        ("20000", _) | (_, "SYSTEM_ERROR" | "UNKNOWN_ERROR") => again(0),
        _ => Judged::Refused(said),
    }
}

/// The number that shows an answer to be another order's. An empty one shows nothing, but for the number asked by.
fn another<'a>(inquiry: &Inquiry, answer: &'a Answer) -> Option<&'a str> {
    let differs = |asked: &str, came: &str| !asked.is_empty() && !came.is_empty() && asked != came;
    // A refund that is not known comes without any number.
    let bare = inquiry.kind == EntryKind::Refund && answer.refund_amount.is_empty();
    let order = inquiry.order_no != answer.out_trade_no && !inquiry.order_no.is_empty();
    if differs(&inquiry.order_no, &answer.out_trade_no) || (order && !bare) {
        return Some(&answer.out_trade_no);
    }
    if differs(&inquiry.trade_no, &answer.trade_no) {
        return Some(&answer.trade_no);
    }
    let refund = inquiry.kind == EntryKind::Refund;
    (refund && differs(request_no(inquiry), &answer.out_request_no)).then_some(&answer.out_request_no)
}

fn paid(inquiry: &Inquiry, answer: &Answer) -> Judged {
    let by_timeout = answer.additional_trade_status == "DAEMON_CONFIRM_CLOSE";
    let state = match answer.trade_status.as_str() {
        "WAIT_BUYER_PAY" => State::Pending,
        "TRADE_SUCCESS" | "TRADE_FINISHED" => State::Paid,
        // Paid by the buyer while the merchant's account is frozen.
        "TRADE_PENDING" => State::Held,
        "TRADE_CLOSED" if !by_timeout && !answer.send_pay_date.is_empty() => State::Refunded,
        "TRADE_CLOSED" => State::Closed,
        _ => State::Unknown,
    };
    told(inquiry, answer, state, &answer.total_amount, &answer.send_pay_date)
}

fn refunded(inquiry: &Inquiry, answer: &Answer) -> Judged {
    let state = match (answer.refund_status.as_str(), answer.refund_amount.is_empty()) {
        ("", true) => return Judged::NotFound,
        // Older replies have no state: an amount is there only once the refund was made.
        ("REFUND_SUCCESS", _) | ("", false) => State::Refunded,
        _ => State::Pending,
    };
    told(inquiry, answer, state, &answer.refund_amount, &answer.gmt_refund_pay)
}

fn reversed(inquiry: &Inquiry, answer: &Answer) -> Judged {
    match paid(inquiry, answer) {
        Judged::Told(told) if told.state == State::Refunded => {
            // When it was given back the answer does not say.
            Judged::Told(Told { state: State::Reversed, at: None, ..told })
        }
        other => other,
    }
}

fn told(inquiry: &Inquiry, answer: &Answer, state: State, amount: &str, at: &str) -> Judged {
    let currency = match answer.trans_currency.as_str() {
        "" => Currency::CNY,
        code => Currency::parse(code).unwrap_or(inquiry.currency),
    };
    let amount = money::parse_minor(amount.trim(), currency.digits()).ok();
    let word = if answer.trade_status.is_empty() { &answer.refund_status } else { &answer.trade_status };
    Judged::Told(Told {
        state,
        amount_minor: amount.map(|minor| inquiry.kind.sign() * minor),
        currency,
        at: Moment::parse(at),
        trade_no: shown(&answer.trade_no),
        word: shown(word),
        authentic: true,
    })
}
