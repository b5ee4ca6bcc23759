//! The configuration in force, written down for a copy that stands in another folder: what `backup` keeps of it.
//!
//! It is made of what `config show` shows, so it holds no secret: references stay references, passwords in addresses
//! are left out. Ledger, archive and reports are those of the copy; any other path is that of the original. Whatever
//! layer a value came from (an old XML file, a variable, a flag, the gateway's tables), it stands in the file.

use std::path::Path;

use super::{Loaded, Shown};

/// What a copy has in its own folder: key and value.
const OWN: [(&str, &str); 3] =
    [("database", COPIED_LEDGER), ("archive", COPIED_ARCHIVE), ("reports", "reports")];
/// Where the ledger of a copy lies, below its folder; behind `sqlite:`.
const COPIED_LEDGER: &str = "sqlite:data/nightjob.db";
const COPIED_ARCHIVE: &str = "data/archive";
/// A secret that was no reference is shown so, and is not for a copy; neither is what says nothing.
const LEFT_OUT: [&str; 3] = ["\"***\"", "***", "\"\""];

impl Loaded {
    /// The whole file.
    pub fn copied(&self) -> String {
        let mut text = "# Written by `nightjob backup`, without secrets.\n\n".to_owned();
        OWN.iter().for_each(|(key, value)| text.push_str(&format!("{key} = {value:?}\n")));
        let mut table = String::new();
        for row in self.shown.iter().filter(|row| self.is_copied(row)) {
            let (of, key) = row.key.rsplit_once('.').unwrap_or(("", &row.key));
            if of != table {
                text.push_str(&match of.strip_prefix("account.") {
                    Some(name) => format!("\n[[account]]\nname = {}\n", quoted(name)),
                    None => format!("\n[{of}]\n"),
                });
                of.clone_into(&mut table);
            }
            text.push_str(&format!("{} = {}\n", written_key(key), self.value(row)));
        }
        text
    }

    fn is_copied(&self, row: &Shown) -> bool {
        let own = OWN.iter().any(|(key, _)| *key == row.key);
        // The accounts that came from the gateway's tables stand in the file by now.
        let from_tables = row.key.starts_with("sellers.");
        let is_default = row.origin == "default" && row.key != "paylog.database";
        // Each account begins with it.
        let is_name = row.key.starts_with("account.") && row.key.ends_with(".name");
        !own && !from_tables && !is_default && !is_name && !LEFT_OUT.contains(&&*row.value)
    }

    fn value(&self, row: &Shown) -> String {
        let settings = &self.settings;
        let text = row.value.trim_matches('"');
        match row.key.rsplit_once('.').map_or("", |(_, key)| key) {
            "database" if settings.paylog.database.starts_with("sqlite:") => {
                quoted(&settings.paylog.database)
            }
            "notices" => quoted(&settings.paylog.notices),
            "path" if row.key.starts_with("account.") => quoted(&absolute(&settings.home, text)),
            _ => match row.value.strip_prefix("\"file:") {
                Some(_) => quoted(&format!("file:{}", absolute(&settings.home, &text["file:".len()..]))),
                None => row.value.clone(),
            },
        }
    }
}

fn absolute(home: &Path, path: &str) -> String {
    home.join(path).display().to_string()
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn written_key(key: &str) -> String {
    let is_bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if is_bare { key.to_owned() } else { quoted(key) }
}
