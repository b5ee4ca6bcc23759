//! `verify`: whatever was changed behind the program's back is found, with its place, and exits 13.

use std::path::Path;

use crate::site::{Ran, SiteFolder, bill, paid, ran};
use crate::town::{Town, every_room, usual};

/// A night with one mismatch of each side, and a second one in which the statement is another.
fn two_nights() -> SiteFolder {
    let site = one_night();
    site.statement(bill(&[("A1", "12.00"), ("A2", "100.00"), ("A5", "3.00")]));
    site.run(&[]).expect(10);
    site
}

fn one_night() -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00"), ("A2", "100.00"), ("A3", "5.00")]));
    site.log([paid("A1", 1200, "09:00:00"), paid("A2", 9999, "09:01:00"), paid("A4", 700, "09:03:00")]);
    site.run(&[]).expect(10);
    site
}

/// Changes the ledger behind the program's back.
pub(crate) fn sql(site: &SiteFolder, statements: &str) {
    use sqlx::Connection as _;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let url = format!("sqlite:{}", site.path("data/nightjob.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a ledger");
        let script = sqlx::AssertSqlSafe(statements.to_owned());
        let done = sqlx::raw_sql(script).execute(&mut connection).await.expect("sound SQL");
        assert!(done.rows_affected() > 0, "{statements} changed nothing");
        connection.close().await.expect("closed");
    });
}

/// The objects of the archive, by path.
fn objects(site: &SiteFolder) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(site.path("data/archive/objects")).expect("objects").flatten() {
        found.extend(std::fs::read_dir(folder.path()).expect("a folder").flatten().map(|file| file.path()));
    }
    found.sort();
    found
}

/// Writes a file that only its owner may read.
fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::remove_file(path).expect("a file");
    std::fs::write(path, bytes).expect("a file");
}

/// Each damage as the JSON tells it: what, and where.
fn damages(ran: &Ran) -> Vec<(String, String)> {
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    document["damage"]
        .as_array()
        .expect("damage")
        .iter()
        .map(|d| (text(&d["what"]), text(&d["place"])))
        .collect()
}

#[track_caller]
fn finds(site: &SiteFolder, words: &[&str]) -> Vec<(String, String)> {
    let mut ran = site.run(&["verify"]).expect(13);
    for word in words {
        ran = ran.says(word);
    }
    damages(&site.run(&["verify", "--json"]).expect(13))
}

#[test]
fn what_several_nights_left_is_proven() {
    let site = two_nights();
    site.run(&[]).expect(10);
    site.run(&["reconcile"]).expect(10);
    site.run(&["verify"]).expect(0).says("1 of 1 units proven").says("0 damaged places");
    site.run(&["verify", "--date", "20161108", "--account", "wx"]).expect(0).says("1 of 1 units proven");
    // Who asks about a day wants to hear of it.
    site.run(&["verify", "--date", "20161101"]).expect(10).says("holds nothing of what was asked for");
    site.run(&["verify", "--account", "wxx"]).expect(2).says("did you mean `wx`?");
    let ran = site.run(&["verify", "--json"]).expect(0);
    let document: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(document["verified"][0]["result"], "proven");
    assert_eq!(document["verified"][0]["lines"], 3);
    assert_eq!(document["archive"]["objects"], 2);
    // Found A2, A3, A4; then A5 came and A3 went.
    assert_eq!(document["events"], 5);
}

#[test]
fn a_day_of_every_room_is_proven() {
    for plan in [
        usual(40, nightjob::sandbox::Faults::Spread(12)),
        every_room(60, nightjob::sandbox::Faults::Spread(12)),
    ] {
        let town = Town::new(&plan, Vec::new());
        town.run(&[]).expect(10);
        town.run(&["verify"]).expect(0).says("0 damaged places");
    }
}

#[test]
fn a_flipped_byte_and_a_cut_object_are_found_in_the_archive() {
    for (what, expected) in [
        ("flipped", "SHA-256"),
        ("cut", "bytes, found"),
        ("gone", "expected an object, found none (the file is missing)"),
    ] {
        let site = two_nights();
        let object = objects(&site).into_iter().next().expect("an object");
        let mut bytes = std::fs::read(&object).expect("bytes");
        match what {
            "flipped" => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                overwrite(&object, &bytes);
            }
            "cut" => overwrite(&object, &bytes[..bytes.len() - 1]),
            _ => std::fs::remove_file(&object).expect("a file"),
        }
        let name = object.file_name().expect("a name").to_string_lossy().into_owned();
        let found = finds(&site, &[&name, expected, "wx 2016-11-08"]);
        assert_eq!(found, [("object".to_owned(), format!("objects/{}/{name}", &name[..2]))], "{what}");
    }
}

#[test]
fn a_changed_amount_is_found_wherever_it_is() {
    for (change, what, place) in [
        (
            "UPDATE ledger_entry SET amount_minor = 10001 WHERE order_no = 'A2'",
            "ledger_entry",
            "ledger_entry, line 3 of the statement, amount_minor",
        ),
        (
            "DELETE FROM ledger_entry WHERE order_no = 'A2'",
            "ledger_entry",
            "ledger_entry, line 3 of the statement",
        ),
        (
            "UPDATE logged_order SET amount_minor = 10000 WHERE order_no = 'A2'",
            "logged_order",
            "logged_order, row 2",
        ),
        ("DELETE FROM logged_order WHERE order_no = 'A1'", "logged_order", "logged_order"),
        (
            "UPDATE statement SET amount_minor = 1 WHERE state = 'current'",
            "statement",
            "statement, trade version 2",
        ),
        (
            "UPDATE statement SET authenticated = 1 WHERE version = 1",
            "statement",
            "statement, trade version 1, source",
        ),
        ("DELETE FROM statement WHERE version = 1", "statement", "statement, trade"),
        ("UPDATE unit SET verdict = 'balanced'", "unit", "unit, verdict"),
        ("UPDATE unit SET reason = 'x'", "unit", "unit, reason"),
        ("UPDATE unit SET section = replace(section, '9999', '9998')", "unit", "unit, section"),
        ("UPDATE unit SET canonical_hash = 'ab'", "unit", "unit, canonical_hash"),
    ] {
        let site = two_nights();
        sql(&site, change);
        let found = finds(&site, &[]);
        assert!(found.contains(&(what.to_owned(), place.to_owned())), "{change}: {found:?}");
    }
}

/// Nobody takes a unit, or a part of it, out of what is verified by saying that there is none.
#[test]
fn a_unit_that_is_said_not_to_be_there_is_told_from_what_it_left() {
    for (change, what, place) in [
        ("UPDATE unit SET state = 'not_compared'", "unit", "unit, state"),
        ("UPDATE unit SET state = 'x', section_hash = ''", "unit", "unit, state"),
        (
            "UPDATE unit SET section_hash = '', section = replace(section, '9999', '9998')",
            "unit",
            "unit, section",
        ),
        (
            "UPDATE logged_order SET id = id + (7 << 32) WHERE order_no = 'A1'",
            "rows",
            "logged_order, ids 8589934592 to 9223372036854775807",
        ),
        (
            "UPDATE ledger_entry SET id = 5 WHERE order_no = 'A2'",
            "rows",
            "ledger_entry, ids -9223372036854775808 to 4294967295",
        ),
    ] {
        let site = two_nights();
        sql(&site, change);
        let found = finds(&site, &[]);
        assert!(found.contains(&(what.to_owned(), place.to_owned())), "{change}: {found:?}");
    }
}

#[test]
fn a_changed_mismatch_is_told_from_its_event_and_its_section() {
    let site = two_nights();
    sql(
        &site,
        "UPDATE mismatch SET difference_minor = 2, channel_amount_minor = 10001 WHERE order_no = 'A2'",
    );
    let found = finds(&site, &["expected channel_amount_minor 10000, difference_minor 1 (event 1), found"]);
    assert!(found.iter().all(|(what, _)| what == "mismatch") && !found.is_empty(), "{found:?}");
    for (change, words) in [
        (
            "UPDATE mismatch SET standing = 'gone' WHERE order_no = 'A2'",
            "expected open, as in the unit's section, found gone",
        ),
        (
            "DELETE FROM mismatch WHERE order_no = 'A2'",
            "expected a row, as in the unit's section, found none",
        ),
        ("DELETE FROM mismatch WHERE order_no = 'A3'", "expected a row, as event 5 says, found none"),
    ] {
        let site = two_nights();
        sql(&site, change);
        finds(&site, &[words]);
    }
}

#[test]
fn an_event_that_was_removed_changed_or_put_elsewhere_is_found() {
    for (what, change, words) in [
        (
            "in the middle",
            "DELETE FROM mismatch_event WHERE seq = 2",
            "event 2: expected an unbroken chain, found event 3 behind event 1",
        ),
        ("the first", "DELETE FROM mismatch_event WHERE seq = 1", "event 1: expected an unbroken chain"),
        (
            "the last",
            "DELETE FROM mismatch_event WHERE seq = 5",
            "events 5 to 5: expected the events that line",
        ),
        (
            "the last two",
            "DELETE FROM mismatch_event WHERE seq > 3",
            "events 4 to 5: expected the events that line",
        ),
        (
            "changed",
            "UPDATE mismatch_event SET detail = replace(detail, '9999', '9998') WHERE seq = 1",
            "event 1 (found of mismatch",
        ),
        (
            "another actor",
            "UPDATE mismatch_event SET actor = 'nobody' WHERE seq = 4",
            "event 4 (found of mismatch",
        ),
        (
            "exchanged",
            "UPDATE mismatch_event SET seq = 9 WHERE seq = 2; UPDATE mismatch_event SET seq = 2 WHERE seq = 3; \
             UPDATE mismatch_event SET seq = 3 WHERE seq = 9",
            "event 2 (found of mismatch",
        ),
    ] {
        let site = two_nights();
        sql(&site, change);
        let found = finds(&site, &[words]);
        assert!(found.iter().any(|(kind, _)| kind == "mismatch_event"), "{what}: {found:?}");
    }
}

/// Nothing of it stands in the chain of events: there was no mismatch.
#[test]
fn a_balanced_day_that_the_ledger_lost_is_not_proven() {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00")]));
    site.log([paid("A1", 1200, "09:00:00")]);
    site.run(&[]).expect(0);
    site.run(&["verify"]).expect(0);
    sql(&site, "DELETE FROM unit; DELETE FROM ledger_entry; DELETE FROM logged_order; DELETE FROM statement");
    site.run(&["verify"])
        .expect(10)
        .says("the archive holds a statement, and the ledger nothing of that day");
    site.run(&["reconcile"]).expect(0);
    site.run(&["verify"]).expect(0);
}

#[test]
fn an_older_copy_of_the_ledger_is_found_by_the_seal_of_the_archive() {
    let site = one_night();
    let older = site.read("data/nightjob.db");
    site.statement(bill(&[("A1", "12.00"), ("A2", "100.00"), ("A5", "3.00")]));
    site.run(&[]).expect(10);
    site.run(&["verify"]).expect(0);
    site.write("data/nightjob.db", older);
    let found = finds(&site, &["events 4 to 5", "the ledger is an older copy"]);
    assert_eq!(found[0].0, "mismatch_event", "{found:?}");
    // A run says it, writes it down, and goes on from there.
    let mut later = site.command(&[]);
    later.env("NIGHTJOB_NOW", "2016-11-11T02:17:00+08:00").args(["--date", "20161108"]);
    ran(later.output().expect("the program"))
        .expect(10)
        .says("event 5 of the ledger is not the one that line");
    // The next night does not heal what somebody did; a person does, and it is remembered.
    let found = finds(&site, &["event 5 of the ledger is not the one that line"]);
    assert_eq!(found.len(), 1, "{found:?}");
    site.run(&["reconcile"]).expect(10);
    site.run(&["verify"]).expect(0).says("event 5 of the ledger is not the one that line");
    let lines = site.text("data/archive/index.jsonl").lines().count();
    site.run(&["reconcile"]).expect(10);
    assert_eq!(site.text("data/archive/index.jsonl").lines().count(), lines, "accepted once");
}

#[test]
fn a_chain_that_was_written_anew_lacks_the_head_that_was_sealed() {
    let site = two_nights();
    // A whole new ledger from the same archive, as if someone had rewritten history with sound hashes.
    for name in ["data/nightjob.db", "data/nightjob.db-wal", "data/nightjob.db-shm"] {
        drop(std::fs::remove_file(site.path(name)));
    }
    let index = site.read("data/archive/index.jsonl");
    site.run(&["reconcile"]).expect(10).says("the ledger lacks event 5");
    site.write("data/archive/index.jsonl", index);
    let found = finds(&site, &[]);
    assert!(found.iter().any(|(what, _)| what == "mismatch_event"), "{found:?}");
}

#[test]
fn a_line_that_was_removed_from_the_index_breaks_its_seal() {
    let site = two_nights();
    let index = site.text("data/archive/index.jsonl");
    let lines: Vec<&str> = index.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 6, "two arrivals, each received, taken and sealed: {index}");
    for (without, words) in [
        (0, "index.jsonl, lines 1 to 1"),
        (1, "index.jsonl, lines 1 to 1"),
        (2, "index.jsonl, lines 1 to 4"),
        (3, "index.jsonl, lines 3 to 4"),
        (4, "a line of the index for these bytes"),
    ] {
        let left: String =
            lines.iter().enumerate().filter(|(at, _)| *at != without).map(|(_, line)| *line).collect();
        site.write("data/archive/index.jsonl", left);
        let found = finds(&site, &[words]);
        assert!(found.iter().any(|(what, _)| what == "index"), "line {without}: {found:?}");
    }
    // Nothing after them proves that the last seal was there, or any; but the events that they sealed are.
    for seals in [1, 2] {
        let mut left = lines.clone();
        left.reverse();
        let mut gone = 0;
        left.retain(|line| {
            let goes = line.starts_with("{\"seal\"") && gone < seals;
            gone += usize::from(goes);
            !goes
        });
        left.reverse();
        site.write("data/archive/index.jsonl", left.concat());
        let first = [4, 1][seals - 1];
        site.run(&["verify"])
            .expect(10)
            .says(&format!("events {first} to 5: no seal of the archive's index"));
    }
    site.write("data/archive/index.jsonl", index.replacen("\"wx\"", "\"wy\"", 1));
    finds(&site, &["index.jsonl, lines 1 to 2"]);
    site.write("data/archive/index.jsonl", format!("odd\n{index}"));
    finds(&site, &["index.jsonl, line 1: expected a line of the index"]);
}

#[test]
fn what_an_interrupted_run_left_is_a_note_and_what_we_did_not_write_is_damage() {
    let site = two_nights();
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    site.write(&format!("data/archive/objects/ba/{abc}"), "abc");
    site.run(&["verify"]).expect(0).says("an interrupted run left it");
    site.write("data/archive/objects/ba/odd", "abd");
    finds(&site, &["objects/ba/odd"]);
}

#[test]
fn a_value_deep_in_a_report_is_told_with_its_place() {
    let (site, report) = (two_nights(), "reports/2016-11-08/report.json");
    let json = site.text(report);
    site.write(report, json.replacen("\"difference_minor\": 1,", "\"difference_minor\": 2,", 1));
    finds(&site, &["2016-11-08/report.json, unit wx, ", "difference_minor: expected 1, found 2"]);
}

#[test]
fn a_report_that_says_something_else_than_the_ledger_is_found() {
    let site = two_nights();
    let csv = site.text("reports/2016-11-08/mismatches.csv");
    site.write("reports/2016-11-08/mismatches.csv", csv.replace("99.99", "99.98"));
    let found = finds(&site, &["`nightjob report` writes it again"]);
    assert_eq!(found, [("mismatches.csv".to_owned(), "2016-11-08/mismatches.csv, line 2".to_owned())]);
    let json = site.text("reports/2016-11-08/report.json");
    site.write("reports/2016-11-08/report.json", json.replacen("9999", "9998", 1));
    assert_eq!(finds(&site, &[]).len(), 2);
    for (said, place) in [
        ("\"verdict\": \"balanced\"", "2016-11-08/report.json, verdict"),
        ("\"unclaimed\": [1]", "2016-11-08/report.json and the table unclaimed"),
    ] {
        let field = said.split(' ').next().expect("a field");
        let line = json.lines().find(|line| line.trim_start().starts_with(field)).expect(field);
        site.run(&["report"]).expect(10);
        site.write(
            "reports/2016-11-08/report.json",
            json.replacen(line.trim().trim_end_matches(','), said, 1),
        );
        let found = finds(&site, &[]);
        assert_eq!(found.iter().map(|(_, place)| place.as_str()).collect::<Vec<_>>(), [place]);
    }
    site.run(&["report"]).expect(10);
    site.run(&["verify"]).expect(0);
    sql(
        &site,
        "UPDATE unclaimed SET \"rows\" = '[{\"seller\":\"x\",\"req_type\":\"WX\",\"orders\":1,\"successes_minor\":1}]'",
    );
    finds(&site, &["the table unclaimed"]);
    sql(&site, "UPDATE unclaimed SET \"rows\" = '[]'");
    // A flipped byte that leaves no UTF-8.
    let mut csv = std::fs::read(site.path("reports/2016-11-08/mismatches.csv")).expect("the list");
    csv[0] ^= 0x10;
    std::fs::write(site.path("reports/2016-11-08/mismatches.csv"), csv).expect("the list");
    let place = "2016-11-08/mismatches.csv, line 1".to_owned();
    assert_eq!(finds(&site, &[]), [("mismatches.csv".to_owned(), place)]);
    site.run(&["report"]).expect(10);
    std::fs::remove_dir_all(site.path("reports")).expect("reports");
    site.run(&["verify"]).expect(0).says("2 reports are not there");
    // A unit that was never compared.
    site.run(&["report"]).expect(10);
    let text = site.text("reports/2016-11-08/report.json");
    let forged = "\"units\": [{\"account\": \"till\", \"verdict\": \"balanced\"},";
    site.write("reports/2016-11-08/report.json", text.replacen("\"units\": [", forged, 1));
    let place = "2016-11-08/report.json, unit till".to_owned();
    assert_eq!(finds(&site, &["expected not_compared, found"]), [("report.json".to_owned(), place)]);
    // Another account since: the report of an old day says of it that it was not compared, and that is no damage.
    site.run(&["report"]).expect(10);
    let second = "[[account]]\nname = \"second\"\npaytype = \"WX\"\nchannel = \"local_file\"\nmerchant = \"1\"\n\
                  seller = [\"7\"]\npath = \"x.csv\"\n";
    let config = site.text("nightjob.toml").replace("[[account]]\n", "[[account]]\nseller = [\"8888\"]\n");
    site.write("nightjob.toml", format!("{config}\n{second}"));
    site.run(&["verify"]).expect(0);
}

#[test]
fn an_account_that_is_no_longer_configured_is_not_proven_and_not_damaged() {
    let site = two_nights();
    let config = site.text("nightjob.toml").replace("name = \"wx\"", "name = \"other\"");
    site.write("nightjob.toml", config);
    site.run(&["verify"]).expect(10).says("no longer configured");
    sql(&site, "UPDATE ledger_entry SET amount_minor = 10001 WHERE order_no = 'A2'");
    finds(&site, &["ledger_entry: expected rows with the hash"]);
}

#[test]
fn an_amount_of_an_answer_is_held_against_the_book_of_answers() {
    use nightjob::domain::PayType;
    use nightjob::sandbox::{DayPlan, Faults};
    let plan = DayPlan { paytypes: vec![PayType::Tianta], ..every_room(60, Faults::Spread(12)) };
    let town = Town::new(&plan, Vec::new());
    town.run(&[]).expect(10);
    town.run(&["verify"]).expect(0);
    let changed = town.ledger(
        "UPDATE answer SET amount_minor = amount_minor + 1 WHERE order_no =
        (SELECT min(order_no) FROM answer WHERE state = 'paid' AND amount_minor > 0) RETURNING order_no",
    );
    town.run(&["verify"]).expect(13).says(&format!("answer about payment {}, amount_minor", changed[0]));
}
