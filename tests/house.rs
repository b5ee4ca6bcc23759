//! The house looks after itself: reads `src/` and holds it to the map in `src/lib.rs`.
//!
//! Floors, owners of tools, the shape of a channel room, headers, sizes, and habits. The tables are here, the reading
//! in `house/source.rs`, the rules in `house/rules.rs`. There is no list of exceptions; where a tool has a second
//! owner, the table says why. Each rule is shown a planted violation, because a checker that finds nothing proves
//! nothing.

mod common;
#[path = "house/rules.rs"]
mod rules;
#[path = "house/source.rs"]
mod source;
#[path = "house/planted.rs"]
mod planted;

use source::Tree;

/// Rooms by floor; a room may use those below it (contract: `src/lib.rs`).
const FLOORS: [&[&str]; 4] = [
    &["domain", "failpoint"],
    &["format", "channel", "paylog", "reconcile", "report"],
    &["config", "plan", "acquire", "store", "sandbox"],
    &["main", "cli", "command", "night"],
];

/// Rooms of floor 2 that may know each other: who, whom, why.
const NEIGHBOURS: &[(&str, &str, &str)] = &[
    ("plan", "config", "a plan is made from the settings"),
    ("acquire", "config", "time-outs, tries and rates are settings"),
];

/// Rooms of floor 0 and 1 know no sockets, files, clock, environment or async. `std::io` is only traits to them.
const WORLD: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time::SystemTime",
    "std::time::Instant",
    "std::os",
    "tokio",
    "futures_util",
    "reqwest",
    "axum",
    "sqlx",
    "libsqlite3_sys",
    "odbc_api",
    "tracing_subscriber",
    "indicatif",
];

/// Values of the tabooed modules that hear nothing: an address is a number.
const HARMLESS: &[&str] = &["std::net::IpAddr", "std::net::Ipv4Addr", "std::net::Ipv6Addr"];

/// What floor 0 may use beside `std`.
const WORDS_USE: &[&str] = &["chrono", "thiserror"];

/// Tools and the places that own them; a place is a path below `src/`, with or without `.rs`.
const OWNERS: &[(&str, &[&str])] = &[
    ("reqwest", &["acquire"]),
    // main: the process-wide choice of the one TLS provider; trouble: what TLS has against a database server
    ("rustls", &["acquire", "main", "store/trouble"]),
    ("sqlx", &["store"]),
    ("libsqlite3_sys", &["store"]),
    ("odbc_api", &["store/gateway/server/odbc"]),
    ("clap", &["cli", "main"]),
    ("clap_complete", &["cli", "main"]),
    ("clap_mangen", &["cli", "main"]),
    ("zip", &["format/unpack", "sandbox"]), // sandbox: it answers as a provider does and writes its own zips
    ("flate2", &["format/unpack", "sandbox"]), // sandbox: and its own gzip
    // sandbox: and GBK names and texts; envelope and decode: single texts in GBK, which are no files to unpack;
    // legacy/decode: the old configuration in gb2312
    (
        "encoding_rs",
        &["format/unpack", "sandbox", "channel/envelope", "paylog/decode", "config/legacy/decode"],
    ),
    ("axum", &["sandbox"]),
    ("toml", &["config"]),
    ("comfy_table", &["report"]),
    ("indicatif", &["main", "cli", "night"]),
    ("tracing_subscriber", &["main", "night"]),
    ("chrono::Utc::now", &["domain/clock"]),
    ("chrono::Local", &[]), // the zone is UTC+8, whatever the machine thinks
    ("std::time::SystemTime", &["domain/clock"]),
    ("std::env", &["config", "main", "cli"]),
];

/// Where the text of a secret may be taken out of its wrapper. `config` follows a reference to a public key in the
/// same way, and keeps it as an option; and it puts a password into the address of a database, which `store` hands on.
const EXPOSERS: &[&str] =
    &["domain/secret", "channel", "acquire", "sandbox", "config/account", "config/login"];

/// Rooms through which money passes: no float type may stand in them.
const MONEY_ROOMS: &[&str] = &["domain", "format", "channel", "paylog", "reconcile", "report", "store"];

/// Lines of a file, and lines with code of a function (clippy counts the same way).
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 50;

/// Transcripts that every channel room has; a case that cannot happen is a folder with `never.txt` saying why.
const CASES: [&str; 8] = [
    "ordinary_day",
    "no_movements",
    "not_ready",
    "refused",
    "torn_file",
    "wrong_signature",
    "other_account",
    "other_day",
];

/// A rule: what it holds, and what it finds wrong.
type Rule = (&'static str, fn(&Tree) -> Vec<String>);

const RULES: [Rule; 12] = [
    ("every room has a floor and knows only the floors below", rules::floors),
    ("rooms of floor 1 form no circle", rules::circles),
    ("floors 0 and 1 do not hear the world", rules::world),
    ("floor 0 uses std, chrono and thiserror", rules::words),
    ("each tool has its owner", rules::owners),
    ("secrets are exposed only where they are used", rules::exposers),
    ("no float comes near money", rules::floats),
    ("every file has a header", rules::headers),
    ("files are short", rules::file_lengths),
    ("functions are short", rules::function_lengths),
    ("every channel room has its shape, its row and its transcripts", rules::channel_rooms),
    ("nothing is left for later, switched off, asleep or bound to one machine", rules::habits),
];

#[test]
fn the_house_is_as_the_map_says() {
    let tree = Tree::read(&common::home());
    assert!(tree.sources().count() > 30, "the house was not found");
    let mut wrong = Vec::new();
    for (rule, check) in RULES {
        wrong.extend(check(&tree).iter().map(|found| format!("{rule}:\n    {found}")));
    }
    assert!(wrong.is_empty(), "{} complaints\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_small_house_in_order_has_no_complaints() {
    for (rule, check) in RULES {
        assert_eq!(check(&planted::in_order()), Vec::<String>::new(), "{rule}");
    }
}

#[test]
fn every_planted_violation_is_found_by_its_rule_and_by_no_other() {
    let mut bitten = std::collections::BTreeSet::new();
    for plant in planted::ALL {
        let tree = plant.grown();
        for (number, (rule, check)) in RULES.iter().enumerate() {
            let found = check(&tree);
            if *rule == plant.rule {
                assert!(
                    found.iter().any(|text| text.contains(plant.finds)),
                    "`{}` did not find `{}` in {}: {found:?}",
                    plant.rule,
                    plant.finds,
                    plant.path
                );
                bitten.insert(number);
            } else if !plant.also.contains(rule) {
                assert_eq!(found, Vec::<String>::new(), "`{rule}` found something in {}", plant.path);
            }
        }
    }
    assert_eq!(bitten.len(), RULES.len(), "a rule without a planted violation proves nothing");
}

/// `scripts/new-room` in a copy of the tree: the new room is as complete as the one it was made from.
#[cfg(unix)]
#[test]
fn a_new_room_has_everything_that_its_model_has() {
    use std::process::Command;

    let copy = tempfile::tempdir().expect("a scratch folder");
    for folder in ["src", "fixtures", "scripts"] {
        let from = common::home().join(folder);
        let copied = Command::new("cp").arg("-R").arg(from).arg(copy.path()).status().expect("cp");
        assert!(copied.success());
    }
    let room = |name: &str| {
        let mut command = Command::new("bash");
        command.arg("scripts/new-room").arg(name).current_dir(copy.path());
        command.output().expect("bash")
    };
    let before = rules::channel_rooms(&Tree::read(copy.path()));
    let made = room("wechat_v9");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(String::from_utf8_lossy(&made.stdout).contains("copied wechat_v2 to src/channel/wechat_v9"));
    let tree = Tree::read(copy.path());
    let lacking = |of: &[String], name: &str| -> Vec<String> {
        of.iter().filter(|text| text.contains(name)).map(|text| text.replace(name, "ROOM_NAME")).collect()
    };
    let after = rules::channel_rooms(&tree);
    assert_eq!(lacking(&after, "wechat_v9"), lacking(&before, "wechat_v2"));
    let registry = tree.text("src/channel/mod.rs").expect("the registry");
    for line in ["pub mod wechat_v9;", "&wechat_v9::ROOM"] {
        assert_eq!(registry.matches(line).count(), 1, "{line}");
    }
    let copied = tree.rust("src/channel/wechat_v9/").map(|source| source.text).collect::<String>();
    assert!(copied.contains("code: \"wechat_v9\"") && !copied.contains("wechat_v2"));
    for name in ["wechat_v9", "Wechat", "", "../x"] {
        assert_eq!(room(name).status.code(), Some(2), "`{name}` is there already, or is no name");
    }
}
