//! An account from values that stand in no `[[account]]`: a row of the gateway's tables, or a web.config.
//!
//! Same room, same keys, same last word as for a written account; only who names the values differs.

use std::collections::BTreeMap;

use super::{ALLOW_PLAIN_HTTP, URL, own_needs};
use crate::channel::Room;
use crate::config::{SecretUse, address};
use crate::domain::{Account, Bill, Secret};

/// A value of a key of the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Given {
    Text(String),
    Secret(Secret),
}

/// Values by key.
pub(in crate::config) type Givens = BTreeMap<String, Given>;

/// What every account of a file is completed with.
pub(in crate::config) struct Ground<'a> {
    /// Values of the whole file's keys, by path.
    pub(in crate::config) shared: &'a BTreeMap<String, String>,
    pub(in crate::config) secrets: SecretUse,
}

/// Completes an account whose common keys are set. Values that the room does not take are left out.
///
/// # Errors
///
/// Why this account cannot work, in one line without a secret.
pub(in crate::config) fn assemble(
    mut account: Account,
    givens: &Givens,
    room: &Room,
    ground: &Ground<'_>,
) -> Result<Account, String> {
    if !room.pay_types.contains(&account.pay_type()) {
        return Err(format!("channel `{}` has no {}", room.code, account.pay_type()));
    }
    room.code.clone_into(&mut account.channel);
    account.bills = vec![Bill::Trade];
    for need in own_needs(room) {
        match givens.get(need.key) {
            Some(given) if need.secret => drop(account.secrets.insert(need.key.to_owned(), secret(given))),
            Some(given) => drop(account.options.insert(need.key.to_owned(), text(given))),
            None if need.required => {
                return Err(format!("channel `{}` needs `{}`, which is not known", room.code, need.key));
            }
            None if need.default.is_empty() => {}
            None => drop(account.options.insert(need.key.to_owned(), need.default.to_owned())),
        }
    }
    if let Some(Given::Text(allowed)) = givens.get(ALLOW_PLAIN_HTTP) {
        account.options.insert(ALLOW_PLAIN_HTTP.to_owned(), allowed.clone());
    }
    finish(account, room, ground)
}

/// The last checks of an account that has all its values.
///
/// # Errors
///
/// As [`assemble`].
pub(in crate::config) fn finish(
    mut account: Account,
    room: &Room,
    ground: &Ground<'_>,
) -> Result<Account, String> {
    let allowed = account.option(ALLOW_PLAIN_HTTP) == "true";
    if !account.option(URL).is_empty() {
        address::check_http(account.option(URL), allowed)
            .map_err(|wrong| format!("`{URL}`: {}", wrong.found))?;
    }
    for need in room.needs.iter().filter(|need| need.shared) {
        let value = ground.shared.get(need.key).cloned().unwrap_or_default();
        account.options.insert(need.key.to_owned(), value);
    }
    match ground.secrets {
        SecretUse::Read => (room.check)(&account).map(|()| account).map_err(|failure| failure.message),
        SecretUse::Databases | SecretUse::Leave => Ok(account),
    }
}

fn secret(given: &Given) -> Secret {
    match given {
        Given::Secret(secret) => secret.clone(),
        Given::Text(text) => Secret::new(text.clone()),
    }
}

fn text(given: &Given) -> String {
    match given {
        // A room that takes Alipay's public key as plain text: it is no secret.
        Given::Secret(secret) => secret.expose().to_owned(),
        Given::Text(text) => text.clone(),
    }
}
