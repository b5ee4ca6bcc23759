//! Files as they come, and what is read from them, or why not.
//!
//! The samples under `fixtures/format/` are those of `spec/wechat.md` 1.10 and `spec/alipay.md` 2.8; every other file is
//! made from them by one visible change, or made up by `bills.rs`. Refusals are goldens in
//! `fixtures/errors/format.txt`: `NIGHTJOB_BLESS=1` writes them anew, and then a person reads the difference.

mod alipay;
mod archive;
mod bills;
mod ledgers;
mod fundflow;
mod overseas;
mod random;
mod wechat;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nightjob::domain::money::major;
use nightjob::domain::{BillDate, Cell, Entry, Statement};
use nightjob::format::{Asked, ReadError};

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/format").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn asked<'a>(merchant: &'a str, date: &str) -> Asked<'a> {
    Asked { merchant, sub_merchant: "", date: BillDate::parse(date).expect("a date") }
}

/// One change to a text; the old words must be there exactly once.
pub(crate) fn changed(text: &str, old: &str, new: &str) -> String {
    assert_eq!(text.matches(old).count(), 1, "{old:?} must be in the text once");
    text.replace(old, new)
}

/// What a person checks: one line an entry.
pub(crate) fn listing(statement: &Statement) -> String {
    statement.entries().iter().map(|entry| format!("{}\n", line_of(statement, entry))).collect()
}

fn line_of(statement: &Statement, entry: &Entry) -> String {
    let cell = |cell| match statement.cell(entry, cell) {
        "" => "-".to_owned(),
        text => text.to_owned(),
    };
    let digits = entry.currency.digits();
    let amount = entry.amount_minor.map_or("open".to_owned(), |minor| major(minor, digits));
    let mut text = format!("{} {} {} ", entry.line, entry.kind.as_str(), entry.state.as_str());
    write!(text, "{} {} ", cell(Cell::OrderNo), cell(Cell::RefundNo)).expect("a string");
    write!(text, "{} {} ", cell(Cell::TradeNo), cell(Cell::RefundTradeNo)).expect("a string");
    write!(text, "{amount} {} ", major(entry.settled_minor, digits)).expect("a string");
    write!(text, "fee {} {} {} ", major(entry.fee_e5, 5), entry.currency, entry.happened_at)
        .expect("a string");
    let who = [Cell::Merchant, Cell::SubMerchant, Cell::Store, Cell::Till, Cell::Subject].map(cell);
    text + &who.join(" ")
}

/// The controls as `title stated counted`.
pub(crate) fn controls(statement: &Statement) -> Vec<String> {
    let shown =
        |c: &nightjob::domain::Control| format!("{} {} {}", c.title, c.show(c.stated), c.show(c.counted));
    statement.controls().iter().map(shown).collect()
}

/// A case of the golden file: what was done to the file, and what came of it.
pub(crate) type Case = (&'static str, Result<Statement, ReadError>);

#[test]
fn every_bad_file_is_refused_in_words() {
    let mut found = String::new();
    for (room, cases) in [
        ("wechat_bill", wechat::refused()),
        ("alipay_bill", alipay::refused()),
        ("unpack", archive::refused()),
        ("wechat_fundflow", fundflow::refused()),
        ("wechat_overseas", overseas::refused()),
    ] {
        writeln!(found, "# {room}\n").expect("a string");
        for (case, outcome) in cases {
            let error = outcome.err().unwrap_or_else(|| panic!("{room}: `{case}` was read"));
            writeln!(found, "{case}\n    {error}").expect("a string");
        }
        found.push('\n');
    }
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/errors/format.txt");
    if std::env::var_os("NIGHTJOB_BLESS").is_some() {
        std::fs::write(&path, &found).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).expect("the golden file; NIGHTJOB_BLESS=1 writes it");
    for (found, golden) in found.lines().zip(golden.lines()) {
        assert_eq!(found, golden);
    }
    assert_eq!(found.lines().count(), golden.lines().count());
}
