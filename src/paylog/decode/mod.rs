//! From a text column to named values: base64 and charset, then one pass over JSON or XML.
//!
//! Nothing here knows what a value means. Each scanner is strict, lenient and salvaging at once: it hands out every
//! complete scalar it passes, and says afterwards in which way the text was not as it should be. It never builds a
//! tree and allocates nothing for a field. (`spec/ttpay.md`, R-D1 to R-D9.)

pub(super) mod key;
mod word;
pub(super) mod text;
pub(super) mod json;
pub(super) mod xml;

use std::borrow::Cow;

pub(super) use key::{Index, same_name};
pub(super) use text::{Shape, as_it_stands, decode, tight};

/// Levels of nesting that are followed; deeper texts are treated as damaged. Real messages have four.
pub(super) const DEPTH_MAX: usize = 32;

/// In which way a text was not as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flaws {
    /// Understood, but not by the letter: trailing comma, single quotes, raw control character, comment.
    pub lenient: bool,
    /// It breaks off or stops making sense: only what was complete before the break was read (R-D9).
    pub damaged: bool,
}

/// A scalar as it stands in the text; `escaped` if it must be unescaped to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Raw<'t> {
    pub text: &'t str,
    pub escaped: bool,
}

/// The two syntaxes, for unescaping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Syntax {
    #[default]
    Json,
    Xml,
}

impl Syntax {
    /// The value that a raw scalar stands for.
    pub(crate) fn plain(self, raw: Raw<'_>) -> Cow<'_, str> {
        if !raw.escaped {
            return Cow::Borrowed(raw.text);
        }
        let mut out = String::with_capacity(raw.text.len());
        match self {
            Syntax::Json => json::unescape(raw.text, &mut out),
            Syntax::Xml => xml::unescape(raw.text, &mut out),
        }
        Cow::Owned(out)
    }
}

/// Makes an enum of slots, and the way from a name to its slot. The names stand as providers write them.
macro_rules! slots {
    ($(#[$meta:meta])* $name:ident { $($slot:ident = $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(in crate::paylog) enum $name { $($slot),* }

        impl $name {
            pub(crate) const COUNT: usize = [$($text),*].len();
            const ALL: [$name; $name::COUNT] = [$($name::$slot),*];
            const INDEX: $crate::paylog::decode::Index<{ $name::COUNT }> =
                $crate::paylog::decode::Index::new([$($text),*]);

            /// The slot of a name as it stands in a message, however it is written.
            #[inline]
            pub(crate) fn of(name: &str) -> Option<$name> {
                Self::INDEX.find(name).map(|place| Self::ALL[place])
            }
        }
    };
}
pub(super) use slots;
