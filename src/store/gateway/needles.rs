//! Many keys looked for in much text at once: is any of these order numbers somewhere in this message?
//!
//! A key is looked for as it stands and as it looks inside base64, at each of the three places a byte can have there
//! (the gateway can log its messages in base64). It answers "perhaps this order", never "this order": what a message
//! means is decided by `paylog`.
//!
//! # Why
//!
//! A month of log is tens of gigabytes, and a night asks for thousands of keys. Every key of at least eight bytes
//! shows eight bytes of itself at one of every `stride` places of the text, so only those places are looked at; the
//! time does not grow with the number of keys.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem::Finder;

/// Bytes looked at in one place.
const BLOCK: usize = 8;
/// Shorter keys are not looked for inside base64: three of their characters say too little.
const BASE64_KEY_MIN: usize = 6;
/// Most bits of the filter: two megabytes, which stay in the cache.
const FILTER_BITS_MAX: usize = 1 << 24;

/// A set of keys to be looked for.
pub(super) struct Needles {
    long: HashSet<Vec<u8>>,
    short: Vec<Finder<'static>>,
    stride: usize,
    filter: Vec<u64>,
    /// For each block: where in a needle it stands, and how long that needle is.
    places: HashMap<u64, Vec<(usize, usize)>>,
}

impl Needles {
    pub(super) fn new<'k>(keys: impl IntoIterator<Item = &'k str>) -> Needles {
        let mut all: HashSet<Vec<u8>> = HashSet::new();
        for key in keys.into_iter().filter(|key| !key.is_empty()) {
            if key.len() >= BASE64_KEY_MIN {
                all.extend((0..3).map(|before| inside_base64(key.as_bytes(), before)));
            }
            all.insert(key.as_bytes().to_vec());
        }
        let (long, short): (HashSet<_>, HashSet<_>) = all.into_iter().partition(|n| n.len() >= BLOCK);
        let stride = long.iter().map(|n| n.len() - BLOCK + 1).min().unwrap_or(1);
        let bits = (long.len() * stride * 16).next_power_of_two().clamp(1 << 12, FILTER_BITS_MAX);
        let mut needles = Needles {
            long: HashSet::new(),
            short: short.iter().map(|n| Finder::new(n).into_owned()).collect(),
            stride,
            filter: vec![0; bits / 64],
            places: HashMap::new(),
        };
        for needle in &long {
            needles.add_places(needle);
        }
        needles.long = long;
        needles
    }

    fn add_places(&mut self, needle: &[u8]) {
        for offset in 0..self.stride {
            let block = block_at(needle, offset);
            let (word, bit) = self.filter_place(block);
            self.filter[word] |= bit;
            let places = self.places.entry(block).or_default();
            if !places.contains(&(offset, needle.len())) {
                places.push((offset, needle.len()));
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.long.is_empty() && self.short.is_empty()
    }

    /// Whether any key stands somewhere in `text`.
    pub(super) fn any_in(&self, text: &[u8]) -> bool {
        self.any_long_in(text) || self.short.iter().any(|finder| finder.find(text).is_some())
    }

    fn any_long_in(&self, text: &[u8]) -> bool {
        if self.long.is_empty() || text.len() < BLOCK {
            return false;
        }
        (0..=text.len() - BLOCK).step_by(self.stride).any(|at| {
            let block = block_at(text, at);
            let (word, bit) = self.filter_place(block);
            self.filter[word] & bit != 0 && self.stands_at(text, at, block)
        })
    }

    fn stands_at(&self, text: &[u8], at: usize, block: u64) -> bool {
        self.places.get(&block).is_some_and(|places| {
            places.iter().any(|(offset, length)| {
                let found = at.checked_sub(*offset).and_then(|start| text.get(start..start + length));
                found.is_some_and(|found| self.long.contains(found))
            })
        })
    }

    fn filter_place(&self, block: u64) -> (usize, u64) {
        let hash = block.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let bits = self.filter.len() as u64 * 64;
        let place = hash % bits;
        (usize::try_from(place / 64).expect("a place in the filter"), 1 << (place % 64))
    }
}

fn block_at(text: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(text[at..at + BLOCK].try_into().expect("eight bytes"))
}

/// The characters that a key surely becomes in base64, if the bytes before it leave `before` over from a group of
/// three. The characters at its edges also depend on its neighbours and are left out.
fn inside_base64(key: &[u8], before: usize) -> Vec<u8> {
    let padded = [&[0; 2][..before], key].concat();
    let text = STANDARD_NO_PAD.encode(&padded);
    let first = (before * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    text.as_bytes()[first..last].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_wherever_it_stands_and_whatever_else_is_asked() {
        let keys = [
            "16110809335991735129",
            "1611080933",
            "A1",
            "161108093359917351299999",
            "订单一二三四",
            "exactly8",
        ];
        let needles = Needles::new(keys);
        for key in keys {
            for before in 0..40 {
                for after in [0, 1, 7, 20] {
                    let text = [&"-".repeat(before), key, &"=".repeat(after)].concat();
                    assert!(needles.any_in(text.as_bytes()), "{text}");
                }
            }
        }
        for text in ["", "1", "161108093", "exactly", "16110809-33599173512", "xyz ".repeat(50).as_str()] {
            assert!(!needles.any_in(text.as_bytes()), "{text}");
        }
        assert!(Needles::new([""]).is_empty());
        assert!(!Needles::new([]).any_in(b"anything"));
    }

    #[test]
    fn a_key_is_found_inside_base64_at_each_of_three_places() {
        let needles = Needles::new(["16110809335991735129"]);
        for before in 0..12 {
            let message = format!("{}{{\"OutID\":\"16110809335991735129\"}}", "x".repeat(before));
            let coded = base64::engine::general_purpose::STANDARD.encode(&message);
            assert!(needles.any_in(coded.as_bytes()), "{coded}");
            let other = base64::engine::general_purpose::STANDARD.encode(message.replace("33599", "33598"));
            assert!(!needles.any_in(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn it_finds_what_a_plain_search_finds() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..300 {
            let digits =
                |random: &mut fastrand::Rng, n| (0..n).map(|_| random.char('0'..='2')).collect::<String>();
            let keys: Vec<String> = (0..random.usize(1..6))
                .map(|_| {
                    let n = random.usize(8..14);
                    digits(&mut random, n)
                })
                .collect();
            let text = digits(&mut random, 3_000);
            let expected = keys.iter().any(|key| text.contains(key.as_str()));
            assert_eq!(
                Needles::new(keys.iter().map(String::as_str)).any_in(text.as_bytes()),
                expected,
                "{keys:?}"
            );
        }
    }
}
