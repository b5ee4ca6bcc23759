//! XML replies, walked element by element, with the places that a signature over raw XML needs.
//!
//! Never reads a document type, an entity beyond the five, or anything deeper than a few levels: there is nothing to
//! expand and nothing to fetch. Several documents may stand one behind the other, as the pages of a ledger do.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

/// Elements inside each other. Alipay's deepest reply has six.
const DEPTH_MAX: usize = 16;

/// One end of an element. Places are bytes of the walked text.
#[derive(Debug)]
pub enum Mark<'a> {
    /// Its tag as written, from `at` on.
    Open { tag: &'a str, at: usize },
    /// `value` is its own character data, entities resolved, if it holds no elements; `behind` is the first byte after
    /// it.
    Close { value: &'a str, behind: usize },
}

/// Walks a text; `visit` is given the names from the outermost element to the current one.
///
/// # Errors
///
/// Why it is no XML of this kind, or what `visit` says.
pub fn walk(
    text: &str,
    mut visit: impl FnMut(&[String], Mark<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut value = String::new();
    let broken = || "it is not well-formed XML".to_owned();
    let place = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
    loop {
        let at = place(reader.buffer_position());
        let event = reader.read_event().map_err(|_| broken())?;
        let behind = place(reader.buffer_position());
        let tag = text.get(at..behind).unwrap_or("");
        match event {
            Event::Start(_) if open.len() == DEPTH_MAX => return Err("its elements nest too deep".into()),
            Event::Start(start) => {
                open.push(start.name().as_ref().to_owned());
                value.clear();
                visit(&open, Mark::Open { tag, at })?;
            }
            Event::Empty(empty) => {
                open.push(empty.name().as_ref().to_owned());
                visit(&open, Mark::Open { tag, at })?;
                visit(&open, Mark::Close { value: "", behind })?;
                open.pop();
                value.clear();
            }
            Event::End(_) => {
                visit(&open, Mark::Close { value: &value, behind })?;
                open.pop();
                value.clear();
            }
            Event::Text(part) => value.push_str(&part),
            Event::CData(part) => value.push_str(&part),
            Event::GeneralRef(name) => match name.resolve_char_ref().ok().flatten() {
                Some(c) => value.push(c),
                None => {
                    let five = resolve_xml_entity(&name);
                    value.push_str(five.ok_or("it holds an entity that is none of the five")?);
                }
            },
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof if open.is_empty() => return Ok(()),
            Event::Eof => return Err("it ends inside an element; it was cut short".into()),
            Event::PI(_) | Event::DocType(_) => {
                return Err("it holds a document type or an instruction".into());
            }
        }
    }
}

/// The value of an attribute of a tag, as written; empty if there is none.
pub fn attribute<'t>(tag: &'t str, name: &str) -> &'t str {
    let found = ['"', '\''].into_iter().find_map(|quote| {
        let (_, rest) = tag.split_once(&format!(" {name}={quote}"))?;
        rest.split_once(quote).map(|(value, _)| value)
    });
    found.unwrap_or("")
}

/// The encoding that the text declares, `utf-8` if none; only its first bytes are looked at.
pub fn declared(bytes: &[u8]) -> String {
    const DECLARATION_MAX: usize = 200;
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_MAX)]);
    let declaration = head.trim_start_matches('\u{feff}').trim_start().strip_prefix("<?xml");
    let declaration = declaration.and_then(|rest| rest.split_once("?>")).map_or("", |(inside, _)| inside);
    match attribute(declaration, "encoding") {
        "" => "utf-8".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Vec<String>, String> {
        let mut told = Vec::new();
        let mut starts = Vec::new();
        walk(text, |path, mark| {
            match mark {
                Mark::Open { at, .. } => starts.push(at),
                Mark::Close { value, behind } => {
                    let at = starts.pop().expect("an element that was opened");
                    told.push(format!("{} [{value}] {}", path.join("/"), &text[at..behind]));
                }
            }
            Ok(())
        })?;
        Ok(told)
    }

    #[test]
    fn every_element_has_its_value_and_its_raw_text() {
        assert_eq!(
            told("<?xml version=\"1.0\"?>\n<a> <b x='1'>茶 &amp;<![CDATA[<杯>]]>&#33;</b>\n<c/></a><a>2</a>"),
            Ok(vec![
                "a/b [茶 &<杯>!] <b x='1'>茶 &amp;<![CDATA[<杯>]]>&#33;</b>".to_owned(),
                "a/c [] <c/>".to_owned(),
                "a [] <a> <b x='1'>茶 &amp;<![CDATA[<杯>]]>&#33;</b>\n<c/></a>".to_owned(),
                "a [2] <a>2</a>".to_owned(),
            ])
        );
    }

    #[test]
    fn nothing_is_expanded_and_nothing_is_endless() {
        for text in [
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
            "<a>&x;</a>",
            "<a><b>1</a>",
            "<a>1",
            "<a>1</b>",
            "<?php x ?><a/>",
        ] {
            assert!(told(text).is_err(), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(DEPTH_MAX + 1), "</a>".repeat(DEPTH_MAX + 1));
        assert!(told(&deep).is_err());
    }

    #[test]
    fn declarations_and_attributes() {
        assert_eq!(declared(b"<?xml version=\"1.0\" encoding=\"GBK\"?><a/>"), "GBK");
        assert_eq!(declared(b"<?xml version='1.0' encoding='gb2312'?><a/>"), "gb2312");
        assert_eq!(declared(b"<a encoding=\"GBK\"/>"), "utf-8");
        assert_eq!(attribute("<param name=\"partner\">", "name"), "partner");
        assert_eq!(attribute("<param>", "name"), "");
    }
}
