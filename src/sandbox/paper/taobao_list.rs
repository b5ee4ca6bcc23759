//! Writes the list that a Taobao seller exports by hand: a CSV in GBK with titles of its own choice, quoted where a
//! cell needs it. No document describes it: titles, order and words are ours.

use encoding_rs::GBK;

use crate::sandbox::day::SimulatedDay;
use crate::sandbox::lines::{self, What};
use crate::sandbox::numbers::{fee_fen, push_yuan};
use crate::sandbox::town::ACCOUNTS;

const HEADER: &str = "业务时间,订单编号,支付宝流水号,类型,金额（元）,手续费（元）,退款编号,宝贝名称";

/// The list of a day; `None` on a day without movements.
pub(in crate::sandbox) fn write(day: &SimulatedDay, account: u8, day_number: i32) -> Option<Vec<u8>> {
    let listed = lines::of(day, account, day_number);
    if listed.is_empty() {
        return None;
    }
    let rate_e4 = ACCOUNTS[usize::from(account)].rate_e4;
    let mut out = format!("{HEADER}\r\n");
    for line in listed {
        let story = lines::story(day, line.story);
        let (kind, fen, refund_no) = match line.what {
            What::Refund(place) => {
                let refund = lines::refund(day, place);
                ("退款", -refund.billed(), lines::refund_no_in_bill(day, refund))
            }
            // A cancellation names no refund; Alipay then takes the order number.
            What::Reversal => ("退款", -story.amount(), lines::order_no(day, line.story)),
            What::Payment | What::SecondPayment => ("支付", story.billed(line.story), String::new()),
        };
        day.calendar.push_time(&mut out, line.at);
        out.push(',');
        lines::push_order_no(&mut out, day, line.story);
        out.push(',');
        lines::push_trade_no(&mut out, day, line.story, line.what == What::SecondPayment);
        out.push_str(&format!(",{kind},"));
        push_yuan(&mut out, fen);
        out.push(',');
        push_yuan(&mut out, if fen > 0 { fee_fen(fen, rate_e4) } else { 0 });
        out.push_str(&format!(",{refund_no},{}\r\n", quoted(lines::subject(story))));
    }
    Some(GBK.encode(&out).0.into_owned())
}

/// A cell as RFC 4180 has it; what GBK lacks becomes a question mark.
fn quoted(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|letter| if GBK.encode(letter.encode_utf8(&mut [0; 4])).2 { '?' } else { letter })
        .collect();
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
