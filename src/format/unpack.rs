//! Bytes as they came to texts: plain, gzip or zip; UTF-8 or GB18030; within limits.
//!
//! Nothing is ever written, and an entry's name is never a path: it is decoded for messages only. What cannot be
//! a bill is refused by name (an HTML page, an XML reply, an Excel workbook, an encrypted archive). Memory is
//! bounded while inflating: bytes are counted as they come and the reading stops at the limit.
//!
//! Sources: RFC 1952 (gzip), PKWARE APPNOTE (zip), `spec/wechat.md` 1.3 and 1.5, `spec/alipay.md` 2.1.
//!
//! NUL bytes are found where lines are cut ([`Cutter`](super::table::Cutter)), in a pass that looks at every byte
//! anyway.

mod archive;
mod charset;
mod text;

pub use charset::Charset;

use super::{ReadError, shown_up_to};

/// The largest file that is opened. The providers split what is larger (WeChat's largest part is far below).
pub const COMPRESSED_MAX: usize = 512 << 20;
/// The largest text, over all parts of a file: just below 4 GiB, because places in it, and the one behind its last
/// byte, are kept as 32 bits. A bill of 15 million rows still fits.
pub const TEXT_MAX: u64 = u32::MAX as u64 - 1;
/// How much larger than its archive a text may be, once it is larger than [`RATIO_FREE`]. Real bills have 5:1,
/// a bill of one repeated row some 30:1, a bomb 1000:1.
pub const RATIO_MAX: u64 = 100;
/// Up to here any ratio is accepted: a small file of zeros hurts nobody.
pub const RATIO_FREE: u64 = 1 << 20;
/// The most entries of a zip. Alipay's has two, in 2016 four.
pub const ENTRIES_MAX: usize = 16;

/// How the bytes of a part were text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    Utf8,
    /// Also GBK, of which it is a superset.
    Gb18030,
}

/// One text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The name of a zip's entry, for messages; empty for a plain or gzip file.
    pub name: String,
    pub text: String,
    /// First byte behind a byte order mark. (Cutting it off would move the whole text.)
    pub start: usize,
    pub encoding: Encoding,
}

impl Part {
    /// The text without its byte order mark.
    pub fn body(&self) -> &str {
        self.text.get(self.start..).unwrap_or("")
    }

    /// The first line, without blanks and the commas of a spreadsheet behind it.
    pub fn first_line(&self) -> &str {
        self.body().lines().next().unwrap_or("").trim_end_matches([',', ' ', '\t'])
    }
}

/// Turns a file as it came into its texts: one for a plain or gzip file, one for each entry of a zip, in the
/// archive's order.
///
/// # Errors
///
/// [`ReadError::File`] or [`ReadError::At`]: the limits above, a damaged or encrypted archive, an entry that
/// is no plain file, an archive inside an archive, a text of neither encoding, or something that is no bill at all.
pub fn unpack(raw: Vec<u8>) -> Result<Vec<Part>, ReadError> {
    match kind_of(&raw) {
        Kind::Gzip => Ok(vec![part(String::new(), archive::gunzip(&raw)?)?]),
        Kind::Zip => archive::unzip(&raw)?.into_iter().map(|(name, bytes)| part(name, bytes)).collect(),
        Kind::Text => Ok(vec![part(String::new(), raw)?]),
        Kind::Other(what) => Err(ReadError::File(format!("this is {what}, not a bill"))),
    }
}

/// A gzip file's content, within the limits above; anything else as it is. For hashes over uncompressed bytes.
///
/// # Errors
///
/// [`ReadError::File`]: a damaged gzip file, or one that becomes too large.
pub fn plain(raw: &[u8]) -> Result<std::borrow::Cow<'_, [u8]>, ReadError> {
    match kind_of(raw) {
        Kind::Gzip => archive::gunzip(raw).map(Into::into),
        _ => Ok(raw.into()),
    }
}

fn part(name: String, bytes: Vec<u8>) -> Result<Part, ReadError> {
    let whose = archive::whose(&name, "the file");
    match kind_of(&bytes) {
        _ if bytes.is_empty() => Err(ReadError::File(format!("{whose} is empty"))),
        Kind::Gzip | Kind::Zip => {
            Err(ReadError::File(format!("{whose} is an archive inside an archive; unpack it and try again")))
        }
        Kind::Other(what) => Err(ReadError::File(format!("{whose} is {what}, not a bill"))),
        Kind::Text => {
            refuse_markup(&bytes, &whose)?;
            text::decode(name, bytes)
        }
    }
}

/// The text of a short reply, for its codes and for messages: UTF-8, else GB18030; what is neither shows as
/// replacement characters. Never for a bill, where a replaced character would be a changed bill.
pub fn reply_text(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::GB18030.decode_without_bom_handling(bytes).0,
    }
}

enum Kind {
    Gzip,
    Zip,
    Text,
    Other(&'static str),
}

fn kind_of(bytes: &[u8]) -> Kind {
    match bytes {
        [0x1f, 0x8b, ..] => Kind::Gzip,
        [b'P', b'K', 1..=8, ..] => Kind::Zip,
        [b'7', b'z', 0xbc, 0xaf, ..] => Kind::Other("a 7z archive"),
        [b'R', b'a', b'r', b'!', ..] => Kind::Other("a RAR archive"),
        [b'%', b'P', b'D', b'F', ..] => Kind::Other("a PDF document"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => Kind::Other("an Excel workbook (.xls)"),
        _ => Kind::Text,
    }
}

/// A page or a reply where a bill is expected: what it says helps whoever is woken by it.
fn refuse_markup(bytes: &[u8], whose: &str) -> Result<(), ReadError> {
    const SNIFFED: usize = 1024;
    const LETTERS_MAX: usize = 200;
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(SNIFFED)]);
    let head = head.trim_start_matches('\u{feff}').trim_start();
    let lower = head.to_ascii_lowercase();
    let what = match lower.as_bytes() {
        [b'<', ..] if lower.contains("<html") || lower.starts_with("<!doctype html") => "an HTML page",
        [b'<', ..] => "an XML reply",
        [b'{' | b'[', ..] => "a JSON reply",
        _ => return Ok(()),
    };
    Err(ReadError::File(format!("{whose} is {what}, not a bill: {}", shown_up_to(head, LETTERS_MAX))))
}
