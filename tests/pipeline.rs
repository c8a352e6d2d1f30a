//! The whole pipeline on pictures: sizes, orientation, colour profile, alpha, and what lies outside the mask.

use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use infill::engine::{Engine, EngineKind, Run};
use infill::error::{Code, Error, Result};
use infill::models::load::{self, Loaded};
use infill::models::{NormStatistics, SizeRule};
use infill::network::{Network, Shape};
use infill::pipeline::{self, FillOptions, Mask, Photo, Sharpen};
use infill::tensor::Tensor;

fn photo(width: usize, height: usize) -> Photo {
    let pixel = |i: usize| {
        let (x, y) = (i % width, i / width);
        let grain = (x * 7 + y * 13) % 17;
        [
            (40 + x * 150 / width.max(2) + grain) as u8,
            (60 + y * 120 / height.max(2) + grain) as u8,
            (200 - grain) as u8,
            255,
        ]
    };
    let rgba = (0..width * height).flat_map(pixel).collect();
    Photo { width, height, rgba, has_alpha: false, is_gray: false, icc: None, notes: Vec::new() }
}

fn mask(width: usize, height: usize, hole: impl Fn(usize, usize) -> bool) -> Mask {
    let holes = (0..width * height).map(|i| if hole(i % width, i / width) { 255 } else { 0 }).collect();
    Mask::new(width, height, holes).unwrap()
}

fn fill(photo: &Photo, mask: &Mask, models: &mut [Loaded], options: &FillOptions) -> Result<Photo> {
    let patches = pipeline::fill(photo, mask, models, options, &mut |_| ControlFlow::Continue(()))?;
    let mut filled = photo.clone();
    pipeline::apply(&mut filled, &patches);
    Ok(filled)
}

fn default() -> Vec<Loaded> {
    vec![load::default_model(EngineKind::Fast).unwrap()]
}

fn fixture(name: &str) -> Vec<Loaded> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/networks").join(name);
    let mut checkpoint = infill::checkpoint::open(std::fs::File::open(path).unwrap(), name).unwrap();
    load::load(checkpoint.as_mut(), name, None, EngineKind::Fast).unwrap()
}

/// Outside equal, inside changed.
fn hold(before: &Photo, after: &Photo, mask: &Mask, what: &str) {
    let mut changed = 0;
    for (i, (a, b)) in before.rgba.chunks_exact(4).zip(after.rgba.chunks_exact(4)).enumerate() {
        if mask.holes[i] > 127 {
            changed += usize::from(a != b);
        } else {
            assert_eq!(a, b, "{what}: pixel {}, {} changed outside the mask", i % before.width, i / before.width);
        }
    }
    assert!(changed > 0, "{what}: nothing changed");
}

#[test]
fn outside_the_mask_nothing_changes_in_any_mode() {
    let photo = photo(150, 110);
    let hole = mask(150, 110, |x, y| (40..80).contains(&x) && (30..60).contains(&y) || x > 143 && y > 100);
    let networks = [
        ("none", Vec::new()),
        ("default", default()),
        ("context-encoder", fixture("context-encoder.pth")),
        ("edgeconnect", fixture("edgeconnect-inpaint.pth")),
        ("image-pair", fixture("image-pair.pth")),
        ("pix2pix", fixture("pix2pix-unet-in.pth")),
        ("pix2pix of four channels", fixture("pix2pix-unet-dropout.pth")),
        ("pix2pix of gray", fixture("pix2pix-unet-old-stats.pth")),
        ("cyclegan", fixture("cyclegan-resnet-in.pth")),
        ("pytorch-gan", fixture("pytorch-gan-context-encoder.pth")),
        ("migan", fixture("migan-64.pth")),
    ];
    for (name, mut models) in networks {
        for sharpen in [Sharpen::Auto, Sharpen::On, Sharpen::Off] {
            let options = FillOptions { sharpen, ..FillOptions::default() };
            let filled = fill(&photo, &hole, &mut models, &options).unwrap();
            hold(&photo, &filled, &hole, &format!("{name} {sharpen:?}"));
        }
    }
}

#[test]
fn edge_and_inpaint_generator_work_together() {
    let mut models = fixture("edgeconnect-edge.pth");
    let photo = photo(90, 70);
    let hole = mask(90, 70, |x, y| (30..50).contains(&x) && (20..40).contains(&y));
    let alone = fill(&photo, &hole, &mut models, &FillOptions::default()).unwrap_err();
    assert_eq!(alone.code, Code::ModelMismatch);
    models.extend(fixture("edgeconnect-inpaint.pth"));
    let both = fill(&photo, &hole, &mut models, &FillOptions::default()).unwrap();
    hold(&photo, &both, &hole, "both");
    let canny = fill(&photo, &hole, &mut fixture("edgeconnect-inpaint.pth"), &FillOptions::default()).unwrap();
    assert_ne!(both.rgba, canny.rgba, "the edge generator made no difference");
    let drawn = FillOptions { edges: Some(hole.holes.clone()), ..FillOptions::default() };
    assert_ne!(fill(&photo, &hole, &mut models, &drawn).unwrap().rgba, both.rgba, "drawn edges made no difference");
}

#[test]
fn conventions_change_what_the_network_sees() {
    let photo = photo(80, 60);
    let hole = mask(80, 60, |x, y| (30..50).contains(&x) && (20..40).contains(&y));
    let plain = fill(&photo, &hole, &mut default(), &FillOptions::default()).unwrap();
    for json in
        [r#"{"holeValue": 1}"#, r#"{"maskMeans": "known"}"#, r#"{"range": "0..1"}"#, r#"{"outputCovers": "centre"}"#]
    {
        let options = FillOptions::from_json(json).unwrap();
        let other = fill(&photo, &hole, &mut default(), &options).unwrap();
        assert_ne!(plain.rgba, other.rgba, "{json}");
        hold(&photo, &other, &hole, json);
    }
}

/// The page's JSON and the command line decide when the network is built; a run cannot change it.
#[test]
fn norm_statistics_are_decided_when_a_network_is_built() {
    let photo = photo(80, 60);
    let hole = mask(80, 60, |x, y| (30..50).contains(&x) && (20..40).contains(&y));
    let options = FillOptions { sharpen: Sharpen::Off, ..FillOptions::default() };
    let picture = FillOptions { norm_statistics: Some(NormStatistics::Picture), ..options.clone() };
    let mut models = fixture("image-pair.pth");
    let stored = fill(&photo, &hole, &mut models, &options).unwrap();
    assert_eq!(fill(&photo, &hole, &mut models, &picture).unwrap_err().code, Code::Usage);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/networks/image-pair.pth");
    let open = || infill::checkpoint::open(std::fs::File::open(&path).unwrap(), "image-pair.pth");
    models[0].use_statistics(NormStatistics::Picture, EngineKind::Fast, open).unwrap();
    let own = fill(&photo, &hole, &mut models, &picture).unwrap();
    hold(&photo, &own, &hole, "norms of the picture");
    assert_ne!(own.rgba, stored.rgba);
    models[0].use_statistics(NormStatistics::Stored, EngineKind::Fast, open).unwrap();
    assert_eq!(fill(&photo, &hole, &mut models, &options).unwrap().rgba, stored.rgba);
    // The default model has no norms: nothing is to be decided.
    assert!(fill(&photo, &hole, &mut default(), &picture).is_ok());
}

#[test]
fn a_seed_gives_the_same_fill_and_another_seed_another() {
    let photo = photo(120, 120);
    let hole = mask(120, 120, |x, y| (40..80).contains(&x) && (40..80).contains(&y));
    let with = |seed| fill(&photo, &hole, &mut [], &FillOptions { seed, ..FillOptions::default() }).unwrap().rgba;
    assert_eq!(with(1), with(1));
    assert_ne!(with(1), with(2));
}

#[test]
fn tiny_odd_and_extreme_shapes_are_filled() {
    for (width, height) in [(1, 1), (1, 5000), (3000, 2), (7, 9), (33, 17)] {
        let photo = photo(width, height);
        let part = mask(width, height, |x, y| x == width / 2 && y >= height / 2);
        let all = mask(width, height, |_, _| true);
        let filled = fill(&photo, &all, &mut default(), &FillOptions::default()).unwrap();
        assert_eq!((filled.width, filled.height), (width, height));
        if width * height > 1 {
            let filled = fill(&photo, &part, &mut default(), &FillOptions::default()).unwrap();
            hold(&photo, &filled, &part, &format!("{width}x{height}"));
            fill(&photo, &part, &mut [], &FillOptions::default()).unwrap();
        }
        assert_eq!(fill(&photo, &all, &mut [], &FillOptions::default()).unwrap_err().code, Code::MaskFull);
    }
}

#[test]
fn narrow_photos_and_holes_over_almost_everything_are_filled() {
    type Inside = fn(usize, usize) -> bool;
    let cases: [(usize, usize, Inside); 5] = [
        (2400, 30, |x, y| (500..1900).contains(&x) && y > 3),
        (30, 1500, |x, y| (200..900).contains(&y) && x < 25),
        (600, 420, |x, y| (10..590).contains(&x) && (10..410).contains(&y)),
        (300, 260, |x, y| x > 2 || y > 2),
        (500, 400, |x, _| x < 360),
    ];
    for (width, height, inside) in cases {
        let photo = photo(width, height);
        let hole = mask(width, height, inside);
        for mut models in [Vec::new(), default()] {
            let filled = fill(&photo, &hole, &mut models, &FillOptions::default()).unwrap();
            hold(&photo, &filled, &hole, &format!("{width}x{height} with {} networks", models.len()));
        }
    }
}

#[test]
fn holes_far_apart_are_filled_each_from_its_own_surroundings() {
    // Left half red, right half blue: a hole in either takes nothing from the other.
    let mut photo = photo(900, 200);
    for (i, p) in photo.rgba.chunks_exact_mut(4).enumerate() {
        let grain = (i * 31 % 11) as u8;
        p[..3].copy_from_slice(&if i % 900 < 450 { [200 + grain, 30, 20] } else { [20, 30, 200 + grain] });
    }
    let left = |x: usize, y: usize| (60..110).contains(&x) && (70..130).contains(&y);
    let right = |x: usize, y: usize| (780..840).contains(&x) && (60..120).contains(&y);
    let hole = mask(900, 200, |x, y| left(x, y) || right(x, y));
    let patches =
        pipeline::fill(&photo, &hole, &mut [], &FillOptions::default(), &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(patches.len(), 2, "each hole has a window of its own");
    let mut filled = photo.clone();
    pipeline::apply(&mut filled, &patches);
    for (i, p) in filled.rgba.chunks_exact(4).enumerate() {
        let (x, y) = (i % 900, i / 900);
        assert!(!left(x, y) || p[0] > 150 && p[2] < 60, "blue on the red side at {x}, {y}: {p:?}");
        assert!(!right(x, y) || p[2] > 150 && p[0] < 60, "red on the blue side at {x}, {y}: {p:?}");
    }
}

#[test]
fn the_feather_stays_inside_and_the_rim_matches_without_sharpening() {
    // A network whose colours are off: the rim must still meet the photo.
    let photo = photo(200, 160);
    let hole = mask(200, 160, |x, y| (70..130).contains(&x) && (50..110).contains(&y));
    let options = FillOptions { sharpen: Sharpen::Off, ..FillOptions::default() };
    let filled = fill(&photo, &hole, &mut default(), &options).unwrap();
    hold(&photo, &filled, &hole, "feather");
    let at = |p: &Photo, x: usize, y: usize| i32::from(p.rgba[(y * 200 + x) * 4]);
    let steps: Vec<i32> = (52..108).map(|y| (at(&filled, 70, y) - at(&photo, 69, y)).abs()).collect();
    let mean = steps.iter().sum::<i32>() as f64 / steps.len() as f64;
    assert!(mean < 14.0, "a step of {mean} levels at the rim; the photo's own grain is 17");
}

#[test]
fn small_holes_are_sharpened_after_a_network_that_guides_only() {
    let photo = photo(200, 160);
    let hole = mask(200, 160, |x, y| (70..110).contains(&x) && (50..90).contains(&y));
    let with = |models: &mut [Loaded], sharpen| {
        fill(&photo, &hole, models, &FillOptions { sharpen, ..FillOptions::default() }).unwrap().rgba
    };
    let (mut guide, mut other) = (default(), fixture("edgeconnect-inpaint.pth"));
    assert!(with(&mut guide, Sharpen::Auto) == with(&mut guide, Sharpen::On));
    assert!(with(&mut other, Sharpen::Auto) == with(&mut other, Sharpen::Off));
}

#[test]
fn an_empty_mask_and_a_mask_of_another_size_are_refused() {
    let photo = photo(20, 10);
    let none = mask(20, 10, |_, _| false);
    assert_eq!(fill(&photo, &none, &mut [], &FillOptions::default()).unwrap_err().code, Code::MaskEmpty);
    let other = mask(10, 20, |_, _| true);
    assert_eq!(fill(&photo, &other, &mut [], &FillOptions::default()).unwrap_err().code, Code::MaskSize);
    let png = pipeline::encode_mask(&other).unwrap();
    let error = pipeline::decode_mask(&png, 20, 10).unwrap_err();
    assert_eq!(error.code, Code::MaskSize);
    assert!(error.message.contains("10 x 20") && error.message.contains("20 x 10"), "{error}");
}

#[test]
fn gray_stays_gray_and_transparency_continues() {
    let mut gray = photo(60, 50);
    gray.rgba.chunks_exact_mut(4).for_each(|p| (p[1], p[2]) = (p[0], p[0]));
    gray.is_gray = true;
    let hole = mask(60, 50, |x, y| (20..35).contains(&x) && (20..35).contains(&y));
    let filled = fill(&gray, &hole, &mut default(), &FillOptions::default()).unwrap();
    assert!(filled.rgba.chunks_exact(4).all(|p| p[0] == p[1] && p[1] == p[2]));
    let back = pipeline::decode_photo(&pipeline::encode_photo(&filled).unwrap()).unwrap();
    assert!(back.is_gray && back.rgba == filled.rgba);

    let mut glass = photo(60, 50);
    glass.has_alpha = true;
    glass.rgba.chunks_exact_mut(4).for_each(|p| p[3] = 90);
    let filled = fill(&glass, &hole, &mut default(), &FillOptions::default()).unwrap();
    assert!(filled.rgba.chunks_exact(4).all(|p| p[3] == 90), "transparency is not continued");
}

/// What lies under full transparency was never seen: whatever it is, the fill is the same.
#[test]
fn what_is_clear_says_nothing_about_the_fill() {
    let (width, height) = (120, 100);
    let hole = mask(width, height, |x, y| (40..70).contains(&x) && (40..60).contains(&y));
    let is_clear =
        |x: usize, y: usize| !hole.is_hole(x, y) && !(x + y).is_multiple_of(7) && (30..75).contains(&x) && y < 75;
    let under = |hidden: [u8; 3]| {
        let mut photo = photo(width, height);
        photo.has_alpha = true;
        for (i, pixel) in photo.rgba.chunks_exact_mut(4).enumerate().filter(|(i, _)| is_clear(i % width, i / width)) {
            pixel.copy_from_slice(&[hidden[0], hidden[1], (i % 256) as u8 & hidden[2], 0]);
        }
        photo
    };
    for (sharpen, with_network) in [(Sharpen::Off, true), (Sharpen::On, true), (Sharpen::On, false)] {
        let options = FillOptions { sharpen, ..FillOptions::default() };
        let fills = [[255, 0, 255], [0, 255, 0]].map(|hidden| {
            let photo = under(hidden);
            let mut models = if with_network { default() } else { Vec::new() };
            let filled = fill(&photo, &hole, &mut models, &options).unwrap();
            hold(&photo, &filled, &hole, "clear");
            filled
        });
        let inside = |photo: &Photo| {
            let pixels = photo.rgba.chunks_exact(4).zip(&hole.holes).filter(|(_, hole)| **hole > 127);
            pixels.flat_map(|(pixel, _)| pixel.to_vec()).collect::<Vec<u8>>()
        };
        assert!(inside(&fills[0]) == inside(&fills[1]), "{sharpen:?}, with a network: {with_network}");
    }
}

#[test]
fn a_hole_amidst_nothing_becomes_nothing() {
    let mut photo = photo(60, 50);
    photo.has_alpha = true;
    let hole = mask(60, 50, |x, y| (20..30).contains(&x) && (20..30).contains(&y));
    for (i, pixel) in photo.rgba.chunks_exact_mut(4).enumerate() {
        pixel[3] = if hole.is_hole(i % 60, i / 60) { 255 } else { 0 };
    }
    for mut models in [Vec::new(), default()] {
        let filled = fill(&photo, &hole, &mut models, &FillOptions::default()).unwrap();
        hold(&photo, &filled, &hole, "nothing");
        assert_eq!(filled.rgba[(25 * 60 + 25) * 4..][..4], [0; 4]);
    }
}

#[test]
fn low_alpha_and_the_colour_profile_survive() {
    let mut photo = photo(9, 5);
    photo.has_alpha = true;
    photo.rgba[..4].copy_from_slice(&[200, 100, 50, 3]);
    photo.icc = Some(vec![7; 300]);
    let back = pipeline::decode_photo(&pipeline::encode_photo(&photo).unwrap()).unwrap();
    assert_eq!((back.rgba, back.icc, back.has_alpha), (photo.rgba, photo.icc, true));
}

/// A JPEG with this EXIF orientation.
fn jpeg(photo: &Photo, orientation: u8) -> Vec<u8> {
    let rgb: Vec<u8> = photo.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 100);
    encoder.write_image(&rgb, photo.width as u32, photo.height as u32, ExtendedColorType::Rgb8).unwrap();
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut out = bytes[..2].to_vec();
    out.extend([0xff, 0xe1]);
    out.extend(((exif.len() + 2) as u16).to_be_bytes());
    out.extend(exif);
    out.extend(&bytes[2..]);
    out
}

#[test]
fn every_exif_orientation_is_turned_upright() {
    // Left half dark, top half red: a corner pixel tells every orientation apart.
    let mut upright = photo(24, 16);
    for (i, p) in upright.rgba.chunks_exact_mut(4).enumerate() {
        let (x, y) = (i % 24, i / 24);
        p.copy_from_slice(&[if y < 8 { 220 } else { 20 }, 0, if x < 12 { 20 } else { 220 }, 255]);
    }
    let (w, h) = (24usize, 16usize);
    for orientation in 1..=8u8 {
        // Where the stored pixel (x, y) comes from in the upright picture (EXIF 2.3, tag 0x0112).
        let turned = orientation >= 5;
        let (sw, sh) = if turned { (h, w) } else { (w, h) };
        let mut stored = Photo { width: sw, height: sh, ..upright.clone() };
        for y in 0..sh {
            for x in 0..sw {
                let (ux, uy) = match orientation {
                    1 => (x, y),
                    2 => (w - 1 - x, y),
                    3 => (w - 1 - x, h - 1 - y),
                    4 => (x, h - 1 - y),
                    5 => (y, x),
                    6 => (w - 1 - y, x),
                    7 => (w - 1 - y, h - 1 - x),
                    _ => (y, h - 1 - x),
                };
                let from = (uy * w + ux) * 4;
                let pixel: Vec<u8> = upright.rgba[from..from + 4].to_vec();
                stored.rgba[(y * sw + x) * 4..][..4].copy_from_slice(&pixel);
            }
        }
        let found = pipeline::decode_photo(&jpeg(&stored, orientation)).unwrap();
        assert_eq!((found.width, found.height), (w, h), "orientation {orientation}");
        let saved = pipeline::decode_photo(&pipeline::encode_photo(&found).unwrap()).unwrap();
        assert!(saved.rgba == found.rgba && saved.notes.is_empty(), "orientation {orientation} is not saved upright");
        for (i, (a, b)) in found.rgba.iter().zip(&upright.rgba).enumerate() {
            let (x, y) = (i / 4 % w, i / 4 / w);
            let edge = x.abs_diff(12) < 9 && x.abs_diff(11) < 9 || y.abs_diff(8) < 9;
            assert!(edge || a.abs_diff(*b) < 12, "orientation {orientation}: {x}, {y}");
        }
        let corner = |p: &Photo, x: usize, y: usize| [p.rgba[(y * w + x) * 4] > 120, p.rgba[(y * w + x) * 4 + 2] > 120];
        for (x, y) in [(1, 1), (22, 1), (1, 14), (22, 14)] {
            assert_eq!(corner(&found, x, y), corner(&upright, x, y), "orientation {orientation}: {x}, {y}");
        }
    }
}

#[test]
fn a_mask_is_turned_upright_like_a_photo() {
    let mut upright = photo(24, 16);
    for (i, p) in upright.rgba.chunks_exact_mut(4).enumerate() {
        p[..3].fill(if i % 24 < 8 && i / 24 < 8 { 255 } else { 0 });
    }
    // Orientation 3: the file holds it upside down.
    let mut stored = upright.clone();
    stored.rgba = upright.rgba.chunks_exact(4).rev().flatten().copied().collect();
    let reading = pipeline::read_mask(&jpeg(&stored, 3), (24, 16), pipeline::MaskOptions::default()).unwrap();
    assert!(reading.is_turned && reading.mask == mask(24, 16, |x, y| x < 8 && y < 8));
    let stored = pipeline::decode_mask(&jpeg(&stored, 1), 24, 16).unwrap();
    assert_eq!(stored, mask(24, 16, |x, y| x >= 16 && y >= 8));
    assert_eq!(pipeline::decode_photo(&jpeg(&upright, 6)).unwrap().notes, ["turned"]);
}

#[test]
fn pictures_that_lie_or_are_none_are_refused() {
    let code = |bytes: &[u8]| pipeline::decode_photo(bytes).unwrap_err().code;
    assert_eq!(code(b""), Code::ImageFormat);
    assert_eq!(code(b"Dear Sir"), Code::ImageFormat);
    assert_eq!(code(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), Code::ImageFormat);
    assert_eq!(code(b"GIF89a\x01\0\x01\0"), Code::ImageFormat);
    // A JPEG whose frame has four components.
    let cmyk = pipeline::decode_photo(b"\xff\xd8\xff\xc0\0\x14\x08\0\x08\0\x08\x04").unwrap_err();
    assert!(cmyk.code == Code::ImageFormat && cmyk.message.contains("CMYK"), "{cmyk}");
    let png = pipeline::encode_photo(&photo(50, 40)).unwrap();
    assert_eq!(code(&png[..60]), Code::ImageCorrupt, "no pixel is left");
    let mut huge = png.clone();
    huge[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let crc = crc32fast::hash(&huge[12..29]);
    huge[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(code(&huge), Code::ImageLimit);
    // Longer than any side may be, though it has few pixels.
    let long = Photo { width: 40_000, height: 2, rgba: vec![9; 320_000], ..photo(1, 1) };
    assert_eq!(code(&pipeline::encode_photo(&long).unwrap()), Code::ImageLimit);
}

#[test]
fn an_animation_is_told_and_its_first_picture_opened() {
    let whole = photo(30, 20);
    let mut png = pipeline::encode_photo(&whole).unwrap();
    // `acTL`, one frame, endless, behind the header's chunk.
    let chunk = b"acTL\0\0\0\x01\0\0\0\0";
    png.splice(33..33, [&8u32.to_be_bytes()[..], chunk, &crc32fast::hash(chunk).to_be_bytes()].concat());
    let found = pipeline::decode_photo(&png).unwrap();
    assert!(found.notes == ["animated"] && found.rgba == whole.rgba, "{:?}", found.notes);
}

/// The rows that are exactly as in `whole`, and those without a value.
fn intact_and_missing_rows(found: &Photo, whole: &Photo) -> (usize, usize) {
    assert_eq!((found.width, found.height), (whole.width, whole.height));
    let rows = |photo: &Photo| photo.rgba.chunks_exact(photo.width * 4).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (found, whole) = (rows(found), rows(whole));
    let intact = found.iter().zip(&whole).take_while(|(a, b)| a == b).count();
    let missing = found.iter().rev().take_while(|row| row.chunks(4).all(|p| p[..3] == [0; 3])).count();
    (intact, missing)
}

#[test]
fn a_png_that_is_cut_off_or_damaged_is_opened_as_far_as_it_goes() {
    let whole = photo(200, 150);
    let rgb: Vec<u8> = whole.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
    let deep: Vec<u8> = rgb.iter().flat_map(|&value| (u16::from(value) * 257).to_ne_bytes()).collect();
    let write = |bytes: &[u8], color| {
        let mut png = Vec::new();
        PngEncoder::new(&mut png).write_image(bytes, 200, 150, color).unwrap();
        png
    };
    for (png, kind) in
        [(write(&rgb, ExtendedColorType::Rgb8), None), (write(&deep, ExtendedColorType::Rgb16), Some("sixteen-bit"))]
    {
        let notes: Vec<&str> = kind.into_iter().chain(["damaged"]).collect();
        let intact = |bytes: &[u8]| {
            let found = pipeline::decode_photo(bytes).unwrap();
            assert_eq!(found.notes, notes);
            let (intact, missing) = intact_and_missing_rows(&found, &whole);
            assert!(intact + missing >= 149, "{intact} + {missing}: a row is neither right nor missing");
            intact
        };
        assert_eq!(intact(&png[..png.len() - 12]), 150, "only IEND is missing");
        assert!((50..100).contains(&intact(&png[..png.len() / 2])));
        assert!((100..150).contains(&intact(&png[..png.len() * 9 / 10])));
        let mut wrong_sum = png.clone();
        let at = wrong_sum.len() - 16;
        wrong_sum[at] ^= 1;
        assert!(intact(&wrong_sum) > 140);
        assert_eq!(pipeline::decode_photo(&png).unwrap().notes, kind.into_iter().collect::<Vec<_>>());
        // What is missing of a mask is not known to be black.
        assert_eq!(pipeline::decode_mask(&png[..png.len() / 2], 200, 150).unwrap_err().code, Code::ImageCorrupt);
    }
}

#[test]
fn a_jpeg_that_is_cut_off_is_opened_and_told() {
    let whole = photo(200, 160);
    let bytes = jpeg(&whole, 1);
    let full = pipeline::decode_photo(&bytes).unwrap();
    assert!(full.notes.is_empty(), "{:?}", full.notes);
    for share in [3, 6, 9] {
        let cut = &bytes[..bytes.len() * share / 10];
        let found = pipeline::decode_photo(cut).unwrap();
        assert_eq!(found.notes, ["damaged"]);
        let (intact, _) = intact_and_missing_rows(&found, &full);
        // Rows of blocks, 8 or 16 pixels high, one of them cut.
        assert!(intact >= 16 * share - 32, "{intact} of 160 rows at {share} tenths");
        assert_eq!(pipeline::decode_mask(cut, 200, 160).unwrap_err().code, Code::ImageCorrupt);
    }
    // Bytes after the end are no damage.
    assert!(pipeline::decode_photo(&[&bytes[..], b"junk"].concat()).unwrap().notes.is_empty());
}

#[test]
fn sixteen_bits_are_told() {
    let mut bytes = Cursor::new(Vec::new());
    PngEncoder::new(&mut bytes).write_image(&[9; 3 * 2 * 6], 3, 2, ExtendedColorType::Rgb16).unwrap();
    assert_eq!(pipeline::decode_photo(bytes.get_ref()).unwrap().notes, ["sixteen-bit"]);
}

#[test]
fn a_mask_is_read_by_luma_and_without_alpha() {
    let mut picture = photo(4, 1);
    picture.has_alpha = true;
    picture.rgba = vec![255, 255, 255, 0, 127, 127, 127, 255, 128, 128, 128, 255, 255, 0, 0, 255];
    let mask = pipeline::decode_mask(&pipeline::encode_photo(&picture).unwrap(), 4, 1).unwrap();
    assert_eq!(mask.holes, [255, 0, 255, 0]);
}

#[test]
fn a_cancelled_fill_ends_in_its_code() {
    let photo = photo(200, 200);
    let hole = mask(200, 200, |x, y| (40..140).contains(&x) && (40..140).contains(&y));
    for limit in [0.0, 0.3, 0.7] {
        let mut watch = |step: infill::engine::Step<'_>| {
            if step.done >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let options = FillOptions { sharpen: Sharpen::On, ..FillOptions::default() };
        let error = pipeline::fill(&photo, &hole, &mut default(), &options, &mut watch).unwrap_err();
        assert_eq!(error.code, Code::Cancelled, "at {limit}");
    }
}

#[test]
fn canny_draws_scikit_images_edges() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/canny");
    let read = |stem: &str, what: &str| {
        let bytes = std::fs::read(folder.join(format!("{stem}-{what}.png"))).unwrap();
        pipeline::decode_photo(&bytes).unwrap()
    };
    let (mut wrong, mut total, mut edges_found) = (0, 0, 0);
    for (stem, sigma) in [("0-sigma2", 2.0), ("1-sigma2", 2.0), ("2-sigma1", 1.0), ("3-sigma3", 3.0)] {
        let (gray, hole, edges) = (read(stem, "gray"), read(stem, "hole"), read(stem, "edges"));
        let values: Vec<f64> = gray.rgba.chunks_exact(4).map(|p| f64::from(p[0]) / 255.0).collect();
        let known: Vec<bool> = hole.rgba.chunks_exact(4).map(|p| p[0] < 128).collect();
        let found = pipeline::canny(&values, &known, gray.width, gray.height, sigma);
        for (ours, theirs) in found.iter().zip(edges.rgba.chunks_exact(4)) {
            wrong += usize::from(*ours != (theirs[0] > 127));
            edges_found += usize::from(*ours);
            total += 1;
        }
    }
    println!("{wrong} of {total} pixels differ, {edges_found} edges");
    assert!(edges_found > 3000 && wrong * 10_000 <= total * 3, "{wrong} of {total} pixels differ");
}

/// An engine on a machine with little memory: it has room for so many pixels.
struct Cramped {
    inner: Box<dyn Engine>,
    room: usize,
}

impl Engine for Cramped {
    fn network(&self) -> &Network {
        self.inner.network()
    }

    fn name(&self) -> &'static str {
        "cramped"
    }

    fn prepare(&mut self, inputs: &[Shape]) -> Result<()> {
        let sides = inputs[0].sides();
        match sides[2] * sides[3] > self.room {
            true => Err(Error::new(Code::OutOfMemory, "There is not enough memory.")),
            false => self.inner.prepare(inputs),
        }
    }

    fn begin<'a>(&'a mut self, inputs: &'a [Tensor]) -> Result<Box<dyn Run + 'a>> {
        let (_, _, height, width) = inputs[0].nchw()?;
        assert!(height * width <= self.room, "a run of {width} x {height}");
        self.inner.begin(inputs)
    }
}

#[test]
fn a_network_sees_as_much_as_there_is_memory_for() {
    let (photo, hole) = (photo(250, 200), mask(250, 200, |x, y| (90..110).contains(&x) && (90..120).contains(&y)));
    let size = |room: usize, side: Option<usize>| {
        let mut models = fixture("lama-scripted.pt");
        models[0].conventions.size = SizeRule::free(64, 64).up_to(256);
        let inner = std::mem::replace(&mut models[0].engine, load::default_model(EngineKind::Fast).unwrap().engine);
        models[0].engine = Box::new(Cramped { inner, room });
        let options = FillOptions { side, ..FillOptions::default() };
        let inputs = pipeline::preview(&photo, &hole, &mut models, &options).map(|channels| channels[0].size);
        // What is shown of the inputs is what the network is given.
        assert_eq!(fill(&photo, &hole, &mut models, &options).map(|_| ()), inputs.clone().map(|_| ()));
        inputs
    };
    assert_eq!(size(usize::MAX, None).unwrap(), (256, 256));
    // The whole photo does not fit, a window of 192 does; then only the preferred one.
    assert_eq!(size(200 * 200, None).unwrap(), (64, 64));
    assert_eq!(size(64 * 64, None).unwrap(), (64, 64));
    // A size that was asked for is not made smaller in silence.
    let error = size(130 * 130, Some(256)).unwrap_err();
    assert_eq!(error.code, Code::OutOfMemory);
    assert!(error.message.ends_with("The largest that fits is 128 pixels."), "{error}");
    assert_eq!(size(100, Some(256)).unwrap_err().message, "There is not enough memory.");
}
