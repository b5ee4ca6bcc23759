//! A simulated day with its providers on loopback, in a folder of its own with the sandbox's configuration.

use std::path::PathBuf;
use std::sync::Arc;

use nightjob::domain::{BillDate, Lang, PayType};
use nightjob::sandbox::{self, DayPlan, Desk, Faults, Rule, Running, SimulatedDay, Site};
use nightjob::store::{OwnedLogRow, SampleLog};

use crate::site::{Ran, command, ran};

pub(crate) struct Town {
    pub(crate) dir: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    pub(crate) providers: Running,
    pub(crate) day: Arc<SimulatedDay>,
}

/// 2016-11-08 with the usual three accounts.
pub(crate) fn usual(orders: u32, faults: Faults) -> DayPlan {
    DayPlan { orders, faults, ..DayPlan::new(date("20161108"), 11) }
}

/// 2016-11-08 with the accounts of every room.
pub(crate) fn every_room(orders: u32, faults: Faults) -> DayPlan {
    DayPlan { paytypes: PayType::ALL.to_vec(), every_room: true, ..usual(orders, faults) }
}

pub(crate) fn date(text: &str) -> BillDate {
    BillDate::parse(text).expect("a day")
}

impl Town {
    pub(crate) fn new(plan: &DayPlan, rules: Vec<Rule>) -> Town {
        Town::with_log(plan, rules, |_| true)
    }

    /// A town whose log lacks the rows that are not wanted.
    pub(crate) fn with_log(
        plan: &DayPlan,
        rules: Vec<Rule>,
        mut wanted: impl FnMut(&OwnedLogRow) -> bool,
    ) -> Town {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("threads");
        let day = Arc::new(sandbox::simulate(plan));
        let providers = runtime.block_on(sandbox::start(day.clone(), rules, 0)).expect("a free port");
        let dir = tempfile::tempdir().expect("a folder");
        Site::of(&day).write_files(dir.path(), providers.addr, Lang::En).expect("files");
        let town = Town { dir, runtime, providers, day };
        town.log(&mut wanted);
        town
    }

    /// Writes EB_PAYLOG with the rows that are wanted, in place of what was there.
    pub(crate) fn log(&self, mut wanted: impl FnMut(&OwnedLogRow) -> bool) {
        let path = self.path("ttpayment.db");
        if path.exists() {
            std::fs::remove_file(&path).expect("the old log");
        }
        let mut log = SampleLog::create(&path).expect("a log");
        log.insert(self.day.rows().map(nightjob::command::logged).filter(|row| wanted(row))).expect("rows");
        self.runtime.block_on(log.finish()).expect("a log");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    /// The configuration with only the accounts that are named, and something done to each one's lines.
    pub(crate) fn keep_accounts(&self, names: &[&str], change: impl Fn(&str, &str) -> String) {
        let config = self.text("nightjob.toml");
        let mut parts = config.split("\n[[account]]\n");
        let mut kept = parts.next().unwrap_or_default().to_owned();
        let parts: Vec<&str> = parts.collect();
        for name in names {
            let is_it = |part: &&&str| part.lines().any(|line| value(line) == Some(("name", name)));
            let part = parts.iter().find(is_it).unwrap_or_else(|| panic!("no account {name}"));
            kept += &format!("\n[[account]]\n{}", change(name, part));
        }
        let types: Vec<&str> =
            kept.lines().filter_map(value).filter(|(key, _)| *key == "paytype").collect::<Vec<_>>()[1..]
                .iter()
                .map(|(_, value)| *value)
                .collect();
        let listed = format!("paytype = \"{}\"", types.join("|"));
        let rest: Vec<&str> = kept.lines().skip_while(|line| !line.starts_with("paytype")).skip(1).collect();
        self.write("nightjob.toml", &format!("{listed}\n{}\n", rest.join("\n")));
    }

    /// Replaces a text of the configuration, which must be there.
    #[track_caller]
    pub(crate) fn replace(&self, from: &str, to: &str) {
        let config = self.text("nightjob.toml");
        assert!(config.contains(from), "`{from}` is not in\n{config}");
        self.write("nightjob.toml", &config.replace(from, to));
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &[])
    }

    /// With variables of the environment; hardly a pause between tries.
    pub(crate) fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = command(self.dir.path(), arguments);
        command.env("NIGHTJOB_HTTP__PAUSE", "1ms").envs(variables.iter().copied());
        ran(command.output().expect("the program"))
    }

    /// Requests so far at a desk for an account, of every simulated day.
    pub(crate) fn asked(&self, desk: Desk, account: &str) -> u32 {
        self.day.dates().into_iter().map(|day| self.providers.tries(desk, account, day)).sum()
    }

    pub(crate) fn mismatches(&self) -> String {
        self.text("reports/2016-11-08/mismatches.csv")
    }

    pub(crate) fn report(&self) -> serde_json::Value {
        serde_json::from_str(&self.text("reports/2016-11-08/report.json")).expect("a report")
    }

    /// An account's section of the report.
    pub(crate) fn unit(&self, account: &str) -> serde_json::Value {
        let report = self.report();
        let units = report["units"].as_array().expect("units");
        units.iter().find(|unit| unit["account"] == account).unwrap_or_else(|| panic!("{account}")).clone()
    }

    /// As before the first night.
    pub(crate) fn forget(&self) {
        for folder in ["data", "reports"] {
            std::fs::remove_dir_all(self.path(folder)).expect("a folder");
        }
    }

    /// The first column of a query on the ledger, as text.
    pub(crate) fn ledger(&self, sql: &str) -> Vec<String> {
        let path = self.path("data/nightjob.db");
        self.runtime.block_on(async {
            use sqlx::{Connection as _, Row as _};
            let url = format!("sqlite:{}", path.display());
            let mut connection = sqlx::SqliteConnection::connect(&url).await.expect("a ledger");
            let query = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned()));
            let rows = query.fetch_all(&mut connection).await.expect("sound SQL");
            connection.close().await.expect("closed");
            rows.iter().map(|row| row.get::<String, _>(0)).collect()
        })
    }
}

/// A line `key = "value"` of the configuration.
fn value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once('=')?;
    Some((key.trim(), value.trim().trim_matches('"')))
}
