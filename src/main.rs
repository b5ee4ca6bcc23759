//! The program: parse, run, exit code. What a command does is in `command`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = nightjob::cli::Cli::parse();
    ExitCode::from(nightjob::command::execute(&cli).code())
}
