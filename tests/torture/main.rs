//! What is done to a night, and what it must survive: a table of suites, each on each engine, each "n of N".
//!
//! The real program is run in a house of its own and killed, starved of disk, cut off or started twice; then it is run
//! again, and ledger, reports and archive must be those of a night that nobody disturbed. `scripts/torture` runs this;
//! as a test among others it does nothing, because it takes minutes.
//!
//! | file | what |
//! |---|---|
//! | `points.c`, `points` | every durable call of the program, numbered, and something done at one of them |
//! | `site`, `engine`, `state` | the house, its ledger, and whether two houses hold the same |
//! | `scene` | the undisturbed night that all others are held against |
//! | `kills` | `kill -9`; and the planted bug that must be caught |
//! | `counted` | whether a point was overlooked: held against strace |
//! | `table` | the rows |

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what this program is for")]

mod counted;
mod engine;
mod kills;
mod points;
mod scene;
mod site;
mod state;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use engine::Engine;
use points::Library;
use scene::Scene;
use site::{Masters, Night};
use table::Row;

const USAGE: &str = "scripts/torture [quick|full] [--program PATH] [--table FILE] [--only WORD]";

/// What was asked for.
struct Asked {
    full: bool,
    program: PathBuf,
    /// Where the table is written to as well.
    table: Option<PathBuf>,
    /// Only suites whose name has this word in it.
    only: String,
}

impl Asked {
    /// `None`: nothing was asked for (a test runner that looks around).
    fn read(mut words: impl Iterator<Item = String>) -> Option<Asked> {
        let mut asked = Asked {
            full: false,
            program: PathBuf::from(env!("CARGO_BIN_EXE_nightjob")),
            table: None,
            only: String::new(),
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
                "--only" => asked.only = value,
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

fn run(asked: &Asked) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a folder");
    let library = Library::build(folder.path());
    let masters = Masters::build(asked.program.clone());
    let mut rows = Vec::new();
    let mut suite = |name: &str, run: &dyn Fn() -> Row| {
        if name.contains(&asked.only) {
            let row = run();
            row.say();
            rows.push(row);
        }
    };
    for engine in [Engine::Sqlite] {
        let scene = |night| Scene::new(&masters, &library, &engine, night);
        suite("kill first", &|| kills::every_point(&scene(Night::First), "a first night"));
        suite("kill again", &|| kills::every_point(&scene(Night::Again), "a night that replaces one"));
        suite("planted", &|| kills::two_transactions(&scene(Night::Again).planted()));
        suite("strace", &|| counted::against_strace(&scene(Night::Again)));
    }
    let _ = asked.full;
    rows
}
