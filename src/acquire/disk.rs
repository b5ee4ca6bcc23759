//! What the archive asks of a disk, and how its failures are told: exit 9, with the path.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::domain::{Exit, Failure, is_full};
use crate::failpoint::reach;

/// A disk that failed, with the place: exit 9.
pub(super) fn disk(doing: &str, path: &Path, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        _ if is_full(error) => "make room and run again; nothing was lost",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "let the account that runs nightjob write there, or set `archive` to another folder"
        }
        _ => "",
    };
    Failure::new(Exit::Storage, format!("cannot {doing} {}: {error}", path.display())).hint(hint)
}

#[cfg(unix)]
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let make = |()| DirBuilder::new().recursive(true).mode(0o700).create(path);
    reach("archive: make a folder").and_then(make).map_err(|e| disk("make the folder", path, &e))
}

#[cfg(not(unix))]
pub(super) fn make_folder(path: &Path) -> Result<(), Failure> {
    let make = |()| DirBuilder::new().recursive(true).create(path);
    reach("archive: make a folder").and_then(make).map_err(|e| disk("make the folder", path, &e))
}

/// Statements hold buyers' ids: only the account that runs the program may read them.
#[cfg(unix)]
pub(super) fn writable(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
pub(super) fn writable(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// A new file that only we may read.
pub(super) fn new_file(path: &Path) -> Result<File, Failure> {
    writable(OpenOptions::new().write(true).create_new(true)).open(path).map_err(|e| disk("write", path, &e))
}

#[cfg(unix)]
pub(super) fn read_only(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let protect = |()| fs::set_permissions(path, fs::Permissions::from_mode(0o400));
    reach("archive: protect the object").and_then(protect).map_err(|e| disk("protect", path, &e))
}

/// A read-only file cannot be replaced there, and a damaged object must be.
#[cfg(not(unix))]
pub(super) fn read_only(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// The name is safe only once its folder is.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> Result<(), Failure> {
    let sync = |()| File::open(path).and_then(|folder| folder.sync_all());
    reach("archive: sync the folder").and_then(sync).map_err(|e| disk("sync", path, &e))
}

/// Folders cannot be synced there; the file system's own journal orders the rename.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> Result<(), Failure> {
    Ok(())
}
