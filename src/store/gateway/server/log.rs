//! EB_PAYLOG on a server: found by name, planned by REQ_DATE, shown in slices.
//!
//! REQ_DATE is a native date (Oracle DATE, TIMESTAMP, DATETIME), which is compared with literals of its own kind, or
//! text, which is asked for by its days and cut to the second while reading, as in SQLite.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Server;
use super::catalog::Table;
use super::dialect::{Column, Kind};
use super::stream::{Question, Visit, each, rows};
use crate::domain::{BillDate, Exit, Failure, LogCover, Moment};
use crate::store::gateway::log_row::{COLUMNS, REQ_DATE};
use crate::store::gateway::paylog::instant;
use crate::store::place::Place;

const TABLE: &str = "EB_PAYLOG";
const READING: &str = "reading EB_PAYLOG";
const PLANNING: &str = "looking how far EB_PAYLOG reaches";

/// The gateway's log on a server.
#[derive(Clone, Debug)]
pub(in crate::store) struct ServerLog {
    server: Server,
    table: Table,
    /// In the order of [`COLUMNS`].
    columns: Vec<Column>,
    has_index: bool,
}

/// How a window will be read: a question for each thread.
pub(in crate::store) struct Plan {
    pub(in crate::store) slices: Vec<String>,
    /// Rows of the whole log without a date.
    pub(in crate::store) undated: u64,
}

impl ServerLog {
    /// # Errors
    ///
    /// [`Exit::Config`] if the table or a column is missing; what the server says, if it cannot be reached.
    pub(in crate::store) async fn open(place: Place, schema: &str) -> Result<ServerLog, Failure> {
        let server = Server::meet(place).await?;
        let table = server.find(schema, TABLE).await?;
        let all = server.columns(&table).await?;
        let columns = server.all_of_ours(&all)?;
        let has_index = server.has_index(&table, &columns[REQ_DATE]).await?;
        Ok(ServerLog { server, table, columns, has_index })
    }

    pub(in crate::store) fn place(&self) -> &Place {
        &self.server.place
    }

    /// First and last REQ_DATE of the whole log, and the rows of one day.
    pub(in crate::store) async fn cover(&self, day: BillDate) -> Result<LogCover, Failure> {
        let (from, to) = self.bounds(&(day.start()..day.end()));
        let on_day = self.count(&format!("{date} >= {from} AND {date} < {to}", date = self.date())).await?;
        let (first, last) = (self.edge("min").await?, self.edge("max").await?);
        Ok(LogCover { first, last, rows_on_day: on_day })
    }

    /// Cuts a window into at most `parts` slices. Without an index each would read the whole table, so there is one.
    pub(in crate::store) async fn plan(&self, window: &Range<Moment>, parts: usize) -> Result<Plan, Failure> {
        let undated = self.count(&self.server.dialect.undated(&self.columns[REQ_DATE])).await?;
        let parts = if self.has_index { parts.max(1) } else { 1 };
        let window = match parts {
            1 => window.clone(),
            // A search through all older days begins where the log does.
            _ => match self.edge("min").await? {
                Some(first) => window.start.max(first).min(window.end)..window.end,
                None => return Ok(Plan { slices: Vec::new(), undated }),
            },
        };
        let bounds = self.cuts(&window, parts);
        let slices = bounds.windows(2).map(|pair| self.select(&pair[0], &pair[1])).collect();
        Ok(Plan { slices, undated })
    }

    /// Shows the rows of a slice to a sink, whose cells stand in the order of [`COLUMNS`].
    pub(in crate::store) async fn each<S: Send + 'static>(
        &self,
        (sql, stop): (String, Arc<AtomicBool>),
        state: S,
        visit: Visit<S>,
    ) -> Result<S, Failure> {
        let question = Question { sql, doing: READING.to_owned(), stop };
        each(&self.server, question, (state, visit)).await
    }

    fn date(&self) -> String {
        self.server.dialect.quoted(&self.columns[REQ_DATE].name)
    }

    fn is_native(&self) -> bool {
        self.columns[REQ_DATE].kind == Kind::Date
    }

    /// A window as literals; where REQ_DATE is text, by its days.
    fn bounds(&self, window: &Range<Moment>) -> (String, String) {
        match self.is_native() {
            true => (self.server.dialect.instant(window.start), self.server.dialect.instant(window.end)),
            false => {
                let last = window.end.plus_seconds(-1).date();
                (format!("'{}'", window.start.date()), format!("'{}'", last.after()))
            }
        }
    }

    /// The literals between which the slices lie, of about the same length in time.
    fn cuts(&self, window: &Range<Moment>, parts: usize) -> Vec<String> {
        let (from, to) = self.bounds(window);
        let parts = i64::try_from(parts).unwrap_or(1);
        let seconds = window.end.since(window.start);
        let middle = (1..parts)
            .map(|part| window.start.plus_seconds(seconds / parts * part))
            .map(|cut| if self.is_native() { self.server.dialect.instant(cut) } else { format!("'{cut}'") });
        std::iter::once(from).chain(middle).chain(std::iter::once(to)).collect()
    }

    fn select(&self, from: &str, to: &str) -> String {
        let texts = self.columns.iter().enumerate();
        let texts: Vec<String> =
            texts.map(|(place, column)| self.server.dialect.text(column, place == REQ_DATE)).collect();
        let (table, date) = (&self.table.sql, self.date());
        format!("SELECT {} FROM {table} WHERE {date} >= {from} AND {date} < {to}", texts.join(", "))
    }

    async fn count(&self, which: &str) -> Result<u64, Failure> {
        let count = self.server.dialect.number_text("count(*)");
        let sql = format!("SELECT {count} FROM {} WHERE {which}", self.table.sql);
        let answer = rows(&self.server, (sql, &[]), 1, PLANNING).await?;
        // Some drivers write a count as a decimal.
        let text = answer.into_iter().flatten().next().unwrap_or_default();
        text.split('.').next().and_then(|digits| digits.parse().ok()).ok_or_else(|| {
            Failure::new(Exit::Storage, format!("{}: {PLANNING}: `{text}` is no count", self.place().name()))
        })
    }

    /// The first or last REQ_DATE (`min`, `max`).
    async fn edge(&self, which: &str) -> Result<Option<Moment>, Failure> {
        let date = format!("{which}({})", self.date());
        let text = if self.is_native() { self.server.dialect.date_text(&date) } else { date };
        let dated = self.server.dialect.dated(&self.columns[REQ_DATE]);
        let sql = format!("SELECT {text} FROM {} WHERE {dated}", self.table.sql);
        let answer = rows(&self.server, (sql, &[]), 1, PLANNING).await?;
        let text = answer.into_iter().flatten().next().unwrap_or_default();
        instant(&text, self.place())
    }
}

impl Server {
    /// The columns of R050 in their order; other columns do not matter.
    fn all_of_ours(&self, all: &[Column]) -> Result<Vec<Column>, Failure> {
        let find = |wanted: &str| all.iter().find(|column| column.name.eq_ignore_ascii_case(wanted));
        let missing: Vec<&str> = COLUMNS.into_iter().filter(|wanted| find(wanted).is_none()).collect();
        let wrong = |text: String| {
            let message = format!("{}: table {TABLE} {text}", self.place.name());
            Err(Failure::new(Exit::Config, message).hint("check that it is the log of the payment gateway"))
        };
        if !missing.is_empty() {
            return wrong(format!("lacks the columns {}", missing.join(", ")));
        }
        let ours: Vec<Column> = COLUMNS.iter().filter_map(|wanted| find(wanted)).cloned().collect();
        match ours[REQ_DATE].kind {
            Kind::Date | Kind::Text => Ok(ours),
            Kind::Bytes | Kind::Other => wrong("has a REQ_DATE that is neither a date nor a text".to_owned()),
        }
    }
}
