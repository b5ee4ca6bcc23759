//! The sandbox: providers on loopback that check every signature, and a simulated, seeded day of tills.
//!
//! An independent hand. Nothing here uses the signing code of `channel` or the layout readers of `format`: a generator
//! and a reader by one hand would agree with themselves. Signatures are verified and bills are written from the
//! specification (`spec/wechat.md` 1 to 5, `spec/alipay.md` 1, 2 and 5.1, `spec/ttpay.md` A.3, A.10, C, D.5 and D.8),
//! with the digest and RSA crates directly; only the words of [`domain`](crate::domain) are shared.
//!
//! Rows of EB_PAYLOG leave this room as values ([`SimLogRow`]); writing them into a table is the work of `store`.
//! Everything is drawn from the seed: the same plan gives the same rows and the same bytes of statements, on any day.
//!
//! | file | what |
//! |---|---|
//! | `town` | the mall: accounts, stores, tills, goods |
//! | `story` | one order: what happened to it, at both ends |
//! | `day` | a whole day of stories, with its neighbours; [`simulate`] |
//! | `custom` | what each provider has and lacks |
//! | `orders`, `truth` | what a provider knows of one order: Alipay, TianTa and Teegon; WeChat and behind the gateway |
//! | `fault`, `planted` | what is planted, and what finance must read of it |
//! | `log_row`, `reply/` | rows of EB_PAYLOG |
//! | `lines`, `paper/` | statements |
//! | `currency` | money overseas |
//! | `server`, `desk/`, `mishap`, `trouble` | the providers' HTTP interfaces and their scripted faults |
//! | `desks` | the same without a socket |
//! | `notices`, `files` | what a gateway kept, and what lies in a folder instead of at a desk |
//! | `keys`, `site`, `scenario` | secrets, a folder to run in, and stories to tell with it |

pub mod town;
pub mod day;
pub mod fault;
pub mod planted;
pub mod log_row;
pub mod mishap;
pub mod keys;
pub mod server;
pub mod site;
pub mod scenario;

mod calendar;
mod numbers;
mod story;
mod custom;
mod orders;
mod notices;
mod files;
mod trouble;
mod draw;
mod lines;
mod reply;
mod paper;
mod desk;
mod desks;
mod form;
mod currency;
mod truth;

#[cfg(test)]
mod day_tests;
#[cfg(test)]
mod room_tests;

pub use day::{DayPlan, Faults, SimulatedDay, simulate};
pub use desks::{Desks, Said};
pub use fault::Fault;
pub use log_row::SimLogRow;
pub use mishap::{Desk, Mishap, Rule, Tries};
pub use planted::{ExpectedTiming, Moved, Planted};
pub use scenario::Scenario;
pub use server::{Running, start};
pub use site::Site;
pub use town::SimAccount;
