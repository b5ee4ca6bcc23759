//! The gateway's five transports (`spec/ttpay.md` C.4): what arrives is told by path and content type, and the answer
//! goes back the way the question came, in base64 if that came so.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_predefined_entity};
use quick_xml::events::Event;

use super::Call;
use crate::sandbox::form::fields;
use crate::sandbox::mishap::Mishap;
use crate::sandbox::server::Answer;

const NAMESPACE: &str = "http://tempuri.org/";
const SOAP_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const SOAP_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// How a question came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wire {
    shape: Shape,
    base64: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Json,
    /// A JSON string that holds the text.
    JsonString,
    Form,
    Soap {
        twelve: bool,
        operation: String,
    },
}

/// A question without its wrapping.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) wire: Wire,
    /// In lower case.
    pub(super) action: String,
    /// The JSON envelope.
    pub(super) text: String,
}

/// The gateway's answer, each part as text.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) code: &'static str,
    pub(super) words: String,
    pub(super) result: String,
    pub(super) crc: String,
    pub(super) alert: &'static str,
}

impl Told {
    fn parts(&self) -> [(&'static str, &str); 5] {
        [
            ("ErrorCode", self.code),
            ("ErrorMSG", &self.words),
            ("ResObj", &self.result),
            ("CRC", &self.crc),
            ("Alert", self.alert),
        ]
    }

    fn envelope(&self) -> String {
        let members = self.parts().map(|(name, value)| format!("\"{name}\":{}", string(value)));
        format!("{{{}}}", members.join(","))
    }
}

/// A JSON string as .NET's JavaScriptSerializer writes it.
pub(super) fn string(text: &str) -> String {
    let plain = serde_json::Value::from(text).to_string();
    let quoted = [("'", "\\u0027"), ("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")];
    quoted.iter().fold(plain, |text, (letter, code)| text.replace(letter, code))
}

/// Unwraps what came to `Service1.svc/{action}`.
pub(super) fn rest(call: &Call<'_>) -> Result<Asked, Answer> {
    if call.method != "POST" {
        return Err(Answer::status(405, "Method not allowed."));
    }
    let action = call.path.trim_start_matches("/Service1.svc/").to_ascii_lowercase();
    let body = std::str::from_utf8(call.body).map_err(|_| bad_request())?.trim();
    let (shape, text) = if content_type(call).starts_with("application/x-www-form-urlencoded") {
        // What the parameter is called is the gateway's affair; there is only one.
        let mut form = fields(body).ok_or_else(bad_request)?;
        (Shape::Form, form.pop().ok_or_else(bad_request)?.1)
    } else if body.starts_with('"') {
        (Shape::JsonString, serde_json::from_str::<String>(body).map_err(|_| bad_request())?)
    } else {
        (Shape::Json, body.to_owned())
    };
    let (text, base64) = plain(&text)?;
    Ok(Asked { wire: Wire { shape, base64 }, action, text })
}

/// Unwraps what came to `Service1.svc`.
pub(super) fn soap(call: &Call<'_>) -> Result<Asked, Answer> {
    if call.method != "POST" {
        return Err(Answer::status(405, "Method not allowed."));
    }
    let kind = content_type(call);
    let twelve = kind.starts_with("application/soap+xml");
    if !twelve && !kind.starts_with("text/xml") {
        return Err(Answer::status(415, "Unsupported Media Type"));
    }
    let body = std::str::from_utf8(call.body).map_err(|_| bad_request())?;
    let (operation, text) =
        operation(body, if twelve { SOAP_12 } else { SOAP_11 }).ok_or_else(bad_request)?;
    let header = call.headers.get("soapaction").and_then(|value| value.to_str().ok()).unwrap_or("");
    let named = if twelve { kind.split("action=").nth(1).unwrap_or("") } else { header };
    if named.trim_matches('"') != format!("{NAMESPACE}IService1/{operation}") {
        return Err(fault(twelve, "ActionNotSupported"));
    }
    let (text, base64) = plain(&text)?;
    let action = operation.to_ascii_lowercase();
    Ok(Asked { wire: Wire { shape: Shape::Soap { twelve, operation }, base64 }, action, text })
}

fn content_type<'c>(call: &Call<'c>) -> &'c str {
    call.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("")
}

fn bad_request() -> Answer {
    Answer::status(400, "Bad Request")
}

/// The envelope's text, and whether it came in base64.
fn plain(text: &str) -> Result<(String, bool), Answer> {
    if text.trim_start().starts_with('{') {
        return Ok((text.to_owned(), false));
    }
    let bytes = STANDARD.decode(text.trim()).map_err(|_| bad_request())?;
    Ok((String::from_utf8(bytes).map_err(|_| bad_request())?, true))
}

/// Name of the operation and the text of its one parameter. `None` if this is no such document.
fn operation(xml: &str, envelope: &str) -> Option<(String, String)> {
    if !xml.contains(envelope) || !xml.contains(NAMESPACE) {
        return None;
    }
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    let (mut name, mut text) = (None, String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                let full = tag.name().as_ref().to_owned();
                path.push(full.rsplit(':').next().unwrap_or("").to_owned());
                if path.len() == 3 && path[0] == "Envelope" && path[1] == "Body" {
                    name = Some(path[2].clone());
                }
            }
            Event::End(_) => drop(path.pop()),
            Event::Text(piece) if path.len() == 4 => text.push_str(&piece),
            Event::CData(piece) if path.len() == 4 => text.push_str(&piece),
            Event::GeneralRef(name) if path.len() == 4 => match name.resolve_char_ref().ok()? {
                Some(letter) => text.push(letter),
                None => text.push_str(resolve_predefined_entity(&name)?),
            },
            Event::DocType(_) => return None,
            Event::Eof => return name.map(|name| (name, text)),
            _ => {}
        }
    }
}

/// Wraps an answer as its question was wrapped.
pub(super) fn answer(wire: &Wire, told: &Told, mishap: Option<Mishap>) -> Answer {
    let base64 = wire.base64 != (mishap == Some(Mishap::Base64Mismatch));
    let envelope = told.envelope();
    let text = if base64 { STANDARD.encode(&envelope) } else { envelope };
    let (kind, body) = match &wire.shape {
        Shape::JsonString => ("application/json; charset=utf-8", serde_json::Value::from(text).to_string()),
        Shape::Json | Shape::Form if base64 => ("text/plain; charset=utf-8", text),
        Shape::Json | Shape::Form => ("application/json; charset=utf-8", text),
        Shape::Soap { twelve, operation } => {
            let inner = if mishap == Some(Mishap::BareElements) {
                told.parts().map(|(name, value)| format!("<{name}>{}</{name}>", escape(value))).concat()
            } else {
                format!("<{operation}Result>{}</{operation}Result>", escape(text.as_str()))
            };
            let body = format!("<{operation}Response xmlns=\"{NAMESPACE}\">{inner}</{operation}Response>");
            (soap_type(*twelve), in_envelope(*twelve, &body))
        }
    };
    Answer::ok(kind, Bytes::from(body)).after(mishap)
}

/// What IIS answers to an action that the gateway does not have.
pub(super) fn no_such_action(wire: &Wire) -> Answer {
    match &wire.shape {
        Shape::Soap { twelve, .. } => fault(*twelve, "ActionNotSupported"),
        Shape::Json | Shape::JsonString | Shape::Form => Answer::status(404, "Endpoint not found."),
    }
}

fn soap_type(twelve: bool) -> &'static str {
    if twelve { "application/soap+xml; charset=utf-8" } else { "text/xml; charset=utf-8" }
}

fn in_envelope(twelve: bool, body: &str) -> String {
    let namespace = if twelve { SOAP_12 } else { SOAP_11 };
    format!("<s:Envelope xmlns:s=\"{namespace}\"><s:Body>{body}</s:Body></s:Envelope>")
}

fn fault(twelve: bool, code: &str) -> Answer {
    let body = if twelve {
        format!(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>a:{code}</s:Value></s:Subcode></s:Code>\
             <s:Reason><s:Text>{code}</s:Text></s:Reason></s:Fault>"
        )
    } else {
        format!("<s:Fault><faultcode>a:{code}</faultcode><faultstring>{code}</faultstring></s:Fault>")
    };
    Answer::ok(soap_type(twelve), Bytes::from(in_envelope(twelve, &body))).with_status(500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_and_its_parameter() {
        let xml = |ns: &str| {
            format!(
                "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"{ns}\"><soap:Body>\
                 <DownloadBill xmlns=\"http://tempuri.org/\"><request>{{&quot;a&quot;:1}}</request></DownloadBill>\
                 </soap:Body></soap:Envelope>"
            )
        };
        let read = operation(&xml(SOAP_11), SOAP_11).expect("an operation");
        assert_eq!(read, ("DownloadBill".to_owned(), "{\"a\":1}".to_owned()));
        assert_eq!(operation(&xml(SOAP_11), SOAP_12), None);
        assert_eq!(operation("<a/>", SOAP_12), None);
    }

    #[test]
    fn strings_as_dotnet_writes_them() {
        assert_eq!(string("<xml>'a'&\"早\""), "\"\\u003cxml\\u003e\\u0027a\\u0027\\u0026\\\"早\\\"\"");
    }
}
