//! The words for disagreement. Neutral by side: 长款/短款 point both ways in use (contract, section 5).

use super::{Lang, State};

/// Kinds in the order of the contract's table: the first that applies is a mismatch's kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum MismatchKind {
    DuplicateRow,
    DoublePayment,
    CurrencyMismatch,
    LostConfirmation,
    StatusMismatch,
    AmountMismatch,
    AccountMismatch,
    FeeMismatch,
    ChannelOnly,
    GatewayOnly,
}

impl MismatchKind {
    pub const ALL: [MismatchKind; 10] = [
        MismatchKind::DuplicateRow,
        MismatchKind::DoublePayment,
        MismatchKind::CurrencyMismatch,
        MismatchKind::LostConfirmation,
        MismatchKind::StatusMismatch,
        MismatchKind::AmountMismatch,
        MismatchKind::AccountMismatch,
        MismatchKind::FeeMismatch,
        MismatchKind::ChannelOnly,
        MismatchKind::GatewayOnly,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            MismatchKind::DuplicateRow => "duplicate_row",
            MismatchKind::DoublePayment => "double_payment",
            MismatchKind::CurrencyMismatch => "currency_mismatch",
            MismatchKind::LostConfirmation => "lost_confirmation",
            MismatchKind::StatusMismatch => "status_mismatch",
            MismatchKind::AmountMismatch => "amount_mismatch",
            MismatchKind::AccountMismatch => "account_mismatch",
            MismatchKind::FeeMismatch => "fee_mismatch",
            MismatchKind::ChannelOnly => "channel_only",
            MismatchKind::GatewayOnly => "gateway_only",
        }
    }

    pub fn parse(text: &str) -> Option<MismatchKind> {
        MismatchKind::ALL.into_iter().find(|k| k.as_str() == text)
    }

    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            MismatchKind::DuplicateRow => lang.pick("重复记录", "duplicate row"),
            MismatchKind::DoublePayment => lang.pick("重复支付", "double payment"),
            MismatchKind::CurrencyMismatch => lang.pick("币种不符", "currency mismatch"),
            MismatchKind::LostConfirmation => lang.pick("掉单", "lost confirmation"),
            MismatchKind::StatusMismatch => lang.pick("状态不符", "status mismatch"),
            MismatchKind::AmountMismatch => lang.pick("金额不符", "amount mismatch"),
            MismatchKind::AccountMismatch => lang.pick("商户不符", "account mismatch"),
            MismatchKind::FeeMismatch => lang.pick("手续费不符", "fee mismatch"),
            MismatchKind::ChannelOnly => lang.pick("渠道多账", "channel only"),
            MismatchKind::GatewayOnly => lang.pick("网关多账", "gateway only"),
        }
    }
}

/// Why something is a mismatch, as a value; `report::words` says it in a person's language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The same transaction stands in `rows` lines of the statement.
    DuplicateRow {
        rows: usize,
    },
    /// `trades` transactions under one order number.
    DoublePayment {
        trades: usize,
    },
    /// The statement's transaction is another one than the log's.
    OtherTrade {
        gateway: String,
        channel: String,
    },
    Currency {
        gateway: String,
        channel: String,
    },
    /// The statement has it; the log has it only in this state.
    LostConfirmation {
        gateway: State,
    },
    Status {
        gateway: State,
        channel: State,
    },
    Amount,
    ChannelOnly,
    GatewayOnly,
    /// The provider says there is no bill for a day on which the log holds successes.
    NoBill,
    /// Found in the statement of a neighbouring day.
    OtherDay {
        day: super::BillDate,
    },
    /// Found in the statement of another account.
    OtherAccount {
        account: String,
    },
    /// The log contradicts itself about this order.
    LogConflict,
    /// The request's amount and the provider's reply differ in the log itself.
    LogFeeDiffers,
    /// An order of the same amount, till and account within ten minutes: perhaps one purchase charged twice.
    MaybeTwice {
        other: String,
    },
}
