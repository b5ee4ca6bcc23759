//! JSON in one pass: strict, lenient and salvaging at once (R-D4).
//!
//! Lenient, and flagged: trailing commas, single quotes, raw control characters, comments, bare words. Anything else
//! that is wrong ends the reading; what was complete before it has been handed out. Keys and values are slices of the
//! text; numbers keep their source text.

use super::word::{IN_APOSTROPHES, IN_QUOTES, only};
use super::{DEPTH_MAX, Flaws, Raw};

/// Who is told what stands in the text.
pub(in crate::paylog) trait Sink<'t> {
    /// A scalar member of an object; `depth` is 1 for the outermost.
    fn member(&mut self, depth: usize, key: Raw<'t>, value: Raw<'t>);

    /// An object as a member; `depth` is that of its own members. False: do not tell me of anything in it.
    fn enter(&mut self, depth: usize, key: Raw<'t>) -> bool;
}

/// Reads a text whose first character opens an object or array.
pub(in crate::paylog) fn scan<'t>(text: &'t str, sink: &mut impl Sink<'t>) -> Flaws {
    let mut scanner =
        Scanner { text, at: 0, depth: 0, arrays: 0, muted: usize::MAX, place: Place::Value, lenient: false };
    let complete = scanner.run(sink).is_some();
    Flaws { lenient: scanner.lenient, damaged: !complete }
}

/// What may come next inside a container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Just opened: a member or the end.
    Opened,
    /// After a value: a comma or the end.
    Value,
    /// After a comma: a member; the end is lenient.
    Comma,
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    /// Bit `d` is set if the container at depth `d` is an array. `DEPTH_MAX` bits are enough.
    arrays: u64,
    /// The depth from which on nobody listens.
    muted: usize,
    place: Place,
    lenient: bool,
}

impl<'t> Scanner<'t> {
    /// `None` where the text breaks off or stops making sense.
    fn run(&mut self, sink: &mut impl Sink<'t>) -> Option<()> {
        self.blank()?;
        match self.peek()? {
            b'{' => self.open(None, false, sink)?,
            b'[' => self.open(None, true, sink)?,
            _ => return None,
        }
        while self.depth > 0 {
            self.plain_members(sink);
            self.step(sink)?;
        }
        self.blank()?;
        (self.at == self.text.len()).then_some(())
    }

    /// Reads members of the form `"key":"value",` as far as they go: nearly all there is. Whatever is otherwise is
    /// left to [`Scanner::step`].
    #[inline]
    fn plain_members(&mut self, sink: &mut impl Sink<'t>) {
        if self.place == Place::Value || self.in_array() {
            return;
        }
        let (text, bytes) = (self.text, self.text.as_bytes());
        let heard = self.depth < self.muted;
        loop {
            let Some((key, at)) = plain_text(text, self.at) else { return };
            if bytes.get(at) != Some(&b':') {
                return;
            }
            let Some((value, end)) = plain_text(text, at + 1) else { return };
            if heard {
                sink.member(self.depth, key, value);
            }
            self.at = end;
            if bytes.get(end) != Some(&b',') {
                self.place = Place::Value;
                return;
            }
            self.at += 1;
            self.place = Place::Comma;
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn step(&mut self, sink: &mut impl Sink<'t>) -> Option<()> {
        self.blank()?;
        match self.peek()? {
            b',' if self.place == Place::Value => {
                self.at += 1;
                self.place = Place::Comma;
                Some(())
            }
            byte @ (b'}' | b']') => self.close(byte),
            _ if self.place == Place::Value => None,
            _ if self.in_array() => self.value(None, sink),
            _ => {
                let key = self.scalar(b":")?;
                self.blank()?;
                if self.peek()? != b':' {
                    return None;
                }
                self.at += 1;
                self.blank()?;
                self.value(Some(key), sink)
            }
        }
    }

    #[inline]
    fn in_array(&self) -> bool {
        self.arrays >> self.depth & 1 == 1
    }

    #[inline]
    fn value(&mut self, key: Option<Raw<'t>>, sink: &mut impl Sink<'t>) -> Option<()> {
        match self.peek()? {
            b'{' => self.open(key, false, sink),
            b'[' => self.open(key, true, sink),
            _ => {
                let value = self.scalar(b",}]")?;
                self.place = Place::Value;
                if let Some(key) = key
                    && self.depth < self.muted
                {
                    sink.member(self.depth, key, value);
                }
                Some(())
            }
        }
    }

    fn open(&mut self, key: Option<Raw<'t>>, array: bool, sink: &mut impl Sink<'t>) -> Option<()> {
        if self.depth == DEPTH_MAX {
            return None;
        }
        self.at += 1;
        self.depth += 1;
        self.place = Place::Opened;
        let bit = 1 << self.depth;
        self.arrays = if array { self.arrays | bit } else { self.arrays & !bit };
        if self.depth < self.muted {
            let heard = match key {
                _ if array => false,
                None => self.depth == 1,
                Some(key) => sink.enter(self.depth, key),
            };
            if !heard {
                self.muted = self.depth;
            }
        }
        Some(())
    }

    fn close(&mut self, byte: u8) -> Option<()> {
        if (byte == b']') != self.in_array() {
            return None;
        }
        self.lenient |= self.place == Place::Comma;
        if self.muted == self.depth {
            self.muted = usize::MAX;
        }
        self.at += 1;
        self.depth -= 1;
        self.place = Place::Value;
        Some(())
    }

    /// A quoted text, or a bare word up to one of `ends`.
    #[inline]
    fn scalar(&mut self, ends: &[u8]) -> Option<Raw<'t>> {
        match self.peek()? {
            b'"' => self.quoted(b'"'),
            b'\'' => {
                self.lenient = true;
                self.quoted(b'\'')
            }
            _ => self.bare(ends),
        }
    }

    #[inline]
    fn quoted(&mut self, quote: u8) -> Option<Raw<'t>> {
        let bytes = self.text.as_bytes();
        let stops = if quote == b'"' { IN_QUOTES } else { IN_APOSTROPHES };
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            at = stops.find(bytes, at);
            match *bytes.get(at)? {
                b'\\' => {
                    escaped = true;
                    at += 2;
                }
                byte if byte == quote => break,
                _ => {
                    self.lenient = true;
                    at += 1;
                }
            }
        }
        self.at = at + 1;
        Some(Raw { text: self.text.get(start..at)?, escaped })
    }

    /// A number, `true`, `null`; other words are lenient. A word at the very end may have been cut.
    fn bare(&mut self, ends: &[u8]) -> Option<Raw<'t>> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let length = rest.iter().position(|b| ends.contains(b) || b.is_ascii_whitespace() || *b == b'/')?;
        let text = self.text.get(self.at..self.at + length)?;
        if text.is_empty() || text.contains(['"', '\'', '{', '[', ':']) {
            return None;
        }
        let strict = matches!(text, "true" | "false" | "null")
            || text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
        self.lenient |= !strict;
        self.at += length;
        Some(Raw { text: if text == "null" { "" } else { text }, escaped: false })
    }

    /// Skips blanks and comments. `None` if a comment never ends.
    #[inline]
    fn blank(&mut self) -> Option<()> {
        match self.peek() {
            Some(byte) if byte > b' ' && byte != b'/' => Some(()),
            _ => self.skip_blank(),
        }
    }

    #[cold]
    fn skip_blank(&mut self) -> Option<()> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                b'/' => self.comment()?,
                _ => break,
            }
        }
        Some(())
    }

    fn comment(&mut self) -> Option<()> {
        self.lenient = true;
        let rest = self.text.get(self.at..)?;
        let end = match rest.as_bytes().get(1)? {
            b'/' => rest.find('\n').unwrap_or(rest.len()),
            b'*' => rest.get(2..)?.find("*/")? + 4,
            _ => return None,
        };
        self.at += end;
        Some(())
    }
}

/// A text in double quotes that begins at `at` and holds no control character, and where it ends.
#[inline(always)]
fn plain_text(text: &str, at: usize) -> Option<(Raw<'_>, usize)> {
    let bytes = text.as_bytes();
    if *bytes.get(at)? != b'"' {
        return None;
    }
    let start = at + 1;
    let mut end = IN_QUOTES.find(bytes, start);
    let mut escaped = false;
    while *bytes.get(end)? == b'\\' {
        escaped = true;
        end = IN_QUOTES.find(bytes, end + 2);
    }
    if bytes[end] != b'"' {
        return None;
    }
    Some((Raw { text: text.get(start..end)?, escaped }, end + 1))
}

/// Writes the value of a raw JSON text. A lone surrogate becomes U+FFFD; an unknown escape stands for itself.
pub(in crate::paylog) fn unescape(raw: &str, out: &mut String) {
    let mut rest = raw;
    while let Some(at) = Some(only(b'\\').find(rest.as_bytes(), 0)).filter(|at| *at < rest.len()) {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some(kind) = rest.chars().next() else { return };
        rest = &rest[kind.len_utf8()..];
        match kind {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'u' => rest = unicode(rest, out),
            other => out.push(other),
        }
    }
    out.push_str(rest);
}

/// Reads what follows `\u`, with the second half of a pair, and returns the rest.
fn unicode<'t>(rest: &'t str, out: &mut String) -> &'t str {
    // The apostrophe, as .NET's serialiser writes it: most of all that there are.
    if let Some(rest) = rest.strip_prefix("0027") {
        out.push('\'');
        return rest;
    }
    let hex = |t: &str| t.get(..4).and_then(|h| u32::from_str_radix(h, 16).ok());
    let Some(first) = hex(rest) else {
        out.push('u');
        return rest;
    };
    let after = &rest[4..];
    if (0xd800..0xdc00).contains(&first)
        && let Some(second) = after.strip_prefix("\\u").and_then(hex)
        && (0xdc00..0xe000).contains(&second)
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        return &after[6..];
    }
    out.push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paylog::decode::Syntax;

    #[derive(Default)]
    struct Told(Vec<String>);

    impl<'t> Sink<'t> for Told {
        fn member(&mut self, depth: usize, key: Raw<'t>, value: Raw<'t>) {
            self.0.push(format!("{depth} {}={}", Syntax::Json.plain(key), Syntax::Json.plain(value)));
        }

        fn enter(&mut self, depth: usize, key: Raw<'t>) -> bool {
            self.0.push(format!("{depth} {}", key.text));
            key.text != "mute"
        }
    }

    fn told(text: &str) -> String {
        let mut sink = Told::default();
        let flaws = scan(text, &mut sink);
        let flags = match flaws {
            Flaws { damaged: true, .. } => " !damaged",
            Flaws { lenient: true, .. } => " !lenient",
            Flaws { .. } => "",
        };
        format!("{}{flags}", sink.0.join("; "))
    }

    #[test]
    fn what_stands_in_a_json_text() {
        for (text, expected) in [
            (r#"{}"#, ""),
            (r#"{"a":"b"}"#, "1 a=b"),
            (r#" { "a" : 1.50 , "b" : null , "c":true } "#, "1 a=1.50; 1 b=; 1 c=true"),
            (r#"{"a":{"b":"c"},"d":"e"}"#, "2 a; 2 b=c; 1 d=e"),
            (r#"{"mute":{"b":{"x":1}},"d":"e"}"#, "2 mute; 1 d=e"),
            (r#"{"l":[{"amount":"1"},[2],"3"],"d":"e"}"#, "1 d=e"),
            (r#"{"a":"\u4e2d\"\/\\\ud83d\ude00\ud83d"}"#, "1 a=中\"/\\😀\u{fffd}"),
            (r#"{"big":12345678901234567890}"#, "1 big=12345678901234567890"),
            (r#"{"a":"中央收银"}"#, "1 a=中央收银"),
            // Lenient.
            (r#"{"a":"b",}"#, "1 a=b !lenient"),
            (r#"{'a':'b'}"#, "1 a=b !lenient"),
            ("{\"a\":\"x\ny\tz\"}", "1 a=x\ny\tz !lenient"),
            ("{/* who */\"a\":1,// why\n\"b\":2}", "1 a=1; 1 b=2 !lenient"),
            (r#"{a:b}"#, "1 a=b !lenient"),
            (r#"{"l":[1,2,],"d":3}"#, "1 d=3 !lenient"),
            // Damaged: what was complete before the break.
            (r#"{"a":"b","c":"d"#, "1 a=b !damaged"),
            (r#"{"a":"b","c":12"#, "1 a=b !damaged"),
            (r#"{"a":"b","c"#, "1 a=b !damaged"),
            (r#"{"a":"b","c":"x\"#, "1 a=b !damaged"),
            (r#"{"a":"b""#, "1 a=b !damaged"),
            (r#"{"a":"b"}}"#, "1 a=b !damaged"),
            (r#"{"a":"b"]"#, "1 a=b !damaged"),
            (r#"{"a":"b" "c":"d"}"#, "1 a=b !damaged"),
            (r#"{"a":"he said "no", she said","c":"d"}"#, "1 a=he said  !damaged"),
            (r#"{"a":}"#, " !damaged"),
            (r#"{"a":"b"/*"#, "1 a=b !damaged"),
            (r#"{,}"#, " !damaged"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        let deep = format!("{}{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        assert_eq!(told(&deep), "");
        let deeper = format!("{}{}", "[".repeat(DEPTH_MAX + 1), "]".repeat(DEPTH_MAX + 1));
        assert_eq!(told(&deeper), " !damaged");
    }
}
