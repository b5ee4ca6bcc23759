//! Bytes to text: UTF-8, else GB18030, strictly. A replaced character would be a changed bill.

use encoding_rs::{DecoderResult, GB18030};
use memchr::memchr_iter;

use super::{Encoding, Part, TEXT_MAX};
use crate::format::ReadError;

const MARK: &str = "\u{feff}";

/// # Errors
///
/// UTF-16, a byte that belongs to no character (with its line), an end inside a character.
pub(super) fn decode(name: String, bytes: Vec<u8>) -> Result<Part, ReadError> {
    if bytes.len() as u64 > TEXT_MAX {
        return Err(too_large());
    }
    if matches!(*bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(ReadError::at(1, "this is UTF-16 text; a bill is UTF-8 or GBK").in_part(&name));
    }
    let decoded = match String::from_utf8(bytes) {
        Ok(text) => Ok((text, Encoding::Utf8)),
        Err(error) => decode_otherwise(error.utf8_error(), error.as_bytes()),
    };
    let (text, encoding) = decoded.map_err(|e| e.in_part(&name))?;
    let start = if text.starts_with(MARK) { MARK.len() } else { 0 };
    Ok(Part { name, text, start, encoding })
}

/// The bytes are not UTF-8. Whether they were meant to be, their first line tells.
fn decode_otherwise(error: std::str::Utf8Error, bytes: &[u8]) -> Result<(String, Encoding), ReadError> {
    let (valid, _) = bytes.split_at(error.valid_up_to());
    let first_line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let meant_as_utf8 = std::str::from_utf8(first_line).is_ok_and(|line| !line.is_ascii());
    let line = line_of(valid);
    if !meant_as_utf8 {
        return decode_gb18030(bytes);
    }
    let found = match error.error_len() {
        None => "the file ends inside a character; it was cut short",
        Some(_) => "holds bytes that are not UTF-8, though the file's first line is",
    };
    Err(ReadError::at(line, found))
}

fn decode_gb18030(bytes: &[u8]) -> Result<(String, Encoding), ReadError> {
    let mut decoder = GB18030.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
    // Half as much again as the bytes is what Chinese text needs at most; the worst case is three times.
    let likely = bytes.len() + bytes.len() / 2 + 16;
    let mut text = String::with_capacity(room.map_or(likely, |most| most.min(likely)));
    let mut read = 0;
    loop {
        let (result, more) = decoder.decode_to_string_without_replacement(&bytes[read..], &mut text, true);
        read += more;
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => text.reserve(bytes.len() - read + 16),
            DecoderResult::Malformed(..) => {
                let found = "holds bytes that are neither UTF-8 nor GB18030; the file is damaged or in another encoding";
                return Err(ReadError::at(line_of(&bytes[..read.saturating_sub(1)]), found));
            }
        }
    }
    if text.len() as u64 > TEXT_MAX { Err(too_large()) } else { Ok((text, Encoding::Gb18030)) }
}

fn line_of(before: &[u8]) -> u32 {
    u32::try_from(memchr_iter(b'\n', before).count()).map_or(u32::MAX, |line| line.saturating_add(1))
}

fn too_large() -> ReadError {
    ReadError::File("the text is larger than 4 GiB; ask the provider for the day in parts".to_owned())
}
