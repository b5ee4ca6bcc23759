//! A seed's story: three nights and what follows them, once in calm weather and once in a storm; and the comparison.

use std::path::Path;
use std::sync::Arc;

use nightjob::config::Settings;
use nightjob::domain::{BillDate, Clock, Lang, Moment};
use nightjob::night::{self, House, Talk};
use nightjob::plan::Dates;
use nightjob::report::Report;
use nightjob::sandbox::{Desk, Desks, Mishap, Rule, Tries};
use sqlx::Connection as _;

use crate::books;
use crate::night::{Ended, Start, lock, run};
use crate::torn;
use crate::town::{PROVIDERS, Town};
use crate::weather::{Weather, count, mishaps};

/// Runs of one night before the operator gives up until the end of the storm.
const RUNS_MAX: u32 = 4;

/// What happens to the town, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The scheduler's night for one of the three bill dates.
    Night(usize),
    /// The provider issues the middle day's bill anew; it is asked for again.
    Revised,
    /// The gateway's operators delete the log of the first two days; all is done again.
    Purged,
}

/// A life of the town.
struct Life {
    settings: Settings,
    rules: Vec<Rule>,
}

/// Tells the story of a seed. How many nights the storm had (runs of the job, reruns included), or what was broken.
pub(crate) fn tell(seed: u64, aloud: bool) -> Result<u64, String> {
    let memory = Path::new("/dev/shm");
    let scratch = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(scratch).map_err(|error| error.to_string())?;
    let mut rng = fastrand::Rng::with_seed(seed);
    let town = Town::build(&mut rng, folder.path());
    let mut script = vec![Step::Night(0), Step::Night(1), Step::Night(2)];
    if rng.u8(..4) == 0 {
        script.push(Step::Revised);
    }
    if rng.u8(..4) == 0 {
        script.push(Step::Purged);
    }
    let mut story = Story { town, rng, aloud, nights: 0 };
    let mut calm = story.life("calm");
    let took = story.calm(&mut calm, &script)?;
    let mut storm = story.life("storm");
    story.storm(&mut storm, &script, &took)?;
    story.compare(&calm, &storm)?;
    Ok(story.nights)
}

struct Story {
    town: Town,
    rng: fastrand::Rng,
    aloud: bool,
    nights: u64,
}

impl Story {
    fn life(&self, name: &str) -> Life {
        Life { settings: self.town.life(name), rules: Vec::new() }
    }

    fn desks(&self, rules: Vec<Rule>) -> Arc<Desks> {
        Arc::new(Desks::new(self.town.day.clone(), rules, PROVIDERS.parse().expect("an address")))
    }

    /// When the scheduler starts the night of a step.
    fn scheduled(&self, step: Step) -> Moment {
        let night = match step {
            Step::Night(number) => number,
            Step::Revised | Step::Purged => 2,
        };
        self.town.dates()[night].plus_days(2).start().plus_seconds(2 * 3600 + 17 * 60)
    }

    fn asked(&self, step: Step) -> Dates {
        let [first, middle, last] = self.town.dates();
        match step {
            Step::Night(number) => Dates::Day(self.town.dates()[number]),
            Step::Revised => Dates::Day(middle),
            Step::Purged => Dates::Range { from: first, to: last },
        }
    }

    /// What a step does to the world before anybody runs anything.
    fn change(&self, life: &mut Life, step: Step) {
        let [_, middle, last] = self.town.dates();
        match step {
            Step::Night(_) => {}
            Step::Revised => {
                life.rules.push(Rule::new(Desk::WechatBill, Tries::Always, Mishap::Revised).on(middle));
            }
            Step::Purged => purge(&life.settings, last),
        }
    }

    /// All steps without a fault. What each took.
    fn calm(&mut self, life: &mut Life, script: &[Step]) -> Result<Vec<(u64, u32)>, String> {
        let mut took = Vec::new();
        for &step in script {
            self.change(life, step);
            let ended = self.go(life, (self.scheduled(step), self.asked(step)), &Weather::calm(), Vec::new());
            self.check(life, &ended, || format!("{step:?} in calm weather"))?;
            if !ended.is_done() {
                return Err(format!("{step:?} in calm weather: {:?} {:?}", ended.exit, ended.causes));
            }
            if step == Step::Night(2) {
                self.planted(life)?;
            }
            took.push(ended.took);
        }
        Ok(took)
    }

    /// All steps with faults, and at last a calm rerun of everything.
    fn storm(&mut self, life: &mut Life, script: &[Step], took: &[(u64, u32)]) -> Result<(), String> {
        for (&step, &took) in script.iter().zip(took) {
            if !matches!(step, Step::Night(_)) {
                // The operator has seen everything done before the world changes, as in the calm life.
                self.settle(life)?;
                self.change(life, step);
                count(if step == Step::Purged { "log purged" } else { "bill revised" });
            }
            let date = self.town.dates()[if let Step::Night(number) = step { number } else { 1 }];
            let rules = mishaps(&mut self.rng, date);
            self.night_in_storm(life, (step, rules), took)?;
        }
        self.settle(life)
    }

    fn night_in_storm(
        &mut self,
        life: &mut Life,
        (step, mishaps): (Step, Vec<Rule>),
        took: (u64, u32),
    ) -> Result<(), String> {
        // Mishaps count the tries of one night, whatever process makes them.
        let rules: Vec<Rule> = mishaps.into_iter().chain(life.rules.clone()).collect();
        let desks = self.desks(rules);
        for attempt in 0..RUNS_MAX {
            let calm = self.rng.u8(..8) == 0;
            let weather = if calm { Weather::calm() } else { Weather::draw(&mut self.rng, took) };
            let (now, dates) = self.started(step, attempt);
            let start = Start {
                settings: &life.settings,
                now,
                dates,
                network: weather.network(desks.clone()),
                weather: &weather,
            };
            let ended = run(&start);
            self.nights += 1;
            self.check(life, &ended, || format!("{step:?}, run {attempt}, {weather:?}"))?;
            if ended.is_done() || self.rng.u8(..3) == 0 {
                break;
            }
            count("run again");
        }
        Ok(())
    }

    /// The scheduler's own start first, with a clock that may have jumped; then the operator's.
    fn started(&mut self, step: Step, attempt: u32) -> (Moment, Dates) {
        let at = self.scheduled(step);
        match step {
            Step::Night(number) if attempt == 0 => {
                let [back, ahead] = [number > 0, number < 2].map(|whole| if whole { 26 } else { 2 });
                let hours = if self.rng.u8(..4) == 0 { self.rng.i64(-back..=ahead) } else { 0 };
                if hours != 0 {
                    count("clock jumped");
                }
                (at.plus_seconds(hours * 3600), Dates::Nightly)
            }
            _ => (at.plus_seconds(i64::from(attempt) * 1800), self.asked(step)),
        }
    }

    /// A calm run over everything: what catch-up and an operator would have done in the end.
    fn settle(&mut self, life: &Life) -> Result<(), String> {
        let [first, _, last] = self.town.dates();
        let now = self.scheduled(Step::Night(2)).plus_seconds(6 * 3600);
        let range = Dates::Range { from: first, to: last };
        let ended = self.go(life, (now, range), &Weather::calm(), Vec::new());
        self.check(life, &ended, || "after the storm".to_owned())?;
        match ended.is_done() {
            true => Ok(()),
            false => Err(format!("after the storm: {:?} {:?}", ended.exit, ended.causes)),
        }
    }

    fn go(&self, life: &Life, (now, dates): (Moment, Dates), weather: &Weather, rules: Vec<Rule>) -> Ended {
        let desks = self.desks(rules.into_iter().chain(life.rules.clone()).collect());
        run(&Start { settings: &life.settings, now, dates, network: weather.network(desks), weather })
    }

    /// What must hold at every moment.
    fn check(&self, life: &Life, ended: &Ended, which: impl Fn() -> String) -> Result<(), String> {
        if self.aloud {
            println!("    {}: {:?} {:?}", which(), ended.exit, ended.causes);
        }
        let torn = block_on(torn::parts(&life.settings));
        match (torn.is_empty(), ended.lies.is_empty()) {
            (true, true) => Ok(()),
            (false, _) => Err(format!("{}: {torn:#?}", which())),
            (true, false) => Err(format!("{}: {:?}, but {:#?}", which(), ended.exit, ended.lies)),
        }
    }

    /// Every planted mismatch was found once, and nothing else.
    fn planted(&self, life: &Life) -> Result<(), String> {
        let report = block_on(report(&life.settings, self.town.day.date()));
        let [missed, unplanted] = nightjob::command::planted_and_found(&self.town.day, &report);
        match missed.is_empty() && unplanted.is_empty() {
            true => Ok(()),
            false => Err(format!("missed {missed:#?}, not planted {unplanted:#?}")),
        }
    }

    fn compare(&self, calm: &Life, storm: &Life) -> Result<(), String> {
        let dates = self.town.dates();
        let [calm, storm] = [calm, storm].map(|life| block_on(books::lines(&life.settings, &dates)));
        if calm == storm {
            return Ok(());
        }
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|line| !those.contains(line)).take(6).cloned().collect()
        };
        let (left, right) = (only(&calm, &storm), only(&storm, &calm));
        Err(format!("only in calm weather: {left:#?}\nonly after the storm: {right:#?}"))
    }
}

async fn report(settings: &Settings, date: BillDate) -> Report {
    let clock = Clock::Fixed(date.plus_days(4).start());
    let lock = lock(settings, clock).expect("nobody else");
    let house = House::open(settings.clone(), clock, Talk::silent(Lang::En), &lock).await.expect("a house");
    let report = night::day(&house, date).await.expect("a report");
    house.ledger.close().await;
    report
}

/// Deletes the log of the days before `day`.
fn purge(settings: &Settings, day: BillDate) {
    block_on(async {
        let mut log = sqlx::SqliteConnection::connect(&settings.paylog.database).await.expect("a log");
        let delete = sqlx::query("DELETE FROM EB_PAYLOG WHERE REQ_DATE < ?1").bind(day.to_string());
        delete.execute(&mut log).await.expect("deleted");
        log.close().await.expect("closed");
    });
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work)
}
