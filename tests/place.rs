//! The repository as a place: what the README says is true, and what is shipped for schedulers and scripts is sound.

mod common;

use std::collections::BTreeSet;
use std::process::Command;

use nightjob::domain::Exit;

fn text(path: &str) -> String {
    std::fs::read_to_string(common::home().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of the README in one language, without their fences.
fn blocks(language: &str) -> Vec<String> {
    let readme = text("README.md");
    let parts = readme.split("```").skip(1).step_by(2);
    let wanted = parts.filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'));
    wanted.map(str::to_owned).collect()
}

fn files_below(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(common::home().join(folder)).expect("a folder");
    let paths = entries.map(|e| e.expect("an entry").path()).filter(|path| path.is_file());
    paths.map(|path| format!("{folder}/{}", path.file_name().expect("a name").to_string_lossy())).collect()
}

#[test]
fn what_the_readme_quotes_is_what_the_program_writes() {
    let goldens = [
        "fixtures/reports/ordinary.en.screen.txt",
        "fixtures/reports/status.en.txt",
        "scripts/schedule/crontab.txt",
    ];
    let sources = goldens.map(text);
    let quoted = blocks("text");
    assert!(quoted.len() >= 4);
    for block in quoted {
        assert!(sources.iter().any(|source| source.contains(&block)), "not found in a golden:\n{block}");
    }
}

#[test]
fn the_readmes_configuration_is_toml_of_ten_lines() {
    let configuration = blocks("toml").concat();
    let parsed: toml::Table = toml::from_str(&configuration).expect("TOML");
    assert_eq!(parsed["account"].as_array().map(Vec::len), Some(1));
    let lines = configuration.lines().filter(|line| !line.is_empty() && !line.starts_with('[')).count();
    assert!(lines <= 10, "{lines} lines");
}

#[test]
fn the_readme_names_every_exit_code_and_only_those() {
    let readme = text("README.md");
    let table = readme.split("| exit | meaning |").nth(1).expect("the table of exit codes");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let named: BTreeSet<u8> =
        cells.flat_map(|cell| cell.split(',')).map(|code| code.trim().parse().expect("a code")).collect();
    let all = [
        Exit::Done,
        Exit::Bug,
        Exit::Usage,
        Exit::Config,
        Exit::Busy,
        Exit::Passing,
        Exit::Refused,
        Exit::NotReady,
        Exit::Rejected,
        Exit::Storage,
        Exit::Look,
        Exit::Undelivered,
        Exit::Deadline,
        Exit::Damage,
        Exit::Interrupted,
        Exit::Terminated,
    ];
    assert_eq!(named, all.into_iter().map(Exit::code).collect());
}

#[test]
fn every_file_that_the_readme_names_exists() {
    let readme = text("README.md");
    let words = readme.split(|c: char| c.is_whitespace() || "`()[]|,;:".contains(c));
    let named =
        words.filter(|w| ["scripts/", "src/", "LICENSE", "CHANGELOG"].iter().any(|p| w.starts_with(p)));
    let missing: Vec<&str> = named.filter(|path| !common::home().join(path).exists()).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn the_build_server_runs_the_readmes_test_command_and_nothing_else() {
    let run = text(".ci/run");
    let commands: Vec<&str> = run.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(
        commands,
        ["set -euo pipefail", "cd \"$(dirname \"${BASH_SOURCE[0]}\")/..\"", "exec scripts/test"]
    );
}

/// Folders of one machine, and hosts that a clone elsewhere may not reach.
const FOREIGN: [&str; 6] = [
    concat!("/", "home/"),
    concat!("/", "root/"),
    concat!("/", "work/"),
    concat!("/", "tmp/"),
    "http://",
    "https://",
];

#[test]
fn scripts_are_strict_and_bound_to_no_machine() {
    let scripts: Vec<String> = files_below("scripts").into_iter().chain([".ci/run".to_owned()]).collect();
    assert!(scripts.len() >= 8);
    for script in scripts {
        let text = text(&script);
        if !script.ends_with(".sh") {
            assert!(text.starts_with("#!/usr/bin/env bash\n# "), "{script}: says what it is for");
            assert!(text.contains("\nset -euo pipefail\n"), "{script}");
        }
        for foreign in FOREIGN {
            assert!(!text.contains(foreign), "{script}: {foreign}");
        }
    }
}

#[cfg(unix)]
#[test]
fn scripts_are_executable_and_parse() {
    use std::os::unix::fs::PermissionsExt as _;
    for script in files_below("scripts").into_iter().chain([".ci/run".to_owned()]) {
        let path = common::home().join(&script);
        let mode = std::fs::metadata(&path).expect("a script").permissions().mode();
        assert_eq!(mode & 0o111 != 0, !script.ends_with(".sh"), "{script}: {mode:o}");
        let parsed = Command::new("bash").arg("-n").arg(&path).status().expect("bash");
        assert!(parsed.success(), "{script}");
    }
}

/// The value of a key of a systemd unit.
fn value<'u>(unit: &'u str, key: &str) -> Option<&'u str> {
    unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
}

#[test]
fn a_mismatch_does_not_fail_the_service_and_a_missed_night_is_made_up_for() {
    let service = text("scripts/schedule/nightjob.service");
    assert_eq!(value(&service, "SuccessExitStatus"), Some("10"));
    assert_eq!(value(&service, "Type"), Some("oneshot"));
    assert!(value(&service, "ExecStart").expect("a command").ends_with("/nightjob"), "no arguments");
    let timer = text("scripts/schedule/nightjob.timer");
    assert_eq!(value(&timer, "Persistent"), Some("true"));
    assert_eq!(value(&timer, "OnCalendar"), Some("*-*-* 02:17:00"));
    assert!(value(&timer, "RandomizedDelaySec").is_some());
}

#[test]
fn the_task_for_windows_is_the_utf_16_it_says_it_is() {
    let bytes = std::fs::read(common::home().join("scripts/schedule/nightjob-task.xml")).expect("the task");
    assert_eq!(bytes[..2], [0xff, 0xfe], "a byte order mark");
    let units: Vec<u16> = bytes[2..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16(&units).expect("UTF-16");
    assert!(text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n"));
    let mut reader = quick_xml::Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    while !matches!(reader.read_event().expect("well-formed XML"), quick_xml::events::Event::Eof) {}
    for setting in [
        "<MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>",
        "<StartWhenAvailable>true</StartWhenAvailable>",
        "T02:17:00</StartBoundary>",
        "<ExecutionTimeLimit>PT4H</ExecutionTimeLimit>",
    ] {
        assert!(text.contains(setting), "{setting}");
    }
}
