//! The archive's index: one line for each arrival and for each thing that became of it, and the seals between them.
//!
//! ```text
//! {"account":"mall-wx","date":"2016-11-08",…,"status":"received","at":"…"}     an arrival, or a mark on it
//! {"seal":"<sha256>","event":42,"hash":"<sha256>","at":"…"}                    a seal
//! ```
//!
//! # Why seals
//!
//! A line is never changed, and nothing but the next seal could tell that one was: it holds the SHA-256 of every byte
//! from the seal before it (that line included) up to itself, so the seals are a chain over the whole file. It also
//! names the head of the ledger's chain of events at that time. So a line that was removed here is noticed, and so is
//! a ledger that was replaced by an older one, or whose events were written anew, because both lack that head. What
//! came after the last seal is not yet sealed: a run that was killed leaves that to the next one.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::disk::disk;
use crate::domain::Failure;

/// What became of archived bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Arrived; every object has one such line.
    Received,
    /// The room took it for the statement; the reader has still to agree.
    Statement,
    /// The provider's proof of a day without movements.
    Empty,
    NotReady,
    Refused,
    /// Asked again because of it.
    Again,
    /// Quarantined: it stays, and nothing reads it.
    Rejected,
}

/// An arrival, or a mark on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexLine {
    pub account: String,
    /// `yyyy-MM-dd`
    pub date: String,
    /// `trade`, `fundflow`, `signcustomer`
    pub bill: String,
    /// Where the bytes came from, fit for a log.
    pub source: String,
    pub sha256: String,
    pub bytes: u64,
    /// False if anything on the way was plain http (loopback aside) or came from a hand.
    #[serde(default)]
    pub authenticated: bool,
    pub status: Status,
    /// Why, where the status needs one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// `yyyy-MM-dd HH:mm:ss` in UTC+8.
    pub at: String,
}

/// All before it, in one hash; and the last event of the ledger at that time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// SHA-256 of the bytes from the seal before, or from the beginning.
    pub seal: String,
    /// The last event's number; 0 if the ledger has none.
    pub event: i64,
    /// Its hash; empty if the ledger has none.
    pub hash: String,
    /// Why the ledger does not hold the events of the seals before this one; empty in good order.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub broken: String,
    /// A person had the books compared again after a break, and takes the chain as it goes on from here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// `yyyy-MM-dd HH:mm:ss` in UTC+8.
    pub at: String,
}

/// What a seal says beside the bytes that it covers.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'s> {
    /// The ledger's last event, its number and hash.
    pub head: (i64, &'s str),
    /// See [`Seal::broken`].
    pub broken: &'s str,
    /// See [`Seal::accepted`].
    pub by_hand: bool,
}

/// One line of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Arrival(IndexLine),
    Seal(Seal),
}

/// A line with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// From 1.
    pub number: u64,
    /// Bytes before it.
    pub start: usize,
    /// `None` if it is not one that this program writes.
    pub line: Option<Line>,
}

/// The whole index as it stands on the disk. A last line that was cut by a crash is left out.
#[derive(Clone, Debug, Default)]
pub struct Index {
    bytes: Vec<u8>,
    pub lines: Vec<Placed>,
}

impl Index {
    /// Reads the file; an archive without one is empty.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`](crate::domain::Exit::Storage).
    pub(super) fn read(path: &Path) -> Result<Index, Failure> {
        let mut bytes = Vec::new();
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Index::default()),
            opened => opened
                .and_then(|mut file| file.read_to_end(&mut bytes))
                .map_err(|e| disk("read", path, &e))?,
        };
        Ok(Index::of(bytes))
    }

    pub fn of(mut bytes: Vec<u8>) -> Index {
        let mut lines = Vec::new();
        let mut start = 0;
        for (number, text) in (1u64..).zip(bytes.split_inclusive(|byte| *byte == b'\n')) {
            let line = serde_json::from_slice(text).ok();
            if line.is_some() || text.ends_with(b"\n") {
                lines.push(Placed { number, start, line });
                start += text.len();
            }
        }
        bytes.truncate(start);
        Index { bytes, lines }
    }

    /// Arrivals and marks, oldest first, with their line numbers.
    pub fn arrivals(&self) -> impl DoubleEndedIterator<Item = (u64, &IndexLine)> {
        self.lines.iter().filter_map(|placed| match &placed.line {
            Some(Line::Arrival(line)) => Some((placed.number, line)),
            _ => None,
        })
    }

    /// Seals, oldest first, with their places.
    pub fn seals(&self) -> impl DoubleEndedIterator<Item = (&Placed, &Seal)> {
        self.lines.iter().filter_map(|placed| match &placed.line {
            Some(Line::Seal(seal)) => Some((placed, seal)),
            _ => None,
        })
    }

    /// Breaks of the ledger's chain, and whether a person has accepted each since.
    pub fn breaks(&self) -> impl Iterator<Item = (&Placed, &Seal, bool)> {
        let accepted = self.seals().filter(|(_, seal)| seal.accepted).map(|(placed, _)| placed.number).max();
        self.seals()
            .filter(|(_, seal)| !seal.broken.is_empty())
            .map(move |(placed, seal)| (placed, seal, accepted.is_some_and(|line| line >= placed.number)))
    }

    /// Seals whose bytes are no longer those that were sealed: the first line that it covers, and its own.
    pub fn broken_seals(&self) -> Vec<(u64, u64)> {
        let mut from = (1, 0);
        let mut broken = Vec::new();
        for (placed, seal) in self.seals() {
            if digest(&self.bytes[from.1..placed.start]) != seal.seal {
                broken.push((from.0, placed.number));
            }
            from = (placed.number, placed.start);
        }
        broken
    }

    /// The bytes before the first of these lines; all, if there is none of them.
    pub fn before(&self, lines: &[u64]) -> &[u8] {
        let first = self.lines.iter().find(|placed| lines.contains(&placed.number));
        &self.bytes[..first.map_or(self.bytes.len(), |placed| placed.start)]
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The seal for all that is not sealed yet; `None` if there is nothing new to say.
    pub(super) fn seal(&self, sealing: Sealing<'_>, at: &str) -> Option<Seal> {
        let Sealing { head: (event, hash), broken, by_hand } = sealing;
        let last = self.seals().next_back();
        let is_open = !broken.is_empty() || self.breaks().any(|(_, _, is_accepted)| !is_accepted);
        let accepted = by_hand && is_open;
        let is_sealed = last.is_some_and(|(placed, seal)| {
            (seal.event, &*seal.hash) == (event, hash) && self.lines.last() == Some(placed)
        });
        if self.lines.is_empty() || is_sealed && !accepted {
            return None;
        }
        let seal = digest(&self.bytes[last.map_or(0, |(placed, _)| placed.start)..]);
        Some(Seal { seal, event, hash: hash.into(), broken: broken.into(), accepted, at: at.into() })
    }
}

fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(account: &str) -> String {
        format!(
            "{{\"account\":\"{account}\",\"date\":\"2016-11-08\",\"bill\":\"trade\",\"source\":\"s\",\"sha256\":\"ab\",\
             \"bytes\":1,\"status\":\"received\",\"at\":\"2016-11-10 02:17:00\"}}\n"
        )
    }

    fn sealed(text: &str, event: i64) -> String {
        let sealing = Sealing { head: (event, "h"), broken: "", by_hand: false };
        sealed_with(text, sealing).expect("something new")
    }

    fn sealed_with(text: &str, sealing: Sealing<'_>) -> Option<String> {
        let seal = Index::of(text.as_bytes().to_vec()).seal(sealing, "2016-11-10 02:17:00")?;
        let line = serde_json::to_string(&Line::Seal(seal)).expect("JSON");
        Some(format!("{text}{line}\n"))
    }

    #[test]
    fn a_break_stands_until_a_person_accepts_it() {
        let head = (1, "h");
        let good = Sealing { head, broken: "", by_hand: false };
        let broken = Sealing { broken: "an older copy", ..good };
        let breaks = |text: &str| -> Vec<bool> {
            Index::of(text.as_bytes().to_vec()).breaks().map(|(_, _, is_accepted)| is_accepted).collect()
        };
        let whole = sealed(&arrival("a"), 1);
        assert_eq!(sealed_with(&whole, good), None, "nothing is new");
        assert_eq!(sealed_with(&whole, Sealing { by_hand: true, ..good }), None, "nothing to accept");
        let text = sealed_with(&(whole + &arrival("b")), broken).unwrap();
        assert_eq!(breaks(&text), [false]);
        let later = sealed_with(&(text.clone() + &arrival("c")), good).unwrap();
        assert_eq!(breaks(&later), [false], "a run goes on, and accepts nothing");
        let accepted = sealed_with(&later, Sealing { by_hand: true, ..good }).unwrap();
        assert_eq!(breaks(&accepted), [true]);
        let again = sealed_with(&(accepted.clone() + &arrival("d")), broken).unwrap();
        assert_eq!(breaks(&again), [true, false], "each break for itself");
        assert_eq!(breaks(&sealed_with(&again, Sealing { by_hand: true, ..broken }).unwrap()), [true; 3]);
        assert_eq!(Index::of(accepted.into_bytes()).broken_seals(), []);
    }

    #[test]
    fn whatever_was_changed_before_a_seal_breaks_it_and_no_other() {
        let first = sealed(&(arrival("a") + &arrival("b")), 1);
        let whole = sealed(&(first.clone() + &arrival("c") + &arrival("d")), 2) + &arrival("e");
        assert_eq!(Index::of(whole.clone().into_bytes()).broken_seals(), []);
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        for (what, without, broken) in [
            ("the first", 0, vec![(1, 2)]),
            ("before the first seal", 1, vec![(1, 2)]),
            ("the first seal", 2, vec![(1, 5)]),
            ("between the seals", 4, vec![(3, 5)]),
            ("the last seal", 5, vec![]),
            ("after the last seal", 6, vec![]),
        ] {
            let mut left = lines.clone();
            left.remove(without);
            assert_eq!(Index::of(left.concat().into_bytes()).broken_seals(), broken, "{what}");
        }
        let mut swapped = lines.clone();
        swapped.swap(0, 1);
        assert_eq!(Index::of(swapped.concat().into_bytes()).broken_seals(), [(1, 3)]);
        let again = sealed(&(arrival("b")), 1);
        let forged = again + &lines[3..].concat();
        assert_eq!(
            Index::of(forged.into_bytes()).broken_seals(),
            [(2, 5)],
            "a seal made anew breaks the next"
        );
    }

    #[test]
    fn a_copy_ends_before_the_first_seal_that_it_must_not_have() {
        let first = sealed(&arrival("a"), 1) + &arrival("b");
        let whole = sealed(&sealed(&first, 2), 3);
        let index = Index::of(whole.clone().into_bytes());
        assert_eq!(index.before(&[5, 4]), first.as_bytes());
        assert_eq!(index.before(&[]), whole.as_bytes());
    }

    #[test]
    fn lines_keep_their_numbers_whatever_stands_between_them() {
        let sealed = sealed(&arrival("b"), 0);
        let seal = sealed.lines().next_back().unwrap();
        let text = format!("{}odd\n{seal}\n{{\"account\":\"cut", arrival("a"));
        let index = Index::of(text.into_bytes());
        let found: Vec<(u64, bool)> = index.lines.iter().map(|p| (p.number, p.line.is_some())).collect();
        assert_eq!(found, [(1, true), (2, false), (3, true)]);
        assert_eq!(index.arrivals().count() + index.seals().count(), 2);
        assert!(index.bytes().ends_with(b"\n"), "what a crash cut is left out");
    }
}
