//! Finding a field by its name (R-D8): lower-case, without `_`, so that `trade_no`, `TradeNo` and `tradeno` are one.
//!
//! Nearly every name stands as its provider writes it, and is found by three of its letters; only names that might
//! be another spelling are normalised. Nothing is allocated.

/// Places in the table of names; a few times as many as names, so that few share one.
const PLACES: usize = 256;

/// A fixed list of names.
pub(in crate::paylog) struct Index<const COUNT: usize> {
    names: [&'static str; COUNT],
    /// By three letters: the place of a name in the list, plus one.
    by_letters: [u8; PLACES],
    /// By first letter and count of letters: the letters that such names end in, one bit for each.
    outline: [[u32; 32]; 32],
}

impl<const COUNT: usize> Index<COUNT> {
    pub(crate) const fn new(names: [&'static str; COUNT]) -> Index<COUNT> {
        assert!(COUNT < 255, "a place fits a byte");
        let mut by_letters = [0; PLACES];
        let mut outline = [[0; 32]; 32];
        let mut place = 0;
        while place < COUNT {
            let bytes = names[place].as_bytes();
            // Names that share a place stand after each other.
            let mut free = letters(bytes);
            while by_letters[free] > 0 {
                free = (free + 1) % PLACES;
            }
            #[expect(clippy::cast_possible_truncation, reason = "COUNT is below 255")]
            let number = place as u8 + 1;
            by_letters[free] = number;
            let length = letters_in(bytes);
            assert!(length < 32, "a name has fewer than 32 letters");
            outline[(bytes[0] & 31) as usize][length] |= 1 << (bytes[bytes.len() - 1] & 31);
            place += 1;
        }
        Index { names, by_letters, outline }
    }

    /// The place of a name in the list.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let (first, last) = (name.as_bytes().first()?, name.as_bytes().last()?);
        let mut at = letters(name.as_bytes());
        // Ends at a free place: there are more places than names.
        while let Some(place) = usize::from(self.by_letters[at]).checked_sub(1) {
            if self.names[place] == name {
                return Some(place);
            }
            at = (at + 1) % PLACES;
        }
        let ends = self.outline[usize::from(first & 31)].get(letters_in(name.as_bytes()))?;
        if ends >> (last & 31) & 1 == 1 { self.find_normalised(name) } else { None }
    }

    #[cold]
    fn find_normalised(&self, name: &str) -> Option<usize> {
        let first = |name: &str| name.as_bytes().first().map(|b| b & 31);
        self.names.iter().position(|known| first(known) == first(name) && same_name(known, name))
    }
}

/// A number below `PLACES` from the length and three letters of a name.
#[inline]
const fn letters(bytes: &[u8]) -> usize {
    let length = bytes.len();
    let (first, middle, last) = (bytes[0] as usize, bytes[length / 2] as usize, bytes[length - 1] as usize);
    (first * 5 + middle * 11 + last * 23 + length * 7) % PLACES
}

const fn letters_in(bytes: &[u8]) -> usize {
    let mut letters = 0;
    let mut at = 0;
    while at < bytes.len() {
        letters += (bytes[at] != b'_') as usize;
        at += 1;
    }
    letters
}

fn normalised(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(|b| *b != b'_').map(|b| b.to_ascii_lowercase())
}

/// Whether two names are the same name.
pub(in crate::paylog) fn same_name(name: &str, other: &str) -> bool {
    normalised(name).eq(normalised(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["trade_no", "OutID", "out_trade_no", "code"];
    const INDEX: Index<4> = Index::new(NAMES);

    #[test]
    fn names_of_one_field() {
        for (name, found) in [
            ("trade_no", Some(0)),
            ("TradeNo", Some(0)),
            ("TRADENO", Some(0)),
            ("t_rade__no", Some(0)),
            ("OutID", Some(1)),
            ("out_id", Some(1)),
            ("OUTID", Some(1)),
            ("out_trade_no", Some(2)),
            ("OutTradeNo", Some(2)),
            ("Code", Some(3)),
            ("sign", None),
            ("trade_not", None),
            ("codes", None),
            ("", None),
            ("_", None),
            ("交易号", None),
        ] {
            assert_eq!(INDEX.find(name), found, "{name}");
        }
        assert!(same_name("settlement_Total_fee", "settlementtotalfee") && !same_name("a", "ab"));
    }
}
