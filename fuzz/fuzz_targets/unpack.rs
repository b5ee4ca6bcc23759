//! Arbitrary bytes as a file: unpacked or refused, never a panic, never more text than the limits allow.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nightjob::format::unpack::{RATIO_FREE, RATIO_MAX, unpack};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(parts) = unpack(bytes.to_vec()) {
        // GB18030 grows by half at most when it becomes UTF-8; three times is beyond doubt.
        let text: u64 = parts.iter().map(|part| part.text.len() as u64).sum();
        assert!(text <= 3 * RATIO_FREE.max(RATIO_MAX * bytes.len() as u64));
    }
});
