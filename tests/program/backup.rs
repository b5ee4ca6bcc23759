//! `backup`: a copy that `verify` proves, made while a night is going on; and what is not in it.

use std::process::Stdio;

use crate::site::{SiteFolder, bill, command, paid, ran};
use crate::town::{Town, usual};

fn night() -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.statement(bill(&[("A1", "12.00"), ("A2", "100.00")]));
    site.log([paid("A1", 1200, "09:00:00"), paid("A2", 9999, "09:01:00")]);
    site.run(&[]).expect(10);
    site
}

#[test]
fn a_copy_is_proven_where_it_stands() {
    let site = night();
    site.run(&["backup", "copies/one"]).expect(0).says("copied to");
    let copy = site.path("copies/one/nightjob.toml").display().to_string();
    site.run(&["--config", &copy, "verify"]).expect(0).says("1 of 1 units proven").says("0 damaged places");
    // From elsewhere, and without the original.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let moved = elsewhere.path().join("moved");
    std::fs::rename(site.path("copies/one"), &moved).expect("the same disk");
    for folder in ["data", "reports", "statements"] {
        std::fs::remove_dir_all(site.path(folder)).expect("a folder");
    }
    ran(command(&moved, &["verify"]).output().expect("the program")).expect(0).says("1 of 1 units proven");
    ran(command(&moved, &["explain", "A2"]).output().expect("the program")).expect(0).says("100.00");
    assert!(!site.path("copies/one.partial").exists());
}

#[test]
fn only_a_new_or_empty_folder_is_taken() {
    let site = night();
    std::fs::create_dir_all(site.path("empty")).expect("a folder");
    site.run(&["backup", "empty"]).expect(0);
    site.run(&["backup", "empty"]).expect(2).says("holds something already");
    site.run(&["backup", "nightjob.toml"]).expect(2);
    std::fs::create_dir_all(site.path("new.partial")).expect("a folder");
    site.run(&["backup", "new"]).expect(2).says("new.partial is there");
    assert!(!site.path("new").exists());
}

#[test]
fn a_copy_is_not_put_into_what_is_copied_nor_around_it() {
    let site = night();
    for (folder, words) in [
        ("data/archive/x", "lies in `archive`"),
        ("data/archive", "lies in `archive`"),
        ("elsewhere/../data/archive/x/y", "lies in `archive`"),
        ("reports/x", "lies in `reports`"),
        ("data", "would hold `archive`"),
        (".", "would hold `archive`"),
    ] {
        site.run(&["backup", folder]).expect(2).says(words);
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(site.path("data"), site.path("link")).expect("a link");
        site.run(&["backup", "link/archive/x"]).expect(2).says("lies in `archive`");
    }
    assert!(!site.path("data/archive/x").exists() && !site.path("data/archive/x.partial").exists());
    site.run(&["backup", "data/archive-copy"]).expect(0);
}

#[test]
fn no_secret_is_copied_and_references_stay_references() {
    let town = Town::new(&usual(30, nightjob::sandbox::Faults::Spread(6)), Vec::new());
    town.run(&[]).expect(10);
    town.replace("[paylog]\n", "[paylog]\nschema = \"\"\n");
    town.run(&["backup", "copy"]).expect(0);
    let config = town.text("copy/nightjob.toml");
    let secret = town.text("secrets/mall-wx.key");
    assert!(config.contains("secrets/mall-wx.key\"") && !config.contains(secret.trim()), "{config}");
    assert!(!town.path("copy/secrets").exists());
    let copy = town.path("copy/nightjob.toml").display().to_string();
    town.run(&["--config", &copy, "verify"]).expect(0).says("3 of 3 units proven");
    town.run(&["--config", &copy, "reconcile"]).expect(10);
    town.run(&["--config", &copy, "verify"]).expect(0).says("3 of 3 units proven");
}

#[cfg(unix)]
#[test]
fn only_we_may_read_a_copy() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = night();
    site.run(&["backup", "copy"]).expect(0);
    for (path, mode) in [("copy", 0o700), ("copy/data/nightjob.db", 0o600), ("copy/data/archive", 0o700)] {
        let found = std::fs::metadata(site.path(path)).expect(path).permissions().mode() & 0o777;
        assert_eq!(found, mode, "{path}");
    }
}

#[test]
fn a_damaged_object_is_copied_as_it_is_and_told() {
    let site = night();
    let folder =
        std::fs::read_dir(site.path("data/archive/objects")).expect("objects").flatten().next().expect("one");
    let object = std::fs::read_dir(folder.path()).expect("a folder").flatten().next().expect("one").path();
    std::fs::remove_file(&object).expect("a file");
    site.run(&["backup", "copy"]).expect(13).says("is missing");
    let copy = site.path("copy/nightjob.toml").display().to_string();
    site.run(&["--config", &copy, "verify"]).expect(13);
}

#[test]
fn an_older_ledger_is_told_by_its_backup_and_by_the_copy() {
    let site = night();
    let older = site.read("data/nightjob.db");
    site.statement(bill(&[("A1", "12.00"), ("A2", "100.00"), ("A5", "3.00")]));
    site.run(&[]).expect(10);
    site.write("data/nightjob.db", older);
    site.run(&["backup", "copy"]).expect(13).says("the ledger lacks event 2 that line 6");
    let copy = site.path("copy/nightjob.toml").display().to_string();
    site.run(&["--config", &copy, "verify"]).expect(13).says("the ledger is an older copy");
}

#[test]
fn a_copy_that_is_made_while_nights_go_on_is_whole() {
    let town = Town::new(&usual(300, nightjob::sandbox::Faults::Spread(20)), Vec::new());
    town.run(&[]).expect(10);
    for round in 0..3 {
        if round > 0 {
            // From the beginning, so that units, events and seals are written while it is copied.
            town.forget();
            town.run(&["run", "--account", "mall-wx"]).expect(10);
        }
        let mut night = command(town.dir.path(), &["run"]);
        let mut night = night.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program");
        for copy in 0..3 {
            let folder = format!("copies/{round}-{copy}");
            town.run(&["backup", &folder]).expect(0);
            let config = town.path(&folder).join("nightjob.toml").display().to_string();
            town.run(&["--config", &config, "verify"]).expect(0).says("0 damaged places");
        }
        night.wait().expect("its end");
    }
}
