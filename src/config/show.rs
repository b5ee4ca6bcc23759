//! `config show`: each value and where it came from. Secrets appear as their references, passwords in addresses
//! not at all.

use serde_json::{Value, json};

/// One value with its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// `paylog.database`, `account.mall-wx.merchant`
    pub key: String,
    /// As it would be written in TOML.
    pub value: String,
    /// `nightjob.toml:14:1`, a variable, a flag, or `default`.
    pub origin: String,
}

/// Three columns for a terminal, one row a value.
pub fn table(rows: &[Shown]) -> String {
    let width =
        |text: fn(&Shown) -> &str| rows.iter().map(|row| text(row).chars().count()).max().unwrap_or(0);
    // A long list of sellers must not push every origin off the screen.
    let (keys, values) = (width(|row| &row.key), width(|row| &row.value).min(48));
    let line = |row: &Shown| format!("{:keys$}  {:values$}  {}\n", row.key, row.value, row.origin);
    rows.iter().map(line).collect()
}

/// `{"schema":1,"values":[{"key","value","origin"}]}`
pub fn document(rows: &[Shown]) -> Value {
    let row = |row: &Shown| json!({"key": row.key, "value": row.value, "origin": row.origin});
    json!({"schema": 1, "values": rows.iter().map(row).collect::<Vec<_>>()})
}
