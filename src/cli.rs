//! The command line: what may be typed. clap structs and nothing else; what it means is decided in `plan` and
//! `night`.
//!
//! Commands and flags are contract section 2. Help, completions and the man page come from these structs.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::config::{Flag, read_span};
use crate::domain::{Exit, Failure, Lang};
use crate::plan::{Dates, RANGE_DAYS_MAX, Reprocess, Selection, read_dates};

const EXAMPLES: &str = "\
Examples:
  nightjob                                the nightly run, as the scheduler starts it
  nightjob --date 20161108 --account wx   one day of one account, once
  nightjob demo                           a whole simulated night in an empty folder";

const EXIT_CODES: &str = "\
Exit codes, the worst of all causes:
    0  everything is done and nothing disagrees
   10  everything is done, and a person must look
    2  wrong usage                     3  configuration
    4  another instance is running     5  failed, may pass: run it again
    6  the provider refused            7  a statement is not ready yet
    8  rejected and quarantined        9  database or disk
   12  --max-duration reached         13  `verify` found damage
    1  a bug
  130, 143  interrupted";

/// Compares what WeChat Pay and Alipay say happened with what the payment gateway logged, to the fen.
#[derive(Parser, Debug)]
#[command(name = "nightjob", version, before_help = EXAMPLES, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// Without one: the nightly run.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Args, Debug)]
pub struct Global {
    /// The configuration; else NIGHTJOB_CONFIG, ./nightjob.toml, or beside the program
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One bill date, yyyyMMdd; else sqe_date, else today minus lag_days
    #[arg(long, global = true, value_name = "DATE", conflicts_with_all = ["from", "to"], help_heading = "What")]
    pub date: Option<String>,
    /// First bill date of a range
    #[arg(long, global = true, value_name = "DATE", help_heading = "What")]
    pub from: Option<String>,
    /// Last bill date of a range
    #[arg(long, global = true, value_name = "DATE", help_heading = "What")]
    pub to: Option<String>,
    /// Pay types instead of the configured ones, such as 'WX|ALI'
    #[arg(long, global = true, value_name = "LIST", help_heading = "What")]
    pub paytype: Option<String>,
    /// Only this account; may be repeated
    #[arg(long, global = true, value_name = "NAME", help_heading = "What")]
    pub account: Vec<String>,
    /// Stop in good order after this long, such as 90m
    #[arg(long, global = true, value_name = "TIME", default_value = "3h", value_parser = read_span)]
    pub max_duration: Duration,
    /// For commands that write: wait this long for another instance to end, such as 10m; else exit 4 at once
    #[arg(long, global = true, value_name = "TIME", value_parser = read_span)]
    pub wait: Option<Duration>,
    /// One JSON document on stdout
    #[arg(long, global = true, help_heading = "Talk")]
    pub json: bool,
    /// Only warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Talk")]
    pub quiet: bool,
    /// More; -vv for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Talk")]
    pub verbose: u8,
    /// How stderr talks
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    #[arg(help_heading = "Talk")]
    pub log_format: LogFormat,
    /// Language of talk; else the locale's
    #[arg(long, global = true, value_parser = lang_parser(), value_name = "LANG", help_heading = "Talk")]
    pub lang: Option<Lang>,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    Text,
    /// One object a line.
    Json,
}

fn lang_parser() -> impl TypedValueParser<Value = Lang> {
    PossibleValuesParser::new([Lang::Zh.as_str(), Lang::En.as_str()])
        .map(|text| Lang::parse(&text).expect("only these two pass"))
}

fn reprocess_parser() -> impl TypedValueParser<Value = Reprocess> {
    PossibleValuesParser::new(Reprocess::ALL.map(Reprocess::as_str))
        .map(|text| Reprocess::parse(&text).expect("only these pass"))
}

/// Days and accounts: what most commands narrow themselves by.
const WHAT: [&str; 5] = ["date", "from", "to", "account", "paytype"];
const DAYS_AND_ACCOUNT: [&str; 4] = ["date", "from", "to", "account"];

/// A flag that every command knows and this one has no use for: its help does not offer it, and [`Cli::check`] refuses it.
fn without(flags: &[&'static str]) -> Vec<Arg> {
    let action = |flag: &str| if flag == "account" { ArgAction::Append } else { ArgAction::Set };
    flags
        .iter()
        .map(|flag| Arg::new(*flag).long(*flag).action(action(flag)).global(true).hide(true))
        .collect()
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Get, check, load, compare, report (the default)
    Run {
        /// Ask the provider about what is one-sided or lost; its answers are kept as evidence and change no verdict
        #[arg(long)]
        investigate: bool,
        /// Which units of the named days: missing (never tried, or no statement then), failed (whatever is not done), all
        #[arg(long, value_name = "WHICH", value_parser = reprocess_parser())]
        reprocess: Option<Reprocess>,
    },
    /// Print the units and what would happen; touch nothing
    Plan,
    /// Get and archive statements; no ledger
    Fetch,
    /// Take a statement that was downloaded by hand; with --account and --date
    Import {
        /// The file as the provider gave it
        file: PathBuf,
    },
    /// Compare again from archive and log; no network
    Reconcile,
    /// Write the reports again
    Report,
    /// Accounts and days on one screen: done, empty, waiting, failed, quarantined, missing; takes no lock
    Status {
        /// This many days, yesterday last; else 14, or those of --date, --from and --to
        #[arg(long, value_name = "DAYS")]
        #[arg(value_parser = clap::value_parser!(u64).range(1..=RANGE_DAYS_MAX.cast_unsigned()))]
        last: Option<u64>,
    },
    /// Why: both sides, the statement's line, the log's rows, the rule
    #[command(args = without(&WHAT))]
    Explain {
        /// A mismatch's id, or an order number
        id: String,
        /// Ask the provider about it first
        #[arg(long)]
        ask: bool,
    },
    /// Prove archive, ledger, events and reports, or say where they are damaged; --date and --account narrow it
    #[command(args = without(&["paytype"]))]
    Verify,
    /// Up to which day the gateway's log may be deleted, and the statements to do it; executes nothing
    #[command(args = without(&WHAT))]
    PurgePlan,
    /// Copy ledger, archive and configuration without secrets, also while a run is going on
    #[command(args = without(&WHAT))]
    Backup {
        /// A new or empty folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// All providers, simulated on loopback, with a simulated day
    #[command(args = without(&DAYS_AND_ACCOUNT))]
    Sandbox(Sandbox),
    /// A whole night against the sandbox, with an embedded database
    #[command(args = without(&DAYS_AND_ACCOUNT))]
    Demo(Demo),
    /// The configuration
    #[command(subcommand, args = without(&DAYS_AND_ACCOUNT))]
    Config(ConfigCommand),
    /// Bring the ledger's tables up to date
    #[command(args = without(&WHAT))]
    Migrate,
    /// Print a shell's completions
    #[command(args = without(&WHAT))]
    Completions { shell: clap_complete::Shell },
    /// Print the man page
    #[command(args = without(&WHAT))]
    Man,
}

/// What a simulated day is made of.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// Orders of the day
    #[arg(long, value_name = "N")]
    pub orders: Option<u64>,
    /// The same seed gives the same day
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,
    /// Mismatches to plant
    #[arg(long, value_name = "N")]
    pub faults: Option<u32>,
}

#[derive(Args, Debug)]
pub struct Sandbox {
    /// On 127.0.0.1; else a free one
    #[arg(long, value_name = "P")]
    pub port: Option<u16>,
    #[command(flatten)]
    pub day: Simulated,
    /// How the providers behave
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
}

#[derive(Args, Debug)]
pub struct Demo {
    /// An empty folder to work in
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    #[command(flatten)]
    pub day: Simulated,
    /// Plant nothing: everything balances
    #[arg(long, conflicts_with = "faults")]
    pub clean: bool,
}

#[derive(Subcommand, Clone, PartialEq, Eq, Debug)]
pub enum ConfigCommand {
    /// Validate it, secrets included
    Check,
    /// Each value and where it came from
    Show,
    /// An old .exe.config or web.config as a nightjob.toml; secrets go to files of their own
    Import {
        /// The old program's .exe.config, or the gateway's web.config
        file: PathBuf,
        /// Folder to write nightjob.toml and secrets/ into; else only printed, without the secrets
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

impl Command {
    /// Its name and the flags that it has no use for.
    fn unused(&self) -> (&'static str, &'static [&'static str]) {
        match self {
            Command::Explain { .. } => ("explain", &WHAT),
            Command::Verify => ("verify", &["paytype"]),
            Command::PurgePlan => ("purge-plan", &WHAT),
            Command::Backup { .. } => ("backup", &WHAT),
            Command::Sandbox(_) => ("sandbox", &DAYS_AND_ACCOUNT),
            Command::Demo(_) => ("demo", &DAYS_AND_ACCOUNT),
            Command::Config(ConfigCommand::Import { .. }) => ("config import", &WHAT),
            Command::Config(_) => ("config", &DAYS_AND_ACCOUNT),
            Command::Migrate => ("migrate", &WHAT),
            Command::Completions { .. } => ("completions", &WHAT),
            Command::Man => ("man", &WHAT),
            Command::Run { .. }
            | Command::Plan
            | Command::Fetch
            | Command::Import { .. }
            | Command::Reconcile
            | Command::Report
            | Command::Status { .. } => ("", &[]),
        }
    }
}

impl Cli {
    /// Whoever names a day wants that day: a command that would do something else does nothing.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] naming the flag.
    pub fn check(&self) -> Result<(), Failure> {
        let Some((name, unused)) = self.command.as_ref().map(Command::unused) else { return Ok(()) };
        match unused.iter().find(|flag| self.global.is_given(flag)) {
            None => Ok(()),
            Some(flag) => Err(Failure::new(Exit::Usage, format!("{name} has no use for --{flag}"))
                .hint(format!("leave it out; `nightjob {name} --help` shows what there is"))),
        }
    }
}

impl Global {
    /// Whether one of [`WHAT`] was typed.
    fn is_given(&self, flag: &str) -> bool {
        match flag {
            "date" => self.date.is_some(),
            "from" => self.from.is_some(),
            "to" => self.to.is_some(),
            "account" => !self.account.is_empty(),
            _ => self.paytype.is_some(),
        }
    }

    /// The days and accounts that were asked for.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`], as [`read_dates`].
    pub fn selection(&self) -> Result<Selection, Failure> {
        let dates: Dates = read_dates(self.date.as_deref(), self.from.as_deref(), self.to.as_deref())?;
        Ok(Selection { dates, accounts: self.account.clone() })
    }

    /// The flags that are keys of the configuration: its top layer.
    pub fn flags(&self) -> Vec<Flag> {
        let paytype = |text: &String| Flag { key: "paytype", name: "--paytype", text: text.clone() };
        self.paytype.iter().map(paytype).collect()
    }
}

/// The whole command line as clap knows it.
pub fn command() -> clap::Command {
    Cli::command()
}

/// A shell's completions.
pub fn completions(shell: clap_complete::Shell) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(shell, &mut command(), "nightjob", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The man page, in roff.
///
/// # Errors
///
/// None that can happen: it is written to memory.
pub fn manual() -> std::io::Result<String> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command()).render(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once("nightjob").chain(line.split_whitespace()))
    }

    #[test]
    fn the_structs_are_sound() {
        command().debug_assert();
    }

    #[test]
    fn lines_that_are_understood() {
        for (line, words) in [
            ("", "None"),
            ("--date 20161108", "None"),
            ("run --date 2016-11-08", "Some(Run { investigate: false, reprocess: None })"),
            ("--paytype WX|ALI --account a --account b", "None"),
            ("plan --from 20161101 --to 20161108 --json", "Some(Plan)"),
            ("--json plan", "Some(Plan)"),
            ("fetch -q", "Some(Fetch)"),
            ("import bill.csv --account a --date 20161108", "Some(Import { file: \"bill.csv\" })"),
            ("reconcile -vv --log-format json", "Some(Reconcile)"),
            ("report --lang zh-CN", "Some(Report)"),
            ("run --investigate", "Some(Run { investigate: true, reprocess: None })"),
            ("explain 3f9a0c61d2b47e58", "Some(Explain { id: \"3f9a0c61d2b47e58\", ask: false })"),
            ("explain A1 --ask", "Some(Explain { id: \"A1\", ask: true })"),
            ("sandbox --port 0 --orders 10 --seed 1 --faults 3 --scenario late", "Some(Sandbox("),
            ("demo --dir d --orders 10 --seed 1 --clean --paytype WX", "Some(Demo("),
            ("verify --date 20161108 --account a", "Some(Verify)"),
            ("purge-plan --json", "Some(PurgePlan)"),
            ("backup d", "Some(Backup { folder: \"d\" })"),
            ("config check", "Some(Config(Check))"),
            ("config show --json", "Some(Config(Show))"),
            (
                "config import web.config --out d",
                "Some(Config(Import { file: \"web.config\", out: Some(\"d\")",
            ),
            ("migrate --max-duration 90m", "Some(Migrate)"),
            ("completions bash", "Some(Completions { shell: Bash })"),
            ("man", "Some(Man)"),
        ] {
            let cli = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert!(format!("{:?}", cli.command).starts_with(words), "{line}: {:?}", cli.command);
        }
    }

    #[test]
    fn lines_that_are_refused_with_2() {
        for (line, words) in [
            ("nigth", "nigth"),
            ("recncile", "reconcile"),
            ("--dat 20161108", "--date"),
            ("--date 20161108 --from 20161101 --to 20161102", "cannot be used with"),
            ("-q -v", "cannot be used with"),
            ("demo --clean --faults 3", "cannot be used with"),
            ("import", "<FILE>"),
            ("explain", "<ID>"),
            ("backup", "<DIR>"),
            ("config", "check"),
            ("--lang fr", "zh-CN"),
            ("--log-format xml", "json"),
            ("--max-duration 3", "`3` is no span of time; write 500ms, 10s, 5m or 3h"),
            ("sandbox --port 70000", "70000"),
            ("completions csh", "csh"),
        ] {
            let error = parse(line).map(|cli| cli.command).expect_err(line);
            assert_eq!(error.exit_code(), 2, "{line}");
            assert!(error.to_string().contains(words), "{line}: {error}");
        }
    }

    #[test]
    fn a_flag_without_a_use_is_refused_and_not_offered() {
        for (line, flag) in [
            ("purge-plan --date 20161108", "date"),
            ("--from 20161101 purge-plan --to 20161108", "from"),
            ("backup d --account a --account b", "account"),
            ("--paytype WX backup d", "paytype"),
            ("migrate --paytype WX", "paytype"),
            ("explain A1 --date 20161108", "date"),
            ("verify --date 20161108 --paytype WX", "paytype"),
            ("config check --account a", "account"),
            ("config import web.config --paytype WX", "paytype"),
            ("demo --date 20161108", "date"),
            ("sandbox --account a", "account"),
            ("man --to 20161108", "to"),
        ] {
            let failure = parse(line).expect(line).check().expect_err(line);
            assert_eq!(failure.exit, Exit::Usage, "{line}");
            assert!(failure.message.ends_with(&format!("has no use for --{flag}")), "{line}: {failure}");
        }
        for line in [
            "--date 20161108 --account a --paytype WX",
            "status --from 20161101 --to 20161108 --account a --paytype WX",
            "verify --date 20161108 --account a",
            "import f --account a --date 20161108 --paytype WX",
            "config check --paytype WX",
            "demo --paytype WX",
            "sandbox --paytype WX",
            "purge-plan --json --config f --max-duration 5m",
        ] {
            assert_eq!(parse(line).expect(line).check(), Ok(()), "{line}");
        }
        let help = |name: &str| {
            let error = parse(&format!("{name} --help")).expect_err("its help");
            error.to_string()
        };
        for name in ["purge-plan", "backup", "migrate", "explain", "sandbox", "man", "config check"] {
            assert!(
                !help(name).contains("--date") && help(name).contains("--json"),
                "{name}: {}",
                help(name)
            );
        }
        assert!(help("verify").contains("--date") && !help("verify").contains("--paytype"));
        assert!(help("status").contains("--date") && help("status").contains("--paytype"));
    }

    #[test]
    fn dates_become_a_selection_or_a_usage_failure() {
        let selection = |line: &str| parse(line).expect(line).global.selection();
        assert!(selection("").is_ok_and(|s| s.dates == Dates::Nightly));
        assert!(selection("--date 2016-11-08 --account a").is_ok_and(|s| s.accounts == ["a"]));
        for (line, words) in [
            ("--date 20161131", "--date: `20161131` is no day of the calendar"),
            ("--date 161108", "--date: `161108` has 6 digits"),
            ("--date ２０１６１１０８", "--date: `２０１６１１０８` has digits that are not 0 to 9"),
            ("--from 20161101", "two ends"),
            ("--to 20161101", "two ends"),
            ("--from 20161101 --to 2016-11-1", "--to: `2016-11-1` is not a date"),
            // clap does not see a conflict across a subcommand.
            ("--date 20161101 plan --from 20161101 --to 20161102", "one day"),
        ] {
            let failure = selection(line).expect_err(line);
            assert_eq!(failure.exit, Exit::Usage, "{line}");
            assert!(failure.message.contains(words), "{line}: {failure}");
        }
    }

    #[test]
    fn help_begins_with_three_examples_and_ends_with_the_exit_codes() {
        let help = command().render_help().to_string();
        let examples = help.lines().skip(1).take_while(|line| line.starts_with("  nightjob")).count();
        assert!(help.starts_with("Examples:\n") && examples == 3, "{help}");
        assert!(help.trim_end().ends_with("130, 143  interrupted"), "{help}");
        for code in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13, 130] {
            assert!(EXIT_CODES.contains(&format!(" {code}")), "{code}");
        }
    }
}
