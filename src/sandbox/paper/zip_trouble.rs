//! Zips that are out to harm, or are others than announced (`spec/alipay.md` 2.1, the archive group of the fault
//! catalogue). What they carry is the true bill, wherever that makes them more tempting.

use super::alipay_bill::Bill;
use super::zip_file::{Manner, ZipFile};
use crate::sandbox::mishap::ZipTrouble;

/// How many letters a bomb grows to, and how many entries are too many.
const BOMB_LETTERS: usize = 100 * 1024 * 1024;
const MANY: u32 = 100_000;
/// A symbolic link, in the upper half of the attributes.
const UNIX_LINK: u32 = 0o120_777 << 16;
const UNIX_FOLDER: u32 = 0o040_755 << 16;
const ENCRYPTED: u16 = 1;
/// The method number that says AES.
const AES: u16 = 99;

/// The bytes of such a file.
pub(super) fn made(trouble: ZipTrouble, bill: &Bill<'_>) -> Vec<u8> {
    let [detail, summary] = bill.files();
    match trouble {
        ZipTrouble::NotZipped => return encoding_rs::GBK.encode(&detail.1).0.into_owned(),
        ZipTrouble::NoEntries => return ZipFile::default().finish(),
        ZipTrouble::TrailingBytes => return [bill.write(), b"trailing".repeat(64)].concat(),
        ZipTrouble::Nested => return nested(bill),
        ZipTrouble::ManyEntries => return many(),
        _ => {}
    }
    let mut zip = ZipFile::default();
    let own = zip.name(&detail.0);
    let content = match trouble {
        ZipTrouble::Bomb => "0".repeat(BOMB_LETTERS),
        ZipTrouble::Symlink => "/etc/hostname".to_owned(),
        _ => detail.1.clone(),
    };
    zip.add_as(name(trouble).unwrap_or(&own), &content, manner(trouble));
    match trouble {
        ZipTrouble::Overlapping => zip.list_again(),
        ZipTrouble::TwoDetails => zip.add_as(b"second.csv", &detail.1, Manner::default()),
        ZipTrouble::Folder => {
            zip.add_bytes(b"folder/", b"", Manner { attributes: UNIX_FOLDER, ..Manner::default() })
        }
        _ => {}
    }
    if trouble != ZipTrouble::NoSummary {
        let name = zip.name(&summary.0);
        let marked = Manner { attributes: Manner::default().attributes, crc_mask: 0, ..manner(trouble) };
        zip.add_as(&name, &summary.1, marked);
    }
    let content_bytes = zip.content_bytes();
    let mut bytes = zip.finish();
    if trouble == ZipTrouble::NoDirectory {
        bytes.truncate(content_bytes);
    }
    bytes
}

/// The name that the detail has instead of its own.
fn name(trouble: ZipTrouble) -> Option<&'static [u8]> {
    match trouble {
        ZipTrouble::ParentPath => Some(b"../../evil.csv"),
        ZipTrouble::DrivePath => Some(b"C:\\evil.csv"),
        ZipTrouble::AbsolutePath => Some(b"/evil.csv"),
        ZipTrouble::NulName => Some(b"bill.csv\0.txt"),
        ZipTrouble::DeviceName => Some(b"CON"),
        _ => None,
    }
}

fn manner(trouble: ZipTrouble) -> Manner {
    let honest = Manner::default();
    match trouble {
        ZipTrouble::Symlink => Manner { attributes: UNIX_LINK, ..honest },
        ZipTrouble::Encrypted => Manner { flags: ENCRYPTED, ..honest },
        ZipTrouble::Aes => Manner { flags: ENCRYPTED, method: AES, ..honest },
        ZipTrouble::WrongChecksum => Manner { crc_mask: 1, ..honest },
        _ => honest,
    }
}

fn nested(bill: &Bill<'_>) -> Vec<u8> {
    let mut zip = ZipFile::default();
    zip.add_bytes(b"bill.zip", &bill.write(), Manner::default());
    zip.finish()
}

fn many() -> Vec<u8> {
    let mut zip = ZipFile::default();
    for number in 0..MANY {
        zip.add_bytes(format!("{number}.csv").as_bytes(), b"", Manner::default());
    }
    zip.finish()
}
