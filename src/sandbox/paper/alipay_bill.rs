//! Writes Alipay's trade bill: a zip with the detail (25 columns) and its summary (12), in GBK with CRLF
//! (`spec/alipay.md` 2). Totals in wording A, added up from the very rows that are written.

use std::collections::BTreeMap;

use super::alipay_spoil::spoiled;
use super::zip_file::ZipFile;
use crate::sandbox::day::SimulatedDay;
use crate::sandbox::lines::{self, Line, What};
use crate::sandbox::mishap::Spoil;
use crate::sandbox::numbers::{fee_fen, push_padded, push_yuan};
use crate::sandbox::reply::alipay_json::push_logon;
use crate::sandbox::story::{Coupon, Story};
use crate::sandbox::town::{ACCOUNTS, OTHER_ALIPAY_MERCHANT, STORES, SimAccount};

const DETAIL_HEADER: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,\
订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,\
卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";
const SUMMARY_HEADER: &str = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,\
卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）";
const ROW_BYTES: usize = 330;

/// A bill to be written.
pub(in crate::sandbox) struct Bill<'d> {
    day: &'d SimulatedDay,
    account: &'static SimAccount,
    day_number: i32,
    lines: Vec<Line>,
    /// The PID in the frame and in the names of the files.
    pub(in crate::sandbox) merchant: &'static str,
    /// Added to the stated total of what the merchant received, in fen: a bill that does not add up.
    pub(in crate::sandbox) totals_off_fen: i64,
    /// What is wrong inside the files.
    pub(in crate::sandbox) spoil: Option<Spoil>,
}

/// Amounts of one row, in fen, refunds negative.
#[derive(Debug, Clone, Copy, Default)]
struct Amounts {
    gross: i64,
    received: i64,
    by_alipay: i64,
    by_merchant: i64,
    fee: i64,
}

/// A line of the summary.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    payments: u64,
    refunds: u64,
    amounts: Amounts,
}

impl Sum {
    fn add(&mut self, other: &Sum) {
        self.payments += other.payments;
        self.refunds += other.refunds;
        self.amounts.gross += other.amounts.gross;
        self.amounts.received += other.amounts.received;
        self.amounts.by_alipay += other.amounts.by_alipay;
        self.amounts.by_merchant += other.amounts.by_merchant;
        self.amounts.fee += other.amounts.fee;
    }
}

impl<'d> Bill<'d> {
    pub(in crate::sandbox) fn of(day: &'d SimulatedDay, account: u8, day_number: i32) -> Bill<'d> {
        let lines = lines::of(day, account, day_number);
        let account = &ACCOUNTS[usize::from(account)];
        Bill { day, account, day_number, lines, merchant: account.merchant, totals_off_fen: 0, spoil: None }
    }

    pub(in crate::sandbox) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The same frame without a single row: what Alipay sends for a day without trades.
    pub(in crate::sandbox) fn emptied(mut self) -> Bill<'d> {
        self.lines.clear();
        self
    }

    /// The same bill under the number of a merchant that nobody asked for.
    pub(in crate::sandbox) fn of_another_merchant(mut self) -> Bill<'d> {
        self.merchant = OTHER_ALIPAY_MERCHANT;
        self
    }

    /// The zip.
    pub(in crate::sandbox) fn write(&self) -> Vec<u8> {
        let [detail, summary] = self.files();
        let mut zip = ZipFile::default();
        zip.add(&detail.0, &detail.1);
        zip.add(&summary.0, &summary.1);
        zip.finish()
    }

    /// Names and texts of detail and summary.
    pub(in crate::sandbox) fn files(&self) -> [(String, String); 2] {
        let mut sums: BTreeMap<usize, Sum> = BTreeMap::new();
        let mut detail = self.detail(&mut sums);
        let mut summary = self.summary(&sums);
        if let Some(spoil) = self.spoil {
            (detail, summary) = spoiled(spoil, detail, summary);
        }
        let stem =
            format!("{}0156_{}_业务明细", self.merchant, self.day.calendar.date(self.day_number).compact());
        [(format!("{stem}.csv"), detail), (format!("{stem}(汇总).csv"), summary)]
    }

    fn detail(&self, sums: &mut BTreeMap<usize, Sum>) -> String {
        let mut out = String::with_capacity(1_000 + self.lines.len() * ROW_BYTES);
        frame(&mut out, "业务明细", self.merchant, (self.day, self.day_number));
        out.push_str(DETAIL_HEADER);
        out.push_str("\r\n");
        let (mut paid, mut returned) = (Sum::default(), Sum::default());
        for line in &self.lines {
            let amounts = self.row(&mut out, *line);
            let is_payment = matches!(line.what, What::Payment | What::SecondPayment);
            let sum = Sum { payments: u64::from(is_payment), refunds: u64::from(!is_payment), amounts };
            if is_payment {
                paid.add(&sum)
            } else {
                returned.add(&sum)
            }
            let store = usize::from(lines::story(self.day, line.story).till.store);
            sums.entry(store).or_default().add(&sum);
        }
        end_of_list(&mut out, "业务明细", 36);
        total(
            &mut out,
            "交易合计",
            paid.payments,
            ["商家实收共", "商家优惠共"],
            [paid.amounts.received + self.totals_off_fen, paid.amounts.by_merchant],
        );
        total(
            &mut out,
            "退款合计",
            returned.refunds,
            ["商家实收退款共", "商家优惠退款共"],
            [returned.amounts.received, returned.amounts.by_merchant],
        );
        exported(&mut out, (self.day, self.day_number));
        out
    }

    fn summary(&self, sums: &BTreeMap<usize, Sum>) -> String {
        let mut out = String::new();
        frame(&mut out, "业务汇总", self.merchant, (self.day, self.day_number));
        out.push_str(SUMMARY_HEADER);
        out.push_str("\r\n");
        let mut all = Sum::default();
        for (&store, sum) in sums {
            all.add(sum);
            summary_row(&mut out, STORES[store].code, STORES[store].name, sum);
        }
        summary_row(&mut out, "其他", "", &Sum::default());
        summary_row(&mut out, "合计", "", &all);
        end_of_list(&mut out, "业务汇总", 37);
        exported(&mut out, (self.day, self.day_number));
        out
    }

    fn row(&self, out: &mut String, line: Line) -> Amounts {
        let story = lines::story(self.day, line.story);
        let amounts = self.amounts(story, line);
        let is_payment = matches!(line.what, What::Payment | What::SecondPayment);
        lines::push_trade_no(out, self.day, line.story, line.what == What::SecondPayment);
        out.push_str("\t,");
        lines::push_order_no(out, self.day, line.story);
        out.push_str("\t,");
        out.push_str(if is_payment { "交易" } else { "退款" });
        out.push_str("\t,");
        push_name(out, lines::subject(story));
        out.push(',');
        let created_at = story.paid_at().map_or(story.asked_at, |paid_at| paid_at.min(story.asked_at));
        self.day.calendar.push_time(out, created_at);
        out.push(',');
        self.day.calendar.push_time(out, line.at);
        out.push(',');
        self.place(out, story, line.story);
        for fen in [amounts.gross, amounts.received, 0, 0, amounts.by_alipay, amounts.by_merchant, 0] {
            push_yuan(out, fen);
            out.push(',');
        }
        out.push_str(",0.00\t,0.00,");
        match line.what {
            What::Refund(place) => {
                out.push_str(&lines::refund_no_in_bill(self.day, lines::refund(self.day, place)));
            }
            // A cancellation names no refund; Alipay then takes the order number.
            What::Reversal => lines::push_order_no(out, self.day, line.story),
            What::Payment | What::SecondPayment => {}
        }
        out.push_str("\t,");
        push_yuan(out, amounts.fee);
        out.push_str(",0.00,\r\n");
        amounts
    }

    /// The cells from 门店编号 to 对方账户.
    fn place(&self, out: &mut String, story: &Story, index: u32) {
        let store = story.till.store();
        for text in [store.code, store.name, story.till.cashier(), story.till.code()] {
            out.push_str(text);
            out.push_str("\t,");
        }
        out.push_str("*某(");
        push_logon(out, self.day.seed, index);
        out.push_str(")\t,");
    }

    fn amounts(&self, story: &Story, line: Line) -> Amounts {
        let returned = match line.what {
            What::Refund(place) => Some(lines::refund(self.day, place).billed()),
            What::Reversal => Some(story.amount()),
            What::Payment | What::SecondPayment => None,
        };
        if let Some(returned) = returned {
            // Refunded and cancelled orders have no coupons, and no fee was seen to come back.
            return Amounts { gross: -returned, received: -returned, ..Amounts::default() };
        }
        let gross = story.billed(line.story);
        let coupon = i64::from(story.coupon_fen);
        let by_merchant = if story.coupon == Coupon::Merchant { coupon } else { 0 };
        let by_alipay = if story.coupon == Coupon::Provider { coupon } else { 0 };
        let received = gross - by_merchant;
        Amounts { gross, received, by_alipay, by_merchant, fee: -fee_fen(received, self.account.rate_e4) }
    }
}

/// The lines before the header row, the same in every bill.
pub(super) fn frame(out: &mut String, title: &str, merchant: &str, (day, day_number): (&SimulatedDay, i32)) {
    let date = |number| chinese(&day.calendar.date(number).to_string());
    out.push_str(&format!(
        "#支付宝{title}查询\r\n#账号：[{merchant}0156]\r\n#起始日期：[{} 00:00:00]   终止日期：[{} 00:00:00]\r\n",
        date(day_number),
        date(day_number + 1),
    ));
    out.push_str(&format!("#{}{}列表{}\r\n", "-".repeat(41), title, "-".repeat(40)));
}

/// The last line of every bill.
pub(super) fn exported(out: &mut String, (day, day_number): (&SimulatedDay, i32)) {
    let date = chinese(&day.calendar.date(day_number + 1).to_string());
    out.push_str(&format!("#导出时间：[{date} 06:02:11]\r\n"));
}

pub(super) fn end_of_list(out: &mut String, title: &str, right: usize) {
    let left = if right == 36 { 41 } else { 40 };
    out.push_str(&format!("#{}{}列表结束{}\r\n", "-".repeat(left), title, "-".repeat(right)));
}

fn total(out: &mut String, title: &str, count: u64, words: [&str; 2], fen: [i64; 2]) {
    out.push_str(&format!("#{title}：{count}笔"));
    for (word, fen) in words.into_iter().zip(fen) {
        out.push('，');
        out.push_str(word);
        push_yuan(out, fen);
        out.push('元');
    }
    out.push_str("\r\n");
}

fn summary_row(out: &mut String, code: &str, name: &str, sum: &Sum) {
    out.push_str(code);
    out.push_str("\t,");
    out.push_str(name);
    out.push_str("\t,");
    push_padded(out, sum.payments, 1);
    out.push(',');
    push_padded(out, sum.refunds, 1);
    let Amounts { gross, received, by_alipay, by_merchant, fee } = sum.amounts;
    for fen in [gross, received, by_alipay, by_merchant, 0, fee, 0, received + fee] {
        out.push(',');
        push_yuan(out, fen);
    }
    out.push_str("\r\n");
}

/// `2024年05月02日` of `2024-05-02`.
fn chinese(date: &str) -> String {
    let (year, rest) = date.split_once('-').unwrap_or((date, ""));
    let (month, day) = rest.split_once('-').unwrap_or((rest, ""));
    format!("{year}年{month}月{day}日")
}

/// A name as it may stand in a file without quoting: commas and quotes full-width, no line breaks.
pub(super) fn push_name(out: &mut String, name: &str) {
    for letter in name.chars() {
        out.push(match letter {
            ',' => '，',
            '"' => '”',
            '\n' | '\r' | '\t' => ' ',
            other => other,
        });
    }
}
