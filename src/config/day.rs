//! Why a text is not a bill date, in words a person can act on.
//!
//! `sqe_date` (R004, R006 of `spec/ttpay.md` A.1) and the date flags share these reasons; the reading itself is
//! [`BillDate::parse`].

use crate::domain::BillDate;

/// Reads `20161108` or `2016-11-08`. The error quotes nothing; it follows the quoted text.
pub fn read(text: &str) -> Result<BillDate, &'static str> {
    BillDate::parse(text).ok_or_else(|| reason(text))
}

/// Reads exactly `20161108`, as the old program's `SqeDate`.
pub(super) fn read_compact(text: &str) -> Result<BillDate, &'static str> {
    match BillDate::parse(text) {
        Some(_) if text.contains('-') => {
            Err("is written with dashes; this key takes yyyyMMdd, such as 20161108")
        }
        Some(date) => Ok(date),
        None => Err(reason(text)),
    }
}

/// Refuses today and later: the provider has no statement of a day that is not over.
pub fn check_past(date: BillDate, today: BillDate) -> Result<(), &'static str> {
    match date.days_since(today) {
        ..0 => Ok(()),
        0 => Err("is today in UTC+8; the day is not over, so no statement can be complete"),
        _ => Err("is in the future"),
    }
}

fn reason(text: &str) -> &'static str {
    let ascii = text.bytes().all(|b| b.is_ascii_digit());
    if text.is_empty() {
        "is empty; write yyyyMMdd, such as 20161108"
    } else if text.chars().any(is_other_digit) {
        "has digits that are not 0 to 9 (full-width?); write yyyyMMdd, such as 20161108"
    } else if (ascii && text.len() == 8) || is_dashed(text) {
        "is no day of the calendar"
    } else if ascii && text.len() == 6 {
        "has 6 digits; write the year with four, such as 20161108"
    } else {
        "is not a date; write yyyyMMdd, such as 20161108"
    }
}

fn is_other_digit(c: char) -> bool {
    c.is_numeric() && !c.is_ascii_digit()
}

fn is_dashed(text: &str) -> bool {
    text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_date_says_what_is_wrong_with_it() {
        for (text, words) in [
            ("", "empty"),
            ("20161131", "no day of the calendar"),
            ("2016-11-31", "no day of the calendar"),
            ("161108", "6 digits"),
            ("２０１６１１０８", "full-width"),
            ("2016/11/08", "not a date"),
            ("20161108 ", "not a date"),
            ("yesterday", "not a date"),
        ] {
            let reason = read(text).expect_err(text);
            assert!(reason.contains(words), "{text}: {reason}");
            assert_eq!(read_compact(text), Err(reason));
        }
        assert!(read("2016-11-08").is_ok());
        assert!(read_compact("20161108").is_ok());
        assert!(read_compact("2016-11-08").is_err());
    }

    #[test]
    fn only_days_that_are_over() {
        let day = |text| BillDate::parse(text).expect(text);
        let today = day("20161110");
        assert_eq!(check_past(day("20161109"), today), Ok(()));
        assert!(check_past(today, today).is_err_and(|e| e.contains("today")));
        assert!(check_past(day("20161111"), today).is_err_and(|e| e.contains("future")));
    }
}
