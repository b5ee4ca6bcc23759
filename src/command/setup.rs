//! Commands about the program itself: configuration, schema, completions, manual.

use serde_json::json;

use super::answer::Answer;
use super::start::Start;
use crate::cli::{self, Cli, ConfigCommand};
use crate::config::{self, Problems, SecretUse};
use crate::domain::{Exit, Failure};
use crate::store::Ledger;

/// All problems at once, with their places.
pub(super) fn problems(problems: &Problems) -> Failure {
    Failure::new(problems.exit(), problems.to_string().trim_start_matches("error: ").to_owned())
}

pub(super) fn config(start: &Start, cli: &Cli, command: ConfigCommand) -> Result<Answer, Failure> {
    let secrets = match command {
        ConfigCommand::Check => SecretUse::Read,
        ConfigCommand::Show => SecretUse::Leave,
    };
    let loaded = start.load(cli, secrets).map_err(|found| problems(&found))?;
    let settings = &loaded.settings;
    settings.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(match command {
        ConfigCommand::Show => Answer {
            fields: vec![("settings", config::shown_document(&loaded.shown))],
            ..Answer::text(config::shown_table(&loaded.shown))
        },
        ConfigCommand::Check => {
            let accounts: Vec<&str> = settings.accounts.iter().map(|account| account.name.as_str()).collect();
            let (count, list) = (accounts.len(), accounts.join(" "));
            let text = start.lang.pick(
                format!("配置正确：{count} 个账户（{list}）\n"),
                format!("the configuration is sound: {count} accounts ({list})\n"),
            );
            Answer { fields: vec![("accounts", json!(accounts))], ..Answer::text(text) }
        }
    })
}

pub(super) async fn migrate(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let loaded = start.load(cli, SecretUse::Leave).map_err(|found| problems(&found))?;
    let _lock = super::work::lock(start, &loaded.settings)?;
    let (from, to) = Ledger::migrate(&loaded.settings.database).await?;
    let text = if from == to {
        start.lang.pick(
            format!("账本结构已是第 {to} 版\n"),
            format!("the ledger's schema is already version {to}\n"),
        )
    } else {
        start.lang.pick(
            format!("账本结构已由第 {from} 版升级到第 {to} 版\n"),
            format!("the ledger's schema was brought from version {from} to {to}\n"),
        )
    };
    Ok(Answer { fields: vec![("schema_version", json!(to))], ..Answer::text(text) })
}

pub(super) fn manual() -> Result<Answer, Failure> {
    let page = cli::manual().map_err(|error| Failure::new(Exit::Bug, format!("the manual page: {error}")))?;
    Ok(Answer::text(page))
}
