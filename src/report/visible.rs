//! Text of strangers, made harmless for a screen.
//!
//! Order numbers, till names and messages of a provider reach a terminal. A control character could move the cursor,
//! an ANSI escape could recolour or hide a line, a bidirectional mark could make `1.00` read as `00.1`; each is shown
//! as `\u{1b}` instead. Nothing else is changed. The files for machines (JSON, CSV) are not touched by this.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with everything invisible spelled out.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            write!(shown, "\\u{{{:x}}}", u32::from(character)).expect("a String takes every text");
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Control characters (C0, DEL, C1), line and paragraph separators, marks of direction, and what has no width.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_is_hidden_is_spelled_out_and_the_rest_is_left_alone() {
        for (text, shown) in [
            ("", ""),
            ("16110809335991735129", "16110809335991735129"),
            ("金额不符：渠道比网关多 1.00", "金额不符：渠道比网关多 1.00"),
            ("\u{1b}[2J\u{1b}[31mpaid", "\\u{1b}[2J\\u{1b}[31mpaid"),
            ("a\r\nb\tc\0", "a\\u{d}\\u{a}b\\u{9}c\\u{0}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}00.1\u{2066}", "\\u{202e}00.1\\u{2066}"),
            ("pay\u{200b}pal\u{feff}", "pay\\u{200b}pal\\u{feff}"),
            ("\u{7f}\u{2028}\u{2029}", "\\u{7f}\\u{2028}\\u{2029}"),
            ("\u{e0041}", "\\u{e0041}"),
            ("emoji 🧾 and ｆｕｌｌ ｗｉｄｔｈ", "emoji 🧾 and ｆｕｌｌ ｗｉｄｔｈ"),
        ] {
            assert_eq!(visible(text), shown, "{text:?}");
        }
    }
}
