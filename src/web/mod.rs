//! The wasm boundary: the only place that knows the browser. It decides nothing.
//!
//! Everything here runs in a worker. Values cross as typed arrays and JSON text; faults cross as JS `Error`s
//! with `code` and `keys`.

mod blob;
mod fault;
mod models;
mod photo;

#[cfg(test)]
mod tests;

pub use models::Models;
pub use photo::{decode_mask, decode_photo, encode_mask, encode_photo};

use wasm_bindgen::prelude::wasm_bindgen;

/// Lets a panic speak on the console before it traps.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}
