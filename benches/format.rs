//! Bytes to `Statement`, for both layouts, beside the csv crate's bare tokenizer on the same bytes.
//!
//! `cargo bench --bench format`; `NIGHTJOB_BENCH_ROWS=570000` for a bill of 160 MB. The tokenizer only finds cells
//! (and wrong ones, for neither layout is what it expects); the readers decode, check, read amounts and times and
//! prove the totals.

#[path = "../tests/format/bills.rs"]
mod bills;

use std::sync::LazyLock;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use nightjob::domain::{BillDate, Statement};
use nightjob::format::{Asked, ReadError, alipay_bill, wechat_bill};

fn main() {
    divan::main();
}

const ROWS_DEFAULT: usize = 20_000;

static ROWS: LazyLock<usize> = LazyLock::new(|| {
    std::env::var("NIGHTJOB_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROWS_DEFAULT)
});
static WECHAT: LazyLock<Vec<u8>> = LazyLock::new(|| bills::wechat(&bills::day(*ROWS)).into_bytes());
static ALIPAY: LazyLock<Vec<u8>> =
    LazyLock::new(|| encoding_rs::GB18030.encode(&bills::alipay(&bills::day(*ROWS))).0.into_owned());

fn readers(
    bencher: Bencher<'_, '_>,
    raw: &'static [u8],
    read: impl Fn(Vec<u8>) -> Result<Statement, ReadError> + Sync,
) {
    bencher
        .with_inputs(|| raw.to_vec())
        .input_counter(|raw| BytesCount::of_slice(raw.as_slice()))
        .counter(ItemsCount::new(*ROWS))
        .bench_values(|raw| {
            let statement = read(raw).expect("the bill is whole");
            assert_eq!(statement.entries().len(), *ROWS);
            statement
        });
}

fn tokenizer(bencher: Bencher<'_, '_>, raw: &'static [u8], quoting: bool) {
    bencher.counter(BytesCount::of_slice(raw)).counter(ItemsCount::new(*ROWS)).bench(|| {
        let mut builder = csv::ReaderBuilder::new();
        let mut reader =
            builder.has_headers(false).flexible(true).quoting(quoting).from_reader(black_box(raw));
        let mut record = csv::ByteRecord::new();
        let mut cells = 0;
        while reader.read_byte_record(&mut record).expect("bytes in memory") {
            cells += record.len();
        }
        cells
    });
}

fn asked(merchant: &str) -> Asked<'_> {
    Asked { merchant, sub_merchant: "", date: BillDate::parse("2024-03-07").expect("a date") }
}

// One bill at a time: a sample of several large ones would measure the memory.
#[divan::bench(sample_count = 25, sample_size = 1)]
fn wechat_bill_read(bencher: Bencher<'_, '_>) {
    readers(bencher, &WECHAT, |raw| wechat_bill::read(&asked(bills::MERCHANT), raw));
}

#[divan::bench(sample_count = 25, sample_size = 1)]
fn wechat_csv_tokenizer(bencher: Bencher<'_, '_>) {
    tokenizer(bencher, &WECHAT, false);
}

#[divan::bench(sample_count = 25, sample_size = 1)]
fn alipay_bill_read(bencher: Bencher<'_, '_>) {
    readers(bencher, &ALIPAY, |raw| alipay_bill::read(&asked(bills::PID), raw));
}

#[divan::bench(sample_count = 25, sample_size = 1)]
fn alipay_csv_tokenizer(bencher: Bencher<'_, '_>) {
    tokenizer(bencher, &ALIPAY, true);
}
