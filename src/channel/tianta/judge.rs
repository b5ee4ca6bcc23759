//! What TianTa's replies mean.
//!
//! What a wallet's own word means stands in `paylog` (the tables of `spec/ttpay.md`, D.5), and only there.

use crate::channel::json::{self, Object};
use crate::channel::{Exhausted, Heard, Inquiry, Judged, Told, address, shown, unless_ok};
use crate::domain::{Currency, EntryKind, Moment, State, money};
use crate::format::unpack;
use crate::paylog::{self, Finding};

/// One reply, understood.
enum Said {
    /// The wallet's own word about the order.
    Word(Told),
    NotFound,
    /// Nothing that names a state: a failure without a code that is known, or a success without a state.
    Open(String),
    End(Judged),
}

/// Codes and words that say that a wallet does not know the order; all else proves nothing.
const NOT_FOUND: &[&str] =
    &["ORDERNOTEXIST", "TRADE_NOT_EXIST", "REFUNDNOTEXIST", "订单不存在", "交易不存在", "order not exist"];
/// A wallet that could not look: asked again, it may.
const PASSING: &[&str] = &["SYSTEMERROR", "SYSTEM_ERROR", "ACQ.SYSTEM_ERROR"];
/// The service turns *us* away.
const OURS: &[&str] = &["签名", "signature", "sign error", "user_token"];

/// Whether there is a reason to ask in another way.
pub(super) fn leaves_open(inquiry: &Inquiry, heard: &Heard) -> bool {
    matches!(said(inquiry, heard), Said::NotFound | Said::Open(_))
}

pub(super) fn judge(inquiry: &Inquiry, heard: &[Heard]) -> Judged {
    if heard.is_empty() {
        let what = match inquiry.kind {
            EntryKind::Refund if inquiry.refund_no.is_empty() => "the refund was logged without its number",
            _ => "neither our order number nor the wallet's is known",
        };
        return Judged::Unaskable(what.into());
    }
    let mut open = None;
    for reply in heard {
        match said(inquiry, reply) {
            Said::Word(told) => return Judged::Told(told),
            Said::End(judged) => return judged,
            Said::Open(word) => open = open.or(Some(word)),
            Said::NotFound => {}
        }
    }
    match open {
        Some(word) => Judged::Told(told(inquiry, State::Unknown, word)),
        None => Judged::NotFound,
    }
}

fn told(inquiry: &Inquiry, state: State, word: String) -> Told {
    let url = address::own(&inquiry.account, "http://");
    Told {
        state,
        amount_minor: None,
        currency: Currency::CNY,
        at: None,
        trade_no: String::new(),
        word,
        // Nothing in a reply is signed; only https would tell who sent it.
        authentic: url.starts_with("https://"),
    }
}

fn said(inquiry: &Inquiry, heard: &Heard) -> Said {
    if let Some(step) = unless_ok(heard) {
        return Said::End(step.into());
    }
    let again = |what: &str| {
        Said::End(Judged::Again {
            why: format!("{} answered {what} where JSON is expected", heard.source),
            when_exhausted: Exhausted::Rejected,
            at_least_seconds: 0,
        })
    };
    let Some(raw) = heard.whole() else { return again("more than a reply can be") };
    match json::object(&unpack::reply_text(raw)) {
        Some(top) => Reply::new(top).said(inquiry),
        None if heard.looks_like_markup() => again("a page (HTML or XML)"),
        None => again("something else"),
    }
}

/// A reply with the wallet's own object found in it.
struct Reply {
    /// The service's: `code`, `respType`, `msg`.
    outer: Object,
    /// The wallet's: flat beside them (WeChat), or in `response` (Alipay).
    wallet: Object,
}

impl Reply {
    fn new(top: Object) -> Reply {
        let outer = top.inner("content").unwrap_or(top);
        let wallet = outer.inner("response").unwrap_or_else(|| outer.clone());
        Reply { outer, wallet }
    }

    fn said(&self, inquiry: &Inquiry) -> Said {
        let answered = self.outer.word("code") == "1"
            && ["", "success"].contains(&self.outer.word("resptype").to_ascii_lowercase().as_str());
        let texts = self.texts();
        let has = |words: &[&str]| {
            words
                .iter()
                .any(|word| texts.iter().any(|text| text.to_lowercase().contains(&word.to_lowercase())))
        };
        if !answered && has(NOT_FOUND) {
            return Said::NotFound;
        }
        if !answered && has(OURS) {
            return Said::End(Judged::Refused(format!(
                "TianTa refuses the question: {}; check `key`, `merchant` (user_token) and `version` of account `{}`",
                self.word(),
                inquiry.account.name
            )));
        }
        let code = self.outer.word("code");
        if !answered && texts.iter().chain([&code]).any(|text| PASSING.contains(text)) {
            return Said::End(Judged::Again {
                why: format!("TianTa could not look: {}", self.word()),
                when_exhausted: Exhausted::Passing,
                at_least_seconds: 0,
            });
        }
        if !answered {
            return Said::Open(self.word());
        }
        if let Some(why) = self.of_another(inquiry) {
            return Said::End(Judged::Rejected(why));
        }
        match inquiry.kind {
            EntryKind::Refund => self.refund(inquiry),
            EntryKind::Payment | EntryKind::Reversal => self.payment(inquiry),
        }
    }

    /// Everything that explains a failure.
    fn texts(&self) -> Vec<&str> {
        const NAMES: [&str; 9] = [
            "sub_code",
            "err_code",
            "status_code",
            "error_code",
            "sub_msg",
            "err_code_des",
            "return_msg",
            "status_msg",
            "msg",
        ];
        let both = [&self.wallet, &self.outer];
        let texts = both.into_iter().flat_map(|object| NAMES.iter().map(|name| object.word(name)));
        texts.filter(|text| !text.is_empty()).collect()
    }

    /// What is shown of a reply without a state.
    fn word(&self) -> String {
        let code = self.outer.word("code");
        let text = self.texts().first().copied().unwrap_or("without a state").to_owned();
        shown(&format!("code {} {text}", if code.is_empty() { "-" } else { code }))
    }

    /// The answer names another order, or another refund.
    fn of_another(&self, inquiry: &Inquiry) -> Option<String> {
        let order = self.wallet.word("out_trade_no");
        if !order.is_empty() && !inquiry.order_no.is_empty() && order != inquiry.order_no {
            let (found, asked) = (shown(order), &inquiry.order_no);
            return Some(format!("TianTa answers for order {found}, and {asked} was asked about"));
        }
        let trade = self.trade_no();
        if order.is_empty() && !inquiry.trade_no.is_empty() && !trade.is_empty() && trade != inquiry.trade_no
        {
            let (found, asked) = (shown(trade), &inquiry.trade_no);
            return Some(format!("TianTa answers for transaction {found}, and {asked} was asked about"));
        }
        None
    }

    fn trade_no(&self) -> &str {
        self.wallet.first(&["transaction_id", "trade_no"])
    }

    fn payment(&self, inquiry: &Inquiry) -> Said {
        let word = self.wallet.first(&["trade_state", "trade_status"]);
        if word.is_empty() {
            return Said::Open(self.word());
        }
        let finding = paylog::judge_word(EntryKind::Payment, word);
        let amount = self.amount(&["total_fee"], &["total_amount"]);
        let at = Moment::parse_compact(self.wallet.word("time_end"))
            .or_else(|| Moment::parse(self.wallet.first(&["send_pay_date", "gmt_payment"])));
        Said::Word(Told {
            amount_minor: amount.map(|minor| inquiry.kind.sign() * minor),
            at: at.filter(|_| finding == Finding::Paid),
            trade_no: self.trade_no().to_owned(),
            ..told(inquiry, finding.state(), shown(word))
        })
    }

    /// A refund: the wallet's state of it, or an amount that was given back, is what proves it.
    fn refund(&self, inquiry: &Inquiry) -> Said {
        let Some(index) = self.refund_index(&inquiry.refund_no) else {
            let why = format!("TianTa answers for another refund than {}", inquiry.refund_no);
            return Said::End(Judged::Rejected(why));
        };
        let numbered = |name: &str| self.wallet.word(&format!("{name}{index}")).to_owned();
        let amount = money::parse_integer(&numbered("refund_fee")).ok();
        let amount = amount.or_else(|| self.amount(&[], &["send_back_fee", "refund_amount"]));
        let word = numbered("refund_status");
        let state = match (word.as_str(), amount) {
            ("", Some(minor)) if minor > 0 => State::Refunded,
            // Alipay answers so for a refund that it does not have (`spec/ttpay.md` D.5, REFUND_QUERY).
            ("", None) if self.wallet.word("code") == "10000" => return Said::NotFound,
            ("", _) => return Said::Open(self.word()),
            (word, _) => paylog::judge_word(EntryKind::Refund, word).state(),
        };
        let at = Moment::parse(&numbered("refund_success_time"))
            .or_else(|| Moment::parse(self.wallet.word("gmt_refund_pay")));
        let word = if word.is_empty() { self.outer.word("resptype").to_owned() } else { word };
        Said::Word(Told {
            amount_minor: amount.map(|minor| -minor),
            at,
            trade_no: self.trade_no().to_owned(),
            ..told(inquiry, state, shown(&word))
        })
    }

    /// Where the asked refund stands: WeChat lists refunds as `out_refund_no_0`, …; a single one has no index.
    fn refund_index(&self, refund_no: &str) -> Option<String> {
        /// WeChat allows 50 refunds of one payment.
        const LISTED_MAX: u8 = 50;
        let single = self.wallet.first(&["out_refund_no", "out_request_no"]);
        if single == refund_no {
            return Some(String::new());
        }
        let listed = (0..LISTED_MAX).map(|index| format!("_{index}"));
        let mut named = listed.filter(|index| !self.wallet.word(&format!("out_refund_no{index}")).is_empty());
        let nameless = single.is_empty() && named.clone().next().is_none();
        if nameless {
            return Some(String::new());
        }
        named.find(|index| self.wallet.word(&format!("out_refund_no{index}")) == refund_no)
    }

    /// The unit goes by the field's name: WeChat's are fen, Alipay's are yuan (R110). What is no amount is none.
    fn amount(&self, fen: &[&str], yuan: &[&str]) -> Option<i64> {
        let fen = money::parse_integer(self.wallet.first(fen)).ok();
        fen.or_else(|| money::parse_minor(self.wallet.first(yuan), 2).ok()).filter(|minor| *minor >= 0)
    }
}
