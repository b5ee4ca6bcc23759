//! A second instance: it leaves at once, or waits; a first one that was killed leaves nothing behind.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use crate::site::{SiteFolder, bill, ran};

/// The real program at work, with the lock: it waits for a provider that never answers.
struct AtWork {
    site: SiteFolder,
    first: Child,
    _silent: TcpListener,
}

impl AtWork {
    fn new() -> AtWork {
        AtWork::with("")
    }

    /// With a line for the beginning of the configuration.
    fn with(line: &str) -> AtWork {
        let site = site(line);
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", silent.local_addr().expect("an address"));
        let account = format!(
            "channel = \"wechat_v2\"\napp_id = \"wx01\"\nkey = \"env:KEY\"\nurl = \"{url}\"\nmerchant = "
        );
        let config = site.text("nightjob.toml").replace("channel = \"local_file\"\nmerchant = ", &account);
        let lines: Vec<&str> = config.lines().filter(|line| !line.starts_with("path")).collect();
        site.write("slow.toml", lines.join("\n"));
        let mut command = site.command(&["run", "--config", "slow.toml"]);
        command.env("KEY", "0123456789abcdef0123456789abcdef").stdout(Stdio::null()).stderr(Stdio::null());
        let first = command.spawn().expect("the program");
        silent.accept().expect("it has asked, so it has the lock");
        AtWork { site, first, _silent: silent }
    }

    fn kill(&mut self) {
        self.first.kill().expect("killed");
        self.first.wait().expect("ended");
    }
}

/// An instance that waits, once it has said so.
fn waiting(site: &SiteFolder, arguments: &[&str]) -> (Child, String) {
    let mut command = site.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut second = command.spawn().expect("the program");
    // A server of the tests may be warned of before.
    let mut lines = BufReader::new(second.stderr.take().expect("stderr")).lines().map_while(Result::ok);
    let said = lines.find(|line| line.contains("waiting up to")).expect("it says that it waits");
    (second, said)
}

/// A clean night, with a line for the beginning of its configuration.
fn site(line: &str) -> SiteFolder {
    let site = SiteFolder::with_local_file();
    site.write("nightjob.toml", format!("{line}\n{}", site.text("nightjob.toml")));
    site.statement(bill(&[]));
    site.log([]);
    site
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.first.kill().ok();
        self.first.wait().ok();
    }
}

#[test]
fn the_second_leaves_with_4_and_names_host_process_time_and_command() {
    let mut work = AtWork::new();
    let pid = work.first.id();
    let busy = work.site.run(&["report"]).expect(4).says(&format!("held by process {pid} on "));
    assert!(busy.err.contains("since 2016-11-10 02:17:00: run --config slow.toml"), "{}", busy.err);
    assert!(busy.err.contains("--wait 10m"), "{}", busy.err);
    work.site.run(&["report", "--wait", "300ms"]).expect(4).says("waiting up to");
    let status = work.site.run(&["status"]).expect(0).says(&format!("at work now: process {pid}"));
    assert!(status.out.contains("not ended yet"), "{}", status.out);
    work.kill();
    let status = work.site.run(&["status"]).expect(0).says("no instance is at work now");
    assert!(status.out.contains("never said how it ended"), "{}", status.out);
    work.site.run(&[]).expect(0);
}

#[test]
fn one_who_waits_gets_the_lock_when_the_first_is_killed() {
    let mut work = AtWork::new();
    let (second, said) = waiting(&work.site, &["--wait", "10m"]);
    assert!(said.contains("waiting up to 600 s") && said.contains("run --config slow.toml"), "{said}");
    work.kill();
    ran(second.wait_with_output().expect("it ends")).expect(0);
}

#[test]
fn waiting_ends_at_a_signal_and_at_max_duration() {
    let work = AtWork::new();
    let (second, _) = waiting(&work.site, &["report", "--wait", "10m"]);
    let pid = second.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
    ran(second.wait_with_output().expect("it ends")).expect(143);
    let late = work.site.run(&["report", "--wait", "10m", "--max-duration", "300ms"]).expect(12);
    late.says("another instance was at work").says("run --config slow.toml");
}

/// Two machines with a ledger on one server: each has its own archive, so only the database's lock stands between them.
#[cfg(feature = "rig")]
#[test]
fn a_ledger_on_a_server_is_held_and_waited_for_across_machines() {
    for database in [crate::servers::postgres(), crate::servers::mysql()] {
        let line = format!("database = \"{}\"", database.url);
        let here = site(&line);
        here.run(&["status"]).expect(0).says("the ledger has no tables yet; run `nightjob migrate`");
        here.run(&["migrate"]).expect(0);
        let mut elsewhere = AtWork::with(&line);
        let pid = elsewhere.first.id();
        here.run(&[]).expect(4).says(&format!("held by process {pid} on ")).says("run --config slow.toml");
        here.run(&["status"]).expect(0).says(&format!("at work now: process {pid} on "));
        let (second, said) = waiting(&here, &["--wait", "10m"]);
        assert!(said.contains("waiting up to 600 s"), "{said}");
        elsewhere.kill();
        ran(second.wait_with_output().expect("it ends")).expect(0);
        let status = here.run(&["status"]).expect(0).says("no instance is at work now");
        assert!(status.out.contains("1 units: empty 1"), "{}", status.out);
        let night = |day: u32, arguments: &[&str]| crate::missed_nights::night(&here, day, arguments);
        night(14, &["plan"]).expect(0).says("2016-11-09 wx").says("catch-up: missing");
        night(14, &[]).expect(7).says("first the 3 that 2016-11-09 to 2016-11-11 left undone");
        night(14, &["status"]).expect(0).says("waiting 4");
    }
}
