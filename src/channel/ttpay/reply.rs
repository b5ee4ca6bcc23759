//! The envelope of an answer: taken out of its transport, held against the serial of the question.
//!
//! Tolerant of what WCF and IIS add around it (a BOM, quotes, `{"d":…}`, `…Result`), exact about what it says. An answer
//! with another serial is the answer to another question and is asked again. Source: `spec/ttpay.md`, C.3 and C.4.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::request::{Transport, is_base64};
use super::soap;
use crate::channel::json::{self, Object, Value};
use crate::channel::{Exhausted, Heard, Step, shown, unless_ok};
use crate::domain::Account;

/// The longest answer that is read (C.3.1): a chunk of 4 MiB has 6 MiB as base64 and 8 MiB as base64 of that, and a
/// gateway that knows no chunks sends the whole statement.
pub(super) const REPLY_MAX: usize = 64 << 20;

/// Wrappers inside each other: quotes, base64, `d`, the name of the operation.
const WRAPPERS_MAX: usize = 8;

/// An answer's envelope.
#[derive(Debug)]
pub(super) struct Reply {
    pub error_code: String,
    pub error_message: String,
    /// ResObj; a text, or, from gateways that nest it, an object.
    pub result: Value,
    pub alert: String,
    /// The answer echoes the question's serial.
    pub echoed: bool,
}

/// Why there is no envelope.
#[derive(Debug)]
pub(super) enum Closed {
    /// The gateway does not know the action or the path.
    Unsupported(String),
    Step(Step),
}

/// Reads the answer to the question of `heard.mark`.
pub(super) fn open(account: &Account, heard: &Heard) -> Result<Reply, Closed> {
    let again = |what: String| {
        Closed::Step(Step::again(Exhausted::Rejected, format!("{} answered {what}", heard.source)))
    };
    if matches!(heard.status, 404 | 405) {
        return Err(Closed::Unsupported(format!("{} answered {}", heard.source, heard.status)));
    }
    let soap = Transport::of(account).is_soap();
    // A SOAP fault has status 500, and says more than that.
    let faulty = soap && heard.status == 500 && heard.looks_like_markup();
    if let Some(step) = unless_ok(heard).filter(|_| !faulty) {
        return Err(Closed::Step(step));
    }
    let raw = heard.whole().ok_or_else(|| again(format!("more than {} MiB", REPLY_MAX >> 20)))?;
    let reply = match envelope(account, raw) {
        Ok(reply) => reply,
        Err(Strange::Fault(code, text)) if code.ends_with("ActionNotSupported") => {
            return Err(Closed::Unsupported(format!("{}: {} {}", heard.source, shown(&code), shown(&text))));
        }
        Err(Strange::Fault(code, text)) => {
            return Err(again(format!("a SOAP fault: {} {}", shown(&code), shown(&text))));
        }
        Err(Strange::Base64(why)) => return Err(Closed::Step(Step::Refused(why.into()))),
        Err(Strange::Other(what)) => return Err(again(what.into())),
    };
    let serial = heard.mark.split(' ').next().unwrap_or("");
    match reply.serial.as_str() {
        "" => Ok(Reply { echoed: false, ..reply.reply }),
        echo if echo == serial => Ok(reply.reply),
        echo => Err(again(format!("another question: its serial is {}, ours was {serial}", shown(echo)))),
    }
}

/// The envelope without looking at its serial, for chunks that were checked when they came.
pub(super) fn reopened(account: &Account, raw: &[u8]) -> Option<Reply> {
    envelope(account, raw).ok().map(|marked| marked.reply)
}

struct Marked {
    reply: Reply,
    serial: String,
}

#[derive(Debug)]
enum Strange {
    Fault(String, String),
    /// The two sides disagree about `isbase64`.
    Base64(&'static str),
    Other(&'static str),
}

fn envelope(account: &Account, raw: &[u8]) -> Result<Marked, Strange> {
    let text = std::str::from_utf8(raw).map_err(|_| Strange::Other("bytes that are not UTF-8"))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err(Strange::Other("nothing"));
    }
    if Transport::of(account).is_soap() {
        return from_soap(account, text);
    }
    if text.starts_with('<') {
        return Err(Strange::Other("a page (HTML or XML) where JSON is expected"));
    }
    unwrapped(account, text)
}

fn from_soap(account: &Account, text: &str) -> Result<Marked, Strange> {
    let leaves = soap::leaves(text).ok_or(Strange::Other("no SOAP envelope"))?;
    if let Some((code, text)) = soap::fault(&leaves) {
        return Err(Strange::Fault(code.to_owned(), text.to_owned()));
    }
    let name = |key: &str| account.option(key).trim().to_owned();
    if let Some(code) = soap::leaf(&leaves, &name("gateway.reply_error_code")) {
        let word = |key: &str| soap::leaf(&leaves, &name(key)).unwrap_or("").trim().to_owned();
        let reply = Reply {
            error_code: code.trim().to_owned(),
            error_message: word("gateway.reply_error_message"),
            result: Value::Word(word("gateway.reply_result")),
            alert: word("gateway.reply_alert"),
            echoed: true,
        };
        return Ok(Marked { reply, serial: word("gateway.reply_crc") });
    }
    let result = leaves.iter().find(|(name, _)| name.to_ascii_lowercase().ends_with("result"));
    let (_, text) = result.ok_or(Strange::Other("a SOAP envelope without a result"))?;
    unwrapped(account, text.trim())
}

/// Takes off quotes, base64 and wrappers until the envelope is there.
fn unwrapped(account: &Account, text: &str) -> Result<Marked, Strange> {
    const NONE: Strange = Strange::Other("something else than the gateway's envelope");
    let mut text = text.to_owned();
    let mut was_base64 = false;
    for _ in 0..WRAPPERS_MAX {
        if !was_base64 && let Some(inside) = base64_message(&text) {
            (text, was_base64) = (inside, true);
        }
        match json::parse(&text).ok_or(NONE)? {
            Value::Word(inside) => text = inside.trim().to_owned(),
            Value::Object(object) => match inside_wrapper(&object) {
                Some(Value::Word(inside)) => text = inside.trim().to_owned(),
                Some(Value::Object(inside)) => return marked(account, inside, was_base64),
                _ => return marked(account, &object, was_base64),
            },
            Value::Nothing | Value::List(_) => return Err(NONE),
        }
    }
    Err(NONE)
}

/// `{"d":…}` and `{"downloadbillResult":…}`.
fn inside_wrapper(object: &Object) -> Option<&Value> {
    let (name, value) = object.only()?;
    (name == "d" || name.ends_with("result")).then_some(value)
}

/// The text in a base64 text that holds a message; `None` for everything else.
fn base64_message(text: &str) -> Option<String> {
    let letters: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = BASE64_STANDARD.decode(letters).ok()?;
    let inside = String::from_utf8(bytes).ok()?;
    let inside = inside.trim_start_matches('\u{feff}').trim();
    inside.starts_with(['{', '"', '<']).then(|| inside.to_owned())
}

fn marked(account: &Account, object: &Object, was_base64: bool) -> Result<Marked, Strange> {
    let name = |key: &str| account.option(key).trim();
    let word = |key: &str| object.word(name(key)).to_owned();
    let result = object.get(name("gateway.reply_result")).cloned();
    let code = object.get(name("gateway.reply_error_code"));
    if code.is_none() && result.is_none() {
        return Err(Strange::Other("JSON that is not the gateway's envelope"));
    }
    match (was_base64, is_base64(account)) {
        (true, false) => Err(Strange::Base64(
            "the gateway writes base64, and `gateway.isbase64` is false: set it as in the gateway's web.config \
             (isbase64 = 1)",
        )),
        (false, true) => Err(Strange::Base64(
            "the gateway writes plain JSON, and `gateway.isbase64` is true: set it as in the gateway's web.config \
             (isbase64 = 0)",
        )),
        _ => {
            let reply = Reply {
                error_code: word("gateway.reply_error_code"),
                error_message: word("gateway.reply_error_message"),
                result: result.unwrap_or(Value::Nothing),
                alert: word("gateway.reply_alert"),
                echoed: true,
            };
            Ok(Marked { reply, serial: word("gateway.reply_crc") })
        }
    }
}

/// What is known of the gateway's own errors (A.5): a part of the text, and what to do.
const COMPLAINTS: &[(&[&str], &str)] = &[
    (
        &["账号不存在"],
        "the gateway finds no account for this seller and customer; compare `seller` and `customer` with \
         EB_SELLER (eb_seller_id, xf_customerid)",
    ),
    (
        &["表或视图不存在", "ORA-00942"],
        "tables are missing in the gateway's database (EB_PAYLOG, EB_SELLER*, EB_PARAMS); run its scripts",
    ),
    (
        &["EB_OUTID_SEQUENCE", "ORA-02289"],
        "the sequence EB_OUTID_SEQUENCE is missing in the gateway's database; run its scripts",
    ),
    (&["私钥格式错误"], "the gateway cannot read its RSA key; see ALI_PEM and merchant_private_key there"),
    (&["LicenseCheck"], "the gateway's licence is not valid; its LicenseCheck service must run"),
    (
        &["ILLEGAL_PARTNER", "TLLEGAL_PAETNER"],
        "the pay type does not fit the Alipay account: an account of 2.0 is asked as ALI_20",
    ),
];
/// What may pass.
const PASSING: &[&str] = &["超时", "timeout", "timed out", "无法连接", "webexception"];

impl Reply {
    pub(super) fn is_ok(&self, account: &Account) -> bool {
        let mut codes = account.option("gateway.ok_codes").split(',').map(str::trim);
        codes.any(|code| code == self.error_code && !code.is_empty())
            || self.error_code.is_empty() && !self.is_empty()
    }

    /// ResObj holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        match &self.result {
            Value::Nothing => true,
            Value::Word(text) => matches!(text.trim(), "" | "{}" | "[]" | "null"),
            Value::List(items) => items.is_empty(),
            Value::Object(object) => object.is_empty(),
        }
    }

    fn known(&self) -> Option<&'static str> {
        let is = |texts: &[&str]| texts.iter().any(|text| self.error_message.contains(text));
        COMPLAINTS.iter().find(|(texts, _)| is(texts)).map(|(_, advice)| *advice)
    }

    /// An error of A.5: it is about the gateway or the account, not about one order.
    pub(super) fn is_known(&self) -> bool {
        self.known().is_some()
    }

    /// What an error of the gateway itself means.
    pub(super) fn complaint(&self) -> Step {
        let message = &self.error_message;
        let alert = if self.alert.is_empty() { String::new() } else { format!(" ({})", shown(&self.alert)) };
        let said = format!("the gateway says {} {}{alert}", shown(&self.error_code), shown(message));
        let lower = message.to_lowercase();
        if PASSING.iter().any(|text| lower.contains(text)) {
            return Step::again(Exhausted::Passing, said);
        }
        Step::Refused(match self.known() {
            Some(advice) => format!("{said}: {advice}"),
            None => said,
        })
    }
}
