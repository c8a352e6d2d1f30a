//! Chunks of a PNG: colour, resolution, EXIF, XMP, text.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

use crate::limits::MAX_METADATA_BYTES;
use crate::photo_file::metadata::{Density, Metadata, iptc};

/// Bytes of the signature.
const SIGNATURE: usize = 8;
/// The keyword of XMP's packet.
const XMP: &[u8] = b"XML:com.adobe.xmp";
/// Keywords under which ImageMagick and exiftool write, in hexadecimal, what has no chunk.
const RAW_EXIF: [&[u8]; 2] = [b"Raw profile type exif", b"Raw profile type APP1"];
const RAW_IPTC: [&[u8]; 2] = [b"Raw profile type iptc", b"Raw profile type 8bim"];
const RAW_XMP: &[u8] = b"Raw profile type xmp";
/// What the numbers mean as colours, the significant bits, and text: copied as they are.
const COPIED: [&[u8; 4]; 10] =
    [b"cICP", b"gAMA", b"cHRM", b"sRGB", b"mDCV", b"cLLI", b"sBIT", b"tEXt", b"zTXt", b"iTXt"];

/// Names and contents of the chunks, as far as they lie within the file.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut rest = bytes.get(SIGNATURE..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (name, after) = after.split_first_chunk::<4>()?;
        let (data, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        rest = after.get(4..)?;
        Some((name, data))
    })
}

/// What a PNG tells beside its pixels and its ICC profile.
pub fn metadata(bytes: &[u8]) -> Metadata {
    let mut found = Metadata::default();
    // For everything that is inflated, so that many short chunks cannot keep it busy.
    let mut room = MAX_METADATA_BYTES;
    for (name, data) in chunks(bytes) {
        match name {
            b"pHYs" => found.density = density(data),
            b"eXIf" => found.exif = Some(data.to_vec()),
            name if COPIED.contains(&name) => match text(name, data, &mut room) {
                Some((Text::Exif, value)) => found.exif = found.exif.or(Some(value)),
                Some((Text::Resources, value)) => found.resources = Some(value),
                Some((Text::Xmp, value)) => found.xmp = found.xmp.or(Some(value)),
                None if data.len() <= MAX_METADATA_BYTES => found.chunks.push((*name, data.to_vec())),
                None => {}
            },
            _ => {}
        }
    }
    found
}

enum Text {
    Exif,
    Resources,
    Xmp,
}

/// What a text chunk holds if it is no text. A packet or profile that cannot be read is empty.
fn text(name: &[u8; 4], data: &[u8], room: &mut usize) -> Option<(Text, Vec<u8>)> {
    let end = data.iter().position(|&byte| byte == 0)?;
    let (keyword, value) = (&data[..end], &data[end + 1..]);
    if name == b"iTXt" && keyword == XMP {
        return Some((Text::Xmp, international(value, room).unwrap_or_default()));
    }
    let kind = match keyword {
        keyword if RAW_EXIF.contains(&keyword) => Text::Exif,
        keyword if RAW_IPTC.contains(&keyword) => Text::Resources,
        RAW_XMP => Text::Xmp,
        _ => return None,
    };
    let plain = match name {
        b"zTXt" => inflate(value.get(1..)?, room),
        b"iTXt" => international(value, room),
        _ => Some(value.to_vec()),
    };
    let bytes = plain.and_then(|plain| raw_profile(&plain)).unwrap_or_default();
    Some(match kind {
        Text::Exif => {
            let tiff = bytes.strip_prefix(b"Exif\0\0").map(<[u8]>::to_vec);
            // APP1 may be XMP as well.
            match bytes.strip_prefix(b"http://ns.adobe.com/xap/1.0/\0") {
                Some(packet) => (Text::Xmp, packet.to_vec()),
                None => (Text::Exif, tiff.unwrap_or(bytes)),
            }
        }
        Text::Resources if bytes.starts_with(&[0x1c]) => (Text::Resources, iptc::resource(&bytes)),
        kind => (kind, bytes),
    })
}

fn inflate(bytes: &[u8], room: &mut usize) -> Option<Vec<u8>> {
    let out = decompress_to_vec_zlib_with_limit(bytes, *room).ok();
    // What did not fit has taken all of it.
    *room = out.as_ref().map_or(0, |out| *room - out.len());
    out
}

/// The text of an `iTXt` chunk after its keyword.
fn international(value: &[u8], room: &mut usize) -> Option<Vec<u8>> {
    let (&[is_compressed, _method], rest) = value.split_first_chunk::<2>()?;
    let mut parts = rest.splitn(3, |&byte| byte == 0);
    let (_language, _translated, text) = (parts.next()?, parts.next()?, parts.next()?);
    if is_compressed == 1 { inflate(text, room) } else { Some(text.to_vec()) }
}

/// The bytes of a raw profile: a line of its name, one of its length, and hexadecimal digits.
fn raw_profile(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?.trim_start();
    let (_name, rest) = text.split_once('\n')?;
    let (length, digits) = rest.trim_start().split_once('\n')?;
    let length: usize = length.trim().parse().ok()?;
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_hexdigit).collect();
    let nibble = |digit: u8| char::from(digit).to_digit(16).map_or(0, |value| value as u8);
    let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect();
    (bytes.len() >= length).then(|| bytes[..length].to_vec())
}

fn density(data: &[u8]) -> Option<Density> {
    let (across, rest) = data.split_first_chunk::<4>()?;
    let (down, unit) = rest.split_first_chunk::<4>()?;
    let (across, down) = (u32::from_be_bytes(*across), u32::from_be_bytes(*down));
    Some(Density { across, down, is_per_metre: unit == [1] }).filter(|d| d.across > 0 && d.down > 0)
}

/// The PNG of an encoder with this metadata in front of its pixels. `has_icc`: the encoder has written a profile.
pub fn with_metadata(png: &[u8], metadata: &Metadata, has_icc: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(png.len() + 1024);
    out.extend(&png[..SIGNATURE.min(png.len())]);
    let mut is_first = true;
    for (name, data) in chunks(png) {
        if name == b"IDAT" && std::mem::take(&mut is_first) {
            put_metadata(&mut out, metadata, has_icc);
        }
        put(&mut out, name, data);
    }
    out
}

fn put_metadata(out: &mut Vec<u8>, metadata: &Metadata, has_icc: bool) {
    // A profile and sRGB exclude each other; the numbers of significant bits belong to a type of pixel that may be another.
    let stays = |name: &[u8; 4]| !(name == b"sBIT" || has_icc && name == b"sRGB");
    for (name, data) in metadata.chunks.iter().filter(|(name, _)| stays(name)) {
        put(out, name, data);
    }
    if let Some(Density { across, down, is_per_metre }) = metadata.density {
        put(out, b"pHYs", &[&across.to_be_bytes()[..], &down.to_be_bytes(), &[u8::from(is_per_metre)]].concat());
    }
    if let Some(exif) = &metadata.exif {
        put(out, b"eXIf", exif);
    }
    if let Some(packet) = &metadata.xmp {
        put(out, b"iTXt", &[XMP, &[0; 5], packet].concat());
    }
    if let Some(records) = metadata.resources.as_deref().and_then(iptc::records) {
        let resource = iptc::resource(records);
        let mut digits = String::with_capacity(resource.len() * 2);
        for line in resource.chunks(36) {
            digits.extend(line.iter().map(|byte| format!("{byte:02x}")));
            digits.push('\n');
        }
        let text = format!("\niptc\n{:>8}\n{digits}", resource.len());
        put(out, b"tEXt", &[RAW_IPTC[0], &[0], text.as_bytes()].concat());
    }
    for comment in &metadata.comments {
        // Text in a PNG is Latin-1 or UTF-8, and holds no zero.
        let text = String::from_utf8_lossy(comment).replace('\0', "");
        put(out, b"iTXt", &[b"Comment", &[0; 5][..], text.as_bytes()].concat());
    }
}

fn put(out: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    out.extend((data.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend(name);
    out.extend(data);
    let sum = crc32fast::hash(&out[start..]);
    out.extend(sum.to_be_bytes());
}
