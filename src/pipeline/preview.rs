//! What the networks see, to be shown to people before a run: edges, input tensors, a discriminator's scores.

use serde::Serialize;

use super::fill_job::FillJob;
use super::prepare::{self, plane};
use super::resample::resize;
use super::window::Window;
use super::{FillOptions, Mask, Pixels, Rect};
use crate::engine::Watch;
use crate::error::{Code, Error, Result};
use crate::models::load::Loaded;
use crate::models::{self, Conventions, Role, Source};
use crate::sentences::Sentence;
use crate::tensor::Tensor;

/// The edges of one window, as the network would be given them.
pub struct EdgeMap {
    /// Left edge of the window in the photo; may be negative, where the photo is mirrored.
    pub x: i64,
    /// Top edge, as `x`.
    pub y: i64,
    /// Size of the window in photo pixels.
    pub size: (usize, usize),
    /// Columns and rows of `values`: the network's input size.
    pub input: (usize, usize),
    /// 0 no edge, 255 edge, row by row.
    pub values: Vec<u8>,
}

/// One channel of one input tensor.
pub struct Channel {
    /// The network it is for.
    pub network: String,
    /// The input's name in `forward`.
    pub input: String,
    /// What the channel holds.
    pub label: &'static str,
    /// Columns and rows.
    pub size: (usize, usize),
    /// Least and greatest value in it.
    pub range: (f32, f32),
    /// The values as gray: the network's value range (and every mask's 0 to 1) from black to white.
    pub gray: Vec<u8>,
}

/// A discriminator's opinion of a picture, patch by patch.
#[derive(Debug, Serialize)]
pub struct Scores {
    /// Cells in a row.
    pub columns: usize,
    /// Rows of cells.
    pub rows: usize,
    /// 0 (made) to 1 (real), row by row.
    pub values: Vec<f32>,
    /// Mean of all cells.
    pub mean: f32,
    /// First picture column and row that cell (0, 0) sees; may be negative.
    pub start: (f64, f64),
    /// Picture pixels from one cell to the next, across and down.
    pub step: (f64, f64),
    /// Picture pixels that one cell sees, across and down.
    pub field: (f64, f64),
}

/// The edges around every group of holes; with `propose` the edge generator completes them, if there is one.
///
/// What a fill gives its network is the same, but for holes that an earlier group of the same fill has closed.
pub fn edges(
    photo: &dyn Pixels,
    mask: &Mask,
    models: &mut [Loaded],
    options: &FillOptions,
    propose: bool,
    watch: Watch<'_>,
) -> Result<Vec<EdgeMap>> {
    let job = FillJob::new(photo, mask, models, options)?;
    let main = job.roles.main.ok_or_else(|| Error::said(Sentence::NothingTakesEdges {}))?;
    let map = |&(label, hole): &(u32, Rect)| {
        let seen = job.network_view(label, hole, &mut models[main])?;
        let edges = job.edges(&seen, models, propose.then_some(&mut *watch))?;
        let values = edges.iter().map(|v| (v * 255.0).round().clamp(0.0, 255.0) as u8).collect();
        let Window { x, y, size, input, .. } = seen.window;
        Ok(EdgeMap { x, y, size, input, values })
    };
    job.groups.boxes.iter().map(map).collect()
}

/// Exactly what goes into the networks for the largest group of holes, channel by channel, in the order in which
/// they run. Edges are shown as Canny and the user give them: the edge generator completes them in the run.
pub fn preview(photo: &dyn Pixels, mask: &Mask, models: &mut [Loaded], options: &FillOptions) -> Result<Vec<Channel>> {
    let job = FillJob::new(photo, mask, models, options)?;
    let main = job.roles.main;
    let takes = |source: Source| main.is_some_and(|main| models[main].conventions.takes(source));
    let givers = job.roles.givers.iter().filter(|(source, _)| takes(*source)).map(|&(_, giver)| giver);
    let order: Vec<usize> = givers.chain(main).collect();
    let largest = job.groups.boxes.iter().max_by_key(|(_, hole)| hole.width * hole.height);
    let &(label, hole) = largest.ok_or_else(|| Error::new(Code::Internal, "no hole"))?;
    let mut channels = Vec::new();
    for index in order {
        let seen = job.network_view(label, hole, &mut models[index])?;
        let tensors = job.inputs(&seen, models, None)?;
        let network = &models[index];
        let names = network.engine.network().inputs().map(|(_, name, _)| name.to_owned());
        for ((name, tensor), input) in names.zip(&tensors).zip(&seen.conventions.inputs) {
            let planes = tensor.data().chunks_exact(seen.window.input.0 * seen.window.input.1);
            channels.extend(planes.zip(&input.channels).map(|(plane, channel)| Channel {
                network: network.model.name.clone(),
                input: name.clone(),
                label: prepare::label(channel, options.second.is_some(), options),
                size: seen.window.input,
                range: plane.iter().fold((f32::MAX, f32::MIN), |(low, high), &v| (low.min(v), high.max(v))),
                gray: gray(plane, channel, &seen.conventions),
            }));
        }
    }
    Ok(channels)
}

/// A channel's values as gray: its range from black to white.
fn gray(plane: &[f32], channel: &models::Channel, conventions: &Conventions) -> Vec<u8> {
    let range = channel.values(conventions);
    let unit = |v: f32| range.to_unit(v - channel.offset, channel.source.colour());
    plane.iter().map(|&v| (unit(v) * 255.0).round().clamp(0.0, 255.0) as u8).collect()
}

/// The network that paints, by its place among `models`, and its inputs for the largest group of holes, exactly as a fill
/// gives them: an edge generator completes the edges.
pub fn painting_inputs(
    photo: &dyn Pixels,
    mask: &Mask,
    models: &mut [Loaded],
    options: &FillOptions,
    watch: Watch<'_>,
) -> Result<(usize, Vec<Tensor>)> {
    let job = FillJob::new(photo, mask, models, options)?;
    let main = job.roles.main.ok_or_else(|| Error::said(Sentence::NothingPaints {}))?;
    let largest = job.groups.boxes.iter().max_by_key(|(_, hole)| hole.width * hole.height);
    let &(label, hole) = largest.ok_or_else(|| Error::new(Code::Internal, "no hole"))?;
    let seen = job.network_view(label, hole, &mut models[main])?;
    Ok((main, job.inputs(&seen, models, Some(watch))?))
}

/// Scores the whole picture with the discriminator among `models`, at the size it was trained at (its long side).
pub fn score(photo: &dyn Pixels, models: &mut [Loaded], options: &FillOptions, watch: Watch<'_>) -> Result<Scores> {
    let judge = models.iter_mut().find(|loaded| loaded.model.role == Role::Scores);
    let judge = judge.ok_or_else(|| Error::said(Sentence::NothingScores {}))?;
    let conventions = options.conventions(&judge.conventions);
    let (width, height) = (photo.width(), photo.height());
    let field = judge.engine.network().receptive_field();
    let field = field.ok_or_else(|| Error::new(Code::Internal, "The discriminator is no chain of convolutions."))?;
    let (rule, longest) = (conventions.size, width.max(height).max(1));
    // A side on which no cell fits is stretched until one does.
    let least = |cell: crate::network::ReceptiveField| (cell.size as i64 + 2 * cell.start).max(1) as usize;
    let side = |length: usize, cell| {
        (length * rule.preferred / longest).max(least(cell)).next_multiple_of(rule.multiple.max(1))
    };
    let input = (side(width, field[1]), side(height, field[0]));
    let whole = Rect { x: 0, y: 0, width, height };
    let window = Window { x: 0, y: 0, size: (width, height), input, beyond: conventions.beyond };
    let rgba = photo.read(whole);
    let mut values = Vec::with_capacity(3 * input.0 * input.1);
    for channel in 0..3 {
        let planes = plane(&rgba, 4, channel, whole, &window, (width, height));
        let small = resize(&planes, window.size, input);
        let range = |v: f32| conventions.input_range.from_unit(v.clamp(0.0, 1.0), Some(models::Colour::RGB[channel]));
        values.extend(small.into_iter().map(range));
    }
    let output = judge.engine.run(&[Tensor::new([1, 3, input.1, input.0], values)?], watch)?;
    let (_, _, rows, columns) = output.nchw()?;
    let values = output.into_data();
    let scale = (width as f64 / input.0 as f64, height as f64 / input.1 as f64);
    let place = |of: fn(crate::network::ReceptiveField) -> f64| (of(field[1]) * scale.0, of(field[0]) * scale.1);
    Ok(Scores {
        columns,
        rows,
        mean: values.iter().sum::<f32>() / values.len().max(1) as f32,
        values,
        start: place(|cell| cell.start as f64),
        step: place(|cell| cell.step as f64),
        field: place(|cell| cell.size as f64),
    })
}
