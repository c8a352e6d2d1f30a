//! Patch synthesis: what must hold of any fill, in numbers.

use std::ops::ControlFlow;

use infill::error::Code;
use infill::pipeline::synthesis::{Request, synthesize};

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
    let deviation = |rgb: &[u8]| {
        let values: Vec<f64> =
            hole.iter().enumerate().filter(|(_, h)| **h).map(|(i, _)| f64::from(rgb[i * 3])).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
    };
    let ratio = deviation(&out) / deviation(&original);
    assert!((0.75..1.2).contains(&ratio), "the fill's grain is {ratio} of the photo's");
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
