//! One order: what happened to it at the till and at the provider.
//!
//! A story is a small record; every text is derived from it when a row or a line is written. What the gateway logs of
//! it is a fixed script of steps ([`Path::script`]), each with the seconds after the first request.

use super::fault::Fault;
use super::town::Till;

/// A request and what came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Pay(Reply),
    Query(Reply),
    Reverse(Reply),
    Refund(Reply),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    /// Paid, refunded, reversed: a complete success.
    Done,
    /// A success of which the log kept only the beginning, with everything that proves it.
    DoneTorn,
    /// The customer types the password (USERPAYING, 10003).
    Pending,
    /// The provider does not know itself (SYSTEMERROR, 20000).
    Unknown,
    /// The customer cannot pay; a refund is refused.
    Refused,
    /// ORDERPAID, ACQ.TRADE_HAS_SUCCESS.
    AlreadyPaid,
    /// No reply: RES_OBJ is empty, RES_MSG speaks of a time-out.
    Nothing,
    /// The gateway could not even send it (`spec/ttpay.md` A.5).
    NotSent,
    /// ORDERNOTEXIST, ACQ.TRADE_NOT_EXIST.
    NotFound,
    /// A reversal of an order that was never paid.
    Closed,
    /// A refund that had already been made: `fund_change` N.
    Repeated,
    /// An escrow trade was opened: the browser was sent on, and no reply exists.
    Opened,
    /// The buyer paid into escrow; Alipay holds the money.
    Held,
    /// The buyer confirmed; the money is the merchant's.
    Finished,
    /// The buyer got the money back out of escrow.
    GivenBack,
}

/// What happened to an order. The statement has the payment in the paths that say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Path {
    Plain,
    Torn,
    TypedPin,
    TypedPinSlowly,
    SystemError,
    TimedOut,
    SecondCode,
    LateFailure,
    PaidUnheard,
    LoggedTwice,
    Declined,
    Abandoned,
    Unanswered,
    NotSent,
    NeverArrived,
    ReversedUnpaid,
    ReversedPaid,
    /// Reversed without proof that it had been paid; it had.
    ReversedEither,
    /// Paid on an earlier day whose log was purged; only its refund is seen.
    Purged,
    /// The gateway knows nothing of it.
    Unlogged,
    /// An escrow trade that is paid, confirmed and credited on one day.
    EscrowFinished,
    /// Credited only on the next day.
    EscrowNextDay,
    /// Paid, and still held when everything else is known.
    EscrowHeld,
    /// Paid, and given back before the merchant had it.
    EscrowGivenBack,
    /// A kind of payment that no pay type covers.
    Uncovered,
    LostPending,
    LostUnknown,
    LostFailed,
    LostNoReply,
    /// Paid, and then a reversal that the log cannot confirm.
    LostReversal,
}

/// Paths of an ordinary day and how many of 10,000 orders take them; the rest is [`Path::Plain`].
pub(super) static ORDINARY: [(u32, Path); 17] = [
    (60, Path::Torn),
    (180, Path::TypedPin),
    (70, Path::TypedPinSlowly),
    (40, Path::SystemError),
    (30, Path::TimedOut),
    (40, Path::SecondCode),
    (20, Path::LateFailure),
    (10, Path::PaidUnheard),
    (10, Path::LoggedTwice),
    (200, Path::Declined),
    (20, Path::Abandoned),
    (15, Path::Unanswered),
    (10, Path::NotSent),
    (10, Path::NeverArrived),
    (20, Path::ReversedUnpaid),
    (20, Path::ReversedPaid),
    (10, Path::ReversedEither),
];

/// Seconds from the opening of an escrow trade to the buyer's confirmation.
const CONFIRMED: i32 = 14_400;
const NEXT_DAY: i32 = 86_400;

type Script = &'static [(i32, Step)];

impl Path {
    /// What the gateway logs: seconds after the first request, and the step.
    #[rustfmt::skip]
    pub(super) fn script(self) -> Script {
        use Reply::{AlreadyPaid, Closed, Done, DoneTorn, NotFound, Nothing, Pending, Refused, Unknown};
        use Reply::{Finished, GivenBack, Held, Opened};
        use Step::{Pay, Query, Reverse};
        match self {
            Path::Plain | Path::Uncovered => &[(0, Pay(Done))],
            Path::Torn => &[(0, Pay(DoneTorn))],
            Path::TypedPin => &[(0, Pay(Pending)), (9, Query(Done))],
            Path::TypedPinSlowly => &[(0, Pay(Pending)), (10, Query(Pending)), (20, Query(Pending)), (31, Query(Done))],
            Path::SystemError => &[(0, Pay(Unknown)), (5, Query(Done))],
            Path::TimedOut => &[(0, Pay(Nothing)), (30, Query(Done))],
            Path::SecondCode => &[(0, Pay(Refused)), (25, Pay(Done))],
            Path::LateFailure => &[(0, Pay(Done)), (8, Pay(AlreadyPaid))],
            Path::PaidUnheard => &[(0, Pay(Nothing)), (15, Pay(AlreadyPaid))],
            Path::LoggedTwice => &[(0, Pay(Done)), (0, Pay(Done))],
            Path::Declined | Path::LostFailed => &[(0, Pay(Refused))],
            Path::Abandoned | Path::LostPending => &[(0, Pay(Pending)), (10, Query(Pending))],
            Path::Unanswered | Path::LostNoReply => &[(0, Pay(Nothing))],
            Path::NotSent => &[(0, Pay(Reply::NotSent))],
            Path::NeverArrived => &[(0, Pay(Nothing)), (70, Query(NotFound))],
            Path::ReversedUnpaid => &[(0, Pay(Pending)), (10, Query(Pending)), (46, Reverse(Closed))],
            Path::ReversedPaid => &[(0, Pay(Done)), (40, Reverse(Done))],
            Path::ReversedEither => &[(0, Pay(Unknown)), (20, Reverse(Done))],
            Path::LostUnknown => &[(0, Pay(Unknown))],
            Path::LostReversal => &[(0, Pay(Done)), (40, Reverse(Unknown))],
            Path::EscrowFinished => &[(0, Query(Opened)), (300, Query(Held)), (CONFIRMED + 60, Query(Finished))],
            Path::EscrowNextDay => &[(0, Query(Opened)), (300, Query(Held)), (NEXT_DAY + 60, Query(Finished))],
            Path::EscrowHeld => &[(0, Query(Opened)), (300, Query(Held)), (7_200, Query(Held))],
            Path::EscrowGivenBack => &[(0, Query(Opened)), (300, Query(Held)), (10_860, Query(GivenBack))],
            Path::Purged | Path::Unlogged => &[],
        }
    }

    /// Seconds from the first request to the one that the provider took the money for; `None` if it never did.
    fn paid_after(self) -> Option<i32> {
        match self {
            Path::TypedPin => Some(6),
            Path::TypedPinSlowly => Some(27),
            Path::SecondCode => Some(25),
            Path::EscrowFinished | Path::EscrowNextDay | Path::EscrowHeld | Path::EscrowGivenBack => {
                Some(120)
            }
            Path::Declined
            | Path::Abandoned
            | Path::Unanswered
            | Path::NotSent
            | Path::NeverArrived
            | Path::ReversedUnpaid
            | Path::Uncovered => None,
            Path::Plain
            | Path::Torn
            | Path::SystemError
            | Path::TimedOut
            | Path::LateFailure
            | Path::PaidUnheard
            | Path::LoggedTwice
            | Path::ReversedPaid
            | Path::ReversedEither
            | Path::Purged
            | Path::Unlogged
            | Path::LostPending
            | Path::LostUnknown
            | Path::LostFailed
            | Path::LostNoReply
            | Path::LostReversal => Some(0),
        }
    }

    /// Seconds to the request that undid it, as logged.
    pub(super) fn reversal_asked_after(self) -> Option<i32> {
        self.script().iter().find(|(_, step)| *step == Step::Reverse(Reply::Done)).map(|(after, _)| *after)
    }
}

/// Money taken off the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coupon {
    None,
    /// Paid by the merchant: lowers what is settled.
    Merchant,
    /// Paid by the provider: the merchant gets all.
    Provider,
}

/// One order. Instants are seconds after 00:00 of the bill date on the gateway's clock; amounts are fen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Story {
    /// Index into `town::ACCOUNTS`.
    pub(super) account: u8,
    /// Belongs to another sub-merchant of the same service provider: stands in the whole bill only.
    pub(super) foreign: bool,
    pub(super) path: Path,
    pub(super) fault: Option<Fault>,
    pub(super) till: Till,
    pub(super) goods: u8,
    pub(super) coupon: Coupon,
    /// Seconds from the deciding request to the provider's own time. Negative: the gateway's clock is ahead.
    pub(super) lag: i8,
    pub(super) ms: u16,
    pub(super) asked_at: i32,
    pub(super) amount_fen: i32,
    pub(super) coupon_fen: i32,
}

impl Story {
    /// The provider's time of the payment.
    pub(super) fn paid_at(&self) -> Option<i32> {
        self.path.paid_after().map(|after| self.asked_at + after + i32::from(self.lag))
    }

    /// When the money reached the merchant: at once, but out of escrow only when the trade was finished
    /// (`spec/alipay.md` 6.2).
    pub(super) fn credited_at(&self) -> Option<i32> {
        match self.path {
            Path::EscrowHeld | Path::EscrowGivenBack => None,
            Path::EscrowFinished => Some(self.asked_at + CONFIRMED),
            Path::EscrowNextDay => Some(self.asked_at + NEXT_DAY),
            _ => self.paid_at(),
        }
    }

    /// The provider's time of the reversal, where the provider carried it out.
    pub(super) fn reversed_at(&self) -> Option<i32> {
        let after = match (self.path, self.fault) {
            (_, Some(Fault::LogReversed)) => None,
            (Path::LostReversal, _) | (_, Some(Fault::ChannelReversed)) => Some(40),
            (path, _) => path.reversal_asked_after(),
        };
        after.map(|after| self.asked_at + after + 1)
    }

    pub(super) fn amount(&self) -> i64 {
        i64::from(self.amount_fen)
    }

    /// What the merchant is credited before the fee.
    pub(super) fn settled(&self) -> i64 {
        let merchant = if self.coupon == Coupon::Merchant { i64::from(self.coupon_fen) } else { 0 };
        self.amount() - merchant
    }

    /// The order amount as the statement has it, in fen.
    pub(super) fn billed(&self, index: u32) -> i64 {
        if self.fault == Some(Fault::AmountPayment) { self.amount() + off_by(index) } else { self.amount() }
    }
}

/// By how much a planted amount is off: one fen, or one yuan, or a little less.
pub(super) fn off_by(index: u32) -> i64 {
    [1, 100, -1, -50][usize::try_from(index % 4).unwrap_or(0)]
}

/// One refund of a story.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refund {
    pub(super) story: u32,
    /// 1, 2, 3 of its order.
    pub(super) part: u8,
    pub(super) path: RefundPath,
    pub(super) fault: Option<Fault>,
    pub(super) lag: i8,
    pub(super) asked_at: i32,
    pub(super) amount_fen: i32,
    /// Refunded of the order before this one: Alipay's `refund_fee` is cumulative.
    pub(super) before_fen: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefundPath {
    Done,
    /// SYSTEMERROR, then done under the same number.
    Retried,
    /// Asked again after it was done.
    Repeated,
    /// The account's balance is too low; nothing moves.
    Refused,
    /// The log has nothing of it.
    Unlogged,
    LostUnknown,
    LostFailed,
}

impl RefundPath {
    pub(super) fn script(self) -> Script {
        use Reply::{Done, Refused, Repeated, Unknown};
        match self {
            RefundPath::Done => &[(0, Step::Refund(Done))],
            RefundPath::Retried => &[(0, Step::Refund(Unknown)), (6, Step::Refund(Done))],
            RefundPath::Repeated => &[(0, Step::Refund(Done)), (20, Step::Refund(Repeated))],
            RefundPath::Refused | RefundPath::LostFailed => &[(0, Step::Refund(Refused))],
            RefundPath::LostUnknown => &[(0, Step::Refund(Unknown))],
            RefundPath::Unlogged => &[],
        }
    }
}

impl Refund {
    /// The provider's time of the refund; `None` if it refused.
    pub(super) fn done_at(&self) -> Option<i32> {
        let after = match self.path {
            RefundPath::Refused => return None,
            RefundPath::Retried => 6,
            RefundPath::Done
            | RefundPath::Repeated
            | RefundPath::Unlogged
            | RefundPath::LostUnknown
            | RefundPath::LostFailed => 0,
        };
        Some(self.asked_at + after + i32::from(self.lag))
    }

    pub(super) fn amount(&self) -> i64 {
        i64::from(self.amount_fen)
    }

    /// The amount as the statement has it, in fen, positive.
    pub(super) fn billed(&self) -> i64 {
        if self.fault == Some(Fault::AmountRefund) {
            self.amount() + off_by(self.story)
        } else {
            self.amount()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_day_is_mostly_plain() {
        let others: u32 = ORDINARY.iter().map(|(weight, _)| weight).sum();
        assert!(others < 1_000, "{others} of 10,000");
        assert!(ORDINARY.iter().all(|(_, path)| !path.script().is_empty()));
    }
}
