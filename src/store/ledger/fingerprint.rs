//! What a unit's commit keeps of its logged orders and of its section, because no archive can prove them later: the log
//! itself is purged one day.
//!
//! # Where a changed row is
//!
//! A hash says that something was changed, not what. Beside it stand two sums over the rows' short hashes `h`, modulo a
//! prime: Σ h and Σ n·h, with `n` the row's number. If one row was changed, the second sum is off by `n` times as much
//! as the first, so their quotient is its number. (If several were, the quotient is no number of a row, or one that is
//! no worse than any other.)

use std::{fmt, io};

use sha2::{Digest, Sha256};

use super::canonical::{field, text_field};
use super::records::UnitKey;
use super::rows::Rows;
use crate::store::value::Value;

/// 2^61 - 1.
const PRIME: u128 = (1 << 61) - 1;

/// Of a unit's logged orders, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    sha256: String,
    rows: u64,
    sum: u64,
    weighted: u64,
}

/// `sha256 rows sum weighted`, as `unit.orders_hash` has it.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:x} {:x}", self.sha256, self.rows, self.sum, self.weighted)
    }
}

impl Fingerprint {
    pub(super) fn parse(text: &str) -> Option<Fingerprint> {
        let mut parts = text.split(' ');
        Some(Fingerprint {
            sha256: parts.next()?.to_owned(),
            rows: parts.next()?.parse().ok()?,
            sum: u64::from_str_radix(parts.next()?, 16).ok()?,
            weighted: u64::from_str_radix(parts.next()?, 16).ok()?,
        })
    }

    /// Of rows as they are written.
    pub(super) fn of(key: &UnitKey, rows: &Rows) -> io::Result<Fingerprint> {
        let mut printer = Printer::default();
        rows.each(key, 0, |_, [_, values @ ..]| {
            printer.row(values);
            io::Result::Ok(())
        })?;
        Ok(printer.finish())
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The number of the one row, from 1, in which `found` differs.
    pub(super) fn changed_row(&self, found: &Fingerprint) -> Option<u64> {
        let off = |kept: u64, found: u64| (PRIME + u128::from(found) - u128::from(kept)) % PRIME;
        let (sum, weighted) = (off(self.sum, found.sum), off(self.weighted, found.weighted));
        if self.rows != found.rows || sum == 0 {
            return None;
        }
        // By Fermat: x^(p-2) is the inverse of x.
        let row = weighted * power(sum, PRIME - 2) % PRIME;
        u64::try_from(row).ok().filter(|row| (1..=self.rows).contains(row))
    }
}

fn power(mut base: u128, mut exponent: u128) -> u128 {
    let mut result = 1;
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * base % PRIME;
        }
        base = base * base % PRIME;
        exponent >>= 1;
    }
    result
}

/// Makes a fingerprint, row by row.
#[derive(Default)]
pub(super) struct Printer {
    hash: Sha256,
    text: Vec<u8>,
    rows: u64,
    sum: u128,
    weighted: u128,
}

impl Printer {
    /// The columns of `logged_order` in their order, without the id.
    pub(super) fn row(&mut self, values: &[Value<'_>]) {
        self.text.clear();
        for value in values {
            match value {
                Value::Null => field(&mut self.text, None),
                Value::Integer(number) => field(&mut self.text, Some(*number)),
                Value::Text(text) => text_field(&mut self.text, text),
            }
        }
        self.text.push(b'\n');
        self.hash.update(&self.text);
        let short = u128::from(fnv(&self.text)) % PRIME;
        self.rows += 1;
        self.sum = (self.sum + short) % PRIME;
        self.weighted = (self.weighted + short * (u128::from(self.rows) % PRIME)) % PRIME;
    }

    pub(super) fn finish(self) -> Fingerprint {
        let small = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
        Fingerprint {
            sha256: hex::encode(self.hash.finalize()),
            rows: self.rows,
            sum: small(self.sum),
            weighted: small(self.weighted),
        }
    }
}

/// FNV-1a: short and quick; what is proven is proven by the SHA-256.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// SHA-256 of a section's text.
pub(super) fn hash_of_section(section: &str) -> String {
    hex::encode(Sha256::digest(section.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(rows: &[(i64, &str)]) -> Fingerprint {
        let mut printer = Printer::default();
        rows.iter().for_each(|(n, text)| printer.row(&[Value::Integer(*n), Value::Text(text.as_bytes())]));
        printer.finish()
    }

    #[test]
    fn the_one_row_that_was_changed_is_found() {
        let rows: Vec<(i64, String)> = (0..1000).map(|n| (n * 7, format!("order {n}"))).collect();
        let rows: Vec<(i64, &str)> = rows.iter().map(|(n, text)| (*n, text.as_str())).collect();
        let kept = print(&rows);
        assert_eq!(kept.changed_row(&kept), None);
        for place in [0, 1, 499, 999] {
            for (amount, text) in [(1, "x"), (-1, rows[place].1), (rows[place].0, "")] {
                let mut changed = rows.clone();
                changed[place] = (amount, text);
                let found = print(&changed);
                assert_ne!(found.sha256, kept.sha256);
                assert_eq!(kept.changed_row(&found), Some(place as u64 + 1), "row {place}");
            }
        }
        let mut two = rows.clone();
        (two[3], two[700]) = ((1, "a"), (2, "b"));
        assert_eq!(kept.changed_row(&print(&two)), None, "no row is blamed for two");
        assert_eq!(kept.changed_row(&print(&rows[1..])), None, "nor for one that is gone");
    }

    #[test]
    fn it_is_kept_as_a_text_that_fits_a_key() {
        let print = print(&[(i64::MIN, "x"), (i64::MAX, "y")]);
        let text = Fingerprint { rows: u64::from(u32::MAX), ..print }.to_string();
        assert!(text.len() <= 128, "{text}");
        assert_eq!(Fingerprint::parse(&text).map(|print| print.to_string()), Some(text));
        assert_eq!(Fingerprint::parse("abc"), None);
    }
}
