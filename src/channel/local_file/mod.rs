//! A statement that somebody else puts into a folder: a path with `{paytype}`, `{merchant}`, `{date}` and `*`; a
//! path that ends in `/` means the one file in that folder.
//!
//! Source: contract, section 4 (`path`, `layout`). Quirk: a file that is not there yet is "not ready", and a
//! pattern that fits several files is refused, because nobody can know which one is meant. Never picks the newest.

mod ask;
mod read;

/// Rooms that also take an inbox folder ask for its file in the same way.
pub(super) use ask::{check_path, next};

use super::{Room, Statements, for_ever};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "local_file",
    pay_types: &PayType::ALL,
    bills: &[Bill::Trade],
    needs: ask::NEEDS,
    check: ask::check,
    statements: Some(Statements { next: ask::next, join: None, read: read::read, keeps: for_ever }),
    queries: None,
};
