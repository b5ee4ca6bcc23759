//! XML leaves in one pass (R-D5): names and texts of elements that hold text only.
//!
//! No DTD is accepted and no entity but the five predefined and the numeric ones is known, so nothing is ever fetched
//! or expanded. What was complete before a break has been handed out.

use super::word::{IN_NAME, Stops, only};
use super::{DEPTH_MAX, Flaws, Raw, tight};

/// Who is told of the leaves.
pub(in crate::paylog) trait Sink<'t> {
    fn root(&mut self, name: &'t str);
    fn leaf(&mut self, name: &'t str, value: Raw<'t>);
}

pub(in crate::paylog) fn scan<'t>(text: &'t str, sink: &mut impl Sink<'t>) -> Flaws {
    let mut scanner = Scanner { text, at: 0, open: [""; DEPTH_MAX], depth: 0, lenient: false };
    let complete = scanner.run(sink).is_some();
    Flaws { lenient: scanner.lenient, damaged: !complete }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    open: [&'t str; DEPTH_MAX],
    depth: usize,
    lenient: bool,
}

impl<'t> Scanner<'t> {
    /// `None` where the text breaks off or stops making sense.
    fn run(&mut self, sink: &mut impl Sink<'t>) -> Option<()> {
        let mut seen_root = false;
        while self.next_tag().is_some() {
            match *self.text.as_bytes().get(self.at + 1)? {
                b'?' => self.skip("?>")?,
                b'!' => self.declaration()?,
                b'/' => self.close()?,
                _ if seen_root && self.depth == 0 => return None,
                _ => {
                    let name = self.open(sink)?;
                    if !seen_root {
                        sink.root(name);
                        seen_root = true;
                    }
                }
            }
        }
        (seen_root && self.depth == 0).then_some(())
    }

    /// Moves to the next `<`.
    #[inline]
    fn next_tag(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        self.at = only(b'<').find(bytes, self.at);
        (self.at < bytes.len()).then_some(())
    }

    fn skip(&mut self, end: &str) -> Option<()> {
        let rest = self.text.as_bytes().get(self.at..)?;
        self.at += memchr::memmem::find(rest, end.as_bytes())? + end.len();
        Some(())
    }

    /// Comments and stray CDATA are passed over; a DTD is refused.
    fn declaration(&mut self) -> Option<()> {
        let rest = self.text.get(self.at..)?;
        if rest.starts_with("<!--") {
            self.skip("-->")
        } else if rest.starts_with(CDATA) {
            self.skip("]]>")
        } else {
            None
        }
    }

    fn close(&mut self) -> Option<()> {
        let rest = self.text.get(self.at + 2..)?;
        let end = memchr::memchr(b'>', rest.as_bytes())?;
        self.depth = self.depth.checked_sub(1)?;
        (rest.get(..end)?.trim_end() == self.open[self.depth]).then_some(())?;
        self.at += 2 + end + 1;
        Some(())
    }

    /// An opening tag: a leaf is read to its end, another element is entered.
    #[inline]
    fn open(&mut self, sink: &mut impl Sink<'t>) -> Option<&'t str> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let length = IN_NAME.find(bytes, start) - start;
        let name = self.text.get(start..start + length)?;
        if name.is_empty() || name.starts_with(['<', '&', '"']) {
            return None;
        }
        let end = match *bytes.get(start + length)? {
            b'>' => start + length,
            _ => start + length + tag_end(&bytes[start + length..])?,
        };
        if bytes[end - 1] == b'/' {
            sink.leaf(name, Raw::default());
            self.at = end + 1;
        } else if let Some((value, after)) = plain_leaf(self.text, end + 1, name) {
            sink.leaf(name, value);
            self.at = after;
        } else if let Some((value, after)) = leaf(self.text, end + 1, name) {
            sink.leaf(name, value);
            self.at = after;
        } else {
            *self.open.get_mut(self.depth)? = name;
            self.depth += 1;
            self.at = end + 1;
        }
        Some(name)
    }
}

/// What a plain text does not hold.
const PLAIN: Stops = Stops { first: b'<', second: b'&', below: b' ' + 1 };

const CDATA: &str = "<![CDATA[";

/// Index of the `>` that ends a tag; one inside a quoted attribute does not.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut quote = 0;
    bytes.iter().position(|&byte| {
        match byte {
            b'"' | b'\'' if quote == 0 => quote = byte,
            _ if byte == quote => quote = 0,
            _ => {}
        }
        byte == b'>' && quote == 0
    })
}

/// A leaf as providers write it: one text or one CDATA section, no blanks, no entities.
#[inline]
fn plain_leaf<'t>(text: &'t str, start: usize, name: &str) -> Option<(Raw<'t>, usize)> {
    let bytes = text.as_bytes();
    let (start, end, after) = if bytes.get(start..)?.starts_with(CDATA.as_bytes()) {
        let start = start + CDATA.len();
        let end = only(b']').find(bytes, start);
        bytes.get(end..)?.starts_with(b"]]>").then_some((start, end, end + 3))?
    } else {
        let end = PLAIN.find(bytes, start);
        (start, end, end)
    };
    let close = bytes.get(after..)?.strip_prefix(b"</")?.strip_prefix(name.as_bytes())?;
    let plain = close.first() == Some(&b'>');
    plain.then_some((Raw { text: text.get(start..end)?, escaped: false }, after + 2 + name.len() + 1))
}

/// The text of a leaf that begins at `start`, and where its closing tag ends; `None` if the element is no leaf, or
/// not a complete one.
#[inline]
fn leaf<'t>(text: &'t str, start: usize, name: &str) -> Option<(Raw<'t>, usize)> {
    let bytes = text.as_bytes();
    let tag = only(b'<').find(bytes, start);
    let before = tight(text.get(start..tag)?);
    let (value, mut at) = if bytes.get(tag..)?.starts_with(CDATA.as_bytes()) {
        // Blanks around one CDATA section are layout; a text beside it is not understood.
        let inside = tag + CDATA.len();
        let end = before.is_empty().then(|| cdata_end(bytes, inside))??;
        (Raw { text: text.get(inside..end)?, escaped: false }, end + 3)
    } else {
        (Raw { text: before, escaped: only(b'&').find(before.as_bytes(), 0) < before.len() }, tag)
    };
    while bytes.get(at)?.is_ascii_whitespace() {
        at += 1;
    }
    let close = bytes.get(at..)?.strip_prefix(b"</")?.strip_prefix(name.as_bytes())?;
    let blanks = close.iter().position(|b| !b.is_ascii_whitespace())?;
    (close[blanks] == b'>').then_some((value, at + 2 + name.len() + blanks + 1))
}

/// Index of the first `]]>` from `at` on.
#[inline]
fn cdata_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = only(b']').find(bytes, at);
        match bytes.get(at..at + 3)? {
            b"]]>" => return Some(at),
            _ => at += 1,
        }
    }
}

/// Writes the value of a raw XML text. An unknown entity stands for itself.
pub(in crate::paylog) fn unescape(raw: &str, out: &mut String) {
    /// The longest entity that is known: `&#x10FFFF;`.
    const ENTITY_MAX: usize = 10;
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(ENTITY_MAX).position(|b| b == b';');
        match end.and_then(|end| Some((entity(rest.get(1..end)?)?, end))) {
            Some((value, end)) => {
                out.push(value);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paylog::decode::Syntax;

    #[derive(Default)]
    struct Told(Vec<String>);

    impl<'t> Sink<'t> for Told {
        fn root(&mut self, name: &'t str) {
            self.0.push(format!("<{name}>"));
        }

        fn leaf(&mut self, name: &'t str, value: Raw<'t>) {
            self.0.push(format!("{name}={}", Syntax::Xml.plain(value)));
        }
    }

    fn told(text: &str) -> String {
        let mut sink = Told::default();
        let flaws = scan(text, &mut sink);
        format!("{}{}", sink.0.join("; "), if flaws.damaged { " !damaged" } else { "" })
    }

    #[test]
    fn what_stands_in_an_xml_text() {
        for (text, expected) in [
            ("<xml><a>1</a></xml>", "<xml>; a=1"),
            (
                "<?xml version=\"1.0\"?>\n<xml>\n <a><![CDATA[S<&>S]]></a>\n <b> 7 </b></xml>\n",
                "<xml>; a=S<&>S; b=7",
            ),
            (
                "<xml><a>x &amp; y &lt;&#20013;&#x6587;&unknown; & z</a></xml>",
                "<xml>; a=x & y <中文&unknown; & z",
            ),
            ("<alipay><response><alipay><c>9</c></alipay></response></alipay>", "<alipay>; c=9"),
            ("<xml><a/><b></b><p name=\"x>y\">v</p></xml>", "<xml>; a=; b=; p=v"),
            ("<xml><!-- <a>1</a> --><b>2</b></xml>", "<xml>; b=2"),
            ("<xml><a>\n<![CDATA[v]]>\n</a ></xml >", "<xml>; a=v"),
            // Damaged.
            ("<xml><a>1</a><b>2", "<xml>; a=1 !damaged"),
            ("<xml><a>1</a><b><![CDATA[2]]", "<xml>; a=1 !damaged"),
            ("<xml><a>1</a><b", "<xml>; a=1 !damaged"),
            ("<xml><a>1</a>", "<xml>; a=1 !damaged"),
            ("<xml><a>1</a></alipay>", "<xml>; a=1 !damaged"),
            ("<xml><a>1</a></xml><xml><a>2</a></xml>", "<xml>; a=1 !damaged"),
            ("<xml>", "<xml> !damaged"),
            ("<", " !damaged"),
            ("<!DOCTYPE xml [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><xml><a>&e;</a></xml>", " !damaged"),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn nesting_has_a_bound() {
        let deep = |levels: usize| format!("{}<x>1</x>{}", "<a>".repeat(levels), "</a>".repeat(levels));
        assert!(!told(&deep(DEPTH_MAX)).contains("damaged"));
        assert!(told(&deep(DEPTH_MAX + 1)).contains("damaged"));
    }
}
