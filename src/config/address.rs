//! Addresses in a configuration: which may be spoken to over plain http, and which databases there are.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::dsn::Dsn;
use super::problem::Wrong;
use super::secret::Reference;

/// How servers are written. What stands in such an address is `store`'s question.
const SERVERS: [&str; 4] = ["postgres:", "postgresql:", "mysql:", "mariadb:"];
const FORMS: &str = "write sqlite:PATH, postgres://user@host/database, mysql://user@host/database, or a reference to such \
     an address (env:NAME, file:PATH, cmd:COMMAND)";

/// Checks an http address: scheme, host, port, no password in it; and plain http only to this machine, unless
/// `allow_plain_http` was set beside it.
pub(super) fn check_http(url: &str, allow_plain_http: bool) -> Result<(), Wrong> {
    let form = "write it as https://host/path";
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(Wrong::new("this address has no scheme", form));
    };
    let plain = scheme.eq_ignore_ascii_case("http");
    if !plain && !scheme.eq_ignore_ascii_case("https") {
        return Err(Wrong::new("this address is neither http nor https", form));
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Wrong::new("this address has a blank in it", form));
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or("");
    if authority.contains('@') {
        return Err(Wrong::new("this address has a user or password in it", form));
    }
    let host =
        host(authority).ok_or_else(|| Wrong::new("this address has no host, or no such port", form))?;
    if plain && !allow_plain_http && !is_loopback(host) {
        return Err(Wrong::new(
            format!(
                "plain http to `{host}`: nobody proves who answers, and anybody on the way can read along"
            ),
            "use https, or set allow_plain_http = true beside it; the report then says so",
        ));
    }
    Ok(())
}

fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            rest.split_once(']').map(|(host, after)| (host, after.strip_prefix(':').unwrap_or(after)))?
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let port_fits = port.is_empty() || port.parse::<u16>().is_ok_and(|p| p > 0);
    (!host.is_empty() && port_fits).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Checks a database address and makes the path of a SQLite file absolute: `sqlite:/abs/path`. A reference stays one;
/// `login` follows it.
pub(super) fn database(url: &str, home: &Path) -> Result<String, Wrong> {
    if Reference::parse(url).is_some() {
        return Ok(url.to_owned());
    }
    let scheme = url.split_inclusive(':').next().unwrap_or("").to_ascii_lowercase();
    if SERVERS.contains(&scheme.as_str()) {
        return server(url, &scheme);
    }
    if scheme == "odbc:" {
        return Err(Wrong::new("an ODBC source can hold the gateway's log, not the ledger", FORMS));
    }
    if scheme != "sqlite:" {
        return Err(Wrong::new("this is no database address", FORMS));
    }
    let path = &url[scheme.len()..];
    let path = path.strip_prefix("//").unwrap_or(path);
    let (file, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    if file.is_empty() || file.starts_with(':') {
        return Err(Wrong::new("this database address names no file", "write sqlite:PATH"));
    }
    Ok(format!("sqlite:{}{query}", home.join(file).display()))
}

fn server(url: &str, scheme: &str) -> Result<String, Wrong> {
    let rest = url[scheme.len()..].strip_prefix("//").unwrap_or_default();
    let (host, database) = rest.split('?').next().unwrap_or_default().rsplit_once('/').unwrap_or_default();
    match host.is_empty() || database.is_empty() {
        true => Err(Wrong::new("this address names no server, or no database on it", FORMS)),
        false => Ok(format!("{scheme}//{rest}")),
    }
}

/// As [`database`], and also an ODBC source, `odbc:DSN=…;uid=…;pwd=…;`. Its password may be a reference.
pub(super) fn log(url: &str, home: &Path) -> Result<String, Wrong> {
    let source = url.split_once(':').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("odbc"));
    let Some((_, text)) = source else { return database(url, home) };
    let fix = "write odbc:DSN=name;uid=user;pwd=password;";
    Dsn::parse(text)
        .map(|dsn| dsn.address())
        .map_err(|why| Wrong::new(format!("this ODBC source: {why}"), fix))
}

/// Resolves a path against the configuration's folder.
pub(super) fn path(text: &str, home: &Path) -> Result<PathBuf, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new("this path is empty", "write a path; it is relative to this file's folder"));
    }
    if text.contains('\0') {
        return Err(Wrong::new(
            "this path has a NUL in it",
            "write a path; it is relative to this file's folder",
        ));
    }
    Ok(home.join(text))
}

/// A text with the passwords of addresses in it replaced: `scheme://user:***@host`, `pwd=***;`. A password that was not
/// written as an address wants it (with a `/` or a blank in it) is one all the same: rather too much is replaced.
pub(super) fn without_password(text: &str) -> String {
    let mut shown = text.to_owned();
    if let Some(start) = shown.find("://").map(|i| i + 3) {
        let is_http = shown[..start].to_ascii_lowercase().contains("http");
        let end = match is_http {
            true => shown[start..].find(['/', '"', '\'', ' ']).map_or(shown.len(), |i| start + i),
            false => closing_quote(&shown, start),
        };
        if let Some(at) = shown[start..end].rfind('@').map(|i| start + i) {
            let from = shown[start..at].find(':').map_or(start, |i| start + i + 1);
            shown.replace_range(from..at, "***");
        }
    }
    let mut from = 0;
    while let Some(range) = password_in(&shown, from) {
        let (start, end) = (range.start, range.end);
        shown.replace_range(start..end, "***");
        from = start;
    }
    shown
}

/// The next value of `pwd` or `password`, in any case, blanks before the sign or in braces. An address is one line,
/// so what ends it is its next part (`&` in a server's address, `;` in an ODBC source) or the quotes that it stands in.
fn password_in(text: &str, from: usize) -> Option<std::ops::Range<usize>> {
    let lower = text.to_ascii_lowercase();
    let after = |name: &str| {
        let ends = lower[from..].match_indices(name).map(|(at, name)| from + at + name.len());
        ends.filter_map(|end| {
            let rest = lower[end..].trim_start();
            rest.strip_prefix('=').map(|value| text.len() - value.trim_start().len())
        })
        .next()
    };
    let start = [after("pwd"), after("password")].into_iter().flatten().min()?;
    let value = &text[start..];
    let end = match value.strip_prefix('{') {
        Some(inside) => in_braces(inside) + 1,
        None => {
            let next = if text[..start].contains("://") { '&' } else { ';' };
            value.find(next).unwrap_or(closing_quote(text, start) - start)
        }
    };
    Some(start..start + end)
}

/// The last quote of the kind that stands before `start`, as in a line of a file; without one, the end.
fn closing_quote(text: &str, start: usize) -> usize {
    let opened = text[..start].find(['"', '\'']).map(|at| text.as_bytes()[at]);
    let closed = opened.and_then(|quote| text[start..].rfind(char::from(quote)));
    closed.map_or(text.len(), |at| start + at)
}

/// Bytes up to the brace that closes a value, that one included: a doubled one stands for itself.
fn in_braces(value: &str) -> usize {
    let mut from = 0;
    while let Some(at) = value[from..].find('}').map(|at| from + at) {
        match value[at + 1..].starts_with('}') {
            true => from = at + 2,
            false => return at + 1,
        }
    }
    value.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine_unless_allowed() {
        for (url, allowed, words) in [
            ("https://api.example.com/x", false, ""),
            ("http://127.0.0.1:8080/", false, ""),
            ("http://127.8.9.1", false, ""),
            ("http://[::1]:80/x", false, ""),
            ("HTTP://LocalHost/", false, ""),
            ("http://proxy.example.com/", true, ""),
            ("http://proxy.example.com/", false, "plain http to `proxy.example.com`"),
            ("http://127.0.0.1.example.com/", false, "plain http"),
            ("http://localhost.example.com", false, "plain http"),
            ("http://127.0.0.1@example.com/", false, "user or password"),
            ("http://0.0.0.0/", false, "plain http"),
            ("http://example.com\\@127.0.0.1/", false, "plain http"),
            ("ftp://example.com", false, "neither http nor https"),
            ("example.com", false, "no scheme"),
            ("https://", false, "no host"),
            ("https://:80/", false, "no host"),
            ("https://h:99999/", false, "no such port"),
            ("https://h/a b", false, "blank"),
        ] {
            let found = check_http(url, allowed).err().map_or(String::new(), |w| w.found);
            assert!(
                if words.is_empty() { found.is_empty() } else { found.contains(words) },
                "{url}: {found}"
            );
        }
    }

    #[test]
    fn sqlite_files_are_found_from_the_configuration() {
        let home = Path::new("/etc/nightjob");
        for (url, expected) in [
            ("sqlite:data/x.db", "sqlite:/etc/nightjob/data/x.db"),
            ("sqlite:/var/x.db", "sqlite:/var/x.db"),
            ("sqlite:///var/x.db", "sqlite:/var/x.db"),
            ("SQLite:x.db?mode=ro", "sqlite:/etc/nightjob/x.db?mode=ro"),
            ("MariaDB://u@h:3307/x?a=b", "mariadb://u@h:3307/x?a=b"),
            ("env:LEDGER", "env:LEDGER"),
        ] {
            assert_eq!(database(url, home).as_deref(), Ok(expected));
        }
        for (url, words) in [
            ("mysql://u:CANARY@h", "names no server, or no database"),
            ("postgres:CANARY", "names no server, or no database"),
            ("odbc:DSN=ttpay;pwd=CANARY", "not the ledger"),
            ("oracle://u:CANARY@h/x", "no database address"),
            ("x.db", "no database address"),
            ("", "no database address"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "names no file"),
        ] {
            let wrong = database(url, home).expect_err(url);
            assert!(wrong.found.contains(words), "{url}: {}", wrong.found);
            assert!(!format!("{wrong:?}").contains("CANARY"));
        }
    }

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        for (text, shown) in [
            ("mysql://u:CANARY@h/x?a=b", "mysql://u:***@h/x?a=b"),
            ("postgres://CANARY@h", "postgres://***@h"),
            ("odbc:DSN=t;UID=a;PWD=CANARY;", "odbc:DSN=t;UID=a;PWD=***;"),
            ("odbc:DSN=t;pwd = CANARY;UID=a;Password=CANARY", "odbc:DSN=t;pwd = ***;UID=a;Password=***"),
            ("odbc:DSN=t;pwd={CAN;ARY};UID=a", "odbc:DSN=t;pwd=***;UID=a"),
            ("odbc:DSN=t;pwd={CAN;ARY", "odbc:DSN=t;pwd=***"),
            ("odbc:DSN=t;pwd={CAN}};ARY};UID=a", "odbc:DSN=t;pwd=***;UID=a"),
            ("odbc:DSN=t;pwd=CAN&A'R\"Y;UID=a", "odbc:DSN=t;pwd=***;UID=a"),
            ("\"odbc:DSN=t;pwd=CANARY\"", "\"odbc:DSN=t;pwd=***\""),
            ("odbc:DSN=t;pwd=CAN\"ARY", "odbc:DSN=t;pwd=***"),
            ("postgres://u:CAN/A R\"Y@h/x", "postgres://u:***@h/x"),
            ("database = 'postgres://u:CANARY@h/x'", "database = 'postgres://u:***@h/x'"),
            ("postgres://h/x?password=CAN;A'RY&a=b", "postgres://h/x?password=***&a=b"),
            ("https://h/x?to=a@b", "https://h/x?to=a@b"),
            ("odbc:DSN=t;pwd=;UID=a", "odbc:DSN=t;pwd=***;UID=a"),
            ("sqlite:data/x.db", "sqlite:data/x.db"),
        ] {
            assert_eq!(without_password(text), shown);
        }
    }
}
