//! JPEGs that keep their blocks, compared with libjpeg's coefficients and with the pixels that the image crate decodes.

use std::path::Path;

use infill::photo_file::jpeg::{self, Jpeg, Refusal};
use infill::photo_file::{Format, SaveOptions, Saved, save};
use infill::pipeline::{Photo, decode_photo};

const KEEP: SaveOptions = SaveOptions { format: Format::Jpeg, quality: None, without_place: false };

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new("tests/reference/jpeg").join(format!("{name}.jpg"))).unwrap()
}

/// Names and, for each component, the CRC-32 of its coefficients as libjpeg reads them.
fn references() -> Vec<(String, Vec<u32>)> {
    let text = std::fs::read_to_string("tests/reference/jpeg/coefficients.json").unwrap();
    let all: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    all.into_iter().map(|(name, sums)| (name, serde_json::from_value(sums).unwrap())).collect()
}

/// Where zigzag order visits a block, row by row; made here by walking the diagonals, not by the crate's table.
fn zigzag() -> Vec<usize> {
    let mut order: Vec<(usize, usize)> = (0..8).flat_map(|y| (0..8).map(move |x| (x, y))).collect();
    order.sort_by_key(|&(x, y)| (x + y, if (x + y) % 2 == 0 { x } else { y }));
    order.into_iter().map(|(x, y)| y * 8 + x).collect()
}

fn sums(jpeg: &Jpeg) -> Vec<u32> {
    let order = zigzag();
    let of = |component: &jpeg::Component| {
        let mut bytes = Vec::new();
        for row in 0..component.blocks.1 {
            for column in 0..component.blocks.0 {
                let mut natural = [0i16; 64];
                order.iter().zip(component.block(column, row)).for_each(|(&at, &value)| natural[at] = value);
                bytes.extend(natural.iter().flat_map(|value| value.to_le_bytes()));
            }
        }
        crc32fast::hash(&bytes)
    };
    jpeg.components.iter().map(of).collect()
}

/// The photo with a disc of another colour; the pixels that it covers.
fn painted(photo: &Photo, (cx, cy): (usize, usize), radius: usize) -> (Photo, Vec<bool>) {
    let mut photo = photo.clone();
    let covers = |at: usize| {
        let (x, y) = (at % photo.width, at / photo.width);
        x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) <= radius * radius
    };
    let disc: Vec<bool> = (0..photo.width * photo.height).map(covers).collect();
    for (at, pixel) in photo.rgba.chunks_exact_mut(4).enumerate().filter(|(at, _)| disc[*at]) {
        let value = ((at % photo.width + at / photo.width) / 2) as u8;
        let colour = if photo.is_gray { [100 + value; 3] } else { [30 + value, 140 + value, 90] };
        pixel[..3].copy_from_slice(&colour);
    }
    (photo, disc)
}

/// Pixels in the blocks that a JPEG of this sampling encodes anew for a disc, or less than a sample beside.
fn near(disc: &[bool], (width, height): (usize, usize), (bw, bh): (usize, usize)) -> Vec<bool> {
    let (mx, my) = (bw / 8 - 1, bh / 8 - 1);
    let mut near = vec![false; disc.len()];
    for at in (0..disc.len()).filter(|&at| disc[at]) {
        let (left, top) = (at % width / bw * bw, at / width / bh * bh);
        for y in top.saturating_sub(my)..(top + bh + my).min(height) {
            for x in left.saturating_sub(mx)..(left + bw + mx).min(width) {
                near[y * width + x] = true;
            }
        }
    }
    near
}

#[test]
fn coefficients_are_those_that_libjpeg_reads() {
    let references = references();
    assert!(references.len() >= 18);
    for (name, expected) in references {
        assert_eq!(sums(&jpeg::read(&file(&name)).unwrap()), expected, "{name}");
    }
}

#[test]
fn a_file_that_is_written_again_says_the_same() {
    for (name, expected) in references() {
        let source = file(&name);
        let before = jpeg::read(&source).unwrap();
        let bytes = jpeg::write(&before).unwrap();
        let after = jpeg::read(&bytes).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        assert_eq!(sums(&after), expected, "{name}");
        assert_eq!((after.process, &after.scans, &after.segments), (before.process, &before.scans, &before.segments));
        let tables =
            |jpeg: &Jpeg| jpeg.components.iter().map(|c| (c.id, c.across, c.down, c.table)).collect::<Vec<_>>();
        assert_eq!(tables(&after), tables(&before), "{name}");
        assert!(bytes.len() <= source.len() + 100, "{name}: {} bytes of {}", bytes.len(), source.len());
        assert_eq!(decode_photo(&bytes).unwrap(), decode_photo(&source).unwrap(), "{name}");
    }
}

#[test]
fn only_the_blocks_under_the_hole_change() {
    for (name, _) in references() {
        let source = file(&name);
        let photo = decode_photo(&source).unwrap();
        let (changed, disc) = painted(&photo, (40, 21), 9);
        let Saved { bytes, quality, notes, .. } = save(&changed, Some(&source), &KEEP).unwrap();
        assert!(quality.is_none() && notes.is_empty(), "{name}: {notes:?}");
        let (before, after) = (jpeg::read(&source).unwrap(), jpeg::read(&bytes).unwrap());
        let (across, down) = before.sampling();
        for (old, new) in before.components.iter().zip(&after.components) {
            let (bw, bh) = (8 * across / old.across, 8 * down / old.down);
            for (row, column) in (0..old.blocks.1).flat_map(|row| (0..old.blocks.0).map(move |column| (row, column))) {
                let mut pixels = (row * bh..((row + 1) * bh).min(photo.height))
                    .flat_map(|y| (column * bw..((column + 1) * bw).min(photo.width)).map(move |x| (x, y)));
                if !pixels.any(|(x, y)| disc[y * photo.width + x]) {
                    assert_eq!(old.block(column, row), new.block(column, row), "{name} {column} {row}");
                }
            }
        }
        // Where each component has a scan of its own, the image crate takes chroma from wrong rows: it shows other pixels than
        // for the same coefficients in one scan (`420`).
        if name == "separate" {
            continue;
        }
        let shown = decode_photo(&bytes).unwrap();
        let near = near(&disc, (photo.width, photo.height), (8 * across, 8 * down));
        assert!(near.contains(&false));
        let pixels = shown.rgba.chunks_exact(4).zip(photo.rgba.chunks_exact(4)).zip(&near);
        assert!(pixels.filter(|(_, near)| !**near).all(|((a, b), _)| a == b), "{name}");
        // In the hole, the file shows what was filled about as well as if all of it had been encoded anew.
        let anew = SaveOptions { quality: jpeg::estimate_quality(&source), ..KEEP };
        let anew = decode_photo(&save(&changed, None, &anew).unwrap().bytes).unwrap();
        let error = |shown: &Photo| {
            let of = |at: usize| (f64::from(shown.rgba[at * 4 + 1]) - f64::from(changed.rgba[at * 4 + 1])).abs();
            (0..disc.len()).filter(|&at| disc[at]).map(of).sum::<f64>() / disc.iter().filter(|&&is| is).count() as f64
        };
        let (kept, anew) = (error(&shown), error(&anew));
        assert!(kept < 1.3 * anew + 2.0, "{name}: {kept} against {anew}");
    }
}

#[test]
fn saving_again_and_again_changes_nothing() {
    for name in ["420", "progressive-420", "unfinished", "411"] {
        let source = file(name);
        let (changed, _) = painted(&decode_photo(&source).unwrap(), (10, 40), 6);
        let once = save(&changed, Some(&source), &KEEP).unwrap().bytes;
        let mut last = once.clone();
        for _ in 0..5 {
            last = save(&decode_photo(&last).unwrap(), Some(&last), &KEEP).unwrap().bytes;
        }
        assert!(last == once, "{name}");
    }
}

#[test]
fn what_cannot_be_kept_is_said_and_encoded_at_the_sources_quality() {
    assert_eq!(jpeg::read(&file("arithmetic")).unwrap_err(), Refusal::Arithmetic);
    assert_eq!(jpeg::read(&file("cmyk")).unwrap_err(), Refusal::Components);
    let source = file("444");
    let photo = decode_photo(&source).unwrap();
    for (source, word, quality) in [
        (file("arithmetic"), "anew-arithmetic", 75),
        (file("cmyk"), "anew-components", 75),
        (file("420")[..900].to_vec(), "anew-damaged", 60),
    ] {
        let saved = save(&photo, Some(&source), &KEEP).unwrap();
        assert_eq!((saved.notes, saved.quality), (vec![word.to_owned()], Some(quality)));
        assert_eq!(decode_photo(&saved.bytes).unwrap().width, photo.width);
    }
}

#[test]
fn qualities_are_those_that_libjpeg_was_given() {
    for (name, quality) in [("gray", 80), ("444", 90), ("422", 75), ("420", 60), ("low", 5), ("best", 100), ("rgb", 85)]
    {
        assert_eq!(jpeg::estimate_quality(&file(name)), Some(quality), "{name}");
    }
    assert_eq!(jpeg::estimate_quality(b"\xff\xd8\xff\xda"), None);
}

#[test]
fn a_new_jpeg_shows_the_photo() {
    let photo = decode_photo(&file("best")).unwrap();
    let mut last = f64::MAX;
    for quality in [10, 50, 89, 90, 100] {
        let options = SaveOptions { quality: Some(quality), ..KEEP };
        for is_gray in [false, true] {
            let mut photo = photo.clone();
            photo.is_gray = is_gray;
            if is_gray {
                photo.rgba.chunks_exact_mut(4).for_each(|p| p.copy_from_slice(&[p[1], p[1], p[1], 255]));
            }
            let saved = save(&photo, None, &options).unwrap();
            assert_eq!(saved.quality, Some(quality));
            let back = decode_photo(&saved.bytes).unwrap();
            assert_eq!((back.width, back.height, back.is_gray), (photo.width, photo.height, is_gray));
            let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
            let error = back.rgba.iter().zip(&photo.rgba).map(square).sum::<f64>() / back.rgba.len() as f64;
            if !is_gray {
                assert!(error < last, "quality {quality}: {error}");
                last = error;
            }
            assert!(quality < 100 || error < 1.0, "{error}");
        }
    }
}

/// Never a panic, and never more than the pixels need; what is read can be written.
#[test]
fn flipped_bytes_never_panic() {
    let mut state = 1u64;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut read, mut refused) = (0, 0);
    for (name, _) in references() {
        let source = file(&name);
        for _ in 0..200 {
            let mut bytes = source.clone();
            for _ in 0..1 + random(3) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            if random(5) == 0 {
                bytes.truncate(random(bytes.len()));
            }
            match jpeg::read(&bytes) {
                Ok(jpeg) if jpeg.width * jpeg.height < 1 << 22 => {
                    read += 1;
                    if let Ok(written) = jpeg::write(&jpeg) {
                        assert_eq!(sums(&jpeg::read(&written).unwrap()), sums(&jpeg), "{name}");
                    }
                }
                Ok(_) => {}
                Err(_) => refused += 1,
            }
            let _ = jpeg::estimate_quality(&bytes);
        }
    }
    assert!(read > 300 && refused > 300, "{read} read, {refused} refused");
}
