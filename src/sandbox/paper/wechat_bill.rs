//! Writes WeChat Pay's trade bill: type ALL, new generation, 27 columns (`spec/wechat.md` 1.5, 1.7, 1.8).
//!
//! With BOM and CRLF; every cell of a data row begins with a backtick and nothing is quoted or escaped. The totals are
//! added up from the very rows that are written.

use crate::sandbox::calendar::Calendar;
use crate::sandbox::day::SimulatedDay;
use crate::sandbox::lines::{self, Line, What};
use crate::sandbox::numbers::{self, fee_fen, push_integer, push_padded, push_yuan};
use crate::sandbox::reply::wechat;
use crate::sandbox::story::{Coupon, Refund, Story};
use crate::sandbox::town::{ACCOUNTS, OTHER_SUB_MERCHANT, OTHER_WECHAT_MERCHANT, SimAccount};

const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,\
订单金额,申请退款金额,费率备注";
const TOTALS_HEADER: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
/// Bytes of a row, for reserving: long enough that a large bill is not copied while it grows.
const ROW_BYTES: usize = 420;

/// A bill to be written.
pub(in crate::sandbox) struct Bill<'d> {
    day: &'d SimulatedDay,
    account: &'static SimAccount,
    lines: Vec<Line>,
    /// Whether rows of the service provider's other sub-merchants belong to it.
    whole: bool,
    /// Written into every row in place of the account's own number.
    pub(in crate::sandbox) merchant: &'static str,
    /// Added to the stated total of order amounts, in fen: a bill that does not add up.
    pub(in crate::sandbox) totals_off_fen: i64,
}

/// Amounts of one row, in fen.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    settled: i64,
    coupon: i64,
    refund: i64,
    coupon_refund: i64,
    fee: i64,
    gross: i64,
    requested: i64,
}

impl Amounts {
    fn add(&mut self, row: &Amounts) {
        self.settled += row.settled;
        self.coupon += row.coupon;
        self.refund += row.refund;
        self.coupon_refund += row.coupon_refund;
        self.fee += row.fee;
        self.gross += row.gross;
        self.requested += row.requested;
    }
}

impl<'d> Bill<'d> {
    /// The bill of one merchant number; of a service provider limited to the account's sub-merchant.
    pub(in crate::sandbox) fn of(day: &'d SimulatedDay, account: u8, day_number: i32) -> Bill<'d> {
        Bill::with(day, account, day_number, false)
    }

    /// The whole bill of a service provider, all sub-merchants in it.
    pub(in crate::sandbox) fn whole(day: &'d SimulatedDay, account: u8, day_number: i32) -> Bill<'d> {
        Bill::with(day, account, day_number, true)
    }

    fn with(day: &'d SimulatedDay, account: u8, day_number: i32, whole: bool) -> Bill<'d> {
        let mut lines = lines::of(day, account, day_number);
        if !whole {
            lines.retain(|line| !lines::story(day, line.story).foreign);
        }
        let account = &ACCOUNTS[usize::from(account)];
        Bill { day, account, lines, whole, merchant: account.merchant, totals_off_fen: 0 }
    }

    pub(in crate::sandbox) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The same bill under the number of a merchant that nobody asked for.
    pub(in crate::sandbox) fn of_another_merchant(mut self) -> Bill<'d> {
        self.merchant = OTHER_WECHAT_MERCHANT;
        self
    }

    pub(in crate::sandbox) fn write(&self) -> String {
        let mut out = String::with_capacity(1_000 + self.lines.len() * ROW_BYTES);
        out.push('\u{feff}');
        out.push_str(HEADER);
        out.push_str("\r\n");
        let mut totals = Amounts::default();
        for line in &self.lines {
            totals.add(&self.row(&mut out, *line));
        }
        self.totals(&mut out, &totals);
        out
    }

    fn totals(&self, out: &mut String, totals: &Amounts) {
        out.push_str(TOTALS_HEADER);
        out.push_str("\r\n`");
        push_padded(out, u64::try_from(self.lines.len()).unwrap_or(0), 1);
        money_cell(out, totals.settled);
        money_cell(out, totals.refund);
        money_cell(out, totals.coupon_refund);
        fee_cell(out, totals.fee);
        money_cell(out, totals.gross + self.totals_off_fen);
        money_cell(out, totals.requested);
        out.push_str("\r\n");
    }

    fn row(&self, out: &mut String, line: Line) -> Amounts {
        let story = lines::story(self.day, line.story);
        let refund = match line.what {
            What::Refund(place) => Some(lines::refund(self.day, place)),
            What::Payment | What::SecondPayment | What::Reversal => None,
        };
        let amounts = amounts(story, line, refund, self.account.rate_e4);
        out.push('`');
        self.day.calendar.push_time(out, line.at);
        self.identity(out, story, line);
        money_cell(out, amounts.settled);
        money_cell(out, amounts.coupon);
        refund_ids(out, self.day, line, refund);
        money_cell(out, amounts.refund);
        money_cell(out, amounts.coupon_refund);
        cell(out, if refund.is_some() { "ORIGINAL" } else { "" });
        cell(out, refund.map_or("", refund_state));
        cell(out, lines::subject(story));
        cell(out, "pos=");
        out.push_str(story.till.code());
        fee_cell(out, amounts.fee);
        rate_cell(out, self.account.rate_e4);
        money_cell(out, amounts.gross);
        money_cell(out, amounts.requested);
        cell(out, "");
        out.push_str("\r\n");
        amounts
    }

    /// The cells from 公众账号ID to 货币种类.
    fn identity(&self, out: &mut String, story: &Story, line: Line) {
        let day: &SimulatedDay = self.day;
        cell(out, self.account.app_id);
        cell(out, self.merchant);
        cell(out, self.sub_merchant(story));
        cell(out, "T");
        out.push_str(story.till.code());
        cell(out, "");
        lines::push_trade_no(out, day, line.story, line.what == What::SecondPayment);
        cell(out, "");
        lines::push_order_no(out, day, line.story);
        cell(out, "");
        wechat::push_openid(out, day.seed, line.story);
        cell(out, "MICROPAY");
        cell(
            out,
            match line.what {
                What::Payment | What::SecondPayment => "SUCCESS",
                What::Refund(_) => "REFUND",
                What::Reversal => "REVOKED",
            },
        );
        cell(out, wechat::bank(line.story));
        cell(out, wechat::currency(story.fault));
    }

    fn sub_merchant(&self, story: &Story) -> &'static str {
        match (self.account.sub_merchant, story.foreign && self.whole) {
            (_, true) => OTHER_SUB_MERCHANT,
            ("", false) => "0",
            (own, false) => own,
        }
    }
}

fn amounts(story: &Story, line: Line, refund: Option<&Refund>, rate_e4: i64) -> Amounts {
    let coupon = i64::from(story.coupon_fen);
    let free = story.amount() - story.settled();
    match (line.what, refund) {
        (What::Refund(_), Some(refund)) => {
            // Orders with a coupon are refunded as a whole.
            let returned = refund.billed() - free;
            Amounts {
                refund: returned,
                coupon_refund: if story.coupon == Coupon::Provider { coupon } else { 0 },
                fee: -fee_fen(returned, rate_e4),
                requested: refund.billed(),
                ..Amounts::default()
            }
        }
        // What a REVOKED row carries besides its order number was never seen; both readings are written.
        (What::Reversal, _) if line.story.is_multiple_of(2) => {
            let returned = story.settled();
            let fee = -fee_fen(returned, rate_e4);
            Amounts { refund: returned, fee, requested: story.amount(), ..Amounts::default() }
        }
        (What::Reversal, _) => Amounts::default(),
        _ => {
            let gross = story.billed(line.story);
            let settled = gross - free;
            Amounts { settled, coupon, fee: fee_fen(settled, rate_e4), gross, ..Amounts::default() }
        }
    }
}

fn refund_ids(out: &mut String, day: &SimulatedDay, line: Line, refund: Option<&Refund>) {
    let Some(refund) = refund else {
        cell(out, "0");
        cell(out, "0");
        return;
    };
    let calendar: &Calendar = &day.calendar;
    cell(out, "");
    numbers::push_wechat_refund_id(out, calendar.compact_date(line.at), line.story, refund.part);
    cell(out, "");
    lines::push_refund_no(out, day, refund);
}

/// Frozen when the file was made; a refund that is still on its way counts as done.
fn refund_state(refund: &Refund) -> &'static str {
    if refund.story.is_multiple_of(5) { "PROCESSING" } else { "SUCCESS" }
}

fn cell(out: &mut String, text: &str) {
    out.push_str(",`");
    out.push_str(text);
}

fn money_cell(out: &mut String, fen: i64) {
    out.push_str(",`");
    push_yuan(out, fen);
}

/// Five decimals, of which the last three are zeros: fees are rounded to the fen.
fn fee_cell(out: &mut String, fen: i64) {
    money_cell(out, fen);
    out.push_str("000");
}

fn rate_cell(out: &mut String, rate_e4: i64) {
    out.push_str(",`");
    push_integer(out, rate_e4 / 100);
    out.push('.');
    push_padded(out, rate_e4.unsigned_abs() % 100, 2);
    out.push('%');
}
