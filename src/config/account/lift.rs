//! Secrets out of an old configuration into files of their own: `config import` writes them here and nowhere else.
//!
//! A file is made for its owner alone before anything is in it, and one that is there already is never touched.

use std::io::{self, Write as _};
use std::path::Path;

use crate::domain::Secret;

/// Writes a secret with mode 0600, and its folder with 0700.
///
/// # Errors
///
/// Whatever the disk says; also that the file exists.
pub(in crate::config) fn write(path: &Path, secret: &Secret) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(secret.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(folder)
}
