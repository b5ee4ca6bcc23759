//! One movement of a statement: a small record of numbers, and of places in the statement's text.

use super::{Currency, Moment};

/// What moved. A reversal undoes a whole payment (WeChat `REVOKED`); a refund has a number of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum EntryKind {
    Payment,
    Refund,
    Reversal,
}

impl EntryKind {
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Payment => "payment",
            EntryKind::Refund => "refund",
            EntryKind::Reversal => "reversal",
        }
    }

    pub fn parse(text: &str) -> Option<EntryKind> {
        [EntryKind::Payment, EntryKind::Refund, EntryKind::Reversal].into_iter().find(|k| k.as_str() == text)
    }

    /// +1 for money to the merchant, -1 for money back to the buyer.
    pub fn sign(self) -> i64 {
        match self {
            EntryKind::Payment => 1,
            EntryKind::Refund | EntryKind::Reversal => -1,
        }
    }
}

/// How far a movement got, as either side tells it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum State {
    Paid,
    Refunded,
    Reversed,
    Failed,
    Pending,
    Unknown,
    Closed,
    Held,
}

impl State {
    const ALL: [State; 8] = [
        State::Paid,
        State::Refunded,
        State::Reversed,
        State::Failed,
        State::Pending,
        State::Unknown,
        State::Closed,
        State::Held,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Paid => "paid",
            State::Refunded => "refunded",
            State::Reversed => "reversed",
            State::Failed => "failed",
            State::Pending => "pending",
            State::Unknown => "unknown",
            State::Closed => "closed",
            State::Held => "held",
        }
    }

    /// The provider itself says that nothing moved: what it refused, closed, or still waits for.
    pub fn moved_nothing(self) -> bool {
        matches!(self, State::Failed | State::Closed | State::Pending | State::Held)
    }

    pub fn parse(text: &str) -> Option<State> {
        State::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// The text cells of an entry that are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Our number of the payment, also on refund rows (`商户订单号`, `out_trade_no`).
    OrderNo,
    /// Our number of the refund (`商户退款单号`, `退款批次号/请求号`); empty on payments.
    RefundNo,
    /// The provider's number of the payment (`微信订单号`, `支付宝交易号`).
    TradeNo,
    /// The provider's number of the refund (`微信退款单号`), where there is one.
    RefundTradeNo,
    Merchant,
    SubMerchant,
    Store,
    Till,
    Subject,
}

pub(super) const CELLS: usize = 9;

/// Where a cell lies: bytes from the start of its line. Lines are at most 64 KiB (`format::LINE_MAX`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CellSpan {
    pub start: u16,
    pub len: u16,
}

/// One movement. About a hundred bytes; its text is read through [`Statement::cell`](super::Statement::cell).
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// First byte of the line in the statement's text, and its length without the line end.
    pub text_start: u32,
    pub text_len: u16,
    /// Which part of the file (0 for a plain file, the place in [`Statement::parts`](super::Statement) for a zip).
    pub part: u8,
    pub kind: EntryKind,
    /// Physical line in that part as archived, counted from 1.
    pub line: u32,
    pub state: State,
    pub currency: Currency,
    pub happened_at: Moment,
    /// Gross order amount in minor units, signed: payments positive, refunds and reversals negative.
    /// `None` where the line does not carry it (a reversal); `reconcile` resolves it from the payment.
    pub amount_minor: Option<i64>,
    /// What is settled of it before the fee, signed in the same way.
    pub settled_minor: i64,
    /// Fee in 1/100000 of the major unit; positive = charged to the merchant.
    pub fee_e5: i64,
    pub(super) cells: [CellSpan; CELLS],
}

impl Entry {
    /// An entry of which only the place is known; the reader fills in the rest.
    pub fn at(text_start: u32, text_len: u16, part: u8, line: u32) -> Entry {
        Entry {
            text_start,
            text_len,
            part,
            kind: EntryKind::Payment,
            line,
            state: State::Paid,
            currency: Currency::CNY,
            happened_at: Moment::from_unix(0),
            amount_minor: Some(0),
            settled_minor: 0,
            fee_e5: 0,
            cells: [CellSpan::default(); CELLS],
        }
    }

    /// First byte and length of a cell in the statement's text.
    pub fn place_of(&self, cell: Cell) -> (usize, usize) {
        let span = self.cells[cell as usize];
        (self.text_start as usize + usize::from(span.start), usize::from(span.len))
    }

    pub fn set_cell(&mut self, cell: Cell, span: CellSpan) {
        self.cells[cell as usize] = span;
    }
}
