//! The charsets in which Alipay's older interfaces write and sign, there and back, byte by byte.
//!
//! Never repairs and never replaces: what cannot be written back exactly as it came cannot be verified either.

/// What `_input_charset`, or the declaration of an XML reply, may name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Charset {
    Utf8,
    /// Also `gb2312`, of which it is a superset.
    Gbk,
}

impl Charset {
    /// A name in any case; `None` = one that Alipay does not write.
    pub fn of(name: &str) -> Option<Charset> {
        match name.trim().to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Charset::Utf8),
            "gbk" | "gb2312" | "gb18030" => Some(Charset::Gbk),
            _ => None,
        }
    }

    /// The text as bytes; `None` if the charset lacks one of its characters.
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        if self == Charset::Utf8 {
            return Some(text.as_bytes().to_vec());
        }
        // GBK and its superset differ in one character (the euro sign), so the narrower one is tried first.
        [encoding_rs::GBK, encoding_rs::GB18030].into_iter().find_map(|encoding| {
            let (bytes, _, lacking) = encoding.encode(text);
            (!lacking).then(|| bytes.into_owned())
        })
    }

    /// The bytes as text, if it would be written as exactly these bytes again.
    pub fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Charset::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
            Charset::Gbk => {
                let text = encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes)?;
                (self.encode(&text)? == bytes).then(|| text.into_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let gbk = Charset::Gbk;
        assert_eq!(gbk.encode("测试").as_deref(), Some(&b"\xb2\xe2\xca\xd4"[..]));
        assert_eq!(gbk.decode(b"\xb2\xe2\xca\xd4").as_deref(), Some("测试"));
        assert_eq!(gbk.decode(b"5\x80").as_deref(), Some("5€"));
        assert_eq!(gbk.decode(b"\xb2"), None, "cut inside a character");
        assert_eq!(Charset::Utf8.decode(b"\xb2\xe2"), None);
        assert_eq!(Charset::of(" GB2312 "), Some(gbk));
        assert_eq!(Charset::of("utf-8"), Some(Charset::Utf8));
        assert_eq!(Charset::of("latin1"), None);
    }
}
