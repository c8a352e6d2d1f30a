//! The wasm boundary: the only place that knows the browser. It decides nothing.
//!
//! Everything here runs in a worker. Values cross as typed arrays and JSON text; errors cross as JS `Error`s
//! with `code` and `keys`.

mod blob;
#[cfg(feature = "reference")]
mod check;
mod forward;
mod js_error;
mod models;
mod photo;
mod preview;
mod speed;
mod threads;
mod warm;

#[cfg(test)]
mod tests;

#[cfg(feature = "reference")]
pub use check::check;
pub use forward::Forward;
pub use models::{Models, models};
pub use photo::{decode_mask, decode_photo, encode_mask, encode_photo};
#[cfg(target_feature = "atomics")]
pub use threads::join_threads;
pub use threads::{simd, thread_count};

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;

/// Lets a panic speak on the console before it traps, and lends the crate the browser's clock. Runs on every thread.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
    crate::clock::set(now);
}

/// The worker's `performance.now()`.
fn now() -> f64 {
    let scope: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    scope.performance().map_or(0.0, |performance| performance.now())
}
