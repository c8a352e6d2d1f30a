//! ONNX: any bytes as the graph of a sound file, or behind a sound beginning; what is described is built.
#![no_main]
use infill_fuzz::checkpoints::{everything, onnx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else { return };
    everything(&onnx(rest, first % 2 == 0, first / 2));
});
