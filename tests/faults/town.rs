//! A simulated town whose providers misbehave as a row of a table says, and the program's own night against it: real
//! sockets on loopback, a real archive, a real ledger. Only the pauses are those of a test.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nightjob::acquire::{Acquired, Acquirer, Archive, IndexLine, Limits, Status};
use nightjob::channel::{self, Inquiry, Judged};
use nightjob::config::{self, Settings};
use nightjob::domain::{
    Account, Bill, BillDate, Cell, Clock, EntryKind, Errand, Exit, Lang, Moment, PayType, Verdict,
};
use nightjob::night::{self, House, Outcome, Source, Talk};
use nightjob::plan::{self, Dates, Selection};
use nightjob::sandbox::{self, DayPlan, Faults, Rule, Running, SimulatedDay, Site};
use nightjob::store::{Claim, RunLock, SampleLog, StatementState, UnitState};
use tempfile::TempDir;

use super::doubts::{Answer, Doubt};

/// Stands in the configuration for the providers until a row's own are known.
const NOBODY: &str = "127.0.0.1:9";
/// More than any statement of this town has, and less than [`sandbox::Mishap::Huge`] sends.
const BILL_BYTES_MAX: u64 = 4 << 20;

pub(crate) fn day_of_the_town() -> BillDate {
    BillDate::parse("20161108").expect("a day")
}

/// A day on which nobody bought anything: neither the log nor a provider has a line of it.
pub(crate) fn quiet_day() -> BillDate {
    BillDate::parse("20161104").expect("a day")
}

/// Account, bill date, bill.
pub(crate) type What<'w> = (&'w str, BillDate, Bill);

/// What all rows share: the day, its log, a configuration.
pub(crate) struct Town {
    pub(crate) day: Arc<SimulatedDay>,
    settings: Settings,
    clock: Clock,
    _folder: TempDir,
}

/// How a night ended, and what it left behind.
pub(crate) struct Seen {
    pub(crate) exit: Exit,
    pub(crate) causes: String,
    pub(crate) verdict: Option<Verdict>,
    /// Of the bill that stands in the ledger.
    pub(crate) state: Option<StatementState>,
    pub(crate) version: u32,
    pub(crate) done: bool,
    pub(crate) index: Vec<IndexLine>,
    /// The unit's section of the report.
    pub(crate) section: String,
}

impl Town {
    pub(crate) async fn build() -> Town {
        let plan = DayPlan {
            orders: 160,
            faults: Faults::Spread(0),
            every_room: true,
            wild_goods: false,
            paytypes: PayType::ALL.to_vec(),
            ..DayPlan::new(day_of_the_town(), 11)
        };
        let day = Arc::new(sandbox::simulate(&plan));
        let folder = tempfile::tempdir().expect("a folder");
        let nobody: SocketAddr = NOBODY.parse().expect("an address");
        let file = Site::of(&day).write_files(folder.path(), nobody, Lang::En).expect("files");
        let mut log = SampleLog::create(&folder.path().join("ttpayment.db")).expect("a log");
        log.insert(day.rows().map(nightjob::command::logged)).expect("rows");
        log.finish().await.expect("a log");
        let clock = Clock::Fixed(Moment::parse("2016-11-10 12:17:00").expect("a moment"));
        let world = config::World { here: folder.path().to_owned(), ..config::World::default() };
        let request = config::Request { file: Some(file), ..config::Request::new() };
        let loaded = config::load(&request, &world, clock.today());
        let Ok(loaded) = loaded else { panic!("the sandbox's configuration is sound") };
        Town { day, settings: loaded.settings, clock, _folder: folder }
    }

    /// The configuration, with the providers at `at` and everything that is written in `folder`.
    fn settings(&self, folder: &Path, at: SocketAddr) -> Settings {
        let mut settings = self.settings.clone();
        for account in &mut settings.accounts {
            for value in account.options.values_mut() {
                *value = value.replace(NOBODY, &at.to_string());
            }
        }
        // The one account here that can be asked for its fund flow without a certificate of its own.
        settings.accounts.iter_mut().filter(|account| account.channel == "wechat_v3").for_each(|account| {
            account.bills = vec![Bill::Trade, Bill::FundFlow];
        });
        settings.database = format!("sqlite:{}", folder.join("nightjob.db").display());
        settings.archive = folder.join("archive");
        settings.reports = folder.join("reports");
        settings
    }

    /// A house for providers at `at`.
    pub(crate) async fn house(&self, at: SocketAddr) -> Place {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = self.settings(folder.path(), at);
        let path = RunLock::path_of(&settings.database, &settings.archive).expect("a place for the lock");
        let claim = Claim { clock: self.clock, host: "here", command: "faults" };
        let lock = RunLock::take(&path, &claim).expect("a lock");
        let talk = Talk::silent(Lang::En);
        let mut house = House::open(settings, self.clock, talk, &lock).await.expect("a house");
        house.acquirer = self.acquirer(&house.settings, &house.archive);
        Place { house, _lock: lock, _folder: folder }
    }

    fn acquirer(&self, settings: &Settings, archive: &Arc<Archive>) -> Acquirer {
        Acquirer::with_limits(impatient(settings), Arc::clone(archive), &settings.home, self.clock)
    }

    /// The conversation alone, and what came of it.
    pub(crate) async fn fetch(&self, at: SocketAddr, (name, date, bill): What<'_>) -> Seen {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = self.settings(folder.path(), at);
        let archive = Arc::new(Archive::open(&settings.archive).expect("an archive"));
        let account = account(&settings, name);
        let room = channel::room(&account.channel).expect("a room");
        let errand = Errand { account, date, bill };
        let engine = self.acquirer(&settings, &archive);
        let (exit, causes) = match engine.acquire(room, &errand, &|_| {}).await {
            Ok(Acquired::Statement(got)) => {
                let raw = archive.read(&got.sha256).expect("the archive");
                match channel::read(room, &errand, raw) {
                    Ok(_) => (Exit::Done, String::new()),
                    Err(error) => (Exit::Rejected, error.to_string()),
                }
            }
            Ok(other) => (Exit::Bug, format!("{other:?}")),
            Err(failure) => (failure.exit, failure.message),
        };
        let good = exit == Exit::Done;
        Seen {
            exit,
            causes,
            verdict: Some(if good { Verdict::Balanced } else { Verdict::NotCompared }),
            state: good.then_some(StatementState::Current),
            version: 1,
            done: good,
            index: archive.index().expect("the archive"),
            section: String::new(),
        }
    }

    /// One question about a payment of the day, at a desk that misbehaves.
    pub(crate) async fn doubt(&self, doubt: &Doubt) -> Answer {
        let rule = Rule::new(doubt.desk, doubt.tries, doubt.mishap).of(doubt.account);
        let providers = self.providers(vec![rule]).await;
        let folder = tempfile::tempdir().expect("a folder");
        let settings = self.settings(folder.path(), providers.addr);
        let archive = Arc::new(Archive::open(&settings.archive).expect("an archive"));
        let account = account(&settings, doubt.account);
        let room = channel::room(&account.channel).expect("a room");
        let date = day_of_the_town();
        let errand = Errand { account: Arc::clone(&account), date, bill: Bill::Trade };
        let engine = self.acquirer(&settings, &archive);
        let Ok(Acquired::Statement(got)) = engine.acquire(room, &errand, &|_| {}).await else {
            panic!("{doubt:?}: the statement is not what fails here");
        };
        let raw = archive.read(&got.sha256).expect("the archive");
        let statement = channel::read(room, &errand, raw).expect("a sound statement");
        let paid = statement.entries().iter().find(|entry| entry.kind == EntryKind::Payment);
        let paid = paid.expect("a payment");
        let inquiry = Inquiry {
            account,
            date,
            kind: EntryKind::Payment,
            order_no: statement.cell(paid, Cell::OrderNo).to_owned(),
            refund_no: String::new(),
            trade_no: statement.cell(paid, Cell::TradeNo).to_owned(),
            amount_minor: paid.amount_minor,
            currency: paid.currency,
            logged_at: paid.happened_at,
            wallet: String::new(),
        };
        let queries = room.queries.expect("a room that can be asked");
        match engine.inquire(&queries, &inquiry, &|_| {}).await {
            Err(failure) => Answer::Ends(failure.exit),
            Ok(answered) => match answered.judged {
                Judged::Told(told) => Answer::Told(told.state),
                Judged::NotFound => Answer::NotFound,
                Judged::Refused(_) => Answer::Refused,
                Judged::Rejected(_) => Answer::Rejected,
                other => panic!("{other:?}"),
            },
        }
    }

    /// Providers that follow these rules.
    pub(crate) async fn providers(&self, rules: Vec<Rule>) -> Running {
        sandbox::start(Arc::clone(&self.day), rules, 0).await.expect("a free port")
    }
}

fn account(settings: &Settings, name: &str) -> Arc<Account> {
    let known = settings.accounts.iter().find(|known| known.name == name);
    Arc::new(known.expect("an account").clone())
}

/// The program's own limits, but nobody waits long.
fn impatient(settings: &Settings) -> Limits {
    let instant = Duration::from_millis(1);
    Limits {
        pause_min: instant,
        pause_max: instant,
        asked_pause_max: instant,
        tries: 3,
        bill_bytes_max: BILL_BYTES_MAX,
        idle_timeout: Duration::from_secs(5),
        ..Limits::new(&settings.http)
    }
}

/// An open house in a folder of its own.
pub(crate) struct Place {
    pub(crate) house: House,
    _lock: RunLock,
    _folder: TempDir,
}

impl Place {
    /// One night for one account and day.
    pub(crate) async fn night(&self, what: What<'_>) -> Seen {
        let (account, date, _) = what;
        let house = &self.house;
        let selection = Selection { dates: Dates::Day(date), accounts: vec![account.to_owned()] };
        let plan = plan::plan(&house.settings, &selection, house.clock.today()).expect("a plan");
        let mut outcome = Outcome::default();
        night::run(house, &plan, Source::Providers, &mut outcome).await;
        self.seen(what, &outcome).await
    }

    async fn seen(&self, (account, date, bill): What<'_>, outcome: &Outcome) -> Seen {
        let house = &self.house;
        // What the day's other units lack is not this row's.
        let about = format!("{account} {date}");
        let own =
            outcome.causes.iter().filter(|cause| cause.about.is_empty() || cause.about.starts_with(&about));
        let standing = house.ledger.current_statement(account, date, bill).await.expect("the ledger");
        let unit = house.ledger.unit(account, date).await.expect("the ledger");
        let sections = house.ledger.sections(date).await.expect("the ledger");
        let section = sections.into_iter().find(|section| section.account == account);
        let mut index = house.archive.index().expect("the archive");
        index.retain(|line| line.account == account && line.bill == bill.as_str());
        Seen {
            exit: Exit::worst(own.clone().map(|cause| cause.exit)),
            causes: own.map(|cause| format!("{}: {}\n", cause.exit.code(), cause.message)).collect(),
            verdict: outcome.units.iter().find(|unit| unit.account == account).map(|unit| unit.verdict),
            state: standing.as_ref().map(|statement| statement.meta.state),
            version: standing.map_or(0, |statement| statement.version),
            done: unit.is_some_and(|unit| unit.state == UnitState::Done),
            section: section.map_or(String::new(), |section| section.section),
            index,
        }
    }
}

impl Seen {
    /// Hashes that the archive still holds for a statement or for the proof of an empty day.
    pub(crate) fn believed(&self) -> usize {
        let last =
            |hash: &str| self.index.iter().rev().find(|line| line.sha256 == hash).map(|line| line.status);
        let mut hashes: Vec<&str> = self.index.iter().map(|line| line.sha256.as_str()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        let stands = |hash: &&str| matches!(last(hash), Some(Status::Statement | Status::Empty));
        hashes.into_iter().filter(stands).count()
    }
}
