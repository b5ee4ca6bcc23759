//! Elements of the old interface's XML, without CDATA: the few characters that need it are escaped.

/// Appends `<name>value</name>`.
pub(in crate::sandbox) fn text(out: &mut String, name: &str, value: &str) {
    filled(out, name, |out| push_escaped(out, value));
}

/// Appends an element whose content a closure writes; what it writes must need no escaping.
pub(in crate::sandbox) fn filled(out: &mut String, name: &str, value: impl FnOnce(&mut String)) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    value(out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Appends `<param name="…">value</param>`, as the old interface repeats the request.
pub(in crate::sandbox) fn param(out: &mut String, name: &str, value: &str) {
    out.push_str("<param name=\"");
    push_escaped(out, name);
    out.push_str("\">");
    push_escaped(out, value);
    out.push_str("</param>");
}

/// Text as it may stand in an element or an attribute.
pub(in crate::sandbox) fn push_escaped(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
}
