//! One line of a configuration file, shown under an error: with a caret, and never with a secret.
//!
//! People paste keys where references belong, and mistype the name of the key while they do. So a line is shown
//! only up to the first word that may name a secret, and a line that does not begin like a line of this format
//! (the inside of a pasted PEM block, say) is not shown at all.

use std::ops::Range;

use super::address;
use super::problem::Source;

/// What replaces the hidden rest of a line.
const HIDDEN: &str = "…";
/// Columns shown; a longer line is cut.
const COLUMNS_MAX: usize = 100;
/// Longest name shown; our longest is half of it, and keys in hex or base64 are longer.
const NAME_MAX: usize = 30;
/// Parts of names that hold secrets, in lower case. Wider than the rooms' own lists, because names are mistyped.
const SECRETIVE: [&str; 9] = ["key", "kye", "secret", "passw", "pwd", "token", "cert", "private", "p12"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Excerpt {
    /// Counted from 1.
    pub line: usize,
    pub text: String,
    /// Columns before the caret, and how many carets.
    pub indent: usize,
    pub width: usize,
}

/// The line of `range`, as far as it may be seen; with `hide_rest`, no further than the range and its sign.
pub(super) fn cut(source: &Source<'_>, range: &Range<usize>, hide_rest: bool) -> Excerpt {
    let at = source.text.floor_char_boundary(range.start);
    let start = source.text[..at].rfind('\n').map_or(0, |i| i + 1);
    let line = source.text[start..].lines().next().unwrap_or("");
    let mut shown = shown_len(line);
    if hide_rest {
        let end = line.floor_char_boundary(range.end.saturating_sub(start));
        shown = shown.min(after_sign(line, end));
    }
    let caret = (at - start).min(shown);
    let end = range.end.saturating_sub(start).clamp(caret, shown);
    let part = |r: Range<usize>| line.get(r).map_or(0, columns);
    let (number, _) = source.position(at);
    let (indent, width) = (part(0..caret), part(caret..end).max(1));
    let (text, indent, width) = fit(line, shown, indent, width);
    Excerpt { line: number, text, indent, width }
}

fn fit(line: &str, shown: usize, indent: usize, width: usize) -> (String, usize, usize) {
    let mut text: String = line[..shown].chars().filter(|c| *c != '\u{feff}').map(printable).collect();
    text = address::without_password(&text);
    if shown < line.len() {
        text.push_str(HIDDEN);
    }
    if columns(&text) > COLUMNS_MAX {
        text = text.chars().take(COLUMNS_MAX).collect::<String>() + HIDDEN;
    }
    let indent = indent.min(columns(&text));
    let room = columns(&text).saturating_sub(indent).max(1);
    (text, indent, width.min(room))
}

/// A control character in a terminal is a command.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '?',
        c => c,
    }
}

/// Terminal columns: Chinese characters take two. (Near enough for carets.)
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c == '\u{feff}' { 0 } else { 1 + usize::from(c >= '\u{1100}' && c != '…') }).sum()
}

/// Bytes of the line that may be seen.
fn shown_len(line: &str) -> usize {
    let body = line.trim_start_matches('\u{feff}').trim_start();
    let skipped = line.len() - body.len();
    skipped + plain_len(body).min(secret_at(body).unwrap_or(body.len()))
}

/// How much of a line is plainly this format's: all of a comment, of a table's header, and of a bare key with its
/// sign; the name alone where the sign is missing; nothing of what may be the inside of a text over several lines.
fn plain_len(body: &str) -> usize {
    let name = body.split(|c: char| !(c.is_ascii_alphanumeric() || "_-.".contains(c))).next().unwrap_or("");
    let rest = body[name.len()..].trim();
    let is_header = |b: u8| is_name(b) || b"[]. ".contains(&b);
    if body.starts_with('#') || (body.starts_with('[') && body.trim_end().bytes().all(is_header)) {
        body.len()
    } else if name.is_empty() || name.len() > NAME_MAX || looks_encoded(name) {
        0
    } else if rest.starts_with('=') && !rest.starts_with("==") {
        body.len()
    } else {
        name.len()
    }
}

/// Capitals among small letters: no key of ours, and perhaps a piece of one that was pasted.
fn looks_encoded(name: &str) -> bool {
    name.len() > 12
        && name.bytes().any(|b| b.is_ascii_uppercase())
        && name.bytes().any(|b| b.is_ascii_lowercase())
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// Just behind the first name of a secret and its sign.
fn secret_at(body: &str) -> Option<usize> {
    let bytes = body.as_bytes();
    let starts = (0..bytes.len()).filter(|i| is_name(bytes[*i]) && (*i == 0 || !is_name(bytes[i - 1])));
    let name_end = |start: usize| start + bytes[start..].iter().take_while(|b| is_name(**b)).count();
    let secret = |start: usize| secretive(&body[start..name_end(start)]).then(|| name_end(start));
    starts.filter_map(secret).next().map(|end| after_sign(body, end))
}

/// Whether a name, perhaps mistyped, may stand for a secret.
pub(super) fn secretive(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let near = |part: &str| name.split(['_', '-']).any(|word| strsim::damerau_levenshtein(word, part) <= 1);
    SECRETIVE.iter().any(|part| name.contains(part) || near(part))
}

/// Just behind the `=` that follows and its blanks, else behind the name.
fn after_sign(body: &str, at: usize) -> usize {
    let rest = body[at..].trim_start_matches([' ', '\t', '"', '\'']);
    match rest.strip_prefix('=') {
        Some(value) => body.len() - value.trim_start_matches([' ', '\t']).len(),
        None => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_at(text: &str, range: Range<usize>) -> Excerpt {
        cut(&Source { name: "nightjob.toml", text }, &range, false)
    }

    #[test]
    fn a_line_is_shown_up_to_the_first_name_of_a_secret() {
        for (line, shown) in [
            ("lag_days = x", "lag_days = x"),
            ("key = \"CANARY\"", "key = …"),
            ("kay = \"CANARY\"", "kay = …"),
            ("\"key\" = \"CANARY\"", "…"),
            ("account = [{name=\"a\", app_secert='CANARY'}]", "account = [{name=\"a\", app_secert=…"),
            ("MIIEowIBAAKCANARY", "…"),
            ("MIIEowIBAAKCANARY=", "…"),
            ("8934e7d15453e97507ef794cf7b0519dCANARY", "…"),
            ("  [[account]]", "  [[account]]"),
            ("[\"CANARY\"]", "…"),
            ("paytype \"WX\"", "paytype…"),
            ("# key = CANARY", "# key = …"),
            ("database = \"mysql://u:CANARY@h/x\"", "database = \"mysql://u:***@h/x\""),
            ("database = \"odbc:DSN=a;uid=b;pwd=CANARY;\"", "database = \"odbc:DSN=a;uid=b;pwd=***…"),
            ("reports = \"\u{1b}[2J\"", "reports = \"?[2J\""),
        ] {
            assert_eq!(cut_at(line, 0..1).text, shown, "{line}");
        }
    }

    #[test]
    fn the_caret_stands_below_what_is_meant_also_behind_chinese() {
        let excerpt = cut_at("a = 1\nreports = [\"报表\", 3]\n", 27..28);
        assert_eq!((excerpt.line, excerpt.indent, excerpt.width), (2, 19, 1), "{excerpt:?}");
        let hidden = cut_at("key = \"CANARY\"", 6..14);
        assert_eq!((hidden.indent, hidden.width), (6, 1), "the caret is not drawn past what is shown");
        let end = cut_at("a = ", 4..4);
        assert_eq!((end.indent, end.width), (4, 1));
    }

    #[test]
    fn no_place_in_any_text_makes_it_panic() {
        let text = "\u{feff}报 = \"表\"\r\n\n[x\u{0}]\nkey";
        for start in 0..text.len() + 3 {
            for len in 0..4 {
                cut_at(text, start..start + len);
            }
        }
    }
}
