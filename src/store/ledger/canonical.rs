//! The canonical text of a unit's ledger rows, and its hash: what proves ledger = archive at any time.
//!
//! One line a movement in the order of the statement, each field ended by a tab; a text has its length in bytes and a
//! colon before it, so that no text can look like two. The fields: part, line, entry, state, currency, amount (empty
//! if the line has none), settled, fee, instant, then the nine text cells in the order of
//! [`Cell`](crate::domain::Cell). Numbers are decimal, instants as in the ledger.
//! Nothing that depends on the run (ids, versions, fetch times) is in it. (`background/reliability_ux.md`, 1.3.)

use sha2::{Digest, Sha256};

use crate::domain::{Cell, Entry, Statement};
use crate::store::text::{MomentText, push_number};

/// Buffered text before it is hashed.
const HASH_BYTES: usize = 1 << 16;

pub(super) const CELLS: [Cell; 9] = [
    Cell::OrderNo,
    Cell::RefundNo,
    Cell::TradeNo,
    Cell::RefundTradeNo,
    Cell::Merchant,
    Cell::SubMerchant,
    Cell::Store,
    Cell::Till,
    Cell::Subject,
];

/// SHA-256 in hex over the canonical text of a statement's entries.
pub fn canonical_hash(statement: &Statement) -> String {
    let mut hasher = CanonicalHasher::default();
    let mut moments = MomentText::default();
    for entry in statement.entries() {
        let numbers = Numbers::of(entry);
        let texts = [entry.kind.as_str(), entry.state.as_str(), entry.currency.as_str()].map(str::as_bytes);
        let cells = CELLS.map(|cell| statement.cell(entry, cell).as_bytes());
        hasher.row(&numbers, texts, moments.of(entry.happened_at), cells);
    }
    hasher.finish()
}

/// The numbers of one movement.
pub(super) struct Numbers {
    pub(super) part: i64,
    pub(super) line: i64,
    pub(super) amount_minor: Option<i64>,
    pub(super) settled_minor: i64,
    pub(super) fee_e5: i64,
}

impl Numbers {
    fn of(entry: &Entry) -> Numbers {
        Numbers {
            part: i64::from(entry.part),
            line: i64::from(entry.line),
            amount_minor: entry.amount_minor,
            settled_minor: entry.settled_minor,
            fee_e5: entry.fee_e5,
        }
    }
}

#[derive(Default)]
pub(super) struct CanonicalHasher {
    text: Vec<u8>,
    hash: Sha256,
}

impl CanonicalHasher {
    pub(super) fn row(
        &mut self,
        numbers: &Numbers,
        kind_state_currency: [&[u8]; 3],
        happened_at: &[u8],
        cells: [&[u8]; 9],
    ) {
        let out = &mut self.text;
        for number in [Some(numbers.part), Some(numbers.line)] {
            field(out, number);
        }
        for text in kind_state_currency {
            text_field(out, text);
        }
        for number in [numbers.amount_minor, Some(numbers.settled_minor), Some(numbers.fee_e5)] {
            field(out, number);
        }
        text_field(out, happened_at);
        for cell in cells {
            text_field(out, cell);
        }
        out.push(b'\n');
        if out.len() >= HASH_BYTES {
            self.hash.update(&*out);
            out.clear();
        }
    }

    pub(super) fn finish(mut self) -> String {
        self.hash.update(&self.text);
        hex::encode(self.hash.finalize())
    }
}

pub(super) fn field(out: &mut Vec<u8>, number: Option<i64>) {
    if let Some(number) = number {
        push_number(out, number);
    }
    out.push(b'\t');
}

pub(super) fn text_field(out: &mut Vec<u8>, text: &[u8]) {
    push_number(out, i64::try_from(text.len()).expect("a text below 2^63 bytes"));
    out.push(b':');
    out.extend_from_slice(text);
    out.push(b'\t');
}
