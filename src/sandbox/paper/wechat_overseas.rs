//! Writes WeChat Pay's overseas statements: v3 with 38 Chinese titles, and v2 with English ones (`spec/wechat.md` 4).
//!
//! The order is priced in one currency and settled in it; the buyer pays in yuan. Whether the v3 file ends with totals is
//! documented nowhere, and it is written without. Of the v2 file the first 26 titles were seen; those behind them and the
//! trailer are ours, because no sample shows them.

use crate::sandbox::currency::{billed, in_fen, push_fee, push_major, rate};
use crate::sandbox::day::SimulatedDay;
use crate::sandbox::lines::{self, Line, What};
use crate::sandbox::numbers::{self, fee_fen, push_padded, push_yuan};
use crate::sandbox::reply::wechat;
use crate::sandbox::story::Refund;
use crate::sandbox::town::{ACCOUNTS, OTHER_WECHAT_MERCHANT, SimAccount};

const HEADER: &str = "交易时间,公众账号ID,商户号,子商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,\
充值券币种,充值券金额,优惠券币种,优惠券金额,微信退款单号,商户退款单号,退款类型,退款状态,商品名称,商户数据包,手续费,费率,标价币种,\
订单金额(标价币种),用户支付币种,用户支付金额,结算币种,应结订单金额,支付汇率,退款汇率,申请退款金额,用户退款币种,用户退款金额,\
退款结算币种,退款应结订单金额,充值券退款金额,优惠券退款金额";
const ENGLISH_HEADER: &str = "Transaction time,Official account ID(appid),Vendor ID(mch_id),Sub vendor ID(sub_mch_id),\
Device ID(Device_info),Wechat order number(transaction_id),Vendor order number(out_transaction_id),User tag(openid),\
Transaction type(trade_type),Transaction status(trade_state),Payment bank(bank_type),Currency type(fee_type),\
Total amount(total_fee),Coupon amount,Wechat refund number(refund_id),Vendor refund number(out_refund_no),\
Refund amount(refund_fee),Coupon refund amount,Refund type,Refund status(refund_status_$n),Product name,\
Vendor's data package(attach),Fee,Rate,Payment Currency type(Cash_fee_type),Cash payment amount(Cash_fee),\
Settlement currency type,Settlement currency amount,Exchange rate";
const ENGLISH_TOTALS_HEADER: &str =
    "Total number of transactions,Total amount,Total refund amount,Total coupon refund amount,Total fee";

/// A statement to be written.
pub(in crate::sandbox) struct Statement<'d> {
    day: &'d SimulatedDay,
    account: &'static SimAccount,
    lines: Vec<Line>,
    merchant: &'static str,
    /// Added to the English file's stated total, in minor units.
    pub(in crate::sandbox) totals_off_minor: i64,
}

/// One row: amounts in minor units.
#[derive(Debug, Clone, Copy)]
struct Row<'d> {
    line: Line,
    refund: Option<&'d Refund>,
    currency: &'static str,
    gross: i64,
    returned: i64,
    fee: i64,
}

impl<'d> Statement<'d> {
    pub(in crate::sandbox) fn of(day: &'d SimulatedDay, account: u8, day_number: i32) -> Statement<'d> {
        let lines = lines::of(day, account, day_number);
        let account = &ACCOUNTS[usize::from(account)];
        Statement { day, account, lines, merchant: account.merchant, totals_off_minor: 0 }
    }

    pub(in crate::sandbox) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The same statement under the number of a merchant that nobody asked for.
    pub(in crate::sandbox) fn of_another_merchant(mut self) -> Statement<'d> {
        self.merchant = OTHER_WECHAT_MERCHANT;
        self
    }

    /// v3, Chinese.
    pub(in crate::sandbox) fn write(&self) -> String {
        let mut out = String::from("\u{feff}");
        out.push_str(HEADER);
        out.push_str("\r\n");
        for line in &self.lines {
            self.chinese_row(&mut out, &self.row(*line));
        }
        out
    }

    /// v2, English.
    pub(in crate::sandbox) fn write_english(&self) -> String {
        let mut out = String::from("\u{feff}");
        out.push_str(ENGLISH_HEADER);
        out.push_str("\r\n");
        let rows: Vec<Row<'d>> = self.lines.iter().map(|line| self.row(*line)).collect();
        for row in &rows {
            self.english_row(&mut out, row);
        }
        out.push_str(ENGLISH_TOTALS_HEADER);
        out.push_str("\r\n`");
        push_padded(&mut out, u64::try_from(rows.len()).unwrap_or(0), 1);
        let sum = |of: fn(&Row<'_>) -> i64| rows.iter().map(of).sum::<i64>();
        for minor in [sum(|row| row.gross) + self.totals_off_minor, sum(|row| row.returned), 0] {
            cell(&mut out, "");
            push_yuan(&mut out, minor);
        }
        cell(&mut out, "");
        push_fee(&mut out, sum(|row| row.fee), "HKD");
        out.push_str("\r\n");
        out
    }

    fn row(&self, line: Line) -> Row<'d> {
        let day: &'d SimulatedDay = self.day;
        let story = lines::story(day, line.story);
        let rate_e4 = self.account.rate_e4;
        let currency = billed(self.account, line.story, story.fault);
        let refund = match line.what {
            What::Refund(place) => Some(lines::refund(day, place)),
            What::Payment | What::SecondPayment | What::Reversal => None,
        };
        let (gross, returned) = match (line.what, refund) {
            (What::Refund(_), Some(refund)) => (0, refund.billed()),
            // As in the domestic bill: both readings of a REVOKED row.
            (What::Reversal, _) if line.story.is_multiple_of(2) => (0, story.amount()),
            (What::Reversal, _) => (0, 0),
            _ => (story.billed(line.story), 0),
        };
        let fee = fee_fen(gross, rate_e4) - fee_fen(returned, rate_e4);
        Row { line, refund, currency, gross, returned, fee }
    }

    /// The cells up to 付款银行, which both files begin with.
    fn identity(&self, out: &mut String, line: Line) {
        let story = lines::story(self.day, line.story);
        out.push('`');
        self.day.calendar.push_time(out, line.at);
        cell(out, self.account.app_id);
        cell(out, self.merchant);
        cell(out, "0");
        cell(out, "T");
        out.push_str(story.till.code());
        cell(out, "");
        lines::push_trade_no(out, self.day, line.story, line.what == What::SecondPayment);
        cell(out, "");
        lines::push_order_no(out, self.day, line.story);
        cell(out, "");
        wechat::push_openid(out, self.day.seed, line.story);
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
    }

    fn refund_ids(&self, out: &mut String, row: &Row<'_>) {
        let Some(refund) = row.refund else {
            cell(out, "0");
            cell(out, "0");
            return;
        };
        cell(out, "");
        let date = self.day.calendar.compact_date(row.line.at);
        numbers::push_wechat_refund_id(out, date, row.line.story, refund.part);
        cell(out, "");
        lines::push_refund_no(out, self.day, refund);
    }

    /// The cells from 退款类型 to 退款状态.
    fn refund_state(out: &mut String, row: &Row<'_>) {
        cell(out, if row.refund.is_some() { "ORIGINAL" } else { "" });
        cell(out, if row.refund.is_some() { "SUCCESS" } else { "" });
    }

    /// The cells from 商品名称 to 费率.
    fn goods_and_fee(&self, out: &mut String, row: &Row<'_>) {
        let story = lines::story(self.day, row.line.story);
        cell(out, lines::subject(story));
        cell(out, "pos=");
        out.push_str(story.till.code());
        cell(out, "");
        push_fee(out, row.fee, row.currency);
        cell(out, "");
        push_yuan(out, self.account.rate_e4);
        out.push('%');
    }

    fn chinese_row(&self, out: &mut String, row: &Row<'_>) {
        let currency = row.currency;
        let major = |out: &mut String, minor: i64| {
            cell(out, "");
            push_major(out, minor, currency);
        };
        self.identity(out, row.line);
        for text in ["", "0", "", "0"] {
            cell(out, text);
        }
        self.refund_ids(out, row);
        Statement::refund_state(out, row);
        self.goods_and_fee(out, row);
        cell(out, currency);
        major(out, row.gross);
        yuan_of_the_buyer(out, row.gross, currency);
        cell(out, currency);
        major(out, row.gross);
        cell(out, if row.gross > 0 { rate(currency) } else { "" });
        cell(out, if row.returned > 0 { rate(currency) } else { "" });
        major(out, row.returned);
        yuan_of_the_buyer(out, row.returned, currency);
        cell(out, if row.returned > 0 { currency } else { "" });
        major(out, row.returned);
        cell(out, "0");
        cell(out, "0");
        out.push_str("\r\n");
    }

    fn english_row(&self, out: &mut String, row: &Row<'_>) {
        let major = |out: &mut String, minor: i64| {
            cell(out, "");
            push_major(out, minor, row.currency);
        };
        self.identity(out, row.line);
        cell(out, row.currency);
        major(out, row.gross);
        major(out, 0);
        self.refund_ids(out, row);
        major(out, row.returned);
        major(out, 0);
        Statement::refund_state(out, row);
        self.goods_and_fee(out, row);
        yuan_of_the_buyer(out, row.gross, row.currency);
        cell(out, row.currency);
        major(out, row.gross);
        cell(out, if row.gross > 0 { rate(row.currency) } else { "" });
        out.push_str("\r\n");
    }
}

/// The buyer's currency and amount.
fn yuan_of_the_buyer(out: &mut String, minor: i64, currency: &str) {
    cell(out, if minor > 0 { "CNY" } else { "" });
    cell(out, "");
    push_yuan(out, in_fen(minor, currency));
}

fn cell(out: &mut String, text: &str) {
    out.push_str(",`");
    out.push_str(text);
}
