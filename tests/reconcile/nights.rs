//! Nights written by hand: two books as text tables, and what finance must read, worked out on paper.
//!
//! No line of the sandbox is used here. A generator and a matcher by one hand agree with themselves; these do not.

use crate::books::{Books, show};

/// Runs every night of a file; nights are parted by lines of `===`.
fn check(name: &str, text: &str) {
    for night in text.split("\n===") {
        let title = night.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(name);
        let (books, expected) = Books::parse(night);
        let result = books.reconcile();
        let actual = show(&result);
        assert!(result.is_proven(), "{name}, {title}: the proofs do not close\n{actual}");
        assert_eq!(actual, expected, "\n{name}, {title}\n--- found\n{actual}\n--- expected\n{expected}");
    }
}

macro_rules! nights {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            check(stringify!($name), include_str!(concat!("../../fixtures/nights/", stringify!($name), ".txt")));
        })*
    };
}

nights!(
    amounts,
    answers,
    duplicates,
    elsewhere,
    held,
    lost,
    midnight,
    one_sided,
    purged,
    refunds,
    reversals,
    states,
    trade_numbers
);
