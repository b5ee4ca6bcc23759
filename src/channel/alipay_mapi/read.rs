//! The pages as one file, and what stands in it.

use crate::domain::{Errand, Statement};
use crate::format::{Asked, ReadError, alipay_account_log, markup};

/// The pages as they came, each on its own line. They were verified one by one when they were heard.
pub(super) fn join(_: &Errand, pages: Vec<Vec<u8>>) -> Result<Vec<u8>, String> {
    let mut charsets = pages.iter().map(|page| markup::declared(page).to_ascii_lowercase());
    let first = charsets.next().unwrap_or_default();
    if let Some(other) = charsets.find(|charset| *charset != first) {
        return Err(format!("the pages of one day are in two charsets, {first} and {other}"));
    }
    let mut whole = Vec::with_capacity(pages.iter().map(|page| page.len() + 1).sum());
    for page in &pages {
        whole.extend_from_slice(page.strip_prefix(b"\xef\xbb\xbf").unwrap_or(page).trim_ascii());
        whole.push(b'\n');
    }
    Ok(whole)
}

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let asked = Asked { merchant: &errand.account.merchant, sub_merchant: "", date: errand.date };
    alipay_account_log::read(&asked, raw)
}
