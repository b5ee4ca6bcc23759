//! Commands that look after what is kept: they read, take no lock, and may run beside a night.

use serde_json::{Value, json};

use super::answer::Answer;
use super::setup::problems;
use super::start::Start;
use crate::cli::Cli;
use crate::config::{Loaded, SecretUse};
use crate::domain::Failure;
use crate::night::{self, Verified};
use crate::plan;

/// What a command that does not open the log starts from. A ledger that is a file needs nothing to log in with; and a
/// copy of it, elsewhere, has nothing of what the log's address refers to.
async fn of_ledger(start: &Start, cli: &Cli) -> Result<Loaded, Failure> {
    let loaded = loaded(start, cli, SecretUse::Leave).await?;
    match loaded.settings.database.starts_with("sqlite:") {
        true => Ok(loaded),
        false => self::loaded(start, cli, SecretUse::Databases).await,
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
