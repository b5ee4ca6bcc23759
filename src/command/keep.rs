//! Commands that look after what is kept: they read, take no lock, and may run beside a night.

use std::path::Path;

use serde_json::{Value, json};

use super::answer::Answer;
use super::lost;
use super::setup::problems;
use super::start::Start;
use crate::cli::Cli;
use crate::config::{Loaded, SecretUse};
use crate::domain::Failure;
use crate::night::{self, PurgePlan, Verified};
use crate::plan;

/// What a command that does not open the log starts from. A ledger that is a file needs nothing to log in with; and a
/// copy of it, elsewhere, has nothing of what the log's address refers to.
async fn of_ledger(start: &Start, cli: &Cli) -> Result<Loaded, Failure> {
    let loaded = loaded(start, cli, SecretUse::Leave).await?;
    match lost::is_on_server(&loaded.settings) {
        false => Ok(loaded),
        true => self::loaded(start, cli, SecretUse::Databases).await,
    }
}

async fn loaded(start: &Start, cli: &Cli, secrets: SecretUse) -> Result<Loaded, Failure> {
    let mut loaded = start.load(cli, secrets).map_err(|found| problems(&found))?;
    super::sellers::complete(&mut loaded).await?;
    Ok(loaded)
}

pub(super) async fn verify(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let selection = cli.global.selection()?;
    let settings = of_ledger(start, cli).await?.settings;
    plan::check_selection(&settings, &selection)?;
    lost::refuse(&settings).await?;
    let found = night::verify(&settings, &selection, &start.talk).await?;
    let outcome = found.outcome();
    Ok(Answer { text: told(start, &found), fields: verified(&found), outcome, asked_for: false })
}

/// One line a unit that is not proven, each damage with its place, and the sums.
fn told(start: &Start, found: &Verified) -> String {
    let mut text = String::new();
    for damage in &found.damages {
        let (title, advice) = start.lang.pick(("损坏", "建议"), ("damage", "hint"));
        text += &format!("{title}: {}\n  {advice}: {}\n", damage.message(), damage.hint());
    }
    for what in &found.unproven {
        text += &format!("{}: {what}\n", start.lang.pick("未能证明", "not proven"));
    }
    for what in &found.remarks {
        text += &format!("{}: {what}\n", start.lang.pick("说明", "note"));
    }
    let proven = found.units.iter().filter(|unit| unit.result == "proven").count();
    let (units, objects, bytes) = (found.units.len(), found.objects, found.bytes);
    let (lines, events, damages) = (found.index_lines, found.events, found.damages.len());
    text + &start.lang.pick(
        format!(
            "{units} 个单元中 {proven} 个得到证明；归档对象 {objects} 个（{bytes} 字节），索引 {lines} 行，事件 {events} 条；损坏 {damages} 处\n"
        ),
        format!(
            "{proven} of {units} units proven; {objects} objects of the archive ({bytes} bytes), {lines} lines of its \
             index, {events} events; {damages} damaged places\n"
        ),
    )
}

fn verified(found: &Verified) -> Vec<(&'static str, Value)> {
    let damage = |damage: &night::Damage| {
        json!({
            "what": damage.what, "account": damage.account, "bill_date": damage.bill_date, "place": damage.place,
            "expected": damage.expected, "found": damage.found,
        })
    };
    let unit = |unit: &night::UnitProof| {
        json!({
            "account": unit.account, "bill_date": unit.date.to_string(), "lines": unit.lines, "result": unit.result,
        })
    };
    vec![
        ("damage", found.damages.iter().map(damage).collect()),
        ("not_proven", json!(found.unproven)),
        ("notes", json!(found.remarks)),
        ("verified", found.units.iter().map(unit).collect()),
        (
            "archive",
            json!({ "objects": found.objects, "bytes": found.bytes, "index_lines": found.index_lines }),
        ),
        ("events", json!(found.events)),
    ]
}

pub(super) async fn purge_plan(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let settings = loaded(start, cli, SecretUse::Databases).await?.settings;
    lost::refuse(&settings).await?;
    let plan = night::purge_plan(&settings, start.lang).await?;
    let day = |day: crate::domain::BillDate| day.to_string();
    let fields = vec![
        ("from", json!(plan.days.map(|(first, _)| day(first)))),
        ("through", json!(plan.days.map(|(_, last)| day(last)))),
        ("rows", json!(plan.rows)),
        ("older_rows", json!(plan.older_rows)),
        ("undated_rows", json!(plan.undated_rows)),
        ("reasons", json!(plan.reasons)),
        ("statements", json!(plan.statements)),
    ];
    Ok(Answer { fields, ..Answer::text(purge_text(start, &plan)) })
}

/// Statements as they can be handed to the database; everything else stands behind `--`.
fn purge_text(start: &Start, plan: &PurgePlan) -> String {
    let lang = start.lang;
    let mut text = match plan.days {
        Some((first, last)) => lang.pick(
            format!("-- EB_PAYLOG 中 {first} 至 {last} 的 {} 行可以删除；此处不执行任何语句\n", plan.rows),
            format!(
                "-- {} rows of EB_PAYLOG from {first} to {last} may be deleted; nothing is executed here\n",
                plan.rows
            ),
        ),
        None => lang
            .pick("-- EB_PAYLOG 目前不能删除\n", "-- nothing of EB_PAYLOG may be deleted yet\n")
            .to_owned(),
    };
    for reason in &plan.reasons {
        text += &format!("-- {}: {reason}\n", lang.pick("为何不更晚", "why not later"));
    }
    for (rows, zh, en) in [
        (
            plan.older_rows,
            "行早于首个对账日，从未核对，不在其内",
            "rows before the first day were never compared, and are left alone",
        ),
        (plan.undated_rows, "行没有 REQ_DATE，不在其内", "rows without a REQ_DATE are left alone"),
    ] {
        if rows > 0 {
            text += &format!("-- {rows} {}\n", lang.pick(zh, en));
        }
    }
    text + &plan.statements.iter().map(|sql| format!("{sql}\n")).collect::<String>()
}

pub(super) async fn backup(start: &Start, cli: &Cli, folder: &Path) -> Result<Answer, Failure> {
    let loaded = of_ledger(start, cli).await?;
    lost::refuse(&loaded.settings).await?;
    let folder = start.world.here.join(folder);
    let (done, outcome) = night::backup(&loaded, &folder, &start.talk).await?;
    let (shown, objects, bytes, events) = (done.folder.display(), done.objects, done.bytes, done.events);
    let text = start.lang.pick(
        format!("已备份到 {shown}：账本（事件 {events} 条）、归档对象 {objects} 个（{bytes} 字节）、不含密钥的配置\n验证：nightjob --config {shown}/nightjob.toml verify\n"),
        format!(
            "copied to {shown}: the ledger ({events} events), {objects} objects of the archive ({bytes} bytes), and the \
             configuration without secrets\nto prove it: nightjob --config {shown}/nightjob.toml verify\n"
        ),
    );
    let fields = vec![
        ("folder", json!(done.folder.display().to_string())),
        ("archive", json!({ "objects": objects, "bytes": bytes })),
        ("events", json!(events)),
    ];
    Ok(Answer { text, fields, outcome, asked_for: false })
}
