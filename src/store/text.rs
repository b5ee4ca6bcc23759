//! Numbers and instants as bytes, without a string for each.

use crate::domain::Moment;

/// Appends a decimal.
pub(super) fn push_number(out: &mut Vec<u8>, number: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10).to_le_bytes()[0];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Instants as `yyyy-MM-dd HH:mm:ss`; remembers the day, because most of them lie on one.
#[derive(Default)]
pub(super) struct MomentText {
    /// First second of the remembered day, in seconds since 1970 UTC.
    day_start: Option<i64>,
    text: Vec<u8>,
}

impl MomentText {
    pub(super) fn of(&mut self, moment: Moment) -> &[u8] {
        const DAY_SECONDS: i64 = 86_400;
        let known = self.day_start.map(|start| moment.unix().wrapping_sub(start));
        match known {
            Some(second) if (0..DAY_SECONDS).contains(&second) => self.time_of_day(second),
            _ => {
                let day = moment.date();
                self.day_start = Some(day.start().unix());
                self.text = moment.to_string().into_bytes();
            }
        }
        &self.text
    }

    fn time_of_day(&mut self, second: i64) {
        let start = self.text.len() - "HH:mm:ss".len();
        for (place, value) in [(0, second / 3600), (3, second / 60 % 60), (6, second % 60)] {
            self.text[start + place] = b'0' + (value / 10).to_le_bytes()[0];
            self.text[start + place + 1] = b'0' + (value % 10).to_le_bytes()[0];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 1, -1, 9, 10, 123_456, -987, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }

    #[test]
    fn instants_are_those_of_moment_whatever_came_before() {
        let mut text = MomentText::default();
        for start in
            [0, 1_478_568_839, 1_478_620_799, 1_478_620_800, 1_478_534_400, 4_102_444_799, -1, 1_478_620_801]
        {
            for step in [0, 1, 59, 3600, 86_399, 86_400, -1] {
                let moment = Moment::from_unix(start + step);
                assert_eq!(text.of(moment), moment.to_string().as_bytes());
            }
        }
    }
}
