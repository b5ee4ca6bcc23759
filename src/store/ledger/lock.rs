//! One writing instance at a time: a lock on a file beside the ledger, which dies with its process.
//!
//! The file's text names the holder, for the message only; what counts is the operating system's lock, so a crash
//! never leaves anything to clean up. The file itself stays: removing it would let two instances lock two files.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::domain::{Clock, Exit, Failure};
use crate::failpoint::reach;
use crate::store::place::{At, Place};
use crate::store::sqlite;

/// Bytes of the holder's text that are shown; the file is ours, but a message must stay short.
const HOLDER_BYTES_MAX: u64 = 400;
/// A holder that cannot be read, or has not written down its name yet.
const NAMELESS: &str = "another process";

/// Who wants the lock, as others will read it.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    pub clock: Clock,
    /// Name of this machine: the lock may lie on a disk that others see, too.
    pub host: &'a str,
    /// What this process was asked to do, without secrets.
    pub command: &'a str,
}

/// Held as long as this value lives.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    name: String,
}

impl RunLock {
    /// The lock file of a ledger: `nightjob.db.lock` beside `sqlite:…/nightjob.db`; of one on a server, which has no file,
    /// `nightjob.lock` in the archive.
    pub fn path_of(database: &str, archive: &Path) -> Result<PathBuf, Failure> {
        let place = Place::parse(database, "database")?;
        Ok(match &place {
            Place::Sqlite(path) => PathBuf::from(format!("{}.lock", path.display())),
            Place::Postgres(_) | Place::Mysql(_) => archive.join("nightjob.lock"),
            Place::Odbc(_) => place.is_no_ledger(),
        })
    }

    /// Takes the lock at once or not at all.
    ///
    /// # Errors
    ///
    /// [`Exit::Busy`] naming the holder; [`Exit::Storage`] if the file cannot be made.
    pub fn take(path: &Path, claim: &Claim<'_>) -> Result<RunLock, Failure> {
        const DOING: &str = "taking the lock";
        let place = Place::Sqlite(path.to_owned());
        sqlite::prepare_folder(&place)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(path).at(&place, DOING)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(error).at(&place, DOING),
        }
        let Claim { clock, host, command } = claim;
        let now = clock.now();
        let name = format!("process {} on {host}, since {now}: {command}", std::process::id());
        reach("lock: write down who holds it").at(&place, DOING)?;
        file.set_len(0).at(&place, DOING)?;
        file.rewind().at(&place, DOING)?;
        file.write_all(format!("{name}\n").as_bytes()).at(&place, DOING)?;
        Ok(RunLock { file, name })
    }

    /// Who holds it: we.
    pub fn holder(&self) -> &str {
        &self.name
    }

    /// Who holds the lock now, for a reader; `None` if nobody does or nobody can tell. Makes nothing, and holds nothing
    /// when it returns.
    pub fn held_by(path: &Path) -> Option<String> {
        let mut file = File::open(path).ok()?;
        match file.try_lock_shared() {
            Ok(()) => {
                file.unlock().ok();
                None
            }
            Err(TryLockError::WouldBlock) => {
                let name = named(&mut file).unwrap_or_default();
                Some(if name.is_empty() { NAMELESS.to_owned() } else { name })
            }
            Err(TryLockError::Error(_)) => None,
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Or the next holder would have our name until it has written its own.
        self.file.set_len(0).ok();
        // Closing the file ends the lock in any case.
        self.file.unlock().ok();
    }
}

/// Passing if the holder has not written down its name yet.
fn busy(path: &Path, file: &mut File) -> Failure {
    let (name, is_passing) = match named(file) {
        Ok(name) if name.is_empty() => (NAMELESS.to_owned(), true),
        Ok(name) => (name, false),
        // Where a lock also keeps readers out (Windows), the holder stays unnamed.
        Err(_) => (NAMELESS.to_owned(), false),
    };
    let failure = Failure::new(Exit::Busy, format!("{}: held by {name}", path.display()))
        .hint("nothing was changed; wait until it has ended, or let this one wait with --wait 10m");
    Failure { is_passing, ..failure }
}

fn named(file: &mut File) -> std::io::Result<String> {
    let mut text = String::new();
    file.take(HOLDER_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use super::*;
    use crate::domain::Moment;

    fn claim(command: &str) -> Claim<'_> {
        let now = Moment::parse("2016-11-10 02:00:00").unwrap();
        Claim { clock: Clock::Fixed(now), host: "till-1", command }
    }

    #[test]
    fn a_second_instance_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/nightjob.db.lock");
        let held = RunLock::take(&path, &claim("run --date 20161108")).unwrap();
        let failure = RunLock::take(&path, &claim("run")).unwrap_err();
        assert_eq!(failure.exit, Exit::Busy);
        let expected = format!(
            "process {} on till-1, since 2016-11-10 02:00:00: run --date 20161108",
            std::process::id()
        );
        assert!(failure.message.contains(&expected), "{}", failure.message);
        assert!(!failure.is_passing);
        drop(held);
        let again = RunLock::take(&path, &claim("run")).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.ends_with(": run\n") && text.lines().count() == 1,
            "the text is the holder's only: {text}"
        );
        again.file.set_len(0).unwrap();
        let failure = RunLock::take(&path, &claim("run")).unwrap_err();
        assert!(failure.is_passing, "one that has not written down its name will do so in a moment");
        drop(again);
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "",
            "whoever comes next is not taken for the last"
        );
    }

    /// The other process of the next test: holds the lock until its input ends.
    #[test]
    fn hold_the_lock_for_the_test_beside() {
        let Some(path) = std::env::var_os("NIGHTJOB_TEST_LOCK") else { return };
        let _held = RunLock::take(Path::new(&path), &claim("the other process")).unwrap();
        println!("\nheld");
        std::io::stdin().read_line(&mut String::new()).unwrap();
    }

    #[test]
    fn two_processes_cannot_hold_it_and_a_killed_one_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nightjob.db.lock");
        let mut other = Command::new(std::env::current_exe().unwrap())
            .args(["store::ledger::lock::tests::hold_the_lock_for_the_test_beside", "--exact", "--nocapture"])
            .env("NIGHTJOB_TEST_LOCK", &path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "held"), "the other process has it");
        let failure = RunLock::take(&path, &claim("run")).unwrap_err();
        assert_eq!(failure.exit, Exit::Busy);
        assert!(failure.message.contains(&format!("process {}", other.id())), "{}", failure.message);
        other.kill().unwrap();
        other.wait().unwrap();
        RunLock::take(&path, &claim("run")).unwrap();
    }

    #[test]
    fn a_reader_sees_the_holder_and_touches_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nightjob.db.lock");
        assert_eq!(RunLock::held_by(&path), None);
        assert!(!path.exists(), "a reader makes nothing");
        let held = RunLock::take(&path, &claim("run")).unwrap();
        assert!(RunLock::held_by(&path).is_some_and(|holder| holder.ends_with(": run")));
        drop(held);
        assert_eq!(RunLock::held_by(&path), None, "the text that is left names nobody");
        RunLock::take(&path, &claim("run")).unwrap();
    }

    #[test]
    fn the_lock_of_a_ledger_lies_beside_it_or_in_the_archive() {
        let path = |database| RunLock::path_of(database, Path::new("/b/archive")).unwrap();
        assert_eq!(path("sqlite:/a/nightjob.db"), Path::new("/a/nightjob.db.lock"));
        assert_eq!(path("postgres://me@localhost/books"), Path::new("/b/archive/nightjob.lock"));
        assert_eq!(path("mysql://me@localhost/books"), Path::new("/b/archive/nightjob.lock"));
    }
}
