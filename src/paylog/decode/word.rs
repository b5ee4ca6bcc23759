//! Looking for bytes eight at a time, without `unsafe`: most texts here are a word or two long, too short for a
//! search that must be set up first.

/// What is looked for: two bytes, and every byte below a limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stops {
    pub first: u8,
    pub second: u8,
    pub below: u8,
}

/// What ends a JSON text in double quotes, or interrupts it.
pub(super) const IN_QUOTES: Stops = Stops { first: b'"', second: b'\\', below: b' ' };
pub(super) const IN_APOSTROPHES: Stops = Stops { first: b'\'', ..IN_QUOTES };
/// What ends the name of an XML element.
pub(super) const IN_NAME: Stops = Stops { first: b'>', second: b'/', below: b' ' + 1 };

/// What stops at one byte only.
pub(super) const fn only(byte: u8) -> Stops {
    Stops { first: byte, second: byte, below: 0 }
}

impl Stops {
    #[inline]
    fn has(self, byte: u8) -> bool {
        byte == self.first || byte == self.second || byte < self.below
    }

    /// Index of the first such byte from `at` on; the length if there is none.
    #[inline]
    pub(super) fn find(self, bytes: &[u8], mut at: usize) -> usize {
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
            if let Some(place) = self.find_in_block(chunk) {
                return at + place;
            }
            at += BLOCK;
        }
        bytes
            .get(at..)
            .and_then(|rest| rest.iter().position(|b| self.has(*b)))
            .map_or(bytes.len(), |n| at + n)
    }

    #[inline]
    fn find_in_block(self, block: &[u8; BLOCK]) -> Option<usize> {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = 0x8080_8080_8080_8080;
        let word = u64::from_le_bytes(*block);
        // A byte of the difference is zero where they are equal; subtracting one then borrows into its high bit. Bits
        // above the lowest hit may be wrong, so only that one is used.
        let equal = |byte: u8| {
            let difference = word ^ (ONES * u64::from(byte));
            difference.wrapping_sub(ONES) & !difference
        };
        let below = word.wrapping_sub(ONES * u64::from(self.below)) & !word;
        let hits = (equal(self.first) | equal(self.second) | below) & HIGHS;
        (hits != 0).then(|| (hits.trailing_zeros() / 8) as usize)
    }
}

/// Bytes of a word.
const BLOCK: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stop_at_every_place() {
        for length in 0..50 {
            for place in 0..length {
                for byte in [b'"', b'\\', 0x1f, 0] {
                    let mut bytes = vec![b'a'; length];
                    bytes[place] = byte;
                    assert_eq!(IN_QUOTES.find(&bytes, 0), place, "{byte} at {place} of {length}");
                    assert_eq!(only(byte).find(&bytes, 0), place);
                    assert_eq!(IN_QUOTES.find(&bytes, place + 1), length);
                    bytes[place..].fill(byte);
                    assert_eq!(IN_QUOTES.find(&bytes, 0), place, "the first of several");
                }
            }
            for harmless in [0xe4, b' ', b'!', b'#', 0x80, 0xff] {
                assert_eq!(IN_QUOTES.find(&vec![harmless; length], 0), length);
                assert_eq!(only(b'<').find(&vec![harmless; length], 0), length);
            }
        }
        assert_eq!(IN_NAME.find(b"return_code a=\"b\">", 0), 11);
        assert_eq!(IN_NAME.find(b"return_code>", 0), 11);
        assert_eq!(only(b'x').find(b"abc", 7), 3, "beyond the end");
    }
}
