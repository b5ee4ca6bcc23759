//! What an answer carries in ResObj: a chunk of a statement, a provider's bytes as they are, or a provider's word.
//!
//! Bytes are told apart by how they begin, never by what the gateway calls them. A provider's word that a day is empty
//! counts as in the direct rooms; the gateway's silence never does. Source: `spec/ttpay.md`, C.3 (5 to 8); the
//! providers' errors: `spec/wechat.md` 1.4, `spec/alipay.md` 2.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::reply::Reply;
use super::request::seller;
use super::soap;
use crate::channel::json::{self, Object, Value};
use crate::channel::{Exhausted, Step, shown, wechat, xml};
use crate::domain::{Account, Errand, Stamp};
use crate::format::unpack;

/// What stands in ResObj.
#[derive(Debug)]
pub(super) enum Content {
    Chunk(Chunk),
    /// The provider's bytes, all of them.
    Whole(Vec<u8>),
}

/// A piece of a statement, with what the gateway says of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub bytes: Vec<u8>,
    pub offset: u64,
    pub length: u64,
    pub total: u64,
    pub end: bool,
    /// SHA-256 of the complete statement, small hex.
    pub sha256: String,
    /// What the gateway says whose statement it is: Type, SellerID, BillDate; empty = not said.
    pub echo: [String; 3],
}

/// Reads ResObj.
///
/// # Errors
///
/// What is wrong with it; the answer must not be read.
pub(super) fn read(account: &Account, result: &Value) -> Result<Content, String> {
    let name = account.option("gateway.reply_content");
    let object = match result {
        Value::Object(object) => Some(object.clone()),
        Value::Word(text) if text.trim_start().starts_with('{') => json::object(text.trim()),
        Value::Nothing | Value::Word(_) | Value::List(_) => None,
    };
    match (object, result) {
        (Some(object), _) if object.get(name).is_some() => chunk(&object, name).map(Content::Chunk),
        (Some(_), Value::Word(text)) => Ok(Content::Whole(text.trim().as_bytes().to_vec())),
        (Some(object), _) => Ok(Content::Whole(object.to_json().into_bytes())),
        (None, Value::Word(text)) => {
            Ok(Content::Whole(from_base64(text).unwrap_or_else(|| text.clone().into())))
        }
        (None, _) => Err("neither a text nor an object".into()),
    }
}

/// A statement in base64, known by how its bytes begin.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let letters: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = BASE64_STANDARD.decode(letters).ok()?;
    let begins = |start: &[u8]| xml::start(&bytes).starts_with(start);
    let known = [b"PK".as_slice(), b"\x1f\x8b", b"`", b"#", b"<", b"{", "交易时间".as_bytes(), &[0xbd, 0xbb]];
    known.into_iter().any(begins).then_some(bytes)
}

fn chunk(object: &Object, name: &str) -> Result<Chunk, String> {
    let content = match object.get(name) {
        Some(Value::Word(text)) => text.as_str(),
        _ => return Err(format!("`{name}` is not a text")),
    };
    let bytes = match object.word("TransferEncoding").to_ascii_lowercase().as_str() {
        "base64" => {
            let letters: String = content.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            BASE64_STANDARD
                .decode(letters)
                .map_err(|_| format!("`{name}` is not the base64 it is said to be"))?
        }
        "none" | "" => content.as_bytes().to_vec(),
        other => return Err(format!("TransferEncoding `{}` is neither base64 nor none", shown(other))),
    };
    let number = |name: &str| object.word(name).parse::<u64>().map_err(|_| format!("no number in `{name}`"));
    let sha256 = object.word("Sha256").to_ascii_lowercase();
    if sha256.len() != 64 || !sha256.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("no SHA-256 of the complete statement in `Sha256`".into());
    }
    let chunk = Chunk {
        offset: number("Offset")?,
        length: number("Length")?,
        total: number("TotalBytes")?,
        end: match object.word("Eof").to_ascii_lowercase().as_str() {
            "1" | "true" => true,
            "0" | "false" => false,
            _ => return Err("`Eof` is neither 0 nor 1".into()),
        },
        sha256,
        echo: ["Type", "SellerID", "BillDate"].map(|name| object.word(name).to_owned()),
        bytes,
    };
    let has = chunk.bytes.len() as u64;
    if has != chunk.length {
        return Err(format!("`Length` says {} bytes, `{name}` has {has}", chunk.length));
    }
    Ok(chunk)
}

impl Chunk {
    /// Whose statement it is; the message names what differs.
    pub(super) fn check_echo(&self, errand: &Errand) -> Result<(), String> {
        let account = &errand.account;
        let [pay_type, seller_id, date] = &self.echo;
        let wrong = |what: &str, found: &str, asked: &str| {
            Err(format!(
                "the gateway gives the statement of {what} `{}`, and `{asked}` was asked for",
                shown(found)
            ))
        };
        if !pay_type.is_empty() && !pay_type.eq_ignore_ascii_case(account.pay_type().as_str()) {
            return wrong("type", pay_type, account.pay_type().as_str());
        }
        if !seller_id.is_empty() && seller_id != seller(account) {
            return wrong("seller", seller_id, seller(account));
        }
        let digits: String = date.chars().filter(char::is_ascii_digit).collect();
        if !digits.is_empty() && digits.get(..8) != Some(&errand.date.compact()) {
            return wrong("day", date, &errand.date.compact());
        }
        Ok(())
    }
}

/// What a provider's bytes are.
pub(super) enum Sniffed {
    Bill,
    /// Alipay's reply: where the bill can be fetched, at once.
    At(String),
    End(Step),
}

/// Bills are what is neither XML nor JSON; those two are a provider's word, or hold a bill (`csv_data`).
pub(super) fn sniff(errand: &Errand, stamp: &Stamp, bytes: &[u8]) -> Sniffed {
    let start = xml::start(bytes);
    match start.first() {
        None => Sniffed::End(Step::again(Exhausted::Rejected, "the gateway gives an empty statement")),
        Some(b'{') => alipay_json(errand, bytes),
        Some(b'<') => match xml::flat(bytes) {
            Some(fields) => Sniffed::End(of_wechat(errand, stamp, &fields)),
            None => alipay_xml(bytes),
        },
        Some(_) => Sniffed::Bill,
    }
}

/// A provider's word beside an error of the gateway: in ResObj, or in the text of the error itself.
pub(super) fn provider_word(errand: &Errand, stamp: &Stamp, reply: &Reply) -> Option<Step> {
    if let Value::Word(text) = &reply.result
        && let Sniffed::End(step @ (Step::NoMovements | Step::NotReady(_))) =
            sniff(errand, stamp, text.as_bytes())
    {
        return Some(step);
    }
    let fields = [("return_msg".to_owned(), reply.error_message.clone())];
    match of_wechat(errand, stamp, &fields) {
        step @ (Step::NoMovements | Step::NotReady(_)) => Some(step),
        _ => None,
    }
}

fn of_wechat(errand: &Errand, stamp: &Stamp, fields: &[(String, String)]) -> Step {
    let [code, message] = ["error_code", "return_msg"].map(|name| xml::field(fields, name));
    let said = format!("WeChat says, through the gateway, {}", shown(&format!("{code} {message}")));
    let message = message.to_ascii_lowercase();
    let passing =
        ["system timeout", "system error", "systemerror", "network traffic limit", "compressgzip error"];
    if message.contains("no bill exist") {
        return wechat::no_bill(errand, stamp);
    }
    if message.contains("bill creating") {
        return Step::NotReady(said);
    }
    if passing.iter().any(|text| message.contains(text)) {
        return Step::again(Exhausted::Passing, said);
    }
    Step::Refused(said)
}

fn alipay_json(errand: &Errand, bytes: &[u8]) -> Sniffed {
    let Some(top) = json::object(&unpack::reply_text(bytes)) else {
        let why = "the gateway passes on JSON that breaks off";
        return Sniffed::End(Step::again(Exhausted::Rejected, why));
    };
    const NODE: &str = "alipay_data_dataservice_bill_downloadurl_query_response";
    let reply = top.inner(NODE).or_else(|| top.inner("error_response")).unwrap_or(top);
    let url = reply.word("bill_download_url");
    if !url.is_empty() {
        return Sniffed::At(url.to_owned());
    }
    let words = [reply.word("code"), reply.word("msg"), reply.word("sub_code"), reply.word("sub_msg")];
    let said = format!("Alipay says, through the gateway, {}", shown(words.join(" ").trim()));
    let sub_code = reply.word("sub_code").to_ascii_uppercase().replace(['-', '.'], "_");
    let has = |code: &str| sub_code.ends_with(code);
    Sniffed::End(match reply.word("code") {
        _ if has("NO_BILL_DATA") || reply.word("bill_file_code") == "EMPTY_DATA_WITH_BILL_FILE" => {
            Step::NoMovements
        }
        _ if has("BILL_NOT_EXIST") => {
            Step::NotReady(format!("{said}: there is no bill of {} yet, or never will be", errand.date))
        }
        "" => {
            Step::Rejected("the gateway passes on JSON that is neither a bill nor a reply of Alipay".into())
        }
        "10000" => Step::NotReady(format!("{said}, and gives no address of the bill yet")),
        "20000" | "40005" => Step::again(Exhausted::Passing, said),
        _ if has("UNKNOW_ERROR") || has("UNKNOWN_ERROR") => Step::again(Exhausted::Passing, said),
        _ => Step::Refused(said),
    })
}

/// Alipay 1.0: `is_success` and, in it, the bill as a text.
fn alipay_xml(bytes: &[u8]) -> Sniffed {
    let text = unpack::reply_text(bytes);
    let leaves = soap::leaves(text.trim_start_matches('\u{feff}').trim()).unwrap_or_default();
    let leaf = |name: &str| soap::leaf(&leaves, name).unwrap_or("").trim();
    Sniffed::End(match leaf("is_success") {
        "F" => Step::Refused(format!("Alipay says, through the gateway, {}", shown(leaf("error")))),
        "T" if !leaf("csv_data").is_empty() => return Sniffed::Bill,
        "T" if leaf("count") == "0" => Step::NoMovements,
        _ => Step::again(
            Exhausted::Rejected,
            "the gateway passes on a page (HTML or XML) where a bill is expected",
        ),
    })
}

/// The bill in a provider's bytes: `csv_data` of an Alipay 1.0 reply, all else as it is.
pub(super) fn bill(bytes: Vec<u8>) -> Vec<u8> {
    if xml::start(&bytes).first() != Some(&b'<') {
        return bytes;
    }
    let text = unpack::reply_text(&bytes);
    let leaves = soap::leaves(text.trim_start_matches('\u{feff}').trim()).unwrap_or_default();
    match soap::leaf(&leaves, "csv_data") {
        Some(csv) => csv.as_bytes().to_vec(),
        None => bytes,
    }
}
