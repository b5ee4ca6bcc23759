//! Key normalisation (R-D8): lower-case, without `_`, packed into one number so that finding a field is a switch.

/// A normalised key of at most 16 bytes.
pub(in crate::paylog) type Key = u128;

/// What a longer key becomes; such keys are compared with [`same_name`].
pub(in crate::paylog) const LONG: Key = Key::MAX;

const KEY_MAX: usize = 16;

/// The key of a name that is already normalised; for tables, at compile time.
pub(in crate::paylog) const fn pack(name: &str) -> Key {
    let bytes = name.as_bytes();
    assert!(bytes.len() <= KEY_MAX, "a longer key is compared with same_name");
    let mut packed = [0; KEY_MAX];
    let mut at = 0;
    while at < bytes.len() {
        packed[at] = bytes[at];
        at += 1;
    }
    Key::from_le_bytes(packed)
}

/// The key of a name as it stands in a message.
#[inline]
pub(in crate::paylog) fn key_of(name: &str) -> Key {
    let mut packed = [0; KEY_MAX];
    let mut length = 0;
    for &byte in name.as_bytes() {
        if byte == b'_' {
            continue;
        }
        let Some(place) = packed.get_mut(length) else { return LONG };
        *place = byte.to_ascii_lowercase();
        length += 1;
    }
    Key::from_le_bytes(packed)
}

/// Whether `name` normalises to `wanted`, which is normalised already.
pub(in crate::paylog) fn same_name(name: &str, wanted: &str) -> bool {
    name.bytes().filter(|b| *b != b'_').map(|b| b.to_ascii_lowercase()).eq(wanted.bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_field() {
        for name in ["trade_no", "TradeNo", "TRADENO", "tradeno", "_trade__no_"] {
            assert_eq!(key_of(name), pack("tradeno"), "{name}");
            assert!(same_name(name, "tradeno"), "{name}");
        }
        assert_ne!(key_of("trade_no_"), key_of("out_trade_no"));
        assert_eq!(key_of("buyer_pay_amount"), pack("buyerpayamount"));
        assert_eq!(key_of("settlement_total_fee"), LONG);
        assert_ne!(key_of("tradeno"), key_of("tradenos"));
    }
}
