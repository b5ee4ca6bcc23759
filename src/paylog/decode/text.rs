//! A text column as logged: trimmed, base64 undone, charset found, and what it looks like (R-D1, R-D2, R-D7).

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// What a text looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::paylog) enum Shape {
    Absent,
    Json,
    Xml,
    /// HTML, the text of an exception, empty quotes: nobody's answer (R-D7).
    NotAcquirerText,
    Other,
}

/// A text ready to be scanned.
#[derive(Clone, Copy, Debug)]
pub(in crate::paylog) struct Decoded<'t> {
    pub text: &'t str,
    pub shape: Shape,
    pub base64: bool,
    /// The base64 itself broke off.
    pub cut: bool,
    /// Neither UTF-8 nor GB18030.
    pub bad_charset: bool,
}

const LENIENT_PADDING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT_PADDING);
const FOR_URLS: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT_PADDING);

/// Decodes once, never twice. `buffer` holds what base64 held; `declared` is the gateway's `isbase64`, which lets
/// plain sentences (RES_MSG) be base64 too, not only messages that begin like JSON or XML.
pub(in crate::paylog) fn decode<'t>(text: &'t str, buffer: &'t mut String, declared: bool) -> Decoded<'t> {
    let plain = as_it_stands(text);
    match plain.shape {
        Shape::Other => match unpack(plain.text, buffer, declared) {
            Some((cut, bad_charset)) => Decoded { base64: true, cut, bad_charset, ..as_it_stands(buffer) },
            None => plain,
        },
        Shape::Absent | Shape::Json | Shape::Xml | Shape::NotAcquirerText => plain,
    }
}

/// A text that is not, or no longer, base64.
pub(in crate::paylog) fn as_it_stands(text: &str) -> Decoded<'_> {
    let text = trimmed(text);
    Decoded { text, shape: shape(text), base64: false, cut: false, bad_charset: false }
}

fn trimmed(text: &str) -> &str {
    if is_tight(text) {
        return text;
    }
    text.trim_matches(|c: char| c == '\0' || c == '\u{feff}' || c.is_whitespace())
}

/// Whether there is nothing to trim: nearly every text begins and ends with a visible ASCII character.
#[inline]
fn is_tight(text: &str) -> bool {
    matches!(text.as_bytes(), [] | [b'!'..=b'~'] | [b'!'..=b'~', .., b'!'..=b'~'])
}

/// Trims blanks, quickly where there are none.
#[inline]
pub(in crate::paylog) fn tight(text: &str) -> &str {
    if is_tight(text) { text } else { text.trim() }
}

fn shape(text: &str) -> Shape {
    match text.as_bytes().first() {
        None => Shape::Absent,
        Some(b'{' | b'[') => Shape::Json,
        Some(b'<') if is_html(text) => Shape::NotAcquirerText,
        Some(b'<') => Shape::Xml,
        Some(_) if matches!(text, "\"\"" | "''" | "null") || is_exception(text) => Shape::NotAcquirerText,
        Some(_) => Shape::Other,
    }
}

fn is_html(text: &str) -> bool {
    ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|t| t.eq_ignore_ascii_case(start)))
}

fn is_exception(text: &str) -> bool {
    text.starts_with("System.") || text.contains("Exception:") || text.contains("Exception ")
}

/// Undoes base64 into `buffer`: whether it broke off, and whether its charset is unknown. `None` if it is none.
fn unpack(text: &str, buffer: &mut String, declared: bool) -> Option<(bool, bool)> {
    let is_base64 =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_' | b'\r' | b'\n');
    if !text.bytes().all(is_base64) {
        return None;
    }
    let joined: String;
    let mut letters = text;
    if text.contains(['\r', '\n']) {
        joined = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        letters = &joined;
    }
    let whole = letters.len() - letters.len() % 4;
    let cut = whole != letters.len();
    let engine = if letters.contains(['-', '_']) { FOR_URLS } else { PLAIN };
    let mut bytes = std::mem::take(buffer).into_bytes();
    bytes.clear();
    let result = engine.decode_vec(letters.get(..whole)?, &mut bytes);
    let looks_like_message =
        bytes.iter().find(|b| !b.is_ascii_whitespace() && !matches!(b, 0xef | 0xbb | 0xbf));
    let is_message = matches!(looks_like_message, Some(b'{' | b'[' | b'<'));
    if result.is_err() || !(is_message || declared && !cut && is_sentence(&bytes)) {
        return None;
    }
    Some((cut, read_charset(bytes, buffer)))
}

/// Four letters decode to something by chance; a sentence in UTF-8 without control characters hardly does.
fn is_sentence(bytes: &[u8]) -> bool {
    bytes.len() >= 3
        && std::str::from_utf8(bytes).is_ok_and(|t| !t.chars().any(|c| c.is_control() && c != '\n'))
}

/// UTF-8, else GB18030, else whatever is left of it: true if the last.
fn read_charset(bytes: Vec<u8>, buffer: &mut String) -> bool {
    match String::from_utf8(bytes) {
        Ok(text) => {
            *buffer = text;
            false
        }
        Err(error) => {
            let bytes = without_torn_end(error.as_bytes());
            if let Ok(text) = std::str::from_utf8(bytes) {
                text.clone_into(buffer);
                return false;
            }
            let (text, failed) = encoding_rs::GB18030.decode_without_bom_handling(bytes);
            *buffer = text.into_owned();
            failed
        }
    }
}

/// A message that was cut may end inside a character.
fn without_torn_end(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD as ENCODER;

    fn decoded(text: &str, declared: bool) -> (String, Shape, bool, bool) {
        let mut buffer = String::new();
        let d = decode(text, &mut buffer, declared);
        (d.text.to_owned(), d.shape, d.base64, d.cut)
    }

    #[test]
    fn what_a_column_looks_like() {
        for (text, shape) in [
            ("", Shape::Absent),
            (" \u{feff}\0\r\n", Shape::Absent),
            ("\u{feff}{\"a\":1}\0", Shape::Json),
            ("[1]", Shape::Json),
            ("<xml></xml>", Shape::Xml),
            ("<?xml version=\"1.0\"?><alipay/>", Shape::Xml),
            ("<html><body>502 Bad Gateway</body></html>", Shape::NotAcquirerText),
            ("<!DOCTYPE HTML PUBLIC>", Shape::NotAcquirerText),
            ("System.Net.WebException: 操作超时", Shape::NotAcquirerText),
            ("\"\"", Shape::NotAcquirerText),
            ("null", Shape::NotAcquirerText),
            ("OK", Shape::Other),
        ] {
            assert_eq!(decoded(text, false).1, shape, "{text}");
        }
    }

    #[test]
    fn base64_is_found_and_undone_once() {
        let json = "{\"Subject\":\"中央收银\"}";
        let encoded = ENCODER.encode(json);
        assert_eq!(decoded(&encoded, false), (json.into(), Shape::Json, true, false));
        let broken_lines: String = encoded.as_bytes().chunks(10).fold(String::new(), |mut all, part| {
            all.push_str(std::str::from_utf8(part).expect("ascii"));
            all.push_str("\r\n");
            all
        });
        assert_eq!(decoded(&broken_lines, false).0, json);
        let unpadded = encoded.trim_end_matches('=');
        assert_eq!(decoded(unpadded, false).3, !unpadded.len().is_multiple_of(4), "a missing end is a cut");
        let twice = ENCODER.encode(&encoded);
        assert_eq!(decoded(&twice, false).1, Shape::Other, "base64 of base64 is not undone");
    }

    #[test]
    fn base64_that_was_cut_keeps_its_beginning() {
        let encoded = ENCODER.encode("{\"OutID\":\"1611\",\"Subject\":\"中央收银中央收银\"}");
        for length in 12..encoded.len() {
            let (text, shape, base64, cut) = decoded(&encoded[..length], false);
            assert!(base64 && shape == Shape::Json, "{length}: {text}");
            assert_eq!(cut, !length.is_multiple_of(4), "{length}");
        }
    }

    #[test]
    fn gbk_inside_base64() {
        let (bytes, ..) = encoding_rs::GBK.encode("{\"Subject\":\"中央收银\"}");
        assert_eq!(decoded(&ENCODER.encode(bytes), false).0, "{\"Subject\":\"中央收银\"}");
    }

    #[test]
    fn a_sentence_is_base64_only_where_the_gateway_says_so() {
        let encoded = ENCODER.encode("账号不存在");
        assert_eq!(decoded(&encoded, true).0, "账号不存在");
        assert_eq!(decoded(&encoded, false).0, encoded);
        for plain in ["SUCCESS", "OK00", "TIMEOUT1", "20161108"] {
            assert_eq!(decoded(plain, true).0, plain);
        }
    }
}
