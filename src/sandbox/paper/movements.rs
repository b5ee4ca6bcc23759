//! The movements of an Alipay balance on one day: what a ledger lists, whichever layout it is written in
//! (`spec/alipay.md` 2.6, 3.3). Every payment, refund and cancellation, the fee of each payment as a movement of its
//! own, and one withdrawal in the evening.

use crate::sandbox::calendar::DAY_SECONDS;
use crate::sandbox::day::SimulatedDay;
use crate::sandbox::lines::{self, Line, What};
use crate::sandbox::numbers::fee_fen;
use crate::sandbox::story::Coupon;
use crate::sandbox::town::ACCOUNTS;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox) enum Kind {
    Payment,
    Refund,
    Fee,
    Withdrawal,
}

/// One change of the balance.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct Movement {
    pub(in crate::sandbox) at: i32,
    pub(in crate::sandbox) kind: Kind,
    /// What it belongs to; a withdrawal belongs to nothing.
    pub(in crate::sandbox) line: Option<Line>,
    /// Signed.
    pub(in crate::sandbox) amount_fen: i64,
    pub(in crate::sandbox) balance_fen: i64,
    pub(in crate::sandbox) log_id: u64,
}

/// What the merchant has at midnight: enough for every refund before the first payment.
const OPENING_FEN: i64 = 50_000_000;
/// When the merchant takes half of the balance out.
const WITHDRAWN_AT: i32 = 81_900;
/// The first ledger number. Those of a story follow each other in steps of thirty-two.
const FIRST_LOG_ID: u64 = 340_000_000_000;

/// The movements of an account on a day; none on a day without trades.
pub(in crate::sandbox) fn of(day: &SimulatedDay, account: u8, day_number: i32) -> Vec<Movement> {
    let trades = lines::of(day, account, day_number);
    let rate_e4 = ACCOUNTS[usize::from(account)].rate_e4;
    let mut balance_fen = OPENING_FEN;
    let mut movements: Vec<Movement> = Vec::with_capacity(trades.len() * 2 + 1);
    for (place, &line) in trades.iter().enumerate() {
        if place > 0 && trades[place - 1] == line {
            // The same transaction is booked twice: a ledger numbers each booking anew.
            if let Some(first) = movements.iter().rev().find(|movement| movement.kind != Kind::Fee).copied() {
                balance_fen += first.amount_fen;
                movements.push(Movement { balance_fen, log_id: first.log_id + 8, ..first });
            }
            continue;
        }
        let (kind, amount_fen) = moved(day, line);
        balance_fen += amount_fen;
        let log_id = log_id(day, line);
        let at = line.at;
        movements.push(Movement { at, kind, line: Some(line), amount_fen, balance_fen, log_id });
        let fee = if kind == Kind::Payment { fee_fen(amount_fen, rate_e4) } else { 0 };
        if fee > 0 {
            balance_fen -= fee;
            let (kind, amount_fen, log_id) = (Kind::Fee, -fee, log_id + 16);
            movements.push(Movement { at, kind, line: Some(line), amount_fen, balance_fen, log_id });
        }
    }
    if !movements.is_empty() {
        let at = day_number * DAY_SECONDS + WITHDRAWN_AT;
        let amount_fen = -(balance_fen / 2);
        let balance_fen = balance_fen + amount_fen;
        let log_id = FIRST_LOG_ID - 10 + u64::from(day_number.unsigned_abs()) * 2 + u64::from(day_number < 0);
        movements.push(Movement { at, kind: Kind::Withdrawal, line: None, amount_fen, balance_fen, log_id });
    }
    movements
}

/// What a line moves: what the merchant received, or what went back.
fn moved(day: &SimulatedDay, line: Line) -> (Kind, i64) {
    let story = lines::story(day, line.story);
    match line.what {
        What::Refund(place) => (Kind::Refund, -lines::refund(day, place).billed()),
        What::Reversal => (Kind::Refund, -story.amount()),
        What::Payment | What::SecondPayment => {
            let own = if story.coupon == Coupon::Merchant { i64::from(story.coupon_fen) } else { 0 };
            (Kind::Payment, story.billed(line.story) - own)
        }
    }
}

fn log_id(day: &SimulatedDay, line: Line) -> u64 {
    let turn = match line.what {
        What::Payment => 0,
        What::SecondPayment => 1,
        What::Reversal => 2,
        What::Refund(place) => 2 + u64::from(lines::refund(day, place).part),
    };
    FIRST_LOG_ID + u64::from(line.story) * 32 + turn
}
