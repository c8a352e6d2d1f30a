//! The wasm boundary: the only place that knows the browser. It decides nothing.
//!
//! Everything here runs in a worker. Values cross as typed arrays and JSON text; errors cross as JS `Error`s
//! with `code` and `keys`.

// What `#[wasm_bindgen]` writes; none is written here.
#![allow(unsafe_code)]

mod js_error;
#[cfg(feature = "networks")]
mod networks;
#[cfg(any(feature = "networks", feature = "selecting"))]
mod page_pixels;
#[cfg(feature = "pictures")]
mod pictures;
#[cfg(feature = "saving")]
mod saving;
#[cfg(feature = "selecting")]
mod selecting;

#[cfg(test)]
mod tests;

#[cfg(feature = "networks")]
pub use networks::*;
#[cfg(feature = "pictures")]
pub use pictures::{decode_photo, encode_mask, encode_photo, read_mask};
#[cfg(feature = "saving")]
pub use saving::{describe_file, save_photo};
#[cfg(feature = "selecting")]
pub use selecting::PhotoSelector;

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
