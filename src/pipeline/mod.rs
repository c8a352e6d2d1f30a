//! Photo and mask to a filled photo: decode, window, prepare, network, composite, sharpen, encode.
//!
//! Architecture invariant: pixels outside the mask come back bit for bit.

mod photo;
pub mod synthesis;

pub use photo::{Mask, Photo};
