//! The program: parse, run, exit code. What a command does is in `command`.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    #[cfg(feature = "rig")]
    nightjob::store::PLANTED.store(
        std::env::var("RIG_PLANTED").is_ok_and(|bug| bug == "two_transactions"),
        std::sync::atomic::Ordering::Relaxed,
    );
    let cli = nightjob::cli::Cli::parse();
    ExitCode::from(nightjob::command::execute(&cli).code())
}
