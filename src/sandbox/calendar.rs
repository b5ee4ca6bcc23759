//! Seconds since 00:00 of the bill date as text, fast: a million rows carry several times each.

use crate::domain::BillDate;

/// Days before and after the bill date that a simulated day can speak of.
const DAYS_BEFORE: i32 = 12;
const DAYS_AFTER: i32 = 3;
pub(super) const DAY_SECONDS: i32 = 86_400;

/// Dates around the bill date as text, made once.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    date: BillDate,
    dashed: Vec<String>,
    compact: Vec<String>,
}

impl Calendar {
    pub(super) fn new(date: BillDate) -> Calendar {
        let days: Vec<BillDate> = (-DAYS_BEFORE..=DAYS_AFTER).map(|day| shifted(date, day)).collect();
        Calendar {
            date,
            dashed: days.iter().map(ToString::to_string).collect(),
            compact: days.iter().map(|day| day.compact()).collect(),
        }
    }

    /// The date `day` days after the bill date.
    pub(super) fn date(&self, day: i32) -> BillDate {
        shifted(self.date, day)
    }

    /// Seconds since 1970 of an instant.
    pub(super) fn unix(&self, at: i32) -> i64 {
        self.date.start().unix() + i64::from(at)
    }

    /// `yyyyMMdd` of an instant.
    pub(super) fn compact_date(&self, at: i32) -> &str {
        place(&self.compact, at)
    }

    /// Appends `yyyy-MM-dd HH:mm:ss`.
    pub(super) fn push_time(&self, out: &mut String, at: i32) {
        out.push_str(place(&self.dashed, at));
        out.push(' ');
        push_clock(out, at, ":");
    }

    /// Appends `yyyyMMddHHmmss`.
    pub(super) fn push_compact_time(&self, out: &mut String, at: i32) {
        out.push_str(place(&self.compact, at));
        push_clock(out, at, "");
    }

    /// Appends `yyMMddHHmmss`.
    pub(super) fn push_short_time(&self, out: &mut String, at: i32) {
        out.push_str(place(&self.compact, at).get(2..).unwrap_or(""));
        push_clock(out, at, "");
    }
}

fn shifted(date: BillDate, day: i32) -> BillDate {
    let days = u64::from(day.unsigned_abs());
    if day < 0 { date.minus_days(days) } else { date.plus_days(days) }
}

/// The day an instant lies in, counted from the bill date.
pub(super) fn day_of(at: i32) -> i32 {
    at.div_euclid(DAY_SECONDS)
}

fn place(days: &[String], at: i32) -> &str {
    let index = usize::try_from(day_of(at) + DAYS_BEFORE).unwrap_or(0);
    days.get(index).map_or("", String::as_str)
}

fn push_clock(out: &mut String, at: i32, between: &str) {
    let second = at.rem_euclid(DAY_SECONDS);
    push_two(out, second / 3600);
    out.push_str(between);
    push_two(out, second / 60 % 60);
    out.push_str(between);
    push_two(out, second % 60);
}

fn push_two(out: &mut String, number: i32) {
    super::numbers::push_padded(out, u64::from(number.unsigned_abs()), 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_the_domain_writes_them() {
        let date = BillDate::parse("20160301").expect("a date");
        let calendar = Calendar::new(date);
        for at in [0, 1, 86_399, 86_400, -1, -86_400, 2 * 86_400, 45_296] {
            let moment = date.start().plus_seconds(i64::from(at));
            let mut text = String::new();
            calendar.push_time(&mut text, at);
            assert_eq!(text, moment.to_string());
            text.clear();
            calendar.push_compact_time(&mut text, at);
            assert_eq!(text, moment.compact());
            assert_eq!(calendar.compact_date(at), moment.date().compact());
        }
        assert_eq!(calendar.date(-1).to_string(), "2016-02-29");
    }
}
