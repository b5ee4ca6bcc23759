//! Addresses: which may be asked, and how one that stood in a reply is held to the list.
//!
//! Never resolves a name and never repairs an address: what is not plainly an address is refused, because two
//! readers that repair differently are how a request is bent to another host.

use std::net::IpAddr;

use crate::domain::{Account, Exit, Failure};

/// An http or https address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    pub https: bool,
    /// In lower case; an IPv6 address with its brackets.
    pub host: String,
    /// As written; `None` = the scheme's own.
    pub port: Option<u16>,
    /// Path and query, from the first `/` or `?`; may be empty.
    pub rest: &'a str,
}

/// Takes an address apart.
///
/// # Errors
///
/// Why it is not an address that may be used: another scheme, user or password in it, a fragment, a backslash,
/// blanks, control or non-ASCII characters, a host that is not one.
pub fn parse(url: &str) -> Result<Address<'_>, String> {
    if url.bytes().any(|b| !b.is_ascii_graphic() || matches!(b, b'\\' | b'#')) {
        return Err("it holds a blank, a backslash, a fragment or a character outside ASCII".into());
    }
    let (https, after) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(after), _) => (true, after),
        (None, Some(after)) => (false, after),
        (None, None) => return Err("it does not begin with https:// or http://".into()),
    };
    let end = after.find(['/', '?']).unwrap_or(after.len());
    let (authority, rest) = after.split_at(end);
    if authority.contains('@') {
        return Err("it holds a user name".into());
    }
    let (host, port) = host_and_port(authority)?;
    Ok(Address { https, host, port, rest })
}

fn host_and_port(authority: &str) -> Result<(String, Option<u16>), String> {
    let bracket = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[bracket..].find(':') {
        Some(at) => (&authority[..bracket + at], Some(&authority[bracket + at + 1..])),
        None => (authority, None),
    };
    let port = match port {
        None => None,
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            Some(text.parse::<u16>().map_err(|_| format!("`{text}` is not a port"))?)
        }
        Some(text) => return Err(format!("`{text}` is not a port")),
    };
    let host = host.to_ascii_lowercase();
    let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let fine = if host.starts_with('[') { ip(&host).is_some() } else { named };
    if !fine || host.is_empty() || host.starts_with('.') || host.ends_with('.') {
        return Err(format!("`{host}` is not a host"));
    }
    Ok((host, port))
}

fn ip(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

impl Address<'_> {
    /// `localhost`, 127.0.0.0/8 or ::1, written plainly.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || ip(&self.host).is_some_and(|ip| ip.is_loopback())
    }

    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.https { 443 } else { 80 })
    }

    /// `host` or `host:port`, as one writes it in `download_hosts`.
    fn authority(&self) -> String {
        match self.port {
            Some(port) if port != if self.https { 443 } else { 80 } => format!("{}:{port}", self.host),
            _ => self.host.clone(),
        }
    }
}

/// Whether an account's `url` may be asked: https, or plain http on loopback or with `allow_plain_http`.
///
/// # Errors
///
/// [`Exit::Config`], naming the account and what to change.
pub fn check_own(account: &Account, default: &str) -> Result<(), Failure> {
    let url = own(account, default);
    let fail = |why: String| Failure::new(Exit::Config, format!("account `{}`: `url`: {why}", account.name));
    let address = parse(url).map_err(|why| fail(format!("`{}` cannot be used: {why}", super::bare(url))))?;
    if address.https || address.is_loopback() || account.option("allow_plain_http") == "true" {
        return Ok(());
    }
    Err(fail(format!("`{}` is plain http, which anyone on the way can read and change", super::bare(url)))
        .hint("use https, or set `allow_plain_http = true` beside it; the report then says so"))
}

/// The account's `url`, else the provider's.
pub fn own<'a>(account: &'a Account, default: &'a str) -> &'a str {
    match account.option("url").trim() {
        "" => default,
        url => url,
    }
}

/// The entries of a list option (`a, b`, as `config` joins a TOML list).
pub fn list(option: &str) -> impl Iterator<Item = &str> {
    option.split([',', ' ', '\n']).map(str::trim).filter(|host| !host.is_empty())
}

/// An address that stood in a reply, and that is on the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    pub url: String,
    /// The address as given, where it was plain http and `url` is its https twin.
    pub plain_url: Option<String>,
}

/// Checks the account's `download_hosts`.
///
/// # Errors
///
/// [`Exit::Config`]: one of them is not `host` or `host:port`.
pub fn check_hosts(account: &Account) -> Result<(), Failure> {
    let fits = |host: &&str| parse(&format!("https://{host}")).is_ok_and(|address| address.rest.is_empty());
    match list(account.option("download_hosts")).find(|host| !fits(host)) {
        None => Ok(()),
        Some(host) => Err(Failure::new(
            Exit::Config,
            format!("account `{}`: `download_hosts`: `{host}` is not `host` or `host:port`", account.name),
        )),
    }
}

/// Holds an address from a reply to the list of allowed hosts (`host` or `host:port`, exact).
///
/// A plain-http address gets an https twin to be tried first; on loopback, where there is no way to guard, it is
/// used as it is. A loopback host must be listed like any other.
///
/// # Errors
///
/// Why it may not be asked, without its query: that holds a token.
pub fn given(url: &str, hosts: &str) -> Result<Given, String> {
    let address = parse(url).map_err(|why| format!("the address in the reply cannot be used: {why}"))?;
    let authority = address.authority();
    if !list(hosts).any(|host| host.eq_ignore_ascii_case(&authority)) {
        return Err(format!(
            "the reply points to `{}`, which is not in `download_hosts`",
            super::shown(&authority)
        ));
    }
    if address.https || address.is_loopback() {
        return Ok(Given { url: url.to_owned(), plain_url: None });
    }
    Ok(Given { url: format!("https://{authority}{}", address.rest), plain_url: Some(url.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_from_a_reply_are_held_to_the_list() {
        let hosts = "dwbillcenter.alipay.com, 127.0.0.1:8401,[::1]:9,files.example:8443 localhost:8402";
        for (url, expected, plain) in [
            ("https://dwbillcenter.alipay.com/a?token=1", "https://dwbillcenter.alipay.com/a?token=1", false),
            ("http://dwbillcenter.alipay.com/a?t=1", "https://dwbillcenter.alipay.com/a?t=1", true),
            ("http://DWBILLCENTER.alipay.com:80/a", "https://dwbillcenter.alipay.com/a", true),
            ("http://127.0.0.1:8401/f?x", "http://127.0.0.1:8401/f?x", false),
            ("http://localhost:8402/f", "http://localhost:8402/f", false),
            ("http://[::1]:9/f", "http://[::1]:9/f", false),
            ("https://files.example:8443/f", "https://files.example:8443/f", false),
        ] {
            let given = given(url, hosts).expect(url);
            assert_eq!((given.url.as_str(), given.plain_url.is_some()), (expected, plain), "{url}");
        }
    }

    #[test]
    fn addresses_that_are_bent_to_another_host() {
        let hosts = "dwbillcenter.alipay.com";
        for url in [
            "http://127.0.0.1/a",
            "http://localhost/a",
            "http://0x7f.1/a",
            "http://2130706433/a",
            "http://[::1]/a",
            "http://[::ffff:127.0.0.1]/a",
            "http://169.254.169.254/latest/meta-data",
            "http://0/a",
            "https://dwbillcenter.alipay.com@evil.example/a",
            "https://evil.example/dwbillcenter.alipay.com",
            "https://evil.example?dwbillcenter.alipay.com",
            "https://evil.example#dwbillcenter.alipay.com",
            "https://evil.example\\@dwbillcenter.alipay.com/",
            "https://dwbillcenter.alipay.com\\.evil.example/",
            "https://dwbillcenter.alipay.com.evil.example/a",
            "https://dwbillcenter.alipay.com./a",
            "https://dwbillcenter.alipay.com:8443/a",
            "https://user:p@dwbillcenter.alipay.com/",
            "https://xdwbillcenter.alipay.com/",
            "https:///dwbillcenter.alipay.com/",
            "//dwbillcenter.alipay.com/",
            "ftp://dwbillcenter.alipay.com/a",
            "file:///etc/passwd",
            "https:dwbillcenter.alipay.com",
            "",
            "https://dwbillcenter.alipay.com%2eevil.example/",
            "https://dwbillcenter.alipay.com%00.evil.example/",
            "https://dwbillcenter.alipay。com/",
            "https://ԁwbillcenter.alipay.com/",
            "https://dwbillcenter.alipay.com:99999/",
            "https://dwbillcenter.alipay.com:+443/",
            "https://dwbillcenter.alipay.com /",
            "https://dwbillcenter.alipay.com\t/",
            "HTTPS://evil.example/",
            "https://[dwbillcenter.alipay.com]/",
            "https://[fe80::1%25eth0]/",
            "https://.alipay.com/",
            "https://dwbillcenter.alipay.com/a#b",
            "https://dwbillcenter.alipay.com\n@evil.example/",
        ] {
            let refused = given(url, hosts).expect_err(url);
            assert!(!refused.contains("meta-data"), "{refused}");
        }
    }

    #[test]
    fn a_message_about_an_address_holds_no_token() {
        let why =
            given("https://evil.example/a?token=3f9a", "dwbillcenter.alipay.com").expect_err("not listed");
        assert_eq!(why, "the reply points to `evil.example`, which is not in `download_hosts`");
    }

    #[test]
    fn plain_http_is_for_loopback_or_for_those_who_said_so() {
        let account = |url: &str, allow: &str| {
            let mut account = Account { name: "wx".into(), ..Account::default() };
            account.options.insert("url".into(), url.into());
            account.options.insert("allow_plain_http".into(), allow.into());
            check_own(&account, "https://default.example").map_err(|f| f.message)
        };
        assert_eq!(account("", ""), Ok(()));
        assert_eq!(account("http://127.0.0.1:8401/wx", "false"), Ok(()));
        assert_eq!(account("http://localhost", "false"), Ok(()));
        assert_eq!(account("http://proxy.example/wx", "true"), Ok(()));
        for (url, why) in [
            ("http://proxy.example/wx", "plain http"),
            ("http://127.0.0.1.example/", "plain http"),
            ("http://0x7f.1/", "plain http"),
            ("gopher://x", "does not begin with"),
            ("https://u:p@x.example/", "user name"),
        ] {
            let message = account(url, "false").expect_err(url);
            assert!(message.starts_with("account `wx`: `url`: ") && message.contains(why), "{message}");
        }
    }
}
