//! From the provider's word about single orders to lines that can be compared.
//!
//! A provider that is asked tells the state an order has *now*: paid, refunded, undone. A statement would have told the
//! movements. Here the one is turned into the other, for one order at a time and without looking at anything else; what
//! the log says is used only where the provider's word leaves open which movements led to it (`spec/ttpay.md` B.2, B.3).

use super::answers::Line;
use super::{Inquiry, Judged, Told};
use crate::domain::{EntryKind, State};

/// One logged movement, and what the provider said when it was asked about it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub inquiry: Inquiry,
    /// Whether the log holds it as a success.
    pub success: bool,
    pub judged: Judged,
}

/// The lines of one order. A reversal beside its payment needs no question of its own: the payment's answer tells it.
pub fn lines(order: &[Asked]) -> Vec<Line> {
    let has = |kind| order.iter().any(|asked| asked.inquiry.kind == kind);
    let succeeded = |kind| order.iter().any(|asked| asked.inquiry.kind == kind && asked.success);
    let known = Known { refunded: succeeded(EntryKind::Refund), reversed: succeeded(EntryKind::Reversal) };
    let mut lines = Vec::new();
    for asked in order {
        match asked.inquiry.kind {
            EntryKind::Payment => payment(asked, known, &mut lines),
            EntryKind::Refund => refund(asked, &mut lines),
            EntryKind::Reversal if has(EntryKind::Payment) => {}
            EntryKind::Reversal => reversal(asked, &mut lines),
        }
    }
    lines
}

/// What else the log holds of the order as done.
#[derive(Clone, Copy)]
struct Known {
    refunded: bool,
    reversed: bool,
}

fn payment(asked: &Asked, known: Known, lines: &mut Vec<Line>) {
    let Some(told) = told(asked, lines) else { return };
    let paid = line(asked, told, State::Paid);
    match told.state {
        State::Refunded | State::Closed if known.reversed => {
            lines.push(undone(&paid));
            lines.push(paid);
        }
        // Paid and given back: the payment was one, and the refunds are asked about on their own.
        State::Refunded | State::Closed if known.refunded => lines.push(paid),
        State::Reversed if asked.success || known.reversed => {
            lines.push(undone(&paid));
            lines.push(paid);
        }
        // Undone, and the log never held it as paid: nothing is left of it on either side.
        State::Reversed => {}
        state => lines.push(Line { state, ..paid }),
    }
}

fn refund(asked: &Asked, lines: &mut Vec<Line>) {
    let Some(told) = told(asked, lines) else { return };
    let state = match told.state {
        // Accepted and on its way counts as done, as it does in a statement (`spec/wechat.md` 1.8).
        State::Refunded | State::Pending => State::Refunded,
        State::Unknown => State::Unknown,
        _ => State::Failed,
    };
    lines.push(line(asked, told, state));
}

/// A reversal whose payment was logged on another day.
fn reversal(asked: &Asked, lines: &mut Vec<Line>) {
    let Some(told) = told(asked, lines) else { return };
    match told.state {
        State::Reversed | State::Refunded | State::Closed => lines.push(line(asked, told, State::Reversed)),
        State::Unknown => lines.push(line(asked, told, State::Unknown)),
        // Still paid: no line, and the log's reversal stands alone.
        _ => {}
    }
}

/// The provider's word; where there is none, an order that it does not know has no line, and one that could not be
/// asked about has a line that says so.
fn told<'a>(asked: &'a Asked, lines: &mut Vec<Line>) -> Option<&'a Told> {
    match &asked.judged {
        Judged::Told(told) => Some(told),
        Judged::NotFound => None,
        Judged::Unaskable(why) | Judged::Refused(why) | Judged::Rejected(why) | Judged::Again { why, .. } => {
            let Inquiry { order_no, refund_no, trade_no, amount_minor, currency, .. } = asked.inquiry.clone();
            lines.push(Line {
                kind: asked.inquiry.kind,
                order_no,
                refund_no,
                trade_no,
                state: State::Unknown,
                amount_minor,
                told_amount: false,
                currency,
                at: asked.inquiry.logged_at,
                word: why.clone(),
                authentic: false,
            });
            None
        }
    }
}

fn line(asked: &Asked, told: &Told, state: State) -> Line {
    let Inquiry { kind, order_no, refund_no, trade_no, amount_minor, logged_at, currency, .. } =
        &asked.inquiry;
    Line {
        kind: *kind,
        order_no: order_no.clone(),
        refund_no: refund_no.clone(),
        trade_no: if told.trade_no.is_empty() { trade_no } else { &told.trade_no }.clone(),
        state,
        amount_minor: told.amount_minor.or(*amount_minor),
        told_amount: told.amount_minor.is_some(),
        currency: if told.amount_minor.is_some() { told.currency } else { *currency },
        at: told.at.unwrap_or(*logged_at),
        word: told.word.clone(),
        authentic: told.authentic,
    }
}

/// The line that takes a payment back in full.
fn undone(paid: &Line) -> Line {
    Line {
        kind: EntryKind::Reversal,
        state: State::Reversed,
        amount_minor: paid.amount_minor.map(|minor| -minor),
        ..paid.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::channel::answers;
    use crate::domain::{Account, Bill, BillDate, Currency, Errand, Moment, money};
    use crate::format::ReadError;

    fn errand() -> Errand {
        let account = Account { name: "till".into(), merchant: "user-8812".into(), ..Account::default() };
        Errand {
            account: Arc::new(account),
            date: BillDate::parse("20161108").expect("a day"),
            bill: Bill::Trade,
        }
    }

    /// `payment A1 9.99 ok > paid 9.99`: kind, numbers, logged amount, `ok` or `no`, then the answer.
    fn asked(text: &str) -> Asked {
        let (ours, theirs) = text.split_once(" > ").expect(text);
        let [kind, order, amount, success] = ours.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{text}")
        };
        let kind = EntryKind::parse(kind).expect(text);
        let (order_no, refund_no) = order.split_once('/').unwrap_or((order, ""));
        let minor = |text: &str| money::parse_minor(text, 2).ok().map(|minor| kind.sign() * minor);
        let inquiry = Inquiry {
            account: errand().account,
            date: errand().date,
            kind,
            order_no: order_no.into(),
            refund_no: refund_no.into(),
            trade_no: String::new(),
            amount_minor: minor(amount),
            currency: Currency::CNY,
            logged_at: errand().date.start(),
            wallet: String::new(),
        };
        let judged = match theirs.split_once(' ').unwrap_or((theirs, "")) {
            ("none", _) => Judged::NotFound,
            ("unaskable", _) => Judged::Unaskable("no id".into()),
            (state, amount) => Judged::Told(Told {
                state: State::parse(state).expect(text),
                amount_minor: minor(amount),
                currency: Currency::CNY,
                at: Moment::parse("2016-11-08 09:34:03"),
                trade_no: "T1".into(),
                word: state.to_uppercase(),
                authentic: true,
            }),
        };
        Asked { inquiry, success: success == "ok", judged }
    }

    fn told_lines(texts: &[&str]) -> String {
        let order: Vec<Asked> = texts.iter().map(|text| asked(text)).collect();
        let mut shown: Vec<String> = lines(&order)
            .iter()
            .map(|line| {
                let by = if line.told_amount { "" } else { "?" };
                let amount = line.amount_minor.map_or(String::new(), |minor| money::major(minor, 2));
                format!("{} {}{by} {}", line.kind.as_str(), amount, line.state.as_str())
            })
            .collect();
        shown.sort();
        shown.join(", ")
    }

    #[test]
    fn what_the_provider_says_becomes_movements() {
        for (order, expected) in [
            (&["payment A1 9.99 ok > paid 9.99"][..], "payment 9.99 paid"),
            (&["payment A1 9.99 no > paid 9.99"], "payment 9.99 paid"),
            (&["payment A1 9.99 ok > paid"], "payment 9.99? paid"),
            (&["payment A1 9.99 ok > none"], ""),
            (&["payment A1 9.99 ok > closed"], "payment 9.99? closed"),
            (&["payment A1 9.99 ok > unaskable"], "payment 9.99? unknown"),
            (&["payment A1 9.99 ok > refunded 9.99"], "payment 9.99 refunded"),
            (
                &["payment A1 9.99 ok > refunded 9.99", "refund A1/R1 3.00 ok > refunded 3.00"],
                "payment 9.99 paid, refund -3.00 refunded",
            ),
            (
                &["payment A1 9.99 ok > closed", "refund A1/R1 9.99 ok > pending"],
                "payment 9.99? paid, refund -9.99? refunded",
            ),
            (
                &["payment A1 9.99 ok > reversed", "reversal A1 9.99 ok > reversed"],
                "payment 9.99? paid, reversal -9.99? reversed",
            ),
            (&["payment A1 9.99 ok > reversed"], "payment 9.99? paid, reversal -9.99? reversed"),
            (&["payment A1 9.99 no > reversed"], ""),
            (&["reversal A1 9.99 ok > reversed"], "reversal -9.99? reversed"),
            (&["reversal A1 9.99 ok > paid 9.99"], ""),
            (&["refund A1/R1 3.00 ok > failed"], "refund -3.00? failed"),
            (&["refund A1/R1 3.00 ok > none"], ""),
        ] {
            assert_eq!(told_lines(order), expected, "{order:?}");
        }
    }

    #[test]
    fn a_book_is_read_as_it_was_written_whatever_the_order_of_its_lines() {
        let order = [asked("payment A1 9.99 ok > paid 9.99"), asked("payment A0 5.00 no > unaskable")];
        let mut found = lines(&order);
        let bytes = answers::write(&errand(), 2, "", &found);
        found.reverse();
        assert_eq!(answers::write(&errand(), 2, "", &found), bytes);
        assert!(answers::is_book(&bytes));
        let book = answers::read(&errand(), bytes).expect("a book");
        assert!(book.is_answers());
        let shown: Vec<String> = book
            .entries()
            .iter()
            .map(|e| {
                format!(
                    "{} {} {} {:?}",
                    e.line,
                    book.cell(e, crate::domain::Cell::OrderNo),
                    e.state.as_str(),
                    e.amount_minor
                )
            })
            .collect();
        assert_eq!(shown, ["3 A0 unknown Some(500)", "4 A1 paid Some(999)"]);
        assert_eq!(book.remarks().len(), 2, "{:?}", book.remarks());
    }

    #[test]
    fn a_book_that_was_cut_or_is_of_somebody_else_is_refused() {
        let found =
            lines(&[asked("payment A1 9.99 ok > paid 9.99"), asked("payment A2 9.99 ok > paid 9.99")]);
        let text = String::from_utf8(answers::write(&errand(), 2, "", &found)).expect("text");
        let cut = text.rsplit_once("#end").expect("an end").0;
        let missing: String =
            text.lines().filter(|line| !line.contains("\tA2\t")).map(|l| format!("{l}\n")).collect();
        for (text, words) in [
            (cut.to_owned(), "has no end"),
            (missing, "`answers` states 2"),
            (text.replace("user-8812", "user-8813"), "merchant user-8813"),
            (text.replacen("2016-11-08\n", "2016-11-07\n", 1), "bill of 2016-11-07"),
            (text.replace("9.99\tchannel", "9.999\tchannel"), "not a line of answers"),
            (text.replace("#end", "x\n#end"), "not 11 cells"),
        ] {
            let error: ReadError = answers::read(&errand(), text.into_bytes()).expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
