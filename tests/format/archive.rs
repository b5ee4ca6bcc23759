//! Archives, good and made to hurt; zips are written by hand, field by field (APPNOTE 4.3).

use std::io::Write as _;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc, GzBuilder};
use nightjob::format::ReadError;
use nightjob::format::unpack::{Encoding, unpack};

use super::{Case, asked, fixture};

/// A zip as it will be, entry by entry.
#[derive(Default)]
pub(crate) struct Zip {
    entries: Vec<ZipEntry>,
}

#[derive(Clone)]
struct ZipEntry {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    mode: u32,
    packed: Vec<u8>,
    size: u32,
    crc: u32,
}

const PLAIN_FILE: u32 = 0o100_644;

impl Zip {
    pub(crate) fn new() -> Zip {
        Zip::default()
    }

    /// A deflated file; its name has the UTF-8 flag.
    pub(crate) fn file(self, name: &str, data: &[u8]) -> Zip {
        self.entry(name.as_bytes().to_vec(), 1 << 11, data)
    }

    /// The same as Alipay writes it: the name in GBK, no flag.
    pub(crate) fn file_gbk(self, name: &str, data: &[u8]) -> Zip {
        self.entry(encoding_rs::GBK.encode(name).0.into_owned(), 0, data)
    }

    fn entry(mut self, name: Vec<u8>, flags: u16, data: &[u8]) -> Zip {
        let mut crc = Crc::new();
        crc.update(data);
        let size = u32::try_from(data.len()).expect("a small file");
        let entry = ZipEntry {
            name,
            flags,
            method: 8,
            mode: PLAIN_FILE,
            packed: deflated(data),
            size,
            crc: crc.sum(),
        };
        self.entries.push(entry);
        self
    }

    /// Changes the last entry.
    fn with(mut self, change: impl Fn(&mut ZipEntry)) -> Zip {
        change(self.entries.last_mut().expect("an entry"));
        self
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        let starts_apart = |_: usize, start: u32| start;
        self.build_with(starts_apart, |count| count)
    }

    /// `place` says where the directory claims that an entry begins, `count` how many entries it claims.
    fn build_with(&self, place: impl Fn(usize, u32) -> u32, count: impl Fn(u16) -> u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut directory = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let start = u32::try_from(bytes.len()).expect("a small file");
            bytes.extend(b"PK\x03\x04\x14\x00");
            bytes.extend(entry.common());
            bytes.extend(&entry.name);
            bytes.extend(&entry.packed);
            directory.extend(b"PK\x01\x02\x14\x03\x14\x00");
            directory.extend(entry.common());
            directory.extend([0; 6]);
            directory.extend((entry.mode << 16).to_le_bytes());
            directory.extend(place(index, start).to_le_bytes());
            directory.extend(&entry.name);
        }
        let offset = u32::try_from(bytes.len()).expect("a small file");
        let length = u32::try_from(directory.len()).expect("a small file");
        let entries = count(u16::try_from(self.entries.len()).expect("few entries"));
        bytes.extend(directory);
        bytes.extend(b"PK\x05\x06\x00\x00\x00\x00");
        bytes.extend([entries.to_le_bytes(), entries.to_le_bytes()].concat());
        bytes.extend(length.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }
}

impl ZipEntry {
    /// The fields that both headers have, from the flags on. Both then go on with 0 bytes of extra field.
    fn common(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        bytes.extend([0, 0, 0x62, 0x58]);
        bytes.extend(self.crc.to_le_bytes());
        bytes.extend(u32::try_from(self.packed.len()).expect("a small file").to_le_bytes());
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(u16::try_from(self.name.len()).expect("a name").to_le_bytes());
        bytes.extend([0, 0]);
        bytes
    }
}

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).expect("a vector");
    encoder.finish().expect("a vector")
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder: GzEncoder<Vec<u8>> =
        GzBuilder::new().filename("1900012345All2024-03-07.csv").write(Vec::new(), Compression::best());
    encoder.write_all(data).expect("a vector");
    encoder.finish().expect("a vector")
}

#[test]
fn a_gzip_bill_with_a_name_in_its_header_is_read() {
    let statement = nightjob::format::wechat_bill::read(
        &asked("1900012345", "20240307"),
        gzip(&fixture("wechat_all.csv")),
    )
    .unwrap();
    assert_eq!(statement.entries().len(), 3);
}

#[test]
fn texts_of_both_encodings_come_out_whole() {
    let text = "交易 𠮷 ß";
    for (raw, encoding) in
        [(text.as_bytes().to_vec(), Encoding::Utf8), (super::alipay::gbk(text), Encoding::Gb18030)]
    {
        let parts = unpack(raw).unwrap();
        assert_eq!((parts.len(), parts[0].body(), parts[0].encoding), (1, text, encoding));
    }
    let marked = unpack("\u{feff}交易".into()).unwrap();
    assert_eq!((marked[0].body(), marked[0].start), ("交易", 3));
}

#[test]
fn stored_entries_and_entry_names_of_both_encodings_are_read() {
    let name = "20889000000000180156_业务明细(汇总).csv";
    let zip = Zip::new().file(name, b"a\n").file_gbk(name, b"b\n").file("folder/c", b"c\n");
    let stored = zip.with(|entry| {
        entry.method = 0;
        entry.packed = b"c\n".to_vec();
    });
    let parts = unpack(stored.build()).unwrap();
    let found: Vec<(&str, &str)> =
        parts.iter().map(|part| (part.name.as_str(), part.text.as_str())).collect();
    assert_eq!(found, [(name, "a\n"), (name, "b\n"), ("folder/c", "c\n")]);
}

#[test]
fn a_bomb_below_one_mebibyte_hurts_nobody_and_one_above_stops_at_once() {
    let lines = |count: usize| "x\n".repeat(count).into_bytes();
    assert_eq!(unpack(gzip(&lines(1 << 19))).unwrap()[0].text.len(), 1 << 20);
    let error = unpack(gzip(&lines((1 << 19) + 1))).unwrap_err();
    assert_eq!(error.to_string(), "the gzip file inflates to more than 100 times its size; a bill does not");
}

/// Files that must be refused, for the golden file.
pub(crate) fn refused() -> Vec<Case> {
    let all = gzips().into_iter().chain(zips()).chain(zip_entries()).chain(others());
    all.map(|(case, raw)| {
        (case, nightjob::format::alipay_bill::read(&asked("2088900000000018", "20240502"), raw))
    })
    .collect()
}

/// Lines that pack 1000 to 1.
fn bomb() -> Vec<u8> {
    "a,b\n".repeat(5_000_000).into_bytes()
}

type RawCase = (&'static str, Vec<u8>);

fn gzips() -> Vec<RawCase> {
    let good = gzip(&fixture("alipay_detail.csv"));
    let cut = |at: usize| good[..at].to_vec();
    let mut wrong_sum = good.clone();
    let sum = wrong_sum.len() - 8;
    wrong_sum[sum] ^= 1;
    let mut wrong_data = good.clone();
    wrong_data[60] ^= 0xff;
    vec![
        ("gzip cut in its header", cut(5)),
        ("gzip cut in its data", cut(200)),
        ("gzip cut in its trailer", cut(good.len() - 3)),
        ("gzip with a wrong check sum", wrong_sum),
        ("gzip with damaged data", wrong_data),
        ("gzip with a second member", [good.clone(), good.clone()].concat()),
        ("gzip with something behind it", [good.clone(), b"\r\n".to_vec()].concat()),
        ("gzip in gzip", gzip(&good)),
        ("gzip of nothing", gzip(b"")),
        ("gzip bomb", gzip(&bomb())),
        ("gzip with a line of 20 MB", gzip(&[b"a\nb\n".to_vec(), vec![b'x'; 20_000_000]].concat())),
    ]
}

fn zips() -> Vec<RawCase> {
    let detail = fixture("alipay_detail.csv");
    let one = Zip::new().file("a.csv", &detail);
    let good = one.build();
    let many = (0..20).fold(Zip::new(), |zip, number| zip.file(&format!("{number}.csv"), &detail));
    let pair = Zip::new().file("a.csv", &detail).file("b.csv", &detail);
    let mut zip64 = good.clone();
    let end = zip64.len() - 22;
    zip64.splice(end..end, b"PK\x06\x07".iter().copied().chain([0; 16]));
    vec![
        ("zip cut short", good[..good.len() / 2].to_vec()),
        ("zip without entries", Zip::new().build()),
        ("zip of 20 entries", many.build()),
        ("zip that claims 65535 entries", one.build_with(|_, start| start, |_| 0xffff)),
        ("zip in zip64 form", zip64),
        ("zip with two entries of one name", Zip::new().file("a.csv", &detail).file("a.csv", b"b\n").build()),
        ("zip whose entries overlap", pair.build_with(|_, _| 0, |count| count)),
        ("zip in zip", Zip::new().file("inner.zip", &good).build()),
        ("gzip in zip", Zip::new().file("inner.gz", &gzip(&detail)).build()),
        ("zip bomb", Zip::new().file("a.csv", &bomb()).build()),
        ("zip with a line of 20 MB", Zip::new().file("a.csv", &vec![b'x'; 20_000_000]).build()),
    ]
}

fn zip_entries() -> Vec<RawCase> {
    let detail = fixture("alipay_detail.csv");
    let named = |name: &str| Zip::new().file(name, &detail).build();
    let changed = |change: fn(&mut ZipEntry)| Zip::new().file("a.csv", &detail).with(change).build();
    vec![
        ("zip with ../", named("../../etc/cron.d/evil")),
        ("zip with ..\\", named("a\\..\\..\\evil.csv")),
        ("zip with an absolute name", named("/etc/passwd")),
        ("zip with a drive", named("C:\\evil.csv")),
        ("zip with a NUL in a name", named("a.csv\0.exe")),
        ("zip with a symbolic link", changed(|entry| entry.mode = 0o120_777)),
        ("zip with a folder", named("folder/")),
        ("zip that is encrypted", changed(|entry| entry.flags |= 1)),
        ("zip packed by bzip2", changed(|entry| entry.method = 12)),
        ("zip with a wrong check sum", changed(|entry| entry.crc ^= 1)),
        ("zip that states a smaller size", changed(|entry| entry.size = 10)),
        ("zip that states a larger size", changed(|entry| entry.size += 10)),
        ("zip with damaged data", changed(|entry| entry.packed[40] ^= 0xff)),
        ("zip with an empty entry", Zip::new().file("a.csv", b"").build()),
        ("zip with an HTML page", Zip::new().file("a.csv", b"<html>late</html>").build()),
        ("zip of a workbook", Zip::new().file("[Content_Types].xml", b"<?xml?>").build()),
        ("zip with a name that forges a log line", named("../a\nERROR done\u{202e}")),
    ]
}

fn others() -> Vec<RawCase> {
    vec![
        ("nothing at all", Vec::new()),
        ("7z", b"7z\xbc\xaf\x27\x1c....".to_vec()),
        ("RAR", b"Rar!\x1a\x07\x01\x00".to_vec()),
        ("PDF", b"%PDF-1.7\n".to_vec()),
        ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec()),
    ]
}

#[test]
fn sixteen_entries_are_read_and_nesting_is_not() {
    let sixteen = (0..16).fold(Zip::new(), |zip, number| zip.file(&number.to_string(), b"a\n"));
    assert_eq!(unpack(sixteen.build()).unwrap().len(), 16);
}

#[test]
fn an_error_inside_a_zip_names_the_entry() {
    let raw = Zip::new().file("a.csv", b"x\n\xff\xff\xff\n").build();
    let ReadError::At { part, line, .. } = unpack(raw).unwrap_err() else { panic!("a place is named") };
    assert_eq!((part.as_str(), line), ("a.csv", 2));
}
