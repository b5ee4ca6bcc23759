//! Whatever movements there are, what is written is what is read.

use nightjob::domain::{Cell, EntryKind, Statement};
use nightjob::format::{alipay_bill, wechat_bill};
use proptest::prelude::*;

use super::asked;
use super::bills::{self, MERCHANT, Movement, PID};

/// What a statement must say of its movements.
fn read_back(statement: &Statement) -> Vec<Movement> {
    let movement = |entry: &nightjob::domain::Entry| {
        let refund = entry.kind == EntryKind::Refund;
        let sign = entry.kind.sign();
        let gross = entry.amount_minor.expect("an amount") * sign;
        let order_no = statement.cell(entry, Cell::OrderNo);
        let start = entry.happened_at.date().start();
        Movement {
            refund,
            number: order_no.trim_start_matches("SP20240307").parse().expect("a number"),
            second: u32::try_from(entry.happened_at.since(start)).expect("a second of the day"),
            gross,
            discount: gross - entry.settled_minor * sign,
            fee_e5: entry.fee_e5 * sign,
            subject: statement.cell(entry, Cell::Subject).to_owned(),
            till: statement.cell(entry, Cell::Till).to_owned(),
        }
    };
    statement.entries().iter().map(movement).collect()
}

fn movements(texts: &'static str) -> impl Strategy<Value = Vec<Movement>> {
    let one = (
        any::<bool>(),
        0..86_400u32,
        0..10_000_000_000i64,
        0..100i64,
        0..1_000_000_000i64,
        texts,
        "[A-Z0-9]{0,8}",
    );
    let build = |rows: Vec<(bool, u32, i64, i64, i64, String, String)>| {
        let number = 0..rows.len() as u64;
        let pairs = rows.into_iter().zip(number);
        pairs
            .map(|((refund, second, gross, percent, fee_e5, subject, till), number)| {
                let discount = gross * percent / 100;
                Movement { refund, number, second, gross, discount, fee_e5, subject, till }
            })
            .collect()
    };
    prop::collection::vec(one, 0..40).prop_map(build)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_wechat_bill_reads_as_it_was_written(movements in movements("[a-c,`\"' =茶𠮷\t]{0,12}")) {
        // A comma and a backtick together are told apart by shapes, which has its own tests.
        let movements: Vec<Movement> = movements
            .into_iter()
            .map(|m| Movement { subject: m.subject.replace(",`", ",").trim_end_matches(',').to_owned(), ..m })
            .collect();
        let raw = bills::wechat(&movements).into_bytes();
        let statement = wechat_bill::read(&asked(MERCHANT, "20240307"), raw).unwrap();
        prop_assert_eq!(read_back(&statement), movements);
    }

    #[test]
    fn an_alipay_bill_reads_as_it_was_written(movements in movements("[a-c`' =茶𠮷]{0,12}")) {
        let movements: Vec<Movement> = movements
            .into_iter()
            .map(|m| Movement { subject: m.subject.trim().to_owned(), fee_e5: m.fee_e5 / 1000 * 1000, ..m })
            .collect();
        let raw = encoding_rs::GB18030.encode(&bills::alipay(&movements)).0.into_owned();
        let statement = alipay_bill::read(&asked(PID, "20240307"), raw).unwrap();
        prop_assert_eq!(read_back(&statement), movements);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(raw in prop::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(wechat_bill::read(&asked(MERCHANT, "20240307"), raw.clone()).is_err());
        prop_assert!(alipay_bill::read(&asked(PID, "20240307"), raw).is_err());
    }

    #[test]
    fn a_bill_with_one_changed_byte_is_read_in_full_or_refused(at in 0..4000usize, byte in any::<u8>()) {
        let movements = bills::day(10);
        let mut raw = bills::wechat(&movements).into_bytes();
        let at = at % raw.len();
        raw[at] = byte;
        if let Ok(statement) = wechat_bill::read(&asked(MERCHANT, "20240307"), raw) {
            prop_assert_eq!(statement.entries().len(), movements.len());
        }
        let mut raw = bills::alipay(&movements).into_bytes();
        let at = at % raw.len();
        raw[at] = byte;
        if let Ok(statement) = alipay_bill::read(&asked(PID, "20240307"), raw) {
            prop_assert_eq!(statement.entries().len(), movements.len());
        }
    }
}
