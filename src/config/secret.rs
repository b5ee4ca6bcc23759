//! References to secrets, and the one place that follows them: `file:PATH`, `env:NAME`, `cmd:COMMAND`.
//!
//! A secret is never written into the configuration itself, and no error here shows one.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::World;
use super::problem::Wrong;
use crate::domain::Secret;

/// Asked for in a row: long enough for a vault on a bad day, short enough for a night that must end.
pub(super) const COMMAND_TIME_MAX: Duration = Duration::from_secs(30);
/// The longest secret in use is a certificate chain of a few KiB.
const SECRET_LEN_MAX: usize = 64 * 1024;
/// Between two looks at a command that has closed its output and not ended yet.
const POLL: Duration = Duration::from_millis(10);

/// A reference, not yet followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference<'a> {
    File(&'a str),
    Env(&'a str),
    Command(&'a str),
}

impl<'a> Reference<'a> {
    /// `None` for anything else, which is then a literal secret and must not be shown.
    pub(super) fn parse(text: &'a str) -> Option<Reference<'a>> {
        let (kind, rest) = text.split_once(':')?;
        match (kind, rest.trim()) {
            (_, "") => None,
            ("file", path) => Some(Reference::File(path)),
            ("env", name) => Some(Reference::Env(name)),
            ("cmd", command) => Some(Reference::Command(command)),
            _ => None,
        }
    }
}

/// A secret as it was found, and what a person should be warned of.
pub(super) struct Followed {
    pub secret: Secret,
    pub warning: Option<String>,
}

/// What a reference led to.
struct Found {
    bytes: Vec<u8>,
    /// Where it was, for messages.
    what: String,
    warning: Option<String>,
}

fn find(reference: &Reference<'_>, home: &Path, world: &World) -> Result<Found, Wrong> {
    let (bytes, what, warning) = match reference {
        Reference::File(path) => {
            let full = home.join(path);
            (read_file(&full)?, format!("`{}`", full.display()), warn_if_open(&full))
        }
        Reference::Env(name) => (read_env(name, world)?, format!("variable {name}"), None),
        Reference::Command(command) => {
            (run(command, home, COMMAND_TIME_MAX)?, "the command".to_owned(), None)
        }
    };
    Ok(Found { bytes, what, warning })
}

/// Follows a reference to something that need not be text; the secret is its bytes in base64.
pub(super) fn follow_packed(
    reference: &Reference<'_>,
    home: &Path,
    world: &World,
) -> Result<Followed, Wrong> {
    let Found { bytes, what, warning } = find(reference, home, world)?;
    match bytes.is_empty() {
        true => Err(Wrong::new(format!("{what} is empty"), "put the secret there")),
        false => Ok(Followed { secret: Secret::new(BASE64_STANDARD.encode(bytes)), warning }),
    }
}

/// Follows a reference; paths and commands start in `home`.
pub(super) fn follow(reference: &Reference<'_>, home: &Path, world: &World) -> Result<Followed, Wrong> {
    let Found { bytes, what, warning } = find(reference, home, world)?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Wrong::new(format!("{what} holds no text"), "a secret is text in UTF-8; write binary keys as PEM")
    })?;
    let text = text.trim_end_matches(['\r', '\n']);
    match text.is_empty() {
        true => Err(Wrong::new(format!("{what} is empty"), "put the secret there")),
        false => Ok(Followed { secret: Secret::new(text), warning }),
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, Wrong> {
    let failed = |error: std::io::Error| {
        let fix = match error.kind() {
            std::io::ErrorKind::NotFound => {
                "put the secret there; the path is relative to the configuration's folder"
            }
            std::io::ErrorKind::PermissionDenied => "let the user that runs nightjob read it",
            _ => "make it a readable file",
        };
        Wrong::new(format!("cannot read `{}`: {error}", path.display()), fix)
    };
    let mut bytes = Vec::new();
    let limit = SECRET_LEN_MAX as u64 + 1;
    std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(failed)?;
    check_len(bytes, &format!("`{}`", path.display()))
}

fn read_env(name: &str, world: &World) -> Result<Vec<u8>, Wrong> {
    match world.env.get(name) {
        Some(value) => check_len(value.as_bytes().to_vec(), &format!("variable {name}")),
        None => {
            Err(Wrong::new(format!("variable {name} is not set"), "set it for the user that runs nightjob"))
        }
    }
}

fn check_len(bytes: Vec<u8>, what: &str) -> Result<Vec<u8>, Wrong> {
    match bytes.len() > SECRET_LEN_MAX {
        true => {
            Err(Wrong::new(format!("{what} is longer than 64 KiB"), "that is no key; check the reference"))
        }
        false => Ok(bytes),
    }
}

#[cfg(unix)]
fn warn_if_open(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o044 != 0).then(|| {
        let path = path.display();
        format!(
            "`{path}` holds a secret and others may read it (mode {:o}); chmod 600 `{path}`",
            mode & 0o777
        )
    })
}

#[cfg(not(unix))]
fn warn_if_open(_path: &Path) -> Option<String> {
    None
}

/// Runs a command in the shell and returns what it prints, within `time`.
fn run(command: &str, home: &Path, time: Duration) -> Result<Vec<u8>, Wrong> {
    let until = Instant::now() + time;
    let mut child = shell(command, home)
        .map_err(|error| Wrong::new(format!("cannot start the command: {error}"), "check cmd:COMMAND"))?;
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        // Ends with the pipe; if a grandchild keeps that open, the thread ends with the program.
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = stdout.take(SECRET_LEN_MAX as u64 + 1).read_to_end(&mut bytes).map(|_| bytes);
            // Nobody listens any more if the time is over.
            sender.send(read).ok();
        });
    }
    let heard = receiver.recv_timeout(time);
    let ended = heard.as_ref().ok().and_then(|_| end(&mut child, until));
    stop(&mut child);
    match heard {
        Err(_) => Err(Wrong::new(
            format!("the command took longer than {time:?}"),
            "make it faster, or use file:PATH",
        )),
        Ok(Err(error)) => {
            Err(Wrong::new(format!("cannot read from the command: {error}"), "check cmd:COMMAND"))
        }
        Ok(Ok(bytes)) if bytes.len() > SECRET_LEN_MAX => check_len(bytes, "what the command prints"),
        Ok(Ok(bytes)) => match ended {
            Some(status) if status.success() => Ok(bytes),
            Some(status) => Err(Wrong::new(
                match status.code() {
                    Some(code) => format!("the command failed with exit status {code}"),
                    None => format!("the command failed: {status}"),
                },
                "run it by hand in the configuration's folder; what it says is not shown here, because it may hold the secret",
            )),
            None => Err(Wrong::new(
                format!("the command closed its output and did not end within {time:?}"),
                "run it by hand in the configuration's folder, or use file:PATH",
            )),
        },
    }
}

fn shell(command: &str, home: &Path) -> std::io::Result<Child> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    // What it says on stderr may be part of a secret.
    Command::new(shell)
        .args([flag, command])
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// How the command ends, if it does before `until`.
fn end(child: &mut Child, until: Instant) -> Option<ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < until => std::thread::park_timeout(POLL),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// An ended command is only collected.
fn stop(child: &mut Child) {
    if child.kill().is_ok() {
        child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_nothing_else() {
        assert_eq!(Reference::parse("file:a b.key"), Some(Reference::File("a b.key")));
        assert_eq!(Reference::parse("env:WX_KEY"), Some(Reference::Env("WX_KEY")));
        assert_eq!(Reference::parse("cmd:pass show wx"), Some(Reference::Command("pass show wx")));
        for literal in ["", "CANARY", "file:", "env: ", "FILE:x", "https://x", "-----BEGIN PRIVATE KEY-----"]
        {
            assert_eq!(Reference::parse(literal), None, "{literal}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn commands_have_bounds_and_never_show_what_they_said() {
        let here = Path::new(".");
        let long = Duration::from_secs(20);
        assert_eq!(run("printf CANARY", here, long), Ok(b"CANARY".to_vec()));
        for (command, time, words) in [
            ("echo CANARY; echo CANARY >&2; exit 3", long, "failed with exit status 3"),
            ("echo CANARY; kill -9 $$", long, "the command failed: signal: 9"),
            ("exec sleep 20", Duration::from_millis(50), "longer than 50ms"),
            (
                "printf CANARY; exec 1>&-; exec sleep 20",
                Duration::from_millis(300),
                "did not end within 300ms",
            ),
            ("while :; do echo CANARYCANARY; done", long, "longer than 64 KiB"),
        ] {
            let wrong = run(command, here, time).expect_err(command);
            assert!(wrong.found.contains(words), "{command}: {wrong:?}");
            assert!(!format!("{wrong:?}").contains("CANARY"), "{wrong:?}");
        }
    }
}
