//! Reading millions of rows from SQLite: a prepared statement on the raw handle, stepped on the calling thread.
//!
//! The one file of the house with `unsafe`. It reads only; bulk *writing* needs none of it (see `image.rs`).
//! What it never does: keep a pointer beyond the row it came from, share a handle, leave a statement open.
//!
//! # Why
//!
//! sqlx sends each row through a channel and copies each value: measured, a million rows of three columns took
//! 1.2 s, while SQLite itself steps over a million rows of thirteen columns and 1.2 KB in less than that. The
//! log is read with all its texts every night, so this is the slowest part of the night if it is done row by row.
//!
//! # Safety, for the whole file
//!
//! - [`LockedSqliteHandle`] guarantees that sqlx's worker thread makes no call on this connection while it lives;
//!   a [`Query`] borrows it mutably, so there is one user of the connection at any time.
//! - The statement is finalized when the [`Query`] is dropped, before the handle is given back.
//! - A [`Row`] borrows its [`Query`] mutably, so no step can happen while a text of the row is in use.
//! - Texts are read with `sqlite3_column_text` and then `sqlite3_column_bytes`, in that order, and by no other
//!   accessor, so that no conversion moves a text that was handed out. (<https://sqlite.org/c3ref/column_blob.html>)

#![expect(unsafe_code, reason = "rows by the million: see `Why` and `Safety` in the header")]

use std::ffi::{CStr, c_int};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use libsqlite3_sys as ffi;
use sqlx::sqlite::LockedSqliteHandle;

/// What SQLite said: its extended code and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct RawError {
    pub(in crate::store) code: i32,
    pub(in crate::store) message: String,
}

/// A prepared statement on a connection that this thread holds.
pub(in crate::store) struct Query<'h> {
    statement: NonNull<ffi::sqlite3_stmt>,
    database: NonNull<ffi::sqlite3>,
    columns: c_int,
    handle: PhantomData<&'h mut ()>,
}

impl<'h> Query<'h> {
    /// # Errors
    ///
    /// What SQLite says of the text, or that it holds no statement.
    pub(in crate::store) fn prepare(
        handle: &'h mut LockedSqliteHandle<'_>,
        sql: &str,
    ) -> Result<Query<'h>, RawError> {
        let database = handle.as_raw_handle();
        let length = c_int::try_from(sql.len())
            .map_err(|_| RawError { code: ffi::SQLITE_TOOBIG, message: "statement too long".to_owned() })?;
        let mut statement = ptr::null_mut();
        // SAFETY: the handle is open and ours while `handle` is borrowed; `sql` is `length` bytes long and is read
        // during the call only; `statement` is a place for one pointer.
        let code = unsafe {
            ffi::sqlite3_prepare_v2(
                database.as_ptr(),
                sql.as_ptr().cast(),
                length,
                &raw mut statement,
                ptr::null_mut(),
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(last_error(database, code));
        }
        let statement = NonNull::new(statement)
            .ok_or_else(|| RawError { code: ffi::SQLITE_MISUSE, message: "no statement".to_owned() })?;
        // SAFETY: the statement was just made and is not finalized.
        let columns = unsafe { ffi::sqlite3_column_count(statement.as_ptr()) };
        Ok(Query { statement, database, columns, handle: PhantomData })
    }

    /// Binds a text; SQLite keeps its own copy. `index` counts from 1.
    pub(in crate::store) fn bind_text(&mut self, index: c_int, text: &str) -> Result<(), RawError> {
        let length = c_int::try_from(text.len())
            .map_err(|_| RawError { code: ffi::SQLITE_TOOBIG, message: "text too long".to_owned() })?;
        // SAFETY: the statement is live; `text` is `length` bytes long; SQLITE_TRANSIENT makes SQLite copy it
        // before the call returns.
        let code = unsafe {
            ffi::sqlite3_bind_text(
                self.statement.as_ptr(),
                index,
                text.as_ptr().cast(),
                length,
                ffi::SQLITE_TRANSIENT(),
            )
        };
        self.checked(code)
    }

    /// Binds a number. `index` counts from 1.
    pub(in crate::store) fn bind_integer(&mut self, index: c_int, value: i64) -> Result<(), RawError> {
        // SAFETY: the statement is live.
        let code = unsafe { ffi::sqlite3_bind_int64(self.statement.as_ptr(), index, value) };
        self.checked(code)
    }

    /// The next row; `None` after the last.
    pub(in crate::store) fn next_row(&mut self) -> Result<Option<Row<'_>>, RawError> {
        // SAFETY: the statement is live, and no `Row` of it exists, because a `Row` borrows `self` mutably.
        match unsafe { ffi::sqlite3_step(self.statement.as_ptr()) } {
            ffi::SQLITE_ROW => {
                Ok(Some(Row { statement: self.statement, columns: self.columns, query: PhantomData }))
            }
            ffi::SQLITE_DONE => Ok(None),
            code => Err(last_error(self.database, code)),
        }
    }

    fn checked(&self, code: c_int) -> Result<(), RawError> {
        if code == ffi::SQLITE_OK { Ok(()) } else { Err(last_error(self.database, code)) }
    }
}

impl Drop for Query<'_> {
    fn drop(&mut self) {
        // SAFETY: the statement is live and is never used again. The result repeats the last step's error, which
        // was already handed out.
        unsafe { ffi::sqlite3_finalize(self.statement.as_ptr()) };
    }
}

/// One row, valid until the next one is asked for. Columns count from 0.
pub(in crate::store) struct Row<'q> {
    statement: NonNull<ffi::sqlite3_stmt>,
    columns: c_int,
    query: PhantomData<&'q mut ()>,
}

impl<'q> Row<'q> {
    /// The bytes of a text as stored (UTF-8 unless someone stored something else); NULL is empty.
    pub(in crate::store) fn text(&self, column: c_int) -> &'q [u8] {
        self.check(column);
        // SAFETY: the statement stands on a row (a `Row` exists only then) and the column is in range. The pointer
        // is valid for `sqlite3_column_bytes` bytes until the next step, which `'q` excludes.
        unsafe {
            let start = ffi::sqlite3_column_text(self.statement.as_ptr(), column);
            if start.is_null() {
                return &[];
            }
            let length = ffi::sqlite3_column_bytes(self.statement.as_ptr(), column);
            std::slice::from_raw_parts(start, usize::try_from(length).unwrap_or(0))
        }
    }

    /// A number; NULL is `None`. Do not read the same column as a text.
    pub(in crate::store) fn integer(&self, column: c_int) -> Option<i64> {
        self.check(column);
        // SAFETY: as in `text`; neither call hands out a pointer.
        unsafe {
            if ffi::sqlite3_column_type(self.statement.as_ptr(), column) == ffi::SQLITE_NULL {
                return None;
            }
            Some(ffi::sqlite3_column_int64(self.statement.as_ptr(), column))
        }
    }

    fn check(&self, column: c_int) {
        assert!((0..self.columns).contains(&column), "column {column} of {}", self.columns);
    }
}

/// What SQLite says about the failure that just happened on this connection.
fn last_error(database: NonNull<ffi::sqlite3>, code: c_int) -> RawError {
    // SAFETY: the connection is open; the message is NUL-terminated and valid until the next call on the
    // connection, and it is copied here.
    let message = unsafe {
        let text = ffi::sqlite3_errmsg(database.as_ptr());
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    };
    RawError { code, message }
}
