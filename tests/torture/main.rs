//! What is done to a night, and what it must survive: a table of suites, each on each engine, each "n of N".
//!
//! The real program is run in a house of its own and killed, starved of disk, cut off or started twice; then it is run
//! again, and ledger, reports and archive must be those of a night that nobody disturbed. `scripts/torture` runs this;
//! as a test among others it does nothing, because it takes minutes.
//!
//! | file | what |
//! |---|---|
//! | `points.c`, `points` | every durable call of the program, numbered, and something done at one of them |
//! | `site`, `engine`, `server`, `state` | the house, its ledger, and whether two houses hold the same |
//! | `scene` | the undisturbed night that all others are held against |
//! | `kills` | `kill -9`; and the planted bug that must be caught |
//! | `faults` | a disk that is full or broken at a point |
//! | `full_disk` | a disk that is really full |
//! | `instances` | several started at once |
//! | `proxy`, `cuts`, `crashes` | the line to the database's server, and the server itself |
//! | `counted` | whether a point was overlooked: held against strace |
//! | `table` | the rows |

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what this program is for")]

mod counted;
mod crashes;
mod cuts;
mod engine;
mod faults;
mod full_disk;
mod instances;
mod kills;
mod points;
mod proxy;
mod scene;
mod server;
mod site;
mod state;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use engine::Engine;
use points::Library;
use scene::Scene;
use server::{Kind, Server};
use site::{Masters, Night};
use table::{Row, Thin};

const USAGE: &str =
    "scripts/torture [quick|full] [--program PATH] [--table FILE] [--only WORD] [--on ENGINE] [--show N]";

/// What was asked for.
struct Asked {
    full: bool,
    program: PathBuf,
    /// Where the table is written to as well.
    table: Option<PathBuf>,
    /// Only suites whose name has this word in it.
    only: String,
    /// Only on the engine of this name.
    on: String,
    /// Complaints that are shown of each row; the rest are counted.
    show: usize,
}

impl Asked {
    /// `None`: nothing was asked for (a test runner that looks around).
    fn read(mut words: impl Iterator<Item = String>) -> Option<Asked> {
        let mut asked = Asked {
            full: false,
            program: PathBuf::from(env!("CARGO_BIN_EXE_nightjob")),
            table: None,
            only: String::new(),
            on: String::new(),
            show: 5,
        };
        asked.full = match words.next()?.as_str() {
            "quick" => false,
            "full" => true,
            _ => return None,
        };
        while let Some(word) = words.next() {
            let value = words.next()?;
            match word.as_str() {
                "--program" => asked.program = std::fs::canonicalize(value).expect("--program: a program"),
                "--table" => asked.table = Some(PathBuf::from(value)),
                "--on" => asked.on = value,
                "--only" => asked.only = value,
                "--show" => asked.show = value.parse().ok()?,
                _ => return None,
            }
        }
        Some(asked)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(asked) = Asked::read(words.iter().cloned()) else {
        if !words.iter().any(|word| word == "--list") {
            eprintln!("this takes minutes; run it with {USAGE}");
        }
        return ExitCode::SUCCESS;
    };
    let rows = run(&asked);
    let text = table::text(&rows);
    println!("\n{text}");
    if let Some(path) = &asked.table {
        std::fs::write(path, &text).expect("--table: a file that can be written");
    }
    let incomplete = rows.iter().filter(|row| !row.is_complete()).count();
    if incomplete == 0 && !rows.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// SQLite, and the servers of `scripts/with-servers`.
fn engines() -> Vec<Engine> {
    let servers = [Kind::Postgres, Kind::Mariadb].into_iter().map(Server::of_environment).map(Engine::Server);
    std::iter::once(Engine::Sqlite).chain(servers).collect()
}

fn run(asked: &Asked) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a folder");
    let library = Library::build(folder.path());
    let masters = Masters::build(asked.program.clone());
    let mut rows = Vec::new();
    for engine in engines().into_iter().filter(|engine| engine.name().contains(&asked.on)) {
        on_engine(asked, (&masters, &library, &engine), &mut |row| {
            row.say(asked.show);
            rows.push(row);
        });
    }
    rows
}

/// Every suite on one engine. In the quick form the long sweeps try every n-th point, beginning anywhere.
fn on_engine(
    asked: &Asked,
    (masters, library, engine): (&Masters, &Library, &Engine),
    tell: &mut dyn FnMut(Row),
) {
    let is_file = engine.server().is_none();
    let thin = |file: usize, server: usize| match asked.full {
        true => Thin::ALL,
        false => Thin(if is_file { file } else { server }),
    };
    let times = |quick, full| if asked.full { full } else { quick };
    let mut suite = |name: &str, run: &dyn Fn() -> Vec<Row>| {
        if name.contains(&asked.only) {
            run().into_iter().for_each(&mut *tell);
        }
    };
    let first = Scene::new(masters, library, engine, Night::First);
    let again = Scene::new(masters, library, engine, Night::Again);
    let kills = |scene, night| vec![kills::every_point(scene, night, (thin(5, 12), thin(10, 24)))];
    suite("kill first", &|| kills(&first, "a first night"));
    suite("kill again", &|| kills(&again, "a night that replaces one"));
    suite("chains", &|| vec![kills::chains(&again, times(20, 500))]);
    for (what, deed) in faults::FAULTS {
        suite("fault", &|| vec![faults::every_point(&again, what, deed, thin(8, 2))]);
    }
    suite("instances", &|| vec![instances::at_once(&again, times(if is_file { 20 } else { 8 }, 200))]);
    match engine.server() {
        Some(server) => {
            suite("cut", &|| cuts::everywhere(&again, server, thin(1, 10)));
            suite("crash", &|| vec![crashes::killed(&again, server, if asked.full { 20 } else { 3 })]);
        }
        None => {
            suite("full disk", &|| vec![full_disk::smaller_and_larger(&again)]);
            suite("strace", &|| vec![counted::against_strace(&again)]);
        }
    }
    let planted = again.planted();
    suite("planted", &|| vec![kills::two_transactions(&planted, thin(2, 6))]);
}
