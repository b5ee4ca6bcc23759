//! A provider's reply outside the log: what it says of an order that was asked about.
//!
//! The same tables as for the log, so that a word means the same wherever it comes from. Never folds: one reply, one
//! answer. Source: `spec/ttpay.md`, D.5.

use super::decode::decode;
use super::evidence::{self, Action, Asked, Finding, Slot, fields};
use crate::domain::{Currency, EntryKind, Moment, State};

/// What one reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub finding: Finding,
    /// Empty where the reply does not tell.
    pub order_no: String,
    pub trade_no: String,
    pub refund_no: String,
    /// Gross and positive: of the payment, or of the refund, as the finding says.
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    pub provider_at: Option<Moment>,
    /// The provider's own word for the state, or for why there is none.
    pub word: String,
}

/// Where a reply has its word, the most telling first.
const WORDS: [Slot; 9] = [
    Slot::TradeState,
    Slot::TradeStatus,
    Slot::ErrCode,
    Slot::SubCode,
    Slot::DetailErrorCode,
    Slot::Error,
    Slot::ResultCode,
    Slot::ReturnCode,
    Slot::Code,
];

/// Reads a provider's whole reply (XML or JSON, also as base64) to a question named as in REQ_ACTION
/// (`orderquery`). A reply of no known family is [`Finding::Unknown`].
pub fn judge_reply(action: &str, reply: &str) -> Answer {
    let (mut buffer, mut body) = (String::new(), String::new());
    let heard = decode(reply, &mut buffer, false);
    let fields = fields::read(heard.text, heard.shape, &mut body);
    let damaged = fields.flaws.damaged || heard.cut;
    let asked = Asked { action: Action::parse(action), damaged, currency: Currency::CNY };
    let evidence = evidence::judge(&fields, asked);
    Answer {
        finding: evidence.finding,
        order_no: evidence.order_no.into_owned(),
        trade_no: evidence.trade_no.into_owned(),
        refund_no: evidence.refund_no.into_owned(),
        amount_minor: evidence.amount_minor,
        currency: evidence.currency,
        provider_at: evidence.provider_at,
        word: fields.first(&WORDS).into_owned(),
    }
}

/// What a provider's bare word for a state means (`SUCCESS`, `TRADE_CLOSED`, `REFUNDCLOSE`); a word that no table lists
/// is [`Finding::Unknown`].
pub fn judge_word(kind: EntryKind, word: &str) -> Finding {
    match kind {
        EntryKind::Refund => evidence::refund_word(word).unwrap_or(Finding::RefundUnknown),
        EntryKind::Payment | EntryKind::Reversal => evidence::state_word(word).unwrap_or(Finding::Unknown),
    }
}

impl Finding {
    /// The state of the movement that was asked about, when this is the last that is known of it. What was not paid when
    /// asked may still be, and is pending.
    pub fn state(self) -> State {
        match self {
            Finding::Paid | Finding::PaidWeak => State::Paid,
            Finding::Held => State::Held,
            Finding::Pending | Finding::NotYetPaid | Finding::RefundPending => State::Pending,
            Finding::NotPaid | Finding::NotPaidForGood | Finding::NotSent => State::Failed,
            Finding::RefundFailed | Finding::RefundClosed => State::Failed,
            Finding::Closed | Finding::ClosedWeak | Finding::ClosedByUs | Finding::ClosedOrRefunded => {
                State::Closed
            }
            Finding::Reversed | Finding::ReversedWeak => State::Reversed,
            Finding::RefundDone => State::Refunded,
            Finding::Nothing
            | Finding::Unknown
            | Finding::NotFound
            | Finding::Contradiction
            | Finding::NothingToReverse
            | Finding::ReverseUnknown
            | Finding::ReverseNotSent
            | Finding::RefundRepeated
            | Finding::RefundAttention
            | Finding::RefundUnknown => State::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::money;

    #[test]
    fn replies_to_an_order_query() {
        for (reply, expected) in [
            (
                "<xml><return_code><![CDATA[SUCCESS]]></return_code><result_code>SUCCESS</result_code>\
                 <trade_state>SUCCESS</trade_state><out_trade_no>A1</out_trade_no><total_fee>100</total_fee>\
                 <transaction_id>42</transaction_id><time_end>20161108093403</time_end></xml>",
                "paid A1 42 1.00 2016-11-08 09:34:03 SUCCESS",
            ),
            (
                "<xml><return_code>SUCCESS</return_code><result_code>FAIL</result_code>\
                 <err_code>ORDERNOTEXIST</err_code></xml>",
                "not_found   - - ORDERNOTEXIST",
            ),
            (
                r#"{"alipay_trade_query_response":{"code":"10000","trade_status":"TRADE_SUCCESS","out_trade_no":"B1",
                    "trade_no":"2016","total_amount":"1.00","send_pay_date":"2016-11-08 09:34:03"}}"#,
                "paid B1 2016 1.00 2016-11-08 09:34:03 TRADE_SUCCESS",
            ),
            (
                "<alipay><is_success>T</is_success><response><alipay><result_code>SUCCESS</result_code>\
                 <trade_status>TRADE_CLOSED</trade_status><out_trade_no>C1</out_trade_no></alipay></response></alipay>",
                "closed_or_refunded C1  - - TRADE_CLOSED",
            ),
            (
                "<alipay><is_success>F</is_success><error>TRADE_NOT_EXIST</error></alipay>",
                "not_found   - - TRADE_NOT_EXIST",
            ),
            ("<html>busy</html>", "unknown   - - "),
            ("", "unknown   - - "),
        ] {
            let told = judge_reply("orderquery", reply);
            let amount = told.amount_minor.map_or("-".into(), |minor| money::major(minor, 2));
            let at = told.provider_at.map_or("-".into(), |at| at.to_string());
            let text = format!(
                "{} {} {} {amount} {at} {}",
                told.finding.as_str(),
                told.order_no,
                told.trade_no,
                told.word
            );
            assert_eq!(text, expected, "{reply}");
        }
    }

    #[test]
    fn a_word_alone() {
        use EntryKind::{Payment, Refund};
        for (kind, word, state) in [
            (Payment, "SUCCESS", State::Paid),
            (Payment, "REFUND", State::Paid),
            (Payment, "TRADE_FINISHED", State::Paid),
            (Payment, "USERPAYING", State::Pending),
            (Payment, "NOTPAY", State::Pending),
            (Payment, "PAYERROR", State::Failed),
            (Payment, "REVOKED", State::Reversed),
            (Payment, "TRADE_CLOSED", State::Closed),
            (Payment, "CLOSED", State::Closed),
            (Payment, "success", State::Unknown),
            (Refund, "SUCCESS", State::Refunded),
            (Refund, "REFUND_SUCCESS", State::Refunded),
            (Refund, "PROCESSING", State::Pending),
            (Refund, "REFUNDCLOSE", State::Failed),
            (Refund, "CHANGE", State::Unknown),
            (Refund, "", State::Unknown),
        ] {
            assert_eq!(judge_word(kind, word).state(), state, "{kind:?} {word}");
        }
    }
}
