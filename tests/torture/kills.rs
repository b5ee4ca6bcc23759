//! `kill -9` at every point of a night: nothing is torn, readers are answered, and the rerun ends as if nothing had been.

use std::time::Instant;

use crate::points::{Deed, Point};
use crate::scene::Scene;
use crate::site::Site;
use crate::state::State;
use crate::table::{Row, Thin, side_by_side};

/// How often a run is repeated that did not pass its point: threads take turns differently.
const TRIES: usize = 8;

/// Every point, and every write once more torn in half.
pub(crate) fn every_point(scene: &Scene, night: &str, (kills, tears): (Thin, Thin)) -> Row {
    let since = Instant::now();
    let of = |deed: Deed| scene.points.iter().filter(|p| deed.fits(p)).map(|p| (p, deed)).collect::<Vec<_>>();
    let (kills, tears) = (kills.of(&of(Deed::Kill)), tears.of(&of(Deed::Tear)));
    let remark = format!(
        "{} points: {} kills before, {} within a write",
        scene.points.len(),
        kills.len(),
        tears.len()
    );
    let trials = [kills, tears].concat();
    let complaints = side_by_side(&trials, |(point, deed)| {
        killed(scene, point, *deed).map(|found| format!("{} {}: {found}", deed.word(), point.address()))
    });
    Row::new(&format!("kill -9 at every point of {night}"), scene.engine.name(), complaints, since)
        .remark(remark)
}

fn killed(scene: &Scene, point: &Point, deed: Deed) -> Option<String> {
    for tried in 0..TRIES {
        let site = scene.site();
        let (ran, passed) = scene.night(&site, Some((&point.in_a_shorter_night(tried).address(), deed)));
        if !passed.is_struck() {
            continue;
        }
        if ran.code.is_some() {
            return Some(format!("it lived on: {}", ran.shown()));
        }
        let torn = scene.torn(&State::of(&site));
        return torn.or_else(|| unread(scene, &site)).or_else(|| scene.heals(&site));
    }
    Some(format!("not reached in {TRIES} runs"))
}

/// A reader of what the killed night left is answered, or told why not.
fn unread(scene: &Scene, site: &Site) -> Option<String> {
    let ran = site.run(&["explain", &scene.asked]);
    let clean = matches!(ran.code, Some(0)) || ran.talk.starts_with("error: ");
    (ran.is_ugly() || !clean).then(|| format!("`explain` between kill and rerun: {}", ran.shown()))
}

/// The rerun is killed as well, up to three times, at points drawn from the chain's number.
pub(crate) fn chains(scene: &Scene, chains: u64) -> Row {
    let since = Instant::now();
    let seeds: Vec<u64> = (0..chains).collect();
    let complaints =
        side_by_side(&seeds, |seed| chain(scene, *seed).map(|found| format!("chain {seed}: {found}")));
    Row::new("the rerun killed too, up to 3 times", scene.engine.name(), complaints, since)
}

fn chain(scene: &Scene, seed: u64) -> Option<String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let site = scene.site();
    for _ in 0..random.usize(2..=4) {
        // By number: it need not be the same point twice, and a run that ends before it is a good one.
        let at = random.usize(1..=scene.points.len()).to_string();
        let deed = if random.bool() { Deed::Kill } else { Deed::Tear };
        let (ran, passed) = scene.night(&site, Some((&at, deed)));
        if ran.is_ugly() || passed.is_struck() && deed == Deed::Kill && ran.code.is_some() {
            return Some(ran.shown());
        }
        if let Some(torn) = scene.torn(&State::of(&site)) {
            return Some(torn);
        }
    }
    scene.heals(&site)
}

/// The negative control: the same sweep on a unit that is two transactions must find torn ones.
pub(crate) fn two_transactions(scene: &Scene, thin: Thin) -> Row {
    let since = Instant::now();
    let trials = thin.of(&scene.points.iter().collect::<Vec<&Point>>());
    let torn = side_by_side(&trials, |point| {
        let site = scene.site();
        let (_, passed) = scene.night(&site, Some((&point.address(), Deed::Kill)));
        passed.is_struck() && scene.torn(&State::of(&site)).is_some()
    });
    let caught = torn.iter().filter(|torn| **torn).count();
    let verdict = (caught == 0).then(|| "two transactions instead of one were not noticed".to_owned());
    Row::new("the same where a unit is two transactions", scene.engine.name(), vec![verdict], since)
        .result(if caught == 0 { "missed" } else { "caught" })
        .remark(format!("{caught} torn of {} kills", torn.len()))
}
