//! From EB_PAYLOG rows to what the gateway believes: decode → classify → evidence → group → fold → day.
//!
//! Pure: rows come in as text, movements go out. `store` reads the table; nothing here knows SQL. The format is
//! described in `spec/ttpay.md`, sections A.3 and D. Unknown is not failed: a missing, truncated or unreadable
//! reply proves nothing, and a complete success proves money, whatever came after it.

use crate::domain::{LoggedOrders, Moment};

/// One row of EB_PAYLOG, as text.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogRow<'a> {
    /// ROWID, or the row's number in time order where the engine has none.
    pub row_id: i64,
    pub req_txdate: &'a str,
    pub req_mallid: &'a str,
    pub req_storecode: &'a str,
    pub req_shop_code: &'a str,
    pub req_tillid: &'a str,
    pub req_cashierno: &'a str,
    /// `yyyy-MM-dd HH:mm:ss` (also with `T` or a fraction).
    pub req_date: &'a str,
    pub req_obj: &'a str,
    pub req_action: &'a str,
    pub req_type: &'a str,
    pub res_err: &'a str,
    pub res_msg: &'a str,
    pub res_obj: &'a str,
}

/// Orders that no configured account claims, by seller and REQ_TYPE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclaimed {
    pub day: crate::domain::BillDate,
    pub seller: String,
    pub req_type: String,
    /// Distinct orders, and Σ of the successes among them.
    pub orders: u64,
    pub successes_minor: i64,
}

/// What was read, in numbers: nothing is dropped silently (R-D46).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub rows: u64,
    pub base64: u64,
    pub lenient: u64,
    pub truncated: u64,
    pub unparsable: u64,
    pub own_rows: u64,
    /// Unknown REQ_ACTION values and how often each came.
    pub unknown_actions: Vec<(String, u64)>,
    /// REQ_TYPE values that stand for no pay type this program knows.
    pub unknown_types: Vec<(String, u64)>,
}

/// `TotalFee` and the provider's amount differ by a factor of 100: the unit is configured wrongly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorHundred {
    pub order_no: String,
    pub total_fee: String,
    pub provider_minor: i64,
}

/// What the window of the log says.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    /// Movements by account (index as in [`Claims`](crate::domain::Claims)), of every day in the window.
    pub accounts: Vec<LoggedOrders>,
    /// By account: the first order whose amount is off by a factor of 100.
    pub factor_hundred: Vec<Option<FactorHundred>>,
    pub unclaimed: Vec<Unclaimed>,
    pub counters: Counters,
    /// Median of REQ_DATE − provider time over paid orders, in seconds (R-D45).
    pub skew_seconds: Option<i64>,
    /// Orders of which older rows would tell more: looked up by key in the log before the window.
    pub look_back: Vec<String>,
    /// First and last REQ_DATE read.
    pub first: Option<Moment>,
    pub last: Option<Moment>,
}
