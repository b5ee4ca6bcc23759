//! What a provider knows about one order, long after the day: the state it answers to a query, and the refunds. The
//! same truth as in its statement, so a planted disagreement is one here too.

use super::day::SimulatedDay;
use super::fault::Fault;
use super::lines;
use super::story::{Path, Refund, Story};

/// Where an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Paid,
    /// Paid, and some or all of it given back.
    Refunded,
    /// Reversed by the till, whether it had been paid or not.
    Reversed,
    /// Opened and never paid.
    Unpaid,
    /// The customer's card or wallet refused.
    Failed,
}

/// One order at its provider.
#[derive(Debug, Clone)]
pub(super) struct Known<'d> {
    pub(super) index: u32,
    pub(super) story: &'d Story,
    pub(super) state: State,
    /// As charged, in minor units.
    pub(super) amount_minor: i64,
    /// Seconds after 00:00 of the bill date; `None` if it was never paid.
    pub(super) paid_at: Option<i32>,
    pub(super) refunds: Vec<&'d Refund>,
}

/// The order of an account that a number belongs to, ours or the provider's. `None` if the provider has none.
pub(super) fn find<'d>(
    day: &'d SimulatedDay,
    account: u8,
    is_it: impl Fn(&str, &str) -> bool,
) -> Option<Known<'d>> {
    let (mut order_no, mut trade_no) = (String::new(), String::new());
    let mut stories = (0u32..).zip(&day.stories).filter(|(_, story)| story.account == account);
    let (index, story) = stories.find(|(index, story)| {
        order_no.clear();
        trade_no.clear();
        lines::push_order_no(&mut order_no, day, *index);
        lines::push_trade_no(&mut trade_no, day, *index, false);
        !story.foreign && is_it(&order_no, &trade_no)
    })?;
    known(day, index, story)
}

fn known<'d>(day: &'d SimulatedDay, index: u32, story: &'d Story) -> Option<Known<'d>> {
    let never_asked = [Path::Unanswered, Path::NotSent, Path::NeverArrived, Path::Uncovered];
    if never_asked.contains(&story.path) {
        return None;
    }
    let paid_at = story.paid_at().filter(|_| story.fault != Some(Fault::GatewayOnlyPayment));
    let refunds: Vec<&Refund> = refunds_of(day, index).filter(|refund| refund.done_at().is_some()).collect();
    let state = match (paid_at, story.path) {
        (None, Path::Declined) => State::Failed,
        (None, Path::ReversedUnpaid) => State::Reversed,
        (None, _) => State::Unpaid,
        (Some(_), _) if story.reversed_at().is_some() => State::Reversed,
        (Some(_), _) if refunds.is_empty() => State::Paid,
        (Some(_), _) => State::Refunded,
    };
    Some(Known { index, story, state, amount_minor: story.billed(index), paid_at, refunds })
}

/// Refunds that the provider has of an order, in the order they were asked for.
fn refunds_of(day: &SimulatedDay, index: u32) -> impl Iterator<Item = &Refund> {
    let of_it = move |refund: &&Refund| refund.story == index;
    day.refunds.iter().filter(of_it).filter(|refund| refund.fault != Some(Fault::GatewayOnlyRefund))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BillDate;
    use crate::sandbox::{DayPlan, Faults, simulate};

    #[test]
    fn the_provider_knows_what_its_statement_says() {
        let date = BillDate::parse("20240307").expect("a date");
        let day = simulate(&DayPlan { faults: Faults::Each(1), ..DayPlan::new(date, 4) });
        for planted in day.planted().iter().filter(|planted| planted.account == "mall-wx") {
            let known = find(&day, 0, |order_no, _| order_no == planted.order_no).expect("an order");
            let expected = match planted.fault {
                Fault::GatewayOnlyPayment => State::Unpaid,
                Fault::ChannelReversed | Fault::LostReversal | Fault::DuplicateReversal => State::Reversed,
                Fault::LogReversed | Fault::GatewayOnlyRefund => State::Paid,
                _ if planted.refund_no.is_empty() => State::Paid,
                _ => State::Refunded,
            };
            assert_eq!(known.state, expected, "{planted:?}");
            if planted.fault == Fault::AmountPayment {
                assert_eq!(Some(known.amount_minor), planted.channel_amount_minor);
            }
        }
        let by_trade_no = find(&day, 0, |_, trade_no| trade_no == day.planted()[0].trade_no);
        assert_eq!(
            by_trade_no.map(|known| lines::order_no(&day, known.index)).as_deref(),
            Some(day.planted()[0].order_no.as_str())
        );
        assert!(find(&day, 0, |order_no, _| order_no == "1").is_none());
    }
}
