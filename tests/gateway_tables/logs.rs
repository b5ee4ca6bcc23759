//! One log, kept by every engine.

use nightjob::domain::{BillDate, Moment};
use nightjob::paylog::LogRow;
use nightjob::store::{OwnedLogRow, PayLog, ReadCount, SampleLog};

use crate::servers::{self, Database, Engine};

/// The columns in their order (`spec/ttpay.md`, R050).
pub(crate) const COLUMNS: [&str; 13] = [
    "REQ_TXDATE",
    "REQ_MALLID",
    "REQ_STORECODE",
    "REQ_SHOP_CODE",
    "REQ_TILLID",
    "REQ_CASHIERNO",
    "REQ_DATE",
    "REQ_OBJ",
    "REQ_ACTION",
    "REQ_TYPE",
    "RES_ERR",
    "RES_MSG",
    "RES_OBJ",
];

/// A log somewhere, and what has to stay for as long as it is read.
pub(crate) struct Log {
    pub(crate) name: &'static str,
    pub(crate) url: String,
}

/// The same rows in every engine.
pub(crate) struct Everywhere {
    pub(crate) logs: Vec<Log>,
    pub(crate) postgres: Database,
    pub(crate) mysql: Database,
    _folder: tempfile::TempDir,
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads")
}

pub(crate) fn at(text: &str) -> Moment {
    Moment::parse(text).expect("a time")
}

pub(crate) fn day(text: &str) -> BillDate {
    BillDate::parse(text).expect("a day")
}

/// A row that says little.
pub(crate) fn row(date: &str, order: &str) -> OwnedLogRow {
    OwnedLogRow {
        req_txdate: "20161108".into(),
        req_mallid: "*".into(),
        req_storecode: "8888".into(),
        req_cashierno: "收银一".into(),
        req_date: date.into(),
        req_obj: format!("{{\"Header\":{{}},\"RequestParam\":{{\"OutID\":\"{order}\"}}}}"),
        req_action: "createandpay".into(),
        req_type: "WX".into(),
        res_msg: "it's \\ a \"test\"".into(),
        res_obj: "<xml/>".into(),
        ..OwnedLogRow::default()
    }
}

impl Everywhere {
    /// With native types on the servers, and an index on REQ_DATE.
    pub(crate) fn new(rows: &[OwnedLogRow]) -> Everywhere {
        let (postgres, mysql) = (servers::postgres(), servers::mysql());
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ttpayment.db");
        let mut log = SampleLog::create(&file).expect("a log");
        log.insert(rows.iter().cloned()).expect("rows");
        runtime().block_on(log.finish()).expect("a log");
        for database in [&postgres, &mysql] {
            database.execute(&table(database.engine, "EB_PAYLOG"));
            fill(database, "EB_PAYLOG", rows);
        }
        let file = file.display();
        let logs = vec![
            Log { name: "SQLite", url: format!("sqlite:{file}") },
            Log { name: "PostgreSQL", url: postgres.url.clone() },
            Log { name: "MariaDB", url: mysql.url.clone() },
            Log { name: "ODBC SQLite", url: format!("odbc:DSN=nightjob_sqlite;Database={file}") },
            Log { name: "ODBC PostgreSQL", url: odbc("postgres", &postgres) },
            Log { name: "ODBC MariaDB", url: odbc("mariadb", &mysql) },
        ];
        Everywhere { logs, postgres, mysql, _folder: folder }
    }
}

/// The address of a server's database through its driver.
pub(crate) fn odbc(driver: &str, database: &Database) -> String {
    format!("odbc:DSN=nightjob_{driver};Database={}", database.name)
}

/// An EB_PAYLOG as a person would make it there.
pub(crate) fn table(engine: Engine, name: &str) -> String {
    let (date, text, end) = match engine {
        Engine::Postgres => ("timestamp(0)", "text", ""),
        Engine::Mysql => ("datetime", "longtext", " CHARACTER SET utf8mb4"),
    };
    let columns = COLUMNS.map(|column| match column {
        "REQ_DATE" => format!("{column} {date}"),
        "REQ_OBJ" | "RES_OBJ" => format!("{column} {text}"),
        _ => format!("{column} varchar(400)"),
    });
    format!(
        "CREATE TABLE {name} (extra int, {}){end}; CREATE INDEX {name}_date ON {name} (REQ_DATE)",
        columns.join(", ")
    )
}

/// Inserts rows, as literals.
pub(crate) fn fill(database: &Database, name: &str, rows: &[OwnedLogRow]) {
    for rows in rows.chunks(200) {
        let rows: Vec<String> = rows.iter().map(|row| values(database.engine, row)).collect();
        database.execute(&format!("INSERT INTO {name} ({}) VALUES {}", COLUMNS.join(", "), rows.join(", ")));
    }
}

fn values(engine: Engine, row: &OwnedLogRow) -> String {
    let literal = |text: &str| match (text, engine) {
        ("", _) => "NULL".to_owned(),
        (text, Engine::Postgres) => format!("'{}'", text.replace('\'', "''")),
        (text, Engine::Mysql) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
    };
    format!("({})", texts(row).map(literal).join(", "))
}

pub(crate) fn texts(row: &OwnedLogRow) -> [&str; 13] {
    [
        &row.req_txdate,
        &row.req_mallid,
        &row.req_storecode,
        &row.req_shop_code,
        &row.req_tillid,
        &row.req_cashierno,
        &row.req_date,
        &row.req_obj,
        &row.req_action,
        &row.req_type,
        &row.res_err,
        &row.res_msg,
        &row.res_obj,
    ]
}

/// Every row of a window, sorted by what it says.
pub(crate) fn read(url: &str, (from, to): (&str, &str), threads: usize) -> (Vec<OwnedLogRow>, ReadCount) {
    let push = |rows: &mut Vec<OwnedLogRow>, row: &LogRow<'_>| rows.push(row.into());
    let (parts, count) = runtime().block_on(async {
        let log = PayLog::open(url, "").await.unwrap_or_else(|failure| panic!("{url}: {failure:?}"));
        log.read(at(from)..at(to), vec![Vec::new(); threads], push).await.expect("rows")
    });
    let mut rows: Vec<OwnedLogRow> = parts.into_iter().flatten().collect();
    rows.sort_by(|a, b| texts(a).cmp(&texts(b)));
    (rows, count)
}
