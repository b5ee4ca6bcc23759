//! One unit on the screen: what it stands on, its three proofs, and what a person must look at.

use super::{Grid, Style, paint};
use crate::domain::{EntryKind, Lang, Verdict};
use crate::report::proofs;
use crate::report::visible::visible;
use crate::report::words::{self, title};
use crate::report::{BridgeRow, HeldRow, MismatchRow, PlacesRow, Section, TallyRow, TimingRow};
use crate::report::{amount, optional_amount};

/// How much of a hash is shown: enough to find the file in the archive.
const HASH_SHOWN: usize = 12;

pub(super) fn write(section: &Section, style: &Style) -> String {
    let mut text = heading(section, style);
    text.push_str(&inputs(section, style.lang));
    if style.rows_max.is_some() && is_at_rest(section) {
        text.push_str(&format!("  {}\n", closed(section, style.lang)));
        return text;
    }
    let blocks = [totals, conservation, bridge, mismatches, timing, held];
    for block in blocks.into_iter().filter_map(|block| block(section, style)) {
        text.push('\n');
        text.push_str(&block);
    }
    text
}

/// Whether there is nothing to look at: on a screen, one line stands for its three proofs.
fn is_at_rest(section: &Section) -> bool {
    let nothing_listed = section.timing.is_empty() && section.held.is_empty();
    section.verdict() < Verdict::Unbalanced && nothing_listed && proofs::open(section).is_empty()
}

fn closed(section: &Section, lang: Lang) -> String {
    let counts = [section.conservation.lines.total.count, section.conservation.orders.total.count];
    let sums: Vec<String> = section
        .bridge
        .iter()
        .map(|b| format!("{} {}", amount(b.channel_minor, &b.currency), b.currency))
        .collect();
    title::closed(counts, &sums.join(lang.pick("、", ", ")), lang)
}

fn heading(section: &Section, style: &Style) -> String {
    let verdict = paint(section.verdict(), style);
    let reason = if section.reason.is_empty() {
        String::new()
    } else {
        format!("{}{}", style.lang.pick("：", ": "), visible(&section.reason))
    };
    format!("{}  {}  {verdict}{reason}\n", visible(&section.account), section.paytype)
}

fn inputs(section: &Section, lang: Lang) -> String {
    let input = |i: &crate::report::Input| {
        let hash: String = i.sha256.chars().take(HASH_SHOWN).collect();
        title::input(&i.kind, i.version, i.rows, &hash, lang)
    };
    let mut text = String::new();
    if !section.inputs.is_empty() {
        let inputs: Vec<String> = section.inputs.iter().map(input).collect();
        text = format!("  {}  {}\n", title::INPUTS.say(lang), inputs.join(lang.pick("；", "; ")));
    }
    if section.proof == "query" {
        text.push_str(&format!("  {}\n", title::BY_QUERY.say(lang)));
    }
    let unauthenticated = (!section.authenticated).then(|| title::UNAUTHENTICATED.say(lang));
    for remark in unauthenticated.into_iter().chain(section.remarks.iter().map(String::as_str)) {
        text.push_str(&format!("  {}  {}\n", title::REMARKS.say(lang), visible(remark)));
    }
    text
}

fn block(heading: title::Title, grid: Grid, lang: Lang) -> Option<String> {
    Some(format!("  {}\n{}", heading.say(lang), grid.write(4)))
}

fn totals(section: &Section, style: &Style) -> Option<String> {
    if section.totals.is_empty() {
        return None;
    }
    let lang = style.lang;
    let titles = [title::ITEM, title::STATED, title::PARSED, title::LEDGER];
    let mut grid = Grid::new(titles.map(|t| t.say(lang)), style.width).right(1..4);
    for row in &section.totals {
        let name = visible(&words::control(&row.title, lang)).into_owned();
        grid.row([name, row.stated.clone(), row.parsed.clone(), row.ledger.clone()]);
    }
    block(title::TOTALS, grid, lang)
}

fn conservation(section: &Section, style: &Style) -> Option<String> {
    let lang = style.lang;
    let currency = section.bridge.first().map(|b| b.currency.as_str())?;
    let titles = [title::SIDE, title::TOTAL, title::MATCHED, title::MISMATCHES, title::TIMING]
        .into_iter()
        .chain([title::EXCLUDED, title::NOTHING, title::REST]);
    let mut grid = Grid::new(titles.map(|t| t.say(lang)), style.width).right(1..8);
    for (side, row) in
        [(title::LINES, &section.conservation.lines), (title::ORDERS, &section.conservation.orders)]
    {
        grid.row(places(side.say(lang), row, currency));
    }
    block(title::CONSERVATION, grid, lang)
}

/// Counts, and under them the sums.
fn places(side: &str, row: &PlacesRow, currency: &str) -> Vec<String> {
    let show = |tally: TallyRow| match tally {
        TallyRow { count: 0, amount_minor: 0 } => "0".to_owned(),
        TallyRow { count, amount_minor } => format!("{count}\n{}", amount(amount_minor, currency)),
    };
    let tallies =
        [row.total, row.matched, row.mismatched, row.timing, row.excluded, row.nothing_happened, row.rest];
    std::iter::once(side.to_owned()).chain(tallies.into_iter().map(show)).collect()
}

fn bridge(section: &Section, style: &Style) -> Option<String> {
    if section.bridge.is_empty() {
        return None;
    }
    let lang = style.lang;
    let titles = [title::STEP, title::COUNT, title::AMOUNT];
    let mut grid = Grid::new(titles.map(|t| t.say(lang)), style.width).right(1..3);
    for row in &section.bridge {
        bridge_rows(&mut grid, row, section.bridge.len() > 1, lang);
    }
    block(title::BRIDGE, grid, lang)
}

fn bridge_rows(grid: &mut Grid, row: &BridgeRow, named: bool, lang: Lang) {
    let currency = if named { format!(" {}", row.currency) } else { String::new() };
    let total = |name: title::Title, minor: i64| {
        [format!("{}{currency}", name.say(lang)), String::new(), amount(minor, &row.currency)]
    };
    grid.row(total(title::GATEWAY_TOTAL, row.gateway_minor));
    for step in &row.steps {
        let name = words::step(&step.kind, lang).to_owned();
        grid.row([name, step.count.to_string(), amount(step.amount_minor, &row.currency)]);
    }
    grid.row(total(title::CHANNEL_TOTAL, row.channel_minor));
    grid.row(total(title::UNEXPLAINED, row.unexplained_minor));
}

fn mismatches(section: &Section, style: &Style) -> Option<String> {
    if section.mismatches.is_empty() {
        return None;
    }
    let lang = style.lang;
    let titles = [title::ORDER, title::PLACE, title::GATEWAY, title::CHANNEL]
        .into_iter()
        .chain([title::DIFFERENCE, title::REASON]);
    let mut grid = Grid::new(titles.map(|t| t.say(lang)), style.width).right(2..5);
    let shown = style.rows_max.unwrap_or(usize::MAX);
    for row in section.mismatches.iter().take(shown) {
        grid.row([
            keys(&row.order_no, &row.refund_no, &row.entry, lang),
            store(row),
            optional_amount(row.gateway_amount_minor, &row.currency),
            optional_amount(row.channel_amount_minor, &row.currency),
            amount(row.difference_minor, &row.currency),
            format!("{}\n{}  {}", visible(&row.reason), visible(&row.id), visible(&row.evidence)),
        ]);
    }
    let left_out = section.mismatches.len().saturating_sub(shown);
    let more = (left_out > 0).then(|| format!("    {}\n", title::more(left_out, lang)));
    block(title::MISMATCHES, grid, lang).map(|text| text + &more.unwrap_or_default())
}

/// The order number, and under it what it is if it is no payment.
fn keys(order_no: &str, refund_no: &str, entry: &str, lang: Lang) -> String {
    match EntryKind::parse(entry) {
        None | Some(EntryKind::Payment) => visible(order_no).into_owned(),
        Some(kind) => {
            let what = format!("{} {}", words::entry(kind, lang), visible(refund_no));
            format!("{}\n{}", visible(order_no), what.trim_end())
        }
    }
}

/// Mall, store and till, as far as they are known.
fn store(row: &MismatchRow) -> String {
    let known = [&row.mall, &row.store, &row.till].into_iter().filter(|name| !name.is_empty());
    known.map(|name| visible(name).into_owned()).collect::<Vec<String>>().join("/")
}

fn timing(section: &Section, style: &Style) -> Option<String> {
    if section.timing.is_empty() {
        return None;
    }
    let lang = style.lang;
    let titles = [title::ORDER, title::AMOUNT, title::OTHER_DAY, title::REASON];
    let mut grid = Grid::new(titles.map(|t| t.say(lang)), style.width).right(1..2);
    let shown = style.rows_max.unwrap_or(usize::MAX);
    for row in section.timing.iter().take(shown) {
        grid.row(timing_cells(row, lang));
    }
    let left_out = section.timing.len().saturating_sub(shown);
    let more = (left_out > 0).then(|| format!("    {}\n", title::more_timing(left_out, lang)));
    block(title::TIMING, grid, lang).map(|text| text + &more.unwrap_or_default())
}

/// What the channel holds, the oldest first: a person asks why it is not released.
fn held(section: &Section, style: &Style) -> Option<String> {
    if section.held.is_empty() {
        return None;
    }
    let lang = style.lang;
    let titles = [title::ORDER, title::AMOUNT, title::SINCE, title::AGE];
    let mut grid = Grid::new(titles.map(|t| t.say(lang)), style.width).right(1..2);
    let shown = style.rows_max.unwrap_or(usize::MAX);
    let mut rows: Vec<&HeldRow> = section.held.iter().collect();
    rows.sort_by_key(|row| (&row.since, &row.order_no));
    for row in rows.iter().take(shown) {
        grid.row([
            visible(&row.order_no).into_owned(),
            amount(row.amount_minor, &row.currency),
            row.since.clone(),
            row.age_days.to_string(),
        ]);
    }
    let left_out = rows.len().saturating_sub(shown);
    let more = (left_out > 0).then(|| format!("    {}\n", title::more_timing(left_out, lang)));
    block(title::HELD, grid, lang).map(|text| text + &more.unwrap_or_default())
}

/// Key, amount, day; and under the explanation both times, which are what it is about.
fn timing_cells(row: &TimingRow, lang: Lang) -> [String; 4] {
    let sides = [(title::GATEWAY, &row.gateway_time), (title::CHANNEL, &row.channel_time)];
    let known = sides.into_iter().filter(|(_, time)| !time.is_empty());
    let times: Vec<String> = known.map(|(side, time)| format!("{} {time}", side.say(lang))).collect();
    [
        keys(&row.order_no, &row.refund_no, &row.entry, lang),
        amount(row.amount_minor, &row.currency),
        row.other_day.clone(),
        format!("{}\n{}", words::timing(&row.kind, lang), times.join("\n")),
    ]
}
