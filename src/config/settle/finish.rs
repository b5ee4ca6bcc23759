//! What can be said only when every layer was read: accounts and their overlap, service providers, an old file's accounts,
//! pay types without account.

use super::{Layers, Loaded};
use crate::config::problem::{Place, Problems, Wrong};
use crate::config::sellers::{self, SellerRoute};
use crate::config::show::Shown;
use crate::config::{Address, SecretUse, account, address, agree, login};
use crate::domain::PayType;

impl Layers<'_> {
    pub(super) fn finish(mut self, file: &str) -> Result<Loaded, Problems> {
        // Accounts that could not be read would look as if they were missing.
        let all_read = self.findings.len() == 0;
        if all_read {
            let (desk, values, findings) = (&self.desk, &self.values, &mut self.findings);
            self.accounts.iter_mut().for_each(|entered| account::complete(entered, desk, values, findings));
        }
        agree::values(&self.values, &mut self.findings);
        let mut shown = self.shown();
        self.lend();
        agree::accounts(&self.accounts, &mut self.findings);
        self.settle_sellers();
        self.settle_addresses();
        for entered in std::mem::take(&mut self.accounts) {
            self.settings.warnings.extend(entered.warnings);
            self.settings.accounts.push(entered.account);
        }
        if all_read {
            let known = self.settings.warnings.len();
            shown.extend(self.old_accounts(file));
            // The tables are read later; until then nobody knows.
            if !self.settings.sellers.from_database {
                self.check_pay_types(known);
            }
        }
        if self.findings.len() > 0 {
            return Err(self.findings.into_problems());
        }
        Ok(Loaded { settings: self.settings, shown, file: file.to_owned() })
    }

    /// What was found wrong with an old file's accounts, the warnings after the first `known`, may be the reason.
    fn check_pay_types(&mut self, known: usize) {
        let taken: Vec<PayType> = self.settings.accounts.iter().map(|account| account.pay_type()).collect();
        let why = self.settings.warnings.get(known..).unwrap_or_default();
        agree::pay_types((&self.settings.paytypes, &taken), why, &self.values, &mut self.findings);
    }

    /// A service provider's account lends its keys to sub-merchants. One without `seller` is nothing else: it would
    /// claim every order of its pay type.
    fn lend(&mut self) {
        for key in ["sellers.provider_wx", "sellers.provider_ali"] {
            let Some(given) = self.values.get(key) else { continue };
            let name = given.raw.plain().trim().to_owned();
            if name.is_empty() {
                continue;
            }
            match self.accounts.iter().position(|entered| entered.account.name == name) {
                Some(at) => {
                    let lender = self.accounts[at].account.clone();
                    if lender.sellers.is_none() {
                        let entered = self.accounts.remove(at);
                        self.settings.warnings.extend(entered.warnings);
                    }
                    self.settings.sellers.lenders.push(lender);
                }
                None => {
                    let fix = "name a service provider's [[account]], or leave it empty";
                    let wrong = Wrong::new(format!("`{key}`: there is no account `{name}`"), fix);
                    self.findings.add(&given.place, wrong);
                }
            }
        }
    }

    fn settle_sellers(&mut self) {
        let sellers = &mut self.settings.sellers;
        sellers.has_gateway =
            self.values.get("gateway.url").is_some_and(|given| given.place != Place::Default);
        sellers.unread = self.desk.request.secrets != SecretUse::Read;
        sellers.shared = self.values.iter().map(|(path, given)| (path.clone(), given.raw.plain())).collect();
        let warnings = sellers::settle_options(sellers, &self.desk, &self.values, &mut self.findings);
        self.settings.warnings.extend(warnings);
    }

    /// Follows what the addresses of ledger and log refer to, where the command will open them.
    fn settle_addresses(&mut self) {
        if self.desk.request.secrets == SecretUse::Leave {
            return;
        }
        let settings = &mut self.settings;
        let addresses: [(&str, &mut Address, login::Check); 2] = [
            ("database", &mut settings.database, address::database),
            ("paylog.database", &mut settings.paylog.database, address::log),
        ];
        for (key, address, check) in addresses {
            match login::follow(address, check, (self.desk.home, self.desk.world)) {
                Ok((followed, warnings)) => {
                    *address = followed;
                    settings.warnings.extend(warnings);
                }
                Err(wrong) => {
                    let place = self.values.get(key).map_or(Place::Default, |given| given.place.clone());
                    self.findings.add(&place, wrong.of(key));
                }
            }
        }
    }

    /// The accounts of an old file; and what it must say and does not.
    fn old_accounts(&mut self, file: &str) -> Vec<Shown> {
        let Some(old) = &self.old else { return Vec::new() };
        let made = sellers::add(&mut self.settings, &old.tables, self.desk.request.rooms);
        let is_default =
            |path: &str| self.values.get(path).is_some_and(|given| given.place == Place::Default);
        let here = Place::Beside(file.to_owned());
        if is_default("paylog.database") {
            let found =
                "the log's database is not known: no `DbConnectionString` here or in a web.config beside it";
            self.findings.add(
                &here,
                Wrong::new(
                    found,
                    "set NIGHTJOB_PAYLOG__DATABASE=odbc:DSN=…, sqlite:PATH or a server's address",
                ),
            );
        }
        let asked = self.settings.sellers.route == SellerRoute::Gateway
            || self.settings.accounts.iter().any(|account| account.channel == sellers::GATEWAY);
        if asked && is_default("gateway.url") {
            self.findings.add(&here, old.no_address());
        }
        made.iter().flat_map(sellers::shown).collect()
    }
}
