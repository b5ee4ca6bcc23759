//! The archive looked at from outside: what its files hold, whatever their names say; and copied as it stands.
//! Nothing here changes it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::archive::Archive;
use super::disk::{disk, make_folder, new_file, read_only, sync_folder};
use crate::domain::Failure;

/// Read at once; an object may be half a gigabyte.
const PIECE: usize = 256 * 1024;

/// What a file of the archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Of its bytes as they are now.
    pub sha256: String,
    pub len: u64,
}

impl Archive {
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every file below `objects`, by path.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`](crate::domain::Exit::Storage) naming the folder that cannot be read.
    pub fn object_files(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut files = Vec::new();
        let mut folders = vec![self.root.join("objects")];
        while let Some(folder) = folders.pop() {
            let items = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                items => items.map_err(|e| disk("read", &folder, &e))?,
            };
            for item in items {
                let path = item.map_err(|e| disk("read", &folder, &e))?.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        Ok(files)
    }

    /// Hashes a file; `None` if it is not there.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`](crate::domain::Exit::Storage) if it cannot be read.
    pub fn measure(&self, path: &Path) -> Result<Option<Object>, Failure> {
        pour(path, &mut io::sink())
    }

    /// Copies the object of this name into the archive at `target`, as it is, and says what it is.
    ///
    /// # Errors
    ///
    /// [`Exit::Storage`](crate::domain::Exit::Storage) naming the file that cannot be read or written.
    pub fn copy_object(&self, sha256: &str, target: &Archive) -> Result<Option<Object>, Failure> {
        let (from, to) = (self.object_path(sha256), target.object_path(sha256));
        if !from.is_file() {
            return Ok(None);
        }
        let folder = to.parent().unwrap_or(&target.root);
        make_folder(folder)?;
        let mut file = new_file(&to)?;
        let object = pour(&from, &mut file)?;
        file.sync_all().map_err(|e| disk("sync", &to, &e))?;
        read_only(&to)?;
        sync_folder(folder)?;
        Ok(object)
    }
}

/// Pours a file into `out` and hashes it on the way.
fn pour(path: &Path, out: &mut impl Write) -> Result<Option<Object>, Failure> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|e| disk("read", path, &e))?,
    };
    let (mut hash, mut len, mut piece) = (Sha256::new(), 0u64, vec![0; PIECE]);
    loop {
        let count = file.read(&mut piece).map_err(|e| disk("read", path, &e))?;
        if count == 0 {
            return Ok(Some(Object { sha256: hex::encode(hash.finalize()), len }));
        }
        hash.update(&piece[..count]);
        out.write_all(&piece[..count]).map_err(|e| disk("copy", path, &e))?;
        len += count as u64;
    }
}
