//! Gives back the grain that a mean of many patches loses.
//!
//! Where patches from different places cover a pixel, noise averages out, and the fill would look smeared. The grain is taken
//! from the patch whose middle is nearest, without its colour, so that no seam comes back with it.

use super::field::Field;
use super::level::{Level, PATCH};
use crate::threads::chunks;

/// Up to this many levels a difference is taken for grain; from twice as many on it is structure, on which the patches
/// do not agree.
const GRAIN: f32 = 10.0;
/// Standard deviation in a patch, in levels, from which grain is plain to see and given back in full. Of fainter
/// grain only a share is given back, at least [`FAINT`]: nobody would see it, and it does not lie where the photo had it.
const PLAIN: f32 = 5.0;
const FAINT: f32 = 0.4;
/// Pixels of a patch, and the sum over them of the squared distance from its middle, across or down.
const PIXELS: f32 = (PATCH * PATCH) as f32;
const SQUARES: f32 = PIXELS * (PIXELS - 1.0) / 12.0;
/// Rows of pixels in a task.
const BAND: usize = 16;

/// By pixel of the hole's box: what is to be added once the seams are out.
pub struct Grain(Vec<[i8; 3]>);

impl Grain {
    /// What the voted picture of `level` lacks.
    pub fn of(level: &Level, field: &Field) -> Self {
        let hole = level.hole;
        let mut lost = vec![[0; 3]; hole.width * hole.height];
        chunks(&mut lost, BAND * hole.width.max(1), &|band, rows| {
            // Neighbouring pixels often have the same patch.
            let mut last: Option<(usize, Plane)> = None;
            for (i, lost) in rows.iter_mut().enumerate() {
                let (x, y) = (hole.x + i % hole.width, hole.y + band * BAND + i / hole.width);
                let own = y * level.width + x;
                let at = field.around(x, y);
                let Some(source) = field.matched(at).filter(|_| !level.is_known(own)) else { continue };
                let target = field.corner(at);
                let found = difference(level, source + own - target, own);
                if found == [0.0; 3] {
                    continue;
                }
                let plane = match last {
                    Some((of, plane)) if of == at => plane,
                    _ => Plane::of(level, source, target),
                };
                last = Some((at, plane));
                *lost = plane.beyond(found, (own - target) % level.width, (own - target) / level.width);
            }
        });
        Self(lost)
    }

    /// Adds it.
    pub fn add(self, level: &mut Level) {
        let hole = level.hole;
        for (i, lost) in self.0.into_iter().enumerate() {
            let pixel = &mut level.picture[(hole.y + i / hole.width) * level.width + hole.x + i % hole.width];
            pixel.iter_mut().zip(lost).for_each(|(value, lost)| *value = value.saturating_add_signed(lost));
        }
    }
}

/// The plane through all differences between a patch and the votes: colour and shading, which the votes settled.
#[derive(Clone, Copy)]
struct Plane {
    mean: [f32; 3],
    across: [f32; 3],
    down: [f32; 3],
    /// How much of what lies beyond it is given back.
    share: f32,
}

impl Plane {
    fn of(level: &Level, source: usize, target: usize) -> Self {
        let (mut mean, mut across, mut down) = ([0.0; 3], [0.0; 3], [0.0; 3]);
        let (mut sum, mut squares) = (0.0, 0.0);
        for (dy, dx) in (0..PATCH).flat_map(|dy| (0..PATCH).map(move |dx| (dy, dx))) {
            let offset = dy * level.width + dx;
            for (c, v) in difference(level, source + offset, target + offset).into_iter().enumerate() {
                mean[c] += v;
                across[c] += v * from_middle(dx);
                down[c] += v * from_middle(dy);
            }
            let green = f32::from(level.picture[source + offset][1]);
            sum += green;
            squares += green * green;
        }
        let deviation = (squares / PIXELS - (sum / PIXELS) * (sum / PIXELS)).max(0.0).sqrt();
        Self { mean, across, down, share: (deviation / PLAIN).clamp(FAINT, 1.0) }
    }

    /// What of the difference `found` at this place of the patch is grain.
    fn beyond(&self, found: [f32; 3], x: usize, y: usize) -> [i8; 3] {
        let (x, y) = (from_middle(x), from_middle(y));
        let plane = |c: usize| self.mean[c] / PIXELS + (self.across[c] * x + self.down[c] * y) / SQUARES;
        let grain = [0, 1, 2].map(|c: usize| found[c] - plane(c));
        let most = grain.iter().fold(0.0, |most: f32, v| most.max(v.abs()));
        let share = (2.0 - most / GRAIN).clamp(0.0, 1.0) * self.share;
        grain.map(|v| (v * share).round() as i8)
    }
}

/// Distance of a pixel from the middle of its patch.
fn from_middle(at: usize) -> f32 {
    at as f32 - (PATCH - 1) as f32 / 2.0
}

fn difference(level: &Level, a: usize, b: usize) -> [f32; 3] {
    [0, 1, 2].map(|c: usize| f32::from(level.picture[a][c]) - f32::from(level.picture[b][c]))
}
