//! The fields of a reply that may tell of money, whatever its family and syntax, as slices of its text.
//!
//! One pass fills them all, because the family is known only from what was found. The first value of a repeated key is
//! kept (R-D4); what lies deeper than the provider's answer itself (coupon lists, fund bills) is not looked at.

use std::borrow::Cow;

use crate::paylog::decode::{self, Flaws, Raw, Shape, Syntax, json, same_name, slots, xml};

slots! {
    /// Fields of replies.
    Slot {
        ReturnCode = "return_code",
        ReturnMsg = "return_msg",
        ResultCode = "result_code",
        ErrCode = "err_code",
        TradeState = "trade_state",
        TotalFee = "total_fee",
        FeeType = "fee_type",
        TransactionId = "transaction_id",
        OutTradeNo = "out_trade_no",
        TimeEnd = "time_end",
        OutRefundNo = "out_refund_no",
        RefundFee = "refund_fee",
        Recall = "recall",
        PrepayId = "prepay_id",
        CodeUrl = "code_url",
        IsSuccess = "is_success",
        Error = "error",
        DetailErrorCode = "detail_error_code",
        TradeNo = "trade_no",
        TradeStatus = "trade_status",
        GmtPayment = "gmt_payment",
        SendPayDate = "send_pay_date",
        GmtRefundPay = "gmt_refund_pay",
        FundChange = "fund_change",
        SendBackFee = "send_back_fee",
        RetryFlag = "retry_flag",
        Action = "action",
        Code = "code",
        SubCode = "sub_code",
        TotalAmount = "total_amount",
        TransCurrency = "trans_currency",
        OutRequestNo = "out_request_no",
        RefundAmount = "refund_amount",
        RefundStatus = "refund_status",
        Body = "Body",
        GmtModified = "gmt_last_modified_time",
        PartnerTransId = "partner_trans_id",
        AlipayTransId = "alipay_trans_id",
        AlipayTransStatus = "alipay_trans_status",
        AlipayPayTime = "alipay_pay_time",
        PartnerRefundId = "partner_refund_id",
        TransAmount = "trans_amount",
        Currency = "currency",
        Content = "content",
        RespType = "respType",
        StatusCode = "status_code",
        PayChannel = "pay_channel",
        MchName = "mchname",
        Money = "money",
        PayDate = "pay_date",
        Id = "id",
        OrderNo = "order_no",
        ChargeId = "charge_id",
        Amount = "amount",
        Paid = "paid",
        AmountRefunded = "amount_refunded",
        TimePaid = "time_paid",
    }
}

/// Names longer than a packed key.
const CLOSED_BY_TIMEOUT: &str = "additionaltradestatus";

/// One refund of a list of refunds (`out_refund_no_0`, `refund_fee_0`, `refund_status_0`, `refund_success_time_0`).
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::paylog) struct Listed<'t> {
    pub index: u8,
    pub refund_no: &'t str,
    pub fee: &'t str,
    pub status: &'t str,
    pub succeeded_at: &'t str,
}

/// Where a value stands in the text of its [`Fields`]; half the size of a slice, because there is one for each slot.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    len: u32,
}

/// What one reply holds.
#[derive(Clone, Debug)]
pub(in crate::paylog) struct Fields<'t> {
    text: &'t str,
    values: [Span; Slot::COUNT],
    set: u64,
    escaped: u64,
    pub syntax: Syntax,
    /// Name of the root element, or of the object that holds the answer (`alipay_trade_pay_response`, `result`).
    pub node: &'t str,
    /// The answer came as a text inside another message (`content`), which had this code of its own.
    pub carrier_code: Option<&'t str>,
    /// TianTa's `code` and Alipay's are two, and may come in any order.
    pub second_code: &'t str,
    pub refunds: Vec<Listed<'t>>,
    /// The provider says that the trade was closed by time-out, unpaid.
    pub closed_by_timeout: bool,
    pub flaws: Flaws,
}

const _: () = assert!(Slot::COUNT <= 64, "one bit for each slot");

impl<'t> Fields<'t> {
    fn new(text: &'t str, syntax: Syntax) -> Fields<'t> {
        Fields {
            text,
            values: [Span::default(); Slot::COUNT],
            set: 0,
            escaped: 0,
            syntax,
            node: "",
            carrier_code: None,
            second_code: "",
            refunds: Vec::new(),
            closed_by_timeout: false,
            flaws: Flaws::default(),
        }
    }

    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.set >> slot as u64 & 1 == 1
    }

    /// The value as it stands in the text; good for comparing with codes, which are never escaped.
    pub(crate) fn raw(&self, slot: Slot) -> &'t str {
        let Span { start, len } = self.values[slot as usize];
        self.text.get(start as usize..start as usize + len as usize).unwrap_or("")
    }

    /// The value that a person would read.
    pub(crate) fn plain(&self, slot: Slot) -> Cow<'t, str> {
        let escaped = self.escaped >> slot as u64 & 1 == 1;
        match self.syntax.plain(Raw { text: self.raw(slot), escaped }) {
            Cow::Borrowed(text) => Cow::Borrowed(decode::tight(text)),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        }
    }

    /// The first of the slots that holds something.
    pub(crate) fn first(&self, slots: &[Slot]) -> Cow<'t, str> {
        slots.iter().find(|s| !self.raw(**s).is_empty()).map_or(Cow::Borrowed(""), |s| self.plain(*s))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.set == 0
    }

    fn put(&mut self, key: Raw<'t>, value: Raw<'t>) {
        if let Some(slot) = Slot::of(key.text) {
            let bit = 1 << slot as u64;
            if self.set & bit != 0 {
                self.put_again(slot, value);
                return;
            }
            self.set |= bit;
            self.values[slot as usize] = self.span(value.text);
            self.escaped |= if value.escaped { bit } else { 0 };
        } else if key.text.as_bytes().last().is_some_and(u8::is_ascii_digit) {
            self.put_listed(key.text, value.text);
        } else if key.text.len() >= CLOSED_BY_TIMEOUT.len() && same_name(key.text, CLOSED_BY_TIMEOUT) {
            self.closed_by_timeout |= value.text == "DAEMON_CONFIRM_CLOSE";
        }
    }

    /// A repeated key: the first is kept.
    #[cold]
    fn put_again(&mut self, slot: Slot, value: Raw<'t>) {
        match slot {
            // Each fund bill of Alipay's XML has an amount of its own; none of them is the payment's.
            Slot::Amount => {}
            Slot::Code if matches!(self.node, "response" | "content") => self.second_code = value.text,
            _ => self.flaws.lenient = true,
        }
    }

    /// Where a slice of the text stands in it. Only an empty value may be no slice of it.
    fn span(&self, value: &str) -> Span {
        if value.is_empty() {
            return Span::default();
        }
        let start = value.as_ptr() as usize - self.text.as_ptr() as usize;
        // A message of 4 GiB does not fit the column it was read from; such a value would be empty.
        let fit = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: fit(start), len: fit(value.len()) }
    }

    /// `refund_status_1` and its like. Coupons within a refund (`coupon_refund_fee_0_1`) are none of ours.
    fn put_listed(&mut self, name: &'t str, value: &'t str) {
        /// WeChat allows 50 refunds of one payment; more in one reply is damage.
        const LISTED_MAX: u8 = 100;
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let wanted = ["outrefundno", "refundfee", "refundstatus", "refundsuccesstime"];
        let Some(which) = wanted.iter().position(|w| same_name(stem, w)) else { return };
        let Some(index) = name[stem.len()..].parse().ok().filter(|n| *n < LISTED_MAX) else { return };
        let place = self.refunds.iter().position(|r| r.index == index).unwrap_or_else(|| {
            self.refunds.push(Listed { index, ..Listed::default() });
            self.refunds.len() - 1
        });
        let refund = &mut self.refunds[place];
        match which {
            0 => refund.refund_no = value,
            1 => refund.fee = value,
            2 => refund.status = value,
            _ => refund.succeeded_at = value,
        }
    }
}

impl<'t> json::Sink<'t> for Fields<'t> {
    fn member(&mut self, _depth: usize, key: Raw<'t>, value: Raw<'t>) {
        self.put(key, value);
    }

    /// Only the answer itself is entered: `alipay_trade_pay_response`, `error_response`, Teegon's `result`, TianTa's
    /// `content` and the `response` in it.
    fn enter(&mut self, depth: usize, key: Raw<'t>) -> bool {
        const ANSWER: &str = "response";
        let tail = key.text.len().checked_sub(ANSWER.len()).and_then(|at| key.text.get(at..));
        let named = tail.is_some_and(|t| t.eq_ignore_ascii_case(ANSWER));
        let wrapped = || matches!(key.text, "result" | "content");
        let answer = match depth {
            2 => named || wrapped(),
            3 => named && key.text.len() == ANSWER.len() && self.node == "content",
            _ => false,
        };
        if answer && matches!(self.node, "" | "content") {
            self.node = key.text;
        }
        answer
    }
}

impl<'t> xml::Sink<'t> for Fields<'t> {
    fn root(&mut self, name: &'t str) {
        self.node = name;
    }

    fn leaf(&mut self, name: &'t str, value: Raw<'t>) {
        self.put(Raw { text: name, escaped: false }, value);
    }
}

/// Reads a reply's fields. A message that carries the provider's own text (an SDK's `Body`, TianTa's `content`) is read
/// through to it; `body` is where that text is kept.
pub(in crate::paylog) fn read<'t>(text: &'t str, shape: Shape, body: &'t mut String) -> Fields<'t> {
    let fields = scan(text, shape);
    let carries = |slot: &Slot| fields.has(*slot) && !fields.raw(*slot).is_empty();
    match [Slot::Body, Slot::Content].into_iter().find(carries) {
        Some(slot) if fields.syntax == Syntax::Json => read_carried(fields, slot, body),
        _ => fields,
    }
}

fn read_carried<'t>(fields: Fields<'t>, slot: Slot, body: &'t mut String) -> Fields<'t> {
    body.clear();
    body.push_str(&fields.plain(slot));
    let inside = decode::as_it_stands(body);
    let mut carried = scan(inside.text, inside.shape);
    if carried.is_empty() {
        return fields;
    }
    carried.carrier_code = (slot == Slot::Content).then_some(fields.raw(Slot::Code));
    carried
}

fn scan(text: &str, shape: Shape) -> Fields<'_> {
    let mut fields = Fields::new(text, if shape == Shape::Xml { Syntax::Xml } else { Syntax::Json });
    let flaws = match shape {
        Shape::Json => json::scan(text, &mut fields),
        Shape::Xml => xml::scan(text, &mut fields),
        Shape::Absent | Shape::NotAcquirerText | Shape::Other => Flaws::default(),
    };
    fields.flaws.damaged = flaws.damaged;
    fields.flaws.lenient |= flaws.lenient;
    fields
}
