//! `config import`: an old `.exe.config` or `web.config` as a nightjob.toml that loads, its secrets in files of their
//! own.
//!
//! Translates the file alone: no variable and no flag has a part in it. No secret is ever printed, and no file that is
//! there already is touched. What was not taken, and what was found wrong, is said. Source: `spec/ttpay.md`, A.1, A.2.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::dsn::Dsn;
use super::find::{self, Found};
use super::problem::{Place, Problems};
use super::settle::{self, Values};
use super::{Request, SecretUse, SellerRoute, Settings, World, account, address, legacy, sellers};
use crate::channel::Room;
use crate::domain::{Account, BillDate, Exit, Failure, PayType, Secret, is_full};

/// Folder of the secrets, below that of the configuration.
const SECRETS: &str = "secrets";
const NAME: &str = "nightjob.toml";

/// An old configuration in the new form.
pub struct Imported {
    /// The nightjob.toml.
    pub toml: String,
    /// What was taken from where, one line each.
    pub taken: Vec<String>,
    /// Keys that were not used, with their file.
    pub ignored: Vec<String>,
    /// What a person must look at: rules R036 to R041, stopped types, what is missing.
    pub findings: Vec<String>,
    secrets: BTreeMap<String, Secret>,
}

/// Translates a file.
///
/// # Errors
///
/// Everything that is wrong with it, or with the web.config beside it.
pub fn import(file: &Path, rooms: &[&Room], world: &World, today: BillDate) -> Result<Imported, Problems> {
    let one = |failure: Failure| Problems::one(&failure);
    let found = find::named(file, world).map_err(one)?;
    if !found.is_xml {
        let failure = Failure::new(Exit::Usage, format!("{} is no XML", found.name));
        return Err(one(failure.hint("name the old program's .exe.config or the gateway's web.config")));
    }
    // The file alone: what this environment says would be frozen into the new one.
    let world = World { env: BTreeMap::new(), ..world.clone() };
    let request = Request { rooms, secrets: SecretUse::Read, ..Request::new() };
    let old = legacy::read(&found, &world)?;
    let (tables, beside, ignored) = (old.tables.clone(), old.beside.clone(), old.ignored.clone());
    let taken: Vec<String> =
        old.values.iter().map(|(v, place)| taken(&found, (&v.name, v.path), place)).collect();
    let no_address = old.no_address().found;
    let (mut settings, values) = settle::values_of(&found, old, &request, &world, today)?;
    let mut work = Work { values: &values, rooms, findings: Vec::new() };
    work.choose_route(&mut settings, &no_address, found.is_gateways());
    sellers::add(&mut settings, &tables, rooms);
    work.findings.append(&mut settings.warnings);
    work.check_gateway(&settings);
    let mut imported =
        Imported { toml: String::new(), taken, ignored, findings: Vec::new(), secrets: BTreeMap::new() };
    let from = beside.map_or(found.name.clone(), |beside| format!("{} and {beside}", found.name));
    imported.toml = work.write(&settings, &from, &mut imported.secrets);
    imported.findings = work.findings;
    let made = settings.accounts.iter();
    imported.taken.extend(made.map(|a| format!("account {} ({}, {})", a.name, a.pay_type(), a.channel)));
    prove(&imported.toml, &found, (rooms, &world, today))?;
    Ok(imported)
}

fn taken(found: &Found, (name, path): (&str, &str), place: &Place) -> String {
    let source = super::problem::Source { name: &found.name, text: &found.text };
    format!("{name} -> {path} ({})", source.origin(place))
}

/// What was written must load; anything else is a mistake of this room.
fn prove(
    toml: &str,
    found: &Found,
    (rooms, world, today): (&[&Room], &World, BillDate),
) -> Result<(), Problems> {
    let request = Request { rooms, secrets: SecretUse::Leave, ..Request::new() };
    settle::settle(toml, &found.home, &request, world, today).map(drop)
}

/// The import under way.
struct Work<'a> {
    values: &'a Values,
    rooms: &'a [&'a Room],
    findings: Vec<String>,
}

impl Work<'_> {
    /// As the old program where its gateway is known; else with the accounts' own keys.
    fn choose_route(&mut self, settings: &mut Settings, no_address: &str, gateways: bool) {
        let has_room = self.rooms.iter().any(|room| room.code == sellers::GATEWAY);
        let is_known = self.text("gateway.url").is_some();
        settings.sellers.route =
            if is_known && has_room { SellerRoute::Gateway } else { SellerRoute::Direct };
        // What is missing is a finding here, and the person fills it in.
        settings.sellers.has_gateway = true;
        settings.sellers.shared =
            self.values.iter().map(|(path, given)| (path.clone(), given.raw.plain())).collect();
        if !is_known && !gateways {
            self.findings.push(format!("{no_address}; the accounts' own keys are used"));
        }
    }

    fn check_gateway(&mut self, settings: &Settings) {
        let through = settings.accounts.iter().filter(|account| account.channel == sellers::GATEWAY);
        let names: Vec<&str> = through.map(|account| account.name.as_str()).collect();
        if !names.is_empty() && self.text("gateway.url").is_none() {
            let names = names.join(" ");
            self.findings.push(format!(
                "{names}: only through the gateway, whose address is not known; set gateway.url"
            ));
        }
    }

    /// A value of the old file, not a default.
    fn text(&self, path: &str) -> Option<String> {
        let given = self.values.get(path).filter(|given| given.place != Place::Default)?;
        Some(given.raw.plain()).filter(|text| !text.trim().is_empty())
    }

    fn write(&mut self, settings: &Settings, from: &str, secrets: &mut BTreeMap<String, Secret>) -> String {
        let from: String = from.chars().filter(|c| !c.is_control()).collect();
        let mut out = format!(
            "# Made by `nightjob config import` from {from}.\n# What stands nowhere here has its default: see config/nightjob.toml.\n\n"
        );
        line(&mut out, "paytype", &quoted(&self.pay_types(settings)));
        if let Some(date) = self.text("sqe_date") {
            out.push_str("# While it is set, every night reconciles this one day and no other.\n");
            line(&mut out, "sqe_date", &quoted(date.trim()));
        }
        self.write_log(&mut out, secrets);
        self.write_gateway(&mut out);
        if settings.sellers.from_database {
            out.push_str("\n[sellers]\n");
            line(&mut out, "from_database", "true");
            let route = if settings.sellers.route == SellerRoute::Direct { "direct" } else { "gateway" };
            line(&mut out, "route", &quoted(route));
        }
        for account in &settings.accounts {
            self.write_account(&mut out, account, secrets);
        }
        out
    }

    /// Those listed that have an account; without a list, those that have one.
    fn pay_types(&mut self, settings: &Settings) -> String {
        let own: Vec<PayType> = settings.accounts.iter().map(Account::pay_type).collect();
        let listed = self.text("paytype").map(|_| settings.paytypes.clone());
        let listed =
            listed.unwrap_or_else(|| if own.is_empty() { settings.paytypes.clone() } else { own.clone() });
        let mut names: Vec<&str> = Vec::new();
        for pay_type in listed {
            let has_account = own.iter().any(|own| own.covered_by(pay_type));
            if !has_account && !settings.sellers.from_database {
                self.findings
                    .push(format!("{pay_type} is left out of `paytype`: no account of it can be used"));
            } else if !names.contains(&pay_type.as_str()) {
                names.push(pay_type.as_str());
            }
        }
        names.join("|")
    }

    fn write_log(&mut self, out: &mut String, secrets: &mut BTreeMap<String, Secret>) {
        out.push_str("\n[paylog]\n");
        let dsn = self.text("paylog.database").and_then(|text| Dsn::parse(text.strip_prefix("odbc:")?).ok());
        match dsn {
            Some(dsn) => {
                let file = format!("{SECRETS}/paylog.pwd");
                let password = dsn.password().map(Secret::new);
                let dsn = dsn.with_password(&format!("file:{file}"));
                secrets.extend(password.map(|password| (file, password)));
                line(out, "database", &quoted(&dsn.address()));
            }
            None => {
                out.push_str("# The old files do not say where the log is.\n");
                line(out, "database", &quoted("sqlite:ttpayment.db"));
                self.findings.push(
                    "the log's database is not known (no DbConnectionString); set paylog.database".to_owned(),
                );
            }
        }
        self.write_truth(out, "paylog.isbase64", "isbase64");
    }

    fn write_truth(&self, out: &mut String, path: &str, name: &str) {
        if let Some(truth) = self.text(path) {
            line(out, name, &truth);
        }
    }

    fn write_gateway(&mut self, out: &mut String) {
        let Some(url) = self.text("gateway.url") else { return };
        out.push_str("\n[gateway]\n");
        line(out, "url", &quoted(&url));
        if let Some(transport) = self.text("gateway.transport") {
            line(out, "transport", &quoted(&transport));
        }
        self.write_truth(out, "gateway.isbase64", "isbase64");
        if address::check_http(&url, false).is_err() && address::check_http(&url, true).is_ok() {
            out.push_str(
                "# As the old program did it: nobody proves who answers. Use https if the gateway has it.\n",
            );
            line(out, "allow_plain_http", "true");
            self.findings
                .push(format!("the gateway is asked over plain http ({url}): nobody proves who answers"));
        }
    }

    fn write_account(&self, out: &mut String, account: &Account, secrets: &mut BTreeMap<String, Secret>) {
        out.push_str("\n[[account]]\n");
        line(out, "name", &quoted(&account.name));
        line(out, "paytype", &quoted(account.pay_type().as_str()));
        line(out, "channel", &quoted(&account.channel));
        line(out, "merchant", &quoted(&account.merchant));
        if let Some(sellers) = &account.sellers {
            let list: Vec<String> = sellers.iter().map(|seller| quoted(seller)).collect();
            line(out, "seller", &format!("[{}]", list.join(", ")));
        }
        if !account.customer.is_empty() {
            line(out, "customer", &quoted(&account.customer));
        }
        let room = self.rooms.iter().find(|room| room.code == account.channel);
        for need in room.iter().flat_map(|room| room.needs).filter(|need| !need.shared) {
            if let Some(secret) = account.secret(need.key) {
                let file = format!("{SECRETS}/{}.{}", account.name, need.key);
                line(out, need.key, &quoted(&format!("file:{file}")));
                secrets.insert(file, secret.clone());
            } else if !account.option(need.key).is_empty() && account.option(need.key) != need.default {
                line(out, need.key, &quoted(account.option(need.key)));
            }
        }
    }
}

impl Imported {
    /// The secrets' files, relative to the configuration.
    pub fn secret_files(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }

    /// Writes the configuration and its secrets (mode 0600) into a folder; the paths written.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`]: one of the files is there already; then nothing is written. [`Exit::Storage`]: the disk.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, Failure> {
        let paths = std::iter::once(NAME).chain(self.secret_files()).map(|name| folder.join(name));
        let paths: Vec<PathBuf> = paths.collect();
        // A link that leads nowhere is there too.
        if let Some(taken) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
            let message = format!("{} is there already; nothing was written", taken.display());
            return Err(
                Failure::new(Exit::Usage, message).hint("name another folder with --out, or move it away")
            );
        }
        let disk = |path: &Path, error: &std::io::Error| {
            let message = format!("{}: {error}", path.display());
            let hint = match is_full(error) {
                true => "the disk is full; make space and run again",
                false => "check the folder: may this user write it?",
            };
            Failure::new(Exit::Storage, message).hint(hint)
        };
        for (file, secret) in &self.secrets {
            let path = folder.join(file);
            account::write_secret(&path, secret).map_err(|error| disk(&path, &error))?;
        }
        let path = folder.join(NAME);
        std::fs::create_dir_all(folder).map_err(|error| disk(folder, &error))?;
        let written = std::fs::File::create_new(&path).and_then(|mut file| {
            use std::io::Write as _;
            file.write_all(self.toml.as_bytes())
        });
        written.map_err(|error| disk(&path, &error))?;
        Ok(paths)
    }
}

fn line(out: &mut String, key: &str, value: &str) {
    // Writing to a String cannot fail.
    let _never = writeln!(out, "{key:<17} = {value}");
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
