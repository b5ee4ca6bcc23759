//! Ledgers on the servers that `scripts/with-servers` started: a database of its own for each house.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, Row as _};

use crate::engine::{Ledger, by_table};

/// The protocol, and the SQL that only one of them has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Postgres,
    Mariadb,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    /// Up to the name of the database.
    base: String,
    /// A database that is always there.
    home: String,
    pub(crate) port: u16,
}

/// One ledger's database; dropped on the server too.
pub(crate) struct Database {
    server: Server,
    name: String,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Postgres => "PostgreSQL",
            Kind::Mariadb => "MariaDB",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Kind::Postgres => "NIGHTJOB_TEST_POSTGRES",
            Kind::Mariadb => "NIGHTJOB_TEST_MYSQL",
        }
    }
}

impl Server {
    /// The one whose address stands in the environment.
    pub(crate) fn of_environment(kind: Kind) -> Server {
        let url = std::env::var(kind.variable());
        let url = url.unwrap_or_else(|_| panic!("no {}: run it by scripts/torture", kind.variable()));
        let (base, home) = url.rsplit_once('/').expect("an address with a database");
        let port =
            base.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).expect("an address with a port");
        Server { kind, base: base.to_owned(), home: home.to_owned(), port }
    }

    fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.base)
    }

    fn new_name(&self) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        format!("torture_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn database(&self) -> Database {
        let name = self.new_name();
        self.execute(&self.home, &[format!("CREATE DATABASE {name}")]);
        Database { server: self.clone(), name }
    }

    pub(crate) fn copy(&self, of: &Database) -> Database {
        let name = self.new_name();
        match self.kind {
            Kind::Postgres => {
                self.execute(&self.home, &[format!("CREATE DATABASE {name} TEMPLATE {}", of.name)])
            }
            Kind::Mariadb => {
                let mut all = vec![format!("CREATE DATABASE {name}")];
                for table in of.columns().into_keys() {
                    all.push(format!("CREATE TABLE {name}.{table} LIKE {}.{table}", of.name));
                    all.push(format!("INSERT INTO {name}.{table} SELECT * FROM {}.{table}", of.name));
                }
                self.execute(&self.home, &all);
            }
        }
        Database { server: self.clone(), name }
    }

    fn execute(&self, database: &str, all: &[String]) {
        let rows = block_on(self.ask(database, all));
        rows.unwrap_or_else(|error| panic!("{all:?}: {error}"));
    }

    /// The statements one after another; the rows of all, as texts.
    async fn ask(&self, database: &str, all: &[String]) -> Result<Vec<Vec<String>>, sqlx::Error> {
        let mut found = Vec::new();
        match self.kind {
            Kind::Postgres => {
                let mut connection = PgConnection::connect(&self.url(database)).await?;
                for sql in all {
                    let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut connection).await?;
                    found.extend(rows.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect()));
                }
                connection.close().await?;
            }
            Kind::Mariadb => {
                let mut connection = MySqlConnection::connect(&self.url(database)).await?;
                for sql in all {
                    let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut connection).await?;
                    found.extend(rows.iter().map(|row| (0..row.len()).map(|at| row.get(at)).collect()));
                }
                connection.close().await?;
            }
        }
        Ok(found)
    }
}

impl Database {
    pub(crate) fn address(&self, port: Option<u16>) -> String {
        let own = self.server.url(&self.name);
        match port {
            Some(port) => own.replace(&format!(":{}/", self.server.port), &format!(":{port}/")),
            None => own,
        }
    }

    /// All columns, by table.
    fn all_columns(&self) -> Vec<(String, String)> {
        let schema = match self.server.kind {
            Kind::Postgres => "current_schema()",
            Kind::Mariadb => "database()",
        };
        let char = self.char();
        let sql = format!(
            "SELECT CAST(table_name AS {char}), CAST(column_name AS {char}) FROM information_schema.columns
             WHERE table_schema = {schema} ORDER BY table_name, ordinal_position"
        );
        let rows = block_on(self.server.ask(&self.name, &[sql])).expect("a schema");
        rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
    }

    fn char(&self) -> &'static str {
        match self.server.kind {
            Kind::Postgres => "TEXT",
            Kind::Mariadb => "CHAR",
        }
    }

    fn columns(&self) -> std::collections::BTreeMap<String, Vec<String>> {
        let mut tables = std::collections::BTreeMap::new();
        for (table, column) in self.all_columns() {
            let columns: &mut Vec<String> = tables.entry(table).or_default();
            columns.push(column);
        }
        tables
    }

    /// What stands in the tables at one instant.
    pub(crate) fn ledger(&self) -> Ledger {
        let tables = by_table(self.all_columns().into_iter());
        let begin = match self.server.kind {
            Kind::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Kind::Mariadb => "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        };
        let mut all = vec![begin.to_owned()];
        for (table, columns) in &tables {
            let cell = |column: &String| format!("coalesce(CAST({column} AS {}), '~')", self.char());
            let cells: Vec<String> = columns.iter().map(cell).collect();
            all.push(format!("SELECT '{table}', {} FROM {table}", cells.join(", ")));
        }
        let mut ledger = Ledger::default();
        for row in block_on(self.server.ask(&self.name, &all)).expect("rows") {
            ledger.take(&row[0], &tables[&row[0]], &row[1..]);
        }
        ledger
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let force = if self.server.kind == Kind::Postgres { " WITH (FORCE)" } else { "" };
        let sql = format!("DROP DATABASE IF EXISTS {}{force}", self.name);
        // The servers themselves go with the harness.
        block_on(self.server.ask(&self.server.home, &[sql])).ok();
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}
