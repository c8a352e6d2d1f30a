//! What the networks are given for one group of holes: its window, its tensors, its edges.

use super::Rect;
use super::fill_job::{FillJob, Pixel};
use super::prepare::{Scene, plane};
use super::resample::resize;
use super::window::{self, Window};
use crate::engine::Watch;
use crate::error::Result;
use crate::models::load::Loaded;
use crate::models::{Conventions, InputKind};
use crate::tensor::Tensor;

/// Canny's sigma where nobody sets one.
const SIGMA: f32 = 2.0;
/// From this value on the user's byte says that there is an edge.
const DRAWN_FROM: u8 = 192;
/// Below this value it says that there is none.
const ERASED_BELOW: u8 = 64;

/// One group of holes as a network sees it.
pub struct NetworkView {
    /// The network's conventions with the user's changes.
    pub conventions: Conventions,
    /// The part of the photo it looks at.
    pub window: Window,
    /// The photo's pixels that the window reads.
    pub source: Rect,
    /// Those pixels at the input's size.
    pub scene: Scene,
}

impl FillJob<'_> {
    /// What this network sees of the hole.
    pub fn network_view(&self, label: u32, hole: Rect, model: &Loaded) -> NetworkView {
        let photo = self.photo_size();
        let conventions = self.options.conventions(model.conventions);
        // The centre convention holds the hole in the middle half of the field.
        let window = window::choose(conventions.size, conventions.output_covers, hole, photo.0, photo.1);
        let source = window.source(photo.0, photo.1);
        let rgba = self.read(source);
        let holes: Vec<u8> =
            self.pixels(source, label).iter().map(|&p| if p == Pixel::Known { 0 } else { 255 }).collect();
        let scene = Scene::new(&rgba, &holes, source, &window, photo);
        NetworkView { conventions, window, source, scene }
    }

    /// The network's input tensors; without `propose` the edge generator is left out.
    pub fn inputs(&self, seen: &NetworkView, models: &mut [Loaded], propose: Option<Watch<'_>>) -> Result<Vec<Tensor>> {
        let photo = self.photo_size();
        let edges = match seen.conventions.inputs {
            InputKind::RgbEdges | InputKind::Pair => Some(self.edges(seen, models, propose)?),
            InputKind::GrayEdgesMask => Some(self.canny(seen)),
            _ => None,
        };
        let second = self.options.second.as_ref().map(|second| {
            let whole = Rect { x: 0, y: 0, width: photo.0, height: photo.1 };
            [0, 1, 2].map(|channel| {
                resize(&plane(second, 4, channel, whole, &seen.window, photo), seen.window.size, seen.window.input)
            })
        });
        seen.scene.inputs(&seen.conventions, self.options, edges.as_deref(), second)
    }

    fn canny(&self, seen: &NetworkView) -> Vec<f32> {
        seen.scene.edges(self.options.sigma.unwrap_or(SIGMA))
    }

    /// The edges a network sees: Canny's, completed by an edge generator if there is one, and inside the hole the
    /// user's over both.
    pub fn edges(&self, seen: &NetworkView, models: &mut [Loaded], propose: Option<Watch<'_>>) -> Result<Vec<f32>> {
        let mut edges = self.canny(seen);
        if let (Some(index), Some(watch)) = (self.roles.edge, propose) {
            let conventions = self.options.conventions(models[index].conventions);
            let input = seen.scene.edge_input(&edges, &conventions)?;
            edges = models[index].engine.run(&[input], watch)?.into_data();
        }
        if let Some(said) = &self.options.edges {
            let (photo, source) = (self.photo_size(), seen.source);
            let rows = said.chunks_exact(photo.0).skip(source.y).take(source.height);
            let part: Vec<u8> = rows.flat_map(|row| &row[source.x..source.x + source.width]).copied().collect();
            let share = |meant: &dyn Fn(u8) -> bool| {
                let bytes: Vec<u8> = part.iter().map(|&v| if meant(v) { 255 } else { 0 }).collect();
                resize(&plane(&bytes, 1, 0, source, &seen.window, photo), seen.window.size, seen.window.input)
            };
            seen.scene.draw_edges(&mut edges, &share(&|v| v >= DRAWN_FROM), &share(&|v| v < ERASED_BELOW));
        }
        Ok(edges)
    }
}
