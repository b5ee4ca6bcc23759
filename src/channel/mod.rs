//! Payment channels, one room each.
//!
//! A room is a pure conversation partner. It never opens a socket or a file: [`Statements::next`] is shown everything
//! heard so far and says the next thing; `acquire` does it. So a room can be tested with a transcript that a
//! person can read, and time-outs, tries, rate limits, size caps, archiving and redacted logs exist once.
//!
//! Two shapes of conversation, and a room has one of them or both:
//!
//! | shape | room | what it gives |
//! |---|---|---|
//! | [`Statements`] | most | the provider's own list of a day: what both sides know can be compared |
//! | [`Queries`] | `tianta`, `teegon`, and for single doubts all that can be asked | the provider's word about one order |
//!
//! # A new channel
//!
//! 1. `scripts/new-room NAME` copies the nearest room: `mod.rs` (the row and its quirks), `ask.rs` (what to say
//!    next), `read.rs` (bytes to `Statement`); a room that can be asked about orders has `judge.rs` as well.
//! 2. Its line in [`ROOMS`] is added by the script.
//! 3. `fixtures/<room>/`: `account.txt` (the account that its talks begin with) and the cases that
//!    `tests/rooms` asks for.

pub mod address;
pub mod answered;
pub mod answers;
pub mod envelope;
pub mod form;
pub mod json;
pub mod keys;
pub mod mapi;
mod mapi_reply;
pub mod notice;
pub mod sign;
pub mod sign_cashier;
pub mod xml;
pub mod identity;
pub mod wechat_v2;
pub mod wechat_v3;
pub mod wechat_global;
pub mod alipay_open;
pub mod alipay_mapi;
pub mod alipay_global;
pub mod tianta;
pub mod teegon;
pub mod ttpay;
pub mod local_file;

mod query;
mod wechat;
mod wechatpay;

use std::fmt;

use crate::domain::{Account, Bill, Errand, Failure, Moment, PayType, Stamp, Statement};
use crate::format::ReadError;

pub use identity::Identity;
pub use query::{Inquiry, Judged, Queries, Told};

/// Every channel, in the order of the manual.
pub static ROOMS: &[&Room] = &[
    &wechat_v2::ROOM,
    &wechat_v3::ROOM,
    &wechat_global::ROOM,
    &alipay_open::ROOM,
    &alipay_mapi::ROOM,
    &alipay_global::ROOM,
    &tianta::ROOM,
    &teegon::ROOM,
    &ttpay::ROOM,
    &local_file::ROOM,
];

/// The room of a channel code.
pub fn room(code: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|r| r.code == code).copied()
}

/// Reads what the archive holds of an errand: the room's statement, or the answers that stand in its place.
///
/// # Errors
///
/// [`ReadError`]: not a statement, not the asked one, or one that does not add up.
pub fn read(room: &Room, errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    match room.statements {
        _ if room.queries.is_some() && answers::is_book(&raw) => answers::read(errand, raw),
        Some(statements) => (statements.read)(errand, raw),
        None => Err(ReadError::File(format!("channel {} has no statements", room.code))),
    }
}

/// A channel: data and plain functions.
pub struct Room {
    /// The name in configuration, in `fixtures/` and in the archive's index.
    pub code: &'static str,
    pub pay_types: &'static [PayType],
    /// The bills it can get; `config` refuses an account that wants another one.
    pub bills: &'static [Bill],
    /// The account keys this channel takes beyond the common ones. `config` refuses all others.
    pub needs: &'static [Need],
    /// What no single key shows: does the private key parse, is the address one that may be used.
    pub check: fn(&Account) -> Result<(), Failure>,
    /// Without: a day is reconciled by asking order by order.
    pub statements: Option<Statements>,
    /// Without: no order can be asked about.
    pub queries: Option<Queries>,
}

/// The conversation that ends in a statement.
#[derive(Clone, Copy)]
pub struct Statements {
    /// Says the next thing, given all that was heard.
    pub next: fn(&Errand, &[Heard], &Stamp) -> Step,
    /// Makes one file of the bodies that [`Step::Join`] named; `None` where a statement always comes in one piece.
    pub join: Option<Join>,
    /// Reads the raw bytes of the statement and proves them to be the asked one.
    pub read: fn(&Errand, Vec<u8>) -> Result<Statement, ReadError>,
    /// How many days a trade bill is kept for download; `None` where nobody says so, and then it is asked for.
    pub keeps: fn(&Account) -> Option<i64>,
}

/// [`Statements::keeps`] of a channel whose provider names no limit.
pub fn for_ever(_: &Account) -> Option<i64> {
    None
}

/// Bodies in the order in which they were heard, to one file; or why they do not fit together.
pub type Join = fn(&Errand, Vec<Vec<u8>>) -> Result<Vec<u8>, String>;

/// One account key of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    pub key: &'static str,
    pub required: bool,
    /// Given as a reference (`file:`, `env:`, `cmd:`) and kept in a type that cannot be printed.
    pub secret: bool,
    /// A secret that may be a binary file; it is kept in base64.
    pub binary: bool,
    /// Used when the key is absent.
    pub default: &'static str,
    /// The only values allowed; empty = any.
    pub allowed: &'static [&'static str],
    /// Not a key of the account: `key` is the path of a key of the whole file (`gateway.url`), and every account of
    /// this channel has its value under that path.
    pub shared: bool,
}

impl Need {
    pub const fn option(key: &'static str, default: &'static str) -> Need {
        Need { key, required: false, secret: false, default, allowed: &[], binary: false, shared: false }
    }

    pub const fn required(key: &'static str) -> Need {
        Need { key, required: true, secret: false, default: "", allowed: &[], binary: false, shared: false }
    }

    pub const fn secret(key: &'static str, required: bool) -> Need {
        Need { key, required, secret: true, default: "", allowed: &[], binary: false, shared: false }
    }

    /// A secret that may be a binary file (a `.p12`): the account holds its bytes in base64.
    pub const fn binary(key: &'static str) -> Need {
        Need { binary: true, ..Need::secret(key, false) }
    }

    pub const fn one_of(key: &'static str, default: &'static str, allowed: &'static [&'static str]) -> Need {
        Need { key, required: false, secret: false, default, allowed, binary: false, shared: false }
    }

    /// The value of a key of the whole file.
    pub const fn shared(key: &'static str) -> Need {
        Need { key, required: false, secret: false, default: "", allowed: &[], binary: false, shared: true }
    }
}

/// One turn of a conversation, as the room wants it.
#[derive(Debug)]
pub enum Step {
    /// Say this next; what comes back is appended to what was heard.
    Ask(Ask),
    /// The last thing heard is the statement.
    Statement,
    /// What was heard in these turns (counted from 0) is the statement, once [`Statements::join`] has made one file
    /// of it.
    Join(Vec<usize>),
    /// No statement can be had this way: the day is reconciled by asking order by order. The text says why.
    OneByOne(String),
    /// The provider says, in the last thing heard, that the day has no movements.
    NoMovements,
    /// Not made yet, or a file that is not there yet. An answer, not a reason to wait.
    NotReady(String),
    /// The provider refused us; asking again changes nothing before a person did something.
    Refused(String),
    /// What came is not what may be read; it stays in the archive, marked.
    Rejected(String),
    /// Hold the whole conversation again, from the beginning, after a pause of `at_least_seconds` or, if it is
    /// longer, the engine's own.
    Again { why: String, when_exhausted: Exhausted, at_least_seconds: u64 },
}

impl From<Request> for Ask {
    fn from(request: Request) -> Ask {
        Ask::Http(Box::new(request))
    }
}

impl Step {
    pub fn ask(request: Request) -> Step {
        Step::Ask(request.into())
    }

    /// [`Step::Again`] after the engine's usual pause.
    pub fn again(when_exhausted: Exhausted, why: impl Into<String>) -> Step {
        Step::Again { why: why.into(), when_exhausted, at_least_seconds: 0 }
    }
}

/// What a trouble is that never passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exhausted {
    /// Exit 5.
    Passing,
    /// Exit 6.
    Refused,
    /// Exit 7.
    NotReady,
    /// Exit 8.
    Rejected,
}

#[derive(Debug)]
pub enum Ask {
    Http(Box<Request>),
    File(FileAsk),
}

/// An HTTP request. Redirects are never followed and bodies never decoded on the way.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: &'static str,
    pub url: String,
    /// Used if `url` cannot be connected to and `allow_plain_http` is set: the plain-http address that the
    /// provider gave, after https was tried.
    pub plain_url: Option<String>,
    /// The account accepts plain http elsewhere than on loopback.
    pub allow_plain_http: bool,
    /// The address stood in a reply and not in the configuration: a name that suddenly means this machine or its
    /// link is then not followed.
    pub given: bool,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Shown to a server that asks for a certificate of ours.
    pub identity: Option<Identity>,
    /// Whether the answer may be a statement (size cap of a bill) or only a short reply (1 MiB).
    pub bill: bool,
    /// How much of the answer the room wants to see in its next turn; more than [`HEAD_MAX`] only where a reply must
    /// be understood as a whole.
    pub head_max: usize,
    /// A word of the room's own, found again as [`Heard::mark`] beside the answer: a serial that the answer must
    /// echo, the place in a list that was asked for. It is never sent; no secret belongs in it.
    pub mark: String,
}

impl Request {
    /// A request to an address of the configuration, without anything in it.
    pub fn new(method: &'static str, url: String, account: &Account) -> Request {
        Request {
            method,
            url,
            plain_url: None,
            allow_plain_http: account.option("allow_plain_http") == "true",
            given: false,
            headers: Vec::new(),
            body: Vec::new(),
            identity: None,
            bill: false,
            head_max: HEAD_MAX,
            mark: String::new(),
        }
    }

    /// A bill at an address that stood in a reply and was held to the account's list.
    pub fn bill_at(given: address::Given, account: &Account) -> Request {
        let address::Given { url, plain_url } = given;
        Request { plain_url, given: true, bill: true, ..Request::new("GET", url, account) }
    }
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
    /// The first [`HEAD_MAX`] bytes; of the last thing heard, as many as the request asked to see.
    pub head: Vec<u8>,
    pub len: u64,
    /// SHA-256 of the whole body, in hex; its handle in the archive.
    pub sha256: String,
    /// Where it came from, fit for a log: method and bare address, or the file's path below the configuration.
    pub source: String,
    /// [`Request::mark`] of the question; empty for a file.
    pub mark: String,
    /// When it had come, by our clock.
    pub at: Option<Moment>,
}

/// What an HTTP status other than 200 means, whatever the provider; `None` for 200.
pub(crate) fn unless_ok(heard: &Heard) -> Option<Step> {
    let (status, source) = (heard.status, &heard.source);
    Some(match status {
        200 => return None,
        300..=399 => Step::Rejected(format!("{source} answered {status}, a redirect; none is followed")),
        408 | 425 | 429 | 500..=599 => Step::again(Exhausted::Passing, format!("{source} answered {status}")),
        400..=499 => Step::Refused(format!("{source} refused us with status {status}")),
        _ => Step::again(Exhausted::Rejected, format!("{source} answered {status} where 200 is expected")),
    })
}

/// A provider's text as it may stand in a message: one line, no control or direction characters, not endless.
pub fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 160;
    let fit = |c: char| {
        let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns { '\u{fffd}' } else { c }
    };
    let mut line: String = text.trim().chars().take(SHOWN_MAX).map(fit).collect();
    if text.trim().chars().nth(SHOWN_MAX).is_some() {
        line.push('…');
    }
    line
}

/// How much of a large body a room sees.
pub const HEAD_MAX: usize = 64 * 1024;

/// Requests one statement may take. The longest real one is a day of 5,000-row pages; a hundred pages is half a
/// million movements.
pub const ASKS_MAX: usize = 100;

impl Ask {
    /// [`Request::mark`]; empty for a file.
    pub fn mark(&self) -> &str {
        match self {
            Ask::Http(request) => &request.mark,
            Ask::File(_) => "",
        }
    }
}

impl Heard {
    /// The whole body, if it fits into what a room sees.
    pub fn whole(&self) -> Option<&[u8]> {
        (self.len == self.head.len() as u64).then_some(self.head.as_slice())
    }

    /// True if a provider's page or apology came where bytes of a bill or a reply were expected.
    pub fn looks_like_markup(&self) -> bool {
        xml::start(&self.head).first() == Some(&b'<')
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}
