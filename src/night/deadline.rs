//! `--max-duration`: until when a night asks.
//!
//! Catch-up comes first and gets half of the time that is left when the work begins: a provider that hangs over old days
//! must not cost tonight's its own day. What it did not come to is left for the next night, and said.

use std::time::Instant;

use super::{House, Outcome, pages, settle};
use crate::domain::{BillDate, Errand, Exit, Failure};

/// When asking ends.
#[derive(Clone, Copy, Default, Debug)]
pub struct Deadline {
    /// Nothing is asked of a provider after it; what is there is still done as a whole.
    pub end: Option<Instant>,
    /// The night's own day, and when the days before it must give way.
    pub catch_up: Option<(BillDate, Instant)>,
}

impl Deadline {
    /// For a night whose own day is `own`, with days to catch up before it.
    #[must_use]
    pub fn sharing(self, own: BillDate, now: Instant) -> Deadline {
        let half = self.end.map(|end| now + end.saturating_duration_since(now) / 2);
        Deadline { catch_up: half.map(|half| (own, half)), ..self }
    }

    fn of(self, date: BillDate) -> Option<Instant> {
        match self.catch_up {
            Some((own, half)) if date < own => Some(half),
            _ => self.end,
        }
    }
}

/// Asks only until the deadline. One account that is slow must not cost the others what they already have.
pub(super) async fn in_time<T>(
    house: &House,
    errand: &Errand,
    asking: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(deadline) = house.deadline.of(errand.date) else { return asking.await };
    tokio::time::timeout_at(deadline.into(), asking).await.unwrap_or_else(|_| {
        let message = format!("{errand}: --max-duration was reached before the statement was here");
        Err(Failure::new(Exit::Deadline, message).hint("run it again for the rest; what was done is kept"))
    })
}

/// Whether a day of catch-up has to give way to the night's own.
pub(super) fn is_over(house: &House, date: BillDate) -> bool {
    let is_late = |(own, half): (BillDate, Instant)| date < own && Instant::now() >= half;
    house.deadline.catch_up.is_some_and(is_late)
}

/// A day of catch-up that the next night has to fill.
pub(super) async fn leave(house: &House, date: BillDate, errands: &[&Errand], outcome: &mut Outcome) {
    for errand in errands.iter().filter(|errand| errand.bill == crate::domain::Bill::Trade) {
        let message =
            format!("{errand}: half of --max-duration is over, and the rest is for the night's own day");
        let failure = Failure::new(Exit::Deadline, message);
        settle(house, errand, Err(failure.hint("the next night tries again")), outcome).await;
    }
    pages::write(house, date, outcome).await;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_nights_own_day_has_half_of_the_time_for_itself() {
        let (own, now) = (BillDate::parse("20161108").unwrap(), Instant::now());
        let minutes = |count: u64| now + Duration::from_secs(60 * count);
        let deadline = Deadline { end: Some(minutes(180)), catch_up: None };
        assert_eq!(deadline.of(own.before()), Some(minutes(180)), "without catch-up all days share the end");
        let shared = deadline.sharing(own, now);
        assert_eq!((shared.of(own.before()), shared.of(own)), (Some(minutes(90)), Some(minutes(180))));
        let late = deadline.sharing(own, minutes(100));
        assert_eq!(late.of(own.before()), Some(minutes(140)), "half of what is left");
        assert_eq!(deadline.sharing(own, minutes(200)).of(own.before()), Some(minutes(200)));
        assert_eq!(Deadline::default().sharing(own, now).of(own), None);
    }
}
