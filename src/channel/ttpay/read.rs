//! Chunks to one file, and the file by its layout.
//!
//! No part of a statement is ever read alone: chunks must follow each other without a gap up to the stated end, and the
//! whole must have the stated length and SHA-256. Source: `spec/ttpay.md`, C.3 (6, 7, 10).

use sha2::{Digest, Sha256};

use super::content::{self, Chunk, Content};
use super::reply;
use crate::domain::{Account, Errand, Statement};
use crate::format::{Asked, ReadError, alipay_bill, wechat_bill};

/// One layout that a gateway may pass on.
struct Layout {
    /// The name of the option `layout`.
    name: &'static str,
    /// Whether bytes begin like it.
    begins: fn(&[u8]) -> bool,
    read: fn(&Asked<'_>, Vec<u8>) -> Result<Statement, ReadError>,
}

/// Every layout, in the order in which content is tried. The last takes what nobody else takes, and names what it finds
/// if it is no bill at all.
const LAYOUTS: &[Layout] = &[
    Layout { name: "alipay_bill", begins: is_alipay_bill, read: alipay_bill::read },
    Layout { name: "wechat_bill", begins: |_| true, read: wechat_bill::read },
];

/// The names for the option `layout`.
pub(super) const NAMES: &[&str] = &["auto", "alipay_bill", "wechat_bill"];

/// A zip, or a text that begins with `#` (`#支付宝业务明细查询`).
fn is_alipay_bill(raw: &[u8]) -> bool {
    let text = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw).trim_ascii_start();
    raw.starts_with(b"PK") || text.starts_with(b"#")
}

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let account = &errand.account;
    let asked = Asked::of(errand);
    (layout(account, &raw).read)(&asked, raw)
}

fn layout(account: &Account, raw: &[u8]) -> &'static Layout {
    let named = LAYOUTS.iter().find(|layout| layout.name == account.option("layout"));
    let begins = || LAYOUTS.iter().find(|layout| (layout.begins)(raw));
    named.or_else(begins).unwrap_or(&LAYOUTS[LAYOUTS.len() - 1])
}

/// One file of the answers that carry a statement.
pub(super) fn join(errand: &Errand, answers: Vec<Vec<u8>>) -> Result<Vec<u8>, String> {
    let account = &errand.account;
    let mut whole = Whole::default();
    let last = answers.len().saturating_sub(1);
    for (turn, raw) in answers.iter().enumerate() {
        let answer = reply::reopened(account, raw).ok_or("an answer of the gateway is not its envelope")?;
        match content::read(account, &answer.result)? {
            Content::Whole(bytes) if last == 0 => return Ok(content::bill(bytes)),
            Content::Whole(_) => return Err("bytes without their place among the chunks".into()),
            Content::Chunk(chunk) => {
                chunk.check_echo(errand)?;
                whole.add(chunk, turn == last)?;
            }
        }
    }
    whole.finish().map(content::bill)
}

/// A statement that comes in chunks.
#[derive(Default)]
struct Whole {
    bytes: Vec<u8>,
    /// Length and SHA-256 that the first chunk states.
    stated: Option<(u64, String)>,
}

impl Whole {
    fn add(&mut self, chunk: Chunk, last: bool) -> Result<(), String> {
        let at = self.bytes.len() as u64;
        let stated = (chunk.total, chunk.sha256);
        if *self.stated.get_or_insert_with(|| stated.clone()) != stated {
            return Err("the chunks are of different statements: their TotalBytes or Sha256 differ".into());
        }
        if chunk.offset != at {
            return Err(format!("a chunk begins at byte {} where {at} follows", chunk.offset));
        }
        if chunk.end != last {
            return Err(format!("the chunk at byte {at} says Eof in the wrong place"));
        }
        self.bytes.extend_from_slice(&chunk.bytes);
        Ok(())
    }

    fn finish(self) -> Result<Vec<u8>, String> {
        let (total, sha256) = self.stated.ok_or("no chunk came")?;
        let has = self.bytes.len() as u64;
        if has != total {
            return Err(format!("the statement is torn: {has} of {total} bytes came"));
        }
        let found = hex::encode(Sha256::digest(&self.bytes));
        if found != sha256 {
            return Err(format!(
                "the statement was changed: its SHA-256 is {found}, the gateway states {sha256}"
            ));
        }
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_has_its_name_in_the_option() {
        let names: Vec<&str> = LAYOUTS.iter().map(|layout| layout.name).collect();
        assert_eq!(NAMES[0], "auto");
        assert_eq!(NAMES[1..], names);
    }

    fn chunk(offset: u64, bytes: &[u8], end: bool) -> Chunk {
        Chunk {
            bytes: bytes.to_vec(),
            offset,
            length: bytes.len() as u64,
            total: 6,
            end,
            sha256: "bef57ec7f53a6d40beb640a780a639c83bc29ac8a9816f1fc6c5c6dcd93c4721".into(),
            echo: Default::default(),
        }
    }

    fn joined(chunks: Vec<Chunk>) -> Result<Vec<u8>, String> {
        let mut whole = Whole::default();
        let last = chunks.len() - 1;
        for (turn, chunk) in chunks.into_iter().enumerate() {
            whole.add(chunk, turn == last)?;
        }
        whole.finish()
    }

    #[test]
    fn chunks_that_are_not_the_whole_are_refused() {
        let two = |first: Chunk, second: Chunk| joined(vec![first, second]);
        assert_eq!(two(chunk(0, b"abc", false), chunk(3, b"def", true)), Ok(b"abcdef".to_vec()));
        let other_total = Chunk { total: 7, ..chunk(3, b"def", true) };
        let other_hash = Chunk { sha256: "0".repeat(64), ..chunk(3, b"def", true) };
        for (first, second, why) in [
            (chunk(0, b"abc", false), chunk(3, b"deg", true), "was changed"),
            (chunk(0, b"abc", false), chunk(3, b"de", true), "5 of 6 bytes"),
            (chunk(0, b"abc", false), chunk(4, b"def", true), "begins at byte 4 where 3 follows"),
            (chunk(0, b"abc", false), chunk(0, b"abc", true), "begins at byte 0 where 3 follows"),
            (chunk(0, b"abc", true), chunk(3, b"def", true), "Eof in the wrong place"),
            (chunk(0, b"abc", false), chunk(3, b"def", false), "Eof in the wrong place"),
            (chunk(0, b"abc", false), other_total, "different statements"),
            (chunk(0, b"abc", false), other_hash, "different statements"),
        ] {
            let said = two(first, second).expect_err(why);
            assert!(said.contains(why), "{said}");
        }
    }
}
