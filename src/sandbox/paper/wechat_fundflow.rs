//! Writes WeChat Pay's fund flow of the basic account: 11 columns, a running balance, 5 totals (`spec/wechat.md` 2).
//!
//! Consistent with the trade bill of the same day: each payment credits what is settled and debits the fee, each refund
//! and reversal debits what is returned and credits its fee. A line that a planted fault repeats in the trade bill moved
//! money once. Each morning something is paid out to the bank, which no trade bill knows of.

use std::fmt::Write as _;

use crate::sandbox::day::SimulatedDay;
use crate::sandbox::lines::{self, What};
use crate::sandbox::numbers::{self, fee_fen, push_padded, push_yuan};
use crate::sandbox::town::{ACCOUNTS, OTHER_WECHAT_MERCHANT};

const HEADER: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";
const TOTALS_HEADER: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";
/// The account's balance at the beginning of the first simulated day, in fen.
const FIRST_BALANCE_FEN: i64 = 8_888_888_888;
/// Paid out each day at this second (06:10).
const PAYOUT_AT: i32 = 22_200;
const PAYOUT_FEN: i64 = 50_000;

/// A flow to be written.
pub(in crate::sandbox) struct Flow<'d> {
    day: &'d SimulatedDay,
    entries: Vec<Entry>,
    opening_fen: i64,
    merchant: &'static str,
    /// Added to the stated total of what came in, in fen: a file that does not add up.
    pub(in crate::sandbox) totals_off_fen: i64,
    /// Added to one of the balances, and to none after it.
    pub(in crate::sandbox) balance_off_fen: i64,
}

/// One movement of money.
#[derive(Debug, Clone)]
struct Entry {
    at: i32,
    /// 微信支付业务单号 and 业务凭证号.
    provider_no: String,
    own_no: String,
    name: &'static str,
    kind: &'static str,
    /// In fen, negative = 支出.
    fen: i64,
    note: String,
    /// For the flow's own number.
    place: u64,
}

impl<'d> Flow<'d> {
    pub(in crate::sandbox) fn of(day: &'d SimulatedDay, account: u8, day_number: i32) -> Flow<'d> {
        let before = (-1..day_number).flat_map(|earlier| entries(day, account, earlier));
        let opening_fen = FIRST_BALANCE_FEN + before.map(|entry| entry.fen).sum::<i64>();
        Flow {
            day,
            entries: entries(day, account, day_number),
            opening_fen,
            merchant: ACCOUNTS[usize::from(account)].merchant,
            totals_off_fen: 0,
            balance_off_fen: 0,
        }
    }

    pub(in crate::sandbox) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The same flow of a merchant that nobody asked for.
    pub(in crate::sandbox) fn of_another_merchant(mut self) -> Flow<'d> {
        self.merchant = OTHER_WECHAT_MERCHANT;
        self
    }

    pub(in crate::sandbox) fn write(&self) -> String {
        let mut out = String::with_capacity(500 + self.entries.len() * 260);
        out.push('\u{feff}');
        out.push_str(HEADER);
        out.push_str("\r\n");
        let mut balance_fen = self.opening_fen;
        let middle = self.entries.len() / 2;
        for (place, entry) in self.entries.iter().enumerate() {
            balance_fen += entry.fen;
            let off = if place == middle { self.balance_off_fen } else { 0 };
            self.row(&mut out, entry, balance_fen + off);
        }
        self.totals(&mut out);
        out
    }

    fn row(&self, out: &mut String, entry: &Entry, balance_fen: i64) {
        out.push('`');
        self.day.calendar.push_time(out, entry.at);
        out.push_str(",`");
        out.push_str(&entry.provider_no);
        out.push_str(",`");
        numbers::push_wechat_flow_no(out, self.day.calendar.compact_date(entry.at), entry.place);
        for text in [entry.name, entry.kind, if entry.fen < 0 { "支出" } else { "收入" }] {
            out.push_str(",`");
            out.push_str(text);
        }
        for fen in [entry.fen.abs(), balance_fen] {
            out.push_str(",`");
            push_yuan(out, fen);
        }
        // Writing to a String cannot fail.
        let _never = write!(out, ",`{}API,`{},`{}\r\n", self.merchant, entry.note, entry.own_no);
    }

    fn totals(&self, out: &mut String) {
        out.push_str(TOTALS_HEADER);
        out.push_str("\r\n`");
        let (came_in, went_out): (Vec<i64>, Vec<i64>) =
            self.entries.iter().map(|entry| entry.fen).partition(|fen| *fen >= 0);
        let count = |list: &[i64]| u64::try_from(list.len()).unwrap_or(0);
        push_padded(out, count(&came_in) + count(&went_out), 1);
        for (list, off) in [(came_in, self.totals_off_fen), (went_out, 0)] {
            out.push_str(",`");
            push_padded(out, count(&list), 1);
            out.push_str(",`");
            push_yuan(out, list.iter().sum::<i64>().abs() + off);
        }
        out.push_str("\r\n");
    }
}

/// The movements of a day, in the order of their time. None on a day without trades: then nothing is paid out either.
fn entries(day: &SimulatedDay, account: u8, day_number: i32) -> Vec<Entry> {
    let mut lines = lines::of(day, account, day_number);
    lines.retain(|line| !lines::story(day, line.story).foreign);
    lines.dedup();
    let mut entries: Vec<Entry> = lines.iter().flat_map(|line| of_line(day, *line)).collect();
    if !entries.is_empty() {
        entries.push(Entry {
            at: day_number * crate::sandbox::calendar::DAY_SECONDS + PAYOUT_AT,
            provider_no: format!("10000{}", day.calendar.compact_date(day_number * 86_400)),
            own_no: String::new(),
            name: "充值/提现",
            kind: "提现",
            fen: -PAYOUT_FEN,
            note: "自动提现;到账银行卡".to_owned(),
            place: 9,
        });
        entries.sort_by_key(|entry| entry.at);
    }
    entries
}

/// What a line of the trade bill moved: the amount, and its fee if there is one.
fn of_line(day: &SimulatedDay, line: lines::Line) -> Vec<Entry> {
    let story = lines::story(day, line.story);
    let rate_e4 = ACCOUNTS[usize::from(story.account)].rate_e4;
    let free = story.amount() - story.settled();
    let second = line.what == What::SecondPayment;
    let (mut provider_no, mut own_no) = (String::new(), String::new());
    let (paid, fen) = match line.what {
        What::Payment | What::SecondPayment => (true, story.billed(line.story) - free),
        What::Refund(place) => (false, lines::refund(day, place).billed() - free),
        What::Reversal => (false, story.settled()),
    };
    if let What::Refund(place) = line.what {
        let refund = lines::refund(day, place);
        let date = day.calendar.compact_date(line.at);
        numbers::push_wechat_refund_id(&mut provider_no, date, line.story, refund.part);
        lines::push_refund_no(&mut own_no, day, refund);
    } else {
        lines::push_trade_no(&mut provider_no, day, line.story, second);
        lines::push_order_no(&mut own_no, day, line.story);
    }
    let fee = fee_fen(fen, rate_e4);
    let (name, kinds) = if paid {
        ("交易", ["交易", "扣除交易手续费"])
    } else {
        ("退款", ["退款", "退还交易手续费"])
    };
    let note = if paid { String::new() } else { refund_note(fen, fee) };
    let sign = if paid { 1 } else { -1 };
    let place = place_of(line);
    let main = Entry { at: line.at, provider_no, own_no, name, kind: kinds[0], fen: sign * fen, note, place };
    let charged = Entry { kind: kinds[1], fen: -sign * fee, place: place + 1, ..main.clone() };
    if fee == 0 { vec![main] } else { vec![main, charged] }
}

fn refund_note(fen: i64, fee: i64) -> String {
    let mut note = String::from("退款总金额");
    push_yuan(&mut note, fen);
    note.push_str("元;含手续费");
    push_yuan(&mut note, fee);
    note.push('元');
    note
}

/// A number of its own for each movement of an order.
fn place_of(line: lines::Line) -> u64 {
    let what = match line.what {
        What::Payment => 0,
        What::SecondPayment => 2,
        What::Reversal => 4,
        What::Refund(place) => 10 + 2 * u64::from(place),
    };
    100 + u64::from(line.story) * 1_000_000 + what
}
