//! The little SOAP that the gateway's WCF service speaks: one operation with one text, and its result.
//!
//! Never reads a document type or an entity beyond the five; names are compared without their prefix. Source: SOAP 1.1
//! and 1.2; `spec/ttpay.md`, C.4.

use crate::format::markup::{self, Mark};

pub(super) const ENVELOPE_11: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(super) const ENVELOPE_12: &str = "http://www.w3.org/2003/05/soap-envelope";

/// Elements of one reply that are kept.
const LEAVES_MAX: usize = 256;

/// A request: `operation` with its one parameter.
pub(super) fn request(envelope: &str, namespace: &str, [operation, param]: [&str; 2], text: &str) -> String {
    let text = escaped(text);
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope xmlns:s=\"{envelope}\"><s:Body>\
         <{operation} xmlns=\"{}\"><{param}>{text}</{param}></{operation}></s:Body></s:Envelope>",
        escaped(namespace)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The elements without children of a reply, under their local names; `None` if it is no XML of this kind.
pub(super) fn leaves(text: &str) -> Option<Vec<(String, String)>> {
    let mut leaves = Vec::new();
    let mut is_leaf = false;
    let walked = markup::walk(text, |path, mark| {
        match mark {
            Mark::Open { .. } if leaves.len() == LEAVES_MAX => return Err("it has too many elements".into()),
            Mark::Open { .. } => is_leaf = true,
            Mark::Close { value, .. } => {
                if let Some(name) = path.last().filter(|_| is_leaf) {
                    leaves.push((local(name).to_owned(), value.to_owned()));
                }
                is_leaf = false;
            }
        }
        Ok(())
    });
    walked.ok()?;
    (!leaves.is_empty()).then_some(leaves)
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The first element of that name, of any case.
pub(super) fn leaf<'a>(leaves: &'a [(String, String)], name: &str) -> Option<&'a str> {
    leaves.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, text)| text.as_str())
}

/// A fault: its code and its text.
pub(super) fn fault(leaves: &[(String, String)]) -> Option<(&str, &str)> {
    let old = leaf(leaves, "faultcode").map(|code| (code, leaf(leaves, "faultstring").unwrap_or("")));
    // 1.2: Fault/Code/Value (or Subcode/Value, which says more and comes last) and Fault/Reason/Text.
    let mut values = leaves.iter().filter(|(name, _)| name == "Value").map(|(_, text)| text.as_str());
    old.or_else(|| Some((values.next_back()?, leaf(leaves, "Text")?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_a_fault_and_bare_elements() {
        let text = request(ENVELOPE_11, "http://tempuri.org/", ["op", "p"], "{\"a\":\"<&'\"}");
        let leaves_of = |text: &str| leaves(text).expect("xml");
        assert_eq!(leaf(&leaves_of(&text), "P"), Some("{\"a\":\"<&'\"}"));
        let old = "<s:Envelope xmlns:s=\"x\"><s:Body><s:Fault><faultcode>a:ActionNotSupported</faultcode>\
                   <faultstring xml:lang=\"zh-CN\">no</faultstring></s:Fault></s:Body></s:Envelope>";
        assert_eq!(fault(&leaves_of(old)), Some(("a:ActionNotSupported", "no")));
        let new = "<s:Envelope><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>\
                   <s:Value>a:ActionNotSupported</s:Value></s:Subcode></s:Code><s:Reason><s:Text>no</s:Text>\
                   </s:Reason></s:Fault></s:Body></s:Envelope>";
        assert_eq!(fault(&leaves_of(new)), Some(("a:ActionNotSupported", "no")));
        let bare = leaves_of("<e><b><ErrorCode>0</ErrorCode><ErrorMSG/><ResObj>x&amp;y</ResObj></b></e>");
        assert_eq!((leaf(&bare, "errorcode"), leaf(&bare, "ErrorMSG")), (Some("0"), Some("")));
        assert_eq!((leaf(&bare, "ResObj"), fault(&bare)), (Some("x&y"), None));
    }

    #[test]
    fn nothing_is_expanded_or_nested_without_end() {
        // The documented replies have five levels.
        let deep = format!("{}x{}", "<a>".repeat(17), "</a>".repeat(17));
        let many = format!("<a>{}</a>", "<b>x</b>".repeat(LEAVES_MAX + 1));
        for text in
            ["<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a>&x;</a>", "<a>", "text", "", &deep, &many]
        {
            assert_eq!(leaves(text), None, "{text}");
        }
    }
}
