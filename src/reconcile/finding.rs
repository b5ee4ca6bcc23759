//! A finding: what does not agree, as places in both books; and how it becomes a [`Mismatch`] that a person can read.

use sha2::{Digest, Sha256};

use super::pair::Books;
use super::{Mismatch, Neighbour, Origin};
use crate::domain::{Cell, Currency, EntryKind, MismatchKind, Moment, Note, Reason, State};

/// One pair, or one group of duplicates, that does not agree.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) entry: EntryKind,
    /// In the order of their content, not of the file.
    pub(super) lines: Vec<u32>,
    /// Orders of the log; several only where the log itself holds two successes under one number.
    pub(super) orders: Vec<u32>,
    /// All that apply; the kind is the first in the order of the contract's table.
    pub(super) reasons: Vec<(MismatchKind, Reason)>,
    /// The logged order of a neighbouring day that the line belongs to.
    pub(super) other_order: Option<Neighbour>,
    /// The line of a neighbouring day that the order belongs to.
    pub(super) other_line: Option<Neighbour>,
}

impl Finding {
    pub(super) fn new(entry: EntryKind, lines: Vec<u32>, orders: Vec<u32>) -> Finding {
        Finding { entry, lines, orders, reasons: Vec::new(), other_order: None, other_line: None }
    }

    #[must_use]
    pub(super) fn because(mut self, kind: MismatchKind, reason: Reason) -> Finding {
        self.reasons.push((kind, reason));
        self
    }

    pub(super) fn kind(&self) -> MismatchKind {
        self.reasons.iter().map(|(kind, _)| *kind).min().unwrap_or(MismatchKind::StatusMismatch)
    }

    fn order(&self) -> Option<u32> {
        self.orders.first().copied()
    }

    fn gateway_amount(&self, books: &Books<'_>) -> Option<i64> {
        self.orders.iter().filter_map(|&order| books.order_amount(order)).reduce(|sum, amount| sum + amount)
    }

    fn channel_amount(&self, books: &Books<'_>) -> Option<i64> {
        let lines = self.lines.iter().filter_map(|&line| books.line_amount(line));
        let other = self.other_line.iter().map(Neighbour::moved_minor);
        lines.chain(other).reduce(|sum, amount| sum + amount)
    }

    /// The mismatch, without its id: ids are given when all are known.
    pub(super) fn to_mismatch(&self, books: &Books<'_>) -> Mismatch {
        let line = self.lines.first().copied();
        let origin = self.origin(books);
        let mut reasons: Vec<(MismatchKind, Reason)> = self.reasons.clone();
        reasons.sort_by_key(|(kind, _)| *kind);
        let mut reasons: Vec<Reason> = reasons.into_iter().map(|(_, reason)| reason).collect();
        reasons.extend(self.remarks(books));
        Mismatch {
            id: String::new(),
            bill_date: books.unit.date,
            account: books.unit.account.to_owned(),
            pay_type: if origin.req_type.is_empty() {
                books.unit.pay_type.to_owned()
            } else {
                origin.req_type
            },
            kind: self.kind(),
            entry: self.entry,
            order_no: self.text(books, Cell::OrderNo),
            refund_no: self.text(books, Cell::RefundNo),
            trade_no: self.text(books, Cell::TradeNo),
            gateway_amount_minor: self.gateway_amount(books),
            channel_amount_minor: self.channel_amount(books),
            currency: self.currency_of(books),
            gateway_state: self.gateway_state(books),
            channel_state: line
                .map(|line| books.line(line).state)
                .or_else(|| self.other_line.as_ref().map(|other| other.state))
                .or_else(|| self.told_state()),
            gateway_time: self.gateway_time(books),
            channel_time: line
                .map(|line| books.line(line).happened_at)
                .or_else(|| self.other_line.as_ref().map(|other| other.at)),
            mall: origin.mall,
            store: origin.store,
            till: origin.till,
            cashier: origin.cashier,
            reasons,
            lines: self.lines.iter().map(|&line| (books.line(line).part, books.line(line).line)).collect(),
            log_rows: match &self.other_order {
                Some(other) => other.log_rows,
                None => self.orders.iter().map(|&order| books.order(order).rows).sum(),
            },
        }
    }

    /// What the log says of itself about this order, beyond the disagreement.
    fn remarks(&self, books: &Books<'_>) -> Vec<Reason> {
        let Some(order) = self.order().map(|order| books.order(order)) else { return Vec::new() };
        let mut remarks = Vec::new();
        if order.has(Note::Conflict) {
            remarks.push(Reason::LogConflict);
        }
        if order.has(Note::FeeDiffers) {
            remarks.push(Reason::LogFeeDiffers);
        }
        remarks
    }

    /// A number from the statement's side where it has one, else from the log's.
    fn text(&self, books: &Books<'_>, cell: Cell) -> String {
        let line = self.lines.iter().map(|&line| books.cell(line, cell)).find(|text| !text.is_empty());
        let order = self.order().map(|order| match cell {
            Cell::OrderNo => books.order_no(order),
            Cell::RefundNo => books.refund_no(order),
            _ => books.trade_no(order),
        });
        let others = [&self.other_line, &self.other_order].into_iter().flatten().map(|other| match cell {
            Cell::OrderNo => other.order_no.as_str(),
            Cell::RefundNo => other.refund_no.as_str(),
            _ => other.trade_no.as_str(),
        });
        let mut texts = line.into_iter().chain(order).chain(others).filter(|text| !text.is_empty());
        texts.next().unwrap_or("").to_owned()
    }

    pub(super) fn currency_of(&self, books: &Books<'_>) -> Currency {
        if let Some(&line) = self.lines.first() {
            return books.line(line).currency;
        }
        if let Some(other) = &self.other_line {
            return other.currency;
        }
        self.order().map_or(Currency::CNY, |order| books.order(order).currency)
    }

    fn gateway_state(&self, books: &Books<'_>) -> Option<State> {
        let told = self.reasons.iter().find_map(|(_, reason)| match reason {
            Reason::Status { gateway, .. } => Some(*gateway),
            _ => None,
        });
        told.or_else(|| self.order().map(|order| books.order(order).state))
            .or_else(|| self.other_order.as_ref().map(|other| other.state))
    }

    /// The channel's state where no line of this movement exists, but the channel knows the order (a reversal that
    /// it never carried out).
    fn told_state(&self) -> Option<State> {
        self.reasons.iter().find_map(|(_, reason)| match reason {
            Reason::Status { channel, .. } => Some(*channel),
            _ => None,
        })
    }

    fn gateway_time(&self, books: &Books<'_>) -> Option<Moment> {
        self.order()
            .map(|order| books.order(order).logged_at)
            .or_else(|| self.other_order.as_ref().map(|other| other.at))
    }

    fn origin(&self, books: &Books<'_>) -> Origin {
        if let Some(order) = self.order() {
            return books.origin(order);
        }
        if let Some(other) = &self.other_order {
            return other.origin.clone();
        }
        let cell = |cell| self.lines.first().map_or(String::new(), |&line| books.cell(line, cell).to_owned());
        Origin { store: cell(Cell::Store), till: cell(Cell::Till), ..Origin::default() }
    }
}

impl Books<'_> {
    pub(super) fn origin(&self, order: u32) -> Origin {
        let (logged, names) = (self.order(order), &self.unit.orders.names);
        Origin {
            req_type: names.get(logged.req_type).to_owned(),
            mall: names.get(logged.mall).to_owned(),
            store: names.get(logged.store).to_owned(),
            till: names.get(logged.till).to_owned(),
            cashier: names.get(logged.cashier).to_owned(),
        }
    }
}

/// Gives ids: over account, bill date, entry, order and refund number; over the trade number too where the order
/// number is empty or several mismatches share those; and a count where even that is the same. The kind is no part
/// of it, so a note that a person made survives a rerun that sees the same item with other eyes.
pub(super) fn give_ids(mismatches: &mut [Mismatch]) {
    let plain: Vec<[String; 3]> = mismatches.iter().map(plain_key).collect();
    let mut uses = std::collections::HashMap::new();
    for key in &plain {
        *uses.entry(key.clone()).or_insert(0u32) += 1;
    }
    let mut seen = std::collections::HashMap::new();
    for (mismatch, key) in mismatches.iter_mut().zip(plain) {
        let shared = mismatch.order_no.is_empty() || uses.get(&key).is_some_and(|count| *count > 1);
        let trade_no = if shared { mismatch.trade_no.as_str() } else { "" };
        let ordinal = seen.entry((key.clone(), trade_no.to_owned())).or_insert(0u32);
        mismatch.id = id(mismatch, trade_no, *ordinal);
        *ordinal += 1;
    }
}

fn plain_key(mismatch: &Mismatch) -> [String; 3] {
    [mismatch.entry.as_str().to_owned(), mismatch.order_no.clone(), mismatch.refund_no.clone()]
}

fn id(mismatch: &Mismatch, trade_no: &str, ordinal: u32) -> String {
    let mut hash = Sha256::new();
    let date = mismatch.bill_date.to_string();
    for part in
        [&mismatch.account, &date, mismatch.entry.as_str(), &mismatch.order_no, &mismatch.refund_no, trade_no]
    {
        hash.update(part.as_bytes());
        hash.update([0x1f]);
    }
    if ordinal > 0 {
        hash.update(ordinal.to_be_bytes());
    }
    hex::encode(&hash.finalize()[..8])
}
