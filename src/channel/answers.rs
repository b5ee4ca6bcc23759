//! The book of answers: what a channel without statements said about each logged order, written down so that it is
//! archived, read, compared and proven like a statement.
//!
//! One line an answer, cells between tabs, in the order of the log's own numbers; so the same answers give the same
//! bytes. The last line counts them. It holds nothing of the run (when it was asked, by whom), and it never decides
//! what agrees: that is `reconcile`'s. The layout is ours; nobody else writes it.
//!
//! ```text
//! #nightjob answers 1  user-8812  2016-11-08
//! #entry  order  refund  trade  state  amount  by  currency  at  word  authentic
//! payment  A1    4200…  paid  9.99  channel  CNY  2016-11-08 09:34:03  SUCCESS  no
//! payment  A2      unknown    log  CNY      no
//! #end  3  2
//! ```
//!
//! `by` says whose amount it is: where the provider tells a state and no amount, the log's own stands there, and
//! nothing is proven by it but the state. `#end` has the orders that were asked about and the lines before it; an
//! order that the provider does not know has no line.

use crate::domain::entry::CellSpan;
use crate::domain::{
    BillDate, Cell, Control, Currency, Draft, Entry, EntryKind, Errand, Moment, State, Statement, Unit, money,
};
use crate::format::{ROWS_MAX, ReadError, shown};

const MAGIC: &str = "#nightjob answers 1\t";
const TITLES: &str = "#entry\torder\trefund\ttrade\tstate\tamount\tby\tcurrency\tat\tword\tauthentic";
const COLUMNS: usize = 11;

/// One line of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub kind: EntryKind,
    pub order_no: String,
    pub refund_no: String,
    pub trade_no: String,
    pub state: State,
    /// Signed as the kind; `None` where neither side tells.
    pub amount_minor: Option<i64>,
    /// The provider told the amount itself.
    pub told_amount: bool,
    pub currency: Currency,
    /// The provider's time; else the log's.
    pub at: Moment,
    pub word: String,
    pub authentic: bool,
}

/// Whether archived bytes are a book of answers.
pub fn is_book(raw: &[u8]) -> bool {
    raw.starts_with(MAGIC.as_bytes())
}

/// Writes the book of a unit. `asked` counts the orders that the provider was asked about; `note` says why there is no
/// statement in its place, where that is not in the channel's nature.
pub fn write(errand: &Errand, asked: u64, note: &str, lines: &[Line]) -> Vec<u8> {
    let mut lines: Vec<&Line> = lines.iter().collect();
    lines.sort_by_key(|line| (&line.order_no, line.kind, &line.refund_no, &line.trade_no));
    let mut text = format!("{MAGIC}{}\t{}\n{TITLES}\n", cell(&errand.account.merchant), errand.date);
    if !note.is_empty() {
        text.push_str(&format!("#note\t{}\n", cell(note)));
    }
    for line in &lines {
        let amount =
            line.amount_minor.map_or(String::new(), |minor| money::major(minor, line.currency.digits()));
        let cells = [
            line.kind.as_str(),
            &cell(&line.order_no),
            &cell(&line.refund_no),
            &cell(&line.trade_no),
            line.state.as_str(),
            &amount,
            if line.told_amount { "channel" } else { "log" },
            line.currency.as_str(),
            &line.at.to_string(),
            &cell(&line.word),
            if line.authentic { "yes" } else { "no" },
        ];
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    text.push_str(&format!("#end\t{asked}\t{}\n", lines.len()));
    text.into_bytes()
}

/// A text that can stand in a cell: no tab, no line end, not endless.
fn cell(text: &str) -> String {
    const CELL_MAX: usize = 200;
    text.chars().take(CELL_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Reads a book of answers.
///
/// # Errors
///
/// [`ReadError`]: it is not of this merchant and day, a line is not as this program writes them, or its end is missing.
pub fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let text =
        String::from_utf8(raw).map_err(|_| ReadError::File("the book of answers is not UTF-8".into()))?;
    let mut reading = Reading::default();
    let mut start = 0usize;
    for (number, line) in (1u32..).zip(text.split_inclusive('\n')) {
        let at = u32::try_from(start).map_err(|_| ReadError::File("a book of answers above 4 GiB".into()))?;
        reading.line(errand, (number, at), line.trim_end_matches('\n'))?;
        start += line.len();
    }
    let Reading { entries, end, by_log, unknown, unauthentic, note, .. } = reading;
    let Some((asked, lines)) = end else {
        return Err(ReadError::File("the book of answers has no end; it was cut".into()));
    };
    let control = |title: &str, stated: u64, counted: u64| Control {
        title: title.to_owned(),
        unit: Unit::Count,
        stated: i64::try_from(stated).unwrap_or(i64::MAX),
        counted: i64::try_from(counted).unwrap_or(i64::MAX),
    };
    let mut remarks: Vec<String> = note.into_iter().collect();
    remarks.push(format!("{asked} orders were asked about, {lines} answers"));
    for (count, what) in [
        (by_log, "answers tell a state and no amount: there the amount is the log's own"),
        (unknown, "orders could not be asked about, or were not clearly answered"),
        (unauthentic, "answers are authenticated by nothing (plain http, unsigned)"),
    ] {
        if count > 0 {
            remarks.push(format!("{count} {what}"));
        }
    }
    let controls = vec![control("answers", lines, entries.len() as u64)];
    let draft = Draft { text, parts: vec![String::new()], entries, controls, remarks, ..Draft::default() };
    Ok(Statement::new(errand.date, draft)?.of_answers())
}

#[derive(Default)]
struct Reading {
    headed: bool,
    entries: Vec<Entry>,
    end: Option<(u64, u64)>,
    by_log: u64,
    unknown: u64,
    unauthentic: u64,
    note: Option<String>,
}

impl Reading {
    fn line(&mut self, errand: &Errand, (number, at): (u32, u32), line: &str) -> Result<(), ReadError> {
        if let Some(head) = line.strip_prefix(MAGIC) {
            self.headed = true;
            return check_head(errand, head);
        }
        if self.end.is_some() || !self.headed {
            return Err(ReadError::at(number, "a line outside the book"));
        }
        if line == TITLES {
            return Ok(());
        }
        let cells: Vec<&str> = line.split('\t').collect();
        if let ["#end", asked, lines] = cells[..] {
            let count = |text: &str| text.parse().map_err(|_| ReadError::at(number, "no count"));
            self.end = Some((count(asked)?, count(lines)?));
            return Ok(());
        }
        if let ["#note", note] = cells[..] {
            self.note = Some(note.to_owned());
            return Ok(());
        }
        let cells: [&str; COLUMNS] =
            cells.try_into().map_err(|_| ReadError::at(number, format!("not {COLUMNS} cells")))?;
        if self.entries.len() == ROWS_MAX {
            return Err(ReadError::File(format!("more than {ROWS_MAX} answers")));
        }
        let entry = self.entry(line, (number, at), &cells);
        self.entries.push(entry.ok_or_else(|| ReadError::at(number, "not a line of answers"))?);
        Ok(())
    }

    fn entry(&mut self, line: &str, (number, at): (u32, u32), cells: &[&str; COLUMNS]) -> Option<Entry> {
        let [kind, _, _, _, state, amount, by, currency, time, _, authentic] = *cells;
        let mut entry = Entry::at(at, u16::try_from(line.len()).ok()?, 0, number);
        entry.kind = EntryKind::parse(kind)?;
        entry.state = State::parse(state)?;
        entry.currency = Currency::parse(currency).ok()?;
        entry.happened_at = Moment::parse(time)?;
        entry.amount_minor = match amount {
            "" => None,
            amount => Some(money::parse_minor(amount, entry.currency.digits()).ok()?),
        };
        entry.settled_minor = entry.amount_minor.unwrap_or(0);
        let unknown = entry.state == State::Unknown;
        let by_log = by == "log" && entry.amount_minor.is_some() && !entry.state.moved_nothing();
        self.unknown += u64::from(unknown);
        self.by_log += u64::from(by_log && !unknown);
        self.unauthentic += u64::from(authentic == "no" && !unknown);
        let mut start = kind.len() + 1;
        for (name, text) in [(Cell::OrderNo, cells[1]), (Cell::RefundNo, cells[2]), (Cell::TradeNo, cells[3])]
        {
            entry.set_cell(
                name,
                CellSpan { start: u16::try_from(start).ok()?, len: u16::try_from(text.len()).ok()? },
            );
            start += text.len() + 1;
        }
        Some(entry)
    }
}

fn check_head(errand: &Errand, head: &str) -> Result<(), ReadError> {
    let (merchant, date) = head.split_once('\t').unwrap_or((head, ""));
    if merchant != errand.account.merchant {
        let (asked, found) = (errand.account.merchant.clone(), shown(merchant));
        return Err(ReadError::OtherMerchant { asked, found });
    }
    if BillDate::parse(date) != Some(errand.date) {
        return Err(ReadError::OtherDay { asked: errand.date, found: shown(date) });
    }
    Ok(())
}
