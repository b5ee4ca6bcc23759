//! Files written page by page, read by SQLite itself.

use std::io::{Cursor, Seek, SeekFrom, Write};

use super::*;
use crate::store::sqlite::image::Image;
use crate::store::sqlite::record::Value;

const CREATE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, number INTEGER, text TEXT)";

async fn check(page_size: usize, rows: &[(i64, Option<i64>, String)]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.db");
    let mut image = Image::new(Cursor::new(Vec::new()), page_size).unwrap();
    for (id, number, text) in rows {
        let number = number.map_or(Value::Null, Value::Integer);
        image.row(*id, &[Value::Null, number, Value::Text(text.as_bytes())]).unwrap();
    }
    assert_eq!(image.rows(), rows.len() as u64);
    std::fs::write(&path, image.finish("t", CREATE).unwrap().into_inner()).unwrap();
    let mut connection = SqliteConnectOptions::new().filename(&path).read_only(true).connect().await.unwrap();
    let health: String =
        sqlx::query("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(health, "ok", "{page_size} bytes, {} rows", rows.len());
    let found =
        sqlx::query("SELECT id, number, text FROM t ORDER BY id").fetch_all(&mut connection).await.unwrap();
    assert_eq!(found.len(), rows.len());
    for (row, expected) in found.iter().zip(rows) {
        assert_eq!((row.get(0), row.get(1), row.get(2)), expected.clone());
    }
    for (id, _, text) in rows.iter().step_by(7) {
        let sql = "SELECT text FROM t WHERE id = ?1";
        let row = sqlx::query(sql).bind(id).fetch_one(&mut connection).await.unwrap();
        assert_eq!(&row.get::<String, _>(0), text, "row {id} by its id");
    }
}

#[tokio::test]
async fn sqlite_reads_what_was_written_at_every_size_of_page_and_row() {
    let mut random = fastrand::Rng::with_seed(3);
    for page_size in [512, 4096, 65_536] {
        for count in [0, 1, 2, 3, 300, 3_000] {
            let mut id = random.i64(-5..5);
            let mut rows = Vec::new();
            for _ in 0..count {
                let length = random.choice([0, 1, 30, 56, 57, 58, 120, 450]).unwrap();
                rows.push((
                    id,
                    random.bool().then(|| random.i64(..) >> random.u32(0..64)),
                    "文x".repeat(length),
                ));
                id += random.choice([1, 1, 1, 2, 1 << 20, 1 << 40]).unwrap();
            }
            check(page_size, &rows).await;
        }
    }
}

/// One leaf more than fits under the pages above gave a page with one child and no cell.
#[tokio::test]
async fn a_tree_with_one_leaf_too_many_is_not_malformed() {
    let fan_out = (512 - 12) / 15 + 1;
    for leaves in
        (1..=3 * fan_out + 2).chain([fan_out * fan_out, fan_out * fan_out + 1, (fan_out - 1) * fan_out + 1])
    {
        let rows: Vec<_> = (0..leaves).map(|id| (id, None, "w".repeat(400))).collect();
        check(512, &rows).await;
    }
}

#[tokio::test]
async fn rows_around_the_edge_of_a_page_and_much_longer_ones() {
    for page_size in [512_usize, 4096, 65_536] {
        let lengths = (page_size - 70..page_size + 70).chain((1..9).map(|pages| pages * (page_size - 4) + 3));
        let rows: Vec<_> =
            (1..).zip(lengths).map(|(id, length)| (id, Some(id), "y".repeat(length))).collect();
        check(page_size, &rows).await;
    }
}

#[tokio::test]
async fn numbers_of_every_width() {
    let edges = (0..63).flat_map(|bit| [-1, 0, 1].map(|by| (1_i64 << bit) + by));
    let numbers: Vec<i64> = edges.flat_map(|n| [n, -n]).chain([i64::MAX, i64::MIN, 0]).collect();
    let rows: Vec<_> = (0..).zip(numbers).map(|(id, n)| (id, Some(n), String::new())).collect();
    check(4096, &rows).await;
    let far = [i64::MIN, i64::MIN + 1, -1, 0, 127, 128, 16_383, 16_384, 1 << 56, i64::MAX];
    check(512, &far.map(|id| (id, None, "z".repeat(40)))).await;
}

/// Leaves holes where zeros would be written, so that a gigabyte of rows costs the disk nothing.
struct Sparse(std::fs::File);

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let block = &bytes[..bytes.len().min(4096)];
        if block == &[0; 4096][..block.len()] {
            self.0.seek_relative(i64::try_from(block.len()).unwrap())?;
            return Ok(block.len());
        }
        self.0.write(block)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

/// The page with the byte at 1 GiB must stay unused.
#[tokio::test]
async fn the_page_that_sqlite_locks_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.db");
    let mut image = Image::new(Sparse(std::fs::File::create(&path).unwrap()), 65_536).unwrap();
    let text = vec![0; 60_000];
    let count: i64 = (1 << 30) / 65_536 + 40;
    for id in 0..count {
        image.row(id, &[Value::Null, Value::Integer(id), Value::Text(&text)]).unwrap();
    }
    image.finish("t", CREATE).unwrap();
    let mut connection = SqliteConnectOptions::new().filename(&path).read_only(true).connect().await.unwrap();
    let row = sqlx::query("SELECT count(*), sum(number), sum(length(CAST(text AS BLOB))) FROM t")
        .fetch_one(&mut connection)
        .await;
    let row = row.unwrap();
    assert_eq!((row.get(0), row.get(1), row.get(2)), (count, count * (count - 1) / 2, count * 60_000));
    let health: String = sqlx::query("PRAGMA quick_check").fetch_one(&mut connection).await.unwrap().get(0);
    assert_eq!(health, "ok");
}

/// If the shapes ever differ, SQLite takes every record apart again, and a load takes four times as long.
#[tokio::test]
async fn records_are_moved_whole() {
    let home = Home::new();
    home.open().await.close().await;
    let mut connection = home.connect().await;
    for (table, create) in [
        ("ledger_entry", crate::store::ledger::schema::LEDGER_ENTRY),
        ("logged_order", crate::store::ledger::schema::LOGGED_ORDER),
    ] {
        let setup = create
            .create(crate::store::ledger::schema::Dialect::Sqlite)
            .replace("CREATE TABLE ", "ATTACH ':memory:' AS incoming; CREATE TABLE incoming.");
        sqlx::raw_sql(AssertSqlSafe(setup)).execute(&mut connection).await.unwrap();
        let sql = format!("EXPLAIN INSERT INTO main.{table} SELECT * FROM incoming.{table}");
        let steps = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let names: Vec<String> = steps.iter().map(|row| row.get("opcode")).collect();
        assert!(names.iter().any(|name| name == "RowCell"), "{names:?}");
        sqlx::raw_sql("DETACH incoming").execute(&mut connection).await.unwrap();
    }
}
