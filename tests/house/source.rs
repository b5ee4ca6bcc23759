//! Reads Rust sources as far as the rules need it: tokens, what is test code, and every path that is named.

use std::collections::BTreeMap;
use std::path::Path;

/// Text files of the repository by their path, `/` between the parts.
#[derive(Clone, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, String>,
}

/// The folders and files that the rules look at.
const LOOKED_AT: [&str; 5] = ["src", "tests", "benches", "fixtures", "Cargo.toml"];

impl Tree {
    pub(crate) fn read(home: &Path) -> Tree {
        let mut tree = Tree::default();
        for name in LOOKED_AT {
            tree.read_below(home, name);
        }
        tree
    }

    fn read_below(&mut self, home: &Path, name: &str) {
        let path = home.join(name);
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("a readable file");
            self.files.insert(name.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
        } else if path.is_dir() {
            for entry in std::fs::read_dir(&path).expect("a readable folder") {
                let below = entry.expect("a readable entry").file_name();
                self.read_below(home, &format!("{name}/{}", below.to_string_lossy()));
            }
        }
    }

    pub(crate) fn with(mut self, path: &str, text: &str) -> Tree {
        self.files.insert(path.to_owned(), text.to_owned());
        self
    }

    pub(crate) fn without(mut self, path: &str) -> Tree {
        self.files.remove(path);
        self
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Every Rust file of the program itself.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Source> {
        self.rust("src/")
    }

    /// Every Rust file below a folder.
    pub(crate) fn rust(&self, folder: &str) -> impl Iterator<Item = Source> {
        let below =
            self.files.iter().filter(move |(path, _)| path.starts_with(folder) && path.ends_with(".rs"));
        below.map(|(path, text)| Source::new(path, text))
    }

    /// Names of the crates that `Cargo.toml` asks for, as they are written in code.
    pub(crate) fn dependencies(&self) -> Vec<String> {
        let manifest = self.text("Cargo.toml").unwrap_or("");
        let section =
            manifest.split("\n[").find_map(|s| s.trim_start_matches('[').strip_prefix("dependencies]"));
        let names = section.unwrap_or("").lines().filter_map(|line| line.split_once('='));
        names.map(|(name, _)| name.trim().replace('-', "_")).filter(|name| !name.starts_with('#')).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// An identifier, or one character of punctuation; texts and comments are gone.
    pub(crate) text: String,
    pub(crate) line: usize,
    /// Inside something under `#[cfg(test)]`.
    pub(crate) test: bool,
}

/// A path that the code names, resolved as far as its head goes.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
    pub(crate) test: bool,
}

impl Named {
    pub(crate) fn text(&self) -> String {
        self.segments.join("::")
    }

    /// Whether it is `prefix` or something below it.
    pub(crate) fn is_below(&self, prefix: &str) -> bool {
        let mut own = self.segments.iter().map(String::as_str);
        prefix.split("::").all(|part| own.next() == Some(part))
    }

    /// The room it leads to: `crate::room::…`, or `nightjob::room::…` from the binary.
    pub(crate) fn room(&self) -> Option<&str> {
        match self.segments.as_slice() {
            [head, room, ..] if head == "crate" || head == "nightjob" => Some(room),
            _ => None,
        }
    }
}

pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let mut tokens = tokens(text);
        if path.ends_with("/tests.rs") || path.ends_with("_tests.rs") || path.contains("/tests/") {
            tokens.iter_mut().for_each(|token| token.test = true);
        } else {
            mark_tests(&mut tokens);
        }
        Source { path: path.to_owned(), text: text.to_owned(), tokens }
    }

    /// The path below `src/`, without `.rs` and `/mod`.
    pub(crate) fn place(&self) -> &str {
        let below = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let below = below.strip_suffix(".rs").unwrap_or(below);
        below.strip_suffix("/mod").unwrap_or(below)
    }

    pub(crate) fn room(&self) -> &str {
        self.place().split('/').next().unwrap_or("")
    }

    /// Whether it lies at or below a place such as `format/unpack`.
    pub(crate) fn is_in(&self, place: &str) -> bool {
        self.place() == place || self.place().strip_prefix(place).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Every path in the code; `use a::{b, c::d}` gives `a::b` and `a::c::d`, and `super` is resolved.
    pub(crate) fn named(&self) -> Vec<Named> {
        let mut reader = Reader { tokens: &self.tokens, at: 0, found: Vec::new() };
        let module: Vec<&str> = match self.place() {
            "lib" | "main" => Vec::new(),
            place => place.split('/').collect(),
        };
        let mut inner: Vec<usize> = Vec::new();
        let mut depth = 0usize;
        while reader.at < self.tokens.len() {
            match self.tokens[reader.at].text.as_str() {
                "{" => {
                    let opens_module = reader.at >= 2 && self.tokens[reader.at - 2].text == "mod";
                    if opens_module {
                        inner.push(depth);
                    }
                    depth += 1;
                }
                "}" => {
                    depth = depth.saturating_sub(1);
                    inner.pop_if(|opened| *opened == depth);
                }
                _ => {}
            }
            reader.step(&module, inner.len());
        }
        reader.found
    }
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    found: Vec<Named>,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn is_double_colon(&self, at: usize) -> bool {
        self.text(at) == ":" && self.text(at + 1) == ":"
    }

    /// Takes the path that begins here, or one token.
    fn step(&mut self, module: &[&str], inner: usize) {
        if KEYWORDS.contains(&self.text(self.at)) {
            self.at += 1;
            return;
        }
        let field = self.at > 0 && self.text(self.at - 1) == ".";
        if !is_name(self.text(self.at)) || field || !self.is_double_colon(self.at + 1) {
            let whole = self.text(self.at.wrapping_sub(1)) == "use" && is_name(self.text(self.at));
            if whole {
                self.keep(vec![self.text(self.at).to_owned()], module, inner);
            }
            self.at += 1;
            return;
        }
        self.tree(Vec::new(), module, inner);
    }

    fn tree(&mut self, mut prefix: Vec<String>, module: &[&str], inner: usize) {
        while is_name(self.text(self.at)) || self.text(self.at) == "*" {
            prefix.push(self.text(self.at).to_owned());
            self.at += 1;
            if !self.is_double_colon(self.at) {
                return self.keep(prefix, module, inner);
            }
            self.at += 2;
        }
        if self.text(self.at) != "{" {
            return self.keep(prefix, module, inner);
        }
        self.at += 1;
        while !matches!(self.text(self.at), "}" | "") {
            match self.text(self.at) {
                "as" => self.at += 2,
                name if is_name(name) || name == "*" => self.tree(prefix.clone(), module, inner),
                _ => self.at += 1,
            }
        }
        self.at += 1;
    }

    fn keep(&mut self, segments: Vec<String>, module: &[&str], inner: usize) {
        let token = &self.tokens[self.at.saturating_sub(1).min(self.tokens.len() - 1)];
        let segments = resolved(segments, module, inner);
        self.found.push(Named { segments, line: token.line, test: token.test });
    }
}

/// `super::super::x` in `module` becomes `crate::…::x`; a `super` of an inner `mod tests` only leaves that.
fn resolved(segments: Vec<String>, module: &[&str], inner: usize) -> Vec<String> {
    let ups = segments.iter().take_while(|s| *s == "super" || *s == "self").count();
    let supers = segments.iter().take(ups).filter(|s| *s == "super").count();
    if supers == 0 {
        return segments;
    }
    let above = module.len().saturating_sub(supers.saturating_sub(inner));
    let base = module.iter().take(above).map(|s| (*s).to_owned());
    std::iter::once("crate".to_owned()).chain(base).chain(segments.into_iter().skip(ups)).collect()
}

/// Words in front of a path that begins with `::`; they are not its head.
const KEYWORDS: [&str; 16] = [
    "as", "const", "dyn", "else", "for", "if", "impl", "in", "let", "match", "move", "mut", "ref", "return",
    "use", "where",
];

fn is_name(text: &str) -> bool {
    text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// Splits a source into names and punctuation. Comments, texts, characters and numbers are left out.
fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => line_end(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => comment_end(bytes, at),
            b'"' => text_end(bytes, at),
            b'\'' => quote_end(text, at),
            _ => raw_end(bytes, at).unwrap_or(at),
        };
        if end > at {
            line += bytes[at..end].iter().filter(|b| **b == b'\n').count();
            at = end;
            continue;
        }
        let rest = &text[at..];
        let first = rest.chars().next().expect("at is a boundary before the end");
        let name =
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()).max(first.len_utf8());
        if first == '\n' {
            line += 1;
        } else if !first.is_whitespace() && !first.is_ascii_digit() {
            tokens.push(Token { text: rest[..name].to_owned(), line, test: false });
        }
        at += name;
    }
    tokens
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| at + n)
}

/// Block comments nest.
fn comment_end(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn text_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

/// A raw text `r"…"`, `br#"…"#`; `None` if none begins here. A name may not end in front of it.
fn raw_end(bytes: &[u8], start: usize) -> Option<usize> {
    if start > 0 && (bytes[start - 1].is_ascii_alphanumeric() || bytes[start - 1] == b'_') {
        return None;
    }
    let prefix = [&b"br"[..], b"cr", b"r"].into_iter().find(|p| bytes[start..].starts_with(p))?;
    let after = start + prefix.len();
    let hashes = bytes[after..].iter().take_while(|b| **b == b'#').count();
    if bytes.get(after + hashes) != Some(&b'"') {
        return None;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', hashes)).collect();
    let body = after + hashes + 1;
    let length = bytes[body..].windows(close.len()).position(|w| w == close.as_slice());
    Some(length.map_or(bytes.len(), |n| body + n + close.len()))
}

/// The end of a character, or of the quote alone if it begins a lifetime.
fn quote_end(text: &str, start: usize) -> usize {
    let rest = &text[start + 1..];
    let mut chars = rest.char_indices();
    match chars.next() {
        Some((_, '\\')) => rest[1..]
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '\'')
            .map_or(text.len(), |(n, _)| start + 1 + 1 + n + 1),
        Some((_, first)) if rest[first.len_utf8()..].starts_with('\'') => start + 1 + first.len_utf8() + 1,
        _ => start + 1,
    }
}

/// Marks every item under `#[cfg(test)]`.
fn mark_tests(tokens: &mut [Token]) {
    const CFG_TEST: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut at = 0;
    while at + CFG_TEST.len() <= tokens.len() {
        if !tokens[at..].iter().zip(CFG_TEST).all(|(token, wanted)| token.text == wanted) {
            at += 1;
            continue;
        }
        let end = item_end(tokens, at + CFG_TEST.len());
        tokens[at..end].iter_mut().for_each(|token| token.test = true);
        at = end;
    }
}

/// One past the `}` or `;` that closes the item that begins at `start`.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0i32;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(token.text.as_str(), "}" | ";") {
            return at + 1;
        }
    }
    tokens.len()
}

/// Functions with their name, first line and lines that hold code between their braces.
pub(crate) fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let tokens = &source.tokens;
    let mut found = Vec::new();
    for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.text == "fn") {
        let Some(name) = tokens.get(at + 1).filter(|name| is_name(&name.text)) else { continue };
        let end = item_end(tokens, at);
        let Some(open) = tokens[at..end].iter().position(|t| t.text == "{") else { continue };
        let body = &tokens[at + open + 1..end.saturating_sub(1).max(at + open + 1)];
        let lines: std::collections::BTreeSet<usize> = body.iter().map(|t| t.line).collect();
        found.push((name.text.clone(), token.line, lines.len()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str, text: &str) -> Vec<String> {
        Source::new(path, text).named().iter().map(Named::text).collect()
    }

    #[test]
    fn a_use_over_several_lines_names_each_of_its_paths() {
        let text = "use crate::{\n    acquire::{self, http::Get as Fetch},\n    domain::*,\n};\nuse std::{fs, io::Read};";
        assert_eq!(
            named("src/report/mod.rs", text),
            [
                "crate::acquire::self",
                "crate::acquire::http::Get",
                "crate::domain::*",
                "std::fs",
                "std::io::Read"
            ]
        );
    }

    #[test]
    fn super_is_resolved_from_where_it_stands() {
        for (path, text, wanted) in [
            ("src/channel/wechat_v2/ask.rs", "use super::super::super::store::open;", "crate::store::open"),
            ("src/channel/wechat_v2/ask.rs", "use super::super::sign::md5;", "crate::channel::sign::md5"),
            ("src/channel/mod.rs", "use super::store::open;", "crate::store::open"),
            ("src/channel/mod.rs", "mod tests { use super::store::open; }", "crate::channel::store::open"),
            ("src/channel/mod.rs", "mod tests { use super::super::store::open; }", "crate::store::open"),
            ("src/plan.rs", "fn f() { let x = super::store::open(); }", "crate::store::open"),
            ("src/plan.rs", "mod a { fn f() {} }\nuse super::store::open;", "crate::store::open"),
        ] {
            assert_eq!(named(path, text), [wanted], "{path}: {text}");
        }
    }

    #[test]
    fn texts_comments_characters_and_lifetimes_name_nothing() {
        let text = "// use std::fs;\n/* std::fs /* std::net */ std::env */\nfn f<'a>(x: &'a str) -> char {\n\
                    let _ = \"std::fs \\\" std::net\"; let _ = r#\"std::fs \" std::env\"#; let _ = '\"'; let _ = '\\'';\n\
                    let _ = b\"std::fs\"; x.zip::<u8>(y); '\\u{1b}' }\nuse std::io;";
        assert_eq!(named("src/report/mod.rs", text), ["std::io"]);
    }

    #[test]
    fn what_stands_under_cfg_test_is_test_code_and_what_follows_is_not() {
        let text = "#[cfg(test)]\n#[allow(x)]\nmod tests { fn f() { std::fs::read(); } }\nfn g() { std::net::x(); }\n\
                    #[cfg(test)]\nuse std::env;\nuse std::os;";
        let found: Vec<(String, bool)> =
            Source::new("src/report/mod.rs", text).named().iter().map(|n| (n.text(), n.test)).collect();
        let wanted =
            [("std::fs::read", true), ("std::net::x", false), ("std::env", true), ("std::os", false)];
        assert_eq!(found, wanted.map(|(text, test)| (text.to_owned(), test)));
    }

    #[test]
    fn lines_of_a_function_are_those_with_code() {
        let text = "fn short() { 1 }\nfn long(a: [u8; 2]) {\n    a();\n\n    // why\n    b(|| {\n        c();\n    });\n}\nfn none();";
        let source = Source::new("src/plan.rs", text);
        assert_eq!(functions(&source), [("short".to_owned(), 1, 0), ("long".to_owned(), 2, 4)]);
    }
}
