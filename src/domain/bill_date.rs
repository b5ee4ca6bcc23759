//! A bill date: one calendar day in UTC+8.

use std::fmt;

use chrono::{Days, NaiveDate};

use super::Moment;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BillDate(NaiveDate);

impl BillDate {
    /// Reads `20161108` or `2016-11-08`: ASCII digits only, and a day that exists.
    pub fn parse(text: &str) -> Option<BillDate> {
        let digits = match text.as_bytes() {
            [y @ .., b'-', m1, m2, b'-', d1, d2] if y.len() == 4 => [y, &[*m1, *m2, *d1, *d2]].concat(),
            plain => plain.to_vec(),
        };
        if digits.len() != 8 || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number: u32 = std::str::from_utf8(&digits).ok()?.parse().ok()?;
        let year = i32::try_from(number / 10_000).ok()?;
        NaiveDate::from_ymd_opt(year, number / 100 % 100, number % 100).map(BillDate)
    }

    /// `yyyyMMdd`.
    pub fn compact(self) -> String {
        self.0.format("%Y%m%d").to_string()
    }

    #[must_use]
    pub fn minus_days(self, days: u64) -> BillDate {
        BillDate(self.0.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN))
    }

    #[must_use]
    pub fn plus_days(self, days: u64) -> BillDate {
        BillDate(self.0.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX))
    }

    #[must_use]
    pub fn before(self) -> BillDate {
        self.minus_days(1)
    }

    #[must_use]
    pub fn after(self) -> BillDate {
        self.plus_days(1)
    }

    /// 00:00:00 of this day in UTC+8.
    pub fn start(self) -> Moment {
        let days = i64::from(self.0.to_epoch_days());
        Moment::from_unix(days * 86_400 - super::moment::ZONE_SECONDS)
    }

    /// 00:00:00 of the next day: the first instant that is no longer in this one.
    pub fn end(self) -> Moment {
        self.after().start()
    }

    pub fn contains(self, moment: Moment) -> bool {
        moment >= self.start() && moment < self.end()
    }

    /// Days from `earlier` to `self`.
    pub fn days_since(self, earlier: BillDate) -> i64 {
        (self.0 - earlier.0).num_days()
    }
}

impl From<NaiveDate> for BillDate {
    fn from(date: NaiveDate) -> BillDate {
        BillDate(date)
    }
}

impl fmt::Display for BillDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl fmt::Debug for BillDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_that_are_dates() {
        for (text, expected) in
            [("20161108", "2016-11-08"), ("2016-11-08", "2016-11-08"), ("20240229", "2024-02-29")]
        {
            assert_eq!(BillDate::parse(text).map(|d| d.to_string()).as_deref(), Some(expected));
        }
        for text in [
            "20161131",
            "161108",
            "２０１６１１０８",
            "2016-1-8",
            "2016/11/08",
            "20161108 ",
            "",
            "2100-02-29",
        ] {
            assert_eq!(BillDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_is_half_open_in_utc_plus_8() {
        let day = BillDate::parse("20240229").expect("a leap day");
        assert!(day.contains(Moment::parse("2024-02-29 00:00:00").expect("start")));
        assert!(day.contains(Moment::parse("2024-02-29 23:59:59").expect("last second")));
        assert!(!day.contains(Moment::parse("2024-03-01 00:00:00").expect("next day")));
        assert_eq!(day.start().date(), day);
        assert_eq!(day.start().plus_seconds(-1).date(), day.before());
    }
}
