//! Commands about the program itself: configuration, schema, completions, manual.

use std::path::Path;

use serde_json::json;

use super::answer::Answer;
use super::start::Start;
use crate::channel::ROOMS;
use crate::cli::{self, Cli, ConfigCommand};
use crate::config::{self, Loaded, Problems, SecretUse};
use crate::domain::{Exit, Failure};
use crate::store::{Ledger, check_address};

/// All problems at once, with their places.
pub(super) fn problems(problems: &Problems) -> Failure {
    Failure::new(problems.exit(), problems.to_string().trim_start_matches("error: ").to_owned())
}

pub(super) async fn config(start: &Start, cli: &Cli, command: &ConfigCommand) -> Result<Answer, Failure> {
    let secrets = match command {
        ConfigCommand::Check => SecretUse::Read,
        ConfigCommand::Show => SecretUse::Leave,
        ConfigCommand::Import { file, out } => return import(start, file, out.as_deref()),
    };
    let mut loaded = start.load(cli, secrets).map_err(|found| problems(&found))?;
    // Accounts that stand in tables are shown, too.
    if secrets == SecretUse::Leave && loaded.settings.sellers.from_database {
        loaded = start.load(cli, SecretUse::Databases).map_err(|found| problems(&found))?;
    }
    if secrets == SecretUse::Read {
        addresses(&loaded)?;
    }
    super::sellers::complete(&mut loaded).await?;
    if secrets == SecretUse::Leave {
        return Ok(Answer {
            fields: vec![("settings", config::shown_document(&loaded.shown))],
            ..Answer::text(config::shown_table(&loaded.shown))
        });
    }
    let accounts: Vec<&str> = loaded.settings.accounts.iter().map(|account| account.name.as_str()).collect();
    let (count, list) = (accounts.len(), accounts.join(" "));
    let text = start.lang.pick(
        format!("配置正确：{count} 个账户（{list}）\n"),
        format!("the configuration is sound: {count} accounts ({list})\n"),
    );
    Ok(Answer { fields: vec![("accounts", json!(accounts))], ..Answer::text(text) })
}

/// What `store` would say of the addresses of databases at night: `config` knows their form and no engine's options.
fn addresses(loaded: &Loaded) -> Result<(), Failure> {
    let settings = &loaded.settings;
    let origin = |key: &str| loaded.shown.iter().find(|row| row.key == key).map(|row| row.origin.clone());
    let wrong = [("database", &settings.database), ("paylog.database", &settings.paylog.database)]
        .into_iter()
        .filter_map(|(key, url)| Some((origin(key).unwrap_or_default(), check_address(url, key).err()?)));
    let found = Problems::of(wrong);
    if found.list().is_empty() { Ok(()) } else { Err(problems(&found)) }
}

/// The new configuration on stdout, or in a folder; what was taken and what a person must look at is talk.
fn import(start: &Start, file: &Path, out: Option<&Path>) -> Result<Answer, Failure> {
    let imported = config::import(file, ROOMS, &start.world, start.today);
    let imported = imported.map_err(|found| problems(&found))?;
    let (taken, ignored) =
        (start.lang.pick("采用", "taken"), start.lang.pick("未采用的键", "keys that were not used"));
    imported.taken.iter().for_each(|line| tracing::info!("{taken}: {line}"));
    if !imported.ignored.is_empty() {
        tracing::info!("{ignored}: {}", imported.ignored.join(", "));
    }
    imported.findings.iter().for_each(|finding| tracing::warn!("{finding}"));
    let secrets: Vec<&str> = imported.secret_files().collect();
    let (text, files) = match out {
        Some(folder) => {
            let files = imported.write(&start.world.here.join(folder))?;
            let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
            let wrote = start.lang.pick("已写入", "written");
            (files.iter().map(|file| format!("{wrote}: {file}\n")).collect(), files)
        }
        None => {
            if !secrets.is_empty() {
                let list = secrets.join(" ");
                let text = start.lang.pick(
                    format!("密钥未打印；用 --out 目录 写入 {list}"),
                    format!("secrets are not printed; --out DIR writes {list}"),
                );
                tracing::warn!("{text}");
            }
            (imported.toml.clone(), Vec::new())
        }
    };
    let fields = vec![
        ("toml", json!(imported.toml)),
        ("taken", json!(imported.taken)),
        ("ignored", json!(imported.ignored)),
        ("findings", json!(imported.findings)),
        ("secrets", json!(secrets)),
        ("written", json!(files)),
    ];
    Ok(Answer { fields, ..Answer::text(text) })
}

pub(super) async fn migrate(start: &Start, cli: &Cli) -> Result<Answer, Failure> {
    let loaded = start.load(cli, SecretUse::Databases).map_err(|found| problems(&found))?;
    let (from, to) = super::lock::migrate(start, cli, &loaded.settings).await?;
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
    let grants = Ledger::grants(&loaded.settings.database).await?;
    let fields = vec![("schema_version", json!(to)), ("grants", json!(grants))];
    Ok(Answer { fields, ..Answer::text(text + &granted(start, &grants)) })
}

/// The job's own account needs no more than this, and must not have more where events are kept.
fn granted(start: &Start, grants: &[String]) -> String {
    if grants.is_empty() {
        return String::new();
    }
    let title = start.lang.pick(
        "任务账户（此处称 nightjob）只需以下权限；mismatch_event 只可追加：",
        "the job's account, here called nightjob, needs these rights and no others; mismatch_event is append-only:",
    );
    let lines: String = grants.iter().map(|grant| format!("GRANT {grant} TO nightjob;\n")).collect();
    format!("{title}\n{lines}")
}

pub(super) fn manual() -> Result<Answer, Failure> {
    let page = cli::manual().map_err(|error| Failure::new(Exit::Bug, format!("the manual page: {error}")))?;
    Ok(Answer::text(page))
}
