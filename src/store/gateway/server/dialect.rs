//! What the engines spell differently, side by side; and the one place where names become SQL.
//!
//! Oracle 10g is met through ODBC: nothing here is younger than it (no FETCH FIRST, no LIMIT, no LISTAGG). A window is
//! asked for by comparing the bare column with typed literals, so that an index on REQ_DATE serves; the literals are
//! made of [`Moment`]s, never of text from outside.

use crate::domain::Moment;

/// Whom we speak to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    Mysql,
    #[cfg(feature = "odbc")]
    Odbc(Behind),
}

/// The engine behind an ODBC driver, as it names itself.
#[cfg(feature = "odbc")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Behind {
    pub(super) engine: Engine,
    /// Around names.
    pub(super) quote: char,
}

#[cfg(feature = "odbc")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    Oracle,
    Postgres,
    Mysql,
    Sqlite,
    Other,
}

/// What a column holds, as far as it matters for reading it as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Text as bytes of nobody knows which charset.
    Bytes,
    /// A native date or timestamp.
    Date,
    /// A number and whatever else the engine can write as text.
    Other,
}

/// A column as it is spelled there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// MySQL's zero dates lie below; no log does.
const MYSQL_FIRST: &str = "TIMESTAMP '1000-01-01 00:00:00'";
/// First characters of a date that is text. A range would do, were it not for collations that sort signs anywhere.
const DIGITS: &str = "('0','1','2','3','4','5','6','7','8','9')";

impl Dialect {
    /// A name as SQL. Every name here was read from the database itself.
    pub(super) fn quoted(self, name: &str) -> String {
        let quote = match self {
            Dialect::Postgres => '"',
            Dialect::Mysql => '`',
            #[cfg(feature = "odbc")]
            Dialect::Odbc(behind) => behind.quote,
        };
        let doubled = format!("{quote}{quote}");
        format!("{quote}{}{quote}", name.replace(quote, &doubled))
    }

    /// A column as text; `as_date` where it is the date that rows are found by.
    pub(super) fn text(self, column: &Column, as_date: bool) -> String {
        let name = self.quoted(&column.name);
        match (self, column.kind) {
            (Dialect::Postgres, Kind::Date) if as_date => self.date_text(&name),
            (Dialect::Postgres, Kind::Text | Kind::Date | Kind::Other) => format!("{name}::text"),
            (Dialect::Mysql, Kind::Date) if as_date => self.date_text(&name),
            (Dialect::Mysql, Kind::Date | Kind::Other) => format!("CAST({name} AS CHAR)"),
            // Bytes as they are; and a driver makes text of anything.
            _ => name,
        }
    }

    /// A native date as `yyyy-MM-dd HH:mm:ss`.
    pub(super) fn date_text(self, expression: &str) -> String {
        match self {
            Dialect::Postgres => format!("to_char({expression}, 'YYYY-MM-DD HH24:MI:SS')"),
            Dialect::Mysql => format!("DATE_FORMAT({expression}, '%Y-%m-%d %H:%i:%s')"),
            #[cfg(feature = "odbc")]
            Dialect::Odbc(_) => expression.to_owned(),
        }
    }

    /// A number as text.
    pub(super) fn number_text(self, expression: &str) -> String {
        match self {
            Dialect::Postgres => format!("({expression})::text"),
            Dialect::Mysql => format!("CAST({expression} AS CHAR)"),
            #[cfg(feature = "odbc")]
            Dialect::Odbc(_) => expression.to_owned(),
        }
    }

    /// A literal of a native date. Oracle's is a DATE: next to a TIMESTAMP it would convert the column, and leave the
    /// index unused.
    pub(super) fn instant(self, moment: Moment) -> String {
        match self {
            Dialect::Postgres | Dialect::Mysql => format!("TIMESTAMP '{moment}'"),
            #[cfg(feature = "odbc")]
            Dialect::Odbc(Behind { engine: Engine::Oracle, .. }) => {
                format!("TO_DATE('{moment}', 'YYYY-MM-DD HH24:MI:SS')")
            }
            #[cfg(feature = "odbc")]
            Dialect::Odbc(_) => format!("{{ts '{moment}'}}"),
        }
    }

    /// Rows with a date that can lie in a window.
    pub(super) fn dated(self, column: &Column) -> String {
        let name = self.quoted(&column.name);
        match (self, column.kind) {
            (Dialect::Postgres, Kind::Date) => format!("{name} > '-infinity' AND {name} < 'infinity'"),
            (Dialect::Mysql, Kind::Date) => format!("{name} >= {MYSQL_FIRST}"),
            #[cfg(feature = "odbc")]
            (Dialect::Odbc(_), Kind::Date) => format!("{name} IS NOT NULL"),
            _ => format!("SUBSTR({name}, 1, 1) IN {DIGITS}"),
        }
    }

    /// The other rows.
    pub(super) fn undated(self, column: &Column) -> String {
        let name = self.quoted(&column.name);
        match (self, column.kind) {
            (Dialect::Postgres, Kind::Date) => {
                format!("{name} IS NULL OR {name} = 'infinity' OR {name} = '-infinity'")
            }
            (Dialect::Mysql, Kind::Date) => format!("{name} IS NULL OR {name} < {MYSQL_FIRST}"),
            #[cfg(feature = "odbc")]
            (Dialect::Odbc(_), Kind::Date) => format!("{name} IS NULL"),
            _ => format!("{name} IS NULL OR SUBSTR({name}, 1, 1) NOT IN {DIGITS}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_end_its_quotes() {
        assert_eq!(Dialect::Postgres.quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(Dialect::Mysql.quoted("a`; DROP"), "`a``; DROP`");
    }

    #[cfg(feature = "odbc")]
    #[test]
    fn oracle_is_asked_as_its_index_wants_it() {
        let oracle = Dialect::Odbc(Behind { engine: Engine::Oracle, quote: '"' });
        let moment = Moment::parse("2016-11-08 00:00:00").unwrap();
        assert_eq!(oracle.instant(moment), "TO_DATE('2016-11-08 00:00:00', 'YYYY-MM-DD HH24:MI:SS')");
        let date = Column { name: "REQ_DATE".to_owned(), kind: Kind::Date };
        assert_eq!(oracle.text(&date, true), "\"REQ_DATE\"");
        assert_eq!(oracle.dated(&date), "\"REQ_DATE\" IS NOT NULL");
    }
}
