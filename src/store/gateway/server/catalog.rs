//! Which tables and columns there are, and where. Names are compared in any case, and kept as they are spelled.

use super::dialect::{Column, Dialect, Kind};
use super::{Server, stream};
use crate::domain::{Exit, Failure};

const LOOKING: &str = "looking for the gateway's tables";
/// Tables of one database; an Oracle of many applications has tens of thousands.
const TABLES_MAX: usize = 200_000;
const COLUMNS_MAX: usize = 1_000;

/// A table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) schema: String,
    /// As it is spelled there.
    pub(super) name: String,
    /// Whether its name alone leads to it.
    is_near: bool,
    /// With its schema, as SQL.
    pub(super) sql: String,
}

const POSTGRES_TABLES: &str = "SELECT n.nspname::text, c.relname::text, pg_table_is_visible(c.oid)::text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ORDER BY 1, 2";
const MYSQL_TABLES: &str = "SELECT table_schema, table_name, CAST(table_schema = DATABASE() AS CHAR)
    FROM information_schema.tables
    WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') ORDER BY 1, 2";

const POSTGRES_COLUMNS: &str = "SELECT a.attname::text, format_type(a.atttypid, NULL)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
const MYSQL_COLUMNS: &str =
    "SELECT column_name, CONVERT(data_type USING utf8mb4) FROM information_schema.columns
    WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position";

/// Columns that some whole index begins with.
const POSTGRES_INDEXED: &str = "SELECT a.attname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
    WHERE n.nspname = $1 AND c.relname = $2 AND i.indisvalid AND i.indpred IS NULL";
const MYSQL_INDEXED: &str = "SELECT column_name FROM information_schema.statistics
    WHERE table_schema = ? AND table_name = ? AND seq_in_index = 1";

impl Server {
    /// Every table that can be seen, of all schemas.
    async fn all(&self) -> Result<Vec<Table>, Failure> {
        let sql = match self.dialect {
            Dialect::Postgres => POSTGRES_TABLES,
            Dialect::Mysql => MYSQL_TABLES,
            #[cfg(feature = "odbc")]
            Dialect::Odbc(behind) => return super::odbc::tables(self, behind).await,
        };
        let rows = stream::rows(self, (sql.to_owned(), &[]), TABLES_MAX, LOOKING).await?;
        let tables = rows.into_iter().filter_map(|row| {
            let [schema, name, near] = <[String; 3]>::try_from(row).ok()?;
            Some(self.table(schema, name, matches!(near.as_str(), "true" | "1")))
        });
        Ok(tables.collect())
    }

    pub(super) fn table(&self, schema: String, name: String, is_near: bool) -> Table {
        let quoted = |name: &str| self.dialect.quoted(name);
        let sql = match schema.is_empty() {
            true => quoted(&name),
            false => format!("{}.{}", quoted(&schema), quoted(&name)),
        };
        Table { schema, name, is_near, sql }
    }

    /// The tables of a schema, or those that a bare name leads to.
    pub(super) async fn tables(&self, schema: &str) -> Result<Vec<Table>, Failure> {
        let all = self.all().await?;
        Ok(all.into_iter().filter(|table| table.is_in(schema)).collect())
    }

    /// A table by its name in any case, in a schema or where a bare name leads to. What lies elsewhere is said.
    pub(super) async fn find(&self, schema: &str, name: &str) -> Result<Table, Failure> {
        let all = self.all().await?;
        let mut named: Vec<&Table> =
            all.iter().filter(|table| table.name.eq_ignore_ascii_case(name)).collect();
        // Where both spellings stand side by side, the one that was asked for.
        named.sort_by_key(|table| table.name != name);
        match named.iter().find(|table| table.is_in(schema)) {
            Some(table) => Ok((*table).clone()),
            None => Err(self.missing((schema, name), &named, &all)),
        }
    }

    fn missing(&self, (schema, name): (&str, &str), named: &[&Table], all: &[Table]) -> Failure {
        const SHOWN_MAX: usize = 5;
        let place = self.place.name();
        let wrong = |text: String| Failure::new(Exit::Config, format!("{place}: {text}"));
        if let Some(other) = named.first() {
            let text = format!("there is no table {name} here, but one in schema {}", other.schema);
            return wrong(text).hint(format!("set schema = \"{}\" under [paylog]", other.schema));
        }
        let near: Vec<&str> =
            all.iter().filter(|table| table.is_in(schema)).map(|table| table.name.as_str()).collect();
        let holds = match near.len() {
            0 => "no table that this user may see".to_owned(),
            n if n > SHOWN_MAX => format!("{} and {} more", near[..SHOWN_MAX].join(", "), n - SHOWN_MAX),
            _ => near.join(", "),
        };
        let place = if schema.is_empty() { "it" } else { schema };
        wrong(format!("there is no table {name}; {place} holds {holds}")).hint(
            "check `database` and `schema` under [paylog], and that its user may read the table (GRANT SELECT)",
        )
    }

    pub(super) async fn columns(&self, table: &Table) -> Result<Vec<Column>, Failure> {
        let doing = format!("reading the columns of {}", table.name);
        let sql = match self.dialect {
            Dialect::Postgres => POSTGRES_COLUMNS,
            Dialect::Mysql => MYSQL_COLUMNS,
            #[cfg(feature = "odbc")]
            Dialect::Odbc(_) => return super::odbc::columns(self, table).await,
        };
        let names = [table.schema.as_str(), table.name.as_str()];
        let rows = stream::rows(self, (sql.to_owned(), &names), COLUMNS_MAX, &doing).await?;
        let columns = rows.into_iter().filter_map(|row| {
            let [name, kind] = <[String; 2]>::try_from(row).ok()?;
            Some(Column { name, kind: kind_of(&kind) })
        });
        Ok(columns.collect())
    }

    /// Whether some whole index begins with a column. An ODBC driver is not asked: the gateway's own queries go by
    /// REQ_DATE.
    pub(super) async fn has_index(&self, table: &Table, column: &Column) -> Result<bool, Failure> {
        let sql = match self.dialect {
            Dialect::Postgres => POSTGRES_INDEXED,
            Dialect::Mysql => MYSQL_INDEXED,
            #[cfg(feature = "odbc")]
            Dialect::Odbc(_) => return Ok(true),
        };
        let names = [table.schema.as_str(), table.name.as_str()];
        let doing = format!("reading the indexes of {}", table.name);
        let rows = stream::rows(self, (sql.to_owned(), &names), COLUMNS_MAX, &doing).await?;
        Ok(rows.iter().flatten().any(|name| *name == column.name))
    }
}

impl Table {
    fn is_in(&self, schema: &str) -> bool {
        if schema.is_empty() { self.is_near } else { self.schema.eq_ignore_ascii_case(schema) }
    }
}

/// By the type's name in PostgreSQL and MySQL.
fn kind_of(name: &str) -> Kind {
    let name = name.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if is(&["timestamp", "datetime"]) || name == "date" {
        Kind::Date
    } else if name == "bytea" || name.ends_with("blob") || name.ends_with("binary") {
        Kind::Bytes
    } else if is(&["char", "varchar", "text", "bpchar", "citext", "enum"]) || name.ends_with("text") {
        Kind::Text
    } else {
        Kind::Other
    }
}
