//! The gateway's small tables on a server: EB_SELLER* and stored notices, read whole or one row after the other.

use super::Server;
use super::catalog::Table;
use super::dialect::Column;
use super::stream::{Question, Visit, each, rows};
use crate::domain::Failure;
use crate::store::gateway::notices::{NoticeRow, columns, lacks_columns};
use crate::store::gateway::sellers;
use crate::store::place::Place;

/// The tables whose names begin with EB_SELLER.
pub(in crate::store) struct Catalog {
    server: Server,
    tables: Vec<Table>,
    names: Vec<String>,
}

impl Catalog {
    pub(in crate::store) async fn open(place: &Place, schema: &str) -> Result<Catalog, Failure> {
        let server = Server::meet(place.clone()).await?;
        let mut tables = server.tables(schema).await?;
        tables.retain(|table| sellers::is_ours(&table.name));
        let names = tables.iter().map(|table| table.name.clone()).collect();
        Ok(Catalog { server, tables, names })
    }

    /// As they are spelled there.
    pub(in crate::store) fn names(&self) -> &[String] {
        &self.names
    }

    /// All rows and columns of one of them.
    pub(in crate::store) async fn table(&mut self, name: &str) -> Result<sellers::Table, Failure> {
        let Some(table) = self.tables.iter().find(|table| table.name == name) else {
            return Ok(sellers::Table::default());
        };
        let columns = self.server.columns(table).await?;
        let sql = select(&self.server, table, &columns);
        let rows = rows(&self.server, (sql, &[]), sellers::ROWS_MAX, &format!("reading {name}")).await?;
        let columns = columns.iter().map(|column| column.name.to_lowercase()).collect();
        Ok(sellers::Table { columns, rows })
    }
}

fn select(server: &Server, table: &Table, columns: &[Column]) -> String {
    let texts: Vec<String> = columns.iter().map(|column| server.dialect.text(column, true)).collect();
    format!("SELECT {} FROM {}", texts.join(", "), table.sql)
}

/// Shows each row of the table `name` to `listener`, and gives it back. The table lies where the log does.
pub(in crate::store) async fn notices<L, F>(
    (place, schema, name): (Place, &str, &str),
    listener: L,
    show: F,
) -> Result<L, Failure>
where
    L: Send + 'static,
    F: FnMut(&mut L, &NoticeRow<'_>) + Send + 'static,
{
    let server = Server::meet(place).await?;
    let table = server.find(schema, name).await?;
    let all = server.columns(&table).await?;
    let (at, body) = columns(all.iter().map(|column| column.name.clone()))
        .ok_or_else(|| lacks_columns(&format!("{}: table {name}", server.place.name())))?;
    let sql = select(&server, &table, &[all[at].clone(), all[body].clone()]);
    let question = Question::new(format!("{sql} ORDER BY 1"), "reading stored notices");
    let visit = Visit {
        wants: |_, _| true,
        show: |(listener, show, number): &mut (L, F, i64), _, cells| {
            *number += 1;
            let text = |place: usize| String::from_utf8_lossy(cells.get(place).copied().unwrap_or_default());
            show(listener, &NoticeRow { number: *number, at: &text(0), body: &text(1) });
        },
        again: |_| (),
    };
    each(&server, question, ((listener, show, 0), visit)).await.map(|(listener, ..)| listener)
}
