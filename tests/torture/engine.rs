//! The databases that hold the ledger, and what stands in it: in a form that does not depend on the engine, without
//! numbers and times that belong to a run.

use std::collections::BTreeMap;
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use crate::server::{self, Server};
use crate::site::Site;

/// What may differ between two ledgers that say the same: a run's own table, numbers that are given in passing, and when
/// a statement came.
const PASSING_TABLES: [&str; 3] = ["night_run", "schema_version", "holder"];
const PASSING_COLUMNS: [(&str, &str); 8] = [
    ("unit", "number"),
    ("ledger_entry", "id"),
    ("logged_order", "id"),
    ("statement", "fetched_at"),
    // Units may come in another order after a kill, and the chain with them: `verify` walks it.
    ("mismatch_event", "seq"),
    ("mismatch_event", "previous"),
    ("mismatch_event", "hash"),
    ("mismatch_event", "run"),
];

/// Where the ledger is kept.
#[derive(Clone, Debug)]
pub(crate) enum Engine {
    Sqlite,
    Server(Server),
}

/// One ledger's database; that of a server goes with it.
pub(crate) enum Database {
    Sqlite,
    Server(server::Database),
}

/// Each row a line, sorted.
pub(crate) type Rows = Vec<String>;

/// What stands in a ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Ledger {
    /// Rows by the unit that they belong to; those of none under an empty name.
    pub(crate) units: BTreeMap<String, Rows>,
    /// What the engine says of its own file, if it is not content.
    pub(crate) damage: String,
}

impl Engine {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Engine::Sqlite => "SQLite",
            Engine::Server(server) => server.kind.name(),
        }
    }

    /// A new database without tables.
    pub(crate) fn database(&self) -> Database {
        match self {
            Engine::Sqlite => Database::Sqlite,
            Engine::Server(server) => Database::Server(server.database()),
        }
    }

    /// A database with everything that another one holds. SQLite's is copied with its folder.
    pub(crate) fn copy(&self, of: &Database) -> Database {
        match (self, of) {
            (Engine::Server(server), Database::Server(of)) => Database::Server(server.copy(of)),
            _ => Database::Sqlite,
        }
    }

    pub(crate) fn server(&self) -> Option<&Server> {
        match self {
            Engine::Sqlite => None,
            Engine::Server(server) => Some(server),
        }
    }

    /// The port whose packets are points.
    pub(crate) fn port(&self) -> Option<u16> {
        self.server().map(|server| server.port)
    }
}

impl Database {
    /// The same one once more.
    pub(crate) fn shared(&self) -> Database {
        match self {
            Database::Sqlite => Database::Sqlite,
            Database::Server(database) => Database::Server(database.shared()),
        }
    }

    /// As the configuration writes it; through another port where a proxy stands before the server.
    pub(crate) fn address(&self, port: Option<u16>) -> String {
        match self {
            Database::Sqlite => "sqlite:data/nightjob.db".to_owned(),
            Database::Server(database) => database.address(port),
        }
    }
}

impl Site {
    /// Reads the ledger without touching it: what a killed process left is what the next one must find.
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = match &self.database {
            Database::Sqlite => server::block_on(sqlite(&self.path().join("data"))),
            Database::Server(database) => database.ledger(),
        };
        ledger.units.values_mut().for_each(|rows| rows.sort_unstable());
        ledger
    }
}

async fn sqlite(data: &Path) -> Ledger {
    let mut ledger = Ledger::default();
    if !data.join("nightjob.db").exists() {
        return ledger;
    }
    let scratch = tempfile::tempdir().expect("a folder");
    for file in ["nightjob.db", "nightjob.db-wal"] {
        std::fs::copy(data.join(file), scratch.path().join(file)).ok();
    }
    let options = SqliteConnectOptions::new().filename(scratch.path().join("nightjob.db"));
    let mut connection = options.disable_statement_logging().connect().await.expect("a database");
    let check = sqlx::query("PRAGMA integrity_check").fetch_one(&mut connection).await;
    let check = check.map_or_else(|error| error.to_string(), |row| row.get(0));
    if check != "ok" {
        ledger.damage = check;
        return ledger;
    }
    let columns =
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'
                   ORDER BY 1, c.cid";
    let columns = sqlx::query(columns).fetch_all(&mut connection).await.expect("a schema");
    for (table, columns) in by_table(columns.iter().map(|row| (row.get(0), row.get(1)))) {
        let listed: Vec<String> =
            columns.iter().map(|column| format!("coalesce(CAST(\"{column}\" AS TEXT), '~')")).collect();
        let query = format!("SELECT {} FROM \"{table}\"", listed.join(", "));
        let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await.expect("rows");
        for row in rows {
            let cells: Vec<String> = (0..columns.len()).map(|at| row.get(at)).collect();
            ledger.take(&table, &columns, &cells);
        }
    }
    connection.close().await.expect("closed");
    ledger
}

/// The columns that count, by table.
pub(crate) fn by_table(columns: impl Iterator<Item = (String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let counts = |(table, column): &(String, String)| {
        !PASSING_TABLES.contains(&table.as_str())
            && !PASSING_COLUMNS.contains(&(table.as_str(), column.as_str()))
    };
    for (table, column) in columns.filter(counts) {
        tables.entry(table).or_default().push(column);
    }
    tables
}

impl Ledger {
    pub(crate) fn take(&mut self, table: &str, columns: &[String], cells: &[String]) {
        let cell = |name: &str| columns.iter().position(|column| column == name).map(|at| cells[at].as_str());
        let unit = match (cell("account"), cell("bill_date")) {
            (Some(account), Some(date)) => format!("{account} {date}"),
            _ => String::new(),
        };
        self.units.entry(unit).or_default().push(format!("{table}|{}", cells.join("|")));
    }

    /// Where it differs from another one.
    pub(crate) fn against(&self, other: &Ledger) -> Option<String> {
        if !self.damage.is_empty() {
            return Some(format!("the ledger is damaged: {}", self.damage));
        }
        let names = self.units.keys().chain(other.units.keys());
        names.filter_map(|name| differing(name, self.units.get(name), other.units.get(name))).next()
    }
}

fn differing(unit: &str, here: Option<&Rows>, there: Option<&Rows>) -> Option<String> {
    let (here, there) = (here.map_or(&[][..], |rows| rows), there.map_or(&[][..], |rows| rows));
    if here == there {
        return None;
    }
    let only = |these: &[String], those: &[String]| {
        these
            .iter()
            .find(|row| !those.contains(row))
            .map_or("nothing".to_owned(), |row| row.chars().take(200).collect::<String>())
    };
    Some(format!(
        "unit `{unit}`: {} rows instead of {}; only here: {}; only there: {}",
        here.len(),
        there.len(),
        only(here, there),
        only(there, here)
    ))
}
