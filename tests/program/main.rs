//! The program as its users meet it: the real binary in a folder, its words, its files and its exit code.

#[cfg(feature = "rig")]
#[path = "../common/servers.rs"]
mod servers;
#[path = "../common/site.rs"]
mod site;
#[path = "../common/town.rs"]
mod town;

mod nights;
mod peers;
mod refusals;
mod providers;
mod commands;
mod notices;
mod accounts;
mod every_room;
mod through_the_gateway;
mod sweep;
mod doubts;
mod escrow;
mod older_ledger;
mod other_account;
mod bills_beside;
mod missed_nights;
mod status;
mod waiting;
mod verify;
mod purged;
mod purge_plan;
mod backup;
