//! The ledger's tables, in numbered steps. A step is never changed once it has been released; a new one is added.
//!
//! Dates are `yyyy-MM-dd`, instants `yyyy-MM-dd HH:mm:ss` in UTC+8, amounts signed 64-bit minor units, fees
//! (`fee_e5`) in 1/100000 of the major unit; texts compare by bytes. Contract, section 8.
//!
//! A table is written once, in a few kinds of columns, and each engine spells them in its own way. Names are constants.
//!
//! # Why ids instead of indexes
//!
//! The rows of a unit in the two big tables have the ids from `unit.number << 32`, in the order of the statement
//! or of the log. So a unit lies together, is found, read, counted and replaced by a range of ids, and needs no
//! index: measured per million rows in SQLite, an index on (account, bill_date) doubles the time of a load, and a key
//! of (account, bill_date, line) without a rowid makes it two and a half times as long.

/// What a step changes. Each can be done again where an engine cannot undo a step that was broken off.
pub(super) enum Change {
    Table(&'static Table),
    Index(Index),
    Column(&'static Table, Column),
}

/// A table: its name, its columns in their order, its keys.
pub(in crate::store) struct Table {
    pub(in crate::store) name: &'static str,
    columns: &'static [Column],
    keys: &'static [Key],
}

pub(super) struct Index {
    pub(super) name: &'static str,
    pub(super) table: &'static Table,
    columns: &'static [&'static str],
}

#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    kind: Kind,
}

/// What a column holds. Only an amount may be missing.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A number that is the table's key.
    Id,
    Number,
    Amount,
    /// A short text that may stand in a key.
    Key,
    /// A text of any length.
    Chars,
}

enum Key {
    Primary(&'static [&'static str]),
    Unique(&'static [&'static str]),
}

const fn id(name: &'static str) -> Column {
    Column { name, kind: Kind::Id }
}

const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number }
}

const fn amount(name: &'static str) -> Column {
    Column { name, kind: Kind::Amount }
}

const fn key(name: &'static str) -> Column {
    Column { name, kind: Kind::Key }
}

const fn chars(name: &'static str) -> Column {
    Column { name, kind: Kind::Chars }
}

/// An engine's way to spell a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    Sqlite,
    Postgres,
    MariaDb,
    MySql,
}

/// Characters of a long text that stand in an index of MariaDB, where an index has room for 3072 bytes.
const INDEXED_CHARS: u32 = 64;

impl Dialect {
    /// The type of a column. PostgreSQL's collation C compares by bytes, whatever the database's own is.
    fn kind(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Dialect::Sqlite, Kind::Id) => "INTEGER PRIMARY KEY",
            (Dialect::Sqlite, Kind::Number) => "INTEGER NOT NULL",
            (Dialect::Sqlite, Kind::Amount) => "INTEGER",
            (Dialect::Sqlite, Kind::Key | Kind::Chars) => "TEXT NOT NULL",
            (_, Kind::Id) => "BIGINT NOT NULL PRIMARY KEY",
            (_, Kind::Number) => "BIGINT NOT NULL",
            (_, Kind::Amount) => "BIGINT",
            (Dialect::Postgres, Kind::Key | Kind::Chars) => "TEXT COLLATE \"C\" NOT NULL",
            (Dialect::MariaDb | Dialect::MySql, Kind::Key) => "VARCHAR(128) NOT NULL",
            (Dialect::MariaDb | Dialect::MySql, Kind::Chars) => "LONGTEXT NOT NULL",
        }
    }

    /// The clause behind a table. By bytes, blanks at the end included: `utf8mb4_bin` would take `a` and `a ` for one.
    fn suffix(self) -> &'static str {
        match self {
            Dialect::Sqlite | Dialect::Postgres => "",
            Dialect::MariaDb => " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
            Dialect::MySql => " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin",
        }
    }

    fn is_mysql(self) -> bool {
        matches!(self, Dialect::MariaDb | Dialect::MySql)
    }
}

/// `rows` is a reserved word in some engines, and a fixed name (contract, section 8).
fn quoted(column: &str) -> String {
    if column == "rows" { format!("\"{column}\"") } else { column.to_owned() }
}

impl Table {
    /// The statement that makes the table.
    pub(in crate::store) fn create(&self, dialect: Dialect) -> String {
        // The others make tables within a transaction: one that is there already is somebody else's.
        let unless = if dialect.is_mysql() { " IF NOT EXISTS" } else { "" };
        let columns = self.columns.iter().map(|c| format!("{} {}", quoted(c.name), dialect.kind(c.kind)));
        let keys = self.keys.iter().map(|key| self.key(key, dialect));
        let parts: Vec<String> = columns.chain(keys).collect();
        format!("CREATE TABLE{unless} {} ({}){}", self.name, parts.join(", "), dialect.suffix())
    }

    /// Its columns as the last version has them, as a statement names them.
    pub(super) fn names(&self) -> Vec<String> {
        let own = self.columns.iter().map(|column| quoted(column.name));
        let added = STEPS.iter().flat_map(|step| *step).filter_map(|change| match change {
            Change::Column(table, column) if table.name == self.name => Some(quoted(column.name)),
            _ => None,
        });
        own.chain(added).collect()
    }

    /// The number that is its key, if it has one.
    pub(super) fn id(&self) -> Option<&'static str> {
        self.columns.iter().find(|column| column.kind == Kind::Id).map(|column| column.name)
    }

    fn key(&self, key: &Key, dialect: Dialect) -> String {
        let (words, columns) = match key {
            Key::Primary(columns) => ("PRIMARY KEY", columns),
            Key::Unique(columns) => ("UNIQUE", columns),
        };
        if dialect.is_mysql() && columns.iter().any(|column| self.is_long(column)) {
            // Long texts cannot be a key there; the one writer keeps them single.
            let short: Vec<&str> = columns.iter().copied().filter(|column| !self.is_long(column)).collect();
            return format!("INDEX {}_key ({})", self.name, short.join(", "));
        }
        format!("{words} ({})", columns.join(", "))
    }

    fn is_long(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c.name == column && c.kind == Kind::Chars)
    }
}

impl Change {
    /// The statement that makes the change.
    pub(super) fn statement(&self, dialect: Dialect) -> String {
        match self {
            Change::Table(table) => table.create(dialect),
            Change::Index(Index { name, table, columns }) => {
                let column = |column: &&str| match dialect.is_mysql() && table.is_long(column) {
                    true => format!("{column}({INDEXED_CHARS})"),
                    false => (*column).to_owned(),
                };
                let columns: Vec<String> = columns.iter().map(column).collect();
                format!("CREATE INDEX {name} ON {} ({})", table.name, columns.join(", "))
            }
            Change::Column(table, column) => {
                let (name, kind) = (quoted(column.name), dialect.kind(column.kind));
                let default = match column.kind {
                    Kind::Number => " DEFAULT 0",
                    Kind::Key | Kind::Chars => " DEFAULT ''",
                    Kind::Id | Kind::Amount => "",
                };
                format!("ALTER TABLE {} ADD COLUMN {name} {kind}{default}", table.name)
            }
        }
    }
}

/// Each step brings the tables from its place in this list to the next version.
pub(super) const STEPS: &[&[Change]] = &[
    &[
        Change::Table(&STATEMENT),
        Change::Table(&UNIT),
        Change::Table(&LEDGER_ENTRY),
        Change::Table(&LOGGED_ORDER),
        Change::Table(&MISMATCH),
        Change::Index(Index {
            name: "mismatch_of_unit",
            table: &MISMATCH,
            columns: &["account", "bill_date"],
        }),
        Change::Index(Index { name: "mismatch_of_order", table: &MISMATCH, columns: &["order_no"] }),
        Change::Table(&UNCLAIMED),
        Change::Table(&NIGHT_RUN),
    ],
    // What providers answered about single orders.
    &[Change::Table(&ANSWER)],
    // Who holds the ledger.
    &[Change::Table(&HOLDER)],
    // What was done to each mismatch; and hashes of what the archive cannot prove.
    &[
        Change::Table(&MISMATCH_EVENT),
        Change::Index(Index {
            name: "event_of_unit",
            table: &MISMATCH_EVENT,
            columns: &["account", "bill_date"],
        }),
        Change::Column(&UNIT, key("orders_hash")),
        Change::Column(&UNIT, key("section_hash")),
    ],
];

/// Every table of the last version, but that of the versions.
pub(super) fn tables() -> impl Iterator<Item = &'static Table> {
    STEPS.iter().flat_map(|step| *step).filter_map(|change| match change {
        Change::Table(table) => Some(*table),
        _ => None,
    })
}

/// The version that this program reads and writes.
pub(super) const VERSION: i64 = STEPS.len().cast_signed() as i64;

/// One row: who holds the ledger, for a message; and the token that each of its transactions must find (`lock.rs`).
const HOLDER: Table = Table { name: "holder", columns: &[id("id"), chars("name"), key("token")], keys: &[] };

pub(super) const SCHEMA_VERSION: Table =
    Table { name: "schema_version", columns: &[number("version")], keys: &[] };

const STATEMENT: Table = Table {
    name: "statement",
    columns: &[
        key("account"),
        key("paytype"),
        key("bill_date"),
        key("bill"),
        number("version"),
        key("sha256"),
        chars("source"),
        number("rows"),
        number("amount_minor"),
        number("fee_e5"),
        key("fetched_at"),
        key("state"),
        number("authenticated"),
    ],
    keys: &[Key::Primary(&["account", "bill_date", "bill", "version"])],
};

const UNIT: Table = Table {
    name: "unit",
    columns: &[
        id("number"),
        key("account"),
        key("paytype"),
        key("bill_date"),
        key("state"),
        key("verdict"),
        chars("reason"),
        number("version"),
        chars("source"),
        key("canonical_hash"),
        chars("section"),
    ],
    keys: &[Key::Unique(&["account", "bill_date"])],
};

/// Also the shape of the file that is attached for a load (`sqlite/load.rs`).
pub(in crate::store) const LEDGER_ENTRY: Table = Table {
    name: "ledger_entry",
    columns: &[
        id("id"),
        amount("amount_minor"),
        number("settled_minor"),
        number("fee_e5"),
        number("part"),
        number("line"),
        chars("order_no"),
        chars("refund_no"),
        chars("trade_no"),
        chars("refund_trade_no"),
        key("entry"),
        key("state"),
        key("currency"),
        key("happened_at"),
        key("account"),
        key("bill_date"),
        chars("merchant"),
        chars("sub_merchant"),
        chars("store"),
        chars("till"),
        chars("subject"),
    ],
    keys: &[],
};

/// Also the shape of the file that is attached for a load (`sqlite/load.rs`).
pub(in crate::store) const LOGGED_ORDER: Table = Table {
    name: "logged_order",
    columns: &[
        id("id"),
        amount("amount_minor"),
        number("notes"),
        number("log_rows"),
        chars("order_no"),
        chars("refund_no"),
        chars("trade_no"),
        key("entry"),
        key("state"),
        key("currency"),
        key("logged_at"),
        key("provider_at"),
        key("account"),
        key("bill_date"),
        chars("business_date"),
        chars("req_type"),
        chars("seller"),
        chars("mall"),
        chars("store"),
        chars("till"),
        chars("cashier"),
    ],
    keys: &[],
};

const MISMATCH: Table = Table {
    name: "mismatch",
    columns: &[
        key("id"),
        key("bill_date"),
        key("account"),
        key("paytype"),
        key("kind"),
        key("entry"),
        chars("order_no"),
        chars("refund_no"),
        chars("trade_no"),
        amount("gateway_amount_minor"),
        amount("channel_amount_minor"),
        number("difference_minor"),
        key("currency"),
        key("gateway_state"),
        key("channel_state"),
        key("gateway_time"),
        key("channel_time"),
        chars("mall"),
        chars("store"),
        chars("till"),
        chars("cashier"),
        chars("reason"),
        chars("evidence"),
        key("standing"),
    ],
    keys: &[Key::Primary(&["id"])],
};

const UNCLAIMED: Table = Table {
    name: "unclaimed",
    columns: &[key("bill_date"), chars("rows")],
    keys: &[Key::Primary(&["bill_date"])],
};

/// One order that a provider was asked about, and the last answer: the checkpoint of a day that is reconciled order by
/// order, and the evidence for a doubt.
const ANSWER: Table = Table {
    name: "answer",
    columns: &[
        key("account"),
        key("bill_date"),
        key("entry"),
        chars("order_no"),
        chars("refund_no"),
        chars("trade_no"),
        key("asked_at"),
        chars("source"),
        key("outcome"),
        key("state"),
        amount("amount_minor"),
        key("currency"),
        key("happened_at"),
        chars("told_trade"),
        chars("word"),
        number("authentic"),
        chars("reply"),
    ],
    keys: &[Key::Primary(&["account", "bill_date", "entry", "order_no", "refund_no", "trade_no"])],
};

const NIGHT_RUN: Table = Table {
    name: "night_run",
    columns: &[
        id("id"),
        key("started_at"),
        key("finished_at"),
        chars("arguments"),
        amount("exit_code"),
        chars("reasons"),
    ],
    keys: &[],
};

/// What was done to a mismatch; rows are only ever added (`events.rs`).
const MISMATCH_EVENT: Table = Table {
    name: "mismatch_event",
    columns: &[
        id("seq"),
        key("done_at"),
        chars("actor"),
        key("action"),
        key("mismatch"),
        key("account"),
        key("bill_date"),
        chars("detail"),
        key("previous"),
        key("hash"),
        number("run"),
    ],
    keys: &[],
};

pub(super) const EVENT_COLUMNS: usize = 11;
