//! An instant to the second, read and written in UTC+8.
//!
//! Every clock of this trade (tills, gateway, providers) writes China Standard Time, which has had no summer
//! time since 1991; so the zone is a constant and no zone database is needed.

use std::fmt;

use chrono::NaiveDate;

use super::BillDate;

/// Seconds of UTC+8 ahead of UTC.
pub const ZONE_SECONDS: i64 = 8 * 3600;
const DAY_SECONDS: i64 = 24 * 3600;

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    pub fn from_unix(seconds: i64) -> Moment {
        Moment(seconds)
    }

    pub fn unix(self) -> i64 {
        self.0
    }

    /// Reads `yyyy-MM-dd HH:mm:ss` (also with `/` or `T`, and with a fraction of a second, which is dropped).
    /// Seconds may be missing, as in a file that a spreadsheet saved; 24:00:00 and 30 February are refused.
    pub fn parse(text: &str) -> Option<Moment> {
        let bytes = text.as_bytes();
        let (date, rest) = bytes.split_at_checked(10)?;
        let [y1, y2, y3, y4, d1, m1, m2, d2, a1, a2] = *date else { return None };
        if !matches!(d1, b'-' | b'/') || d1 != d2 {
            return None;
        }
        let [b' ' | b'T', h1, h2, b':', n1, n2, rest @ ..] = rest else { return None };
        let second = match rest {
            [] => 0,
            [b':', s1, s2] => two(*s1, *s2)?,
            [b':', s1, s2, b'.', fraction @ ..] if fraction.iter().all(u8::is_ascii_digit) => two(*s1, *s2)?,
            _ => return None,
        };
        let year = two(y1, y2)? * 100 + two(y3, y4)?;
        Moment::civil(year, two(m1, m2)?, two(a1, a2)?, [two(*h1, *h2)?, two(*n1, *n2)?, second])
    }

    /// Reads `yyyyMMddHHmmss`, as WeChat writes `time_end`.
    pub fn parse_compact(text: &str) -> Option<Moment> {
        let [y1, y2, y3, y4, m1, m2, a1, a2, h1, h2, n1, n2, s1, s2] = *text.as_bytes() else { return None };
        let year = two(y1, y2)? * 100 + two(y3, y4)?;
        Moment::civil(year, two(m1, m2)?, two(a1, a2)?, [two(h1, h2)?, two(n1, n2)?, two(s1, s2)?])
    }

    fn civil(year: i64, month: i64, day: i64, [hour, minute, second]: [i64; 3]) -> Option<Moment> {
        const MONTH_DAYS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let index = usize::try_from(month - 1).ok()?;
        let length = MONTH_DAYS.get(index)? + i64::from(month == 2 && leap);
        if day < 1 || day > length || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        // Days since 1970-01-01, counting years from March so that the leap day comes last.
        let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days =
            y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (m * 153 + 2) / 5 + day
                - 1
                - 719_468;
        Some(Moment(days * DAY_SECONDS + hour * 3600 + minute * 60 + second - ZONE_SECONDS))
    }

    /// The day in UTC+8.
    pub fn date(self) -> BillDate {
        let days = (self.0 + ZONE_SECONDS).div_euclid(DAY_SECONDS);
        let date = i32::try_from(days).ok().and_then(NaiveDate::from_epoch_days).unwrap_or(NaiveDate::MAX);
        BillDate::from(date)
    }

    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Moment {
        Moment(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to `self`; negative if it is later.
    pub fn since(self, earlier: Moment) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// `yyyyMMddHHmmss`.
    pub fn compact(self) -> String {
        let (hour, minute, second) = self.time_of_day();
        format!("{}{hour:02}{minute:02}{second:02}", self.date().compact())
    }

    fn time_of_day(self) -> (i64, i64, i64) {
        let second = (self.0 + ZONE_SECONDS).rem_euclid(DAY_SECONDS);
        (second / 3600, second / 60 % 60, second % 60)
    }
}

fn two(tens: u8, ones: u8) -> Option<i64> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i64::from(tens - b'0') * 10 + i64::from(ones - b'0'))
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, minute, second) = self.time_of_day();
        write!(f, "{} {hour:02}:{minute:02}:{second:02}", self.date())
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_was_read() {
        for text in [
            "1970-01-01 08:00:00",
            "2000-02-29 23:59:59",
            "2016-11-08 09:33:59",
            "2024-02-29 00:00:00",
            "2100-02-28 12:00:00",
            "2038-01-19 11:14:08",
            "1988-07-01 00:00:00",
            "2026-01-01 00:00:00",
        ] {
            let moment = Moment::parse(text).expect(text);
            assert_eq!(moment.to_string(), text);
            assert_eq!(Moment::parse_compact(&moment.compact()), Some(moment));
        }
        assert_eq!(Moment::parse("1970-01-01 08:00:00").map(Moment::unix), Some(0));
    }

    #[test]
    fn moments_that_do_not_exist() {
        for text in [
            "2026-02-30 00:00:00",
            "2100-02-29 00:00:00",
            "2026-01-01 24:00:00",
            "2026-01-01 23:59:60",
            "2026-13-01 00:00:00",
            "2026-00-01 00:00:00",
            "2026-1-1 9:15",
            "",
            "2026-01-01",
            "16：33：45",
            "2026-01-01 00:00:00.x",
            "２０２６-01-01 00:00:00",
        ] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
    }

    #[test]
    fn tolerated_spellings() {
        let expected = Moment::parse("2016-11-08 09:33:00");
        for text in
            ["2016-11-08T09:33:00", "2016/11/08 09:33:00", "2016-11-08 09:33", "2016-11-08 09:33:00.948"]
        {
            assert_eq!(Moment::parse(text), expected, "{text}");
        }
    }
}
