//! Files that somebody else puts into a folder: found by a pattern, copied into the archive.
//!
//! Never moves, changes or removes them, and never takes one that is still being written.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::archive::Partial;
use super::disk::disk;
use crate::domain::{Exit, Failure};

/// Files of one folder that are looked at. A folder with more is not an inbox, and looking through it on every
/// run would take longer than the night.
const FOLDER_FILES_MAX: usize = 100_000;

/// Names in a message about several files.
const NAMES_SHOWN: usize = 5;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    One(PathBuf),
    None,
    /// The first few names, in order.
    Several(Vec<String>),
}

/// The file that a pattern means. A `*` in its last part stands for any characters, but not for a leading dot.
///
/// # Errors
///
/// [`Exit::Storage`] if the folder cannot be read, [`Exit::Config`] if it holds too much.
pub(super) fn find(home: &Path, pattern: &str) -> Result<Found, Failure> {
    let full = home.join(pattern);
    let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !name.contains('*') {
        return Ok(if full.exists() { Found::One(full) } else { Found::None });
    }
    let folder = full.parent().unwrap_or(home);
    let items = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Found::None),
        other => other.map_err(|e| disk("read", folder, &e))?,
    };
    let mut names = Vec::new();
    for (count, item) in items.enumerate() {
        if count == FOLDER_FILES_MAX {
            let text = format!("{} holds more than {FOLDER_FILES_MAX} files", folder.display());
            return Err(
                Failure::new(Exit::Config, text).hint("give `path` a folder for each month or account")
            );
        }
        let item = item.map_err(|e| disk("read", folder, &e))?;
        let found = item.file_name().to_string_lossy().into_owned();
        if fits(&name, &found) && item.path().is_file() {
            names.push(found);
        }
    }
    names.sort_unstable();
    Ok(match names.as_slice() {
        [] => Found::None,
        [one] => Found::One(folder.join(one)),
        _ => Found::Several(names.into_iter().take(NAMES_SHOWN).collect()),
    })
}

/// Whether a name fits a pattern with `*`.
fn fits(pattern: &str, name: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return pattern == name };
    let hidden = name.starts_with('.') && !first.starts_with('.');
    let Some(mut rest) = name.strip_prefix(first).and_then(|r| r.strip_suffix(last)) else { return false };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    !hidden
}

/// Copies a file, and refuses one that changes meanwhile.
///
/// # Errors
///
/// [`Exit::Passing`] if it is being written, [`Exit::Rejected`] if it is no file or larger than `bytes_max`,
/// [`Exit::Storage`] if it cannot be read or kept. `shown` is its name in messages.
pub(super) fn copy(path: &Path, shown: &str, into: &mut Partial, bytes_max: u64) -> Result<(), Failure> {
    let read = |error: io::Error| disk("read", path, &error);
    let mut file = File::open(path).map_err(read)?;
    let before = file.metadata().map_err(read)?;
    if !before.is_file() {
        return Err(Failure::new(Exit::Rejected, format!("{shown} is a folder or a device, not a file")));
    }
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let got = file.read(&mut buffer).map_err(read)?;
        if got == 0 {
            break;
        }
        if into.len() + got as u64 > bytes_max {
            return Err(super::too_large(shown, bytes_max));
        }
        into.write(&buffer[..got])?;
    }
    let after = fs::metadata(path).map_err(read)?;
    if after.len() != into.len() || before.modified().ok() != after.modified().ok() {
        return Err(Failure::new(Exit::Passing, format!("{shown} is still being written")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_fits_as_in_a_shell() {
        for (pattern, name, expected) in [
            ("20240307*.csv", "20240307.csv", true),
            ("20240307*.csv", "20240307_a.csv", true),
            ("*_20240307_*", "2088_20240307_x.csv.zip", true),
            ("*", "a", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*.csv", "20240307.csv.tmp", false),
            ("ab*ba", "aba", false),
            ("*.csv", ".20240307.csv", false),
            (".*.csv", ".20240307.csv", true),
            ("对账*.csv", "对账单.csv", true),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn one_file_none_or_several() {
        let home = tempfile::tempdir().unwrap();
        let inbox = home.path().join("in");
        fs::create_dir_all(inbox.join("20240309x.csv")).unwrap();
        for name in ["20240307a.csv", "20240308a.csv", "20240308b.csv"] {
            fs::write(inbox.join(name), name).unwrap();
        }
        let find = |pattern: &str| find(home.path(), pattern).unwrap();
        assert_eq!(find("in/20240307*.csv"), Found::One(inbox.join("20240307a.csv")));
        assert_eq!(find("in/20240307a.csv"), Found::One(inbox.join("20240307a.csv")));
        assert_eq!(
            find("in/20240308*.csv"),
            Found::Several(vec!["20240308a.csv".into(), "20240308b.csv".into()])
        );
        assert_eq!(find("in/20240309*.csv"), Found::None, "a folder is no file");
        assert_eq!(find("in/20240310.csv"), Found::None);
        assert_eq!(find("nowhere/20240310*.csv"), Found::None);
    }
}
