//! One question and its rows. A row is shown where it was read: none waits in a queue, and memory stays what a row needs.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{Stream, TryStreamExt as _};
use sqlx::{AssertSqlSafe, ColumnIndex, Decode, Row};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Server;
use crate::domain::{Exit, Failure};
use crate::store::place::{At, Place};

/// The server keeps us from writing, and timestamps with a zone are told in ours.
const POSTGRES_HUSH: &str = "BEGIN READ ONLY; SET LOCAL TIME ZONE 8";
const MYSQL_HUSH: &str = "SET time_zone = '+08:00'; START TRANSACTION READ ONLY";

/// What becomes of the rows of a question, with a state that goes along.
#[derive(Clone, Copy)]
pub(in crate::store::gateway) struct Visit<S> {
    /// Whether a row is to be shown.
    pub(in crate::store::gateway) wants: fn(&mut S, &[&[u8]]) -> bool,
    /// Shows a row, once.
    pub(in crate::store::gateway) show: fn(&mut S, i64, &[&[u8]]),
    /// The question is asked once more: every row will be asked about again.
    #[cfg_attr(not(feature = "odbc"), allow(dead_code, reason = "only buffers of ODBC can be too short"))]
    pub(in crate::store::gateway) again: fn(&mut S),
}

/// A question, what it is for, and the flag that says that nobody waits any more.
#[derive(Clone)]
pub(super) struct Question {
    pub(super) sql: String,
    pub(super) doing: String,
    pub(super) stop: Arc<AtomicBool>,
}

/// Ids for rows of which the engine has none: what they say, as a number; rows that say the same count on. So a row
/// has the same id on every engine and whenever it is read, in whatever order.
#[derive(Default)]
pub(super) struct Ids(HashSet<u64>);

impl Ids {
    pub(super) fn next(&mut self, cells: &[&[u8]]) -> u64 {
        let mut id = cells.iter().fold(0, |hash, cell| xxh3_64_with_seed(cell, hash)) >> 1;
        while !self.0.insert(id) {
            id = (id + 1) & (u64::MAX >> 1);
        }
        id
    }

    #[cfg(feature = "odbc")]
    pub(super) fn has(&self, id: u64) -> bool {
        self.0.contains(&id)
    }

    #[cfg(feature = "odbc")]
    pub(super) fn add(&mut self, other: Ids) {
        self.0.extend(other.0);
    }
}

/// Asks, and shows every row that is wanted; gives the sink's state back.
pub(super) async fn each<S: Send + 'static>(
    server: &Server,
    question: Question,
    (state, visit): (S, Visit<S>),
) -> Result<S, Failure> {
    asked(server, (question, Vec::new()), (state, visit)).await
}

async fn asked<S: Send + 'static>(
    server: &Server,
    (question, binds): (Question, Vec<String>),
    (state, visit): (S, Visit<S>),
) -> Result<S, Failure> {
    let place = &server.place;
    let doing = question.doing.clone();
    match place {
        Place::Postgres(server) => {
            let mut connection = server.connect().await.at(place, &doing)?;
            sqlx::raw_sql(POSTGRES_HUSH).execute(&mut connection).await.at(place, &doing)?;
            let query = sqlx::query(AssertSqlSafe(question.sql.clone()));
            let query = binds.into_iter().fold(query, sqlx::query::Query::bind);
            drain(query.fetch(&mut connection), place, &question, (state, visit)).await
        }
        Place::Mysql(server) => {
            let mut connection = server.connect().await.at(place, &doing)?;
            sqlx::raw_sql(MYSQL_HUSH).execute(&mut connection).await.at(place, &doing)?;
            let query = sqlx::query(AssertSqlSafe(question.sql.clone()));
            let query = binds.into_iter().fold(query, sqlx::query::Query::bind);
            drain(query.fetch(&mut connection), place, &question, (state, visit)).await
        }
        #[cfg(feature = "odbc")]
        Place::Odbc(_) => super::odbc::each(server.clone(), question, (state, visit)).await,
        #[cfg(not(feature = "odbc"))]
        Place::Odbc(_) => Err(super::without_odbc(place)),
        Place::Sqlite(_) => unreachable!("{} is a file", place.name()),
    }
}

async fn drain<R, S>(
    mut rows: impl Stream<Item = Result<R, sqlx::Error>> + Unpin,
    place: &Place,
    question: &Question,
    (mut state, visit): (S, Visit<S>),
) -> Result<S, Failure>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> Option<&'r [u8]>: Decode<'r, R::Database>,
{
    let mut ids = Ids::default();
    // As many as there are.
    while let Some(row) = rows.try_next().await.at(place, &question.doing)? {
        let cells = (0..row.len()).map(|column| row.try_get_unchecked::<Option<&[u8]>, _>(column));
        let cells: Vec<&[u8]> = cells
            .map(|cell| cell.map(Option::unwrap_or_default))
            .collect::<Result<_, _>>()
            .at(place, &question.doing)?;
        if (visit.wants)(&mut state, &cells) {
            let id = ids.next(&cells);
            (visit.show)(&mut state, id.cast_signed(), &cells);
        }
        question.check()?;
    }
    Ok(state)
}

impl Question {
    pub(super) fn new(sql: String, doing: &str) -> Question {
        Question { sql, doing: doing.to_owned(), stop: Arc::default() }
    }

    /// An error once nobody waits.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.stop.load(Ordering::Relaxed) {
            true => Err(Failure::new(Exit::Interrupted, format!("{} was cut off", self.doing))),
            false => Ok(()),
        }
    }
}

/// The answer to a small question, as texts; more than `most` rows are an error.
pub(super) async fn rows(
    server: &Server,
    (sql, binds): (String, &[&str]),
    most: usize,
    doing: &str,
) -> Result<Vec<Vec<String>>, Failure> {
    let question = Question::new(sql, doing);
    let binds = binds.iter().map(|text| (*text).to_owned()).collect();
    let visit = Visit {
        wants: |(rows, most): &mut (Vec<Vec<String>>, usize), _| rows.len() <= *most,
        show: |(rows, _), _, cells| {
            rows.push(cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect());
        },
        again: |_| (),
    };
    let (rows, _) = asked(server, (question, binds), ((Vec::new(), most), visit)).await?;
    match rows.len() > most {
        true => {
            let message = format!("{}: {doing}: more than {most} rows", server.place.name());
            Err(Failure::new(Exit::Config, message).hint("check that it is the gateway's database"))
        }
        false => Ok(rows),
    }
}
