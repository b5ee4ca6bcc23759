//! The envelope of Alipay's JSON replies: which bytes were signed, and by what signature.
//!
//! Works on raw bytes and never re-serialises: escaped slashes, key order and blanks must survive, or no
//! signature would ever verify. Decoding comes after verifying. Format: Alipay open platform, asynchronous
//! verification of synchronous replies; cut as in easysdk's `SignContentExtractor`.

/// The name of the node that a failure before the method was found stands in.
pub const ERROR_ROOT: &str = "error_response";

/// One reply, taken apart but not decoded.
#[derive(Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The name of the node: the method's, or [`ERROR_ROOT`].
    pub root: &'a str,
    /// The signed bytes: the JSON value of the node, braces or quotes included.
    pub node: &'a [u8],
    /// Base64; `None` if the reply carries none.
    pub sign: Option<String>,
}

/// Finds the node and its signature.
///
/// # Errors
///
/// Why it is no such reply: not one JSON object, no node of that name, a name that occurs twice.
pub fn open<'a>(raw: &'a [u8], root: &'a str) -> Result<Envelope<'a>, String> {
    let members = members(raw)?;
    let named = |name: &str| members.iter().filter(|(key, _)| *key == name.as_bytes()).collect::<Vec<_>>();
    let (root, found) = match named(root) {
        none if none.is_empty() => (ERROR_ROOT, named(ERROR_ROOT)),
        some => (root, some),
    };
    let [(_, node)] = found.as_slice() else {
        return Err(if found.is_empty() {
            format!("no `{root}` in it")
        } else {
            format!("two `{root}` in it")
        });
    };
    let quoted = format!("\"{root}\"");
    let end = node.as_ptr() as usize - raw.as_ptr() as usize + node.len();
    if memchr::memmem::find(&raw[end..], quoted.as_bytes()).is_some() {
        return Err(format!("`{root}` occurs again after the signed part"));
    }
    let sign = match named("sign").as_slice() {
        [] => None,
        [(_, value)] => Some(serde_json::from_slice(value).map_err(|_| "`sign` is not a text".to_owned())?),
        _ => return Err("two `sign` in it".into()),
    };
    Ok(Envelope { root, node, sign })
}

/// The bare bytes between the quotes of a name, and of its value.
type Member<'a> = (&'a [u8], &'a [u8]);

/// Top-level members of one JSON object.
fn members(raw: &[u8]) -> Result<Vec<Member<'_>>, String> {
    let mut scan = Scan { raw, at: 0, gbk: std::str::from_utf8(raw).is_err() };
    if raw.starts_with(b"\xef\xbb\xbf") {
        scan.at = 3;
    }
    let broken = || "it is not one JSON object".to_owned();
    let mut found = Vec::new();
    scan.expect(b'{').ok_or_else(broken)?;
    loop {
        let key = scan.text().ok_or_else(broken)?;
        if key.contains(&b'\\') {
            return Err("a name in it is written with escapes".into());
        }
        scan.expect(b':').ok_or_else(broken)?;
        found.push((key, scan.value().ok_or_else(broken)?));
        match scan.next_sign().ok_or_else(broken)? {
            b',' => {}
            b'}' => break,
            _ => return Err(broken()),
        }
    }
    scan.blanks();
    if scan.at == raw.len() { Ok(found) } else { Err(broken()) }
}

/// A reader of JSON's outline: it knows strings, escapes and brackets, and nothing else.
struct Scan<'a> {
    raw: &'a [u8],
    at: usize,
    /// The body is not UTF-8: bytes from 0x81 on lead a pair, whose second byte may look like `\`, `{` or `}`.
    gbk: bool,
}

impl<'a> Scan<'a> {
    fn blanks(&mut self) {
        while self.raw.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn next_sign(&mut self) -> Option<u8> {
        self.blanks();
        let byte = *self.raw.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next_sign()? == wanted).then_some(())
    }

    /// A string: what lies between its quotes.
    fn text(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match *self.raw.get(self.at)? {
                b'"' => break,
                b'\\' => self.at += 2,
                0x81.. if self.gbk => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        self.raw.get(start..self.at - 1)
    }

    /// Any value: its bytes from the first to the last.
    fn value(&mut self) -> Option<&'a [u8]> {
        self.blanks();
        let start = self.at;
        let mut open: Vec<u8> = Vec::new();
        loop {
            match *self.raw.get(self.at)? {
                b'"' => drop(self.text()?),
                b @ (b'{' | b'[') => {
                    open.push(b + 2);
                    self.at += 1;
                }
                b @ (b'}' | b']') if !open.is_empty() => {
                    if open.pop() != Some(b) {
                        return None;
                    }
                    self.at += 1;
                }
                b',' | b'}' | b']' if open.is_empty() => break,
                _ => self.at += 1,
            }
            let whole = matches!(self.raw[start], b'"' | b'{' | b'[');
            if open.is_empty() && whole {
                break;
            }
        }
        let value = self.raw.get(start..self.at)?.trim_ascii_end();
        (!value.is_empty()).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    const ROOT: &str = "alipay_data_dataservice_bill_downloadurl_query_response";

    /// The body of the specification, section 1.4, and its vector.
    #[test]
    fn the_signed_bytes_are_the_node_as_it_stands() {
        let raw = r#"{"alipay_data_dataservice_bill_downloadurl_query_response":{"code":"10000","msg":"Success","bill_download_url":"http:\/\/dwbillcenter.alipay.com\/downloadBillFile.resource?bizType=trade&userId=20889000000000180156&fileType=csv.zip&bizDates=20240502&downloadFileName=20889000000000180156_20240502.csv.zip&fileId=%2Ftrade%2Fx"},"sign":"YWJj\/+=="}"#;
        let envelope = open(raw.as_bytes(), ROOT).expect("a reply");
        assert_eq!(envelope.node.len(), 266);
        assert_eq!(
            hex::encode(Sha256::digest(envelope.node)),
            "77b0da57f6ed559f2f5c572e7075be4e913fff6299cf6b1715cc9362eb5d201d"
        );
        assert_eq!(envelope.sign.as_deref(), Some("YWJj/+=="));
    }

    #[test]
    fn nodes_of_every_shape() {
        for (raw, root, node, sign) in [
            (r#"{"r":{"a":"}\"{"},"sign":"s"}"#, "r", r#"{"a":"}\"{"}"#, Some("s")),
            (r#" {"sign":"s" , "r" : {"a":[{},"]"]} } "#, "r", r#"{"a":[{},"]"]}"#, Some("s")),
            (r#"{"r":"encrypted\/==","sign":"s"}"#, "r", r#""encrypted\/==""#, Some("s")),
            (
                r#"{"r":{"a":"ends in a backslash\\"},"sign":"s"}"#,
                "r",
                r#"{"a":"ends in a backslash\\"}"#,
                Some("s"),
            ),
            (r#"{"error_response":{"code":"40002"}}"#, "error_response", r#"{"code":"40002"}"#, None),
            (r#"{"r":{"a":1},"alipay_cert_sn":"x","sign":"s"}"#, "r", r#"{"a":1}"#, Some("s")),
            ("\u{feff}{\"r\":{},\"sign\":\"s\"}", "r", "{}", Some("s")),
        ] {
            let envelope = open(raw.as_bytes(), "r").expect(raw);
            assert_eq!(
                (envelope.root, envelope.node, envelope.sign.as_deref()),
                (root, node.as_bytes(), sign),
                "{raw}"
            );
        }
    }

    #[test]
    fn what_is_not_one_signed_object_is_refused() {
        for (raw, why) in [
            (r#"{"r":{"a":1},"sign":"s","r":{"a":2}}"#, "two `r`"),
            (r#"{"r":{"a":1},"x":{"r":{}},"sign":"s"}"#, "occurs again"),
            (r#"{"r":{"a":1},"sign":"s","sign":"t"}"#, "two `sign`"),
            (r#"{"r":{"a":1},"\u0072":{"a":2},"sign":"s"}"#, "escapes"),
            (r#"{"r":{"a":1},"sign":1}"#, "not a text"),
            (r#"{"q":{"a":1},"sign":"s"}"#, "no `error_response`"),
            (r#"{"r":{"a":1},"sign":"s"}{"r":1}"#, "not one JSON object"),
            (r#"{"r":{"a":1},"sign":"s""#, "not one JSON object"),
            (r#"{"r":{"a":1,"sign":"s"}"#, "not one JSON object"),
            (r#"{"r":{"a":[}],"sign":"s"}"#, "not one JSON object"),
            (r#"{"r":,"sign":"s"}"#, "not one JSON object"),
            (r#"["r"]"#, "not one JSON object"),
            ("<html>busy</html>", "not one JSON object"),
            ("{}", "not one JSON object"),
            ("", "not one JSON object"),
            ("{\"r\":\"a\\", "not one JSON object"),
        ] {
            let said = open(raw.as_bytes(), "r").expect_err(raw);
            assert!(said.contains(why), "{raw}: {said}");
        }
    }

    /// A GBK body inside a call that asked for UTF-8: second bytes look like `\`, `{` and `}`.
    #[test]
    fn gbk_in_a_utf8_call_does_not_shift_the_cut() {
        let mut raw = br#"{"r":{"code":"20000","sub_msg":""#.to_vec();
        // Pairs whose second byte is 0x5C, 0x7B and 0x7D; the first one stands right before the closing quote.
        raw.extend([0x81, 0x7b, 0x82, 0x7d, 0x83, 0x7d, 0x95, 0x5c]);
        raw.extend(br#""},"sign":"s"}"#);
        let envelope = open(&raw, "r").expect("a reply");
        assert!(envelope.node.starts_with(b"{\"code\"") && envelope.node.ends_with(b"\x95\x5c\"}"));
        let text = crate::format::unpack::reply_text(envelope.node);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
    }
}
