//! `sandbox` and `demo`: the simulated providers, and a whole night against them.
//!
//! The demo uses nothing that a real night does not: it writes a configuration, secrets and an EB_PAYLOG into an empty
//! folder, starts the providers on loopback, runs the program's own night, and then holds what the ledger says
//! against what was planted.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::answer::Answer;
use super::setup::problems;
use super::start::Start;
use super::work::{Days, reports};
use crate::cli::{Cli, Demo, Sandbox, Simulated};
use crate::config::{self, Request};
use crate::domain::{BillDate, Clock, EntryKind, Exit, Failure, Lang, PayType};
use crate::night::{self, House, Outcome, Source};
use crate::plan::{self, Dates, Selection};
use crate::report::{HeldRow, MismatchRow, Report, Section, TimingRow};
use crate::sandbox::{
    self, DayPlan, ExpectedTiming, Faults, Moved, Planted, Scenario, SimLogRow, SimulatedDay, Site,
};
use crate::store::{OwnedLogRow, SampleLog};

/// The day of the samples in the gateway's manual.
const DAY: &str = "20161108";
const SEED: u64 = 7;
const ORDERS: u32 = 2_000;
const FAULTS: u32 = 40;
/// The demo's own clock: two days after its bill date, when the scheduler would start it.
const NIGHT: &str = "2016-11-10 02:17:00";

pub(super) async fn sandbox(start: &Start, cli: &Cli, asked: &Sandbox) -> Result<Answer, Failure> {
    let scenario = scenario(asked.scenario.as_deref())?;
    let dir = start.world.here.join("sandbox");
    let who = Who::asked(cli)?.unwrap_or_else(Who::everybody);
    let town = Town::furnish(start, (&asked.day, scenario, who), asked.port.unwrap_or(0), &dir).await?;
    let config = town.config.display();
    let text = start.lang.pick(
        format!("模拟渠道已启动：{}\n配置：{config}\n对账：NIGHTJOB_NOW=2016-11-10T02:17:00+08:00 nightjob --config {config}\n按 Ctrl-C 结束\n", town.providers.url()),
        format!("the providers listen on {}\nconfiguration: {config}\na night: NIGHTJOB_NOW=2016-11-10T02:17:00+08:00 nightjob --config {config}\nCtrl-C ends it\n", town.providers.url()),
    );
    tracing::info!("{text}");
    // Until a signal or --max-duration ends the program.
    std::future::pending::<()>().await;
    Ok(Answer::text(text))
}

pub(super) async fn demo(start: &Start, cli: &Cli, asked: &Demo) -> Result<Answer, Failure> {
    let scenario = if asked.clean { Scenario::Clean } else { Scenario::Ordinary };
    let dir = start.world.here.join(asked.dir.clone().unwrap_or_else(|| PathBuf::from("nightjob-demo")));
    let usual = || Who { paytypes: vec![PayType::Wx, PayType::Ali], every_room: false };
    let who = Who::asked(cli)?.unwrap_or_else(usual);
    let town = Town::furnish(start, (&asked.day, scenario, who), 0, &dir).await?;
    let clock = Clock::Fixed(town.night);
    // The configuration that was written lists the pay types that take part.
    let flags = cli.global.flags().into_iter().filter(|flag| flag.key != "paytype").collect();
    let request = Request { file: Some(town.config.clone()), flags, ..Request::new() };
    let loaded = config::load(&request, &start.world, clock.today()).map_err(|found| problems(&found))?;
    let lock = super::lock::lock(start, cli, &loaded.settings).await?;
    let house = House::open(loaded.settings, clock, start.talk.clone(), &lock).await?;
    let date = town.day.date();
    let selection = Selection { dates: Dates::Day(date), ..Selection::nightly() };
    let plan = plan::plan(&house.settings, &selection, clock.today())?;
    let mut outcome = Outcome::default();
    night::run(&house, &plan, Source::Providers, &mut outcome).await;
    let report = night::day(&house, date).await?;
    let found = Found::hold(&town.day, &report);
    let mut text = reports(start, &house, Days { dates: &plan.dates, own: None }, &outcome).await?;
    text += &found.tell(start.lang, &dir);
    if !found.is_exact() {
        outcome.fail("demo", Failure::new(Exit::Bug, "what was found is not what was planted"));
    }
    house.ledger.close().await;
    town.providers.shutdown().await;
    Ok(Answer { text, outcome, fields: found.fields(), ..Answer::default() })
}

fn scenario(name: Option<&str>) -> Result<Scenario, Failure> {
    let Some(name) = name else { return Ok(Scenario::Ordinary) };
    Scenario::parse(name).ok_or_else(|| {
        let known: Vec<&str> = Scenario::ALL.iter().map(|scenario| scenario.as_str()).collect();
        Failure::new(Exit::Usage, format!("--scenario: `{name}` is none of {}", known.join(", ")))
    })
}

// ---------------------------------------------------------------- the town

/// A simulated day in a folder of its own, with its providers running.
struct Town {
    day: Arc<SimulatedDay>,
    providers: sandbox::Running,
    config: PathBuf,
    night: crate::domain::Moment,
}

impl Town {
    async fn furnish(
        start: &Start,
        (asked, scenario, who): (&Simulated, Scenario, Who),
        port: u16,
        dir: &Path,
    ) -> Result<Town, Failure> {
        require_empty(dir)?;
        let date = BillDate::parse(DAY).ok_or_else(|| Failure::new(Exit::Bug, "the demo's day"))?;
        let night =
            crate::domain::Moment::parse(NIGHT).ok_or_else(|| Failure::new(Exit::Bug, "the demo's night"))?;
        let plan = DayPlan {
            orders: asked.orders.map_or(ORDERS, |orders| u32::try_from(orders).unwrap_or(u32::MAX)),
            faults: scenario.faults(Faults::Spread(asked.faults.unwrap_or(FAULTS))),
            paytypes: who.paytypes,
            every_room: who.every_room,
            ..DayPlan::new(date, asked.seed.unwrap_or(SEED))
        };
        let waiting = start.talk.waiting(start.lang.pick("模拟一天的收银", "simulating a day of tills"));
        let simulated = tokio::task::spawn_blocking(move || sandbox::simulate(&plan)).await;
        let day =
            Arc::new(simulated.map_err(|error| Failure::new(Exit::Bug, format!("the simulation: {error}")))?);
        let disk = |error: std::io::Error| Failure::new(Exit::Storage, error.to_string());
        let providers = sandbox::start(day.clone(), scenario.rules(), port).await.map_err(disk)?;
        std::fs::create_dir_all(dir).map_err(disk)?;
        let config = Site::of(&day).write_files(dir, providers.addr, start.lang).map_err(disk)?;
        write_log(&day, &dir.join(sandbox::site::PAYLOG_FILE)).await?;
        providers.prepare().await;
        drop(waiting);
        Ok(Town { day, providers, config, night })
    }
}

/// Which of the simulated accounts take part.
struct Who {
    paytypes: Vec<PayType>,
    /// Beside the usual three, those of every other room.
    every_room: bool,
}

impl Who {
    /// Who is named by `--paytype`, if anybody is.
    fn asked(cli: &Cli) -> Result<Option<Who>, Failure> {
        cli.global.paytype.as_deref().map(Who::listed).transpose()
    }

    fn everybody() -> Who {
        Who { paytypes: PayType::ALL.to_vec(), every_room: true }
    }

    /// `all`, or pay types; WX and ALI alone are the usual three accounts.
    fn listed(listed: &str) -> Result<Who, Failure> {
        if listed.trim().eq_ignore_ascii_case("all") {
            return Ok(Who::everybody());
        }
        let parse = |text: &str| {
            PayType::parse(text).ok_or_else(|| {
                let names: Vec<&str> = PayType::ALL.iter().map(|known| known.as_str()).collect();
                Failure::new(Exit::Usage, format!("--paytype: the sandbox has no `{text}`"))
                    .hint(format!("it has {}, and `all`", names.join(", ")))
            })
        };
        let words = listed.split('|').filter(|text| !text.trim().is_empty());
        let paytypes: Vec<PayType> = words.map(parse).collect::<Result<_, _>>()?;
        let usual = |known: &PayType| matches!(known, PayType::Wx | PayType::Ali | PayType::Ali20);
        let every_room = !paytypes.iter().all(usual);
        Ok(Who { paytypes, every_room })
    }
}

fn require_empty(dir: &Path) -> Result<(), Failure> {
    let taken = std::fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        let message = format!("{} is not empty", dir.display());
        return Err(Failure::new(Exit::Usage, message).hint("name an empty or new folder with --dir"));
    }
    Ok(())
}

/// Writes EB_PAYLOG as the gateway would have.
async fn write_log(day: &Arc<SimulatedDay>, path: &Path) -> Result<(), Failure> {
    let (day, path) = (day.clone(), path.to_owned());
    let written = tokio::task::spawn_blocking(move || {
        let mut log = SampleLog::create(&path)?;
        log.insert(day.rows().map(logged))?;
        Ok::<SampleLog, Failure>(log)
    });
    let log =
        written.await.map_err(|error| Failure::new(Exit::Bug, format!("writing the log: {error}")))??;
    log.finish().await.map(|_| ())
}

/// A simulated row as the log takes it. Neither room may know the other, so it is said here, once.
pub fn logged(row: SimLogRow) -> OwnedLogRow {
    OwnedLogRow {
        row_id: 0,
        req_txdate: row.req_txdate,
        req_mallid: row.req_mallid,
        req_storecode: row.req_storecode,
        req_shop_code: row.req_shop_code,
        req_tillid: row.req_tillid,
        req_cashierno: row.req_cashierno,
        req_date: row.req_date,
        req_obj: row.req_obj,
        req_action: row.req_action,
        req_type: row.req_type,
        res_err: row.res_err,
        res_msg: row.res_msg,
        res_obj: row.res_obj,
    }
}

// ---------------------------------------------------------------- planted against found

/// What identifies a mismatch to finance: account, kind, entry, numbers, both amounts.
type Item = (String, String, String, String, String, Option<i64>, Option<i64>);

/// Planted held against found.
struct Found {
    /// Planted and found, by kind.
    kinds: BTreeMap<String, (usize, usize)>,
    missed: Vec<Item>,
    unplanted: Vec<Item>,
}

/// What a simulated day's report lacks of what was planted, and what it says beyond that: both empty if all is well.
pub fn planted_and_found(day: &SimulatedDay, report: &Report) -> [Vec<String>; 2] {
    let Found { missed, unplanted, .. } = Found::hold(day, report);
    [missed, unplanted].map(|items| items.iter().map(|item| format!("{item:?}")).collect())
}

impl Found {
    fn hold(day: &SimulatedDay, report: &Report) -> Found {
        let date = day.date();
        let mut planted: Vec<Item> = day.planted().iter().map(of_planted).collect();
        // What was held the day before is held still.
        let today = |timing: &&ExpectedTiming| {
            timing.bill_date == date || timing.moved == Moved::Held && timing.bill_date < date
        };
        let moved = day.expected_timing().iter().filter(today);
        planted.extend(moved.map(of_expected));
        let mut found: Vec<Item> =
            report.units.iter().flat_map(|unit| &unit.mismatches).map(of_row).collect();
        found.extend(
            report.units.iter().flat_map(|unit| unit.timing.iter().map(|timing| of_timing(unit, timing))),
        );
        found.extend(report.units.iter().flat_map(|unit| unit.held.iter().map(|held| of_held(unit, held))));
        let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        planted.iter().for_each(|item| kinds.entry(item.1.clone()).or_default().0 += 1);
        found.iter().for_each(|item| kinds.entry(item.1.clone()).or_default().1 += 1);
        Found { kinds, missed: without(&planted, &found), unplanted: without(&found, &planted) }
    }

    fn is_exact(&self) -> bool {
        self.missed.is_empty() && self.unplanted.is_empty()
    }

    fn tell(&self, lang: Lang, dir: &Path) -> String {
        let mut text = String::from("\n");
        text += lang.pick("差异类型               预埋   发现\n", "kind                planted  found\n");
        for (kind, (planted, found)) in &self.kinds {
            writeln!(text, "{kind:<20} {planted:>6} {found:>6}").unwrap_or_default();
        }
        let (planted, found) =
            self.kinds.values().fold((0, 0), |(p, f), (planted, hit)| (p + planted, f + hit));
        writeln!(text, "{:<20} {planted:>6} {found:>6}", lang.pick("total", "total")).unwrap_or_default();
        for (items, zh, en) in [(&self.missed, "漏报", "missed"), (&self.unplanted, "误报", "not planted")]
        {
            for item in items {
                writeln!(text, "{}: {item:?}", lang.pick(zh, en)).unwrap_or_default();
            }
        }
        let (where_zh, where_en) = (
            format!("文件在 {}：reports/ 报告，data/ 账本与原始账单，nightjob.toml 配置\n", dir.display()),
            format!("in {}: reports/, data/ (ledger and archive), nightjob.toml\n", dir.display()),
        );
        text + &lang.pick(where_zh, where_en)
    }

    fn fields(&self) -> Vec<(&'static str, serde_json::Value)> {
        let (planted, found) =
            self.kinds.values().fold((0, 0), |(p, f), (planted, hit)| (p + planted, f + hit));
        vec![
            ("planted", json!(planted)),
            ("found", json!(found)),
            ("missed", json!(self.missed)),
            ("not_planted", json!(self.unplanted)),
        ]
    }
}

fn of_planted(planted: &Planted) -> Item {
    (
        planted.account.to_owned(),
        planted.kind.as_str().to_owned(),
        planted.entry.as_str().to_owned(),
        planted.order_no.clone(),
        planted.refund_no.clone(),
        planted.gateway_amount_minor,
        planted.channel_amount_minor,
    )
}

fn of_row(row: &MismatchRow) -> Item {
    (
        row.account.clone(),
        row.kind.clone(),
        row.entry.clone(),
        row.order_no.clone(),
        row.refund_no.clone(),
        row.gateway_amount_minor,
        row.channel_amount_minor,
    )
}

/// What only moved over midnight is planted too: it must be found as that, and not as a mismatch.
const TIMING: &str = "(timing)";
/// So is what the channel holds.
const HELD: &str = "(held)";

fn of_expected(timing: &ExpectedTiming) -> Item {
    let kind = if timing.moved == Moved::Held { HELD } else { TIMING };
    (
        timing.account.to_owned(),
        kind.to_owned(),
        timing.entry.as_str().to_owned(),
        timing.order_no.clone(),
        timing.refund_no.clone(),
        Some(timing.amount_minor),
        None,
    )
}

fn of_timing(unit: &Section, timing: &TimingRow) -> Item {
    (
        unit.account.clone(),
        TIMING.to_owned(),
        timing.entry.clone(),
        timing.order_no.clone(),
        timing.refund_no.clone(),
        Some(timing.amount_minor),
        None,
    )
}

fn of_held(unit: &Section, held: &HeldRow) -> Item {
    (
        unit.account.clone(),
        HELD.to_owned(),
        EntryKind::Payment.as_str().to_owned(),
        held.order_no.clone(),
        String::new(),
        Some(held.amount_minor),
        None,
    )
}

/// What is in `these` and not in `those`, each counted as often as it stands there.
fn without(these: &[Item], those: &[Item]) -> Vec<Item> {
    let mut left: Vec<Item> = those.to_vec();
    these
        .iter()
        .filter(|item| match left.iter().position(|other| other == *item) {
            Some(at) => {
                left.swap_remove(at);
                false
            }
            None => true,
        })
        .cloned()
        .collect()
}
