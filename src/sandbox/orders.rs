//! What a provider knows of one order when somebody asks about it: found by any of its numbers, with its state as of
//! the end of the simulated days.

use super::calendar::day_of;
use super::day::SimulatedDay;
use super::fault::Fault;
use super::story::{Path, Refund, Story};
use super::town::{ACCOUNTS, Family, SimAccount};
use super::{custom, lines, numbers};
use crate::domain::BillDate;

/// Where an order stands, in the words that WeChat and Alipay share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Paid,
    PartlyRefunded,
    Refunded,
    /// The customer was typing the password.
    Waiting,
    /// Never paid, timed out.
    Closed,
    /// The customer could not pay.
    Failed,
    /// Paid and undone by the till.
    Undone,
}

impl State {
    pub(super) fn was_paid(self) -> bool {
        matches!(self, State::Paid | State::PartlyRefunded | State::Refunded | State::Undone)
    }
}

/// One order with its numbers as text. Amounts are minor units, instants seconds after 00:00 of the bill date.
#[derive(Debug, Clone)]
pub(super) struct Order<'d> {
    pub(super) day: &'d SimulatedDay,
    pub(super) account: &'static SimAccount,
    pub(super) story: &'d Story,
    pub(super) index: u32,
    pub(super) by_wechat: bool,
    pub(super) order_no: String,
    pub(super) trade_no: String,
    /// Teegon's number.
    pub(super) charge_id: String,
    pub(super) amount_minor: i64,
    pub(super) asked_at: i32,
    /// The time of the request where it was never paid.
    pub(super) paid_at: i32,
}

impl<'d> Order<'d> {
    /// As the till was told of it.
    pub(super) fn logged(day: &'d SimulatedDay, index: u32) -> Order<'d> {
        let story = lines::story(day, index);
        Order {
            day,
            account: &ACCOUNTS[usize::from(story.account)],
            story,
            index,
            by_wechat: custom::by_wechat(story, index),
            order_no: lines::order_no(day, index),
            trade_no: lines::trade_no(day, index, false),
            charge_id: charge_id(day.seed, index),
            amount_minor: story.amount(),
            asked_at: story.asked_at,
            paid_at: story.paid_at().unwrap_or(story.asked_at),
        }
    }

    /// As the provider has it.
    pub(super) fn known(day: &'d SimulatedDay, index: u32) -> Order<'d> {
        let order = Order::logged(day, index);
        Order { amount_minor: order.story.billed(index), ..order }
    }

    /// The order of an account with this number of ours.
    pub(super) fn by_order_no(day: &'d SimulatedDay, account: u8, order_no: &str) -> Option<Order<'d>> {
        let index = numbers::story_of_order_no(order_no)?;
        let order = Order::of(day, account, index)?;
        (order.order_no == order_no).then_some(order)
    }

    /// The order of an account with this number of the provider's.
    pub(super) fn by_trade_no(day: &'d SimulatedDay, account: u8, trade_no: &str) -> Option<Order<'d>> {
        let order = Order::of(day, account, numbers::story_of_trade_no(trade_no, day.stories.len())?)?;
        (order.trade_no == trade_no).then_some(order)
    }

    /// The order of an account with this charge id.
    pub(super) fn by_charge_id(day: &'d SimulatedDay, account: u8, charge_id: &str) -> Option<Order<'d>> {
        let tail = charge_id.get(CHARGE_LETTERS..)?;
        let index = u32::try_from(numbers::read_letters(tail, CHARGE_ALPHABET)?).ok()?;
        let order = Order::of(day, account, index)?;
        (order.charge_id == charge_id).then_some(order)
    }

    fn of(day: &'d SimulatedDay, account: u8, index: u32) -> Option<Order<'d>> {
        let story = day.stories.get(usize::try_from(index).ok()?)?;
        (story.account == account && !story.foreign).then(|| Order::known(day, index))
    }

    /// Another order of the same account, for answers that have gone astray: the next that the provider knows, else
    /// the one before.
    pub(super) fn next(&self) -> Order<'d> {
        let count = u32::try_from(self.day.stories.len()).unwrap_or(u32::MAX);
        let others = (self.index + 1..count).chain((0..self.index).rev());
        let account = self.story.account;
        let mut known = others.filter_map(|index| Order::of(self.day, account, index));
        known.find(|order| order.state().is_some()).unwrap_or_else(|| self.clone())
    }

    /// All orders of an account.
    pub(super) fn all(day: &'d SimulatedDay, account: u8) -> impl Iterator<Item = Order<'d>> {
        let count = u32::try_from(day.stories.len()).unwrap_or(u32::MAX);
        (0..count).filter_map(move |index| Order::of(day, account, index))
    }

    /// Where it stands; `None` for an order that never reached the provider.
    pub(super) fn state(&self) -> Option<State> {
        match (self.story.path, self.story.fault) {
            // Teegon has a charge for whatever has an id; the others never heard of it.
            (_, Some(Fault::GatewayOnlyPayment)) if self.account.family() == Family::Teegon => {
                return Some(State::Failed);
            }
            (_, Some(Fault::GatewayOnlyPayment))
            | (Path::NotSent | Path::NeverArrived | Path::Unanswered | Path::Uncovered, _) => return None,
            (Path::Declined, _) => return Some(State::Failed),
            (Path::Abandoned | Path::ReversedUnpaid, _) => return Some(State::Closed),
            _ => {}
        }
        if self.story.reversed_at().is_some() {
            return Some(State::Undone);
        }
        let returned: i64 = self.refunds().iter().map(|refund| refund.amount_minor).sum();
        Some(match returned {
            0 => State::Paid,
            _ if returned >= self.amount_minor => State::Refunded,
            _ => State::PartlyRefunded,
        })
    }

    /// What was returned of it, as the provider has it.
    pub(super) fn refunds(&self) -> Vec<Returned> {
        let of_it = |refund: &&Refund| {
            refund.story == self.index
                && refund.done_at().is_some()
                && refund.fault != Some(Fault::GatewayOnlyRefund)
        };
        self.day.refunds.iter().filter(of_it).map(|refund| Returned::known(self.day, refund)).collect()
    }

    /// The day it was paid on, for scripts of faults.
    pub(super) fn date(&self) -> BillDate {
        self.day.calendar.date(day_of(self.paid_at))
    }

    /// `yyyy-MM-dd HH:mm:ss`
    pub(super) fn time(&self, at: i32) -> String {
        let mut out = String::with_capacity(19);
        self.day.calendar.push_time(&mut out, at);
        out
    }

    /// `yyyyMMddHHmmss`
    pub(super) fn compact_time(&self, at: i32) -> String {
        let mut out = String::with_capacity(14);
        self.day.calendar.push_compact_time(&mut out, at);
        out
    }

    /// Seconds since 1970.
    pub(super) fn unix(&self, at: i32) -> i64 {
        self.day.calendar.unix(at)
    }
}

/// One refund of an order.
#[derive(Debug, Clone)]
pub(super) struct Returned {
    pub(super) refund_no: String,
    /// The provider's number of it.
    pub(super) provider_no: String,
    pub(super) amount_minor: i64,
    pub(super) done_at: i32,
}

impl Returned {
    /// As the till was told of it.
    pub(super) fn logged(day: &SimulatedDay, refund: &Refund) -> Returned {
        let done_at = refund.done_at().unwrap_or(refund.asked_at);
        let mut provider_no = String::new();
        let date = day.calendar.compact_date(done_at);
        numbers::push_wechat_refund_id(&mut provider_no, date, refund.story, refund.part);
        let refund_no = lines::refund_no_in_bill(day, refund);
        Returned { refund_no, provider_no, amount_minor: refund.amount(), done_at }
    }

    /// As the provider has it.
    pub(super) fn known(day: &SimulatedDay, refund: &Refund) -> Returned {
        Returned { amount_minor: refund.billed(), ..Returned::logged(day, refund) }
    }
}

const CHARGE_ALPHABET: &str = "abcdefghijklmnopqrstuvwxyz234567";
/// Letters of a charge id that are drawn; the rest tells the order.
const CHARGE_LETTERS: usize = 17;

/// Teegon's number of an order: 24 letters.
fn charge_id(seed: u64, index: u32) -> String {
    let mut out = String::with_capacity(24);
    numbers::push_letters(&mut out, CHARGE_ALPHABET, 17, numbers::mix(seed, u64::from(index), 0xC4A));
    numbers::write_letters(&mut out, CHARGE_ALPHABET, u64::from(index), 7);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{DayPlan, Faults, simulate};

    #[test]
    fn an_order_is_found_by_each_of_its_numbers_and_by_no_other_account() {
        let date = BillDate::parse("20240307").expect("a date");
        let day = simulate(&DayPlan {
            every_room: true,
            paytypes: crate::domain::PayType::ALL.to_vec(),
            orders: 400,
            faults: Faults::Spread(0),
            ..DayPlan::new(date, 3)
        });
        let count = u32::try_from(day.stories.len()).expect("few");
        for index in (0..count).filter(|&index| !lines::story(&day, index).foreign) {
            let order = Order::known(&day, index);
            let account = order.story.account;
            let found = [
                Order::by_order_no(&day, account, &order.order_no),
                Order::by_trade_no(&day, account, &order.trade_no),
                Order::by_charge_id(&day, account, &order.charge_id),
            ];
            assert!(found.iter().all(|one| one.as_ref().is_some_and(|one| one.index == index)), "{order:?}");
            let other = (account + 1) % 3;
            assert!(Order::by_order_no(&day, other, &order.order_no).is_none());
            assert_eq!(order.charge_id.len(), 24);
        }
        assert!(Order::by_charge_id(&day, 0, "short").is_none());
        assert!(Order::by_order_no(&day, 0, "茶").is_none());
    }
}
