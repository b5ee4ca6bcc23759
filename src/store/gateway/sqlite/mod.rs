//! The gateway's tables in SQLite: found by name, opened read-only, read on the raw handle.

pub(super) mod log;
pub(super) mod notices;
pub(super) mod sellers;
