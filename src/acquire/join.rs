//! A statement that came in several pieces (pages, chunks): the room makes one file of them, and the archive keeps it
//! beside the pieces.

use std::sync::Arc;

use super::{Acquired, Acquirer, Kept, Received, Status, Transport, Trouble};
use crate::channel::{Heard, Statements};
use crate::domain::{Errand, Exit, Failure};

/// The pieces of a statement.
pub(super) struct Parts<'a> {
    /// Which turns hold them, counted from 0.
    pub(super) turns: &'a [usize],
    pub(super) heard: &'a [Heard],
    pub(super) last: Option<Received>,
    pub(super) tries: u32,
    pub(super) authenticated: bool,
}

impl<T: Transport> Acquirer<T> {
    /// Joins the pieces and archives the whole.
    ///
    /// # Errors
    ///
    /// [`Exit::Rejected`] if they do not fit together.
    pub(super) async fn join(
        &self,
        statements: &Statements,
        errand: &Errand,
        parts: Parts<'_>,
    ) -> Result<Acquired, Trouble> {
        let bug = |what: &str| Trouble::Final(Failure::new(Exit::Bug, format!("{errand}: {what}")));
        let (Some(join), Some(last)) = (statements.join, parts.last) else {
            return Err(bug("the room joins what it never heard, or has no way to join"));
        };
        let mut pieces = Vec::with_capacity(parts.turns.len());
        for turn in parts.turns {
            let heard = parts.heard.get(*turn).ok_or_else(|| bug("the room joins a turn that never was"))?;
            let bytes = if heard.len == 0 { Vec::new() } else { self.archive.read(&heard.sha256)? };
            pieces.push(bytes);
        }
        let (archive, of) = (Arc::clone(&self.archive), errand.clone());
        let work = move || -> Result<Result<Kept, String>, Failure> {
            let whole = match join(&of, pieces) {
                Ok(whole) => whole,
                Err(why) => return Ok(Err(why)),
            };
            let mut partial = archive.partial()?;
            partial.write(&whole)?;
            archive.keep(partial).map(Ok)
        };
        let joined = tokio::task::spawn_blocking(work).await.map_err(|error| bug(&error.to_string()))??;
        match joined {
            Ok(Kept { sha256, len }) => {
                let got =
                    Received { sha256, len, tries: parts.tries, authenticated: parts.authenticated, ..last };
                self.archive.note(errand, &got, Status::Received, "")?;
                self.archive.note(errand, &got, Status::Statement, "")?;
                Ok(Acquired::Statement(got))
            }
            Err(why) => {
                self.archive.note(errand, &last, Status::Rejected, &why)?;
                Err(Trouble::Final(
                    Failure::new(Exit::Rejected, why).hint("what came stays in the archive, marked"),
                ))
            }
        }
    }
}
