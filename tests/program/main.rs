//! The program as its users meet it: the real binary in a folder, its words, its files and its exit code.

#[path = "../common/site.rs"]
mod site;

mod nights;
mod peers;
mod refusals;
mod providers;
mod commands;
mod notices;
mod accounts;
