//! The points of a run at which it can be disturbed: found by running it once, placed by a small library that is
//! loaded into the real program (`points.c`).

use std::path::{Path, PathBuf};
use std::process::Command;

/// A durable call: one that changes a file or folder of the site, or sends bytes to the database's server.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Point {
    /// `create write sync truncate rename unlink mkdir chmod chown link send`
    pub(crate) kind: String,
    /// The how-manieth call of this kind on this file. Together they hold on to a point, however threads take turns.
    pub(crate) ordinal: usize,
    /// Below the site's folder; random parts of a name are a star.
    pub(crate) file: String,
}

impl Point {
    fn read(line: &str) -> Option<Point> {
        let mut words = line.trim_start_matches('!').splitn(5, ' ').skip(2);
        let (kind, ordinal, file) = (words.next()?, words.next()?, words.next()?);
        Some(Point { kind: kind.to_owned(), ordinal: ordinal.parse().ok()?, file: file.to_owned() })
    }

    pub(crate) fn address(&self) -> String {
        format!("{} {} {}", self.kind, self.ordinal, self.file)
    }

    /// The same point, or, after some runs that did not come to it, one a little before: how many packets a night sends
    /// depends on which threads share a connection, so the last ones that were counted are not in every night.
    pub(crate) fn in_a_shorter_night(&self, tried: usize) -> Point {
        let missing = if self.is_send() { self.ordinal * tried / 40 } else { 0 };
        Point { ordinal: self.ordinal - missing, ..self.clone() }
    }

    pub(crate) fn is_send(&self) -> bool {
        self.kind == "send"
    }
}

/// What is done to a run at a point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Deed {
    /// `SIGKILL` before the call.
    Kill,
    /// `SIGKILL` when half of a write is done.
    Tear,
    /// The call fails, once.
    NoSpace,
    Broken,
    /// It and every later call that needs space fail.
    Full,
}

impl Deed {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Deed::Kill => "kill",
            Deed::Tear => "tear",
            Deed::NoSpace => "ENOSPC",
            Deed::Broken => "EIO",
            Deed::Full => "full",
        }
    }

    /// Whether a disk, or a kernel, can do this to such a call.
    pub(crate) fn fits(self, point: &Point) -> bool {
        let kind = point.kind.as_str();
        match self {
            Deed::Kill => true,
            Deed::Tear => matches!(kind, "write" | "send"),
            Deed::NoSpace | Deed::Full => matches!(kind, "create" | "write" | "truncate" | "mkdir"),
            Deed::Broken => !point.is_send(),
        }
    }
}

/// The library, compiled.
pub(crate) struct Library {
    path: PathBuf,
}

/// What a disturbed or merely counted run passed.
pub(crate) struct Passed {
    pub(crate) points: Vec<Point>,
    /// The place in `points` at which something was done to it, if it came to that.
    struck: Option<usize>,
}

impl Passed {
    pub(crate) fn is_struck(&self) -> bool {
        self.struck.is_some()
    }

    /// The points from the disturbed one on; none if it was not reached.
    pub(crate) fn since_struck(&self) -> &[Point] {
        self.struck.map_or(&[], |first| &self.points[first..])
    }
}

impl Library {
    /// Compiles it into `folder`.
    pub(crate) fn build(folder: &Path) -> Library {
        let path = folder.join("points.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture/points.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&path).arg(source).arg("-lpthread");
        let compiled = compiler.status().expect("a C compiler: install gcc");
        assert!(compiled.success(), "points.c does not compile");
        Library { path }
    }

    /// Loads it into a command that works in `root`; the log of points goes to `log`.
    pub(crate) fn load(&self, command: &mut Command, (root, port): (&Path, Option<u16>), log: &Path) {
        if let Some(port) = port {
            command.env("POINTS_PORT", port.to_string());
        }
        command.env("LD_PRELOAD", &self.path).env("POINTS_ROOT", root).env("POINTS_LOG", log);
    }

    pub(crate) fn disturb(command: &mut Command, at: &str, deed: Deed) {
        command.env("POINTS_AT", at).env("POINTS_DO", deed.word());
    }
}

/// Which process did what, in the order of the calls, where several write into one log.
pub(crate) fn by_process(log: &Path) -> Vec<(u32, Point)> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let read = |line: &str| {
        Some((line.trim_start_matches('!').split(' ').next()?.parse().ok()?, Point::read(line)?))
    };
    text.lines().filter_map(read).collect()
}

pub(crate) fn passed(log: &Path) -> Passed {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    Passed {
        points: text.lines().filter_map(Point::read).collect(),
        struck: text.lines().position(|line| line.starts_with('!')),
    }
}
