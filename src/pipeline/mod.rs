//! Photo and mask to a filled photo: decode, window, prepare, network, composite, sharpen, encode.
//!
//! Architecture invariant: pixels outside the mask come back bit for bit.

mod canny;
mod cluster;
mod codec;
mod composite;
mod fill;
mod look;
pub mod options;
mod photo;
mod prepare;
mod resample;
mod run;
mod sight;
pub mod synthesis;
mod window;

pub use canny::canny;
pub use codec::{check_picture_head, decode_edges, decode_mask, decode_photo, encode_mask, encode_photo};
pub use fill::fill;
pub use look::{Channel, EdgeMap, Scores, edges, preview, score};
pub use options::{FillOptions, SecondInput, Sharpen};
pub use photo::{Mask, Photo, Pixels, Rect};
pub use run::{Patch, apply};
