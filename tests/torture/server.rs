//! Ledgers on the servers that `scripts/with-servers` started: a database of its own for each house.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, Row as _};

use crate::engine::{Ledger, by_table};

/// Of twenty a second.
const START_TRIES: usize = 1200;

/// The protocol, and the SQL that only one of them has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Postgres,
    Mariadb,
}

#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    /// Up to the name of the database.
    base: String,
    /// A database that is always there.
    home: String,
    pub(crate) port: u16,
    /// Copies that nobody uses any more, by what they are copies of: to put one back is ten times as fast as to make one.
    shelf: Shelf,
}

type Shelf = Arc<Mutex<HashMap<String, Vec<String>>>>;

/// One ledger's database.
pub(crate) struct Database {
    server: Server,
    name: String,
    copy_of: Option<String>,
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
        Server { kind, base: base.to_owned(), home: home.to_owned(), port, shelf: Shelf::default() }
    }

    fn folder() -> PathBuf {
        PathBuf::from(std::env::var_os("NIGHTJOB_TEST_SERVERS").expect("run it by scripts/torture"))
    }

    /// Kills it with all its processes: no one is left to tell anybody, or to write anything.
    pub(crate) fn kill(&self) {
        let file = match self.kind {
            Kind::Postgres => "postgres/data/postmaster.pid",
            Kind::Mariadb => "mariadb.pid",
        };
        let text = std::fs::read_to_string(Server::folder().join(file)).expect("a server's process id");
        let pid = text.lines().next().expect("a process id").trim().to_owned();
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", &pid]).output().expect("ps").stdout;
        let children = String::from_utf8_lossy(&children).into_owned();
        let all = std::iter::once(pid.as_str()).chain(children.split_whitespace());
        Command::new("kill").arg("-9").args(all).status().expect("kill");
    }

    /// Starts it again, and waits until it answers.
    pub(crate) fn start_again(&self) {
        let script = match self.kind {
            Kind::Postgres => "postgres.start",
            Kind::Mariadb => "mariadb.start",
        };
        // It names a process that is dead, and whose parent may not have noticed.
        if self.kind == Kind::Postgres {
            std::fs::remove_file(Server::folder().join("postgres/data/postmaster.pid")).ok();
        }
        let mut server = Command::new(Server::folder().join(script));
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = server.spawn().expect("a server");
        std::thread::spawn(move || server.wait());
        let answers = async {
            let mut pause = tokio::time::interval(Duration::from_millis(50));
            // As long as a recovery may take; then the harness says so.
            for _ in 0..START_TRIES {
                pause.tick().await;
                if self.ask(&self.home, &["SELECT 'here'".to_owned()]).await.is_ok() {
                    return true;
                }
            }
            false
        };
        assert!(block_on(answers), "{} does not start again", self.kind.name());
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
        Database { server: self.clone(), name, copy_of: None }
    }

    pub(crate) fn copy(&self, of: &Database) -> Database {
        let tables: Vec<String> = of.columns().into_keys().collect();
        let shelved = self.shelf.lock().expect("no trial panics").get_mut(&of.name).and_then(Vec::pop);
        let name = match (shelved, self.kind) {
            (Some(name), Kind::Postgres) => self.put_back_postgres(name, &tables),
            (None, Kind::Postgres) => self.copy_postgres(&of.name, &tables),
            (shelved, Kind::Mariadb) => self.copy_mariadb(shelved, &of.name, &tables),
        };
        Database { server: self.clone(), name, copy_of: Some(of.name.clone()) }
    }

    /// With a schema beside it that keeps what the copy began with.
    fn copy_postgres(&self, of: &str, tables: &[String]) -> String {
        let name = self.new_name();
        self.execute(&self.home, &[format!("CREATE DATABASE {name} TEMPLATE {of}")]);
        let keep = tables.iter().map(|table| format!("CREATE TABLE begun.{table} AS TABLE public.{table}"));
        self.execute(
            &name,
            &std::iter::once("CREATE SCHEMA begun".to_owned()).chain(keep).collect::<Vec<_>>(),
        );
        name
    }

    /// What a killed process left is ended first.
    fn put_back_postgres(&self, name: String, tables: &[String]) -> String {
        let end = "SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let mut all = vec![end.to_owned(), format!("TRUNCATE {}", tables.join(", "))];
        all.extend(tables.iter().map(|table| format!("INSERT INTO {table} SELECT * FROM begun.{table}")));
        self.execute(&name, &all);
        name
    }

    fn copy_mariadb(&self, shelved: Option<String>, of: &str, tables: &[String]) -> String {
        let mut all = Vec::new();
        let name = shelved.clone().unwrap_or_else(|| self.new_name());
        if shelved.is_none() {
            all.push(format!("CREATE DATABASE {name}"));
            all.extend(tables.iter().map(|table| format!("CREATE TABLE {name}.{table} LIKE {of}.{table}")));
        }
        for table in tables {
            all.push(format!("DELETE FROM {name}.{table}"));
            all.push(format!("INSERT INTO {name}.{table} SELECT * FROM {of}.{table}"));
        }
        self.execute(&self.home, &all);
        name
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
                // The server of the tests ends an answer early wherever nobody asks for all of it.
                sqlx::raw_sql("SET SESSION sql_select_limit = 18446744073709551615")
                    .execute(&mut connection)
                    .await?;
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
    /// The same one once more; whose it was first puts it back.
    pub(crate) fn shared(&self) -> Database {
        Database { server: self.server.clone(), name: self.name.clone(), copy_of: None }
    }

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
            let quote = if self.server.kind == Kind::Postgres { '"' } else { '`' };
            let cell =
                |column: &String| format!("coalesce(CAST({quote}{column}{quote} AS {}), '~')", self.char());
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
    /// What is not a copy goes with the servers, which are the harness's own.
    fn drop(&mut self) {
        if let Some(of) = self.copy_of.take() {
            let mut shelf = self.server.shelf.lock().expect("no trial panics");
            shelf.entry(of).or_default().push(std::mem::take(&mut self.name));
        }
    }
}

pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}
