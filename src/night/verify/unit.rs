//! One unit: its rows against its statement, read again from the archive, and against what its commit kept of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::answers;
use super::archive::Objects;
use super::damage::{Damage, UnitProof, Verified};
use super::{LOOKS_MAX, Verifier};
use crate::acquire::{Index, IndexLine, Status};
use crate::channel;
use crate::domain::{Bill, BillDate, Errand, Exit, Failure, Statement};
use crate::report::{self, MismatchRow, Section};
use crate::store::{KeptStatement, KeptUnit, StatementState, StoredEvent, Sums, UnitState, canonical_hash};

/// Rows of a unit that are named one by one: beyond these another trouble has to be found first.
pub(super) const ROWS_MAX: usize = 20;

/// What is found of a unit, until it is sure that nobody replaced the unit meanwhile.
struct Look<'v> {
    verifier: &'v Verifier<'v>,
    unit: KeptUnit,
    date: BillDate,
    damages: Vec<Damage>,
    unproven: Vec<String>,
    remarks: Vec<String>,
    lines: u64,
}

/// Proves a unit, as it stands between two moments at which it is the same.
pub(super) async fn prove(
    verifier: &Verifier<'_>,
    listed: &KeptUnit,
    (index, objects): (&Index, &Objects),
    found: &mut Verified,
) -> Result<(), Failure> {
    let (account, bill_date) = (&listed.account, &listed.bill_date);
    let Some(date) = BillDate::parse(bill_date) else {
        let place = format!("unit {}, bill_date", listed.number);
        found.damage(Damage::new("unit", place, ("a date", bill_date)).of(account, bill_date));
        return Ok(());
    };
    let waiting = verifier.talk.waiting(format!("{account} {date}"));
    for _ in 0..LOOKS_MAX {
        let Some(unit) = verifier.ledger.kept_unit(account, date).await? else { break };
        let events = verifier.ledger.last_events(account, date).await?;
        let mut look = Look::of(verifier, unit, date);
        look.at(index, objects, &events).await?;
        let same = verifier.ledger.kept_unit(account, date).await?.as_ref() == Some(&look.unit)
            && verifier.ledger.last_events(account, date).await? == events;
        if same {
            look.tell(found);
            return Ok(());
        }
    }
    drop(waiting);
    found
        .unproven
        .push(format!("{account} {date}: a run replaced it while it was being verified; verify it again"));
    Ok(())
}

impl<'v> Look<'v> {
    fn of(verifier: &'v Verifier<'v>, unit: KeptUnit, date: BillDate) -> Look<'v> {
        let (damages, unproven, remarks) = (Vec::new(), Vec::new(), Vec::new());
        Look { verifier, unit, date, damages, unproven, remarks, lines: 0 }
    }

    fn tell(self, found: &mut Verified) {
        let result = match (self.damages.is_empty(), self.unproven.is_empty()) {
            (false, _) => "damaged",
            (true, false) => "unproven",
            (true, true) => "proven",
        };
        if self.unit.state == UnitState::Done.as_str() {
            let (account, date, lines) = (self.unit.account, self.date, self.lines);
            found.units.push(UnitProof { account, date, lines, result });
        }
        found.damages.extend(self.damages);
        found.unproven.extend(self.unproven);
        found.remarks.extend(self.remarks);
    }

    fn damage(
        &mut self,
        what: &'static str,
        place: impl Into<String>,
        sides: (impl Into<String>, impl Into<String>),
    ) {
        self.damages.push(Damage::new(what, place, sides).of(&self.unit.account, self.date));
    }

    fn unproven(&mut self, what: impl std::fmt::Display) {
        self.unproven.push(format!("{} {}: {what}", self.unit.account, self.date));
    }

    async fn at(
        &mut self,
        index: &Index,
        objects: &Objects,
        events: &BTreeMap<String, StoredEvent>,
    ) -> Result<(), Failure> {
        let ledger = &self.verifier.ledger;
        let statements = ledger.kept_statements(&self.unit.account, self.date).await?;
        self.versions(&statements);
        for statement in &statements {
            self.named_by_the_index(statement, index);
        }
        if self.unit.state != UnitState::Done.as_str() {
            self.never_done(&statements, events);
            return Ok(());
        }
        let trade = Bill::Trade.as_str();
        let standing = statements.iter().find(|kept| kept.bill == trade && kept.stands());
        self.version(standing);
        if standing.is_none() {
            self.damage("statement", "statement, trade", ("a version that stands", "none"));
        }
        match self.read(standing, objects).await? {
            Some(statement) => self.rows(standing, Arc::new(statement)).await?,
            None => self.rows_alone().await?,
        }
        // The other bills keep their movements in the archive: there are their sums.
        for kept in statements.iter().filter(|kept| kept.bill != trade && kept.stands()) {
            if let Some(statement) = self.read(Some(kept), objects).await? {
                self.sums(kept, &statement);
            }
        }
        self.orders().await?;
        self.section(events).await
    }

    /// A unit that is done stays done, and only its commit gives it a statement that stands, hashes and events.
    fn never_done(&mut self, statements: &[KeptStatement], events: &BTreeMap<String, StoredEvent>) {
        let KeptUnit { state, canonical_hash, orders_hash, section_hash, .. } = &self.unit;
        let was_done = statements.iter().any(KeptStatement::stands)
            || !events.is_empty()
            || [canonical_hash, orders_hash, section_hash].iter().any(|hash| !hash.is_empty());
        if was_done || state != UnitState::NotCompared.as_str() {
            let state = state.clone();
            self.damage("unit", "unit, state", ("done, as what its commit kept says", state));
        }
    }

    /// Versions of each bill: from 1 without a gap, one of them standing at most.
    fn versions(&mut self, statements: &[KeptStatement]) {
        let mut by_bill: BTreeMap<&str, Vec<&KeptStatement>> = BTreeMap::new();
        statements.iter().for_each(|kept| by_bill.entry(&kept.bill).or_default().push(kept));
        for (bill, kept) in by_bill {
            let versions: Vec<i64> = kept.iter().map(|kept| kept.version).collect();
            let expected: Vec<i64> = (1..).take(versions.len()).collect();
            if versions != expected {
                self.damage(
                    "statement",
                    format!("statement, {bill}"),
                    (format!("versions {expected:?}"), format!("{versions:?}")),
                );
            }
            let standing = kept.iter().filter(|kept| kept.stands()).count();
            if standing > 1 {
                self.damage(
                    "statement",
                    format!("statement, {bill}"),
                    ("one version that stands", standing.to_string()),
                );
            }
        }
    }

    /// Each row has the line in the index that says the same of the same bytes.
    fn named_by_the_index(&mut self, kept: &KeptStatement, index: &Index) {
        let place = format!("statement, {} version {}", kept.bill, kept.version);
        let Some(state) = StatementState::parse(&kept.state) else {
            return self.damage("statement", format!("{place}, state"), ("a state", &kept.state));
        };
        let date = self.date.to_string();
        let same = |line: &IndexLine| {
            (&line.account, &line.date, &line.bill, &line.sha256)
                == (&self.unit.account, &date, &kept.bill, &kept.sha256)
                && match state {
                    StatementState::Rejected => line.status == Status::Rejected,
                    StatementState::Empty => line.status == Status::Empty,
                    StatementState::Current => line.status == Status::Statement,
                    StatementState::Superseded => matches!(line.status, Status::Statement | Status::Empty),
                }
        };
        let lines: Vec<&IndexLine> =
            index.arrivals().map(|(_, line)| line).filter(|line| same(line)).collect();
        if lines.is_empty() {
            let expected = format!("a line of the index for these bytes ({})", kept.sha256);
            return self.damage("index", place, (expected, "none"));
        }
        let told = |line: &&IndexLine| {
            (&line.source, &line.at, line.authenticated)
                == (&kept.source, &kept.fetched_at, kept.authenticated)
        };
        if !lines.iter().any(told) {
            let line = lines[0];
            let expected = format!("{} at {} (authenticated: {})", line.source, line.at, line.authenticated);
            let found =
                format!("{} at {} (authenticated: {})", kept.source, kept.fetched_at, kept.authenticated);
            self.damage("statement", format!("{place}, source"), (expected, found));
        }
    }

    fn version(&mut self, standing: Option<&KeptStatement>) {
        let expected = standing.map_or(0, |kept| kept.version);
        if expected != self.unit.version {
            self.damage("unit", "unit, version", (expected.to_string(), self.unit.version.to_string()));
        }
    }

    /// The statement that stands, read again; `None` where that cannot be, which is said.
    async fn read(
        &mut self,
        standing: Option<&KeptStatement>,
        objects: &Objects,
    ) -> Result<Option<Statement>, Failure> {
        let Some((kept, bill)) = standing.and_then(|kept| Some((kept, Bill::parse(&kept.bill)?))) else {
            return Ok(None);
        };
        if kept.state == StatementState::Empty.as_str() {
            return Ok(Some(Statement::empty(self.date)));
        }
        if objects.damaged.contains(&kept.sha256) {
            return Ok(None);
        }
        let named = |account: &&crate::domain::Account| account.name == self.unit.account;
        let account = self.verifier.settings.accounts.iter().find(named).cloned();
        let room = account.as_ref().and_then(|account| channel::room(&account.channel));
        let (Some(account), Some(room)) = (account, room) else {
            self.unproven("the account is no longer configured: its statement was not read again");
            return Ok(None);
        };
        let errand = Errand { account: Arc::new(account), date: self.date, bill };
        let (archive, sha256) = (Arc::clone(&self.verifier.archive), kept.sha256.clone());
        let read = move || archive.read(&sha256).map(|bytes| channel::read(room, &errand, bytes));
        let read = tokio::task::spawn_blocking(read).await;
        let read = read.map_err(|error| Failure::new(Exit::Bug, format!("reading a statement: {error}")))?;
        match read {
            Ok(Ok(statement)) => Ok(Some(statement)),
            Ok(Err(error)) => {
                self.unproven(format!(
                    "its statement ({}) was read once and is refused now, so the account's configuration or this \
                     program has changed: {error}",
                    kept.sha256
                ));
                Ok(None)
            }
            // Told by `archive`, with its place.
            Err(_) => Ok(None),
        }
    }

    /// The rows against the statement, the statement's sums, and the hash that the commit kept.
    async fn rows(
        &mut self,
        standing: Option<&KeptStatement>,
        statement: Arc<Statement>,
    ) -> Result<(), Failure> {
        let differ = self.verifier.ledger.compare_entries(&self.unit, Arc::clone(&statement)).await?;
        let wrong = differ.len();
        for row in differ.into_iter().take(ROWS_MAX) {
            self.damage("ledger_entry", row.place, (row.expected, row.found));
        }
        if wrong > ROWS_MAX {
            self.damage(
                "ledger_entry",
                "ledger_entry",
                ("the statement's lines", format!("{wrong} differences in all")),
            );
        }
        let hash = canonical_hash(&statement);
        if hash != self.unit.canonical_hash {
            self.damage("unit", "unit, canonical_hash", (hash, &self.unit.canonical_hash.clone()));
        }
        if let Some(kept) = standing {
            self.sums(kept, &statement);
        }
        self.lines = statement.entries().len() as u64;
        if statement.is_answers() {
            self.answers(&statement).await?;
        }
        Ok(())
    }

    fn sums(&mut self, kept: &KeptStatement, statement: &Statement) {
        let sums = Sums::of(statement).unwrap_or_default();
        if kept.sums != sums {
            let place = format!("statement, {} version {}", kept.bill, kept.version);
            self.damage("statement", place, (format!("{sums:?}"), format!("{:?}", kept.sums)));
        }
    }

    /// Without the statement, the rows can still be held against the hash of their commit.
    async fn rows_alone(&mut self) -> Result<(), Failure> {
        if let Some(found) = self.verifier.ledger.verify_unit(&self.unit.account, self.date).await?
            && !found.is_intact()
        {
            self.damage(
                "ledger_entry",
                "ledger_entry",
                (format!("rows with the hash {}", found.kept), found.found),
            );
        }
        Ok(())
    }

    /// What the provider answered about single orders, against the book of answers that the archive has.
    async fn answers(&mut self, book: &Statement) -> Result<(), Failure> {
        let kept = self.verifier.ledger.answers(&self.unit.account, self.date).await?;
        let wrong = answers::differing(&kept, book);
        self.damages.extend(wrong.into_iter().map(|damage| damage.of(&self.unit.account, self.date)));
        Ok(())
    }

    async fn orders(&mut self) -> Result<(), Failure> {
        if self.unit.orders_hash.is_empty() {
            self.unproven("it was done by an earlier version, which kept no hash of logged orders; `nightjob reconcile` of the day keeps one");
            return Ok(());
        }
        if let Some(row) = self.verifier.ledger.compare_orders(&self.unit).await? {
            self.damage("logged_order", row.place, (row.expected, row.found));
        }
        Ok(())
    }

    async fn section(&mut self, events: &BTreeMap<String, StoredEvent>) -> Result<(), Failure> {
        let kept = self.unit.section_hash.clone();
        // An earlier version kept neither hash and wrote no events, which `orders` has said.
        if kept.is_empty() && self.unit.orders_hash.is_empty() && events.is_empty() {
            return Ok(());
        }
        let hash = self.unit.hash_of_section();
        if hash != kept {
            let kept = if kept.is_empty() { "a kept hash".to_owned() } else { format!("SHA-256 {kept}") };
            self.damage("unit", "unit, section", (kept, hash));
        }
        let Ok(section) = report::json::read_section(&self.unit.section) else {
            self.damage("unit", "unit, section", ("a section of a report", "something else"));
            return Ok(());
        };
        for (column, kept, said) in [
            ("verdict", &self.unit.verdict.clone(), &section.verdict),
            ("reason", &self.unit.reason.clone(), &section.reason),
        ] {
            if kept != said {
                self.damage("unit", format!("unit, {column}"), (said, kept));
            }
        }
        for open in report::proofs::open(&section) {
            self.damage("unit", "unit, section", ("proofs that close", open));
        }
        self.mismatches(&section, events).await
    }

    /// Section, table and events say the same of every mismatch.
    async fn mismatches(
        &mut self,
        section: &Section,
        events: &BTreeMap<String, StoredEvent>,
    ) -> Result<(), Failure> {
        let stored = self.verifier.ledger.mismatches_of_unit(&self.unit.account, self.date).await?;
        let mut told: BTreeMap<&str, &MismatchRow> =
            section.mismatches.iter().map(|row| (&*row.id, row)).collect();
        for found in &stored {
            let place = format!("mismatch {}", found.row.id);
            self.event_of(&place, &found.row, found.open, events.get(&found.row.id));
            match (found.open, told.remove(&*found.row.id)) {
                (true, None) => {
                    self.damage("mismatch", place, ("a mismatch of the unit's section", "none of it"))
                }
                (false, Some(_)) => {
                    self.damage("mismatch", place, ("open, as in the unit's section", "gone"))
                }
                (true, Some(row)) if *row != found.row => {
                    let (expected, actual) = differing(row, &found.row);
                    self.damage("mismatch", place, (expected, actual));
                }
                _ => {}
            }
        }
        for id in told.into_keys() {
            self.damage("mismatch", format!("mismatch {id}"), ("a row, as in the unit's section", "none"));
        }
        let known = |id: &String| stored.iter().any(|found| found.row.id == *id);
        for event in events.values().filter(|event| !known(&event.mismatch)) {
            let expected = format!("a row, as event {} says", event.seq);
            self.damage("mismatch", format!("mismatch {}", event.mismatch), (expected, "none"));
        }
        Ok(())
    }

    fn event_of(&mut self, place: &str, row: &MismatchRow, open: bool, event: Option<&StoredEvent>) {
        let Some(event) = event else {
            // A mismatch that was gone before there were events has none.
            if open {
                self.damage("mismatch_event", place, ("an event that says how it came", "none"));
            }
            return;
        };
        if event.is_open() != open {
            let standing = if open { "open" } else { "gone" };
            let expected = format!("what event {} says: {}", event.seq, event.action);
            self.damage("mismatch", format!("{place}, standing"), (expected, standing));
        } else if report::json::write_mismatch(row) != event.detail {
            let said = report::json::read_mismatch(&event.detail).unwrap_or_default();
            let (expected, found) = differing(&said, row);
            self.damage("mismatch", place, (format!("{expected} (event {})", event.seq), found));
        }
    }
}

/// The fields in which two rows differ, of each side.
fn differing(expected: &MismatchRow, found: &MismatchRow) -> (String, String) {
    let fields = |row: &MismatchRow| serde_json::to_value(row).unwrap_or_default();
    let (left, right) = (fields(expected), fields(found));
    let names = left.as_object().into_iter().flat_map(|fields| fields.keys());
    let names: Vec<&String> = names.filter(|name| left[*name] != right[*name]).collect();
    let say = |side: &serde_json::Value| {
        let parts: Vec<String> = names.iter().map(|name| format!("{name} {}", side[*name])).collect();
        parts.join(", ")
    };
    (say(&left), say(&right))
}
