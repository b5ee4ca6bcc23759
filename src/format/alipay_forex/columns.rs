//! Which column is where, under all the names it has had (`spec/alipay.md` 4.1 to 4.3). The set is configurable on
//! Alipay's side, so only what a movement cannot do without is required.

use crate::format::ReadError;
use crate::format::table::{Aliases, Titles};

/// The cells of the pulled layout, which has no titles.
pub(super) const PULLED: &str =
    "Partner_transaction_id,Amount,Currency,Payment_time,Settlement_time,Type,Fee,Status,Remarks";

const ID: Aliases = &["Partner_transaction_id"];
const TRADE_NO: Aliases = &["Transaction_id"];
const ORIGINAL: Aliases = &["Original_partner_transaction_id"];
const AMOUNT: Aliases = &["Amount", "Transaction_amount"];
const CURRENCY: Aliases = &["Currency"];
const LABELLED: Aliases = &["Trans_amount"];
const LABELLED_CURRENCY: Aliases = &["Trans_currency"];
const FEE: Aliases = &["Fee", "Charge_amount"];
const SETTLEMENT: Aliases = &["Settlement"];
const PAID_AT: Aliases = &["Payment_time"];
const SETTLED_AT: Aliases = &["Settlement_time"];
const KIND: Aliases = &["Type", "Transaction_type"];
const STATUS: Aliases = &["Status"];
const REMARKS: Aliases = &["Remarks", "Remark"];

/// Every column that is known, read or not.
const KNOWN: &[Aliases] = &[
    ID,
    TRADE_NO,
    ORIGINAL,
    AMOUNT,
    CURRENCY,
    LABELLED,
    LABELLED_CURRENCY,
    FEE,
    SETTLEMENT,
    PAID_AT,
    SETTLED_AT,
    KIND,
    STATUS,
    REMARKS,
    &["Rmb_amount"],
    &["Rmb_settlement"],
    &["Distribute_amount"],
    &["Distribute_rmb_amount"],
    &["Rate"],
    &["Trans_forex_rate"],
    &["Secondary_merchant_industry"],
    &["Secondary_merchant_name"],
    &["Operator_name"],
    &["Order_scene"],
];

/// Places of the columns that are read.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) count: usize,
    /// Cells stand between bars.
    pub(super) bars: bool,
    /// The file has no titles.
    pub(super) pulled: bool,
    pub(super) id: usize,
    pub(super) amount: usize,
    pub(super) currency: usize,
    pub(super) paid_at: usize,
    pub(super) kind: usize,
    pub(super) trade_no: Option<usize>,
    pub(super) original: Option<usize>,
    pub(super) labelled: Option<usize>,
    pub(super) labelled_currency: Option<usize>,
    pub(super) fee: Option<usize>,
    pub(super) settlement: Option<usize>,
    pub(super) settled_at: Option<usize>,
    pub(super) status: Option<usize>,
    pub(super) remarks: Option<usize>,
}

impl Columns {
    /// # Errors
    ///
    /// A column that is needed and missing, or there under two names.
    pub(super) fn find(titles: &Titles) -> Result<Columns, ReadError> {
        Ok(Columns {
            count: titles.count(),
            bars: false,
            pulled: false,
            id: titles.need(ID)?,
            amount: titles.need(AMOUNT)?,
            currency: titles.need(CURRENCY)?,
            paid_at: titles.need(PAID_AT)?,
            kind: titles.need(KIND)?,
            trade_no: titles.find(TRADE_NO)?,
            original: titles.find(ORIGINAL)?,
            labelled: titles.find(LABELLED)?,
            labelled_currency: titles.find(LABELLED_CURRENCY)?,
            fee: titles.find(FEE)?,
            settlement: titles.find(SETTLEMENT)?,
            settled_at: titles.find(SETTLED_AT)?,
            status: titles.find(STATUS)?,
            remarks: titles.find(REMARKS)?,
        })
    }
}

/// Titles that this program has never heard of.
pub(super) fn unknown(titles: &Titles) -> Vec<&str> {
    titles.unknown(KNOWN)
}
