//! `kill -9` at every point of a night: nothing is torn, readers are answered, and the rerun ends as if nothing had been.

use std::time::Instant;

use crate::points::{Deed, Point};
use crate::scene::Scene;
use crate::state::State;
use crate::table::{Row, side_by_side};

/// How often a run is repeated that did not pass its point: threads take turns differently.
const TRIES: usize = 8;

/// Every point, and every write once more torn in half.
pub(crate) fn every_point(scene: &Scene, night: &str) -> Row {
    let since = Instant::now();
    let trials = all(&scene.points);
    let complaints = side_by_side(&trials, |(point, deed)| {
        killed(scene, point, *deed).map(|found| format!("{} {}: {found}", deed.word(), point.address()))
    });
    Row::new(&format!("kill -9 at every point of {night}"), scene.engine.name(), complaints, since).remark(
        format!("{} points, {} writes also torn", scene.points.len(), trials.len() - scene.points.len()),
    )
}

fn all(points: &[Point]) -> Vec<(&Point, Deed)> {
    let deeds = [Deed::Kill, Deed::Tear];
    points.iter().flat_map(|point| deeds.map(|deed| (point, deed))).filter(|(p, deed)| deed.fits(p)).collect()
}

fn killed(scene: &Scene, point: &Point, deed: Deed) -> Option<String> {
    for _ in 0..TRIES {
        let site = scene.site();
        let (ran, passed) = scene.night(&site, Some((&point.address(), deed)));
        if !passed.struck {
            continue;
        }
        if ran.code.is_some() {
            return Some(format!("it lived on: {}", ran.shown()));
        }
        let torn = State::of(&site).torn(&scene.old, &scene.new);
        return torn.or_else(|| unread(&site)).or_else(|| scene.heals(&site));
    }
    Some(format!("not reached in {TRIES} runs"))
}

/// A reader of what the killed night left is answered, or told why not.
fn unread(site: &crate::site::Site) -> Option<String> {
    let ran = site.run(&["explain", "16110809335991735129"]);
    let clean = matches!(ran.code, Some(0)) || ran.talk.starts_with("error: ");
    (ran.is_ugly() || !clean).then(|| format!("`explain` between kill and rerun: {}", ran.shown()))
}

/// The negative control: the same sweep on a unit that is two transactions must find torn ones.
pub(crate) fn two_transactions(scene: &Scene) -> Row {
    let since = Instant::now();
    let trials: Vec<&Point> = scene.points.iter().collect();
    let torn = side_by_side(&trials, |point| {
        let site = scene.site();
        let (_, passed) = scene.night(&site, Some((&point.address(), Deed::Kill)));
        passed.struck && State::of(&site).torn(&scene.old, &scene.new).is_some()
    });
    let caught = torn.iter().filter(|torn| **torn).count();
    let verdict = (caught == 0).then(|| "two transactions instead of one were not noticed".to_owned());
    Row::new("the same where a unit is two transactions", scene.engine.name(), vec![verdict], since)
        .result(if caught == 0 { "missed" } else { "caught" })
        .remark(format!("{caught} torn of {} kills", torn.len()))
}
