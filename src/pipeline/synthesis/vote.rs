//! Every pixel of the hole becomes the weighted mean of what the patches over it say.

use super::field::Field;
use super::level::{Level, PATCH};
use crate::pipeline::resample::extend;

/// Distance at which a patch's weight falls to 1/e: 20 levels off in each channel of each pixel.
const SOFTNESS: f32 = (PATCH * PATCH * 3 * 400) as f32;
/// Largest correction at the rim, in levels.
const RIM: f32 = 16.0;
/// Weight of a pixel by its place in the patch: flat while the picture forms, peaked at the end, so that grain is
/// copied rather than averaged.
const PEAK: f32 = 1.3;

/// Replaces the hole's pixels; `finishing` keeps the grain.
pub fn vote(level: &mut Level, field: &Field, finishing: bool) {
    let sums = votes(level, field, finishing);
    for (at, [r, g, b, weight]) in sums.into_iter().enumerate() {
        if weight > 0.0 && !level.is_known(at) {
            level.picture[at] = [r, g, b, 0.0].map(|v| (v / weight + 0.5) as u8);
        }
    }
}

/// Weighted colour sums and the weight, for every pixel that a patch covers.
fn votes(level: &Level, field: &Field, finishing: bool) -> Vec<[f32; 4]> {
    let middle = (PATCH - 1) as f32 / 2.0;
    let place: [[f32; PATCH]; PATCH] = std::array::from_fn(|y| {
        std::array::from_fn(|x| match finishing {
            false => 1.0,
            true => {
                let (dx, dy) = (x as f32 - middle, y as f32 - middle);
                (-(dx * dx + dy * dy) / (2.0 * PEAK * PEAK)).exp()
            }
        })
    });
    let mut sums = vec![[0.0f32; 4]; level.width * level.height];
    for at in 0..field.matches.len() {
        let Some(source) = field.matched(at) else { continue };
        let target = field.corner(level, at);
        let near = if field.distances[at] == u32::MAX { 0.0 } else { field.distances[at] as f32 };
        let weight = (-near / SOFTNESS).exp() + 1e-4;
        for (y, place) in place.iter().enumerate() {
            let from = &level.picture[source + y * level.width..][..PATCH];
            let to = &mut sums[target + y * level.width..][..PATCH];
            for ((sum, pixel), place) in to.iter_mut().zip(from).zip(place) {
                let w = weight * place;
                let colour = [f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2]), 1.0];
                sum.iter_mut().zip(colour).for_each(|(s, c)| *s += w * c);
            }
        }
    }
    sums
}

/// Where patches over the rim miss the known pixels by a smooth offset, takes that offset out of the hole, so that no
/// seam shows in skies and on walls.
pub fn match_rim(level: &mut Level, field: &Field) {
    let sums = votes(level, field, false);
    const CELL: usize = 8;
    let (w, h) = (level.width.div_ceil(CELL), level.height.div_ceil(CELL));
    let mut offsets = vec![[0.0f32; 3]; w * h];
    let mut weights = vec![0.0f32; w * h];
    for (at, sum) in sums.iter().enumerate() {
        if sum[3] > 0.0 && level.is_known(at) {
            let cell = at / level.width / CELL * w + at % level.width / CELL;
            for (channel, offset) in offsets[cell].iter_mut().enumerate() {
                *offset += f32::from(level.picture[at][channel]) - sum[channel] / sum[3];
            }
            weights[cell] += 1.0;
        }
    }
    let known: Vec<f32> = weights.iter().map(|&n| if n > 0.0 { 1.0 } else { 0.0 }).collect();
    if known.iter().all(|&k| k == 0.0) {
        return;
    }
    let corrections = [0, 1, 2].map(|channel: usize| {
        let mean = offsets.iter().zip(&weights).map(|(o, n)| (o[channel] / n.max(1.0)).clamp(-RIM, RIM));
        extend(&mean.collect::<Vec<_>>(), &known, (w, h))
    });
    for (at, sum) in sums.iter().enumerate() {
        if level.is_known(at) || sum[3] == 0.0 {
            continue;
        }
        let cell = |p: usize| (p as f32 + 0.5) / CELL as f32 - 0.5;
        let (fx, fy) = (cell(at % level.width), cell(at / level.width));
        for (channel, plane) in corrections.iter().enumerate() {
            let value = f32::from(level.picture[at][channel]) + sample(plane, (w, h), fx, fy);
            level.picture[at][channel] = value.round().clamp(0.0, 255.0) as u8;
        }
    }
}

/// Bilinear sample with repeated edges.
fn sample(plane: &[f32], (w, h): (usize, usize), x: f32, y: f32) -> f32 {
    let side = |v: f32, size: usize| {
        let v = v.clamp(0.0, (size - 1) as f32);
        (v as usize, (v as usize + 1).min(size - 1), v.fract())
    };
    let ((x0, x1, tx), (y0, y1, ty)) = (side(x, w), side(y, h));
    let mix = |row: usize| plane[row * w + x0] * (1.0 - tx) + plane[row * w + x1] * tx;
    mix(y0) * (1.0 - ty) + mix(y1) * ty
}
