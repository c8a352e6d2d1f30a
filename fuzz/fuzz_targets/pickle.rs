//! Any bytes as the pickle of a sound archive.
#![no_main]
use infill_fuzz::checkpoints::{everything, zip_of_pickle};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pickle: &[u8]| everything(&zip_of_pickle(pickle)));
