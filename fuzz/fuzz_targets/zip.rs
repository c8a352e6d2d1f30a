//! Zip archives that are sound but for what they lie about.
#![no_main]
use infill_fuzz::checkpoints::{Entry, everything, zip};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|entries: Vec<Entry>| everything(&zip(&entries)));
