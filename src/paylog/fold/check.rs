//! Two checks on the log as a whole: the unit of `TotalFee` (X08), and how far the clocks are apart (R-D45).

use std::collections::BTreeMap;

use crate::domain::{AmountUnit, EntryKind, Moment, Note, State};

use super::payment::Payment;
use super::rows::{Movement, Row};
use crate::paylog::FactorHundred;
use crate::paylog::evidence::Finding;
use crate::paylog::reading::fee_text;

/// Whether two amounts are off by a factor of exactly 100, either way.
pub(super) fn is_factor_hundred(a: i64, b: i64) -> bool {
    a != b && (a.checked_mul(100) == Some(b) || b.checked_mul(100) == Some(a))
}

/// Whether `TotalFee` is in the configured unit, by what the provider says of proven payments.
///
/// # Why a majority, day by day
///
/// With the wrong unit *every* payment of an account is off by 100, so one day's proven payments settle it. A single
/// order that is off among many that agree is bad data: its amount is the reply's, and nobody's night is stopped for
/// it. A day on which more payments are off than agree is claimed even if other days agree, because a gateway's
/// upgrade can change the unit over night. Payments of 0.00 prove nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct UnitCheck {
    /// By day, as a count of whole days.
    days: BTreeMap<i64, Tally>,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    agree: u64,
    off: u64,
    first: Option<Off>,
}

/// An order that is off; the first by time and number, so that it does not depend on the order of rows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Off {
    logged_at: Moment,
    order_no: String,
    asked_minor: i64,
    provider_minor: i64,
    digits: u32,
}

impl UnitCheck {
    pub(crate) fn see(&mut self, movements: &[Movement<'_>], payment: &Payment) {
        let Some(main) = movements.first().filter(|m| m.kind == EntryKind::Payment && m.state == State::Paid)
        else {
            return;
        };
        let (Some(asked), Some(paid)) = (payment.asked_minor, payment.paid_minor) else { return };
        if main.has(Note::Weak) || paid == 0 || asked == 0 {
            return;
        }
        if asked != paid && !is_factor_hundred(asked, paid) {
            return;
        }
        let tally = self.days.entry(main.day_number()).or_default();
        if asked == paid {
            tally.agree += 1;
            return;
        }
        tally.off += 1;
        let earlier = tally.first.as_ref().is_none_or(|first| main.logged_at <= first.logged_at);
        if earlier {
            let off = Off {
                logged_at: main.logged_at,
                order_no: main.order_no.text.to_owned(),
                asked_minor: asked,
                provider_minor: paid,
                digits: main.currency.digits(),
            };
            tally.first = Some(tally.first.take().map_or(off.clone(), |first| first.min(off)));
        }
    }

    /// The first order that shows the unit to be wrong.
    pub(crate) fn verdict(self, unit: AmountUnit) -> Option<FactorHundred> {
        let wrong = self.days.into_values().find(|tally| tally.off > tally.agree)?;
        let off = wrong.first?;
        Some(FactorHundred {
            total_fee: fee_text(off.asked_minor, unit, off.digits),
            order_no: off.order_no,
            provider_minor: off.provider_minor,
        })
    }
}

/// REQ_DATE minus the provider's time, over payments that were proven by the reply to the request itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Skew {
    seconds: Vec<i32>,
}

impl Skew {
    pub(crate) fn see(&mut self, rows: &[Row<'_>]) {
        for row in rows.iter().filter(|row| row.is_attempt() && row.finding() == Finding::Paid) {
            let skew = row.record.provider_at().map(|at| row.record.logged_at().since(at));
            self.seconds.extend(skew.and_then(|s| i32::try_from(s).ok()));
        }
    }

    /// The lower median.
    pub(crate) fn median(&mut self) -> Option<i64> {
        let middle = self.seconds.len().checked_sub(1)? / 2;
        let (_, median, _) = self.seconds.select_nth_unstable(middle);
        Some(i64::from(*median))
    }
}
