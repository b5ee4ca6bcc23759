//! Stored notices: files of both kinds and a table, each row once and in its order.

use super::*;
use crate::domain::Exit;

async fn shown(source: &str, database: &str) -> Result<Vec<String>, crate::domain::Failure> {
    read_notices(source, (database, ""), Vec::new(), |told: &mut Vec<String>, row| {
        told.push(format!("{} {} {}", row.number, row.at, row.body));
    })
    .await
}

fn file(home: &Home, text: impl AsRef<[u8]>) -> String {
    std::fs::create_dir_all(home.path.parent().unwrap()).unwrap();
    let path = home.path.with_file_name("notices");
    std::fs::write(&path, text).unwrap();
    format!("file:{}", path.display())
}

#[tokio::test]
async fn json_lines_and_csv_say_the_same() {
    let home = Home::new();
    let json = "\u{feff}{\"at\":\"2016-11-08 09:00:05\",\"body\":\"a=1&b=\"}\r\n\n{\"body\":\"<xml>\\n</xml>\",\"REQ_DATE\":\"2016-11-08 09:00:06\"}";
    assert_eq!(
        shown(&file(&home, json), "").await.unwrap(),
        ["1 2016-11-08 09:00:05 a=1&b=", "3 2016-11-08 09:00:06 <xml>\n</xml>"]
    );
    let csv =
        "\u{feff}id,Body,AT\r\n7,a=1&b=,2016-11-08 09:00:05\r\n8,\"<xml>\n</xml>\",2016-11-08 09:00:06\r\n";
    assert_eq!(
        shown(&file(&home, csv), "").await.unwrap(),
        ["1 2016-11-08 09:00:05 a=1&b=", "2 2016-11-08 09:00:06 <xml>\n</xml>"]
    );
    assert_eq!(shown(&file(&home, "at,body\n"), "").await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn lines_that_cannot_be_read_are_shown_empty() {
    let home = Home::new();
    let long = "x".repeat(2 << 20);
    let text = format!(
        "{{\"at\":\"1\"}}\n{{\"at\":\"2\",\"body\":\"{long}\"}}\nnonsense\n{{\"at\":\"4\",\"body\":\"b\"}}"
    );
    assert_eq!(shown(&file(&home, text), "").await.unwrap(), ["1  ", "2  ", "3  ", "4 4 b"]);
    let csv = format!("at,body\n1\n2,{long}\n3,b\n");
    assert_eq!(shown(&file(&home, csv), "").await.unwrap(), ["1 1 ", "2 2 ", "3 3 b"]);
}

#[tokio::test]
async fn a_table_of_the_logs_database() {
    let home = Home::new();
    std::fs::create_dir_all(home.path.parent().unwrap()).unwrap();
    home.execute(
        "CREATE TABLE eb_notice (ID INTEGER, BODY TEXT, REQ_DATE TEXT);
         INSERT INTO eb_notice VALUES (1, 'second', '2016-11-08 09:00:06'), (2, 'first', '2016-11-08 09:00:05'), (3, NULL, NULL)",
    )
    .await;
    assert_eq!(
        shown("table:EB_NOTICE", &home.url()).await.unwrap(),
        ["1  ", "2 2016-11-08 09:00:05 first", "3 2016-11-08 09:00:06 second"]
    );
    home.execute("CREATE TABLE other (body TEXT)").await;
    for (source, words) in
        [("table:NOBODY", "there is no table NOBODY"), ("table:other", "need the columns `at`")]
    {
        let failure = shown(source, &home.url()).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Config, "{source}");
        assert!(failure.message.contains(words), "{}", failure.message);
    }
}

#[tokio::test]
async fn a_file_that_is_none_is_named() {
    let home = Home::new();
    for (source, words) in [
        (format!("file:{}", home.path.display()), "there is no such file"),
        (file(&home, "time,text\n1,2\n"), "need the columns `at`"),
        (file(&home, ""), "need the columns `at`"),
    ] {
        let failure = shown(&source, "").await.unwrap_err();
        assert_eq!(failure.exit, Exit::Config, "{source}");
        assert!(failure.message.contains(words), "{}", failure.message);
    }
}
