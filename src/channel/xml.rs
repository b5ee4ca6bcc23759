//! The flat XML of WeChat's v2 interfaces: `<xml>` and one element for each parameter.
//!
//! Never reads a document type, an entity beyond the five, or anything deeper than the one level that WeChat
//! writes; so there is nothing to expand and nothing to fetch. Format: WeChat Pay v2 manual, chapter 4 (XML body).

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::Event;

/// Parameters as a request body: `<xml><appid>…</appid>…</xml>`. Values are escaped at this level only: what is
/// signed is the bare value.
pub fn body(params: &[(&str, &str)]) -> String {
    let mut text = String::from("<xml>");
    for (name, value) in params.iter().filter(|(_, value)| !value.is_empty()) {
        text.push_str(&format!("<{name}>"));
        for c in value.chars() {
            match c {
                '&' => text.push_str("&amp;"),
                '<' => text.push_str("&lt;"),
                '>' => text.push_str("&gt;"),
                '\r' => text.push_str("&#13;"),
                c => text.push(c),
            }
        }
        text.push_str(&format!("</{name}>"));
    }
    text.push_str("</xml>");
    text
}

/// Elements of one reply that are kept; the longest documented one has about forty.
const FIELDS_MAX: usize = 256;

/// Bytes without a BOM and leading blanks.
pub(super) fn start(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start()
}

/// The elements of a flat `<xml>` reply in their order; `None` if it is anything else (a page, a nested
/// document, one with a document type).
pub fn flat(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(start(bytes)).ok()?;
    let mut reader = Reader::from_str(text);
    let mut fields = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut value = String::new();
    let mut closed = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                let fits = if open.is_empty() { name == "xml" && !closed } else { open.len() == 1 };
                if !fits || fields.len() == FIELDS_MAX {
                    return None;
                }
                open.push(name);
                value.clear();
            }
            Event::Text(part) => value.push_str(&part),
            Event::CData(part) => value.push_str(&part),
            Event::GeneralRef(name) => match name.resolve_char_ref().ok()? {
                Some(c) => value.push(c),
                None => value.push_str(resolve_xml_entity(&name)?),
            },
            Event::End(_) => match (open.pop(), open.len()) {
                (Some(name), 1) => fields.push((name, std::mem::take(&mut value))),
                (Some(_), 0) => closed = true,
                _ => return None,
            },
            Event::Empty(tag) if open.len() == 1 => {
                fields.push((tag.name().as_ref().to_owned(), String::new()));
            }
            Event::Decl(_) | Event::Comment(_) => {}
            Event::Eof => return (closed && open.is_empty()).then_some(fields),
            Event::Empty(_) | Event::PI(_) | Event::DocType(_) => return None,
        }
    }
}

/// The value of the first element of that name, trimmed; empty if there is none.
pub fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_empty_ones_left_out() {
        let body = body(&[("body", "早餐 豆浆&油条<大>"), ("sub_appid", ""), ("sign", "AB")]);
        assert_eq!(body, "<xml><body>早餐 豆浆&amp;油条&lt;大&gt;</body><sign>AB</sign></xml>");
        let fields = flat(body.as_bytes()).expect("our own");
        assert_eq!(field(&fields, "body"), "早餐 豆浆&油条<大>");
    }

    #[test]
    fn replies_as_wechat_writes_them() {
        for text in [
            "<xml><return_code><![CDATA[FAIL]]></return_code>\n<return_msg><![CDATA[No Bill Exist]]></return_msg></xml>",
            "\u{feff}  <xml>\n <return_code>FAIL</return_code><return_msg>No&#32;Bill Exist</return_msg><e/>\n</xml>\n",
            "<?xml version=\"1.0\"?><xml><return_code>FAIL</return_code><return_msg> No Bill Exist </return_msg></xml>",
        ] {
            let fields = flat(text.as_bytes()).expect(text);
            assert_eq!(
                (field(&fields, "return_code"), field(&fields, "return_msg")),
                ("FAIL", "No Bill Exist")
            );
        }
    }

    #[test]
    fn nothing_is_expanded_fetched_or_nested() {
        for text in [
            "<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><xml><a>&x;</a></xml>",
            "<!DOCTYPE html><html><body>busy</body></html>",
            "<xml><!DOCTYPE a><a>1</a></xml>",
            "<xml><a>&x;</a></xml>",
            "<xml><a><b>1</b></a></xml>",
            "<xml><a>1</a></xml><xml><a>2</a></xml>",
            "<xml><a>1</a>",
            "<xml><a>1</b></xml>",
            "<html><a>1</a></html>",
            "<?php x ?><xml></xml>",
            "text",
            "",
        ] {
            assert_eq!(flat(text.as_bytes()), None, "{text}");
        }
        assert_eq!(flat(b"<xml>\xff</xml>"), None);
    }

    #[test]
    fn a_reply_of_endless_elements_is_none() {
        let many = format!("<xml>{}</xml>", "<a>1</a>".repeat(FIELDS_MAX + 1));
        assert_eq!(flat(many.as_bytes()), None);
    }
}
