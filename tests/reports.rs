//! The faces of a report, held against goldens in `fixtures/reports/`.
//!
//! The reports are made by hand, through the same `section` and `day` as a night's; every merchant, order and hash in
//! them is invented. `scripts/bless` rewrites the goldens and shows what changed.

mod common;
#[path = "reports/days.rs"]
mod days;
#[path = "reports/baits.rs"]
mod baits;
#[path = "reports/status.rs"]
mod status;

use std::collections::BTreeSet;

use nightjob::domain::{Lang, MismatchKind};
use nightjob::report::terminal::Style;
use nightjob::report::{MismatchRow, Report, Section, csv, explain, json, proofs, terminal};

use common::golden;

/// One of the hand-made days.
type MakeDay = fn(Lang) -> Report;

const DAYS: [(&str, MakeDay); 4] = [
    ("every_kind", days::every_kind),
    ("ordinary", days::ordinary),
    ("balanced", days::balanced),
    ("not_compared", days::not_compared),
];
const LANGS: [(&str, Lang); 2] = [("zh", Lang::Zh), ("en", Lang::En)];

#[test]
fn every_face_of_every_day_in_both_languages() {
    for (name, make) in DAYS {
        for (code, lang) in LANGS {
            let report = make(lang);
            let file = |ending: &str| format!("fixtures/reports/{name}.{code}.{ending}");
            golden(file("json"), &json::write(&report));
            golden(file("csv"), &csv::write(&report));
            golden(file("txt"), &terminal::write(&report, &Style::plain(lang)));
        }
    }
}

#[test]
fn without_a_ledger_status_says_who_makes_it_or_how_to_have_it_again() {
    use nightjob::report::status::{Lost, Status};
    let day = nightjob::domain::BillDate::parse("20161108").expect("a day");
    let lost = Lost { statements: 1, first: day, last: day };
    for (is_on_server, lost, words, others) in [
        (false, None, "the first `nightjob run` makes it", "migrate"),
        (true, None, "run `nightjob migrate` once", "nightjob run"),
        (false, Some(lost), "`nightjob reconcile --from 2016-11-08 --to 2016-11-08` builds it", "migrate"),
        (true, Some(lost), "`nightjob migrate` and then `nightjob reconcile", "nightjob run"),
    ] {
        let status = Status { is_on_server, lost, ..Status::default() };
        let told = terminal::status(&status, &Style::plain(nightjob::domain::Lang::En));
        assert!(told.contains(words) && !told.contains(others), "{told}");
        assert_eq!(told.contains("a backup"), lost.is_some(), "{told}");
    }
}

#[test]
fn status_in_both_languages_on_a_screen_and_for_machines() {
    for (code, lang) in LANGS {
        let plain = terminal::status(&status::at_work(), &Style::plain(lang));
        golden(format!("fixtures/reports/status.{code}.txt"), &plain);
        let style = Style { color: true, width: Some(80), ..Style::plain(lang) };
        let screen = terminal::status(&status::month(), &style);
        assert!(!screen.contains("\u{1b}[31mHTML"), "a stranger's escape reached the terminal");
        golden(format!("fixtures/reports/status.{code}.screen.txt"), &screen);
        let columns = |line: &str| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
        let grid = screen.lines().take_while(|line| !line.contains("ok done") && !line.contains("已对账"));
        assert!(grid.clone().count() > 12 && grid.clone().all(|line| columns(line) <= 80), "{screen}");
    }
    golden("fixtures/reports/status.json", &format!("{:#}\n", status::month().json()));
}

#[test]
fn explain_in_both_languages_and_for_machines() {
    for (code, lang) in LANGS {
        let explanations = days::explanations(lang);
        golden(
            format!("fixtures/reports/explain.{code}.txt"),
            &explain::write(&explanations, &Style::plain(lang)),
        );
        golden(format!("fixtures/reports/explain.{code}.json"), &explain::json(&explanations));
    }
}

#[test]
fn a_screen_of_eighty_columns_with_colour_and_a_cut_list() {
    for (code, lang) in LANGS {
        let style = Style { lang, color: true, width: Some(80), rows_max: Some(2) };
        let text = terminal::write(&days::every_kind(lang), &style);
        golden(format!("fixtures/reports/every_kind.{code}.screen.txt"), &text.replace('\u{1b}', "<ESC>"));
    }
}

/// A window of 100 columns, which is also what the README quotes.
#[test]
fn an_ordinary_day_on_a_screen_of_a_hundred_columns() {
    for (code, lang) in LANGS {
        let style = Style { width: Some(100), rows_max: Some(20), ..Style::plain(lang) };
        golden(
            format!("fixtures/reports/ordinary.{code}.screen.txt"),
            &terminal::write(&days::ordinary(lang), &style),
        );
    }
}

#[test]
fn a_screen_hides_the_proofs_of_a_balanced_unit_only_as_long_as_they_close() {
    let style = Style { rows_max: Some(20), ..Style::plain(Lang::En) };
    let mut report = days::balanced(Lang::En);
    assert!(!terminal::write(&report, &style).contains("proof 3, bridge"));
    report.units[0].bridge[0].channel_minor += 1;
    assert!(terminal::write(&report, &style).contains("proof 3, bridge"));
}

#[test]
fn the_hand_made_days_close_their_proofs_and_show_every_kind() {
    for (_, lang) in LANGS {
        for (name, make) in DAYS {
            for unit in make(lang).units {
                assert_eq!(proofs::open(&unit), Vec::<String>::new(), "{name}");
            }
        }
        let report = days::every_kind(lang);
        let kinds: BTreeSet<&str> =
            report.units.iter().flat_map(|u| &u.mismatches).map(|m| m.kind.as_str()).collect();
        assert_eq!(kinds, MismatchKind::ALL.into_iter().map(MismatchKind::as_str).collect());
    }
}

#[test]
fn codes_keys_and_amounts_do_not_change_with_the_language() {
    let bare = |lang| {
        let mut report = days::every_kind(lang);
        for unit in &mut report.units {
            unit.reason.clear();
            unit.remarks.clear();
            unit.mismatches.iter_mut().for_each(|m| m.reason.clear());
        }
        json::write(&report)
    };
    assert!(bare(Lang::Zh) == bare(Lang::En), "a word of a language stands outside reasons and remarks");
}

#[test]
fn a_section_that_the_ledger_kept_is_the_same_section() {
    for unit in days::every_kind(Lang::Zh).units {
        assert_eq!(json::read_section(&json::write_section(&unit)).expect("readable"), unit);
    }
}

#[test]
fn the_contracts_example_line() {
    let text = csv::write(&days::contract_example());
    let mut lines = text.split("\r\n");
    assert_eq!(
        lines.next(),
        Some(
            "\u{feff}id,bill_date,account,paytype,kind,entry,order_no,refund_no,trade_no,gateway_amount,\
             channel_amount,difference,currency,gateway_state,channel_state,gateway_time,channel_time,mall,store,\
             till,cashier,reason,evidence"
        )
    );
    assert_eq!(
        lines.next(),
        Some(
            "3f9a0c61d2b47e58,2016-11-08,wx,WX,amount_mismatch,payment,16110809335991735129,,\
             4200002120161108939585584704,999.99,1000.99,1.00,CNY,paid,paid,2016-11-08 09:33:59,\
             2016-11-08 09:34:03,*,8888,01,8888,金额不符：渠道比网关多 1.00,statement:211 log:3"
        )
    );
    assert_eq!((lines.next(), lines.next()), (Some(""), None));
}

/// The cells of the only row of a report whose mismatch was changed so.
fn cells(change: impl Fn(&mut MismatchRow)) -> Vec<String> {
    let mut report = days::contract_example();
    let row = &mut report.units[0].mismatches;
    row.truncate(1);
    change(&mut row[0]);
    let text = csv::write(&report);
    let mut reader = ::csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let records: Vec<::csv::StringRecord> = reader.records().map(|r| r.expect("a record")).collect();
    assert_eq!(records.len(), 1, "a bait broke the row: {text:?}");
    records[0].iter().map(str::to_owned).collect()
}

/// Fills every text column that holds words of strangers.
fn bait(row: &mut MismatchRow, text: &str) {
    for cell in [
        &mut row.account,
        &mut row.paytype,
        &mut row.order_no,
        &mut row.refund_no,
        &mut row.trade_no,
        &mut row.mall,
        &mut row.store,
        &mut row.till,
        &mut row.cashier,
        &mut row.reason,
    ] {
        text.clone_into(cell);
    }
}

#[test]
fn no_text_of_a_stranger_is_a_formula_in_a_spreadsheet() {
    const BAITED: [usize; 10] = [2, 3, 6, 7, 8, 17, 18, 19, 20, 21];
    let baits = baits::all();
    assert_eq!(baits.len(), 120);
    for text in &baits {
        let cells = cells(|row| bait(row, text));
        for at in BAITED {
            assert_eq!(cells[at], format!("'{text}"), "column {}", csv::HEADER[at]);
        }
    }
    for text in baits::HARMLESS {
        let cells = cells(|row| bait(row, text));
        for at in BAITED {
            assert_eq!(cells[at], text, "column {}", csv::HEADER[at]);
        }
    }
}

#[test]
fn a_negative_amount_stays_a_number_and_a_missing_one_stays_empty() {
    let cells = cells(|row| {
        row.gateway_amount_minor = Some(-1);
        row.channel_amount_minor = None;
        row.difference_minor = i64::MIN;
        row.currency = "JPY".into();
    });
    assert_eq!(cells[9..12], ["-1", "", "-9223372036854775808"]);
}

#[test]
fn rows_are_ordered_by_account_kind_size_order_and_refund_whatever_order_they_came_in() {
    let row = |account: &str, kind: &str, difference_minor, order_no: &str, refund_no: &str| MismatchRow {
        account: account.into(),
        kind: kind.into(),
        difference_minor,
        order_no: order_no.into(),
        refund_no: refund_no.into(),
        ..days::contract_example().units[0].mismatches[0].clone()
    };
    let wanted = vec![
        row("B", "gateway_only", 1, "9", ""),
        row("a", "duplicate_row", 1, "9", ""),
        row("a", "amount_mismatch", -300, "7", ""),
        row("a", "amount_mismatch", 200, "1", ""),
        row("a", "amount_mismatch", -200, "2", ""),
        row("a", "amount_mismatch", 200, "2", "R1"),
        row("a", "gateway_only", 9_999, "0", ""),
    ];
    let mut report = days::contract_example();
    let mut texts = BTreeSet::new();
    for turn in 0..wanted.len() {
        let mut rows = wanted.clone();
        rows.rotate_left(turn);
        report.units[0].mismatches = rows;
        texts.insert(csv::write(&report));
    }
    report.units[0].mismatches = wanted.clone();
    assert_eq!(texts.len(), 1);
    let text = texts.pop_first().expect("one text");
    let keys: Vec<String> =
        text.lines().skip(1).map(|l| l.split(',').nth(6).expect("cells").into()).collect();
    assert_eq!(keys, wanted.iter().map(|r| r.order_no.clone()).collect::<Vec<String>>());
}

#[test]
fn no_raw_control_character_reaches_a_screen() {
    for (_, lang) in LANGS {
        let mut report = days::every_kind(lang);
        for unit in &mut report.units {
            for text in [&mut unit.account, &mut unit.reason] {
                text.push_str("\u{1b}[2J\u{202e}\u{7}");
            }
            unit.remarks.push("\u{1b}]0;title\u{7}".into());
            unit.totals.iter_mut().for_each(|row| row.title.push('\u{9b}'));
            unit.mismatches.iter_mut().for_each(|row| bait(row, "x\u{1b}[31m\r\nfake: paid\u{200b}"));
            unit.timing.iter_mut().for_each(|row| row.order_no.push('\u{1b}'));
        }
        report.unclaimed.iter_mut().for_each(|row| row.seller.push_str("\u{1b}\n"));
        let style = Style::plain(lang);
        let mut explanations = days::explanations(lang);
        bait(&mut explanations[0].item, "x\u{1b}[31m\r\nfake\u{200b}");
        explanations[0].lines[0].text.push_str("\u{1b}\nfake");
        explanations[0].lines[0].part.push_str("\u{1b}\nfake");
        explanations[0].log[0].reply.push_str("\u{1b}\nfake");
        explanations[0].log[0].action.push_str("\u{1b}\nfake");
        explanations[1].looked[0].found.push_str("\u{1b}\nfake");
        explanations[1].remarks.push("\u{1b}\nfake".into());
        for text in [terminal::write(&report, &style), explain::write(&explanations, &style)] {
            let raw =
                text.chars().find(|c| (c.is_control() && *c != '\n') || "\u{202e}\u{200b}".contains(*c));
            assert_eq!(raw, None);
            assert!(!text.contains("\nfake"), "a stranger's text began a line of its own");
        }
    }
}

#[test]
fn null_keys_and_missing_times_do_not_borrow_from_another_row() {
    let report = days::every_kind(Lang::En);
    let row = |order: &str| {
        let rows = &report.units[0].mismatches;
        rows.iter().find(|r| r.order_no == order).expect("an order of the hand-made day")
    };
    let one_sided = row("16110800000000000009");
    assert_eq!((one_sided.gateway_time.as_str(), one_sided.gateway_amount_minor), ("", None));
    let other_side = row("16110800000000000010");
    assert_eq!((other_side.channel_time.as_str(), other_side.trade_no.as_str()), ("", ""));
}

/// A name, and what is done to a section whose proofs close.
type Damage = (&'static str, fn(&mut Section));

const DAMAGES: [Damage; 13] = [
    ("a total of the file is off by a fen", |s| s.totals[1].stated = "13617.42".into()),
    ("the ledger lacks a row", |s| s.totals[3].ledger = "210".into()),
    ("a line ended nowhere", |s| s.conservation.lines.rest.count = 1),
    ("a line ended nowhere, and the total admits it", |s| {
        s.conservation.lines.rest.count = 1;
        s.conservation.lines.total.count += 1;
    }),
    ("a line was counted twice", |s| s.conservation.lines.matched.count += 1),
    ("a fen of the orders ended nowhere", |s| s.conservation.orders.total.amount_minor += 1),
    ("the bridge admits a rest", |s| s.bridge[0].unexplained_minor = 1),
    ("the bridge hides a rest", |s| s.bridge[0].channel_minor += 1),
    ("two steps are wrong and cancel out", |s| {
        s.bridge[0].steps[0].amount_minor += 1;
        s.bridge[0].steps[1].amount_minor -= 1;
    }),
    ("a mismatch is missing from the list", |s| {
        s.mismatches.pop();
    }),
    ("a mismatch has another difference", |s| s.mismatches[0].difference_minor += 1),
    ("a timing item is missing from the list", |s| {
        s.timing.pop();
    }),
    ("it is called balanced with mismatches", |s| s.verdict = "balanced".into()),
];

#[test]
fn every_damage_to_a_proof_is_seen() {
    let whole = days::every_kind(Lang::En).units.swap_remove(0);
    assert_eq!(proofs::open(&whole), Vec::<String>::new());
    for (name, damage) in DAMAGES {
        let mut section = whole.clone();
        damage(&mut section);
        let open = proofs::open(&section);
        assert!(!open.is_empty(), "not seen: {name}");
        assert!(open.iter().all(|text| text.starts_with("mall-wx: ")), "{open:?}");
    }
}
