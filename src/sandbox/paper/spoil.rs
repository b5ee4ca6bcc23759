//! What a scripted fault does to the text of one of WeChat's files after it was written. Faults that change an amount
//! before the totals are added up are the writers' own.

use crate::sandbox::server::Content;

/// The file's bytes, spoiled as asked.
pub(super) fn spoiled(text: String, content: Content) -> Vec<u8> {
    let spoiled = match content {
        Content::TotalsMissing => split(&text).0.to_owned(),
        Content::TotalsTwice => {
            let (_, totals) = split(&text);
            format!("{text}{totals}")
        }
        Content::CountOff => one_more(&text),
        Content::UnknownState => in_first_row(&text, ",`SUCCESS,`", ",`SETTLING,`"),
        Content::OddAmount => odd_amount(&text),
        Content::Revised => text.replace(",`PROCESSING,`", ",`SUCCESS,`"),
        Content::LongLine => in_first_row(&text, ",`pos=", &format!(",`{}", "x".repeat(70_000))),
        Content::NulByte => in_first_row(&text, ",`pos=", ",`\0"),
        Content::RenamedColumn => {
            let (header, rest) = text.split_once("\r\n").unwrap_or((&text, ""));
            let renamed = ["应结订单金额", "收支金额(元)", "Total amount"]
                .iter()
                .fold(header.to_owned(), |header, title| header.replace(title, "金额一"));
            format!("{renamed}\r\n{rest}")
        }
        Content::Utf16 => {
            let text = text.trim_start_matches('\u{feff}');
            return "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        }
        // The rest happens before or after the text is written.
        _ => text,
    };
    spoiled.into_bytes()
}

/// Rows, and the two lines of totals behind them.
fn split(text: &str) -> (&str, &str) {
    let ends: Vec<usize> = text.match_indices("\r\n").map(|(place, _)| place + 2).collect();
    let of_totals = ends.len().checked_sub(3).and_then(|place| ends.get(place));
    text.split_at(of_totals.copied().unwrap_or(0))
}

/// The totals with a row more than there is.
fn one_more(text: &str) -> String {
    let (rows, totals) = split(text);
    let (titles, numbers) = totals.split_once("`").unwrap_or((totals, ""));
    let (count, rest) = numbers.split_once(',').unwrap_or((numbers, ""));
    let more = count.parse::<u64>().unwrap_or(0) + 1;
    format!("{rows}{titles}`{more},{rest}")
}

fn in_first_row(text: &str, from: &str, to: &str) -> String {
    text.replacen(from, to, 1)
}

/// The first amount of the first row: the first cell with a decimal point that is all digits.
fn odd_amount(text: &str) -> String {
    let is_amount = |cell: &&str| {
        cell.split_once('.').is_some_and(|(whole, rest)| {
            !whole.is_empty() && (whole.to_owned() + rest).bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    match text.split(",`").find(is_amount) {
        Some(amount) => in_first_row(text, &format!(",`{amount},`"), ",`1e3,`"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BILL: &str = "\u{feff}交易状态,应结订单金额,订单金额\r\n`2024,`SUCCESS,`38.00,`0.00\r\n`2024,`SUCCESS,`1.00,`0.00\r\n总交易单数,应结订单总金额\r\n`2,`39.00\r\n";

    #[test]
    fn each_way_to_spoil_a_text() {
        let told = |content| String::from_utf8(spoiled(BILL.to_owned(), content)).expect("UTF-8");
        assert_eq!(told(Content::True), BILL);
        assert!(told(Content::TotalsMissing).ends_with("`SUCCESS,`1.00,`0.00\r\n"));
        assert_eq!(told(Content::TotalsTwice).matches("总交易单数").count(), 2);
        assert!(told(Content::CountOff).ends_with("\r\n`3,`39.00\r\n"));
        assert!(told(Content::UnknownState).contains("`2024,`SETTLING,`38.00"));
        assert!(told(Content::OddAmount).contains("`SUCCESS,`1e3,`0.00"));
        assert!(told(Content::RenamedColumn).starts_with("\u{feff}交易状态,金额一,订单金额\r\n"));
        assert!(spoiled(BILL.to_owned(), Content::Utf16).starts_with(&[0xFF, 0xFE]));
    }
}
