//! Stored notifications of providers: a file or a table of them, shown one at a time. Never written, never understood here.
//!
//! | `[paylog] notices` | what it is |
//! |---|---|
//! | `file:PATH` | JSON lines, `{"at":"2016-11-08 09:00:05","body":"amount=12.34&…"}`; or a CSV with the titles `at` and `body` |
//! | `table:NAME` | a table of the log's database with the columns `at` (or `REQ_DATE`) and `body` |
//!
//! Which of the two a file is, its first character tells. A line that cannot be read is shown with an empty body, so that it is counted.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use super::server::tables as server;
use super::sqlite::notices::of_table;
use crate::domain::{Exit, Failure};
use crate::store::place::{At, Place};
use crate::store::sqlite;

/// One notification is a form or a small XML; what is longer is none.
const BODY_BYTES_MAX: usize = 1 << 20;
/// A million notifications a day for a few months; a larger file is not what was meant.
const FILE_BYTES_MAX: u64 = 64 << 30;

/// One stored notification as it stands there.
#[derive(Clone, Copy, Debug)]
pub struct NoticeRow<'a> {
    /// From 1, in the order of the file or table.
    pub number: i64,
    pub at: &'a str,
    pub body: &'a str,
}

/// Shows every notification of `source` (`file:/abs/path` or `table:NAME`) to `listener`, on a thread that may wait, and
/// gives it back. `database` and `schema` are the log's.
///
/// # Errors
///
/// [`Exit::Config`] for a missing file, table or column; [`Exit::Storage`] for one that cannot be read.
pub async fn read_notices<L, F>(
    source: &str,
    (database, schema): (&str, &str),
    mut listener: L,
    mut show: F,
) -> Result<L, Failure>
where
    L: Send + 'static,
    F: FnMut(&mut L, &NoticeRow<'_>) + Send + 'static,
{
    match source.split_once(':') {
        Some(("file", path)) => {
            let path = path.to_owned();
            sqlite::blocking(move || {
                of_file(Path::new(&path), |row| show(&mut listener, row))?;
                Ok(listener)
            })
            .await
        }
        Some(("table", name)) => {
            let place = Place::parse(database, "paylog.database")?;
            match place {
                Place::Sqlite(_) => of_table((place, name), listener, show).await,
                Place::Postgres(_) | Place::Mysql(_) | Place::Odbc(_) => {
                    server::notices((place, schema, name), listener, show).await
                }
            }
        }
        _ => Err(Failure::new(Exit::Bug, format!("`{source}` names no notices"))),
    }
}

fn of_file(path: &Path, mut show: impl FnMut(&NoticeRow<'_>)) -> Result<(), Failure> {
    const DOING: &str = "reading stored notices";
    let place = Place::Sqlite(path.to_owned());
    if !path.is_file() {
        return Err(Failure::new(Exit::Config, format!("{}: there is no such file", path.display()))
            .hint("check `notices` under [paylog]"));
    }
    let file = File::open(path).at(&place, DOING)?;
    if file.metadata().at(&place, DOING)?.len() > FILE_BYTES_MAX {
        return Err(Failure::new(Exit::Config, format!("{}: this file is too large", path.display()))
            .hint("name a file of notifications in `notices` under [paylog]"));
    }
    let mut reader = BufReader::new(file);
    let head = reader.fill_buf().at(&place, DOING)?;
    let bom = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let is_json = head[bom..].iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
    reader.consume(bom);
    match is_json {
        true => json_lines(reader, show).at(&place, DOING),
        false => csv_rows(reader, path, &mut show),
    }
}

#[derive(Deserialize)]
struct Line {
    #[serde(alias = "REQ_DATE", alias = "req_date")]
    at: String,
    #[serde(alias = "BODY")]
    body: String,
}

fn json_lines(mut reader: impl BufRead, mut show: impl FnMut(&NoticeRow<'_>)) -> std::io::Result<()> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let limit = BODY_BYTES_MAX as u64;
        if reader.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() == BODY_BYTES_MAX && !line.ends_with(b"\n") {
            reader.skip_until(b'\n')?;
            line = b"too long".to_vec();
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let read: Option<Line> = serde_json::from_slice(&line).ok();
        let (at, body) = read.as_ref().map_or(("", ""), |line| (&line.at, &line.body));
        show(&NoticeRow { number, at, body });
    }
    Ok(())
}

fn csv_rows(reader: impl Read, path: &Path, show: &mut impl FnMut(&NoticeRow<'_>)) -> Result<(), Failure> {
    let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(reader);
    let unreadable = |error: csv::Error| {
        Failure::new(Exit::Storage, format!("{}: reading stored notices: {error}", path.display()))
    };
    let titles = csv.byte_headers().map_err(unreadable)?;
    let columns = columns(titles.iter().map(|title| String::from_utf8_lossy(title).into_owned()));
    let (at, body) = columns.ok_or_else(|| lacks_columns(&path.display().to_string()))?;
    let mut record = csv::ByteRecord::new();
    let mut number = 0;
    while csv.read_byte_record(&mut record).map_err(unreadable)? {
        number += 1;
        let cell = |place: usize| String::from_utf8_lossy(record.get(place).unwrap_or_default());
        let (at, body) = (cell(at), cell(body));
        let body = if body.len() < BODY_BYTES_MAX { &*body } else { "" };
        show(&NoticeRow { number, at: &at, body });
    }
    Ok(())
}

/// The places of time and body among the names of columns.
pub(super) fn columns(names: impl Iterator<Item = String>) -> Option<(usize, usize)> {
    let names: Vec<String> = names.map(|name| name.trim().to_ascii_lowercase()).collect();
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    Some((place("at").or_else(|| place("req_date"))?, place("body")?))
}

pub(super) fn lacks_columns(name: &str) -> Failure {
    Failure::new(
        Exit::Config,
        format!("{name}: stored notices need the columns `at` (or REQ_DATE) and `body`"),
    )
    .hint("check `notices` under [paylog]; a file may also be JSON lines")
}
