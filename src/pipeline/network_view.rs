//! What the networks are given for one group of holes: its window, its tensors, its edges.

use super::fill_job::{FillJob, Pixel};
use super::options::SIDE;
use super::prepare::{Planes, Scene, plane};
use super::resample::resize;
use super::window::{self, Window};
use super::{FillOptions, Rect, SecondInput};
use crate::engine::{Engine, Watch};
use crate::error::{Code, Error, Result};
use crate::models::load::Loaded;
use crate::models::{Conventions, Role, SizeRule, Source};
use crate::sentences::Sentence;
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
    /// What this network sees of the hole: as much as there is memory for. `out-of-memory`, with the largest size that
    /// fits, if that is less than the size that the network prefers or the user chose.
    pub fn network_view(&self, label: u32, hole: Rect, model: &mut Loaded) -> Result<NetworkView> {
        let photo = self.photo_size();
        let mut conventions = self.options.conventions(&model.conventions);
        if model.model.role == Role::Paints
            && let Ok(inputs) = self.options.input_tensors(&model.conventions.inputs)
        {
            conventions.inputs = inputs;
        }
        let window = affordable_window(&conventions, hole, photo, model.engine.as_mut())?;
        let source = window.source(photo.0, photo.1);
        let rgba = self.read(source);
        let holes: Vec<u8> =
            self.pixels(source, label, &rgba).iter().map(|&p| if p == Pixel::Known { 0 } else { 255 }).collect();
        let scene = Scene::new(&rgba, &holes, source, &window, photo);
        Ok(NetworkView { conventions, window, source, scene })
    }

    /// The network's input tensors; without `watch` no other network runs to complete them.
    pub fn inputs(&self, seen: &NetworkView, models: &mut [Loaded], watch: Option<Watch<'_>>) -> Result<Vec<Tensor>> {
        let photo = self.photo_size();
        let second = self.options.second.as_ref().map(|second| {
            let whole = Rect { x: 0, y: 0, width: photo.0, height: photo.1 };
            [0, 1, 2].map(|channel| {
                resize(&plane(second, 4, channel, whole, &seen.window, photo), seen.window.size, seen.window.input)
            })
        });
        let mut planes = self.planes(seen, models, watch)?;
        planes.second = second;
        seen.scene.inputs(&seen.conventions, self.options, &planes)
    }

    /// The sources that this network takes and that something has to compute: edges, and what other networks give; the
    /// user's edges over both inside the hole.
    fn planes(&self, seen: &NetworkView, models: &mut [Loaded], mut watch: Option<Watch<'_>>) -> Result<Planes> {
        let mut planes = Planes::default();
        let takes = |source| takes(&seen.conventions, self.options, source);
        if takes(Source::Edges) || takes(Source::KnownEdges) {
            let edges = seen.scene.edges(self.options.sigma.unwrap_or(SIGMA));
            planes.set(Source::KnownEdges, edges.clone());
            planes.set(Source::Edges, edges);
        }
        for &(source, giver) in self.roles.givers.iter().filter(|(source, _)| takes(*source)) {
            let Some(watch) = watch.as_mut() else { continue };
            let given = given(seen, &mut models[giver], self.options, &planes, &mut **watch)?;
            planes.set(source, given);
        }
        if takes(Source::Edges) {
            let mut edges = planes.given(Source::Edges).unwrap_or_default().to_vec();
            self.draw_edges(seen, &mut edges);
            planes.set(Source::Edges, edges);
        }
        Ok(planes)
    }

    /// The edges a network sees, as [`FillJob::inputs`] gives them.
    pub fn edges(&self, seen: &NetworkView, models: &mut [Loaded], watch: Option<Watch<'_>>) -> Result<Vec<f32>> {
        let planes = self.planes(seen, models, watch)?;
        let none = || Error::said(Sentence::NothingTakesEdges {});
        planes.given(Source::Edges).map(<[f32]>::to_vec).ok_or_else(none)
    }

    /// Lets the user's edges stand inside the hole.
    fn draw_edges(&self, seen: &NetworkView, edges: &mut [f32]) {
        let Some(said) = &self.options.edges else { return };
        let (photo, source) = (self.photo_size(), seen.source);
        let rows = said.chunks_exact(photo.0).skip(source.y).take(source.height);
        let part: Vec<u8> = rows.flat_map(|row| &row[source.x..source.x + source.width]).copied().collect();
        let share = |meant: &dyn Fn(u8) -> bool| {
            let bytes: Vec<u8> = part.iter().map(|&v| if meant(v) { 255 } else { 0 }).collect();
            resize(&plane(&bytes, 1, 0, source, &seen.window, photo), seen.window.size, seen.window.input)
        };
        seen.scene.draw_edges(edges, &share(&|v| v >= DRAWN_FROM), &share(&|v| v < ERASED_BELOW));
    }
}

/// The window that the size rule asks for, or else the largest one that there is memory for.
fn affordable_window(
    conventions: &Conventions,
    hole: Rect,
    photo: (usize, usize),
    engine: &mut dyn Engine,
) -> Result<Window> {
    let mut rule = conventions.size;
    loop {
        // The centre convention holds the hole in the middle half of the field.
        let window = window::choose(rule, conventions.output_covers, hole, photo.0, photo.1);
        let window = Window { beyond: conventions.beyond, ..window };
        let (width, height) = window.input;
        let shapes = engine.network().inputs_of(height, width);
        match engine.prepare(&shapes) {
            Err(error) if error.code == Code::OutOfMemory => match rule.smaller() {
                Some(smaller) => rule = smaller,
                None => return Err(with_affordable_side(error, rule, engine)),
            },
            // What else is wrong with a size, the run itself says.
            _ => return Ok(window),
        }
    }
}

/// The error of a run that is too large, and the largest side of a square that is not.
fn with_affordable_side(error: Error, rule: SizeRule, engine: &mut dyn Engine) -> Error {
    let affordable = |side: usize| {
        let shapes = engine.network().square_inputs(side);
        engine.prepare(&shapes).is_ok()
    };
    match largest_multiple(rule, affordable) {
        Some(side) if !rule.fixed => {
            let side = side as u64;
            Error::said(match error.sentence.as_deref() {
                Some(&Sentence::RunMemory { need, room }) => Sentence::RunMemoryLargest { need, room, side },
                _ => Sentence::SizeMemoryLargest { side },
            })
        }
        _ => error,
    }
}

/// The largest side below what the rule prefers for which `affordable` holds, which it does for every smaller one then.
fn largest_multiple(rule: SizeRule, mut affordable: impl FnMut(usize) -> bool) -> Option<usize> {
    let (mut fits, mut fails) = (0, rule.preferred / rule.multiple);
    while fits + 1 < fails {
        let middle = fits.midpoint(fails);
        if affordable(middle * rule.multiple) { fits = middle } else { fails = middle }
    }
    (fits * rule.multiple >= *SIDE.range.start()).then_some(fits * rule.multiple)
}

/// Whether a network with these conventions is shown this source, for itself or in place of a second picture.
fn takes(conventions: &Conventions, options: &FillOptions, source: Source) -> bool {
    let stands_in = options.second.is_none() && options.second_input == SecondInput::Edges;
    conventions.takes(source) || (source == Source::Edges && stands_in && conventions.takes_second())
}

/// What one network gives to another, in 0..1: its first output channel at the input's size.
fn given(
    seen: &NetworkView,
    model: &mut Loaded,
    options: &FillOptions,
    planes: &Planes,
    watch: Watch<'_>,
) -> Result<Vec<f32>> {
    let conventions = options.conventions(&model.conventions);
    let output = model.engine.run(&seen.scene.inputs(&conventions, options, planes)?, watch)?;
    let (_, _, rows, columns) = output.nchw()?;
    let plane: Vec<f32> =
        output.data()[..rows * columns].iter().map(|&v| conventions.output_range.to_unit(v, None)).collect();
    Ok(if (columns, rows) == seen.scene.size { plane } else { resize(&plane, (columns, rows), seen.scene.size) })
}
