//! The file as it came: a filled photo is saved with everything that its source tells beside its pixels, and what the hole
//! did not touch is as it was in the source, in 16 bits and in JPEG's blocks too.
//!
//! `container` finds metadata in a file and puts it around pixels, `metadata` edits it, `jpeg` works on coefficients, and
//! `sixteen_bit` gives a fill the precision of its surroundings. The source's bytes are all that is needed: what was filled
//! are the pixels that differ from it.
//!
//! Architecture invariant: nothing here panics on a file, or allocates from a number that it has not checked. What cannot be
//! read is left out, and said.

mod container;
mod format;
pub mod jpeg;
mod kept;
mod metadata;
mod sixteen_bit;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

pub use format::Format;

use crate::error::{Code, Error, Result};
use crate::limits::{IMAGE_SIDE, MAX_WEBP_SIDE};
use crate::pipeline::{self, Photo};
use crate::sentences::Sentence;
use metadata::{Edit, Metadata};

/// The quality of a JPEG that has no source to take it from.
const DEFAULT_QUALITY: u8 = 92;

/// How a photo is to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaveOptions {
    /// The file's format.
    pub format: Format,
    /// A JPEG's quality, 1 to 100 as the Independent JPEG Group counts it. `None` keeps the blocks of a JPEG that the hole
    /// does not touch; where that cannot be, it takes the source's quality, or 92.
    pub quality: Option<u8>,
    /// Leave out where the photo was taken: GPS in EXIF and XMP, IPTC's places, and the maker's note, which may hold one too.
    pub without_place: bool,
}

/// A file to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: Format,
    /// The quality of a JPEG that was encoded anew as a whole.
    pub quality: Option<u8>,
    /// What it has of its source, as stable words: `blocks` (all of a JPEG's that the hole does not touch), `sixteen-bit`,
    /// `profile`, `exif`, `xmp`, `iptc`, `place` (it tells where the photo was taken).
    pub kept: Vec<&'static str>,
    /// What a user may not expect, as stable words: `anew-` and why a JPEG's blocks could not be kept, `flattened`,
    /// `text-left-out`, `colour-left-out`, `iptc-left-out`, `metadata-left-out`, `place-left-out` (as asked for), and `metadata-unread` of a source in a
    /// format that infill does not read.
    pub notes: Vec<String>,
}

/// What a photo's file is, as far as it matters for saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Its format, if infill writes it.
    pub format: Option<Format>,
    /// Whether it tells where the photo was taken.
    pub has_place: bool,
    /// A JPEG's estimated quality, 1 to 100 as the Independent JPEG Group counts it.
    pub quality: Option<u8>,
}

/// Says what a photo's file is.
pub fn describe(source: &[u8]) -> SourceFile {
    let format = Format::of(source);
    SourceFile {
        format,
        has_place: container::metadata(source).has_place(),
        quality: if format == Some(Format::Jpeg) { jpeg::estimate_quality(source) } else { None },
    }
}

/// Saves a photo. `source` is the file that it was opened from, as long as somebody has it: without it there is nothing but
/// pixels and the ICC profile to save.
///
/// `image-limit` if the format has no room for a picture of this size.
pub fn save(photo: &Photo, source: Option<&[u8]>, options: &SaveOptions) -> Result<Saved> {
    if photo.width.max(photo.height) > IMAGE_SIDE as usize {
        return Err(Error::said(Sentence::SavedSide { side: u64::from(IMAGE_SIDE) }));
    }
    let mut notes = Vec::new();
    if options.without_place && source.is_some_and(|source| container::metadata(source).has_place()) {
        notes.push("place-left-out".to_owned());
    }
    if options.format == Format::Jpeg
        && options.quality.is_none()
        && let Some(source) = source.filter(|source| Format::of(source) == Some(Format::Jpeg))
    {
        match kept::jpeg(photo, source, options.without_place) {
            Ok(bytes) => {
                let kept = kept(photo, &bytes, Some("blocks"));
                return Ok(Saved { bytes, format: Format::Jpeg, quality: None, kept, notes });
            }
            Err(why) => notes.push(format!("anew-{why}")),
        }
    }
    let (metadata, mut left_out) = edited_metadata(photo, source, options);
    notes.append(&mut left_out);
    let (bytes, quality, kept_of_pixels) = match options.format {
        Format::Png => {
            let (bytes, is_deep) = png(photo, source, &metadata)?;
            (bytes, None, is_deep.then_some("sixteen-bit"))
        }
        Format::WebP => (webp(photo, &metadata)?, None, None),
        Format::Jpeg => {
            let quality = options.quality.or_else(|| source.and_then(jpeg::estimate_quality));
            let quality = quality.unwrap_or(DEFAULT_QUALITY);
            if photo.has_alpha {
                notes.push("flattened".to_owned());
            }
            (new_jpeg(photo, &metadata, quality)?, Some(quality), None)
        }
    };
    let kept = kept(photo, &bytes, kept_of_pixels);
    Ok(Saved { bytes, format: options.format, quality, kept, notes })
}

/// [`Saved::kept`], as the saved file itself tells it.
fn kept(photo: &Photo, saved: &[u8], of_pixels: Option<&'static str>) -> Vec<&'static str> {
    let metadata = container::metadata(saved);
    let iptc = metadata.resources.as_deref().and_then(metadata::iptc::records);
    let parts = [
        ("profile", photo.icc.is_some()),
        ("exif", metadata.exif.is_some()),
        ("xmp", metadata.xmp.is_some()),
        ("iptc", iptc.is_some()),
        ("place", metadata.has_place()),
    ];
    of_pixels.into_iter().chain(parts.into_iter().filter(|(_, holds)| *holds).map(|(word, _)| word)).collect()
}

/// What the source tells, as it is true of the saved file, and notes on what the format has no place for.
fn edited_metadata(photo: &Photo, source: Option<&[u8]>, options: &SaveOptions) -> (Metadata, Vec<String>) {
    let edit = Edit {
        orientation: Some(1),
        size: Some((photo.width as u32, photo.height as u32)),
        without_place: options.without_place,
    };
    let found = source.map(container::metadata).unwrap_or_default();
    let mut metadata = found.clone();
    metadata.edit(&edit);
    let fits = |part: &Option<Vec<u8>>| {
        options.format != Format::Jpeg || part.as_ref().is_none_or(|part| part.len() <= container::jpeg::MAX_PART)
    };
    let is_lost = |was: &Option<Vec<u8>>, is: &Option<Vec<u8>>| was.is_some() && (is.is_none() || !fits(is));
    let is_png = options.format == Format::Png;
    let is_colour = |(name, _): &([u8; 4], Vec<u8>)| !matches!(name, b"tEXt" | b"zTXt" | b"iTXt" | b"sBIT");
    let is_text = |(name, _): &([u8; 4], Vec<u8>)| matches!(name, b"tEXt" | b"zTXt" | b"iTXt");
    // sRGB is what a file without any colour chunk means, and a profile says more than the others.
    let means_colour = |chunk: &([u8; 4], Vec<u8>)| is_colour(chunk) && &chunk.0 != b"sRGB";
    let has_srgb = metadata.chunks.iter().any(|(name, _)| name == b"sRGB");
    let notes = [
        ("metadata-left-out", is_lost(&found.exif, &metadata.exif) || is_lost(&found.xmp, &metadata.xmp)),
        ("text-left-out", !is_png && metadata.chunks.iter().any(is_text)),
        ("colour-left-out", !is_png && !has_srgb && photo.icc.is_none() && metadata.chunks.iter().any(means_colour)),
        ("iptc-left-out", options.format == Format::WebP && metadata.resources.is_some()),
        ("metadata-unread", source.is_some_and(|source| Format::of(source).is_none())),
    ];
    (metadata, notes.into_iter().filter(|(_, holds)| *holds).map(|(note, _)| note.to_owned()).collect())
}

/// The file, and whether it has the 16 bits of its source.
fn png(photo: &Photo, source: Option<&[u8]>, metadata: &Metadata) -> Result<(Vec<u8>, bool)> {
    let deep = source.filter(|source| Format::of(source) == Some(Format::Png));
    let deep = deep.and_then(|source| sixteen_bit::encode(photo, source));
    let (bytes, is_deep) = match deep {
        Some(bytes) => (bytes?, true),
        None => (pipeline::encode_photo(photo)?, false),
    };
    Ok((container::png::with_metadata(&bytes, metadata, photo.icc.is_some()), is_deep))
}

fn webp(photo: &Photo, metadata: &Metadata) -> Result<Vec<u8>> {
    if photo.width.max(photo.height) > MAX_WEBP_SIDE {
        return Err(Error::said(Sentence::SavedWebp { side: MAX_WEBP_SIDE as u64 }));
    }
    let (pixels, color): (Cow<'_, [u8]>, _) = match photo.has_alpha {
        true => (Cow::Borrowed(&photo.rgba), ExtendedColorType::Rgba8),
        false => {
            let rgb = photo.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
            (Cow::Owned(rgb), ExtendedColorType::Rgb8)
        }
    };
    let mut bytes = Vec::new();
    let encoded =
        WebPEncoder::new_lossless(&mut bytes).write_image(&pixels, photo.width as u32, photo.height as u32, color);
    encoded.map_err(|error| Error::new(Code::Internal, format!("The WebP could not be encoded: {error}")))?;
    let size = (photo.width, photo.height);
    Ok(container::webp::with_metadata(&bytes, metadata, photo.icc.as_deref(), size, photo.has_alpha))
}

fn new_jpeg(photo: &Photo, metadata: &Metadata, quality: u8) -> Result<Vec<u8>> {
    let pixels = if photo.has_alpha { Cow::Owned(on_white(&photo.rgba)) } else { Cow::Borrowed(&photo.rgba) };
    let segments = container::jpeg::new_segments(metadata, photo.icc.as_deref());
    jpeg::write(&jpeg::encode(&pixels, (photo.width, photo.height), photo.is_gray, quality, segments))
}

/// Pixels without transparency, on white.
fn on_white(rgba: &[u8]) -> Vec<u8> {
    let mut out = rgba.to_vec();
    for pixel in out.chunks_exact_mut(4) {
        let alpha = u32::from(pixel[3]);
        for value in &mut pixel[..3] {
            *value = ((u32::from(*value) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
        pixel[3] = 255;
    }
    out
}
