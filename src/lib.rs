//! infill: reads inpainting checkpoints, says what they are, and runs them; fills photos in a browser tab.
//!
//! Data takes two paths through the crate:
//!
//! ```text
//! photo + mask  ->  prepare  ->  network  ->  composite  ->  canvas
//! checkpoint    ->  container  ->  state dict  ->  identify  ->  network with weights
//! ```
//!
//! `ARCHITECTURE.md` is the map.

pub mod checkpoint;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod clock;
pub mod engine;
pub mod error;
#[cfg(not(target_arch = "wasm32"))]
pub mod export;
pub mod limits;
pub mod models;
pub mod network;
pub mod onnx_source;
mod ordering;
pub mod photo_file;
pub mod pipeline;
pub mod python;
pub mod report;
pub mod sentences;
pub mod tensor;
pub mod threads;
pub mod torch_source;
#[cfg(target_arch = "wasm32")]
pub mod web;
