//! Small random networks on both engines.
#![no_main]
use infill_fuzz::network::{Case, both};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|case: Case| both(&case));
