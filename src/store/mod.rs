//! The only place that speaks SQL: the ledger we own, and the gateway's log that we only read.
//!
//! [`Ledger`] keeps units (contract, section 8) and answers about single orders; [`PayLog`] streams EB_PAYLOG
//! (`spec/ttpay.md`, A.3); [`RunLock`] keeps a second instance out; [`SampleLog`] writes the simulated gateway's log;
//! [`read_sellers`] reads the gateway's own accounts, [`read_notices`] the notifications that somebody kept. Nothing here
//! writes to a gateway's tables, knows a provider, or decides what a mismatch is. Only `sqlite/bulk.rs` holds `unsafe`.
//!
//! # Another engine
//!
//! A folder beside `sqlite/` with files of the same names and functions, a variant in `Pool` and `Place`, and its
//! column in `schema.rs`: the compiler then names each place that has to choose.

mod answers;
mod canonical;
mod ledger;
mod lock;
mod log_row;
mod needles;
mod notices;
mod paylog;
mod place;
mod records;
mod sample_log;
mod schema;
mod sellers;
mod sqlite;
mod text;
mod unit;

#[cfg(test)]
mod tests;

pub use answers::{Outcome as AnswerOutcome, StoredAnswer};
pub use canonical::canonical_hash;
pub use ledger::Ledger;
pub use lock::RunLock;
pub use log_row::OwnedLogRow;
pub use notices::{NoticeRow, read_notices};
pub use paylog::{FoundRows, PayLog, ReadCount};
pub use records::{
    Neighbour, RunRecord, SectionRecord, StatementMeta, StatementRecord, StatementState, StoredEntry,
    StoredMismatch, StoredOrder, Sums, UnitEnd, UnitKey, UnitRecord, UnitState, VerifiedUnit,
};
pub use sample_log::SampleLog;
pub use sellers::read_sellers;
pub use unit::UnitTx;
