//! A value as it was written, before anybody knows what it should be: in the file with its place, or as a text in
//! the environment or behind a flag.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::address::without_password;
use super::problem::Wrong;

/// One written value. No `Debug`: it may be a secret that was written where a reference belongs.
#[derive(Clone)]
pub(super) enum Raw {
    Text(String),
    Number(String),
    Truth(bool),
    /// Texts only; with the place of each.
    List(Vec<(String, Range<usize>)>),
    /// What no key takes: a date, a table, a list of something else, with its place.
    Other(&'static str, Range<usize>),
    /// From the environment or a flag: its reader decides what it is.
    Loose(String),
}

impl Raw {
    pub(super) fn of(value: &Spanned<DeValue<'_>>) -> Raw {
        match value.get_ref() {
            DeValue::String(text) => Raw::Text(text.clone().into_owned()),
            DeValue::Integer(number) => Raw::Number(number.to_string()),
            DeValue::Float(number) => Raw::Number(number.to_string()),
            DeValue::Boolean(truth) => Raw::Truth(*truth),
            DeValue::Datetime(_) => Raw::Other("a date", value.span()),
            DeValue::Table(_) => Raw::Other("a table", value.span()),
            DeValue::Array(items) => {
                let mut texts = Vec::with_capacity(items.len());
                for item in items.iter() {
                    match item.get_ref() {
                        DeValue::String(text) => texts.push((text.clone().into_owned(), item.span())),
                        _ => return Raw::Other("a list with something else than texts in it", item.span()),
                    }
                }
                Raw::List(texts)
            }
        }
    }

    /// What was found instead of what is taken; never the value itself.
    fn instead(&self, takes: &str) -> Wrong {
        let (is, at) = match self {
            Raw::Text(_) | Raw::Loose(_) => ("a text", None),
            Raw::Number(_) => ("a number", None),
            Raw::Truth(_) => ("true or false", None),
            Raw::List(_) => ("a list", None),
            Raw::Other(is, at) => (*is, Some(at.clone())),
        };
        Wrong::new(format!("here is {is}"), takes).at(at)
    }

    /// One text in quotes.
    pub(super) fn text(&self) -> Result<&str, Wrong> {
        match self {
            Raw::Text(text) | Raw::Loose(text) => Ok(text),
            Raw::Number(_) => Err(self.instead("put it in quotes: it is a name, not an amount")),
            Raw::Truth(_) | Raw::List(_) | Raw::Other(..) => Err(self.instead("write one text in quotes")),
        }
    }

    /// One text or a list of them.
    pub(super) fn texts(&self) -> Result<Vec<Text<'_>>, Wrong> {
        match self {
            Raw::Text(text) | Raw::Loose(text) => Ok(vec![(text, None)]),
            Raw::List(list) => Ok(list.iter().map(|(text, at)| (text.as_str(), Some(at.clone()))).collect()),
            Raw::Number(_) => Err(self.instead("put it in quotes: it is a name, not an amount")),
            Raw::Truth(_) | Raw::Other(..) => Err(self.instead("write a text in quotes, or a list of them")),
        }
    }

    /// A whole number between two others, both included.
    pub(super) fn number(&self, least: u32, most: u32) -> Result<u32, Wrong> {
        let takes = format!("write a whole number from {least} to {most}");
        let (Raw::Number(digits) | Raw::Loose(digits)) = self else { return Err(self.instead(&takes)) };
        let number = digits.trim().parse().ok().filter(|n| (least..=most).contains(n));
        number.ok_or_else(|| Wrong::new(format!("`{}` is not possible here", digits.trim()), takes))
    }

    pub(super) fn truth(&self) -> Result<bool, Wrong> {
        match self {
            Raw::Truth(truth) => Ok(*truth),
            Raw::Loose(text) if text == "true" => Ok(true),
            Raw::Loose(text) if text == "false" => Ok(false),
            _ => Err(self.instead("write true or false, without quotes")),
        }
    }

    /// One of a few words.
    pub(super) fn word<'w>(&self, words: &[&'w str]) -> Result<&'w str, Wrong> {
        let text = self.text()?;
        words.iter().find(|w| **w == text).copied().ok_or_else(|| {
            let near = super::nearest(text, words).map_or(String::new(), |w| format!("did you mean `{w}`? "));
            Wrong::new(
                format!("`{text}` is not possible here"),
                format!("{near}possible: {}", words.join(", ")),
            )
        })
    }

    /// As one text, whatever it is; a list is joined by commas.
    pub(super) fn plain(&self) -> String {
        match self {
            Raw::Text(text) | Raw::Loose(text) | Raw::Number(text) => text.clone(),
            Raw::Truth(truth) => truth.to_string(),
            Raw::List(list) => list.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(","),
            Raw::Other(..) => String::new(),
        }
    }

    /// As it would be written in TOML, for `config show`; passwords in addresses are masked.
    pub(super) fn shown(&self) -> String {
        let quoted = |text: &str| format!("{:?}", without_password(text));
        match self {
            Raw::Text(text) | Raw::Loose(text) => quoted(text),
            Raw::Number(digits) => digits.clone(),
            Raw::Truth(truth) => truth.to_string(),
            Raw::List(list) => {
                format!("[{}]", list.iter().map(|(text, _)| quoted(text)).collect::<Vec<_>>().join(", "))
            }
            Raw::Other(is, _) => (*is).to_owned(),
        }
    }
}

/// One of several texts, with its place where it has one of its own.
pub(super) type Text<'r> = (&'r str, Option<Range<usize>>);

/// A key with its value, in the order of the file.
pub(super) struct Pair<'t> {
    pub name: &'t str,
    pub at: Range<usize>,
    pub value: &'t Spanned<DeValue<'t>>,
}

/// The keys of a table in the order of the file; the parser sorts them by name.
pub(super) fn pairs<'t>(table: &'t DeTable<'t>) -> Vec<Pair<'t>> {
    let pair = |(key, value): (&'t Spanned<Cow<'t, str>>, &'t Spanned<DeValue<'t>>)| Pair {
        name: key.get_ref(),
        at: key.span(),
        value,
    };
    let mut pairs: Vec<Pair<'t>> = table.iter().map(pair).collect();
    pairs.sort_by_key(|pair| pair.at.start);
    pairs
}
