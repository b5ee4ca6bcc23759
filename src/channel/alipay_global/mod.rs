//! Alipay overseas: the forex files of the legacy gateway, or files that its SFTP server, or somebody, puts into a folder.
//!
//! Source: `spec/alipay.md` 4. Quirks: the pulled file is text without titles in GBK, its errors come in three shapes (XML,
//! a sentence, a sentence behind `File download failed`), and nothing of it is signed but the question. An account with a
//! `path` is never asked for over the network. Never opens an SFTP connection: whoever mirrors the server's folder does.

mod ask;
mod read;

use super::{Room, Statements, for_ever};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "alipay_global",
    pay_types: &[PayType::AliOs],
    bills: &[Bill::Trade],
    needs: ask::NEEDS,
    check: ask::check,
    statements: Some(Statements { next: ask::next, join: None, read: read::read, keeps: for_ever }),
    queries: None,
};
