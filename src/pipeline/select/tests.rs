//! Selections in synthetic pictures, where the object is known.

use super::{Prompt, Selector};
use crate::error::Code;
use crate::limits::{MAX_SELECT_POINTS, MAX_SELECT_PROMPTS};
use crate::pipeline::{Mask, Photo};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// A photo with a colour for every pixel, and noise that is always the same.
fn photo(width: usize, height: usize, colour: impl Fn(usize, usize) -> [i32; 3]) -> Photo {
    let mut state = 12_345u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as i32 % 13 - 6
    };
    let mut rgba = Vec::with_capacity(width * height * 4);
    for y in 0..height {
        for x in 0..width {
            rgba.extend(colour(x, y).map(|value| (value + noise()).clamp(0, 255) as u8));
            rgba.push(255);
        }
    }
    Photo { width, height, rgba, has_alpha: false, is_gray: false, icc: None, notes: Vec::new() }
}

fn click(x: usize, y: usize, adds: bool) -> Prompt {
    Prompt { points: vec![(x as f32 + 0.5, y as f32 + 0.5)], adds }
}

fn disk(x: usize, y: usize, (cx, cy): (usize, usize), radius: usize) -> bool {
    x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) <= radius * radius
}

/// The bytes of a selection, at the photo's size.
fn selected(photo: &Photo, prompts: &[Prompt]) -> Vec<u8> {
    let mut selector = Selector::encode(photo);
    let selection = selector.select(prompts).unwrap();
    whole(photo, &selector, &selection)
}

fn whole(photo: &Photo, selector: &Selector, selection: &super::Selection) -> Vec<u8> {
    let (rect, bytes) = selector.enlarge(photo, selection);
    let mut out = vec![0; photo.width * photo.height];
    for (row, line) in bytes.chunks_exact(rect.width.max(1)).enumerate() {
        out[(rect.y + row) * photo.width + rect.x..][..rect.width].copy_from_slice(line);
    }
    out
}

/// Intersection over union of a mask and what is true.
fn overlap(photo: &Photo, mask: &[u8], truth: impl Fn(usize, usize) -> bool) -> f64 {
    let (mut both, mut any) = (0, 0);
    for (i, &value) in mask.iter().enumerate() {
        let (inside, truth) = (value > 127, truth(i % photo.width, i / photo.width));
        both += u32::from(inside && truth);
        any += u32::from(inside || truth);
    }
    f64::from(both) / f64::from(any.max(1))
}

#[test]
fn a_disk_on_a_gradient_is_selected_by_one_click() {
    let truth = |x, y| disk(x, y, (210, 150), 60);
    let photo =
        photo(400, 300, |x, y| if truth(x, y) { [190, 60, 50] } else { [60 + x as i32 / 5, 120, 60 + y as i32 / 4] });
    let mask = selected(&photo, &[click(210, 150, true)]);
    let share = overlap(&photo, &mask, truth);
    assert!(share > 0.97, "{share}");
}

#[test]
fn a_large_photo_is_selected_at_its_own_pixels() {
    let truth = |x, y| disk(x, y, (900, 700), 380);
    let photo = photo(2000, 1400, |x, y| if truth(x, y) { [40, 90, 200] } else { [200, 190, 150 + x as i32 / 40] });
    let mask = selected(&photo, &[click(850, 640, true)]);
    let share = overlap(&photo, &mask, truth);
    assert!(share > 0.985, "{share}");
}

#[test]
fn an_object_of_two_colours_takes_a_second_click_at_most() {
    let truth = |x, y| disk(x, y, (200, 150), 70);
    let colour = |x: usize, y: usize| match (truth(x, y), y < 150) {
        (true, true) => [220, 40, 40],
        (true, false) => [240, 240, 240],
        (false, _) => [60, 130, 60],
    };
    let photo = photo(400, 300, colour);
    let mask = selected(&photo, &[click(200, 115, true), click(200, 190, true)]);
    let share = overlap(&photo, &mask, truth);
    assert!(share > 0.95, "{share}");
}

#[test]
fn what_touches_is_taken_away_by_a_click() {
    let left = |x, y| disk(x, y, (150, 150), 50);
    let right = |x, y| disk(x, y, (248, 150), 50);
    let colour = |x: usize, y: usize| match (left(x, y), right(x, y)) {
        (true, _) => [200, 60, 60],
        (_, true) => [200, 160, 60],
        _ => [70, 90, 120],
    };
    let photo = photo(400, 300, colour);
    let both = Prompt { points: vec![(150.0, 150.0), (248.0, 150.0)], adds: true };
    let share = overlap(&photo, &selected(&photo, std::slice::from_ref(&both)), |x, y| left(x, y) || right(x, y));
    assert!(share > 0.9, "a stroke over both: {share}");
    let share = overlap(&photo, &selected(&photo, &[both, click(248, 150, false)]), left);
    assert!(share > 0.9, "one of them taken away: {share}");
}

#[test]
fn a_rough_mask_snaps_to_the_object() {
    let truth = |x: usize, y: usize| disk(x, y, (200, 150), 60) || (x.abs_diff(200) < 14 && y.abs_diff(90) < 40);
    let photo = photo(400, 300, |x, y| if truth(x, y) { [190, 150, 60] } else { [60, 90 + x as i32 / 8, 140] });
    // Off by a few pixels, and without the ear on top.
    let rough = |x: usize, y: usize| disk(x, y, (205, 156), 63);
    let holes = (0..400 * 300).map(|i| if rough(i % 400, i / 400) { 255 } else { 0 }).collect();
    let mask = Mask::new(400, 300, holes).unwrap();
    let selector = Selector::encode(&photo);
    let snapped = whole(&photo, &selector, &selector.snap(&mask).unwrap());
    let (before, after) = (overlap(&photo, &mask.holes, truth), overlap(&photo, &snapped, truth));
    assert!(after > 0.95 && after > before, "{before} -> {after}");
}

#[test]
fn the_same_clicks_give_the_same_selection() {
    let photo = photo(300, 200, |x, y| [x as i32 * 3 % 256, y as i32 * 5 % 256, (x * y) as i32 % 256]);
    let prompts = [click(120, 90, true), click(200, 50, true), click(60, 150, false)];
    let mut selector = Selector::encode(&photo);
    for count in 1..=prompts.len() {
        selector.select(&prompts[..count]).unwrap();
    }
    let step_by_step = selector.select(&prompts).unwrap();
    assert_eq!(step_by_step, Selector::encode(&photo).select(&prompts).unwrap());
    selector.select(&prompts[..1]).unwrap();
    assert_eq!(step_by_step, selector.select(&prompts).unwrap());
}

#[test]
fn tiny_and_extreme_photos_are_selected_in() {
    for (width, height) in [(1, 1), (2, 1), (1, 300), (40_000, 2), (3, 30_000), (17, 5)] {
        let photo = photo(width, height, |x, y| [x as i32 % 200, y as i32 % 200, 100]);
        let prompts = [click(width / 2, height / 2, true), click(0, 0, false), click(width - 1, height - 1, true)];
        let mut selector = Selector::encode(&photo);
        let selection = selector.select(&prompts).unwrap();
        let (rect, bytes) = selector.enlarge(&photo, &selection);
        assert_eq!(bytes.len(), rect.width * rect.height);
        assert!(rect.x + rect.width <= width && rect.y + rect.height <= height);
        let full = Mask::new(width, height, vec![255; width * height]).unwrap();
        selector.snap(&full).unwrap();
    }
}

#[test]
fn a_click_beside_the_photo_or_only_taking_away_selects_nothing() {
    let photo = photo(60, 40, |x, _| [x as i32 * 4, 90, 90]);
    let beside = [-1.0, -0.001, 1e30, f32::NAN, f32::INFINITY, f32::NEG_INFINITY]
        .map(|wrong| Prompt { points: vec![(wrong, 20.0), (20.0, wrong)], adds: true });
    for prompts in [&[][..], &beside, &[click(5, 5, false)], &[Prompt { points: Vec::new(), adds: true }]] {
        assert!(selected(&photo, prompts).iter().all(|&value| value == 0), "{prompts:?}");
    }
}

#[test]
fn too_many_prompts_and_a_mask_of_another_size_are_refused() {
    let photo = photo(20, 20, |_, _| [9, 9, 9]);
    let mut selector = Selector::encode(&photo);
    let many = vec![click(3, 3, true); MAX_SELECT_PROMPTS + 1];
    assert_eq!(selector.select(&many).unwrap_err().code, Code::Usage);
    let long = Prompt { points: vec![(3.0, 3.0); MAX_SELECT_POINTS + 1], adds: true };
    assert_eq!(selector.select(&[long]).unwrap_err().code, Code::Usage);
    let mask = Mask::new(1, 1, vec![255]).unwrap();
    assert_eq!(selector.snap(&mask).unwrap_err().code, Code::MaskSize);
}

#[test]
fn one_colour_and_full_transparency_do_no_harm() {
    let mut plain = photo(120, 90, |_, _| [128, 128, 128]);
    selected(&plain, &[click(60, 45, true), click(10, 10, false)]);
    plain.rgba.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 0);
    selected(&plain, &[click(60, 45, true), click(10, 10, false)]);
}
