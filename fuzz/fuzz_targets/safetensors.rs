//! safetensors: any header with its true length in front of it, and a body.
#![no_main]
use infill_fuzz::checkpoints::{everything, safetensors};
use libfuzzer_sys::fuzz_target;

// The header ends at the first zero byte, or with the input.
fuzz_target!(|bytes: &[u8]| {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (header, rest) = bytes.split_at(end);
    everything(&safetensors(header, rest.get(1..).unwrap_or_default()));
});
