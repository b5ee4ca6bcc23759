//! A line of WeChat Pay with more cells than titles: one of its texts holds a comma and a backtick.
//!
//! WeChat escapes nothing. But only a few places are free text; all others are made by machines and have a shape. So each
//! place is tried in turn as the owner of the surplus; if the machine-made cells then have their shapes for exactly one of
//! them, the line is understood, else it is refused. Which places those are and which shapes are asked for is the
//! layout's word.
//!
//! Format: `spec/wechat.md` 1.6, rule 5.

use super::Row;
use crate::domain::money;
use crate::format::ReadError;

/// A line as it would read if one of its columns owned the surplus cells.
pub struct Supposed<'r, 't> {
    row: &'r Row<'t, true>,
    owner: usize,
    surplus: usize,
}

impl Supposed<'_, '_> {
    /// The text of a machine-made cell.
    pub fn cell(&self, column: usize) -> &str {
        self.row.cell(if column > self.owner { column + self.surplus } else { column })
    }

    /// Whether an amount in major units stands there.
    pub fn amount(&self, column: usize) -> bool {
        money::parse_e5(self.cell(column)).is_ok()
    }

    /// The same, where lines may leave it out.
    pub fn amount_or_nothing(&self, column: usize) -> bool {
        self.cell(column).is_empty() || self.amount(column)
    }

    /// Digits and nothing else.
    pub fn number(&self, column: usize) -> bool {
        !self.cell(column).is_empty() && self.cell(column).bytes().all(|byte| byte.is_ascii_digit())
    }

    /// A word of a machine: `SUCCESS`, `CNY`.
    pub fn code(&self, column: usize) -> bool {
        !self.cell(column).is_empty() && self.cell(column).bytes().all(|byte| byte.is_ascii_uppercase())
    }

    /// WeChat's own number of a transaction.
    pub fn trade_no(&self, column: usize) -> bool {
        (26..=32).contains(&self.cell(column).len()) && self.number(column)
    }

    /// `0.60%`
    pub fn rate(&self, column: usize) -> bool {
        self.cell(column).ends_with('%')
    }
}

/// The line's fences without those that are content. `free` holds the last column of each free-text place.
///
/// # Errors
///
/// No place explains the line, or several do.
pub fn told_apart(
    row: &Row<'_, true>,
    fences: &[u32],
    (columns, free): (usize, &[Option<usize>]),
    shapes_fit: impl Fn(&Supposed<'_, '_>) -> bool,
) -> Result<Vec<u32>, ReadError> {
    let surplus = row.count() - columns;
    let fits = |owner: &usize| shapes_fit(&Supposed { row, owner: *owner, surplus });
    let mut ways = free.iter().copied().flatten().filter(fits);
    match (ways.next(), ways.next()) {
        (Some(owner), None) => Ok(without(fences, owner, surplus)),
        (one, _) => {
            let why =
                if one.is_none() { "no column explains them" } else { "several columns could own them" };
            let found = format!("has {} cells, the titles {columns}; {why}", row.count());
            Err(ReadError::at(row.line().number, found))
        }
    }
}

/// Of a product name (商品名称) and the merchant's data (商户数据包) side by side nobody can say where the one ends; both
/// are information only, so the surplus goes to the first of them, and this is the second if it stands alone.
pub fn attach_alone(subject: Option<usize>, attach: Option<usize>) -> Option<usize> {
    attach.filter(|attach| subject.is_none_or(|subject| *attach != subject + 1))
}

fn without(fences: &[u32], owner: usize, surplus: usize) -> Vec<u32> {
    // The fences inside the owner's text go; the one before it and the one behind it stay.
    let inside = owner + 1..=owner + surplus;
    fences.iter().enumerate().filter(|(index, _)| !inside.contains(index)).map(|(_, fence)| *fence).collect()
}
