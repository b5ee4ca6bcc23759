//! The ledger and the log in SQLite: how files are opened, and how the raw handle is borrowed.
//!
//! Ledger: WAL, `synchronous=FULL`, one writer, made and migrated by itself. Log: opened read-only, never altered.

pub(super) mod bulk;
pub(super) mod image;
pub(super) mod record;

pub(super) use bulk::RawError;

use std::fs;
use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::runtime::Handle;

use crate::domain::{Exit, Failure};
use crate::failpoint::reach;
use crate::store::place::{At, Place};

/// How long a statement waits for another program's lock. A checkpoint of a large WAL on a slow disk takes seconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Pages of the ledger. Measured against 4096: a third less time in loads, the same in reads.
const LEDGER_PAGE_BYTES: u32 = 16_384;

/// Options of a connection that writes the ledger.
pub(super) fn ledger_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .page_size(LEDGER_PAGE_BYTES)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY_TIMEOUT)
        // The WAL of a unit is copied into the file after its commit, beside the work (`ledger/tx.rs`).
        .pragma("wal_autocheckpoint", "0")
        .disable_statement_logging()
}

/// Options of a connection that only reads. `query_only` is the second bolt on the same door.
pub(super) fn read_only_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("query_only", "1")
        .disable_statement_logging()
}

/// Options for building the index of a sample log: nothing in it is worth a sync.
pub(super) fn sample_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .disable_statement_logging()
}

/// Makes the folders (0700) and the file (0600), where they are missing. SQLite gives its side files the same mode.
pub(super) fn prepare_file(place: &Place) -> Result<(), Failure> {
    let path = place.path();
    prepare_folder(place)?;
    if path.is_dir() {
        return Err(Failure::new(Exit::Storage, format!("{}: is a folder, not a database", place.name()))
            .hint("name a file in `database`"));
    }
    if !path.exists() {
        reach("store: make the file").and_then(|()| new_private_file(path)).at(place, "making the file")?;
    }
    Ok(())
}

/// Makes the folder of a file (0700), where it is missing.
pub(super) fn prepare_folder(place: &Place) -> Result<(), Failure> {
    match place.path().parent() {
        Some(folder) => {
            reach("store: make its folder").and_then(|()| make_folders(folder)).at(place, "making its folder")
        }
        None => Ok(()),
    }
}

#[cfg(unix)]
fn make_folders(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_folders(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

/// A new file that only this user may read; an error if it exists.
pub(super) fn new_private_file(path: &Path) -> std::io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// An own connection, outside any pool.
pub(super) async fn connect(
    options: &SqliteConnectOptions,
    place: &Place,
) -> Result<SqliteConnection, Failure> {
    options.connect().await.at(place, "opening the database")
}

/// Runs `work` on a thread that may block, with the raw handle of `connection`; gives the connection back.
///
/// If the caller stops waiting, the work still ends, and the connection is closed after it.
pub(super) async fn with_handle<C, T, F>(mut connection: C, place: &Place, work: F) -> Result<(C, T), Failure>
where
    C: std::ops::DerefMut<Target = SqliteConnection> + Send + 'static,
    T: Send + 'static,
    F: FnOnce(&mut sqlx::sqlite::LockedSqliteHandle<'_>) -> Result<T, Failure> + Send + 'static,
{
    let runtime = Handle::current();
    let place = place.clone();
    blocking(move || {
        let mut handle = runtime.block_on(connection.lock_handle()).at(&place, "locking the connection")?;
        let result = work(&mut handle);
        drop(handle);
        result.map(|value| (connection, value))
    })
    .await
}

/// Runs `work` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Failure::new(Exit::Bug, format!("a thread ended early: {error}"))),
    }
}
