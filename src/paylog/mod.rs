//! From EB_PAYLOG rows to what the gateway believes: decode → classify → evidence → group → fold → day.
//!
//! Pure: rows come in as text, movements go out. `store` reads the table; nothing here knows SQL. The format is
//! described in `spec/ttpay.md`, sections A.3 and D. Unknown is not failed: a missing, truncated or unreadable
//! reply proves nothing, and a complete success proves money, whatever came after it.
//!
//! ```text
//! row ─ decode ─ request, evidence ─ gather (one per thread, small records) ┐
//! row ─ decode ─ request, evidence ─ gather ────────────────────────────────┴─ fold ─ movements by account
//! ```
//!
//! The result does not depend on which gatherer saw which row, nor in which order.

mod decode;
mod request;
mod evidence;
mod wallet;
mod notice;
mod answer;
mod reading;
mod place;
mod record;
mod gather;
mod fold;
mod story;

#[cfg(test)]
mod tests;

pub use answer::{Answer, judge_reply, judge_word};
pub use evidence::{Action, Finding};
pub use fold::fold;
pub use gather::{Gathered, Gatherer, OWN_CASHIER};
pub use notice::{Notice, NoticeFamily, Seal};
pub use story::{RowStory, describe};

use crate::domain::{AmountUnit, LoggedOrders, Moment};

/// How the log is written; from `[paylog]` of the configuration.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The gateway writes its columns as base64. Base64 is also recognised without this; with it, plain sentences
    /// (RES_MSG) are decoded too.
    pub isbase64: bool,
    /// Unit of `TotalFee`; checked against the provider's own amounts.
    pub amount_unit: AmountUnit,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { isbase64: false, amount_unit: AmountUnit::Fen }
    }
}

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
    /// Rows with a text that is neither JSON nor XML, or of which not one field could be read.
    pub unparsable: u64,
    /// Rows whose reply is HTML, the text of an exception, or empty quotes.
    pub not_acquirer_text: u64,
    /// Rows in neither UTF-8 nor GB18030.
    pub bad_charset: u64,
    /// Rows whose TotalFee is no amount of the configured unit (a dot under `fen`); the reply's amount is used.
    pub bad_fees: u64,
    /// Rows whose seller could not be read; the store code was taken for it.
    pub account_inferred: u64,
    /// Rows without any readable time; they are not folded.
    pub undated: u64,
    /// Rows without an order number that no transaction number joins to an order. Those that prove money are
    /// movements of their own, without an order number.
    pub orphans: u64,
    pub own_rows: u64,
    /// Stored notifications that were heard.
    pub notices: u64,
    /// Those whose signature nobody's key proves; they change nothing.
    pub notices_unverified: u64,
    /// Those that are nobody's, or tell nothing of a payment.
    pub notices_unread: u64,
    /// Proven ones that say of an order that it was paid of which the log holds no row; they make none.
    pub notices_alone: u64,
    /// Unknown REQ_ACTION values and how often each came.
    pub unknown_actions: Vec<(String, u64)>,
    /// REQ_TYPE values that stand for no pay type this program knows.
    pub unknown_types: Vec<(String, u64)>,
}

impl Counters {
    /// Adds the numbers of another gatherer; its names are merged by `fold`.
    fn add(&mut self, other: &Counters) {
        self.rows += other.rows;
        self.base64 += other.base64;
        self.lenient += other.lenient;
        self.truncated += other.truncated;
        self.unparsable += other.unparsable;
        self.not_acquirer_text += other.not_acquirer_text;
        self.bad_charset += other.bad_charset;
        self.bad_fees += other.bad_fees;
        self.account_inferred += other.account_inferred;
        self.undated += other.undated;
        self.orphans += other.orphans;
        self.own_rows += other.own_rows;
        self.notices += other.notices;
        self.notices_unverified += other.notices_unverified;
        self.notices_unread += other.notices_unread;
    }
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
