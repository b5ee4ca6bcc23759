//! `backup`: ledger, archive and configuration in another folder, consistent while runs go on; `verify` proves it there.
//!
//! # The order
//!
//! A unit's bytes and their lines in the index are there before its commit, and the seal of its run comes after it. So
//! the ledger is copied first, as it stands at one moment; then the index, up to the first seal that this copy of the
//! ledger does not know; then every object that this much of the index names. Everything that the copied ledger speaks
//! of is then in the copied archive, and the copied archive seals nothing that the copied ledger lacks.
//!
//! It is written beside its place and gets its name when all of it is on the disk: a folder of that name is whole.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::{Outcome, Talk};
use crate::acquire::{Archive, Index, Object};
use crate::config::{Loaded, Settings};
use crate::domain::{Exit, Failure, is_full};
use crate::store::Ledger;

/// What was copied.
#[derive(Clone, Debug, Default)]
pub struct Backup {
    pub folder: PathBuf,
    pub objects: u64,
    pub bytes: u64,
    /// Events of the ledger's chain.
    pub events: i64,
}

/// Copies everything to `folder`, which is new or empty. What is damaged already is copied as it is, and told.
///
/// # Errors
///
/// [`Exit::Usage`] for a folder that holds something, or lies in or around the archive or the reports; [`Exit::Storage`]
/// naming what cannot be read or written.
pub async fn backup(loaded: &Loaded, folder: &Path, talk: &Talk) -> Result<(Backup, Outcome), Failure> {
    let settings = &loaded.settings;
    apart(folder, settings)?;
    let partial = begin(folder)?;
    let ledger = Ledger::open_read_only(&settings.database).await?;
    let waiting = talk.waiting("ledger");
    make(&partial.join("data"))?;
    let copied = partial.join("data/nightjob.db");
    ledger.copy_to(&copied).await?;
    drop(waiting);
    let archive = Archive::open_to_read(&settings.archive);
    let index = archive.read_index()?;
    let copy = Ledger::open_read_only(&format!("sqlite:{}", copied.display())).await?;
    let (unknown, damage) = match unknown(&copy, &ledger, &index).await {
        Ok(unknown) => (unknown, None),
        // All of it, so that `verify` says so there as here.
        Err(failure) if failure.exit == Exit::Damage => (Vec::new(), Some(failure)),
        Err(failure) => return Err(failure),
    };
    let bytes = index.before(&unknown).to_vec();
    let events = copy.event_head().await?.seq;
    copy.close().await;
    let waiting = talk.waiting("archive");
    let target = partial.join("data/archive");
    let copying = tokio::task::spawn_blocking(move || copy_archive(&archive, &target, &bytes));
    let copying =
        copying.await.map_err(|error| Failure::new(Exit::Bug, format!("copying the archive: {error}")))?;
    let (mut backup, mut outcome) = copying?;
    drop(waiting);
    if let Some(damage) = damage {
        outcome.fail("", damage);
    }
    write(&partial.join("nightjob.toml"), loaded.copied().as_bytes())?;
    publish(&partial, folder)?;
    (backup.folder, backup.events) = (folder.to_owned(), events);
    Ok((backup, outcome))
}

/// The last seals that the copy of the ledger does not know, by their lines. What the ledger itself does not know
/// either is no seal of a run that went on meanwhile: then it is not the ledger that was sealed.
async fn unknown(copy: &Ledger, ledger: &Ledger, index: &Index) -> Result<Vec<u64>, Failure> {
    let mut unknown = Vec::new();
    for (placed, seal) in index.seals().rev() {
        let same = |hash: Option<String>| seal.event == 0 || hash.as_ref() == Some(&seal.hash);
        if same(copy.event_hash(seal.event).await?) {
            break;
        }
        if !same(ledger.event_hash(seal.event).await?) {
            let message = format!(
                "the ledger lacks event {} that line {} of the archive's index sealed",
                seal.event, placed.number
            );
            return Err(Failure::new(Exit::Damage, message)
                .hint("an older copy of it was put in its place, or its events were written anew: see `nightjob verify`"));
        }
        unknown.push(placed.number);
    }
    Ok(unknown)
}

fn copy_archive(archive: &Archive, root: &Path, bytes: &[u8]) -> Result<(Backup, Outcome), Failure> {
    let target = Archive::open(root)?;
    let index = Index::of(bytes.to_vec());
    let named: BTreeSet<(&str, u64)> = index
        .arrivals()
        .filter(|(_, line)| !line.sha256.is_empty())
        .map(|(_, line)| (&*line.sha256, line.bytes))
        .collect();
    let (mut backup, mut outcome) = (Backup::default(), Outcome::default());
    for (sha256, len) in named {
        let object = archive.copy_object(sha256, &target)?;
        backup.objects += u64::from(object.is_some());
        backup.bytes += object.as_ref().map_or(0, |object| object.len);
        if object != Some(Object { sha256: sha256.to_owned(), len }) {
            let found = object.map_or("is missing".to_owned(), |o| format!("has the SHA-256 {}", o.sha256));
            let message = format!("object {sha256} {found}; the copy has it as it is");
            outcome.fail("", Failure::new(Exit::Damage, message).hint("`nightjob verify` says whose it is"));
        }
    }
    write(&target.index_path(), bytes)?;
    Ok((backup, outcome))
}

/// A copy is not put into what is copied or written anew, nor these into it: it would be taken for a part of the archive or
/// of the reports, and be gone with them.
fn apart(folder: &Path, settings: &Settings) -> Result<(), Failure> {
    let target = real(folder);
    for (key, kept) in [("archive", &settings.archive), ("reports", &settings.reports)] {
        let kept_at = real(kept);
        let how = match (target.starts_with(&kept_at), kept_at.starts_with(&target)) {
            (true, _) => "lies in",
            (false, true) => "would hold",
            (false, false) => continue,
        };
        let message = format!("{} {how} `{key}` ({})", folder.display(), kept.display());
        return Err(Failure::new(Exit::Usage, message).hint("name a folder elsewhere, best on another disk"));
    }
    Ok(())
}

/// A path without links and without `..`, as far as it is there.
fn real(path: &Path) -> PathBuf {
    let mut there = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(there.pop()),
            part => there.push(part),
        }
        there = there.canonicalize().unwrap_or(there);
    }
    there
}

/// The folder to write into, beside the one that is asked for.
fn begin(folder: &Path) -> Result<PathBuf, Failure> {
    let usage = |message: String, hint: &str| Err(Failure::new(Exit::Usage, message).hint(hint));
    match fs::read_dir(folder).map(|mut items| items.next().is_some()) {
        Ok(true) => {
            return usage(format!("{} holds something already", folder.display()), "name a new folder");
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return usage(format!("{}: {error}", folder.display()), "name a new folder");
        }
        _ => {}
    }
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = folder.with_file_name(name);
    if partial.exists() {
        let message = format!("{} is there: a backup was broken off, or is going on", partial.display());
        return usage(message, "if none is going on, remove it");
    }
    make(&partial).map(|()| partial)
}

/// Everything to the disk, from the inside out, and then the name.
fn publish(partial: &Path, folder: &Path) -> Result<(), Failure> {
    let above = |path: &Path| {
        path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
    };
    let done = || {
        for inside in ["data/archive/objects", "data/archive", "data", ""] {
            sync(&partial.join(inside))?;
        }
        if folder.exists() {
            fs::remove_dir(folder)?;
        }
        fs::rename(partial, folder)?;
        sync(&above(folder))
    };
    done().map_err(|error: io::Error| unwritable(folder, &error))
}

#[cfg(unix)]
fn make(folder: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| unwritable(folder, &error))
}

#[cfg(not(unix))]
fn make(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))
}

#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Windows has no handle to a folder that could be synced; NTFS journals the rename.
#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written =
        File::create(path).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()));
    written.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let hint = match is_full(error) {
        true => {
            "the disk is full, and the backup not whole; remove the folder that ends in .partial, make space and make it again"
        }
        false => "the backup is not whole; remove the folder that ends in .partial and make it again",
    };
    Failure::new(Exit::Storage, format!("{}: {error}", path.display())).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_called_so() {
        let hint = |kind: io::ErrorKind| unwritable(Path::new("x"), &kind.into()).hint;
        assert!(hint(io::ErrorKind::QuotaExceeded).contains("the disk is full"));
        assert!(!hint(io::ErrorKind::PermissionDenied).contains("the disk is full"));
    }
}
