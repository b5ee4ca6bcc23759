//! `explain`: why an item is what the report calls it. Reads only: the ledger, the archive, the log.

use std::collections::HashSet;
use std::sync::Arc;

use super::{House, doubts};

use crate::acquire::Archive;
use crate::channel;
use crate::config::Settings;
use crate::domain::logged_order::is_success;
use crate::domain::{Bill, BillDate, Cell, EntryKind, Errand, Exit, Failure, Moment, Statement};
use crate::paylog::{Rules, describe};
use crate::report::explain::{AnswerStory, Explanation, LogStory, Looked, Place, RawLine};
use crate::report::{self, MismatchRow, Section};
use crate::store::{Ledger, PayLog, StatementState, StoredAnswer, StoredEntry, StoredOrder};

/// Days around an item in which its log rows are looked for: queries and refunds come before and after.
const LOG_DAYS: u64 = 3;

/// Explains a mismatch by its id, or everything under an order number.
///
/// # Errors
///
/// [`Exit::Usage`] if nothing is known under it; [`Exit::Storage`] if ledger, archive or log cannot be read.
pub async fn explain(settings: &Settings, asked: &str) -> Result<Vec<Explanation>, Failure> {
    let why = Why { settings, ledger: Ledger::open_read_only(&settings.database).await? };
    let mut told = Vec::new();
    for (place, item, remarks) in why.items(asked).await? {
        told.push(why.tell(asked, place, item, remarks).await?);
    }
    Ok(told)
}

/// Asks the provider about an item: `explain --ask`. The answer is kept; [`explain`] then shows it.
///
/// # Errors
///
/// [`Exit::Usage`] if nothing is known under it; [`Exit::Config`] if its channel cannot be asked; what the provider
/// says otherwise.
pub async fn ask(house: &House, asked: &str) -> Result<(), Failure> {
    let why = Why { settings: &house.settings, ledger: house.ledger.clone() };
    for (_, item, _) in why.items(asked).await? {
        let account = house.settings.accounts.iter().find(|account| account.name == item.account);
        if let Some(account) = account {
            doubts::ask(house, &Arc::new(account.clone()), &item).await?;
        }
    }
    Ok(())
}

type Item = (Place, MismatchRow, Vec<String>);

struct Why<'w> {
    settings: &'w Settings,
    ledger: Ledger,
}

impl Why<'_> {
    /// What is known under an id or an order number.
    async fn items(&self, asked: &str) -> Result<Vec<Item>, Failure> {
        let mut items = self.mismatches(asked).await?;
        if items.is_empty() {
            items = self.others(asked).await?;
        }
        if items.is_empty() {
            let message = format!("nothing is known under `{asked}`");
            return Err(Failure::new(Exit::Usage, message).hint(
                "give a mismatch's id or an order number as in mismatches.csv; only days that were done are known",
            ));
        }
        Ok(items)
    }

    async fn mismatches(&self, asked: &str) -> Result<Vec<Item>, Failure> {
        let mut stored = Vec::from_iter(self.ledger.mismatch(asked).await?);
        if stored.is_empty() {
            stored = self.ledger.mismatches_of_order(asked).await?;
        }
        let gone = self.settings.report_lang.pick(
            "此差异在之后的核对中已不存在",
            "this mismatch is gone: the unit was compared again, and it did not occur any more",
        );
        Ok(stored
            .into_iter()
            .map(|found| {
                let remarks = if found.open { Vec::new() } else { vec![gone.to_owned()] };
                (Place::Mismatched, found.row, remarks)
            })
            .collect())
    }

    /// An order that is no mismatch: where it ended, from both sides.
    async fn others(&self, asked: &str) -> Result<Vec<Item>, Failure> {
        let entries = self.ledger.entries_of_order(asked).await?;
        let orders = self.ledger.orders_of_order(asked).await?;
        let mut items: Vec<MismatchRow> = entries.iter().map(of_entry).collect();
        for order in &orders {
            match items.iter_mut().find(|item| same(item, order)) {
                Some(item) => add_order(item, order),
                None => {
                    let mut item =
                        MismatchRow { bill_date: order.movement.date.to_string(), ..blank(&order.account) };
                    name(&mut item, &order.movement);
                    add_order(&mut item, order);
                    items.push(item);
                }
            }
        }
        let mut placed = Vec::new();
        for item in items {
            placed.push((self.place(&item).await?, item, Vec::new()));
        }
        Ok(placed)
    }

    async fn place(&self, item: &MismatchRow) -> Result<Place, Failure> {
        let section = self.section(item).await?;
        let moved = section.is_some_and(|section| {
            section.timing.iter().any(|timing| {
                timing.order_no == item.order_no
                    && timing.refund_no == item.refund_no
                    && timing.entry == item.entry
            })
        });
        Ok(match (moved, item.gateway_state.is_empty(), item.channel_state.is_empty()) {
            (true, _, _) => Place::Timing,
            (false, false, false) => Place::Matched,
            (false, true, _) => Place::Excluded,
            (false, _, true) => Place::NothingHappened,
        })
    }

    async fn section(&self, item: &MismatchRow) -> Result<Option<Section>, Failure> {
        let Some(date) = BillDate::parse(&item.bill_date) else { return Ok(None) };
        let sections = self.ledger.sections(date).await?;
        let record = sections.into_iter().find(|record| record.account == item.account);
        Ok(record.and_then(|record| report::json::read_section(&record.section).ok()))
    }

    async fn tell(
        &self,
        asked: &str,
        place: Place,
        item: MismatchRow,
        mut remarks: Vec<String>,
    ) -> Result<Explanation, Failure> {
        let date = BillDate::parse(&item.bill_date)
            .ok_or_else(|| Failure::new(Exit::Bug, format!("`{}` is no date", item.bill_date)))?;
        let mut looked = Vec::new();
        let mut lines = Vec::new();
        for day in [date, date.before(), date.after()] {
            let found = self.raw_lines(&item, day, &mut remarks).await?;
            looked.push(Looked { place: format!("statement {} {day}", item.account), found: places(&found) });
            lines.extend(found);
        }
        let log = self.log(&item, date).await.unwrap_or_else(|failure| {
            remarks.push(failure.message);
            Vec::new()
        });
        remarks.extend(self.purged(&item, log.len()));
        let answers = self.answers(&item).await?;
        Ok(Explanation { asked: asked.to_owned(), place, item, lines, log, answers, looked, remarks })
    }

    /// The statement's lines of an item on a day, from the archived bytes.
    async fn raw_lines(
        &self,
        item: &MismatchRow,
        day: BillDate,
        remarks: &mut Vec<String>,
    ) -> Result<Vec<RawLine>, Failure> {
        let Some(account) = self.settings.accounts.iter().find(|account| account.name == item.account) else {
            return Ok(Vec::new());
        };
        let errand = Errand { account: account.clone().into(), date: day, bill: Bill::Trade };
        let Some(record) = self.ledger.current_statement(&item.account, day, Bill::Trade).await? else {
            return Ok(Vec::new());
        };
        let Some(room) =
            channel::room(&account.channel).filter(|_| record.meta.state == StatementState::Current)
        else {
            return Ok(Vec::new());
        };
        let bytes = Archive::open_to_read(&self.settings.archive).read(&record.meta.sha256)?;
        match channel::read(room, &errand, bytes) {
            Ok(statement) => Ok(lines_of(&statement, item, &record.meta.sha256)),
            Err(error) => {
                remarks.push(format!("{}: {error}", record.meta.sha256));
                Ok(Vec::new())
            }
        }
    }

    /// The log may have been purged since the day was compared: then the gateway's side is what was kept of it.
    fn purged(&self, item: &MismatchRow, found: usize) -> Option<String> {
        let rows = item
            .evidence
            .split_whitespace()
            .find_map(|part| part.strip_prefix("log:")?.parse::<usize>().ok())?;
        let lang = self.settings.report_lang;
        match found {
            0 if rows > 0 => Some(lang.pick(
                format!("日志中已没有它的记录（当时有 {rows} 行）；网关侧为对账当时保存的内容"),
                format!(
                    "the log no longer has its rows ({rows} then); the gateway's side is what was kept when the day was \
                     compared"
                ),
            )),
            found if found < rows => Some(lang.pick(
                format!("对账当时日志中有 {rows} 行，现在前后 {LOG_DAYS} 天内有 {found} 行"),
                format!("of the {rows} log rows of then, {found} are there now, within {LOG_DAYS} days"),
            )),
            _ => None,
        }
    }

    /// What the provider answered about an item, of the day it belongs to.
    async fn answers(&self, item: &MismatchRow) -> Result<Vec<AnswerStory>, Failure> {
        let number = if item.order_no.is_empty() { &item.trade_no } else { &item.order_no };
        let kept = self.ledger.answers_of_order(number).await?;
        let about = |answer: &StoredAnswer| {
            answer.account == item.account
                && answer.date.to_string() == item.bill_date
                && (answer.kind.as_str() == item.entry || answer.kind == EntryKind::Payment)
        };
        let mut answers: Vec<StoredAnswer> = kept.into_iter().filter(about).collect();
        answers.sort_by_key(|answer| answer.asked_at);
        Ok(answers.into_iter().map(story_of).collect())
    }

    /// The log's rows about an item, in time order.
    async fn log(&self, item: &MismatchRow, date: BillDate) -> Result<Vec<LogStory>, Failure> {
        let settings = &self.settings.paylog;
        let rules = Rules { isbase64: settings.isbase64, amount_unit: settings.amount_unit };
        let paylog = PayLog::open(&settings.database, &settings.schema).await?;
        let numbers = [&item.order_no, &item.refund_no, &item.trade_no];
        let keys: HashSet<String> =
            numbers.into_iter().filter(|number| !number.is_empty()).cloned().collect();
        let window = date.minus_days(LOG_DAYS).start()..date.plus_days(LOG_DAYS).end();
        let found = paylog.find(&keys, window).await?;
        let lang = self.settings.report_lang;
        let story = |row: &crate::store::OwnedLogRow| {
            let story = describe(&row.as_row(), rules);
            let (request, reply) = story.summary.split_once(" → ").unwrap_or((&story.summary, ""));
            LogStory {
                row_id: story.row_id,
                at: story.logged_at.map_or(row.req_date.clone(), |at: Moment| at.to_string()),
                req_type: story.req_type,
                action: story.action,
                request: request.to_owned(),
                reply: reply.to_owned(),
                says: story.finding.label(lang).to_owned(),
            }
        };
        let mut told: Vec<LogStory> = found.rows.iter().map(story).collect();
        let numbers = keys.into_iter().collect();
        told.extend(super::notices::tell(settings, self.settings.accounts.clone(), numbers, lang).await?);
        told.sort_by(|a, b| a.at.cmp(&b.at));
        Ok(told)
    }
}

fn lines_of(statement: &Statement, item: &MismatchRow, sha256: &str) -> Vec<RawLine> {
    let about = |entry: &&crate::domain::Entry| {
        let order_no = statement.cell(entry, Cell::OrderNo);
        let trade_no = statement.cell(entry, Cell::TradeNo);
        (!item.order_no.is_empty() && order_no == item.order_no)
            || (!item.trade_no.is_empty() && trade_no == item.trade_no)
    };
    let lines = statement.entries().iter().filter(about);
    lines
        .map(|entry| RawLine {
            sha256: sha256.to_owned(),
            part: statement.part(entry).to_owned(),
            line: entry.line,
            text: statement.line(entry).to_owned(),
        })
        .collect()
}

fn story_of(answer: StoredAnswer) -> AnswerStory {
    AnswerStory {
        asked_at: answer.asked_at.to_string(),
        source: answer.source,
        outcome: answer.outcome.as_str().to_owned(),
        state: answer.outcome.state().to_owned(),
        amount_minor: answer.amount_minor,
        currency: answer.currency.to_string(),
        word: answer.word,
        authentic: answer.authentic,
    }
}

fn places(lines: &[RawLine]) -> String {
    let places: Vec<String> = lines.iter().map(|line| line.line.to_string()).collect();
    if places.is_empty() { String::new() } else { format!("line {}", places.join(", ")) }
}

fn blank(account: &str) -> MismatchRow {
    MismatchRow { account: account.to_owned(), ..MismatchRow::default() }
}

fn name(item: &mut MismatchRow, movement: &crate::store::Neighbour) {
    item.entry = movement.kind.as_str().to_owned();
    item.order_no.clone_from(&movement.order_no);
    item.refund_no.clone_from(&movement.refund_no);
    item.trade_no.clone_from(&movement.trade_no);
    item.currency = movement.currency.to_string();
}

fn of_entry(entry: &StoredEntry) -> MismatchRow {
    let mut item = MismatchRow { bill_date: entry.movement.date.to_string(), ..blank(&entry.account) };
    name(&mut item, &entry.movement);
    item.channel_amount_minor = entry.movement.amount_minor;
    item.channel_state = entry.movement.state.as_str().to_owned();
    item.channel_time = entry.movement.at.to_string();
    item.store.clone_from(&entry.store);
    item.till.clone_from(&entry.till);
    item
}

fn same(item: &MismatchRow, order: &StoredOrder) -> bool {
    let movement = &order.movement;
    item.account == order.account
        && item.bill_date == movement.date.to_string()
        && item.entry == movement.kind.as_str()
        && (item.refund_no == movement.refund_no || movement.refund_no.is_empty())
        && item.gateway_state.is_empty()
}

fn add_order(item: &mut MismatchRow, order: &StoredOrder) {
    let movement = &order.movement;
    let success = is_success(movement.kind, movement.state, movement.notes);
    item.gateway_amount_minor = movement.amount_minor.filter(|_| success);
    item.gateway_state = order.movement.state.as_str().to_owned();
    item.gateway_time = order.logged_at.to_string();
    item.paytype.clone_from(&order.req_type);
    item.evidence = format!("log:{}", order.log_rows);
    item.mall.clone_from(&order.mall);
    item.store.clone_from(&order.store);
    item.till.clone_from(&order.till);
    item.cashier.clone_from(&order.cashier);
}
