//! A row as SQLite stores it: a head of serial types, then the values. (<https://sqlite.org/fileformat2.html>, 2.)

pub(in crate::store) use crate::store::value::Value;

/// Serial type of a value, and the bytes of its body. (File format, 2.1.)
fn serial_type(value: &Value<'_>) -> (u64, usize) {
    match *value {
        Value::Null => (0, 0),
        Value::Text(text) => (13 + 2 * text.len() as u64, text.len()),
        Value::Integer(0) => (8, 0),
        Value::Integer(1) => (9, 0),
        Value::Integer(n) => match n {
            -0x80..=0x7f => (1, 1),
            -0x8000..=0x7fff => (2, 2),
            -0x80_0000..=0x7f_ffff => (3, 3),
            -0x8000_0000..=0x7fff_ffff => (4, 4),
            -0x8000_0000_0000..=0x7fff_ffff_ffff => (5, 6),
            _ => (6, 8),
        },
    }
}

/// Writes the record's head, its own length first, and tells how long the whole record is.
pub(super) fn record_head(head: &mut Vec<u8>, values: &[Value<'_>]) -> usize {
    let mut body = 0;
    head.clear();
    // A head of 128 bytes and more needs a second byte for its length; no table here is that wide.
    head.push(0);
    for value in values {
        let (serial, bytes) = serial_type(value);
        body += bytes;
        match u8::try_from(serial) {
            Ok(short) if short < 0x80 => head.push(short),
            _ => {
                let start = head.len();
                head.resize(start + varint_length(serial), 0);
                Cursor(&mut head[start..]).varint(serial);
            }
        }
    }
    assert!(head.len() < 0x80, "a table of few columns");
    head[0] = u8::try_from(head.len()).expect("below 128");
    head.len() + body
}

/// A place to write to, front to back.
pub(super) struct Cursor<'p>(pub(super) &'p mut [u8]);

impl Cursor<'_> {
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        let (place, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        place.copy_from_slice(bytes);
        self.0 = rest;
    }

    /// Big-endian groups of seven bits, the ninth byte whole.
    pub(super) fn varint(&mut self, value: u64) {
        let length = varint_length(value);
        let mut groups = [0; 9];
        let mut rest = value;
        if length == 9 {
            groups[8] = rest.to_le_bytes()[0];
            rest >>= 8;
        }
        for place in (0..length.min(8)).rev() {
            let more = if place == length - 1 { 0 } else { 0x80 };
            groups[place] = more | (rest & 0x7f).to_le_bytes()[0];
            rest >>= 7;
        }
        self.bytes(&groups[..length]);
    }

    pub(super) fn record(&mut self, head: &[u8], values: &[Value<'_>]) {
        self.bytes(head);
        for value in values {
            match value {
                Value::Null => {}
                Value::Text(text) => self.bytes(text),
                Value::Integer(n) => self.bytes(&n.to_be_bytes()[8 - serial_type(value).1..]),
            }
        }
    }
}

pub(super) fn varint_length(value: u64) -> usize {
    let bits = (64 - value.leading_zeros() as usize).max(1);
    bits.div_ceil(7).min(9)
}
