//! 120 texts that a spreadsheet might run: every beginning it could see a formula in, before ten payloads.

/// OWASP's list, the full-width twins, and NUL, which some readers drop.
const STARTS: [&str; 12] = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "\0"];

const PAYLOADS: [&str; 10] = [
    "1+1",
    "cmd|' /C calc'!A0",
    "HYPERLINK(\"http://127.0.0.1/?\"&A1,\"ok\")",
    "IMPORTXML(CONCAT(\"http://127.0.0.1/\",A1),\"//a\")",
    "SUM(A1:A9)*cmd|' /C calc'!A0",
    "12.00",
    "\"quoted\", with a comma",
    "two\r\nlines",
    "=twice",
    "王小明",
];

pub(crate) fn all() -> Vec<String> {
    STARTS.iter().flat_map(|start| PAYLOADS.iter().map(move |payload| format!("{start}{payload}"))).collect()
}

/// What looks a little like a formula and must stay as it is.
pub(crate) const HARMLESS: [&str; 9] = [
    "",
    "*",
    "8888",
    "'",
    "a=b",
    "1-2",
    " =1",
    "金额不符：渠道比网关多 1.00",
    "4200002120161108939585584704",
];
