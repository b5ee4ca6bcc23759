//! What is said while it happens: on stderr, through `tracing`, so that a person reads sentences and a machine
//! (`--log-format json`) reads the same events with their fields. Results never come this way; they go to stdout.
//!
//! On a terminal a bar shows what is being waited for; elsewhere one plain line a unit, and never a carriage return.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;

use crate::acquire::Progress;
use crate::domain::{Lang, Verdict};

/// How the talk looks.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    pub lang: Lang,
    /// -1 for `-q`, 0, 1 for `-v`, 2 for `-vv`.
    pub verbosity: i8,
    pub json: bool,
    /// A terminal, and nobody wished otherwise (`NO_COLOR`).
    pub color: bool,
}

/// The bars on a terminal, and the language of the talk.
#[derive(Clone, Debug)]
pub struct Talk {
    pub lang: Lang,
    bars: MultiProgress,
}

impl Talk {
    /// Sends all events of this process to stderr. Call it once.
    pub fn install(manner: Manner) -> Talk {
        let watched = io::stderr().is_terminal() && !manner.json && manner.verbosity >= 0;
        let target = if watched { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        let done = listener(manner, BesideBars(bars.clone())).try_init();
        if done.is_err() {
            // A second call in one process (tests): the first one's manner stays.
            tracing::debug!("talk was installed before");
        }
        Talk { lang: manner.lang, bars }
    }

    /// Says nothing and shows nothing: for tests and for callers that only want results.
    pub fn silent(lang: Lang) -> Talk {
        Talk { lang, bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()) }
    }

    /// A bar for something that is being waited for; it goes when it is dropped.
    pub fn waiting(&self, for_what: impl Into<String>) -> Waiting {
        const TICK: Duration = Duration::from_millis(120);
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {bytes} {elapsed} {prefix}") {
            bar.set_style(style);
        }
        bar.set_message(for_what.into());
        if !self.bars.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Waiting(bar)
    }

    pub fn unit_done(&self, unit: &super::UnitLine) {
        let (zh, en) = sentence(unit);
        let (account, date, verdict) = (&unit.account, unit.date, unit.verdict.as_str());
        let text = self.lang.pick(zh, en);
        if unit.verdict <= Verdict::Confirmed {
            tracing::info!(%account, %date, verdict, mismatches = unit.mismatches, "{text}");
        } else {
            tracing::warn!(%account, %date, verdict, mismatches = unit.mismatches, "{text}");
        }
    }
}

/// Whatever this crate says, to `writer`. The filter is the whole listener's, not its one layer's: there, a library that only
/// asks whether it would be heard (sqlx does, before it speaks of a query) silences whoever speaks next on its thread.
fn listener<W>(manner: Manner, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let level = match manner.verbosity {
        ..0 => Level::WARN,
        0 => Level::INFO,
        1 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer = match manner.json {
        true => layer.json().flatten_event(true).with_target(false).boxed(),
        false => layer.event_format(Sentences).with_ansi(manner.color).boxed(),
    };
    tracing_subscriber::registry().with(Targets::new().with_target("nightjob", level)).with(layer)
}

fn sentence(unit: &super::UnitLine) -> (String, String) {
    let super::UnitLine { account, date, verdict, lines, orders, mismatches, already_done } = unit;
    let zh = format!(
        "{account} {date} {}：账单 {lines} 笔，网关 {orders} 笔，差异 {mismatches} 项{}",
        verdict.label(Lang::Zh),
        if *already_done { "（账单与上次相同）" } else { "" }
    );
    let en = format!(
        "{account} {date} {}: {}, {}, {}{}",
        verdict.label(Lang::En),
        counted(*lines, "statement line"),
        counted(*orders, "logged order"),
        counted(*mismatches as u64, "mismatch"),
        if *already_done { " (same statement as before)" } else { "" }
    );
    (zh, en)
}

/// `1 mismatch`, `2 mismatches`.
pub(super) fn counted(count: u64, word: &str) -> String {
    let ending = match (count, word.ends_with("ch")) {
        (1, _) => "",
        (_, true) => "es",
        (_, false) => "s",
    };
    format!("{count} {word}{ending}")
}

/// Something that is being waited for.
pub struct Waiting(ProgressBar);

impl Waiting {
    pub fn show(&self, progress: Progress<'_>) {
        match progress {
            Progress::Asking { source } => self.0.set_prefix(source.to_owned()),
            Progress::Receiving { bytes, .. } => self.0.set_position(bytes),
            Progress::Pausing { why, .. } => self.0.set_prefix(why.to_owned()),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Writes lines between the bars.
#[derive(Clone)]
struct BesideBars(MultiProgress);

impl<'w> MakeWriter<'w> for BesideBars {
    type Writer = BesideBars;

    fn make_writer(&'w self) -> BesideBars {
        self.clone()
    }
}

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// An event as a sentence: `warning: …`, `error: …`, or the bare message.
struct Sentences;

impl<S, N> FormatEvent<S, N> for Sentences
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut message = Message::default();
        event.record(&mut message);
        let level = *event.metadata().level();
        let (color, word) = match level {
            Level::ERROR => ("\x1b[31m", "error: "),
            Level::WARN => ("\x1b[33m", "warning: "),
            Level::INFO => ("", ""),
            _ => ("\x1b[2m", "· "),
        };
        if out.has_ansi_escapes() && !word.is_empty() {
            writeln!(out, "{color}{word}\x1b[0m{}{}", message.text, message.fields)
        } else {
            writeln!(out, "{word}{}{}", message.text, message.fields)
        }
    }
}

#[derive(Default)]
struct Message {
    text: String,
    fields: String,
}

/// Fields that a sentence already says in words.
const SAID: [&str; 9] =
    ["account", "date", "verdict", "mismatches", "code", "req_type", "seller", "sqe_date", "rows"];

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.text = format!("{value:?}");
        } else if !SAID.contains(&field.name()) {
            self.fields.push_str(&format!(" {}={value:?}", field.name()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<u8>>>);

    impl Write for Heard {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_library_that_asks_whether_it_is_heard_silences_nobody() {
        let heard = Heard::default();
        let writer = heard.clone();
        let manner = Manner { lang: Lang::En, verbosity: -1, json: false, color: false };
        let _guard = listener(manner, move || writer.clone()).set_default();
        assert!(!log::log_enabled!(target: "sqlx::query", log::Level::Error));
        tracing::error!(target: "nightjob", "the line broke");
        log::error!(target: "sqlx::query", "slow");
        tracing::info!(target: "nightjob", "not with -q");
        assert_eq!(String::from_utf8(heard.0.lock().unwrap().clone()).unwrap(), "error: the line broke\n");
    }
}
