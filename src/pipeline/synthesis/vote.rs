//! Every pixel of the hole becomes the weighted mean of what the patches over it say.

use super::field::Field;
use super::level::{Level, PATCH};

/// Distance at which a patch's weight falls to 1/e: 20 levels off in each channel of each pixel.
const SOFTNESS: f32 = (PATCH * PATCH * 3 * 400) as f32;
/// How quickly a patch's weight falls from its middle, in pixels: narrow, so that grain is copied rather than averaged.
const PEAK: f32 = 1.3;

/// Replaces the hole's pixels.
pub fn vote(level: &mut Level, field: &Field) {
    let sums = votes(level, field);
    for (at, [r, g, b, weight]) in sums.into_iter().enumerate() {
        if weight > 0.0 && !level.is_known(at) {
            let detail = level.picture[at][3];
            let [r, g, b] = [r, g, b].map(|v| (v / weight + 0.5) as u8);
            level.picture[at] = [r, g, b, detail];
        }
    }
}

/// The weight of a patch's vote by how well it matches.
pub fn trust(distance: u32) -> f32 {
    let near = if distance == u32::MAX { 0.0 } else { distance as f32 };
    (-near / SOFTNESS).exp() + 1e-4
}

/// Weighted colour sums and the weight, for every pixel that a patch covers.
fn votes(level: &Level, field: &Field) -> Vec<[f32; 4]> {
    let middle = (PATCH - 1) as f32 / 2.0;
    let place: [[f32; PATCH]; PATCH] = std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let (dx, dy) = (x as f32 - middle, y as f32 - middle);
            (-(dx * dx + dy * dy) / (2.0 * PEAK * PEAK)).exp()
        })
    });
    let mut sums = vec![[0.0f32; 4]; level.width * level.height];
    for at in 0..field.matches.len() {
        let Some(source) = field.matched(at) else { continue };
        let target = field.corner(level, at);
        let weight = trust(field.distances[at]);
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
