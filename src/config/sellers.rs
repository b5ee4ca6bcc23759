//! Rows of the gateway's own account tables (or one web.config) to accounts, each by the route that can work.
//!
//! | file | what it does |
//! |---|---|
//! | `rows` | the rules R036 to R041: what is wrong with a row, and whether it can be used |
//! | `draft` | rows of one merchant account become one account with several sellers |
//! | `route` | gateway, own keys, or a service provider's own account |
//!
//! Warns where it can, leaves an account out where it must, and says so: the others go on. A written `[[account]]`
//! wins over a row of its seller (R043). Reads no table itself. Source: `spec/ttpay.md`, A.2, X05, X06, X35, X36.

mod draft;
mod route;
mod rows;

use std::collections::BTreeMap;

use super::account::{self, Given, Givens};
use super::problem::{Findings, Wrong};
use super::settle::Values;
use super::show::Shown;
use super::{SecretUse, Settings};
use crate::channel::Room;
use crate::domain::{Account, Exit, Failure, SellerTables};

pub(super) use route::GATEWAY;

/// `[sellers]`: how accounts are made of the gateway's tables.
#[derive(Clone, Debug, Default)]
pub struct SellerSettings {
    /// Whether the tables are read; web.config's account then claims only orders without a seller.
    pub from_database: bool,
    pub route: SellerRoute,
    /// Name of the `[[account]]` whose keys WeChat sub-merchants use; empty = none.
    pub provider_wx: String,
    /// The same for Alipay sub-stores.
    pub provider_ali: String,
    /// Alipay's merchant numbers (PID) by app id or seller: the tables do not hold them.
    pub partners: BTreeMap<String, String>,
    /// As written: channel, key, value.
    pub(super) written: Vec<(String, String, String)>,
    /// Further keys of such accounts, by channel; references to secrets were followed.
    pub(super) options: BTreeMap<String, Givens>,
    /// Values of the whole file's keys, for rooms that share them.
    pub(super) shared: BTreeMap<String, String>,
    /// Somebody wrote the gateway's address; the default one is only a guess.
    pub(super) has_gateway: bool,
    /// The providers' accounts; one without `seller` is nothing else.
    pub(super) lenders: Vec<Account>,
    /// Whether secrets were read; without them no room is asked for its last word.
    pub(super) unread: bool,
}

/// Where the statements of such accounts come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SellerRoute {
    /// Through the gateway, which holds the keys.
    #[default]
    Gateway,
    /// With the accounts' own keys; sub-merchants have none.
    Direct,
}

impl SellerSettings {
    fn secrets(&self) -> SecretUse {
        if self.unread { SecretUse::Leave } else { SecretUse::Read }
    }

    pub(super) fn ground(&self) -> account::Ground<'_> {
        account::Ground { shared: &self.shared, secrets: self.secrets() }
    }

    pub(super) fn lender(&self, name: &str) -> Option<&Account> {
        self.lenders.iter().find(|lender| lender.name == name)
    }
}

/// An account that was made of rows, for `config show`.
pub(super) struct Made {
    pub(super) account: Account,
    /// `EB_SELLER_WX`, `web.config`
    pub(super) place: String,
}

/// Reasons that one failure repeats; the warnings tell all.
const REASONS_MAX: usize = 20;

/// Makes accounts of the tables and adds them to those that are there. What was found wrong becomes warnings.
///
/// # Errors
///
/// [`Exit::Config`]: a listed pay type has no account even now.
pub fn add_sellers(
    settings: &mut Settings,
    tables: &SellerTables,
    rooms: &[&Room],
) -> Result<Vec<Shown>, Failure> {
    let known = settings.warnings.len();
    let made = add(settings, tables, rooms);
    let taken = |pay_type| settings.accounts.iter().any(|account| account.pay_type().covered_by(pay_type));
    if let Some(missing) = settings.paytypes.iter().find(|pay_type| !taken(**pay_type)) {
        let why = settings.warnings.iter().skip(known).take(REASONS_MAX);
        let why: String = why.map(|warning| format!("\n  {warning}")).collect();
        let message =
            format!("no account takes {missing}: neither [[account]] nor the gateway's tables give one{why}");
        return Err(Failure::new(Exit::Config, message).hint(format!(
            "mend what is named, add one under [[account]], or leave {missing} out of `paytype`"
        )));
    }
    Ok(made.iter().flat_map(shown).collect())
}

/// As [`add_sellers`], without asking whether every pay type has an account.
pub(super) fn add(settings: &mut Settings, tables: &SellerTables, rooms: &[&Room]) -> Vec<Made> {
    settings.warnings.extend(tables.remarks.iter().cloned());
    let rows = rows::judge(tables, &settings.sellers, &mut settings.warnings);
    let drafts = draft::merge(rows, settings);
    let mut made = Vec::new();
    for draft in drafts {
        match route::account(&draft, tables, settings, rooms) {
            Ok(account) => made.push(Made { account, place: draft.place.clone() }),
            Err(why) => settings.warnings.push(format!("{}: left out: {why}", draft.whose())),
        }
    }
    settings.accounts.extend(made.iter().map(|made| made.account.clone()));
    made
}

/// The rows of `config show`; secrets only by where they stand.
pub(super) fn shown(made: &Made) -> Vec<Shown> {
    let account = &made.account;
    let row = |name: &str, value: String| Shown {
        key: format!("account.{}.{name}", account.name),
        value,
        origin: made.place.clone(),
    };
    let sellers = account.sellers.as_ref().map(|sellers| row("seller", format!("{sellers:?}")));
    let common = [
        row("paytype", format!("{:?}", account.pay_type().as_str())),
        row("channel", format!("{:?}", account.channel)),
        row("merchant", format!("{:?}", account.merchant)),
        row("customer", format!("{:?}", account.customer)),
    ];
    let options = account.options.iter().filter(|(name, _)| !name.contains('.'));
    let options = options.map(|(name, value)| row(name, format!("{value:?}")));
    let secrets = account.secrets.keys().map(|name| row(name, "***".to_owned()));
    common.into_iter().chain(sellers).chain(options).chain(secrets).collect()
}

/// `wechat_v2.url=https://…`: channel, key, value.
pub(super) fn read_option(text: &str) -> Result<(String, String, String), Wrong> {
    let form = "write \"CHANNEL.KEY=VALUE\", such as \"wechat_v2.sign_type=MD5\"";
    let parts = text.split_once('=').and_then(|(path, value)| Some((path.trim().split_once('.')?, value)));
    let ((channel, key), value) = parts.ok_or_else(|| Wrong::new("a part of it is no option", form))?;
    Ok((channel.to_owned(), key.to_owned(), value.trim().to_owned()))
}

/// `8888=2088000000000001`: app id or seller, and the merchant's number.
pub(super) fn read_partner(text: &str) -> Result<(String, String), Wrong> {
    let pair = text.split_once('=').map(|(who, partner)| (who.trim(), partner.trim()));
    let pair = pair.filter(|(who, partner)| !who.is_empty() && account::is_merchant(partner));
    let (who, partner) = pair.ok_or_else(|| {
        let fix = "write \"APP_ID=PID\" or \"SELLER=PID\", such as \"8888=2088000000000001\"";
        Wrong::new(format!("`{text}` names no merchant number"), fix)
    })?;
    Ok((who.to_owned(), partner.to_owned()))
}

/// Follows what `sellers.options` refers to, and says which of them no channel takes. Warnings come back.
pub(super) fn settle_options(
    settings: &mut SellerSettings,
    desk: &account::Desk<'_>,
    values: &Values,
    findings: &mut Findings<'_>,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(given) = values.get("sellers.options") else { return warnings };
    for (channel, key, value) in &settings.written {
        match account::loose_option(channel, key, value, desk) {
            Ok((given, warning)) => {
                warnings.extend(warning);
                settings.options.entry(channel.clone()).or_default().insert(key.clone(), given);
            }
            Err(wrong) => findings.add(&given.place, wrong.of("sellers.options")),
        }
    }
    warnings
}

/// A secret as a value, unless there is none.
fn filled(secret: &crate::domain::Secret) -> Option<Given> {
    (!secret.is_blank()).then(|| Given::Secret(secret.clone()))
}
