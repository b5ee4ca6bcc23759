//! Which configuration file, and its text; and the gateway's web.config beside an old one.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::legacy;
use super::{Request, World};
use crate::domain::{Exit, Failure};

const NAME: &str = "nightjob.toml";
const WEB_CONFIG: &str = "web.config";
/// A thousand accounts are some 300 KiB.
const FILE_LEN_MAX: u64 = 4 * 1024 * 1024;

/// A configuration file as it was found.
pub(super) struct Found {
    /// As a person would write it.
    pub name: String,
    /// Its folder, absolute.
    pub home: PathBuf,
    pub text: String,
    /// The old program's XML, or the gateway's.
    pub is_xml: bool,
}

impl Found {
    /// Whether it is the gateway's own file, which is told by its name: the keys of the two do not exclude each other.
    pub(super) fn is_gateways(&self) -> bool {
        let name = self.name.rsplit(['/', '\\']).next().unwrap_or("");
        name.to_ascii_lowercase().ends_with("web.config")
    }
}

/// The gateway's web.config in the same folder, in any case.
///
/// # Errors
///
/// It is there and cannot be read.
pub(super) fn beside(found: &Found, world: &World) -> Result<Option<Found>, Failure> {
    let entries = std::fs::read_dir(&found.home).ok().into_iter().flatten();
    // A folder of a program holds some dozens of files; only their names are looked at.
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let Some(name) = names.find(|name| name.eq_ignore_ascii_case(WEB_CONFIG)) else { return Ok(None) };
    let path =
        Path::new(&found.name).parent().map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name));
    open(&path, "", world).map(Some)
}

/// Looks at `--config`, `NIGHTJOB_CONFIG`, `./nightjob.toml`, and beside the program, in that order.
pub(super) fn find(request: &Request<'_>, world: &World) -> Result<Found, Failure> {
    if let Some(path) = &request.file {
        return open(path, "--config", world);
    }
    if let Some(path) = world.env.get("NIGHTJOB_CONFIG").filter(|path| !path.is_empty()) {
        return open(Path::new(path), "NIGHTJOB_CONFIG", world);
    }
    if world.here.join(NAME).exists() {
        return open(Path::new(NAME), "", world);
    }
    match world.beside.as_ref().map(|folder| folder.join(NAME)).filter(|path| path.exists()) {
        Some(path) => open(&path, "", world),
        None => Err(nowhere(world)),
    }
}

fn nowhere(world: &World) -> Failure {
    let beside = world.beside.as_ref().map_or(String::new(), |b| format!(" or `{}`", b.display()));
    Failure::new(Exit::Config, format!("no {NAME} in `{}`{beside}", world.here.display()))
        .hint("write one from config/nightjob.example.toml, or name it with --config or NIGHTJOB_CONFIG; `nightjob demo` needs none")
}

fn open(path: &Path, named_by: &str, world: &World) -> Result<Found, Failure> {
    let name = path.display().to_string();
    let by = if named_by.is_empty() { String::new() } else { format!(" ({named_by})") };
    let full = world.here.join(path);
    let mut bytes = Vec::new();
    std::fs::File::open(&full).and_then(|file| file.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes)).map_err(
        |error| {
            Failure::new(Exit::Config, format!("cannot read the configuration `{name}`{by}: {error}"))
                .hint("name a readable file with --config or NIGHTJOB_CONFIG")
        },
    )?;
    let is_xml = legacy::is_xml(&bytes);
    let text = decode(bytes, &name, is_xml)?;
    let full = std::path::absolute(&full).unwrap_or(full);
    let home = full.parent().map_or_else(|| world.here.clone(), Path::to_path_buf);
    Ok(Found { name, home, text, is_xml })
}

/// The file that a command names.
pub(super) fn named(path: &Path, world: &World) -> Result<Found, Failure> {
    open(path, "", world)
}

fn decode(bytes: Vec<u8>, name: &str, is_xml: bool) -> Result<String, Failure> {
    let fail = |found: String, hint: &str| Err(Failure::new(Exit::Config, found).hint(hint));
    if bytes.len() as u64 > FILE_LEN_MAX {
        return fail(format!("{name} is longer than 4 MiB"), "that is no configuration; check --config");
    }
    if is_xml {
        return match legacy::decode(&bytes) {
            Ok(text) => Ok(text),
            Err((found, hint)) => fail(format!("{name} {found}"), hint),
        };
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|b| **b == b'\n').count() + 1;
            fail(format!("{name}:{line}: not UTF-8 (saved as GBK or UTF-16?)"), "save it as UTF-8")
        }
    }
}
