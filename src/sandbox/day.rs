//! A simulated day of tills, with a light day before and after it, so that what moves over midnight has neighbours.

use super::calendar::{Calendar, DAY_SECONDS};
use super::draw::Draw;
use super::fault::Fault;
use super::log_row::{Rows, SimLogRow};
use super::planted::{ExpectedTiming, Planted};
use super::server::{Content, Want};
use super::story::{Path, Refund, Story};
use super::town::{ACCOUNTS, SimAccount};
use super::{files, notices, paper, planted};
use crate::domain::{BillDate, PayType};

/// How many disagreements to plant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Faults {
    /// This many altogether, spread over every kind and account; 19 and more cover everything there is.
    Spread(u32),
    /// This many of every fault that fits, on each account.
    Each(u32),
    /// These, each on the next account that it fits.
    Listed(Vec<Fault>),
}

/// What day to simulate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayPlan {
    pub date: BillDate,
    pub seed: u64,
    /// Orders of the bill date, the faulty ones among them; a few more come for midnight and for refunds of earlier days.
    pub orders: u32,
    pub faults: Faults,
    /// Accounts take part if a pay type on this list covers theirs.
    pub paytypes: Vec<PayType>,
    /// Every simulated account, and not only the usual three.
    pub every_room: bool,
    /// Payments and refunds within seconds of midnight.
    pub midnight: bool,
    /// Goods whose names hold line breaks and the pair of comma and backtick.
    pub wild_goods: bool,
    /// Rows of a REQ_TYPE that no pay type covers.
    pub uncovered_rows: u32,
}

impl DayPlan {
    /// An ordinary day with both providers and some of every fault.
    pub fn new(date: BillDate, seed: u64) -> DayPlan {
        DayPlan {
            date,
            seed,
            orders: 2_000,
            faults: Faults::Spread(40),
            paytypes: vec![PayType::Wx, PayType::Ali],
            every_room: false,
            midnight: true,
            wild_goods: true,
            uncovered_rows: 0,
        }
    }
}

/// One request in the log: when, whose, and which step of its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Event {
    pub(super) at: i32,
    pub(super) of_refund: bool,
    /// Index of a story, or of a refund.
    pub(super) owner: u32,
    pub(super) step: u8,
}

/// The simulated day: small records, from which rows and statements are written on demand.
#[derive(Debug)]
pub struct SimulatedDay {
    pub(super) seed: u64,
    pub(super) calendar: Calendar,
    /// Indices into `ACCOUNTS`.
    pub(super) accounts: Vec<u8>,
    pub(super) stories: Vec<Story>,
    pub(super) refunds: Vec<Refund>,
    pub(super) events: Vec<Event>,
    planted: Vec<Planted>,
    timing: Vec<ExpectedTiming>,
}

impl SimulatedDay {
    /// The bill date.
    pub fn date(&self) -> BillDate {
        self.calendar.date(0)
    }

    /// The days that have statements: the day before, the bill date, the day after.
    pub fn dates(&self) -> [BillDate; 3] {
        [self.calendar.date(-1), self.calendar.date(0), self.calendar.date(1)]
    }

    pub fn accounts(&self) -> impl Iterator<Item = &'static SimAccount> + '_ {
        self.accounts.iter().map(|&account| &ACCOUNTS[usize::from(account)])
    }

    pub fn row_count(&self) -> usize {
        self.events.len()
    }

    /// Rows of EB_PAYLOG in the order of REQ_DATE, written one by one.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = SimLogRow> + '_ {
        Rows::new(self)
    }

    /// What was planted: exactly what finance must read, no more and no fewer.
    pub fn planted(&self) -> &[Planted] {
        &self.planted
    }

    /// What only moved over midnight.
    pub fn expected_timing(&self) -> &[ExpectedTiming] {
        &self.timing
    }

    /// The statement of an account as its provider sends it: WeChat's text, Alipay's zip. `None` for an account or a
    /// day that is not simulated, and for a day without movements.
    pub fn statement(&self, account: &str, date: BillDate) -> Option<Vec<u8>> {
        let place = self.accounts.iter().copied().find(|&a| ACCOUNTS[usize::from(a)].name == account)?;
        let paper = paper::of(&ACCOUNTS[usize::from(place)]);
        paper::write(
            self,
            Want { account: place, date, paper, whole: false, content: Content::True, gzip: false },
        )
    }

    /// The notifications that a gateway kept on the bill date: one JSON line each, `{"at", "body"}`, the body being the
    /// raw form. Teegon's payments, and the states of the old Alipay's escrow trades.
    pub fn notices(&self) -> String {
        notices::of(self, 0)
    }

    /// Files that lie in a folder instead of at a desk, by their path there: the Taobao list, and the in-store files
    /// of the merchant abroad.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        files::of(self)
    }

    /// -1, 0 or 1.
    pub(super) fn day_number(&self, date: BillDate) -> Option<i32> {
        (-1..=1).find(|&day| self.calendar.date(day) == date)
    }
}

/// Simulates a day. The same plan gives the same day.
pub fn simulate(plan: &DayPlan) -> SimulatedDay {
    let accounts: Vec<u8> = (0u8..)
        .zip(&ACCOUNTS)
        .filter(|(_, account)| plan.every_room || account.usual)
        .filter(|(_, account)| plan.paytypes.iter().any(|&listed| account.pay_type.covered_by(listed)))
        .map(|(index, _)| index)
        .collect();
    let mut draw = Draw::new(plan.seed, accounts.clone(), plan.wild_goods);
    if !accounts.is_empty() {
        tell(&mut draw, plan, &accounts);
    }
    let mut day = SimulatedDay {
        seed: plan.seed,
        calendar: Calendar::new(plan.date),
        accounts,
        stories: draw.stories,
        refunds: draw.refunds,
        events: Vec::new(),
        planted: Vec::new(),
        timing: Vec::new(),
    };
    day.events = events(&day);
    day.planted = planted::planted(&day);
    day.timing = planted::timing(&day);
    day
}

fn tell(draw: &mut Draw, plan: &DayPlan, accounts: &[u8]) {
    let faults = faults(&plan.faults, accounts);
    let count = u32::try_from(faults.len()).unwrap_or(u32::MAX);
    for _ in 0..plan.orders.saturating_sub(count) {
        draw.ordinary(0, plan.orders);
    }
    for (account, fault) in faults {
        draw.faulty(account, fault);
    }
    for day in [-1, 1] {
        for _ in 0..(plan.orders / 100).clamp(12, 400) {
            draw.ordinary(day, plan.orders);
        }
    }
    for &account in accounts {
        if ACCOUNTS[usize::from(account)].refunds() {
            earlier_days(draw, account, plan.orders / 1_000 + 2);
        }
        if plan.midnight {
            midnight(draw, account);
        }
        if !ACCOUNTS[usize::from(account)].sub_merchant.is_empty() {
            for turn in 0..(plan.orders / 30).clamp(6, 3_000) {
                draw.foreign(account, i32::try_from(turn % 3).unwrap_or(0) - 1);
            }
        }
    }
    for _ in 0..plan.uncovered_rows {
        draw.uncovered();
    }
}

/// Which faults, on which accounts.
fn faults(wanted: &Faults, accounts: &[u8]) -> Vec<(u8, Fault)> {
    let fitting = |fault: Fault| -> Vec<u8> {
        accounts.iter().copied().filter(|&a| fault.fits(&ACCOUNTS[usize::from(a)])).collect()
    };
    let possible: Vec<Fault> = Fault::ALL.into_iter().filter(|&f| !fitting(f).is_empty()).collect();
    let listed: Vec<Fault> = match wanted {
        Faults::Each(count) => {
            let once = possible.iter().flat_map(|&fault| fitting(fault).into_iter().map(move |a| (a, fault)));
            let once: Vec<(u8, Fault)> = once.collect();
            return (0..*count).flat_map(|_| once.iter().copied()).collect();
        }
        Faults::Spread(count) => {
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            possible.iter().copied().cycle().take(count).collect()
        }
        Faults::Listed(list) => list.iter().copied().filter(|f| possible.contains(f)).collect(),
    };
    let on_next_account = |(turn, fault): (usize, Fault)| {
        let fits = fitting(fault);
        (fits[(turn + turn / Fault::ALL.len()) % fits.len()], fault)
    };
    listed.into_iter().enumerate().map(on_next_account).collect()
}

/// Refunds on the bill date of orders of earlier days: of yesterday, and of days whose log was purged.
fn earlier_days(draw: &mut Draw, account: u8, count: u32) {
    for turn in 0..count {
        let noon = 40_000 + i32::try_from(turn % 20_000).unwrap_or(0);
        if turn % 2 == 0 {
            let story = draw.plain(account, noon - DAY_SECONDS);
            draw.push_refunded(story, noon - 5_000, 2);
        } else {
            let days = 2 + i32::try_from(turn % 8).unwrap_or(0);
            let mut story = draw.plain(account, noon - days * DAY_SECONDS);
            story.path = Path::Purged;
            draw.push_refunded(story, noon + 3_000, 2);
        }
    }
}

/// Payments and refunds whose two clocks stand on different sides of midnight.
fn midnight(draw: &mut Draw, account: u8) {
    for (asked_at, lag) in [(-2, 5), (DAY_SECONDS - 2, 5), (2, -3), (DAY_SECONDS + 1, -3)] {
        let mut story = draw.plain(account, asked_at);
        story.lag = lag;
        draw.stories.push(story);
    }
    if !ACCOUNTS[usize::from(account)].has_statements() {
        // Who is asked order by order has no day that a refund could move to.
        return;
    }
    // The log has it before midnight, the provider after; and the other way round, where the gateway's clock is ahead.
    for (paid_at, asked_at, lag) in
        [(70_000, DAY_SECONDS - 2, 3), (70_000 - DAY_SECONDS, -3, 5), (75_000, DAY_SECONDS + 2, -4)]
    {
        let story = draw.plain(account, paid_at);
        draw.push_refunded(story, asked_at, lag);
    }
}

fn events(day: &SimulatedDay) -> Vec<Event> {
    let mut events = Vec::with_capacity(day.stories.len() + day.stories.len() / 10 + day.refunds.len());
    for (owner, story) in (0u32..).zip(&day.stories).filter(|(_, story)| !story.foreign) {
        for (step, (after, _)) in (0u8..).zip(story.path.script()) {
            events.push(Event { at: story.asked_at + after, of_refund: false, owner, step });
        }
    }
    for (owner, refund) in (0u32..).zip(&day.refunds) {
        for (step, (after, _)) in (0u8..).zip(refund.path.script()) {
            events.push(Event { at: refund.asked_at + after, of_refund: true, owner, step });
        }
    }
    events.sort_unstable();
    events
}
