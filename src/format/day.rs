//! The asked day, and the times of its lines.
//!
//! Nearly every line of a bill lies on the asked day, so its date is compared as text and only the time of day is
//! read; any other spelling goes the long way. It never decides what a time outside the day means: the
//! layouts do.

use crate::domain::{BillDate, Moment};

/// The asked day with its text.
#[derive(Clone, Debug)]
pub struct Day {
    date: BillDate,
    start: Moment,
    /// `2024-03-07 `
    prefix: [u8; 11],
}

impl Day {
    pub fn new(date: BillDate) -> Day {
        let text = format!("{date} ");
        // A year of more than four digits has no prefix; then every line goes the long way.
        let prefix = text.as_bytes().try_into().unwrap_or([0; 11]);
        Day { date, start: date.start(), prefix }
    }

    pub fn date(&self) -> BillDate {
        self.date
    }

    pub fn contains(&self, moment: Moment) -> bool {
        (0..86_400).contains(&moment.since(self.start))
    }

    /// Reads `yyyy-MM-dd HH:mm:ss`; full-width colons, which WeChat's own old sample has, count as colons.
    #[inline]
    pub fn moment(&self, text: &str) -> Option<Moment> {
        self.moment_of_the_day(text).or_else(|| Moment::parse(&text.replace('：', ":")))
    }

    #[inline]
    fn moment_of_the_day(&self, text: &str) -> Option<Moment> {
        let (date, time) = text.as_bytes().split_first_chunk::<11>()?;
        let [h1, h2, b':', m1, m2, b':', s1, s2] = *time else { return None };
        let digits = [h1, h2, m1, m2, s1, s2].map(|byte| byte.wrapping_sub(b'0'));
        let [h1, h2, m1, m2, s1, s2] = digits.map(i64::from);
        let (hour, minute, second) = (h1 * 10 + h2, m1 * 10 + m2, s1 * 10 + s2);
        let real = digits.iter().all(|digit| *digit < 10) & (hour < 24) & (minute < 60) & (second < 60);
        (real && *date == self.prefix).then(|| self.start.plus_seconds(hour * 3600 + minute * 60 + second))
    }
}

/// Reads what a spreadsheet makes of a time: `2016/7/27 9:15`, also with seconds.
pub fn spreadsheet_moment(text: &str) -> Option<Moment> {
    let (date, time) = text.split_once(' ')?;
    let mut date = date.split('/');
    let (year, month, day) = (date.next()?, date.next()?, date.next()?);
    let mut time = time.split(':');
    let (hour, minute, second) = (time.next()?, time.next()?, time.next().unwrap_or("00"));
    if date.next().is_some() || time.next().is_some() || year.len() != 4 {
        return None;
    }
    let [month, day, hour, minute, second] = [month, day, hour, minute, second].map(two_digits);
    Moment::parse(&format!("{year}-{}-{} {}:{}:{}", month?, day?, hour?, minute?, second?))
}

fn two_digits(text: &str) -> Option<String> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    (digits && (1..=2).contains(&text.len())).then(|| format!("{text:0>2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_agrees_with_the_long_way() {
        let day = Day::new(BillDate::parse("2024-03-07").unwrap());
        for text in [
            "2024-03-07 00:00:00",
            "2024-03-07 23:59:59",
            "2024-03-07 24:00:00",
            "2024-03-07 23:60:00",
            "2024-03-07 23:59:60",
            "2024-03-07 08:15",
            "2024-03-07 08:15:4x",
            "2024-03-07 ８:15:42",
            "2024-03-08 00:00:00",
            "2024-03-07T08:15:42",
            "2024/03/07 08:15:42",
            "",
        ] {
            let moment = day.moment(text);
            assert_eq!(moment, Moment::parse(text), "{text}");
            assert_eq!(
                moment.is_some_and(|m| day.contains(m)),
                moment.is_some_and(|m| day.date().contains(m))
            );
        }
        assert_eq!(day.moment("2024-03-07 16：33：45"), Moment::parse("2024-03-07 16:33:45"));
    }

    #[test]
    fn times_that_a_spreadsheet_wrote() {
        let expected = Moment::parse("2016-07-27 09:15:00");
        for text in ["2016/7/27 9:15", "2016/07/27 09:15", "2016/7/27 9:15:00"] {
            assert_eq!(spreadsheet_moment(text), expected, "{text}");
        }
        for text in [
            "2016/7/27",
            "27/7/2016 9:15",
            "2016/7/27 9:15:00:1",
            "2016/7/ 9:15",
            "2016/13/27 9:15",
            "2016/7/27/1 9:15",
        ] {
            assert_eq!(spreadsheet_moment(text), None, "{text}");
        }
    }
}
