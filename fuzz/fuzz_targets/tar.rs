//! Tar archives, PyTorch's form before 0.1.10: any bytes after a beginning that is recognised.
#![no_main]
use infill_fuzz::checkpoints::everything;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut file = bytes.to_vec();
    if file.len() >= 512 {
        file[257..262].copy_from_slice(b"ustar");
    }
    everything(&file);
});
