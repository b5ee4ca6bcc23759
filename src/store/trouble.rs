//! What an engine, a driver or the disk said, and what it means to the person who has to act on it.

use std::io::ErrorKind;

use rustls::CertificateError;

use crate::domain::{Exit, is_full};
use crate::store::sqlite::RawError;

/// What went wrong, in the words of whoever said it.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite's extended code and text.
    Sqlite { code: i32, message: String },
    /// PostgreSQL's SQLSTATE and text.
    Postgres { code: String, message: String },
    /// MySQL's and MariaDB's error number and text.
    Mysql { number: u16, message: String },
    /// SQLSTATE, the driver's own number and its text, of a driver or the driver manager.
    #[cfg_attr(not(feature = "odbc"), allow(dead_code, reason = "only a driver manager says it"))]
    Odbc { state: String, number: i32, message: String },
    /// A disk, or the connection to a server.
    Io(std::io::Error),
    /// Why TLS was not to be had, or is not believed.
    Tls { distrust: Distrust, message: String },
    /// A server that did not answer in time.
    Connection(String),
    /// A value that nobody of us wrote, or that cannot be kept.
    Foreign(String),
    /// The driver itself: a pool, a worker, a column of another type.
    Driver(String),
}

/// What is wrong with a server's TLS, by who can mend it where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Distrust {
    /// The server offers none, or somebody on the way says so in its name.
    Absent,
    /// The certificate is somebody else's.
    Name,
    /// Nobody known here vouches for the certificate.
    Issuer,
    /// It is not valid today.
    Date,
    Other,
}

const REPORT: (Exit, &str) = (Exit::Bug, "please report this");
const AGAIN: (Exit, &str) =
    (Exit::Storage, "nothing of this step was kept; run it again once the database server answers");
const DENIED: (Exit, &str) =
    (Exit::Config, "check user and password of the address, and what this user may do in the database");
const NO_SUCH: (Exit, &str) = (Exit::Config, "check the address: is it the right database and schema?");
const FULL: (Exit, &str) = (Exit::Storage, "the database server's disk is full; make space and run again");
const FULL_HERE: (Exit, &str) = (Exit::Storage, "the disk is full; make space and run again");

impl Trouble {
    pub(super) fn text(&self) -> String {
        match self {
            Trouble::Sqlite { code, message } => format!("{message} (SQLite {code})"),
            Trouble::Postgres { code, message } => format!("{message} (SQLSTATE {code})"),
            Trouble::Mysql { number, message } => format!("{message} (error {number})"),
            Trouble::Odbc { state, message, .. } => format!("{message} (SQLSTATE {state})"),
            Trouble::Io(error) => error.to_string(),
            Trouble::Tls { message, .. } => format!("TLS: {message}"),
            Trouble::Connection(text) | Trouble::Foreign(text) | Trouble::Driver(text) => text.clone(),
        }
    }

    /// Exit and hint. `is_server`: the place is not a file of ours.
    pub(super) fn meaning(&self, is_server: bool) -> (Exit, &'static str) {
        match self {
            Trouble::Sqlite { code, .. } => of_sqlite(*code),
            Trouble::Postgres { code, .. } => of_postgres(code),
            Trouble::Mysql { number, .. } => of_mysql(*number),
            Trouble::Odbc { state, number, message } => of_odbc(state, *number, message),
            Trouble::Tls { distrust, .. } => (Exit::Config, of_distrust(*distrust)),
            Trouble::Io(error) if is_server && error.kind() == ErrorKind::NotFound => (
                Exit::Storage,
                "a file that the address names is not there: a certificate (sslrootcert, ssl-ca), or the socket of a server that does not run",
            ),
            Trouble::Io(_) | Trouble::Connection(_) if is_server => AGAIN,
            Trouble::Io(error) if is_full(error) => FULL_HERE,
            Trouble::Io(_) => (Exit::Storage, "check the folder: does it exist, may this user write it?"),
            Trouble::Connection(_) => {
                (Exit::Storage, "another program holds the database; close it and run again")
            }
            Trouble::Foreign(_) => (
                Exit::Storage,
                "somebody else changed the ledger, or it is damaged: `nightjob verify` says where",
            ),
            Trouble::Driver(_) => REPORT,
        }
    }

    /// Whether the same may well succeed in a moment, on a new connection: a line that broke, a server that was started
    /// again, another transaction in the way. A pool that has tried for long already is no such case.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Trouble::Postgres { code, .. } if code.starts_with("40") || code == "55P03" => true,
            // A lock that was waited for, a deadlock.
            Trouble::Mysql { number: 1205 | 1213, .. } => true,
            Trouble::Tls { .. } | Trouble::Connection(_) => false,
            _ => self.is_lost_connection(),
        }
    }

    /// Whether the connection is gone, so that nobody knows what became of what was asked last.
    pub(super) fn is_lost_connection(&self) -> bool {
        match self {
            Trouble::Io(_) | Trouble::Tls { .. } | Trouble::Connection(_) => true,
            Trouble::Postgres { code, .. } => code.starts_with("08") || code.starts_with("57P"),
            Trouble::Mysql { number, .. } => {
                matches!(number, 1053 | 1077 | 1152 | 1158..=1161 | 1184 | 1927 | 4031)
            }
            Trouble::Odbc { state, .. } => state.starts_with("08"),
            Trouble::Sqlite { .. } | Trouble::Foreign(_) | Trouble::Driver(_) => false,
        }
    }
}

fn of_distrust(distrust: Distrust) -> &'static str {
    match distrust {
        Distrust::Absent => {
            "switch TLS on in the database server (PostgreSQL: ssl, MariaDB: ssl_cert); if it is on, somebody between here and there keeps it out. Nothing was sent"
        }
        Distrust::Name => {
            "write the host in the address as the certificate names it, or have a certificate made for that host; if both are right, this is another server"
        }
        Distrust::Issuer => {
            "name the file of the certificate authority in the address (postgres: sslrootcert=FILE, mysql: ssl-ca=FILE), or make it known to this machine; if that is done, this is another server"
        }
        Distrust::Date => "have the database server's certificate renewed, and check this machine's clock",
        Distrust::Other => "check the database server's certificate and that it speaks TLS 1.2 or 1.3",
    }
}

/// By the primary result code (<https://sqlite.org/rescode.html>).
fn of_sqlite(code: i32) -> (Exit, &'static str) {
    match code & 0xff {
        5 | 6 => (Exit::Storage, "another program holds the database; close it and run again"),
        8 => (Exit::Storage, "the file or its folder cannot be written by this user"),
        10 => (Exit::Storage, "the disk is full, failing or not local; check it, then run again"),
        11 | 26 => (
            Exit::Storage,
            "the file is damaged or not a database; check what it is before you touch it. (A lost ledger is built anew from the archive by `nightjob reconcile`; EB_PAYLOG is the gateway's)",
        ),
        13 => FULL_HERE,
        14 => (
            Exit::Storage,
            "check the path, that the disk has space, and that this user may open the file and write its folder",
        ),
        _ => REPORT,
    }
}

/// By SQLSTATE (PostgreSQL manual, appendix A).
fn of_postgres(code: &str) -> (Exit, &'static str) {
    match code {
        "53100" => FULL,
        "42501" => DENIED,
        "3D000" | "3F000" | "42P01" | "42703" => NO_SUCH,
        "25006" => {
            (Exit::Storage, "the database server takes no writes now (a standby?); check it, then run again")
        }
        _ => match code.get(..2) {
            Some("28") => DENIED,
            // Connection, resources, an operator's or the system's doing, a lock or a deadlock.
            Some("08" | "53" | "55" | "57" | "58" | "40") => AGAIN,
            _ => REPORT,
        },
    }
}

/// By number (MariaDB knowledge base, "MariaDB Error Codes"; the same in MySQL).
fn of_mysql(number: u16) -> (Exit, &'static str) {
    match number {
        1021 | 1114 => FULL,
        1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1698 => DENIED,
        1049 | 1146 | 1054 => NO_SUCH,
        1290 | 1792 | 1836 => {
            (Exit::Storage, "the database server takes no writes now (read-only?); check it, then run again")
        }
        1153 => (Exit::Config, "raise max_allowed_packet on the database server to 16M or more"),
        // Too many connections, shutdown, lock waits, deadlocks, a broken or killed connection.
        1040
        | 1053
        | 1077
        | 1152
        | 1158..=1161
        | 1180
        | 1184
        | 1203
        | 1205
        | 1213
        | 1226
        | 1317
        | 1927
        | 3024
        | 4031 => AGAIN,
        _ => REPORT,
    }
}

const OTHER_BITS: (Exit, &str) = (
    Exit::Config,
    "driver and program are of different kinds: a 64-bit nightjob needs a 64-bit ODBC driver and a DSN made with the \
     64-bit administrator (C:\\Windows\\System32\\odbcad32.exe; the one in SysWOW64 makes 32-bit ones)",
);
const NO_DSN: (Exit, &str) = (
    Exit::Config,
    "make a system DSN of this name for the user that runs nightjob (Windows: odbcad32.exe of the same bitness; \
     elsewhere odbc.ini and odbcinst.ini, see `odbcinst -j`)",
);
/// A library that is not there, and one that is of another architecture, are told in words only.
const DRIVER_MISSING: (Exit, &str) = (
    Exit::Config,
    "the driver cannot be loaded: is its file there, are the client's libraries on the path, and is it of the same \
     bitness as nightjob (64-bit needs 64-bit)?",
);

/// By SQLSTATE (ODBC Programmer's Reference, appendix A), else by Oracle's own number, which stands in the text.
fn of_odbc(state: &str, number: i32, message: &str) -> (Exit, &'static str) {
    let says = |word: &str| message.to_ascii_lowercase().contains(word);
    let oracle = |code: &str| message.contains(code);
    match state {
        "IM014" => OTHER_BITS,
        _ if says("architecture mismatch") || says("wrong elf class") => OTHER_BITS,
        "IM002" => NO_DSN,
        "01000" | "IM003" | "IM004" | "IM005" if says("can't open lib") || state != "01000" => DRIVER_MISSING,
        _ if number == 1017 || oracle("ORA-01017") || oracle("ORA-28000") || oracle("ORA-01031") => DENIED,
        // Drivers file a wrong password under a failed connection.
        _ if says("authentication failed") || says("access denied") || state == "42501" => DENIED,
        _ if oracle("ORA-00942") => (
            Exit::Config,
            "the table is not there or this user may not read it: GRANT SELECT on it, and set `schema` under [paylog] \
             to its owner",
        ),
        "42S02" | "42S22" | "42P01" | "42703" | "3D000" | "3F000" => NO_SUCH,
        "HYT00" | "HYT01" => AGAIN,
        _ => match state.get(..2) {
            Some("28") => DENIED,
            Some("08" | "40" | "53" | "57") => AGAIN,
            _ if number == 1045 || number == 1044 || number == 1142 => DENIED,
            _ => (
                Exit::Storage,
                "this is what the ODBC driver says; try the DSN with `isql -v` or the administrator's test",
            ),
        },
    }
}

impl From<RawError> for Trouble {
    fn from(error: RawError) -> Trouble {
        Trouble::Sqlite { code: error.code, message: error.message }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Trouble {
        Trouble::Io(error)
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Trouble {
        match error {
            sqlx::Error::Database(error) => of_database(&*error),
            sqlx::Error::Io(error) => of_io(error),
            sqlx::Error::Tls(error) => Trouble::Tls {
                distrust: if error.to_string().contains("does not support TLS") {
                    Distrust::Absent
                } else {
                    Distrust::Other
                },
                message: error.to_string(),
            },
            error @ (sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => {
                Trouble::Connection(error.to_string())
            }
            // A connection that ends in the middle of a message, or is answered by no database server.
            sqlx::Error::Protocol(text) => {
                Trouble::Io(std::io::Error::new(ErrorKind::ConnectionAborted, text))
            }
            error => Trouble::Driver(error.to_string()),
        }
    }
}

/// A handshake that we ended comes as an error of the connection, with TLS's own inside. What happens to a connection
/// later stays what it is: it may be tried again.
fn of_io(error: std::io::Error) -> Trouble {
    let distrust = match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(certificate)) => match certificate {
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Distrust::Name
            }
            CertificateError::UnknownIssuer => Distrust::Issuer,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Distrust::Date,
            _ => Distrust::Other,
        },
        Some(rustls::Error::PeerIncompatible(_)) => Distrust::Other,
        _ => return Trouble::Io(error),
    };
    Trouble::Tls { distrust, message: error.to_string() }
}

fn of_database(error: &dyn sqlx::error::DatabaseError) -> Trouble {
    let message = error.message().to_owned();
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return Trouble::Mysql { number: error.number(), message };
    }
    let code = error.code().unwrap_or_default();
    match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        Some(_) => Trouble::Postgres { code: code.into_owned(), message },
        None => match code.parse() {
            Ok(code) => Trouble::Sqlite { code, message },
            Err(_) => Trouble::Driver(message),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_to_act() {
        let postgres = |code: &str| Trouble::Postgres { code: code.to_owned(), message: String::new() };
        let mysql = |number| Trouble::Mysql { number, message: String::new() };
        let sqlite = |code| Trouble::Sqlite { code, message: String::new() };
        for (trouble, exit, words) in [
            (sqlite(13), Exit::Storage, "disk is full"),
            (sqlite(5), Exit::Storage, "another program"),
            (sqlite(1), Exit::Bug, "report"),
            (postgres("28P01"), Exit::Config, "user and password"),
            (postgres("42501"), Exit::Config, "what this user may do"),
            (postgres("3D000"), Exit::Config, "right database"),
            (postgres("53100"), Exit::Storage, "disk is full"),
            (postgres("57P01"), Exit::Storage, "run it again"),
            (postgres("40P01"), Exit::Storage, "run it again"),
            (postgres("25006"), Exit::Storage, "no writes"),
            (postgres("22001"), Exit::Bug, "report"),
            (mysql(1045), Exit::Config, "user and password"),
            (mysql(1049), Exit::Config, "right database"),
            (mysql(1213), Exit::Storage, "run it again"),
            (mysql(1114), Exit::Storage, "disk is full"),
            (mysql(1406), Exit::Bug, "report"),
        ] {
            let (found, hint) = trouble.meaning(true);
            assert_eq!(found, exit, "{trouble:?}");
            assert!(hint.contains(words), "{trouble:?}: {hint}");
        }
        for (state, message, exit, words) in [
            ("IM014", "The specified DSN contains an architecture mismatch", Exit::Config, "64-bit"),
            ("IM002", "Data source name not found", Exit::Config, "system DSN"),
            ("01000", "Can't open lib 'x.so' : file not found", Exit::Config, "cannot be loaded"),
            ("28000", "ORA-01017: invalid username/password", Exit::Config, "user and password"),
            ("S1000", "ORA-01017: invalid username/password", Exit::Config, "user and password"),
            ("42S02", "ORA-00942: table or view does not exist", Exit::Config, "GRANT SELECT"),
            ("08S01", "Communication link failure", Exit::Storage, "run it again"),
            ("HYT00", "Timeout expired", Exit::Storage, "run it again"),
        ] {
            let trouble = Trouble::Odbc { state: state.to_owned(), number: 0, message: message.to_owned() };
            let (found, hint) = trouble.meaning(true);
            assert!(found == exit && hint.contains(words), "{trouble:?}: {hint}");
        }
        let cut =
            Trouble::from(sqlx::Error::Protocol("unexpected response from SSLRequest: 0x00".to_owned()));
        assert_eq!(cut.meaning(true).0, Exit::Storage, "a line that is cut in the greeting is no bug");
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(Trouble::Io(lost).meaning(true).0, Exit::Storage);
        assert!(postgres("57P01").is_lost_connection() && !postgres("40001").is_lost_connection());
        assert!(postgres("57P01").is_passing() && postgres("40P01").is_passing() && mysql(1213).is_passing());
        assert!(
            !postgres("53100").is_passing() && !mysql(1045).is_passing(),
            "a full disk, a wrong password"
        );
    }

    #[test]
    fn a_full_disk_is_told_from_a_folder_that_is_not_there() {
        for (kind, words) in [
            (ErrorKind::StorageFull, "the disk is full"),
            (ErrorKind::QuotaExceeded, "the disk is full"),
            (ErrorKind::NotFound, "does it exist"),
        ] {
            let (exit, hint) = Trouble::Io(kind.into()).meaning(false);
            assert!(exit == Exit::Storage && hint.contains(words), "{kind}: {hint}");
            assert_eq!(hint.contains("space"), words.contains("full"), "{kind}: {hint}");
        }
    }
}
