//! Which wallet a buyer paid with, where REQ_TYPE does not tell: TianTa must be asked by it.
//!
//! Sources: `spec/ttpay.md` B.2.2 (payment codes) and R106 (the two names).

/// A wallet, as far as it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Wallet {
    #[default]
    Unknown,
    Wechat,
    Alipay,
}

impl Wallet {
    /// The name that TianTa asks for; empty if unknown.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Wallet::Unknown => "",
            Wallet::Wechat => "WECHAT",
            Wallet::Alipay => "ALIPAY",
        }
    }

    /// `pay_channel` as gateways write it: `WECHAT`, `wxpay`, `wxbarcodepay_…`, `ALIPAY`, `alibarcodipay_…`.
    pub(super) fn of_channel(text: &str) -> Wallet {
        let starts = |with: &str| text.get(..with.len()).is_some_and(|t| t.eq_ignore_ascii_case(with));
        if ["wx", "wechat", "weixin", "微信"].into_iter().any(starts) {
            Wallet::Wechat
        } else if ["ali", "支付宝"].into_iter().any(starts) {
            Wallet::Alipay
        } else {
            Wallet::Unknown
        }
    }

    /// The payment code that the buyer showed; tills put one zero before it.
    pub(super) fn of_code(code: &str) -> Wallet {
        let code = code.trim();
        match code.strip_prefix('0').unwrap_or(code).as_bytes() {
            [b'1', b'0'..=b'5', ..] => Wallet::Wechat,
            [b'2', b'5'..=b'9', ..] | [b'3', b'0', ..] => Wallet::Alipay,
            _ => Wallet::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wallets_by_code_and_by_name() {
        for (code, wallet) in [
            ("134567890123456789", "WECHAT"),
            ("0134567890123456789", "WECHAT"),
            ("10", "WECHAT"),
            ("15", "WECHAT"),
            ("16", ""),
            ("24", ""),
            ("0280833291063996793", "ALIPAY"),
            ("25", "ALIPAY"),
            ("30", "ALIPAY"),
            ("31", ""),
            ("00280833", ""),
            ("9", ""),
            ("", ""),
        ] {
            assert_eq!(Wallet::of_code(code).as_str(), wallet, "{code}");
        }
        for (channel, wallet) in [
            ("WECHAT", "WECHAT"),
            ("wxpay", "WECHAT"),
            ("wxbarcodepay_pinganpay", "WECHAT"),
            ("微信支付", "WECHAT"),
            ("alibarcodipay_pinganpay", "ALIPAY"),
            ("支付宝", "ALIPAY"),
            ("barcode_pay", ""),
            ("", ""),
        ] {
            assert_eq!(Wallet::of_channel(channel).as_str(), wallet, "{channel}");
        }
    }
}
