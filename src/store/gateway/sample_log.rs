//! The simulated gateway's log: an EB_PAYLOG in a new SQLite file, for the sandbox, tests and benches.
//!
//! It writes a file that the simulation owns, never a gateway's: an existing file is refused. Columns as in
//! `spec/ttpay.md`, R050, all TEXT, an index on REQ_DATE; an empty text is NULL, as Oracle keeps it.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use sqlx::Connection;

use super::log_row::{COLUMNS, OwnedLogRow};
use crate::domain::{Exit, Failure};
use crate::store::place::{At, Place};
use crate::store::sqlite;
use crate::store::sqlite::image::Image;
use crate::store::sqlite::record::Value;

/// Pages of the file: SQLite's own default.
const LOG_PAGE_BYTES: usize = 4096;

/// A log being written. [`finish`](SampleLog::finish) makes it a database.
pub struct SampleLog {
    image: Image<BufWriter<File>>,
    place: Place,
    next_id: i64,
}

impl SampleLog {
    /// # Errors
    ///
    /// [`Exit::Storage`] if the file exists already or cannot be made.
    pub fn create(path: &Path) -> Result<SampleLog, Failure> {
        let place = Place::Sqlite(path.to_owned());
        if path.exists() {
            let message =
                format!("{}: exists already; a sample log is only written to a new file", place.name());
            return Err(Failure::new(Exit::Storage, message).hint("name another file or remove this one"));
        }
        sqlite::prepare_folder(&place)?;
        let file = sqlite::new_private_file(path).at(&place, "making the sample log")?;
        let image = Image::new(BufWriter::with_capacity(0, file), LOG_PAGE_BYTES);
        Ok(SampleLog { image: image.at(&place, "writing the sample log")?, place, next_id: 1 })
    }

    /// Adds rows in their order; their own `row_id` is not used. Blocks: it writes.
    pub fn insert(&mut self, rows: impl IntoIterator<Item = OwnedLogRow>) -> Result<(), Failure> {
        for row in rows {
            let values = row.texts().map(|text| match text {
                "" => Value::Null,
                text => Value::Text(text.as_bytes()),
            });
            self.image.row(self.next_id, &values).at(&self.place, "writing the sample log")?;
            self.next_id += 1;
        }
        Ok(())
    }

    /// Completes the file and builds its index. The number of rows.
    pub async fn finish(self) -> Result<u64, Failure> {
        let SampleLog { image, place, .. } = self;
        let rows = image.rows();
        let home = place.clone();
        sqlite::blocking(move || {
            let columns: Vec<String> = COLUMNS.iter().map(|column| format!("{column} TEXT")).collect();
            let create = format!("CREATE TABLE EB_PAYLOG ({})", columns.join(", "));
            image.finish("EB_PAYLOG", &create).at(&home, "writing the sample log").map(drop)
        })
        .await?;
        let mut connection = sqlite::connect(&sqlite::sample_options(place.path()), &place).await?;
        sqlx::query("CREATE INDEX EB_PAYLOG_REQ_DATE ON EB_PAYLOG (REQ_DATE)")
            .execute(&mut connection)
            .await
            .at(&place, "building the index of the sample log")?;
        connection.close().await.at(&place, "closing the sample log")?;
        Ok(rows)
    }
}
