//! Photo and mask to a filled photo: decode, window, prepare, network, composite, sharpen, encode.
//!
//! Architecture invariant: pixels outside the mask come back bit for bit.

mod canny;
mod codec;
mod composite;
mod fill;
mod fill_job;
mod hole_groups;
mod min_cut;
mod network_view;
pub mod options;
mod photo;
mod prepare;
mod preview;
mod resample;
pub mod select;
pub mod synthesis;
mod window;

#[cfg(all(test, not(target_arch = "wasm32")))]
mod properties;

pub use canny::canny;
pub use codec::{
    MaskChannel, MaskOptions, MaskReading, check_picture_head, decode_edges, decode_mask, decode_photo, encode_mask,
    encode_photo, read_mask,
};
pub(crate) use codec::{decode_stored, write_png};
pub use fill::fill;
pub use fill_job::{Patch, apply};
pub use options::{FillOptions, SecondInput, Sharpen};
pub use photo::{Mask, Photo, Pixels, Rect};
pub use preview::{Channel, EdgeMap, Scores, edges, painting_inputs, preview, score};
