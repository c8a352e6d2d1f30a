//! Legacy files: any bytes after the magic number and the protocol, the first two pickles.
#![no_main]
use infill_fuzz::checkpoints::everything;
use libfuzzer_sys::fuzz_target;

const HEAD: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";

fuzz_target!(|bytes: &[u8]| everything(&[HEAD, bytes].concat()));
