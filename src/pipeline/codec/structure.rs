//! The structure of a picture file, checked before a decoder sees it: the decoders allocate what a chunk's length says even
//! if it lies beyond the end of the file, and panic at a palette that PNG forbids.

use image::ImageFormat;

use crate::error::{Error, Result};
use crate::limits::{IMAGE_PIXELS, MAX_CONSTANT_IMAGE_PIXELS};
use crate::sentences::Sentence;

/// Bytes of a PNG's signature.
const PNG_SIGNATURE: usize = 8;
/// Bytes of `RIFF`, the length and `WEBP`.
const RIFF_HEADER: usize = 12;
/// Bytes of a WebP chunk's name and length.
const CHUNK_HEADER: usize = 8;
/// Bytes of an `ANMF` chunk before the chunks of its frame.
const FRAME_HEADER: usize = 16;

/// What the structure tells before anything is decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Whether the picture moves; only its first frame is opened.
    pub is_animated: bool,
    /// Whether a WebP holds lossless pictures.
    pub is_lossless: bool,
    /// Whether a PNG or a JPEG ends before it says so; a part of its pixels is there.
    pub is_cut_off: bool,
}

/// Checks that every chunk that a decoder reads as a whole lies within the file. JPEG has no chunks: its segments are at most
/// 64 KiB long. A PNG or a JPEG may end amid its pixels.
///
/// `image-corrupt` if the file contradicts itself or is cut off before its pixels, `image-limit` if a frame is larger than any photo.
pub fn check(format: ImageFormat, bytes: &[u8]) -> Result<Structure> {
    match format {
        ImageFormat::Png => png(bytes),
        ImageFormat::WebP => webp(bytes),
        _ => Ok(Structure { is_cut_off: !jpeg_ends(bytes), ..Structure::default() }),
    }
}

/// Most pixels that a file of this many bytes can hold, so that a few bytes cannot claim the memory of a large photo.
///
/// PNG: deflate shrinks at most 1032 times, and a byte is at most 8 pixels. JPEG: a block of 64 pixels takes a bit at
/// least. WebP: a macroblock of 256 pixels takes more than 3 bits; a bit of a lossless one repeats at most 4096 pixels,
/// and only a picture of one colour takes no bit at all.
pub fn most_pixels(format: ImageFormat, structure: Structure, bytes: usize) -> u64 {
    let bytes = bytes as u64;
    match format {
        ImageFormat::Png => bytes.saturating_mul(8 * 1100),
        ImageFormat::WebP if structure.is_lossless => bytes.saturating_mul(8 * 4096).max(MAX_CONSTANT_IMAGE_PIXELS),
        _ => bytes.saturating_mul(1024),
    }
}

fn png(bytes: &[u8]) -> Result<Structure> {
    let mut structure = Structure::default();
    let (mut rest, mut has_pixels) = (bytes.get(PNG_SIGNATURE..).unwrap_or_default(), false);
    // Nothing after IEND is part of the picture.
    loop {
        let (chunk, after) = match next_png_chunk(rest) {
            Ok(Some(next)) => next,
            // The decoder reads pixels piece by piece, so that their chunk may end anywhere, and chunks after them not at all.
            Err(_) if has_pixels || rest.get(4..8) == Some(b"IDAT") => {
                return Ok(Structure { is_cut_off: true, ..structure });
            }
            Ok(None) => return Ok(Structure { is_cut_off: true, ..structure }),
            Err(error) => return Err(error),
        };
        match chunk.name {
            b"PLTE" if chunk.data.is_empty() || !chunk.data.len().is_multiple_of(3) || chunk.data.len() > 3 * 256 => {
                return Err(Error::said(Sentence::PicturePalette {}));
            }
            b"acTL" => structure.is_animated |= !has_pixels,
            b"IDAT" => has_pixels = true,
            b"IEND" => return Ok(structure),
            _ => {}
        }
        rest = after;
    }
}

/// A chunk's name and what it holds.
struct Chunk<'a> {
    name: &'a [u8],
    data: &'a [u8],
}

/// The next chunk of a PNG and what follows it; `None` at the file's end.
fn next_png_chunk(bytes: &[u8]) -> Result<Option<(Chunk<'_>, &[u8])>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut_off)?;
    let (name, rest) = rest.split_at_checked(4).ok_or_else(cut_off)?;
    let (data, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or_else(cut_off)?;
    let (_checksum, after) = rest.split_at_checked(4).ok_or_else(cut_off)?;
    Ok(Some((Chunk { name, data }, after)))
}

/// Whether a JPEG has its end marker: segments tell their length, and the pixels after a scan's header run to the next marker.
fn jpeg_ends(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END: u8 = 0xd9;
    let mut at = 2;
    loop {
        // Within pixels, a marker's first byte is followed by 0, or by a restart marker's number.
        let Some(found) = bytes.get(at..).and_then(|rest| {
            rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff | 0x01 | 0xd0..=0xd7))
        }) else {
            return false;
        };
        at += found;
        match bytes[at + 1] {
            END => return true,
            START_OF_SCAN => at += 2,
            _ => {
                let Some(length) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
}

fn webp(bytes: &[u8]) -> Result<Structure> {
    let mut structure = Structure::default();
    let mut rest = bytes.get(RIFF_HEADER..).unwrap_or_default();
    // The decoder looks for chunks beyond the length that RIFF gives; so does this.
    while let Some((chunk, after)) = next_webp_chunk(rest)? {
        match chunk.name {
            b"VP8X" => structure.is_animated = chunk.data.first().is_some_and(|flags| flags & 2 != 0),
            b"ANMF" => {
                let mut rest = chunk.data.get(FRAME_HEADER..).unwrap_or_default();
                while let Some((part, after)) = next_webp_chunk(rest)? {
                    frame(&part, &mut structure)?;
                    rest = after;
                }
            }
            _ => frame(&chunk, &mut structure)?,
        }
        rest = after;
    }
    Ok(structure)
}

/// Notes what kind of pixels a chunk holds. A lossy frame has a size of its own, which the decoder compares with the
/// canvas only after it has allocated it; so it is checked here.
fn frame(chunk: &Chunk<'_>, structure: &mut Structure) -> Result<()> {
    structure.is_lossless |= chunk.name == b"VP8L";
    let &[_, _, _, _, _, _, w0, w1, h0, h1, ..] = chunk.data else { return Ok(()) };
    let side = |low, high| u64::from(u16::from_le_bytes([low, high]) & 0x3fff);
    if chunk.name == b"VP8 " && side(w0, w1) * side(h0, h1) > IMAGE_PIXELS {
        return Err(Error::said(Sentence::PictureFrame {}));
    }
    Ok(())
}

/// The next chunk of a WebP and what follows it; `None` at the end. A chunk of an unknown kind, which the decoder skips, may
/// claim to reach beyond the file, and is then taken for the end.
fn next_webp_chunk(bytes: &[u8]) -> Result<Option<(Chunk<'_>, &[u8])>> {
    const READ: [&[u8]; 9] = [b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP", b"EXIF", b"XMP "];
    let Some((header, rest)) = bytes.split_at_checked(CHUNK_HEADER) else { return Ok(None) };
    let (name, length) = header.split_at(4);
    let length = u32::from_le_bytes(length.try_into().unwrap_or_default()) as usize;
    match rest.split_at_checked(length) {
        // Chunks are padded to an even length, but not every program writes the last byte.
        Some((data, after)) => Ok(Some((Chunk { name, data }, after.get(length % 2..).unwrap_or_default()))),
        None if READ.contains(&name) => Err(cut_off()),
        None => Ok(None),
    }
}

fn cut_off() -> Error {
    Error::said(Sentence::PictureCutOff {})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn riff(chunks: &[(&[u8; 4], u32, &[u8])]) -> Vec<u8> {
        let mut bytes = b"RIFF\xff\0\0\0WEBP".to_vec();
        for (name, length, data) in chunks {
            bytes.extend([&name[..], &length.to_le_bytes(), data].concat());
        }
        bytes
    }

    #[test]
    fn lengths_beyond_the_file_are_refused_where_a_decoder_reads_them() {
        let outcome = |bytes: &[u8]| webp(bytes).map_err(|error| error.code);
        assert_eq!(outcome(&riff(&[(b"ICCP", u32::MAX, b"xx")])), Err(Code::ImageCorrupt));
        assert_eq!(outcome(&riff(&[(b"junk", u32::MAX, b"xx")])), Ok(Structure::default()));
        let inner = [&[0; FRAME_HEADER][..], b"EXIF", &u32::MAX.to_le_bytes(), b"xx"].concat();
        assert_eq!(outcome(&riff(&[(b"ANMF", inner.len() as u32, &inner)])), Err(Code::ImageCorrupt));
        let large = [0, 0, 0, 0, 0, 0, 0xff, 0x3f, 0xff, 0x3f];
        assert_eq!(outcome(&riff(&[(b"VP8 ", 10, &large)])), Err(Code::ImageLimit));
    }

    #[test]
    fn an_odd_last_chunk_may_lack_its_padding() {
        let structure = webp(&riff(&[(b"VP8X", 1, b"\x02\0"), (b"VP8L", 1, b"x")])).unwrap();
        assert_eq!(structure, Structure { is_animated: true, is_lossless: true, is_cut_off: false });
    }

    #[test]
    fn palettes_hold_whole_colours() {
        let png_of = |length: usize| {
            [&[0; PNG_SIGNATURE][..], &(length as u32).to_be_bytes(), b"PLTE", &vec![0; length], &[0; 4]].concat()
        };
        for length in 0..800 {
            let is_fine = length % 3 == 0 && (3..=768).contains(&length);
            assert_eq!(png(&png_of(length)).is_ok(), is_fine, "{length}");
        }
    }
}
