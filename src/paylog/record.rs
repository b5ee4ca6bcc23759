//! What is kept of a log row: a record of numbers, and the texts that name its order in one arena.
//!
//! Nothing of the raw messages stays. A record is 56 bytes, its texts about 50.

use crate::domain::{Currency, Moment, Note};

use super::evidence::{Action, Finding};
use super::wallet::Wallet;

/// Identifiers are at most 64 characters at every provider; a longer "identifier" is damage.
pub(super) const IDENTIFIER_MAX: usize = 128;

/// Flags of a record beside the notes that it shares with [`Note`].
pub(super) const CUMULATIVE: u16 = 1 << 12;
pub(super) const TRADE_FROM_REPLY: u16 = 1 << 13;
/// The reply states the order number; it is the OutID unless it is kept beside it.
pub(super) const ORDER_FROM_REPLY: u16 = 1 << 15;
/// One more refund of a row that tells of several; the row itself is counted elsewhere.
pub(super) const LISTED: u16 = 1 << 14;

/// A stored notification, and no row of the log.
pub(super) const NOTICE: u16 = 1 << 3;
/// The wallet, and whether the reply told it or only the payment code.
const WALLET_WECHAT: u16 = 1;
const WALLET_ALIPAY: u16 = 1 << 1;
const WALLET_TOLD: u16 = 1 << 2;

/// "No amount" in a record.
const NO_AMOUNT: i64 = i64::MIN;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub row_id: i64,
    fee_minor: i64,
    amount_minor: i64,
    at: u32,
    provider_at: u32,
    finished_at: u32,
    pub text_start: u32,
    /// Index in the gatherer's places.
    pub place: u32,
    pub lengths: Lengths,
    pub action: Action,
    pub finding: Finding,
    pub currency: Currency,
    pub flags: u16,
}

const _: () = assert!(size_of::<Record>() <= 56, "a record is 56 bytes");

/// Lengths of a record's texts; they stand one after the other in the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lengths {
    /// The request's OutID.
    pub out_id: u8,
    /// The reply's own order number; empty if it is the OutID.
    pub order: u8,
    pub trade: u8,
    pub refund: u8,
    /// The request's serial; kept for refunds only, where it tells a row logged twice from a second refund.
    pub crc: u8,
}

/// A time that fits a record: seconds since 1970, up to the year 2106.
pub(super) fn packed(moment: Moment) -> Option<u32> {
    u32::try_from(moment.unix()).ok().filter(|s| *s > 0)
}

impl Record {
    /// A record of a row at a time; the rest is filled in.
    pub(crate) fn at(at: u32, row_id: i64, action: Action, finding: Finding) -> Record {
        Record {
            row_id,
            fee_minor: NO_AMOUNT,
            amount_minor: NO_AMOUNT,
            at,
            provider_at: 0,
            finished_at: 0,
            text_start: 0,
            place: 0,
            lengths: Lengths::default(),
            action,
            finding,
            currency: Currency::CNY,
            flags: 0,
        }
    }

    pub(crate) fn set_amounts(&mut self, fee: Option<i64>, amount: Option<i64>) {
        self.fee_minor = fee.unwrap_or(NO_AMOUNT);
        self.amount_minor = amount.unwrap_or(NO_AMOUNT);
    }

    pub(crate) fn set_provider_at(&mut self, moment: Option<Moment>) {
        self.provider_at = moment.and_then(packed).unwrap_or(0);
    }

    /// It finished then; where no reply states when, when the row was logged.
    pub(crate) fn set_finished_at(&mut self, moment: Option<Moment>) {
        self.finished_at = moment.and_then(packed).unwrap_or(self.at);
    }

    pub(crate) fn set_wallet(&mut self, wallet: Wallet, told: bool) {
        self.flags |= match wallet {
            Wallet::Unknown => return,
            Wallet::Wechat => WALLET_WECHAT,
            Wallet::Alipay => WALLET_ALIPAY,
        };
        self.flags |= if told { WALLET_TOLD } else { 0 };
    }

    /// The wallet, and whether the reply told it.
    pub(crate) fn wallet(&self) -> (Wallet, bool) {
        let wallet = match (self.is(WALLET_WECHAT), self.is(WALLET_ALIPAY)) {
            (true, _) => Wallet::Wechat,
            (_, true) => Wallet::Alipay,
            _ => Wallet::Unknown,
        };
        (wallet, self.is(WALLET_TOLD))
    }

    /// The request's TotalFee.
    pub(crate) fn fee_minor(&self) -> Option<i64> {
        (self.fee_minor != NO_AMOUNT).then_some(self.fee_minor)
    }

    /// The reply's amount: of the payment, or of the refund, as the finding says.
    pub(crate) fn amount_minor(&self) -> Option<i64> {
        (self.amount_minor != NO_AMOUNT).then_some(self.amount_minor)
    }

    pub(crate) fn logged_at(&self) -> Moment {
        Moment::from_unix(i64::from(self.at))
    }

    pub(crate) fn provider_at(&self) -> Option<Moment> {
        (self.provider_at != 0).then(|| Moment::from_unix(i64::from(self.provider_at)))
    }

    /// When money that was held was released, and whether a reply states that time.
    pub(crate) fn finished_at(&self) -> Option<(Moment, bool)> {
        let at = (self.finished_at != 0).then(|| Moment::from_unix(i64::from(self.finished_at)))?;
        // A notification comes when it happens.
        Some((at, self.finished_at != self.at || self.is(NOTICE)))
    }

    pub(crate) fn is(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// The notes of the row itself, as bits of [`Note`].
    pub(crate) fn notes(&self) -> u16 {
        self.flags & (Note::Salvaged as u16 | Note::HeaderMismatch as u16 | Note::FamilyMismatch as u16)
    }

    /// What it says, for an order among rows of one second.
    pub(crate) fn what(&self) -> (u8, u8, i64, i64, [u32; 2], u16) {
        let (action, finding) = (self.action as u8, self.finding as u8);
        let times = [self.provider_at, self.finished_at];
        (action, finding, self.amount_minor, self.fee_minor, times, self.flags)
    }
}
