//! The ledger in SQLite: its statements, its bulk load, its streams.

pub(super) mod answers;
pub(super) mod load;
pub(super) mod reads;
pub(super) mod schema;
pub(super) mod stream;
pub(super) mod unit;
