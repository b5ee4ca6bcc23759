//! A statement: its text once, and where the fields are.
//!
//! A `Statement` exists only if its lines add up to what the file itself states. What it holds of each line is an
//! [`Entry`]; no string is allocated per field, and "show me the line" is a slice.

use thiserror::Error;

use super::entry::CELLS;
use super::money;
use super::{BillDate, Cell, Entry};

/// What a control total counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Count,
    /// Minor units of the file's currency, with its decimals.
    Minor {
        digits: u32,
    },
    /// 1/100000 of the major unit.
    E5,
}

/// One count or sum that the statement itself states, and the same over its parsed lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// The file's own title of it, such as `总交易单数`.
    pub title: String,
    pub unit: Unit,
    pub stated: i64,
    pub counted: i64,
}

impl Control {
    pub fn show(&self, value: i64) -> String {
        match self.unit {
            Unit::Count => value.to_string(),
            Unit::Minor { digits } => money::major(value, digits),
            Unit::E5 => money::major(value, money::E5_DIGITS),
        }
    }
}

/// Lines of other merchants in a shared file: counted and summed, never kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    pub rows: u64,
    pub amount_minor: i64,
}

/// What a reader has gathered; [`Statement::new`] decides whether it is a statement.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub text: String,
    /// Names of the parts of the file (entries of a zip); one empty name for a plain file.
    pub parts: Vec<String>,
    pub entries: Vec<Entry>,
    pub controls: Vec<Control>,
    pub foreign: Foreign,
    /// Things a person should hear of (an unknown column, a spreadsheet's traces); never a reason to refuse.
    pub remarks: Vec<String>,
}

/// The lines do not add up to the file's own totals.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", text(.0))]
pub struct TotalsDiffer(pub Vec<Control>);

fn text(controls: &[Control]) -> String {
    let wrong: Vec<String> = controls
        .iter()
        .map(|c| {
            format!("`{}` states {}, its lines add up to {}", c.title, c.show(c.stated), c.show(c.counted))
        })
        .collect();
    format!("the file's own totals differ from its lines: {}", wrong.join("; "))
}

/// One account's bill of one day, proven against its own totals.
#[derive(Clone, Debug)]
pub struct Statement {
    pub date: BillDate,
    text: String,
    parts: Vec<String>,
    entries: Vec<Entry>,
    controls: Vec<Control>,
    foreign: Foreign,
    remarks: Vec<String>,
    is_answers: bool,
}

impl Statement {
    /// # Errors
    ///
    /// [`TotalsDiffer`] names each total that is off: a truncated or edited file must not reach the ledger.
    pub fn new(date: BillDate, draft: Draft) -> Result<Statement, TotalsDiffer> {
        let wrong: Vec<Control> = draft.controls.iter().filter(|c| c.stated != c.counted).cloned().collect();
        if !wrong.is_empty() {
            return Err(TotalsDiffer(wrong));
        }
        let Draft { text, parts, entries, controls, foreign, remarks } = draft;
        Ok(Statement { date, text, parts, entries, controls, foreign, remarks, is_answers: false })
    }

    /// A day without movements, proven by the provider.
    pub fn empty(date: BillDate) -> Statement {
        Statement {
            date,
            text: String::new(),
            parts: Vec::new(),
            entries: Vec::new(),
            controls: Vec::new(),
            foreign: Foreign::default(),
            remarks: Vec::new(),
            is_answers: false,
        }
    }

    /// The same, as the provider's answers about logged orders: what only the provider knows is not among them.
    #[must_use]
    pub fn of_answers(self) -> Statement {
        Statement { is_answers: true, ..self }
    }

    /// Whether the lines are answers about logged orders, and not the provider's own list of a day.
    pub fn is_answers(&self) -> bool {
        self.is_answers
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn controls(&self) -> &[Control] {
        &self.controls
    }

    pub fn foreign(&self) -> Foreign {
        self.foreign
    }

    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The name of an entry's part; empty for a plain file.
    pub fn part(&self, entry: &Entry) -> &str {
        self.parts.get(usize::from(entry.part)).map_or("", String::as_str)
    }

    /// One text cell of an entry; empty if the layout has no such column.
    pub fn cell(&self, entry: &Entry, cell: Cell) -> &str {
        let span = entry.cells[cell as usize];
        let start = entry.text_start as usize + usize::from(span.start);
        self.text.get(start..start + usize::from(span.len)).unwrap_or("")
    }

    /// The whole line as decoded, without its line end.
    pub fn line(&self, entry: &Entry) -> &str {
        let start = entry.text_start as usize;
        self.text.get(start..start + usize::from(entry.text_len)).unwrap_or("")
    }
}

const _: () =
    assert!(std::mem::size_of::<Entry>() <= 112 && CELLS == 9, "an entry costs about a hundred bytes");
