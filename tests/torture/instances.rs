//! Two to eight instances started at once, some of them killed: one works at a time, the others leave with exit 4 naming
//! who does, or wait; and nobody has to unlock anything.

use std::process::{Command, Stdio};
use std::time::Instant;

use crate::points::{self, Deed, Library, Point};
use crate::scene::{BUSY, Scene};
use crate::site::{NIGHT, Ran, Site};
use crate::state::State;
use crate::table::{Row, side_by_side};

/// What one round does.
struct Round {
    instances: usize,
    /// The first half of them are killed at this point, if they get that far.
    killed_at: Option<usize>,
    /// With `--wait`: then nobody leaves.
    waits: bool,
    /// Each in a folder of its own, as on machines of their own: only the database's lock is between them.
    apart: bool,
}

impl Round {
    fn drawn(scene: &Scene, can_wait: bool, seed: u64) -> Round {
        let mut random = fastrand::Rng::with_seed(seed);
        Round {
            instances: random.usize(2..=8),
            killed_at: (seed % 3 == 2).then(|| random.usize(1..=scene.points.len())),
            waits: can_wait && seed % 4 > 1,
            apart: scene.engine.server().is_some() && seed % 2 == 1,
        }
    }
}

pub(crate) fn at_once(scene: &Scene, rounds: u64) -> Row {
    let since = Instant::now();
    let can_wait = scene.site().run(&["--help"]).text.contains("--wait");
    let seeds: Vec<u64> = (0..rounds).collect();
    let started: usize = seeds.iter().map(|seed| Round::drawn(scene, can_wait, *seed).instances).sum();
    let complaints = side_by_side(&seeds, |seed| {
        let round = Round::drawn(scene, can_wait, *seed);
        held(scene, &round).map(|found| format!("round {seed}, {} instances: {found}", round.instances))
    });
    let waiting = if can_wait { ", half of the rounds with --wait" } else { "" };
    let apart = if scene.engine.server().is_some() { ", half as on several machines" } else { "" };
    Row::new("2 to 8 instances at once, rounds", scene.engine.name(), complaints, since)
        .remark(format!("{started} instances{waiting}{apart}"))
}

fn held(scene: &Scene, round: &Round) -> Option<String> {
    let site = scene.site();
    let others: Vec<Site> =
        (1..round.instances).filter(|_| round.apart).map(|_| scene.beside(&site)).collect();
    let (ended, order) = start(scene, (&site, &others), round);
    let pids: Vec<u32> = ended.iter().map(|(pid, _)| *pid).collect();
    let strange = ended.iter().find_map(|(_, ran)| strange(scene, round, &pids, ran));
    let worked = ended.iter().filter(|(_, ran)| ran.code == Some(scene.code)).count();
    let idle = (worked == 0 && round.killed_at.is_none()).then(|| "nobody worked".to_owned());
    let left = || {
        let left = State::of(&site);
        // Whoever was killed may have been the last; then the next night does it.
        // Where each has its own folder, only the ledger is common.
        let odd = || match round.apart {
            true => left.ledger.against(&scene.new.ledger),
            false => left.against(&scene.new),
        };
        let odd = || (worked > 0 && round.killed_at.is_none()).then(odd).flatten();
        scene.torn(&left).or_else(odd)
    };
    strange.or(idle).or_else(|| mixed(&order)).or_else(left).or_else(|| scene.heals(&site))
}

/// An instance, by its process, and how it ended.
type Ended = (u32, Ran);
/// An instance, by its process, and something durable that it did.
type Done = (u32, Point);

/// Starts them all, then waits for all; how each ended, and what they did in which order.
fn start(scene: &Scene, (site, others): (&Site, &[Site]), round: &Round) -> (Vec<Ended>, Vec<Done>) {
    let mut log = None;
    let mut commands: Vec<Command> = Vec::new();
    for number in 0..round.instances {
        let site = number.checked_sub(1).and_then(|other| others.get(other)).unwrap_or(site);
        let mut command = site.command(&NIGHT);
        if round.waits {
            command.args(["--wait", "10m"]);
        }
        match &log {
            None => log = Some(scene.load(&mut command, site)),
            Some(log) => scene.load_with(&mut command, site, log),
        }
        if let Some(at) = round.killed_at.filter(|_| number < round.instances.div_ceil(2)) {
            Library::disturb(&mut command, &at.to_string(), Deed::Kill);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        commands.push(command);
    }
    let children: Vec<_> = commands.iter_mut().map(|command| command.spawn().expect("the program")).collect();
    let ended =
        children.into_iter().map(|child| (child.id(), Ran::of(&child.wait_with_output().expect("its end"))));
    let ended = ended.collect();
    (ended, log.map(|log| points::by_process(&log)).unwrap_or_default())
}

/// What is wrong with how one instance ended.
fn strange(scene: &Scene, round: &Round, pids: &[u32], ran: &Ran) -> Option<String> {
    let names = |pid: &u32| ran.talk.contains(&format!("held by process {pid} on "));
    let nameless = || ran.talk.contains("held by another ");
    let good = match ran.code {
        None => round.killed_at.is_some(),
        // One that is killed before it wrote down its name holds the lock for as long as dying takes.
        Some(BUSY) => !round.waits && (pids.iter().any(names) || round.killed_at.is_some() && nameless()),
        Some(code) => code == scene.code,
    };
    (!good || ran.is_ugly()).then(|| ran.shown())
}

/// Whether two of them did the job in turns: what each wrote must lie together. Folders and the lock's own file are made
/// before anybody holds the lock; a server may be asked who does.
fn mixed(order: &[(u32, Point)]) -> Option<String> {
    let is_work = |point: &Point| {
        matches!(point.kind.as_str(), "write" | "rename" | "sync") && !point.file.ends_with(".lock")
    };
    let mut turns: Vec<u32> = order.iter().filter(|(_, point)| is_work(point)).map(|(pid, _)| *pid).collect();
    turns.dedup();
    let mut workers = turns.clone();
    workers.sort_unstable();
    workers.dedup();
    (turns.len() != workers.len()).then(|| format!("two worked at the same time: {turns:?}"))
}
