//! The network's output into the photo: colours matched at the rim, blended inwards only.

use super::prepare::Scene;
use super::resample::{extend, resize};
use super::window::Window;
use crate::error::{Code, Error, Result};
use crate::models::{Blend, Colour, Conventions, OutputCovers};
use crate::tensor::Tensor;

/// Largest colour shift that the rim may ask for, in 0..1: networks drift a little, and what is further off is meant.
const MATCH: f32 = 0.12;
/// Width of the inward blend, in photo pixels.
const FEATHER: usize = 3;

/// The output as RGB planes in 0..1 at the window's size in photo pixels, and how many photo pixels one of its own covers.
/// `input-shape` if it is no picture `[1, C, H, W]`.
pub fn to_window(output: &Tensor, c: &Conventions, scene: &Scene, window: &Window) -> Result<([Vec<f32>; 3], f64)> {
    let (_, channels, oh, ow) = output.nchw()?;
    if channels == 0 || oh == 0 || ow == 0 {
        let text = format!("The network gives no picture: its output's shape is {:?}.", output.shape());
        return Err(Error::new(Code::InputShape, text));
    }
    let (w, h) = scene.size;
    let centre = c.output_covers == OutputCovers::Centre;
    let covered = if centre { (w / 2, h / 2) } else { (w, h) };
    let scale = window.size.0 as f64 / w as f64 * covered.0 as f64 / ow as f64;
    let planes = [0, 1, 2].map(|channel: usize| {
        let from = &output.data()[channel.min(channels - 1) * oh * ow..][..oh * ow];
        let values: Vec<f32> = from.iter().map(|&v| c.output_range.to_unit(v, Some(Colour::RGB[channel]))).collect();
        let fitted = resize(&values, (ow, oh), covered);
        let mut field = match centre {
            false => fitted,
            true => within(&scene.rgb[channel], &fitted, scene.size, covered),
        };
        if c.blend == Blend::Matched {
            match_rim(&mut field, &scene.rgb[channel], &scene.hole, scene.size);
        }
        field.iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        resize(&field, scene.size, window.size)
    });
    Ok((planes, scale))
}

/// A picture with another one in its centre.
fn within(around: &[f32], centre: &[f32], (w, h): (usize, usize), (cw, ch): (usize, usize)) -> Vec<f32> {
    let mut out = around.to_vec();
    for (y, row) in centre.chunks_exact(cw).enumerate() {
        let start = (y + (h - ch) / 2) * w + (w - cw) / 2;
        out[start..start + cw].copy_from_slice(row);
    }
    out
}

/// Adds a smooth offset, so that output and photo agree where the photo is known.
fn match_rim(field: &mut [f32], photo: &[f32], hole: &[f32], size: (usize, usize)) {
    if hole.iter().all(|&h| h > 0.5) {
        return;
    }
    let offset: Vec<f32> = photo.iter().zip(field.iter()).map(|(p, f)| (p - f).clamp(-MATCH, MATCH)).collect();
    let weight: Vec<f32> = hole.iter().map(|h| 1.0 - h).collect();
    for (value, offset) in field.iter_mut().zip(extend(&offset, &weight, size)) {
        *value += offset;
    }
}

/// Blends the hole's outermost pixels towards their known neighbours; `hole` and `known` have one bool a pixel, and no pixel
/// is both. Known pixels are read and never written, those that are neither are not looked at.
pub fn feather(rgb: &mut [u8], (hole, known): (&[bool], &[bool]), width: usize) {
    let height = hole.len() / width.max(1);
    // Rings of the hole from outside inwards, each with the colour of what it touches.
    let mut reached = known.to_vec();
    let mut colour: Vec<[f32; 3]> =
        rgb.chunks_exact(3).map(|p| [f32::from(p[0]), f32::from(p[1]), f32::from(p[2])]).collect();
    for ring in 0..FEATHER {
        let mut found = Vec::new();
        for at in (0..hole.len()).filter(|&at| hole[at] && !reached[at]) {
            let (x, y) = (at % width, at / width);
            let (mut sum, mut count) = ([0.0f32; 3], 0.0f32);
            for ny in y.saturating_sub(1)..(y + 2).min(height) {
                for nx in x.saturating_sub(1)..(x + 2).min(width) {
                    let other = ny * width + nx;
                    if reached[other] {
                        sum.iter_mut().zip(colour[other]).for_each(|(s, c)| *s += c);
                        count += 1.0;
                    }
                }
            }
            if count > 0.0 {
                found.push((at, sum.map(|s| s / count)));
            }
        }
        let keep = (ring + 1) as f32 / (FEATHER + 1) as f32;
        for (at, around) in found {
            reached[at] = true;
            colour[at] = around;
            for (channel, value) in around.into_iter().enumerate() {
                let own = f32::from(rgb[at * 3 + channel]);
                rgb[at * 3 + channel] = (own * keep + value * (1.0 - keep)).round() as u8;
            }
        }
    }
}
