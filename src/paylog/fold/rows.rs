//! The gathered rows as one log, and what is said of an order before it is put on its shelf.

use crate::domain::moment::ZONE_SECONDS;
use crate::domain::{BillDate, Currency, EntryKind, Moment, Note, Span, State};

use crate::paylog::evidence::{Action, Finding};
use crate::paylog::gather::Gathered;
use crate::paylog::place::Name;
use crate::paylog::record::{LISTED, NOTICE, Record};
use crate::paylog::wallet::Wallet;

const DAY_SECONDS: i64 = 24 * 3600;

/// All batches, rows numbered through.
pub(super) struct Log<'a> {
    pub batches: &'a [Gathered],
    /// Number of the first row of each batch, and of the row after the last.
    offsets: Vec<usize>,
}

impl<'a> Log<'a> {
    pub(crate) fn new(batches: &'a [Gathered]) -> Log<'a> {
        let mut offsets = vec![0];
        for batch in batches {
            offsets.push(offsets[offsets.len() - 1] + batch.records.len());
        }
        Log { batches, offsets }
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets[self.offsets.len() - 1]
    }

    pub(crate) fn row(&self, number: u32) -> Row<'a> {
        let number = number as usize;
        let index = self.offsets.partition_point(|offset| *offset <= number) - 1;
        let batch = &self.batches[index];
        Row { record: &batch.records[number - self.offsets[index]], batch, index }
    }

    /// Every row with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, Row<'a>)> + use<'a> {
        let rows = self.batches.iter().enumerate();
        let rows = rows
            .flat_map(|(index, batch)| batch.records.iter().map(move |record| Row { record, batch, index }));
        (0..).zip(rows)
    }

    /// The rows of a group in time order, each once.
    pub(crate) fn rows(&self, members: &[u32], rows: &mut Vec<Row<'a>>) {
        rows.clear();
        rows.extend(members.iter().map(|number| self.row(*number)));
        if rows.len() > 1 {
            rows.sort_by(|a, b| a.total_order(b));
            rows.dedup_by(|b, a| a.total_order(b).is_eq());
        }
    }
}

/// One record with the texts behind it.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub record: &'a Record,
    pub batch: &'a Gathered,
    pub index: usize,
}

/// A text in the arena of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Text<'a> {
    pub text: &'a str,
    index: usize,
    start: u32,
}

impl<'a> Text<'a> {
    /// A span that names batch, place and length until the shelf is settled: identifiers are at most 128 bytes long.
    pub(crate) fn lodge(self) -> Span {
        let length = u32::try_from(self.text.len()).expect("identifiers have a bound");
        let index = u32::try_from(self.index).expect("a gatherer for each thread");
        Span { start: self.start, len: index << 8 | length }
    }

    pub(crate) fn lodged(span: Span, batches: &'a [Gathered]) -> &'a str {
        let start = span.start as usize;
        let batch = batches.get((span.len >> 8) as usize);
        batch.and_then(|b| b.arena.get(start..start + (span.len & 0xff) as usize)).unwrap_or("")
    }

    pub(crate) fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    /// This text, or the other where this is empty.
    pub(crate) fn or(self, other: Text<'a>) -> Text<'a> {
        if self.is_empty() { other } else { self }
    }
}

impl<'a> Row<'a> {
    /// The request's OutID.
    pub(crate) fn out_id(&self) -> Text<'a> {
        self.text(0)
    }

    /// The reply's order number where it is not the OutID.
    pub(crate) fn other_order(&self) -> Text<'a> {
        self.text(1)
    }

    pub(crate) fn trade(&self) -> Text<'a> {
        self.text(2)
    }

    pub(crate) fn refund_no(&self) -> Text<'a> {
        self.text(3)
    }

    pub(crate) fn crc(&self) -> Text<'a> {
        self.text(4)
    }

    fn text(&self, which: usize) -> Text<'a> {
        let l = &self.record.lengths;
        let lengths = [l.out_id, l.order, l.trade, l.refund, l.crc];
        let before: u32 = lengths[..which].iter().map(|n| u32::from(*n)).sum();
        let start = self.record.text_start + before;
        let end = start as usize + usize::from(lengths[which]);
        Text { text: self.batch.arena.get(start as usize..end).unwrap_or(""), index: self.index, start }
    }

    pub(crate) fn seller(&self) -> &'a str {
        self.batch.places.text(self.record.place, Name::Seller)
    }

    pub(crate) fn finding(&self) -> Finding {
        self.record.finding
    }

    /// A stored notification: evidence, and no row of the log.
    pub(crate) fn is_notice(&self) -> bool {
        self.record.is(NOTICE)
    }

    /// A payment that was asked for; what failed attempts prove is about them alone.
    pub(crate) fn is_attempt(&self) -> bool {
        matches!(self.record.action, Action::Pay | Action::Precreate)
    }

    /// Whether the order number must come from the reply or through the transaction number before OutID is believed:
    /// the OutID of a refund may be the refund's own (R-D28).
    pub(crate) fn is_about_return(&self) -> bool {
        self.is_about_refund() || self.record.action == Action::Reverse
    }

    pub(crate) fn is_about_refund(&self) -> bool {
        self.record.action.is_refund() || self.finding().is_refund()
    }

    /// Whether it says something of the payment itself or of its reversal.
    pub(crate) fn is_about_payment(&self) -> bool {
        let asked = matches!(
            self.record.action,
            Action::Pay | Action::Precreate | Action::Query | Action::Close | Action::Reverse
        );
        !self.record.is(LISTED) && (asked || self.finding().is_payment())
    }

    /// Time order. Inside a second nothing is known of it (R051), so what the rows say orders them, and their ids only
    /// tell two that say the same apart: an engine without row ids gives the same orders. Rows that are equal in
    /// everything are the same row, read twice.
    pub(crate) fn total_order(&self, other: &Row<'_>) -> std::cmp::Ordering {
        let texts = |r: &Row<'a>| [0, 1, 2, 3, 4].map(|which| r.text(which).text);
        let other_texts = [0, 1, 2, 3, 4].map(|which| other.text(which).text);
        let (mine, theirs) = (self.record, other.record);
        mine.logged_at()
            .cmp(&theirs.logged_at())
            .then_with(|| mine.what().cmp(&theirs.what()))
            .then_with(|| texts(self).cmp(&other_texts))
            .then_with(|| mine.row_id.cmp(&theirs.row_id))
    }
}

/// The wallet that an order was paid with: what a reply tells, else what a payment code says.
pub(super) fn wallet(rows: &[Row<'_>]) -> Wallet {
    let known =
        || rows.iter().map(|row| row.record.wallet()).filter(|(wallet, _)| *wallet != Wallet::Unknown);
    let told = known().find(|(_, told)| *told);
    told.or_else(|| known().next()).map_or(Wallet::Unknown, |(wallet, _)| wallet)
}

/// The rows of one order, in time order.
pub(super) struct Order<'r, 'a> {
    pub rows: &'r [Row<'a>],
    pub number: Text<'a>,
    pub text: &'a str,
}

/// One movement before it is put on its shelf.
#[derive(Clone, Copy)]
pub(super) struct Movement<'a> {
    pub kind: EntryKind,
    pub state: State,
    pub notes: u16,
    pub rows: u32,
    /// Gross and positive.
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    pub logged_at: Moment,
    pub provider_at: Option<Moment>,
    /// The row whose place it has.
    pub place: Row<'a>,
    pub order_no: Text<'a>,
    pub refund_no: Text<'a>,
    pub trade_no: Text<'a>,
    pub wallet: Wallet,
}

impl<'a> Movement<'a> {
    /// A movement at a row; states no amount yet.
    pub(crate) fn at(kind: EntryKind, state: State, row: Row<'a>, order_no: Text<'a>) -> Movement<'a> {
        Movement {
            kind,
            state,
            notes: row.record.notes(),
            rows: 1,
            amount_minor: None,
            currency: row.record.currency,
            logged_at: row.record.logged_at(),
            provider_at: None,
            place: row,
            order_no,
            refund_no: Text::default(),
            trade_no: row.trade(),
            wallet: Wallet::Unknown,
        }
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.notes |= note as u16;
    }

    pub(crate) fn has(&self, note: Note) -> bool {
        self.notes & note as u16 != 0
    }

    /// The provider's day, else REQ_DATE's (R-D41).
    pub(crate) fn day(&self) -> BillDate {
        self.provider_at.unwrap_or(self.logged_at).date()
    }

    /// The same day as a number that is cheap to compare.
    pub(crate) fn day_number(&self) -> i64 {
        (self.provider_at.unwrap_or(self.logged_at).unix() + ZONE_SECONDS).div_euclid(DAY_SECONDS)
    }

    pub(crate) fn signed_minor(&self) -> Option<i64> {
        self.amount_minor.map(|minor| minor.saturating_mul(self.kind.sign()))
    }

    pub(crate) fn is_success(&self) -> bool {
        match self.kind {
            EntryKind::Payment => self.state == State::Paid,
            EntryKind::Refund => self.state == State::Refunded,
            EntryKind::Reversal => self.state == State::Reversed && !self.has(Note::EitherWay),
        }
    }
}
