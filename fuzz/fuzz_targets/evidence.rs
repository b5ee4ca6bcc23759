//! Any text may stand in the log: reading, telling and folding it must end, without panic, and say the same however the
//! rows are dealt out.

#![no_main]

use std::collections::BTreeMap;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use nightjob::domain::{Account, Claims, PayType};
use nightjob::paylog::{Gatherer, LogRow, Rules, describe, fold};

const ACTIONS: [&str; 6] = ["createandpay", "orderquery", "refund", "refundquery", "reverse", "else"];
const TYPES: [&str; 6] = ["WX", "ALI_20", "ALI", "ALI_OS", "TIANTA", "TEEGON"];

fuzz_target!(|data: &[u8]| {
    // Rows are parted by 0x1e; a row is two letters for action and type, its request, 0x1f, its reply.
    let text = String::from_utf8_lossy(data);
    let rows: Vec<LogRow<'_>> = (0i64..).zip(text.split('\u{1e}')).map(|(id, part)| row(id, part)).collect();
    let accounts = [PayType::Wx, PayType::Ali, PayType::AliOs, PayType::Tianta, PayType::Teegon]
        .map(|pay| Account { name: pay.as_str().to_owned(), pay_type: Some(pay), ..Account::default() });
    let claims = Arc::new(Claims::new(&accounts, &BTreeMap::new()));
    let gathered = |rows: &mut dyn Iterator<Item = &LogRow<'_>>| {
        let mut gatherer = Gatherer::new(claims.clone(), Rules::default());
        rows.for_each(|row| gatherer.push(row));
        gatherer.finish()
    };
    for row in &rows {
        let story = describe(row, Rules::default());
        assert!(!story.summary.contains('\n'));
    }
    let whole = fold([gathered(&mut rows.iter())]);
    let dealt = fold([
        gathered(&mut rows.iter().rev().step_by(2)),
        gathered(&mut rows.iter().rev().skip(1).step_by(2)),
    ]);
    for (one, other) in whole.accounts.iter().zip(&dealt.accounts) {
        assert_eq!(one.arena, other.arena);
        assert_eq!(format!("{:?}", one.orders), format!("{:?}", other.orders));
    }
    assert_eq!(whole.counters, dealt.counters);
});

fn row(row_id: i64, part: &str) -> LogRow<'_> {
    let (head, rest) = part.split_at_checked(2).unwrap_or(("", part));
    let pick = |at: usize| usize::from(head.as_bytes().get(at).copied().unwrap_or_default());
    let (request, reply) = rest.split_once('\u{1f}').unwrap_or((rest, ""));
    LogRow {
        row_id,
        req_date: "2016-11-08 09:00:00",
        req_action: ACTIONS[pick(0) % ACTIONS.len()],
        req_type: TYPES[pick(1) % TYPES.len()],
        req_obj: request,
        res_obj: reply,
        ..LogRow::default()
    }
}
