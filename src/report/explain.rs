//! `explain`: why an item is what the report calls it, for one order or one mismatch.
//!
//! The caller gathers both sides from the archive and the log; here they are only told. Raw lines and log texts are
//! the words of strangers and go through [`visible`](super::visible); tokens and payment codes were masked by the
//! caller.

use serde::Serialize;

use super::terminal::{Grid, Style};
use super::visible::visible;
use super::words::{self, title};
use super::{MismatchRow, amount, optional_amount};
use crate::domain::{EntryKind, Lang, MismatchKind, State};

/// One item: a mismatch, or an order that ended anywhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What was typed: an id or an order number.
    pub asked: String,
    pub place: Place,
    /// Both sides. For what is no mismatch `id` and `kind` are empty, and `reason` may be.
    pub item: MismatchRow,
    pub lines: Vec<RawLine>,
    /// In time order.
    pub log: Vec<LogStory>,
    /// What the provider said when it was asked about this order; the newest last.
    pub answers: Vec<AnswerStory>,
    /// What was looked for elsewhere: neighbouring days, other accounts.
    pub looked: Vec<Looked>,
    /// What else a person should know: the log was purged, the statement is the second version, …
    pub remarks: Vec<String>,
}

/// Where an item ended (proof 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Matched,
    Mismatched,
    Timing,
    Excluded,
    NothingHappened,
}

/// One line of the statement, exactly as decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RawLine {
    pub sha256: String,
    /// Name of the part in a zip; empty for a plain file.
    pub part: String,
    pub line: u32,
    pub text: String,
}

/// One row of the log, and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogStory {
    pub row_id: i64,
    /// `yyyy-MM-dd HH:mm:ss`.
    pub at: String,
    /// REQ_TYPE and REQ_ACTION as logged.
    pub req_type: String,
    pub action: String,
    /// What was asked for, masked.
    pub request: String,
    /// What came back, masked; empty if nothing did.
    pub reply: String,
    /// What the row proves: a state's code, or a sentence.
    pub says: String,
}

/// One answer of the provider about this order: evidence, which decides nothing by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnswerStory {
    /// `yyyy-MM-dd HH:mm:ss`.
    pub asked_at: String,
    pub source: String,
    /// `told`, `not_found`, `unaskable`, `rejected`
    pub outcome: String,
    /// A state's code; empty unless told.
    pub state: String,
    pub amount_minor: Option<i64>,
    pub currency: String,
    /// The provider's own word, or why there is none.
    pub word: String,
    /// False if nothing authenticates it.
    pub authentic: bool,
}

/// A place that was looked into, and what was found there (empty = nothing).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    pub place: String,
    pub found: String,
}

/// For a person.
pub fn write(explanations: &[Explanation], style: &Style) -> String {
    explanations.iter().map(|e| one(e, style)).collect::<Vec<String>>().join("\n")
}

/// For a machine: a list, because one order number may have a payment and several refunds.
pub fn json(explanations: &[Explanation]) -> String {
    let text = serde_json::to_string_pretty(explanations);
    text.expect("texts, numbers and lists are always JSON") + "\n"
}

fn one(of: &Explanation, style: &Style) -> String {
    let lang = style.lang;
    let parts = [
        heading(of, lang),
        sides(&of.item, style),
        raw_lines(&of.lines, lang),
        log(&of.log, lang),
        answers(&of.answers, lang),
        looked(&of.looked, lang),
        conclusion(of, lang),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<String>>().join("\n")
}

fn heading(of: &Explanation, lang: Lang) -> String {
    let item = &of.item;
    let what = EntryKind::parse(&item.entry).map_or("", |kind| words::entry(kind, lang));
    let keys = [item.id.as_str(), &item.account, &item.paytype, &item.bill_date, what, &item.order_no];
    let keys = keys.into_iter().chain([item.refund_no.as_str()]).filter(|key| !key.is_empty());
    let keys: Vec<String> = keys.map(|key| visible(key).into_owned()).collect();
    let reason = if item.reason.is_empty() { ended(of.place, lang) } else { item.reason.as_str() };
    format!("{}\n{}\n", keys.join("  "), visible(reason))
}

/// Where it ended, said for a person.
fn ended(place: Place, lang: Lang) -> &'static str {
    match place {
        Place::Matched => lang.pick("两边相符", "both sides agree"),
        Place::Mismatched => lang.pick("两边不符", "the sides disagree"),
        Place::Timing => lang.pick("只是跨日，不是差异", "it only moved over midnight and is no mismatch"),
        Place::Excluded => {
            lang.pick("日志未覆盖，未参与比较", "the log does not cover it, so it was not compared")
        }
        Place::NothingHappened => {
            lang.pick("没有成交，渠道账单也没有", "nothing happened, and the channel's statement agrees")
        }
    }
}

fn sides(item: &MismatchRow, style: &Style) -> String {
    let lang = style.lang;
    let mut grid = Grid::new(["", title::GATEWAY.say(lang), title::CHANNEL.say(lang)], style.width);
    let said = |code: &str| State::parse(code).map_or("", |state| words::state(state, lang)).to_owned();
    grid.row([
        format!("{} {}", title::AMOUNT.say(lang), item.currency),
        optional_amount(item.gateway_amount_minor, &item.currency),
        optional_amount(item.channel_amount_minor, &item.currency),
    ]);
    grid.row([title::STATE.say(lang).to_owned(), said(&item.gateway_state), said(&item.channel_state)]);
    grid.row([title::TIME.say(lang).to_owned(), item.gateway_time.clone(), item.channel_time.clone()]);
    let store = [&item.mall, &item.store, &item.till, &item.cashier];
    let store = store.into_iter().filter(|name| !name.is_empty()).map(|name| visible(name).into_owned());
    let mut further = Grid::bare(style.width);
    for (name, value) in [
        (title::DIFFERENCE, amount(item.difference_minor, &item.currency)),
        (title::TRADE, visible(&item.trade_no).into_owned()),
        (title::PLACE, store.collect::<Vec<String>>().join("/")),
    ] {
        if !value.is_empty() {
            further.row([name.say(lang).to_owned(), value]);
        }
    }
    format!("{}\n{}", grid.write(2), further.write(2))
}

fn raw_lines(lines: &[RawLine], lang: Lang) -> String {
    let mut text = format!("{}\n", title::RAW_LINES.say(lang));
    for line in lines {
        let place = title::raw_line(&line.sha256, &line.part, line.line, lang);
        text.push_str(&format!("  {}\n    {}\n", visible(&place), visible(&line.text)));
    }
    if lines.is_empty() {
        text.push_str(&format!("  {}\n", title::NO_LINE.say(lang)));
    }
    text
}

fn log(rows: &[LogStory], lang: Lang) -> String {
    let mut text = format!("{}\n", title::LOG_ROWS.say(lang));
    for row in rows {
        let head = format!("{}  #{}  {} {}", row.at, row.row_id, row.req_type, row.action);
        text.push_str(&format!("  {}\n", visible(&head)));
        let says = State::parse(&row.says).map_or(row.says.as_str(), |state| words::state(state, lang));
        for (name, value) in
            [(title::REQUEST, row.request.as_str()), (title::REPLY, &row.reply), (title::SAYS, says)]
        {
            if !value.is_empty() {
                text.push_str(&format!("    {}  {}\n", name.say(lang), visible(value)));
            }
        }
    }
    if rows.is_empty() {
        text.push_str(&format!("  {}\n", title::NO_ROWS.say(lang)));
    }
    text
}

fn answers(answers: &[AnswerStory], lang: Lang) -> String {
    if answers.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", title::ANSWERS.say(lang));
    for answer in answers {
        let says = match (State::parse(&answer.state), answer.outcome.as_str()) {
            (Some(state), _) => words::state(state, lang),
            (None, "not_found") => lang.pick("渠道没有此单", "the channel does not know it"),
            (None, "unaskable") => lang.pick("无法查询", "it cannot be asked about"),
            (None, _) => lang.pick("答复不可信", "the answer may not be believed"),
        };
        let amount = answer.amount_minor.map_or(String::new(), |minor| amount(minor, &answer.currency));
        let doubt =
            if answer.authentic { "" } else { lang.pick("（未经认证）", "(not authenticated)") };
        let parts = [&answer.asked_at, &answer.source, says, &amount, &answer.word, doubt];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        text.push_str(&format!("  {}\n", visible(&parts.join("  "))));
    }
    text
}

fn looked(places: &[Looked], lang: Lang) -> String {
    if places.is_empty() {
        return String::new();
    }
    let mut text = format!("{}\n", title::LOOKED.say(lang));
    for place in places {
        let found =
            if place.found.is_empty() { lang.pick("没有", "nothing") } else { place.found.as_str() };
        text.push_str(&format!("  {}{}{}\n", visible(&place.place), lang.pick("：", ": "), visible(found)));
    }
    text
}

/// The rule, what to do, and what else there is to know.
fn conclusion(of: &Explanation, lang: Lang) -> String {
    let mut text = String::new();
    if let Some(kind) = MismatchKind::parse(&of.item.kind) {
        text.push_str(&format!("{}\n", words::rule(kind, lang)));
        let advice = words::advice(kind, lang);
        text.push_str(&format!("{}{}{advice}\n", title::ADVICE.say(lang), lang.pick("：", ": ")));
    }
    for remark in &of.remarks {
        text.push_str(&format!("{}{}{}\n", title::REMARKS.say(lang), lang.pick("：", ": "), visible(remark)));
    }
    text
}
