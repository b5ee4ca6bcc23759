//! Where a database is, and what its errors mean to the person who has to act on them.

use std::path::{Path, PathBuf};

use super::sqlite::RawError;
use crate::domain::{Exit, Failure};

/// A database as named in the configuration, safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An absolute path.
    Sqlite(PathBuf),
}

impl Place {
    /// Reads `sqlite:PATH` (also `sqlite://PATH`). Nothing after the colon is an option: a `?` belongs to the name.
    ///
    /// # Errors
    ///
    /// [`Exit::Config`] for another engine or a database in memory. The address is not repeated: it may hold a
    /// password.
    pub(super) fn parse(url: &str, key: &str) -> Result<Place, Failure> {
        let Some(rest) = url.strip_prefix("sqlite:") else {
            let engine = url.split(':').next().unwrap_or("").to_owned();
            return Err(Failure::new(
                Exit::Config,
                format!("`{key}` names a `{engine}:` database, which is not in this version"),
            )
            .hint(format!("set `{key}`, or {}, to `sqlite:PATH`", variable(key))));
        };
        let path = rest.strip_prefix("//").unwrap_or(rest);
        let in_memory = path.is_empty() || path.contains(":memory:");
        let absolute = std::path::absolute(path).ok().filter(|_| !in_memory);
        absolute.map(Place::Sqlite).ok_or_else(|| {
            Failure::new(Exit::Config, format!("`{key}` names no file: `sqlite:{path}`"))
                .hint(format!("set `{key}` to `sqlite:PATH`"))
        })
    }

    pub(super) fn path(&self) -> &Path {
        let Place::Sqlite(path) = self;
        path
    }

    /// For messages.
    pub(super) fn name(&self) -> String {
        self.path().display().to_string()
    }

    pub(super) fn failure(&self, doing: &str, trouble: &Trouble) -> Failure {
        let (exit, hint) = trouble.meaning();
        Failure::new(exit, format!("{}: {doing}: {}", self.name(), trouble.text())).hint(hint)
    }
}

/// The variable of a key: what there is where no file of ours is, beside an old configuration.
fn variable(key: &str) -> String {
    format!("NIGHTJOB_{}", key.replace('.', "__").to_ascii_uppercase())
}

/// What a driver or the disk said.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite's extended code and text.
    Sqlite {
        code: i32,
        message: String,
    },
    Disk(std::io::Error),
    /// The driver itself: a pool, a worker, a column of another type.
    Driver(String),
}

impl Trouble {
    fn text(&self) -> String {
        match self {
            Trouble::Sqlite { code, message } => format!("{message} (SQLite {code})"),
            Trouble::Disk(error) => error.to_string(),
            Trouble::Driver(text) => text.clone(),
        }
    }

    /// Exit and hint by SQLite's primary result code (<https://sqlite.org/rescode.html>).
    fn meaning(&self) -> (Exit, &'static str) {
        let Trouble::Sqlite { code, .. } = self else {
            return match self {
                Trouble::Driver(_) => (Exit::Bug, "please report this"),
                _ => (
                    Exit::Storage,
                    "check the folder: does it exist, may this user write it, is there space?",
                ),
            };
        };
        match code & 0xff {
            5 | 6 => (Exit::Storage, "another program holds the database; close it and run again"),
            8 => (Exit::Storage, "the file or its folder cannot be written by this user"),
            10 => (Exit::Storage, "the disk failed or is not local; check it, then run again"),
            11 | 26 => (
                Exit::Storage,
                "the file is damaged or not a database; check what it is before you touch it. (A lost ledger is built anew from the archive by `nightjob reconcile`; EB_PAYLOG is the gateway's)",
            ),
            13 => (Exit::Storage, "the disk is full; make space and run again"),
            14 => {
                (Exit::Storage, "check the path, and that this user may open the file and write its folder")
            }
            _ => (Exit::Bug, "please report this"),
        }
    }
}

impl From<RawError> for Trouble {
    fn from(error: RawError) -> Trouble {
        Trouble::Sqlite { code: error.code, message: error.message }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble::Disk(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Trouble {
        let code = error.as_database_error().and_then(|e| e.code()).and_then(|code| code.parse().ok());
        match (code, error) {
            (Some(code), sqlx::Error::Database(e)) => {
                Trouble::Sqlite { code, message: e.message().to_owned() }
            }
            (_, sqlx::Error::Io(e)) => Trouble::Disk(e),
            (_, e) => Trouble::Driver(e.to_string()),
        }
    }
}

/// Says of an error where it happened and what was being done.
pub(super) trait At<T> {
    fn at(self, place: &Place, doing: &str) -> Result<T, Failure>;
}

impl<T, E: Into<Trouble>> At<T> for Result<T, E> {
    fn at(self, place: &Place, doing: &str) -> Result<T, Failure> {
        self.map_err(|error| place.failure(doing, &error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sqlite_files_are_in_this_version() {
        for (url, part) in [
            ("postgres://u:geheim@host/db", "`postgres:` database, which is not in this version"),
            ("mysql://u:geheim@host/db", "`mysql:` database"),
            ("odbc:DSN=ttpay;uid=ttpay;pwd=geheim;", "`odbc:` database"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "names no file"),
            ("/data/x.db", "not in this version"),
        ] {
            let failure = Place::parse(url, "database").unwrap_err();
            assert_eq!(failure.exit, Exit::Config, "{url}");
            assert!(failure.message.contains(part), "{url}: {}", failure.message);
            assert!(!format!("{failure:?}").contains("geheim"), "no password in {failure:?}");
        }
        for (url, path) in [
            ("sqlite:/a/b.db", "/a/b.db"),
            ("sqlite:///a/b.db", "/a/b.db"),
            ("sqlite:/a/b.db?mode=memory", "/a/b.db?mode=memory"),
        ] {
            assert_eq!(Place::parse(url, "database").map(|p| p.name()).as_deref(), Ok(path));
        }
    }
}
