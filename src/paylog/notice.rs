//! Providers' notifications that a gateway or a shop has kept: evidence of a level of its own.
//!
//! A notification whose signature was proven is the provider's word: it makes an order of the log paid, held or finished, and
//! proves its amount. Any other is counted and shown, and changes nothing. A notification alone is no order of the log:
//! it makes none. Checking signatures needs keys, so it is done in `channel::notice`; nothing here knows a key.
//! Sources: `spec/ttpay.md` R128 to R130, R141 to R146, B.1 (level P1).

use crate::domain::{Currency, Moment, money};

use super::evidence::{Action, of_notice};
use super::gather::Gatherer;
use super::record::{NOTICE, ORDER_FROM_REPLY, Record, TRADE_FROM_REPLY, packed};

/// Whose notification it is, by its fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoticeFamily {
    Teegon,
    /// The MD5 gateway and the open API.
    Alipay,
    /// API v2.
    Wechat,
}

impl NoticeFamily {
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeFamily::Teegon => "TEEGON",
            NoticeFamily::Alipay => "ALIPAY",
            NoticeFamily::Wechat => "WECHAT",
        }
    }
}

/// What is known of a notification's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Seal {
    /// The key of this account (index as in [`Claims`](crate::domain::Claims)) proves it.
    Verified(usize),
    /// Nobody's key was there to check it with.
    #[default]
    Unchecked,
    /// No key that it could have been signed with proves it.
    Broken,
}

/// One stored notification, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// Its number in the file or table, from 1.
    pub number: i64,
    /// When it was kept.
    pub at: Option<Moment>,
    /// `None`: nobody's notification, or none that can be read.
    pub family: Option<NoticeFamily>,
    pub seal: Seal,
    /// Decoded, in their order.
    pub fields: Vec<(String, String)>,
}

impl Notice {
    /// A field's value, trimmed; empty if there is none.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.trim())
    }

    /// Whether it says that money is held: worth knowing long after it came.
    pub fn is_held(&self) -> bool {
        of_notice(self).is_some_and(|evidence| evidence.finding == super::Finding::Held)
    }

    /// Whether it is about one of these numbers.
    pub fn names(&self, numbers: &[&str]) -> bool {
        of_notice(self).is_some_and(|evidence| {
            let own = [&*evidence.order_no, &*evidence.trade_no];
            own.iter().any(|number| !number.is_empty() && numbers.contains(number))
        })
    }

    /// What it says, in one line: nothing of the buyer, no signature.
    pub fn told(&self) -> String {
        const SHOWN: [&str; 11] = [
            "out_trade_no",
            "order_no",
            "trade_no",
            "charge_id",
            "transaction_id",
            "trade_status",
            "refund_status",
            "result_code",
            "is_success",
            "status",
            "notify_time",
        ];
        let shown = SHOWN.iter().filter(|name| !self.field(name).is_empty());
        let mut parts: Vec<String> =
            shown.map(|name| format!("{name}={}", super::story::one_line(self.field(name)))).collect();
        if let Some((minor, currency)) = of_notice(self).and_then(|e| Some((e.amount_minor?, e.currency))) {
            parts.push(amount(minor, currency));
        }
        parts.join(" ")
    }

    /// What it proves, in a person's language; empty where it tells nothing of a payment.
    pub fn says(&self, lang: crate::domain::Lang) -> &'static str {
        of_notice(self).map_or("", |evidence| evidence.finding.label(lang))
    }
}

fn amount(minor: i64, currency: Currency) -> String {
    format!("{} {currency}", money::major(minor, currency.digits()))
}

impl Gatherer {
    /// Hears one notification. Only a proven one becomes evidence; every one is counted.
    pub fn push_notice(&mut self, notice: &Notice) {
        let counters = &mut self.gathered.counters;
        counters.notices += 1;
        let Seal::Verified(account) = notice.seal else {
            counters.notices_unverified += u64::from(notice.family.is_some());
            counters.notices_unread += u64::from(notice.family.is_none());
            return;
        };
        let at = notice.at.filter(|at| packed(*at).is_some());
        let (Some(evidence), Some(at)) = (of_notice(notice), at) else {
            counters.notices_unread += 1;
            return;
        };
        let Some(pay_type) = self.claims.accounts().get(account).map(crate::domain::Account::pay_type) else {
            counters.notices_unverified += 1;
            return;
        };
        let at = packed(at).unwrap_or_default();
        let mut record = Record::at(at, notice.number, Action::Query, evidence.finding);
        record.place = self.gathered.places.of_account(pay_type, account);
        record.currency = evidence.currency;
        record.flags = NOTICE | if evidence.trade_no.is_empty() { 0 } else { TRADE_FROM_REPLY };
        record.flags |= if evidence.order_no.is_empty() { 0 } else { ORDER_FROM_REPLY };
        record.set_amounts(None, evidence.amount_minor);
        record.set_provider_at(evidence.provider_at);
        if evidence.finished {
            record.set_finished_at(evidence.finished_at);
        }
        self.keep(record, ["", &evidence.order_no, &evidence.trade_no, "", ""]);
    }
}
