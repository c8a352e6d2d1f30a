//! Chunks of a WebP (RIFF): ICC, EXIF, XMP around the picture.

use crate::photo_file::metadata::Metadata;

/// Bytes of `RIFF`, the length and `WEBP`.
const HEADER: usize = 12;

const HAS_ICC: u8 = 0x20;
const HAS_ALPHA: u8 = 0x10;
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;

/// Names and contents of the chunks, as far as they lie within the file.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(HEADER..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name, after) = rest.split_first_chunk::<4>()?;
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let (data, after) = after.split_at_checked(length)?;
        rest = after.get(length % 2..).unwrap_or_default();
        Some((name, data))
    })
}

/// What a WebP tells beside its pixels and its ICC profile.
pub fn metadata(bytes: &[u8]) -> Metadata {
    let find = |wanted: &[u8; 4]| chunks(bytes).find(|(name, _)| *name == wanted).map(|(_, data)| data);
    let exif = find(b"EXIF").map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif).to_vec());
    Metadata { exif, xmp: find(b"XMP ").map(<[u8]>::to_vec), ..Metadata::default() }
}

/// The WebP of an encoder with this metadata around its picture.
pub fn with_metadata(
    webp: &[u8],
    metadata: &Metadata,
    icc: Option<&[u8]>,
    size: (usize, usize),
    has_alpha: bool,
) -> Vec<u8> {
    let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
    let flags = flag(icc.is_some(), HAS_ICC)
        | flag(has_alpha, HAS_ALPHA)
        | flag(metadata.exif.is_some(), HAS_EXIF)
        | flag(metadata.xmp.is_some(), HAS_XMP);
    let side = |side: usize| (side as u32).saturating_sub(1).to_le_bytes();
    let (width, height) = (side(size.0), side(size.1));
    let mut body = b"WEBP".to_vec();
    put(&mut body, b"VP8X", &[&[flags, 0, 0, 0], &width[..3], &height[..3]].concat());
    if let Some(icc) = icc {
        put(&mut body, b"ICCP", icc);
    }
    for (name, data) in chunks(webp).filter(|(name, _)| matches!(*name, b"VP8L" | b"VP8 " | b"ALPH")) {
        put(&mut body, name, data);
    }
    if let Some(exif) = &metadata.exif {
        put(&mut body, b"EXIF", exif);
    }
    if let Some(packet) = &metadata.xmp {
        put(&mut body, b"XMP ", packet);
    }
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

fn put(out: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    out.extend(name);
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
}
