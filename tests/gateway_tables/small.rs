//! The small tables: EB_SELLER* and stored notices.

use nightjob::store::{NoticeRow, read_notices, read_sellers};

use crate::logs::{odbc, runtime};
use crate::servers;

const TABLES: &str = "CREATE TABLE EB_SELLER (EB_SELLER_ID varchar(20), EB_SELLER_NAME varchar(90));
    CREATE TABLE EB_SELLER_WX (EB_SELLER_ID varchar(20), AppId varchar(64), MCH_ID numeric(12));
    INSERT INTO EB_SELLER VALUES ('8888', '一店');
    INSERT INTO EB_SELLER_WX VALUES ('8888', 'wx0001', 1900012345);
    CREATE TABLE eb_notice (ID int, BODY varchar(2000), REQ_DATE TIMESTAMP NULL);
    INSERT INTO eb_notice VALUES (1, '第二', '2016-11-08 09:00:06'), (2, 'first', '2016-11-08 09:00:05')";

#[test]
fn sellers_and_notices_are_read_from_each_engine() {
    let (postgres, mysql) = (servers::postgres(), servers::mysql());
    postgres.execute(TABLES);
    mysql.execute(&format!(
        "ALTER DATABASE {} CHARACTER SET utf8mb4; SET time_zone = '+08:00'; {TABLES}",
        mysql.name
    ));
    let urls =
        [postgres.url.clone(), mysql.url.clone(), odbc("postgres", &postgres), odbc("mariadb", &mysql)];
    let told: Vec<String> = urls
        .iter()
        .map(|url| {
            let tables = runtime().block_on(read_sellers(url, "")).unwrap_or_else(|f| panic!("{url}: {f:?}"));
            assert_eq!((tables.sellers.len(), tables.wechat.len()), (1, 1), "{url}");
            format!("{tables:?}")
        })
        .collect();
    assert!(told[0].contains("1900012345") && told[0].contains("8888"), "{}", told[0]);
    assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");
    for url in &urls {
        let show = |told: &mut Vec<String>, row: &NoticeRow<'_>| {
            told.push(format!("{} {} {}", row.number, row.at, row.body));
        };
        let read = read_notices("table:EB_NOTICE", (url, ""), Vec::new(), show);
        let told = runtime().block_on(read).unwrap_or_else(|failure| panic!("{url}: {failure:?}"));
        assert_eq!(told, ["1 2016-11-08 09:00:05 first", "2 2016-11-08 09:00:06 第二"], "{url}");
    }
}
