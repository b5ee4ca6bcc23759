//! Configuration: layers in, one settled [`Settings`] out. No `Option` of a default survives.
//!
//! Flag over environment over file over the compiled-in `config/nightjob.toml` (contract, section 4). The only
//! reader of the environment and of secret files.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::domain::{Account, AmountUnit, BillDate, Lang, PayType};

/// What is meant: every key has a checked value, every path is absolute, every secret was read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Folder of the configuration file; relative paths were resolved against it, and `local_file` patterns are.
    pub home: PathBuf,
    pub paytypes: Vec<PayType>,
    /// The sticky trap (contract, section 1).
    pub sqe_date: Option<BillDate>,
    pub lag_days: u64,
    pub cutoff_minutes: u32,
    pub report_lang: Lang,
    /// `sqlite:/abs/path`, `postgres://…`, `mysql://…`
    pub database: String,
    pub archive: PathBuf,
    pub reports: PathBuf,
    pub paylog: PayLogSettings,
    pub http: HttpSettings,
    /// In the order of the file; also those whose pay type is not on the list, because a day's report covers all.
    pub accounts: Vec<Account>,
    /// Warnings for a person, such as a secret file that others may read.
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct PayLogSettings {
    pub database: String,
    pub schema: String,
    pub amount_unit: AmountUnit,
    pub isbase64: bool,
    pub look_back_days: u64,
    pub req_types: BTreeMap<String, PayType>,
}

#[derive(Clone, Debug)]
pub struct HttpSettings {
    pub connect_timeout: Duration,
    pub idle_timeout: Duration,
    pub tries: u32,
    /// Requests a second for each host; free on loopback.
    pub rate_per_second: f64,
}
