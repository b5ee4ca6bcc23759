//! Reports: one value, many faces. A face only writes; everything was decided and sorted before.
//!
//! The same inputs give the same bytes on any day and machine: no clock reading, no host name, no path outside the
//! configuration's folder. [`Section`] is also what the ledger keeps of a unit, so that a day's report can be
//! written again at any time, whichever unit ran last.
//!
//! A report's life: [`section`] turns one unit's reconciliation into rows, [`proofs`] checks them, [`day`] puts the
//! units together, and the faces write: [`json`], [`csv`], [`terminal`]; [`explain`] tells the story of one order,
//! [`status`] where every unit stands.
//! Every sentence they say stands in [`words`], Chinese and English side by side.

pub mod words;
pub mod section;
pub mod proofs;
pub mod day;
pub mod json;
pub mod csv;
pub mod visible;
pub mod terminal;
pub mod explain;
pub mod status;

use serde::{Deserialize, Serialize};

use crate::domain::{BillDate, Currency, Verdict, money};

/// One day over every configured unit.
#[derive(Clone, Debug)]
pub struct Report {
    pub bill_date: BillDate,
    /// The worst of the units.
    pub verdict: Verdict,
    /// In the order of the configuration.
    pub units: Vec<Section>,
    pub unclaimed: Vec<UnclaimedRow>,
}

/// One unit's part of the report: an element of `units` in `report.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    pub account: String,
    pub paytype: String,
    pub verdict: String,
    /// Why it is not `balanced`, in one sentence of the report's language; empty if it is.
    pub reason: String,
    /// The exit code of what kept it from being compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// `statement` or `query`.
    pub proof: String,
    /// False if the statement came over plain http or from a hand.
    pub authenticated: bool,
    pub inputs: Vec<Input>,
    pub totals: Vec<ControlRow>,
    pub conservation: Conservation,
    pub bridge: Vec<BridgeRow>,
    pub timing: Vec<TimingRow>,
    /// Money that the channel holds for the merchant (escrow).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldRow>,
    pub mismatches: Vec<MismatchRow>,
    /// What a person should hear of: unknown columns, a log read as base64, a clock that is off, …
    pub remarks: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// `statement` or `log`.
    pub kind: String,
    /// Of the archived bytes; empty for the log.
    pub sha256: String,
    pub rows: u64,
    /// Version of the statement for this unit, from 1; 0 for the log.
    pub version: u32,
}

/// Proof 1: a total that the file states, its lines, and the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlRow {
    /// The file's own title; or `rows`, `amount`, `fee` (with the currency where there are several) for parsed lines
    /// against the ledger; or `foreign_rows`, `foreign_amount` for lines of other merchants in a shared file.
    pub title: String,
    /// As text with the unit's decimals; empty if the file does not state it.
    pub stated: String,
    pub parsed: String,
    /// Empty where the ledger keeps no such sum.
    pub ledger: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TallyRow {
    pub count: u64,
    pub amount_minor: i64,
}

/// Proof 2: where every line and every order ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conservation {
    pub lines: PlacesRow,
    pub orders: PlacesRow,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacesRow {
    pub total: TallyRow,
    pub matched: TallyRow,
    pub mismatched: TallyRow,
    pub timing: TallyRow,
    pub excluded: TallyRow,
    pub nothing_happened: TallyRow,
    pub rest: TallyRow,
}

/// Proof 3, one for each currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeRow {
    pub currency: String,
    pub gateway_minor: i64,
    pub steps: Vec<BridgeStep>,
    pub channel_minor: i64,
    pub unexplained_minor: i64,
}

/// `kind` is a mismatch kind, `timing_out`, `timing_in`, `elsewhere` or `excluded`; the amount is what it adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeStep {
    pub kind: String,
    pub count: u64,
    pub amount_minor: i64,
}

/// Money that the channel holds for the merchant (escrow): paid by the buyer, not credited yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRow {
    pub order_no: String,
    pub trade_no: String,
    pub amount_minor: i64,
    pub currency: String,
    /// `yyyy-MM-dd HH:mm:ss`, when the log first had it.
    pub since: String,
    /// Days from then to the bill date.
    pub age_days: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingRow {
    /// `out`, `in` or `awaiting`.
    pub kind: String,
    pub entry: String,
    pub order_no: String,
    pub refund_no: String,
    pub trade_no: String,
    pub amount_minor: i64,
    pub currency: String,
    /// `yyyy-MM-dd`; empty while awaiting.
    pub other_day: String,
    pub gateway_time: String,
    pub channel_time: String,
}

/// The CSV's columns; amounts as minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MismatchRow {
    pub id: String,
    pub bill_date: String,
    pub account: String,
    pub paytype: String,
    pub kind: String,
    pub entry: String,
    pub order_no: String,
    pub refund_no: String,
    pub trade_no: String,
    pub gateway_amount_minor: Option<i64>,
    pub channel_amount_minor: Option<i64>,
    pub difference_minor: i64,
    pub currency: String,
    pub gateway_state: String,
    pub channel_state: String,
    pub gateway_time: String,
    pub channel_time: String,
    pub mall: String,
    pub store: String,
    pub till: String,
    pub cashier: String,
    /// In the report's language.
    pub reason: String,
    /// `statement:211 log:3`.
    pub evidence: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnclaimedRow {
    pub seller: String,
    pub req_type: String,
    pub orders: u64,
    pub successes_minor: i64,
}

impl Section {
    /// The verdict as a value. A text that is no verdict counts as the worst: it was not written by this program.
    pub fn verdict(&self) -> Verdict {
        Verdict::parse(&self.verdict).unwrap_or(Verdict::NotCompared)
    }
}

/// Decimals of a row's currency. Rows are made from [`Currency`], so the code is always one; an unknown code is
/// shown with two decimals, like most.
fn digits(currency: &str) -> u32 {
    Currency::parse(currency).unwrap_or(Currency::CNY).digits()
}

/// An amount in major units with the currency's decimals and no thousands mark.
fn amount(minor: i64, currency: &str) -> String {
    money::major(minor, digits(currency))
}

/// The same, empty where a side has nothing: a missing value is never printed as zero.
fn optional_amount(minor: Option<i64>, currency: &str) -> String {
    minor.map_or_else(String::new, |minor| amount(minor, currency))
}
