//! Accounts from the gateway's own tables: `config` says whether they are wanted, `store` reads them, and neither knows
//! the other.

use crate::channel::ROOMS;
use crate::config::{self, Loaded};
use crate::domain::Failure;
use crate::store::read_sellers;

/// Completes the settings with the accounts of EB_SELLER*, if they are asked for, and tells what was found wrong.
///
/// # Errors
///
/// As [`read_sellers`]; and a pay type without an account.
pub(super) async fn complete(loaded: &mut Loaded) -> Result<(), Failure> {
    let settings = &mut loaded.settings;
    if settings.sellers.from_database {
        let tables = read_sellers(&settings.paylog.database, &settings.paylog.schema).await?;
        loaded.shown.extend(config::add_sellers(settings, &tables, ROOMS)?);
    }
    settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(())
}
