//! The line to the database's server is cut, or falls silent: nothing is lost and nothing is there twice, and a COMMIT
//! whose answer was lost is found to be done.

use std::time::{Duration, Instant};

use crate::proxy::{Cut, Seen, between};
use crate::scene::Scene;
use crate::server::Server;
use crate::site::{NIGHT, Ran, Site};
use crate::state::State;
use crate::table::{Row, Thin, side_by_side};

/// The program gives up a server that says nothing after half a minute, and one whose line breaks after three tries at each
/// unit; the machine may be busy with other trials.
const PATIENCE: Duration = Duration::from_secs(120);
/// Exit 9: database or disk.
const STORAGE: i32 = 9;
/// What is said where the ledger itself had to be asked.
const FOUND_DONE: &str = "the ledger has the unit";
/// What is said where a unit is tried once more.
const ANEW: &str = "is begun anew";

/// The line cut everywhere: one row for each way. All of them in one go, because the silent server takes its time.
pub(crate) fn everywhere(scene: &Scene, server: &Server, thin: Thin) -> Vec<Row> {
    let since = Instant::now();
    let Seen { packets, commits, .. } = undisturbed(scene, server);
    let percents = thin.of(&(0..100).collect::<Vec<usize>>());
    let places = percents.iter().map(|percent| 1 + packets * percent / 100);
    let mut cuts = vec![Cut::Silence];
    cuts.extend(places.flat_map(|at| [Cut::AtPacket(at), Cut::DownFrom(at)]));
    cuts.extend((1..=commits).flat_map(|commit| [Cut::BeforeCommit(commit), Cut::AfterCommit(commit)]));
    let ended = side_by_side(&cuts, |cut| ended(scene, server, cut));
    let ended: Vec<(&Cut, &Ended)> = cuts.iter().zip(&ended).collect();
    let row = |suite: &str, is: fn(&Cut) -> bool| {
        let trials =
            ended.iter().filter(|(cut, _)| is(cut)).map(|(_, ended)| ended.complaint.clone()).collect();
        Row::new(suite, scene.engine.name(), trials, since)
    };
    let found = ended.iter().filter(|(cut, ended)| matches!(cut, Cut::AfterCommit(_)) && ended.found).count();
    let healed =
        ended.iter().filter(|(cut, ended)| matches!(cut, Cut::BeforeCommit(_)) && ended.healed).count();
    vec![
        row("the line cut at each 1 % of a night", |cut| matches!(cut, Cut::AtPacket(_) | Cut::DownFrom(_)))
            .remark(format!("{packets} packets; for a moment, and for good")),
        row("the line cut before each COMMIT", |cut| matches!(cut, Cut::BeforeCommit(_)))
            .but((healed == 0).then(|| "no unit was begun anew".to_owned()))
            .remark(format!("{healed} nights ended as if nothing had been")),
        row("the line cut between each COMMIT and its reply", |cut| matches!(cut, Cut::AfterCommit(_)))
            .but((found == 0).then(|| "no unit whose COMMIT was not answered was found done".to_owned()))
            .remark(format!("{found} units found done at once")),
        row("a server that accepts and says nothing", |cut| matches!(cut, Cut::Silence)),
    ]
}

/// How a trial ended.
struct Ended {
    complaint: Option<String>,
    /// The ledger had to be asked whether a unit is in it, and it was.
    found: bool,
    /// A unit was begun anew, and all was well.
    healed: bool,
}

fn ended(scene: &Scene, server: &Server, cut: &Cut) -> Ended {
    let since = Instant::now();
    match cut_off(scene, server, cut) {
        Err(complaint) => Ended { complaint: Some(complaint), found: false, healed: false },
        Ok(ran) => {
            let found = ran.talk.contains(FOUND_DONE);
            let vain = found && ran.code != Some(scene.code);
            let late = since.elapsed() > PATIENCE;
            let complaint =
                (vain || late).then(|| format!("{cut:?}: found done in vain, or late: {}", ran.shown()));
            Ended { complaint, found, healed: ran.talk.contains(ANEW) && ran.code == Some(scene.code) }
        }
    }
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
