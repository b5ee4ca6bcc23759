//! The gateway itself (TTPAY, the front-end machine): the statement is downloaded through it, whatever the provider.
//!
//! Source: `spec/ttpay.md`, C (wire contract), A.5 (its error texts) and 000 FAQ 11 and 12 (the envelope). Quirks: the
//! envelope and the order query are documented, the download's name and fields are not, so all of them are keys under
//! `[gateway]`. The statement comes in chunks with a hash over the whole, or as the provider's own bytes, which are
//! sniffed and read by the same layouts as in the direct rooms. Success without content proves nothing.
//!
//! | file | what it is |
//! |---|---|
//! | `ask` | the account's keys, and what to say next |
//! | `request` | the envelope, in five transports |
//! | `reply` | the envelope of the answer, out of the same five, with its serial checked |
//! | `soap` | the little XML that two of them need |
//! | `content` | what the answer carries: a chunk, the provider's bytes, or the provider's refusal |
//! | `read` | chunks to one file, and the layout of the file |
//! | `judge` | the provider's reply to an order query, passed on by the gateway |

mod ask;
mod content;
mod judge;
mod read;
mod reply;
mod request;
mod soap;

use super::{Queries, Room, Statements};
use crate::domain::{Bill, PayType};

pub(super) static ROOM: Room = Room {
    code: "ttpay",
    pay_types: &PayType::ALL,
    bills: &[Bill::Trade],
    needs: ask::NEEDS,
    check: ask::check,
    statements: Some(Statements {
        next: ask::next,
        join: Some(read::join),
        read: read::read,
        keeps: ask::keeps,
    }),
    queries: Some(Queries { ask: judge::ask, judge: judge::judge }),
};
