//! Draws stories from the seed: how many, when, how much, and what happened to them.

use super::calendar::{DAY_SECONDS, day_of};
use super::custom::is_escrow;
use super::fault::Fault;
use super::story::{Coupon, ORDINARY, Path, Refund, RefundPath, Story};
use super::town::{ACCOUNTS, Family, GOODS, RefundShape, TILLS_PER_STORE, Till, WILD_GOODS};

/// No refund is asked for after this second of the day (23:30), so that only the planned ones meet midnight.
const LAST_REFUND: i32 = 84_600;
/// From this number of orders on, each account sees every path and every kind of refund at least once.
const VARIETY_FROM: u32 = 300;

/// Escrow trades are opened within these hours after nine.
const ESCROW_SECONDS: i32 = 28_800;

/// How many of the orders an account gets, beside the others.
fn share(account: &str) -> u32 {
    match account {
        "mall-wx" | "mall-ali" => 45,
        "mall-wx-sub" => 10,
        "mall-ali1" | "mall-alios" | "mall-tianta" | "mall-teegon" | "mall-tb" => 12,
        _ => 8,
    }
}

/// The stories and refunds drawn so far.
pub(super) struct Draw {
    pub(super) rng: fastrand::Rng,
    pub(super) stories: Vec<Story>,
    pub(super) refunds: Vec<Refund>,
    /// Indices into `ACCOUNTS` that take part.
    accounts: Vec<u8>,
    wild_goods: bool,
    /// Orders of the bill date drawn so far, by account.
    drawn: [u32; ACCOUNTS.len()],
    /// The same of all days.
    turns: [u32; ACCOUNTS.len()],
}

impl Draw {
    pub(super) fn new(seed: u64, accounts: Vec<u8>, wild_goods: bool) -> Draw {
        Draw {
            rng: fastrand::Rng::with_seed(seed),
            stories: Vec::new(),
            refunds: Vec::new(),
            accounts,
            wild_goods,
            drawn: [0; ACCOUNTS.len()],
            turns: [0; ACCOUNTS.len()],
        }
    }

    /// The place that the next story gets.
    pub(super) fn next_index(&self) -> u32 {
        u32::try_from(self.stories.len()).unwrap_or(u32::MAX)
    }

    /// An ordinary order of a day, with its refunds.
    pub(super) fn ordinary(&mut self, day: i32, orders: u32) {
        let account = self.account();
        let place = usize::from(account);
        let turn = if day == 0 && orders >= VARIETY_FROM { Some(self.drawn[place]) } else { None };
        self.drawn[place] += u32::from(day == 0);
        let known = &ACCOUNTS[place];
        let path = known.path(self.path(turn), self.turns[place]);
        self.turns[place] += 1;
        let mut story = self.story(account, path);
        story.asked_at = day * DAY_SECONDS + self.second_of_day();
        if is_escrow(&story) {
            // Paid, confirmed and asked for within the day it is opened.
            story.asked_at = day * DAY_SECONDS + 32_400 + story.asked_at.rem_euclid(ESCROW_SECONDS);
        }
        if path.reversal_asked_after().is_none() && known.has_coupons() {
            self.coupon(&mut story);
        }
        if path == Path::Plain && known.refunds() {
            self.refunds_of(&mut story, turn);
        }
        self.stories.push(story);
    }

    /// A plain order without coupon, at a given second.
    pub(super) fn plain(&mut self, account: u8, asked_at: i32) -> Story {
        let mut story = self.story(account, Path::Plain);
        story.asked_at = asked_at;
        story
    }

    /// Keeps a story with one refund.
    pub(super) fn push_refunded(&mut self, mut story: Story, asked_at: i32, lag: i8) {
        if story.till.refund_shape() == RefundShape::OrderOnly {
            story.till.number = 0;
        }
        let refund = Refund {
            story: self.next_index(),
            part: 1,
            path: RefundPath::Done,
            fault: None,
            lag,
            asked_at,
            amount_fen: (story.amount_fen / 2).max(1),
            before_fen: 0,
        };
        self.refunds.push(refund);
        self.stories.push(story);
    }

    /// The order that carries a planted fault: in the middle of the day, at a till that names its refunds.
    pub(super) fn faulty(&mut self, account: u8, fault: Fault) {
        let index = self.next_index();
        let mut story = self.story(account, fault.path());
        story.fault = Some(fault);
        story.asked_at = self.rng.i32(34_200..68_000);
        story.amount_fen = story.amount_fen.max(500);
        story.till.number = if self.rng.bool() { 0 } else { 3 };
        if let Some(path) = fault.refund_path(index) {
            let amount_fen = (story.amount_fen / 2).max(100);
            let asked_at = story.asked_at + self.rng.i32(600..7_200);
            let lag = self.lag();
            let refund = Refund {
                story: index,
                part: 1,
                path,
                fault: Some(fault),
                lag,
                asked_at,
                amount_fen,
                before_fen: 0,
            };
            self.refunds.push(refund);
        }
        self.stories.push(story);
    }

    /// An order of another sub-merchant.
    pub(super) fn foreign(&mut self, account: u8, day: i32) {
        let mut story = self.story(account, Path::Plain);
        story.foreign = true;
        story.asked_at = day * DAY_SECONDS + self.second_of_day();
        self.stories.push(story);
    }

    /// A row of a kind of payment that no pay type covers.
    pub(super) fn uncovered(&mut self) {
        let account = self.account();
        let mut story = self.story(account, Path::Uncovered);
        story.asked_at = self.second_of_day();
        self.stories.push(story);
    }

    /// Which account an order is paid through: WeChat and Alipay in equal parts, a sixth of WeChat's by the sub-merchant;
    /// the others, where they take part, a few each.
    pub(super) fn account(&mut self) -> u8 {
        let share = |account: u8| share(ACCOUNTS[usize::from(account)].name);
        let all: u32 = self.accounts.iter().map(|&a| share(a)).sum();
        let mut left = self.rng.u32(0..all.max(1));
        for &account in &self.accounts {
            if left < share(account) {
                return account;
            }
            left -= share(account);
        }
        0
    }

    fn path(&mut self, turn: Option<u32>) -> Path {
        if let Some((_, path)) = turn.and_then(|turn| ORDINARY.get(usize::try_from(turn).ok()?)) {
            return *path;
        }
        let mut left = self.rng.u32(0..10_000);
        for (weight, path) in ORDINARY {
            if left < weight {
                return path;
            }
            left -= weight;
        }
        Path::Plain
    }

    fn story(&mut self, account: u8, path: Path) -> Story {
        Story {
            account,
            foreign: false,
            path,
            fault: None,
            till: self.till(account),
            goods: self.goods(),
            coupon: Coupon::None,
            lag: self.lag(),
            ms: self.rng.u16(0..1000),
            asked_at: 0,
            amount_fen: self.amount(),
            coupon_fen: 0,
        }
    }

    fn till(&mut self, account: u8) -> Till {
        let stores = ACCOUNTS[usize::from(account)].stores;
        let store = stores[self.rng.usize(0..stores.len())];
        let rare = self.rng.u8(0..100) < 3;
        let number = if rare { self.rng.u8(4..TILLS_PER_STORE) } else { self.rng.u8(0..4) };
        Till { store: u8::try_from(store).unwrap_or(0), number }
    }

    fn goods(&mut self) -> u8 {
        let count = u8::try_from(GOODS.len()).unwrap_or(1);
        if self.wild_goods && self.rng.u16(0..1000) < 4 {
            let wild = u8::try_from(WILD_GOODS.len()).unwrap_or(1);
            return count + self.rng.u8(0..wild);
        }
        self.rng.u8(0..count)
    }

    fn lag(&mut self) -> i8 {
        self.rng.i8(1..4)
    }

    /// Shops open at 6:30 and close at 22:30; people eat at noon and shop in the evening.
    fn second_of_day(&mut self) -> i32 {
        match self.rng.u8(0..100) {
            0..8 => self.rng.i32(23_400..34_200),
            8..40 => self.rng.i32(39_600..50_400),
            40..80 => self.rng.i32(61_200..77_400),
            _ => self.rng.i32(34_200..81_000),
        }
    }

    /// Fen, skewed: most buy lunch, few buy jewellery.
    fn amount(&mut self) -> i32 {
        let fen = match self.rng.u8(0..100) {
            0..2 => self.rng.i32(1..100),
            2..60 => self.rng.i32(100..6_000),
            60..90 => self.rng.i32(6_000..40_000),
            90..99 => self.rng.i32(40_000..200_000),
            _ => self.rng.i32(200_000..2_000_000),
        };
        if fen >= 100 && self.rng.bool() { fen / 10 * 10 } else { fen }
    }

    fn coupon(&mut self, story: &mut Story) {
        if story.amount_fen < 500 {
            return;
        }
        story.coupon = match self.rng.u8(0..100) {
            0..6 => Coupon::Merchant,
            6..11 => Coupon::Provider,
            _ => return,
        };
        story.coupon_fen = story.amount_fen / 100 * self.rng.i32(5..30);
        if ACCOUNTS[usize::from(story.account)].family() == Family::WechatOverseas {
            // Whose money an overseas coupon is, and in which column it stands, is documented nowhere.
            story.coupon = Coupon::None;
            story.coupon_fen = 0;
        }
    }

    fn refunds_of(&mut self, story: &mut Story, turn: Option<u32>) {
        let turn = turn.and_then(|t| usize::try_from(t).ok()?.checked_sub(ORDINARY.len()));
        let (parts, path) = match turn {
            Some(0) => (1, RefundPath::Done),
            Some(1) => (3, RefundPath::Done),
            Some(2) => (1, RefundPath::Retried),
            Some(3) => (1, RefundPath::Repeated),
            Some(4) => (1, RefundPath::Refused),
            _ if self.rng.u16(0..1000) >= 20 => return,
            _ => self.refund_fate(),
        };
        let paid_at = story.asked_at + 5;
        let latest = day_of(paid_at) * DAY_SECONDS + LAST_REFUND;
        if turn.is_none() && paid_at + 3_600 > latest {
            return;
        }
        self.push_refunds(story, parts, path);
    }

    fn refund_fate(&mut self) -> (u8, RefundPath) {
        match self.rng.u8(0..100) {
            0..66 => (1, RefundPath::Done),
            66..80 => (2, RefundPath::Done),
            80..88 => (3, RefundPath::Done),
            88..92 => (1, RefundPath::Retried),
            92..96 => (1, RefundPath::Repeated),
            _ => (1, RefundPath::Refused),
        }
    }

    /// Plans the refunds of the story that is pushed next: one of the whole or a part, or several parts.
    fn push_refunds(&mut self, story: &mut Story, parts: u8, path: RefundPath) {
        let parts = if story.amount_fen < 300 { 1 } else { parts };
        let named =
            parts > 1 || path != RefundPath::Done || ACCOUNTS[usize::from(story.account)].names_refunds();
        if named && story.till.refund_shape() == RefundShape::OrderOnly {
            story.till.number = 0;
        }
        let whole = parts == 1 && (story.amount_fen < 100 || self.rng.bool());
        if !whole || !ACCOUNTS[usize::from(story.account)].is_wechat() {
            // How a partial refund splits a coupon is documented nowhere; nor is the sign of Alipay's coupon total.
            story.coupon = Coupon::None;
            story.coupon_fen = 0;
        }
        let mut before_fen = 0;
        let mut asked_at = story.asked_at;
        for part in 1..=parts {
            asked_at += self.rng.i32(300..1_200);
            let part_fen = story.amount_fen / i32::from(parts + 1);
            let amount_fen = if whole { story.amount_fen } else { (part_fen - i32::from(part)).max(1) };
            let (story, fault, lag) = (self.next_index(), None, self.lag());
            self.refunds.push(Refund { story, part, path, fault, lag, asked_at, amount_fen, before_fen });
            before_fen += amount_fen;
        }
    }
}
