//! Which file to ask for.

use crate::channel::{Ask, FileAsk, Heard, Need, Step, shown};
use crate::domain::{Account, Errand, Exit, Failure, Stamp};
use crate::format::columns;

pub(super) const NEEDS: &[Need] = &[
    Need::required("path"),
    Need::one_of("layout", "auto", LAYOUTS),
    Need::option("sub_merchant", ""),
    Need::option("columns", ""),
];

const LAYOUTS: &[&str] = &[
    "auto",
    "wechat_bill",
    "alipay_bill",
    "alipay_mapi_csv",
    "overseas_v2",
    "overseas_v3",
    "forex",
    "columns",
];

pub(super) fn check(account: &Account) -> Result<(), Failure> {
    check_path(account)?;
    let fail =
        |why: &str| Err(Failure::new(Exit::Config, format!("account `{}`: `columns`: {why}", account.name)));
    match (account.option("layout"), account.option("columns").trim()) {
        ("columns", map) => columns::Map::parse(map).map(drop).or_else(|why| fail(&why)),
        (_, "") => Ok(()),
        _ => fail("it goes with `layout = \"columns\"` only"),
    }
}

/// Whether `path` is a pattern that can be filled in.
///
/// # Errors
///
/// [`Exit::Config`], naming what is wrong with it.
pub(in crate::channel) fn check_path(account: &Account) -> Result<(), Failure> {
    let path = account.option("path").trim();
    let fail =
        |why: &str| Err(Failure::new(Exit::Config, format!("account `{}`: `path`: {why}", account.name)));
    if path.is_empty() {
        return fail("it is empty");
    }
    let filled = filled(path, ["", "", ""]);
    if let Some(at) = filled.find(['{', '}']) {
        return fail(&format!(
            "`{}` is none of {{paytype}}, {{merchant}}, {{date}}",
            filled[at..].split_inclusive('}').next().unwrap_or_default()
        ));
    }
    let folder = path.rfind(['/', '\\']).map_or("", |at| &path[..at]);
    if folder.contains('*') {
        return fail("a `*` may stand in the file's name only, not in a folder's");
    }
    Ok(())
}

fn filled(path: &str, [pay_type, merchant, date]: [&str; 3]) -> String {
    path.replace("{paytype}", pay_type).replace("{merchant}", merchant).replace("{date}", date)
}

pub(in crate::channel) fn next(errand: &Errand, heard: &[Heard], _stamp: &Stamp) -> Step {
    let account = &errand.account;
    match heard {
        [] => {
            let date = errand.date.compact();
            let path = account.option("path").trim();
            let mut pattern = filled(path, [account.pay_type().as_str(), &account.merchant, &date]);
            if pattern.ends_with('/') {
                pattern.push('*');
            }
            Step::Ask(Ask::File(FileAsk { pattern }))
        }
        [.., file] => match file.status {
            200 if file.len == 0 => Step::Rejected(format!("{} is an empty file", file.source)),
            200 => Step::Statement,
            404 => Step::NotReady(format!("there is no file {}", file.source)),
            _ => Step::Rejected(format!(
                "{} fits several files and must fit one: {}",
                file.source,
                shown(&String::from_utf8_lossy(&file.head).replace('\n', ", "))
            )),
        },
    }
}
