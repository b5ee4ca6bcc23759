//! The rules: each looks at the whole tree and names what is wrong, with file and line.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Named, Source, Tree, functions};
use super::{
    CASES, EXPOSERS, FILE_LINES_MAX, FLOORS, FUNCTION_LINES_MAX, HARMLESS, MONEY_ROOMS, NEIGHBOURS, OWNERS,
    WORDS_USE, WORLD,
};

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The rooms that a source names, beside its own.
fn rooms_named(source: &Source) -> Vec<(Named, String)> {
    let known = |named: Named| {
        let room = named.room()?.to_owned();
        (floor(&room).is_some() && room != source.room()).then_some((named, room))
    };
    source.named().into_iter().filter_map(known).collect()
}

pub(crate) fn floors(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in tree.sources().filter(|s| s.room() != "lib") {
        let Some(own) = floor(source.room()) else {
            wrong.push(format!("{}: `{}` is on no floor; add it to FLOORS", source.path, source.room()));
            continue;
        };
        for (named, room) in rooms_named(&source) {
            if !may_know(own, source.room(), &room) {
                wrong.push(format!("{}:{}: `{}` leads to {room}", source.path, named.line, named.text()));
            }
        }
    }
    wrong
}

fn may_know(own: usize, from: &str, to: &str) -> bool {
    let below = floor(to).unwrap_or(usize::MAX);
    let neighbours = NEIGHBOURS.iter().any(|(who, whom, _)| (*who, *whom) == (from, to));
    below < own || neighbours || (below == own && own != 2)
}

/// Rooms of floor 1 may use each other, as long as the use goes one way.
pub(crate) fn circles(tree: &Tree) -> Vec<String> {
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in tree.sources().filter(|s| floor(s.room()) == Some(1)) {
        let rooms = rooms_named(&source).into_iter().filter(|(named, _)| !named.test).map(|(_, room)| room);
        let rooms = rooms.filter(|room| floor(room) == Some(1));
        uses.entry(source.room().to_owned()).or_default().extend(rooms);
    }
    let reaches_itself = |room: &&String| reachable(&uses, room).contains(*room);
    uses.keys().filter(reaches_itself).map(|room| format!("`{room}` is used by what it uses")).collect()
}

fn reachable(uses: &BTreeMap<String, BTreeSet<String>>, from: &str) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&String> = uses.get(from).into_iter().flatten().collect();
    while let Some(room) = open.pop() {
        if seen.insert(room.clone()) {
            open.extend(uses.get(room).into_iter().flatten());
        }
    }
    seen
}

pub(crate) fn world(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in tree.sources().filter(|s| floor(s.room()).is_some_and(|f| f < 2)) {
        let is_in = |named: &Named, list: &[&str]| list.iter().any(|tool| named.is_below(tool));
        let heard = |named: &Named| !named.test && is_in(named, WORLD) && !is_in(named, HARMLESS);
        for named in source.named().iter().filter(|n| heard(n)) {
            wrong.push(format!("{}:{}: `{}`", source.path, named.line, named.text()));
        }
        let waits = |text: &str| text == "async" || text == "await";
        for token in source.tokens.iter().filter(|t| !t.test && waits(&t.text)) {
            wrong.push(format!("{}:{}: `{}`", source.path, token.line, token.text));
        }
    }
    wrong
}

pub(crate) fn words(tree: &Tree) -> Vec<String> {
    let tools = tree.dependencies();
    let mut wrong = Vec::new();
    for source in tree.sources().filter(|s| floor(s.room()) == Some(0)) {
        for named in source.named().iter().filter(|n| !n.test) {
            let head = &named.segments[0];
            if tools.contains(head) && !WORDS_USE.contains(&head.as_str()) {
                wrong.push(format!("{}:{}: `{}`", source.path, named.line, named.text()));
            }
        }
    }
    wrong
}

pub(crate) fn owners(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in tree.sources() {
        for named in source.named().iter().filter(|n| !n.test) {
            for (tool, places) in OWNERS {
                if is_tool(named, tool) && !places.iter().any(|place| source.is_in(place)) {
                    wrong.push(format!(
                        "{}:{}: `{}` belongs to {places:?}",
                        source.path,
                        named.line,
                        named.text()
                    ));
                }
            }
        }
    }
    wrong
}

/// A path below the tool, or, for a single item such as `chrono::Utc::now`, also its short form `Utc::now`.
fn is_tool(named: &Named, tool: &str) -> bool {
    named.is_below(tool)
        || tool.split_once("::").is_some_and(|(_, short)| short.contains("::") && named.is_below(short))
}

pub(crate) fn exposers(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in tree.sources().filter(|s| !EXPOSERS.iter().any(|place| s.is_in(place))) {
        for pair in source.tokens.windows(2).filter(|pair| !pair[1].test) {
            let called = matches!(pair[0].text.as_str(), "." | ":") && pair[1].text == "expose";
            if called {
                wrong.push(format!("{}:{}: a secret is exposed", source.path, pair[1].line));
            }
        }
    }
    wrong
}

pub(crate) fn floats(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in tree.sources().filter(|s| MONEY_ROOMS.contains(&s.room())) {
        for token in source.tokens.iter().filter(|t| t.text == "f32" || t.text == "f64") {
            wrong.push(format!("{}:{}: `{}`", source.path, token.line, token.text));
        }
    }
    wrong
}

pub(crate) fn headers(tree: &Tree) -> Vec<String> {
    let files = tree.sources().chain(tree.rust("tests/")).chain(tree.rust("benches/"));
    files.filter(|s| !s.text.starts_with("//! ")).map(|s| format!("{}: no `//!` header", s.path)).collect()
}

pub(crate) fn file_lengths(tree: &Tree) -> Vec<String> {
    let long = |source: Source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines, {FILE_LINES_MAX} at most", source.path))
    };
    tree.sources().filter_map(long).collect()
}

pub(crate) fn function_lengths(tree: &Tree) -> Vec<String> {
    let long = |source: Source| {
        let too_long = functions(&source).into_iter().filter(|(_, _, lines)| *lines > FUNCTION_LINES_MAX);
        let path = source.path;
        too_long.map(move |(name, line, lines)| format!("{path}:{line}: `{name}` has {lines} lines"))
    };
    tree.sources().flat_map(long).collect()
}

/// A folder below `src/channel/` is a room.
pub(crate) fn channel_rooms(tree: &Tree) -> Vec<String> {
    let folder = |path: &str| Some(path.strip_prefix("src/channel/")?.split_once('/')?.0.to_owned());
    let rooms: BTreeSet<String> = tree.paths().filter_map(folder).collect();
    let registry = tree.text("src/channel/mod.rs").unwrap_or("");
    let mut wrong = Vec::new();
    for room in &rooms {
        let has = |file: &str| tree.text(&format!("src/channel/{room}/{file}")).is_some();
        for file in ["mod.rs", "ask.rs"].into_iter().filter(|file| !has(file)) {
            wrong.push(format!("src/channel/{room}/{file} is missing"));
        }
        if !has("read.rs") && !has("judge.rs") {
            wrong.push(format!(
                "src/channel/{room}: neither read.rs (a statement) nor judge.rs (single orders)"
            ));
        }
        if tree.text(&format!("fixtures/{room}/account.txt")).is_none() {
            wrong.push(format!("fixtures/{room}/account.txt is missing"));
        }
        if !registry.contains(&format!("&{room}::ROOM")) {
            wrong.push(format!("src/channel/mod.rs: `{room}` has no row in ROOMS"));
        }
        for case in CASES {
            let folder = format!("fixtures/{room}/{case}");
            let told =
                ["talk.txt", "never.txt"].iter().any(|f| tree.text(&format!("{folder}/{f}")).is_some());
            if !told {
                wrong.push(format!("{folder}: neither talk.txt nor never.txt"));
            }
        }
    }
    wrong
}

/// Spelled in two halves, so that this file does not find itself.
const HABITS: [(&str, &str); 9] = [
    (concat!("TO", "DO"), "left for later"),
    (concat!("FIX", "ME"), "left for later"),
    (concat!("todo", "!("), "left for later"),
    (concat!("unimplemented", "!("), "left for later"),
    (concat!("#[", "ignore"), "a test that is switched off"),
    (concat!("thread", "::sleep"), "a sleep"),
    (concat!("\"/", "home/"), "a path of one machine"),
    (concat!("\"/", "root/"), "a path of one machine"),
    (concat!("\"/", "work/"), "a path of one machine"),
];

pub(crate) fn habits(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in tree.sources().chain(tree.rust("tests/")).chain(tree.rust("benches/")) {
        for (number, line) in source.text.lines().enumerate() {
            for (text, what) in HABITS.iter().filter(|(text, _)| line.contains(text)) {
                wrong.push(format!("{}:{}: `{text}`: {what}", source.path, number + 1));
            }
        }
    }
    wrong
}
