//! Money: signed 64-bit minor units and a currency. No float comes near it; what does not fit is refused.

use std::fmt;

use thiserror::Error;

/// An ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

/// Digits after the decimal point of a fee in 1/100000 of the major unit (`fee_e5`).
pub const E5_DIGITS: u32 = 5;

/// Currencies without a minor unit: `1` is one yen, and must never be scaled by 100. (ISO 4217.)
const WITHOUT_MINOR: [&[u8; 3]; 13] =
    [b"BIF", b"CLP", b"DJF", b"GNF", b"JPY", b"KMF", b"KRW", b"PYG", b"RWF", b"UGX", b"VND", b"XAF", b"XOF"];
/// Currencies whose minor unit is a thousandth. (ISO 4217.)
const WITH_THOUSANDTHS: [&[u8; 3]; 6] = [b"BHD", b"IQD", b"JOD", b"KWD", b"OMR", b"TND"];

/// Unit of `TotalFee` in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AmountUnit {
    Fen,
    Yuan,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MoneyError {
    #[error("`{text}` is not an amount (digits, then at most one dot and digits)")]
    Malformed { text: String },
    #[error("`{text}` has digits below the smallest unit")]
    TooFine { text: String },
    #[error("`{text}` is larger than any amount this program can hold")]
    TooLarge { text: String },
    #[error("`{text}` is not a currency code")]
    UnknownCurrency { text: String },
}

impl Currency {
    pub const CNY: Currency = Currency(*b"CNY");

    /// Reads a three-letter code of any case. `RMB`, which the tills and WeChat's older texts write, is `CNY`.
    pub fn parse(text: &str) -> Result<Currency, MoneyError> {
        let bytes = text.trim().as_bytes();
        let [a, b, c] = bytes else { return Err(MoneyError::UnknownCurrency { text: text.to_owned() }) };
        let code = [a.to_ascii_uppercase(), b.to_ascii_uppercase(), c.to_ascii_uppercase()];
        if !code.iter().all(u8::is_ascii_uppercase) {
            return Err(MoneyError::UnknownCurrency { text: text.to_owned() });
        }
        Ok(if &code == b"RMB" { Currency::CNY } else { Currency(code) })
    }

    /// Decimals of the currency: 2 for most, 0 for yen, 3 for dinars.
    pub fn digits(self) -> u32 {
        if WITHOUT_MINOR.contains(&&self.0) {
            0
        } else if WITH_THOUSANDTHS.contains(&&self.0) {
            3
        } else {
            2
        }
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads a decimal of major units into minor units: `38.00`, `0.1`, `-8`, `0.23000`.
///
/// Grammar: an optional `-`, one or more digits, then optionally a dot and one or more digits. Digits beyond
/// `digits` must be zeros. No plus sign, blank, thousands mark or exponent: a provider that starts to write
/// those has changed its format, and a person must look.
///
/// # Errors
///
/// [`MoneyError`], with the text as found.
pub fn parse_minor(text: &str, digits: u32) -> Result<i64, MoneyError> {
    let bytes = text.as_bytes();
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let malformed = || MoneyError::Malformed { text: shortened(text) };
    let mut value: i64 = 0;
    let mut seen = 0usize;
    let mut after_dot: Option<u32> = None;
    for &byte in unsigned {
        match byte {
            b'0'..=b'9' => match &mut after_dot {
                Some(n) if *n >= digits => {
                    if byte != b'0' {
                        return Err(MoneyError::TooFine { text: shortened(text) });
                    }
                    *n += 1;
                }
                counter => {
                    value = value
                        .checked_mul(10)
                        .and_then(|v| v.checked_add(i64::from(byte - b'0')))
                        .ok_or_else(|| MoneyError::TooLarge { text: shortened(text) })?;
                    if let Some(n) = counter {
                        *n += 1;
                    }
                }
            },
            b'.' if after_dot.is_none() && seen > 0 => after_dot = Some(0),
            _ => return Err(malformed()),
        }
        seen += 1;
    }
    if seen == 0 || after_dot == Some(0) {
        return Err(malformed());
    }
    for _ in after_dot.unwrap_or(0)..digits {
        value = value.checked_mul(10).ok_or_else(|| MoneyError::TooLarge { text: shortened(text) })?;
    }
    Ok(if negative { -value } else { value })
}

/// [`parse_minor`] of `line[start..end]`. In a bill nearly every amount has at most seven digits and exactly as many
/// decimals as the unit has; such a one is read as one word, in the same few steps whatever its length.
///
/// # Errors
///
/// As [`parse_minor`], which reads every other spelling.
#[inline(always)]
pub fn parse_minor_in(line: &str, start: usize, end: usize, digits: u32) -> Result<i64, MoneyError> {
    let usual = match digits {
        2 => usual_amount::<2>(line.as_bytes(), start, end),
        5 => usual_amount::<5>(line.as_bytes(), start, end),
        _ => None,
    };
    match usual {
        Some(minor) => Ok(minor),
        None => parse_minor(line.get(start..end).unwrap_or(""), digits),
    }
}

/// Reads an amount of at most eight bytes behind its sign, with a dot and `DIGITS` decimals. `None` means only that it is
/// spelled in another way, or that fewer than eight bytes stand before its end.
#[inline(always)]
fn usual_amount<const DIGITS: usize>(line: &[u8], start: usize, end: usize) -> Option<i64> {
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let bytes = line.get(..end)?.last_chunk::<8>()?;
    if end.wrapping_sub(start) == 4 && bytes[4..] == *b"0.00" {
        return Some(0);
    }
    let negative = *line.get(start)? == b'-';
    let length = end.wrapping_sub(start + usize::from(negative));
    if length > 8 || length < DIGITS + 2 || bytes[7 - DIGITS] != b'.' {
        return None;
    }
    // The last byte of the amount is the highest of the word. What stands before the amount becomes zeros, and the
    // digits before the dot move over it.
    let word = u64::from_le_bytes(*bytes);
    let before = 8 * (8 - length);
    let word = ((word ^ ZEROS) >> before << before) ^ ZEROS;
    let dot = 8 * (7 - DIGITS);
    let whole = word & ((1u64 << dot) - 1);
    let fraction = word >> (dot + 8) << (dot + 8);
    let minor = eight_digits((whole << 8) | u64::from(b'0') | fraction)?;
    Some(if negative { -minor } else { minor })
}

/// Reads eight ASCII digits, the first in the lowest byte: neighbours are joined to pairs, fours and eight.
#[inline(always)]
fn eight_digits(word: u64) -> Option<i64> {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let up_to_nine = word.wrapping_add(0x0606_0606_0606_0606);
    if (word & HIGH) != ZEROS || (up_to_nine & HIGH) != ZEROS {
        return None;
    }
    let pairs = (word & 0x0f0f_0f0f_0f0f_0f0f).wrapping_mul(10 * 256 + 1) >> 8;
    let fours = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 * 65536 + 1) >> 16;
    let eight = (fours & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 * 4_294_967_296 + 1) >> 32;
    i64::try_from(eight).ok()
}

/// Reads a fee: decimal major units into 1/100000 of the major unit.
pub fn parse_e5(text: &str) -> Result<i64, MoneyError> {
    parse_minor(text, E5_DIGITS)
}

/// Reads an integer of minor units as WeChat's API writes it: `3800` is 38.00.
pub fn parse_integer(text: &str) -> Result<i64, MoneyError> {
    parse_minor(text, 0)
}

/// Writes minor units as a decimal of major units with the currency's decimals, without a thousands mark.
pub fn major(minor: i64, digits: u32) -> String {
    let scale = 10u64.pow(digits);
    let sign = if minor < 0 { "-" } else { "" };
    let size = minor.unsigned_abs();
    if digits == 0 {
        format!("{sign}{size}")
    } else {
        format!("{sign}{}.{:0width$}", size / scale, size % scale, width = digits as usize)
    }
}

/// A text as it may stand in a message: a 100 MB "amount" must not become a 100 MB log line.
fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 40;
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_that_are_amounts() {
        for (text, minor) in [
            ("0", 0),
            ("0.0", 0),
            ("0.00000", 0),
            ("38", 3800),
            ("38.0", 3800),
            ("38.00", 3800),
            ("-0.05", -5),
            ("0.10", 10),
            ("-8.00", -800),
            ("1000.99", 100_099),
            ("00.01", 1),
            ("92233720368547758.07", i64::MAX),
        ] {
            assert_eq!(parse_minor(text, 2), Ok(minor), "{text}");
        }
        assert_eq!(parse_e5("0.23000"), Ok(23_000));
        assert_eq!(parse_e5("-0.42600"), Ok(-42_600));
        assert_eq!(parse_minor("18000", 0), Ok(18_000));
        assert_eq!(parse_minor("18000.00", 0), Ok(18_000));
    }

    #[test]
    fn what_is_not_an_amount_is_refused_and_never_rounded() {
        for text in [
            "",
            "-",
            ".",
            ".5",
            "5.",
            "+1",
            " 1",
            "1 ",
            "1,234.50",
            "1e3",
            "NaN",
            "１２.００",
            "1.2.3",
            "--1",
            "0x10",
            "1-",
        ] {
            assert!(matches!(parse_minor(text, 2), Err(MoneyError::Malformed { .. })), "{text}");
        }
        assert!(matches!(parse_minor("9.005", 2), Err(MoneyError::TooFine { .. })));
        assert!(matches!(parse_minor("0.1", 0), Err(MoneyError::TooFine { .. })));
        assert!(matches!(parse_minor("92233720368547758.08", 2), Err(MoneyError::TooLarge { .. })));
        assert!(matches!(parse_minor("99999999999999999999", 2), Err(MoneyError::TooLarge { .. })));
    }

    #[test]
    fn an_amount_inside_a_line_is_read_as_it_is_alone() {
        let parts = ["0", "1", "9", "12", "00", ".", ".", "-", "x", ":", "/", "１", " "];
        let mut random = 12_345u64;
        let mut usual = 0;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..random % 8 {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(parts[(random >> 33) as usize % parts.len()]);
            }
            random = random.wrapping_add(0x9e37_79b9_7f4a_7c15).rotate_left(7);
            for before in ["", "99999999", "豆,`"] {
                let line = format!("{before}{text},`7");
                let end = before.len() + text.len();
                for digits in [0, 2, 3, 5] {
                    let alone = parse_minor(&text, digits);
                    usual += i32::from(usual_amount::<2>(line.as_bytes(), before.len(), end).is_some());
                    assert_eq!(parse_minor_in(&line, before.len(), end, digits), alone, "{line} {digits}");
                }
            }
        }
        assert!(usual > 300, "the short way was taken {usual} times");
    }

    #[test]
    fn what_is_written_is_what_was_read() {
        for minor in [0, 1, -1, 5, -5, 10, 99, 100, -100, 123_456, -123_456, i64::MAX, i64::MIN + 1] {
            for digits in [0, 2, 3, 5] {
                assert_eq!(parse_minor(&major(minor, digits), digits), Ok(minor));
            }
        }
        assert_eq!(major(-5, 2), "-0.05");
    }

    #[test]
    fn currencies() {
        assert_eq!(Currency::parse("rmb"), Ok(Currency::CNY));
        assert_eq!(Currency::parse("JPY").map(Currency::digits), Ok(0));
        assert_eq!(Currency::parse("KWD").map(Currency::digits), Ok(3));
        for bad in ["", "CN", "CNYX", "人民币", "C1Y"] {
            assert!(Currency::parse(bad).is_err(), "{bad}");
        }
    }
}
