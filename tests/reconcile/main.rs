//! Reconciliation, held to nights written by hand and to what must be true of every night.

mod books;
mod nights;
mod peers;
mod properties;
