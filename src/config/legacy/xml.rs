//! The grammar of a .NET configuration, and where each value stands: `appSettings/add`, `applicationSettings`
//! (and `userSettings`) `/*/setting/value`, and `system.serviceModel/client/endpoint`.
//!
//! What is commented out does not exist. Never reads a document type, an entity beyond the five and numbers, or
//! another file: there is nothing to expand and nothing to fetch. Attributes are read here and not by the parser,
//! because the manual prints two of them without a blank between, and that has to be said. Source: `spec/ttpay.md`,
//! R009 to R011.

use std::ops::Range;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::config::problem::Wrong;

/// What a person may have meant by a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) enum Form {
    /// `<add key="…" value="…"/>`
    Key,
    /// `<setting name="…"><value>…</value></setting>`
    Setting,
    /// `<endpoint address="…" binding="…"/>`: the value is the address.
    Endpoint { binding: String },
}

/// One value as it was written. No `Debug`: it may be a secret.
#[derive(Clone)]
pub(in crate::config) struct Written {
    pub(in crate::config) name: String,
    pub(in crate::config) value: String,
    /// Bytes of the value in the text.
    pub(in crate::config) at: Range<usize>,
    pub(in crate::config) form: Form,
}

/// What is wrong, and where.
pub(in crate::config) type Misplaced = (Range<usize>, Wrong);

/// Reads a document; the values in its order.
///
/// # Errors
///
/// The first thing that is not well-formed, or is not a .NET configuration. What follows it would be noise.
pub(in crate::config) fn read(text: &str) -> Result<Vec<Written>, Misplaced> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut walk = Walk { open: Vec::new(), found: Vec::new(), setting: None, roots: 0 };
    loop {
        let from = place(reader.buffer_position());
        let event = reader.read_event().map_err(|error| {
            let at = place(reader.error_position()).min(text.len());
            (
                at..at,
                Wrong::new(
                    format!("not well-formed XML: {error}"),
                    "mend it, or compare it with a copy that worked",
                ),
            )
        })?;
        let here = from..place(reader.buffer_position());
        match event {
            Event::Start(tag) => walk.start(&tag, &here, false)?,
            Event::Empty(tag) => walk.start(&tag, &here, true)?,
            Event::End(_) => walk.end(),
            Event::Text(part) => walk.text(&part, &here)?,
            Event::CData(part) => walk.text(&part, &here)?,
            Event::GeneralRef(name) => walk.reference(&name, &here)?,
            Event::DocType(_) => {
                return Err((here, Wrong::new("a document type (DTD) is not read", "remove the DOCTYPE")));
            }
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => return walk.finish(text.len()),
        }
    }
}

fn place(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

struct Walk {
    /// Names of the elements that are open.
    open: Vec<String>,
    found: Vec<Written>,
    /// The text of a `<setting>`'s value, while it is read.
    setting: Option<Written>,
    roots: usize,
}

impl Walk {
    fn start(&mut self, tag: &BytesStart<'_>, here: &Range<usize>, empty: bool) -> Result<(), Misplaced> {
        let name = tag.name().as_ref().to_owned();
        // Behind `<` and the name.
        let attributes = attributes(tag.attributes_raw(), here.start + 1 + name.len())?;
        if self.open.is_empty() {
            self.roots += 1;
            if name != "configuration" || self.roots > 1 {
                let found = format!(
                    "<{}> is not the <configuration> of a .NET program",
                    crate::channel::shown(&name)
                );
                return Err((here.clone(), Wrong::new(found, "name an .exe.config or a web.config")));
            }
        }
        match (self.parent(), name.as_str()) {
            ("appSettings", "add") => self.found.push(added(attributes, here)?),
            ("client", "endpoint") if self.is_inside("system.serviceModel") => {
                self.found.extend(endpoint(attributes));
            }
            (_, "setting") if self.is_inside("applicationSettings") || self.is_inside("userSettings") => {
                let named = attributes.into_iter().find(|a| a.name == "name");
                self.setting = named.map(|a| Written {
                    value: String::new(),
                    at: 0..0,
                    name: a.value,
                    form: Form::Setting,
                });
            }
            _ => {}
        }
        if !empty {
            self.open.push(name);
        }
        Ok(())
    }

    fn end(&mut self) {
        let closed = self.open.pop();
        if closed.as_deref() == Some("setting")
            && let Some(setting) = self.setting.take()
        {
            self.found.push(setting);
        }
    }

    fn parent(&self) -> &str {
        self.open.last().map_or("", String::as_str)
    }

    fn is_inside(&self, name: &str) -> bool {
        self.open.iter().any(|open| open == name)
    }

    fn text(&mut self, part: &str, here: &Range<usize>) -> Result<(), Misplaced> {
        if self.open.is_empty() && !part.trim_matches('\u{feff}').trim().is_empty() {
            return Err((here.clone(), Wrong::new("here is text outside of <configuration>", "remove it")));
        }
        let is_value = self.parent() == "value";
        if let Some(setting) = self.setting.as_mut().filter(|_| is_value) {
            if setting.value.is_empty() {
                setting.at = here.clone();
            }
            setting.value.push_str(part);
            setting.at.end = here.end;
        }
        Ok(())
    }

    /// `&amp;` and its like, in a text.
    fn reference(&mut self, name: &str, here: &Range<usize>) -> Result<(), Misplaced> {
        let text = unescape(&format!("&{name};"), here)?;
        self.text(&text, here)
    }

    fn finish(self, len: usize) -> Result<Vec<Written>, Misplaced> {
        let fail = |found: String, fix: &str| Err((len..len, Wrong::new(found, fix)));
        match self.open.last() {
            Some(open) => fail(
                format!("the file ends inside <{}>", crate::channel::shown(open)),
                "it was cut short, or a closing tag is missing",
            ),
            None if self.roots == 0 => {
                fail("there is no <configuration> in it".to_owned(), "name an .exe.config or a web.config")
            }
            None => Ok(self.found),
        }
    }
}

/// An attribute with the place of its value.
struct Attribute {
    name: String,
    value: String,
    at: Range<usize>,
}

fn added(attributes: Vec<Attribute>, here: &Range<usize>) -> Result<Written, Misplaced> {
    let (mut key, mut value) = (None, None);
    for attribute in attributes {
        match attribute.name.as_str() {
            "key" => key = Some(attribute),
            "value" => value = Some(attribute),
            // A transformation (`xdt:Transform`) belongs to the build and not to the program.
            other if other.contains(':') => {}
            other => {
                let found = format!("<add> has no attribute `{}`", crate::channel::shown(other));
                return Err((attribute.at, Wrong::new(found, "write <add key=\"…\" value=\"…\"/>")));
            }
        }
    }
    match (key, value) {
        (Some(key), Some(value)) => Ok(Written {
            name: key.value.trim().to_owned(),
            value: value.value,
            at: value.at,
            form: Form::Key,
        }),
        (key, _) => {
            let missing = if key.is_some() { "value" } else { "key" };
            let found = format!("this <add> has no `{missing}`");
            Err((here.clone(), Wrong::new(found, "write <add key=\"…\" value=\"…\"/>")))
        }
    }
}

fn endpoint(attributes: Vec<Attribute>) -> Option<Written> {
    let binding = attributes.iter().find(|a| a.name == "binding").map_or(String::new(), |a| a.value.clone());
    let address = attributes.into_iter().find(|a| a.name == "address")?;
    Some(Written {
        name: "endpoint".to_owned(),
        value: address.value,
        at: address.at,
        form: Form::Endpoint { binding },
    })
}

/// Reads what stands in a tag behind its name; `offset` is its place in the text.
fn attributes(raw: &str, offset: usize) -> Result<Vec<Attribute>, Misplaced> {
    let mut found: Vec<Attribute> = Vec::new();
    let mut rest = raw;
    loop {
        let after = rest.trim_start();
        let blank = after.len() < rest.len();
        rest = after;
        let at = offset + (raw.len() - rest.len());
        if rest.is_empty() {
            return Ok(found);
        }
        let (attribute, behind) = attribute(rest, at)?;
        if let Some(before) = found.last().filter(|_| !blank) {
            let found = format!(
                "there is no blank between the attributes `{}` and `{}`",
                before.name, attribute.name
            );
            let fix = format!(
                "write a blank before {}= (the gateway's manual prints it without one, and .NET would refuse it too)",
                attribute.name
            );
            return Err((at..at + attribute.name.len(), Wrong::new(found, fix)));
        }
        if found.iter().any(|other| other.name == attribute.name) {
            let found = format!("the attribute `{}` stands twice in one tag", attribute.name);
            return Err((at..at + attribute.name.len(), Wrong::new(found, "leave one of them")));
        }
        found.push(attribute);
        rest = behind;
    }
}

/// The attribute at the start of `rest`, and what stands behind it.
fn attribute(rest: &str, at: usize) -> Result<(Attribute, &str), Misplaced> {
    let wrong =
        |found: String| (at..at + 1, Wrong::new(found, "write name=\"value\", with a blank before the name"));
    let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
    let name = &rest[..end];
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "_-.:".contains(c)) {
        return Err(wrong("here an attribute should begin".to_owned()));
    }
    let value = rest[end..].trim_start().strip_prefix('=').map(str::trim_start);
    let value = value.ok_or_else(|| wrong(format!("the attribute `{name}` has no value")))?;
    let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'');
    let quote = quote.ok_or_else(|| wrong(format!("the value of `{name}` does not stand in quotes")))?;
    let inside = &value[1..];
    let close = inside.find(quote).ok_or_else(|| wrong(format!("the value of `{name}` has no end")))?;
    let start = at + (rest.len() - inside.len());
    let here = start..start + close;
    if inside[..close].contains('<') {
        let found = format!("a `<` stands in the value of `{name}`");
        return Err((here, Wrong::new(found, "write &lt; for it, or close the quotes")));
    }
    // Line breaks and tabs in an attribute are blanks (XML 1.0, 3.3.3).
    let value = unescape(&inside[..close].replace("\r\n", " ").replace(['\n', '\r', '\t'], " "), &here)?;
    Ok((Attribute { name: name.to_owned(), value, at: here }, &inside[close + 1..]))
}

/// The five entities and characters by number. The text is not repeated: it may be a secret.
fn unescape(text: &str, at: &Range<usize>) -> Result<String, Misplaced> {
    quick_xml::escape::unescape(text).map(std::borrow::Cow::into_owned).map_err(|_| {
        let found =
            "here is an `&` that begins none of &amp; &lt; &gt; &quot; &apos; or a number such as &#13;";
        (at.clone(), Wrong::new(found, "write &amp; for an &"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let (at, wrong) = read(text).map(|found| found.len()).expect_err(text);
        assert!(text.get(at.clone()).is_some(), "{text}: {at:?}");
        format!("{}: {} | {}", at.start, wrong.found, wrong.fix)
    }

    fn one(inside: &str) -> Vec<(String, String)> {
        let text = format!("<configuration><appSettings>{inside}</appSettings></configuration>");
        let found = read(&text).unwrap_or_else(|(_, wrong)| panic!("{inside}: {wrong:?}"));
        for written in &found {
            assert!(text.get(written.at.clone()).is_some());
        }
        found.into_iter().map(|written| (written.name, written.value)).collect()
    }

    #[test]
    fn keys_in_every_spelling_that_xml_allows() {
        for (inside, expected) in [
            ("<add key=\"a\" value=\"1\"/>", "1"),
            ("<add value='1' key='a' />", "1"),
            ("<add key = \"a\"\r\n\tvalue\n=\n\"1\"></add>", "1"),
            ("<add key=\"a\" value=\"x&amp;y&lt;&#65;&#x42;&quot;\"/>", "x&y<AB\""),
            ("<add key=\"a\" value=\"\n  DSN=ttpay;\tuid\"/>", "   DSN=ttpay; uid"),
            ("<add key=\"a\" value=\"'it'\"/>", "'it'"),
            ("<clear/><add key=\"a\" value=\"\"/><!-- <add key=\"b\" value=\"2\"/> -->", ""),
            ("<add key=\" a \" value=\"1\" xdt:Transform=\"Insert\"/>", "1"),
        ] {
            assert_eq!(one(inside), [("a".to_owned(), expected.to_owned())], "{inside}");
        }
    }

    #[test]
    fn the_other_two_places() {
        let text = "<?xml version=\"1.0\"?><configuration><system.serviceModel><client>\
            <endpoint address=\"http://a/Service1.svc\" binding=\"basicHttpBinding\"/></client></system.serviceModel>\
            <applicationSettings><Night.Properties.Settings><setting name=\"Url\" serializeAs=\"String\">\
            <value>http://b/?x=1&amp;y=<![CDATA[2]]></value></setting><setting name=\"Empty\"><value/></setting>\
            </Night.Properties.Settings></applicationSettings></configuration>";
        let found = read(text).unwrap_or_else(|(_, wrong)| panic!("{wrong:?}"));
        let rows: Vec<(&str, &str)> = found.iter().map(|w| (w.name.as_str(), w.value.as_str())).collect();
        assert_eq!(
            rows,
            [("endpoint", "http://a/Service1.svc"), ("Url", "http://b/?x=1&y=2"), ("Empty", "")]
        );
        assert_eq!(found[0].form, Form::Endpoint { binding: "basicHttpBinding".to_owned() });
    }

    #[test]
    fn what_is_not_well_formed_is_said_where_it_is() {
        for (text, words) in [
            (
                "<configuration><appSettings><add key=\"DbConnectionType\"value=\"ODBC\"/>",
                "55: there is no blank between the attributes `key` and `value` | write a blank before value=",
            ),
            (
                "<configuration><appSettings><add key=\"a\" value=\"1\" value=\"2\"/>",
                "the attribute `value` stands twice",
            ),
            ("<configuration><appSettings><add key=\"a\"/>", "28: this <add> has no `value`"),
            ("<configuration><appSettings><add value=\"a\"/>", "this <add> has no `key`"),
            ("<configuration><appSettings><add key=\"a\" valus=\"1\"/>", "<add> has no attribute `valus`"),
            (
                "<configuration><appSettings><add key=a value=\"1\"/>",
                "the value of `key` does not stand in quotes",
            ),
            ("<configuration><appSettings><add key value=\"1\"/>", "the attribute `key` has no value"),
            ("<configuration><a b=\"&CANARY;\"/></configuration>", "an `&` that begins none of"),
            ("<configuration><a b=\"<\"/></configuration>", "a `<` stands in the value of `b`"),
            ("<configuration><a></b></configuration>", "not well-formed XML"),
            ("<configuration><!-- a -- b --></configuration>", "not well-formed XML"),
            ("<configuration><!-- a", "not well-formed XML: syntax error: comment not closed"),
            ("<configuration><a>", "the file ends inside <a>"),
            ("<html/>", "0: <html> is not the <configuration>"),
            ("<configuration/><configuration/>", "16: <configuration> is not"),
            ("<!-- nothing -->", "there is no <configuration>"),
            ("<configuration/>x", "here is text outside"),
            (
                "<!DOCTYPE c [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><configuration/>",
                "0: a document type (DTD) is not read",
            ),
        ] {
            let told = told(text);
            assert!(told.contains(words), "{text}\n{told}");
            assert!(!told.contains("CANARY"), "{told}");
        }
    }
}
