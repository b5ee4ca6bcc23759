//! The house that is tortured: two accounts whose statements lie in a folder, two days, mismatches of every kind, an
//! EB_PAYLOG; copied afresh for each trial. No provider is asked, so what a night does depends on nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nightjob::domain::{BillDate, PayType};
use nightjob::sandbox::{DayPlan, Faults, SimulatedDay, simulate};
use nightjob::store::SampleLog;

use crate::engine::{Database, Engine};

/// When the scheduler would start the job for [`NIGHT`].
const NOW: &str = "2016-11-10T02:17:00+08:00";
const DAY: &str = "20161108";
/// The night that is disturbed.
pub(crate) const NIGHT: [&str; 3] = ["run", "--date", "20161108"];
/// What an earlier night did, where there was one: the day before too, so that the disturbed night looks at it again.
const EARLIER: [&str; 5] = ["run", "--from", "20161107", "--to", "20161108"];

/// Accounts of the simulated town. The orders of its third one are claimed by nobody here.
pub(crate) const ACCOUNTS: [&str; 2] = ["mall-wx", "mall-ali"];

/// Which night is disturbed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Night {
    /// The first one ever: folders, tables and everything else is made in it.
    First,
    /// One that replaces an earlier result by a larger one: other statements, a longer log.
    Again,
}

/// How a run ended.
pub(crate) struct Ran {
    /// `None`: killed.
    pub(crate) code: Option<i32>,
    pub(crate) talk: String,
    pub(crate) text: String,
}

impl Ran {
    pub(crate) fn of(output: &Output) -> Ran {
        Ran {
            code: output.status.code(),
            talk: String::from_utf8_lossy(&output.stderr).into_owned(),
            text: String::from_utf8_lossy(&output.stdout).into_owned(),
        }
    }

    /// What a program must never do, whatever is done to it.
    pub(crate) fn is_ugly(&self) -> bool {
        self.talk.contains("panicked") || matches!(self.code, Some(1 | 101 | 134))
    }

    /// For a complaint.
    pub(crate) fn shown(&self) -> String {
        let code = self.code.map_or("killed".to_owned(), |code| format!("exit {code}"));
        format!("{code}\n{}", self.talk.trim_end())
    }
}

/// The program under test and what all sites are copied from.
pub(crate) struct Masters {
    program: PathBuf,
    folder: tempfile::TempDir,
}

/// A folder with a configuration, and its database.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    pub(crate) database: Database,
    program: PathBuf,
}

impl Masters {
    pub(crate) fn build(program: PathBuf) -> Masters {
        let masters = Masters { program, folder: tempfile::tempdir().expect("a folder") };
        for (name, orders, faults) in [("small", 150, 12), ("large", 300, 24)] {
            let plan = DayPlan {
                orders,
                faults: Faults::Spread(faults),
                paytypes: vec![PayType::Wx, PayType::Ali],
                ..DayPlan::new(BillDate::parse(DAY).expect("a day"), 11)
            };
            furnish(&masters.folder.path().join(name), &simulate(&plan));
        }
        masters
    }

    /// A path for a file that only the harness uses, outside every house.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A house on which the night is about to begin.
    pub(crate) fn site(&self, engine: &Engine, night: Night) -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        let site = Site { database: engine.database(), program: self.program.clone(), folder };
        self.lay(&site, "small");
        if engine.server().is_some() {
            let ran = site.run(&["migrate"]);
            assert_eq!(ran.code, Some(0), "the tables: {}", ran.shown());
        }
        if night == Night::Again {
            let ran = site.run(&EARLIER);
            assert_eq!(ran.code, Some(10), "the earlier night: {}", ran.shown());
        }
        self.lay(&site, "large");
        site
    }

    /// As a site that is not used any more: with everything in it.
    pub(crate) fn copy(&self, engine: &Engine, of: &Site) -> Site {
        self.copy_into(tempfile::tempdir().expect("a folder"), engine, of)
    }

    pub(crate) fn copy_into(&self, folder: tempfile::TempDir, engine: &Engine, of: &Site) -> Site {
        copy_folder(of.path(), folder.path());
        let site = Site { database: engine.copy(&of.database), program: self.program.clone(), folder };
        site.configure(None);
        site
    }

    /// The folder of one house with the ledger of another.
    pub(crate) fn beside(&self, of: &Site, ledger_of: &Site) -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        copy_folder(of.path(), folder.path());
        let site = Site { database: ledger_of.database.shared(), program: self.program.clone(), folder };
        site.configure(None);
        site
    }

    fn lay(&self, site: &Site, master: &str) {
        copy_folder(&self.folder.path().join(master), site.path());
        site.configure(None);
    }
}

impl Site {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the configuration; with the port of a proxy, if one stands before the server.
    pub(crate) fn configure(&self, port: Option<u16>) {
        let accounts = fs::read_to_string(self.path().join("accounts.toml")).expect("accounts");
        let text = format!(
            "paytype = \"WX|ALI\"\nreport_lang = \"en\"\ndatabase = \"{}\"\n\n[paylog]\n\
             database = \"sqlite:ttpayment.db\"\n{accounts}",
            self.database.address(port)
        );
        fs::write(self.path().join("nightjob.toml"), text).expect("a configuration");
    }

    /// The real program in this house, with nothing of this machine's environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command.env("NIGHTJOB_NOW", NOW).env("LANG", "en");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Site::finish(self.command(arguments))
    }

    pub(crate) fn finish(mut command: Command) -> Ran {
        Ran::of(&command.output().expect("the program starts"))
    }
}

/// The files of a simulated day: EB_PAYLOG, statements, and the accounts' part of a configuration.
fn furnish(folder: &Path, day: &SimulatedDay) {
    let statements = folder.join("statements");
    fs::create_dir_all(&statements).expect("a folder");
    let mut accounts = String::new();
    for account in day.accounts().filter(|account| ACCOUNTS.contains(&account.name)) {
        for date in day.dates() {
            if let Some(bytes) = day.statement(account.name, date) {
                let name = format!("{}-{}.csv", account.name, date.compact());
                fs::write(statements.join(name), bytes).expect("a statement");
            }
        }
        accounts += &format!(
            "\n[[account]]\nname = \"{name}\"\npaytype = \"{}\"\nchannel = \"local_file\"\nmerchant = \"{}\"\n\
             seller = {:?}\npath = \"statements/{name}-{{date}}.csv\"\n",
            account.pay_type.as_str(),
            account.merchant,
            account.sellers(),
            name = account.name,
        );
        if !account.sub_merchant.is_empty() {
            accounts += &format!("sub_merchant = \"{}\"\n", account.sub_merchant);
        }
    }
    fs::write(folder.join("accounts.toml"), accounts).expect("a file");
    let mut log = SampleLog::create(&folder.join("ttpayment.db")).expect("a log");
    log.insert(day.rows().map(nightjob::command::logged)).expect("rows");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(log.finish()).expect("a log");
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for item in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            copy_folder(&item.path(), &target);
        } else {
            fs::remove_file(&target).ok();
            fs::copy(item.path(), target).expect("a file");
        }
    }
}
