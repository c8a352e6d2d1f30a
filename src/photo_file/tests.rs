//! Photos with all kinds of metadata, made by Pillow and exiftool (`tests/reference/metadata/make.py`), saved in every format
//! and read back. `check.py` beside that script reads them back with Pillow and exiftool.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::pipeline::decode_photo;

const TURNED_JPEG: &[u8] = include_bytes!("../../tests/reference/metadata/photo-6.jpg");
const UPRIGHT_JPEG: &[u8] = include_bytes!("../../tests/reference/metadata/photo-1.jpg");
const PNG: &[u8] = include_bytes!("../../tests/reference/metadata/photo.png");
const RAMP: &[u8] = include_bytes!("../../tests/reference/metadata/ramp-rgb16.png");
const WEBP: &[u8] = include_bytes!("../../tests/reference/metadata/photo.webp");

const FORMATS: [Format; 3] = [Format::Png, Format::Jpeg, Format::WebP];

fn options(format: Format, without_place: bool) -> SaveOptions {
    SaveOptions { format, quality: None, without_place }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

/// All of the metadata as bytes, inflated.
fn told(bytes: &[u8]) -> Vec<u8> {
    let found = container::metadata(bytes);
    let chunks: Vec<Vec<u8>> = found.chunks.into_iter().map(|(name, data)| [&name[..], &data].concat()).collect();
    let parts = [found.exif, found.xmp, found.resources].into_iter().flatten();
    parts.chain(found.comments).chain(chunks).collect::<Vec<_>>().concat()
}

#[test]
fn metadata_is_kept_in_every_format_from_every_format() {
    for source in [TURNED_JPEG, UPRIGHT_JPEG, PNG, WEBP] {
        let photo = decode_photo(source).unwrap();
        for format in FORMATS {
            let saved = save(&photo, Some(source), &options(format, false)).unwrap();
            let told = told(&saved.bytes);
            for text in ["Camera", "2024:05:06 07:08:09", "Lens", "A title", "Vienna", "GPSLatitude"] {
                assert!(has(&told, text), "{format:?} lacks {text}");
            }
            assert_eq!(has(&told, "A caption"), format != Format::WebP && source != WEBP, "IPTC in {format:?}");
            assert!(!has(&told, "xmpGImg:image>") && metadata::find_jpeg(&told).is_none(), "a thumbnail in {format:?}");
            let back = decode_photo(&saved.bytes).unwrap();
            assert_eq!((back.width, back.height), (photo.width, photo.height));
            assert_eq!(back.icc, photo.icc, "{format:?}");
            assert!(format == Format::Jpeg || back.rgba == photo.rgba);
        }
    }
}

#[test]
fn what_is_kept_is_said() {
    for (source, format, quality, expected) in [
        (UPRIGHT_JPEG, Format::Jpeg, None, &["blocks", "profile", "exif", "xmp", "iptc", "place"][..]),
        (UPRIGHT_JPEG, Format::Jpeg, Some(80), &["profile", "exif", "xmp", "iptc", "place"][..]),
        (UPRIGHT_JPEG, Format::WebP, None, &["profile", "exif", "xmp", "place"][..]),
        (RAMP, Format::Png, None, &["sixteen-bit"][..]),
        (RAMP, Format::WebP, None, &[][..]),
    ] {
        let photo = decode_photo(source).unwrap();
        let options = SaveOptions { format, quality, without_place: false };
        let saved = save(&photo, Some(source), &options).unwrap();
        assert_eq!(saved.kept, expected, "{format:?}");
        assert_eq!(saved.format, format);
    }
}

#[test]
fn a_file_is_described() {
    let jpeg = describe(TURNED_JPEG);
    assert_eq!((jpeg.format, jpeg.has_place), (Some(Format::Jpeg), true));
    assert!(jpeg.quality.is_some_and(|quality| (60..=100).contains(&quality)), "{jpeg:?}");
    for (source, format) in [(PNG, Format::Png), (WEBP, Format::WebP)] {
        assert_eq!(describe(source), SourceFile { format: Some(format), has_place: true, quality: None });
    }
    assert_eq!(describe(b"GIF89a"), SourceFile { format: None, has_place: false, quality: None });
    assert_eq!(
        [Format::like(None), Format::like(Some(b"GIF89a")), Format::like(Some(WEBP))].map(Format::ending),
        ["png", "png", "webp"]
    );
}

/// Each of the parts that may tell a place is enough; none is left once the place is.
#[test]
fn a_place_is_found_in_any_part_and_gone_once_left_out() {
    let found = container::metadata(TURNED_JPEG);
    let only = [
        Metadata { exif: found.exif.clone(), ..Metadata::default() },
        Metadata { xmp: found.xmp.clone(), ..Metadata::default() },
        Metadata { resources: found.resources.clone(), ..Metadata::default() },
        Metadata { chunks: vec![(*b"tEXt", b"exif:GPSLatitude\x0048/1".to_vec())], ..Metadata::default() },
    ];
    for mut part in only {
        assert!(part.has_place(), "{part:?}");
        part.edit(&Edit { without_place: true, ..Edit::default() });
        assert!(!part.has_place(), "{part:?}");
    }
    assert!(!container::metadata(RAMP).has_place());
}

#[test]
fn the_place_is_left_out_wherever_it_is_told() {
    for source in [TURNED_JPEG, PNG, WEBP] {
        assert!(has(&told(source), "Vienna"));
        let photo = decode_photo(source).unwrap();
        for format in FORMATS {
            let saved = save(&photo, Some(source), &options(format, true)).unwrap();
            let told = told(&saved.bytes);
            assert!(!has(&told, "Vienna") && !has(&told, "GPS"), "{format:?}");
            assert!(has(&told, "Camera") && has(&told, "A title"), "{format:?}");
            assert!(saved.notes.contains(&"place-left-out".to_owned()), "{format:?}: {:?}", saved.notes);
            // The GPS tags' values as well, not only the way to them: 48 and 12 as rationals.
            assert!(!has(&saved.bytes, "\0\0\x000\0\0\0\x01\0\0\0\x0c"), "{format:?}");
        }
    }
}

#[test]
fn no_place_is_said_to_be_left_out_where_none_was_told_or_it_is_kept() {
    let is_said = |source: &[u8], without_place: bool| {
        let saved = save(&decode_photo(source).unwrap(), Some(source), &options(Format::Png, without_place)).unwrap();
        saved.notes.iter().any(|note| note == "place-left-out")
    };
    assert!(is_said(PNG, true) && !is_said(PNG, false) && !is_said(RAMP, true));
}

#[test]
fn orientation_is_reset_where_pixels_are_turned_and_kept_where_blocks_are() {
    use image::ImageDecoder;
    use image::metadata::Orientation;
    let photo = decode_photo(TURNED_JPEG).unwrap();
    assert_eq!((photo.width, photo.height), (32, 48));
    for (quality, format, expected) in [
        (None, Format::Jpeg, Orientation::Rotate90),
        (Some(80), Format::Jpeg, Orientation::NoTransforms),
        (None, Format::Png, Orientation::NoTransforms),
        (None, Format::WebP, Orientation::NoTransforms),
    ] {
        let options = SaveOptions { format, quality, without_place: false };
        let bytes = save(&photo, Some(TURNED_JPEG), &options).unwrap().bytes;
        let reader = image::ImageReader::new(std::io::Cursor::new(&bytes)).with_guessed_format().unwrap();
        let mut decoder = reader.into_decoder().unwrap();
        assert_eq!(decoder.orientation().unwrap(), expected, "{format:?}");
        let is_reset = expected == Orientation::NoTransforms;
        let xmp = container::metadata(&bytes).xmp.unwrap();
        assert_eq!(has(&xmp, "Orientation>1<"), is_reset, "{format:?}: {}", String::from_utf8_lossy(&xmp));
        let back = decode_photo(&bytes).unwrap();
        assert_eq!((back.width, back.height), (32, 48));
        assert!(format == Format::Jpeg || back.rgba == photo.rgba);
    }
}

#[test]
fn resolution_colour_and_text_are_kept() {
    let photo = decode_photo(PNG).unwrap();
    let saved = save(&photo, Some(PNG), &options(Format::Png, false)).unwrap();
    assert!(saved.notes.is_empty());
    let (before, after) = (container::metadata(PNG), container::metadata(&saved.bytes));
    assert_eq!(after.density, before.density);
    assert_eq!(after.chunks, before.chunks);
    let names: Vec<&[u8; 4]> = after.chunks.iter().map(|(name, _)| name).collect();
    for name in [b"cICP", b"gAMA", b"cHRM", b"tEXt", b"iTXt"] {
        assert!(names.contains(&name));
    }
    for format in [Format::Jpeg, Format::WebP] {
        let saved = save(&photo, Some(PNG), &options(format, false)).unwrap();
        assert!(saved.notes.iter().any(|note| note == "text-left-out"));
        assert!(saved.notes.iter().any(|note| note == "colour-left-out"));
    }
    let jpeg = save(&photo, Some(PNG), &options(Format::Jpeg, false)).unwrap().bytes;
    assert_eq!(container::metadata(&jpeg).density, before.density, "300 dots an inch");
}

#[test]
fn without_a_source_pixels_and_profile_are_saved() {
    let photo = decode_photo(UPRIGHT_JPEG).unwrap();
    for format in FORMATS {
        let saved = save(&photo, None, &options(format, false)).unwrap();
        let back = decode_photo(&saved.bytes).unwrap();
        assert_eq!((back.width, back.height, &back.icc), (photo.width, photo.height, &photo.icc));
    }
    let clear = Photo { has_alpha: true, rgba: [10, 20, 30, 0].repeat(48 * 32), ..photo };
    let saved = save(&clear, None, &options(Format::Jpeg, false)).unwrap();
    assert_eq!(saved.notes, ["flattened"]);
    assert!(decode_photo(&saved.bytes).unwrap().rgba.iter().all(|&value| value >= 254));
}

/// Its two numbers multiplied would overflow; found by flipping bytes.
#[test]
fn the_greatest_resolution_is_kept() {
    let mut source = UPRIGHT_JPEG.to_vec();
    let jfif = source.windows(4).position(|part| part == b"JFIF").unwrap();
    source[jfif + 7..jfif + 12].copy_from_slice(&[1, 0xff, 0xff, 0xff, 0xff]);
    let density = container::metadata(&source).density.unwrap();
    assert_eq!((density.across, density.down), (2_580_118, 2_580_118));
    let photo = decode_photo(&source).unwrap();
    let saved = save(&photo, Some(&source), &options(Format::Png, false)).unwrap();
    assert_eq!(container::metadata(&saved.bytes).density, Some(density));
}

#[test]
fn damaged_metadata_never_panics() {
    let mut state = 7u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let change = Edit { orientation: Some(1), size: Some((70_000, 3)), without_place: true };
    for source in [TURNED_JPEG, PNG, WEBP] {
        for _ in 0..400 {
            let mut bytes = source.to_vec();
            for _ in 0..1 + random(8) {
                let at = random(bytes.len());
                bytes[at] = [0, 1, 0x7f, 0xff, random(256) as u8][random(5)];
            }
            bytes.truncate(bytes.len() - random(3) * random(bytes.len() / 2));
            let mut found = container::metadata(&bytes);
            found.edit(&change);
            let segments = container::jpeg::edited(container::jpeg::segments(&bytes), &change);
            assert!(container::jpeg::new_segments(&found, None).len() + segments.len() < 100);
        }
    }
}

/// Every tag of EXIF, given every offset that may hurt.
#[test]
fn exif_that_points_outside_is_edited_without_harm() {
    let found = container::metadata(TURNED_JPEG).exif.unwrap();
    let change = Edit { orientation: Some(1), size: Some((9, 9)), without_place: true };
    for at in 0..found.len() - 4 {
        for value in [0, 8, found.len() as u32 - 1, found.len() as u32, 0x7fff_ffff, u32::MAX] {
            let mut exif = found.clone();
            exif[at..at + 4].copy_from_slice(&value.to_be_bytes());
            if let Some(edited) = metadata::exif::edit(exif, &change) {
                assert_eq!(edited.len(), found.len());
            }
        }
    }
}

#[test]
fn metadata_that_is_too_long_is_left_out_and_said() {
    let photo = decode_photo(UPRIGHT_JPEG).unwrap();
    let long = [b"<a>".to_vec(), vec![b' '; 50 << 20], b"</a>".to_vec()].concat();
    let found = Metadata { xmp: Some(long), ..Metadata::default() };
    let source = container::png::with_metadata(&pipeline::encode_photo(&photo).unwrap(), &found, true);
    let saved = save(&photo, Some(&source), &options(Format::Png, false)).unwrap();
    assert_eq!(saved.notes, ["metadata-left-out"]);
    assert!(saved.bytes.len() < 100_000);
    // What a PNG has room for, a JPEG may not.
    let found = Metadata { xmp: Some(format!("<a>{}</a>", " ".repeat(70_000)).into_bytes()), ..Metadata::default() };
    let source = container::png::with_metadata(&pipeline::encode_photo(&photo).unwrap(), &found, true);
    assert!(save(&photo, Some(&source), &options(Format::Png, false)).unwrap().notes.is_empty());
    assert_eq!(save(&photo, Some(&source), &options(Format::Jpeg, false)).unwrap().notes, ["metadata-left-out"]);
}

/// 20 kB that claim to be 20 MB of EXIF, two hundred times: what is inflated is bounded for all of them together.
#[test]
fn text_that_inflates_without_end_is_left_out() {
    let bomb = miniz_oxide::deflate::compress_to_vec_zlib(&vec![b'0'; 20 << 20], 9);
    let chunk = [b"Raw profile type exif\0\0", &bomb[..]].concat();
    let found = Metadata { chunks: vec![(*b"zTXt", chunk); 200], ..Metadata::default() };
    let photo = decode_photo(UPRIGHT_JPEG).unwrap();
    let source = container::png::with_metadata(&pipeline::encode_photo(&photo).unwrap(), &found, true);
    let saved = save(&photo, Some(&source), &options(Format::Png, false)).unwrap();
    assert_eq!(saved.notes, ["metadata-left-out"]);
}

/// The values of a PNG of 16 bits, channel by channel.
fn deep(bytes: &[u8]) -> (Vec<u16>, usize) {
    let image = pipeline::decode_stored(bytes).unwrap().image;
    let channels = image.color().channel_count().into();
    let values = image.into_bytes().chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect();
    (values, channels)
}

#[test]
fn sixteen_bits_stay_outside_the_hole_and_have_no_bands_inside() {
    for source in [
        &include_bytes!("../../tests/reference/metadata/ramp-gray16.png")[..],
        RAMP,
        include_bytes!("../../tests/reference/metadata/ramp-rgba16.png"),
    ] {
        let mut photo = decode_photo(source).unwrap();
        let (before, channels) = deep(source);
        let is_inside = |at: usize| (20..70).contains(&(at % 96)) && (10..30).contains(&(at / 96));
        // A fill that continues the ramp, as 8 bits say it: bands of six pixels. It never equals the source.
        for (_, pixel) in photo.rgba.chunks_exact_mut(4).enumerate().filter(|(at, _)| is_inside(*at)) {
            pixel[..3].iter_mut().for_each(|value| *value += 1);
        }
        let saved = save(&photo, Some(source), &options(Format::Png, false)).unwrap();
        let (after, _) = deep(&saved.bytes);
        for at in (0..96 * 40).filter(|&at| !is_inside(at)) {
            assert_eq!(after[at * channels..][..channels], before[at * channels..][..channels]);
        }
        // A step of 8 bits is 257; the ramp's own is 42, and so is the fill's.
        let value = |x: usize| after[(20 * 96 + x) * channels];
        let steps: Vec<u16> = (25..65).map(|x| value(x + 1).abs_diff(value(x))).collect();
        assert!(steps.iter().all(|&step| step < 90), "{steps:?}");
        assert_eq!(decode_photo(&saved.bytes).unwrap().rgba, photo.rgba, "the same in 8 bits");
    }
    let jpeg = save(&decode_photo(UPRIGHT_JPEG).unwrap(), Some(UPRIGHT_JPEG), &options(Format::Png, false)).unwrap();
    assert!(decode_photo(&jpeg.bytes).unwrap().notes.is_empty());
}
