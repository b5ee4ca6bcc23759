//! What EB_PAYLOG says, folded into movements: one arena of text, small records.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{BillDate, Currency, EntryKind, Moment, State};

/// A text in the arena of its [`LoggedOrders`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    pub start: u32,
    pub len: u32,
}

/// Interned short texts: malls, stores, tills, cashiers, sellers and types repeat a million times a day.
#[derive(Clone, Debug, Default)]
pub struct Names {
    names: Vec<String>,
    index: HashMap<String, u32>,
}

impl Names {
    pub fn intern(&mut self, name: &str) -> u32 {
        let name = &*keepable(name);
        if let Some(id) = self.index.get(name) {
            return *id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.to_owned());
        self.index.insert(name.to_owned(), id);
        id
    }

    pub fn get(&self, id: u32) -> &str {
        self.names.get(id as usize).map_or("", String::as_str)
    }
}

/// A broken message can hold the character NUL, which PostgreSQL keeps in no text: it is shown as what it is, unreadable,
/// on every engine alike.
pub fn keepable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// Things the fold noticed about an order; a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Note {
    /// No reply states the provider's time; the day is REQ_DATE's.
    DayInferred = 1,
    /// The proof of payment is weak (such as ORDERPAID on a retry): the amount is the request's.
    Weak = 1 << 1,
    /// Replies contradict each other: two transaction numbers, two amounts, a refund above the payment.
    Conflict = 1 << 2,
    /// Attempts asked for different amounts.
    AmountVaried = 1 << 3,
    /// Reversed without proof that it had been paid: both outcomes are right.
    EitherWay = 1 << 4,
    /// The request's TotalFee differs from the amount in the provider's reply.
    FeeDiffers = 1 << 5,
    /// Read from a truncated or damaged message.
    Salvaged = 1 << 6,
    /// The header's names differ from the columns.
    HeaderMismatch = 1 << 7,
    /// The reply is of another family than REQ_TYPE says.
    FamilyMismatch = 1 << 8,
    /// Queried only; the payment request itself is not in the log.
    PartialHistory = 1 << 9,
    /// The same OutID was used for different sellers.
    OutIdReuse = 1 << 10,
    /// Perhaps one purchase paid twice: same till and amount as another payment, one of which was still open when the
    /// other began.
    MaybeTwice = 1 << 11,
    /// That it was paid, or how much, is known from a stored notification only.
    ByNotice = 1 << 12,
}

/// One movement that the log tells of: a payment, a refund or a reversal.
#[derive(Clone, Copy, Debug)]
pub struct LoggedOrder {
    /// The day it belongs to: the provider's own time where a reply states one, else REQ_DATE's.
    pub day: BillDate,
    pub kind: EntryKind,
    pub state: State,
    pub currency: Currency,
    /// Set of [`Note`]s.
    pub notes: u16,
    /// Log rows behind it.
    pub rows: u32,
    /// Signed minor units: payments positive, refunds and reversals negative. `None` if no row tells.
    pub amount_minor: Option<i64>,
    pub logged_at: Moment,
    pub provider_at: Option<Moment>,
    pub order_no: Span,
    pub refund_no: Span,
    pub trade_no: Span,
    /// Ids in [`LoggedOrders::names`].
    pub req_type: u32,
    pub business_date: u32,
    pub seller: u32,
    pub mall: u32,
    pub store: u32,
    pub till: u32,
    pub cashier: u32,
    /// `WECHAT`, `ALIPAY` or empty: what a gateway that takes both was paid with. Not kept in the ledger.
    pub wallet: u32,
}

impl LoggedOrder {
    pub fn has(&self, note: Note) -> bool {
        self.notes & note as u16 != 0
    }

    pub fn note(&mut self, note: Note) {
        self.notes |= note as u16;
    }

    /// Whether the log holds a success: money that moved, as far as the gateway knows.
    pub fn is_success(&self) -> bool {
        is_success(self.kind, self.state, self.notes)
    }
}

/// [`LoggedOrder::is_success`] of its parts, for one that is kept in another form.
pub fn is_success(kind: EntryKind, state: State, notes: u16) -> bool {
    match kind {
        EntryKind::Payment => state == State::Paid,
        EntryKind::Refund => state == State::Refunded,
        EntryKind::Reversal => state == State::Reversed && notes & Note::EitherWay as u16 == 0,
    }
}

/// Movements of one account and one or more days, with the arena their texts live in.
#[derive(Clone, Debug, Default)]
pub struct LoggedOrders {
    pub arena: String,
    pub names: Names,
    pub orders: Vec<LoggedOrder>,
}

impl LoggedOrders {
    pub fn text(&self, span: Span) -> &str {
        self.arena.get(span.start as usize..span.start as usize + span.len as usize).unwrap_or("")
    }

    /// Keeps a text in the arena.
    ///
    /// # Panics
    ///
    /// If the arena outgrows 4 GiB: a hundred million orders of one account in one window.
    pub fn keep(&mut self, text: &str) -> Span {
        let text = &*keepable(text);
        let start = u32::try_from(self.arena.len()).expect("an arena below 4 GiB");
        self.arena.push_str(text);
        Span { start, len: u32::try_from(text.len()).expect("a text below 4 GiB") }
    }

    pub fn order_no(&self, order: &LoggedOrder) -> &str {
        self.text(order.order_no)
    }

    pub fn refund_no(&self, order: &LoggedOrder) -> &str {
        self.text(order.refund_no)
    }

    pub fn trade_no(&self, order: &LoggedOrder) -> &str {
        self.text(order.trade_no)
    }
}

/// How far the log reaches: the purge guard. (`Delete eb_paylog where req_date < …` is in the gateway's manual.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCover {
    /// REQ_DATE of the first and last row of the whole log.
    pub first: Option<Moment>,
    pub last: Option<Moment>,
    /// Rows with REQ_DATE on the bill date.
    pub rows_on_day: u64,
}
