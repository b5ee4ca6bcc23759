//! The database's server itself is killed with `-9` in the middle of a night and started again.

use std::sync::Arc;
use std::time::Instant;

use crate::cuts::through;
use crate::proxy::Cut;
use crate::scene::Scene;
use crate::server::Server;
use crate::state::State;
use crate::table::Row;

/// Exit 9: database or disk.
const STORAGE: i32 = 9;

pub(crate) fn killed(scene: &Scene, server: &Server, times: usize) -> Row {
    let since = Instant::now();
    let (_, seen) = through(&scene.site(), server, Cut::Never);
    // One after another: there is one server.
    let complaints = (1..=times).map(|time| {
        let at = seen.packets * time / (times + 1);
        in_the_middle(scene, server, at).map(|found| format!("killed at packet {at}: {found}"))
    });
    let complaints = complaints.collect();
    Row::new("the server killed in a night and started again", scene.engine.name(), complaints, since)
}

fn in_the_middle(scene: &Scene, server: &Server, at: usize) -> Option<String> {
    let site = scene.site();
    let victim = server.clone();
    let (ran, seen) = through(&site, server, Cut::Do(at, Arc::new(move || victim.kill())));
    if !seen.struck {
        return Some("the night ended before".to_owned());
    }
    server.start_again();
    let left = State::of(&site);
    let odd = left.against(&scene.new);
    let good = ran.code == Some(STORAGE) || ran.code == Some(scene.code) && odd.is_none();
    let wrong = (!good || ran.is_ugly()).then(|| ran.shown());
    wrong.or_else(|| scene.torn(&left)).or_else(|| scene.heals(&site))
}
