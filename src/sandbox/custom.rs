//! The customs of the providers: what each one's interface has and lacks, as far as a day of tills can notice it.
//!
//! Kept apart from the accounts so that a story can be drawn for any of them. The documents behind each line are
//! `spec/alipay.md` 3 to 6 and `spec/ttpay.md` A.6, A.7, B.5.

use super::fault::Fault;
use super::story::{Path, Reply, Step, Story};
use super::town::{ACCOUNTS, Family, SimAccount};

/// Of the orders of a merchant with escrow, every so many is one, if it is a plain one.
const ESCROW_EVERY: u32 = 7;

impl SimAccount {
    /// Whether the provider hands out statements. TianTa and Teegon are asked order by order.
    pub fn has_statements(&self) -> bool {
        !matches!(self.family(), Family::Tianta | Family::Teegon)
    }

    /// Whether a till can undo a payment. The services abroad, TianTa and Teegon document no call for it.
    fn reverses(&self) -> bool {
        !matches!(self.family(), Family::AlipayOverseas | Family::Tianta | Family::Teegon)
    }

    /// Whether a till can refund. Teegon documents no call for it.
    pub(super) fn refunds(&self) -> bool {
        self.family() != Family::Teegon
    }

    /// Whether every refund has a number that the till chose: TianTa requires one, and the file from abroad knows a
    /// refund by nothing else.
    pub(super) fn names_refunds(&self) -> bool {
        matches!(self.family(), Family::AlipayOverseas | Family::Tianta)
    }

    /// Whether the reply to a refund states when it was done; without it, the log's day is the request's.
    pub(super) fn states_refund_time(&self) -> bool {
        matches!(self.family(), Family::Alipay20 | Family::Alipay10)
    }

    /// Whether its orders have coupons: only where the statement has columns for them.
    pub(super) fn has_coupons(&self) -> bool {
        self.is_wechat() || self.channel == "alipay_open"
    }

    /// The path that an order takes here, in place of one that this provider cannot show.
    pub(super) fn path(&self, drawn: Path, turn: u32) -> Path {
        let undone = drawn.script().iter().any(|(_, step)| matches!(step, Step::Reverse(_)));
        let torn = drawn == Path::Torn && matches!(self.family(), Family::Tianta | Family::Teegon);
        // Without a reply there is no charge id, and without one Teegon cannot be asked.
        let silent = drawn.script().iter().any(|(_, step)| {
            matches!(step, Step::Pay(Reply::Nothing | Reply::Unknown)) && self.family() == Family::Teegon
        });
        if (undone && !self.reverses()) || torn || silent {
            return Path::Plain;
        }
        const ESCROW: [Path; 4] =
            [Path::EscrowFinished, Path::EscrowHeld, Path::EscrowNextDay, Path::EscrowGivenBack];
        if self.family() == Family::Alipay10 && drawn == Path::Plain && turn.is_multiple_of(ESCROW_EVERY) {
            return ESCROW[usize::try_from(turn / ESCROW_EVERY % 4).unwrap_or(0)];
        }
        drawn
    }
}

/// Whether the customer paid with WeChat: at TianTa and Teegon it may be either.
pub(super) fn by_wechat(story: &Story, index: u32) -> bool {
    match ACCOUNTS[usize::from(story.account)].family() {
        Family::Wechat | Family::WechatOverseas => true,
        // Of an order that Alipay closed, Teegon's answer does not say whether it had been paid.
        Family::Teegon if story.fault == Some(Fault::GatewayOnlyPayment) => true,
        Family::Tianta | Family::Teegon => index.is_multiple_of(2),
        Family::Alipay10 | Family::Alipay20 | Family::AlipayOverseas => false,
    }
}

/// ISO code of an order's currency. The shops abroad take several, the yen among them, which has no smaller unit.
pub(super) fn currency(account: &SimAccount, index: u32) -> &'static str {
    const ABROAD: [&str; 3] = ["HKD", "EUR", "JPY"];
    match account.family() {
        Family::AlipayOverseas => ABROAD[usize::try_from(index % 3).unwrap_or(0)],
        Family::WechatOverseas => super::currency::priced(account, index),
        _ => "CNY",
    }
}

/// Appends an amount in major units: `12.30`, `1230` for yen.
pub(super) fn push_major(out: &mut String, minor: i64, currency: &str) {
    match currency {
        "JPY" => super::numbers::push_integer(out, minor),
        _ => super::numbers::push_yuan(out, minor),
    }
}

/// Whether an order was an escrow trade.
pub(super) fn is_escrow(story: &Story) -> bool {
    matches!(
        story.path,
        Path::EscrowFinished | Path::EscrowHeld | Path::EscrowNextDay | Path::EscrowGivenBack
    )
}
