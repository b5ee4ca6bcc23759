//! A ledger that is not there while its archive is: it was lost, and nobody should be told to begin anew.

use crate::acquire::{Archive, Status as Arrival};
use crate::config::Settings;
use crate::domain::{BillDate, Exit, Failure};
use crate::report::status::Lost;
use crate::store::Ledger;

/// Whether the ledger is a database on a server, whose tables only `migrate` makes.
pub(super) fn is_on_server(settings: &Settings) -> bool {
    !settings.database.starts_with("sqlite:")
}

/// What the archive holds, for whoever found no ledger; `None` if it holds no statement either.
///
/// # Errors
///
/// [`Exit::Storage`]: an archive that cannot be read.
pub(super) fn archived(settings: &Settings) -> Result<Option<Lost>, Failure> {
    let index = Archive::open_to_read(&settings.archive).read_index()?;
    let kept = index.arrivals().map(|(_, line)| line);
    let kept = kept.filter(|line| matches!(line.status, Arrival::Statement | Arrival::Empty));
    let days: Vec<BillDate> = kept.filter_map(|line| BillDate::parse(&line.date)).collect();
    let ends = days.iter().min().zip(days.iter().max());
    Ok(ends.map(|(first, last)| Lost { statements: days.len(), first: *first, last: *last }))
}

/// For a command that needs the ledger.
///
/// # Errors
///
/// [`Exit::Storage`]: it is gone, and the archive holds what it was made from. As [`Ledger::open_if_there`].
pub(super) async fn refuse(settings: &Settings) -> Result<(), Failure> {
    if Ledger::open_if_there(&settings.database).await?.is_some() {
        return Ok(());
    }
    match archived(settings)? {
        None => Ok(()),
        Some(lost) => {
            let (found, advice) = lost.words(is_on_server(settings), crate::domain::Lang::En);
            Err(Failure::new(Exit::Storage, found).hint(advice))
        }
    }
}
