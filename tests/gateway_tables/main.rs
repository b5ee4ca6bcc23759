//! The gateway's tables on each engine, as the program meets them: SQLite, PostgreSQL and MariaDB by themselves, and
//! the three of them behind ODBC drivers. Needs `scripts/with-servers`.

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/servers.rs"]
mod servers;
#[allow(dead_code, reason = "other binaries use the rest")]
#[path = "../common/site.rs"]
mod site;
#[allow(dead_code, reason = "other binaries use the rest")]
#[path = "../common/town.rs"]
mod town;

mod access;
mod logs;
mod nights;
mod same;
mod small;
