//! One unit's transaction: everything of one account and one bill date, with its marker, or nothing.

use std::sync::Arc;

use super::events::{self, Draft};
use super::fingerprint::Fingerprint;
use super::load::{self, Load};
use super::records::{StatementMeta, StatementState, Sums, UnitEnd, UnitKey};
use super::rows::Rows;
use super::tx::Tx;
use super::writes;
use crate::domain::{Bill, Exit, Failure, LoggedOrders, Statement};
use crate::report::MismatchRow;
use crate::store::place::At;
use crate::store::sqlite::blocking;

/// A unit being replaced. Dropped without [`finish`](UnitTx::finish), or after any error, nothing of it remains.
///
/// The calls may come in any order; each may be awaited beside other work (`tokio::join!` of [`entries`](UnitTx::entries)
/// with the fold of the log), because what takes long runs on threads that may block.
pub struct UnitTx {
    tx: Tx,
    key: UnitKey,
    number: i64,
    trade: Option<(u32, StatementMeta)>,
    loaded: Option<Sums>,
    /// What is done to the unit's mismatches, once it is known.
    events: Option<Vec<Draft>>,
    /// Of the logged orders, if they were replaced.
    orders: Option<Fingerprint>,
    /// Set while a step is under way: a step that failed or was cut off makes the unit unusable.
    broken: bool,
}

impl UnitTx {
    pub(super) async fn begin(mut tx: Tx, key: UnitKey) -> Result<UnitTx, Failure> {
        load::remove_leftovers(tx.place());
        let number = writes::unit_number(&mut tx, &key).await?;
        Ok(UnitTx { tx, key, number, trade: None, loaded: None, events: None, orders: None, broken: false })
    }

    pub fn key(&self) -> &UnitKey {
        &self.key
    }

    /// Records a bill and decides its version: the same bytes as those that stand keep their version and their row,
    /// other bytes are the next version and supersede them.
    pub async fn statement(&mut self, meta: StatementMeta) -> Result<u32, Failure> {
        self.step()?;
        if !matches!(meta.state, StatementState::Current | StatementState::Empty) {
            return Err(self.bug(format!("a unit was given a statement that is {}", meta.state.as_str())));
        }
        let version = writes::statement(&mut self.tx, &self.key, &meta).await?;
        if meta.bill == Bill::Trade {
            self.trade = Some((version, meta));
        }
        self.broken = false;
        Ok(version)
    }

    /// Replaces the unit's movements by those of the statement; the sums as the ledger holds them now, read back.
    ///
    /// # Errors
    ///
    /// [`Exit::Bug`] if what was read back differs from what was parsed.
    pub async fn entries(&mut self, statement: Arc<Statement>) -> Result<Sums, Failure> {
        self.step()?;
        let parsed = Sums::of(&statement)
            .ok_or_else(|| self.bug("the statement's amounts add up to more than 64 bits hold".to_owned()))?;
        self.load(Rows::Entries(statement)).await?;
        let kept = load::sums(&mut self.tx, self.number).await?;
        if kept != parsed {
            return Err(self.bug(format!("the ledger holds {kept:?}, the statement {parsed:?}")));
        }
        self.loaded = Some(kept);
        self.broken = false;
        Ok(kept)
    }

    /// Replaces the unit's logged orders by those at the indices `of_day`, which must be of the unit's date.
    /// Not called, the ones that are stored stay: a poorer log never replaces a richer result.
    pub async fn orders(&mut self, orders: Arc<LoggedOrders>, of_day: Vec<u32>) -> Result<(), Failure> {
        self.step()?;
        #[cfg(feature = "rig")]
        self.planted_two_transactions().await?;
        let date = self.key.date;
        let strange =
            |index: &&u32| orders.orders.get(**index as usize).is_none_or(|order| order.day != date);
        if let Some(index) = of_day.iter().find(strange) {
            return Err(self.bug(format!("logged order {index} is not of the unit's day")));
        }
        let rows = Rows::Orders(orders, of_day);
        let (key, place, again) = (self.key.clone(), self.tx.place().clone(), rows.clone());
        let hashing = blocking(move || Fingerprint::of(&key, &again).at(&place, "hashing logged orders"));
        let (loaded, hashed) = tokio::join!(self.load(rows), hashing);
        loaded?;
        self.orders = Some(hashed?);
        self.broken = false;
        Ok(())
    }

    /// Replaces the unit's mismatches: those that no longer occur stay in the table, no longer open.
    pub async fn mismatches(&mut self, rows: &[MismatchRow]) -> Result<(), Failure> {
        self.step()?;
        self.set_mismatches(rows).await?;
        self.broken = false;
        Ok(())
    }

    /// Checks that statement and ledger agree, writes the marker and commits. A unit without entries or without
    /// mismatches has none from now on.
    ///
    /// # Errors
    ///
    /// [`Exit::Bug`] if rows or sums differ, [`Exit::Storage`] if the commit failed; either way nothing remains.
    pub async fn finish(mut self, end: UnitEnd) -> Result<(), Failure> {
        self.step()?;
        if self.loaded.is_none() {
            load::clear_entries(&mut self.tx, self.number).await?;
        }
        if self.events.is_none() {
            self.set_mismatches(&[]).await?;
        }
        let stated = self.trade.as_ref().map_or(Sums::default(), |(_, meta)| meta.sums);
        let kept = self.loaded.unwrap_or_default();
        if stated != kept {
            return Err(self.bug(format!("the ledger holds {kept:?}, its statement {stated:?}")));
        }
        writes::mark_done(&mut self.tx, self.number, (&end, self.trade.as_ref())).await?;
        writes::mark_proofs(&mut self.tx, self.number, (&end.section, self.orders.as_ref())).await?;
        let drafts = self.events.take().unwrap_or_default();
        let place = self.tx.place().clone();
        events::append(&mut self.tx.link(), &place, &self.key, (drafts, &end.stamp)).await?;
        let orders = self.orders.map(|orders| orders.to_string());
        self.tx.commit_unit(&self.key, (&end, orders.as_deref())).await
    }

    async fn load(&mut self, rows: Rows) -> Result<(), Failure> {
        let load = Load { key: self.key.clone(), number: self.number, rows };
        load::replace(&mut self.tx, load).await
    }

    async fn set_mismatches(&mut self, rows: &[MismatchRow]) -> Result<(), Failure> {
        writes::mismatches(&mut self.tx, &self.key, rows).await?;
        let place = self.tx.place().clone();
        let of_unit = (self.key.account.as_str(), &*self.key.date.to_string());
        let last = events::last_of_unit(&mut self.tx.link(), &place, of_unit).await?;
        self.events = Some(events::drafts(&last, rows));
        Ok(())
    }

    /// The planted bug that `scripts/torture` must catch: what came before is committed for itself.
    #[cfg(feature = "rig")]
    async fn planted_two_transactions(&mut self) -> Result<(), Failure> {
        if crate::failpoint::planted("two_transactions") {
            let place = self.tx.place().clone();
            self.tx.link().commit().await.at(&place, "committing half a unit")?;
            self.tx.link().begin().await.at(&place, "beginning the other half")?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Failure> {
        if self.broken {
            return Err(self.bug("a step of the unit failed, and the unit was used again".to_owned()));
        }
        self.broken = true;
        Ok(())
    }

    fn bug(&self, found: String) -> Failure {
        let UnitKey { account, date, .. } = &self.key;
        Failure::new(Exit::Bug, format!("{account} {date}: {found}; nothing was kept"))
            .hint("please report this; the statement is in the archive")
    }
}
