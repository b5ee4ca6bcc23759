//! What every command starts from: the process's world, the clock, the language, the talk, and the settings.

use std::io::IsTerminal;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crate::cli::{Cli, LogFormat};
use crate::config::{self, Loaded, Request, SecretUse, World};
use crate::domain::{BillDate, Clock, Failure, Lang};
use crate::night::{Manner, Talk};
use crate::report::terminal::Style;

pub(super) struct Start {
    pub(super) world: World,
    pub(super) clock: Clock,
    /// Read once: whatever the clock does while the program runs, all of it is about the same day.
    pub(super) today: BillDate,
    pub(super) lang: Lang,
    pub(super) talk: Talk,
    /// --max-duration counts from here, waiting included.
    pub(super) begun: Instant,
    /// The work itself ends in good order at a signal.
    pub(super) heeds_signals: AtomicBool,
    color: bool,
}

impl Start {
    pub(super) fn new(cli: &Cli) -> Result<Start, Failure> {
        let (begun, world) = (Instant::now(), World::of_process());
        let clock = world.clock()?;
        #[cfg(feature = "rig")]
        let clock = super::rig::arm(&world, clock)?;
        let today = clock.today();
        let lang = cli.global.lang.unwrap_or_else(|| locale(&world));
        let color = wants_color(&world);
        let verbosity =
            if cli.global.quiet { -1 } else { i8::try_from(cli.global.verbose).unwrap_or(i8::MAX) };
        let talk = Talk::install(Manner {
            lang,
            verbosity,
            json: cli.global.log_format == LogFormat::Json,
            color: color && std::io::stderr().is_terminal(),
        });
        let heeds_signals = AtomicBool::new(false);
        Ok(Start { world, clock, today, lang, talk, begun, heeds_signals, color })
    }

    /// Settings for a command. Only one that talks to providers needs the secrets.
    pub(super) fn load(&self, cli: &Cli, secrets: SecretUse) -> Result<Loaded, config::Problems> {
        let request =
            Request { file: cli.global.config.clone(), flags: cli.global.flags(), secrets, ..Request::new() };
        config::load(&request, &self.world, self.today)
    }

    /// How a report looks on stdout: in its own language, which is that of its reasons, not in the talk's.
    pub(super) fn style(&self, lang: Lang) -> Style {
        let is_terminal = std::io::stdout().is_terminal();
        let columns = self.world.env.get("COLUMNS").and_then(|text| text.parse().ok());
        Style {
            color: self.color && is_terminal,
            width: if is_terminal { columns.or(Some(TERMINAL_COLUMNS)) } else { None },
            ..Style::plain(lang)
        }
    }
}

/// Of a terminal that does not say.
const TERMINAL_COLUMNS: u16 = 110;

/// `NO_COLOR` set to anything, or a dumb terminal, mean no (clig.dev).
fn wants_color(world: &World) -> bool {
    let set = |name: &str| world.env.get(name).is_some_and(|value| !value.is_empty());
    !set("NO_COLOR") && world.env.get("TERM").is_none_or(|term| term != "dumb")
}

/// Chinese if the locale says so, else English.
fn locale(world: &World) -> Lang {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
    let locale = names.iter().filter_map(|name| world.env.get(*name)).find(|value| !value.is_empty());
    if locale.is_some_and(|locale| locale.starts_with("zh")) { Lang::Zh } else { Lang::En }
}
