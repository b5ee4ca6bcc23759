//! Commands that do the job, or a part of it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::answer::Answer;
use super::setup::problems;
use super::start::Start;
use crate::channel::bare;
use crate::cli::Cli;
use crate::config::{SecretUse, Settings};
use crate::domain::{Bill, BillDate, Errand, Failure};
use crate::night::{self, House, Source};
use crate::plan::{self, DateSource, Plan};
use crate::report::terminal;
use crate::store::{Ledger, RunLock};

/// Settings and plan of a command.
fn prepare(start: &Start, cli: &Cli, secrets: SecretUse) -> Result<(Settings, Plan), Failure> {
    let selection = cli.global.selection()?;
    let settings = settings(start, cli, secrets)?;
    let plan = plan::plan(&settings, &selection, start.clock.today())?;
    Ok((settings, plan))
}

fn settings(start: &Start, cli: &Cli, secrets: SecretUse) -> Result<Settings, Failure> {
    let loaded = start.load(cli, secrets).map_err(|found| problems(&found))?;
    loaded.settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(loaded.settings)
}

/// Takes the lock: two instances that write would undo each other's work.
fn lock(start: &Start, settings: &Settings) -> Result<RunLock, Failure> {
    RunLock::take(&RunLock::path_of(&settings.database)?, start.clock.now(), &start.world.command_line)
}

pub(super) async fn run(start: &Start, cli: &Cli, source: Source) -> Result<Answer, Failure> {
    let secrets = if source == Source::Providers { SecretUse::Read } else { SecretUse::Leave };
    let (settings, plan) = prepare(start, cli, secrets)?;
    let _lock = lock(start, &settings)?;
    let house = House::open(settings, start.clock, start.talk.clone()).await?;
    let id = house.ledger.start_run(&start.world.command_line, house.clock.now()).await?;
    warn_of_the_trap(start, &house, &plan).await?;
    let outcome = night::run(&house, &plan, source).await;
    warn_of_the_trap(start, &house, &plan).await?;
    let reasons: Vec<Value> =
        outcome.causes.iter().map(|cause| json!([cause.exit.code(), cause.about, cause.message])).collect();
    house.ledger.finish_run(id, house.clock.now(), outcome.exit(), &json!(reasons).to_string()).await?;
    let text = reports(start, &house, &plan.dates).await?;
    house.ledger.close().await;
    Ok(Answer { text, outcome, ..Answer::default() })
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
async fn warn_of_the_trap(start: &Start, house: &House, plan: &Plan) -> Result<(), Failure> {
    if plan.source != DateSource::SqeDate {
        return Ok(());
    }
    let mut left_out = Vec::new();
    for &date in &plan.left_out {
        if house.ledger.done_units(date).await?.is_empty() {
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
    let (settings, plan) = prepare(start, cli, SecretUse::Leave)?;
    let ledger = Ledger::open_read_only(&settings.database).await.ok();
    let mut text = String::new();
    let mut units = Vec::new();
    for errand in &plan.errands {
        let standing = match &ledger {
            Some(ledger) => ledger.current_statement(&errand.account.name, errand.date, errand.bill).await?,
            None => None,
        };
        let version = standing.map_or(0, |record| record.version);
        let account = &errand.account;
        let from = match account.option("url") {
            "" => account.option("path").to_owned(),
            url => bare(url).to_owned(),
        };
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
    let (settings, plan) = prepare(start, cli, SecretUse::Read)?;
    let _lock = lock(start, &settings)?;
    let house = House::open(settings, start.clock, start.talk.clone()).await?;
    let outcome = night::fetch(&house, &plan).await;
    Ok(Answer { outcome, ..Answer::default() })
}

pub(super) async fn import(start: &Start, cli: &Cli, file: &Path) -> Result<Answer, Failure> {
    let selection = cli.global.selection()?;
    let settings = settings(start, cli, SecretUse::Leave)?;
    let (account, date) = plan::single(&settings, &selection, start.clock.today())?;
    let _lock = lock(start, &settings)?;
    let house = House::open(settings, start.clock, start.talk.clone()).await?;
    let file = start.world.here.join(file);
    let outcome = night::import(&house, &Errand { account, date, bill: Bill::Trade }, &file).await;
    let text = reports(start, &house, &[date]).await?;
    Ok(Answer { text, outcome, ..Answer::default() })
}

pub(super) async fn report(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let (settings, plan) = prepare(start, cli, SecretUse::Leave)?;
    let _lock = lock(start, &settings)?;
    let house = House::open(settings, start.clock, start.talk.clone()).await?;
    let outcome = night::report(&house, &plan).await;
    let text = reports(start, &house, &plan.dates).await?;
    Ok(Answer { text, outcome, ..Answer::default() })
}

pub(super) async fn explain(start: &Start, cli: &Cli, asked: &str) -> Result<Answer, Failure> {
    let settings = settings(start, cli, SecretUse::Leave)?;
    let lang = settings.report_lang;
    let found = night::explain(&settings, asked).await?;
    let document: Value = serde_json::from_str(&crate::report::explain::json(&found)).unwrap_or_default();
    Ok(Answer {
        fields: vec![("explanations", document)],
        ..Answer::text(crate::report::explain::write(&found, &start.style(lang)))
    })
}
