//! The only place that speaks SQL: the ledger we own, and the gateway's log that we only read.
//!
//! [`Ledger`] keeps units (contract, section 8) and answers about single orders; [`PayLog`] streams EB_PAYLOG
//! (`spec/ttpay.md`, A.3); [`RunLock`] keeps a second instance out; [`SampleLog`] writes the simulated gateway's log;
//! [`read_sellers`] reads the gateway's own accounts, [`read_notices`] the notifications that somebody kept. Nothing here
//! writes to a gateway's tables, knows a provider, or decides what a mismatch is. Only `sqlite/bulk.rs` holds `unsafe`.
//!
//! # Another engine
//!
//! A variant in `Place` and in `ledger/engine.rs`, its spelling in `ledger/schema.rs` and `gateway/server/dialect.rs`, and
//! its way of loading beside `ledger/postgres.rs`: the compiler then names each place that has to choose.

mod gateway;
mod ledger;
mod options;
mod place;
mod sqlite;
mod text;
mod trouble;
mod value;

#[cfg(test)]
mod tests;

pub use gateway::{
    FoundRows, NoticeRow, OwnedLogRow, PayLog, ReadCount, SampleLog, read_notices, read_sellers,
};
pub use ledger::{
    Action, AnswerOutcome, Claim, Head, KeptStatement, KeptUnit, Ledger, Neighbour, RowDamage, RunLock,
    RunRecord, SectionRecord, Stamp, StatementMeta, StatementRecord, StatementState, StoredAnswer,
    StoredEntry, StoredEvent, StoredMismatch, StoredOrder, Sums, UnitEnd, UnitKey, UnitRecord, UnitState,
    UnitTx, VerifiedUnit, canonical_hash,
};
pub use place::check_address;
