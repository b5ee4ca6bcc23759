//! A row of EB_PAYLOG that owns its texts, and the columns by name (`spec/ttpay.md`, R050).

use crate::paylog::LogRow;

/// The columns in the order in which they are read and written.
pub(in crate::store) const COLUMNS: [&str; 13] = [
    "REQ_TXDATE",
    "REQ_MALLID",
    "REQ_STORECODE",
    "REQ_SHOP_CODE",
    "REQ_TILLID",
    "REQ_CASHIERNO",
    "REQ_DATE",
    "REQ_OBJ",
    "REQ_ACTION",
    "REQ_TYPE",
    "RES_ERR",
    "RES_MSG",
    "RES_OBJ",
];
/// Places in [`COLUMNS`].
pub(in crate::store) const REQ_DATE: usize = 6;
pub(in crate::store) const REQ_OBJ: usize = 7;
pub(in crate::store) const RES_OBJ: usize = 12;

/// A row of the log that outlives its batch. NULL is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedLogRow {
    pub row_id: i64,
    pub req_txdate: String,
    pub req_mallid: String,
    pub req_storecode: String,
    pub req_shop_code: String,
    pub req_tillid: String,
    pub req_cashierno: String,
    pub req_date: String,
    pub req_obj: String,
    pub req_action: String,
    pub req_type: String,
    pub res_err: String,
    pub res_msg: String,
    pub res_obj: String,
}

impl OwnedLogRow {
    pub fn as_row(&self) -> LogRow<'_> {
        row_of(self.row_id, self.texts())
    }

    /// In the order of [`COLUMNS`].
    pub(in crate::store) fn texts(&self) -> [&str; 13] {
        [
            &self.req_txdate,
            &self.req_mallid,
            &self.req_storecode,
            &self.req_shop_code,
            &self.req_tillid,
            &self.req_cashierno,
            &self.req_date,
            &self.req_obj,
            &self.req_action,
            &self.req_type,
            &self.res_err,
            &self.res_msg,
            &self.res_obj,
        ]
    }
}

impl From<&LogRow<'_>> for OwnedLogRow {
    fn from(row: &LogRow<'_>) -> OwnedLogRow {
        OwnedLogRow {
            row_id: row.row_id,
            req_txdate: row.req_txdate.to_owned(),
            req_mallid: row.req_mallid.to_owned(),
            req_storecode: row.req_storecode.to_owned(),
            req_shop_code: row.req_shop_code.to_owned(),
            req_tillid: row.req_tillid.to_owned(),
            req_cashierno: row.req_cashierno.to_owned(),
            req_date: row.req_date.to_owned(),
            req_obj: row.req_obj.to_owned(),
            req_action: row.req_action.to_owned(),
            req_type: row.req_type.to_owned(),
            res_err: row.res_err.to_owned(),
            res_msg: row.res_msg.to_owned(),
            res_obj: row.res_obj.to_owned(),
        }
    }
}

/// A row of texts in the order of [`COLUMNS`].
pub(in crate::store) fn row_of<'a>(row_id: i64, texts: [&'a str; 13]) -> LogRow<'a> {
    let [
        req_txdate,
        req_mallid,
        req_storecode,
        req_shop_code,
        req_tillid,
        req_cashierno,
        req_date,
        req_obj,
        req_action,
        req_type,
        res_err,
        res_msg,
        res_obj,
    ] = texts;
    LogRow {
        row_id,
        req_txdate,
        req_mallid,
        req_storecode,
        req_shop_code,
        req_tillid,
        req_cashierno,
        req_date,
        req_obj,
        req_action,
        req_type,
        res_err,
        res_msg,
        res_obj,
    }
}
