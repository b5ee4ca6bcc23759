//! What is wrong with a configuration, and how a person reads it: place, what was found, what to write instead.
//!
//! No text here ever holds a secret: values are quoted by the readers that know their key is none, and a line of
//! the file is shown only as far as [`excerpt`](super::excerpt) lets it.

use std::fmt;
use std::ops::Range;

use super::excerpt::{self, Excerpt};
use crate::domain::{Exit, Failure};

/// Ends every report of problems, because the reader's first question is what has happened already.
const NOTHING_DONE: &str = "nothing was downloaded, nothing was written";
/// Problems of one report; more of them teach nothing.
const PROBLEMS_MAX: usize = 50;

/// What a reader of a value says; the place is known to its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What was found.
    pub found: String,
    /// What to write instead; may be empty.
    pub fix: String,
    /// The part of the value that is meant, in bytes of the file.
    pub at: Option<Range<usize>>,
    /// Whether the rest of the line may be a secret.
    pub hide_rest: bool,
    /// The configuration is at fault, even if a flag brought it to light.
    pub not_usage: bool,
}

impl Wrong {
    pub(super) fn new(found: impl Into<String>, fix: impl Into<String>) -> Wrong {
        Wrong { found: found.into(), fix: fix.into(), at: None, hide_rest: false, not_usage: false }
    }

    pub(super) fn at(mut self, at: Option<Range<usize>>) -> Wrong {
        self.at = at;
        self
    }

    pub(super) fn hide_rest(mut self) -> Wrong {
        self.hide_rest = true;
        self
    }

    pub(super) fn not_usage(mut self) -> Wrong {
        self.not_usage = true;
        self
    }

    /// Says which key is meant, for readers that do not know it.
    pub(super) fn of(mut self, key: &str) -> Wrong {
        self.found = format!("`{key}`: {}", self.found);
        self
    }
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Default,
    /// Bytes of the configuration file.
    File(Range<usize>),
    Env(String),
    Flag(&'static str),
    /// Another file than the configuration's own, with its line and column.
    Beside(String),
}

/// A text with the name that a person knows it by.
pub(super) struct Source<'a> {
    pub name: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    pub(super) fn is_xml(&self) -> bool {
        self.text.trim_start().starts_with('<')
    }

    /// Line and column of a byte, from 1; columns count characters.
    pub(super) fn position(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let column = before[start..].chars().filter(|c| *c != '\u{feff}').count() + 1;
        (before.matches('\n').count() + 1, column)
    }

    /// `nightjob.toml:14:1`, `NIGHTJOB_LAG_DAYS`, `--paytype` or `default`.
    pub(super) fn origin(&self, place: &Place) -> String {
        match place {
            Place::Default => "default".to_owned(),
            Place::Env(name) | Place::Beside(name) => name.clone(),
            Place::Flag(name) => (*name).to_owned(),
            Place::File(range) => {
                let (line, column) = self.position(range.start);
                format!("{}:{line}:{column}", self.name)
            }
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What was found, in one line.
    pub message: String,
    /// What to write instead, in one line; may be empty.
    pub fix: String,
    /// `nightjob.toml:14:1`, the name of a variable or a flag; empty if it has no one place.
    pub origin: String,
    exit: Exit,
    excerpt: Option<Excerpt>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        let pad = self.excerpt.as_ref().map_or(1, |e| e.line.to_string().len());
        if !self.origin.is_empty() {
            writeln!(f, "{:pad$}--> {}", "", self.origin)?;
        }
        match &self.excerpt {
            Some(e) => {
                let carets = "^".repeat(e.width);
                writeln!(f, "{:pad$} |\n{} | {}", "", e.line, e.text.trim_end())?;
                let below = format!("{:indent$}{carets} {}", "", self.fix, indent = e.indent);
                writeln!(f, "{:pad$} | {}", "", below.trim_end())
            }
            None if self.fix.is_empty() => Ok(()),
            None => writeln!(f, "{:pad$} = {}", "", self.fix),
        }
    }
}

/// All that is wrong with a configuration. Nothing was attempted with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub fn one(failure: &Failure) -> Problems {
        Problems::of([(String::new(), failure.clone())])
    }

    /// What others found wrong with values, each with its origin.
    pub fn of(found: impl IntoIterator<Item = (String, Failure)>) -> Problems {
        let problem = |(origin, failure): (String, Failure)| Problem {
            message: failure.message,
            fix: failure.hint,
            origin,
            exit: failure.exit,
            excerpt: None,
        };
        Problems(found.into_iter().map(problem).collect())
    }

    /// Those of several files.
    pub(super) fn and(mut self, others: Problems) -> Problems {
        self.0.extend(others.0);
        self
    }

    pub fn list(&self) -> &[Problem] {
        &self.0
    }

    /// [`Exit::Config`], or [`Exit::Usage`] if only the command line is wrong.
    pub fn exit(&self) -> Exit {
        Exit::worst(self.0.iter().map(|p| p.exit))
    }

    /// One line for each problem, for `--json` and logs.
    pub fn failures(&self) -> Vec<Failure> {
        let line = |p: &Problem| {
            let colon = if p.origin.is_empty() { "" } else { ": " };
            Failure::new(p.exit, format!("{}{colon}{}", p.origin, p.message)).hint(p.fix.clone())
        };
        self.0.iter().map(line).collect()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        match self.0.len() {
            1 => write!(f, "{NOTHING_DONE}"),
            n => write!(f, "{n} errors; {NOTHING_DONE}"),
        }
    }
}

impl std::error::Error for Problems {}

/// Collects what is wrong while the configuration is read.
pub(super) struct Findings<'a> {
    pub source: Source<'a>,
    list: Vec<(usize, Problem)>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(source: Source<'a>) -> Findings<'a> {
        Findings { source, list: Vec::new() }
    }

    pub(super) fn add(&mut self, place: &Place, wrong: Wrong) {
        let place = match (place, wrong.at) {
            (Place::File(_), Some(part)) => Place::File(part),
            _ => place.clone(),
        };
        let (order, excerpt) = match &place {
            // A line of XML holds its keys as values, so no part of it is surely no secret.
            Place::File(range) if self.source.is_xml() => (range.start, None),
            Place::File(range) => (range.start, Some(excerpt::cut(&self.source, range, wrong.hide_rest))),
            Place::Default | Place::Env(_) | Place::Flag(_) | Place::Beside(_) => (usize::MAX, None),
        };
        let exit =
            if matches!(place, Place::Flag(_)) && !wrong.not_usage { Exit::Usage } else { Exit::Config };
        let origin = match &place {
            Place::Default => String::new(),
            other => self.source.origin(other),
        };
        self.list.push((order, Problem { message: wrong.found, fix: wrong.fix, origin, exit, excerpt }));
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// In the order of the file, what is outside it last.
    pub(super) fn into_problems(mut self) -> Problems {
        self.list.sort_by_key(|(order, _)| *order);
        self.list.truncate(PROBLEMS_MAX);
        Problems(self.list.into_iter().map(|(_, problem)| problem).collect())
    }
}
