//! Replies in JSON, with every number as it is written: an amount that passes through a float is no amount any more.
//!
//! Names are compared without regard to capitals and `_`, because one provider writes `order_no`, `orderno` and
//! `Order_No`. Strict otherwise: what is not one JSON text is none. Never keeps the order of members. Format: RFC 8259.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// How deep replies nest at most; the deepest documented one has three levels.
const DEPTH_MAX: usize = 16;

/// A value of a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Nothing,
    /// A text, a number as it is written, `true` or `false`.
    Word(String),
    List(Vec<Value>),
    Object(Object),
}

/// The members of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object(BTreeMap<String, Value>);

/// Reads one whole JSON text; `None` if it is anything else, or nests too deep.
pub fn parse(text: &str) -> Option<Value> {
    let text = text.trim_start_matches('\u{feff}');
    read(serde_json::from_str::<&RawValue>(text).ok()?, 0)
}

/// [`parse`], where only an object is an answer.
pub fn object(text: &str) -> Option<Object> {
    match parse(text)? {
        Value::Object(object) => Some(object),
        Value::Nothing | Value::Word(_) | Value::List(_) => None,
    }
}

fn read(raw: &RawValue, depth: usize) -> Option<Value> {
    let text = raw.get();
    if depth == DEPTH_MAX {
        return None;
    }
    Some(match text.as_bytes().first()? {
        b'{' => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
            let members =
                members.into_iter().map(|(name, raw)| Some((normalised(&name), read(raw, depth + 1)?)));
            Value::Object(Object(members.collect::<Option<_>>()?))
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            Value::List(items.into_iter().map(|raw| read(raw, depth + 1)).collect::<Option<_>>()?)
        }
        b'"' => Value::Word(serde_json::from_str(text).ok()?),
        b'n' => Value::Nothing,
        _ => Value::Word(text.to_owned()),
    })
}

/// A name in small letters, without `_`.
pub fn normalised(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
}

impl Value {
    fn to_json(&self) -> String {
        match self {
            Value::Nothing => "null".to_owned(),
            Value::Word(text) => quoted(text),
            Value::List(items) => {
                format!("[{}]", items.iter().map(Value::to_json).collect::<Vec<_>>().join(","))
            }
            Value::Object(object) => object.to_json(),
        }
    }
}

impl Object {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(&normalised(name))
    }

    /// A text or number, trimmed; empty if there is none.
    pub fn word(&self, name: &str) -> &str {
        match self.get(name) {
            Some(Value::Word(text)) => text.trim(),
            _ => "",
        }
    }

    /// The first of several names that has a text or number.
    pub fn first(&self, names: &[&str]) -> &str {
        names.iter().map(|name| self.word(name)).find(|word| !word.is_empty()).unwrap_or("")
    }

    /// An object, also one that is written as a text.
    pub fn inner(&self, name: &str) -> Option<Object> {
        match self.get(name)? {
            Value::Object(object) => Some(object.clone()),
            Value::Word(text) => object(text),
            Value::Nothing | Value::List(_) => None,
        }
    }

    /// Name (normalised) and value of an object that has one member.
    pub fn only(&self) -> Option<(&str, &Value)> {
        let (name, value) = self.0.first_key_value().filter(|_| self.0.len() == 1)?;
        Some((name, value))
    }

    /// The object as JSON, its names normalised and all its words texts.
    pub fn to_json(&self) -> String {
        let members = self.0.iter().map(|(name, value)| format!("{}:{}", quoted(name), value.to_json()));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The text without commas before a closing bracket, which some write behind the last member; texts inside stay as
/// they are.
pub fn without_last_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for letter in text.chars() {
        if !inside && matches!(letter, '}' | ']') {
            let kept = out.trim_end();
            let kept = kept.strip_suffix(',').unwrap_or(kept).len();
            out.truncate(kept);
        }
        inside ^= letter == '"' && !escaped;
        escaped = inside && letter == '\\' && !escaped;
        out.push(letter);
    }
    out
}

/// A text as a JSON string, in quotes.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_as_they_are_written_and_names_have_one_spelling() {
        let reply = object(
            "\u{feff} {\"Order_No\":\"A1\",\"amount\":0.10,\"big\":12345678901234567890,\"none\":null,\"in\":\"{\\\"x\\\":1.00}\",\"l\":[1,{\"y\":true}]}",
        )
        .expect("an object");
        assert_eq!((reply.word("orderno"), reply.word("Amount"), reply.word("none")), ("A1", "0.10", ""));
        assert_eq!(reply.word("big"), "12345678901234567890");
        assert_eq!(reply.inner("in").expect("a text that is an object").word("X"), "1.00");
        assert_eq!(reply.first(&["none", "order_no"]), "A1");
        let Some(Value::List(items)) = reply.get("l") else { panic!("a list") };
        assert_eq!(items[0], Value::Word("1".into()));
    }

    #[test]
    fn commas_behind_the_last_member_go_and_texts_stay() {
        for (text, expected) in [
            ("{\"error\":\"x\",\"result\":\"\",}", "{\"error\":\"x\",\"result\":\"\"}"),
            ("{\"a\":[1, ] , }", "{\"a\":[1] }"),
            ("{\"a\":\",}\\\",]\"}", "{\"a\":\",}\\\",]\"}"),
            ("{\"a\":\"\\\\\",}", "{\"a\":\"\\\\\"}"),
        ] {
            assert_eq!(without_last_commas(text), expected);
        }
    }

    #[test]
    fn what_is_not_one_json_text_is_none() {
        for text in ["", "{", "{}x", "{'a':1}", "{\"a\":01}", "<html>", "{\"a\":1,}"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let deep = format!("{}1{}", "[".repeat(DEPTH_MAX), "]".repeat(DEPTH_MAX));
        assert_eq!(parse(&deep), None);
    }
}
