//! A small house in order, and violations to plant in it.

use super::source::Tree;

const MANIFEST: &str = "[package]\nname = \"small\"\n\n[dependencies]\nchrono = \"0.4\"\nserde_json = \"1\"\nthiserror = \"2\"\n";

/// Two rooms on every floor, with everything that a rule could stumble over and must not.
pub(crate) fn in_order() -> Tree {
    let room = "//! A channel.\nmod ask;\nmod read;\nuse crate::format::table;\npub static ROOM: u8 = 0;\n";
    let mut tree = Tree::default()
        .with("Cargo.toml", MANIFEST)
        .with("src/lib.rs", "//! The map.\npub mod domain;\npub mod format;\n")
        .with("src/main.rs", "//! The door.\nuse clap::Parser;\nuse nightjob::{cli, night};\nfn main() {}\n")
        .with("src/night.rs", "//! The story.\nuse crate::{acquire, cli, domain::Money, report, store};\n")
        .with(
            "src/acquire/http.rs",
            "//! HTTP.\nuse crate::channel::Ask;\nuse reqwest::Client;\nfn f() { key.expose(); }\n",
        )
        .with("src/store/mod.rs", "//! SQL.\nuse sqlx::Pool;\nuse std::fs;\nasync fn f() {}\n")
        .with("src/plan.rs", "//! The plan.\nuse crate::config::Settings;\n")
        .with(
            "src/domain/mod.rs",
            "//! Words.\nuse chrono::NaiveDate;\nuse thiserror::Error;\nuse super::domain::money;\n",
        )
        .with("src/domain/clock.rs", "//! Time.\nfn now() { chrono::Utc::now(); }\n")
        .with("src/report/mod.rs", REPORT)
        .with(
            "src/format/unpack.rs",
            "//! Zips.\nuse zip::ZipArchive;\nuse std::io::Read;\nuse std::net::IpAddr;\n",
        )
        .with("src/channel/mod.rs", "//! Channels.\npub static ROOMS: &[&u8] = &[&paper::ROOM];\n")
        .with("src/channel/paper/mod.rs", room)
        .with("src/channel/paper/ask.rs", "//! Asks.\nuse super::super::Step;\n")
        .with("src/channel/paper/read.rs", "//! Reads.\n")
        .with("fixtures/paper/account.txt", "\n")
        .with("tests/night.rs", "//! Whole nights.\nuse std::fs;\n");
    for case in super::CASES {
        let file = if case == "not_ready" { "never.txt" } else { "talk.txt" };
        tree = tree.with(&format!("fixtures/paper/{case}/{file}"), "\n");
    }
    tree
}

/// Comments, texts and test code may name what the code may not use.
const REPORT: &str = "//! Reports. Never std::fs, never tokio::spawn.\n\
    use crate::reconcile::Mismatch;\n\
    const WORDS: &str = \"crate::store::open, f64, async\";\n\
    fn zipped(a: A, b: B) { a.iter().zip(b); Utc::today(); }\n\
    #[cfg(test)]\n\
    mod tests {\n    use std::fs;\n    use super::*;\n    fn read() { fs::read(x); key.expose(); }\n}\n";

/// One violation: where it is planted, the rule that must see it, and words of its complaint.
pub(crate) struct Plant {
    pub(crate) rule: &'static str,
    pub(crate) path: &'static str,
    /// The file's new text; `None` = the file is taken away.
    text: Option<&'static str>,
    pub(crate) finds: &'static str,
    /// Other rules that see it too, rightly.
    pub(crate) also: &'static [&'static str],
}

impl Plant {
    pub(crate) fn grown(&self) -> Tree {
        match self.text {
            Some(text) => in_order().with(self.path, &text.replace("{50}", &"    f();\n".repeat(51))),
            None => in_order().without(self.path),
        }
    }
}

const fn plant(rule: &'static str, path: &'static str, text: &'static str, finds: &'static str) -> Plant {
    Plant { rule, path, text: Some(text), finds, also: &[] }
}

const FLOORS: &str = "every room has a floor and knows only the floors below";
const CIRCLES: &str = "rooms of floor 1 form no circle";
const WORLD: &str = "floors 0 and 1 do not hear the world";
const WORDS: &str = "floor 0 uses std, chrono and thiserror";
const OWNERS: &str = "each tool has its owner";
const EXPOSERS: &str = "secrets are exposed only where they are used";
const FLOATS: &str = "no float comes near money";
const HEADERS: &str = "every file has a header";
const FILES: &str = "files are short";
const FUNCTIONS: &str = "functions are short";
const ROOMS: &str = "every channel room has its shape, its row and its transcripts";
const HABITS: &str = "nothing is left for later, switched off, asleep or bound to one machine";

/// 501 lines.
const LONG: &str = {
    const BYTES: [u8; 4 + 501] = {
        let mut bytes = [b'\n'; 4 + 501];
        bytes[0] = b'/';
        bytes[1] = b'/';
        bytes[2] = b'!';
        bytes[3] = b' ';
        bytes
    };
    match std::str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => "",
    }
};

#[rustfmt::skip] // a table is read by its columns
pub(crate) const ALL: &[Plant] = &[
    plant(FLOORS, "src/report/csv.rs", "//! x\nuse crate::store::open;\n", "src/report/csv.rs:2: `crate::store::open` leads to store"),
    plant(FLOORS, "src/report/csv.rs", "//! x\nuse crate::{\n    domain,\n    night::{run, Story},\n};\n", "`crate::night::Story` leads to night"),
    plant(FLOORS, "src/report/csv.rs", "//! x\nfn f() { super::super::store::open(); }\n", "leads to store"),
    plant(FLOORS, "src/report/csv.rs", "//! x\n#[cfg(test)]\nmod tests { use crate::sandbox::day; }\n", "leads to sandbox"),
    plant(FLOORS, "src/domain/account.rs", "//! x\nuse crate::format::table;\n", "leads to format"),
    plant(FLOORS, "src/store/ledger.rs", "//! x\nuse crate::acquire::archive;\n", "leads to acquire"),
    plant(FLOORS, "src/config/mod.rs", "//! x\nuse crate::plan::plan;\n", "leads to plan"),
    plant(FLOORS, "src/attic/mod.rs", "//! x\n", "`attic` is on no floor"),
    Plant { also: &[FLOORS], ..plant(CIRCLES, "src/reconcile/mod.rs", "//! x\nuse crate::report::Section;\n", "`report` is used by what it uses") },
    plant(WORLD, "src/report/csv.rs", "//! x\nuse std::{\n    fmt,\n    fs::File,\n};\n", "src/report/csv.rs:4: `std::fs::File`"),
    plant(WORLD, "src/format/table.rs", "//! x\nfn f() { let now = std::time::Instant::now(); }\n", "std::time::Instant::now"),
    plant(WORLD, "src/paylog/fold.rs", "//! x\nasync fn f() {}\n", "`async`"),
    plant(WORLD, "src/channel/paper/ask.rs", "//! x\nuse tokio::time;\n", "tokio::time"),
    plant(WORLD, "src/domain/day.rs", "//! x\nuse std::net::{IpAddr, TcpStream};\n", "std::net::TcpStream"),
    plant(WORDS, "src/domain/day.rs", "//! x\nuse serde_json::Value;\n", "serde_json::Value"),
    plant(WORDS, "src/domain/day.rs", "//! x\nuse serde_json;\n", "`serde_json`"),
    plant(OWNERS, "src/night.rs", "//! x\nuse sqlx::Pool;\n", "`sqlx::Pool` belongs to [\"store\"]"),
    plant(OWNERS, "src/store/mod.rs", "//! x\nuse ::reqwest::Client;\n", "reqwest::Client"),
    plant(OWNERS, "src/format/table.rs", "//! x\nuse encoding_rs::GBK;\n", "encoding_rs::GBK"),
    plant(OWNERS, "src/format/unpacked.rs", "//! x\nuse zip::ZipArchive;\n", "zip::ZipArchive"),
    plant(OWNERS, "src/night.rs", "//! x\n#[derive(clap::Parser)]\nstruct Args;\n", "clap::Parser"),
    plant(OWNERS, "src/night.rs", "//! x\nuse chrono::Utc;\nfn f() { Utc::now(); }\n", "src/night.rs:3: `Utc::now`"),
    plant(OWNERS, "src/store/mod.rs", "//! x\nfn f() { std::env::var(x); }\n", "std::env::var"),
    plant(EXPOSERS, "src/store/mod.rs", "//! x\nfn f() { log(key\n    .expose()); }\n", "src/store/mod.rs:3: a secret is exposed"),
    plant(EXPOSERS, "src/night.rs", "//! x\nfn f() { keys.map(Secret::expose); }\n", "a secret is exposed"),
    plant(FLOATS, "src/paylog/fold.rs", "//! x\nfn f(yuan: f64) {}\n", "src/paylog/fold.rs:2: `f64`"),
    plant(HEADERS, "src/paylog/fold.rs", "// no header\n", "src/paylog/fold.rs: no"),
    plant(HEADERS, "tests/cli.rs", "use std::fs;\n", "tests/cli.rs: no"),
    plant(FILES, "src/paylog/fold.rs", LONG, "501 lines"),
    plant(FUNCTIONS, "src/paylog/fold.rs", "//! x\nfn much() {\n{50}}\n", "src/paylog/fold.rs:2: `much` has 51 lines"),
    Plant { rule: ROOMS, path: "src/channel/paper/ask.rs", text: None, finds: "ask.rs is missing", also: &[] },
    Plant { rule: ROOMS, path: "fixtures/paper/refused/talk.txt", text: None, finds: "fixtures/paper/refused", also: &[] },
    Plant { rule: ROOMS, path: "fixtures/paper/account.txt", text: None, finds: "account.txt is missing", also: &[] },
    plant(ROOMS, "src/channel/mod.rs", "//! Channels.\npub static ROOMS: &[&u8] = &[];\n", "no row in ROOMS"),
    plant(ROOMS, "src/channel/stone/mod.rs", "//! x\n", "`stone` has no row in ROOMS"),
    plant(HABITS, "tests/night.rs", concat!("//! x\n#[", "ignore]\nfn f() {}\n"), "tests/night.rs:2"),
    plant(HABITS, "src/night.rs", concat!("//! x\n// TO", "DO: later\n"), "left for later"),
    plant(HABITS, "src/night.rs", concat!("//! x\nconst P: &str = \"/", "home/me\";\n"), "a path of one machine"),
];
