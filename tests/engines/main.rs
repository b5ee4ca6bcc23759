//! The same nights on SQLite, PostgreSQL and MariaDB: the same ledger and the same bytes of every report.
//!
//! Random small towns as in `tests/simulation`, three nights each, ledger and EB_PAYLOG on the engine that is looked at;
//! in every other town the log is read through the engine's ODBC driver. Needs `scripts/with-servers`. More of them: `NIGHTJOB_TEST_NIGHTS=1000`, from another seed: `NIGHTJOB_TEST_SEED=77`.

#[path = "../simulation/books.rs"]
mod books;
#[allow(dead_code, reason = "the rest is that of tests/gateway_tables")]
#[path = "../gateway_tables/logs.rs"]
mod logs;
#[allow(dead_code, reason = "the storm is that of tests/simulation")]
#[path = "../simulation/night.rs"]
mod night;
#[path = "../common/servers.rs"]
mod servers;
#[path = "../simulation/town.rs"]
mod town;
#[allow(dead_code, reason = "the storm is that of tests/simulation")]
#[path = "../simulation/weather.rs"]
mod weather;

use std::sync::Arc;

use nightjob::config::Settings;
use nightjob::domain::BillDate;
use nightjob::plan::Dates;
use nightjob::sandbox::Desks;
use nightjob::store::Ledger;
use sha2::{Digest as _, Sha256};

use night::Start;
use servers::{Database, Engine};
use town::{PROVIDERS, Town};
use weather::Weather;

/// Nights of a town.
const NIGHTS: u64 = 3;

fn asked(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

#[test]
fn the_same_nights_leave_the_same_ledger_and_the_same_reports_on_every_engine() {
    let (nights, first) = (asked("NIGHTJOB_TEST_NIGHTS", 24), asked("NIGHTJOB_TEST_SEED", 1));
    let towns = nights.div_ceil(NIGHTS);
    for seed in first..first + towns {
        let folder = tempfile::tempdir().expect("a folder");
        let town = Town::build(&mut fastrand::Rng::with_seed(seed), folder.path());
        let here = books_on(&town, town.life("sqlite"));
        assert!(here.iter().any(|line| line.starts_with("ledger_entry")), "seed {seed}: an empty ledger");
        for server in [servers::postgres(), servers::mysql()] {
            let there = books_on(&town, on(&town, &server, seed.is_multiple_of(2)));
            let engine = server.engine;
            assert!(
                here == there,
                "seed {seed}: SQLite and {engine:?} differ:\n{}",
                differences(&here, &there)
            );
        }
        println!("seed {seed}: {} on each engine", hash(&here));
    }
    println!("nights on three engines: {0} of {0} alike", towns * NIGHTS);
}

/// A life whose ledger and log are on a server.
fn on(town: &Town, server: &Database, through_odbc: bool) -> Settings {
    const LOG: &str = "EB_PAYLOG";
    let mut settings = town.life(&server.name);
    settings.database = server.url.clone().into();
    server.execute(&logs::table(server.engine, LOG));
    let rows: Vec<_> = town.day.rows().map(nightjob::command::logged).collect();
    logs::fill(server, LOG, &rows);
    settings.paylog.database = match (through_odbc && cfg!(feature = "odbc"), server.engine) {
        (false, _) => server.url.clone().into(),
        (true, Engine::Postgres) => logs::odbc("postgres", server).into(),
        (true, Engine::Mysql) => logs::odbc("mariadb", server).into(),
    };
    block_on(Ledger::migrate(&server.url)).expect("tables");
    settings
}

/// The town's nights in calm weather, and what is in the books after them.
fn books_on(town: &Town, settings: Settings) -> Vec<String> {
    let weather = Weather::calm();
    for date in town.dates() {
        let desks = Desks::new(town.day.clone(), Vec::new(), PROVIDERS.parse().expect("an address"));
        let network = weather.network(Arc::new(desks));
        let now = date.plus_days(2).start().plus_seconds(2 * 3600 + 17 * 60);
        let dates = Dates::Nightly;
        let ended = night::run(&Start { settings: &settings, now, dates, network, weather: &weather });
        assert!(
            ended.is_done() && ended.lies.is_empty(),
            "{:?} {:?} {:?}",
            ended.exit,
            ended.causes,
            ended.lies
        );
    }
    let dates: Vec<BillDate> = town.dates().to_vec();
    block_on(books::lines(&settings, &dates))
}

/// SHA-256 over everything that a person or a report could see.
fn hash(lines: &[String]) -> String {
    hex::encode(Sha256::digest(lines.join("\n")))
}

fn differences(here: &[String], there: &[String]) -> String {
    let only = |these: &[String], those: &[String]| {
        these.iter().filter(|line| !those.contains(line)).take(4).cloned().collect::<Vec<_>>().join("\n  ")
    };
    format!("  {}\nand\n  {}", only(here, there), only(there, here))
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}
