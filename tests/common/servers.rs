//! A new, empty database for one test, on the servers that `scripts/with-servers` has started; gone with its value.
//!
//! Also taken by the unit tests of `store`, by its path.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

/// The engines of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Postgres,
    Mysql,
}

/// A database of its own on one of the servers.
pub(crate) struct Database {
    pub(crate) engine: Engine,
    /// Also the beginning of the names of its users.
    pub(crate) name: String,
    /// As the server's superuser.
    pub(crate) url: String,
    /// The superuser's address of the server.
    server: String,
    users: Vec<String>,
}

/// An empty database in PostgreSQL.
pub(crate) fn postgres() -> Database {
    Database::on(Engine::Postgres, Engine::Postgres.server())
}

/// An empty database in MariaDB, with the server's default charset.
pub(crate) fn mysql() -> Database {
    Database::on(Engine::Mysql, Engine::Mysql.server())
}

impl Engine {
    /// The superuser's address of the server.
    ///
    /// # Panics
    ///
    /// Without servers.
    pub(crate) fn server(self) -> String {
        let variable = match self {
            Engine::Postgres => "NIGHTJOB_TEST_POSTGRES",
            Engine::Mysql => "NIGHTJOB_TEST_MYSQL",
        };
        std::env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} is not set: this test needs servers, run it as `scripts/with-servers cargo …`")
        })
    }
}

impl Database {
    /// An empty database on another server of this engine.
    pub(crate) fn on(engine: Engine, server: String) -> Database {
        static COUNTED: AtomicU32 = AtomicU32::new(0);
        let number = COUNTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("night_{}_{number}", std::process::id());
        let (address, _) = server.rsplit_once('/').expect("an address with a database");
        let url = format!("{address}/{name}");
        execute(&server, &format!("CREATE DATABASE {name}"));
        Database { engine, name, url, server, users: Vec::new() }
    }

    /// Runs statements, which may be several with `;` between them.
    pub(crate) fn execute(&self, sql: &str) {
        execute(&self.url, sql);
    }

    /// The whole of a question's first column, as text.
    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        ask(&self.url, sql)
    }

    /// A new user with no rights but those in `grants` (`SELECT ON eb_paylog`), and its address.
    pub(crate) fn user(&mut self, grants: &[&str]) -> String {
        let user = format!("{}_{}", self.name, self.users.len());
        let (login, mut sql) = match self.engine {
            Engine::Postgres => (user.clone(), format!("CREATE ROLE {user} LOGIN PASSWORD 'geheim'")),
            Engine::Mysql => {
                (format!("{user}@'%'"), format!("CREATE USER {user}@'%' IDENTIFIED BY 'geheim'"))
            }
        };
        for grant in grants {
            write!(sql, "; GRANT {grant} TO {login}").expect("a text grows");
        }
        self.execute(&sql);
        self.users.push(login);
        let (_, place) = self.url.split_once('@').expect("an address with a user");
        let scheme = self.url.split("://").next().unwrap_or_default();
        format!("{scheme}://{user}:geheim@{place}")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let end = match self.engine {
            Engine::Postgres => format!("DROP DATABASE {} WITH (FORCE)", self.name),
            Engine::Mysql => format!("DROP DATABASE {}", self.name),
        };
        execute(&self.server, &end);
        for user in &self.users {
            execute(&self.server, &format!("DROP USER {user}"));
        }
    }
}

/// Runs statements at an address.
///
/// # Panics
///
/// If the server refuses one.
pub(crate) fn execute(url: &str, sql: &str) {
    try_execute(url, sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Runs statements at an address; what the server says against it.
pub(crate) fn try_execute(url: &str, sql: &str) -> Result<(), String> {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let told = aside(async move {
        if url.starts_with("postgres") {
            let mut connection = sqlx::PgConnection::connect(&url).await?;
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            connection.close().await
        } else {
            let mut connection = sqlx::MySqlConnection::connect(&url).await?;
            connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
            connection.close().await
        }
    });
    told.map_err(|error| error.to_string())
}

/// The first column of an answer as text; the question has to make text of it. NULL is empty.
pub(crate) fn ask(url: &str, sql: &str) -> Vec<String> {
    let (url, question) = (url.to_owned(), sql.to_owned());
    let told = aside(async move {
        let rows: Vec<(Option<String>,)> = if url.starts_with("postgres") {
            let mut connection = sqlx::PgConnection::connect(&url).await?;
            sqlx::query_as(AssertSqlSafe(question)).fetch_all(&mut connection).await?
        } else {
            let mut connection = sqlx::MySqlConnection::connect(&url).await?;
            connection.execute("SET SESSION sql_select_limit = 18446744073709551615").await?;
            sqlx::query_as(AssertSqlSafe(question)).fetch_all(&mut connection).await?
        };
        Ok(rows.into_iter().map(|(text,)| text.unwrap_or_default()).collect())
    });
    told.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// On a thread and a runtime of its own: callers stand inside a runtime or not, and a `drop` cannot wait.
fn aside<T: Send + 'static>(
    work: impl Future<Output = Result<T, sqlx::Error>> + Send + 'static,
) -> Result<T, sqlx::Error> {
    let waiting = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(work)
    };
    std::thread::spawn(waiting).join().expect("the thread of a statement")
}
