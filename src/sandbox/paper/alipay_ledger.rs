//! Writes Alipay's ledger bill (`signcustomer`): a zip with 账务明细 (12 columns) and its summary, in GBK with CRLF
//! (`spec/alipay.md` 2.1, 2.2, 2.6). Totals are added up from the very rows that are written; each row counts once, by
//! the side of its money.

use std::collections::BTreeMap;

use super::alipay_bill::{end_of_list, exported, frame, push_name};
use super::movements::{self, Kind, Movement};
use super::zip_file::ZipFile;
use crate::sandbox::day::SimulatedDay;
use crate::sandbox::lines::{self, What};
use crate::sandbox::numbers::{push_padded, push_yuan};
use crate::sandbox::reply::alipay_json::push_logon;
use crate::sandbox::town::{ACCOUNTS, OTHER_ALIPAY_MERCHANT};

const DETAIL_HEADER: &str = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,\
交易渠道,业务类型,备注";
const SUMMARY_HEADER: [&str; 6] =
    ["类型", "收入笔数", "收入金额（+元）", "支出笔数", "支出金额（-元）", "总金额（元）"];

/// A ledger to be written.
pub(in crate::sandbox) struct Ledger<'d> {
    day: &'d SimulatedDay,
    day_number: i32,
    movements: Vec<Movement>,
    merchant: &'static str,
    /// Added to the stated total of what came in, in fen.
    pub(in crate::sandbox) totals_off_fen: i64,
}

/// Counts and sums of one kind, by side.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    came: (u64, i64),
    went: (u64, i64),
}

impl Sum {
    fn add(&mut self, fen: i64) {
        let side = if fen > 0 { &mut self.came } else { &mut self.went };
        side.0 += 1;
        side.1 += fen;
    }
}

impl<'d> Ledger<'d> {
    pub(in crate::sandbox) fn of(day: &'d SimulatedDay, account: u8, day_number: i32) -> Ledger<'d> {
        let movements = movements::of(day, account, day_number);
        let merchant = ACCOUNTS[usize::from(account)].merchant;
        Ledger { day, day_number, movements, merchant, totals_off_fen: 0 }
    }

    pub(in crate::sandbox) fn is_empty(&self) -> bool {
        self.movements.is_empty()
    }

    /// The same frame without a single row.
    pub(in crate::sandbox) fn emptied(mut self) -> Ledger<'d> {
        self.movements.clear();
        self
    }

    /// The same ledger under the number of a merchant that nobody asked for.
    pub(in crate::sandbox) fn of_another_merchant(mut self) -> Ledger<'d> {
        self.merchant = OTHER_ALIPAY_MERCHANT;
        self
    }

    /// The zip.
    pub(in crate::sandbox) fn write(&self) -> Vec<u8> {
        let stem =
            format!("{}0156_{}_账务明细", self.merchant, self.day.calendar.date(self.day_number).compact());
        let mut zip = ZipFile::default();
        zip.add(&format!("{stem}_1.csv"), &self.detail());
        zip.add(&format!("{stem}(汇总)_1.csv"), &self.summary());
        zip.finish()
    }

    fn detail(&self) -> String {
        let mut out = String::with_capacity(1_000 + self.movements.len() * 200);
        frame(&mut out, "账务明细", self.merchant, (self.day, self.day_number));
        out.push_str(DETAIL_HEADER);
        out.push_str("\r\n");
        let mut all = Sum::default();
        for movement in &self.movements {
            self.row(&mut out, movement);
            all.add(movement.amount_fen);
        }
        end_of_list(&mut out, "账务明细", 36);
        for (title, (count, fen)) in
            [("支出合计", all.went), ("收入合计", (all.came.0, all.came.1 + self.totals_off_fen))]
        {
            out.push_str(&format!("#{title}：{count}笔，共"));
            push_yuan(&mut out, fen);
            out.push_str("元\r\n");
        }
        exported(&mut out, (self.day, self.day_number));
        out
    }

    fn row(&self, out: &mut String, movement: &Movement) {
        push_padded(out, movement.log_id, 12);
        out.push_str("\t,");
        match movement.line {
            Some(line) => {
                lines::push_trade_no(out, self.day, line.story, line.what == What::SecondPayment);
                out.push_str("\t,");
                lines::push_order_no(out, self.day, line.story);
                out.push_str("\t,");
                push_name(out, lines::subject(lines::story(self.day, line.story)));
            }
            // What is no trade has the same number in both columns.
            None => out.push_str(&format!("{0}\t,{0}\t,", movement.log_id)),
        }
        out.push_str("\t,");
        self.day.calendar.push_time(out, movement.at);
        out.push(',');
        if let Some(line) = movement.line {
            out.push_str("*某(");
            push_logon(out, self.day.seed, line.story);
            out.push(')');
        }
        for fen in [movement.amount_fen.max(0), movement.amount_fen.min(0), movement.balance_fen] {
            out.push(',');
            push_yuan(out, fen);
        }
        out.push_str(",支付宝,");
        out.push_str(movement.kind.csv_type());
        out.push_str(if movement.kind == Kind::Withdrawal { ",提现到银行卡\t\r\n" } else { ",\t\r\n" });
    }

    fn summary(&self) -> String {
        let mut out = String::new();
        frame(&mut out, "账务汇总", self.merchant, (self.day, self.day_number));
        out.push_str(&SUMMARY_HEADER.join(","));
        out.push_str("\r\n");
        let mut sums: BTreeMap<&str, Sum> = BTreeMap::new();
        let mut all = Sum::default();
        for movement in &self.movements {
            sums.entry(movement.kind.csv_type()).or_default().add(movement.amount_fen);
            all.add(movement.amount_fen);
        }
        for (title, sum) in sums.iter().chain([(&"合计", &all)]) {
            summary_row(&mut out, title, sum);
        }
        end_of_list(&mut out, "账务汇总", 37);
        exported(&mut out, (self.day, self.day_number));
        out
    }
}

/// A tab after each cell, no comma at the end.
fn summary_row(out: &mut String, title: &str, sum: &Sum) {
    out.push_str(title);
    for (count, fen) in [sum.came, sum.went] {
        out.push_str("\t,");
        push_padded(out, count, 1);
        out.push_str("\t,");
        push_yuan(out, fen);
    }
    out.push_str("\t,");
    push_yuan(out, sum.came.1 + sum.went.1);
    out.push_str("\t\r\n");
}
