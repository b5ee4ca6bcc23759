//! What requests carry: forms and WeChat's flat XML, read without help from the program's own readers.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// Names and values of a form or a query, in their order. `None` if it is not text after decoding.
pub(super) fn fields(form: &str) -> Option<Vec<(String, String)>> {
    form.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}

/// The value of a name; empty if there is none.
pub(super) fn value<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
}

/// Names and values in the bytes of whatever charset they were sent in. `None` for a broken escape.
pub(super) fn raw_fields(form: &str) -> Option<Vec<(String, Vec<u8>)>> {
    form.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded_bytes(value)?))
        })
        .collect()
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(decoded_bytes(text)?).ok()
}

/// `application/x-www-form-urlencoded`: `+` is a blank, `%XX` a byte.
fn decoded_bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex_digit(rest.next()?)? * 16 + hex_digit(rest.next()?)?,
            other => other,
        });
    }
    Some(bytes)
}

fn hex_digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// `%XX` for everything but unreserved characters.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The elements below `<xml>`, each with its text. `None` if this is not such a document.
pub(super) fn elements(xml: &str) -> Option<Vec<(String, String)>> {
    let mut reader = Reader::from_str(xml);
    let mut found: Vec<(String, String)> = Vec::new();
    let mut depth = 0;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                match depth {
                    0 if name != "xml" => return None,
                    0 => {}
                    1 => found.push((name, String::new())),
                    _ => return None,
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Text(text) if depth == 2 => found.last_mut()?.1.push_str(&text),
            Event::CData(text) if depth == 2 => found.last_mut()?.1.push_str(&text),
            Event::GeneralRef(name) if depth == 2 => match name.resolve_char_ref().ok()? {
                Some(letter) => found.last_mut()?.1.push(letter),
                None => found.last_mut()?.1.push_str(resolve_predefined_entity(&name)?),
            },
            Event::DocType(_) => return None,
            Event::Eof => return (depth == 0 && !found.is_empty()).then_some(found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let read = fields("a=1+2&b=%E6%97%A9&c&d=x%3Dy").expect("a form");
        let values: Vec<&str> = ["a", "b", "c", "d", "e"].map(|name| value(&read, name)).to_vec();
        assert_eq!(values, ["1 2", "早", "", "x=y", ""]);
        assert_eq!(fields("a=%F"), None);
        assert_eq!(fields("a=%FF"), None);
        assert_eq!(encoded("/trade/早"), "%2Ftrade%2F%E6%97%A9");
    }

    #[test]
    fn flat_xml() {
        let read = elements("<xml><a>1 &amp; 2</a><b><![CDATA[x<y]]></b><c></c><d>&#x65e9;</d></xml>");
        let read = read.expect("a document");
        assert_eq!(
            ["a", "b", "c", "d"].map(|name| value(&read, name).to_owned()),
            ["1 & 2", "x<y", "", "早"].map(str::to_owned)
        );
        for bad in
            ["", "text", "<xml>", "<html><a>1</a></html>", "<xml><a><b>1</b></a></xml>", "<xml><a>1</xml>"]
        {
            assert_eq!(elements(bad), None, "{bad}");
        }
    }
}
