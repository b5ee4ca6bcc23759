//! `mismatch_event`: what a run, or a person, did to a mismatch. Rows are only ever added, and each holds the hash of
//! the one before it, so that one that was changed, removed or put elsewhere is noticed.
//!
//! There is one chain a ledger; the one writer makes it sequential. Events are written in the transaction of their
//! unit, and only for what changed: they are what leads from the unit's last events to what was found now, so a unit
//! that is compared again with the same result has none. An event holds the whole row of the mismatch, as it stands
//! after it (of one that is gone: as it stood last).
//!
//! # What is hashed
//!
//! The fields in the order of [`StoredEvent`], each ended by a tab, a text with its length before it (`canonical.rs`).
//! The number of the run is not among them: it points into the journal of runs, and a night that was killed and run
//! again has another one than a night that was left in peace, with the same events. For the same reason the order of
//! events of *different* mismatches is not promised, while the history of each one is.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::canonical::{field, text_field};
use super::link::{Arg, Link, Record};
use super::records::UnitKey;
use super::schema::EVENT_COLUMNS;
use crate::domain::{Exit, Failure, Moment};
use crate::report::{MismatchRow, json};
use crate::store::place::{At, Place};

/// Events that are read at once: some megabytes.
pub(super) const PAGE: i64 = 5_000;

/// Who changes something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub at: Moment,
    /// [`Stamp::RUN`], or a person's name.
    pub actor: String,
    /// The run's row in `night_run`; 0 outside any.
    pub run: i64,
}

impl Stamp {
    pub const RUN: &str = "run";

    pub fn of_run(run: i64, at: Moment) -> Stamp {
        Stamp { at, actor: Stamp::RUN.to_owned(), run }
    }
}

/// What was done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Found,
    Changed,
    /// Compared again, and not there any more.
    Gone,
    /// It was gone, and is there again.
    Returned,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Found => "found",
            Action::Changed => "changed",
            Action::Gone => "gone",
            Action::Returned => "returned",
        }
    }
}

/// A row of `mismatch_event`, its texts as they stand there, whoever wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredEvent {
    /// From 1, without a gap.
    pub seq: i64,
    pub done_at: String,
    pub actor: String,
    pub action: String,
    /// The mismatch's id.
    pub mismatch: String,
    pub account: String,
    pub bill_date: String,
    /// The mismatch's row, as `report::json` writes it.
    pub detail: String,
    /// The hash of the event before; empty for the first.
    pub previous: String,
    pub hash: String,
    /// Not hashed.
    pub run: i64,
}

impl StoredEvent {
    /// The hash that its fields have.
    pub fn hashed(&self) -> String {
        let mut text = Vec::new();
        field(&mut text, Some(self.seq));
        for part in [
            &self.done_at,
            &self.actor,
            &self.action,
            &self.mismatch,
            &self.account,
            &self.bill_date,
            &self.detail,
            &self.previous,
        ] {
            text_field(&mut text, part.as_bytes());
        }
        hex::encode(Sha256::digest(&text))
    }

    /// Whether the mismatch is there after this event.
    pub fn is_open(&self) -> bool {
        self.action != Action::Gone.as_str()
    }
}

/// The last event of a chain; number 0 and no hash for an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
}

/// An event that is still without its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Draft {
    action: Action,
    mismatch: String,
    detail: String,
}

/// What leads from the last events of a unit to what was found now: in the order of the report, then what is gone.
pub(super) fn drafts(last: &BTreeMap<String, StoredEvent>, rows: &[MismatchRow]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for row in rows {
        let detail = json::write_mismatch(row);
        let action = match last.get(&row.id) {
            None => Action::Found,
            Some(event) if !event.is_open() => Action::Returned,
            Some(event) if event.detail != detail => Action::Changed,
            Some(_) => continue,
        };
        drafts.push(Draft { action, mismatch: row.id.clone(), detail });
    }
    let found: std::collections::HashSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let gone = last.values().filter(|event| event.is_open() && !found.contains(event.mismatch.as_str()));
    drafts.extend(gone.map(|event| Draft {
        action: Action::Gone,
        mismatch: event.mismatch.clone(),
        detail: event.detail.clone(),
    }));
    drafts
}

const READING: &str = "reading `mismatch_event`";

/// The last event of each mismatch of a unit.
pub(super) async fn last_of_unit(
    link: &mut Link<'_>,
    place: &Place,
    (account, date): (&str, &str),
) -> Result<BTreeMap<String, StoredEvent>, Failure> {
    let rows = link
        .fetch(
            "SELECT seq, done_at, actor, action, mismatch, account, bill_date, detail, previous, hash, run
             FROM mismatch_event WHERE account = ?1 AND bill_date = ?2 ORDER BY seq",
            &[account.into(), date.into()],
        )
        .await
        .at(place, READING)?;
    Ok(rows.iter().map(event).map(|event| (event.mismatch.clone(), event)).collect())
}

/// The head of the chain.
pub(super) async fn head(link: &mut Link<'_>, place: &Place) -> Result<Head, Failure> {
    let row = link
        .fetch_one(
            "SELECT seq, hash FROM mismatch_event WHERE seq = (SELECT max(seq) FROM mismatch_event)",
            &[],
        )
        .await
        .at(place, READING)?;
    Ok(row.map_or_else(Head::default, |row| Head { seq: row.number("seq"), hash: row.string("hash") }))
}

/// The hash of an event; `None` if there is none of this number.
pub(super) async fn hash_of(link: &mut Link<'_>, place: &Place, seq: i64) -> Result<Option<String>, Failure> {
    let row = link.fetch_one("SELECT hash FROM mismatch_event WHERE seq = ?1", &[seq.into()]).await;
    Ok(row.at(place, READING)?.map(|row| row.string("hash")))
}

/// The next events behind a number, [`PAGE`] at most.
pub(super) async fn page(
    link: &mut Link<'_>,
    place: &Place,
    after: i64,
) -> Result<Vec<StoredEvent>, Failure> {
    let rows = link
        .fetch(
            "SELECT seq, done_at, actor, action, mismatch, account, bill_date, detail, previous, hash, run
             FROM mismatch_event WHERE seq > ?1 ORDER BY seq LIMIT ?2",
            &[after.into(), PAGE.into()],
        )
        .await
        .at(place, READING)?;
    Ok(rows.iter().map(event).collect())
}

fn event(row: &Record) -> StoredEvent {
    StoredEvent {
        seq: row.number("seq"),
        done_at: row.string("done_at"),
        actor: row.string("actor"),
        action: row.string("action"),
        mismatch: row.string("mismatch"),
        account: row.string("account"),
        bill_date: row.string("bill_date"),
        detail: row.string("detail"),
        previous: row.string("previous"),
        hash: row.string("hash"),
        run: row.number("run"),
    }
}

/// Adds events at the end of the chain. Only within a unit's transaction: the writer's lock makes the head the head.
pub(super) async fn append(
    link: &mut Link<'_>,
    place: &Place,
    key: &UnitKey,
    (drafts, stamp): (Vec<Draft>, &Stamp),
) -> Result<(), Failure> {
    if drafts.is_empty() {
        return Ok(());
    }
    let Head { mut seq, hash: mut previous } = head(link, place).await?;
    let mut events = Vec::with_capacity(drafts.len());
    for Draft { action, mismatch, detail } in drafts {
        seq = seq.checked_add(1).ok_or_else(|| Failure::new(Exit::Bug, "the events ran out of numbers"))?;
        let mut event = StoredEvent {
            seq,
            done_at: stamp.at.to_string(),
            actor: stamp.actor.clone(),
            action: action.as_str().to_owned(),
            mismatch,
            account: key.account.clone(),
            bill_date: key.date.to_string(),
            detail,
            previous,
            hash: String::new(),
            run: stamp.run,
        };
        event.hash = event.hashed();
        previous = event.hash.clone();
        events.push(event);
    }
    let values: Vec<Arg<'_>> = events.iter().flat_map(values).collect();
    link.insert(
        "INSERT INTO mismatch_event (seq, done_at, actor, action, mismatch, account, bill_date, detail, previous, hash,
             run) VALUES",
        EVENT_COLUMNS,
        &values,
    )
    .await
    .at(place, "recording events")
}

fn values(event: &StoredEvent) -> [Arg<'_>; EVENT_COLUMNS] {
    [
        event.seq.into(),
        (&event.done_at).into(),
        (&event.actor).into(),
        (&event.action).into(),
        (&event.mismatch).into(),
        (&event.account).into(),
        (&event.bill_date).into(),
        (&event.detail).into(),
        (&event.previous).into(),
        (&event.hash).into(),
        event.run.into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, difference_minor: i64) -> MismatchRow {
        MismatchRow { id: id.to_owned(), difference_minor, ..MismatchRow::default() }
    }

    fn last(events: &[(Action, MismatchRow)]) -> BTreeMap<String, StoredEvent> {
        let event = |(action, row): &(Action, MismatchRow)| StoredEvent {
            action: action.as_str().to_owned(),
            mismatch: row.id.clone(),
            detail: json::write_mismatch(row),
            ..StoredEvent::default()
        };
        events.iter().map(event).map(|event| (event.mismatch.clone(), event)).collect()
    }

    #[test]
    fn only_what_changed_is_an_event() {
        use Action::{Changed, Found, Gone, Returned};
        let before = last(&[
            (Found, row("same", 1)),
            (Changed, row("other", 1)),
            (Gone, row("back", 1)),
            (Returned, row("left", 1)),
            (Gone, row("still gone", 1)),
        ]);
        let now = [row("same", 1), row("other", 2), row("back", 1), row("new", 1)];
        let found: Vec<(Action, String)> =
            drafts(&before, &now).into_iter().map(|draft| (draft.action, draft.mismatch)).collect();
        let expected = [(Changed, "other"), (Returned, "back"), (Found, "new"), (Gone, "left")];
        assert_eq!(found, expected.map(|(action, id)| (action, id.to_owned())));
    }

    #[test]
    fn the_hash_covers_every_field_but_the_run_and_no_text_can_look_like_two() {
        let event = StoredEvent {
            seq: 7,
            done_at: "2016-11-10 02:17:00".into(),
            actor: "run".into(),
            action: "found".into(),
            mismatch: "ab".into(),
            account: "wx".into(),
            bill_date: "2016-11-08".into(),
            detail: "{}".into(),
            previous: "00".into(),
            ..StoredEvent::default()
        };
        let hash = event.hashed();
        assert_eq!(hash, StoredEvent { run: 9, hash: "x".into(), ..event.clone() }.hashed());
        type Change = fn(&mut StoredEvent);
        let changes: [Change; 9] = [
            |e| e.seq = 8,
            |e| e.done_at.push('1'),
            |e| e.actor = "ru".into(),
            |e| e.action.push('n'),
            |e| (e.mismatch, e.account) = ("abw".into(), "x".into()),
            |e| e.account.push('x'),
            |e| e.bill_date.push('0'),
            |e| e.detail = "{ }".into(),
            |e| e.previous.clear(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut other = event.clone();
            change(&mut other);
            assert_ne!(other.hashed(), hash, "change {number}");
        }
    }
}
