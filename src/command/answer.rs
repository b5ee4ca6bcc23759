//! A command's answer: a text or one JSON document on stdout, and the exit code with all its reasons.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::start::Start;
use crate::cli::Cli;
use crate::domain::{Exit, Failure, Lang};
use crate::night::{Outcome, UnitLine};
use crate::report::words;

#[derive(Default)]
pub(super) struct Answer {
    pub(super) text: String,
    /// Further fields of the JSON document.
    pub(super) fields: Vec<(&'static str, Value)>,
    pub(super) outcome: Outcome,
    /// Printed also with `-q`: the text is what was asked for, not news.
    pub(super) asked_for: bool,
}

impl Answer {
    /// A text that was asked for.
    pub(super) fn text(text: impl Into<String>) -> Answer {
        Answer { text: text.into(), asked_for: true, ..Answer::default() }
    }

    pub(super) fn print(self, start: &Start, cli: &Cli) -> Exit {
        let exit = self.outcome.exit();
        let printed = if cli.global.json {
            say(&format!("{:#}\n", self.document(exit)))
        } else if self.asked_for || !cli.global.quiet || exit != Exit::Done {
            say(&self.text)
        } else {
            Ok(())
        };
        if exit != Exit::Done {
            tracing::info!(code = exit.code(), "{}", closing(&self.outcome, start, exit));
        }
        match printed {
            Ok(()) => exit,
            // A closed pipe (`| head`) is no failure of the night.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
            Err(_) => Exit::worst([exit, Exit::Storage]),
        }
    }

    fn document(&self, exit: Exit) -> Value {
        let mut document = json!({
            "schema": 1,
            "exit": { "code": exit.code(), "reasons": reasons(&self.outcome) },
        });
        if !self.outcome.units.is_empty() {
            document["units"] = self.outcome.units.iter().map(unit).collect();
        }
        if !self.outcome.files.is_empty() {
            document["files"] = json!(self.outcome.files);
        }
        for (name, value) in &self.fields {
            document[*name] = value.clone();
        }
        document
    }
}

fn closing(outcome: &Outcome, start: &Start, exit: Exit) -> String {
    let said = words::exit(exit, start.lang);
    let more = others(outcome.causes.len().saturating_sub(1), start.lang);
    format!("{} {}: {said}{more}", start.lang.pick("退出码", "exit"), exit.code())
}

fn others(count: usize, lang: Lang) -> String {
    match count {
        0 => String::new(),
        1 => lang.pick("（另有 1 项原因）", " (and 1 more cause)").to_owned(),
        n => lang.pick(format!("（另有 {n} 项原因）"), format!(" (and {n} more causes)")),
    }
}

fn reasons(outcome: &Outcome) -> Vec<Value> {
    let reason = |cause: &crate::night::Cause| {
        json!({
            "code": cause.exit.code(),
            "about": cause.about,
            "message": cause.message,
            "hint": cause.hint,
        })
    };
    outcome.causes.iter().map(reason).collect()
}

fn unit(unit: &UnitLine) -> Value {
    json!({
        "account": unit.account,
        "bill_date": unit.date.to_string(),
        "verdict": unit.verdict.as_str(),
        "lines": unit.lines,
        "orders": unit.orders,
        "mismatches": unit.mismatches,
        "already_done": unit.already_done,
    })
}

/// Nothing was done: says why, in the form that was asked for.
pub(super) fn refuse(cli: &Cli, failure: &Failure) -> Exit {
    if cli.global.json {
        let reason = json!({
            "code": failure.exit.code(), "about": "", "message": failure.message, "hint": failure.hint,
        });
        let document = json!({ "schema": 1, "exit": { "code": failure.exit.code(), "reasons": [reason] } });
        drop(say(&format!("{document:#}\n")));
    }
    // Straight to stderr: the talk may not be installed yet.
    let mut text = format!("error: {}\n", failure.message.trim_end());
    if !failure.hint.is_empty() {
        text.push_str(&format!("hint: {}\n", failure.hint));
    }
    drop(io::stderr().write_all(text.as_bytes()));
    failure.exit
}

fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_cause_is_one() {
        let said = [0, 1, 2].map(|count| others(count, Lang::En));
        assert_eq!(said, ["", " (and 1 more cause)", " (and 2 more causes)"]);
        assert_eq!(others(1, Lang::Zh), "（另有 1 项原因）");
    }
}
