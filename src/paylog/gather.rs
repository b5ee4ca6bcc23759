//! Rows in, small records out. Several threads may gather disjoint batches; `fold` makes one of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::{Claims, Moment, Note, PayType};

use super::decode::tight;
use super::evidence::{self, Action, ListedRefund};
use super::place::Places;
use super::reading::{self, Reading, Scratch};
use super::record::{
    CUMULATIVE, IDENTIFIER_MAX, LISTED, Lengths, ORDER_FROM_REPLY, Record, TRADE_FROM_REPLY, packed,
};
use super::request::{self, Part};
use super::wallet::Wallet;
use super::{Counters, LogRow, Rules};

/// The cashier that our own requests to the gateway name; such rows are never attempts (R-D3).
pub const OWN_CASHIER: &str = "NIGHTJOB";

/// What a gatherer has gathered.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    pub(super) accounts: usize,
    pub(super) rules: Rules,
    pub(super) records: Vec<Record>,
    pub(super) arena: String,
    pub(super) places: Places,
    pub(super) counters: Counters,
    pub(super) unknown_actions: BTreeMap<String, u64>,
    pub(super) unknown_types: BTreeMap<String, u64>,
    pub(super) first: Option<Moment>,
    pub(super) last: Option<Moment>,
}

/// Reads rows and keeps what they prove. One for each thread; rows may come in any order.
pub struct Gatherer {
    pub(super) claims: Arc<Claims>,
    pub(super) gathered: Gathered,
    scratch: Scratch,
    customer: Customer,
}

/// The customer of the last row's `ExtParam`: nearly always that of the next row, too.
#[derive(Clone, Debug, Default)]
struct Customer {
    ext: String,
    customer: String,
    buffer: String,
}

impl Customer {
    fn of(&mut self, reading: &Reading<'_>) -> &str {
        let ext = reading.request.header_ext();
        if ext.text != self.ext {
            ext.text.clone_into(&mut self.ext);
            self.customer = request::customer(ext, &mut self.buffer).into_owned();
        }
        &self.customer
    }
}

impl Gatherer {
    pub fn new(claims: Arc<Claims>, rules: Rules) -> Gatherer {
        let gathered = Gathered { accounts: claims.accounts().len(), rules, ..Gathered::default() };
        Gatherer { claims, gathered, scratch: Scratch::default(), customer: Customer::default() }
    }

    /// Reads one row. Nothing that it says is lost silently: it is kept, or counted.
    pub fn push(&mut self, row: &LogRow<'_>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let rules = self.gathered.rules;
        self.keep_row(row, &reading::read(row, &rules, &mut scratch));
        self.scratch = scratch;
    }

    pub fn finish(self) -> Gathered {
        self.gathered
    }

    fn keep_row(&mut self, row: &LogRow<'_>, reading: &Reading<'_>) {
        self.count(reading);
        let Some(at) = self.dated(row, reading) else { return };
        if is_own(row, reading) {
            self.gathered.counters.own_rows += 1;
            return;
        }
        let place = self.place(row, reading);
        let Some(pay_type) = self.gathered.places.get(place).pay_type else {
            count_name(&mut self.gathered.unknown_types, row.req_type);
            return;
        };
        if reading.action == Action::Other {
            count_name(&mut self.gathered.unknown_actions, row.req_action);
        }
        let evidence = &reading.evidence;
        let mut record = Record::at(at, row.row_id, reading.action, evidence.finding);
        record.place = place;
        record.currency = evidence.currency;
        record.flags = flags(row, reading, pay_type);
        record.set_amounts(reading.fee_minor, evidence.amount_minor);
        record.set_provider_at(evidence.provider_at);
        if evidence.finished {
            record.set_finished_at(evidence.finished_at);
        }
        if matches!(pay_type, PayType::Tianta | PayType::Teegon) {
            set_wallet(&mut record, reading);
        }
        let named = reading.request.refund_no();
        self.add(record, reading, if evidence.refund_no.is_empty() { &named } else { &evidence.refund_no });
        for listed in &evidence.listed {
            self.add_listed(record, reading, listed);
        }
    }

    fn count(&mut self, reading: &Reading<'_>) {
        let counters = &mut self.gathered.counters;
        let quality = &reading.quality;
        counters.rows += 1;
        counters.base64 += u64::from(quality.base64);
        counters.lenient += u64::from(quality.lenient);
        counters.truncated += u64::from(quality.truncated);
        counters.unparsable += u64::from(quality.unparsable);
        counters.not_acquirer_text += u64::from(quality.not_acquirer_text);
        counters.bad_charset += u64::from(quality.bad_charset);
        counters.bad_fees += u64::from(quality.bad_fee);
    }

    /// The row's time, which also widens what the log is known to cover.
    fn dated(&mut self, row: &LogRow<'_>, reading: &Reading<'_>) -> Option<u32> {
        let moment = reading.logged_at(row.req_date).filter(|m| packed(*m).is_some());
        let gathered = &mut self.gathered;
        let Some(moment) = moment else {
            gathered.counters.undated += 1;
            return None;
        };
        gathered.first = Some(gathered.first.map_or(moment, |first| first.min(moment)));
        gathered.last = Some(gathered.last.map_or(moment, |last| last.max(moment)));
        packed(moment)
    }

    fn place(&mut self, row: &LogRow<'_>, reading: &Reading<'_>) -> u32 {
        let (seller, inferred) = seller(row, reading);
        self.gathered.counters.account_inferred += u64::from(inferred);
        let column = |column, part| column_or_header(column, reading, part);
        let texts = [
            &*column(row.req_type, Part::Type),
            &*column(row.req_txdate, Part::TxDate),
            &*column(row.req_mallid, Part::MallId),
            &*column(row.req_storecode, Part::StoreCode),
            &*column(row.req_tillid, Part::TillId),
            &*column(row.req_cashierno, Part::CashierNo),
            &*seller,
            self.customer.of(reading),
        ];
        self.gathered.places.intern(texts, &self.claims)
    }

    fn add(&mut self, mut record: Record, reading: &Reading<'_>, refund_no: &str) {
        let evidence = &reading.evidence;
        let out_id = reading.request.plain(Part::OutId);
        let named_trade = reading.request.plain(Part::TradeNo);
        let order = if *evidence.order_no == *tight(&out_id) { "" } else { &*evidence.order_no };
        let from_reply = !evidence.trade_no.is_empty();
        let about_refund = record.action.is_refund() || record.finding.is_refund();
        let crc = if about_refund { reading.request.plain(Part::Crc) } else { Cow::Borrowed("") };
        record.flags |= if from_reply { TRADE_FROM_REPLY } else { 0 };
        record.flags |= if evidence.order_no.is_empty() { 0 } else { ORDER_FROM_REPLY };
        let trade = if from_reply { &evidence.trade_no } else { &named_trade };
        self.keep(record, [&out_id, order, trade, refund_no, &crc]);
    }

    /// Keeps a record with its texts, in the order of [`Lengths`].
    pub(super) fn keep(&mut self, mut record: Record, texts: [&str; 5]) {
        // An arena of 4 GiB is eighty million rows in one gatherer; a day has a million.
        record.text_start = u32::try_from(self.gathered.arena.len()).expect("an arena below 4 GiB");
        let [out_id, order, trade, refund, crc] = texts.map(|text| self.keep_identifier(text));
        record.lengths = Lengths { out_id, order, trade, refund, crc };
        self.gathered.records.push(record);
    }

    /// One refund of a list, as a record of its own.
    fn add_listed(&mut self, row: Record, reading: &Reading<'_>, listed: &ListedRefund) {
        let mut record = row;
        record.finding = listed.finding;
        record.flags |= LISTED | if listed.cumulative { CUMULATIVE } else { 0 };
        record.set_amounts(None, listed.amount_minor);
        record.set_provider_at(listed.provider_at);
        self.add(record, reading, &listed.refund_no);
    }

    /// Puts an identifier into the arena; one that is too long to be one is left out and counted.
    fn keep_identifier(&mut self, text: &str) -> u8 {
        let text = tight(text);
        match u8::try_from(text.len()) {
            Ok(length) if text.len() <= IDENTIFIER_MAX => {
                self.gathered.arena.push_str(text);
                length
            }
            _ => {
                self.gathered.counters.unparsable += 1;
                0
            }
        }
    }
}

fn is_own(row: &LogRow<'_>, reading: &Reading<'_>) -> bool {
    reading.action == Action::Download
        || tight(row.req_cashierno) == OWN_CASHIER
        || reading.request.plain(Part::CashierNo) == OWN_CASHIER
}

/// The reply's word, else what the payment code says.
fn set_wallet(record: &mut Record, reading: &Reading<'_>) {
    let told = reading.evidence.wallet;
    match told {
        Wallet::Unknown => record.set_wallet(Wallet::of_code(&reading.request.plain(Part::DynamicId)), false),
        told => record.set_wallet(told, true),
    }
}

fn count_name(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name.trim()) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.trim().to_owned(), 1);
        }
    }
}

/// The seller, and whether it had to be inferred: a request that cannot be read, or breaks off before its seller, is
/// taken for the seller of its store, because a seller id usually is a store code (R031, R053).
pub(super) fn seller<'t>(row: &LogRow<'t>, reading: &Reading<'t>) -> (Cow<'t, str>, bool) {
    if reading.request.has(Part::SellerId) || !reading.request_damaged && reading.request.has_header {
        (trimmed(reading.request.plain(Part::SellerId)), false)
    } else {
        (Cow::Borrowed(row.req_storecode.trim()), true)
    }
}

/// The column; the header's name where the column is empty.
fn column_or_header<'t>(column: &'t str, reading: &Reading<'t>, part: Part) -> Cow<'t, str> {
    match tight(column) {
        "" => trimmed(reading.request.plain(part)),
        column => Cow::Borrowed(column),
    }
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(tight(text)),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

fn flags(row: &LogRow<'_>, reading: &Reading<'_>, pay_type: PayType) -> u16 {
    let note = |holds: bool, note: Note| if holds { note as u16 } else { 0 };
    let cumulative = if reading.evidence.cumulative { CUMULATIVE } else { 0 };
    note(reading.is_salvaged(), Note::Salvaged)
        | note(differs(row, reading), Note::HeaderMismatch)
        | note(!evidence::fits(reading.evidence.family, pay_type), Note::FamilyMismatch)
        | cumulative
}

/// Whether the header names another place than the columns (R052). A business date is compared only as eight digits,
/// because the column may be a date.
fn differs(row: &LogRow<'_>, reading: &Reading<'_>) -> bool {
    let eight_digits = if row.req_txdate.len() == 8 { row.req_txdate } else { "" };
    [
        (row.req_type, Part::Type),
        (eight_digits, Part::TxDate),
        (row.req_mallid, Part::MallId),
        (row.req_storecode, Part::StoreCode),
        (row.req_shop_code, Part::ShopCode),
        (row.req_tillid, Part::TillId),
        (row.req_cashierno, Part::CashierNo),
    ]
    .into_iter()
    .any(|(column, part)| {
        let column = tight(column);
        !column.is_empty()
            && reading.request.has(part)
            && !tight(&reading.request.plain(part)).eq_ignore_ascii_case(column)
    })
}
