//! Stored notifications: read, proven with the accounts' keys, and told to a gatherer or to a person.

use std::ops::Range;

use crate::channel;
use crate::config::PayLogSettings;
use crate::domain::{Account, Failure, Lang, Moment};
use crate::paylog::{Gathered, Gatherer, Notice, Seal};
use crate::report::explain::LogStory;
use crate::store::{NoticeRow, read_notices};

/// What notifications of a window prove, beside the log. Older ones are heard only if they say that money was held then:
/// it may be released now.
pub(super) async fn gather(
    settings: &PayLogSettings,
    window: Range<Moment>,
    gatherer: Gatherer,
    accounts: Vec<Account>,
) -> Result<Option<Gathered>, Failure> {
    if settings.notices.is_empty() {
        return Ok(None);
    }
    let show = move |gatherer: &mut Gatherer, row: &NoticeRow<'_>| {
        let at = Moment::parse(row.at.trim());
        if at.is_some_and(|at| at >= window.end) {
            return;
        }
        let old = at.is_some_and(|at| at < window.start);
        // Nobody's key is needed to see that an old one is of no interest.
        if old && !channel::notice::read(row.number, at, row.body, &[]).is_held() {
            return;
        }
        gatherer.push_notice(&channel::notice::read(row.number, at, row.body, &accounts));
    };
    let gatherer =
        read_notices(&settings.notices, (&settings.database, &settings.schema), gatherer, show).await?;
    Ok(Some(gatherer.finish()))
}

/// Notifications about one order, told beside its log rows.
pub(super) async fn tell(
    settings: &PayLogSettings,
    accounts: Vec<Account>,
    numbers: Vec<String>,
    lang: Lang,
) -> Result<Vec<LogStory>, Failure> {
    if settings.notices.is_empty() {
        return Ok(Vec::new());
    }
    let show = move |told: &mut Vec<LogStory>, row: &NoticeRow<'_>| {
        // Most are about other orders; their signatures need not be checked.
        if !numbers.iter().any(|number| row.body.contains(number.as_str())) {
            return;
        }
        let notice = channel::notice::read(row.number, Moment::parse(row.at.trim()), row.body, &accounts);
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        if notice.names(&numbers) {
            told.push(story(&notice, row, lang));
        }
    };
    read_notices(&settings.notices, (&settings.database, &settings.schema), Vec::new(), show).await
}

fn story(notice: &Notice, row: &NoticeRow<'_>, lang: Lang) -> LogStory {
    let seal = match notice.seal {
        Seal::Verified(_) => lang.pick("签名有效", "its signature is proven"),
        Seal::Unchecked => lang.pick("未验签，不采信", "its signature was not checked; it is not believed"),
        Seal::Broken => lang.pick("签名无效，不采信", "its signature is wrong; it is not believed"),
    };
    LogStory {
        row_id: notice.number,
        at: notice.at.map_or_else(|| row.at.to_owned(), |at| at.to_string()),
        req_type: notice.family.map_or("", |family| family.as_str()).to_owned(),
        action: lang.pick("通知", "notice").to_owned(),
        request: String::new(),
        reply: notice.told(),
        says: format!("{}{}{seal}", notice.says(lang), lang.pick("；", "; ")),
    }
}
