//! Commands that do the job, or a part of it.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde_json::{Value, json};

use super::again;
use super::answer::Answer;
use super::lock::open;
use super::plan::warn_of_the_trap;
use super::setup::problems;
use super::start::Start;
use crate::cli::Cli;
use crate::config::{SecretUse, Settings};
use crate::domain::{Bill, BillDate, Errand, Exit, Failure, Verdict};
use crate::night::{self, House, Outcome, Source};
use crate::plan::{self, Plan, Reprocess, check_reprocess};
use crate::report::{self, terminal};

/// Settings and plan of a command.
pub(super) async fn prepare(
    start: &Start,
    cli: &Cli,
    secrets: SecretUse,
) -> Result<(Settings, Plan), Failure> {
    let selection = cli.global.selection()?;
    let settings = settings(start, cli, secrets).await?;
    let plan = plan::plan(&settings, &selection, start.today)?;
    Ok((settings, plan))
}

/// As [`settings`], for a command that folds the log: stored notices are checked with the accounts' keys, also where no
/// provider is asked.
async fn settings_to_fold(start: &Start, cli: &Cli, secrets: SecretUse) -> Result<Settings, Failure> {
    let read = settings(start, cli, secrets).await?;
    match secrets != SecretUse::Read && !read.paylog.notices.is_empty() {
        true => settings(start, cli, SecretUse::Read).await,
        false => Ok(read),
    }
}

pub(super) async fn settings(start: &Start, cli: &Cli, secrets: SecretUse) -> Result<Settings, Failure> {
    let mut loaded = start.load(cli, secrets).map_err(|found| problems(&found))?;
    super::sellers::complete(&mut loaded).await?;
    Ok(loaded.settings)
}

/// How `run` and `reconcile` differ.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) source: Source,
    pub(super) investigate: bool,
    pub(super) reprocess: Option<Reprocess>,
}

pub(super) async fn run(start: &Start, cli: &Cli, manner: Manner) -> Result<Answer, Failure> {
    let Manner { source, investigate, reprocess } = manner;
    let secrets = if source == Source::Providers { SecretUse::Read } else { SecretUse::Databases };
    let selection = cli.global.selection()?;
    check_reprocess(&selection, reprocess)?;
    let settings = settings_to_fold(start, cli, secrets).await?;
    let mut outcome = Outcome::default();
    let plan = plan::plan(&settings, &selection, start.today)?;
    let (_lock, mut house) = open(start, cli, settings).await?;
    let recorded = Recorded::begin(start, &mut house).await?;
    let plan = match (source, reprocess) {
        (Source::Archive, _) => plan,
        (Source::Providers, None) => again::caught_up(start, &house, plan, &mut outcome).await,
        (Source::Providers, Some(which)) => again::chosen(start, &house, plan, which).await?,
    };
    house.investigate = investigate;
    house.deadline.end = start.begun.checked_add(cli.global.max_duration);
    let own = plan.own_day().filter(|_| !plan.owed.is_empty());
    if let Some(own) = own {
        house.deadline = house.deadline.sharing(own, Instant::now());
    }
    warn_of_the_trap(start, Some(&house.ledger), &plan).await?;
    let broken_off = until_signal(start, Box::pin(night::run(&house, &plan, source, &mut outcome))).await;
    if let Some(exit) = broken_off {
        outcome.break_off(exit);
    }
    if let Err(failure) = warn_of_the_trap(start, Some(&house.ledger), &plan).await {
        outcome.fail("", failure);
    }
    let answer = recorded.finish(start, house, Days { dates: &plan.dates, own }, outcome).await;
    Ok(again::with_what_was_left(start, &plan, answer))
}

/// A run that has its row in `night_run`.
struct Recorded(i64);

impl Recorded {
    async fn begin(start: &Start, house: &mut House) -> Result<Recorded, Failure> {
        house.run_id = house.ledger.start_run(&start.world.command_line, house.clock.now()).await?;
        Ok(Recorded(house.run_id))
    }

    /// Records how it ended, and answers with the days' reports; whatever fails here is one more cause.
    async fn finish(self, start: &Start, house: House, days: Days<'_>, mut outcome: Outcome) -> Answer {
        let exit = outcome.exit();
        let reason = |cause: &night::Cause| json!([cause.exit.code(), cause.about, cause.message]);
        let reasons: Vec<Value> = outcome.causes.iter().map(reason).collect();
        let reasons = json!(reasons).to_string();
        if let Err(failure) = house.ledger.finish_run(self.0, house.clock.now(), exit, &reasons).await {
            outcome.fail("", failure);
        }
        let told = reports(start, &house, days, &outcome).await;
        let text = told.unwrap_or_else(|failure| {
            outcome.fail("", failure);
            String::new()
        });
        house.ledger.close().await;
        Answer { text, outcome, ..Answer::default() }
    }
}

/// Does the work unless a signal comes first; then, which.
async fn until_signal(start: &Start, work: impl Future<Output = ()>) -> Option<Exit> {
    let signal = super::signal();
    start.heeds_signals.store(true, Ordering::Relaxed);
    tokio::select! {
        biased;
        exit = signal => Some(exit),
        () = work => None,
    }
}

/// Days to be told, ascending.
#[derive(Clone, Copy)]
pub(super) struct Days<'d> {
    pub(super) dates: &'d [BillDate],
    /// Told in full though it is not the only one.
    pub(super) own: Option<BillDate>,
}

/// The days as a person reads them: one, or the night's own, in full, others in short. What stands from an earlier run,
/// because this one failed, is not to be read as this one's.
pub(super) async fn reports(
    start: &Start,
    house: &House,
    days: Days<'_>,
    outcome: &Outcome,
) -> Result<String, Failure> {
    let style = start.style(house.settings.report_lang);
    let mut text = String::new();
    for &date in days.dates {
        let report = night::day(house, date).await?;
        let stands = |unit: &&report::Section| {
            unit.verdict() != Verdict::NotCompared && outcome.is_vain(&unit.account, date)
        };
        for unit in report.units.iter().filter(stands) {
            text += &style.lang.pick(
                format!("{} {date}：本次运行未能核对，以下是先前运行的结果\n", unit.account),
                format!("{} {date}: this run failed; what follows is of an earlier one\n", unit.account),
            );
        }
        text += &if days.dates.len() == 1 || days.own == Some(date) {
            terminal::write(&report, &style)
        } else {
            terminal::summary(&report, &style)
        };
    }
    Ok(text)
}

pub(super) async fn fetch(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let (settings, plan) = prepare(start, cli, SecretUse::Read).await?;
    let (_lock, house) = open(start, cli, settings).await?;
    let outcome = night::fetch(&house, &plan).await;
    house.ledger.close().await;
    let text: String = outcome.files.iter().map(|line| format!("{line}\n")).collect();
    Ok(Answer { text, outcome, ..Answer::default() })
}

pub(super) async fn import(start: &Start, cli: &Cli, file: &Path) -> Result<Answer, Failure> {
    let selection = cli.global.selection()?;
    let settings = settings_to_fold(start, cli, SecretUse::Databases).await?;
    let (account, date) = plan::single(&settings, &selection, start.today)?;
    let (_lock, mut house) = open(start, cli, settings).await?;
    let recorded = Recorded::begin(start, &mut house).await?;
    let (file, errand) = (start.world.here.join(file), Errand { account, date, bill: Bill::Trade });
    let mut outcome = Outcome::default();
    let broken_off = until_signal(start, Box::pin(night::import(&house, &errand, &file, &mut outcome))).await;
    if let Some(exit) = broken_off {
        outcome.break_off(exit);
    }
    let done = matches!(outcome.exit(), Exit::Done | Exit::Look);
    let dates: &[BillDate] = if done { &[date] } else { &[] };
    Ok(recorded.finish(start, house, Days { dates, own: None }, outcome).await)
}

pub(super) async fn report(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let (settings, plan) = prepare(start, cli, SecretUse::Databases).await?;
    let (_lock, house) = open(start, cli, settings).await?;
    let mut outcome = Outcome::default();
    night::report(&house, &plan, &mut outcome).await;
    let text = reports(start, &house, Days { dates: &plan.dates, own: None }, &outcome).await?;
    house.ledger.close().await;
    Ok(Answer { text, outcome, ..Answer::default() })
}

/// Asks the provider about an item, and keeps the answer.
async fn ask(start: &Start, cli: &Cli, settings: &Settings, asked: &str) -> Result<(), Failure> {
    let (_lock, house) = open(start, cli, settings.clone()).await?;
    let learnt = night::ask(&house, asked).await;
    house.ledger.close().await;
    learnt
}

pub(super) async fn explain(
    start: &Start,
    cli: &Cli,
    asked: &str,
    ask_first: bool,
) -> Result<Answer, Failure> {
    let secrets = if ask_first { SecretUse::Read } else { SecretUse::Databases };
    let settings = settings_to_fold(start, cli, secrets).await?;
    if ask_first {
        ask(start, cli, &settings, asked).await?;
    }
    let lang = settings.report_lang;
    let found = night::explain(&settings, asked).await?;
    let document: Value = serde_json::from_str(&crate::report::explain::json(&found)).unwrap_or_default();
    Ok(Answer {
        fields: vec![("explanations", document)],
        ..Answer::text(crate::report::explain::write(&found, &start.style(lang)))
    })
}
