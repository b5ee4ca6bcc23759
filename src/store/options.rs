//! The options of a server's address, as far as a person may get them wrong: a name or a value that nobody knows, and the
//! user, who must stand there.

use std::net::IpAddr;

use crate::domain::{Exit, Failure};

/// Options of an address, as the drivers know them. Others they would pass over.
pub(super) const POSTGRES_OPTIONS: &str = "sslmode ssl-mode sslrootcert ssl-root-cert ssl-ca sslcert ssl-cert sslkey ssl-key statement-cache-capacity host hostaddr port dbname user password application_name options";
pub(super) const MYSQL_OPTIONS: &str = "sslmode ssl-mode sslca ssl-ca sslcert ssl-cert sslkey ssl-key charset collation statement-cache-capacity socket timezone time-zone";

/// What an option's value may be, where it is not anything.
pub(super) const POSTGRES_MODES: &str = "disable allow prefer require verify-ca verify-full";
pub(super) const MYSQL_MODES: &str = "disabled preferred required verify_ca verify_identity";

/// Names and values of the options in an address, as they are written.
fn pairs(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once(['?', '#']).map_or("", |(_, query)| query);
    query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Names of the options in an address, as they are written.
fn asked(url: &str) -> impl Iterator<Item = &str> {
    pairs(url).map(|(name, _)| name)
}

/// Whether one of the options stands in the address.
pub(super) fn asked_for(url: &str, names: &[&str]) -> bool {
    asked(url).any(|name| names.contains(&name))
}

pub(super) fn only_known(url: &str, known: &str, key: &str) -> Result<(), Failure> {
    match asked(url).find(|name| !name.is_empty() && known.split(' ').all(|option| option != *name)) {
        None => Ok(()),
        Some(name) => {
            let shown = if is_word(name) { format!(" `{name}`") } else { String::new() };
            let message = format!("`{key}` has an option{shown} that its engine does not know");
            Err(Failure::new(Exit::Config, message).hint(format!("its options are: {known}")))
        }
    }
}

/// What is none may be the rest of a password with a `?` in it, and is not shown.
fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Without one the drivers take a name of their own (`anonymous`, `root`), also on a socket, where libpq would take that of
/// the system's user: the server then turns away somebody whom nobody has written down.
pub(super) fn names_its_user(url: &str, key: &str) -> Result<(), Failure> {
    let place = url.split_once("://").map_or("", |(_, place)| place);
    let server = place.split(['/', '?', '#']).next().unwrap_or_default();
    let before = server.rsplit_once('@').map_or("", |(login, _)| login);
    let is_named = !before.split(':').next().unwrap_or_default().is_empty();
    match is_named || pairs(url).any(|(name, value)| name == "user" && !value.is_empty()) {
        true => Ok(()),
        false => Err(Failure::new(Exit::Config, format!("`{key}` names no user"))
            .hint("put the user before the host: …://user@host/database, also for a socket")),
    }
}

/// Why a driver does not read an address: an option whose value it does not know, else the whole of it.
pub(super) fn unreadable(url: &str, key: &str, (scheme, modes): (&str, &str)) -> Failure {
    let wrong = pairs(url).find_map(|(name, value)| {
        let number = "a number";
        let (fits, values) = match name {
            "sslmode" | "ssl-mode" => {
                (modes.split(' ').any(|mode| mode.eq_ignore_ascii_case(value)), modes.replace(' ', ", "))
            }
            "port" => (value.parse::<u16>().is_ok(), number.to_owned()),
            "statement-cache-capacity" => (value.parse::<usize>().is_ok(), number.to_owned()),
            "hostaddr" => (value.parse::<IpAddr>().is_ok(), "a number such as 10.0.0.9".to_owned()),
            _ => return None,
        };
        (!fits).then_some((name, value, values))
    });
    if let Some((name, value, values)) = wrong {
        let shown = if is_word(value) { format!(" `{value}`") } else { String::new() };
        let message =
            format!("`{key}` gives its option `{name}` a value{shown} that its engine does not know");
        return Failure::new(Exit::Config, message).hint(format!("write {name}= and one of: {values}"));
    }
    Failure::new(
        Exit::Config,
        format!("`{key}` is no address of the form {scheme}://user:password@host/database"),
    )
    .hint("characters such as @ : / ? # in a user or password are written as %40 %3A %2F %3F %23")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::check_address;

    fn parse(url: &str) -> Result<(), Failure> {
        check_address(url, "database")
    }

    #[test]
    fn an_option_that_the_engine_would_pass_over_is_refused() {
        for (url, option) in [
            ("postgres://u@localhost/x?sslMode=verify-full", " `sslMode`"),
            ("postgres://u@localhost/x?ssl%6dode=verify-full", " that"),
            ("postgres://u@localhost/x#?sslmode=verify-full", " that"),
            ("mysql://u@localhost/x?sslrootcert=ca.pem", " `sslrootcert`"),
            ("mysql://u@localhost/x?ssl_mode=VERIFY_IDENTITY&ssl-ca=ca.pem", " `ssl_mode`"),
        ] {
            let failure = parse(url).unwrap_err();
            assert_eq!(failure.exit, Exit::Config, "{url}");
            assert!(failure.message.contains(&format!("an option{option}")), "{url}: {failure:?}");
        }
        // What looks like an option may be the rest of a password.
        let failure = parse("postgres://u:12?geheim@host/db&dbname=x").unwrap_err();
        assert!(!format!("{failure:?}").contains("geheim"), "{failure:?}");
    }

    #[test]
    fn an_option_with_a_value_that_nobody_knows_is_named_with_those_that_are() {
        for (url, wrong, known) in [
            (
                "postgres://u@h/x?sslmode=requir",
                "`sslmode` a value `requir`",
                "require, verify-ca, verify-full",
            ),
            (
                "postgres://u@h/x?a=b&ssl-mode=VERIFY_IDENTITY",
                "`ssl-mode` a value `VERIFY_IDENTITY`",
                "verify-full",
            ),
            ("postgres://u@h/x?sslmode=%67eheim", "`sslmode` a value that", "verify-full"),
            ("postgres://u@h/x?sslmode=VERIFY-FULL&port=543z", "`port` a value `543z`", "a number"),
            ("mysql://u@h/x?ssl-mode=verify-full", "`ssl-mode` a value `verify-full`", "verify_identity"),
        ] {
            let failure = parse(url).unwrap_err();
            assert_eq!(failure.exit, Exit::Config, "{url}");
            assert!(failure.message.contains(wrong), "{url}: {failure:?}");
            assert!(failure.hint.contains(known) && !failure.hint.contains("%40"), "{url}: {failure:?}");
        }
        assert!(parse("postgres://h/x?sslmode=verify%2Dfull&user=u").is_ok());
    }
}
