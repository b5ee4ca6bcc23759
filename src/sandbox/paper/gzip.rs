//! Gzip as WeChat sends it, and what can be wrong with one (`spec/wechat.md` 1.3).

use std::io::{Read as _, Write as _};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};

use crate::sandbox::mishap::Mishap;

/// One member with a file's name in its header.
pub(in crate::sandbox) fn packed(bytes: &[u8], name: &str) -> Vec<u8> {
    let room = Vec::with_capacity(bytes.len() / 4);
    let mut encoder = GzBuilder::new().filename(name).write(room, Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("writing to memory cannot fail")
}

/// The gzip after a mishap; `None` if nothing happened to it, or if it is none.
pub(in crate::sandbox) fn spoiled(body: &[u8], mishap: Mishap) -> Option<Vec<u8>> {
    if !body.starts_with(&[0x1F, 0x8B]) {
        return None;
    }
    let mut bytes = body.to_vec();
    match mishap {
        Mishap::TwoGzipMembers => bytes.extend_from_slice(body),
        Mishap::TrailingGarbage => bytes.extend_from_slice(b"\0\0garbage"),
        Mishap::GzipTrailerWrong => {
            // The trailer's first four bytes are the check sum.
            let place = bytes.len().checked_sub(8)?;
            bytes[place] ^= 0xFF;
        }
        Mishap::NotGzip => {
            bytes.clear();
            GzDecoder::new(body).read_to_end(&mut bytes).ok()?;
        }
        _ => return None,
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        GzDecoder::new(bytes).read_to_end(&mut text).ok().map(|_| text)
    }

    #[test]
    fn each_way_to_spoil_a_gzip() {
        let whole = packed(b"a bill", "a.csv");
        assert_eq!(unpacked(&whole).as_deref(), Some(&b"a bill"[..]));
        let spoiled = |mishap| spoiled(&whole, mishap).expect("a gzip");
        assert_eq!(spoiled(Mishap::NotGzip), b"a bill");
        assert_eq!(unpacked(&spoiled(Mishap::GzipTrailerWrong)), None);
        assert_eq!(spoiled(Mishap::TwoGzipMembers).len(), 2 * whole.len());
        assert!(spoiled(Mishap::TrailingGarbage).ends_with(b"garbage"));
        assert_eq!(super::spoiled(&whole, Mishap::Torn), None);
        assert_eq!(super::spoiled(b"a bill", Mishap::NotGzip), None);
    }
}
