//! The joined lists as a statement: paid charges of the day, and what went back of them.
//!
//! Proven: the number of rows that each list states. A row that moves money of an order in a way that is not known here
//! refuses the file. The lists do not name the merchant; that they are of the asked one is proven by the key that
//! they were asked with, and by https.
//!
//! Format: one line for each list (`{"list":"charges","count":2}`), then a line for each of its rows, as `lists::join`
//! writes them; the rows as in `spec/ttpay.md`, B.3.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use super::lists::{List, window};
use crate::channel::json::normalised;
use crate::domain::entry::CellSpan;
use crate::domain::statement::Unit;
use crate::domain::{
    Cell, Control, Currency, Draft, Entry, EntryKind, Errand, Moment, State, Statement, money,
};
use crate::format::table::below_line_max;
use crate::format::{LINE_MAX, ROWS_MAX, ReadError, shown};

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let text = String::from_utf8(raw).map_err(|_| ReadError::File("the lists are not UTF-8".into()))?;
    if u32::try_from(text.len()).is_err() {
        return Err(ReadError::File("the lists have more than 4 GiB".into()));
    }
    let mut reader = Reader::new(errand);
    let mut start = 0;
    for (line, number) in text.split_inclusive('\n').zip(1u32..) {
        reader.line(line.trim_end_matches('\n'), start, number)?;
        start += line.len();
    }
    let draft = Draft { text, ..reader.finish()? };
    Ok(Statement::new(errand.date, draft)?)
}

/// Rows that make no entry, counted.
#[derive(Default)]
struct Aside {
    unpaid: u64,
    other_days: u64,
    own: u64,
    income: u64,
    fees: u64,
    refunded: u64,
}

struct Reader<'t> {
    errand: &'t Errand,
    list: Option<List>,
    /// By list: the rows it states.
    stated: HashMap<&'static str, i64>,
    counted: HashMap<&'static str, i64>,
    /// Rows seen, by the list's own number of each, else by their text.
    seen: HashMap<String, String>,
    entries: Vec<Entry>,
    aside: Aside,
}

impl<'t> Reader<'t> {
    fn new(errand: &'t Errand) -> Reader<'t> {
        Reader {
            errand,
            list: None,
            stated: HashMap::new(),
            counted: HashMap::new(),
            seen: HashMap::new(),
            entries: Vec::new(),
            aside: Aside::default(),
        }
    }

    fn line(&mut self, line: &str, start: usize, number: u32) -> Result<(), ReadError> {
        if line.len() >= LINE_MAX {
            return Err(ReadError::at(number, format!("a row of {} bytes; no row is that long", line.len())));
        }
        let row = Row::read(line, start, number)?;
        if let Some(name) = row.word("list")? {
            let list = [List::Charges, List::Journal].into_iter().find(|list| list.name() == name);
            self.list = Some(list.ok_or_else(|| row.wrong("list", "is no list"))?);
            let count = row.word("count")?.and_then(|count| count.parse().ok());
            let count = count.ok_or_else(|| row.wrong("count", "is no count"))?;
            self.stated.insert(list.map_or("", List::name), count);
            return Ok(());
        }
        let Some(list) = self.list else { return Err(ReadError::at(number, "a row before its list")) };
        if !self.is_new(list, &row)? {
            return Ok(());
        }
        *self.counted.entry(list.name()).or_default() += 1;
        match list {
            List::Charges => self.charge(&row),
            List::Journal => self.outcome(&row),
        }
    }

    /// Rows may come again on the next page, when the list moved under the paging.
    fn is_new(&mut self, list: List, row: &Row<'_>) -> Result<bool, ReadError> {
        let id = row.word("id")?.unwrap_or(row.line);
        let key = format!("{} {id}", list.name());
        match self.seen.insert(key, row.line.to_owned()) {
            None => Ok(true),
            Some(earlier) if earlier == row.line => Ok(false),
            Some(_) => Err(row.wrong("id", "came twice, with different content")),
        }
    }

    fn charge(&mut self, row: &Row<'_>) -> Result<(), ReadError> {
        let paid_at = row.moment("timepaid")?;
        self.check_window(row, &[paid_at, row.moment("created")?])?;
        match row.word("paid")?.unwrap_or("") {
            "true" | "1" => {}
            "false" | "0" => {
                self.aside.unpaid += 1;
                return Ok(());
            }
            _ => return Err(row.wrong("paid", "is neither true nor false")),
        }
        let paid_at = paid_at.ok_or_else(|| row.wrong("timepaid", "is no time, and the charge is paid"))?;
        if !self.errand.date.contains(paid_at) {
            self.aside.other_days += 1;
            return Ok(());
        }
        self.aside.refunded += u64::from(row.amount("amountrefunded")?.is_some_and(|minor| minor > 0));
        let amount = row.amount("amount")?.ok_or_else(|| row.wrong("amount", "is missing"))?;
        let net = row.amount("realamount")?;
        let mut entry = row.entry(EntryKind::Payment, State::Paid, paid_at);
        entry.amount_minor = Some(amount);
        entry.settled_minor = amount;
        entry.fee_e5 = net.map_or(0, |net| (amount - net).saturating_mul(FEN_E5));
        row.set_cell(&mut entry, Cell::OrderNo, &["orderno", "outorderno"])?;
        row.set_cell(&mut entry, Cell::TradeNo, &["id", "chargeid", "transactionno"])?;
        row.set_cell(&mut entry, Cell::Subject, &["subject"]).ok();
        self.keep(entry)
    }

    /// What left the account: a refund names its order, a withdrawal does not.
    fn outcome(&mut self, row: &Row<'_>) -> Result<(), ReadError> {
        let at = row.moment("created")?;
        self.check_window(row, &[at])?;
        let at = at.ok_or_else(|| row.wrong("created", "is no time"))?;
        let amount = row.amount("outcome")?.unwrap_or(0);
        let of_an_order = row.word("orderno")?.or(row.word("chargeid")?).is_some();
        match () {
            () if !self.errand.date.contains(at) => self.aside.other_days += 1,
            () if amount == 0 => self.aside.income += 1,
            () if !of_an_order => self.aside.own += 1,
            () if row.says(&FEES) || row.word("journaltype")? == Some("4") => self.aside.fees += 1,
            () if row.says(&REFUNDS) => return self.refund(row, at, amount),
            () => {
                let text = row.messages().join(" ");
                let found = format!("`{}` is neither a refund nor a fee of an order", shown(&text));
                return Err(ReadError::at(row.number, found).in_column("Message"));
            }
        }
        Ok(())
    }

    fn refund(&mut self, row: &Row<'_>, at: Moment, amount: i64) -> Result<(), ReadError> {
        let mut entry = row.entry(EntryKind::Refund, State::Refunded, at);
        entry.amount_minor = Some(-amount);
        entry.settled_minor = -amount;
        row.set_cell(&mut entry, Cell::OrderNo, &["orderno"])?;
        row.set_cell(&mut entry, Cell::TradeNo, &["chargeid", "transactionno"])?;
        row.set_cell(&mut entry, Cell::RefundTradeNo, &["journalno", "id"])?;
        self.keep(entry)
    }

    fn keep(&mut self, entry: Entry) -> Result<(), ReadError> {
        if self.entries.len() == ROWS_MAX {
            return Err(ReadError::File(format!("more than {ROWS_MAX} movements")));
        }
        self.entries.push(entry);
        Ok(())
    }

    /// A row of which no time lies where it was asked for: the list is of other days.
    fn check_window(&self, row: &Row<'_>, times: &[Option<Moment>]) -> Result<(), ReadError> {
        let (from, to) = window(self.errand);
        let mut known = times.iter().flatten().peekable();
        let Some(first) = known.peek().copied().copied() else { return Ok(()) };
        if known.any(|at| (from..=to).contains(&at.unix())) {
            return Ok(());
        }
        let found = format!("{} (line {})", first.date(), row.number);
        Err(ReadError::OtherDay { asked: self.errand.date, found })
    }

    /// All but the text.
    fn finish(self) -> Result<Draft, ReadError> {
        let mut controls = Vec::new();
        for list in [List::Charges, List::Journal] {
            let stated = *self.stated.get(list.name()).ok_or_else(|| {
                ReadError::File(format!("the file ends before its {}; it was cut short", list.name()))
            })?;
            let counted = self.counted.get(list.name()).copied().unwrap_or(0);
            controls.push(Control {
                title: format!("{} count", list.name()),
                unit: Unit::Count,
                stated,
                counted,
            });
        }
        let aside = &self.aside;
        let counts = [
            (aside.unpaid, "charges were never paid"),
            (aside.other_days, "rows are of the days beside"),
            (aside.own, "outcomes are the account's own (withdrawals)"),
            (aside.income, "journal rows are no outcome"),
            (aside.fees, "outcomes are fees of orders"),
            (aside.refunded, "charges are marked as refunded"),
        ];
        let told = counts.iter().filter(|(count, _)| *count > 0);
        let remarks = told.map(|(count, what)| format!("{count} {what}")).collect();
        let parts = vec![String::new()];
        Ok(Draft { parts, entries: self.entries, controls, remarks, ..Draft::default() })
    }
}

/// A fen in 1/100000 yuan.
const FEN_E5: i64 = 1000;

/// What the journal calls a refund and a fee. No manual lists its words; one that is not here refuses the file.
const REFUNDS: [&str; 2] = ["退款", "refund"];
const FEES: [&str; 4] = ["手续费", "服务费", "fee", "费率"];

/// One row, with the place of every value in its line.
struct Row<'t> {
    line: &'t str,
    start: usize,
    number: u32,
    members: BTreeMap<String, &'t RawValue>,
}

impl<'t> Row<'t> {
    fn read(line: &'t str, start: usize, number: u32) -> Result<Row<'t>, ReadError> {
        let members: BTreeMap<String, &RawValue> =
            serde_json::from_str(line).map_err(|_| ReadError::at(number, "is no JSON object"))?;
        let members = members.into_iter().map(|(name, raw)| (normalised(&name), raw)).collect();
        Ok(Row { line, start, number, members })
    }

    fn wrong(&self, name: &str, what: &str) -> ReadError {
        let raw = self.members.get(name).map_or("nothing", |raw| raw.get());
        ReadError::at(self.number, format!("`{}` {what}", shown(raw))).in_column(name)
    }

    /// A text or number as it stands in the line; `None` if it is absent or empty. A text with an escape in it is no
    /// number, no id and no word of this list.
    fn word(&self, name: &str) -> Result<Option<&'t str>, ReadError> {
        let Some(raw) = self.members.get(name) else { return Ok(None) };
        let bare = raw.get().strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(raw.get());
        match bare {
            "" | "null" => Ok(None),
            bare if bare.contains('\\') => Err(self.wrong(name, "holds an escape")),
            bare if bare.starts_with(['{', '[']) => Err(self.wrong(name, "is no single value")),
            bare => Ok(Some(bare)),
        }
    }

    /// Yuan, in fen.
    fn amount(&self, name: &str) -> Result<Option<i64>, ReadError> {
        let Some(text) = self.word(name)? else { return Ok(None) };
        let minor = money::parse_minor(text, Currency::CNY.digits());
        let minor = minor.map_err(|error| ReadError::at(self.number, error.to_string()).in_column(name))?;
        if minor < 0 { Err(self.wrong(name, "is negative")) } else { Ok(Some(minor)) }
    }

    /// Epoch seconds, 0 = none; or a written time.
    fn moment(&self, name: &str) -> Result<Option<Moment>, ReadError> {
        let Some(text) = self.word(name)? else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(0) => Ok(None),
            Ok(seconds) => Ok(Some(Moment::from_unix(seconds))),
            Err(_) => Moment::parse(text).map(Some).ok_or_else(|| self.wrong(name, "is no time")),
        }
    }

    /// The texts that say what a journal row is, decoded.
    fn messages(&self) -> Vec<String> {
        let raws = ["message", "trademsg", "journaltype"].iter().filter_map(|name| self.members.get(*name));
        raws.map(|raw| serde_json::from_str(raw.get()).unwrap_or_else(|_| raw.get().to_owned())).collect()
    }

    fn says(&self, words: &[&str]) -> bool {
        self.messages().iter().any(|text| words.iter().any(|word| text.to_lowercase().contains(word)))
    }

    fn entry(&self, kind: EntryKind, state: State, at: Moment) -> Entry {
        // Both fit: `read` and `line` refuse what does not.
        let start = u32::try_from(self.start).unwrap_or(u32::MAX);
        let mut entry = Entry::at(start, below_line_max(self.line.len()), 0, self.number);
        (entry.kind, entry.state, entry.happened_at) = (kind, state, at);
        entry
    }

    /// The first of the names that holds something.
    fn set_cell(&self, entry: &mut Entry, cell: Cell, names: &[&str]) -> Result<(), ReadError> {
        for name in names {
            if let Some(word) = self.word(name)? {
                let start = word.as_ptr() as usize - self.line.as_ptr() as usize;
                let span = CellSpan { start: below_line_max(start), len: below_line_max(word.len()) };
                entry.set_cell(cell, span);
                return Ok(());
            }
        }
        Ok(())
    }
}
