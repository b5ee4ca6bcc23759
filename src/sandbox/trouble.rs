//! What can be wrong with Alipay's bill itself: inside its files, and with the zip around them.

/// What is wrong inside a detail file, everything else being as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spoil {
    /// A row of a type that no document knows.
    UnknownType,
    /// `1,234.50` in an amount, its comma written full-width as everywhere in the file.
    GroupedAmount,
    /// `１２.００`
    FullWidthAmount,
    /// `1e3`
    ExponentAmount,
    /// `NaN`
    NotANumber,
    /// `0.005`
    ThirdDecimal,
    /// An amount of twenty digits.
    HugeAmount,
    /// `24:00:00`
    ImpossibleTime,
    /// 30 February.
    ImpossibleDate,
    /// The row of another day under the right frame.
    RowOfAnotherDay,
    /// A column is missing, header and rows.
    ColumnMissing,
    /// A column that is new, at the end. (To be accepted.)
    ColumnAdded,
    /// The header of the order amount has another name.
    ColumnRenamed,
    /// Two columns changed places, header and rows. (To be accepted.)
    ColumnsSwapped,
    /// No line of totals.
    TotalsMissing,
    /// The line of totals twice.
    TotalsTwice,
    /// One payment more in the totals than in the rows.
    CountOff,
    /// The total of refunds is off by a fen.
    RefundTotalOff,
    /// A row stands twice. (A mismatch, no damage, were it not for the totals.)
    RowTwice,
    /// A NUL within a cell.
    NulByte,
    /// A cell of a megabyte.
    LongCell,
    /// A quote that is never closed. (To be accepted: nothing is quoted in this file.)
    UnclosedQuote,
    /// Only the old end of lines, a bare CR.
    OnlyCarriageReturns,
    /// The whole month in the frame.
    MonthBill,
    /// The summary file states another total.
    SummaryDisagrees,
}

impl Spoil {
    pub const ALL: [Spoil; 25] = [
        Spoil::UnknownType,
        Spoil::GroupedAmount,
        Spoil::FullWidthAmount,
        Spoil::ExponentAmount,
        Spoil::NotANumber,
        Spoil::ThirdDecimal,
        Spoil::HugeAmount,
        Spoil::ImpossibleTime,
        Spoil::ImpossibleDate,
        Spoil::RowOfAnotherDay,
        Spoil::ColumnMissing,
        Spoil::ColumnAdded,
        Spoil::ColumnRenamed,
        Spoil::ColumnsSwapped,
        Spoil::TotalsMissing,
        Spoil::TotalsTwice,
        Spoil::CountOff,
        Spoil::RefundTotalOff,
        Spoil::RowTwice,
        Spoil::NulByte,
        Spoil::LongCell,
        Spoil::UnclosedQuote,
        Spoil::OnlyCarriageReturns,
        Spoil::MonthBill,
        Spoil::SummaryDisagrees,
    ];
}

/// What is wrong with a zip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ZipTrouble {
    /// A hundred megabytes of the same letter.
    Bomb,
    /// Two names for the bytes of one entry.
    Overlapping,
    /// A hundred thousand entries.
    ManyEntries,
    /// The detail under the name `../../evil.csv`.
    ParentPath,
    /// Under `C:\evil.csv`.
    DrivePath,
    /// Under `/evil.csv`.
    AbsolutePath,
    /// Under a name with a NUL in it.
    NulName,
    /// Under `CON`.
    DeviceName,
    /// The detail is a symbolic link.
    Symlink,
    /// The entries are marked as encrypted.
    Encrypted,
    /// Encrypted with AES, as personal exports are.
    Aes,
    /// The detail twice.
    TwoDetails,
    /// An entry that is a folder beside the two files.
    Folder,
    /// A zip in a zip.
    Nested,
    /// The checksum of the detail is wrong.
    WrongChecksum,
    /// More bytes after the end.
    TrailingBytes,
    /// No central directory.
    NoDirectory,
    /// Empty zip.
    NoEntries,
    /// The detail alone, without summary.
    NoSummary,
    /// A bill in plain CSV, not zipped.
    NotZipped,
}

impl ZipTrouble {
    pub const ALL: [ZipTrouble; 20] = [
        ZipTrouble::Bomb,
        ZipTrouble::Overlapping,
        ZipTrouble::ManyEntries,
        ZipTrouble::ParentPath,
        ZipTrouble::DrivePath,
        ZipTrouble::AbsolutePath,
        ZipTrouble::NulName,
        ZipTrouble::DeviceName,
        ZipTrouble::Symlink,
        ZipTrouble::Encrypted,
        ZipTrouble::Aes,
        ZipTrouble::TwoDetails,
        ZipTrouble::Folder,
        ZipTrouble::Nested,
        ZipTrouble::WrongChecksum,
        ZipTrouble::TrailingBytes,
        ZipTrouble::NoDirectory,
        ZipTrouble::NoEntries,
        ZipTrouble::NoSummary,
        ZipTrouble::NotZipped,
    ];
}
