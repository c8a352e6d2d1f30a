//! Fills every group of holes in its own window, from network to patch.

use super::composite::{feather, to_window};
use super::fill_job::{FillJob, Patch, Pixel};
use super::network_view::NetworkView;
use super::resample::extend;
use super::synthesis::{self, Request};
use super::{FillOptions, Mask, Pixels, Rect, Sharpen};
use crate::engine::{Step, Watch};
use crate::error::{Code, Error, Result};
use crate::models::load::Loaded;
use crate::models::{Blend, OutputCovers};
use crate::sentences::Sentence;

/// Share of the progress that the network takes where sharpening follows.
const NETWORK_SHARE: f32 = 0.5;

/// Fills every hole of the mask; `models` empty fills from the photo alone.
///
/// The patches are to be applied in order. `mask-empty` if nothing is masked, `mask-full` if everything is and no
/// network can invent a picture, `cancelled` if the watcher breaks off.
pub fn fill(
    photo: &dyn Pixels,
    mask: &Mask,
    models: &mut [Loaded],
    options: &FillOptions,
    watch: Watch<'_>,
) -> Result<Vec<Patch>> {
    let mut job = FillJob::new(photo, mask, models, options)?;
    if job.roles.main.is_none() && mask.holes.iter().all(|&hole| hole > 127) {
        return Err(Error::said(Sentence::MaskFull {}));
    }
    let boxes = job.groups.boxes.clone();
    let count = boxes.len() as f32;
    for (index, (label, hole)) in boxes.into_iter().enumerate() {
        let mut part = |step: Step<'_>| watch(Step { done: (index as f32 + step.done) / count, layer: step.layer });
        let patch = job.fill_group(label, hole, models, &mut part)?;
        job.close(label, patch);
    }
    Ok(job.into_patches())
}

impl FillJob<'_> {
    fn fill_group(&self, label: u32, hole: Rect, models: &mut [Loaded], watch: Watch<'_>) -> Result<Patch> {
        let (width, height) = self.photo_size();
        // Everything at the photo's own resolution happens in this rectangle.
        let area = hole.grown(synthesis::margin(hole), width, height);
        let rgba = self.read(area);
        let pixels = self.pixels(area, label, &rgba);
        let known: Vec<bool> = pixels.iter().map(|&p| p == Pixel::Known).collect();
        let is_alone = !known.contains(&true);
        let own: Vec<bool> = pixels.iter().map(|&p| p == Pixel::Own).collect();
        let mut rgb: Vec<u8> = rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        if is_alone && pixels.contains(&Pixel::Clear) {
            return Ok(self.nothing(hole));
        }
        let mut coarse = false;
        let share = match (self.roles.main, self.options.sharpen) {
            (None, _) => 0.0,
            (_, Sharpen::Off) => 1.0,
            _ => NETWORK_SHARE,
        };
        if self.roles.main.is_some() {
            let mut part = |step: Step<'_>| watch(Step { done: step.done * share, layer: step.layer });
            let scale = self.network(label, hole, area, &own, &mut rgb, models, &mut part)?;
            coarse = scale > 1.0 + 1e-6;
        }
        let guided = self.roles.main.is_some();
        if !is_alone && (!guided || self.sharpens(models, coarse)) {
            let request = Request {
                width: area.width,
                height: area.height,
                rgb: &rgb,
                hole: &own,
                usable: &known,
                guided,
                seed: self.options.seed,
            };
            rgb = synthesis::synthesize(&request, &mut |done| {
                watch(Step { done: share + (1.0 - share) * done, layer: "detail from the photo" })
            })?;
        } else if is_alone && !guided {
            return Err(Error::said(Sentence::HoleSurrounded {}));
        } else if !is_alone && !self.pastes(models) {
            feather(&mut rgb, (&own, &known), area.width);
        }
        Ok(self.patch(hole, area, &rgba, &rgb, &own))
    }

    /// Whether detail from the photo follows a network, whose picture may be coarser than the photo.
    fn sharpens(&self, models: &[Loaded], coarse: bool) -> bool {
        match self.options.sharpen {
            Sharpen::On => true,
            Sharpen::Off => false,
            Sharpen::Auto => coarse || self.roles.main.is_some_and(|main| models[main].model.needs_detail),
        }
    }

    /// A hole with nothing but transparency around it becomes transparent, too.
    fn nothing(&self, hole: Rect) -> Patch {
        let rgba = self.read(hole);
        let is_hole = |i: usize| self.mask.is_hole(hole.x + i % hole.width, hole.y + i / hole.width);
        let pixel = |(i, colour): (usize, &[u8])| if is_hole(i) { [0; 4] } else { [0, 1, 2, 3].map(|k| colour[k]) };
        Patch { rect: hole, rgba: rgba.chunks_exact(4).enumerate().flat_map(pixel).collect() }
    }

    /// Whether the network's picture is put into the photo as it is.
    fn pastes(&self, models: &[Loaded]) -> bool {
        self.roles.main.is_some_and(|main| models[main].conventions.blend == Blend::Pasted)
    }

    /// Runs the network on its window and writes its picture into the hole of `area`; returns how many photo pixels
    /// one of its own covers.
    #[allow(clippy::too_many_arguments)] // one group's whole state
    fn network(
        &self,
        label: u32,
        hole: Rect,
        area: Rect,
        own: &[bool],
        rgb: &mut [u8],
        models: &mut [Loaded],
        watch: Watch<'_>,
    ) -> Result<f64> {
        let main = self.roles.main.ok_or_else(|| Error::new(Code::Internal, "no network"))?;
        let seen = self.network_view(label, hole, &mut models[main])?;
        let inputs = self.inputs(&seen, models, Some(&mut *watch))?;
        let NetworkView { conventions, window, scene, .. } = seen;
        let output = models[main].engine.run(&inputs, watch)?;
        if output.data().iter().any(|v| !v.is_finite()) {
            return Err(Error::said(Sentence::OutputNotFinite {}));
        }
        let (planes, scale) = to_window(&output, &conventions, &scene, &window)?;
        for (at, _) in own.iter().enumerate().filter(|(_, own)| **own) {
            let (x, y) = (area.x + at % area.width, area.y + at / area.width);
            let at_window = window
                .index_of(x, y)
                .ok_or_else(|| Error::new(Code::Internal, "The hole reaches beyond what the network was shown."))?;
            let colour = [0, 1, 2].map(|channel: usize| (planes[channel][at_window] * 255.0).round() as u8);
            rgb[at * 3..at * 3 + 3].copy_from_slice(&colour);
        }
        debug_assert!(
            conventions.output_covers == OutputCovers::Centre || window.size.0 >= hole.width.min(self.photo.width())
        );
        Ok(scale)
    }

    /// The hole's rectangle of the filled photo.
    fn patch(&self, hole: Rect, area: Rect, rgba: &[u8], rgb: &[u8], own: &[bool]) -> Patch {
        let alpha = fill_alpha(rgba, own, area.width);
        let mut out = Vec::with_capacity(hole.width * hole.height * 4);
        for y in hole.y - area.y..hole.y - area.y + hole.height {
            for x in hole.x - area.x..hole.x - area.x + hole.width {
                let at = y * area.width + x;
                if !own[at] {
                    out.extend_from_slice(&rgba[at * 4..at * 4 + 4]);
                    continue;
                }
                let [r, g, b] = [rgb[at * 3], rgb[at * 3 + 1], rgb[at * 3 + 2]];
                let gray = ((299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b) + 500) / 1000) as u8;
                let colour = if self.photo.is_gray() { [gray; 3] } else { [r, g, b] };
                out.extend_from_slice(&colour);
                out.push(alpha.as_ref().map_or(255, |alpha| alpha[at]));
            }
        }
        Patch { rect: hole, rgba: out }
    }
}

/// Transparency continued into the hole; `None` where everything known is opaque.
fn fill_alpha(rgba: &[u8], own: &[bool], width: usize) -> Option<Vec<u8>> {
    let opaque = rgba.chunks_exact(4).zip(own).all(|(p, &own)| own || p[3] == 255);
    if opaque {
        return None;
    }
    let values: Vec<f32> = rgba.chunks_exact(4).map(|p| f32::from(p[3])).collect();
    let known: Vec<f32> = own.iter().map(|&own| if own { 0.0 } else { 1.0 }).collect();
    let smooth = extend(&values, &known, (width, own.len() / width));
    Some(smooth.into_iter().map(|v| v.round().clamp(0.0, 255.0) as u8).collect())
}
