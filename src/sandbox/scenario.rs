//! Stories to tell with the sandbox: what is planted, and what the providers do.

use super::day::Faults;
use super::mishap::{Desk, Mishap, Rule, Tries};

/// A name for `--scenario`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    Ordinary,
    Clean,
    NotReady,
    Refused,
    Flaky,
    Hostile,
}

impl Scenario {
    pub const ALL: [Scenario; 6] = [
        Scenario::Ordinary,
        Scenario::Clean,
        Scenario::NotReady,
        Scenario::Refused,
        Scenario::Flaky,
        Scenario::Hostile,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Scenario::Ordinary => "ordinary",
            Scenario::Clean => "clean",
            Scenario::NotReady => "not_ready",
            Scenario::Refused => "refused",
            Scenario::Flaky => "flaky",
            Scenario::Hostile => "hostile",
        }
    }

    pub fn parse(text: &str) -> Option<Scenario> {
        Scenario::ALL.into_iter().find(|scenario| scenario.as_str() == text)
    }

    /// What it shows, and the exit code of a night in it.
    pub fn about(self) -> &'static str {
        match self {
            Scenario::Ordinary => "a day with planted mismatches of every kind; exit 10",
            Scenario::Clean => {
                "a day on which everything agrees, though some things moved over midnight; exit 0"
            }
            Scenario::NotReady => "no provider has made its statement yet; exit 7",
            Scenario::Refused => {
                "WeChat closed the bill API, Alipay's application lacks the permission; exit 6"
            }
            Scenario::Flaky => {
                "errors, limits, cut connections, apologies and late addresses, which heal within three tries at each \
                 desk; exit 10"
            }
            Scenario::Hostile => {
                "totals off by a fen, another merchant's bill, replies with a wrong signature or hash or with none; nothing may reach the \
                 ledger; exit 8"
            }
        }
    }

    /// What to plant, given what was asked for.
    pub fn faults(self, asked: Faults) -> Faults {
        if self == Scenario::Clean { Faults::Spread(0) } else { asked }
    }

    /// The providers' script.
    pub fn rules(self) -> Vec<Rule> {
        let always = |mishap| {
            [
                Desk::WechatBill,
                Desk::AlipayGateway,
                Desk::WechatApply,
                Desk::WechatFundFlow,
                Desk::WechatGlobal,
                Desk::Gateway,
                Desk::AlipayMapi,
                Desk::AlipayForex,
            ]
            .map(|desk| Rule::new(desk, Tries::Always, mishap))
            .to_vec()
        };
        match self {
            Scenario::Ordinary | Scenario::Clean => Vec::new(),
            Scenario::NotReady => always(Mishap::NotReady),
            Scenario::Refused => always(Mishap::Refused),
            Scenario::Flaky => vec![
                Rule::new(Desk::WechatBill, Tries::Only(1), Mishap::Status(502)),
                Rule::new(Desk::WechatBill, Tries::Only(2), Mishap::TooMany { retry_after_seconds: 1 }),
                Rule::new(Desk::WechatBill, Tries::Only(3), Mishap::CutShort),
                Rule::new(Desk::AlipayGateway, Tries::Only(1), Mishap::Busy),
                Rule::new(Desk::AlipayDownload, Tries::Only(1), Mishap::Html),
                Rule::new(Desk::AlipayDownload, Tries::Only(2), Mishap::CutShort),
                Rule::new(Desk::WechatApply, Tries::Only(1), Mishap::Busy),
                Rule::new(Desk::WechatDownload, Tries::Only(1), Mishap::CutShort),
                Rule::new(Desk::WechatGlobal, Tries::Only(1), Mishap::TooMany { retry_after_seconds: 1 }),
                Rule::new(Desk::Gateway, Tries::Only(1), Mishap::Status(502)),
                Rule::new(Desk::AlipayMapi, Tries::Only(2), Mishap::Busy),
                Rule::new(Desk::AlipayForex, Tries::Only(1), Mishap::Busy),
            ],
            Scenario::Hostile => vec![
                Rule::new(Desk::WechatBill, Tries::Always, Mishap::TotalsOff).of("mall-wx"),
                Rule::new(Desk::WechatBill, Tries::Always, Mishap::OtherMerchant).of("mall-wx-sub"),
                Rule::new(Desk::AlipayGateway, Tries::Always, Mishap::WrongSignature),
                Rule::new(Desk::WechatApply, Tries::Always, Mishap::WrongHash),
                Rule::new(Desk::WechatGlobal, Tries::Always, Mishap::MissingSignature),
                Rule::new(Desk::WechatBill, Tries::Always, Mishap::CountOff).of("mall-wxos2"),
                Rule::new(Desk::Gateway, Tries::Always, Mishap::WrongHash),
                Rule::new(Desk::AlipayMapi, Tries::Always, Mishap::ChangedAfterSigning),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_written() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::parse(scenario.as_str()), Some(scenario));
        }
        assert_eq!(Scenario::parse("Clean"), None);
        assert_eq!(Scenario::Clean.faults(Faults::Each(3)), Faults::Spread(0));
        assert_eq!(Scenario::Flaky.faults(Faults::Each(3)), Faults::Each(3));
    }
}
