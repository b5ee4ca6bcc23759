//! A disk that is really full: the house on a small file system of its own, with more and more room left.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::scene::Scene;
use crate::site::{NIGHT, Site};
use crate::state::State;
use crate::table::{Row, side_by_side};

/// Of the file system: more than a house and its night need.
const DISK_BYTES: u64 = 32 << 20;
/// Room left for the night, in KiB: from none to more than it needs.
const ROOM_KIB: usize = 2048;
const STEP_KIB: usize = 32;
const FULL: &str = "full disk, the night run again after making room";

/// A file system in memory; unmounted when dropped.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn mount() -> Result<Disk, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={DISK_BYTES}"), "none"]).arg(folder.path());
        let done = command.output().map_err(|error| format!("mount: {error}"))?;
        match done.status.success() {
            true => Ok(Disk { folder }),
            false => Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte, and then leaves `room_kib`.
    fn fill(&self, room_kib: usize) {
        let path = self.path().join("ballast");
        let mut ballast = fs::File::create(&path).expect("a file");
        let mut written = 0;
        while let Ok(n @ 1..) = ballast.write(&[0; 4096]) {
            written += n as u64;
        }
        ballast.set_len(written.saturating_sub(room_kib as u64 * 1024)).expect("a shorter file");
    }

    fn make_room(&self) {
        fs::remove_file(self.path().join("ballast")).expect("the ballast");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        Command::new("umount").arg(self.path()).status().ok();
    }
}

pub(crate) fn smaller_and_larger(scene: &Scene) -> Row {
    let since = Instant::now();
    if let Err(why) = Disk::mount() {
        return Row::not_run(FULL, scene.engine.name(), why).excused();
    }
    let rooms: Vec<usize> = (0..=ROOM_KIB).step_by(STEP_KIB).collect();
    let ended = side_by_side(&rooms, |room| crowded(scene, *room));
    let too_small = ended.iter().filter(|ended| ended.is_too_small).count();
    let fits = ended.len() - too_small;
    let complaints = rooms
        .iter()
        .zip(ended)
        .map(|(room, ended)| ended.complaint.map(|complaint| format!("{room} KiB left: {complaint}")));
    let mut complaints: Vec<Option<String>> = complaints.collect();
    if too_small == 0 || fits == 0 {
        complaints.push(Some("the rooms are all too small, or all large enough".to_owned()));
    }
    Row::new(FULL, scene.engine.name(), complaints, since)
        .remark(format!("0 to {ROOM_KIB} KiB left; {too_small} too small"))
}

struct Ended {
    is_too_small: bool,
    complaint: Option<String>,
}

fn crowded(scene: &Scene, room_kib: usize) -> Ended {
    let disk = Disk::mount().expect("a second file system");
    let site = scene.site_in(tempfile::tempdir_in(disk.path()).expect("room for a house"));
    disk.fill(room_kib);
    let ran = site.run(&NIGHT);
    let odd = State::of(&site).against(&scene.new);
    let told =
        ran.talk.contains("No space left") || ran.talk.contains("full") || ran.talk.contains("has space");
    let ended_well =
        if odd.is_none() { matches!(ran.code, Some(9 | 10)) } else { ran.code == Some(9) && told };
    disk.make_room();
    let complaint = match ended_well && !ran.is_ugly() {
        true => scene.torn(&State::of(&site)).or_else(|| scene.heals(&site)),
        false => Some(format!("{}: {}", odd.clone().unwrap_or_default(), ran.shown())),
    };
    close(site);
    Ended { is_too_small: odd.is_some(), complaint }
}

/// Before its disk is unmounted.
fn close(site: Site) {
    drop(site);
}
