//! Currencies of the simulated orders. Overseas accounts price in Hong Kong dollars, some of them in yen too; their
//! buyers pay in yuan (`spec/wechat.md` 4). Amounts of a story are minor units of its currency: for yen, yen.

use super::fault::Fault;
use super::numbers::{push_integer, push_yuan};
use super::town::{Family, SimAccount};

/// The currency that an order is priced in.
pub(super) fn priced(account: &SimAccount, index: u32) -> &'static str {
    match account.family() {
        // Files with English titles state one total for all rows, so they are of one currency.
        Family::WechatOverseas if account.api_key.is_empty() && index.is_multiple_of(5) => "JPY",
        Family::WechatOverseas => "HKD",
        _ => "CNY",
    }
}

/// The same as the statement has it: a planted fault puts another, with as many decimals.
pub(super) fn billed(account: &SimAccount, index: u32, fault: Option<Fault>) -> &'static str {
    match (priced(account, index), fault == Some(Fault::Currency)) {
        (currency, false) => currency,
        ("JPY", true) => "KRW",
        ("HKD", true) => "USD",
        (_, true) => "HKD",
    }
}

fn has_no_minor_unit(currency: &str) -> bool {
    ["JPY", "KRW"].contains(&currency)
}

/// Appends an amount in the major unit: `38.00` dollars, `38` yen.
pub(super) fn push_major(out: &mut String, minor: i64, currency: &str) {
    if has_no_minor_unit(currency) { push_integer(out, minor) } else { push_yuan(out, minor) }
}

/// Appends a fee with five decimals, of which those below the minor unit are zeros.
pub(super) fn push_fee(out: &mut String, minor: i64, currency: &str) {
    push_major(out, minor, currency);
    out.push_str(if has_no_minor_unit(currency) { ".00000" } else { "000" });
}

/// Yuan for one major unit, as the file writes it.
pub(super) fn rate(currency: &str) -> &'static str {
    if has_no_minor_unit(currency) { "0.0472" } else { "0.92" }
}

/// What the buyer pays, in fen.
pub(super) fn in_fen(minor: i64, currency: &str) -> i64 {
    if has_no_minor_unit(currency) { minor * 472 / 100 } else { minor * 92 / 100 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yen_are_never_scaled() {
        let written = |minor, currency: &str| {
            let mut out = String::new();
            push_major(&mut out, minor, currency);
            out.push(' ');
            push_fee(&mut out, minor, currency);
            out
        };
        assert_eq!(written(3800, "JPY"), "3800 3800.00000");
        assert_eq!(written(-3805, "HKD"), "-38.05 -38.05000");
        assert_eq!((in_fen(1_000, "JPY"), in_fen(1_000, "HKD")), (4_720, 920));
    }
}
