//! A disk that fails at one call of a night, or is full from one on: whatever is not complete ends with exit 9 and says
//! what failed, nothing is torn, and the rerun ends as if nothing had been.

use std::time::Instant;

use crate::points::{Deed, Passed, Point};
use crate::scene::Scene;
use crate::site::Ran;
use crate::state::State;
use crate::table::{Row, Thin, side_by_side};

/// How often a run is repeated that did not pass its point: threads take turns differently.
const TRIES: usize = 8;
/// Exit 9: database or disk.
const STORAGE: i32 = 9;

/// What a disk does, as the table has it.
pub(crate) const FAULTS: [(&str, Deed); 3] = [
    ("ENOSPC at every point, once", Deed::NoSpace),
    ("ENOSPC from every point on", Deed::Full),
    ("EIO at every point, a failed fsync too", Deed::Broken),
];

/// Every point at which a disk can do this.
pub(crate) fn every_point(scene: &Scene, what: &str, deed: Deed, thin: Thin) -> Row {
    let since = Instant::now();
    let fitting: Vec<&Point> = scene.points.iter().filter(|point| deed.fits(point)).collect();
    let trials = thin.of(&fitting);
    let complaints = side_by_side(&trials, |point| {
        failed(scene, point, deed).map(|found| format!("{} at {}: {found}", deed.word(), point.address()))
    });
    Row::new(what, scene.engine.name(), complaints, since).remark(format!("{} points", fitting.len()))
}

fn failed(scene: &Scene, point: &Point, deed: Deed) -> Option<String> {
    for _ in 0..TRIES {
        let site = scene.site();
        let (ran, passed) = scene.night(&site, Some((&point.address(), deed)));
        if passed.is_struck() {
            let left = State::of(&site);
            let torn = scene.torn(&left);
            let told = || untold(scene, (&may_have_failed(&passed, deed), deed), &ran, &left);
            return torn.or_else(told).or_else(|| scene.heals(&site));
        }
    }
    Some(format!("not reached in {TRIES} runs"))
}

/// The files of which one must be named. On a disk that stays full, threads that work side by side all fail, and whichever
/// is heard first is told; what is not missed, such as a folder that is there already, is not told at all.
fn may_have_failed(passed: &Passed, deed: Deed) -> Vec<&str> {
    let since = passed.since_struck();
    let failed = if deed == Deed::Full { since } else { &since[..1] };
    failed.iter().filter(|point| deed.fits(point)).map(|point| what_failed(&point.file)).collect()
}

/// What is wrong with how the night ended and what it said.
fn untold(scene: &Scene, (files, deed): (&[&str], Deed), ran: &Ran, left: &State) -> Option<String> {
    if ran.is_ugly() || ran.code.is_none() {
        return Some(ran.shown());
    }
    let odd = left.against(&scene.new);
    if odd.is_none() && matches!(ran.code, Some(STORAGE | 10)) {
        return None;
    }
    let full = deed == Deed::Broken
        || ["No space left", "is full", "has space"].iter().any(|words| ran.talk.contains(words));
    let named = files.iter().any(|file| ran.talk.contains(file));
    let good = ran.code == Some(STORAGE) && named && full;
    let wants = || format!("exit 9 and one of {files:?}");
    (!good).then(|| format!("{}; wants {}: {}", odd.unwrap_or_default(), wants(), ran.shown()))
}

/// What a person must read in the message: the file as the operator knows it, not the one beside it that is being
/// written.
fn what_failed(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    match name {
        _ if file.starts_with("data/archive/partial/") => "data/archive/partial",
        "report.partial" => "report.json",
        "mismatches.partial" => "mismatches.csv",
        _ if file == "data" => "data",
        _ if name.starts_with("nightjob.db") && !name.ends_with(".lock") => "nightjob.db",
        _ => name,
    }
}
