//! The verdicts that one log row can lead to (`spec/ttpay.md`, D.5), and the words for them.

use crate::domain::Lang;

/// What one row proves. Nothing here is the state of an order: that is what `fold` makes of all its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// Nothing about money, and nothing was asked that would leave it open.
    Nothing,
    /// Decisive: the provider says that the money came.
    Paid,
    /// The provider says so in passing (ORDERPAID on a retry); the amount is the request's.
    PaidWeak,
    /// Paid by the buyer, held by the provider.
    Held,
    Pending,
    /// Not paid when the provider was asked; it may still be.
    NotYetPaid,
    Unknown,
    /// This attempt failed.
    NotPaid,
    /// The order failed for good.
    NotPaidForGood,
    /// The request never left the gateway, or was refused at the door.
    NotSent,
    NotFound,
    Closed,
    ClosedWeak,
    /// Closed by our own request (`action=close`, close order): it had not been paid.
    ClosedByUs,
    /// Alipay's TRADE_CLOSED: timed out unpaid, or refunded in full.
    ClosedOrRefunded,
    /// The same order number was used for another sale.
    Contradiction,
    Reversed,
    ReversedWeak,
    /// The provider knew nothing that it could reverse.
    NothingToReverse,
    ReverseUnknown,
    ReverseNotSent,
    /// Refunded, or accepted for refund.
    RefundDone,
    /// The provider moved no money this time (`fund_change=N`).
    RefundRepeated,
    RefundPending,
    RefundFailed,
    /// A refund that was accepted came to nothing (REFUNDCLOSE).
    RefundClosed,
    /// Accepted, but a person must finish it (CHANGE).
    RefundAttention,
    RefundUnknown,
}

use Finding as F;

/// Code, Chinese, English.
const WORDS: &[(Finding, &str, &str, &str)] = &[
    (F::Nothing, "nothing", "与资金无关", "says nothing about money"),
    (F::Paid, "paid", "支付成功", "paid"),
    (F::PaidWeak, "paid_weak", "已支付（旁证）", "paid (said in passing)"),
    (F::Held, "held", "已付款，资金冻结", "paid, held by the provider"),
    (F::Pending, "pending", "等待付款", "waiting for the buyer"),
    (F::NotYetPaid, "not_yet_paid", "查询时未支付", "not paid when asked"),
    (F::Unknown, "unknown", "结果未知", "outcome unknown"),
    (F::NotPaid, "not_paid", "本次支付失败", "this attempt failed"),
    (F::NotPaidForGood, "not_paid_for_good", "支付失败", "failed for good"),
    (F::NotSent, "not_sent", "请求未送达", "never reached the provider"),
    (F::NotFound, "not_found", "渠道无此订单", "the provider knows no such order"),
    (F::Closed, "closed", "已关闭", "closed"),
    (F::ClosedWeak, "closed_weak", "已关闭（旁证）", "closed (said in passing)"),
    (F::ClosedByUs, "closed_by_us", "未支付，已关闭", "closed unpaid"),
    (F::ClosedOrRefunded, "closed_or_refunded", "超时关闭或已全额退款", "timed out, or refunded in full"),
    (F::Contradiction, "contradiction", "订单信息不一致", "the order number was used for another sale"),
    (F::Reversed, "reversed", "已撤销", "reversed"),
    (F::ReversedWeak, "reversed_weak", "已撤销（旁证）", "reversed (said in passing)"),
    (F::NothingToReverse, "nothing_to_reverse", "无可撤销", "nothing to reverse"),
    (F::ReverseUnknown, "reverse_unknown", "撤销结果未知", "outcome of the reversal unknown"),
    (F::ReverseNotSent, "reverse_not_sent", "撤销请求未送达", "the reversal never reached the provider"),
    (F::RefundDone, "refund_done", "退款成功", "refunded or accepted"),
    (F::RefundRepeated, "refund_repeated", "重复退款请求，无资金变动", "repeated refund, no money moved"),
    (F::RefundPending, "refund_pending", "退款处理中", "refund in progress"),
    (F::RefundFailed, "refund_failed", "退款失败", "refund failed"),
    (F::RefundClosed, "refund_closed", "退款关闭", "refund closed"),
    (F::RefundAttention, "refund_attention", "退款需人工处理", "refund needs a person"),
    (F::RefundUnknown, "refund_unknown", "退款结果未知", "outcome of the refund unknown"),
];

impl Finding {
    /// A stable code.
    pub fn as_str(self) -> &'static str {
        self.words().1
    }

    pub fn label(self, lang: Lang) -> &'static str {
        let (_, _, chinese, english) = self.words();
        lang.pick(chinese, english)
    }

    fn words(self) -> &'static (Finding, &'static str, &'static str, &'static str) {
        WORDS.iter().find(|(finding, ..)| *finding == self).unwrap_or(&WORDS[0])
    }

    /// Whether a complete field of a broken reply is enough to say this (R-D9).
    pub(super) fn survives_damage(self) -> bool {
        matches!(
            self,
            F::Nothing
                | F::Paid
                | F::PaidWeak
                | F::Held
                | F::Pending
                | F::Unknown
                | F::Contradiction
                | F::Reversed
                | F::ReverseUnknown
                | F::RefundDone
                | F::RefundPending
                | F::RefundAttention
                | F::RefundUnknown
        )
    }

    /// Whether money moved.
    pub fn is_money(self) -> bool {
        matches!(self, F::Paid | F::PaidWeak | F::Held | F::Reversed | F::ReversedWeak | F::RefundDone)
    }

    pub(in crate::paylog) fn is_refund(self) -> bool {
        matches!(
            self,
            F::RefundDone
                | F::RefundRepeated
                | F::RefundPending
                | F::RefundFailed
                | F::RefundClosed
                | F::RefundAttention
                | F::RefundUnknown
        )
    }

    /// Whether it is about the payment itself or its reversal.
    pub(in crate::paylog) fn is_payment(self) -> bool {
        self != F::Nothing && !self.is_refund()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_its_own_words() {
        for (index, (finding, code, ..)) in WORDS.iter().enumerate() {
            assert_eq!(finding.as_str(), *code);
            assert_eq!(*finding as usize, index, "{code} stands at the place of its finding");
        }
        assert_eq!(WORDS.len(), Finding::RefundUnknown as usize + 1);
        assert!(!Finding::NotPaid.survives_damage() && !Finding::Closed.survives_damage());
    }
}
