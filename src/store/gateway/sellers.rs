//! The gateway's own accounts, EB_SELLER and its child tables: opened read-only beside the log, never written.
//!
//! Tables and columns are found by name in any case, and their drifting names mapped (`domain::seller`). An
//! `EB_SELLER_*` table that the gateway's manual does not describe is named and left alone. What a row means is
//! `config::sellers`' question. Plain `SELECT`s of named columns, which Oracle 10g understands too. Source:
//! `spec/ttpay.md`, R031 to R035.

use super::server::tables as server;
use super::sqlite::sellers as sqlite;
use crate::domain::{AlipaySeller, Exit, Failure, Seller, SellerTables, WechatSeller};
use crate::store::place::Place;

/// Rows of one table. A chain with a hundred thousand stores has one row each; more is another table.
pub(super) const ROWS_MAX: usize = 200_000;
const PARENT: &str = "EB_SELLER";
const WECHAT: &str = "EB_SELLER_WX";
const ALIPAY: &str = "EB_SELLER_ALI_20";
/// The column that ties the tables together: a table without it is something else.
const ID: &str = "eb_seller_id";

/// A table as it was read: names in lower case, NULL as empty.
#[derive(Default)]
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// The value of the first of several names that is a column here.
    fn find(&self, row: &[String], names: &[&str]) -> Option<String> {
        let column = names.iter().find_map(|name| self.columns.iter().position(|column| column == name))?;
        row.get(column).cloned()
    }

    fn read<T>(&self, read: impl Fn(&dyn Fn(&[&str]) -> Option<String>) -> T) -> Vec<T> {
        self.rows.iter().map(|row| read(&|names| self.find(row, names))).collect()
    }
}

/// EB_SELLER itself, or EB_SELLER_ and more.
pub(super) fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.strip_prefix(PARENT).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// The tables of one engine.
enum Catalog {
    Sqlite(Box<sqlite::Catalog>),
    Server(server::Catalog),
}

impl Catalog {
    async fn open(place: &Place, schema: &str) -> Result<Catalog, Failure> {
        Ok(match place {
            Place::Sqlite(_) => Catalog::Sqlite(Box::new(sqlite::Catalog::open(place, schema).await?)),
            Place::Postgres(_) | Place::Mysql(_) | Place::Odbc(_) => {
                Catalog::Server(server::Catalog::open(place, schema).await?)
            }
        })
    }

    /// As they are spelled there.
    fn names(&self) -> &[String] {
        match self {
            Catalog::Sqlite(catalog) => catalog.names(),
            Catalog::Server(catalog) => catalog.names(),
        }
    }

    async fn table(&mut self, name: &str) -> Result<Table, Failure> {
        match self {
            Catalog::Sqlite(catalog) => catalog.table(name).await,
            Catalog::Server(catalog) => catalog.table(name).await,
        }
    }
}

/// Reads the tables. `url` and `schema` are those of the log.
///
/// # Errors
///
/// [`Exit::Config`]: another engine, no EB_SELLER, neither of its described children, a table without EB_SELLER_ID.
/// [`Exit::Storage`]: no file, or one that cannot be read.
pub async fn read_sellers(url: &str, schema: &str) -> Result<SellerTables, Failure> {
    let place = Place::parse(url, "paylog.database")?;
    let mut found = Catalog::open(&place, schema).await?;
    let names = found.names().to_vec();
    let spelled = |wanted: &str| names.iter().find(|name| name.eq_ignore_ascii_case(wanted));
    let Some(parent) = spelled(PARENT) else {
        return Err(missing(&place, format!("there is no table {PARENT}")));
    };
    if spelled(WECHAT).is_none() && spelled(ALIPAY).is_none() {
        return Err(missing(&place, format!("there is neither {WECHAT} nor {ALIPAY}")));
    }
    let sellers = found.table(parent).await?.checked(&place, parent)?.read(|find| Seller::read(find));
    let mut tables = SellerTables { sellers, ..SellerTables::default() };
    if let Some(name) = spelled(WECHAT) {
        let table = found.table(name).await?.checked(&place, name)?;
        tables.wechat = table.read(|find| WechatSeller::read(WECHAT, find));
    }
    if let Some(name) = spelled(ALIPAY) {
        let table = found.table(name).await?.checked(&place, name)?;
        tables.alipay = table.read(|find| AlipaySeller::read(ALIPAY, find));
    }
    let known = [PARENT, WECHAT, ALIPAY];
    let left_alone = names.iter().filter(|name| !known.iter().any(|known| name.eq_ignore_ascii_case(known)));
    tables.remarks.extend(left_alone.map(|name| {
        format!("{name} is a table that the gateway's manual does not describe; it is left alone")
    }));
    Ok(tables)
}

impl Table {
    fn checked(self, place: &Place, name: &str) -> Result<Table, Failure> {
        match self.columns.iter().any(|column| column == ID) {
            true => Ok(self),
            false => Err(missing(place, format!("table {name} has no column EB_SELLER_ID"))),
        }
    }
}

fn missing(place: &Place, what: String) -> Failure {
    Failure::new(Exit::Config, format!("{}: {what}", place.name())).hint(
        "check `database` and `schema` under [paylog], or set from_database = false under [sellers] and write the accounts",
    )
}
