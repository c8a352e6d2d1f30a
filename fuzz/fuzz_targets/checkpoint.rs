//! Any bytes, opened as a checkpoint.
#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| infill_fuzz::checkpoints::everything(bytes));
