//! The gateway's tables through a driver manager: Oracle 10g first of all, and whatever else has an ODBC driver.
//!
//! The calls block, so each question has a thread. Rows come in batches into bound buffers, as UTF-16, because what most
//! drivers make of "narrow" text depends on the machine's locale. Nobody tells reliably how long a value can be (a
//! CLOB, PostgreSQL's text, SQLite's anything), so the buffers begin small: a batch with a value that did not fit is
//! not shown, the buffer of that column grows, and the question is asked again without what was shown already. Nothing
//! is ever cut.

use odbc_api::buffers::{BufferDesc, ColumnarDynBuffer};
use odbc_api::sys::{Date, Timestamp};
use odbc_api::{Connection, ConnectionOptions, Cursor, DataType, Error, ResultSetMetadata as _, environment};

use super::Server;
use super::catalog::Table;
use super::dialect::{Behind, Column, Dialect, Engine, Kind};
use super::stream::{Ids, Question, Visit};
use crate::domain::{Exit, Failure};
use crate::store::place::{At, OdbcSource, Place};
use crate::store::sqlite::blocking;
use crate::store::trouble::Trouble;

/// Until a server has answered, as for the other engines.
const LOGIN_SECONDS: u32 = 30;
/// Rows of a batch, and bytes of its buffers: a driver on a network wants a thousand rows, long values fewer.
const BATCH_ROWS: usize = 1_000;
const BATCH_BYTES: usize = 16 << 20;
/// Where a column's buffer begins, in units of UTF-16; most texts of the log are shorter.
const TEXT_UNITS: usize = 256;
/// A message of a provider has a few thousand characters; what is longer than this is no text of a log.
const TEXT_UNITS_MAX: usize = 64 << 20;

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        match error {
            Error::Diagnostics { record, .. }
            | Error::UnableToRepresentNull(record)
            | Error::UnsupportedOdbcApiVersion(record)
            | Error::OracleOdbcDriverDoesNotSupport64Bit(record)
            | Error::InvalidRowArraySize { record, .. } => Trouble::Odbc {
                state: record.state.as_str().to_owned(),
                number: record.native_error,
                message: String::from_utf16_lossy(&record.message).trim().to_owned(),
            },
            error => Trouble::Driver(error.to_string()),
        }
    }
}

impl Engine {
    fn named(name: &str) -> Engine {
        let name = name.to_ascii_lowercase();
        match () {
            () if name.contains("oracle") => Engine::Oracle,
            () if name.contains("postgres") => Engine::Postgres,
            () if name.contains("maria") || name.contains("mysql") => Engine::Mysql,
            () if name.contains("sqlite") => Engine::Sqlite,
            () => Engine::Other,
        }
    }

    /// Whether text is fetched as UTF-8. MariaDB's driver (3.1.15) loses the last characters of wide texts that hold
    /// some Chinese ones, without a word; its narrow text is in the charset that the connection asks for.
    fn is_narrow(self) -> bool {
        self == Engine::Mysql
    }

    /// What keeps a driver from fetching a whole answer into memory, where it would.
    fn streaming(self) -> &'static str {
        match self {
            Engine::Postgres => ";UseDeclareFetch=1;Fetch=1000",
            Engine::Mysql => ";NO_CACHE=1;FORWARDONLY=1;CHARSET=utf8mb4",
            Engine::Oracle | Engine::Sqlite | Engine::Other => "",
        }
    }

    /// What lets an answer have all of its rows, where a server's own settings may cut it short without a word.
    fn whole(self) -> Option<&'static str> {
        (self == Engine::Mysql).then_some("SET SESSION sql_select_limit = 18446744073709551615")
    }

    /// What makes the connection read-only, and its clock ours.
    fn hush(self) -> &'static [&'static str] {
        match self {
            Engine::Oracle => &["ALTER SESSION SET TIME_ZONE = '+08:00'", "SET TRANSACTION READ ONLY"],
            Engine::Postgres => &["SET TIME ZONE 8", "SET TRANSACTION READ ONLY"],
            Engine::Mysql => &["SET time_zone = '+08:00'", "SET SESSION TRANSACTION READ ONLY"],
            Engine::Sqlite => &["PRAGMA query_only = 1"],
            Engine::Other => &[],
        }
    }
}

/// Connects once and learns who is behind the driver.
pub(super) async fn meet(source: OdbcSource, place: Place) -> Result<Behind, Failure> {
    blocking(move || {
        let told = connect(&source, "").and_then(|connection| {
            let engine = Engine::named(&connection.database_management_system_name()?);
            let quote = connection.identifier_quote_char().ok().flatten();
            let own = if engine == Engine::Mysql { '`' } else { '"' };
            Ok(Behind { engine, quote: quote.filter(|quote| *quote != ' ').unwrap_or(own) })
        });
        told.at(&place, "opening the ODBC source")
    })
    .await
}

fn connect(source: &OdbcSource, more: &str) -> Result<Connection<'static>, Error> {
    let options =
        ConnectionOptions { login_timeout_sec: Some(LOGIN_SECONDS), ..ConnectionOptions::default() };
    // The last `;` matters: MariaDB's driver reads on behind a value that the string's end alone ends.
    let text = format!("{}{more};", source.connection_string().trim_end_matches([';', ' ']));
    environment()?.connect_with_connection_string(&text, options)
}

/// A connection to an engine that is known.
fn connect_to(source: &OdbcSource, engine: Engine, more: &str) -> Result<Connection<'static>, Error> {
    let connection = connect(source, more)?;
    if let Some(statement) = engine.whole() {
        connection.execute(statement, (), None)?;
    }
    Ok(connection)
}

/// A connection that only reads, as far as the engine can promise it.
fn connect_to_read(source: &OdbcSource, behind: Behind) -> Result<Connection<'static>, Error> {
    let connection = connect_to(source, behind.engine, behind.engine.streaming())?;
    connection.set_autocommit(false)?;
    for statement in behind.engine.hush() {
        connection.execute(statement, (), None)?;
    }
    Ok(connection)
}

/// Does something with a connection on a thread that may wait.
async fn with<T: Send + 'static>(
    server: &Server,
    doing: String,
    work: impl FnOnce(&Connection<'static>, Behind) -> Result<T, Error> + Send + 'static,
) -> Result<T, Failure> {
    let (place, dialect) = (server.place.clone(), server.dialect);
    blocking(move || {
        let (Place::Odbc(source), Dialect::Odbc(behind)) = (&place, dialect) else {
            unreachable!("{} is no ODBC source", place.name())
        };
        let connection = connect_to(source, behind.engine, "");
        connection.and_then(|connection| work(&connection, behind)).at(&place, &doing)
    })
    .await
}

/// Every table that the driver's catalogue names. One without schemas (MySQL's drivers) has the catalogue's own name for
/// a schema.
pub(super) async fn tables(server: &Server, behind: Behind) -> Result<Vec<Table>, Failure> {
    let found = with(server, "looking for the gateway's tables".to_owned(), |connection, behind| {
        let near = near(connection, behind)?;
        let mut all = Vec::new();
        for row in connection.tables("", "", "", "")? {
            let row = row?;
            let text = |cell: Option<&[u8]>| String::from_utf8_lossy(cell.unwrap_or_default()).into_owned();
            let (catalog, schema) = (text(row.catalog.as_bytes()), text(row.schema.as_bytes()));
            all.push((if schema.is_empty() { catalog } else { schema }, text(row.table.as_bytes())));
        }
        Ok((near, all))
    })
    .await?;
    let (near, all) = found;
    let is_near = |schema: &str| schema.is_empty() || near.iter().any(|n| n.eq_ignore_ascii_case(schema));
    let bare = behind.engine == Engine::Sqlite;
    Ok(all
        .into_iter()
        .map(|(schema, name)| {
            let near = is_near(&schema) || bare;
            server.table(if bare { String::new() } else { schema }, name, near)
        })
        .collect())
}

/// The schemas that a bare name leads to.
fn near(connection: &Connection<'_>, behind: Behind) -> Result<Vec<String>, Error> {
    let sql = match behind.engine {
        Engine::Oracle => "SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM DUAL",
        Engine::Postgres => "SELECT unnest(current_schemas(false))::text",
        Engine::Mysql => "SELECT DATABASE()",
        Engine::Sqlite | Engine::Other => return Ok(Vec::new()),
    };
    let mut schemas = Vec::new();
    if let Some(mut cursor) = connection.execute(sql, (), None)? {
        let mut text = Vec::new();
        while let Some(mut row) = cursor.next_row()? {
            row.get_wide_text(1, &mut text)?;
            schemas.push(String::from_utf16_lossy(&text));
        }
    }
    Ok(schemas)
}

/// The columns of a table as a question to it shows them.
pub(super) async fn columns(server: &Server, table: &Table) -> Result<Vec<Column>, Failure> {
    let sql = format!("SELECT * FROM {} WHERE 1 = 0", table.sql);
    with(server, format!("reading the columns of {}", table.name), move |connection, _| {
        let mut columns = Vec::new();
        if let Some(mut cursor) = connection.execute(&sql, (), None)? {
            for number in 1..=u16::try_from(cursor.num_result_cols()?).unwrap_or(0) {
                let kind = kind_of(cursor.col_data_type(number)?);
                columns.push(Column { name: cursor.col_name(number)?, kind });
            }
        }
        Ok(columns)
    })
    .await
}

fn kind_of(data_type: DataType) -> Kind {
    match data_type {
        DataType::Date | DataType::Timestamp { .. } => Kind::Date,
        DataType::Char { .. }
        | DataType::WChar { .. }
        | DataType::Varchar { .. }
        | DataType::WVarchar { .. }
        | DataType::LongVarchar { .. }
        | DataType::WLongVarchar { .. } => Kind::Text,
        DataType::Binary { .. } | DataType::Varbinary { .. } | DataType::LongVarbinary { .. } => Kind::Bytes,
        _ => Kind::Other,
    }
}

/// How one column of an answer is fetched.
#[derive(Clone, Copy, Debug)]
enum Fetch {
    Date,
    Timestamp,
    Text(Room),
}

/// The buffer of a text.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// Of UTF-16, or of UTF-8 where it is narrow.
    units: usize,
    is_narrow: bool,
    /// A CHAR(n), which is filled up with blanks.
    is_padded: bool,
}

impl Fetch {
    fn of(data_type: DataType, engine: Engine) -> Fetch {
        let is_padded = matches!(data_type, DataType::Char { .. } | DataType::WChar { .. });
        match data_type {
            DataType::Date => Fetch::Date,
            DataType::Timestamp { .. } => Fetch::Timestamp,
            _ => Fetch::Text(Room { units: TEXT_UNITS, is_narrow: engine.is_narrow(), is_padded }),
        }
    }

    fn desc(self) -> BufferDesc {
        match self {
            Fetch::Date => BufferDesc::Date { nullable: true },
            Fetch::Timestamp => BufferDesc::Timestamp { nullable: true },
            Fetch::Text(Room { units, is_narrow: true, .. }) => BufferDesc::Text { max_str_len: units },
            Fetch::Text(Room { units, .. }) => BufferDesc::WText { max_str_len: units },
        }
    }

    /// Room for a value that did not fit; its length in bytes is not always told.
    fn grow(&mut self, needed: Option<usize>) -> bool {
        let Fetch::Text(room) = self else { return false };
        let told = needed.map_or(0, |bytes| if room.is_narrow { bytes + 1 } else { bytes / 2 + 1 });
        room.units = (room.units * 4).max(told);
        room.units <= TEXT_UNITS_MAX
    }
}

/// Where a question is after it was asked once.
enum Asked {
    Answered,
    /// A value of a column did not fit; its bytes, if the driver tells.
    TooShort(usize, Option<usize>),
}

/// As `stream::each`.
pub(super) async fn each<S: Send + 'static>(
    server: Server,
    question: Question,
    (state, visit): (S, Visit<S>),
) -> Result<S, Failure> {
    blocking(move || {
        let place = server.place.clone();
        let (Place::Odbc(source), Dialect::Odbc(behind)) = (&place, server.dialect) else {
            unreachable!("{} is no ODBC source", place.name())
        };
        let connection = connect_to_read(source, behind).at(&place, &question.doing)?;
        let (columns, shown) = (Vec::new(), Ids::default());
        let (place, engine) = (place.clone(), behind.engine);
        let mut reader = Reader { question, state, visit, place, engine, columns, shown };
        loop {
            match reader.ask(&connection)? {
                Asked::Answered => break,
                Asked::TooShort(column, needed) => reader.grow(column, needed)?,
            }
        }
        // Nothing was written; a driver may still refuse to close over an open transaction.
        connection.rollback().at(&reader.place, &reader.question.doing)?;
        Ok(reader.state)
    })
    .await
}

struct Reader<S> {
    question: Question,
    state: S,
    visit: Visit<S>,
    place: Place,
    engine: Engine,
    columns: Vec<Fetch>,
    /// What was shown when the question was asked before.
    shown: Ids,
}

impl<S> Reader<S> {
    /// Asks and shows, until a batch holds a value that did not fit.
    fn ask(&mut self, connection: &Connection<'_>) -> Result<Asked, Failure> {
        let (place, doing) = (self.place.clone(), self.question.doing.clone());
        let cursor = connection.execute(&self.question.sql, (), None).at(&place, &doing)?;
        let Some(mut cursor) = cursor else { return Ok(Asked::Answered) };
        if self.columns.is_empty() {
            self.columns = fetches(&mut cursor, self.engine).at(&place, &doing)?;
        }
        let descs: Vec<BufferDesc> = self.columns.iter().map(|column| column.desc()).collect();
        let row_bytes: usize = descs.iter().map(BufferDesc::bytes_per_row).sum();
        let rows = (BATCH_BYTES / row_bytes.max(1)).clamp(1, BATCH_ROWS);
        let buffer = ColumnarDynBuffer::try_from_descs(rows, descs).at(&place, &doing)?;
        let mut cursor = cursor.bind_buffer(buffer).at(&place, &doing)?;
        let mut ids = Ids::default();
        let mut asked = Asked::Answered;
        // As many batches as there are.
        loop {
            match cursor.fetch_with_truncation_check(true) {
                Ok(None) => break,
                Ok(Some(batch)) => match self.full_column(batch) {
                    Some(column) => {
                        asked = Asked::TooShort(column, None);
                        break;
                    }
                    None => self.show(batch, &mut ids),
                },
                Err(Error::TooLargeValueForBuffer { indicator, buffer_index }) => {
                    asked = Asked::TooShort(buffer_index, indicator);
                    break;
                }
                Err(error) => return Err(error).at(&place, &doing),
            }
            self.question.check()?;
        }
        self.shown.add(ids);
        Ok(asked)
    }

    fn grow(&mut self, column: usize, needed: Option<usize>) -> Result<(), Failure> {
        match self.columns.get_mut(column).is_some_and(|column| column.grow(needed)) {
            true => {
                (self.visit.again)(&mut self.state);
                Ok(())
            }
            false => {
                let (place, doing) = (self.place.name(), &self.question.doing);
                let message =
                    format!("{place}: {doing}: column {} holds a value too long for a text", column + 1);
                Err(Failure::new(Exit::Config, message).hint("check that it is the gateway's table"))
            }
        }
    }

    /// A column with a value that fills its buffer to the last unit: not every driver says that it cut.
    fn full_column(&self, batch: &ColumnarDynBuffer) -> Option<usize> {
        let rows = batch.num_rows();
        self.columns.iter().enumerate().position(|(place, column)| {
            let Fetch::Text(room) = column else { return false };
            let is_full = |length: Option<usize>| length.is_some_and(|length| length >= room.units);
            let column = batch.column(place);
            match (column.as_wide_text(), batch.column(place).as_text()) {
                (Some(texts), _) => (0..rows).any(|row| is_full(texts.get(row).map(<[u16]>::len))),
                (_, Some(texts)) => (0..rows).any(|row| is_full(texts.get(row).map(<[u8]>::len))),
                (None, None) => false,
            }
        })
    }

    fn show(&mut self, batch: &ColumnarDynBuffer, ids: &mut Ids) {
        let mut text = Vec::new();
        let mut ends = Vec::new();
        for row in 0..batch.num_rows() {
            text.clear();
            ends.clear();
            for (place, column) in self.columns.iter().enumerate() {
                column.push(batch, (place, row), &mut text);
                ends.push(text.len());
            }
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let cells: Vec<&[u8]> = starts.zip(&ends).map(|(start, end)| &text[start..*end]).collect();
            if !(self.visit.wants)(&mut self.state, &cells) {
                continue;
            }
            let id = ids.next(&cells);
            if !self.shown.has(id) {
                (self.visit.show)(&mut self.state, id.cast_signed(), &cells);
            }
        }
    }
}

fn fetches(cursor: &mut impl Cursor, engine: Engine) -> Result<Vec<Fetch>, Error> {
    let width = u16::try_from(cursor.num_result_cols()?).unwrap_or(0);
    (1..=width).map(|number| cursor.col_data_type(number).map(|kind| Fetch::of(kind, engine))).collect()
}

impl Fetch {
    /// Appends a cell as text; NULL as nothing.
    fn push(self, batch: &ColumnarDynBuffer, (place, row): (usize, usize), out: &mut Vec<u8>) {
        let column = batch.column(place);
        match self {
            Fetch::Date => {
                if let Some(date) =
                    column.as_nullable_slice::<Date>().and_then(|dates| dates.get(row).copied())
                {
                    out.extend(format!("{:04}-{:02}-{:02}", date.year, date.month, date.day).bytes());
                }
            }
            Fetch::Timestamp => {
                let at = column.as_nullable_slice::<Timestamp>().and_then(|times| times.get(row).copied());
                if let Some(at) = at {
                    let (day, second) = ((at.year, at.month, at.day), (at.hour, at.minute, at.second));
                    out.extend(format!("{:04}-{:02}-{:02} ", day.0, day.1, day.2).bytes());
                    out.extend(format!("{:02}:{:02}:{:02}", second.0, second.1, second.2).bytes());
                }
            }
            Fetch::Text(room) => {
                let start = out.len();
                match room.is_narrow {
                    true => out.extend_from_slice(
                        column.as_text().and_then(|texts| texts.get(row)).unwrap_or_default(),
                    ),
                    false => push_utf16(
                        column.as_wide_text().and_then(|texts| texts.get(row)).unwrap_or_default(),
                        out,
                    ),
                }
                if room.is_padded {
                    out.truncate(start + out[start..].trim_ascii_end().len());
                }
            }
        }
    }
}

/// Half a character becomes U+FFFD.
fn push_utf16(units: &[u16], out: &mut Vec<u8>) {
    out.reserve(units.len());
    let mut rest = units;
    // Nearly all of a log is ASCII.
    while let [unit @ 0..0x80, after @ ..] = rest {
        out.push(unit.to_le_bytes()[0]);
        rest = after;
    }
    let mut bytes = [0; 4];
    for c in char::decode_utf16(rest.iter().copied()) {
        let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut bytes).as_bytes());
    }
}
