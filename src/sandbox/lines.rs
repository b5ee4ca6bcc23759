//! What stands in a statement: its lines as places in the simulated day, and the numbers both sides write.

use super::calendar::day_of;
use super::custom;
use super::day::SimulatedDay;
use super::fault::Fault;
use super::numbers;
use super::story::{Refund, Story};
use super::town::{ACCOUNTS, GOODS, RefundShape, WILD_GOODS};

/// What a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Payment,
    /// The second transaction of a double payment.
    SecondPayment,
    /// Index of the refund.
    Refund(u32),
    Reversal,
}

/// One line, at the provider's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) at: i32,
    pub(super) story: u32,
    pub(super) what: What,
}

/// The lines of an account's statement of a day, in the order of the provider's time.
pub(super) fn of(day: &SimulatedDay, account: u8, day_number: i32) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut push = |at: i32, story: u32, what: What, copies: u32| {
        if day_of(at) == day_number {
            (0..copies).for_each(|_| lines.push(Line { at, story, what }));
        }
    };
    for (index, story) in (0u32..).zip(&day.stories).filter(|(_, story)| story.account == account) {
        let twice = |fault: Fault| if story.fault == Some(fault) { 2 } else { 1 };
        if let Some(at) = story.credited_at().filter(|_| story.fault != Some(Fault::GatewayOnlyPayment)) {
            push(at, index, What::Payment, twice(Fault::DuplicatePayment));
            if story.fault == Some(Fault::DoublePayment) {
                push(at + 9, index, What::SecondPayment, 1);
            }
        }
        if let Some(at) = story.reversed_at() {
            push(at, index, What::Reversal, twice(Fault::DuplicateReversal));
        }
    }
    for (place, refund) in (0u32..).zip(&day.refunds) {
        if story_of(day, refund).account != account || refund.fault == Some(Fault::GatewayOnlyRefund) {
            continue;
        }
        if let Some(at) = refund.done_at() {
            let copies = if refund.fault == Some(Fault::DuplicateRefund) { 2 } else { 1 };
            push(at, refund.story, What::Refund(place), copies);
        }
    }
    lines.sort_unstable();
    lines
}

pub(super) fn story_of<'d>(day: &'d SimulatedDay, refund: &Refund) -> &'d Story {
    story(day, refund.story)
}

pub(super) fn story(day: &SimulatedDay, index: u32) -> &Story {
    &day.stories[usize::try_from(index).unwrap_or(usize::MAX)]
}

pub(super) fn refund(day: &SimulatedDay, index: u32) -> &Refund {
    &day.refunds[usize::try_from(index).unwrap_or(usize::MAX)]
}

/// Our number of an order (OutID, `out_trade_no`).
pub(super) fn order_no(day: &SimulatedDay, index: u32) -> String {
    let mut out = String::with_capacity(24);
    push_order_no(&mut out, day, index);
    out
}

pub(super) fn push_order_no(out: &mut String, day: &SimulatedDay, index: u32) {
    let story = story(day, index);
    numbers::push_order_no(out, &day.calendar, story.asked_at - 2, story.ms, index);
}

/// The provider's number of the payment. An order that was never paid has one too, as far as it is asked for.
pub(super) fn trade_no(day: &SimulatedDay, index: u32, second: bool) -> String {
    let mut out = String::with_capacity(28);
    push_trade_no(&mut out, day, index, second);
    out
}

pub(super) fn push_trade_no(out: &mut String, day: &SimulatedDay, index: u32, second: bool) {
    let story = story(day, index);
    let date = day.calendar.compact_date(story.paid_at().unwrap_or(story.asked_at));
    if custom::by_wechat(story, index) {
        numbers::push_wechat_trade_no(out, date, index, second);
    } else {
        numbers::push_alipay_trade_no(out, date, index, second);
    }
}

/// Our number of a refund (RefundID, `out_refund_no`, `out_request_no`).
pub(super) fn push_refund_no(out: &mut String, day: &SimulatedDay, refund: &Refund) {
    numbers::push_refund_no(out, &day.calendar, refund.asked_at - 2, refund.story, refund.part);
}

/// The number that the statement has for a refund. Where the request named none, WeChat still has the gateway's, and
/// Alipay takes the order number.
pub(super) fn refund_no_in_bill(day: &SimulatedDay, refund: &Refund) -> String {
    let mut out = String::with_capacity(24);
    let story = story_of(day, refund);
    let named = story.till.refund_shape() != RefundShape::OrderOnly;
    if named || ACCOUNTS[usize::from(story.account)].is_wechat() {
        push_refund_no(&mut out, day, refund);
    } else {
        push_order_no(&mut out, day, refund.story);
    }
    out
}

/// Name of the goods.
pub(super) fn subject(story: &Story) -> &'static str {
    let place = usize::from(story.goods);
    GOODS.get(place).or_else(|| WILD_GOODS.get(place - GOODS.len())).copied().unwrap_or("中央收银")
}
