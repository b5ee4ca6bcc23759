//! What the rows of the log mean: which are payments and refunds, which fee belongs to which payment, and what else
//! moved (`spec/alipay.md` 3.3, "interpretation used in production").

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::money;
use crate::domain::statement::Foreign;
use crate::domain::{Cell, Currency, Entry, EntryKind, Moment};
use crate::format::sheet::{Gather, Movement, Record};
use crate::format::tally::Names;
use crate::format::{Asked, ReadError, shown};

const PAYMENT: &str = "在线支付";
const REFUND: &str = "交易退款";
const FEE: &str = "收费";

/// What Alipay puts behind a PID to name its account.
const ACCOUNT_SUFFIX: &str = "0156";
const E5_OF_FEN: i64 = 1000;

/// Where a row has what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Columns {
    pub(super) id: usize,
    pub(super) order_no: usize,
    pub(super) trade_no: usize,
    pub(super) kind: usize,
    pub(super) income: usize,
    pub(super) outcome: usize,
    pub(super) at: usize,
    pub(super) subject: Option<usize>,
    pub(super) sub_kind: Option<usize>,
    pub(super) refund_no: Option<usize>,
    /// The trade's gross amount; what came in may be less where a coupon is a row of its own.
    pub(super) total: Option<usize>,
    pub(super) currency: Option<usize>,
    /// Whose log it is: a PID, or a PID and `0156`.
    pub(super) owner: Option<usize>,
}

/// A 收费 row that waits for its payment.
struct Fee {
    trade_no: String,
    /// Charged is positive, given back negative.
    minor: i64,
}

/// The rows read so far.
pub(super) struct Book<'a> {
    asked: &'a Asked<'a>,
    columns: Columns,
    gather: Gather<'a>,
    ids: HashSet<String>,
    fees: Vec<Fee>,
    /// Rows and signed fen of what is no order, by the log's own word.
    others: BTreeMap<String, (u64, i128)>,
    foreign_rows: u64,
    foreign_minor: i128,
    foreign_names: Names,
    pub(super) remarks: Vec<String>,
}

/// What a [`Book`] came to.
pub(super) struct Told {
    pub(super) entries: Vec<Entry>,
    pub(super) rewritten: String,
    pub(super) foreign: Foreign,
    pub(super) remarks: Vec<String>,
}

impl<'a> Book<'a> {
    pub(super) fn new(asked: &'a Asked<'a>, text: &'a str, columns: Columns) -> Book<'a> {
        Book {
            asked,
            columns,
            gather: Gather::new(text),
            ids: HashSet::new(),
            fees: Vec::new(),
            others: BTreeMap::new(),
            foreign_rows: 0,
            foreign_minor: 0,
            foreign_names: Names::default(),
            remarks: Vec::new(),
        }
    }

    /// Takes one row.
    ///
    /// # Errors
    ///
    /// A row twice, another day, a currency, amount or time that is none.
    pub(super) fn keep(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        let columns = self.columns;
        let id = record.cell(columns.id);
        if !id.is_empty() && !self.ids.insert(id.to_owned()) {
            return Err(record.error("iw_account_log_id", format!("`{}` is there twice", shown(id))));
        }
        let (income, outcome) = (money_of(record, columns.income)?, money_of(record, columns.outcome)?);
        if income != 0 && outcome != 0 {
            return Err(ReadError::at(record.number, "money came in and went out in one row"));
        }
        let happened_at = self.happened_at(record)?;
        let currency = columns.currency.map_or(Ok(Currency::CNY), |column| currency_of(record, column))?;
        if self.is_foreign(record) {
            self.foreign_rows += 1;
            self.foreign_minor += i128::from(income) - i128::from(outcome);
            return Ok(());
        }
        let kind = record.cell(columns.kind);
        let sub_kind = columns.sub_kind.map_or("", |column| record.cell(column));
        let movement = if kind == PAYMENT && income > 0 {
            let gross = columns.total.map_or(Ok(0), |column| money_of(record, column))?;
            // A total below what came in is no total of this trade.
            let amount_minor = gross.max(income);
            (EntryKind::Payment, amount_minor, income)
        } else if (kind == REFUND || sub_kind == REFUND) && outcome > 0 {
            (EntryKind::Refund, -outcome, -outcome)
        } else if kind == FEE && (income, outcome) != (0, 0) {
            self.fees.push(Fee { trade_no: record.cell(columns.trade_no).into(), minor: outcome - income });
            return Ok(());
        } else {
            self.count_other(kind, sub_kind, income - outcome);
            return Ok(());
        };
        let (kind, amount_minor, settled_minor) = movement;
        let movement = Movement { kind, currency, happened_at, amount_minor, settled_minor, fee_e5: 0 };
        self.place(record, &movement)
    }

    fn place(&mut self, record: &Record<'_>, movement: &Movement) -> Result<(), ReadError> {
        let columns = self.columns;
        if record.cell(columns.order_no).is_empty() && record.cell(columns.trade_no).is_empty() {
            return Err(ReadError::at(record.number, "a payment or refund without any number"));
        }
        // The refund's own number, where the log has one that is not the payment's.
        let refund_no = columns.refund_no.filter(|column| {
            let number = record.cell(*column);
            movement.kind == EntryKind::Refund
                && number != record.cell(columns.order_no)
                && number != record.cell(columns.trade_no)
        });
        let cells = [
            (Cell::OrderNo, Some(columns.order_no)),
            (Cell::TradeNo, Some(columns.trade_no)),
            (Cell::RefundNo, refund_no),
            (Cell::Subject, columns.subject),
        ];
        self.gather.keep(record, movement, &cells)?;
        Ok(())
    }

    fn count_other(&mut self, kind: &str, sub_kind: &str, minor: i64) {
        let word = match (kind, sub_kind) {
            ("", "") => "(no kind)".to_owned(),
            (kind, "") => shown(kind),
            (kind, sub_kind) => shown(&format!("{kind}/{sub_kind}")),
        };
        let slot = self.others.entry(word).or_default();
        slot.0 += 1;
        slot.1 += i128::from(minor);
    }

    fn is_foreign(&mut self, record: &Record<'_>) -> bool {
        let owner = self.columns.owner.map_or("", |column| record.cell(column));
        let owner = owner.strip_suffix(ACCOUNT_SUFFIX).filter(|pid| pid.len() == 16).unwrap_or(owner);
        if owner.is_empty() || owner == self.asked.merchant {
            return false;
        }
        self.foreign_names.add(owner);
        true
    }

    fn happened_at(&self, record: &Record<'_>) -> Result<Moment, ReadError> {
        let text = record.cell(self.columns.at);
        let dashed = text.replace(['年', '月'], "-").replace('日', "");
        let moment = Moment::parse(&dashed)
            .ok_or_else(|| record.error("时间", format!("`{}` is not a time", shown(text))))?;
        if self.asked.date.contains(moment) {
            return Ok(moment);
        }
        let found = format!("{} (line {})", moment.date(), record.number);
        Err(ReadError::OtherDay { asked: self.asked.date, found })
    }

    /// Gives each fee to its payment (what was given back: to its refund) and tells what remains.
    pub(super) fn finish(mut self) -> Result<Told, ReadError> {
        if self.gather.entries.is_empty() && self.foreign_rows > 0 && self.fees.is_empty() {
            let asked = self.asked.merchant.to_owned();
            return Err(ReadError::OtherMerchant { asked, found: self.foreign_names.to_string() });
        }
        let lone = self.give_fees();
        if lone.0 > 0 {
            self.others.insert("收费 without its payment on this day".into(), lone);
        }
        for (word, (rows, minor)) in &self.others {
            let sum = i64::try_from(*minor).map_err(|_| too_much())?;
            self.remarks.push(format!(
                "other movements of the account, not compared: {word} ({rows} lines, {})",
                money::major(sum, Currency::CNY.digits())
            ));
        }
        if self.foreign_rows > 0 {
            self.remarks.push(format!("lines of other accounts, not kept: {}", self.foreign_names));
        }
        let amount_minor = i64::try_from(self.foreign_minor).map_err(|_| too_much())?;
        let foreign = Foreign { rows: self.foreign_rows, amount_minor };
        let (entries, rewritten) = self.gather.finish();
        Ok(Told { entries, rewritten, foreign, remarks: self.remarks })
    }

    /// Rows and signed fen of the fees that found no payment.
    fn give_fees(&mut self) -> (u64, i128) {
        let mut lone = (0, 0);
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, trade_no) in self.gather.cells(Cell::TradeNo).enumerate() {
            places.entry(trade_no.to_owned()).or_default().push(place);
        }
        for fee in &self.fees {
            let wanted = if fee.minor > 0 { EntryKind::Payment } else { EntryKind::Refund };
            let of_trade = places.get(&fee.trade_no).map_or(&[][..], Vec::as_slice);
            let entries = &mut self.gather.entries;
            let place = of_trade.iter().find(|place| entries[**place].kind == wanted).or(of_trade.first());
            let sum =
                place.and_then(|place| entries[*place].fee_e5.checked_add(fee.minor.checked_mul(E5_OF_FEN)?));
            match (place, sum) {
                (Some(place), Some(sum)) if !fee.trade_no.is_empty() => entries[*place].fee_e5 = sum,
                _ => lone = (lone.0 + 1, lone.1 - i128::from(fee.minor)),
            }
        }
        lone
    }
}

fn too_much() -> ReadError {
    ReadError::File("the rows add up to more than this program can hold".into())
}

/// An unsigned amount in fen; empty is nothing.
fn money_of(record: &Record<'_>, column: usize) -> Result<i64, ReadError> {
    let text = record.cell(column);
    if text.is_empty() {
        return Ok(0);
    }
    match money::parse_minor(text, Currency::CNY.digits()) {
        Ok(minor) if minor >= 0 => Ok(minor),
        Ok(_) => Err(ReadError::at(record.number, format!("`{text}` is signed; such amounts are not"))),
        Err(error) => Err(ReadError::at(record.number, error.to_string())),
    }
}

/// `156` is ISO 4217's number of the yuan; other accounts than those in yuan are not known of this log.
fn currency_of(record: &Record<'_>, column: usize) -> Result<Currency, ReadError> {
    match record.cell(column) {
        "" | "156" | "CNY" | "RMB" => Ok(Currency::CNY),
        other => Err(record.error("currency", format!("`{}` is not 156 (CNY)", shown(other)))),
    }
}
