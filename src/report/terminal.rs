//! The day's report for a screen or a plain text file.
//!
//! Only what the house itself writes is coloured; every text of strangers goes through [`visible`](super::visible), so
//! no raw escape reaches the terminal. Lists are cut at [`Style::rows_max`]; the files hold them whole.

mod grid;
mod status;
mod unit;

use super::visible::visible;
use super::words::{self, title};
use super::{BridgeRow, Report, Section, UnclaimedRow, amount};
use crate::domain::{Currency, Lang, MismatchKind, Verdict, money};
pub(super) use grid::Grid;
pub use status::status;

/// How to write. The caller knows the terminal, `NO_COLOR` and the language; nothing here asks the world.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub lang: Lang,
    pub color: bool,
    /// Columns of the terminal; `None` = as wide as the content, for files and pipes.
    pub width: Option<u16>,
    /// Rows of a list before it is cut; `None` = all.
    pub rows_max: Option<usize>,
}

impl Style {
    /// For a file or a pipe: no colour, no wrapping, nothing cut.
    pub fn plain(lang: Lang) -> Style {
        Style { lang, color: false, width: None, rows_max: None }
    }
}

/// The whole report.
pub fn write(report: &Report, style: &Style) -> String {
    let mut text = summary(report, style);
    for section in &report.units {
        text.push('\n');
        text.push_str(&unit::write(section, style));
    }
    if !report.unclaimed.is_empty() {
        text.push('\n');
        text.push_str(&unclaimed(&report.unclaimed, style));
    }
    text.push('\n');
    text.push_str(&legend(report, style.lang));
    text
}

/// The day's verdict and one line for each unit.
pub fn summary(report: &Report, style: &Style) -> String {
    let lang = style.lang;
    let titles = [title::ACCOUNT, title::PAYTYPE, title::VERDICT, title::GATEWAY, title::CHANNEL]
        .into_iter()
        .chain([title::DIFFERENCE, title::MISMATCHES, title::TIMING]);
    let mut grid = Grid::new(titles.map(|t| t.say(lang)), style.width).right(3..8);
    for section in &report.units {
        let totals = |of: fn(&BridgeRow) -> i64| unit_totals(section, of);
        grid.row([
            visible(&section.account).into_owned(),
            section.paytype.clone(),
            section.verdict().label(lang).to_owned(),
            totals(|b| b.gateway_minor),
            totals(|b| b.channel_minor),
            totals(|b| b.channel_minor - b.gateway_minor),
            section.mismatches.len().to_string(),
            section.timing.len().to_string(),
        ]);
    }
    format!(
        "{} {}  {}\n\n{}{}",
        title::REPORT.say(lang),
        report.bill_date,
        paint(report.verdict, style),
        grid.write(0),
        by_query(report, lang)
    )
}

/// Which units rest on the answers about single orders, and what cannot be seen there.
fn by_query(report: &Report, lang: Lang) -> String {
    let names: Vec<_> =
        report.units.iter().filter(|unit| unit.proof == "query").map(|unit| visible(&unit.account)).collect();
    if names.is_empty() {
        return String::new();
    }
    format!("{}{}{}\n", names.join(lang.pick("、", ", ")), lang.pick("：", ": "), title::BY_QUERY.say(lang))
}

/// One figure of each of a unit's currencies, which are named where there are several.
fn unit_totals(section: &Section, of: fn(&BridgeRow) -> i64) -> String {
    let show = |bridge: &BridgeRow| {
        let figure = amount(of(bridge), &bridge.currency);
        if section.bridge.len() > 1 { format!("{figure} {}", bridge.currency) } else { figure }
    };
    section.bridge.iter().map(show).collect::<Vec<String>>().join("\n")
}

/// A verdict's label, green, yellow or red. The word says it too, for those who do not see the colour.
fn paint(verdict: Verdict, style: &Style) -> String {
    let label = verdict.label(style.lang);
    let code = match verdict {
        Verdict::Balanced | Verdict::Confirmed => 32,
        Verdict::Incomplete => 33,
        Verdict::Unbalanced | Verdict::NotCompared => 31,
    };
    paint_as(label, code, style)
}

/// A word in one of the eight colours, if there is any colour.
fn paint_as(text: &str, code: u8, style: &Style) -> String {
    if style.color { format!("\u{1b}[1;{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

fn unclaimed(rows: &[UnclaimedRow], style: &Style) -> String {
    let lang = style.lang;
    let titles = [title::SELLER, title::PAYTYPE, title::COUNT, title::SUCCESSES];
    let mut grid = Grid::new(titles.map(|t| t.say(lang)), style.width).right(2..4);
    for row in rows {
        let seller = if row.seller.is_empty() { "\"\"" } else { row.seller.as_str() };
        grid.row([
            visible(seller).into_owned(),
            visible(&row.req_type).into_owned(),
            row.orders.to_string(),
            money::major(row.successes_minor, Currency::CNY.digits()),
        ]);
    }
    format!("{}\n{}", title::UNCLAIMED.say(lang), grid.write(2))
}

/// What the words in this report mean: only those that stand in it.
fn legend(report: &Report, lang: Lang) -> String {
    let mut text = format!("{}\n", title::LEGEND.say(lang));
    let verdicts = [
        Verdict::Balanced,
        Verdict::Confirmed,
        Verdict::Unbalanced,
        Verdict::Incomplete,
        Verdict::NotCompared,
    ];
    let seen = verdicts.into_iter().filter(|v| report.units.iter().any(|u| u.verdict() == *v));
    for verdict in seen {
        let (code, label) = (verdict.as_str(), verdict.label(lang));
        text.push_str(&entry(code, label, words::verdict(verdict, lang), lang));
    }
    let mismatches = || report.units.iter().flat_map(|u| &u.mismatches);
    for kind in MismatchKind::ALL.into_iter().filter(|k| mismatches().any(|m| m.kind == k.as_str())) {
        let (code, label) = (kind.as_str(), kind.label(lang));
        text.push_str(&entry(code, label, words::kind(kind, lang), lang));
    }
    text
}

fn entry(code: &str, label: &str, meaning: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("  {label} ({code})：{meaning}\n"),
        Lang::En => format!("  {label} ({code}): {meaning}\n"),
    }
}
