//! Any bytes, opened as a photo and saved again.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| infill_fuzz::pictures::everything(bytes));
