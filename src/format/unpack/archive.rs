//! Gzip and zip, inflated in memory under a budget. Entry names are opaque and never paths.

use std::io::{Cursor, Read};

use flate2::bufread::GzDecoder;
use memchr::{memchr_iter, memmem, memrchr};
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::{COMPRESSED_MAX, ENTRIES_MAX, RATIO_FREE, RATIO_MAX, TEXT_MAX};
use crate::format::{LINE_MAX, ReadError, shown};

/// Bytes inflated between two looks at the budget.
const CHUNK: u64 = 64 << 10;
/// Room made beforehand, as a multiple of the archive's size: more than any real bill needs, little enough if
/// the archive lies about its size.
const ROOM_RATIO: u64 = 16;

/// A zip's end record: how it begins, its length without the comment, and the longest comment (APPNOTE 4.3.16).
const END_MARK: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const COMMENT_MAX: usize = 0xffff;

const GZIP: &str = "the gzip file";

/// How a part is called in a message.
pub(super) fn whose(name: &str, otherwise: &str) -> String {
    if name.is_empty() { otherwise.to_owned() } else { format!("the entry `{}`", shown(name)) }
}

/// What an archive may still become.
struct Budget {
    archive: u64,
    inflated: u64,
}

impl Budget {
    fn of(raw: &[u8]) -> Result<Budget, ReadError> {
        if raw.len() > COMPRESSED_MAX {
            let found = format!("the archive is larger than {} MiB", COMPRESSED_MAX >> 20);
            return Err(ReadError::File(found));
        }
        Ok(Budget { archive: raw.len() as u64, inflated: 0 })
    }

    fn spend(&mut self, bytes: u64, whose: &str) -> Result<(), ReadError> {
        self.inflated += bytes;
        if self.inflated > TEXT_MAX {
            return Err(ReadError::File(format!(
                "{whose} inflates to more than 4 GiB; it was not read further"
            )));
        }
        if self.inflated > RATIO_FREE && self.inflated > RATIO_MAX.saturating_mul(self.archive) {
            let found = format!("{whose} inflates to more than {RATIO_MAX} times its size; a bill does not");
            return Err(ReadError::File(found));
        }
        Ok(())
    }

    /// Reads to the end, chunk by chunk. A line that never ends stops it as soon as that is seen.
    fn inflate(&mut self, source: &mut impl Read, stated: u64, name: &str) -> Result<Vec<u8>, ReadError> {
        let whose = whose(name, GZIP);
        let mut bytes = Vec::new();
        let room = stated.min(ROOM_RATIO.saturating_mul(self.archive)).min(TEXT_MAX);
        // Room is a convenience: if it is not to be had, the vector grows as it must.
        if let Ok(room) = usize::try_from(room) {
            bytes.try_reserve(room).ok();
        }
        let mut line_length = 0;
        loop {
            let before = bytes.len();
            source.take(CHUNK).read_to_end(&mut bytes).map_err(|error| damaged(&whose, &error))?;
            let chunk = &bytes[before..];
            if chunk.is_empty() {
                return Ok(bytes);
            }
            self.spend(chunk.len() as u64, &whose)?;
            line_length =
                memrchr(b'\n', chunk).map_or(line_length + chunk.len(), |end| chunk.len() - end - 1);
            if line_length > LINE_MAX {
                return Err(endless_line(&bytes, line_length).in_part(name));
            }
        }
    }
}

fn damaged(whose: &str, error: &std::io::Error) -> ReadError {
    let cause = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "it was cut short".to_owned(),
        _ => error.to_string(),
    };
    ReadError::File(format!("{whose} cannot be unpacked: {cause}"))
}

fn endless_line(bytes: &[u8], length: usize) -> ReadError {
    let line = memchr_iter(b'\n', &bytes[..bytes.len() - length]).count() + 1;
    let found = format!("longer than {} KiB; that is no line of a bill", LINE_MAX / 1024);
    ReadError::at(u32::try_from(line).unwrap_or(u32::MAX), found)
}

/// One gzip member and nothing behind it.
pub(super) fn gunzip(raw: &[u8]) -> Result<Vec<u8>, ReadError> {
    let mut budget = Budget::of(raw)?;
    // The last four bytes state the size modulo 4 GiB: a hint for the room, nothing more.
    let stated = raw.last_chunk::<4>().map_or(0, |size| u32::from_le_bytes(*size));
    let mut decoder = GzDecoder::new(raw);
    let bytes = budget.inflate(&mut decoder, stated.into(), "")?;
    match decoder.into_inner() {
        [] => Ok(bytes),
        [0x1f, 0x8b, ..] => Err(ReadError::File(format!("{GZIP} has a second member behind the bill"))),
        rest => Err(ReadError::File(format!("{GZIP} has {} bytes behind its end", rest.len()))),
    }
}

/// The entries of a zip in their order, inflated, each with its name for messages.
pub(super) fn unzip(raw: &[u8]) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
    let mut budget = Budget::of(raw)?;
    refuse_crowd(raw)?;
    let mut archive = ZipArchive::new(Cursor::new(raw)).map_err(|e| unreadable(&e))?;
    refuse_tail(raw)?;
    if archive.has_duplicate_names() {
        return Err(ReadError::File("the zip file has two entries of the same name".to_owned()));
    }
    if archive.is_empty() {
        return Err(ReadError::File("the zip file has no entries".to_owned()));
    }
    if archive.len() > ENTRIES_MAX {
        return Err(crowd(archive.len() as u64));
    }
    if archive.has_overlapping_files().map_err(|e| unreadable(&e))? {
        return Err(ReadError::File("the zip file's entries overlap; it was made to hurt".to_owned()));
    }
    // Every entry is looked at before the first is inflated.
    let mut names = Vec::with_capacity(archive.len());
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|e| unreadable(&e))?;
        names.push(checked_name(&entry)?);
    }
    let mut parts = Vec::with_capacity(names.len());
    for (index, name) in names.into_iter().enumerate() {
        let mut entry = archive.by_index(index).map_err(|e| unreadable(&e))?;
        let stated = entry.size();
        let bytes = budget.inflate(&mut entry, stated, &name)?;
        if bytes.len() as u64 != stated {
            let whose = whose(&name, GZIP);
            let found = format!("{whose} states {stated} bytes and has {}; it is damaged", bytes.len());
            return Err(ReadError::File(found));
        }
        parts.push((name, bytes));
    }
    Ok(parts)
}

fn unreadable(error: &zip::result::ZipError) -> ReadError {
    ReadError::File(format!("the zip file cannot be read: {error}"))
}

fn crowd(entries: u64) -> ReadError {
    let found = format!("the zip file has {entries} entries; a bill has at most {ENTRIES_MAX}");
    ReadError::File(found)
}

/// The end record with its comment is the end of the file (APPNOTE 4.3.16); what lies behind it was put there later.
fn refuse_tail(raw: &[u8]) -> Result<(), ReadError> {
    let tail_start = raw.len().saturating_sub(END_LENGTH + COMMENT_MAX);
    let ends_the_file = |at: usize| {
        let comment = raw.get(at + 20..at + END_LENGTH);
        comment.is_some_and(|size| {
            at + END_LENGTH + usize::from(u16::from_le_bytes([size[0], size[1]])) == raw.len()
        })
    };
    let mut ends = memmem::find_iter(&raw[tail_start..], END_MARK).map(|at| tail_start + at);
    if ends.any(ends_the_file) {
        return Ok(());
    }
    Err(ReadError::File("the zip file has bytes behind its end, or ends too early".to_owned()))
}

/// Looks at the stated number of entries before anything is allocated for them (APPNOTE 4.3.16).
fn refuse_crowd(raw: &[u8]) -> Result<(), ReadError> {
    let tail_start = raw.len().saturating_sub(END_LENGTH + COMMENT_MAX);
    for at in memmem::find_iter(&raw[tail_start..], END_MARK).map(|at| tail_start + at) {
        let Some(end) = raw.get(at..at + END_LENGTH) else { continue };
        let entries = u16::from_le_bytes([end[10], end[11]]);
        let size = u32::from_le_bytes([end[12], end[13], end[14], end[15]]);
        let offset = u32::from_le_bytes([end[16], end[17], end[18], end[19]]);
        let wide = at >= 20 && raw[at - 20..].starts_with(b"PK\x06\x07");
        if wide {
            let found = "the zip file is in zip64 form, which a bill below 4 GiB has no need of";
            return Err(ReadError::File(found.to_owned()));
        }
        // A directory that would end behind its own end is a chance match inside compressed data.
        let real = u64::from(size) + u64::from(offset) <= at as u64;
        if real && usize::from(entries) > ENTRIES_MAX {
            return Err(crowd(entries.into()));
        }
    }
    Ok(())
}

/// The name of an entry that is a plain, readable file; never to be used as a path.
fn checked_name<R: Read>(entry: &ZipFile<'_, R>) -> Result<String, ReadError> {
    let name = decoded_name(entry.name_raw());
    let wrong = wrong_name(&name).or_else(|| wrong_kind(entry));
    match wrong {
        None => Ok(name),
        Some(what) => Err(ReadError::File(format!("the zip entry `{}` {what}", shown(&name)))),
    }
}

/// UTF-8 where it is that, else GBK, as Alipay writes names without the UTF-8 flag.
fn decoded_name(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => encoding_rs::GBK.decode_without_bom_handling(raw).0.into_owned(),
    }
}

fn wrong_name(name: &str) -> Option<String> {
    let what = if name.contains('\0') {
        "has a NUL byte in its name"
    } else if name.starts_with(['/', '\\']) {
        "has an absolute path as its name"
    } else if name.contains(':') {
        "has a drive or stream in its name"
    } else if name.split(['/', '\\']).any(|step| step == "..") {
        "has a name that climbs out of its folder"
    } else if is_device(name) {
        "has the name of a device of Windows"
    } else if name == "[Content_Types].xml" {
        "belongs to an Excel workbook (.xlsx), not to a bill"
    } else {
        return None;
    };
    Some(what.to_owned())
}

/// `CON`, `nul.csv`, `COM1`: opened by name they are no files.
fn is_device(name: &str) -> bool {
    let last = name.rsplit(['/', '\\']).next().unwrap_or("");
    let stem = last.split('.').next().unwrap_or("").trim().to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        _ => stem
            .strip_prefix("COM")
            .or_else(|| stem.strip_prefix("LPT"))
            .is_some_and(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

fn wrong_kind<R: Read>(entry: &ZipFile<'_, R>) -> Option<String> {
    if entry.is_symlink() {
        Some("is a symbolic link".to_owned())
    } else if entry.is_dir() {
        Some("is a folder".to_owned())
    } else if entry.encrypted() {
        Some("is encrypted; a merchant's bill is not, a personal export is".to_owned())
    } else if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
        Some(format!("is packed by {}, not by deflate", entry.compression()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_exact() {
        let spent = |archive: u64, bytes: u64| Budget { archive, inflated: 0 }.spend(bytes, "x").is_ok();
        assert!(spent(1, RATIO_FREE) && !spent(1, RATIO_FREE + 1));
        assert!(spent(1 << 20, 100 << 20) && !spent(1 << 20, (100 << 20) + 1));
        assert!(spent(1 << 30, TEXT_MAX) && !spent(1 << 30, TEXT_MAX + 1));
        let raw = vec![0; COMPRESSED_MAX + 1];
        assert!(Budget::of(&raw[1..]).is_ok() && Budget::of(&raw).is_err());
    }
}
