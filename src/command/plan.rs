//! `plan`: the units that a run would take and what would happen; nothing is touched.

use std::fmt::Write as _;

use serde_json::json;

use super::again;
use super::answer::Answer;
use super::start::Start;
use super::work::prepare;
use crate::channel::bare;
use crate::cli::Cli;
use crate::config::SecretUse;
use crate::domain::{Errand, Failure, Lang, Stage};
use crate::plan::{DateSource, Plan};
use crate::report::words;
use crate::store::Ledger;

pub(super) async fn plan(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let (settings, plan) = prepare(start, cli, SecretUse::Databases).await?;
    let (ledger, today) = (Ledger::open_if_there(&settings.database).await?, start.today);
    let plan = match &ledger {
        Some(ledger) => again::catching_up(&settings, ledger, plan, today).await?,
        None => plan,
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
        let owed = plan.owed.iter().find(|u| u.date == errand.date && u.account.name == errand.account.name);
        let owed = owed.map(|unit| unit.stage);
        writeln!(text, "{} — {}", place(errand), intent(version, owed, start.lang)).unwrap_or_default();
        let account = &errand.account;
        units.push(json!({
            "bill_date": errand.date.to_string(), "account": account.name, "paytype": account.pay_type().as_str(),
            "channel": account.channel, "bill": errand.bill.as_str(), "statement_version": version,
            "catch_up": owed.map(Stage::as_str),
        }));
    }
    for unit in &plan.out_of_reach {
        writeln!(text, "{}", again::out_of_reach(unit, today, start.lang)).unwrap_or_default();
    }
    text += start
        .lang
        .pick("以上为计划；未下载也未写入任何内容\n", "this is the plan; nothing was fetched or written\n");
    Ok(Answer { fields: vec![("plan", json!(units))], ..Answer::text(text) })
}

/// Day, account, and where its statement comes from.
fn place(errand: &Errand) -> String {
    let account = &errand.account;
    let addresses = ["url", "gateway.url"].map(|key| bare(account.option(key)));
    let from = addresses.into_iter().find(|url| !url.is_empty()).unwrap_or(account.option("path"));
    format!("{} {} {} {} {from}", errand.date, account.name, account.pay_type(), account.channel)
}

/// What would be done, and why an earlier day is in the plan.
fn intent(version: u32, owed: Option<Stage>, lang: Lang) -> String {
    match (owed, version) {
        (Some(stage), _) => {
            let stage = words::stage(stage, lang);
            lang.pick(format!("补做：{stage}"), format!("catch-up: {stage}"))
        }
        (None, 0) => lang.pick("新", "new").to_owned(),
        (None, n) => lang.pick(
            format!("已有第 {n} 版，将重新核对"),
            format!("version {n} is there, to be compared again"),
        ),
    }
}

/// `sqe_date` is honoured as in the old program, where it silently re-ran one day for ever.
pub(super) async fn warn_of_the_trap(
    start: &Start,
    ledger: Option<&Ledger>,
    plan: &Plan,
) -> Result<(), Failure> {
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
