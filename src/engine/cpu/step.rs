//! Runs one step of a plan in its arena.

use std::ops::ControlFlow;

use super::attention;
use super::kernels::{Epilogue, elementwise};
use super::layout::{Layout, split};
use super::plan::{Kernel, Step};
use super::view::View;
use crate::engine::lower::Pointwise;
use crate::error::{Code, Error, Result};
use crate::network::ops::Parameters;
use crate::network::{Activation, Network, Pad2d, Shape, Upsample};
use crate::ordering;
use crate::tensor::Tensor;
use crate::threads;

/// Rows whose moments are taken as one: fixed, so that sums do not depend on the number of threads.
const MOMENT_ROWS: usize = 8;

/// What a step works on.
pub struct Place<'a> {
    /// All values.
    pub arena: &'a mut [f32],
    /// Where each lies.
    pub layout: &'a Layout,
    /// The shapes of the values as the description has them, by value.
    pub shapes: &'a [Shape],
}

/// A value that is read.
type Source<'a> = (&'a [f32], &'a View);

/// Runs the step of this index; `input` is the next network input, for the one step that takes it.
pub fn run(
    network: &Network,
    (index, step): (usize, &Step),
    place: &mut Place<'_>,
    input: Option<&[f32]>,
    tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
) -> Result<()> {
    if let Some(parameters) = loops(step, place) {
        return run_loops(network, step, place, parameters);
    }
    let layout = place.layout;
    let to = &layout.views[step.output()];
    // What it reads; a step in place finds its input in the output.
    let mut sources: Vec<usize> = step.reads().filter(|&value| value != step.output()).collect();
    ordering::sort_by_key(&mut sources, |&value| value);
    sources.dedup();
    let places = sources.iter().map(|&value| layout.views[value].place());
    let places: Vec<_> = [to.place(), layout.scratch[index].clone()].into_iter().chain(places).collect();
    let mut parts = split(place.arena, &places).into_iter();
    let (values, scratch) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let parts: Vec<&[f32]> = parts.map(|part| &*part).collect();
    let read = |value: usize| -> Source<'_> {
        let part = sources.iter().position(|&source| source == value).map_or(&[][..], |at| parts[at]);
        (part, &layout.views[value])
    };
    let (epilogue, other) = epilogue(step, to, &read);
    let first = || step.inputs.first().map(|&value| read(value)).ok_or_else(lost);
    let all = || step.inputs.iter().map(|&value| read(value)).collect::<Vec<_>>();
    match &step.kernel {
        Kernel::Input => from_planes(input.ok_or_else(lost)?, values, to),
        Kernel::Stored(map) => from_planes(map, values, to),
        Kernel::ImplicitGemm(layer) => layer.run(first()?, (values, to), epilogue, tell)?,
        Kernel::WinogradConv(layer) => layer.run(first()?, (values, to), epilogue, (scratch, layout.threads), tell)?,
        Kernel::SmallCoutConv(layer) => layer.run(first()?, (values, to), epilogue, tell)?,
        Kernel::Depthwise(layer) => layer.run(first()?, (values, to), epilogue, tell)?,
        Kernel::Norm { eps, affine } => {
            let (mut scale, mut offset) = moments(values, to).normalise(*eps);
            if let Some((weight, bias)) = affine {
                for (((s, o), w), b) in scale.iter_mut().zip(&mut offset).zip(weight).zip(bias) {
                    (*s, *o) = (*s * w, *o * w + b);
                }
            }
            scaled(values, to, (&scale, &offset), epilogue);
        }
        Kernel::Standardize(eps) => {
            let (scale, offset) = moments(values, to).standardize(*eps);
            scaled(values, to, (&scale, &offset), epilogue);
        }
        Kernel::Scale(scale, offset) => scaled(values, to, (scale, offset), epilogue),
        Kernel::Function => {
            to.rows(values, &|y, row| elementwise::finish(row, to.shape.channels, of_row(epilogue, to, y)))
        }
        Kernel::Affine(scale, offset) => {
            to.rows(values, &|_, row| row.iter_mut().for_each(|v| *v = *v * scale + offset));
        }
        Kernel::Upsample(layer) => upsample(layer, first()?, (values, to)),
        Kernel::Cat => cat(&all(), values, to),
        Kernel::Add => add(&all(), values, to),
        Kernel::Mul => multiply(&all(), values, to),
        Kernel::Gated(function) => gated(*function, first()?, (values, to)),
        Kernel::Attention(op) => {
            let [features, mask] = all()[..] else { return Err(lost()) };
            attention::run(*op, features, &to_planes(mask.0, mask.1), (values, to), scratch, tell)?;
        }
        Kernel::Fourier(layer) => {
            layer.run(first()?, (values, to), epilogue, (scratch, layout.threads), tell)?;
        }
        Kernel::Copy(pad) => copy(pad, first()?, (values, to)),
        Kernel::Loops(_) => return Err(lost()),
    }
    if let Some((plus, view)) = other {
        to.rows(values, &|y, row| elementwise::add(row, &plus[view.row(y)]));
    }
    to.fill_border(values);
    Ok(())
}

/// A step's epilogue, and a summand that is left for a pass of its own: kernels add in the output's own layout.
fn epilogue<'a>(step: &Step, to: &View, read: &dyn Fn(usize) -> Source<'a>) -> (Epilogue<'a>, Option<Source<'a>>) {
    let map = step.epilogue.map.map(|map| read(map).0);
    let (plus, other) = match step.epilogue.plus.map(read) {
        Some((values, view)) if view.border == to.border => (Some(values), None),
        other => (None, other),
    };
    let accumulate = step.epilogue.accumulate;
    (Epilogue { accumulate, map, activation: step.epilogue.function, plus }, other)
}

/// The epilogue of an interior row.
fn of_row<'a>(epilogue: Epilogue<'a>, to: &View, y: usize) -> Epilogue<'a> {
    epilogue.of(to.at(y, 0), to.shape.width, to.shape.channels)
}

/// The parameters of a step that runs as the operator's own loops: what has no kernel, and sums that repeat an operand.
fn loops<'a>(step: &'a Step, place: &Place<'_>) -> Option<&'a [(&'static str, Vec<f32>)]> {
    let shape = |value: usize| place.shapes[value];
    match &step.kernel {
        Kernel::Loops(parameters) => Some(parameters),
        Kernel::Add if step.inputs.iter().any(|&value| shape(value) != shape(step.output())) => Some(&[]),
        Kernel::Mul if !step.inputs.iter().all(|&value| covers(shape(value), shape(step.output()))) => Some(&[]),
        _ => None,
    }
}

fn run_loops(
    network: &Network,
    step: &Step,
    place: &mut Place<'_>,
    parameters: &[(&'static str, Vec<f32>)],
) -> Result<()> {
    let node = step.nodes.first().and_then(|&index| network.nodes.get(index)).ok_or_else(lost)?;
    let tensor = |&value: &usize| {
        let view = &place.layout.views[value];
        Tensor::new(place.shapes[value].sides(), to_planes(&place.arena[view.place()], view))
    };
    let inputs = step.inputs.iter().map(tensor).collect::<Result<Vec<_>>>()?;
    let outputs = node.op.forward(&inputs.iter().collect::<Vec<_>>(), &Parameters(parameters))?;
    for (&value, output) in step.outputs.iter().zip(&outputs) {
        let view = &place.layout.views[value];
        let values = &mut place.arena[view.place()];
        from_planes(output.data(), values, view);
        view.fill_border(values);
    }
    Ok(())
}

fn lost() -> Error {
    Error::new(Code::Internal, "A value of the plan is missing.")
}

/// A factor and an offset for every channel.
fn scaled(values: &mut [f32], to: &View, (scale, offset): (&[f32], &[f32]), epilogue: Epilogue<'_>) {
    to.rows(values, &|y, row| elementwise::scale(row, scale, offset, of_row(epilogue, to, y)));
}

/// Moments of every channel, merged in a fixed order.
fn moments(values: &[f32], view: &View) -> elementwise::Moments {
    let bands = view.shape.height.div_ceil(MOMENT_ROWS);
    let mut parts = vec![elementwise::Moments::default(); bands];
    threads::chunks(&mut parts, 1, &|band, part| {
        let rows = band * MOMENT_ROWS..((band + 1) * MOMENT_ROWS).min(view.shape.height);
        part[0] = elementwise::Moments::of(rows.map(|y| &values[view.row(y)]), view.shape.channels);
    });
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    parts.for_each(|part| all.merge(&part));
    all
}

/// Channels outermost to channels innermost.
fn from_planes(planes: &[f32], values: &mut [f32], to: &View) {
    let (c, area) = (to.shape.channels, to.shape.height * to.shape.width);
    to.rows(values, &|y, row| {
        for (channel, plane) in planes.chunks_exact(area.max(1)).enumerate().take(c) {
            let line = &plane[y * to.shape.width..][..to.shape.width];
            row.iter_mut().skip(channel).step_by(c).zip(line).for_each(|(to, from)| *to = *from);
        }
    });
}

/// Channels innermost to channels outermost.
pub fn to_planes(values: &[f32], view: &View) -> Vec<f32> {
    let mut out = Vec::with_capacity(view.shape.elements());
    for channel in 0..view.shape.channels {
        for y in 0..view.shape.height {
            out.extend(values[view.row(y)].iter().skip(channel).step_by(view.shape.channels));
        }
    }
    out
}

/// A padding layer, or a copy.
fn copy(pad: &Pad2d, (x, from): (&[f32], &View), (values, to): (&mut [f32], &View)) {
    let c = to.shape.channels;
    let columns: Vec<Option<usize>> = (0..to.shape.width)
        .map(|column| pad.mode.source(column as isize - pad.left as isize, from.shape.width))
        .collect();
    to.rows(values, &|y, row| match pad.mode.source(y as isize - pad.top as isize, from.shape.height) {
        None => row.fill(0.0),
        Some(y) => {
            for (pixel, column) in row.chunks_exact_mut(c).zip(&columns) {
                match column {
                    Some(column) => pixel.copy_from_slice(&x[from.at(y, *column)..][..c]),
                    None => pixel.fill(0.0),
                }
            }
        }
    });
}

/// `nn.Upsample`.
fn upsample(layer: &Upsample, (x, from): Source<'_>, (values, to): (&mut [f32], &View)) {
    let c = to.shape.channels;
    let (rows, columns) = (layer.taps(from.shape.height), layer.taps(from.shape.width));
    to.rows(values, &|y, row| {
        let (above, below) = (&x[from.row(rows[y].low)], &x[from.row(rows[y].high)]);
        let mixed: Vec<f32> = above.iter().zip(below).map(|(a, b)| a + (b - a) * rows[y].share).collect();
        for (pixel, tap) in row.chunks_exact_mut(c).zip(&columns) {
            let (left, right) = (&mixed[tap.low * c..][..c], &mixed[tap.high * c..][..c]);
            for ((v, a), b) in pixel.iter_mut().zip(left).zip(right) {
                *v = a + (b - a) * tap.share;
            }
        }
    });
}

/// A sum of values of one shape.
fn add(parts: &[Source<'_>], values: &mut [f32], to: &View) {
    to.rows(values, &|y, row| {
        for (index, (data, view)) in parts.iter().enumerate() {
            match index {
                0 => row.copy_from_slice(&data[view.row(y)]),
                _ => elementwise::add(row, &data[view.row(y)]),
            }
        }
    });
}

/// Whether a factor has the product's shape, or one channel of it.
fn covers(factor: Shape, product: Shape) -> bool {
    let one = |shape: Shape| matches!(shape.sides(), [1, 1, _, _]);
    factor == product || (one(factor) && matches!(product.sides(), [1, ..]) && factor == product.with_side(1, 1))
}

/// A product of values of one shape, or of one channel, which is repeated.
fn multiply(parts: &[Source<'_>], values: &mut [f32], to: &View) {
    let c = to.shape.channels;
    to.rows(values, &|y, row| {
        for (index, (data, view)) in parts.iter().enumerate() {
            let from = &data[view.row(y)];
            match (index, view.shape.channels == c) {
                (0, true) => row.copy_from_slice(from),
                (0, false) => row.chunks_exact_mut(c).zip(from).for_each(|(pixel, &v)| pixel.fill(v)),
                (_, true) => row.iter_mut().zip(from).for_each(|(v, from)| *v *= from),
                (_, false) => {
                    row.chunks_exact_mut(c)
                        .zip(from)
                        .for_each(|(pixel, from)| pixel.iter_mut().for_each(|v| *v *= from));
                }
            }
        }
    });
}

/// The function of the first half of the channels, times the sigmoid of the second.
fn gated(function: Pointwise, (x, from): Source<'_>, (values, to): (&mut [f32], &View)) {
    let c = to.shape.channels;
    let only = |activation| Epilogue { activation, ..Epilogue::default() };
    to.rows(values, &|y, row| {
        let mut gates = vec![0.0; row.len()];
        let pixels = row.chunks_exact_mut(c).zip(gates.chunks_exact_mut(c));
        for ((value, gate), from) in pixels.zip(x[from.row(y)].chunks_exact(2 * c)) {
            value.copy_from_slice(&from[..c]);
            gate.copy_from_slice(&from[c..]);
        }
        elementwise::finish(row, c, only(function));
        elementwise::finish(&mut gates, c, only(Pointwise::Curve(Activation::Sigmoid)));
        row.iter_mut().zip(&gates).for_each(|(v, gate)| *v *= gate);
    });
}

/// `torch.cat(.., dim=1)`.
fn cat(parts: &[(&[f32], &View)], values: &mut [f32], to: &View) {
    let c = to.shape.channels;
    to.rows(values, &|y, row| {
        let mut start = 0;
        for (data, view) in parts {
            let channels = view.shape.channels;
            for (pixel, from) in row.chunks_exact_mut(c).zip(data[view.row(y)].chunks_exact(channels)) {
                pixel[start..start + channels].copy_from_slice(from);
            }
            start += channels;
        }
    });
}
