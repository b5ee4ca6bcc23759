//! Where and for whom rows were written: eight short texts that thousands of rows share, kept once.
//!
//! A place also settles which account a row belongs to, so that this is decided once for each place, not for each row.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::domain::{Claims, PayType};

/// The texts of a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(super) enum Name {
    ReqType,
    BusinessDate,
    Mall,
    Store,
    Till,
    Cashier,
    Seller,
    Customer,
}

pub(super) const NAMES: usize = Name::Customer as usize + 1;

/// Between the texts of a place; no till writes it.
const SEPARATOR: char = '\u{1f}';

#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `None`: a REQ_TYPE that stands for no pay type.
    pub pay_type: Option<PayType>,
    /// Index of the account that claims the place.
    pub account: Option<usize>,
    start: usize,
    ends: [usize; NAMES],
}

#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    list: Vec<Place>,
    texts: String,
    index: HashTable<u32>,
    key: String,
}

impl Places {
    pub(crate) fn get(&self, id: u32) -> &Place {
        &self.list[id as usize]
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn text(&self, id: u32, name: Name) -> &str {
        let place = self.get(id);
        let which = name as usize;
        let start =
            which.checked_sub(1).map_or(place.start, |before| place.ends[before] + SEPARATOR.len_utf8());
        self.texts.get(start..place.ends[which]).unwrap_or("")
    }

    /// The place of these texts, in the order of [`Name`].
    pub(crate) fn intern(&mut self, texts: [&str; NAMES], claims: &Claims) -> u32 {
        self.intern_of(texts, || {
            let pay_type = claims.pay_type(texts[Name::ReqType as usize]);
            let (seller, customer) = (texts[Name::Seller as usize], texts[Name::Customer as usize]);
            (pay_type, pay_type.and_then(|pay| claims.owner(pay, seller, customer)))
        })
    }

    /// The place of what an account itself was told: no store, no till.
    pub(crate) fn of_account(&mut self, pay_type: PayType, account: usize) -> u32 {
        // No customer's id begins so; it keeps the places of two accounts apart.
        let number = format!("{SEPARATOR}{account}");
        let texts = [pay_type.as_str(), "", "", "", "", "", "", &number];
        self.intern_of(texts, || (Some(pay_type), Some(account)))
    }

    fn intern_of(
        &mut self,
        texts: [&str; NAMES],
        owner: impl FnOnce() -> (Option<PayType>, Option<usize>),
    ) -> u32 {
        self.key.clear();
        let mut ends = [0; NAMES];
        for (text, end) in texts.iter().zip(&mut ends) {
            self.key.push_str(text);
            *end = self.key.len();
            self.key.push(SEPARATOR);
        }
        let Places { list, texts: kept, index, key } = self;
        let hash = xxh3_64(key.as_bytes());
        let range = |p: &Place| p.start..p.ends[NAMES - 1] + SEPARATOR.len_utf8();
        let same = |id: &u32| kept.get(range(&list[*id as usize])) == Some(key.as_str());
        if let Some(id) = index.find(hash, same) {
            return *id;
        }
        let id = u32::try_from(list.len()).expect("fewer than four billion places");
        let start = kept.len();
        let (pay_type, account) = owner();
        list.push(Place { pay_type, account, start, ends: ends.map(|end| start + end) });
        kept.push_str(key);
        index.insert_unique(hash, id, |id| {
            xxh3_64(kept.get(range(&list[*id as usize])).unwrap_or("").as_bytes())
        });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_place_is_known_by_all_its_texts() {
        let claims = Claims::new(&[], &BTreeMap::new());
        let mut places = Places::default();
        let texts = ["WX", "20161108", "*", "8888", "01", "8888", "8888", "TECHTRANS"];
        let first = places.intern(texts, &claims);
        assert_eq!(places.intern(texts, &claims), first);
        // The same letters, cut elsewhere.
        let other =
            places.intern(["WX", "20161108", "*", "888", "801", "8888", "8888", "TECHTRANS"], &claims);
        assert_ne!(other, first);
        for id in 0..500 {
            let till = id.to_string();
            let id = places.intern(["WX", "20161108", "*", "8888", &till, "8888", "8888", ""], &claims);
            assert_eq!(places.text(id, Name::Till), till);
            assert_eq!((places.text(id, Name::ReqType), places.text(id, Name::Customer)), ("WX", ""));
        }
        assert_eq!(places.len(), 502);
        assert_eq!(places.text(other, Name::Till), "801");
    }
}
