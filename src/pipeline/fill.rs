//! One run: every group of holes in its own window, from network to patch.

use super::cluster::Clusters;
use super::composite::{feather, to_window};
use super::resample::extend;
use super::sight::Sight;
use super::synthesis::{self, Request};
use super::{FillOptions, Mask, Photo, Pixels, Rect, Sharpen};
use crate::engine::{Step, Watch};
use crate::error::{Code, Error, Result};
use crate::models::load::Loaded;
use crate::models::{InputKind, OutputCovers};

/// One rectangle of the filled photo; its pixels outside the mask equal the photo's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Where it lies.
    pub rect: Rect,
    /// `rect.width * rect.height * 4` bytes, straight RGBA.
    pub rgba: Vec<u8>,
}

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
    let clusters = clusters(photo, mask, options)?;
    let roles = Roles::of(models)?;
    if roles.main.is_none() && mask.holes.iter().all(|&hole| hole > 127) {
        return Err(Error::new(
            Code::MaskFull,
            "Everything is masked, so there is nothing to continue. Leave some of the photo.",
        ));
    }
    let mut run = Run { photo, mask, clusters: &clusters, options, roles, done: Vec::new(), labels: Vec::new() };
    let count = clusters.boxes.len() as f32;
    for (index, &(label, hole)) in clusters.boxes.iter().enumerate() {
        let mut part = |step: Step<'_>| watch(Step { done: (index as f32 + step.done) / count, layer: step.layer });
        let patch = run.cluster(label, hole, models, &mut part)?;
        run.done.push(patch);
        run.labels.push(label);
    }
    Ok(run.done)
}

/// The groups of holes, after checking that mask and edges have the photo's size and that there is a hole.
pub(super) fn clusters(photo: &dyn Pixels, mask: &Mask, options: &FillOptions) -> Result<Clusters> {
    let (width, height) = (photo.width(), photo.height());
    if (mask.width, mask.height) != (width, height) || mask.holes.len() != width * height {
        let text =
            format!("The mask has {} x {} pixels, but the photo has {width} x {height}.", mask.width, mask.height);
        return Err(Error::new(Code::MaskSize, text));
    }
    if options.edges.as_ref().is_some_and(|edges| edges.len() != width * height) {
        return Err(Error::new(Code::MaskSize, format!("The edges must have the photo's {width} x {height} pixels.")));
    }
    let clusters = Clusters::of(mask);
    if clusters.boxes.is_empty() {
        return Err(Error::new(Code::MaskEmpty, "Nothing is masked. Paint over what should go."));
    }
    Ok(clusters)
}

/// Writes patches into a photo.
pub fn apply(photo: &mut Photo, patches: &[Patch]) {
    for Patch { rect, rgba } in patches {
        for (row, source) in rgba.chunks_exact(rect.width * 4).enumerate() {
            let start = ((rect.y + row) * photo.width + rect.x) * 4;
            photo.rgba[start..start + source.len()].copy_from_slice(source);
        }
    }
}

/// Which of the loaded networks does what.
pub(super) struct Roles {
    pub(super) main: Option<usize>,
    pub(super) edge: Option<usize>,
}

impl Roles {
    pub(super) fn of(models: &[Loaded]) -> Result<Self> {
        let find = |wanted: &dyn Fn(InputKind) -> bool| models.iter().position(|m| wanted(m.conventions.inputs));
        let main = find(&|kind| matches!(kind, InputKind::RgbMask | InputKind::RgbEdges | InputKind::Pair));
        let edge = find(&|kind| kind == InputKind::GrayEdgesMask);
        if main.is_none() && !models.is_empty() {
            let names: Vec<&str> = models.iter().map(|m| m.model.name).collect();
            let advice = if edge.is_some() { "Load the matching InpaintGenerator too." } else { "Load a generator." };
            let text = format!("{} does not paint pictures by itself. {advice}", names.join(" and "));
            return Err(Error::new(Code::ModelMismatch, text));
        }
        Ok(Self { main, edge })
    }
}

/// One run, as far as it is.
pub(super) struct Run<'a> {
    pub(super) photo: &'a dyn Pixels,
    pub(super) mask: &'a Mask,
    pub(super) clusters: &'a Clusters,
    pub(super) options: &'a FillOptions,
    pub(super) roles: Roles,
    pub(super) done: Vec<Patch>,
    pub(super) labels: Vec<u32>,
}

/// What one pixel is while a cluster is filled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pixel {
    Known,
    /// To be filled now.
    Own,
    /// Of another group, not filled yet.
    Other,
}

impl Run<'_> {
    pub(super) fn photo_size(&self) -> (usize, usize) {
        (self.photo.width(), self.photo.height())
    }

    /// The photo with the groups filled so far.
    pub(super) fn read(&self, rect: Rect) -> Vec<u8> {
        let mut rgba = self.photo.read(rect);
        for patch in self.done.iter().filter(|patch| patch.rect.touches(rect)) {
            let from = patch.rect;
            let (left, right) = (from.x.max(rect.x), (from.x + from.width).min(rect.x + rect.width));
            for y in from.y.max(rect.y)..(from.y + from.height).min(rect.y + rect.height) {
                let source = ((y - from.y) * from.width + left - from.x) * 4;
                let target = ((y - rect.y) * rect.width + left - rect.x) * 4;
                let length = (right - left) * 4;
                rgba[target..target + length].copy_from_slice(&patch.rgba[source..source + length]);
            }
        }
        rgba
    }

    pub(super) fn pixels(&self, rect: Rect, own: u32) -> Vec<Pixel> {
        let pixel = |x: usize, y: usize| match self.mask.is_hole(x, y).then(|| self.clusters.label(x, y)) {
            None => Pixel::Known,
            Some(label) if label == own => Pixel::Own,
            Some(label) if self.labels.contains(&label) => Pixel::Known,
            Some(_) => Pixel::Other,
        };
        let row = |y: usize| (rect.x..rect.x + rect.width).map(move |x| (x, y));
        (rect.y..rect.y + rect.height).flat_map(row).map(|(x, y)| pixel(x, y)).collect()
    }

    fn cluster(&self, label: u32, hole: Rect, models: &mut [Loaded], watch: Watch<'_>) -> Result<Patch> {
        let (width, height) = self.photo_size();
        // Everything at the photo's own resolution happens in this rectangle.
        let area = hole.grown(synthesis::margin(hole), width, height);
        let rgba = self.read(area);
        let pixels = self.pixels(area, label);
        let own: Vec<bool> = pixels.iter().map(|&p| p == Pixel::Own).collect();
        let mut rgb: Vec<u8> = rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
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
        let known = pixels.contains(&Pixel::Known);
        let sharpen = match self.options.sharpen {
            Sharpen::On => true,
            Sharpen::Off => false,
            Sharpen::Auto => coarse || self.roles.main.is_some_and(|main| models[main].model.guides),
        };
        if known && (self.roles.main.is_none() || sharpen) {
            let usable: Vec<bool> = pixels.iter().map(|&p| p == Pixel::Known).collect();
            let guided = self.roles.main.is_some();
            let request = Request {
                width: area.width,
                height: area.height,
                rgb: &rgb,
                hole: &own,
                usable: &usable,
                guided,
                seed: self.options.seed,
            };
            rgb = synthesis::synthesize(&request, &mut |done| {
                watch(Step { done: share + (1.0 - share) * done, layer: "detail from the photo" })
            })?;
        } else if !known && self.roles.main.is_none() {
            return Err(Error::new(Code::MaskFull, "Nothing around this hole is known. Leave some of the photo."));
        } else if known {
            feather(&mut rgb, &own, area.width);
        }
        Ok(self.patch(hole, area, &rgba, &rgb, &own))
    }

    /// Runs the network on its window and writes its picture into the hole of `area`; returns how many photo pixels
    /// one of its own covers.
    #[allow(clippy::too_many_arguments)] // one cluster's whole state
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
        let seen = self.sight(label, hole, &models[main]);
        let inputs = self.inputs(&seen, models, Some(&mut *watch))?;
        let Sight { conventions, window, scene, .. } = seen;
        let output = models[main].engine.run(&inputs, watch)?;
        if output.data().iter().any(|v| !v.is_finite()) {
            let text = "The network's output is not finite, so there is nothing to show. Its weights or value range are wrong.";
            return Err(Error::new(Code::WeightsNotFinite, text));
        }
        let (planes, scale) = to_window(&output, &conventions, &scene, &window);
        for (at, _) in own.iter().enumerate().filter(|(_, own)| **own) {
            let (x, y) = (area.x + at % area.width, area.y + at / area.width);
            let (wx, wy) = ((x as i64 - window.x) as usize, (y as i64 - window.y) as usize);
            let index = wy * window.size.0 + wx;
            let colour = [0, 1, 2].map(|c: usize| planes[c].get(index).map_or(0, |v| (v * 255.0).round() as u8));
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
