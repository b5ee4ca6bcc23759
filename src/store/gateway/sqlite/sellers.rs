//! EB_SELLER and its children in SQLite: found by name, read whole. Never written.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Row as _};

use super::log::{find_schema, quoted};
use crate::domain::{Exit, Failure};
use crate::store::gateway::sellers::{ROWS_MAX, Table, is_ours};
use crate::store::place::{At, Place};
use crate::store::sqlite::bulk::Query;
use crate::store::sqlite::{connect, read_only_options, with_handle};

/// Columns of one table; the described ones have eight.
const COLUMNS_MAX: usize = 200;

/// The tables whose names begin with EB_SELLER.
pub(in crate::store) struct Catalog {
    place: Place,
    options: SqliteConnectOptions,
    schema: String,
    names: Vec<String>,
}

impl Catalog {
    pub(in crate::store) async fn open(place: &Place, schema: &str) -> Result<Catalog, Failure> {
        const DOING: &str = "looking for EB_SELLER";
        if !place.path().is_file() {
            return Err(Failure::new(Exit::Storage, format!("{}: there is no such file", place.name()))
                .hint("check `database` under [paylog]"));
        }
        let options = read_only_options(place.path());
        let mut connection = connect(&options, place).await?;
        let schema = find_schema(&mut connection, place, schema).await?;
        let sql = format!(
            "SELECT name FROM {}.sqlite_master WHERE type IN ('table', 'view') ORDER BY name",
            quoted(&schema)
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.at(place, DOING)?;
        let names: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let names = names.into_iter().filter(|name| is_ours(name)).collect();
        Ok(Catalog { place: place.clone(), options, schema, names })
    }

    /// As they are spelled there.
    pub(in crate::store) fn names(&self) -> &[String] {
        &self.names
    }

    /// All rows and columns of one of them.
    pub(in crate::store) async fn table(&mut self, name: &str) -> Result<Table, Failure> {
        let doing = format!("reading {name}");
        let mut connection = connect(&self.options, &self.place).await?;
        let columns = sqlx::query("SELECT name FROM pragma_table_info(?1, ?2)")
            .bind(name)
            .bind(&self.schema)
            .fetch_all(&mut connection)
            .await
            .at(&self.place, &doing)?;
        let columns: Vec<String> = columns.iter().take(COLUMNS_MAX).map(|row| row.get(0)).collect();
        let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
        let sql = format!("SELECT {} FROM {}.{}", list.join(", "), quoted(&self.schema), quoted(name));
        let (place, width) = (self.place.clone(), i32::try_from(columns.len()).unwrap_or(0));
        let (_, rows) = with_handle(Box::new(connection), &self.place, move |handle| {
            let mut query = Query::prepare(handle, &sql).at(&place, &doing)?;
            let mut rows: Vec<Vec<String>> = Vec::new();
            while let Some(row) = query.next_row().at(&place, &doing)? {
                if rows.len() == ROWS_MAX {
                    let message = format!("{}: {doing}: more than {ROWS_MAX} rows", place.name());
                    return Err(
                        Failure::new(Exit::Config, message).hint("check that it is the gateway's table")
                    );
                }
                let text = |column| String::from_utf8_lossy(row.text(column)).into_owned();
                rows.push((0..width).map(text).collect());
            }
            Ok(rows)
        })
        .await?;
        Ok(Table { columns: columns.iter().map(|column| column.to_lowercase()).collect(), rows })
    }
}
