//! Parameters as they travel in a query or in the body of a form: `name=value&name=value`, percent-encoded.
//!
//! Never signs: what is signed is the bare value. Format: RFC 3986, 2.3 (what stays as it is), in UTF-8.

/// Non-empty parameters in their order; everything but unreserved characters is percent-encoded.
pub fn body(params: &[(&str, &str)]) -> String {
    let filled = params.iter().filter(|(_, value)| !value.is_empty());
    filled.map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// A text with everything but unreserved characters percent-encoded; a blank is `%20`.
pub fn encoded(text: &str) -> String {
    encoded_bytes(text.as_bytes())
}

/// The same of a text in another charset.
pub fn encoded_bytes(text: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(*byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_not_stand_in_a_form_is_encoded_and_what_is_empty_is_left_out() {
        let params = [("a", "x y&z=+"), ("empty", ""), ("b", "早餐"), ("c", "-._~09AZaz")];
        assert_eq!(body(&params), "a=x%20y%26z%3D%2B&b=%E6%97%A9%E9%A4%90&c=-._~09AZaz");
    }
}
