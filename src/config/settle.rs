//! The layers, one over the other: defaults, file, environment, flags. What only all of them show is in `finish`.

mod finish;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::account::{self, Desk, Entered};
use super::find::{self, Found};
use super::keys::{self, Ground, KEYS};
use super::legacy::{self, Old};
use super::login;
use super::problem::{Findings, Place, Problems, Source, Wrong};
use super::raw::{self, Pair, Raw};
use super::secret::Reference;
use super::sellers::SellerSettings;
use super::show::Shown;
use super::{Address, DEFAULTS, HttpSettings, PayLogSettings, Request, Settings, World};
use crate::domain::{AmountUnit, BillDate, Exit, Failure, Lang};

const PREFIX: &str = "NIGHTJOB_";
/// Variables of this prefix that are no keys: the file, the clock, and what tests and benches are told. What the rig
/// is told is refused by a program without it, so that a sweep never passes because nothing was armed.
const NO_KEYS: &[&str] = if cfg!(feature = "rig") {
    &["CONFIG", "NOW", "BLESS", "BENCH", "FAILPOINT", "PLANTED", "CLOCK"]
} else {
    &["CONFIG", "NOW", "BLESS", "BENCH"]
};
const NO_KEYS_BEGIN: &str = "TEST_";

/// A settled configuration.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub settings: Settings,
    /// Every value with its origin: the keys in the order of the manual, then the accounts.
    pub shown: Vec<Shown>,
    /// The file, as a person would write it.
    pub file: String,
}

/// A value in force.
pub(super) struct Given {
    pub raw: Raw,
    pub place: Place,
}

/// The values in force, by key.
pub(super) type Values = BTreeMap<String, Given>;

/// Finds the configuration, reads it and settles it.
///
/// # Errors
///
/// Everything that is wrong, each with its place. Nothing was attempted then.
pub fn load(request: &Request<'_>, world: &World, today: BillDate) -> Result<Loaded, Problems> {
    let found = find::find(request, world).map_err(|failure| Problems::one(&failure))?;
    settle_found(&found, request, world, today)
}

/// Settles a text that is already here, as if it stood in `home`. With [`SecretUse::Leave`](super::SecretUse)
/// nothing outside is touched.
pub fn settle(
    text: &str,
    home: &Path,
    request: &Request<'_>,
    world: &World,
    today: BillDate,
) -> Result<Loaded, Problems> {
    let name = "nightjob.toml".to_owned();
    let found = Found { name, home: home.to_path_buf(), text: text.to_owned(), is_xml: false };
    settle_found(&found, request, world, today)
}

fn settle_found(
    found: &Found,
    request: &Request<'_>,
    world: &World,
    today: BillDate,
) -> Result<Loaded, Problems> {
    if found.is_xml {
        return settle_old(found, request, world, today);
    }
    let mut findings = Findings::new(Source { name: &found.name, text: &found.text });
    let document = parse(&mut findings);
    if findings.len() > 0 {
        return Err(findings.into_problems());
    }
    let mut layers = Layers::new(found, Desk { request, world, home: &found.home }, today);
    layers.table(document.get_ref(), "");
    layers.environment(&document_references(document.get_ref()));
    layers.flags();
    layers.finish(&found.name)
}

/// The old program's file, with the web.config beside it.
fn settle_old(
    found: &Found,
    request: &Request<'_>,
    world: &World,
    today: BillDate,
) -> Result<Loaded, Problems> {
    if found.is_gateways() {
        let message =
            format!("{} is the gateway's configuration; it does not say what to reconcile", found.name);
        let hint = format!("name the old program's .exe.config, or `nightjob config import {}`", found.name);
        return Err(Problems::one(&Failure::new(Exit::Config, message).hint(hint)));
    }
    let mut layers = Layers::new(found, Desk { request, world, home: &found.home }, today);
    layers.old(legacy::read(found, world)?);
    layers.environment(&[]);
    layers.flags();
    layers.finish(&found.name)
}

/// The values of an old file over the defaults, and nothing else: what `config import` starts from.
pub(super) fn values_of(
    found: &Found,
    old: Old,
    request: &Request<'_>,
    world: &World,
    today: BillDate,
) -> Result<(Settings, Values), Problems> {
    let mut layers = Layers::new(found, Desk { request, world, home: &found.home }, today);
    layers.old(old);
    match layers.findings.len() {
        0 => Ok((layers.settings, layers.values)),
        _ => Err(layers.findings.into_problems()),
    }
}

/// The file as a table. What is not TOML is said first, because everything else would be noise.
fn parse<'t>(findings: &mut Findings<'t>) -> toml::Spanned<DeTable<'t>> {
    let (document, errors) = DeTable::parse_recoverable(findings.source.text);
    for error in errors.into_iter().take(SYNTAX_ERRORS_MAX) {
        let at = error.span().unwrap_or(0..0);
        findings.add(&Place::File(at), Wrong::new(format!("not TOML: {}", error.message()), ""));
    }
    document
}

/// After a few of them the parser only guesses.
const SYNTAX_ERRORS_MAX: usize = 3;

/// Filled by the defaults before anything is read from it.
fn blank(home: &Path) -> Settings {
    Settings {
        home: home.to_path_buf(),
        paytypes: Vec::new(),
        sqe_date: None,
        lag_days: 0,
        catch_up_days: 0,
        cutoff_minutes: 0,
        report_lang: Lang::Zh,
        database: Address::default(),
        archive: PathBuf::new(),
        reports: PathBuf::new(),
        paylog: PayLogSettings {
            database: Address::default(),
            schema: String::new(),
            amount_unit: AmountUnit::Fen,
            isbase64: false,
            look_back_days: 0,
            notices: String::new(),
            req_types: BTreeMap::new(),
        },
        http: HttpSettings {
            connect_timeout: Duration::ZERO,
            idle_timeout: Duration::ZERO,
            tries: 0,
            pause: Duration::ZERO,
            rate_per_second: 0.0,
        },
        sellers: SellerSettings::default(),
        accounts: Vec::new(),
        warnings: Vec::new(),
    }
}

struct Layers<'a> {
    ground: Ground<'a>,
    settings: Settings,
    values: Values,
    findings: Findings<'a>,
    desk: Desk<'a>,
    accounts: Vec<Entered>,
    /// Instead of a table, where the file is an old one.
    old: Option<Old>,
}

impl<'a> Layers<'a> {
    /// The defaults of a file.
    fn new(found: &'a Found, desk: Desk<'a>, today: BillDate) -> Layers<'a> {
        let mut layers = Layers {
            ground: Ground { home: &found.home, today },
            settings: blank(&found.home),
            values: Values::new(),
            findings: Findings::new(Source { name: &found.name, text: &found.text }),
            desk,
            accounts: Vec::new(),
            old: None,
        };
        layers.defaults();
        layers
    }

    /// The layer of an old file. Without an account in it or beside it, the tables are asked.
    fn old(&mut self, mut old: Old) {
        for (value, place) in std::mem::take(&mut old.values) {
            self.give(value.path, Raw::Loose(value.text), place);
        }
        if !old.has_accounts() {
            self.give("sellers.from_database", Raw::Loose("true".to_owned()), Place::Default);
        }
        self.settings.warnings.append(&mut old.warnings);
        self.old = Some(old);
    }

    fn defaults(&mut self) {
        let document = DeTable::parse(DEFAULTS).expect("the compiled-in file is TOML, which a test proves");
        let mut tables = vec![(String::new(), document.get_ref())];
        while let Some((table, inside)) = tables.pop() {
            for pair in raw::pairs(inside) {
                let path = join(&table, pair.name);
                match pair.value.get_ref() {
                    DeValue::Table(inner) => tables.push((path, inner)),
                    _ => self.give(&path, Raw::of(pair.value), Place::Default),
                }
            }
        }
    }

    /// Walks a table of the file, in its order.
    fn table(&mut self, table: &DeTable<'_>, path: &str) {
        for pair in raw::pairs(table) {
            let path = join(path, pair.name);
            let inner = pair.value.get_ref().as_table();
            if path == "account" {
                self.accounts(&pair);
            } else if keys::is_table(&path) {
                match inner {
                    Some(inner) => self.table(inner, &path),
                    None => self.not_a_table(&pair, &path),
                }
            } else if keys::find(&path).is_some() || keys::req_type_of(&path).is_some_and(|p| p.is_ok()) {
                self.give(&path, Raw::of(pair.value), Place::File(pair.value.span()));
            } else {
                self.unknown(&pair, &path);
            }
        }
    }

    fn not_a_table(&mut self, pair: &Pair<'_>, path: &str) {
        let wrong =
            Wrong::new(format!("`{path}` is a table"), format!("write [{path}] and its keys below it"));
        self.findings.add(&Place::File(pair.at.clone()), wrong.hide_rest());
    }

    fn unknown(&mut self, pair: &Pair<'_>, path: &str) {
        let place = Place::File(pair.at.clone());
        let wrong = match keys::req_type_of(path) {
            Some(Err(wrong)) => wrong,
            _ if pair.value.get_ref().is_table() => {
                Wrong::new(format!("unknown table [{path}]"), keys::advice(path))
            }
            _ => Wrong::new(format!("unknown key `{path}`"), keys::advice(path)),
        };
        self.findings.add(&place, wrong);
    }

    fn accounts(&mut self, pair: &Pair<'_>) {
        match account::tables(pair.value) {
            Err(wrong) => self.findings.add(&Place::File(pair.value.span()), wrong.hide_rest()),
            Ok(tables) => {
                for (pairs, at) in tables {
                    let entered = account::read(&pairs, at, &self.desk, &mut self.findings);
                    self.accounts.extend(entered);
                }
            }
        }
    }

    /// Reads one value of a known key; it stands over what was there.
    fn give(&mut self, path: &str, raw: Raw, place: Place) {
        let read = match keys::req_type_of(path) {
            Some(pay_type) => {
                let known = &mut self.settings.paylog.req_types;
                pay_type.and_then(|pay_type| super::value::req_types(pay_type, &raw, known))
            }
            None => keys::find(path).map_or(Ok(()), |key| (key.read)(&raw, &self.ground, &mut self.settings)),
        };
        if let Err(wrong) = read {
            self.findings.add(&place, wrong.of(path));
        }
        self.values.insert(path.to_owned(), Given { raw, place });
    }

    /// `NIGHTJOB_PAYLOG__DATABASE` is `paylog.database`. A name that is no key is an error, unless a secret's
    /// reference names it.
    fn environment(&mut self, referenced: &[String]) {
        let ours = self
            .desk
            .world
            .env
            .iter()
            .filter_map(|(name, text)| Some((name, name.strip_prefix(PREFIX)?, text)));
        for (name, key, text) in ours {
            if NO_KEYS.contains(&key) || key.starts_with(NO_KEYS_BEGIN) || referenced.contains(name) {
                continue;
            }
            let path = path_of(key);
            let place = Place::Env(name.clone());
            if keys::find(&path).is_some() || keys::req_type_of(&path).is_some_and(|p| p.is_ok()) {
                self.give(&path, Raw::Loose(text.clone()), place);
            } else {
                self.findings.add(&place, Wrong::new(format!("{name} names no key"), advice(&path)));
            }
        }
    }

    fn flags(&mut self) {
        for flag in &self.desk.request.flags {
            self.give(flag.key, Raw::Loose(flag.text.clone()), Place::Flag(flag.name));
        }
    }

    fn shown(&self) -> Vec<Shown> {
        let row = |path: &str, given: &Given| Shown {
            key: path.to_owned(),
            value: given.raw.shown(),
            origin: self.findings.source.origin(&given.place),
        };
        let keys = KEYS.iter().filter_map(|key| Some(row(key.path, self.values.get(key.path)?)));
        let req_types = self.values.iter().filter(|(path, _)| keys::parent(path) == keys::REQ_TYPES);
        let req_types = req_types.map(|(path, given)| row(path, given));
        keys.chain(req_types).chain(self.accounts.iter().flat_map(|entered| entered.shown.clone())).collect()
    }
}

fn join(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") }
}

/// `PAYLOG__REQ_TYPES__TEEGON` → `paylog.req_types.TEEGON`
fn path_of(key: &str) -> String {
    let path = key.to_ascii_lowercase().replace("__", ".");
    match path.strip_prefix(keys::REQ_TYPES).and_then(|rest| rest.strip_prefix('.')) {
        Some(pay_type) => format!("{}.{}", keys::REQ_TYPES, pay_type.to_ascii_uppercase()),
        None => path,
    }
}

/// The variable that may have been meant.
fn advice(path: &str) -> String {
    let names: Vec<String> = KEYS.iter().map(|key| variable(key.path)).collect();
    let words: Vec<&str> = names.iter().map(String::as_str).collect();
    match super::nearest(&variable(path), &words) {
        Some(near) => format!("did you mean {near}?"),
        None => {
            "a variable of this prefix is a key in capitals, such as NIGHTJOB_PAYLOG__DATABASE".to_owned()
        }
    }
}

fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase())
}

/// Variables that accounts and addresses of databases name as `env:NAME`.
fn document_references(document: &DeTable<'_>) -> Vec<String> {
    let text = |table: &DeTable<'_>, key: &str| table.get(key)?.get_ref().as_str().map(str::to_owned);
    let paylog = document.get("paylog").and_then(|table| table.get_ref().as_table());
    let addresses = [text(document, "database"), paylog.and_then(|table| text(table, "database"))];
    let mut all: Vec<String> =
        addresses.iter().flatten().flat_map(|address| login::variables(address)).collect();
    let Some(DeValue::Array(accounts)) = document.get("account").map(toml::Spanned::get_ref) else {
        return all;
    };
    let texts =
        accounts.iter().filter_map(|account| account.get_ref().as_table()).flat_map(|table| table.values());
    let named = texts.filter_map(|value| match Reference::parse(value.get_ref().as_str()?)? {
        Reference::Env(name) => Some(name.to_owned()),
        Reference::File(_) | Reference::Command(_) => None,
    });
    all.extend(named);
    all
}
