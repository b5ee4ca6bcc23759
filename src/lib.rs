//! `nightjob` compares what payment channels say happened with what a payment gateway logged, to the fen.
//!
//! # The map
//!
//! A night is a list of **errands**: one merchant account and one bill date each. For each errand the house
//! *acquires* the raw statement, *reads* it into a checked `Statement`, *keeps* it in the ledger, *folds* what
//! EB_PAYLOG says into `LoggedOrder`s, *reconciles* the two, and *reports*. The rooms stand in that order.
//!
//! | floor | rooms | must not know |
//! |---|---|---|
//! | 3 | [`cli`] [`command`] [`night`] and `main` | SQL, HTTP, file layouts |
//! | 2 | [`config`] [`plan`] [`acquire`] [`store`] [`sandbox`] | each other's tools |
//! | 1 | [`format`](mod@format) [`channel`] [`paylog`] [`reconcile`] [`report`] | sockets, files, clock, environment, async |
//! | 0 | [`domain`] [`failpoint`] | everything but `std`, `chrono`, `thiserror` |
//!
//! # Invariants of absence
//!
//! - No channel does I/O: it is shown a conversation and says the next thing.
//! - No float comes near money.
//! - No row of a statement or of the log is skipped: it is understood, or counted and shown, or the file is refused.
//! - Nothing is compared that was not first archived under its hash.
//! - Nothing writes to the gateway's tables.
//!
//! `tests/house.rs` reads this tree and holds it to the table above.

pub mod domain;
pub mod failpoint;
pub mod format;
pub mod channel;
pub mod paylog;
pub mod reconcile;
pub mod report;
pub mod config;
pub mod plan;
pub mod acquire;
pub mod store;
pub mod sandbox;
pub mod night;
pub mod command;
pub mod cli;
