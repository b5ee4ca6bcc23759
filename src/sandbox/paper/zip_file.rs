//! Writes the zip that Alipay sends: deflated entries whose names are bytes in GBK without the UTF-8 flag, "made by"
//! Unix, no extra fields (`spec/alipay.md` 2.1). The zip crate only writes names in UTF-8, hence these few lines.
//! Layout: APPNOTE.TXT 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).

use std::collections::HashMap;
use std::io::Write as _;

use encoding_rs::GBK;
use flate2::Compression;
use flate2::write::DeflateEncoder;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const LARGE_END: u32 = 0x0606_4b50;
const LARGE_END_AT: u32 = 0x0706_4b50;
const VERSION_NEEDED: u16 = 20;
const MADE_BY_UNIX: u16 = 3 << 8 | 20;
const DEFLATED: u16 = 8;
/// 1980-01-01, the first day that DOS knows: the file must not depend on when it was made.
const DOS_DATE: u16 = 0x21;
/// How much text is handed to the compressor at once.
const PIECE_BYTES: usize = 64 * 1024;
/// A plain file with the usual rights, in the upper half of the external attributes.
const UNIX_FILE: u32 = 0o100_644 << 16;

/// A zip that is being written.
#[derive(Default)]
pub(in crate::sandbox) struct ZipFile {
    out: Vec<u8>,
    central: Vec<u8>,
    entries: u32,
    gbk: Gbk,
}

/// How an entry is described; an honest one by default.
#[derive(Debug, Clone, Copy)]
pub(in crate::sandbox) struct Manner {
    /// General purpose bits: 1 for "encrypted".
    pub(in crate::sandbox) flags: u16,
    pub(in crate::sandbox) method: u16,
    /// Type and rights in the upper half.
    pub(in crate::sandbox) attributes: u32,
    /// Changes the checksum.
    pub(in crate::sandbox) crc_mask: u32,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner { flags: 0, method: DEFLATED, attributes: UNIX_FILE, crc_mask: 0 }
    }
}

impl ZipFile {
    /// Adds a file with a name and a text that are both written in GBK.
    pub(in crate::sandbox) fn add(&mut self, name: &str, text: &str) {
        let name = self.name(name);
        self.add_as(&name, text, Manner::default());
    }

    /// A name in GBK.
    pub(in crate::sandbox) fn name(&mut self, name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.gbk.write(name, |piece| bytes.extend(piece));
        bytes
    }

    /// Adds a text in GBK under the bytes of a name, described in whatever manner.
    pub(in crate::sandbox) fn add_as(&mut self, name: &[u8], text: &str, manner: Manner) {
        let (mut crc, mut length) = (flate2::Crc::new(), 0);
        let mut packing = DeflateEncoder::new(Vec::with_capacity(text.len() / 6), Compression::fast());
        self.gbk.write(text, |bytes| {
            crc.update(bytes);
            length += bytes.len();
            packing.write_all(bytes).expect("writing to memory cannot fail");
        });
        let packed = packing.finish().expect("writing to memory cannot fail");
        self.put(name, &packed, (crc.sum() ^ manner.crc_mask, length), manner);
    }

    /// Adds bytes as they are.
    pub(in crate::sandbox) fn add_bytes(&mut self, name: &[u8], bytes: &[u8], manner: Manner) {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let mut packing = DeflateEncoder::new(Vec::new(), Compression::fast());
        packing.write_all(bytes).expect("writing to memory cannot fail");
        let packed = packing.finish().expect("writing to memory cannot fail");
        self.put(name, &packed, (crc.sum(), bytes.len()), manner);
    }

    fn put(&mut self, name: &[u8], packed: &[u8], (crc, length): (u32, usize), manner: Manner) {
        let start = size(self.out.len());
        let mut common = Vec::with_capacity(26);
        for field in [VERSION_NEEDED, manner.flags, manner.method, 0, DOS_DATE] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc, size(packed.len()), size(length)] {
            common.extend(field.to_le_bytes());
        }
        let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        common.extend(name_length.to_le_bytes());
        common.extend(0u16.to_le_bytes());

        self.out.extend(LOCAL.to_le_bytes());
        self.out.extend(&common);
        self.out.extend(name);
        self.out.extend(packed);
        self.list(&common, (name, start), manner);
    }

    /// A line of the central directory.
    fn list(&mut self, common: &[u8], (name, start): (&[u8], u32), manner: Manner) {
        self.central.extend(CENTRAL.to_le_bytes());
        self.central.extend(MADE_BY_UNIX.to_le_bytes());
        self.central.extend(common);
        self.central.extend([0; 6]);
        self.central.extend(manner.attributes.to_le_bytes());
        self.central.extend(start.to_le_bytes());
        self.central.extend(name);
        self.entries += 1;
    }

    /// Lists the one entry so far a second time, so that two entries share their bytes.
    pub(in crate::sandbox) fn list_again(&mut self) {
        let again = self.central.clone();
        self.central.extend(again);
        self.entries *= 2;
    }

    /// How much is written before the central directory.
    pub(in crate::sandbox) fn content_bytes(&self) -> usize {
        self.out.len()
    }

    pub(in crate::sandbox) fn finish(mut self) -> Vec<u8> {
        let start = size(self.out.len());
        self.out.extend(&self.central);
        let entries = u16::try_from(self.entries).unwrap_or(u16::MAX);
        if entries == u16::MAX {
            self.large_end(start);
        }
        self.out.extend(END.to_le_bytes());
        self.out.extend([0; 4]);
        self.out.extend(entries.to_le_bytes());
        self.out.extend(entries.to_le_bytes());
        self.out.extend(size(self.central.len()).to_le_bytes());
        self.out.extend(start.to_le_bytes());
        self.out.extend([0; 2]);
        self.out
    }

    /// The end records of zip64 (APPNOTE.TXT 4.3.14, 4.3.15), for more entries than sixteen bits count.
    fn large_end(&mut self, start: u32) {
        let at = u64::try_from(self.out.len()).unwrap_or(u64::MAX);
        self.out.extend(LARGE_END.to_le_bytes());
        self.out.extend(44u64.to_le_bytes());
        self.out.extend([45u16, 45].map(u16::to_le_bytes).concat());
        self.out.extend([0; 8]);
        let count = u64::from(self.entries);
        for field in [count, count, u64::from(size(self.central.len())), u64::from(start)] {
            self.out.extend(field.to_le_bytes());
        }
        self.out.extend(LARGE_END_AT.to_le_bytes());
        self.out.extend([0; 4]);
        self.out.extend(at.to_le_bytes());
        self.out.extend(1u32.to_le_bytes());
    }
}

/// Characters as GBK has them. Looking one up in the encoding's tables takes a microsecond, and a large bill has
/// millions of a few hundred; so each is looked up once.
#[derive(Default)]
struct Gbk {
    known: HashMap<char, Vec<u8>>,
    piece: Vec<u8>,
}

impl Gbk {
    /// Hands over a text in GBK, piece by piece.
    fn write(&mut self, text: &str, mut take: impl FnMut(&[u8])) {
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
            let (ascii, others) = rest.split_at(plain);
            self.piece.extend(ascii.as_bytes());
            let mut letters = others.chars();
            if let Some(letter) = letters.next() {
                self.piece.extend(self.known.entry(letter).or_insert_with(|| gbk(letter)).iter());
            }
            rest = letters.as_str();
            if self.piece.len() >= PIECE_BYTES || rest.is_empty() {
                take(&self.piece);
                self.piece.clear();
            }
        }
    }
}

/// What GBK does not have (emoji) becomes a question mark.
fn gbk(letter: char) -> Vec<u8> {
    match GBK.encode(letter.encode_utf8(&mut [0; 4])) {
        (_, _, true) => b"?".to_vec(),
        (bytes, ..) => bytes.into_owned(),
    }
}

/// A size as the format without zip64 can say it.
fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a simulated statement below 4 GiB")
}
