//! Text that cannot be printed by accident.

use std::fmt;

/// A key or password. `Debug` and `Display` show `***`; the one way out is [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// Whether there is nothing in it.
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// How many characters it has; says which kind of key it can be, and nothing else.
    pub fn letters(&self) -> usize {
        self.0.trim().chars().count()
    }

    /// The text itself, for signing. Never pass it to anything that logs.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
