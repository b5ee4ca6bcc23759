//! Bytes of an old configuration to text: by its byte order mark, else by the encoding that it declares.
//!
//! Strict: a replaced character would be a changed password. The text has no mark any more, so that columns count
//! what a person sees. Source: `spec/ttpay.md`, R009.

use encoding_rs::GB18030;

/// Names of Chinese encodings; GB18030 holds the others.
const CHINESE: [&str; 6] = ["gb2312", "gb_2312-80", "gbk", "gb18030", "x-gbk", "cp936"];
/// The declaration stands in the first bytes, or it is none.
const DECLARATION_LEN_MAX: usize = 256;

/// Whether these bytes begin as XML, in any encoding that is read.
pub(in crate::config) fn is_xml(bytes: &[u8]) -> bool {
    match bytes {
        [0xff, 0xfe, rest @ ..] => first_unit(rest, u16::from_le_bytes) == Some(u16::from(b'<')),
        [0xfe, 0xff, rest @ ..] => first_unit(rest, u16::from_be_bytes) == Some(u16::from(b'<')),
        [0xef, 0xbb, 0xbf, rest @ ..] => rest.trim_ascii_start().first() == Some(&b'<'),
        _ => bytes.trim_ascii_start().first() == Some(&b'<'),
    }
}

fn first_unit(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<u16> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    units.into_iter().find(|unit| !matches!(unit, 0x20 | 0x09 | 0x0a | 0x0d))
}

/// The text, without its mark.
///
/// # Errors
///
/// What was found and what to do, for bytes that are not what the file says they are.
pub(in crate::config) fn decode(bytes: &[u8]) -> Result<String, (String, &'static str)> {
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest, "begins as UTF-8 and"),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        _ => declared(bytes),
    }
}

fn declared(bytes: &[u8]) -> Result<String, (String, &'static str)> {
    let name = declaration(bytes).unwrap_or_default().to_ascii_lowercase();
    match name.as_str() {
        "" => utf8(bytes, "declares no encoding and"),
        "utf-8" | "utf8" | "us-ascii" | "ascii" => utf8(bytes, &format!("declares encoding=\"{name}\" and")),
        chinese if CHINESE.contains(&chinese) => {
            let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes);
            text.map(std::borrow::Cow::into_owned).ok_or_else(|| {
                let found =
                    format!("declares encoding=\"{name}\" and holds bytes that belong to no character of it");
                (found, "save it as UTF-8 and declare that")
            })
        }
        other => {
            let shown = crate::channel::shown(other);
            Err((
                format!("declares encoding=\"{shown}\", and its bytes are not in that, or it is not read"),
                "save it as UTF-8 and declare that (UTF-16 needs its byte order mark)",
            ))
        }
    }
}

fn utf8(bytes: &[u8], says: &str) -> Result<String, (String, &'static str)> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count() + 1;
        let found = format!("{says} holds bytes in line {line} that are not UTF-8");
        (found, "declare encoding=\"gb2312\" if it was saved as GBK, or save it as UTF-8")
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, (String, &'static str)> {
    let fail = || {
        ("begins as UTF-16 and ends inside a character, or holds half of one".to_owned(), "save it as UTF-8")
    };
    if !bytes.len().is_multiple_of(2) {
        return Err(fail());
    }
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| fail())
}

/// The encoding that `<?xml … encoding="…"?>` names.
fn declaration(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(DECLARATION_LEN_MAX)];
    let head: String = head.iter().take_while(|b| b.is_ascii()).map(|b| char::from(*b)).collect();
    let inside = head.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let value = inside.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'')?;
    value[1..].split(quote).next().map(|name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_goes_before_the_declaration() {
        let text = "<?xml version='1.0' encoding='gb2312'?><a v=\"收银\"/>";
        let le: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> =
            "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        let gbk = GB18030.encode(text).0.into_owned();
        for bytes in [le.clone(), be, gbk, format!("\u{feff}{text}").into_bytes()] {
            assert!(is_xml(&bytes));
            assert_eq!(decode(&bytes).as_deref(), Ok(text));
        }
        assert!(decode(&le[..le.len() - 1]).is_err());
    }

    #[test]
    fn what_is_not_what_it_says_is_refused() {
        for (bytes, words) in [
            (&b"<a v=\"\xca\xd5\"/>"[..], "declares no encoding and holds bytes in line 1"),
            (b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<a v=\"\xca\xd5\"/>", "bytes in line 2"),
            (b"\xef\xbb\xbf<a v=\"\xca\xd5\"/>", "begins as UTF-8"),
            (b"<?xml version=\"1.0\" encoding=\"gb2312\"?><a v=\"\xca\"/>", "belong to no character"),
            (b"<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>", "declares encoding=\"utf-16\""),
            (b"<?xml version=\"1.0\" encoding=\"big5\"?><a/>", "declares encoding=\"big5\""),
        ] {
            assert!(decode(bytes).is_err_and(|(found, _)| found.contains(words)), "{words}");
        }
        for bytes in [&b"lag_days = 2"[..], b"", b"\xff\xfel\0a\0", b"\xef\xbb\xbf"] {
            assert!(!is_xml(bytes));
        }
    }
}
