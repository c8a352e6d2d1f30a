//! Runs one step of a plan in its arena.

use std::ops::ControlFlow;

use super::kernels::{Epilogue, pass};
use super::layout::{Layout, split};
use super::plan::{Kernel, Step};
use super::view::View;
use crate::error::{Code, Error, Result};
use crate::network::{Pad2d, UpsampleMode};
use crate::threads;

/// Rows whose moments are taken as one: fixed, so that sums do not depend on the number of threads.
const MOMENT_ROWS: usize = 8;

/// Runs the step of this index; `input` is the next network input, for the one step that takes it.
pub fn run(
    (index, step): (usize, &Step),
    (arena, layout): (&mut [f32], &Layout),
    input: Option<&[f32]>,
    tell: &mut dyn FnMut(f32) -> ControlFlow<()>,
) -> Result<()> {
    let to = &layout.views[step.output];
    // What it reads; a step in place finds its input in the output.
    let mut sources: Vec<usize> = step.inputs.iter().chain(&step.plus).copied().filter(|&v| v != step.output).collect();
    sources.sort_unstable();
    sources.dedup();
    let places = sources.iter().map(|&value| layout.views[value].place());
    let places: Vec<_> = [to.place(), layout.scratch[index].clone()].into_iter().chain(places).collect();
    let mut parts = split(arena, &places).into_iter();
    let (values, scratch) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let parts: Vec<&[f32]> = parts.map(|part| &*part).collect();
    let read = |value: usize| -> (&[f32], &View) {
        let part = sources.iter().position(|&source| source == value).map_or(&[][..], |at| parts[at]);
        (part, &layout.views[value])
    };
    let plus = step.plus.map(read);
    // Kernels add in the output's own layout; where the borders differ, the sum is a pass of its own.
    let (same, other) = match plus {
        Some((values, view)) if (view.border, view.shape) == (to.border, to.shape) => (Some(values), None),
        other => (None, other),
    };
    let epilogue = Epilogue { map: None, activation: step.activation.into(), plus: same };
    let first = || step.inputs.first().map(|&value| read(value)).ok_or_else(lost);
    let outcome = match &step.kernel {
        Kernel::Input => input.ok_or_else(lost).map(|planes| from_nchw(planes, values, to)),
        Kernel::Direct(layer) => layer.run(first()?, (values, to), epilogue, tell),
        Kernel::Tiled(layer) => layer.run(first()?, (values, to), epilogue, (scratch, layout.threads), tell),
        Kernel::Narrow(layer) => layer.run(first()?, (values, to), epilogue, tell),
        Kernel::Depthwise(layer) => layer.run(first()?, (values, to), epilogue, tell),
        Kernel::Norm { eps, affine } => {
            let (mut scale, mut offset) = moments(values, to).normalise(*eps);
            if let Some((weight, bias)) = affine {
                for (((s, o), w), b) in scale.iter_mut().zip(&mut offset).zip(weight).zip(bias) {
                    (*s, *o) = (*s * w, *o * w + b);
                }
            }
            scaled(values, to, (&scale, &offset), epilogue);
            Ok(())
        }
        Kernel::Scale(scale, offset) => {
            scaled(values, to, (scale, offset), epilogue);
            Ok(())
        }
        Kernel::Activation => {
            to.rows(values, &|_, row| epilogue.activation.apply(row));
            Ok(())
        }
        Kernel::Affine(scale, offset) => {
            to.rows(values, &|_, row| row.iter_mut().for_each(|v| *v = *v * scale + offset));
            Ok(())
        }
        Kernel::Upsample(scale, mode) => first().map(|from| upsample(*scale, *mode, from, (values, to))),
        Kernel::Cat => {
            let parts: Vec<_> = step.inputs.iter().map(|&value| read(value)).collect();
            cat(&parts, values, to);
            Ok(())
        }
        Kernel::Add => {
            let parts: Vec<_> = step.inputs.iter().map(|&value| read(value)).collect();
            to.rows(values, &|y, row| {
                for (index, (data, view)) in parts.iter().enumerate() {
                    match index {
                        0 => row.copy_from_slice(&data[view.row(y)]),
                        _ => pass::add(row, &data[view.row(y)]),
                    }
                }
            });
            Ok(())
        }
        Kernel::Copy(pad) => first().map(|from| copy(pad, from, (values, to))),
    };
    if let (Ok(()), Some((plus, view))) = (&outcome, other) {
        to.rows(values, &|y, row| pass::add(row, &plus[view.row(y)]));
    }
    to.fill_border(values);
    outcome
}

fn lost() -> Error {
    Error::new(Code::Internal, "A value of the plan is missing.")
}

/// A factor and an offset for every channel.
fn scaled(values: &mut [f32], to: &View, (scale, offset): (&[f32], &[f32]), epilogue: Epilogue<'_>) {
    to.rows(values, &|y, row| {
        pass::scale(row, scale, offset, epilogue.of(to.at(y, 0), to.shape.width, to.shape.channels));
    });
}

/// Moments of every channel, merged in a fixed order.
fn moments(values: &[f32], view: &View) -> pass::Moments {
    let bands = view.shape.height.div_ceil(MOMENT_ROWS);
    let mut parts = vec![pass::Moments::default(); bands];
    threads::chunks(&mut parts, 1, &|band, part| {
        let rows = band * MOMENT_ROWS..((band + 1) * MOMENT_ROWS).min(view.shape.height);
        part[0] = pass::Moments::of(rows.map(|y| &values[view.row(y)]), view.shape.channels);
    });
    let mut parts = parts.into_iter();
    let mut all = parts.next().unwrap_or_default();
    parts.for_each(|part| all.merge(&part));
    all
}

/// Channels outermost to channels innermost.
fn from_nchw(planes: &[f32], values: &mut [f32], to: &View) {
    let (c, area) = (to.shape.channels, to.shape.height * to.shape.width);
    to.rows(values, &|y, row| {
        for (channel, plane) in planes.chunks_exact(area.max(1)).enumerate().take(c) {
            let line = &plane[y * to.shape.width..][..to.shape.width];
            row.iter_mut().skip(channel).step_by(c).zip(line).for_each(|(to, from)| *to = *from);
        }
    });
}

/// Channels innermost to channels outermost.
pub fn to_nchw(values: &[f32], view: &View) -> Vec<f32> {
    let mut out = Vec::with_capacity(view.shape.elements() as usize);
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

/// `nn.Upsample`: nearest, or bilinear with `align_corners=False`.
fn upsample(scale: usize, mode: UpsampleMode, (x, from): (&[f32], &View), (values, to): (&mut [f32], &View)) {
    let tap = |o: usize, size: usize| match mode {
        UpsampleMode::Nearest => (o / scale, o / scale, 0.0),
        UpsampleMode::Bilinear => {
            let at = ((o as f32 + 0.5) / scale as f32 - 0.5).max(0.0);
            let low = (at as usize).min(size - 1);
            (low, (low + 1).min(size - 1), at - low as f32)
        }
    };
    let c = to.shape.channels;
    let columns: Vec<_> = (0..to.shape.width).map(|column| tap(column, from.shape.width)).collect();
    to.rows(values, &|y, row| {
        let (y0, y1, fy) = tap(y, from.shape.height);
        let (above, below) = (&x[from.row(y0)], &x[from.row(y1)]);
        let mixed: Vec<f32> = above.iter().zip(below).map(|(a, b)| a + (b - a) * fy).collect();
        for (pixel, &(x0, x1, fx)) in row.chunks_exact_mut(c).zip(&columns) {
            let (left, right) = (&mixed[x0 * c..][..c], &mixed[x1 * c..][..c]);
            for ((v, a), b) in pixel.iter_mut().zip(left).zip(right) {
                *v = a + (b - a) * fx;
            }
        }
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
