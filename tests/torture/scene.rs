//! A night on an engine, undisturbed: what it begins with, what it leaves, and the points that it passes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::engine::Engine;
use crate::points::{self, Deed, Library, Passed, Point};
use crate::site::{ACCOUNTS, Masters, NIGHT, Night, Ran, Site};
use crate::state::State;

/// Exit 4: another instance holds the ledger.
pub(crate) const BUSY: i32 = 4;
/// Runs that may find the ledger held by a dead process; each takes about a tenth of a second.
const BUSY_TRIES: usize = 50;

/// The control: everything that a disturbed night is held against.
pub(crate) struct Scene<'a> {
    pub(crate) masters: &'a Masters,
    library: &'a Library,
    pub(crate) engine: &'a Engine,
    /// As the night finds it; trials work on copies.
    begun: Site,
    old: State,
    /// After a night for one account only.
    parts: Vec<State>,
    pub(crate) new: State,
    pub(crate) code: i32,
    pub(crate) points: Vec<Point>,
    /// A mismatch of the night, for readers to ask about.
    pub(crate) asked: String,
    planted: bool,
}

impl<'a> Scene<'a> {
    pub(crate) fn new(
        masters: &'a Masters,
        library: &'a Library,
        engine: &'a Engine,
        night: Night,
    ) -> Scene<'a> {
        let begun = masters.site(engine, night);
        let old = State::of(&begun);
        let mut scene = Scene {
            masters,
            library,
            engine,
            begun,
            old,
            parts: Vec::new(),
            new: State::default(),
            code: 0,
            points: Vec::new(),
            asked: String::new(),
            planted: false,
        };
        let site = scene.site();
        let (ran, passed) = scene.night(&site, None);
        scene.code = ran.code.unwrap_or(-1);
        scene.new = State::of(&site);
        scene.points = passed.points;
        assert_eq!(scene.code, 10, "the undisturbed night: {}", ran.shown());
        scene.parts = ACCOUNTS.map(|account| scene.part(account)).to_vec();
        scene.asked = scene.new.first_mismatch().expect("a night with mismatches");
        assert!(scene.new != scene.old && !scene.points.is_empty(), "the night does nothing");
        scene
    }

    fn part(&self, account: &str) -> State {
        let site = self.site();
        let ran = site.run(&[&NIGHT[..], &["--account", account]].concat());
        assert_eq!(ran.code, Some(10), "a night for one account: {}", ran.shown());
        State::of(&site)
    }

    /// What no whole night leaves, be it a night for some of the accounts.
    pub(crate) fn torn(&self, left: &State) -> Option<String> {
        let whole: Vec<&State> = std::iter::once(&self.old).chain(&self.parts).chain([&self.new]).collect();
        left.torn(&whole)
    }

    /// The same with the planted bug: a unit is two transactions.
    pub(crate) fn planted(self) -> Scene<'a> {
        Scene { planted: true, ..self }
    }

    pub(crate) fn site(&self) -> Site {
        self.masters.copy(self.engine, &self.begun)
    }

    /// A house on another machine: folders of its own, and the same ledger.
    pub(crate) fn beside(&self, site: &Site) -> Site {
        self.masters.beside(&self.begun, site)
    }

    pub(crate) fn site_in(&self, folder: tempfile::TempDir) -> Site {
        self.masters.copy_into(folder, self.engine, &self.begun)
    }

    /// The night, disturbed at a point or only counted.
    pub(crate) fn night(&self, site: &Site, at: Option<(&str, Deed)>) -> (Ran, Passed) {
        let mut command = site.command(&NIGHT);
        let log = self.load(&mut command, site);
        if let Some((at, deed)) = at {
            Library::disturb(&mut command, at, deed);
        }
        let ran = Site::finish(command);
        let passed = points::passed(&log);
        std::fs::remove_file(log).ok();
        (ran, passed)
    }

    /// Loads the library into a command; where it will write what it counts.
    pub(crate) fn load(&self, command: &mut Command, site: &Site) -> PathBuf {
        static RUN: AtomicUsize = AtomicUsize::new(0);
        let log = self.masters.scratch(&format!("points-{}", RUN.fetch_add(1, Ordering::Relaxed)));
        self.load_with(command, site, &log);
        log
    }

    /// The same with a log that others may write into as well.
    pub(crate) fn load_with(&self, command: &mut Command, site: &Site, log: &Path) {
        self.library.load(command, (site.path(), self.engine.port()), log);
        if self.planted {
            command.env("NIGHTJOB_PLANTED", "two_transactions");
        }
    }

    /// A night that nothing disturbs ends as the control did, whatever happened before it, and `verify` finds all sound.
    pub(crate) fn heals(&self, site: &Site) -> Option<String> {
        let mut ran = site.run(&NIGHT);
        // A server may learn a moment later that who held the ledger is dead.
        for _ in 0..BUSY_TRIES {
            if ran.code != Some(BUSY) {
                break;
            }
            ran = site.run(&NIGHT);
        }
        if ran.code != Some(self.code) {
            return Some(format!("the rerun ended with {}", ran.shown()));
        }
        let odd = State::of(site).against(&self.new).map(|odd| format!("after the rerun {odd}"));
        odd.or_else(|| {
            let verified = site.run(&["verify"]);
            (verified.code != Some(0)).then(|| format!("verify after the rerun: {}", verified.shown()))
        })
    }
}
