//! What several test binaries share.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};

/// Set to `1`, goldens are rewritten instead of compared (`scripts/bless`).
pub(crate) const BLESS: &str = "NIGHTJOB_BLESS";

/// The folder of the repository.
pub(crate) fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares `actual` with the golden at `path` (relative to the repository), byte by byte.
///
/// # Panics
///
/// If they differ: with the first line that does, and how to accept it.
#[track_caller]
pub(crate) fn golden(path: impl AsRef<Path>, actual: &str) {
    let path = path.as_ref();
    let whole = home().join(path);
    if std::env::var(BLESS).is_ok_and(|value| value == "1") {
        std::fs::create_dir_all(whole.parent().expect("a file has a folder")).expect("a writable folder");
        std::fs::write(&whole, actual).expect("a writable golden");
        return;
    }
    let expected = std::fs::read(&whole).unwrap_or_default();
    if expected == actual.as_bytes() {
        return;
    }
    let expected = String::from_utf8_lossy(&expected);
    let (line, wanted, found) = first_difference(&expected, actual);
    panic!(
        "{} differs at line {line}\n  golden: {wanted}\n  actual: {found}\nif the new text is right: scripts/bless",
        path.display()
    );
}

/// Line number, the golden's line and the actual one, with invisible characters escaped.
fn first_difference(expected: &str, actual: &str) -> (usize, String, String) {
    let show = |line: Option<&str>| line.map_or("(nothing)".to_owned(), |l| l.escape_debug().to_string());
    let (mut left, mut right) = (expected.split('\n'), actual.split('\n'));
    for line in 1.. {
        let (wanted, found) = (left.next(), right.next());
        if wanted != found || wanted.is_none() {
            return (line, show(wanted), show(found));
        }
    }
    unreachable!("one of the texts ends")
}
