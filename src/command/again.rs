//! Which units are done beside or instead of those that were named: catch-up and `--reprocess`, and how they are told.

use serde_json::{Value, json};

use super::answer::Answer;
use super::start::Start;
use crate::config::Settings;
use crate::domain::{BillDate, Failure, Lang};
use crate::night::{self, House, Outcome};
use crate::plan::{DateSource, Left, Owed, Plan, Reprocess, keeps_days};
use crate::report::words;
use crate::store::Ledger;

/// The bare night's plan with what earlier nights left undone, said once. What cannot be read of earlier days is one more
/// cause, and stops no day of tonight's.
pub(super) async fn caught_up(start: &Start, house: &House, plan: Plan, outcome: &mut Outcome) -> Plan {
    let today = start.today;
    match catching_up(&house.settings, &house.ledger, plan.clone(), today).await {
        Ok(plan) => {
            tell(&plan, today, start.lang);
            plan
        }
        Err(failure) => {
            outcome.fail("", failure);
            plan
        }
    }
}

/// The same, silently and for a ledger that is only read.
pub(super) async fn catching_up(
    settings: &Settings,
    ledger: &Ledger,
    plan: Plan,
    today: BillDate,
) -> Result<Plan, Failure> {
    let (DateSource::Lag, Some(own)) = (plan.source, plan.own_day()) else { return Ok(plan) };
    let days: Vec<BillDate> = (1..=settings.catch_up_days).map(|days| own.minus_days(days)).collect();
    if days.is_empty() {
        return Ok(plan);
    }
    let known = night::known(ledger, settings.lag_days, &days).await?;
    Ok(plan.catching_up(settings.catch_up_days, &known, today))
}

/// The units of the named days that `--reprocess` is about.
pub(super) async fn chosen(
    start: &Start,
    house: &House,
    plan: Plan,
    which: Reprocess,
) -> Result<Plan, Failure> {
    let known = night::known(&house.ledger, house.settings.lag_days, &plan.dates).await?;
    let plan = plan.choosing(which, &known);
    plan.left.iter().for_each(|left| tracing::info!("{}", told(left, start.lang)));
    Ok(plan)
}

fn tell(plan: &Plan, today: BillDate, lang: Lang) {
    for unit in &plan.out_of_reach {
        tracing::warn!("{}", out_of_reach(unit, today, lang));
    }
    let (Some(first), Some(last)) = (plan.owed.first(), plan.owed.last()) else { return };
    let units: Vec<String> = plan.owed.iter().map(|unit| short(unit, lang)).collect();
    let (count, list) = (units.len(), units.join(lang.pick("；", "; ")));
    let text = lang.pick(
        format!("先补做 {} 至 {} 未完成的 {count} 个：{list}", first.date, last.date),
        format!("first the {count} that {} to {} left undone: {list}", first.date, last.date),
    );
    tracing::info!("{text}");
}

fn short(unit: &Owed, lang: Lang) -> String {
    format!("{} {} {}", unit.account.name, unit.date, words::stage(unit.stage, lang))
}

/// Why an undone unit is not asked for.
pub(super) fn out_of_reach(unit: &Owed, today: BillDate, lang: Lang) -> String {
    let (name, date) = (&unit.account.name, unit.date);
    let (age, kept) = (today.days_since(date), keeps_days(&unit.account).unwrap_or_default());
    lang.pick(
        format!(
            "{name} {date} 未对账，已是 {age} 天前，渠道只保留 {kept} 天：不再下载；如能从商户平台取得，请用 \
             nightjob import 文件 --account {name} --date {date}"
        ),
        format!(
            "{name} {date} is not done and {age} days ago; its provider keeps {kept}, so it is not asked for: if the \
             merchant platform still shows it, nightjob import FILE --account {name} --date {date}"
        ),
    )
}

fn told(left: &Left, lang: Lang) -> String {
    let Left { account, date, unit } = left;
    match (unit.stage.is_done(), unit.version) {
        (true, 0) => {
            lang.pick(format!("{account} {date}：已对账"), format!("{account} {date}: already done"))
        }
        (true, version) => lang.pick(
            format!("{account} {date}：已对账，第 {version} 版"),
            format!("{account} {date}: already done, version {version}"),
        ),
        (false, _) => {
            let stage = words::stage(unit.stage, lang);
            lang.pick(
                format!("{account} {date}：{stage}；--reprocess failed 会重做"),
                format!("{account} {date}: {stage}; --reprocess failed takes it"),
            )
        }
    }
}

/// What was left as it is belongs into the answer, too.
pub(super) fn with_what_was_left(start: &Start, plan: &Plan, mut answer: Answer) -> Answer {
    if plan.left.is_empty() {
        return answer;
    }
    if plan.errands.is_empty() {
        let count = plan.left.len();
        answer.text += &start.lang.pick(
            format!("没有要做的：{count} 个单元保持原样\n"),
            format!("nothing to do: {count} units are left as they are\n"),
        );
    }
    let left = |left: &Left| {
        json!({
            "account": left.account, "bill_date": left.date.to_string(), "stage": left.unit.stage.as_str(),
            "statement_version": left.unit.version,
        })
    };
    answer.fields.push(("left", plan.left.iter().map(left).collect::<Vec<Value>>().into()));
    answer
}
