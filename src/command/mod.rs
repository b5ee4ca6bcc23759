//! What each command does: settings in, work done, answer out. Results go to stdout, talk to stderr.
//!
//! A command that writes takes the lock; one that only reads does not. Nothing is decided here that a unit could feel:
//! the story itself is in `night`.

mod answer;
mod keep;
#[cfg(feature = "rig")]
mod rig;
mod start;
mod sellers;
mod lock;
mod lost;
mod work;
mod again;
mod plan;
mod status;
mod setup;
mod simulated;

use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::cli::{self, Cli, Command};
use crate::domain::{Exit, Failure};
use crate::night::Source;

use answer::Answer;
pub use simulated::{logged, planted_and_found};
use start::Start;

/// Runs the command and prints its answer. The exit code.
pub fn execute(cli: &Cli) -> Exit {
    let start = match cli.check().and_then(|()| Start::new(cli)) {
        Ok(start) => start,
        Err(failure) => return answer::refuse(cli, &failure),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return answer::refuse(cli, &Failure::new(Exit::Storage, format!("no threads: {error}")));
        }
    };
    // The night itself keeps to the deadline, unit by unit; beyond the grace something hangs.
    let most = cli.global.max_duration.saturating_add(GRACE);
    let done = runtime.block_on(bounded(&start, most, dispatch(&start, cli)));
    leave(runtime);
    match done {
        Ok(answer) => answer.print(&start, cli),
        Err(failure) => answer::refuse(cli, &failure),
    }
}

/// Leaves blocking work that is still on its way (a signal, the deadline) to the end of the process. It must not hold the
/// program up: everything durable is atomic, so it may die there as it may die anywhere. And the runtime is not shut
/// down under it: that work would panic at its next wait, and the last thing that an operator reads must not be that.
fn leave(runtime: tokio::runtime::Runtime) {
    std::mem::forget(runtime);
}

/// How long what is under way at the deadline may take to end as a whole.
const GRACE: Duration = Duration::from_secs(15 * 60);

async fn dispatch(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let night = work::Manner { source: Source::Providers, investigate: false, reprocess: None };
    let nightly = Command::Run { investigate: false, reprocess: None };
    match cli.command.as_ref().unwrap_or(&nightly) {
        Command::Run { investigate, reprocess } => {
            let manner = work::Manner { investigate: *investigate, reprocess: *reprocess, ..night };
            work::run(start, cli, manner).await
        }
        Command::Reconcile => work::run(start, cli, work::Manner { source: Source::Archive, ..night }).await,
        Command::Plan => plan::plan(start, cli).await,
        Command::Status { last } => status::status(start, cli, *last).await,
        Command::Fetch => work::fetch(start, cli).await,
        Command::Import { file } => work::import(start, cli, file).await,
        Command::Report => work::report(start, cli).await,
        Command::Explain { id, ask } => work::explain(start, cli, id, *ask).await,
        Command::Verify => keep::verify(start, cli).await,
        Command::PurgePlan => keep::purge_plan(start, cli).await,
        Command::Backup { folder } => keep::backup(start, cli, folder).await,
        Command::Sandbox(sandbox) => simulated::sandbox(start, cli, sandbox).await,
        Command::Demo(demo) => Box::pin(simulated::demo(start, cli, demo)).await,
        Command::Config(config) => setup::config(start, cli, config).await,
        Command::Migrate => setup::migrate(start, cli).await,
        Command::Completions { shell } => Ok(Answer::text(cli::completions(*shell))),
        Command::Man => setup::manual(),
    }
}

/// Ends the work at the deadline or at a signal. Both may come at any moment: a unit is done as a whole or not at all.
async fn bounded<T>(
    start: &Start,
    most: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        // The signals first, so that they are listened to before the work begins.
        biased;
        exit = broken_off(start) => {
            Err(Failure::new(exit, "interrupted").hint("what was done is kept as a whole; run it again for the rest"))
        }
        done = tokio::time::timeout(most, work) => done.unwrap_or_else(|_| {
            let message = format!("--max-duration of {} s is reached", most.as_secs());
            Err(Failure::new(Exit::Deadline, message)
                .hint("what was done is kept as a whole; run it again for the rest"))
        }),
    }
}

/// Waits for a signal that ends the process at once: the first, or, where the work heeds that one and writes down how it
/// ended, a second or the end of its time for it.
async fn broken_off(start: &Start) -> Exit {
    let exit = signal().await;
    if start.heeds_signals.load(Ordering::Relaxed) {
        tokio::select! {
            _ = signal() => {}
            // A deadline and no pause: work that is written down in time ends the whole before it.
            () = tokio::time::sleep(FAREWELL) => {}
        }
    }
    exit
}

/// How long a run may take to write down that it was broken off.
const FAREWELL: Duration = Duration::from_secs(10);

#[cfg(unix)]
pub(super) async fn signal() -> Exit {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}

#[cfg(not(unix))]
pub(super) async fn signal() -> Exit {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Exit::Interrupted,
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_under_way_at_a_signal_does_not_panic_at_its_next_wait() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let (handle, (go, gone), (tell, told)) =
            (runtime.handle().clone(), std::sync::mpsc::channel(), std::sync::mpsc::channel());
        runtime.spawn_blocking(move || {
            gone.recv().unwrap();
            // Nothing is waited for: timers are what is tested. Each would panic in a runtime that was shut down, and there
            // are as many as it takes until one that is shut down has come to its end.
            (0..50).for_each(|_| handle.block_on(tokio::time::sleep(Duration::from_millis(1))));
            tell.send(()).unwrap();
        });
        leave(runtime);
        go.send(()).unwrap();
        told.recv().expect("it went on");
    }
}
