//! The archive against itself: each line of the index, each seal, each object against its name.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::damage::{Damage, Verified};
use super::{Scope, Verifier};
use crate::acquire::{Archive, Index, IndexLine, Object, Status};
use crate::domain::{Exit, Failure};
use crate::store::KeptUnit;

/// Lines that are none, and seals that no longer fit.
pub(super) fn index(archive: &Archive, index: &Index, found: &mut Verified) {
    let file = file_name(&archive.index_path());
    found.index_lines = index.lines.len() as u64;
    for placed in index.lines.iter().filter(|placed| placed.line.is_none()) {
        let place = format!("{file}, line {}", placed.number);
        found.damage(Damage::new("index", place, ("a line of the index", "something else")));
    }
    for (first, seal) in index.broken_seals() {
        let place = format!("{file}, lines {first} to {}", seal - 1);
        let expected = format!("the bytes that line {seal} sealed");
        found.damage(Damage::new("index", place, (expected, "others: lines were changed, removed or added")));
    }
    for (placed, seal, is_accepted) in index.breaks() {
        let place = format!("{file}, line {} ({})", placed.number, seal.at);
        if is_accepted {
            found.remarks.push(format!("{place}: {}", seal.broken));
        } else {
            found.damage(Damage::new("mismatch_event", place, ("one chain of events", &seal.broken)));
        }
    }
}

/// Objects whose bytes are not those that came.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) damaged: HashSet<String>,
}

/// Hashes every object that the index names within the scope, and looks for those that it does not name.
pub(super) async fn objects(
    verifier: &Verifier<'_>,
    index: &Index,
    found: &mut Verified,
) -> Result<Objects, Failure> {
    let mut named: BTreeMap<&str, Vec<&IndexLine>> = BTreeMap::new();
    for (_, line) in index.arrivals().filter(|(_, line)| !line.sha256.is_empty()) {
        named.entry(&line.sha256).or_default().push(line);
    }
    let mut objects = Objects::default();
    let in_scope = named.iter().filter(|(_, lines)| lines.iter().any(|line| verifier.scope.holds_line(line)));
    for (sha256, lines) in in_scope {
        if !lines.iter().any(|line| line.status == Status::Received) {
            let place = format!("index.jsonl, object {sha256}");
            found.damage(of(lines, Damage::new("index", place, ("a line of its arrival", "none"))));
        }
        let waiting = verifier.talk.waiting(format!("{} {}", lines[0].account, lines[0].date));
        let object = measure(&verifier.archive, sha256).await?;
        drop(waiting);
        if let Some(damage) = held(sha256, lines[0].bytes, object.as_ref()) {
            objects.damaged.insert((*sha256).to_owned());
            found.damage(of(lines, damage));
        }
        found.objects += 1;
        found.bytes += object.map_or(0, |object| object.len);
    }
    if verifier.scope.is_all() {
        strays(verifier, found)?;
    }
    Ok(objects)
}

fn of(lines: &[&IndexLine], damage: Damage) -> Damage {
    damage.of(&lines[0].account, &lines[0].date)
}

/// What is wrong with an object under its name.
fn held(sha256: &str, bytes: u64, object: Option<&Object>) -> Option<Damage> {
    let place = format!("objects/{}/{sha256}", sha256.get(..2).unwrap_or("xx"));
    let wrong = |expected: String, found: String| Some(Damage::new("object", &place, (expected, found)));
    match object {
        None => wrong("an object".into(), "none (the file is missing)".into()),
        Some(object) if object.len != bytes => {
            wrong(format!("{bytes} bytes"), format!("{} bytes", object.len))
        }
        Some(object) if object.sha256 != sha256 => wrong(format!("SHA-256 {sha256}"), object.sha256.clone()),
        Some(_) => None,
    }
}

/// Statements that were sealed and of which the ledger knows nothing: they were fetched and never compared, or the ledger
/// is an older one. Its chain of events alone cannot tell, where the days that are missing had no mismatches.
pub(super) fn unkept(verifier: &Verifier<'_>, index: &Index, units: &[KeptUnit], found: &mut Verified) {
    let sealed = index.seals().next_back().map_or(0, |(placed, _)| placed.number);
    let is_kept = |line: &IndexLine| {
        units.iter().any(|unit| (&unit.account, &unit.bill_date) == (&line.account, &line.date))
    };
    let arrivals = index.arrivals().filter(|(number, line)| *number < sealed && line.bill == "trade");
    let usable = arrivals.filter(|(_, line)| matches!(line.status, Status::Statement | Status::Empty));
    let unkept: BTreeSet<(&str, &str)> = usable
        .filter(|(_, line)| verifier.scope.holds_line(line) && !is_kept(line))
        .map(|(_, line)| (&*line.date, &*line.account))
        .collect();
    found.unproven.extend(unkept.into_iter().map(|(date, account)| {
        format!(
            "{account} {date}: the archive holds a statement, and the ledger nothing of that day: it was never compared, or \
             the ledger is an older one; `nightjob reconcile --date {date}` compares it"
        )
    }));
}

async fn measure(archive: &Arc<Archive>, sha256: &str) -> Result<Option<Object>, Failure> {
    let (archive, sha256) = (Arc::clone(archive), sha256.to_owned());
    let measured = tokio::task::spawn_blocking(move || archive.measure(&archive.object_path(&sha256))).await;
    measured.map_err(|error| Failure::new(Exit::Bug, format!("hashing an object: {error}")))?
}

/// Files that no line names. A run that was killed between the two leaves one, whole; and one that is going on, too.
fn strays(verifier: &Verifier<'_>, found: &mut Verified) -> Result<(), Failure> {
    let files = verifier.archive.object_files()?;
    // Read again: what a run kept since has its lines by now.
    let index = verifier.archive.read_index()?;
    let named: HashSet<&str> = index.arrivals().map(|(_, line)| &*line.sha256).collect();
    for path in files {
        let name = file_name(&path);
        if named.contains(name.as_str()) && verifier.archive.object_path(&name) == path {
            continue;
        }
        let measured = verifier.archive.measure(&path)?;
        match measured {
            Some(object) if object.sha256 == name => found.remarks.push(format!(
                "objects/{}/{name}: whole, and no line of the index names it: an interrupted run left it, or its lines \
                 are not sealed and were removed",
                &name[..2]
            )),
            Some(_) => {
                let place = path.strip_prefix(verifier.archive.root()).unwrap_or(&path).display().to_string();
                let found_here = "a file that this program did not write";
                found.damage(Damage::new("object", place, ("objects under their hash only", found_here)));
            }
            None => {}
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

impl Scope {
    fn holds_line(&self, line: &IndexLine) -> bool {
        self.holds(&line.account, &line.date)
    }
}
