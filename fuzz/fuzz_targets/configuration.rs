//! Any text as a configuration: no panic, and what is told of it is one report.
//!
//! Secrets are left alone, so no file is opened and no command runs.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use nightjob::config::{self, Request, SecretUse, World};
use nightjob::domain::Moment;

fuzz_target!(|text: &str| {
    let request = Request { secrets: SecretUse::Leave, ..Request::new() };
    let today = Moment::from_unix(1_478_736_000).date();
    match config::settle(text, Path::new("home"), &request, &World::default(), today) {
        Ok(loaded) => assert!(!config::shown_table(&loaded.shown).is_empty()),
        Err(problems) => assert!(problems.to_string().ends_with("nothing was written")),
    }
});
