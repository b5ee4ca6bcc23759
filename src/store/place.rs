//! Where a database is: an address of the configuration, checked, and safe to print.
//!
//! | address | what it is |
//! |---|---|
//! | `sqlite:PATH` | a file; nothing after the colon is an option |
//! | `postgres://user:password@host/database` | PostgreSQL; options as in libpq: `sslrootcert`, `host=/socket/folder` |
//! | `mysql://user:password@host/database` | MariaDB or MySQL; `ssl-ca`, `socket` |
//! | `odbc:DSN=…;uid=…;pwd=…;` | whatever a driver manager reaches; the gateway's tables only |
//!
//! TLS: a server that is not on this machine is spoken to over TLS with its certificate and name checked, or not at
//! all; an address that asks for less is refused. On loopback and sockets the server decides. Whom to believe stands in
//! the address or is known to the operating system; libpq's variables (PGSSLMODE, PGSSLROOTCERT) change nothing of it,
//! and an option that nobody knows is refused: it may be a wish for TLS, spelled as another engine has it.

use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{ConnectOptions, MySqlConnection, PgConnection};

use super::options::{
    MYSQL_MODES, MYSQL_OPTIONS, POSTGRES_MODES, POSTGRES_OPTIONS, asked_for, names_its_user, only_known,
    unreadable,
};
use super::trouble::Trouble;
use crate::domain::{Exit, Failure};

/// Until a server has answered. Longer than a busy one needs, shorter than an operator's patience.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// The key of the ledger's address.
const LEDGER: &str = "database";

/// Says whether an address of the configuration can be one, before anybody connects to it. `key` is the one that it
/// stands under.
///
/// # Errors
///
/// [`Exit::Config`], without the address, which may hold a password.
pub fn check_address(url: &str, key: &str) -> Result<(), Failure> {
    Place::parse(url, key).map(drop)
}

/// A database as named in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// An absolute path.
    Sqlite(PathBuf),
    Postgres(Server<PgConnectOptions>),
    Mysql(Server<MySqlConnectOptions>),
    Odbc(OdbcSource),
}

/// A connection string of ODBC, password and all, and its name without it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct OdbcSource {
    name: String,
    #[cfg_attr(not(feature = "odbc"), allow(dead_code, reason = "only a driver manager is told"))]
    text: String,
}

impl fmt::Debug for OdbcSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(feature = "odbc")]
impl OdbcSource {
    /// With its password: for the driver manager alone.
    pub(super) fn connection_string(&self) -> &str {
        &self.text
    }
}

/// A database on a server: how to reach it, and its name without the password.
#[derive(Clone)]
pub(super) struct Server<O> {
    name: String,
    options: Box<O>,
}

impl<O> fmt::Debug for Server<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<O> PartialEq for Server<O> {
    fn eq(&self, other: &Server<O>) -> bool {
        self.name == other.name
    }
}

impl<O> Eq for Server<O> {}

impl<O> Server<O> {
    pub(super) fn options(&self) -> &O {
        &self.options
    }
}

impl Place {
    /// Reads an address. `key` is the one that it stands under.
    ///
    /// # Errors
    ///
    /// [`Exit::Config`]: another engine, a database in memory, TLS that checks too little. The address is not
    /// repeated: it may hold a password.
    pub(super) fn parse(url: &str, key: &str) -> Result<Place, Failure> {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        match scheme.to_ascii_lowercase().as_str() {
            "sqlite" => file(rest, key),
            "postgres" | "postgresql" => postgres(url, key).map(Place::Postgres),
            "mysql" | "mariadb" => mysql(&format!("mysql:{rest}"), key).map(Place::Mysql),
            "odbc" => odbc(rest, key).map(Place::Odbc),
            _ => Err(Failure::new(Exit::Config, format!("`{key}` is no address of a database that is known here"))
                .hint(format!(
                    "set `{key}`, or {}, to `sqlite:PATH`, `postgres://user:password@host/database` or `mysql://…`",
                    variable(key)
                ))),
        }
    }

    /// The file of a SQLite database.
    ///
    /// # Panics
    ///
    /// For a server, which has none.
    pub(super) fn path(&self) -> &Path {
        match self {
            Place::Sqlite(path) => path,
            Place::Postgres(_) | Place::Mysql(_) | Place::Odbc(_) => {
                unreachable!("{} is no file", self.name())
            }
        }
    }

    /// For where a ledger's place is looked at by engine.
    ///
    /// # Panics
    ///
    /// Always: [`Place::parse`] lets no ODBC source through as a ledger.
    pub(super) fn is_no_ledger(&self) -> ! {
        unreachable!("{} cannot keep a ledger", self.name())
    }

    /// For messages.
    pub(super) fn name(&self) -> String {
        match self {
            Place::Sqlite(path) => path.display().to_string(),
            Place::Postgres(server) => server.name.clone(),
            Place::Mysql(server) => server.name.clone(),
            Place::Odbc(source) => source.name.clone(),
        }
    }

    pub(super) fn failure(&self, doing: &str, trouble: &Trouble) -> Failure {
        let is_server = !matches!(self, Place::Sqlite(_));
        let (exit, hint) = trouble.meaning(is_server);
        let failure = Failure::new(exit, format!("{}: {doing}: {}", self.name(), trouble.text())).hint(hint);
        Failure { is_passing: is_server && trouble.is_passing(), ..failure }
    }
}

fn file(rest: &str, key: &str) -> Result<Place, Failure> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let in_memory = path.is_empty() || path.contains(":memory:");
    let absolute = std::path::absolute(path).ok().filter(|_| !in_memory);
    absolute.map(Place::Sqlite).ok_or_else(|| {
        Failure::new(Exit::Config, format!("`{key}` names no file: `sqlite:{path}`"))
            .hint(format!("set `{key}` to `sqlite:PATH`"))
    })
}

/// The gateway's tables only: what a ledger needs of its engine, no driver promises.
fn odbc(text: &str, key: &str) -> Result<OdbcSource, Failure> {
    if key == LEDGER {
        let message = format!("`{key}` is an ODBC source; the ledger cannot be kept in one");
        return Err(Failure::new(Exit::Config, message).hint(
            "set `database` to sqlite:PATH, postgres://… or mysql://…; an ODBC source stands under [paylog]",
        ));
    }
    let named = |key: &str| {
        let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.trim(), value.trim()))
            .find(|(name, _)| name.eq_ignore_ascii_case(key))
    };
    match named("dsn").or_else(|| named("driver")) {
        Some((_, value)) if !value.is_empty() => {
            Ok(OdbcSource { name: format!("odbc:{value}"), text: text.to_owned() })
        }
        _ => Err(Failure::new(Exit::Config, format!("`{key}` is an ODBC source that names no DSN"))
            .hint("write odbc:DSN=name;uid=user;pwd=password;")),
    }
}

fn postgres(url: &str, key: &str) -> Result<Server<PgConnectOptions>, Failure> {
    let options = PgConnectOptions::from_str(url);
    let mut options = options.map_err(|_| unreadable(url, key, ("postgres", POSTGRES_MODES)))?;
    only_known(url, POSTGRES_OPTIONS, key)?;
    names_its_user(url, key)?;
    let Some(database) = options.get_database().map(str::to_owned) else { return Err(nameless(key)) };
    let (host, port) = (options.get_host().to_owned(), options.get_port());
    let is_here = options.get_socket().is_some() || host.starts_with('/') || is_loopback(&host);
    let asked = asked_for(url, &["sslmode", "ssl-mode"]);
    let mode = if asked { options.get_ssl_mode() } else { PgSslMode::Prefer };
    let mode = match mode {
        PgSslMode::VerifyFull => PgSslMode::VerifyFull,
        mode if is_here => mode,
        _ if asked => return Err(too_little_tls(key, "sslmode=verify-full")),
        _ => PgSslMode::VerifyFull,
    };
    if !asked_for(url, &["sslrootcert", "ssl-root-cert", "ssl-ca"]) {
        // In place of what PGSSLROOTCERT may name: no authority beside the operating system's.
        options = options.ssl_root_cert_from_pem(Vec::new());
    }
    let name = format!("postgres://{host}:{port}/{database}");
    let options = options.ssl_mode(mode).application_name("nightjob").disable_statement_logging();
    Ok(Server { name, options: Box::new(options) })
}

fn mysql(url: &str, key: &str) -> Result<Server<MySqlConnectOptions>, Failure> {
    let options = MySqlConnectOptions::from_str(url);
    let options = options.map_err(|_| unreadable(url, key, ("mysql", MYSQL_MODES)))?;
    only_known(url, MYSQL_OPTIONS, key)?;
    names_its_user(url, key)?;
    let Some(database) = options.get_database().map(str::to_owned) else { return Err(nameless(key)) };
    let (host, port) = (options.get_host().to_owned(), options.get_port());
    let is_here = options.get_socket().is_some() || is_loopback(&host);
    let asked = asked_for(url, &["sslmode", "ssl-mode"]);
    let mode = match options.get_ssl_mode() {
        MySqlSslMode::VerifyIdentity => MySqlSslMode::VerifyIdentity,
        mode if is_here => mode,
        _ if asked => return Err(too_little_tls(key, "ssl-mode=VERIFY_IDENTITY")),
        _ => MySqlSslMode::VerifyIdentity,
    };
    let name = format!("mysql://{host}:{port}/{database}");
    let options = options.ssl_mode(mode).charset("utf8mb4").disable_statement_logging();
    Ok(Server { name, options: Box::new(options) })
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn nameless(key: &str) -> Failure {
    Failure::new(Exit::Config, format!("`{key}` names a server and no database"))
        .hint("put the database's name behind the host: …@host/database")
}

fn too_little_tls(key: &str, enough: &str) -> Failure {
    let message =
        format!("`{key}` names another machine and asks for TLS that does not check whom it talks to");
    Failure::new(Exit::Config, message)
        .hint(format!("leave the option out or write {enough}; an own certificate authority is named by sslrootcert (postgres) or ssl-ca (mysql)"))
}

/// The variable of a key: what there is where no file of ours is, beside an old configuration.
fn variable(key: &str) -> String {
    format!("NIGHTJOB_{}", key.replace('.', "__").to_ascii_uppercase())
}

impl Server<PgConnectOptions> {
    /// A connection of its own, outside any pool.
    pub(super) async fn connect(&self) -> Result<PgConnection, Trouble> {
        in_time(Box::pin(self.options.connect())).await
    }
}

impl Server<MySqlConnectOptions> {
    /// A connection of its own, outside any pool, in which nothing is cut short in silence.
    pub(super) async fn connect(&self) -> Result<MySqlConnection, Trouble> {
        let mut connection = in_time(Box::pin(self.options.connect())).await?;
        sqlx::query(WHOLE).execute(&mut connection).await?;
        Ok(connection)
    }
}

/// Whatever the server's own settings are: a text too long, a number out of range, a missing default are errors; an
/// answer has all of its rows; and a question sees what is there now, not what was when its connection was made.
pub(super) const WHOLE: &str = "SET SESSION sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE', sql_select_limit = 18446744073709551615, autocommit = 1";

async fn in_time<T>(connecting: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, Trouble> {
    match tokio::time::timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(connected) => Ok(connected?),
        Err(_) => {
            let waited = CONNECT_TIMEOUT.as_secs();
            Err(Trouble::Connection(format!("the server did not answer within {waited} s")))
        }
    }
}

/// A value in the ledger that this program would not have written.
pub(super) fn foreign_value(place: &Place, column: &str, value: &str) -> Failure {
    let text = format!("`{column}` holds `{value}`, which nightjob never writes");
    place.failure("reading the ledger", &Trouble::Foreign(text))
}

/// Says of an error where it happened and what was being done.
pub(super) trait At<T> {
    fn at(self, place: &Place, doing: &str) -> Result<T, Failure>;
}

impl<T, E: Into<Trouble>> At<T> for Result<T, E> {
    fn at(self, place: &Place, doing: &str) -> Result<T, Failure> {
        self.map_err(|error| place.failure(doing, &error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<String, Failure> {
        Place::parse(url, "database").map(|place| place.name())
    }

    #[test]
    fn addresses_without_their_passwords() {
        for (url, name) in [
            ("sqlite:/a/b.db", "/a/b.db"),
            ("sqlite:///a/b.db", "/a/b.db"),
            ("sqlite:/a/b.db?mode=memory", "/a/b.db?mode=memory"),
            ("postgres://u:geheim@127.0.0.1:5433/night", "postgres://127.0.0.1:5433/night"),
            ("postgresql://u@db.example/night", "postgres://db.example:5432/night"),
            ("mysql://u:geheim@localhost/night", "mysql://localhost:3306/night"),
            ("mariadb://u:ge%40heim@db.example:3307/night", "mysql://db.example:3307/night"),
            ("odbc:uid=ttpay;pwd=geheim;DSN=ttpay;", "odbc:ttpay"),
            ("ODBC:Driver={Oracle in OraClient10g};Dbq=t;Pwd=geheim", "odbc:{Oracle in OraClient10g}"),
        ] {
            let place = Place::parse(url, "paylog.database").unwrap();
            assert_eq!(place.name(), name);
            assert!(!format!("{place:?}").contains("geheim"), "no password in {place:?}");
        }
    }

    #[test]
    fn what_is_no_address_says_so_without_its_password() {
        for (url, part) in [
            ("oracle://u:geheim@host/db", "no address of a database"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "names no file"),
            ("/data/x.db", "no address of a database"),
            ("postgres://u:geheim@host", "no database"),
            ("mysql://u:geheim@host/", "no database"),
            ("odbc:DSN=x;pwd=geheim", "the ledger cannot be kept"),
            ("postgres://u:gehe@im@host:port/x", "postgres://user:password@host/database"),
            ("postgres://db.example/x", "names no user"),
            ("postgres://:geheim@db.example/x", "names no user"),
            ("postgres://localhost/x?host=/run/pg&user=", "names no user"),
            ("mysql://localhost/x?socket=/run/my.sock", "names no user"),
        ] {
            let failure = parse(url).unwrap_err();
            assert_eq!(failure.exit, Exit::Config, "{url}");
            assert!(failure.message.contains(part), "{url}: {}", failure.message);
            assert!(!format!("{failure:?}").contains("geheim"), "no password in {failure:?}");
        }
    }

    #[test]
    fn another_machine_is_spoken_to_over_checked_tls_only() {
        let pg = |url: &str| match Place::parse(url, "database") {
            Ok(Place::Postgres(server)) => Ok(format!("{:?}", server.options().get_ssl_mode())),
            other => Err(other.unwrap_err()),
        };
        let my = |url: &str| match Place::parse(url, "database") {
            Ok(Place::Mysql(server)) => Ok(format!("{:?}", server.options().get_ssl_mode())),
            other => Err(other.unwrap_err()),
        };
        for url in [
            "postgres://u@db.example/x",
            "postgres://u@10.0.0.9/x",
            "postgres://u@127.0.0.1/x?sslmode=verify-full",
        ] {
            assert_eq!(pg(url).as_deref(), Ok("VerifyFull"), "{url}");
        }
        for url in
            ["postgres://u@127.0.0.1/x", "postgres://u@[::1]/x", "postgres://u@localhost/x?host=/run/pg"]
        {
            assert_eq!(pg(url).as_deref(), Ok("Prefer"), "{url}");
        }
        for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
            let failure = pg(&format!("postgres://u@db.example/x?sslmode={mode}")).unwrap_err();
            assert!(failure.hint.contains("verify-full"), "{mode}: {failure:?}");
        }
        assert_eq!(my("mysql://u@db.example/x").as_deref(), Ok("VerifyIdentity"));
        assert_eq!(
            my("mysql://u@localhost/x?socket=/run/my.sock&ssl-mode=DISABLED").as_deref(),
            Ok("Disabled")
        );
        for mode in ["DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA"] {
            let failure = my(&format!("mysql://u@db.example/x?ssl-mode={mode}")).unwrap_err();
            assert!(failure.hint.contains("VERIFY_IDENTITY"), "{mode}: {failure:?}");
        }
    }
}
