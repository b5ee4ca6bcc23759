//! What a reply's headers say about time: how far our clock is off, and how long to wait.

use std::time::Duration;

use crate::channel::Heard;
use crate::domain::Moment;

/// How far this machine's clock may be off a provider's: beyond five minutes they refuse what is signed
/// (`spec/wechat.md` 3.4).
const CLOCK_OFF_MAX: Duration = Duration::from_secs(300);

/// Seconds by which `now` is off the reply's `Date`, if they are more than providers bear.
pub(super) fn clock_off(heard: &Heard, now: Moment) -> Option<i64> {
    let theirs = chrono::DateTime::parse_from_rfc2822(heard.header("date")?.trim()).ok()?.timestamp();
    let off = now.unix() - theirs;
    (off.unsigned_abs() > CLOCK_OFF_MAX.as_secs()).then_some(off)
}

/// `Retry-After`: seconds, or the HTTP date of the moment.
pub(super) fn retry_after(heard: &Heard, now: Moment) -> Option<Duration> {
    let text = heard.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(text).ok()?.timestamp();
    u64::try_from(at - now.unix()).ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_in_seconds_or_as_a_date() {
        let now = Moment::parse("2015-10-21 15:27:50").unwrap();
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(10)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", None),
            ("315360000", Some(315_360_000)),
            ("-1", None),
            ("soon", None),
        ] {
            let heard = Heard { headers: vec![("retry-after".into(), text.into())], ..Heard::default() };
            assert_eq!(retry_after(&heard, now).map(|d| d.as_secs()), expected, "{text}");
        }
        assert_eq!(retry_after(&Heard::default(), now), None);
    }

    #[test]
    fn five_minutes_are_borne_and_no_more() {
        let at = |text| Moment::parse(text).unwrap();
        let heard = |date: &str| Heard { headers: vec![("date".into(), date.into())], ..Heard::default() };
        let reply = heard("Wed, 21 Oct 2015 07:28:00 GMT");
        for (now, expected) in [
            ("2015-10-21 15:28:00", None),
            ("2015-10-21 15:33:00", None),
            ("2015-10-21 15:33:01", Some(301)),
            ("2015-10-21 15:22:59", Some(-301)),
        ] {
            assert_eq!(clock_off(&reply, at(now)), expected, "{now}");
        }
        assert_eq!(clock_off(&heard("today"), at("2015-10-21 15:28:00")), None);
        assert_eq!(clock_off(&Heard::default(), at("2015-10-21 15:28:00")), None);
    }
}
