//! One value of a row that is loaded in bulk: all that the tables of the ledger hold.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a [u8]),
}
