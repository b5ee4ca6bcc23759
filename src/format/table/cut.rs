//! Lines and cells: finds where they end, 64 bytes at a step, and nothing else.
//!
//! It never copies, decodes or interprets a cell. Two layouts are known to it: cells that begin with a backtick
//! behind a comma (WeChat: the pair is the separator, a bare comma is content), and cells between commas
//! (Alipay). A line longer than [`LINE_MAX`] ends the reading as soon as that much of it was seen.
//!
//! # Why by hand
//!
//! The step compares 64 bytes at once and gathers the results into one integer, in plain safe code that the
//! compiler turns into vector instructions (so: no branch in it). Measured on a WeChat bill of 270 bytes a row,
//! cutting alone runs at 2 GB/s, three and a half times as fast as the csv crate's tokenizer, which cannot read
//! this layout anyway. `benches/format.rs` shows the whole readers beside that tokenizer.

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
    seen: Marks,
    /// The current line's first mark, and how many it has.
    first: usize,
    count: usize,
    /// The next stop.
    stop: usize,
    /// The first byte that was not looked at.
    looked: usize,
    line: Line,
    /// Physical lines that the current one is joined of.
    joined: u32,
    /// First byte behind the current line and its line end.
    after: usize,
    quoted: bool,
}

/// What the steps have found ahead of the current line, ascending.
struct Marks {
    /// Places in the text: separators and stops. `filled` of them are real.
    places: Vec<u32>,
    filled: usize,
    /// Which of the marks are stops: line ends, NUL bytes, quotes. So a line's cells are not walked one by one.
    stops: Vec<u32>,
}

impl<'t, const TICKS: bool> Cutter<'t, TICKS> {
    /// Begins at byte `start` (behind a byte order mark). The text is shorter than 4 GiB: [`unpack`] saw to it.
    ///
    /// [`unpack`]: crate::format::unpack
    pub fn new(text: &'t str, start: usize) -> Cutter<'t, TICKS> {
        // The first place is a fence before the first line; no mark is ever there.
        let seen = Marks { places: vec![0; 2 * STEPS_AHEAD * BLOCK], filled: 1, stops: Vec::new() };
        Cutter {
            text,
            seen,
            first: 1,
            count: 0,
            stop: 0,
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
    #[inline]
    pub fn advance(&mut self) -> Result<Option<Line>, ReadError> {
        if self.after >= self.text.len() {
            return Ok(None);
        }
        // The mark of the line end belongs to the line that is left behind.
        self.first += self.count + usize::from(self.line.number > 0);
        self.line = Line { number: self.line.number + self.joined, start: self.after, end: self.after };
        self.joined = 1;
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
            self.seen.forget(self.first + self.count, self.stop);
            self.joined += 1;
            return self.find_line_end();
        }
        Ok(self.line)
    }

    /// The current line's fences: what stands before its first cell, its separators (with `TICKS` the place of
    /// the backtick, else of the comma), and what stands behind its last cell. One more than it has cells.
    #[inline]
    pub fn fences(&self) -> &[u32] {
        self.seen.places.get(self.first - 1..=self.first + self.count).unwrap_or_default()
    }

    /// Number of cells of the current line.
    #[inline]
    pub fn cells(&self) -> usize {
        self.count + 1
    }

    /// Whether the current line holds a double quote; its fences then mean nothing. Never with `TICKS`.
    #[inline]
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

    #[inline]
    fn find_line_end(&mut self) -> Result<Line, ReadError> {
        loop {
            while let Some(&stop) = self.seen.stops.get(self.stop) {
                self.stop += 1;
                let mark = self.seen.places[stop as usize] as usize;
                match self.text.as_bytes().get(mark) {
                    Some(b'\n') | None => {
                        self.count = stop as usize - self.first;
                        return self.ends_at(mark);
                    }
                    Some(0) => return Err(self.nul()),
                    Some(_) => self.quoted = true,
                }
            }
            if self.looked - self.line.start >= LINE_MAX {
                return Err(self.too_long());
            }
            self.look_ahead();
        }
    }

    #[inline]
    fn ends_at(&mut self, end: usize) -> Result<Line, ReadError> {
        let body = self.text.as_bytes().get(self.line.start..end).unwrap_or_default();
        if body.len() >= LINE_MAX {
            return Err(self.too_long());
        }
        let mut length = body.len() - usize::from(body.ends_with(b"\r"));
        while length > 0 && body[length - 1] == b' ' {
            length -= 1;
        }
        self.line.end = self.line.start + length;
        self.after = end + 1;
        // The line ends' marks have served; now they fence the line's first and last cell.
        let begins_with_tick = TICKS && body.first() == Some(&b'`');
        let before = place(self.line.start).wrapping_sub(u32::from(!begins_with_tick));
        self.seen.places[self.first - 1] = before;
        self.seen.places[self.first + self.count] = place(self.line.end) + u32::from(TICKS);
        Ok(self.line)
    }

    #[cold]
    fn nul(&self) -> ReadError {
        let found = "holds a NUL byte; the file is damaged, or it is UTF-16 text";
        ReadError::at(self.line.number + self.joined - 1, found)
    }

    #[cold]
    fn too_long(&self) -> ReadError {
        let found = format!("longer than {} KiB; that is no line of a bill", LINE_MAX / 1024);
        ReadError::at(self.line.number, found)
    }

    /// Looks at the next few KiB. What belongs to lines left behind is dropped first.
    #[inline(never)]
    fn look_ahead(&mut self) {
        self.seen.drop_before(self.first - 1, self.stop);
        self.stop = 0;
        self.first = 1;
        let bytes = self.text.as_bytes();
        for _ in 0..STEPS_AHEAD {
            let Some(here) = bytes.get(self.looked..).and_then(<[u8]>::first_chunk) else {
                self.last_step();
                return;
            };
            let before =
                self.looked.checked_sub(1).and_then(|at| bytes.get(at..)).and_then(<[u8]>::first_chunk);
            match before {
                Some(before) => self.seen.step::<TICKS>(here, before, self.looked),
                None => self.seen.step::<TICKS>(here, &shifted(here, b' '), self.looked),
            }
            self.looked += BLOCK;
        }
    }

    /// Looks at what is left, and marks the end of the text as a line end.
    fn last_step(&mut self) {
        let bytes = self.text.as_bytes();
        if self.looked <= bytes.len() {
            let tail = &bytes[self.looked..];
            let mut here = [b' '; BLOCK];
            here[..tail.len()].copy_from_slice(tail);
            let earlier = self.looked.checked_sub(1).map_or(b' ', |at| bytes[at]);
            self.seen.step::<TICKS>(&here, &shifted(&here, earlier), self.looked);
            self.seen.end(bytes.len());
            self.looked = bytes.len() + 1;
        }
    }
}

impl Marks {
    /// Drops the marks before `mark` and the stops before `stop`, and makes room for the steps ahead.
    fn drop_before(&mut self, mark: usize, stop: usize) {
        self.places.copy_within(mark..self.filled, 0);
        self.filled -= mark;
        let room = self.filled + (STEPS_AHEAD + 2) * BLOCK;
        if self.places.len() < room {
            self.places.resize(2 * room, 0);
        }
        self.stops.drain(..stop);
        let mark = place(mark);
        self.stops.iter_mut().for_each(|stop| *stop -= mark);
    }

    /// Takes one mark away; the stops from `stop` on move with the marks behind it.
    fn forget(&mut self, mark: usize, stop: usize) {
        self.places.copy_within(mark + 1..self.filled, mark);
        self.filled -= 1;
        self.stops.iter_mut().skip(stop).for_each(|stop| *stop -= 1);
    }

    /// Looks at one block, which begins at byte `at`. `before` is the block one byte earlier.
    #[inline(always)]
    fn step<const TICKS: bool>(&mut self, here: &[u8; BLOCK], before: &[u8; BLOCK], at: usize) {
        let mut hits = [0u8; BLOCK];
        let mut stops = [0u8; BLOCK];
        // No branch in here, not even a short-circuit: this is what becomes vector instructions.
        for i in 0..BLOCK {
            let (byte, earlier) = (here[i], before[i]);
            let separates = if TICKS { (byte == b'`') & (earlier == b',') } else { byte == b',' };
            let quote = !TICKS & (byte == b'"');
            let stop = u8::from(byte == b'\n') | u8::from(byte == 0) | u8::from(quote);
            stops[i] = stop;
            hits[i] = stop | u8::from(separates);
        }
        let mask = gathered(&hits);
        let any_stop = stops.as_chunks::<16>().0.iter().fold(0, |any, part| any | u128::from_le_bytes(*part));
        if any_stop != 0 {
            self.keep_stops(mask, gathered(&stops));
        }
        self.keep(mask, at);
    }

    /// Notes which of the marks that come next are stops.
    #[inline]
    fn keep_stops(&mut self, mask: u64, mut stops: u64) {
        while stops != 0 {
            let below = (stops & stops.wrapping_neg()) - 1;
            self.stops.push(place(self.filled) + (mask & below).count_ones());
            stops &= stops - 1;
        }
    }

    /// Writes the set bits of `mask` as places, eight at a time: that needs a branch for every eight only.
    #[inline]
    fn keep(&mut self, mut mask: u64, at: usize) {
        let count = mask.count_ones() as usize;
        let at = place(at);
        let (mut slots, _) = self.places[self.filled..].as_chunks_mut::<8>();
        while let Some((eight, rest)) = slots.split_first_mut() {
            for slot in eight {
                *slot = at.wrapping_add(mask.trailing_zeros());
                mask &= mask.wrapping_sub(1);
            }
            if mask == 0 {
                break;
            }
            slots = rest;
        }
        self.filled += count;
    }

    /// The end of the text is the end of its last line.
    fn end(&mut self, at: usize) {
        self.stops.push(place(self.filled));
        self.places[self.filled] = place(at);
        self.filled += 1;
    }
}

/// A place in the text. `unpack` holds texts below 4 GiB because of this.
#[inline]
fn place(at: usize) -> u32 {
    u32::try_from(at).expect("unpack refuses texts of 4 GiB")
}

/// The block one byte earlier.
fn shifted(here: &[u8; BLOCK], first: u8) -> [u8; BLOCK] {
    let mut before = [first; BLOCK];
    before[1..].copy_from_slice(&here[..BLOCK - 1]);
    before
}

/// Bytes of 0 and 1 as bits, the first byte lowest. Eight words, each shifted by its number, make a square of eight
/// bytes by eight bits, which is then turned over its diagonal (Warren, Hacker's Delight, 7-3).
#[inline(always)]
fn gathered(ones: &[u8; BLOCK]) -> u64 {
    let words = ones.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let mut square = words.enumerate().fold(0, |square, (number, word)| square | (word << number));
    for (shift, corner) in
        [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)]
    {
        let swapped = (square ^ (square >> shift)) & corner;
        square ^= swapped ^ (swapped << shift);
    }
    square
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line number, text and cuts (from the line's start) of every line.
    fn walk<const TICKS: bool>(text: &str) -> Result<Vec<(u32, String, Vec<usize>)>, ReadError> {
        let mut cutter = Cutter::<TICKS>::new(text, 0);
        let mut lines = Vec::new();
        while let Some(line) = cutter.advance()? {
            let fences = cutter.fences();
            let cuts = fences[1..fences.len() - 1].iter().map(|cut| *cut as usize - line.start).collect();
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
        assert!(cutter.looked < 2 * LINE_MAX && cutter.seen.places.len() < 100_000);
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
        assert_eq!(cutter.fences(), [0, 3, 9, 12]);
        let next = cutter.advance().unwrap().unwrap();
        assert_eq!((next.number, &text[next.start..next.end]), (3, "`e,`f"));
        assert_eq!(cutter.fences(), [12, 15, 18]);
        assert_eq!(cutter.advance().unwrap(), None);
    }

    #[test]
    fn a_line_of_nothing_but_separators_grows_the_marks() {
        let text = ",`".repeat(30_000);
        let lines = walk::<true>(&text).unwrap();
        assert_eq!(lines[0].2.len(), 30_000);
    }
}
