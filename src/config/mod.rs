//! Configuration: layers in, one settled [`Settings`] out. No `Option` of a default survives.
//!
//! Flag over environment over file over the compiled-in `config/nightjob.toml` (contract, section 4). The only
//! reader of the environment and of secret files. Every value keeps where it came from ([`Shown`]); everything
//! that is wrong is collected and told at once ([`Problems`]), and no text of this room holds a secret.
//!
//! | file | what it is |
//! |---|---|
//! | `find` | which file, and its text |
//! | `keys` | THE TABLE of keys and their readers |
//! | `account` | `[[account]]`, from what the rooms declare |
//! | `raw` `value` `day` `address` `secret` | readers of single values |
//! | `login` | the references in addresses of databases, followed |
//! | `settle` | the layers, one over the other |
//! | `agree` | what no single key shows: pay types without account, overlapping accounts |
//! | `problem` `excerpt` `show` | what a person reads |
//! | `legacy` `dsn` | the old program's XML, and its connection strings |
//! | `sellers` | accounts from the gateway's own tables, or one web.config |
//! | `import` | the old configuration as a nightjob.toml |
//!
//! # A new key
//!
//! Its row in `keys::KEYS`, its line with a comment in `config/nightjob.toml`; a test holds the two together.

mod account;
mod address;
mod agree;
mod day;
mod dsn;
mod excerpt;
mod copy;
mod find;
mod import;
mod keys;
mod legacy;
mod login;
mod problem;
mod raw;
mod secret;
mod sellers;
mod settle;
mod show;
mod value;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::channel::{self, Room};
use crate::domain::{Account, AmountUnit, BillDate, Clock, Exit, Failure, Lang, Moment, PayType};

pub use day::{check_past, read as read_day};
pub use import::{Imported, import};
pub use login::Address;
pub use problem::{Problem, Problems};
pub use sellers::{SellerRoute, SellerSettings, add_sellers};
pub use settle::{Loaded, load, settle};
pub use show::{Shown, document as shown_document, table as shown_table};
pub use value::span as read_span;

/// The compiled-in defaults; every key with its comment.
pub const DEFAULTS: &str = include_str!("../../config/nightjob.toml");

/// What the process was given, read once; tests make their own.
#[derive(Clone, Default)]
pub struct World {
    /// The working folder.
    pub here: PathBuf,
    /// Folder of the program itself.
    pub beside: Option<PathBuf>,
    /// All of it, because secrets may be anywhere in it. (So no `Debug`.)
    pub env: BTreeMap<String, String>,
    /// What was typed after the program's name; no flag takes a secret.
    pub command_line: String,
    /// Name of this machine, for those who read who holds the lock.
    pub host: String,
}

impl World {
    /// Of this process. Variables that are not Unicode do not exist for us.
    pub fn of_process() -> World {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let program = std::env::current_exe().ok();
        let typed: Vec<String> =
            std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        World {
            here: std::env::current_dir().unwrap_or_default(),
            beside: program.and_then(|p| p.parent().map(PathBuf::from)),
            env: std::env::vars_os().filter_map(text).collect(),
            command_line: typed.join(" "),
            host: host(),
        }
    }

    /// The machine's clock, or the instant in `NIGHTJOB_NOW` (RFC 3339).
    pub fn clock(&self) -> Result<Clock, Failure> {
        let Some(text) = self.env.get("NIGHTJOB_NOW").filter(|text| !text.is_empty()) else {
            return Ok(Clock::System);
        };
        match chrono::DateTime::parse_from_rfc3339(text) {
            Ok(instant) => Ok(Clock::Fixed(Moment::from_unix(instant.timestamp()))),
            Err(_) => Err(Failure::new(Exit::Usage, format!("NIGHTJOB_NOW: `{text}` is no instant"))
                .hint("write it as 2016-11-10T03:00:00+08:00, or unset it")),
        }
    }
}

/// What to load, and how.
#[derive(Clone)]
pub struct Request<'a> {
    /// `--config`
    pub file: Option<PathBuf>,
    /// The top layer.
    pub flags: Vec<Flag>,
    pub secrets: SecretUse,
    pub rooms: &'a [&'a Room],
}

impl Request<'_> {
    /// The file that is found, no flags, secrets read.
    pub fn new() -> Request<'static> {
        Request { file: None, flags: Vec::new(), secrets: SecretUse::Read, rooms: channel::ROOMS }
    }
}

impl Default for Request<'_> {
    fn default() -> Self {
        Request::new()
    }
}

/// A key that was given on the command line.
#[derive(Clone, Debug)]
pub struct Flag {
    /// `paytype`
    pub key: &'static str,
    /// `--paytype`
    pub name: &'static str,
    pub text: String,
}

/// Which references to secrets are followed. A command without network needs none of the accounts'.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretUse {
    Read,
    /// Those of databases only; `Room::check` is not asked.
    Databases,
    /// Only their form is checked, for a command that opens nothing.
    Leave,
}

/// The machine's name where the system tells it without being asked in C.
fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let names = ["COMPUTERNAME", "HOSTNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    let mut names = kernel.into_iter().chain(names).map(|name| name.trim().to_owned());
    names.find(|name| !name.is_empty()).unwrap_or_else(|| "this machine".to_owned())
}

/// Largest edit distance at which a word may have been meant: a third of its letters, and one of two.
const NEAR_PART: usize = 3;

/// The word that was probably meant, whatever the case.
pub fn nearest<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    let typed = text.to_lowercase();
    let distance = |word: &&'w str| strsim::damerau_levenshtein(&typed, &word.to_lowercase());
    let near = words.iter().copied().min_by_key(distance)?;
    let longer = near.chars().count().max(typed.chars().count());
    (longer > 1 && distance(&near) <= (longer / NEAR_PART).max(1)).then_some(near)
}

/// What is meant: every key has a checked value, every path is absolute, every secret was read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the configuration file; relative paths were resolved against it, and `local_file` patterns are.
    pub home: PathBuf,
    pub paytypes: Vec<PayType>,
    /// The sticky trap (contract, section 1).
    pub sqe_date: Option<BillDate>,
    pub lag_days: u64,
    /// 0 = a night does its own day only.
    pub catch_up_days: u64,
    pub cutoff_minutes: u32,
    pub report_lang: Lang,
    /// `sqlite:/abs/path`, `postgres://…`, `mysql://…`
    pub database: Address,
    pub archive: PathBuf,
    pub reports: PathBuf,
    pub paylog: PayLogSettings,
    pub http: HttpSettings,
    pub sellers: SellerSettings,
    /// In the order of the file; also those whose pay type is not on the list, because a day's report covers all.
    pub accounts: Vec<Account>,
    /// Warnings for a person, such as a secret file that others may read.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct PayLogSettings {
    pub database: Address,
    pub schema: String,
    pub amount_unit: AmountUnit,
    pub isbase64: bool,
    pub look_back_days: u64,
    /// Stored notifications: `file:/abs/path`, `table:NAME`, or nothing.
    pub notices: String,
    pub req_types: BTreeMap<String, PayType>,
}

#[derive(Clone, Debug)]
pub struct HttpSettings {
    pub connect_timeout: Duration,
    pub idle_timeout: Duration,
    pub tries: u32,
    /// The shortest pause between two tries; it doubles, with jitter, up to a minute.
    pub pause: Duration,
    /// Requests a second for each host; free on loopback.
    pub rate_per_second: f64,
}
