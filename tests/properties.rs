//! Properties over random photos, masks and rectangles. The same cases in every run; `PROPTEST_CASES=100000` tries others,
//! and more of them.

use std::ops::ControlFlow;

use infill::engine::EngineKind;
use infill::models::load;
use infill::pipeline::{self, FillOptions, Mask, Patch, Photo, Pixels, Rect, Sharpen};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn cases(count: u32) -> ProptestConfig {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => ProptestConfig::default(),
        None => ProptestConfig { cases: count, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() },
    }
}

/// A photo of any pixels, gray or not, opaque or not.
fn photo(most: usize) -> impl Strategy<Value = Photo> {
    (1..=most, 1..=most, any::<bool>(), any::<bool>()).prop_flat_map(|(width, height, has_alpha, is_gray)| {
        proptest::collection::vec(any::<u8>(), width * height * 4).prop_map(move |mut rgba| {
            for pixel in rgba.chunks_exact_mut(4) {
                if is_gray {
                    (pixel[1], pixel[2]) = (pixel[0], pixel[0]);
                }
                if !has_alpha {
                    pixel[3] = 255;
                }
            }
            Photo { width, height, rgba, has_alpha, is_gray, icc: None, notes: Vec::new() }
        })
    })
}

/// A mask of this size: some rectangles of any value.
fn mask(width: usize, height: usize) -> impl Strategy<Value = Mask> {
    let rect = (0..width, 0..height, 1..=width, 1..=height, any::<u8>());
    proptest::collection::vec(rect, 0..4).prop_map(move |rects| {
        let mut holes = vec![0; width * height];
        for (x, y, w, h, value) in rects {
            for row in y..(y + h).min(height) {
                holes[row * width + x..row * width + (x + w).min(width)].fill(value);
            }
        }
        Mask { width, height, holes }
    })
}

fn work(most: usize) -> impl Strategy<Value = (Photo, Mask, u64)> {
    photo(most).prop_flat_map(|photo| {
        let mask = mask(photo.width, photo.height);
        (Just(photo), mask, any::<u64>())
    })
}

/// Fills, unless there is nothing to fill or nothing to fill it from; outside the mask everything is as it was.
fn hold(photo: &Photo, mask: &Mask, options: &FillOptions, models: &mut [load::Loaded]) -> Result<(), TestCaseError> {
    let Ok(patches) = pipeline::fill(photo, mask, models, options, &mut |_| ControlFlow::Continue(())) else {
        let masked = mask.holes.iter().filter(|hole| **hole > 127).count();
        prop_assert!(masked == 0 || masked == mask.holes.len(), "{masked} of {} pixels are masked", mask.holes.len());
        return Ok(());
    };
    let mut filled = photo.clone();
    pipeline::apply(&mut filled, &patches);
    let pairs = photo.rgba.chunks_exact(4).zip(filled.rgba.chunks_exact(4)).zip(&mask.holes);
    for (at, ((before, after), hole)) in pairs.enumerate() {
        prop_assert!(*hole > 127 || before == after, "pixel {at} lies outside the mask");
        prop_assert!(!photo.is_gray || (after[0] == after[1] && after[1] == after[2]), "pixel {at} of a gray photo");
        prop_assert!(photo.has_alpha || after[3] == 255, "pixel {at} of an opaque photo");
    }
    // What is saved is what was filled.
    let saved = pipeline::decode_photo(&pipeline::encode_photo(&filled).unwrap()).unwrap();
    prop_assert!(saved.rgba == filled.rgba, "saving changes pixels");
    Ok(())
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn outside_the_hole_every_photo_stays_as_it_is_bit_for_bit((photo, mask, seed) in work(20)) {
        hold(&photo, &mask, &FillOptions { seed, ..FillOptions::default() }, &mut [])?;
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn and_with_a_network((photo, mask, seed) in work(40), sharpen in prop_oneof![Just(Sharpen::Off), Just(Sharpen::On)]) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/networks/context-unet.pth");
        let mut file = infill::checkpoint::open(std::fs::File::open(path).unwrap(), "context-unet.pth").unwrap();
        let mut models = load::load(file.as_mut(), "context-unet.pth", None, EngineKind::Fast).unwrap();
        hold(&photo, &mask, &FillOptions { seed, sharpen, side: Some(64), ..FillOptions::default() }, &mut models)?;
    }
}

proptest! {
    #![proptest_config(cases(500))]

    /// Growing is a disc around every pixel of the hole, and nothing else.
    #[test]
    fn a_grown_mask_is_every_pixel_within_reach(mask in (1usize..24, 1usize..24).prop_flat_map(|(w, h)| mask(w, h)), radius in 0u32..12) {
        let mut grown = mask.clone();
        grown.grow(radius);
        let reach = u64::from(radius) * u64::from(radius);
        for at in 0..mask.holes.len() {
            let (x, y) = (at % mask.width, at / mask.width);
            let is_near = |other: usize| {
                let (dx, dy) = (x.abs_diff(other % mask.width), y.abs_diff(other / mask.width));
                (dx * dx + dy * dy) as u64 <= reach
            };
            let expected = (0..mask.holes.len()).any(|other| mask.holes[other] > 127 && is_near(other));
            prop_assert_eq!(grown.is_hole(x, y), expected, "{}, {} by {}", x, y, radius);
        }
    }

    #[test]
    fn a_mask_comes_back_as_it_was_saved(mask in (1usize..40, 1usize..40).prop_flat_map(|(w, h)| mask(w, h))) {
        let plain: Vec<u8> = mask.holes.iter().map(|hole| if *hole > 127 { 255 } else { 0 }).collect();
        let mask = Mask { holes: plain, ..mask };
        let again = pipeline::decode_mask(&pipeline::encode_mask(&mask).unwrap(), mask.width, mask.height).unwrap();
        prop_assert!(again.holes == mask.holes);
    }

    /// A window read and written back changes nothing; a patch changes its own rectangle and nothing else.
    #[test]
    fn windows_and_patches_are_the_rectangles_they_say(photo in photo(24), place in (0.0f64..1.0, 0.0f64..1.0, 0.0f64..1.0, 0.0f64..1.0), colour: [u8; 4]) {
        let inside = |share: f64, size: usize| ((share * size as f64) as usize).min(size - 1);
        let (x, y) = (inside(place.0, photo.width), inside(place.1, photo.height));
        let rect = Rect { x, y, width: 1 + inside(place.2, photo.width - x), height: 1 + inside(place.3, photo.height - y) };
        let window = photo.read(rect);
        prop_assert_eq!(window.len(), rect.width * rect.height * 4);
        let mut same = photo.clone();
        pipeline::apply(&mut same, &[Patch { rect, rgba: window }]);
        prop_assert!(same == photo);
        let mut painted = photo.clone();
        pipeline::apply(&mut painted, &[Patch { rect, rgba: colour.repeat(rect.width * rect.height) }]);
        for at in 0..photo.width * photo.height {
            let (px, py) = (at % photo.width, at / photo.width);
            let is_inside = rect.touches(Rect { x: px, y: py, width: 1, height: 1 });
            let expected = if is_inside { &colour[..] } else { &photo.rgba[at * 4..][..4] };
            prop_assert_eq!(&painted.rgba[at * 4..][..4], expected);
        }
    }

    #[test]
    fn a_union_is_the_least_rectangle_and_growing_stays_inside(a in rect(), b in rect(), margin in 0usize..50) {
        let union = a.union(b);
        for one in [a, b] {
            prop_assert!(union.x <= one.x && union.y <= one.y);
            prop_assert!(union.x + union.width >= one.x + one.width && union.y + union.height >= one.y + one.height);
        }
        prop_assert_eq!(union.x, a.x.min(b.x));
        prop_assert_eq!(union.x + union.width, (a.x + a.width).max(b.x + b.width));
        let grown = union.grown(margin, 200, 200);
        prop_assert!(grown.x + grown.width <= 200 && grown.y + grown.height <= 200);
        prop_assert!(grown.touches(union) && a.touches(b) == b.touches(a));
    }
}

/// Inside a picture of 200 x 200 pixels.
fn rect() -> impl Strategy<Value = Rect> {
    (0usize..100, 0usize..100, 1usize..100, 1usize..100).prop_map(|(x, y, width, height)| Rect { x, y, width, height })
}
