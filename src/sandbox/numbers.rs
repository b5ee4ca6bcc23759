//! Numbers of orders, transactions, refunds and buyers: derived from the seed and the story's place, never stored.
//!
//! Shapes: OutID `spec/ttpay.md` R064; `transaction_id` 28 digits, `refund_id` 29 (`spec/wechat.md` 1.10); Alipay's
//! `trade_no` 28 digits beginning with the date (`spec/alipay.md` 2.3).

use super::calendar::Calendar;

/// `EB_OUTID_SEQUENCE` at the beginning of the simulated days. Eight digits throughout, so that milliseconds without
/// padding and the sequence can never run together into the same number twice.
const SEQUENCE_START: u64 = 10_033_761;

/// A well-mixed number from the seed, a place and a purpose (splitmix64).
pub(super) fn mix(seed: u64, place: u64, purpose: u64) -> u64 {
    let mut z = seed
        .wrapping_add(place.wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(purpose.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Appends an order number: `yyMMddHHmmss`, milliseconds without padding, sequence.
pub(super) fn push_order_no(out: &mut String, calendar: &Calendar, at: i32, ms: u16, story: u32) {
    calendar.push_short_time(out, at);
    push_padded(out, u64::from(ms), 1);
    push_padded(out, SEQUENCE_START + u64::from(story), 8);
}

/// Appends our number of a refund.
pub(super) fn push_refund_no(out: &mut String, calendar: &Calendar, at: i32, story: u32, part: u8) {
    out.push('R');
    calendar.push_short_time(out, at);
    push_padded(out, SEQUENCE_START + u64::from(story), 8);
    push_padded(out, u64::from(part), 1);
}

/// Appends WeChat's number of a payment. The second transaction of a double payment sorts after the first.
pub(super) fn push_wechat_trade_no(out: &mut String, date: &str, story: u32, second: bool) {
    out.push_str("4200002120");
    out.push_str(date);
    push_padded(out, tail(story) + if second { HALF } else { 0 }, 10);
}

/// Appends WeChat's number of a refund.
pub(super) fn push_wechat_refund_id(out: &mut String, date: &str, story: u32, part: u8) {
    out.push_str("5030000823");
    out.push_str(date);
    push_padded(out, tail(story) * 10 + u64::from(part % 10), 11);
}

/// Appends WeChat's number of a movement of money.
pub(super) fn push_wechat_flow_no(out: &mut String, date: &str, place: u64) {
    out.push_str("4200001980");
    out.push_str(date);
    push_padded(out, place, 14);
}

/// Appends Alipay's number of a trade.
pub(super) fn push_alipay_trade_no(out: &mut String, date: &str, story: u32, second: bool) {
    out.push_str(date);
    out.push_str("2200140001");
    push_padded(out, tail(story) + if second { HALF } else { 0 }, 10);
}

const HALF: u64 = 5_000_000_000;

/// A scrambled but unique number below [`HALF`]: the factor shares no divisor with it.
fn tail(story: u32) -> u64 {
    u64::from(story).wrapping_mul(2_654_435_761).wrapping_add(1_442_695_041) % HALF
}

/// The story that an order number is of, if it is one.
pub(super) fn story_of_order_no(order_no: &str) -> Option<u32> {
    let sequence: u64 = order_no.get(order_no.len().checked_sub(8)?..)?.parse().ok()?;
    u32::try_from(sequence.checked_sub(SEQUENCE_START)?).ok()
}

/// The story among the first `stories` that a provider's number is of.
pub(super) fn story_of_trade_no(trade_no: &str, stories: usize) -> Option<u32> {
    let end: u64 = trade_no.get(trade_no.len().checked_sub(10)?..)?.parse().ok()?;
    (0..u32::try_from(stories).ok()?).find(|&story| tail(story) == end % HALF)
}

/// Appends a number in the digits of an alphabet of 32, `count` of them.
pub(super) fn write_letters(out: &mut String, alphabet: &str, number: u64, count: u32) {
    for place in (0..count).rev() {
        let digit = usize::try_from(number >> (5 * place) & 31).unwrap_or(0);
        out.push(char::from(alphabet.as_bytes()[digit]));
    }
}

/// The number that [`write_letters`] wrote; at most twelve letters.
pub(super) fn read_letters(text: &str, alphabet: &str) -> Option<u64> {
    let mut number = 0;
    for letter in text.chars().take(12) {
        number = number << 5 | u64::try_from(alphabet.find(letter)?).ok()?;
    }
    Some(number)
}

/// Appends a number with zeros in front up to a width.
pub(super) fn push_padded(out: &mut String, number: u64, width: usize) {
    // The largest number has twenty digits; so has the widest field.
    let mut digits = [b'0'; 20];
    let (mut first, mut rest) = (digits.len(), number);
    while first > 0 && (rest > 0 || digits.len() - first < width.max(1)) {
        first -= 1;
        digits[first] = DIGITS[usize::try_from(rest % 10).unwrap_or(0)];
        rest /= 10;
    }
    out.push_str(std::str::from_utf8(&digits[first..]).unwrap_or(""));
}

pub(super) fn push_integer(out: &mut String, number: i64) {
    if number < 0 {
        out.push('-');
    }
    push_padded(out, number.unsigned_abs(), 1);
}

/// Appends fen as yuan: `38.00`, `-0.05`.
pub(super) fn push_yuan(out: &mut String, fen: i64) {
    if fen < 0 {
        out.push('-');
    }
    let size = fen.unsigned_abs();
    push_padded(out, size / 100, 1);
    out.push('.');
    push_padded(out, size % 100, 2);
}

/// Appends `count` letters of an alphabet of 16 or 64.
pub(super) fn push_letters(out: &mut String, alphabet: &str, count: u32, seed: u64) {
    let letters = alphabet.as_bytes();
    let bits = letters.len().trailing_zeros();
    let (mut state, mut left) = (0, 0);
    for turn in 0..count {
        if left < bits {
            state = mix(seed, u64::from(turn), 77);
            left = u64::BITS;
        }
        let index = usize::try_from(state).unwrap_or(usize::MAX) & (letters.len() - 1);
        out.push(char::from(letters[index]));
        state >>= bits;
        left -= bits;
    }
}

/// Letters of nonces and openids.
pub(super) const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
pub(super) const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub(super) const HEX_UPPER: &str = "0123456789ABCDEF";
/// Letters of masked names.
pub(super) const NAME_LETTERS: &str = "abcdefghjklmnpqr";
const DIGITS: &[u8; 10] = b"0123456789";
/// Ten to the twelfth and sixteenth: for numbers of that many digits.
pub(super) const E12: u64 = 1_000_000_000_000;
pub(super) const E16: u64 = 10_000_000_000_000_000;

/// Fee of an amount in fen: rounded half up to the fen (`spec/wechat.md` 1.8).
pub(super) fn fee_fen(base_fen: i64, rate_e4: i64) -> i64 {
    (base_fen * rate_e4 + 5_000) / 10_000
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn fees_as_seen_in_real_bills() {
        for (base, rate, fee) in [(3250, 60, 20), (300, 60, 2), (100_000, 60, 600), (1, 90, 0)] {
            assert_eq!(fee_fen(base, rate), fee, "{base} at {rate}");
        }
    }

    #[test]
    fn transaction_numbers_never_repeat() {
        let tails: HashSet<u64> = (0..300_000).map(tail).collect();
        assert_eq!(tails.len(), 300_000);
        assert!(tails.iter().all(|t| *t < HALF));
    }

    #[test]
    fn numbers_have_their_providers_length() {
        let mut out = String::new();
        push_wechat_trade_no(&mut out, "20240307", 7, true);
        assert_eq!(out.len(), 28);
        out.clear();
        push_wechat_refund_id(&mut out, "20240307", u32::MAX, 9);
        assert_eq!(out.len(), 29);
        out.clear();
        push_alipay_trade_no(&mut out, "20240307", 7, false);
        assert_eq!(out.len(), 28);
        out.clear();
        for (number, width) in [(0, 1), (0, 3), (7, 2), (1234, 2), (u64::MAX, 1)] {
            push_padded(&mut out, number, width);
            assert_eq!(out, format!("{number:0width$}"));
            out.clear();
        }
        push_letters(&mut out, HEX_UPPER, 40, 3);
        assert!(out.len() == 40 && out.bytes().all(|b| b.is_ascii_hexdigit()));
        out.clear();
        push_yuan(&mut out, -5);
        assert_eq!(out, "-0.05");
    }
}
