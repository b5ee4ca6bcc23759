//! The references in an address of a database, followed: the whole address, or its password alone.
//!
//! | address | what is followed |
//! |---|---|
//! | `env:NAME`, `file:PATH`, `cmd:COMMAND` | all of it |
//! | `postgres://user@host/db?password=file:PATH` | the password, which moves to its place beside the user |
//! | `odbc:DSN=…;uid=…;pwd=file:PATH;` | the password |

use std::fmt;
use std::ops::Deref;
use std::path::Path;

use super::World;
use super::address::without_password;
use super::dsn::Dsn;
use super::problem::Wrong;
use super::secret::{self, Reference};

/// An address with all that is needed to log in. `Debug` shows it without its password; it has no `Display`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Address(String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", without_password(&self.0))
    }
}

impl Deref for Address {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Address {
    fn from(text: String) -> Address {
        Address(text)
    }
}

impl PartialEq<String> for Address {
    fn eq(&self, text: &String) -> bool {
        self.0 == *text
    }
}

/// How the address of a key is checked: `address::database` or `address::log`.
pub(super) type Check = fn(&str, &Path) -> Result<String, Wrong>;

/// Follows what an address refers to; the address, and what a person should be warned of. No error shows either.
pub(super) fn follow(
    address: &str,
    check: Check,
    (home, world): (&Path, &World),
) -> Result<(Address, Vec<String>), Wrong> {
    let mut warnings = Vec::new();
    let mut text = address.to_owned();
    if let Some(reference) = Reference::parse(&text) {
        let followed = secret::follow(&reference, home, world)?;
        warnings.extend(followed.warning);
        text = check(followed.secret.expose().trim(), home)?;
        if Reference::parse(&text).is_some() {
            return Err(Wrong::new("this reference leads to another one", "put the address itself there"));
        }
    }
    let Some(password) = password_of(&text) else { return Ok((Address(text), warnings)) };
    let Some(reference) = Reference::parse(&password) else { return Ok((Address(text), warnings)) };
    let followed = secret::follow(&reference, home, world)?;
    warnings.extend(followed.warning);
    Ok((Address(with_password(&text, followed.secret.expose())), warnings))
}

/// Variables that an address refers to: they are no keys, whatever they are called.
pub(super) fn variables(address: &str) -> impl Iterator<Item = String> {
    let named = |part: &str| match Reference::parse(part.trim()) {
        Some(Reference::Env(name)) => Some(name.to_owned()),
        _ => None,
    };
    let password = password_of(address);
    [named(address), password.as_deref().and_then(named)].into_iter().flatten()
}

/// The password of an ODBC source, or the one in the options of a server's address.
fn password_of(text: &str) -> Option<String> {
    if let Some(dsn) = text.strip_prefix("odbc:") {
        return Dsn::parse(dsn).ok()?.password().map(str::to_owned);
    }
    let (_, query) = text.split_once('?').filter(|_| text.contains("://"))?;
    let value = query.split('&').find_map(|pair| is_password(pair).then(|| pair.split_once('='))?)?.1;
    Some(decoded(value))
}

fn is_password(pair: &str) -> bool {
    pair.split('=').next().is_some_and(|name| name.eq_ignore_ascii_case("password"))
}

fn with_password(text: &str, password: &str) -> String {
    if let Some(Ok(dsn)) = text.strip_prefix("odbc:").map(Dsn::parse) {
        return dsn.with_password(password).address();
    }
    let (server, query) = text.split_once('?').unwrap_or((text, ""));
    let rest: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !is_password(pair)).collect();
    let query = if rest.is_empty() { String::new() } else { format!("?{}", rest.join("&")) };
    let (scheme, place) = server.split_once("://").unwrap_or(("", server));
    let (user, host) = place.rsplit_once('@').unwrap_or(("", place));
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}:{}@{host}{query}", encoded(password))
}

/// Every byte that could mean something in an address as `%XX`.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = (*first == b'%').then(|| std::str::from_utf8(after.get(..2)?).ok()).flatten();
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::address;

    fn world() -> World {
        let env = [
            ("PW", "ge:h@im/?#&%é\n"),
            ("ALL", "mysql://u:CANARY@h/x"),
            ("LOOP", "env:ALL"),
            ("FILE", "sqlite:x.db"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        World { env: env.into_iter().collect(), ..World::default() }
    }

    fn followed(text: &str) -> Result<String, String> {
        let found = follow(text, address::log, (Path::new("/site"), &world()));
        found.map(|(address, _)| address.to_string()).map_err(|wrong| format!("{wrong:?}"))
    }

    #[test]
    fn whole_addresses_and_single_passwords() {
        let secret = "ge%3Ah%40im%2F%3F%23%26%25%C3%A9";
        for (text, expected) in [
            ("env:ALL", "mysql://u:CANARY@h/x".to_owned()),
            ("env:FILE", "sqlite:/site/x.db".to_owned()),
            ("postgres://u@h/x?password=env:PW", format!("postgres://u:{secret}@h/x")),
            (
                "postgres://u@h/x?sslmode=verify-full&password=env%3APW&a=b",
                format!("postgres://u:{secret}@h/x?sslmode=verify-full&a=b"),
            ),
            ("mysql://u:old@h:3306/x?PASSWORD=env:PW", format!("mysql://u:{secret}@h:3306/x")),
            ("mysql://u:CANARY@h/x?password=plain", "mysql://u:CANARY@h/x?password=plain".to_owned()),
            ("odbc:DSN=x;pwd=env:PW;uid=u;", "odbc:DSN=x;pwd=ge:h@im/?#&%é;uid=u;".to_owned()),
            ("sqlite:/a?password=env:PW", "sqlite:/a?password=env:PW".to_owned()),
        ] {
            assert_eq!(followed(text), Ok(expected), "{text}");
        }
        for (text, words) in [
            ("env:LOOP", "another one"),
            ("env:NOWHERE", "variable NOWHERE is not set"),
            ("postgres://u@h/x?password=file:/nowhere", "cannot read"),
        ] {
            let wrong = followed(text).expect_err(text);
            assert!(wrong.contains(words) && !wrong.contains("CANARY"), "{wrong}");
        }
        let names: Vec<String> =
            ["env:A", "mysql://u@h/x?password=env:B", "odbc:DSN=x;pwd=env:C", "sqlite:env:D"]
                .into_iter()
                .flat_map(variables)
                .collect();
        assert_eq!(names, ["A", "B", "C"]);
        assert_eq!(format!("{:?}", Address("mysql://u:CANARY@h/x".to_owned())), "\"mysql://u:***@h/x\"");
    }
}
