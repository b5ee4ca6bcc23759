//! The file that belongs to a signed reply, and its bytes in the bill's layout.

use sha1::{Digest, Sha1};

use super::ask::Address;
use crate::domain::{Bill, Errand, Statement};
use crate::format::{Asked, ReadError, unpack, wechat_bill, wechat_fundflow};

/// Takes the reply and the file; gives the file as it came, once the hash in the reply is that of its uncompressed
/// bytes.
pub(super) fn join(_: &Errand, mut pieces: Vec<Vec<u8>>) -> Result<Vec<u8>, String> {
    let (Some(file), Some(reply)) = (pieces.pop(), pieces.pop()) else {
        return Err("a bill is a reply and a file".into());
    };
    let stated = Address::read(&reply)?.hash_value;
    let plain = unpack::plain(&file).map_err(|error| error.to_string())?;
    let found = hex::encode(Sha1::digest(&plain));
    if found.eq_ignore_ascii_case(stated.trim()) {
        drop(plain);
        return Ok(file);
    }
    Err(format!(
        "the bill's SHA-1 is {found} and WeChat's signed reply states {}; it was changed on the way",
        stated.trim()
    ))
}

pub(super) fn read(errand: &Errand, raw: Vec<u8>) -> Result<Statement, ReadError> {
    let asked = Asked::of(errand);
    match errand.bill {
        Bill::FundFlow => wechat_fundflow::read(&asked, raw),
        Bill::Trade | Bill::SignCustomer => wechat_bill::read(&asked, raw),
    }
}
