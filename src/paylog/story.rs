//! What one row says, for a person: `explain` shows the rows of an order in time order.
//!
//! Only named fields are shown: payment codes keep their last four digits, keys and tokens are masked, buyers are not
//! shown at all. Nothing else of the messages is ever printed.

use crate::domain::{Currency, Moment, money};

use super::decode::decode;
use super::evidence::{Finding, Slot, fields};
use super::reading::{self, Reading, Scratch};
use super::request::Part;
use super::{LogRow, Rules};

/// One row, told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowStory {
    pub row_id: i64,
    pub logged_at: Option<Moment>,
    pub req_type: String,
    pub action: String,
    /// The order number that the row itself states; a refund's row may know only its transaction number.
    pub order_no: String,
    pub refund_no: String,
    pub trade_no: String,
    pub seller: String,
    /// What the row proves; [`Finding::label`] says it in a person's language.
    pub finding: Finding,
    /// The reply's amount, else the request's TotalFee; gross, positive, minor units.
    pub amount_minor: Option<i64>,
    pub currency: Currency,
    pub provider_at: Option<Moment>,
    /// Request, arrow, reply, in one line and without secrets.
    pub summary: String,
}

/// Tells what a row says.
pub fn describe(row: &LogRow<'_>, rules: Rules) -> RowStory {
    let mut scratch = Scratch::default();
    let reading = reading::read(row, &rules, &mut scratch);
    let request = &reading.request;
    let evidence = &reading.evidence;
    let stated = evidence.order_no.is_empty();
    let order_no = if stated { request.plain(Part::OutId) } else { evidence.order_no.clone() };
    let named_refund = request.refund_no();
    let refund_no = if evidence.refund_no.is_empty() { &named_refund } else { &evidence.refund_no };
    let trade_no = match evidence.trade_no.is_empty() {
        true => request.plain(Part::TradeNo),
        false => evidence.trade_no.clone(),
    };
    RowStory {
        row_id: row.row_id,
        logged_at: reading.logged_at(row.req_date),
        req_type: row.req_type.trim().to_owned(),
        action: row.req_action.trim().to_owned(),
        order_no: one_line(&order_no),
        refund_no: one_line(refund_no),
        trade_no: one_line(&trade_no),
        seller: one_line(&super::gather::seller(row, &reading).0),
        finding: evidence.finding,
        amount_minor: evidence.amount_minor.or(reading.fee_minor),
        currency: evidence.currency,
        provider_at: evidence.provider_at,
        summary: format!("{} → {}", asked(&reading), heard(row, rules, &reading)),
    }
}

fn asked(reading: &Reading<'_>) -> String {
    let request = &reading.request;
    let mut parts = Vec::new();
    let shown = [
        (Part::OutId, "OutID"),
        (Part::TradeNo, "TradeNO"),
        (Part::TotalFee, "TotalFee"),
        (Part::Crc, "CRC"),
    ];
    for (part, name) in shown.into_iter().filter(|(part, _)| request.has(*part)) {
        parts.push(format!("{name}={}", one_line(&request.plain(part))));
    }
    if request.has(Part::DynamicId) {
        parts.push(format!("DynamicID={}", last_four(&request.plain(Part::DynamicId))));
    }
    for (part, name) in [(Part::Key, "Key"), (Part::Token, "Token")] {
        if request.has(part) {
            parts.push(format!("{name}=***"));
        }
    }
    if parts.is_empty() { "?".to_owned() } else { parts.join(" ") }
}

/// Codes of replies, by the names that providers use.
const CODES: &[(Slot, &str)] = &[
    (Slot::ReturnCode, "return_code"),
    (Slot::ReturnMsg, "return_msg"),
    (Slot::ResultCode, "result_code"),
    (Slot::ErrCode, "err_code"),
    (Slot::TradeState, "trade_state"),
    (Slot::Recall, "recall"),
    (Slot::IsSuccess, "is_success"),
    (Slot::Error, "error"),
    (Slot::DetailErrorCode, "detail_error_code"),
    (Slot::TradeStatus, "trade_status"),
    (Slot::Code, "code"),
    (Slot::SubCode, "sub_code"),
    (Slot::FundChange, "fund_change"),
    (Slot::RetryFlag, "retry_flag"),
    (Slot::Action, "action"),
    (Slot::RefundStatus, "refund_status"),
    (Slot::AlipayTransStatus, "alipay_trans_status"),
    (Slot::RespType, "respType"),
    (Slot::StatusCode, "status_code"),
    (Slot::PayChannel, "pay_channel"),
    (Slot::Paid, "paid"),
];

fn heard(row: &LogRow<'_>, rules: Rules, reading: &Reading<'_>) -> String {
    let (mut reply, mut body) = (String::new(), String::new());
    let decoded = decode(row.res_obj, &mut reply, rules.isbase64);
    let fields = fields::read(decoded.text, decoded.shape, &mut body);
    let shown = CODES.iter().filter(|(slot, _)| fields.has(*slot));
    let mut parts: Vec<String> =
        shown.map(|(slot, name)| format!("{name}={}", one_line(&fields.plain(*slot)))).collect();
    for (name, value) in [("RES_ERR", row.res_err), ("RES_MSG", row.res_msg)] {
        if !value.trim().is_empty() {
            parts.push(format!("{name}={}", one_line(value)));
        }
    }
    if let Some(amount) = reading.evidence.amount_minor {
        let currency = reading.evidence.currency;
        parts.push(format!("{} {currency}", money::major(amount, currency.digits())));
    }
    parts.extend(remarks(reading));
    if parts.is_empty() { "no reply".to_owned() } else { parts.join(" ") }
}

fn remarks(reading: &Reading<'_>) -> impl Iterator<Item = String> {
    let quality = reading.quality;
    [
        (quality.truncated, "truncated"),
        (quality.base64, "base64"),
        (quality.lenient, "lenient"),
        (quality.unparsable, "unparsable"),
        (quality.not_acquirer_text, "not the provider's text"),
        (quality.bad_fee, "TotalFee in another unit"),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, word)| format!("({word})"))
}

/// A text that cannot break the line it is printed on, nor fill the screen.
pub(super) fn one_line(text: &str) -> String {
    const SHOWN_MAX: usize = 128;
    text.trim().chars().take(SHOWN_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn last_four(code: &str) -> String {
    let letters: Vec<char> = code.trim().chars().collect();
    let hidden = letters.len().saturating_sub(4).max(letters.len().min(4));
    format!("***{}", letters[hidden..].iter().collect::<String>())
}
