//! A statement: acquired, archived, read. Bytes reach the archive under their hash before anything reads them, and
//! what the reader refuses stays there, marked.

use std::sync::Arc;

use super::House;
use super::unit::key;
use crate::acquire::{Acquired, IndexLine, Received, Status};
use crate::channel;
use crate::domain::{Errand, Exit, Failure, Moment, Statement};
use crate::store::{StatementMeta, StatementState, Sums};

/// The channel's side of a unit.
pub(super) struct Book {
    pub(super) statement: Arc<Statement>,
    pub(super) received: Received,
    /// The provider said that the day has no bill; `statement` is empty.
    pub(super) no_bill: bool,
}

/// A bill that does not meet the log (a fund flow, an account's own ledger): fetched, checked and kept beside the
/// trade bill of its unit. That it is missing keeps nobody from comparing; it is said, and asked for again.
pub(super) struct Extra<'e> {
    pub(super) errand: &'e Errand,
    pub(super) book: Result<Book, Failure>,
}

/// Reads the other bills of a unit.
pub(super) async fn read_extras<'e>(
    house: &House,
    acquired: Vec<(&'e Errand, Result<Acquired, Failure>)>,
) -> Vec<Extra<'e>> {
    let mut extras = Vec::with_capacity(acquired.len());
    for (errand, acquired) in acquired {
        let book = match acquired {
            Ok(acquired) => read(house, errand, acquired).await,
            Err(failure) => Err(failure),
        };
        extras.push(Extra { errand, book });
    }
    extras
}

/// Asks the provider.
pub(super) async fn acquire(house: &House, errand: &Errand) -> Result<Acquired, Failure> {
    let room = channel::room(&errand.account.channel).ok_or_else(|| unknown_channel(errand))?;
    let waiting = house.talk.waiting(errand.to_string());
    house.acquirer.acquire(room, errand, &|progress| waiting.show(progress)).await
}

/// The statement that stands in the ledger, from the archive.
pub(super) async fn archived(house: &House, errand: &Errand) -> Result<Acquired, Failure> {
    let standing = house.ledger.current_statement(&errand.account.name, errand.date, errand.bill).await?;
    let Some(record) = standing else { return from_index(house, errand) };
    let received = Received {
        sha256: record.meta.sha256,
        len: 0,
        source: record.meta.source,
        fetched_at: record.meta.fetched_at,
        authenticated: record.meta.authenticated,
        tries: 0,
    };
    Ok(match record.meta.state {
        StatementState::Empty => Acquired::NoMovements(received),
        _ => Acquired::Statement(received),
    })
}

/// The statement that the archive's index holds for the errand: for a ledger that is new, or was lost.
fn from_index(house: &House, errand: &Errand) -> Result<Acquired, Failure> {
    let date = errand.date.to_string();
    let of_errand = |line: &IndexLine| {
        (line.account.as_str(), line.date.as_str(), line.bill.as_str())
            == (errand.account.name.as_str(), date.as_str(), errand.bill.as_str())
    };
    let index = house.archive.index()?;
    let rejected = |line: &IndexLine| {
        index
            .iter()
            .any(|other| of_errand(other) && other.sha256 == line.sha256 && other.status == Status::Rejected)
    };
    let usable = |line: &&IndexLine| {
        of_errand(line) && matches!(line.status, Status::Statement | Status::Empty) && !rejected(line)
    };
    let Some(line) = index.iter().rev().find(usable) else {
        return Err(Failure::new(Exit::NotReady, format!("{errand}: the archive has no statement yet"))
            .hint("`nightjob run` gets it from the provider, `nightjob import` takes a file"));
    };
    let received = Received {
        sha256: line.sha256.clone(),
        len: line.bytes,
        source: line.source.clone(),
        fetched_at: Moment::parse(&line.at).unwrap_or(house.clock.now()),
        authenticated: line.authenticated,
        tries: 0,
    };
    Ok(if line.status == Status::Empty {
        Acquired::NoMovements(received)
    } else {
        Acquired::Statement(received)
    })
}

/// Reads what was acquired, from the archive.
pub(super) async fn read(house: &House, errand: &Errand, acquired: Acquired) -> Result<Book, Failure> {
    match acquired {
        Acquired::OneByOne(_) => Err(Failure::new(Exit::Bug, format!("{errand}: nobody was asked"))),
        Acquired::NoMovements(received) => {
            Ok(Book { statement: Arc::new(Statement::empty(errand.date)), received, no_bill: true })
        }
        Acquired::Statement(received) => {
            let room = channel::room(&errand.account.channel).ok_or_else(|| unknown_channel(errand))?;
            let (archive, asked, sha256) = (house.archive.clone(), errand.clone(), received.sha256.clone());
            let read = move || archive.read(&sha256).map(|bytes| channel::read(room, &asked, bytes));
            let read = tokio::task::spawn_blocking(read).await.map_err(|error| bug(errand, &error))??;
            match read {
                Ok(statement) => Ok(Book { statement: Arc::new(statement), received, no_bill: false }),
                Err(error) => {
                    // A provider's address is not for the report: the same inputs give the same bytes anywhere.
                    let from_web = received.source.contains("://");
                    let message =
                        if from_web { error.to_string() } else { format!("{}: {error}", received.source) };
                    house.archive.mark_rejected(errand, &received, &message)?;
                    house.ledger.put_rejected(&key(errand), &rejected(errand, &received)).await?;
                    Err(Failure::new(Exit::Rejected, message).hint(format!(
                        "nothing of it was used; the bytes are kept in the archive as {}",
                        received.sha256
                    )))
                }
            }
        }
    }
}

fn rejected(errand: &Errand, received: &Received) -> StatementMeta {
    StatementMeta {
        bill: errand.bill,
        sha256: received.sha256.clone(),
        source: received.source.clone(),
        sums: Sums::default(),
        fetched_at: received.fetched_at,
        state: StatementState::Rejected,
        authenticated: received.authenticated,
    }
}

fn unknown_channel(errand: &Errand) -> Failure {
    Failure::new(Exit::Config, format!("no channel is called `{}`", errand.account.channel))
}

pub(super) fn bug(errand: &Errand, error: &tokio::task::JoinError) -> Failure {
    Failure::new(Exit::Bug, format!("{errand}: {error}")).hint("please report this with the archive's index")
}
