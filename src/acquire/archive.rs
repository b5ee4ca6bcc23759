//! The archive: statements as received, by hash; never changed.
//!
//! ```text
//! <archive>/objects/ab/<sha256>    the bytes
//! <archive>/index.jsonl            one line for each arrival, and one for each thing that became of it (`index.rs`)
//! <archive>/partial/               being written; nothing in it counts
//! ```
//!
//! Bytes are written to `partial`, hashed on the way, synced, renamed into `objects` and then named in the index:
//! whatever moment the power fails, an object is whole or not there. A line is never changed; what a reader thought
//! of the bytes is a further line (a *mark*). The caller holds the program's lock while it writes.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use super::Received;
use super::disk::{disk, make_folder, read_only, sync_folder, writable};
use super::index::{Index, IndexLine, Line, Sealing, Status};
use crate::channel::HEAD_MAX;
use crate::domain::{Errand, Exit, Failure, Moment};
use crate::failpoint::{planted, reach};

/// Smaller writes are gathered: one call to the system for each 256 KiB.
const BUFFER: usize = 256 * 1024;
/// What has happened where a statement is known and its bytes are not here.
const ELSEWHERE: &str =
    "put it back from a backup of the archive; machines that share a ledger must share its archive, too";

#[derive(Debug)]
pub struct Archive {
    pub(super) root: PathBuf,
    /// One line at a time.
    index: Mutex<()>,
}

/// Bytes on their way into the archive. Dropped before [`Archive::keep`], they leave nothing behind.
#[derive(Debug)]
pub struct Partial {
    path: PathBuf,
    file: Option<File>,
    kept: bool,
    buffer: Vec<u8>,
    /// The first [`HEAD_MAX`] bytes: what a room sees.
    head: Vec<u8>,
    hash: Sha256,
    len: u64,
}

/// Whole bytes in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub sha256: String,
    pub len: u64,
}

impl Archive {
    /// Opens the archive for writing, making it if need be (mode 0700), and removes what an earlier run left
    /// half-written. The caller holds the lock.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`] naming the path that cannot be made or written.
    pub fn open(root: &Path) -> Result<Archive, Failure> {
        for folder in [root.to_path_buf(), root.join("objects"), root.join("partial")] {
            make_folder(&folder)?;
        }
        let archive = Archive { root: root.to_path_buf(), index: Mutex::new(()) };
        let stale = archive.sweep()?;
        if stale > 0 {
            tracing::info!(files = stale, "removed half-written files of an earlier run");
        }
        archive.mend_index()?;
        Ok(archive)
    }

    /// The archive for reading only: nothing is made, removed or mended.
    pub fn open_to_read(root: &Path) -> Archive {
        Archive { root: root.to_path_buf(), index: Mutex::new(()) }
    }

    fn sweep(&self) -> Result<usize, Failure> {
        let folder = self.root.join("partial");
        let mut count = 0;
        for item in fs::read_dir(&folder).map_err(|e| disk("read", &folder, &e))? {
            let path = item.map_err(|e| disk("read", &folder, &e))?.path();
            let remove = |()| fs::remove_file(&path);
            reach("archive: remove what is stale").and_then(remove).map_err(|e| disk("remove", &path, &e))?;
            count += 1;
        }
        Ok(count)
    }

    /// A line without its end was cut by a crash: it is completed if it is whole, else taken off.
    fn mend_index(&self) -> Result<(), Failure> {
        let path = self.index_path();
        let mut file = reach("archive: make the index")
            .and_then(|()| writable(OpenOptions::new().create(true).append(true).read(true)).open(&path))
            .map_err(|e| disk("write", &path, &e))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| disk("read", &path, &e))?;
        let start = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
        let mended = match &bytes[start..] {
            [] => return Ok(()),
            tail if serde_json::from_slice::<Line>(tail).is_ok() => {
                reach("archive: end the last line").and_then(|()| file.write_all(b"\n"))
            }
            _ => {
                tracing::warn!(file = %path.display(), "took off a last line that was cut by a crash");
                reach("archive: take off a cut line").and_then(|()| file.set_len(start as u64))
            }
        };
        mended
            .and_then(|()| reach("archive: sync the mended index"))
            .and_then(|()| file.sync_all())
            .map_err(|e| disk("write", &path, &e))
    }

    pub fn index_path(&self) -> PathBuf {
        self.root.join("index.jsonl")
    }

    /// Where an object lies, below the archive's folder.
    pub fn object_path(&self, sha256: &str) -> PathBuf {
        self.root.join("objects").join(sha256.get(..2).unwrap_or("xx")).join(sha256)
    }

    /// A new empty file to write into.
    pub fn partial(&self) -> Result<Partial, Failure> {
        let path = self.root.join("partial").join(format!("{:016x}.partial", fastrand::u64(..)));
        let file = reach("archive: make a partial file")
            .and_then(|()| writable(OpenOptions::new().write(true).create_new(true)).open(&path))
            .map_err(|e| disk("write", &path, &e))?;
        Ok(Partial {
            path,
            file: Some(file),
            kept: false,
            buffer: Vec::new(),
            head: Vec::new(),
            hash: Sha256::new(),
            len: 0,
        })
    }

    /// Syncs the bytes and gives them their name. Bytes that are already there are replaced by these, so that a
    /// damaged object heals.
    pub fn keep(&self, mut partial: Partial) -> Result<Kept, Failure> {
        partial.flush()?;
        if let Some(file) = partial.file.take() {
            let sync = |()| file.sync_all();
            reach("archive: sync the object").and_then(sync).map_err(|e| disk("sync", &partial.path, &e))?;
        }
        let sha256 = hex::encode(std::mem::take(&mut partial.hash).finalize());
        let target = self.object_path(&sha256);
        let folder = target.parent().unwrap_or(&self.root);
        make_folder(folder)?;
        let rename = |()| fs::rename(&partial.path, &target);
        reach("archive: rename the object").and_then(rename).map_err(|e| disk("write", &target, &e))?;
        partial.kept = true;
        read_only(&target)?;
        sync_folder(folder)?;
        Ok(Kept { sha256, len: partial.len })
    }

    /// The bytes of an object, checked against its name.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`] if it cannot be read, [`Exit::Damage`] if its bytes are no longer those that came.
    pub fn read(&self, sha256: &str) -> Result<Vec<u8>, Failure> {
        let path = self.object_path(sha256);
        let bytes = fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => disk("read", &path, &error).hint(ELSEWHERE),
            _ => disk("read", &path, &error),
        })?;
        if hex::encode(Sha256::digest(&bytes)) == sha256 {
            return Ok(bytes);
        }
        Err(Failure::new(Exit::Damage, format!("{} no longer has the bytes that came", path.display()))
            .hint("restore it from a backup, or fetch the day again while the provider still has it"))
    }

    /// Writes down that bytes arrived, or what became of them.
    pub fn note(&self, errand: &Errand, got: &Received, status: Status, reason: &str) -> Result<(), Failure> {
        if planted("no_index_line") && status == Status::Statement {
            return Ok(());
        }
        self.append(&Line::Arrival(IndexLine {
            account: errand.account.name.clone(),
            date: errand.date.to_string(),
            bill: errand.bill.as_str().into(),
            source: got.source.clone(),
            sha256: got.sha256.clone(),
            bytes: got.len,
            authenticated: got.authenticated,
            status,
            reason: reason.into(),
            at: got.fetched_at.to_string(),
        }))
    }

    /// Quarantines a statement that its reader refused: it stays, marked, with the reason.
    pub fn mark_rejected(&self, errand: &Errand, got: &Received, reason: &str) -> Result<(), Failure> {
        self.note(errand, got, Status::Rejected, reason)
    }

    /// Seals what the index holds. Nothing is written if there is nothing new. Whether it was.
    pub fn seal(&self, sealing: Sealing<'_>, now: Moment) -> Result<bool, Failure> {
        match self.read_index()?.seal(sealing, &now.to_string()) {
            Some(seal) => self.append(&Line::Seal(seal)).map(|()| true),
            None => Ok(false),
        }
    }

    fn append(&self, line: &Line) -> Result<(), Failure> {
        let path = self.index_path();
        let mut text = serde_json::to_vec(line)
            .map_err(|e| Failure::new(Exit::Bug, format!("an index line cannot be written as JSON: {e}")))?;
        text.push(b'\n');
        // A poisoned lock means that another thread died while writing; its line is whole or will be mended.
        let _one_at_a_time = self.index.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let append = |mut file: File| {
            reach("archive: write an index line").and_then(|()| file.write_all(&text))?;
            reach("archive: sync the index").and_then(|()| file.sync_all())
        };
        let opened = writable(OpenOptions::new().append(true).create(true)).open(&path);
        opened.and_then(append).map_err(|e| disk("write", &path, &e))
    }

    /// The index as it stands, unreadable lines and all. A last line that was cut by a crash is left out.
    pub fn read_index(&self) -> Result<Index, Failure> {
        Index::read(&self.index_path())
    }

    /// Arrivals and marks, oldest first.
    ///
    /// # Errors
    ///
    /// [`Exit::Damage`] for a line that cannot be read, with its number.
    pub fn index(&self) -> Result<Vec<IndexLine>, Failure> {
        let index = self.read_index()?;
        if let Some(wrong) = index.lines.iter().find(|placed| placed.line.is_none()) {
            let text =
                format!("{}, line {}: this is not an index line", self.index_path().display(), wrong.number);
            return Err(Failure::new(Exit::Damage, text));
        }
        Ok(index.arrivals().map(|(_, line)| line.clone()).collect())
    }

    /// Takes a file that a person downloaded into the archive, through the same door as all others.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] if there is no such file, [`Exit::Rejected`] if it is empty, no file or larger than any
    /// bill, [`Exit::Storage`] if it cannot be read or kept.
    pub fn import(&self, path: &Path, errand: &Errand, now: Moment) -> Result<Received, Failure> {
        if !path.exists() {
            return Err(Failure::new(Exit::Usage, format!("there is no file {}", path.display())));
        }
        let mut partial = self.partial()?;
        super::file::copy(path, &path.display().to_string(), &mut partial, super::BILL_BYTES_MAX)?;
        if partial.is_empty() {
            return Err(Failure::new(Exit::Rejected, format!("{} is an empty file", path.display())));
        }
        let Kept { sha256, len } = self.keep(partial)?;
        let source = format!("import {}", path.file_name().unwrap_or(path.as_os_str()).to_string_lossy());
        let got = Received { sha256, len, source, fetched_at: now, authenticated: false, tries: 1 };
        self.note(errand, &got, Status::Received, "")?;
        self.note(errand, &got, Status::Statement, "")?;
        Ok(got)
    }
}

impl Partial {
    /// Appends bytes as they come.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let room = HEAD_MAX - self.head.len().min(HEAD_MAX);
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if let Some(file) = &mut self.file {
            let write = |()| file.write_all(&self.buffer);
            reach("archive: write the bytes").and_then(write).map_err(|e| disk("write", &self.path, &e))?;
        }
        self.buffer.clear();
        Ok(())
    }

    /// The first [`HEAD_MAX`] bytes so far.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        drop(self.file.take());
        let remove = |()| fs::remove_file(&self.path);
        if let Err(error) = reach("archive: remove what was not kept").and_then(remove) {
            // The next run sweeps it away.
            tracing::debug!(file = %self.path.display(), %error, "a half-written file stays");
        }
    }
}
