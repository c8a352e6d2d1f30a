//! Threads: what a worker beside the inference worker calls, and how many take part.

use wasm_bindgen::prelude::wasm_bindgen;

/// Works for the inference worker until this one is terminated. Called on a fresh worker, after the module was
/// instantiated on the inference worker's memory.
#[cfg(target_feature = "atomics")]
#[wasm_bindgen]
pub fn join_threads() {
    crate::threads::join_pool()
}

/// Threads that take part in a run now, the caller included.
#[wasm_bindgen]
pub fn thread_count() -> usize {
    crate::threads::count()
}

/// The SIMD of this build: `relaxed-simd` or `simd128`.
#[wasm_bindgen]
pub fn simd() -> String {
    crate::engine::simd().to_owned()
}
