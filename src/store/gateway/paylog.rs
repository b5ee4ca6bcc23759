//! The gateway's log, EB_PAYLOG: opened read-only, looked at for its columns, streamed by REQ_DATE.
//!
//! Rows are shown where they were read, one at a time, by as many threads as there are gatherers: no row waits in a
//! queue, and memory stays what one row needs. Nothing here knows what a message means. A row is never dropped in
//! silence: what cannot be read as text, or has no date, is counted ([`ReadCount`]).

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::log_row::{COLUMNS, OwnedLogRow, REQ_DATE, REQ_OBJ, RES_OBJ, row_of};
use super::needles::Needles;
use super::server::Visit;
use super::server::log::ServerLog;
use super::sqlite::log::{LogTable, Slice, each_row};
use crate::domain::{BillDate, Exit, Failure, LogCover, Moment};
use crate::paylog::LogRow;
use crate::store::place::Place;
use crate::store::sqlite::with_handle;

/// Rows that [`PayLog::find`] keeps: a key such as `1` stands in every message, and must not fill the memory.
const FOUND_ROWS_MAX: usize = 200_000;
/// Threads that look for keys.
const FINDERS: usize = 2;

/// The reader of one engine.
#[derive(Clone, Debug)]
enum Source {
    Sqlite(Box<LogTable>),
    Server(ServerLog),
}

/// EB_PAYLOG, read-only.
#[derive(Clone, Debug)]
pub struct PayLog {
    source: Source,
}

/// What was read, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCount {
    /// Rows of the window that were shown.
    pub rows: u64,
    /// Bytes of their texts.
    pub bytes: u64,
    /// Texts that are not UTF-8, shown with `U+FFFD` in place of what could not be read.
    pub not_utf8: u64,
    /// Rows shown whose REQ_DATE lies in the window's days but is no instant.
    pub odd_dates: u64,
    /// Rows of the whole log without a REQ_DATE; they lie in no window and are never shown.
    pub undated: u64,
    pub elapsed: Duration,
}

impl ReadCount {
    pub fn rows_per_second(&self) -> u64 {
        let micros = self.elapsed.as_micros().max(1);
        u64::try_from(u128::from(self.rows) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }

    fn add(&mut self, part: &ReadCount) {
        self.rows += part.rows;
        self.bytes += part.bytes;
        self.not_utf8 += part.not_utf8;
        self.odd_dates += part.odd_dates;
    }
}

/// Rows that hold a key, in time order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundRows {
    pub rows: Vec<OwnedLogRow>,
    /// More rows matched than are kept; the keys say too little.
    pub cut_off: bool,
    /// Rows are those looked through.
    pub count: ReadCount,
}

impl PayLog {
    /// Opens the log and looks for its table and columns. `url` is `sqlite:PATH`, a server's address, or an ODBC
    /// source; `schema` a prefix, may be empty.
    ///
    /// # Errors
    ///
    /// [`Exit::Config`]: no such engine, no table EB_PAYLOG, missing columns, refused by the server.
    /// [`Exit::Storage`]: no file, or one that cannot be read; no answer.
    pub async fn open(url: &str, schema: &str) -> Result<PayLog, Failure> {
        let place = Place::parse(url, "paylog.database")?;
        let source = match place {
            Place::Sqlite(_) => Source::Sqlite(Box::new(LogTable::open(place, schema).await?)),
            Place::Postgres(_) | Place::Mysql(_) | Place::Odbc(_) => {
                Source::Server(ServerLog::open(place, schema).await?)
            }
        };
        Ok(PayLog { source })
    }

    /// How far the log reaches, and the rows on `date`: the purge guard.
    pub async fn cover(&self, date: BillDate) -> Result<LogCover, Failure> {
        match &self.source {
            Source::Sqlite(table) => table.cover(date).await,
            Source::Server(log) => log.cover(date).await,
        }
    }

    /// The questions that a window becomes, as SQL, for who wants to know what a database makes of them (`EXPLAIN`).
    pub async fn questions(&self, window: Range<Moment>, threads: usize) -> Result<Vec<String>, Failure> {
        Ok(match &self.source {
            Source::Sqlite(table) => {
                table.plan(&window, threads).await?.slices.into_iter().map(Slice::sql).collect()
            }
            Source::Server(log) => log.plan(&window, threads).await?.slices,
        })
    }

    /// Shows each row with REQ_DATE in `window` to one of `gatherers`, each on a thread of its own, and gives them
    /// back with the counts. Which gatherer sees a row, and in which order, is not promised: what matters is in the
    /// row (REQ_DATE, then its id). If the caller stops waiting, the threads end soon.
    pub async fn read<G, F>(
        &self,
        window: Range<Moment>,
        gatherers: Vec<G>,
        show: F,
    ) -> Result<(Vec<G>, ReadCount), Failure>
    where
        G: Send + 'static,
        F: Fn(&mut G, &LogRow<'_>) + Clone + Send + 'static,
    {
        self.read_where(window, gatherers, (None, show)).await
    }

    /// The rows with REQ_DATE in `window` whose request or reply holds one of `keys`, as it stands or in base64:
    /// for the look-back over older days (a window that ends where the night's begins) and for `explain`.
    pub async fn find(&self, keys: &HashSet<String>, window: Range<Moment>) -> Result<FoundRows, Failure> {
        let needles = Arc::new(Needles::new(keys.iter().map(String::as_str)));
        if needles.is_empty() {
            return Ok(FoundRows::default());
        }
        let show = |found: &mut FoundRows, row: &LogRow<'_>| {
            if found.rows.len() < FOUND_ROWS_MAX / FINDERS {
                found.rows.push(OwnedLogRow::from(row));
            } else {
                found.cut_off = true;
            }
        };
        let finders = (0..FINDERS).map(|_| FoundRows::default()).collect();
        let (parts, count) = self.read_where(window, finders, (Some(needles), show)).await?;
        let cut_off = parts.iter().any(|part| part.cut_off);
        let mut rows: Vec<OwnedLogRow> = parts.into_iter().flat_map(|part| part.rows).collect();
        rows.sort_by(|a, b| (&a.req_date, a.row_id).cmp(&(&b.req_date, b.row_id)));
        Ok(FoundRows { rows, cut_off, count })
    }

    async fn read_where<G, F>(
        &self,
        window: Range<Moment>,
        gatherers: Vec<G>,
        (needles, show): (Option<Arc<Needles>>, F),
    ) -> Result<(Vec<G>, ReadCount), Failure>
    where
        G: Send + 'static,
        F: Fn(&mut G, &LogRow<'_>) + Clone + Send + 'static,
    {
        let started = Instant::now();
        let mut total = ReadCount::default();
        if gatherers.is_empty() || window.is_empty() {
            return Ok((gatherers, total));
        }
        let stop = StopOnDrop::default();
        let reader = Reader { window: Window::new(&window), needles, stop: Arc::clone(&stop.0) };
        let mut gatherers = gatherers.into_iter();
        let parts = match &self.source {
            Source::Sqlite(table) => {
                let plan = table.plan(&window, gatherers.len()).await?;
                total.undated = plan.undated;
                let busy = plan.slices.into_iter().zip(gatherers.by_ref()).map(|(slice, gatherer)| {
                    read_slice((table, slice), reader.clone(), gatherer, show.clone())
                });
                try_join_all(busy.collect::<Vec<_>>()).await?
            }
            Source::Server(log) => {
                let plan = log.plan(&window, gatherers.len()).await?;
                total.undated = plan.undated;
                let busy = plan.slices.into_iter().zip(gatherers.by_ref()).map(|(sql, gatherer)| {
                    read_question((log.clone(), sql), reader.clone(), gatherer, show.clone())
                });
                try_join_all(busy.collect::<Vec<_>>()).await?
            }
        };
        let mut done = Vec::new();
        for (gatherer, count) in parts {
            total.add(&count);
            done.push(gatherer);
        }
        done.extend(gatherers);
        total.elapsed = started.elapsed();
        Ok((done, total))
    }
}

/// Sets its flag when whoever waited for the rows is gone.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What is looked for in the rows.
#[derive(Clone)]
struct Reader {
    window: Window,
    needles: Option<Arc<Needles>>,
    stop: Arc<AtomicBool>,
}

async fn read_slice<G, F>(
    (table, slice): (&LogTable, Slice),
    reader: Reader,
    mut gatherer: G,
    show: F,
) -> Result<(G, ReadCount), Failure>
where
    G: Send + 'static,
    F: Fn(&mut G, &LogRow<'_>) + Send + 'static,
{
    let connection = Box::new(table.connect().await?);
    let place = table.place.clone();
    let (_, result) = with_handle(connection, &table.place, move |handle| {
        let mut count = ReadCount::default();
        each_row(handle, &place, (&slice, &reader.stop), |id, bytes| {
            if reader.wants(&bytes, &mut count) {
                as_texts((id, &bytes), &mut count, |row| show(&mut gatherer, row));
            }
        })?;
        Ok((gatherer, count))
    })
    .await?;
    Ok(result)
}

/// The same from a server: on a task of its own, because rows are decoded where they arrive.
async fn read_question<G, F>(
    (log, sql): (ServerLog, String),
    reader: Reader,
    gatherer: G,
    show: F,
) -> Result<(G, ReadCount), Failure>
where
    G: Send + 'static,
    F: Fn(&mut G, &LogRow<'_>) + Send + 'static,
{
    let place = log.place().name();
    let stop = Arc::clone(&reader.stop);
    let state = (reader, gatherer, show, ReadCount::default());
    let visit = Visit {
        wants: |(reader, .., count): &mut (Reader, G, F, ReadCount), cells| reader.wants(cells, count),
        show: |(_, gatherer, show, count), id, cells| {
            as_texts((id, cells), count, |row| show(gatherer, row));
        },
        again: |(.., count)| *count = ReadCount { not_utf8: count.not_utf8, ..ReadCount::default() },
    };
    let reading = tokio::spawn(async move { log.each((sql, stop), state, visit).await });
    match reading.await {
        Ok(result) => result.map(|(_, gatherer, _, count)| (gatherer, count)),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(error) => Err(Failure::new(Exit::Interrupted, format!("{place}: reading EB_PAYLOG: {error}"))),
    }
}

impl Reader {
    /// Whether a row lies in the window, where it is counted, and holds what is looked for.
    fn wants(&self, cells: &[&[u8]], count: &mut ReadCount) -> bool {
        let in_window = self.window.place(cells[REQ_DATE]);
        if in_window == Some(false) {
            return false;
        }
        count.rows += 1;
        count.odd_dates += u64::from(in_window.is_none());
        count.bytes += cells.iter().map(|text| text.len() as u64).sum::<u64>();
        self.needles
            .as_deref()
            .is_none_or(|needles| needles.any_in(cells[REQ_OBJ]) || needles.any_in(cells[RES_OBJ]))
    }
}

/// Shows a row of bytes as texts, with U+FFFD and counted where one cannot be read.
fn as_texts((id, cells): (i64, &[&[u8]]), count: &mut ReadCount, show: impl FnOnce(&LogRow<'_>)) {
    let texts: [Cow<'_, str>; COLUMNS.len()] = std::array::from_fn(|column| {
        let bytes = cells.get(column).copied().unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                count.not_utf8 += 1;
                String::from_utf8_lossy(bytes)
            }
        }
    });
    show(&row_of(id, texts.each_ref().map(|text| &**text)));
}

/// REQ_DATE as an instant; empty is none. Another spelling would not sort as text, so it must stop us here.
pub(super) fn instant(text: &str, place: &Place) -> Result<Option<Moment>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    match Moment::parse(text) {
        Some(moment) if text.as_bytes()[4] == b'-' => Ok(Some(moment)),
        _ => Err(Failure::new(
            Exit::Config,
            format!("{}: REQ_DATE of EB_PAYLOG holds `{text}`, not `yyyy-MM-dd HH:mm:ss`", place.name()),
        )
        .hint("give a view named EB_PAYLOG that converts it, or export the log again")),
    }
}

/// A window of REQ_DATE, also as texts, because nearly every row is compared as text.
#[derive(Clone)]
struct Window {
    moments: Range<Moment>,
    start: String,
    end: String,
}

impl Window {
    fn new(window: &Range<Moment>) -> Window {
        Window { moments: window.clone(), start: window.start.to_string(), end: window.end.to_string() }
    }

    /// Whether a REQ_DATE lies in the window; `None` if it is no instant.
    fn place(&self, date: &[u8]) -> Option<bool> {
        let plain = date.len() == self.start.len() && date.len() == self.end.len() && date[10] == b' ';
        if plain {
            return Some(date >= self.start.as_bytes() && date < self.end.as_bytes());
        }
        let moment = std::str::from_utf8(date).ok().and_then(Moment::parse)?;
        Some(self.moments.contains(&moment))
    }
}
