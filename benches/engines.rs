//! Each engine's load of the ledger beside that engine's own tool, on the same rows in the same run.
//!
//! `scripts/with-servers cargo bench --features rig --bench engines` (`NIGHTJOB_BENCH_ROWS=1000000` for the figures of the
//! README). Ours is a whole unit, begin to commit, its sums read back; theirs is `sqlite3 .import`, `psql \copy` and
//! `LOAD DATA LOCAL INFILE` into a table of the same columns and keys, from a CSV file that is already written. They take
//! turns, three times each; the table shows the medians. What a tool is not installed for is left out, and said.

#![expect(clippy::print_stdout, reason = "a table for a person")]

#[path = "../tests/common/servers.rs"]
mod servers;
mod rows;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nightjob::domain::Statement;
use nightjob::store::Ledger;
use rows::{day, end, key, meta, rows, statement};
use servers::Database;
use tokio::runtime::Runtime;

const TURNS: usize = 3;

/// One engine: where the ledger is, and how its own tool loads the file.
struct Bench<'b> {
    name: &'static str,
    url: String,
    tool: &'static str,
    native: Box<dyn Fn(&Path) + 'b>,
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let runtime = Runtime::new().expect("a runtime");
    let statement = statement();
    let file = folder.path().join("rows.csv");
    write_csv(&file, &statement);
    println!("{} rows, {} bytes as CSV", rows(), std::fs::metadata(&file).expect("a file").len());
    println!("{:<12}{:>12}{:>34}{:>8}", "engine", "ours", "its own tool", "ratio");
    let (postgres, mariadb) = servers();
    let benches = benches(folder.path(), postgres.as_ref(), mariadb.as_ref());
    for bench in benches {
        runtime.block_on(Ledger::migrate(&bench.url)).expect("tables");
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for turn in 0..TURNS {
            ours.push(timed(|| runtime.block_on(load(&bench.url, turn, &statement))));
            theirs.push(timed(|| (bench.native)(&file)));
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let percent = ours.as_millis() * 100 / theirs.as_millis().max(1);
        println!(
            "{:<12}{:>9} ms{:>22}{:>9} ms{:>5}.{:02}",
            bench.name,
            ours.as_millis(),
            bench.tool,
            theirs.as_millis(),
            percent / 100,
            percent % 100
        );
    }
}

/// A database on each server, if `scripts/with-servers` runs us.
fn servers() -> (Option<Database>, Option<Database>) {
    if std::env::var_os("NIGHTJOB_TEST_POSTGRES").is_some() {
        return (Some(servers::postgres()), Some(servers::mysql()));
    }
    println!("no servers: PostgreSQL and MariaDB are left out (scripts/with-servers starts them)");
    (None, None)
}

fn benches<'b>(
    folder: &Path,
    postgres: Option<&'b Database>,
    mariadb: Option<&'b Database>,
) -> Vec<Bench<'b>> {
    let ledger = folder.join("ledger.db");
    let native = folder.join("native.db");
    let sqlite = Bench {
        name: "SQLite",
        url: format!("sqlite:{}", ledger.display()),
        tool: "sqlite3 .import",
        native: Box::new(move |file| import(&native, &ledger, file)),
    };
    let postgres = postgres.map(|database| Bench {
        name: "PostgreSQL",
        url: database.url.clone(),
        tool: "psql \\copy",
        native: Box::new(|file| {
            database.execute(
                "DROP TABLE IF EXISTS native; CREATE TABLE native (LIKE ledger_entry INCLUDING ALL)",
            );
            let copy = format!("\\copy native FROM '{}' WITH (FORMAT csv)", file.display());
            run(Command::new("psql").args(["-q", "-v", "ON_ERROR_STOP=1", "-c", &copy, &database.url]));
        }),
    });
    let mariadb = mariadb.map(|database| Bench {
        name: "MariaDB",
        url: database.url.clone(),
        tool: "LOAD DATA LOCAL",
        native: Box::new(|file| {
            database.execute("DROP TABLE IF EXISTS native; CREATE TABLE native LIKE ledger_entry");
            let load = format!(
                "LOAD DATA LOCAL INFILE '{}' INTO TABLE native CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' \
                 OPTIONALLY ENCLOSED BY '\"'",
                file.display()
            );
            let rest = database.url.strip_prefix("mysql://").expect("a MariaDB address");
            let (user, place) = rest.split_once('@').expect("a user");
            let (user, password) = user.split_once(':').expect("a password");
            let (server, name) = place.split_once('/').expect("a database");
            let (host, port) = server.split_once(':').expect("a port");
            let mut tool = Command::new("mariadb");
            tool.args(["--local-infile=1", "-h", host, "-P", port, "-u", user, name, "-e", &load]);
            run(tool.env("MYSQL_PWD", password));
        }),
    });
    [Some(sqlite), postgres, mariadb].into_iter().flatten().collect()
}

/// A unit of its own each turn, as nights are.
async fn load(url: &str, turn: usize, statement: &Arc<Statement>) {
    let ledger = Ledger::open(url).await.expect("a ledger");
    let mut unit = ledger.begin_unit(key(&format!("account-{turn}"))).await.expect("a unit");
    unit.statement(meta(statement)).await.expect("a version");
    unit.entries(Arc::clone(statement)).await.expect("entries");
    unit.finish(end()).await.expect("a commit");
    ledger.close().await;
}

/// SQLite's own shell, with the durability of the ledger.
fn import(native: &Path, ledger: &Path, file: &Path) {
    for side in ["", "-wal", "-shm"] {
        std::fs::remove_file(format!("{}{side}", native.display())).ok();
    }
    let script = format!(
        "ATTACH '{}' AS ledger;\nPRAGMA journal_mode = WAL;\nPRAGMA synchronous = FULL;\n{};\n.mode csv\n.import '{}' ledger_entry\n",
        ledger.display(),
        create(ledger),
        file.display()
    );
    let mut tool = Command::new("sqlite3")
        .arg(native)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("sqlite3");
    std::io::Write::write_all(tool.stdin.as_mut().expect("a pipe"), script.as_bytes()).expect("a script");
    assert!(tool.wait().expect("an end").success(), "sqlite3 failed");
}

/// The statement that made the ledger's table.
fn create(ledger: &Path) -> String {
    let question = "SELECT sql FROM sqlite_master WHERE name = 'ledger_entry'";
    let told = Command::new("sqlite3").arg(ledger).arg(question).output().expect("sqlite3");
    String::from_utf8(told.stdout).expect("text").trim().to_owned()
}

fn run(tool: &mut Command) {
    let told = tool.output().unwrap_or_else(|error| panic!("{tool:?}: {error}"));
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

/// The rows as the ledger keeps them, in the order of its columns.
fn write_csv(path: &Path, statement: &Statement) {
    use nightjob::domain::Cell;
    let style = csv::QuoteStyle::NonNumeric;
    let mut csv = csv::WriterBuilder::new().quote_style(style).from_path(path).expect("a file");
    for (id, entry) in (1i64 << 32..).zip(statement.entries()) {
        let cell = |cell| statement.cell(entry, cell).to_owned();
        let number = |number: i64| number.to_string();
        let record = [
            number(id),
            entry.amount_minor.map_or(String::new(), number),
            number(entry.settled_minor),
            number(entry.fee_e5),
            number(entry.part.into()),
            number(entry.line.into()),
            cell(Cell::OrderNo),
            cell(Cell::RefundNo),
            cell(Cell::TradeNo),
            cell(Cell::RefundTradeNo),
            entry.kind.as_str().to_owned(),
            entry.state.as_str().to_owned(),
            entry.currency.as_str().to_owned(),
            entry.happened_at.to_string(),
            "native".to_owned(),
            day().to_string(),
            cell(Cell::Merchant),
            cell(Cell::SubMerchant),
            cell(Cell::Store),
            cell(Cell::Till),
            cell(Cell::Subject),
        ];
        // An empty text is a text, and not NULL: in quotes.
        csv.write_record(record).expect("a row");
    }
    csv.flush().expect("a file");
}

fn timed(work: impl FnOnce()) -> Duration {
    let started = Instant::now();
    work();
    started.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
