//! The gateway's own tables, EB_PAYLOG and EB_SELLER*: opened read-only, streamed, never written.
//!
//! [`PayLog`] streams the log (`spec/ttpay.md`, A.3), [`read_sellers`] reads the gateway's accounts, [`read_notices`]
//! the notifications that somebody kept. [`SampleLog`] writes a log of its own, for the sandbox. What a message means
//! is `paylog`'s question.

pub(super) mod log_row;
mod needles;
mod notices;
mod paylog;
mod sample_log;
mod sellers;
mod server;
mod sqlite;

pub use log_row::OwnedLogRow;
pub use notices::{NoticeRow, read_notices};
pub use paylog::{FoundRows, PayLog, ReadCount};
pub use sample_log::SampleLog;
pub use sellers::read_sellers;
