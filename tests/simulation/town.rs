//! A seed's town: a few tills, two or three merchant accounts, their providers in this process, and a folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nightjob::config::{self, Request, Settings, World};
use nightjob::domain::{BillDate, Lang, PayType};
use nightjob::sandbox::{self, DayPlan, Fault, Faults, SimulatedDay, Site};
use nightjob::store::SampleLog;

/// Bill dates worth a night: the manual's own, ends of months and years, a leap day, a day of China's summer time.
const DATES: [&str; 8] =
    ["20161108", "20161231", "20170101", "20160229", "20170228", "20240229", "20170531", "20171001"];

/// Where the providers seem to be; nobody listens there, and nobody is asked over a socket.
pub(crate) const PROVIDERS: &str = "127.0.0.1:9";

/// EB_PAYLOG.
const LOG: &str = "ttpayment.db";

pub(crate) struct Town {
    folder: PathBuf,
    pub(crate) day: Arc<SimulatedDay>,
    settings: Settings,
}

impl Town {
    pub(crate) fn build(rng: &mut fastrand::Rng, folder: &Path) -> Town {
        let day = Arc::new(sandbox::simulate(&plan(rng)));
        let providers = PROVIDERS.parse().expect("an address");
        let file = Site::of(&day).write_files(folder, providers, Lang::En).expect("a site");
        let world = World {
            here: folder.to_owned(),
            beside: None,
            env: Default::default(),
            command_line: "simulated".to_owned(),
            host: "here".to_owned(),
        };
        let request = Request { file: Some(file), ..Request::new() };
        let today = day.dates()[2].plus_days(2);
        let loaded = config::load(&request, &world, today).unwrap_or_else(|wrong| panic!("{wrong}"));
        let mut settings = loaded.settings;
        write_log(&day, &folder.join(LOG));
        (settings.http.pause, settings.http.tries) = (std::time::Duration::ZERO, 3);
        Town { folder: folder.to_owned(), day, settings }
    }

    /// The settings of one of the two lives of this town, in a folder of its own, with its own EB_PAYLOG.
    pub(crate) fn life(&self, name: &str) -> Settings {
        let folder = self.folder.join(name);
        let mut settings = self.settings.clone();
        settings.database = format!("sqlite:{}", folder.join("data/nightjob.db").display()).into();
        settings.archive = folder.join("data/archive");
        settings.reports = folder.join("reports");
        let log = folder.join(LOG);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(self.folder.join(LOG), &log).expect("a log");
        settings.paylog.database = format!("sqlite:{}", log.display()).into();
        settings
    }

    /// The three bill dates.
    pub(crate) fn dates(&self) -> [BillDate; 3] {
        self.day.dates()
    }
}

fn write_log(day: &SimulatedDay, path: &Path) {
    let mut log = SampleLog::create(path).expect("a log");
    log.insert(day.rows().map(nightjob::command::logged)).expect("rows");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(log.finish()).expect("a log");
}

fn plan(rng: &mut fastrand::Rng) -> DayPlan {
    let date = BillDate::parse(DATES[rng.usize(..DATES.len())]).expect("a day");
    // Alipay signs with RSA, which takes as long as the rest of a night: every third town has it.
    let paytypes = match rng.u8(..9) {
        0..6 => vec![PayType::Wx],
        6 => vec![PayType::Ali],
        _ => vec![PayType::Wx, PayType::Ali],
    };
    let faults = (0..rng.usize(..7)).map(|_| Fault::ALL[rng.usize(..Fault::ALL.len())]).collect();
    DayPlan {
        orders: rng.u32(5..=40),
        faults: Faults::Listed(faults),
        paytypes,
        midnight: rng.u8(..4) > 0,
        wild_goods: rng.bool(),
        ..DayPlan::new(date, rng.u64(..))
    }
}
