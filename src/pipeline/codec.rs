//! Files to pixels and back. PNG, JPEG and WebP, decoded here so that untouched pixels never pass through a canvas.

mod mask;
mod partial;
mod structure;

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::{CompressionType, FilterType, PngDecoder, PngEncoder};
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageFormat, Limits};

pub use self::mask::{MaskChannel, MaskOptions, MaskReading, decode_edges, decode_mask, read_mask};
use super::{Mask, Photo};
use crate::error::{Code, Error, Result};
use crate::limits::{
    ICC_BYTES, IMAGE_PIXELS, IMAGE_SIDE, MAX_IMAGE_DECODE_BYTES, MAX_IMAGE_FILE_BYTES, MAX_IMAGE_METADATA_BYTES,
};
use crate::sentences::Sentence;

/// Decodes PNG, JPEG or WebP: upright by its EXIF orientation, colours as stored, first frame of an animation.
///
/// Of a damaged PNG or JPEG, whatever can be decoded is opened, with the note `damaged`; the rest is black, gray or clear.
///
/// `image-format` if it is none of these (or a CMYK JPEG, which browsers convert better), `image-limit` before
/// anything is decoded if it is too large, `image-corrupt` if nothing of it can be decoded.
pub fn decode_photo(bytes: &[u8]) -> Result<Photo> {
    let Decoded { image, icc, notes, .. } = decode(bytes)?;
    let color = image.color();
    let (has_alpha, is_gray) = (color.has_alpha(), !color.has_color());
    let rgba = image.into_rgba8();
    let (width, height) = (rgba.width() as usize, rgba.height() as usize);
    Ok(Photo {
        width,
        height,
        rgba: rgba.into_raw(),
        has_alpha,
        is_gray,
        icc,
        notes: notes.into_iter().map(str::to_owned).collect(),
    })
}

/// A picture as its file holds it, turned upright.
struct Decoded {
    image: DynamicImage,
    icc: Option<Vec<u8>>,
    /// See [`Photo::notes`].
    notes: Vec<&'static str>,
    /// Whether values may be off by a little, as in a JPEG.
    is_lossy: bool,
}

impl Decoded {
    fn has_note(&self, note: &str) -> bool {
        self.notes.contains(&note)
    }
}

fn decode(bytes: &[u8]) -> Result<Decoded> {
    let Stored { mut image, orientation, icc, mut notes, is_lossy } = decode_stored(bytes)?;
    image.apply_orientation(orientation);
    if orientation != Orientation::NoTransforms {
        notes.push("turned");
    }
    Ok(Decoded { image, icc, notes, is_lossy })
}

/// A picture exactly as its file holds it: not turned, 8 or 16 bits.
pub struct Stored {
    /// In the orientation of the file.
    pub image: DynamicImage,
    /// How it is to be turned.
    pub orientation: Orientation,
    icc: Option<Vec<u8>>,
    notes: Vec<&'static str>,
    is_lossy: bool,
}

/// [`decode_photo`] without turning the picture upright or making 8 bits of 16.
pub fn decode_stored(bytes: &[u8]) -> Result<Stored> {
    let format = format(bytes)?;
    if bytes.len() as u64 > MAX_IMAGE_FILE_BYTES {
        let bytes = bytes.len() as u64;
        return Err(Error::said(Sentence::PictureFile { bytes, most: MAX_IMAGE_FILE_BYTES }));
    }
    let structure = structure::check(format, bytes)?;
    let mut decoder = decoder(format, bytes)?;
    check_size(decoder.dimensions(), structure::most_pixels(format, structure, bytes.len()), bytes.len())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_IMAGE_DECODE_BYTES);
    decoder.set_limits(limits).map_err(fault)?;
    let icc = decoder.icc_profile().unwrap_or(None).filter(|profile| profile.len() <= ICC_BYTES);
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let color = decoder.color_type();
    let (image, is_damaged) = pixels(decoder, format, bytes)?;
    let notes = [
        ("animated", structure.is_animated),
        ("sixteen-bit", color.bytes_per_pixel() > color.channel_count()),
        ("damaged", is_damaged || structure.is_cut_off),
    ];
    let notes = notes.into_iter().filter(|(_, holds)| *holds).map(|(note, _)| note).collect();
    let is_lossy = match format {
        ImageFormat::Png => false,
        ImageFormat::WebP => !structure.is_lossless,
        _ => true,
    };
    Ok(Stored { image, orientation, icc, notes, is_lossy })
}

/// The pixels, and whether only a part of them could be decoded.
fn pixels<'a>(first: Box<dyn ImageDecoder + 'a>, format: ImageFormat, bytes: &'a [u8]) -> Result<(DynamicImage, bool)> {
    match DynamicImage::from_decoder(first) {
        Ok(image) => Ok((image, false)),
        Err(error @ (image::ImageError::Decoding(_) | image::ImageError::IoError(_))) => {
            let image = partial::partial(decoder(format, bytes)?).ok_or_else(|| fault(error))?;
            Ok((image, true))
        }
        Err(error) => Err(fault(error)),
    }
}

/// Refuses a file by its first bytes: `image-format` unless it begins as PNG, JPEG or WebP.
pub fn check_picture_head(bytes: &[u8]) -> Result<()> {
    format(bytes).map(drop)
}

/// Which of the formats that are decoded here the bytes begin as; `image-format` if none.
fn format(bytes: &[u8]) -> Result<ImageFormat> {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) if let Some(sentence) = jpeg_frame(bytes).and_then(unread_jpeg) => {
            Err(Error::said(sentence))
        }
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) => Ok(format),
        _ => Err(Error::said(what(bytes))),
    }
}

/// A decoder that has read the header and the metadata, which may take no more memory than they need.
fn decoder(format: ImageFormat, bytes: &[u8]) -> Result<Box<dyn ImageDecoder + '_>> {
    let reader = Cursor::new(bytes);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_IMAGE_METADATA_BYTES);
    Ok(match format {
        ImageFormat::Png => Box::new(PngDecoder::with_limits(reader, limits).map_err(fault)?),
        ImageFormat::WebP => Box::new(WebPDecoder::new(reader).map_err(fault)?),
        _ => Box::new(JpegDecoder::new(reader).map_err(fault)?),
    })
}

/// `image-limit` unless the picture has a size that infill opens and that a file of this length can hold.
fn check_size((width, height): (u32, u32), most: u64, bytes: usize) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    let [width, height, bytes] = [u64::from(width), u64::from(height), bytes as u64];
    if pixels == 0 || pixels > IMAGE_PIXELS || width.max(height) > u64::from(IMAGE_SIDE) {
        let (megapixels, side) = (IMAGE_PIXELS / 1_000_000, u64::from(IMAGE_SIDE));
        return Err(Error::said(Sentence::PicturePixels { width, height, megapixels, side }));
    }
    if pixels > most {
        return Err(Error::said(Sentence::PictureTooShort { width, height, bytes }));
    }
    Ok(())
}

fn fault(error: image::ImageError) -> Error {
    Error::said(match error {
        image::ImageError::Limits(_) => Sentence::PictureMemory {},
        image::ImageError::Unsupported(_) => Sentence::PictureUnread {},
        _ => Sentence::PictureDamaged {},
    })
}

/// What a file that is no PNG, JPEG or WebP seems to be.
fn what(bytes: &[u8]) -> Sentence {
    match bytes {
        [] => Sentence::PictureIsEmpty {},
        b if b.starts_with(b"GIF8") => Sentence::PictureIsGif {},
        b if b.get(4..8) == Some(b"ftyp") => Sentence::PictureIsAvif {},
        b if b.starts_with(b"BM") => Sentence::PictureIsBmp {},
        b if b.starts_with(b"II*\0") || b.starts_with(b"MM\0*") => Sentence::PictureIsTiff {},
        b if b.starts_with(b"%PDF") => Sentence::PictureIsPdf {},
        b if b.iter().find(|c| !c.is_ascii_whitespace()) == Some(&b'<') => Sentence::PictureIsMarkup {},
        b if b.starts_with(b"PK") || b.starts_with(b"\x80\x02") => Sentence::PictureIsArchive {},
        _ => Sentence::PictureIsUnknown {},
    }
}

/// Marker, bits a sample and number of components of a JPEG's frame header.
fn jpeg_frame(bytes: &[u8]) -> Option<(u8, u8, u8)> {
    let mut at = 2;
    loop {
        let (marker, length) = (bytes.get(at..at + 2)?, bytes.get(at + 2..at + 4)?);
        if marker[0] != 0xff {
            return None;
        }
        if marker[1] == 0xff {
            at += 1;
            continue;
        }
        let frame = matches!(marker[1], 0xc0..=0xcf) && !matches!(marker[1], 0xc4 | 0xc8 | 0xcc);
        if frame {
            return Some((marker[1], *bytes.get(at + 4)?, *bytes.get(at + 9)?));
        }
        at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
    }
}

/// What to do about a JPEG of a kind that is not read; `None` for those that are.
fn unread_jpeg((marker, precision, components): (u8, u8, u8)) -> Option<Sentence> {
    match (marker, precision, components) {
        (0xc9..=0xcb | 0xcd..=0xcf, ..) => Some(Sentence::JpegArithmetic {}),
        (0xc3 | 0xc5..=0xc7, ..) => Some(Sentence::JpegProcess {}),
        (_, 12 | 16, _) => Some(Sentence::JpegPrecision {}),
        (.., 4) => Some(Sentence::JpegCmyk {}),
        _ => None,
    }
}

/// Encodes a photo as PNG, gray and alpha as it was opened, with its ICC profile.
pub fn encode_photo(photo: &Photo) -> Result<Vec<u8>> {
    let pixels = photo.rgba.chunks_exact(4);
    let (bytes, color): (Vec<u8>, _) = match (photo.is_gray, photo.has_alpha) {
        (false, true) => (photo.rgba.clone(), ExtendedColorType::Rgba8),
        (false, false) => (pixels.flat_map(|p| [p[0], p[1], p[2]]).collect(), ExtendedColorType::Rgb8),
        (true, true) => (pixels.flat_map(|p| [p[0], p[3]]).collect(), ExtendedColorType::La8),
        (true, false) => (pixels.map(|p| p[0]).collect(), ExtendedColorType::L8),
    };
    write_png(&bytes, photo.width, photo.height, color, photo.icc.as_deref())
}

/// Encodes rows of pixels (of 16 bits in the machine's byte order) as PNG.
pub fn write_png(
    bytes: &[u8],
    width: usize,
    height: usize,
    color: ExtendedColorType,
    icc: Option<&[u8]>,
) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Adaptive);
    if let Some(icc) = icc {
        let refused = |e| Error::new(Code::Internal, format!("The ICC profile could not be kept: {e}"));
        encoder.set_icc_profile(icc.to_vec()).map_err(refused)?;
    }
    encoder.write_image(bytes, width as u32, height as u32, color).map_err(fault)?;
    Ok(out)
}

/// Encodes a mask as a gray PNG: 255 hole, 0 known.
pub fn encode_mask(mask: &Mask) -> Result<Vec<u8>> {
    write_png(&mask.holes, mask.width, mask.height, ExtendedColorType::L8, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_jpeg_of_a_kind_that_is_not_read_is_named() {
        for (file, word) in [
            (&include_bytes!("../../tests/reference/jpeg/arithmetic.jpg")[..], "arithmetic"),
            (include_bytes!("../../tests/reference/jpeg/cmyk.jpg"), "CMYK"),
        ] {
            let error = decode_photo(file).unwrap_err();
            assert!(error.code == Code::ImageFormat && error.message.contains(word), "{error}");
        }
        let mut file = include_bytes!("../../tests/reference/jpeg/gray.jpg").to_vec();
        let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        file[frame + 1] = 0xc3;
        assert!(decode_photo(&file).unwrap_err().message.contains("lossless"));
        file[frame + 1] = 0xc1;
        file[frame + 4] = 12;
        assert!(decode_photo(&file).unwrap_err().message.contains("more than 8 bits"));
    }

    /// In the browser as well, where a panic ends the worker; `tests/hostile.rs` has more of them.
    #[test]
    fn pictures_that_ended_the_program_end_in_an_error() {
        macro_rules! picture {
            ($name:literal) => {
                decode_photo(include_bytes!(concat!("../../tests/hostile/pictures/", $name))).map(drop)
            };
        }
        let code = |outcome: Result<()>| outcome.map_err(|error| error.code);
        assert_eq!(code(picture!("png-palette-of-4-bytes.png")), Err(Code::ImageCorrupt));
        assert_eq!(code(picture!("webp-iccp-of-4-gb.webp")), Err(Code::ImageCorrupt));
        assert_eq!(code(picture!("webp-120-megapixels.webp")), Err(Code::ImageLimit));
        assert_eq!(code(picture!("webp-fine.webp")), Ok(()));
        assert_eq!(code(picture!("png-palette-fine.png")), Ok(()));
    }
}
