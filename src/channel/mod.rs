//! Payment channels, one room each.
//!
//! A room is a pure conversation partner. It never opens a socket or a file: [`Room::next`] is shown everything
//! heard so far and says the next thing; `acquire` does it. So a room can be tested with a transcript that a
//! person can read, and time-outs, tries, rate limits, size caps, archiving and redacted logs exist once.
//!
//! # A new channel
//!
//! 1. `scripts/new-room NAME` copies the nearest room: `mod.rs` (the row and its quirks), `ask.rs` (what to say
//!    next), `read.rs` (bytes to `Statement`).
//! 2. Add its line to [`ROOMS`].
//! 3. Add `fixtures/<room>/` with the cases that `tests/rooms.rs` asks for.

pub mod sign;
pub mod wechat_v2;
pub mod alipay_open;
pub mod local_file;

use std::fmt;

use crate::domain::{Account, Errand, Failure, PayType, Stamp, Statement};
use crate::format::ReadError;

/// Every channel with statements, in the order of the manual.
pub static ROOMS: &[&Room] = &[&wechat_v2::ROOM, &alipay_open::ROOM, &local_file::ROOM];

/// The room of a channel code.
pub fn room(code: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|r| r.code == code).copied()
}

/// A channel with statements: data and plain functions.
pub struct Room {
    /// The name in configuration, in `fixtures/` and in the archive's index.
    pub code: &'static str,
    pub pay_types: &'static [PayType],
    /// The account keys this channel takes beyond the common ones. `config` refuses all others.
    pub needs: &'static [Need],
    /// What no single key shows: does the private key parse, is the address one that may be used.
    pub check: fn(&Account) -> Result<(), Failure>,
    /// Says the next thing, given all that was heard.
    pub next: fn(&Errand, &[Heard], &Stamp) -> Step,
    /// Reads the raw bytes of the statement and proves them to be the asked one.
    pub read: fn(&Errand, Vec<u8>) -> Result<Statement, ReadError>,
}

/// One account key of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    pub key: &'static str,
    pub required: bool,
    /// Given as a reference (`file:`, `env:`, `cmd:`) and kept in a type that cannot be printed.
    pub secret: bool,
    /// Used when the key is absent.
    pub default: &'static str,
    /// The only values allowed; empty = any.
    pub allowed: &'static [&'static str],
}

impl Need {
    pub const fn option(key: &'static str, default: &'static str) -> Need {
        Need { key, required: false, secret: false, default, allowed: &[] }
    }

    pub const fn required(key: &'static str) -> Need {
        Need { key, required: true, secret: false, default: "", allowed: &[] }
    }

    pub const fn secret(key: &'static str, required: bool) -> Need {
        Need { key, required, secret: true, default: "", allowed: &[] }
    }

    pub const fn one_of(key: &'static str, default: &'static str, allowed: &'static [&'static str]) -> Need {
        Need { key, required: false, secret: false, default, allowed }
    }
}

/// One turn of a conversation, as the room wants it.
#[derive(Debug)]
pub enum Step {
    /// Say this next; what comes back is appended to what was heard.
    Ask(Ask),
    /// The last thing heard is the statement.
    Statement,
    /// The provider says, in the last thing heard, that the day has no movements.
    NoMovements,
    /// Not made yet, or a file that is not there yet. An answer, not a reason to wait.
    NotReady(String),
    /// The provider refused us; asking again changes nothing before a person did something.
    Refused(String),
    /// What came is not what may be read; it stays in the archive, marked.
    Rejected(String),
    /// Hold the whole conversation again, from the beginning, after a pause.
    Again { why: String, when_exhausted: Exhausted },
}

/// What a trouble is that never passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exhausted {
    /// Exit 5.
    Passing,
    /// Exit 7.
    NotReady,
    /// Exit 8.
    Rejected,
}

#[derive(Debug)]
pub enum Ask {
    Http(Request),
    File(FileAsk),
}

/// An HTTP request. Redirects are never followed and bodies never decoded on the way.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: &'static str,
    pub url: String,
    /// Used if `url` cannot be connected to: Alipay's plain-http address, after https was tried.
    pub plain_url: Option<String>,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Whether the answer may be a statement (size cap of a bill) or only a short reply (1 MiB).
    pub bill: bool,
}

impl fmt::Debug for Request {
    /// Method and bare address: query, headers and body hold signatures and tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, bare(&self.url))
    }
}

/// An address without its query, fit for a log.
pub fn bare(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or("")
}

/// A file already on disk. The pattern is relative to the configuration's folder; a `*` in its last part must
/// match exactly one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileAsk {
    pub pattern: String,
}

/// What came back: its first bytes and its place in the archive.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The HTTP status. For a file: 200, 404 (none) or 300 (the pattern matches several).
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The first [`HEAD_MAX`] bytes.
    pub head: Vec<u8>,
    pub len: u64,
    /// SHA-256 of the whole body, in hex; its handle in the archive.
    pub sha256: String,
    /// Where it came from, fit for a log: method and bare address, or the file's path below the configuration.
    pub source: String,
}

/// How much of a large body a room sees.
pub const HEAD_MAX: usize = 64 * 1024;

/// Requests one statement may take. The longest real one is a day of 5,000-row pages; a hundred pages is half a
/// million movements.
pub const ASKS_MAX: usize = 100;

impl Heard {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
