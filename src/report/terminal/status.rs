//! The grid of accounts and days, what its marks mean, and what is not done.
//!
//! A mark says it without colour and takes two columns at most, but for a count of mismatches; so two weeks fit into 80
//! columns, and a longer time is written in bands below each other.

use super::{Grid, Style, paint_as};
use crate::domain::{BillDate, Exit, Lang, Stage, Verdict};
use crate::report::status::{LastRun, Standing, Status};
use crate::report::visible::visible;
use crate::report::words::{self, title};

/// Lines about what is not done; the JSON holds all.
const TOLD_MAX: usize = 12;
const BLANKS_BETWEEN: usize = 2;

/// The whole screen.
pub fn status(status: &Status, style: &Style) -> String {
    let lang = style.lang;
    let mut text = String::new();
    if !status.has_ledger {
        text += &format!("{}\n\n", no_ledger(status, lang));
    }
    for band in bands(status, style.width) {
        text += &grid(status, band, lang);
        text.push('\n');
    }
    text += &legend(status, lang);
    text += &totals(status, style);
    text += &not_done(status, lang);
    text += &runs(status, lang);
    text
}

/// Who makes it, or what to do where it is gone.
fn no_ledger(status: &Status, lang: Lang) -> String {
    match (&status.lost, status.is_on_server) {
        (Some(lost), is_on_server) => {
            let (found, advice) = lost.words(is_on_server, lang);
            format!("{found}{}{advice}", lang.pick("：", ": "))
        }
        (None, true) => lang
            .pick(
                "账本所在的数据库里还没有表：请以可建表的用户运行一次 `nightjob migrate`",
                "the ledger has no tables yet; run `nightjob migrate` once, as a user that may make tables",
            )
            .to_owned(),
        (None, false) => lang
            .pick(
                "还没有账本：第一次 `nightjob run` 会建立它",
                "there is no ledger yet; the first `nightjob run` makes it",
            )
            .to_owned(),
    }
}

/// Columns of a text on a screen: the house's marks and names are of one or two.
fn columns(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// Which days stand beside each other.
fn bands(status: &Status, width: Option<u16>) -> Vec<std::ops::Range<usize>> {
    let days = status.days.len();
    let name = status.accounts.iter().map(|row| columns(&visible(&row.account))).max().unwrap_or(0);
    let marks = status.units().map(|(_, _, unit)| columns(&mark(unit, Lang::Zh))).max().unwrap_or(0);
    let each = marks.max(2) + BLANKS_BETWEEN;
    let beside = width.map_or(days, |width| usize::from(width).saturating_sub(name.max(8)) / each).max(1);
    (0..days).step_by(beside).map(|first| first..(first + beside).min(days)).collect()
}

fn grid(status: &Status, band: std::ops::Range<usize>, lang: Lang) -> String {
    let days = status.days.get(band.clone()).unwrap_or_default();
    let titles: Vec<String> = days.iter().enumerate().map(|(at, day)| day_title(days, at, *day)).collect();
    let account = format!("\n{}", title::ACCOUNT.say(lang));
    let mut grid =
        Grid::new(std::iter::once(account.as_str()).chain(titles.iter().map(String::as_str)), None)
            .right(1..days.len() + 1);
    for row in &status.accounts {
        let units = row.units.get(band.clone()).unwrap_or_default();
        let marks = units.iter().map(|unit| mark(unit, lang));
        grid.row(std::iter::once(visible(&row.account).into_owned()).chain(marks));
    }
    grid.write(0)
}

/// The day of the month, below the month where one begins.
fn day_title(days: &[BillDate], at: usize, day: BillDate) -> String {
    let text = day.to_string();
    let (month, number) = (&text[5..7], &text[8..]);
    let same = at.checked_sub(1).is_some_and(|before| days[before].to_string()[..7] == text[..7]);
    if same { format!("\n{number}") } else { format!("{month}\n{number}") }
}

/// What stands in a cell.
fn mark(unit: &Standing, lang: Lang) -> String {
    match (unit.stage, unit.mismatches) {
        (Stage::Done, 0) if unit.verdict == Verdict::Incomplete => lang.pick("疑", "?").to_owned(),
        (Stage::Done, 0) => lang.pick("平", "ok").to_owned(),
        (Stage::Done | Stage::Empty, open) if open > 0 => open.to_string(),
        (stage, _) => words::stage_mark(stage, lang).to_owned(),
    }
}

/// Only the marks that stand in the grid.
fn legend(status: &Status, lang: Lang) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut add = |mark: &str, meaning: &str| {
        let part = format!("{mark} {meaning}");
        if !parts.contains(&part) {
            parts.push(part);
        }
    };
    let all = || status.units().map(|(_, _, unit)| unit);
    for unit in all().filter(|unit| unit.stage == Stage::Done && unit.mismatches == 0) {
        let meaning = match unit.verdict {
            Verdict::Incomplete => lang.pick("数据不全", "incomplete"),
            _ => words::stage(Stage::Done, lang),
        };
        add(&mark(unit, lang), meaning);
    }
    if all().any(|unit| unit.mismatches > 0) {
        add(lang.pick("数字", "number"), lang.pick("未了结的差异", "mismatches open"));
    }
    for stage in Stage::ALL.into_iter().skip(1).filter(|stage| all().any(|unit| unit.stage == *stage)) {
        if stage != Stage::NotOwed {
            add(words::stage_mark(stage, lang), words::stage(stage, lang));
        }
    }
    if parts.is_empty() { String::new() } else { format!("{}\n", parts.join(lang.pick("；", "; "))) }
}

/// One line: how many of what.
fn totals(status: &Status, style: &Style) -> String {
    let lang = style.lang;
    let owed = status.units().filter(|(_, _, unit)| !matches!(unit.stage, Stage::NotOwed | Stage::NotDue));
    let units = owed.count();
    if units == 0 {
        return String::new();
    }
    let counted = |stage: &Stage| (*stage, status.count(*stage));
    let stages = Stage::ALL[..6].iter().map(counted).filter(|(_, count)| *count > 0);
    let told: Vec<String> = stages
        .map(|(stage, count)| {
            let text = format!("{} {count}", words::stage(stage, lang));
            let color = match stage {
                Stage::Done | Stage::Empty => return text,
                Stage::Waiting => 33,
                _ => 31,
            };
            paint_as(&text, color, style)
        })
        .collect();
    let open = status.open_mismatches();
    lang.pick(
        format!("合计 {units} 个：{}；未了结的差异 {open} 项\n", told.join("、")),
        format!("{units} units: {}; mismatches open {open}\n", told.join(", ")),
    )
}

/// Why, newest day first, and what to type. Accounts with the same trouble on the same day share a line.
fn not_done(status: &Status, lang: Lang) -> String {
    let undone =
        |stage: Stage| matches!(stage, Stage::Waiting | Stage::Failed | Stage::Quarantined | Stage::Missing);
    let mut lines: Vec<(BillDate, &Standing, Vec<String>)> = Vec::new();
    for (row, day, unit) in status.units().filter(|(_, _, unit)| undone(unit.stage)) {
        let name = visible(&row.account).into_owned();
        match lines.last_mut() {
            Some((same_day, same, names)) if *same_day == day && *same == unit => names.push(name),
            _ => lines.push((day, unit, vec![name])),
        }
    }
    let (Some(first), Some(last)) = (lines.first().map(|line| line.0), lines.last().map(|line| line.0))
    else {
        return String::new();
    };
    let mut text = String::from("\n");
    for (day, unit, names) in lines.iter().rev().take(TOLD_MAX) {
        let (names, stage) = (names.join(" "), words::stage(unit.stage, lang));
        let why = if unit.reason.is_empty() { words::not_run_yet(lang) } else { &unit.reason };
        let why = visible(why);
        text +=
            &lang.pick(format!("{day} {names} {stage}：{why}\n"), format!("{day} {names} {stage}: {why}\n"));
    }
    if let Some(more) = lines.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        text +=
            &lang.pick(format!("……另有 {more} 行，见 --json\n"), format!("… and {more} more, in --json\n"));
    }
    let again = format!("nightjob run --from {first} --to {last} --reprocess failed");
    text + &lang.pick(format!("补做：{again}\n"), format!("to do them now: {again}\n"))
}

/// The last run, and who is at work.
fn runs(status: &Status, lang: Lang) -> String {
    let mut text = String::from("\n");
    if let Some(run) = &status.last_run {
        text += &last_run(run, status.holder.is_some(), lang);
    }
    match &status.holder {
        Some(holder) => {
            text += &lang.pick(format!("正在运行：{holder}\n"), format!("at work now: {holder}\n"));
        }
        None => text += lang.pick("现在没有实例在运行\n", "no instance is at work now\n"),
    }
    text
}

fn last_run(run: &LastRun, is_held: bool, lang: Lang) -> String {
    let LastRun { started_at, arguments, .. } = run;
    let command = format!("nightjob {arguments}");
    let command = command.trim_end();
    let end = match (run.finished_at, run.exit.and_then(Exit::of_code)) {
        (Some(finished), Some(exit)) => {
            let (code, said) = (exit.code(), words::exit(exit, lang));
            lang.pick(
                format!("{finished} 结束，退出码 {code}：{said}"),
                format!("ended {finished}, exit {code}: {said}"),
            )
        }
        _ if is_held => lang.pick("尚未结束", "not ended yet").to_owned(),
        _ => lang
            .pick(
                "没有写下结束：被终止、断电或磁盘已满",
                "never said how it ended: killed, the power failed, or the disk was full",
            )
            .to_owned(),
    };
    let command = visible(command);
    lang.pick(
        format!("上次运行：{started_at} 开始，{end}（{command}）\n"),
        format!("last run: began {started_at}, {end} ({command})\n"),
    )
}
