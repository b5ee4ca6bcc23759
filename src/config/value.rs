//! Readers of single values with a meaning: pay types, spans of time, rates, names.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use super::problem::Wrong;
use super::raw::Raw;
use crate::domain::{BillDate, PayType};

/// Reads `WX|ALI` or a list: blanks and empty parts are dropped, repeats too, any case (R003).
pub(super) fn pay_types(raw: &Raw) -> Result<Vec<PayType>, Wrong> {
    let mut list = Vec::new();
    for (text, at) in raw.texts()? {
        for part in text.split('|').map(str::trim).filter(|part| !part.is_empty()) {
            let pay_type = pay_type(part, at.clone())?;
            if !list.contains(&pay_type) {
                list.push(pay_type);
            }
        }
    }
    match list.is_empty() {
        true => Err(Wrong::new(
            "no pay type is listed",
            format!("possible: {}, separated by |", pay_type_names()),
        )),
        false => Ok(list),
    }
}

/// Reads one pay type.
pub(super) fn pay_type(text: &str, at: Option<Range<usize>>) -> Result<PayType, Wrong> {
    PayType::parse(text).ok_or_else(|| {
        let names = PayType::ALL.map(PayType::as_str);
        let near = super::nearest(text, &names).map_or(String::new(), |n| format!("did you mean `{n}`? "));
        Wrong::new(format!("`{text}` is no pay type"), format!("{near}possible: {}", pay_type_names())).at(at)
    })
}

fn pay_type_names() -> String {
    PayType::ALL.map(PayType::as_str).join(", ")
}

/// Reads the old program's `SqeDate`: blank, or a past day as yyyyMMdd (R004, R006).
pub(super) fn sqe_date(raw: &Raw, today: BillDate) -> Result<Option<BillDate>, Wrong> {
    if let Raw::Number(digits) = raw {
        return Err(Wrong::new(
            format!("`{digits}` is a number here"),
            format!("put it in quotes: \"{digits}\""),
        ));
    }
    let text = raw.text()?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let date = super::day::read_compact(text).and_then(|d| super::day::check_past(d, today).map(|()| d));
    date.map(Some).map_err(|reason| {
        Wrong::new(format!("`{text}` {reason}"), "leave it empty to get the day of lag_days")
    })
}

/// No wait of this program is longer; and what is longer overflows a clock somewhere.
const SPAN_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// Reads `500ms`, `10s`, `5m` or `3h`, at most 30 days.
pub fn span(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let span = number.parse::<u64>().ok().and_then(|n| match unit {
        "ms" => Some(Duration::from_millis(n)),
        "s" => Some(Duration::from_secs(n)),
        "m" => n.checked_mul(60).map(Duration::from_secs),
        "h" => n.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    });
    span.filter(|s| !s.is_zero() && *s <= SPAN_MAX)
        .ok_or_else(|| format!("`{text}` is no span of time; write 500ms, 10s, 5m or 3h"))
}

/// A span of time in seconds' bounds, both included.
pub(super) fn span_within(raw: &Raw, least_seconds: u64, most_seconds: u64) -> Result<Duration, Wrong> {
    let takes = format!("write {least_seconds}s to {most_seconds}s, such as \"10s\"");
    let (Raw::Text(text) | Raw::Loose(text)) = raw else {
        return Err(Wrong::new("here is no span of time in quotes", takes));
    };
    let bounds = Duration::from_secs(least_seconds)..=Duration::from_secs(most_seconds);
    let none = text.trim() == "0s";
    match if none { Ok(Duration::ZERO) } else { span(text) } {
        Ok(span) if bounds.contains(&span) => Ok(span),
        _ => Err(Wrong::new(format!("`{text}` is not possible here"), takes)),
    }
}

/// Reads `2/s` or `0.5/s`: requests a second.
pub(super) fn rate(raw: &Raw) -> Result<f64, Wrong> {
    let takes = "write requests a second from \"0.01/s\" to \"100/s\"";
    let (Raw::Text(text) | Raw::Loose(text)) = raw else {
        return Err(Wrong::new("here is no rate in quotes", takes));
    };
    let number =
        text.trim().strip_suffix("/s").filter(|n| n.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    let rate = number.and_then(|n| n.parse::<f64>().ok()).filter(|r| (0.01..=100.0).contains(r));
    rate.ok_or_else(|| Wrong::new(format!("`{text}` is not possible here"), takes))
}

/// A name that can stand in SQL as it is: letters, digits, `_`, `$`, `#`, a letter first; or empty.
pub(super) fn identifier(raw: &Raw) -> Result<String, Wrong> {
    let text = raw.text()?;
    let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_$#".contains(&b));
    match fits && !text.starts_with(|c: char| !c.is_ascii_alphabetic()) && text.len() <= 64 {
        true => Ok(text.to_owned()),
        false => Err(Wrong::new(
            format!("`{text}` is not possible here"),
            "write the owner's name in letters, digits and _, or leave it empty",
        )),
    }
}

/// Where stored notifications are: `file:PATH`, made absolute, `table:NAME`, or nothing.
pub(super) fn notices(raw: &Raw, home: &Path) -> Result<String, Wrong> {
    let text = raw.text()?.trim();
    let wrong = |found: String| {
        Wrong::new(found, "write \"file:PATH\" (JSON lines or CSV), \"table:NAME\", or leave it empty")
    };
    match text.split_once(':') {
        None if text.is_empty() => Ok(String::new()),
        Some(("file", path)) if !path.trim().is_empty() => {
            Ok(format!("file:{}", super::address::path(path.trim(), home)?.display()))
        }
        Some(("table", name)) if !name.is_empty() => {
            let name = identifier(&Raw::Loose(name.trim().to_owned()))?;
            if name.is_empty() {
                Err(wrong(format!("`{text}` names no table")))
            } else {
                Ok(format!("table:{name}"))
            }
        }
        _ => Err(wrong(format!("`{text}` is not possible here"))),
    }
}

/// A text that must not be empty.
pub(super) fn filled(raw: &Raw) -> Result<(), Wrong> {
    match raw.text()?.trim().is_empty() {
        true => Err(Wrong::new("here is nothing", "leave the key out to get its default")),
        false => Ok(()),
    }
}

/// A name or number as it travels in a message to the gateway: it also becomes part of an address or of an XML
/// element.
pub(super) fn wire_name(raw: &Raw) -> Result<(), Wrong> {
    filled(raw)?;
    let text = raw.text()?;
    match text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
        true => Ok(()),
        false => Err(Wrong::new(format!("`{text}` is not possible here"), "write letters, digits, _ - .")),
    }
}

/// A name that can be part of a file's name everywhere: letters, digits, `-`, `_`.
pub(super) fn plain_word(raw: &Raw) -> Result<String, Wrong> {
    let text = raw.text()?;
    let fits = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let first = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match fits && first && text.len() <= 40 {
        true => Ok(text.to_owned()),
        false => Err(Wrong::new(
            format!("`{text}` is not possible here"),
            "it becomes part of file names: letters, digits, - and _, at most 40, a letter or digit first",
        )),
    }
}

/// Adds the REQ_TYPE values that stand for `pay_type` in the log; they replace what a lower layer said of it.
pub(super) fn req_types(
    pay_type: PayType,
    raw: &Raw,
    known: &mut BTreeMap<String, PayType>,
) -> Result<(), Wrong> {
    known.retain(|_, other| *other != pay_type);
    for (text, at) in raw.texts()? {
        let name = text.trim().to_ascii_uppercase();
        if name.is_empty() {
            return Err(Wrong::new("an empty REQ_TYPE", "leave it out").at(at));
        }
        let taken = PayType::parse(&name).or(known.get(&name).copied());
        if let Some(other) = taken.filter(|other| *other != pay_type) {
            return Err(Wrong::new(
                format!("REQ_TYPE `{name}` already stands for {other}"),
                format!("a REQ_TYPE stands for one pay type; take it from {pay_type} or {other}"),
            )
            .at(at));
        }
        known.insert(name, pay_type);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_rates() {
        for (text, millis) in [("500ms", 500), ("10s", 10_000), (" 5m ", 300_000), ("3h", 10_800_000)] {
            assert_eq!(span(text), Ok(Duration::from_millis(millis)));
        }
        for text in
            ["", "10", "0s", "-1s", "1.5h", "1d", "s", "721h", "18446744073709551615s", "99999999999999999h"]
        {
            assert!(span(text).is_err(), "{text}");
        }
        let within = |text: &str, least| span_within(&Raw::Text(text.to_owned()), least, 60).ok();
        assert_eq!(within("0s", 0), Some(Duration::ZERO), "where the message offers it");
        assert_eq!((within("0s", 1), within("0", 0), within("61s", 0)), (None, None, None));
        let read = |text: &str| rate(&Raw::Text(text.to_owned())).ok().map(|r| r.to_string());
        assert_eq!(read("0.5/s").as_deref(), Some("0.5"));
        for text in ["2", "0/s", "101/s", "1e1/s", "inf/s", "NaN/s", "2/m", "/s", "-1/s", "1.2.3/s"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
