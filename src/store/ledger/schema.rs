//! The ledger's tables, in numbered steps. A step is never changed once it has been released; a new one is added.
//!
//! Dates are `yyyy-MM-dd`, instants `yyyy-MM-dd HH:mm:ss` in UTC+8, amounts signed 64-bit minor units, fees
//! (`fee_e5`) in 1/100000 of the major unit; texts compare by bytes. Contract, section 8.
//!
//! # Why ids instead of indexes
//!
//! The rows of a unit in the two big tables have the ids from `unit.number << 32`, in the order of the statement
//! or of the log. So a unit lies together, is found, read, counted and replaced by a range of ids, and needs no
//! index: measured per million rows, an index on (account, bill_date) doubles the time of a load, and a key of
//! (account, bill_date, line) without a rowid makes it two and a half times as long.

/// One step, in the words of each engine.
pub(in crate::store) struct Step {
    pub(in crate::store) sqlite: &'static [&'static str],
}

/// Each step brings the tables from its place in this list to the next version.
pub(in crate::store) const STEPS: &[Step] = &[
    Step {
        sqlite: &[
            STATEMENT,
            UNIT,
            LEDGER_ENTRY,
            LOGGED_ORDER,
            MISMATCH,
            MISMATCH_OF_UNIT,
            MISMATCH_OF_ORDER,
            UNCLAIMED,
            NIGHT_RUN,
        ],
    },
    // What providers answered about single orders.
    Step { sqlite: &[ANSWER] },
];

/// The version that this program reads and writes.
pub(in crate::store) const VERSION: i64 = STEPS.len().cast_signed() as i64;

pub(in crate::store) const SCHEMA_VERSION: &str =
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)";

const STATEMENT: &str = "
    CREATE TABLE statement (
        account       TEXT    NOT NULL,
        paytype       TEXT    NOT NULL,
        bill_date     TEXT    NOT NULL,
        bill          TEXT    NOT NULL,
        version       INTEGER NOT NULL,
        sha256        TEXT    NOT NULL,
        source        TEXT    NOT NULL,
        rows          INTEGER NOT NULL,
        amount_minor  INTEGER NOT NULL,
        fee_e5        INTEGER NOT NULL,
        fetched_at    TEXT    NOT NULL,
        state         TEXT    NOT NULL,
        authenticated INTEGER NOT NULL,
        PRIMARY KEY (account, bill_date, bill, version)
    )";

const UNIT: &str = "
    CREATE TABLE unit (
        number         INTEGER PRIMARY KEY,
        account        TEXT    NOT NULL,
        paytype        TEXT    NOT NULL,
        bill_date      TEXT    NOT NULL,
        state          TEXT    NOT NULL,
        verdict        TEXT    NOT NULL,
        reason         TEXT    NOT NULL,
        version        INTEGER NOT NULL,
        source         TEXT    NOT NULL,
        canonical_hash TEXT    NOT NULL,
        section        TEXT    NOT NULL,
        UNIQUE (account, bill_date)
    )";

/// Also the shape of the file that is attached for a load (`sqlite/load.rs`).
pub(in crate::store) const LEDGER_ENTRY: &str = "CREATE TABLE ledger_entry (
        id              INTEGER PRIMARY KEY,
        amount_minor    INTEGER,
        settled_minor   INTEGER NOT NULL,
        fee_e5          INTEGER NOT NULL,
        part            INTEGER NOT NULL,
        line            INTEGER NOT NULL,
        order_no        TEXT    NOT NULL,
        refund_no       TEXT    NOT NULL,
        trade_no        TEXT    NOT NULL,
        refund_trade_no TEXT    NOT NULL,
        entry           TEXT    NOT NULL,
        state           TEXT    NOT NULL,
        currency        TEXT    NOT NULL,
        happened_at     TEXT    NOT NULL,
        account         TEXT    NOT NULL,
        bill_date       TEXT    NOT NULL,
        merchant        TEXT    NOT NULL,
        sub_merchant    TEXT    NOT NULL,
        store           TEXT    NOT NULL,
        till            TEXT    NOT NULL,
        subject         TEXT    NOT NULL
    )";

/// Also the shape of the file that is attached for a load (`sqlite/load.rs`).
pub(in crate::store) const LOGGED_ORDER: &str = "CREATE TABLE logged_order (
        id            INTEGER PRIMARY KEY,
        amount_minor  INTEGER,
        notes         INTEGER NOT NULL,
        log_rows      INTEGER NOT NULL,
        order_no      TEXT    NOT NULL,
        refund_no     TEXT    NOT NULL,
        trade_no      TEXT    NOT NULL,
        entry         TEXT    NOT NULL,
        state         TEXT    NOT NULL,
        currency      TEXT    NOT NULL,
        logged_at     TEXT    NOT NULL,
        provider_at   TEXT    NOT NULL,
        account       TEXT    NOT NULL,
        bill_date     TEXT    NOT NULL,
        business_date TEXT    NOT NULL,
        req_type      TEXT    NOT NULL,
        seller        TEXT    NOT NULL,
        mall          TEXT    NOT NULL,
        store         TEXT    NOT NULL,
        till          TEXT    NOT NULL,
        cashier       TEXT    NOT NULL
    )";

const MISMATCH: &str = "
    CREATE TABLE mismatch (
        id                   TEXT    NOT NULL PRIMARY KEY,
        bill_date            TEXT    NOT NULL,
        account              TEXT    NOT NULL,
        paytype              TEXT    NOT NULL,
        kind                 TEXT    NOT NULL,
        entry                TEXT    NOT NULL,
        order_no             TEXT    NOT NULL,
        refund_no            TEXT    NOT NULL,
        trade_no             TEXT    NOT NULL,
        gateway_amount_minor INTEGER,
        channel_amount_minor INTEGER,
        difference_minor     INTEGER NOT NULL,
        currency             TEXT    NOT NULL,
        gateway_state        TEXT    NOT NULL,
        channel_state        TEXT    NOT NULL,
        gateway_time         TEXT    NOT NULL,
        channel_time         TEXT    NOT NULL,
        mall                 TEXT    NOT NULL,
        store                TEXT    NOT NULL,
        till                 TEXT    NOT NULL,
        cashier              TEXT    NOT NULL,
        reason               TEXT    NOT NULL,
        evidence             TEXT    NOT NULL,
        standing             TEXT    NOT NULL
    )";

const MISMATCH_OF_UNIT: &str = "CREATE INDEX mismatch_of_unit ON mismatch (account, bill_date)";
const MISMATCH_OF_ORDER: &str = "CREATE INDEX mismatch_of_order ON mismatch (order_no)";

const UNCLAIMED: &str = "
    CREATE TABLE unclaimed (
        bill_date TEXT NOT NULL PRIMARY KEY,
        rows      TEXT NOT NULL
    )";

/// One order that a provider was asked about, and the last answer: the checkpoint of a day that is reconciled order by
/// order, and the evidence for a doubt.
const ANSWER: &str = "
    CREATE TABLE answer (
        account      TEXT    NOT NULL,
        bill_date    TEXT    NOT NULL,
        entry        TEXT    NOT NULL,
        order_no     TEXT    NOT NULL,
        refund_no    TEXT    NOT NULL,
        trade_no     TEXT    NOT NULL,
        asked_at     TEXT    NOT NULL,
        source       TEXT    NOT NULL,
        outcome      TEXT    NOT NULL,
        state        TEXT    NOT NULL,
        amount_minor INTEGER,
        currency     TEXT    NOT NULL,
        happened_at  TEXT    NOT NULL,
        told_trade   TEXT    NOT NULL,
        word         TEXT    NOT NULL,
        authentic    INTEGER NOT NULL,
        reply        TEXT    NOT NULL,
        PRIMARY KEY (account, bill_date, entry, order_no, refund_no, trade_no)
    )";

const NIGHT_RUN: &str = "
    CREATE TABLE night_run (
        id          INTEGER PRIMARY KEY,
        started_at  TEXT    NOT NULL,
        finished_at TEXT    NOT NULL,
        arguments   TEXT    NOT NULL,
        exit_code   INTEGER,
        reasons     TEXT    NOT NULL
    )";
