//! Floor 0: the words.
//!
//! What the house talks about, as values that were checked where they were born. Nothing here knows a socket,
//! a file, a clock, an environment or a wire format; `std`, `chrono` and `thiserror` are all it may use.

pub mod money;
pub mod bill_date;
pub mod moment;
pub mod pay_type;
pub mod secret;
pub mod account;
pub mod seller;
pub mod errand;
pub mod entry;
pub mod statement;
pub mod logged_order;
pub mod mismatch;
pub mod verdict;
pub mod clock;
pub mod lang;
pub mod exit;
pub mod stage;

pub use account::{Account, Claims};
pub use bill_date::BillDate;
pub use clock::{Clock, Stamp};
pub use entry::{Cell, Entry, EntryKind, State};
pub use errand::{Bill, Errand};
pub use exit::{Exit, Failure, is_full};
pub use lang::Lang;
pub use logged_order::{LogCover, LoggedOrder, LoggedOrders, Names, Note, Span};
pub use mismatch::{MismatchKind, Reason};
pub use moment::Moment;
pub use money::{AmountUnit, Currency};
pub use pay_type::PayType;
pub use secret::Secret;
pub use seller::{AlipaySeller, PartnerSeller, Seller, SellerTables, WechatSeller};
pub use stage::Stage;
pub use statement::{Control, Draft, Statement, Unit};
pub use verdict::Verdict;
