//! Patch synthesis: what must hold of any fill, in numbers.

use std::ops::ControlFlow;

use infill::error::Code;
use infill::pipeline::synthesis::{Request, synthesize};
use infill::threads;

const SIDE: usize = 160;

/// Fills a hole of 50 x 50 in the middle of a picture.
fn filled(pixel: impl Fn(usize, usize) -> [u8; 3]) -> (Vec<u8>, Vec<u8>, Vec<bool>) {
    let original: Vec<u8> = (0..SIDE * SIDE).flat_map(|i| pixel(i % SIDE, i / SIDE)).collect();
    let hole: Vec<bool> =
        (0..SIDE * SIDE).map(|i| (55..105).contains(&(i % SIDE)) && (55..105).contains(&(i / SIDE))).collect();
    let usable: Vec<bool> = hole.iter().map(|h| !h).collect();
    let mut rgb = original.clone();
    rgb.chunks_exact_mut(3).zip(&hole).filter(|(_, hole)| **hole).for_each(|(p, _)| p.copy_from_slice(&[255, 0, 255]));
    let request =
        Request { width: SIDE, height: SIDE, rgb: &rgb, hole: &hole, usable: &usable, guided: false, seed: 1 };
    let out = synthesize(&request, &mut |_| ControlFlow::Continue(())).unwrap();
    for (i, &hole) in hole.iter().enumerate() {
        assert!(hole || out[i * 3..i * 3 + 3] == original[i * 3..i * 3 + 3], "a known pixel changed");
    }
    (original, out, hole)
}

/// Mean absolute difference inside the hole, in levels.
fn error(original: &[u8], out: &[u8], hole: &[bool]) -> f64 {
    let inside = hole.iter().enumerate().filter(|(_, hole)| **hole).flat_map(|(i, _)| i * 3..i * 3 + 3);
    let differences: Vec<f64> = inside.map(|i| f64::from(original[i].abs_diff(out[i]))).collect();
    differences.iter().sum::<f64>() / differences.len() as f64
}

/// Standard deviation of the red values where `counts`.
fn deviation(rgb: &[u8], counts: &[bool]) -> f64 {
    let values: Vec<f64> = rgb.chunks_exact(3).zip(counts).filter(|(_, c)| **c).map(|(p, _)| f64::from(p[0])).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}

#[test]
fn a_smooth_gradient_goes_on_without_a_seam() {
    let (original, out, hole) = filled(|x, y| [(60 + x / 2) as u8, (200 - y / 2) as u8, ((x + y) / 3 + 40) as u8]);
    let error = error(&original, &out, &hole);
    assert!(error < 4.0, "{error} levels");
}

#[test]
fn stripes_go_on_through_the_hole() {
    let (original, out, hole) = filled(|_, y| if y / 8 % 2 == 0 { [220, 210, 190] } else { [40, 50, 70] });
    let error = error(&original, &out, &hole);
    assert!(error < 12.0, "{error} levels");
}

#[test]
fn grain_is_kept() {
    let noise = |x: usize, y: usize| ((x * 7919 + y * 104_729) * (x + 3 * y + 17) % 61) as u8;
    let (original, out, hole) = filled(|x, y| [90 + noise(x, y); 3]);
    let ratio = deviation(&out, &hole) / deviation(&original, &hole);
    assert!((0.75..1.2).contains(&ratio), "the fill's grain is {ratio} of the photo's");
}

#[test]
fn grain_is_kept_where_patches_from_many_places_meet() {
    // Noise that every patch fits as well as any other.
    let noise = |x: usize, y: usize| {
        let mixed = (x as u32).wrapping_mul(374_761_393).wrapping_add((y as u32).wrapping_mul(668_265_263));
        ((mixed ^ (mixed >> 13)).wrapping_mul(1_274_126_177) >> 16) % 17
    };
    let (original, out, hole) = filled(|x, y| [120 + noise(x, y) as u8; 3]);
    let ratio = deviation(&out, &hole) / deviation(&original, &hole);
    // 0.7 as a mean of votes.
    assert!((0.9..1.1).contains(&ratio), "the fill's grain is {ratio} of the photo's");
}

#[test]
fn no_fog_comes_over_a_texture_beside_something_smooth() {
    // Soft dots on the right, flat in their mean colour on the left, as far as the hole.
    let dots = |x: usize, y: usize| {
        let cell = (x / 5) * 7919 + (y / 5) * 104_729;
        120 + (cell * (cell % 89 + 17) % 71) as u8
    };
    let (original, out, hole) = filled(|x, y| if x < 60 { [155; 3] } else { [dots(x, y); 3] });
    // Away from the side where flat is right.
    let inner: Vec<bool> = (0..hole.len()).map(|i| hole[i] && (70..100).contains(&(i % SIDE))).collect();
    let ratio = deviation(&out, &inner) / deviation(&original, &inner);
    // A tenth where smooth patches cost nothing.
    assert!(ratio > 0.4, "the fill has {ratio} of the texture's contrast");
}

#[test]
fn a_cancelled_synthesis_ends_in_its_code() {
    let rgb = vec![100; 64 * 64 * 3];
    let hole: Vec<bool> = (0..64 * 64).map(|i| i % 64 > 20 && i % 64 < 40).collect();
    let usable: Vec<bool> = hole.iter().map(|h| !h).collect();
    let request = Request { width: 64, height: 64, rgb: &rgb, hole: &hole, usable: &usable, guided: false, seed: 0 };
    let error = synthesize(&request, &mut |_| ControlFlow::Break(())).unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
}

/// Sky, a thin dark coast, a bright line and land: a horizon with some grain.
fn coast(x: usize, y: usize) -> [u8; 3] {
    let grain = ((x * 7919 + y * 104_729) * (x + 3 * y + 17) % 13) as u8;
    match y {
        0..80 => [200 + grain / 3, 210 + grain / 3, 225],
        80..86 => [60 + grain, 70 + grain, 100 + grain],
        86..88 => [230; 3],
        _ => [110 + 2 * grain, 120 + 2 * grain, 70 + grain],
    }
}

#[test]
fn a_horizon_goes_on_at_its_height() {
    let (original, out, _) = filled(coast);
    // Each column of the hole: the thin coast and the line below it where they were, within a pixel.
    for x in 58..102 {
        let row = |rgb: &[u8], y: usize| i32::from(rgb[(y * SIDE + x) * 3]);
        let coast: i32 = (81..85).map(|y| (row(&out, y) - row(&original, y)).abs()).sum();
        assert!(coast < 4 * 30, "the coast is gone at column {x}");
        assert!(row(&out, 76) > 180 && row(&out, 92) < 170, "the horizon is broken at column {x}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_fill() {
    let rgb: Vec<u8> = (0..SIDE * SIDE)
        .flat_map(|i| coast(i % SIDE, i / SIDE).map(|v| v.wrapping_add((i % SIDE / 9 * 5 % 23) as u8)))
        .collect();
    let hole: Vec<bool> =
        (0..SIDE * SIDE).map(|i| (30..120).contains(&(i % SIDE)) && (20..130).contains(&(i / SIDE))).collect();
    let usable: Vec<bool> = hole.iter().map(|h| !h).collect();
    for guided in [false, true] {
        let request = Request { width: SIDE, height: SIDE, rgb: &rgb, hole: &hole, usable: &usable, guided, seed: 5 };
        let with = |count| {
            threads::set_count(count);
            synthesize(&request, &mut |_| ControlFlow::Continue(())).unwrap()
        };
        let alone = with(1);
        assert!(alone == with(2) && alone == with(3), "guided {guided}");
    }
}

#[test]
fn thin_holes_and_holes_at_the_border_continue_their_surroundings() {
    let scene = |x: usize, y: usize| [(60 + x / 2) as u8, (200 - y / 2) as u8, 90];
    let rgb: Vec<u8> = (0..SIDE * SIDE).flat_map(|i| scene(i % SIDE, i / SIDE)).collect();
    type Hole<'a> = (&'a str, &'a dyn Fn(usize, usize) -> bool);
    let holes: [Hole<'_>; 5] = [
        ("a hair", &|x, y| x == 80 && y > 10),
        ("a slanted line", &|x, y| x.abs_diff(y) < 2),
        ("a corner", &|x, y| x < 40 && y < 30),
        ("a whole side", &|_, y| y >= 140),
        ("all but a frame", &|x, y| (12..148).contains(&x) && (12..148).contains(&y)),
    ];
    for (name, inside) in holes {
        let hole: Vec<bool> = (0..SIDE * SIDE).map(|i| inside(i % SIDE, i / SIDE)).collect();
        let usable: Vec<bool> = hole.iter().map(|h| !h).collect();
        let mut broken = rgb.clone();
        broken.chunks_exact_mut(3).zip(&hole).filter(|(_, h)| **h).for_each(|(p, _)| p.copy_from_slice(&[255, 0, 255]));
        let request =
            Request { width: SIDE, height: SIDE, rgb: &broken, hole: &hole, usable: &usable, guided: false, seed: 1 };
        let out = synthesize(&request, &mut |_| ControlFlow::Continue(())).unwrap();
        let error = error(&rgb, &out, &hole);
        let limit = if name == "all but a frame" { 30.0 } else { 8.0 };
        assert!(error < limit, "{name}: {error} levels");
        let untouched = hole.iter().enumerate().all(|(i, h)| *h || out[i * 3..i * 3 + 3] == rgb[i * 3..i * 3 + 3]);
        assert!(untouched, "{name}: a known pixel changed");
    }
}
