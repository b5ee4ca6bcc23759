//! Pay types: what the job is told to reconcile, and the REQ_TYPE values that EB_PAYLOG holds for each.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum PayType {
    Wx,
    WxOs,
    Ali,
    Ali20,
    AliOs,
    Tianta,
    Teegon,
    Tb,
}

impl PayType {
    pub const ALL: [PayType; 8] = [
        PayType::Wx,
        PayType::WxOs,
        PayType::Ali,
        PayType::Ali20,
        PayType::AliOs,
        PayType::Tianta,
        PayType::Teegon,
        PayType::Tb,
    ];

    /// The name in configuration and report; by default also the REQ_TYPE in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            PayType::Wx => "WX",
            PayType::WxOs => "WX_OS",
            PayType::Ali => "ALI",
            PayType::Ali20 => "ALI_20",
            PayType::AliOs => "ALI_OS",
            PayType::Tianta => "TIANTA",
            PayType::Teegon => "TEEGON",
            PayType::Tb => "TB",
        }
    }

    /// Any case, blanks around it ignored.
    pub fn parse(text: &str) -> Option<PayType> {
        PayType::ALL.into_iter().find(|p| p.as_str().eq_ignore_ascii_case(text.trim()))
    }

    /// The pay type on the list that makes an account of `self` part of the work: `ALI` covers `ALI_20` too.
    pub fn covered_by(self, listed: PayType) -> bool {
        listed == self || (listed == PayType::Ali && self == PayType::Ali20)
    }
}

impl fmt::Display for PayType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
