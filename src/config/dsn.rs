//! ODBC connection strings: `DSN=ttpay;uid=ttpay;pwd=ttpay;`, as the old configuration and `odbc:` addresses hold
//! them.
//!
//! Keys in any case, blanks around keys and values dropped, a value in `{}` may hold a `;` (and `}}` for `}`). No
//! DSN's name is assumed, because several programs share one (R014). Source: `spec/ttpay.md`, R012 to R014; ODBC
//! Programmer's Reference, SQLDriverConnect.

/// The pairs of a connection string in their order. No `Debug`: one of them is a password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Dsn(Vec<(String, String)>);

/// A key with its value, unless it is empty; and what stands behind it.
type Cut<'t> = (Option<(String, String)>, &'t str);

const PASSWORD: [&str; 2] = ["pwd", "password"];

impl Dsn {
    /// Reads it. The error says what is wrong and repeats nothing.
    pub(super) fn parse(text: &str) -> Result<Dsn, &'static str> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (pair, behind) = pair(rest)?;
            if let Some((name, value)) = pair {
                if pairs.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                    return Err("one of its keys stands twice");
                }
                pairs.push((name, value));
            }
            rest = behind.trim_start();
        }
        let dsn = Dsn(pairs);
        match dsn.get("dsn").or(dsn.get("driver")).is_some_and(|name| !name.is_empty()) {
            true => Ok(dsn),
            false => Err("it names no DSN"),
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub(super) fn password(&self) -> Option<&str> {
        PASSWORD.iter().find_map(|name| self.get(name)).filter(|value| !value.is_empty())
    }

    /// The same with another password, such as a reference to it.
    pub(super) fn with_password(mut self, password: &str) -> Dsn {
        for (name, value) in &mut self.0 {
            if PASSWORD.iter().any(|key| name.eq_ignore_ascii_case(key)) && !value.is_empty() {
                *value = password.to_owned();
            }
        }
        self
    }

    /// As an address of `paylog.database`.
    pub(super) fn address(&self) -> String {
        let quoted = |value: &str| match value.contains([';', '{', '}']) || value.trim() != value {
            true => format!("{{{}}}", value.replace('}', "}}")),
            false => value.to_owned(),
        };
        let pairs = self.0.iter().map(|(name, value)| format!("{name}={};", quoted(value)));
        format!("odbc:{}", pairs.collect::<String>())
    }
}

/// One pair, if it is not empty, and what stands behind its `;`.
fn pair(text: &str) -> Result<Cut<'_>, &'static str> {
    let end = text.find([';', '=']).unwrap_or(text.len());
    let name = text[..end].trim();
    if !text[end..].starts_with('=') {
        let behind = text[end..].strip_prefix(';').unwrap_or("");
        return if name.is_empty() { Ok((None, behind)) } else { Err("a part of it is no key=value") };
    }
    if name.is_empty() {
        return Err("a part of it has no key");
    }
    let value = text[end + 1..].trim_start();
    let (value, behind) = match value.strip_prefix('{') {
        Some(inside) => braced(inside)?,
        None => {
            let (value, behind) = value.split_once(';').unwrap_or((value, ""));
            (value.trim().to_owned(), behind)
        }
    };
    Ok((Some((name.to_owned(), value)), behind))
}

/// A value up to its `}`, and what stands behind the `;` after it.
fn braced(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '}' {
            value.push(c);
        } else if chars.next_if(|(_, next)| *next == '}').is_some() {
            value.push('}');
        } else {
            let behind = text[at + 1..].trim_start();
            return match behind.strip_prefix(';') {
                Some(behind) => Ok((value, behind)),
                None if behind.is_empty() => Ok((value, "")),
                None => Err("something stands between a } and the next ;"),
            };
        }
    }
    Err("a { in it is never closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_as_they_are_found() {
        for (text, expected) in [
            ("DSN=ttpay;uid=ttpay;pwd=ttpay;", "odbc:DSN=ttpay;uid=ttpay;pwd=ttpay;"),
            (" DSN = tbapi ; UID=a; Pwd = b ", "odbc:DSN=tbapi;UID=a;Pwd=b;"),
            ("dsn=x;;pwd={a;b}}c} ;uid=u", "odbc:dsn=x;pwd={a;b}}c};uid=u;"),
            (
                "Driver={Oracle in OraClient10g};Dbq=t;Uid=u;Pwd=p=q",
                "odbc:Driver=Oracle in OraClient10g;Dbq=t;Uid=u;Pwd=p=q;",
            ),
            ("DSN=x;pwd=", "odbc:DSN=x;pwd=;"),
        ] {
            let dsn = Dsn::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
            assert_eq!(dsn.address(), expected);
            let again = Dsn::parse(expected.trim_start_matches("odbc:"));
            assert!(again.is_ok_and(|again| again == dsn), "{text}");
        }
        for (text, words) in [
            ("", "names no DSN"),
            ("uid=a;pwd=CANARY", "names no DSN"),
            ("DSN=x;CANARY;", "no key=value"),
            ("DSN=x;pwd={CANARY", "never closed"),
            ("DSN=x;pwd={CANARY}x;", "between a }"),
            ("DSN=x;=CANARY;", "no key"),
            ("DSN=x;dsn=y", "stands twice"),
        ] {
            assert!(Dsn::parse(text).err().is_some_and(|wrong| wrong.contains(words)), "{text}");
        }
    }

    #[test]
    fn a_password_gives_way_to_a_reference() {
        let dsn = Dsn::parse("DSN=x;PWD={CA;NARY}").unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(dsn.password(), Some("CA;NARY"));
        assert_eq!(
            dsn.with_password("file:secrets/paylog.pwd").address(),
            "odbc:DSN=x;PWD=file:secrets/paylog.pwd;"
        );
    }
}
