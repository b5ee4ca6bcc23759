//! Lines and cells: finds where they end, 64 bytes at a step, and nothing else.
//!
//! It never copies, decodes or interprets a cell. Two layouts are known to it: cells that begin with a backtick
//! behind a comma (WeChat: the pair is the separator, a bare comma is content), and cells between commas
//! (Alipay). A line longer than [`LINE_MAX`] ends the reading as soon as that much of it was seen.
//!
//! # Why by hand
//!
//! The step compares 64 bytes at once and gathers the results into one integer, in plain safe code that the
//! compiler turns into vector instructions. Measured on a WeChat bill of 280 bytes a row this is about twice as
//! fast as `memchr2` and five times as fast as the csv crate's tokenizer, which cannot read this layout anyway
//! (`background/crates.md`, 5). `benches/format.rs` shows the whole readers beside that tokenizer.

use crate::format::{LINE_MAX, ReadError};

/// Bytes compared in one step: one bit of a `u64` each.
const BLOCK: usize = 64;
/// Steps made ahead of the line that is being read. 4 KiB keep text and marks in the first-level cache.
const STEPS_AHEAD: usize = 64;

/// One line of the text, without its line end and without blanks before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Physical line, from 1.
    pub number: u32,
    pub start: usize,
    pub end: usize,
}

/// Walks a text line by line. `TICKS`: a cell begins with a backtick behind a comma; else cells stand between
/// commas, and a line with a double quote is told apart ([`Cutter::quoted`]).
pub struct Cutter<'t, const TICKS: bool> {
    text: &'t str,
    /// Places of separators, line ends, NUL bytes (and quotes) seen so far, ascending; `filled` of them.
    marks: Vec<u32>,
    filled: usize,
    /// The current line's first mark, and how many it has.
    first: usize,
    count: usize,
    /// The first byte that was not looked at.
    looked: usize,
    line: Line,
    /// Physical lines that the current one is joined of.
    joined: u32,
    /// First byte behind the current line and its line end.
    after: usize,
    quoted: bool,
}

impl<'t, const TICKS: bool> Cutter<'t, TICKS> {
    /// Begins at byte `start` (behind a byte order mark). The text is shorter than 4 GiB: [`unpack`] saw to it.
    ///
    /// [`unpack`]: crate::format::unpack
    pub fn new(text: &'t str, start: usize) -> Cutter<'t, TICKS> {
        Cutter {
            text,
            marks: vec![0; 2 * STEPS_AHEAD * BLOCK],
            filled: 0,
            first: 0,
            count: 0,
            looked: start,
            line: Line { number: 0, start, end: start },
            joined: 1,
            after: start,
            quoted: false,
        }
    }

    /// The next line.
    ///
    /// # Errors
    ///
    /// A line with a NUL byte, or of [`LINE_MAX`] bytes and more.
    pub fn advance(&mut self) -> Result<Option<Line>, ReadError> {
        if self.after >= self.text.len() {
            return Ok(None);
        }
        // The mark of the line end belongs to the line that is left behind.
        self.first += self.count + usize::from(self.line.number > 0);
        self.line = Line { number: self.line.number + self.joined, start: self.after, end: self.after };
        self.joined = 1;
        self.count = 0;
        self.quoted = false;
        self.find_line_end().map(Some)
    }

    /// Takes the next physical line into the current one: a line break stood inside a cell.
    ///
    /// # Errors
    ///
    /// As [`Cutter::advance`].
    pub fn join(&mut self) -> Result<Line, ReadError> {
        if self.after < self.text.len() {
            // The mark of the line end becomes content.
            let end_mark = self.first + self.count;
            self.marks.copy_within(end_mark + 1..self.filled, end_mark);
            self.filled -= 1;
            self.joined += 1;
            return self.find_line_end();
        }
        Ok(self.line)
    }

    /// The current line's separators. With `TICKS` the place of the backtick, else of the comma.
    pub fn cuts(&self) -> &[u32] {
        &self.marks[self.first..self.first + self.count]
    }

    /// Whether the current line holds a double quote; its cuts then mean nothing. Never with `TICKS`.
    pub fn quoted(&self) -> bool {
        self.quoted
    }

    /// The line that [`Cutter::advance`] or [`Cutter::join`] gave last.
    pub fn line(&self) -> Line {
        self.line
    }

    /// What follows the current line.
    pub fn rest(&self) -> &'t str {
        self.text.get(self.after..).unwrap_or("")
    }

    fn find_line_end(&mut self) -> Result<Line, ReadError> {
        let bytes = self.text.as_bytes();
        loop {
            while let Some(&mark) = self.marks[..self.filled].get(self.first + self.count) {
                match bytes.get(mark as usize) {
                    Some(b'\n') | None => return self.ends_at(mark as usize),
                    Some(0) => return Err(self.nul()),
                    Some(b'"') => self.quoted = true,
                    Some(_) => {}
                }
                self.count += 1;
            }
            if self.looked - self.line.start >= LINE_MAX {
                return Err(self.too_long());
            }
            self.look_ahead();
        }
    }

    fn ends_at(&mut self, end: usize) -> Result<Line, ReadError> {
        let body = &self.text.as_bytes()[self.line.start..end];
        if body.len() >= LINE_MAX {
            return Err(self.too_long());
        }
        let body = body.strip_suffix(b"\r").unwrap_or(body);
        let blanks = body.iter().rev().take_while(|b| **b == b' ').count();
        self.line.end = self.line.start + body.len() - blanks;
        self.after = end + 1;
        Ok(self.line)
    }

    fn nul(&self) -> ReadError {
        let found = "holds a NUL byte; the file is damaged, or it is UTF-16 text";
        ReadError::at(self.line.number + self.joined - 1, found)
    }

    fn too_long(&self) -> ReadError {
        ReadError::at(
            self.line.number,
            format!("longer than {} KiB; that is no line of a bill", LINE_MAX / 1024),
        )
    }

    /// Looks at the next few KiB. Marks of lines that were left behind are dropped first.
    fn look_ahead(&mut self) {
        self.marks.copy_within(self.first..self.filled, 0);
        self.filled -= self.first;
        self.first = 0;
        let room = self.filled + (STEPS_AHEAD + 1) * BLOCK;
        if self.marks.len() < room {
            self.marks.resize(2 * room, 0);
        }
        for _ in 0..STEPS_AHEAD {
            if !self.step() {
                self.last_step();
                return;
            }
        }
    }

    /// Looks at one whole block; false if there is none.
    #[inline]
    fn step(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let at = self.looked;
        let Some(here) = bytes.get(at..).and_then(<[u8]>::first_chunk::<BLOCK>) else { return false };
        let before =
            match at.checked_sub(1).and_then(|p| bytes.get(p..)).and_then(<[u8]>::first_chunk::<BLOCK>) {
                Some(before) => *before,
                None => shifted(here),
            };
        self.keep(marks_in::<TICKS>(here, &before), at);
        self.looked += BLOCK;
        true
    }

    /// Looks at what is left, and marks the end of the text as a line end.
    fn last_step(&mut self) {
        let bytes = self.text.as_bytes();
        if self.looked <= bytes.len() {
            let tail = &bytes[self.looked..];
            let mut here = [b' '; BLOCK];
            here[..tail.len()].copy_from_slice(tail);
            let mut before = shifted(&here);
            before[0] = self.looked.checked_sub(1).map_or(b' ', |p| bytes[p]);
            self.keep(marks_in::<TICKS>(&here, &before), self.looked);
            self.marks[self.filled] = place(bytes.len());
            self.filled += 1;
            self.looked = bytes.len() + 1;
        }
    }

    /// Writes the set bits of `mask` as places. Eight are written in any case, because that needs no branch.
    #[inline]
    fn keep(&mut self, mut mask: u64, at: usize) {
        let count = mask.count_ones() as usize;
        let at = place(at);
        let slots = &mut self.marks[self.filled..self.filled + BLOCK];
        for eight in slots.chunks_exact_mut(8).take(count.div_ceil(8).max(1)) {
            for slot in eight {
                *slot = at + mask.trailing_zeros();
                mask &= mask.wrapping_sub(1);
            }
        }
        self.filled += count;
    }
}

/// A place in the text. `unpack` holds texts below 4 GiB because of this.
#[inline]
fn place(at: usize) -> u32 {
    u32::try_from(at).expect("unpack refuses texts of 4 GiB")
}

/// The block one byte earlier, with nothing before its first byte.
fn shifted(here: &[u8; BLOCK]) -> [u8; BLOCK] {
    let mut before = [b' '; BLOCK];
    before[1..].copy_from_slice(&here[..BLOCK - 1]);
    before
}

/// One bit for each byte that the walk must see. `before` is the block one byte earlier.
#[inline(always)]
fn marks_in<const TICKS: bool>(here: &[u8; BLOCK], before: &[u8; BLOCK]) -> u64 {
    let mut hits = [0u8; BLOCK];
    for ((hit, byte), earlier) in hits.iter_mut().zip(here).zip(before) {
        let separates =
            if TICKS { (*byte == b'`') & (*earlier == b',') } else { (*byte == b',') | (*byte == b'"') };
        *hit = u8::from(separates | (*byte == b'\n') | (*byte == 0));
    }
    gathered(&hits)
}

/// Bytes of 0 and 1 as bits. The product moves the eight ones of a word into its upper byte, without carries.
#[inline(always)]
fn gathered(hits: &[u8; BLOCK]) -> u64 {
    const INTO_UPPER_BYTE: u64 = 0x0102_0408_1020_4080;
    let mut mask = 0;
    for (index, eight) in hits.as_chunks::<8>().0.iter().enumerate() {
        mask |= (u64::from_le_bytes(*eight).wrapping_mul(INTO_UPPER_BYTE) >> 56) << (8 * index);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line number, text and cuts (from the line's start) of every line.
    fn walk<const TICKS: bool>(text: &str) -> Result<Vec<(u32, String, Vec<usize>)>, ReadError> {
        let mut cutter = Cutter::<TICKS>::new(text, 0);
        let mut lines = Vec::new();
        while let Some(line) = cutter.advance()? {
            let cuts = cutter.cuts().iter().map(|cut| *cut as usize - line.start).collect();
            lines.push((line.number, text[line.start..line.end].to_owned(), cuts));
        }
        Ok(lines)
    }

    /// The obvious way, to be compared with.
    fn slowly<const TICKS: bool>(text: &str) -> Vec<(u32, String, Vec<usize>)> {
        let body = text.strip_suffix('\n').unwrap_or(text);
        let lines = if text.is_empty() { Vec::new() } else { body.split('\n').collect() };
        let cuts = |line: &str| -> Vec<usize> {
            let bytes = line.as_bytes();
            let is_cut = |i: &usize| {
                if TICKS {
                    bytes[*i] == b'`' && *i > 0 && bytes[*i - 1] == b','
                } else {
                    matches!(bytes[*i], b',' | b'"')
                }
            };
            (0..bytes.len()).filter(is_cut).collect()
        };
        let bare = |line: &str| line.strip_suffix('\r').unwrap_or(line).trim_end_matches(' ').to_owned();
        lines.iter().zip(1..).map(|(line, number)| (number, bare(line), cuts(line))).collect()
    }

    #[test]
    fn every_way_to_lay_marks_over_the_64_byte_steps() {
        let mut random = fastrand::Rng::with_seed(64);
        for round in 0..2000 {
            let length = random.usize(0..400);
            let alphabet = ["`", ",", ",`", "\n", "\r\n", "a", "豆", " ", "\"", "0.00"];
            let text: String = (0..length).map(|_| alphabet[random.usize(..alphabet.len())]).collect();
            assert_eq!(walk::<true>(&text).unwrap(), slowly::<true>(&text), "round {round}: {text:?}");
            assert_eq!(walk::<false>(&text).unwrap(), slowly::<false>(&text), "round {round}: {text:?}");
        }
    }

    #[test]
    fn the_line_limit_is_exact_and_a_longer_line_is_not_read_to_its_end() {
        let line = |length: usize| format!("head\n{}\ntail", "x".repeat(length));
        assert_eq!(walk::<true>(&line(LINE_MAX - 1)).unwrap().len(), 3);
        for length in [LINE_MAX, LINE_MAX + 1, 3 * LINE_MAX] {
            let error = walk::<true>(&line(length)).unwrap_err();
            assert_eq!(error.to_string(), "line 2: longer than 64 KiB; that is no line of a bill");
        }
        let huge = "x".repeat(100_000_000);
        let mut cutter = Cutter::<true>::new(&huge, 0);
        assert!(cutter.advance().is_err());
        assert!(cutter.looked < 2 * LINE_MAX && cutter.marks.len() < 100_000);
    }

    #[test]
    fn a_nul_byte_is_named_with_its_line() {
        let error = walk::<true>("a\nb\nc\0d\n").unwrap_err();
        assert_eq!(error.to_string(), "line 3: holds a NUL byte; the file is damaged, or it is UTF-16 text");
    }

    #[test]
    fn a_joined_line_keeps_its_cuts_and_the_count_of_lines() {
        let text = "`a,`b\r\nc,`d\n`e,`f\n";
        let mut cutter = Cutter::<true>::new(text, 0);
        assert_eq!(cutter.advance().unwrap(), Some(Line { number: 1, start: 0, end: 5 }));
        let joined = cutter.join().unwrap();
        assert_eq!((joined.number, &text[joined.start..joined.end]), (1, "`a,`b\r\nc,`d"));
        assert_eq!(cutter.cuts(), [3, 9]);
        let next = cutter.advance().unwrap().unwrap();
        assert_eq!((next.number, &text[next.start..next.end]), (3, "`e,`f"));
        assert_eq!(cutter.cuts(), [15]);
        assert_eq!(cutter.advance().unwrap(), None);
    }

    #[test]
    fn a_line_of_nothing_but_separators_grows_the_marks() {
        let text = ",`".repeat(30_000);
        let lines = walk::<true>(&text).unwrap();
        assert_eq!(lines[0].2.len(), 30_000);
    }
}
