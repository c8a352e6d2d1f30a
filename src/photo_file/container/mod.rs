//! The files' own structure: what lies around the pixels, found and put back.

pub mod jpeg;
pub mod png;
pub mod webp;

use super::Format;
use super::metadata::Metadata;

/// What a file of any format tells beside its pixels and its ICC profile.
pub fn metadata(bytes: &[u8]) -> Metadata {
    match Format::of(bytes) {
        Some(Format::Jpeg) => jpeg::metadata(&jpeg::segments(bytes)),
        Some(Format::Png) => png::metadata(bytes),
        Some(Format::WebP) => webp::metadata(bytes),
        None => Metadata::default(),
    }
}
