//! The envelope of a question, and the five ways in which it travels.
//!
//! Header and RequestParam with every value a text, in the order of the documented samples; apostrophes are written as
//! the gateway's own serialiser writes them. Source: `spec/ttpay.md`, A.3 (R059 to R063), C.2, C.4.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::soap;
use crate::channel::json::quoted;
use crate::channel::{Request, form};
use crate::domain::{Account, Stamp};
use crate::paylog;

/// How the envelope travels (`gateway.transport`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transport {
    RestJson,
    RestString,
    Form,
    Soap11,
    Soap12,
}

impl Transport {
    /// `config` lets no other name pass.
    pub(super) fn of(account: &Account) -> Transport {
        match account.option("gateway.transport") {
            "rest-string" => Transport::RestString,
            "form" => Transport::Form,
            "soap11" => Transport::Soap11,
            "soap12" => Transport::Soap12,
            _ => Transport::RestJson,
        }
    }

    pub(super) fn is_soap(self) -> bool {
        matches!(self, Transport::Soap11 | Transport::Soap12)
    }
}

/// What the gateway calls this account: its first seller, and how it is found.
pub(super) fn seller(account: &Account) -> &str {
    account.sellers.as_ref().and_then(|sellers| sellers.first()).map_or("", String::as_str)
}

pub(super) fn is_base64(account: &Account) -> bool {
    account.option("gateway.isbase64") == "true"
}

/// A question to the gateway.
pub(super) struct Question<'a> {
    pub account: &'a Account,
    pub stamp: &'a Stamp,
    /// Questions of this conversation so far: each has its own serial.
    pub turn: usize,
    /// The key of the action's name, such as `gateway.action_query`.
    pub action: &'static str,
    /// RequestParam, in its order.
    pub params: &'a [(&'a str, &'a str)],
}

/// `yyyyMMddHHmmssfff` and four digits, fresh for each question: the nonce stands in for the milliseconds and the
/// counter, because the clock here has none and the serial only has to be one that nobody else uses.
pub(super) fn serial(stamp: &Stamp, turn: usize) -> String {
    const DIGITS: u64 = 10_000_000;
    let random = stamp.nonce.get(..15).and_then(|hex| u64::from_str_radix(hex, 16).ok()).unwrap_or(0);
    let last = random.wrapping_add(turn as u64) % DIGITS;
    format!("{}{last:07}", stamp.now.compact())
}

impl Question<'_> {
    pub(super) fn action(&self) -> &str {
        self.account.option(self.action).trim()
    }

    /// The envelope as JSON.
    pub(super) fn envelope(&self, serial: &str) -> String {
        let account = self.account;
        let seller = seller(account);
        let day = self.stamp.now.date().compact();
        let ext = ext_param(&[("CustomerID", &account.customer)]);
        let header = [
            ("TerminalType", Some(account.option("gateway.terminal_type"))),
            ("TXDate", Some(day.as_str())),
            ("MallID", Some(account.option("gateway.mall_id"))),
            ("StoreCode", Some(seller)),
            ("BSStoreCode", Some(seller)),
            ("TillID", Some(account.option("gateway.till_id"))),
            // Rows of this cashier in EB_PAYLOG are our own and never attempts to pay.
            ("CashierNO", Some(paylog::OWN_CASHIER)),
            ("CRC", Some(serial)),
            ("Type", Some(account.pay_type().as_str())),
            ("Key", Some("")),
            ("AccountMode", Some(if seller.is_empty() { "0" } else { "1" })),
            ("SellerID", Some(seller)),
            ("Token", None),
            ("ExtParam", Some(ext.as_str())),
        ];
        let params: Vec<(&str, Option<&str>)> =
            self.params.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let text = format!("{{\"Header\":{},\"RequestParam\":{}}}", object(&header), object(&params));
        text.replace('\'', "\\u0027")
    }

    /// The whole request. Its mark is the serial, and behind it what the room adds.
    pub(super) fn request(&self, remember: &str) -> Request {
        let account = self.account;
        let transport = Transport::of(account);
        let serial = serial(self.stamp, self.turn);
        let mut text = self.envelope(&serial);
        let base64 = is_base64(account);
        if base64 {
            text = BASE64_STANDARD.encode(text);
        }
        let mut request = Request::new("POST", url(account, transport, self.action()), account);
        request.allow_plain_http = account.option("gateway.allow_plain_http") == "true";
        request.mark = format!("{serial} {remember}");
        let json = "application/json; charset=utf-8".to_owned();
        let (kind, body) = match transport {
            Transport::RestJson if base64 => ("text/plain; charset=utf-8".to_owned(), text),
            Transport::RestJson => (json, text),
            Transport::RestString => (json, quoted(&text)),
            Transport::Form => {
                let form = form::body(&[(account.option("gateway.param"), &text)]);
                ("application/x-www-form-urlencoded; charset=utf-8".to_owned(), form)
            }
            Transport::Soap11 => {
                request.headers.push(("soapaction", format!("\"{}\"", soap_action(self))));
                ("text/xml; charset=utf-8".to_owned(), soap_body(self, soap::ENVELOPE_11, &text))
            }
            Transport::Soap12 => {
                let kind = format!("application/soap+xml; charset=utf-8; action=\"{}\"", soap_action(self));
                (kind, soap_body(self, soap::ENVELOPE_12, &text))
            }
        };
        request.headers.push(("content-type", kind));
        request.body = body.into_bytes();
        request
    }
}

/// `url` and `path`; SOAP names its operation elsewhere, so an action at the path's end is left out.
fn url(account: &Account, transport: Transport, action: &str) -> String {
    let base = account.option("gateway.url").trim().trim_end_matches('/');
    let path = account.option("gateway.path").trim().trim_start_matches('/');
    let path = if transport.is_soap() { path.strip_suffix("/{action}").unwrap_or(path) } else { path };
    format!("{base}/{}", path.replace("{action}", action))
}

fn soap_action(question: &Question<'_>) -> String {
    let namespace = question.account.option("gateway.soap_namespace").trim_end_matches('/');
    format!("{namespace}/{}/{}", question.account.option("gateway.soap_contract"), question.action())
}

fn soap_body(question: &Question<'_>, envelope: &str, text: &str) -> String {
    let account = question.account;
    let namespace = account.option("gateway.soap_namespace");
    soap::request(envelope, namespace, [question.action(), account.option("gateway.param")], text)
}

/// A JSON object of texts in the order given; `None` is null.
fn object(members: &[(&str, Option<&str>)]) -> String {
    let member = |(name, value): &(&str, Option<&str>)| {
        format!("{}:{}", quoted(name), value.map_or("null".to_owned(), quoted))
    };
    format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
}

/// The pseudo-JSON of ExtParam, in single quotes (R061); `{}` if there is nothing in it.
pub(super) fn ext_param(members: &[(&str, &str)]) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let filled = members.iter().filter(|(_, value)| !value.is_empty());
    let members: Vec<String> =
        filled.map(|(name, value)| format!("'{}':'{}'", escaped(name), escaped(value))).collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Moment, PayType};

    fn account() -> Account {
        let mut account = Account {
            pay_type: Some(PayType::Wx),
            sellers: Some(vec!["8888".into(), "8889".into()]),
            customer: "TECHTRANS".into(),
            ..Account::default()
        };
        for (key, value) in [
            ("url", "http://127.0.0.1:8080/"),
            ("path", "Service1.svc/{action}"),
            ("action_download", "downloadbill"),
            ("terminal_type", "0"),
            ("mall_id", "*"),
            ("till_id", "99"),
            ("param", "request"),
            ("soap_namespace", "http://tempuri.org/"),
            ("soap_contract", "IService1"),
        ] {
            account.options.insert(format!("gateway.{key}"), value.into());
        }
        account
    }

    fn stamp() -> Stamp {
        Stamp { now: Moment::parse("2016-11-10 03:00:00").unwrap(), nonce: "00000000000012d0ff".into() }
    }

    /// The sample of the specification, C.2, byte for byte.
    #[test]
    fn the_envelope_is_the_documented_one() {
        let (account, stamp) = (account(), stamp());
        let params = [("BillDate", "20161108"), ("BillType", "ALL"), ("ExtParam", "{}")];
        let question = Question {
            account: &account,
            stamp: &stamp,
            turn: 0,
            action: "gateway.action_download",
            params: &params,
        };
        assert_eq!(
            question.envelope("201611100300001230001"),
            r#"{"Header":{"TerminalType":"0","TXDate":"20161110","MallID":"*","StoreCode":"8888","BSStoreCode":"8888","TillID":"99","CashierNO":"NIGHTJOB","CRC":"201611100300001230001","Type":"WX","Key":"","AccountMode":"1","SellerID":"8888","Token":null,"ExtParam":"{\u0027CustomerID\u0027:\u0027TECHTRANS\u0027}"},"RequestParam":{"BillDate":"20161108","BillType":"ALL","ExtParam":"{}"}}"#
        );
    }

    #[test]
    fn a_site_with_one_account_names_no_seller() {
        let (mut account, stamp) = (account(), stamp());
        (account.sellers, account.customer) = (None, String::new());
        let question = Question {
            account: &account,
            stamp: &stamp,
            turn: 0,
            action: "gateway.action_download",
            params: &[],
        };
        let text = question.envelope("1");
        assert!(text.contains(r#""AccountMode":"0","SellerID":"","Token":null,"ExtParam":"{}""#), "{text}");
    }

    #[test]
    fn a_serial_has_21_digits_and_no_two_questions_share_one() {
        let first = serial(&stamp(), 0);
        assert_eq!(first.len(), 21);
        assert!(first.starts_with("20161110030000") && first.bytes().all(|b| b.is_ascii_digit()));
        assert_ne!(first, serial(&stamp(), 1));
        assert_ne!(first, serial(&Stamp { nonce: "10000000000012d0ff".into(), ..stamp() }, 0));
    }

    #[test]
    fn soap_leaves_the_action_out_of_the_path() {
        let account = account();
        for (transport, expected) in [
            (Transport::RestJson, "http://127.0.0.1:8080/Service1.svc/downloadbill"),
            (Transport::Form, "http://127.0.0.1:8080/Service1.svc/downloadbill"),
            (Transport::Soap11, "http://127.0.0.1:8080/Service1.svc"),
            (Transport::Soap12, "http://127.0.0.1:8080/Service1.svc"),
        ] {
            assert_eq!(url(&account, transport, "downloadbill"), expected);
        }
    }
}
