//! The line to the database's server is cut, or falls silent: nothing is lost and nothing is there twice, and a COMMIT
//! whose answer was lost is found to be done.

use std::time::{Duration, Instant};

use crate::proxy::{Cut, Seen, between};
use crate::scene::Scene;
use crate::server::Server;
use crate::site::{NIGHT, Ran, Site};
use crate::state::State;
use crate::table::{Row, Thin, side_by_side};

/// The program gives up a server that says nothing after half a minute.
const PATIENCE: Duration = Duration::from_secs(60);
/// Exit 9: database or disk.
const STORAGE: i32 = 9;
/// What is said where the ledger itself had to be asked.
const FOUND_DONE: &str = "the ledger has the unit";

/// At each percent of what a night sends: for a moment, and for good.
pub(crate) fn each_percent(scene: &Scene, server: &Server, thin: Thin) -> Row {
    let since = Instant::now();
    let packets = undisturbed(scene, server).packets;
    let percents = thin.of(&(0..100).collect::<Vec<usize>>());
    let places = percents.iter().map(|percent| 1 + packets * percent / 100);
    let cuts: Vec<Cut> = places.flat_map(|at| [Cut::AtPacket(at), Cut::DownFrom(at)]).collect();
    let complaints = side_by_side(&cuts, |cut| cut_off(scene, server, cut).err());
    Row::new("the line cut at each 1 % of a night", scene.engine.name(), complaints, since)
        .remark(format!("{packets} packets; for a moment, and for good"))
}

/// Before each COMMIT.
pub(crate) fn before_commit(scene: &Scene, server: &Server) -> Row {
    let since = Instant::now();
    let cuts: Vec<Cut> = (1..=undisturbed(scene, server).commits).map(Cut::BeforeCommit).collect();
    let complaints = side_by_side(&cuts, |cut| cut_off(scene, server, cut).err());
    Row::new("the line cut before each COMMIT", scene.engine.name(), complaints, since)
}

/// Between each COMMIT and its answer.
pub(crate) fn after_commit(scene: &Scene, server: &Server) -> Row {
    let since = Instant::now();
    let cuts: Vec<Cut> = (1..=undisturbed(scene, server).commits).map(Cut::AfterCommit).collect();
    let ended = side_by_side(&cuts, |cut| {
        let ran = cut_off(scene, server, cut)?;
        let found = ran.talk.contains(FOUND_DONE);
        match found && ran.code != Some(scene.code) {
            true => Err(format!("a unit was found done, and yet: {}", ran.shown())),
            false => Ok(found),
        }
    });
    let found = ended.iter().filter(|ended| matches!(ended, Ok(true))).count();
    let none = (found == 0).then(|| "no unit whose COMMIT was not answered was found done".to_owned());
    let complaints = ended.into_iter().map(Result::err).chain(none.map(Some)).collect();
    Row::new("the line cut between each COMMIT and its reply", scene.engine.name(), complaints, since)
        .remark(format!("{found} units found done at once"))
}

/// Somebody takes the connection and says nothing.
pub(crate) fn silence(scene: &Scene, server: &Server) -> Row {
    let since = Instant::now();
    let complaint = cut_off(scene, server, &Cut::Silence).err();
    let late = (since.elapsed() > PATIENCE).then(|| format!("it took {} s", since.elapsed().as_secs()));
    Row::new("a server that accepts and says nothing", scene.engine.name(), vec![complaint.or(late)], since)
        .remark(format!("ended after {} s", since.elapsed().as_secs()))
}

fn undisturbed(scene: &Scene, server: &Server) -> Seen {
    let (ran, seen) = through(&scene.site(), server, Cut::Never);
    assert_eq!(ran.code, Some(scene.code), "a night through the proxy: {}", ran.shown());
    seen
}

/// A night through the proxy.
pub(crate) fn through(site: &Site, server: &Server, cut: Cut) -> (Ran, Seen) {
    let done = between(server.port, cut, |port| {
        site.configure(Some(port));
        site.run(&NIGHT)
    });
    site.configure(None);
    done
}

/// How a night ended whose line was cut; what is wrong with it, if anything is.
fn cut_off(scene: &Scene, server: &Server, cut: &Cut) -> Result<Ran, String> {
    let site = scene.site();
    let (ran, seen) = through(&site, server, cut.clone());
    // One that had less to say than the first ended before its cut, and then nothing excuses it.
    let excused = seen.struck && ran.code == Some(STORAGE) && !ran.is_ugly();
    let left = State::of(&site);
    let odd = left.against(&scene.new);
    let good = excused || ran.code == Some(scene.code) && odd.is_none();
    let unsaid = (!good).then(|| format!("{}: {}", odd.unwrap_or_default(), ran.shown()));
    match unsaid.or_else(|| scene.torn(&left)).or_else(|| scene.heals(&site)) {
        Some(wrong) => Err(format!("{cut:?}: {wrong}")),
        None => Ok(ran),
    }
}
