//! The ledger in SQLite: its bulk load, and rows by the million on the raw handle.

pub(super) mod load;
pub(super) mod stream;
