//! What can be planted: each fault is one disagreement, of one kind of the contract's section 5.

use super::story::{Path, RefundPath};
use super::town::{Family, SimAccount};
use crate::domain::{EntryKind, MismatchKind};

/// A planted disagreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The payment's line stands twice in the statement.
    DuplicatePayment,
    DuplicateRefund,
    DuplicateReversal,
    /// Two transactions under one order number; the log knows one.
    DoublePayment,
    /// WeChat's statement has the payment in another currency than the log; Alipay's has no column for it, there the
    /// log is the one that says so.
    Currency,
    /// The customer typed the password after the till had given up.
    LostPending,
    /// The provider answered "system error", and nobody asked again.
    LostUnknown,
    /// The log says that the customer could not pay.
    LostFailed,
    /// The provider's reply never arrived.
    LostNoReply,
    LostRefund,
    LostReversal,
    /// The log says paid; the channel reversed it.
    ChannelReversed,
    /// The log says reversed; for the channel it is still paid.
    LogReversed,
    AmountPayment,
    AmountRefund,
    ChannelOnlyPayment,
    ChannelOnlyRefund,
    GatewayOnlyPayment,
    GatewayOnlyRefund,
}

impl Fault {
    /// In planting order: the first eight are of eight kinds.
    pub const ALL: [Fault; 19] = [
        Fault::AmountPayment,
        Fault::ChannelOnlyPayment,
        Fault::GatewayOnlyPayment,
        Fault::LostPending,
        Fault::DuplicatePayment,
        Fault::ChannelReversed,
        Fault::DoublePayment,
        Fault::Currency,
        Fault::AmountRefund,
        Fault::ChannelOnlyRefund,
        Fault::GatewayOnlyRefund,
        Fault::LostUnknown,
        Fault::DuplicateRefund,
        Fault::LogReversed,
        Fault::LostFailed,
        Fault::LostRefund,
        Fault::LostNoReply,
        Fault::DuplicateReversal,
        Fault::LostReversal,
    ];

    /// The kind that finance must read.
    pub fn kind(self) -> MismatchKind {
        match self {
            Fault::DuplicatePayment | Fault::DuplicateRefund | Fault::DuplicateReversal => {
                MismatchKind::DuplicateRow
            }
            Fault::DoublePayment => MismatchKind::DoublePayment,
            Fault::Currency => MismatchKind::CurrencyMismatch,
            Fault::LostPending
            | Fault::LostUnknown
            | Fault::LostFailed
            | Fault::LostNoReply
            | Fault::LostRefund
            | Fault::LostReversal => MismatchKind::LostConfirmation,
            Fault::ChannelReversed | Fault::LogReversed => MismatchKind::StatusMismatch,
            Fault::AmountPayment | Fault::AmountRefund => MismatchKind::AmountMismatch,
            Fault::ChannelOnlyPayment | Fault::ChannelOnlyRefund => MismatchKind::ChannelOnly,
            Fault::GatewayOnlyPayment | Fault::GatewayOnlyRefund => MismatchKind::GatewayOnly,
        }
    }

    pub fn entry(self) -> EntryKind {
        match self {
            Fault::DuplicateRefund
            | Fault::LostRefund
            | Fault::AmountRefund
            | Fault::ChannelOnlyRefund
            | Fault::GatewayOnlyRefund => EntryKind::Refund,
            Fault::DuplicateReversal | Fault::LostReversal | Fault::ChannelReversed | Fault::LogReversed => {
                EntryKind::Reversal
            }
            Fault::DuplicatePayment
            | Fault::DoublePayment
            | Fault::Currency
            | Fault::LostPending
            | Fault::LostUnknown
            | Fault::LostFailed
            | Fault::LostNoReply
            | Fault::AmountPayment
            | Fault::ChannelOnlyPayment
            | Fault::GatewayOnlyPayment => EntryKind::Payment,
        }
    }

    /// How it was planted, for a person.
    pub fn reason(self) -> &'static str {
        match self {
            Fault::DuplicatePayment => "the payment's line stands twice in the statement",
            Fault::DuplicateRefund => "the refund's line stands twice in the statement",
            Fault::DuplicateReversal => "the reversal's line stands twice in the statement",
            Fault::DoublePayment => "the customer was charged twice under one order number",
            Fault::Currency => "log and statement have it in different currencies",
            Fault::LostPending => "the log stops while the customer was typing the password",
            Fault::LostUnknown => "the provider answered with a system error and was not asked again",
            Fault::LostFailed => "the log says that the customer could not pay",
            Fault::LostNoReply => "no reply to the payment was logged",
            Fault::LostRefund => "the log could not confirm the refund",
            Fault::LostReversal => "the log could not confirm the reversal",
            Fault::ChannelReversed => "the log says paid, the channel reversed it",
            Fault::LogReversed => "the log says reversed, the channel still holds it as paid",
            Fault::AmountPayment => "the statement has another amount for the payment",
            Fault::AmountRefund => "the statement has another amount for the refund",
            Fault::ChannelOnlyPayment => "the log has no row of this payment",
            Fault::ChannelOnlyRefund => "the log has no row of this refund",
            Fault::GatewayOnlyPayment => "the payment is missing in the statement",
            Fault::GatewayOnlyRefund => "the refund is missing in the statement",
        }
    }

    /// Whether this account's provider can show it. Alipay's bill has no reversals of its own kind (they are refunds),
    /// its old ledger is in one currency, and the file from abroad has no transaction numbers to tell two payments of
    /// one order apart. Who is asked order by order shows nothing that only a statement could; Teegon shows no
    /// amounts either, and nothing of an order whose reply (with the charge id) was lost.
    pub(super) fn fits(self, account: &SimAccount) -> bool {
        let wechat_only =
            matches!(self, Fault::DuplicateReversal | Fault::LostReversal | Fault::ChannelReversed);
        match account.family() {
            Family::Alipay20 => !wechat_only,
            Family::Alipay10 => !wechat_only && self != Fault::Currency,
            Family::AlipayOverseas => {
                !wechat_only && !matches!(self, Fault::LogReversed | Fault::DoublePayment)
            }
            Family::Tianta => matches!(
                self,
                Fault::AmountPayment
                    | Fault::AmountRefund
                    | Fault::GatewayOnlyPayment
                    | Fault::GatewayOnlyRefund
                    | Fault::LostPending
                    | Fault::LostUnknown
                    | Fault::LostFailed
                    | Fault::LostNoReply
                    | Fault::LostRefund
            ),
            Family::Teegon => matches!(self, Fault::GatewayOnlyPayment | Fault::LostPending),
            Family::Wechat | Family::WechatOverseas => true,
        }
    }

    /// The path that the order of this fault takes.
    pub(super) fn path(self) -> Path {
        match self {
            Fault::LostPending => Path::LostPending,
            Fault::LostUnknown => Path::LostUnknown,
            Fault::LostFailed => Path::LostFailed,
            Fault::LostNoReply => Path::LostNoReply,
            Fault::LostReversal => Path::LostReversal,
            Fault::LogReversed | Fault::DuplicateReversal => Path::ReversedPaid,
            Fault::ChannelOnlyPayment => Path::Unlogged,
            Fault::DuplicatePayment
            | Fault::DuplicateRefund
            | Fault::DoublePayment
            | Fault::Currency
            | Fault::LostRefund
            | Fault::ChannelReversed
            | Fault::AmountPayment
            | Fault::AmountRefund
            | Fault::ChannelOnlyRefund
            | Fault::GatewayOnlyPayment
            | Fault::GatewayOnlyRefund => Path::Plain,
        }
    }

    /// The path of the order's refund, if the fault is one of a refund.
    pub(super) fn refund_path(self, story: u32) -> Option<RefundPath> {
        match self {
            Fault::DuplicateRefund | Fault::AmountRefund | Fault::GatewayOnlyRefund => Some(RefundPath::Done),
            Fault::ChannelOnlyRefund => Some(RefundPath::Unlogged),
            Fault::LostRefund if story.is_multiple_of(2) => Some(RefundPath::LostFailed),
            Fault::LostRefund => Some(RefundPath::LostUnknown),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_first_eight_are_of_eight_kinds() {
        let kinds: BTreeSet<MismatchKind> = Fault::ALL[..8].iter().map(|f| f.kind()).collect();
        assert_eq!(kinds.len(), 8, "every kind but fee_mismatch and account_mismatch");
        let all: BTreeSet<Fault> = Fault::ALL.into_iter().collect();
        assert_eq!(all.len(), Fault::ALL.len());
    }
}
