//! What a house holds after a night, and whether two houses hold the same: ledger, reports, archive.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use nightjob::acquire::{Archive, IndexLine};

use crate::engine::{Ledger, Rows};
use crate::site::Site;

/// Bytes of files by their path.
type Files = BTreeMap<String, Vec<u8>>;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct State {
    pub(crate) ledger: Ledger,
    pub(crate) reports: Files,
    archive: Kept,
}

/// What an archive holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Kept {
    objects: Files,
    /// What the index says, each thing once and without its instant: a night that had to begin again says it twice.
    said: BTreeSet<String>,
    /// Half-written, or unreadable.
    leftover: Vec<String>,
}

impl State {
    pub(crate) fn of(site: &Site) -> State {
        State {
            ledger: site.ledger(),
            reports: files(&site.path().join("reports")),
            archive: Kept::of(&site.path().join("data/archive")),
        }
    }

    /// The id that stands first in a report.
    pub(crate) fn first_mismatch(&self) -> Option<String> {
        let csv = self.reports.iter().find(|(name, _)| name.ends_with("08/mismatches.csv"))?.1;
        let text = String::from_utf8_lossy(csv);
        text.lines().nth(1)?.split(',').next().map(str::to_owned)
    }

    /// Where it differs from what an undisturbed night left.
    pub(crate) fn against(&self, control: &State) -> Option<String> {
        let reports = || differing("report", &self.reports, &control.reports);
        self.ledger
            .against(&control.ledger)
            .or_else(reports)
            .or_else(|| self.archive.against(&control.archive))
    }

    /// What is in it that no whole night leaves: a torn unit, half a report. `whole` are the states that units and reports
    /// may have: before the night, after it, after a part of it.
    pub(crate) fn torn(&self, whole: &[&State]) -> Option<String> {
        if !self.ledger.damage.is_empty() {
            return Some(format!("the ledger is damaged: {}", self.ledger.damage));
        }
        let known = |unit: &String, rows: &Rows| {
            unit.is_empty()
                || says_why_not(rows)
                || whole.iter().any(|state| state.ledger.units.get(unit) == Some(rows))
        };
        if let Some((unit, _)) = self.ledger.units.iter().find(|(unit, rows)| !known(unit, rows)) {
            let why = whole.last().and_then(|state| self.ledger.against(&state.ledger)).unwrap_or_default();
            return Some(format!("torn: unit {unit} is neither as before nor as after; {why}"));
        }
        let before = whole.first().map(|state| &state.ledger.units);
        let gone = before.and_then(|units| units.keys().find(|unit| !self.ledger.units.contains_key(*unit)));
        gone.map(|unit| format!("unit {unit} is gone")).or_else(|| self.half_report())
    }

    /// Reports as such are held against the control after the rerun; here only that each is whole.
    fn half_report(&self) -> Option<String> {
        let is_whole = |name: &String, bytes: &Vec<u8>| {
            let is_beside = name.ends_with(".partial");
            let is_closed =
                serde_json::from_slice::<serde_json::Value>(bytes).is_ok() || bytes.ends_with(b"\r\n");
            is_beside || is_closed
        };
        let half = self.reports.iter().find(|(name, bytes)| !is_whole(name, bytes));
        half.map(|(name, _)| format!("{name} is half a report"))
    }
}

/// A unit that was never done is one row that says why.
fn says_why_not(rows: &Rows) -> bool {
    matches!(rows.as_slice(), [row] if row.starts_with("unit|") && row.contains("|not_compared|"))
}

impl Kept {
    fn of(root: &Path) -> Kept {
        let archive = Archive::open_to_read(root);
        let mut leftover: Vec<String> = files(&root.join("partial")).into_keys().collect();
        let lines = archive.index().unwrap_or_else(|failure| {
            leftover.push(failure.to_string());
            Vec::new()
        });
        let said = |line: IndexLine| format!("{:?}", IndexLine { at: String::new(), ..line });
        Kept { objects: files(&root.join("objects")), said: lines.into_iter().map(said).collect(), leftover }
    }

    fn against(&self, control: &Kept) -> Option<String> {
        if !self.leftover.is_empty() {
            return Some(format!("left in the archive: {:?}", self.leftover));
        }
        differing("object", &self.objects, &control.objects).or_else(|| {
            let odd = self.said.symmetric_difference(&control.said).next()?;
            Some(format!("the index says or lacks {odd}"))
        })
    }
}

fn differing(what: &str, here: &Files, there: &Files) -> Option<String> {
    let names: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
    let odd = names.into_iter().find(|name| here.get(*name) != there.get(*name))?;
    let bytes =
        |files: &Files| files.get(odd).map_or("absent".to_owned(), |bytes| format!("{} bytes", bytes.len()));
    Some(format!("{what} {odd} differs: {} instead of {}", bytes(here), bytes(there)))
}

/// Every file below a folder.
fn files(root: &Path) -> Files {
    let mut found = Files::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for item in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = item.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
                found.insert(name, fs::read(&path).unwrap_or_default());
            }
        }
    }
    found
}
