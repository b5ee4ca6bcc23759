//! The verdict of a unit, and of a day: the worst of its units.

use super::Lang;

/// Best first, so that `max` is the worst.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Verdict {
    Balanced,
    /// A channel without statements: every logged order was asked for and agrees.
    Confirmed,
    Unbalanced,
    /// Done, but the data lack something.
    Incomplete,
    /// Not done.
    NotCompared,
}

impl Verdict {
    const ALL: [Verdict; 5] = [
        Verdict::Balanced,
        Verdict::Confirmed,
        Verdict::Unbalanced,
        Verdict::Incomplete,
        Verdict::NotCompared,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Balanced => "balanced",
            Verdict::Confirmed => "confirmed",
            Verdict::Unbalanced => "unbalanced",
            Verdict::Incomplete => "incomplete",
            Verdict::NotCompared => "not_compared",
        }
    }

    pub fn parse(text: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|v| v.as_str() == text)
    }

    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Verdict::Balanced => lang.pick("对平", "balanced"),
            Verdict::Confirmed => lang.pick("逐笔确认", "confirmed"),
            Verdict::Unbalanced => lang.pick("不平", "unbalanced"),
            Verdict::Incomplete => lang.pick("数据不全", "incomplete"),
            Verdict::NotCompared => lang.pick("未对账", "not compared"),
        }
    }
}
