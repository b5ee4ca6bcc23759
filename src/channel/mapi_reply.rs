//! A reply of Alipay's legacy gateway: what it says, and whether the account's key signed it.
//!
//! Signed are the children of the one element inside `<response>`; one that holds elements itself (`account_log_list`)
//! goes in as its raw XML, tags included. So the reply is decoded strictly and reversibly, and a place in the text is a
//! place in the bytes. `T` means "request accepted", and an `F` has no signature: it may stop something, but it never
//! proves anything. Source: `spec/alipay.md` 3.2 and 3.6.

use super::{Exhausted, Heard, Step, mapi, shown};
use crate::domain::{Account, Secret};
use crate::format::markup::{self, Mark};
use crate::format::unpack::Charset;

/// Why a reply tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Not a whole reply; the next one may be.
    Broken(String),
    /// A reply that may not be believed.
    Unbelievable(String),
    /// The gateway's own `error`, unsigned.
    Error(String),
}

/// A reply whose signature was checked.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// The element inside `<response>`: `trade`, `csv_result`, `account_page_query_result`.
    pub(super) payload: String,
    /// Its children, each with its text, or with its raw XML.
    pub(super) fields: Vec<(String, String)>,
    /// The request that the reply repeats, which no signature covers.
    echo: Vec<(String, String)>,
}

impl Reply {
    /// A field of the payload; empty if there is none.
    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value.trim())
    }

    /// The first parameter that the reply repeats otherwise than it was asked: then it answers another question, even if
    /// the key signed it. One that is not repeated is none.
    pub(super) fn answers(&self, asked: &[(&str, &str)]) -> Result<(), String> {
        let differs = |(name, value): &&(String, String)| {
            asked.iter().any(|(asked, ours)| asked == name && *ours != value.trim())
        };
        match self.echo.iter().find(differs) {
            None => Ok(()),
            Some((name, value)) => Err(format!(
                "Alipay's reply answers another question: its `{}` is `{}`",
                shown(name),
                shown(value)
            )),
        }
    }
}

/// Reads a reply and checks its signature with the account's key.
///
/// # Errors
///
/// [`Trouble`]. What is believed was signed, whatever it says.
pub(super) fn open(account: &Account, heard: &Heard) -> Result<Reply, Trouble> {
    let broken = |why: &str| Trouble::Broken(format!("{} answered {why}", heard.source));
    let raw = heard.whole().ok_or_else(|| broken("more than a reply can be"))?;
    if !heard.looks_like_markup() {
        return Err(broken("something else than the XML that is expected"));
    }
    let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
    let charset = Charset::of(&markup::declared(raw));
    let charset = charset.ok_or_else(|| broken("XML in a charset that Alipay does not write"))?;
    let text = charset.decode(raw).ok_or_else(|| broken("XML that is not in the charset it declares"))?;
    let parsed = Parsed::of(&text).map_err(|why| broken(&format!("no reply: {why}")))?;
    match (parsed.success.as_str(), parsed.error.as_str()) {
        ("T", _) if !parsed.reply.payload.is_empty() => {}
        ("F", error) if !error.is_empty() => return Err(Trouble::Error(error.to_owned())),
        _ => return Err(broken("neither a success with a response nor an error")),
    }
    let key = mapi::key(account).map_err(Trouble::Unbelievable)?;
    parsed.verify(&key, charset)?;
    Ok(parsed.reply)
}

impl From<Trouble> for Step {
    /// As the end of a conversation about a statement.
    fn from(trouble: Trouble) -> Step {
        match trouble {
            Trouble::Broken(why) => Step::again(Exhausted::Rejected, why),
            Trouble::Unbelievable(why) => Step::Rejected(why),
            Trouble::Error(code) if may_pass(&code) => Step::again(Exhausted::Passing, said(&code)),
            Trouble::Error(code) => Step::Refused(said(&code)),
        }
    }
}

/// Errors after which the same question may be answered.
pub(super) fn may_pass(code: &str) -> bool {
    matches!(code, "SYSTEM_ERROR" | "SESSION_TIMEOUT" | "SYSTEM_EXCEPTION")
}

/// The gateway's error, and what a person can do about it.
pub(super) fn said(code: &str) -> String {
    let advice = match code {
        "ILLEGAL_SIGN" => ": check `key`, and that it is the MD5 key of this partner",
        "ILLEGAL_SIGN_TYPE" => ": this partner signs by another method than MD5",
        "ILLEGAL_PARTNER" => ": check `merchant`; the partner number is unknown",
        "ILLEGAL_PARTNER_EXTERFACE" | "HAS_NO_PRIVILEGE" | "ILLEGAL_EXTERFACE" => {
            ": the interface is not in this partner's contract; have it opened, or choose another `service`"
        }
        "ILLEGAL_SERVICE" | "ILLEGAL_ARGUMENT" | "ILLEGAL_CHARSET" => {
            ": the gateway does not take this question; see `service` and `url`"
        }
        "ILLEGAL_USER" | "SELLER_NOT_EXIST" => ": the account is unknown or closed",
        _ => "",
    };
    format!("Alipay says {}{advice}", shown(code))
}

/// A reply as it stands, not yet believed.
#[derive(Default)]
struct Parsed {
    success: String,
    error: String,
    sign: Option<String>,
    sign_type: String,
    reply: Reply,
}

impl Parsed {
    fn of(text: &str) -> Result<Parsed, String> {
        let mut parsed = Parsed::default();
        let mut roots = 0;
        // Where the field of the payload that is open began, and whether it holds elements.
        let mut field = (0, false);
        let mut param = String::new();
        markup::walk(text, |path, mark| {
            let names: Vec<&str> = path.iter().map(String::as_str).collect();
            match (names.as_slice(), mark) {
                ([root], Mark::Open { .. }) => {
                    roots += 1;
                    if *root != "alipay" || roots > 1 {
                        return Err("it is not one `alipay` element".into());
                    }
                }
                (["alipay", name], Mark::Close { value, .. }) => return parsed.top(name, value),
                (["alipay", "request", "param"], Mark::Open { tag, .. }) => {
                    markup::attribute(tag, "name").clone_into(&mut param);
                }
                (["alipay", "request", "param"], Mark::Close { value, .. }) => {
                    parsed.reply.echo.push((std::mem::take(&mut param), value.to_owned()));
                }
                (["alipay", "response", payload], Mark::Open { .. }) => {
                    if !parsed.reply.payload.is_empty() {
                        return Err("its response has two elements".into());
                    }
                    (*payload).clone_into(&mut parsed.reply.payload);
                }
                (["alipay", "response", _, _], Mark::Open { at, .. }) => field = (at, false),
                (["alipay", "response", _, _, ..], Mark::Open { .. }) => field.1 = true,
                (["alipay", "response", _, name], Mark::Close { value, behind }) => {
                    let raw = text.get(field.0..behind).unwrap_or("");
                    let value = if field.1 { raw } else { value };
                    // Lists are signed as XML even if they are empty.
                    let value = if name.ends_with("_list") { raw } else { value };
                    return parsed.field(name, value);
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(parsed)
    }

    fn top(&mut self, name: &str, value: &str) -> Result<(), String> {
        let value = value.trim();
        match name {
            "is_success" if self.success.is_empty() => value.clone_into(&mut self.success),
            "error" => value.clone_into(&mut self.error),
            "sign" if self.sign.is_none() => self.sign = Some(value.to_owned()),
            "sign_type" => value.clone_into(&mut self.sign_type),
            "is_success" | "sign" => return Err(format!("it has two `{name}`")),
            _ => {}
        }
        Ok(())
    }

    fn field(&mut self, name: &str, value: &str) -> Result<(), String> {
        if self.reply.fields.iter().any(|(field, _)| field == name) {
            return Err(format!("its response has two `{}`", shown(name)));
        }
        self.reply.fields.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn verify(&self, key: &Secret, charset: Charset) -> Result<(), Trouble> {
        let fail = |why: &str| Err(Trouble::Unbelievable(format!("Alipay's reply {why}")));
        let Some(sign) = self.sign.as_deref().filter(|sign| !sign.is_empty()) else {
            return fail("says success without a signature of it");
        };
        if !matches!(self.sign_type.as_str(), "" | "MD5") {
            return fail("is signed by another method than MD5; this room has an MD5 key only");
        }
        // Alipay's own client writes `<memo/>` as `<memo></memo>` before it hashes; a reply may have either.
        let raw = self.pairs(str::to_owned);
        let expanded = self.pairs(expanded);
        let verifies = [raw, expanded].iter().any(|pairs| {
            let pairs: Vec<(&str, &str)> =
                pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            mapi::sign(&pairs, key, charset).is_some_and(|ours| ours.eq_ignore_ascii_case(sign))
        });
        if verifies {
            return Ok(());
        }
        fail(
            "has a signature that does not verify: `key` is not this partner's MD5 key, or the reply was changed on the way",
        )
    }

    fn pairs(&self, written: fn(&str) -> String) -> Vec<(String, String)> {
        let is_raw = |value: &str| value.starts_with('<');
        let value = |value: &String| if is_raw(value) { written(value) } else { value.clone() };
        self.reply.fields.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }
}

/// Raw XML with each `<x/>` as `<x></x>`.
fn expanded(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, behind)) = rest.split_once("/>") {
        match before.rsplit_once('<') {
            Some((_, tag)) if !tag.contains('>') && !tag.is_empty() => {
                let name = tag.split_whitespace().next().unwrap_or("");
                text.push_str(before.trim_end());
                text.push_str(&format!("></{name}>"));
            }
            _ => {
                text.push_str(before);
                text.push_str("/>");
            }
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "n0tareal32charkeyn0tareal32char0";

    fn account() -> Account {
        let mut account = Account { merchant: "2088900000000018".into(), ..Account::default() };
        account.secrets.insert("key".into(), Secret::new(KEY));
        account
    }

    fn heard(body: &[u8]) -> Heard {
        Heard {
            status: 200,
            head: body.to_vec(),
            len: body.len() as u64,
            source: "POST https://mapi.alipay.com/gateway.do".into(),
            ..Heard::default()
        }
    }

    fn reply(response: &str, signed: &str, charset: Charset) -> Vec<u8> {
        let sign = hex::encode(<md5::Md5 as md5::Digest>::digest(
            charset.encode(&format!("{signed}{KEY}")).unwrap(),
        ));
        let name = if charset == Charset::Gbk { "GBK" } else { "utf-8" };
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"{name}\"?>\n<alipay><is_success>T</is_success><request><param \
             name=\"partner\">2088900000000018</param></request><response>{response}</response><sign>{sign}</sign>\
             <sign_type>MD5</sign_type></alipay>"
        );
        charset.encode(&text).unwrap()
    }

    fn trade(charset: Charset) -> Vec<u8> {
        reply(
            "<trade><subject>茶&amp;杯</subject><discount/><out_trade_no>A1</out_trade_no></trade>",
            "out_trade_no=A1&subject=茶&杯",
            charset,
        )
    }

    #[test]
    fn what_the_key_signed_is_believed_in_both_charsets() {
        for charset in [Charset::Utf8, Charset::Gbk] {
            let reply = open(&account(), &heard(&trade(charset))).expect("signed");
            assert_eq!((reply.payload.as_str(), reply.field("subject")), ("trade", "茶&杯"));
        }
    }

    #[test]
    fn a_list_is_signed_as_its_raw_xml_as_it_stands_or_expanded() {
        let list = "<account_log_list>\n <R><memo /><x>茶</x></R></account_log_list>";
        let rest = "<has_next_page>F</has_next_page>";
        let xml = format!("<page>{list}{rest}</page>");
        let expanded = list.replace("<memo />", "<memo></memo>");
        for raw in [list, &expanded] {
            let body = reply(&xml, &format!("account_log_list={raw}&has_next_page=F"), Charset::Gbk);
            open(&account(), &heard(&body)).expect("signed");
        }
        let empty = reply(
            &format!("<page><account_log_list/>{rest}</page>"),
            "account_log_list=<account_log_list/>&has_next_page=F",
            Charset::Utf8,
        );
        open(&account(), &heard(&empty)).expect("signed");
    }

    fn refused(body: &[u8]) -> Trouble {
        open(&account(), &heard(body)).expect_err("not believed")
    }

    fn changed(old: &str, new: &str) -> Vec<u8> {
        let text = String::from_utf8(trade(Charset::Utf8)).unwrap();
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text.replace(old, new).into_bytes()
    }

    #[test]
    fn a_changed_field_is_not_believed() {
        assert!(matches!(refused(&changed("A1", "A2")), Trouble::Unbelievable(_)));
        assert!(matches!(refused(&changed("茶", "杯")), Trouble::Unbelievable(_)));
    }

    #[test]
    fn a_field_that_was_added_or_taken_away_is_not_believed() {
        let added = changed("<discount/>", "<discount/><trade_status>TRADE_FINISHED</trade_status>");
        assert!(matches!(refused(&added), Trouble::Unbelievable(_)));
        let taken = changed("<out_trade_no>A1</out_trade_no>", "");
        assert!(matches!(refused(&taken), Trouble::Unbelievable(_)));
    }

    #[test]
    fn a_signature_of_another_key_is_not_believed() {
        let mut other = account();
        other.secrets.insert("key".into(), Secret::new("another32charkeyanother32charkey"));
        let trouble = open(&other, &heard(&trade(Charset::Utf8))).expect_err("another key");
        assert!(matches!(trouble, Trouble::Unbelievable(_)), "{trouble:?}");
    }

    #[test]
    fn success_without_a_signature_proves_nothing() {
        let text = String::from_utf8(trade(Charset::Utf8)).unwrap();
        let start = text.find("<sign>").unwrap();
        let unsigned = format!("{}</alipay>", &text[..start]);
        assert!(
            matches!(refused(unsigned.as_bytes()), Trouble::Unbelievable(why) if why.contains("without"))
        );
    }

    #[test]
    fn two_of_anything_are_no_reply() {
        for (old, new) in [
            ("<discount/>", "<out_trade_no>A2</out_trade_no>"),
            ("</trade>", "</trade><trade><out_trade_no>A2</out_trade_no></trade>"),
            ("<is_success>T</is_success>", "<is_success>F</is_success><is_success>T</is_success>"),
            ("<sign_type>MD5</sign_type>", "<sign>x</sign>"),
            ("</alipay>", "</alipay><alipay/>"),
        ] {
            assert!(matches!(refused(&changed(old, new)), Trouble::Broken(_)), "{new}");
        }
    }

    #[test]
    fn errors_and_what_is_no_reply() {
        let error = b"<alipay><is_success>F</is_success><error>ILLEGAL_SIGN</error></alipay>";
        assert_eq!(refused(error), Trouble::Error("ILLEGAL_SIGN".into()));
        for body in
            ["<html><body>busy</body></html>", "busy", "", "<alipay><is_success>T</is_success></alipay>"]
        {
            assert!(matches!(refused(body.as_bytes()), Trouble::Broken(_)), "{body}");
        }
    }

    #[test]
    fn every_error_ends_the_conversation_as_the_table_says() {
        for (code, end) in [
            ("SYSTEM_ERROR", "again"),
            ("SESSION_TIMEOUT", "again"),
            ("ILLEGAL_SIGN", "refused"),
            ("ILLEGAL_PARTNER", "refused"),
            ("HAS_NO_PRIVILEGE", "refused"),
            ("ILLEGAL_EXTERFACE", "refused"),
            ("ILLEGAL_ARGUMENT", "refused"),
            ("SOMETHING_NEW", "refused"),
        ] {
            let found = match Step::from(Trouble::Error(code.into())) {
                Step::Again { when_exhausted: Exhausted::Passing, .. } => "again",
                Step::Refused(why) if why.contains(code) => "refused",
                other => panic!("{code}: {other:?}"),
            };
            assert_eq!(found, end, "{code}");
        }
    }
}
