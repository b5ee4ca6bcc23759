//! One order or one refund (`pay/orderquery`, `pay/refundquery`): what to ask, and what the signed answer means.
//!
//! Source: `spec/wechat.md` 5, 5.1, 5.2. A refund that was logged without a number is looked for among those of its
//! order, and told only if it is the one of its amount.

use super::ask::{key, post, sign_type};
use crate::channel::{Ask, Exhausted, Heard, Inquiry, Judged, Told, shown, sign, unless_ok, wechat, xml};
use crate::domain::{Currency, EntryKind, Moment, Stamp, State, money};

/// Refunds of one order that are looked at: WeChat allows fifty.
const REFUNDS_MAX: usize = 50;

pub(in crate::channel) fn ask(inquiry: &Inquiry, heard: &[Heard], stamp: &Stamp) -> Option<Ask> {
    let account = &inquiry.account;
    if !heard.is_empty() {
        return None;
    }
    let by_order = || match (inquiry.order_no.as_str(), inquiry.trade_no.as_str()) {
        ("", "") => None,
        ("", trade_no) => Some(("transaction_id", trade_no)),
        (order_no, _) => Some(("out_trade_no", order_no)),
    };
    let (path, by) = match inquiry.kind {
        EntryKind::Refund if !inquiry.refund_no.is_empty() => {
            ("/pay/refundquery", ("out_refund_no", inquiry.refund_no.as_str()))
        }
        EntryKind::Refund => ("/pay/refundquery", by_order()?),
        EntryKind::Payment | EntryKind::Reversal => ("/pay/orderquery", by_order()?),
    };
    let params = vec![by, ("sub_mch_id", account.option("sub_merchant"))];
    Some(post(account, path, stamp, (params, sign_type(account))).into())
}

pub(in crate::channel) fn judge(inquiry: &Inquiry, heard: &[Heard]) -> Judged {
    let Some(reply) = heard.first() else {
        return Judged::Unaskable("it has no number that WeChat could know it by".into());
    };
    let again = |why: String, when_exhausted| Judged::Again { why, when_exhausted, at_least_seconds: 0 };
    if let Some(step) = unless_ok(reply) {
        return step.into();
    }
    let Some(fields) = reply.whole().and_then(xml::flat) else {
        return again(format!("{} answered no XML", reply.source), Exhausted::Rejected);
    };
    let answer = Answer { inquiry, fields: &fields };
    match answer.field("return_code") {
        "SUCCESS" => answer.believed(),
        code => {
            let said = wechat::said(code, answer.field("return_msg"));
            match code {
                "SYSTEMERROR" => again(said, Exhausted::Passing),
                _ => Judged::Refused(said),
            }
        }
    }
}

struct Answer<'a> {
    inquiry: &'a Inquiry,
    fields: &'a [(String, String)],
}

impl<'a> Answer<'a> {
    fn field(&self, name: &str) -> &'a str {
        xml::field(self.fields, name)
    }

    fn minor(&self, name: &str) -> Option<i64> {
        let minor = money::parse_integer(self.field(name)).ok()?;
        wechat::signed(self.inquiry.kind, minor)
    }

    /// A transported answer: its signature first, then what it says.
    fn believed(&self) -> Judged {
        let account = &self.inquiry.account;
        if !sign::wechat_verifies(self.fields, &key(account), sign_type(account)) {
            return Judged::Rejected(
                "the signature of WeChat's reply does not verify: `key` or `sign_type` is another one, or the reply \
                 was changed on the way"
                    .into(),
            );
        }
        let merchant = self.field("mch_id");
        if !merchant.is_empty() && merchant != account.merchant {
            return Judged::Rejected(format!("WeChat answered about merchant {}", shown(merchant)));
        }
        match (self.field("result_code"), self.field("err_code")) {
            ("SUCCESS", _) if self.inquiry.kind == EntryKind::Refund => self.refund(),
            ("SUCCESS", _) => self.payment(),
            (_, "ORDERNOTEXIST" | "REFUNDNOTEXIST") => Judged::NotFound,
            (_, code) => self.failure(code),
        }
    }

    fn failure(&self, code: &str) -> Judged {
        let why = wechat::said(code, self.field("err_code_des"));
        match code {
            "SYSTEMERROR" | "BIZERR_NEED_RETRY" | "FREQUENCY_LIMITED" => {
                Judged::Again { why, when_exhausted: Exhausted::Passing, at_least_seconds: 0 }
            }
            "INVALID_TRANSACTIONID" | "PARAM_ERROR" => Judged::Unaskable(why),
            _ => Judged::Refused(why),
        }
    }

    fn told(&self, state: State, word: &str, amount: &str, at: Option<Moment>) -> Judged {
        let currency = match self.field("fee_type") {
            "" => Ok(self.inquiry.currency),
            code => Currency::parse(code),
        };
        match currency {
            Ok(currency) => Judged::Told(Told {
                state,
                amount_minor: self.minor(amount),
                currency,
                at,
                trade_no: self.field("transaction_id").to_owned(),
                word: shown(word),
                authentic: true,
            }),
            Err(error) => Judged::Rejected(error.to_string()),
        }
    }

    fn payment(&self) -> Judged {
        let (asked, name) = match self.inquiry.order_no.as_str() {
            "" => (self.inquiry.trade_no.as_str(), "transaction_id"),
            order_no => (order_no, "out_trade_no"),
        };
        if self.field(name) != asked {
            return Judged::Rejected("WeChat answered about another order".into());
        }
        let word = self.field("trade_state");
        self.told(wechat::trade_state(word), word, "total_fee", Moment::parse_compact(self.field("time_end")))
    }

    /// The refund of that number; without one, the only refund of that amount.
    fn refund(&self) -> Judged {
        let place = |name: &str, at: usize| self.field(&format!("{name}_{at}"));
        let amount = |at: usize| self.minor(&format!("refund_fee_{at}"));
        let listed = (0..REFUNDS_MAX).take_while(|at| !place("out_refund_no", *at).is_empty());
        let fits = |at: &usize| match self.inquiry.refund_no.as_str() {
            "" => self.inquiry.amount_minor.is_some() && amount(*at) == self.inquiry.amount_minor,
            refund_no => place("out_refund_no", *at) == refund_no,
        };
        let found: Vec<usize> = listed.filter(fits).collect();
        let [at] = found.as_slice() else {
            return match (found.len(), self.inquiry.refund_no.is_empty()) {
                (0, true) => Judged::NotFound,
                (_, true) => Judged::Unaskable("several refunds of its order have its amount".into()),
                (_, false) => Judged::Rejected("WeChat answered about another refund".into()),
            };
        };
        let word = place("refund_status", *at);
        let done = Moment::parse(place("refund_success_time", *at));
        self.told(wechat::refund_state(word), word, &format!("refund_fee_{at}"), done)
    }
}
