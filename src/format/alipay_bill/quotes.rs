//! A line with double quotes, as a spreadsheet writes cells with TABs, commas or quotes in them (RFC 4180).
//!
//! Its values differ from its bytes, so it is written anew without quotes; the original stays in the archive.

use crate::format::ReadError;
use crate::format::table::Cutter;

/// Physical lines that one quoted cell may be spread over; more is a quote that was never closed.
const JOINED_MAX: usize = 32;

/// The fence before a cell that begins at byte 0.
const BEFORE_FIRST: u32 = u32::MAX;

/// A line without its quotes, and its fences as [`Cutter::fences`] would give them.
pub(super) struct PlainLine {
    pub(super) text: String,
    pub(super) fences: Vec<u32>,
}

/// Reads the cutter's current line, and the following ones while a quote is open.
///
/// # Errors
///
/// A quote that is not closed, or text behind a closed one.
pub(super) fn plain_line(cutter: &mut Cutter<'_, false>, text: &str) -> Result<PlainLine, ReadError> {
    let number = cutter.line().number;
    for _ in 0..JOINED_MAX {
        let line = cutter.line();
        match unquoted(text.get(line.start..line.end).unwrap_or("")) {
            Unquoted::Line(plain) => return Ok(plain),
            Unquoted::Stray => {
                return Err(ReadError::at(number, "text stands behind the closing quote of a cell"));
            }
            Unquoted::Open if cutter.rest().is_empty() => break,
            Unquoted::Open => {
                cutter.join()?;
            }
        }
    }
    Err(ReadError::at(number, "a cell's quote is never closed"))
}

enum Unquoted {
    Line(PlainLine),
    /// A quote is still open at the end.
    Open,
    Stray,
}

fn unquoted(line: &str) -> Unquoted {
    let mut plain = PlainLine { text: String::with_capacity(line.len()), fences: vec![BEFORE_FIRST] };
    let mut rest = line;
    loop {
        let Some(cell) = rest.trim_start_matches([' ', '\t']).strip_prefix('"') else {
            let (cell, more) = rest.split_once(',').map_or((rest, None), |(cell, more)| (cell, Some(more)));
            plain.text.push_str(cell);
            match more {
                Some(more) => rest = more,
                None => return plain.whole(),
            }
            plain.cut();
            continue;
        };
        let Some(behind) = plain.push_quoted(cell) else { return Unquoted::Open };
        match behind.trim_start_matches([' ', '\t']) {
            "" => return plain.whole(),
            more => match more.strip_prefix(',') {
                Some(more) => rest = more,
                None => return Unquoted::Stray,
            },
        }
        plain.cut();
    }
}

impl PlainLine {
    /// A plain line is no longer than its original, which is shorter than 64 KiB.
    fn fence(&mut self) {
        self.fences.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    fn cut(&mut self) {
        self.fence();
        self.text.push(',');
    }

    fn whole(mut self) -> Unquoted {
        self.fence();
        Unquoted::Line(self)
    }

    /// Takes a cell up to its closing quote; a doubled quote is one. Returns what follows.
    fn push_quoted<'l>(&mut self, mut cell: &'l str) -> Option<&'l str> {
        loop {
            let (inner, rest) = cell.split_once('"')?;
            self.text.push_str(inner);
            let Some(more) = rest.strip_prefix('"') else { return Some(rest) };
            self.text.push('"');
            cell = more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_are_their_values() {
        for (line, cells) in [
            (r#""a","b""#, &["a", "b"][..]),
            (r#"a,"b, c","d""e",f"#, &["a", "b, c", "d\"e", "f"]),
            ("\"a\t\",\"\",", &["a\t", "", ""]),
            (" \"a\" ,b", &["a", "b"]),
            ("\"line\nbreak\",b", &["line\nbreak", "b"]),
            (r#"5" screen,b"#, &["5\" screen", "b"]),
        ] {
            let Unquoted::Line(plain) = unquoted(line) else { panic!("{line}") };
            let end = |pair: &[u32]| (pair[0].wrapping_add(1) as usize, pair[1] as usize);
            let found: Vec<&str> =
                plain.fences.windows(2).map(end).map(|(start, end)| &plain.text[start..end]).collect();
            assert_eq!(found, cells, "{line}");
        }
        assert!(matches!(unquoted(r#"a,"b"#), Unquoted::Open));
        assert!(matches!(unquoted(r#""a"b,c"#), Unquoted::Stray));
    }
}
