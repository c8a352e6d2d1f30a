//! Segments of a JPEG: JFIF, EXIF, XMP, Photoshop's resources, ICC, comments.

use crate::limits::MAX_METADATA_BYTES;
use crate::photo_file::jpeg::Segment;
use crate::photo_file::metadata::{Density, Edit, Metadata, exif, find_jpeg, iptc, xmp};

const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
/// JUMBF: signed claims about the picture, which no longer hold, and parts of larger pictures.
const APP11: u8 = 0xeb;
const APP13: u8 = 0xed;
const APP14: u8 = 0xee;
const COMMENT: u8 = 0xfe;

const JFIF: &[u8] = b"JFIF\0";
const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";

/// Most bytes of a segment.
const MAX_SEGMENT: usize = 65_533;
/// Most bytes of EXIF or XMP that fit into a segment, after their name.
pub const MAX_PART: usize = MAX_SEGMENT - XMP.len();
/// Bytes before the part of an extended packet: a digest as text, the whole length, the part's offset.
const EXTENDED_HEADER: usize = 32 + 4 + 4;

/// The segments before the first scan, of a file that may be damaged behind them.
pub fn segments(bytes: &[u8]) -> Vec<Segment> {
    let (mut segments, mut at) = (Vec::new(), 2);
    while let Some(&[0xff, marker, ref rest @ ..]) = bytes.get(at..) {
        if marker == 0xff {
            at += 1;
            continue;
        }
        let &[l1, l0, ..] = rest else { break };
        let length = usize::from(u16::from_be_bytes([l1, l0]));
        let Some(data) = bytes.get(at + 4..at + 2 + length).filter(|_| marker != 0xda && marker != 0xd9) else { break };
        if matches!(marker, 0xe0..=0xef | COMMENT) {
            segments.push(Segment { marker, data: data.to_vec() });
        }
        at += 2 + length;
    }
    segments
}

/// Whether a segment begins with this name.
fn is(segment: &Segment, marker: u8, name: &[u8]) -> bool {
    segment.marker == marker && segment.data.starts_with(name)
}

/// All of the segments with this name, joined, without it.
fn joined(segments: &[Segment], marker: u8, name: &[u8]) -> Option<Vec<u8>> {
    let parts: Vec<&[u8]> = segments.iter().filter(|s| is(s, marker, name)).map(|s| &s.data[name.len()..]).collect();
    (!parts.is_empty()).then(|| parts.concat())
}

/// The segments of the file as it is to be saved: edited, and without those that show or describe what is gone.
pub fn edited(segments: Vec<Segment>, edit: &Edit) -> Vec<Segment> {
    let extension = extended_xmp(&segments);
    let keeps_extension = extension.as_ref().is_some_and(|whole| xmp::edit(whole, edit, false).as_ref() == Some(whole));
    let resources = joined(&segments, APP13, PHOTOSHOP).map(|resources| iptc::edit(&resources, edit));
    let mut resources = resources.filter(|resources| !resources.is_empty() && resources.len() <= MAX_METADATA_BYTES);
    let mut out = Vec::with_capacity(segments.len());
    for mut segment in segments {
        let data = std::mem::take(&mut segment.data);
        let kept = match segment.marker {
            APP0 => app0(data),
            APP1 if data.starts_with(EXIF) => {
                exif::edit(data[EXIF.len()..].to_vec(), edit).map(|exif| [EXIF, &exif].concat())
            }
            APP1 if data.starts_with(XMP) => {
                xmp::edit(&data[XMP.len()..], edit, !keeps_extension).map(|packet| [XMP, &packet].concat())
            }
            APP1 if data.starts_with(EXTENDED_XMP) => Some(data).filter(|_| keeps_extension),
            APP11 => None,
            APP13 if data.starts_with(PHOTOSHOP) => {
                if let Some(resources) = resources.take() {
                    let part = |part: &[u8]| Segment { marker: APP13, data: [PHOTOSHOP, part].concat() };
                    out.extend(resources.chunks(MAX_SEGMENT - PHOTOSHOP.len()).map(part));
                }
                None
            }
            APP2 if data.starts_with(ICC) => Some(data),
            APP14 | COMMENT => Some(data),
            // Previews: of several pictures in one file (MPF), of FlashPix, and of makers' own.
            _ => Some(data).filter(|data| {
                !data.starts_with(b"MPF\0") && !data.starts_with(b"FPXR\0") && find_jpeg(data).is_none()
            }),
        };
        let short = kept.filter(|data| data.len() <= MAX_SEGMENT);
        out.extend(short.map(|data| Segment { marker: segment.marker, data }));
    }
    out
}

/// JFIF without its thumbnail; JFIF's extension holds nothing else.
fn app0(mut data: Vec<u8>) -> Option<Vec<u8>> {
    if data.starts_with(b"JFXX\0") {
        return None;
    }
    if data.starts_with(JFIF) && data.len() >= 14 {
        data.truncate(14);
        data[12..14].fill(0);
    }
    Some(data)
}

/// The extended packet, if all of it is there.
fn extended_xmp(segments: &[Segment]) -> Option<Vec<u8>> {
    let parts: Vec<&[u8]> = segments
        .iter()
        .filter(|segment| is(segment, APP1, EXTENDED_XMP))
        .map(|segment| &segment.data[EXTENDED_XMP.len()..])
        .collect();
    let number = |part: &[u8], at: usize| Some(u32::from_be_bytes(part.get(at..at + 4)?.try_into().ok()?) as usize);
    let total = number(parts.first()?, 32)?;
    let there: usize = parts.iter().map(|part| part.len().saturating_sub(EXTENDED_HEADER)).sum();
    if total > there || total > MAX_METADATA_BYTES {
        return None;
    }
    let mut whole = vec![0; total];
    for part in parts {
        let (offset, data) = (number(part, 36)?, part.get(EXTENDED_HEADER..)?);
        whole.get_mut(offset..offset.checked_add(data.len())?)?.copy_from_slice(data);
    }
    Some(whole)
}

/// What the segments tell, for another format or another JPEG.
pub fn metadata(segments: &[Segment]) -> Metadata {
    let packet = segments.iter().find(|s| is(s, APP1, XMP)).map(|s| s.data[XMP.len()..].to_vec());
    let extension = extended_xmp(segments);
    let xmp = packet.map(|packet| {
        let whole = extension.and_then(|extension| xmp::join(&packet, &extension));
        let whole = whole.and_then(|whole| xmp::edit(&whole, &Edit::default(), true));
        whole.unwrap_or(packet)
    });
    Metadata {
        exif: segments.iter().find(|s| is(s, APP1, EXIF)).map(|s| s.data[EXIF.len()..].to_vec()),
        xmp,
        resources: joined(segments, APP13, PHOTOSHOP),
        density: segments.iter().find(|s| is(s, APP0, JFIF)).and_then(|s| density(&s.data)),
        comments: segments.iter().filter(|s| s.marker == COMMENT).map(|s| s.data.clone()).collect(),
        chunks: Vec::new(),
    }
}

fn density(jfif: &[u8]) -> Option<Density> {
    let &[unit, x1, x0, y1, y0] = jfif.get(7..12)? else { return None };
    let (across, down) = (f64::from(u16::from_be_bytes([x1, x0])), f64::from(u16::from_be_bytes([y1, y0])));
    let scale = match unit {
        0 => 1.0,
        1 => 1.0 / 0.0254,
        2 => 100.0,
        _ => return None,
    };
    let per = |value: f64| (value * scale).round() as u32;
    Some(Density { across: per(across), down: per(down), is_per_metre: unit > 0 })
        .filter(|d| d.across > 0 && d.down > 0)
}

/// Segments of a new JPEG. Of what is too long for a segment, only ICC and Photoshop's resources can be split.
pub fn new_segments(metadata: &Metadata, icc: Option<&[u8]>) -> Vec<Segment> {
    let mut out = vec![Segment { marker: APP0, data: jfif(metadata.density) }];
    let mut put = |marker: u8, name: &[u8], data: &[u8]| {
        if data.len() <= MAX_SEGMENT - name.len() {
            out.push(Segment { marker, data: [name, data].concat() });
        }
    };
    if let Some(exif) = &metadata.exif {
        put(APP1, EXIF, exif);
    }
    if let Some(packet) = &metadata.xmp {
        put(APP1, XMP, packet);
    }
    let resources = metadata.resources.as_deref().unwrap_or_default();
    resources.chunks(MAX_SEGMENT - PHOTOSHOP.len()).for_each(|part| put(APP13, PHOTOSHOP, part));
    let parts: Vec<&[u8]> = icc.unwrap_or_default().chunks(MAX_SEGMENT - ICC.len() - 2).collect();
    if parts.len() <= 255 {
        for (index, part) in parts.iter().enumerate() {
            let name = [ICC, &[index as u8 + 1, parts.len() as u8]].concat();
            put(APP2, &name, part);
        }
    }
    metadata.comments.iter().for_each(|comment| put(COMMENT, b"", comment));
    out
}

fn jfif(density: Option<Density>) -> Vec<u8> {
    let Density { across, down, is_per_metre } = density.unwrap_or(Density { across: 1, down: 1, is_per_metre: false });
    // Dots an inch, which is what people write, where that is a whole number; else a centimetre.
    let inch = |value: u32| f64::from(value) * 0.0254;
    let is_whole = |value: u32| (inch(value) - inch(value).round()).abs() < 0.02;
    let (unit, across, down) = match is_per_metre {
        false => (0, across, down),
        true if is_whole(across) && is_whole(down) => (1, inch(across).round() as u32, inch(down).round() as u32),
        true => (2, across.div_ceil(100), down.div_ceil(100)),
    };
    let side = |value: u32| u16::try_from(value).unwrap_or(1).to_be_bytes();
    [JFIF, &[1, 2, unit], &side(across), &side(down), &[0, 0]].concat()
}
