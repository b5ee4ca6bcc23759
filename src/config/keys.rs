//! The table of keys. A key that is not here does not exist: validation, `config show` and the test that holds
//! `config/nightjob.toml` to it all come from this list. What a key means stands there, beside its default.

use std::path::Path;

use super::problem::Wrong;
use super::raw::Raw;
use super::sellers::{self, SellerRoute};
use super::{Settings, address, value};
use crate::domain::{AmountUnit, BillDate, Lang, PayType};

/// What a reader may need beyond the value.
pub(super) struct Ground<'a> {
    /// Folder that relative paths start from.
    pub home: &'a Path,
    pub today: BillDate,
}

pub(super) struct Key {
    /// `paylog.database`
    pub path: &'static str,
    pub read: fn(&Raw, &Ground<'_>, &mut Settings) -> Result<(), Wrong>,
}

/// The one table with keys of its own choosing: pay types.
pub(super) const REQ_TYPES: &str = "paylog.req_types";
const TRANSPORTS: [&str; 5] = ["rest-json", "rest-string", "form", "soap11", "soap12"];

/// In the order of `config/nightjob.toml`.
pub(super) static KEYS: &[Key] = &[
    Key { path: "paytype", read: |raw, _, s| set(&mut s.paytypes, value::pay_types(raw)) },
    Key { path: "sqe_date", read: |raw, ground, s| set(&mut s.sqe_date, value::sqe_date(raw, ground.today)) },
    // A quarter: older statements are gone at most providers.
    Key { path: "lag_days", read: |raw, _, s| set(&mut s.lag_days, raw.number(1, 90).map(u64::from)) },
    // A month: whoever missed more nights than that decides what to do about them.
    Key {
        path: "catch_up_days",
        read: |raw, _, s| set(&mut s.catch_up_days, raw.number(0, 31).map(u64::from)),
    },
    // Beyond half a day nothing would ever be missed.
    Key { path: "cutoff_minutes", read: |raw, _, s| set(&mut s.cutoff_minutes, raw.number(0, 720)) },
    Key {
        path: "report_lang",
        read: |raw, _, s| set(&mut s.report_lang, raw.word(&["zh-CN", "en"]).map(lang)),
    },
    Key {
        path: "database",
        read: |raw, ground, s| {
            set(&mut s.database, raw.text().and_then(|t| address::database(t, ground.home)))
        },
    },
    Key {
        path: "archive",
        read: |raw, ground, s| set(&mut s.archive, raw.text().and_then(|t| address::path(t, ground.home))),
    },
    Key {
        path: "reports",
        read: |raw, ground, s| set(&mut s.reports, raw.text().and_then(|t| address::path(t, ground.home))),
    },
    Key {
        path: "paylog.database",
        read: |raw, ground, s| {
            set(&mut s.paylog.database, raw.text().and_then(|t| address::log(t, ground.home)))
        },
    },
    Key { path: "paylog.schema", read: |raw, _, s| set(&mut s.paylog.schema, value::identifier(raw)) },
    Key {
        path: "paylog.amount_unit",
        read: |raw, _, s| set(&mut s.paylog.amount_unit, raw.word(&["fen", "yuan"]).map(amount_unit)),
    },
    Key { path: "paylog.isbase64", read: |raw, _, s| set(&mut s.paylog.isbase64, raw.truth()) },
    // A year: a refund of an older payment is found by key, whatever this says.
    Key {
        path: "paylog.look_back_days",
        read: |raw, _, s| set(&mut s.paylog.look_back_days, raw.number(0, 366).map(u64::from)),
    },
    Key {
        path: "paylog.notices",
        read: |raw, ground, s| set(&mut s.paylog.notices, value::notices(raw, ground.home)),
    },
    // The gateway is asked by the channel `ttpay`, whose accounts have these values as they stand here.
    Key { path: "gateway.url", read: |raw, _, _| raw.text().and_then(|url| address::check_http(url, true)) },
    Key { path: "gateway.transport", read: |raw, _, _| raw.word(&TRANSPORTS).map(drop) },
    Key { path: "gateway.isbase64", read: |raw, _, _| raw.truth().map(drop) },
    Key { path: "gateway.allow_plain_http", read: |raw, _, _| raw.truth().map(drop) },
    Key { path: "gateway.path", read: |raw, _, _| raw.text().map(drop) },
    Key { path: "gateway.action_download", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.action_query", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.sweep", read: |raw, _, _| raw.truth().map(drop) },
    Key { path: "gateway.param", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.soap_namespace", read: |raw, _, _| value::filled(raw) },
    Key { path: "gateway.soap_contract", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.terminal_type", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.mall_id", read: |raw, _, _| raw.text().map(drop) },
    Key { path: "gateway.till_id", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.bill_date_key", read: |raw, _, _| value::wire_name(raw) },
    Key {
        path: "gateway.bill_date_format",
        read: |raw, _, _| raw.word(&["yyyyMMdd", "yyyy-MM-dd"]).map(drop),
    },
    Key { path: "gateway.bill_type_key", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.bill_type", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.ok_codes", read: |raw, _, _| raw.texts().map(drop) },
    Key { path: "gateway.reply_error_code", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.reply_error_message", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.reply_result", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.reply_crc", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.reply_alert", read: |raw, _, _| value::wire_name(raw) },
    Key { path: "gateway.reply_content", read: |raw, _, _| value::wire_name(raw) },
    Key {
        path: "http.connect_timeout",
        read: |raw, _, s| set(&mut s.http.connect_timeout, value::span_within(raw, 1, 300)),
    },
    Key {
        path: "http.idle_timeout",
        read: |raw, _, s| set(&mut s.http.idle_timeout, value::span_within(raw, 1, 600)),
    },
    Key { path: "http.tries", read: |raw, _, s| set(&mut s.http.tries, raw.number(1, 20)) },
    Key { path: "http.pause", read: |raw, _, s| set(&mut s.http.pause, value::span_within(raw, 0, 60)) },
    Key { path: "http.rate", read: |raw, _, s| set(&mut s.http.rate_per_second, value::rate(raw)) },
    Key { path: "sellers.from_database", read: |raw, _, s| set(&mut s.sellers.from_database, raw.truth()) },
    Key {
        path: "sellers.route",
        read: |raw, _, s| set(&mut s.sellers.route, raw.word(&["gateway", "direct"]).map(route)),
    },
    Key { path: "sellers.provider_wx", read: |raw, _, s| set(&mut s.sellers.provider_wx, name(raw)) },
    Key { path: "sellers.provider_ali", read: |raw, _, s| set(&mut s.sellers.provider_ali, name(raw)) },
    Key {
        path: "sellers.partners",
        read: |raw, _, s| set(&mut s.sellers.partners, each(raw, sellers::read_partner)),
    },
    Key {
        path: "sellers.options",
        read: |raw, _, s| set(&mut s.sellers.written, each(raw, sellers::read_option)),
    },
];

fn set<T>(place: &mut T, read: Result<T, Wrong>) -> Result<(), Wrong> {
    *place = read?;
    Ok(())
}

fn lang(word: &str) -> Lang {
    Lang::parse(word).unwrap_or(Lang::Zh)
}

fn amount_unit(word: &str) -> AmountUnit {
    if word == "yuan" { AmountUnit::Yuan } else { AmountUnit::Fen }
}

fn route(word: &str) -> SellerRoute {
    if word == "direct" { SellerRoute::Direct } else { SellerRoute::Gateway }
}

fn name(raw: &Raw) -> Result<String, Wrong> {
    raw.text().map(|text| text.trim().to_owned())
}

/// Reads each text of a list; in the environment they are separated by `|`.
fn each<T, C: FromIterator<T>>(raw: &Raw, read: fn(&str) -> Result<T, Wrong>) -> Result<C, Wrong> {
    let mut parts = Vec::new();
    for (text, at) in raw.texts()? {
        match raw {
            Raw::Loose(text) => parts.extend(text.split('|').map(|part| (part.trim(), None))),
            _ => parts.push((text.trim(), at)),
        }
    }
    let filled = parts.into_iter().filter(|(text, _)| !text.is_empty());
    filled.map(|(text, at)| read(text).map_err(|wrong| wrong.at(at))).collect()
}

pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// Tables that hold keys: `paylog`, `http`, … and [`REQ_TYPES`].
pub(super) fn is_table(path: &str) -> bool {
    path == REQ_TYPES || KEYS.iter().any(|key| parent(key.path) == path && !path.is_empty())
}

/// `paylog` of `paylog.database`; empty at the top.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(table, _)| table)
}

pub(super) fn last(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(_, name)| name)
}

/// The pay type of `paylog.req_types.TEEGON`.
pub(super) fn req_type_of(path: &str) -> Option<Result<PayType, Wrong>> {
    let name = path.strip_prefix(REQ_TYPES)?.strip_prefix('.')?;
    Some(value::pay_type(name, None))
}

/// What an unknown key may have been meant to be.
pub(super) fn advice(path: &str) -> String {
    let (table, name) = (parent(path), last(path));
    let shown = |table: &str| {
        if table.is_empty() {
            "at the top, before the first [table]".to_owned()
        } else {
            format!("under [{table}]")
        }
    };
    if let Some(other) = KEYS.iter().find(|key| last(key.path) == name && parent(key.path) != table) {
        return format!("`{name}` belongs {}", shown(parent(other.path)));
    }
    let here: Vec<&str> = names_in(table);
    if let Some(near) = super::nearest(name, &here) {
        return format!("did you mean `{near}`?");
    }
    let all: Vec<&str> = KEYS.iter().map(|key| last(key.path)).collect();
    match super::nearest(name, &all) {
        Some(near) => {
            let path = KEYS.iter().find(|key| last(key.path) == near).map_or("", |key| key.path);
            format!("did you mean `{near}`? It belongs {}", shown(parent(path)))
        }
        None => {
            format!("possible {}: {}", if table.is_empty() { "at the top" } else { "here" }, here.join(", "))
        }
    }
}

/// Keys and tables that may stand in a table.
fn names_in(table: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    let inside = |path: &'static str| match path.strip_prefix(table)? {
        rest if table.is_empty() => rest.split('.').next(),
        rest => rest.strip_prefix('.').and_then(|r| r.split('.').next()),
    };
    for name in KEYS.iter().map(|key| key.path).chain([REQ_TYPES]).filter_map(inside) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if table.is_empty() {
        names.push("account");
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys that `config/nightjob.toml` sets, with whether a comment stands above each.
    fn written() -> Vec<(String, bool)> {
        let (mut table, mut commented, mut keys) = (String::new(), false, Vec::new());
        for line in super::super::DEFAULTS.lines() {
            if let Some(name) = line.strip_prefix('[') {
                table = format!("{}.", name.trim_end_matches(']'));
            } else if let Some((key, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
                keys.push((format!("{table}{}", key.trim()), commented));
            }
            commented = line.starts_with('#');
        }
        keys
    }

    #[test]
    fn the_default_file_holds_every_key_once_in_order_with_a_comment() {
        let expected: Vec<(String, bool)> = KEYS.iter().map(|key| (key.path.to_owned(), true)).collect();
        assert_eq!(written(), expected);
        assert!(super::super::DEFAULTS.contains(&format!("[{REQ_TYPES}]")));
    }
}
