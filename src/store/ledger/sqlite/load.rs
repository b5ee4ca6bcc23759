//! A unit's movements into the two big tables: written as a file of the table's shape, attached, moved over.
//!
//! The file lies beside the ledger with the same mode and is removed as soon as SQLite has opened it; what a crash
//! in between leaves is removed when the next unit begins. See `sqlite/image.rs` for the reason.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::domain::Failure;
use crate::store::ledger::link::{Arg, Link};
use crate::store::ledger::load::Load;
use crate::store::ledger::schema::Dialect;
use crate::store::place::{At, Place};
use crate::store::sqlite::image::Image;
use crate::store::sqlite::{blocking, new_private_file};
use crate::store::value::Value;

/// Pages of the file to be attached; large ones need fewer steps.
const LOAD_PAGE_BYTES: usize = 65_536;
/// Marks files of a load; the ledger's own name stands before it.
const LOAD_MARK: &str = ".load-";

/// A file to be attached; removed when dropped.
pub(in crate::store::ledger) struct Incoming(PathBuf);

impl Drop for Incoming {
    fn drop(&mut self) {
        // On Windows an attached file cannot be removed; then the next unit does it.
        std::fs::remove_file(&self.0).ok();
    }
}

/// Writes the rows as a file beside the ledger.
pub(in crate::store::ledger) async fn write_file(place: &Place, load: &Load) -> Result<Incoming, Failure> {
    let (place, load) = (place.clone(), load.clone());
    blocking(move || {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{LOAD_MARK}{}-{number}", place.path().display(), std::process::id());
        let path = PathBuf::from(name);
        let file = new_private_file(&path).at(&place, "making a file for the load beside it")?;
        let incoming = Incoming(path);
        write(file, &load).at(&place, "writing the file of the load beside it")?;
        Ok(incoming)
    })
    .await
}

fn write(file: std::fs::File, load: &Load) -> std::io::Result<()> {
    // The image gathers a megabyte itself; the buffer's capacity is not needed.
    let mut image = Image::new(BufWriter::with_capacity(0, file), LOAD_PAGE_BYTES)?;
    load.each(|id, row| {
        let mut row = *row;
        // The table's key is its rowid, and stands in no record.
        row[0] = Value::Null;
        image.row(id, &row)
    })?;
    let table = load.rows.table();
    image.finish(table.name, &table.create(Dialect::Sqlite))?.flush()
}

/// Moves the rows of the file into the table, which holds none of the unit any more.
pub(in crate::store::ledger) async fn fill(
    link: &mut Link<'_>,
    place: &Place,
    load: &Load,
    incoming: Incoming,
) -> Result<(), Failure> {
    let (attach, fill) = match load.rows.table().name {
        "ledger_entry" => (
            "ATTACH ?1 AS incoming_ledger_entry",
            "INSERT INTO main.ledger_entry SELECT * FROM incoming_ledger_entry.ledger_entry",
        ),
        _ => (
            "ATTACH ?1 AS incoming_logged_order",
            "INSERT INTO main.logged_order SELECT * FROM incoming_logged_order.logged_order",
        ),
    };
    let doing = load.doing();
    link.execute(attach, &[Arg::Text(&read_only_uri(&incoming.0))]).await.at(place, doing)?;
    drop(incoming);
    link.execute(fill, &[]).await.at(place, doing)?;
    Ok(())
}

/// Removes what a crash left between writing and attaching a file. Only for who holds the ledger's write lock: then
/// no load of another process is under way.
pub(in crate::store::ledger) fn remove_leftovers(place: &Place) {
    let path = place.path();
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
    let prefix = format!("{}{LOAD_MARK}", name.to_string_lossy());
    let Ok(files) = std::fs::read_dir(folder) else { return };
    for file in files.flatten() {
        if file.file_name().to_string_lossy().starts_with(&prefix) {
            tracing::info!(file = %file.path().display(), "removing what an interrupted load left");
            std::fs::remove_file(file.path()).ok();
        }
    }
}

/// The path as SQLite's URI (<https://sqlite.org/uri.html>): read-only, and never locked or changed by others.
fn read_only_uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    let text = path.to_string_lossy().replace('\\', "/");
    if !text.starts_with('/') {
        uri.push('/');
    }
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b':' => {
                uri.push(char::from(byte))
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    uri
}
