//! Commands that do the job, or a part of it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::answer::Answer;
use super::setup::problems;
use super::start::Start;
use crate::channel::bare;
use crate::cli::Cli;
use crate::config::{SecretUse, Settings};
use crate::domain::{Bill, BillDate, Errand, Exit, Failure};
use crate::night::{self, House, Outcome, Source};
use crate::plan::{self, DateSource, Plan};
use crate::report::terminal;
use crate::store::{Ledger, RunLock};

/// Settings and plan of a command.
async fn prepare(start: &Start, cli: &Cli, secrets: SecretUse) -> Result<(Settings, Plan), Failure> {
    let selection = cli.global.selection()?;
    let settings = settings(start, cli, secrets).await?;
    let plan = plan::plan(&settings, &selection, start.clock.today())?;
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

async fn settings(start: &Start, cli: &Cli, secrets: SecretUse) -> Result<Settings, Failure> {
    let mut loaded = start.load(cli, secrets).map_err(|found| problems(&found))?;
    super::sellers::complete(&mut loaded).await?;
    Ok(loaded.settings)
}

/// Takes the lock: two instances that write would undo each other's work.
pub(super) fn lock(start: &Start, settings: &Settings) -> Result<RunLock, Failure> {
    RunLock::take(&RunLock::path_of(&settings.database)?, start.clock.now(), &start.world.command_line)
}

pub(super) async fn run(
    start: &Start,
    cli: &Cli,
    source: Source,
    investigate: bool,
) -> Result<Answer, Failure> {
    let secrets = if source == Source::Providers { SecretUse::Read } else { SecretUse::Databases };
    let selection = cli.global.selection()?;
    let settings = settings_to_fold(start, cli, secrets).await?;
    let plan = plan::plan(&settings, &selection, start.clock.today())?;
    let lock = lock(start, &settings)?;
    let mut house = House::open(settings, start.clock, start.talk.clone(), &lock).await?;
    house.investigate = investigate;
    house.deadline = Instant::now().checked_add(cli.global.max_duration);
    let recorded = Recorded::begin(start, &mut house).await?;
    warn_of_the_trap(start, Some(&house.ledger), &plan).await?;
    let mut outcome = Outcome::default();
    let broken_off = until_signal(Box::pin(night::run(&house, &plan, source, &mut outcome))).await;
    if let Some(exit) = broken_off {
        outcome.break_off(exit);
    }
    if let Err(failure) = warn_of_the_trap(start, Some(&house.ledger), &plan).await {
        outcome.fail("", failure);
    }
    Ok(recorded.finish(start, house, &plan.dates, outcome).await)
}

/// A run that has its row in `night_run`.
struct Recorded(i64);

impl Recorded {
    async fn begin(start: &Start, house: &mut House) -> Result<Recorded, Failure> {
        house.run_id = house.ledger.start_run(&start.world.command_line, house.clock.now()).await?;
        Ok(Recorded(house.run_id))
    }

    /// Records how it ended, and answers with the days' reports; whatever fails here is one more cause.
    async fn finish(self, start: &Start, house: House, dates: &[BillDate], mut outcome: Outcome) -> Answer {
        let exit = outcome.exit();
        let reason = |cause: &night::Cause| json!([cause.exit.code(), cause.about, cause.message]);
        let reasons: Vec<Value> = outcome.causes.iter().map(reason).collect();
        let reasons = json!(reasons).to_string();
        if let Err(failure) = house.ledger.finish_run(self.0, house.clock.now(), exit, &reasons).await {
            outcome.fail("", failure);
        }
        let text = reports(start, &house, dates).await.unwrap_or_else(|failure| {
            outcome.fail("", failure);
            String::new()
        });
        house.ledger.close().await;
        Answer { text, outcome, ..Answer::default() }
    }
}

/// Does the work unless a signal comes first; then, which.
async fn until_signal(work: impl Future<Output = ()>) -> Option<Exit> {
    tokio::select! {
        biased;
        exit = super::signal() => Some(exit),
        () = work => None,
    }
}

/// The days as a person reads them: one in full, several in short.
pub(super) async fn reports(start: &Start, house: &House, dates: &[BillDate]) -> Result<String, Failure> {
    let style = start.style(house.settings.report_lang);
    let mut text = String::new();
    for &date in dates {
        let report = night::day(house, date).await?;
        text += &if dates.len() == 1 {
            terminal::write(&report, &style)
        } else {
            terminal::summary(&report, &style)
        };
    }
    Ok(text)
}

/// `sqe_date` is honoured as in the old program, where it silently re-ran one day for ever.
async fn warn_of_the_trap(start: &Start, ledger: Option<&Ledger>, plan: &Plan) -> Result<(), Failure> {
    if plan.source != DateSource::SqeDate {
        return Ok(());
    }
    let mut left_out = Vec::new();
    for &date in &plan.left_out {
        let done = match ledger {
            Some(ledger) => !ledger.done_units(date).await?.is_empty(),
            None => false,
        };
        if !done {
            left_out.push(date.to_string());
        }
    }
    let days = left_out.join(" ");
    let stuck = plan.dates.first().map(ToString::to_string).unwrap_or_default();
    let text = start.lang.pick(
        format!("sqe_date 固定为 {stuck}：每晚都只对这一天。最近 14 天未对账：{days}。请清空 sqe_date，补单日请用 --date"),
        format!(
            "sqe_date is set to {stuck}: every night does that day only. Left out of the last 14: {days}. \
             Empty sqe_date, and use --date for a single day"
        ),
    );
    tracing::warn!(sqe_date = stuck, "{text}");
    Ok(())
}

pub(super) async fn plan(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let (settings, plan) = prepare(start, cli, SecretUse::Databases).await?;
    let path = settings.database.strip_prefix("sqlite:").unwrap_or(&settings.database);
    let ledger = match Path::new(path).exists() {
        true => Some(Ledger::open_read_only(&settings.database).await?),
        false => None,
    };
    warn_of_the_trap(start, ledger.as_ref(), &plan).await?;
    let mut text = String::new();
    let mut units = Vec::new();
    for errand in &plan.errands {
        let standing = match &ledger {
            Some(ledger) => ledger.current_statement(&errand.account.name, errand.date, errand.bill).await?,
            None => None,
        };
        let version = standing.map_or(0, |record| record.version);
        let account = &errand.account;
        let addresses = ["url", "gateway.url"].map(|key| bare(account.option(key)));
        let from = addresses.into_iter().find(|url| !url.is_empty()).unwrap_or(account.option("path"));
        let state = match version {
            0 => start.lang.pick("新".to_owned(), "new".to_owned()),
            n => start.lang.pick(
                format!("已有第 {n} 版，将重新核对"),
                format!("version {n} is there, to be compared again"),
            ),
        };
        writeln!(
            text,
            "{} {} {} {} {from} — {state}",
            errand.date,
            account.name,
            account.pay_type(),
            account.channel
        )
        .unwrap_or_default();
        units.push(json!({
            "bill_date": errand.date.to_string(), "account": account.name, "paytype": account.pay_type().as_str(),
            "channel": account.channel, "bill": errand.bill.as_str(), "statement_version": version,
        }));
    }
    text += start
        .lang
        .pick("以上为计划；未下载也未写入任何内容\n", "this is the plan; nothing was fetched or written\n");
    Ok(Answer { fields: vec![("plan", json!(units))], ..Answer::text(text) })
}

pub(super) async fn fetch(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let (settings, plan) = prepare(start, cli, SecretUse::Read).await?;
    let lock = lock(start, &settings)?;
    let house = House::open(settings, start.clock, start.talk.clone(), &lock).await?;
    let outcome = night::fetch(&house, &plan).await;
    let text: String = outcome.files.iter().map(|line| format!("{line}\n")).collect();
    Ok(Answer { text, outcome, ..Answer::default() })
}

pub(super) async fn import(start: &Start, cli: &Cli, file: &Path) -> Result<Answer, Failure> {
    let selection = cli.global.selection()?;
    let settings = settings_to_fold(start, cli, SecretUse::Databases).await?;
    let (account, date) = plan::single(&settings, &selection, start.clock.today())?;
    let lock = lock(start, &settings)?;
    let mut house = House::open(settings, start.clock, start.talk.clone(), &lock).await?;
    let recorded = Recorded::begin(start, &mut house).await?;
    let (file, errand) = (start.world.here.join(file), Errand { account, date, bill: Bill::Trade });
    let mut outcome = Outcome::default();
    let broken_off = until_signal(Box::pin(night::import(&house, &errand, &file, &mut outcome))).await;
    if let Some(exit) = broken_off {
        outcome.break_off(exit);
    }
    let done = matches!(outcome.exit(), Exit::Done | Exit::Look);
    let dates: &[BillDate] = if done { &[date] } else { &[] };
    Ok(recorded.finish(start, house, dates, outcome).await)
}

pub(super) async fn report(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let (settings, plan) = prepare(start, cli, SecretUse::Databases).await?;
    let lock = lock(start, &settings)?;
    let house = House::open(settings, start.clock, start.talk.clone(), &lock).await?;
    let mut outcome = Outcome::default();
    night::report(&house, &plan, &mut outcome).await;
    let text = reports(start, &house, &plan.dates).await?;
    Ok(Answer { text, outcome, ..Answer::default() })
}

/// Asks the provider about an item, and keeps the answer.
async fn ask(start: &Start, settings: &Settings, asked: &str) -> Result<(), Failure> {
    let lock = lock(start, settings)?;
    let house = House::open(settings.clone(), start.clock, start.talk.clone(), &lock).await?;
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
        ask(start, &settings, asked).await?;
    }
    let lang = settings.report_lang;
    let found = night::explain(&settings, asked).await?;
    let document: Value = serde_json::from_str(&crate::report::explain::json(&found)).unwrap_or_default();
    Ok(Answer {
        fields: vec![("explanations", document)],
        ..Answer::text(crate::report::explain::write(&found, &start.style(lang)))
    })
}
