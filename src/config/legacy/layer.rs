//! An old file in the place of a nightjob.toml: its values as a layer, its accounts from the web.config beside it.
//!
//! Decides nothing about accounts; that is `sellers`. What cannot be found is named, because an old file that works by
//! guesses would reconcile the wrong thing every night.

use super::translate::{ADDRESS_NAMES, Translated, Value, translate};
use super::xml;
use crate::config::World;
use crate::config::find::{self, Found};
use crate::config::problem::{Findings, Place, Problems, Source, Wrong};
use crate::domain::SellerTables;

/// What an old configuration says, the gateway's file beside it included.
#[derive(Default)]
pub(in crate::config) struct Old {
    /// In the order in which they are applied; of each key the first counts.
    pub(in crate::config) values: Vec<(Value, Place)>,
    pub(in crate::config) tables: SellerTables,
    pub(in crate::config) warnings: Vec<String>,
    /// `nightjob.exe.config: logpath`
    pub(in crate::config) ignored: Vec<String>,
    /// Keys that hold an address which may be the gateway's.
    pub(in crate::config) addresses: Vec<String>,
    /// The web.config that was read too.
    pub(in crate::config) beside: Option<String>,
}

/// Reads an old file, and the web.config beside it.
///
/// # Errors
///
/// Everything that is wrong in either.
pub(in crate::config) fn read(found: &Found, world: &World) -> Result<Old, Problems> {
    let mut old = Old::default();
    let own = one(found);
    let beside = if found.is_gateways() { Ok(None) } else { find::beside(found, world) };
    let gateways = match beside.map_err(|failure| Problems::one(&failure)) {
        Ok(Some(file)) => {
            old.beside = Some(file.name.clone());
            if file.is_xml {
                one(&file).map(|translated| Some((file, translated)))
            } else {
                let failure = crate::domain::Failure::new(
                    crate::domain::Exit::Config,
                    format!("{} is no XML", file.name),
                );
                Err(Problems::one(&failure.hint("it is not the gateway's; move it away")))
            }
        }
        Ok(None) => Ok(None),
        Err(problems) => Err(problems),
    };
    let (own, gateways) = match (own, gateways) {
        (Ok(own), Ok(gateways)) => (own, gateways),
        (Err(own), Err(gateways)) => return Err(own.and(gateways)),
        (Err(problems), _) | (_, Err(problems)) => return Err(problems),
    };
    old.add(found, own, |at| Place::File(at.clone()));
    if let Some((file, translated)) = gateways {
        let text = file.text.clone();
        let source = Source { name: &file.name, text: &text };
        old.add(&file, translated, |at| Place::Beside(source.origin(&Place::File(at.clone()))));
    }
    Ok(old)
}

impl Old {
    fn add(
        &mut self,
        found: &Found,
        translated: Translated,
        place: impl Fn(&std::ops::Range<usize>) -> Place,
    ) {
        for value in translated.values {
            let place = place(&value.at);
            match self.values.iter().find(|(earlier, _)| earlier.path == value.path) {
                // The gateway and its neighbours must agree on it (R018); a DSN is the same in all of them (R014).
                Some((earlier, _)) if earlier.text != value.text => self.warnings.push(format!(
                    "{}: `{}` is not the same as in the file beside it, which counts",
                    found.name, value.name
                )),
                Some(_) => {}
                None => self.values.push((value, place)),
            }
        }
        let SellerTables { sellers: _, wechat, alipay, partners, alipay_public_key, remarks } =
            translated.tables;
        let tables = &mut self.tables;
        tables.wechat.extend(wechat);
        tables.alipay.extend(alipay);
        tables.partners.extend(partners);
        tables.alipay_public_key = tables.alipay_public_key.take().or(alipay_public_key);
        tables.remarks.extend(remarks);
        self.warnings.extend(translated.warnings);
        self.ignored.extend(
            translated.ignored.iter().map(|name| format!("{}: {}", found.name, crate::channel::shown(name))),
        );
        self.addresses.extend(translated.addresses);
    }

    pub(in crate::config) fn has_accounts(&self) -> bool {
        !self.tables.wechat.is_empty() || !self.tables.alipay.is_empty() || !self.tables.partners.is_empty()
    }

    /// What to say where no key holds the gateway's address.
    pub(in crate::config) fn no_address(&self) -> Wrong {
        let maybe = match self.addresses.as_slice() {
            [] => String::new(),
            names => format!("; an address stands under `{}`", crate::channel::shown(&names.join("`, `"))),
        };
        let found =
            format!("the gateway's address is under none of the names {}{maybe}", ADDRESS_NAMES.join(", "));
        Wrong::new(
            found,
            "set NIGHTJOB_GATEWAY__URL, or NIGHTJOB_SELLERS__ROUTE=direct if the accounts have their own keys",
        )
    }
}

fn one(found: &Found) -> Result<Translated, Problems> {
    let mut findings = Findings::new(Source { name: &found.name, text: &found.text });
    let translated = match xml::read(&found.text) {
        Ok(written) => {
            let source = Source { name: &found.name, text: &found.text };
            let mut translated = translate(&written, &source, found.is_gateways());
            for (at, wrong) in std::mem::take(&mut translated.wrong) {
                findings.add(&Place::File(at), wrong);
            }
            Some(translated)
        }
        Err((at, wrong)) => {
            findings.add(&Place::File(at), wrong);
            None
        }
    };
    match translated.filter(|_| findings.len() == 0) {
        Some(translated) => Ok(translated),
        None => Err(findings.into_problems()),
    }
}
