//! What finance must read of a simulated day: the planted mismatches with their amounts, and what only moved over
//! midnight. Worked out from the contract's table of amounts (section 5), not by comparing anything.

use super::calendar::day_of;
use super::day::SimulatedDay;
use super::fault::Fault;
use super::lines;
use super::story::{Path, Refund, Story};
use super::town::{ACCOUNTS, Family};
use crate::domain::{BillDate, EntryKind, MismatchKind};

/// One planted disagreement, exactly as it must be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    pub account: &'static str,
    pub bill_date: BillDate,
    pub kind: MismatchKind,
    pub entry: EntryKind,
    pub order_no: String,
    /// Empty unless `entry` is a refund.
    pub refund_no: String,
    /// The provider's number of the payment; of a double payment the one that the log knows.
    pub trade_no: String,
    /// Signed; `None` unless the log holds a success.
    pub gateway_amount_minor: Option<i64>,
    /// Signed; `None` without a line; the sum of the lines for duplicates.
    pub channel_amount_minor: Option<i64>,
    /// How it was planted, for a person.
    pub reason: &'static str,
    pub fault: Fault,
}

/// Which way an item moved, seen from the log of its `bill_date`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// In that day's log, in the statement of a neighbouring day (of the next one, if `bill_date` is the day that was
    /// simulated; while that statement is not there: `awaiting`).
    Out,
    /// In that day's statement, in the log of a neighbouring day.
    In,
    /// Paid that day into escrow and not released since: in the log as held, in no statement, and no mismatch
    /// (`spec/alipay.md` 6.2). The amount is what is held.
    Held,
}

/// An item that is on one side only because of midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedTiming {
    pub account: &'static str,
    pub bill_date: BillDate,
    pub moved: Moved,
    pub entry: EntryKind,
    pub order_no: String,
    pub refund_no: String,
    pub amount_minor: i64,
}

/// The planted mismatches of the bill date.
pub(super) fn planted(day: &SimulatedDay) -> Vec<Planted> {
    let with_fault =
        (0u32..).zip(&day.stories).filter_map(|(index, story)| Some((index, story, story.fault?)));
    let refunds: std::collections::HashMap<u32, usize> = day
        .refunds
        .iter()
        .enumerate()
        .filter(|(_, refund)| refund.fault.is_some())
        .map(|(place, refund)| (refund.story, place))
        .collect();
    with_fault
        .map(|(index, story, fault)| {
            let refund = refunds.get(&index).map(|&place| &day.refunds[place]);
            let (gateway, channel) = amounts(index, story, refund, fault);
            Planted {
                account: ACCOUNTS[usize::from(story.account)].name,
                bill_date: day.date(),
                kind: fault.kind(),
                entry: fault.entry(),
                order_no: order_no(day, index, fault),
                refund_no: refund.map_or(String::new(), |refund| lines::refund_no_in_bill(day, refund)),
                trade_no: trade_no(day, index, fault),
                gateway_amount_minor: gateway,
                channel_amount_minor: channel,
                reason: fault.reason(),
                fault,
            }
        })
        .collect()
}

/// The order number as finance can know it: the file from abroad has only the refund's own number.
fn order_no(day: &SimulatedDay, index: u32, fault: Fault) -> String {
    match (family(day, index), fault) {
        (Family::AlipayOverseas, Fault::ChannelOnlyRefund) => String::new(),
        _ => lines::order_no(day, index),
    }
}

/// The transaction number as finance can know it: the file from abroad has none, so it must stand in the log.
fn trade_no(day: &SimulatedDay, index: u32, fault: Fault) -> String {
    match (family(day, index), fault) {
        (Family::AlipayOverseas, Fault::ChannelOnlyPayment | Fault::ChannelOnlyRefund) => String::new(),
        _ => lines::trade_no(day, index, false),
    }
}

fn family(day: &SimulatedDay, index: u32) -> Family {
    ACCOUNTS[usize::from(lines::story(day, index).account)].family()
}

/// Gateway's and channel's amount, by the contract's table.
fn amounts(index: u32, story: &Story, refund: Option<&Refund>, fault: Fault) -> (Option<i64>, Option<i64>) {
    let paid = story.amount();
    let returned = refund.map_or(0, |refund| -refund.amount());
    match fault {
        Fault::DuplicatePayment | Fault::DoublePayment => (Some(paid), Some(2 * paid)),
        Fault::DuplicateRefund => (Some(returned), Some(2 * returned)),
        Fault::DuplicateReversal => (Some(-paid), Some(-2 * paid)),
        Fault::Currency => (Some(paid), Some(paid)),
        Fault::LostPending | Fault::LostUnknown | Fault::LostFailed | Fault::LostNoReply => {
            (None, Some(paid))
        }
        Fault::LostRefund | Fault::ChannelOnlyRefund => (None, Some(returned)),
        Fault::LostReversal | Fault::ChannelReversed => (None, Some(-paid)),
        Fault::LogReversed => (Some(-paid), None),
        Fault::AmountPayment => (Some(paid), Some(story.billed(index))),
        Fault::AmountRefund => (Some(returned), refund.map(|refund| -refund.billed())),
        Fault::ChannelOnlyPayment => (None, Some(paid)),
        Fault::GatewayOnlyPayment => (Some(paid), None),
        Fault::GatewayOnlyRefund => (Some(returned), None),
    }
}

/// What moved over midnight: refunds of WeChat and abroad, whose replies state no time. A payment's reply does, and so
/// does that of Alipay's refund; those simply belong to the provider's day. And what was never released from escrow.
pub(super) fn timing(day: &SimulatedDay) -> Vec<ExpectedTiming> {
    let mut moved = Vec::new();
    for refund in &day.refunds {
        let story = &day.stories[usize::try_from(refund.story).unwrap_or(usize::MAX)];
        let account = &ACCOUNTS[usize::from(story.account)];
        let Some(done_at) =
            refund.done_at().filter(|_| account.has_statements() && !account.states_refund_time())
        else {
            continue;
        };
        let (logged, billed) = (day_of(refund.asked_at), day_of(done_at));
        if logged == billed {
            continue;
        }
        for (moved_how, on) in [(Moved::Out, logged), (Moved::In, billed)] {
            moved.push(ExpectedTiming {
                account: account.name,
                bill_date: day.calendar.date(on),
                moved: moved_how,
                entry: EntryKind::Refund,
                order_no: lines::order_no(day, refund.story),
                refund_no: lines::refund_no_in_bill(day, refund),
                amount_minor: -refund.amount(),
            });
        }
    }
    moved.extend((0u32..).zip(&day.stories).filter_map(|(index, story)| held(day, index, story)));
    moved
}

fn held(day: &SimulatedDay, index: u32, story: &Story) -> Option<ExpectedTiming> {
    let paid_at = story.paid_at().filter(|_| story.path == Path::EscrowHeld)?;
    Some(ExpectedTiming {
        account: ACCOUNTS[usize::from(story.account)].name,
        bill_date: day.calendar.date(day_of(paid_at)),
        moved: Moved::Held,
        entry: EntryKind::Payment,
        order_no: lines::order_no(day, index),
        refund_no: String::new(),
        amount_minor: story.amount(),
    })
}
