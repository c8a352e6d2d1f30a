//! `Resize` and `Upsample`: which of our own ways to resize reads the very pixels that ONNX asks for.

use super::call::Call;
use super::functions::one;
use super::trace::Trace;
use super::value::Value;
use super::{Follow, Given};
use crate::limits::{MAX_LAYER_NUMBER, MAX_SCALE};
use crate::network::Op;
use crate::network::ops::interpolate::Interpolation;
use crate::network::ops::{Interpolate, Upsample, UpsampleMode};

/// How the operators of this file are followed.
pub const OPERATORS: &[(&str, Follow)] = &[("Resize", resize), ("Upsample", resize)];

/// One side: pixels before and after, and the factor that says where they lie.
#[derive(Clone, Copy)]
struct Side {
    from: usize,
    to: usize,
    scale: f32,
}

/// Where the pixels of an output lie in the input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Positions {
    /// `(x + 0.5) / scale - 0.5`.
    HalfPixel,
    /// The corner pixels stay where they are.
    Corners,
    /// `x / scale`.
    Asymmetric,
}

fn positions(call: &Call<'_>) -> Result<Positions, String> {
    let default = if call.opset < 11 { "asymmetric" } else { "half_pixel" };
    match call.text("coordinate_transformation_mode", default)? {
        // The second differs for outputs of one pixel, which is looked at below.
        "half_pixel" | "pytorch_half_pixel" => Ok(Positions::HalfPixel),
        "align_corners" => Ok(Positions::Corners),
        "asymmetric" => Ok(Positions::Asymmetric),
        other => Err(format!("its coordinate_transformation_mode is {other}")),
    }
}

/// Factors or sides of the dimensions, whichever is given.
fn sides(call: &Call<'_>, x: &Value) -> Result<Vec<Side>, String> {
    let own = x.shape.sides();
    let axes = match call.ints("axes")? {
        Some(axes) => axes.iter().map(|&axis| x.axis(axis)).collect::<Result<Vec<_>, _>>()?,
        None => (0..own.len()).collect(),
    };
    let scales = call.given(if call.opset < 11 { 1 } else { 2 }).filter(|scales| scales.shape.elements() > 0);
    let mut sides: Vec<Side> = own.iter().map(|&side| Side { from: side, to: side, scale: 1.0 }).collect();
    let too_many = || format!("it resizes {} dimensions, and its factors or sides are others", axes.len());
    if let Some(scales) = scales {
        let scales = scales.floats().ok_or("its factors are computed from the picture")??;
        if scales.len() != axes.len() {
            return Err(too_many());
        }
        for (&axis, &scale) in axes.iter().zip(&scales) {
            let to = (f64::from(scale) * own[axis] as f64).floor();
            if !(scale > 0.0 && to >= 1.0 && to <= MAX_LAYER_NUMBER as f64) {
                return Err(format!("its factor is {scale}"));
            }
            sides[axis] = Side { from: own[axis], to: to as usize, scale };
        }
        return Ok(sides);
    }
    let given = match call.ints("sizes")? {
        Some(sizes) => sizes.to_vec(),
        None => call.known(3, "sides")?,
    };
    if given.len() != axes.len() {
        return Err(too_many());
    }
    for (&axis, &to) in axes.iter().zip(&given) {
        let to = usize::try_from(to)
            .ok()
            .filter(|to| (1..=MAX_LAYER_NUMBER as usize).contains(to))
            .ok_or_else(|| format!("a side is {to}"))?;
        sides[axis] = Side { from: own[axis], to, scale: to as f32 / own[axis] as f32 };
    }
    Ok(sides)
}

/// The input's pixel that ONNX takes for each of the output's.
fn nearest(side: Side, positions: Positions, mode: &str) -> Result<Vec<usize>, String> {
    let last = side.from.saturating_sub(1) as f32;
    let one = |at: usize| {
        let at = at as f32;
        let place = match positions {
            Positions::HalfPixel => (at + 0.5) / side.scale - 0.5,
            Positions::Asymmetric => at / side.scale,
            Positions::Corners if side.to > 1 => at * last / (side.to - 1) as f32,
            Positions::Corners => 0.0,
        };
        let pixel = match mode {
            "round_prefer_floor" => (place - 0.5).ceil(),
            "round_prefer_ceil" => (place + 0.5).floor(),
            "floor" => place.floor(),
            "ceil" => place.ceil(),
            other => return Err(format!("its nearest_mode is {other}")),
        };
        Ok(pixel.clamp(0.0, last) as usize)
    };
    (0..side.to).map(one).collect()
}

fn resize(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let sides = sides(call, x)?;
    if sides.iter().all(|side| side.from == side.to && side.scale == 1.0) {
        return Ok(vec![x.clone()]);
    }
    let [batch, channels, rows, columns] = sides[..] else { return Err("it resizes no picture".to_owned()) };
    if batch.from != batch.to || channels.from != channels.to {
        return Err("it resizes other dimensions than height and width".to_owned());
    }
    let policy = call.text("keep_aspect_ratio_policy", "stretch")?;
    if call.int("antialias", 0)? != 0 || policy != "stretch" || call.int("exclude_outside", 0)? != 0 {
        return Err("it smooths before it resizes, or keeps the aspect ratio".to_owned());
    }
    let positions = positions(call)?;
    trace.spend((rows.to + columns.to).saturating_mul(16))?;
    let one_pixel = rows.to == 1 || columns.to == 1;
    if one_pixel && call.text("coordinate_transformation_mode", "")? == "pytorch_half_pixel" {
        return Err("it makes a single row or column".to_owned());
    }
    let op = match call.text("mode", "nearest")? {
        "nearest" => by_nearest(call, rows, columns, positions)?,
        "linear" | "bilinear" => by_lines(rows, columns, positions)?,
        "cubic" if call.float("cubic_coeff_a", -0.75)? == -0.75 && positions != Positions::Asymmetric => {
            interpolated(rows, columns, Interpolation::Bicubic, positions).into()
        }
        other => return Err(format!("its mode is {other}, and pixels lie elsewhere than in PyTorch's")),
    };
    one(trace.emit(op, std::slice::from_ref(x)))
}

fn interpolated(rows: Side, columns: Side, mode: Interpolation, positions: Positions) -> Interpolate {
    let align_corners = positions == Positions::Corners;
    Interpolate {
        size: (rows.to, columns.to),
        scale_factor: Some((f64::from(rows.scale), f64::from(columns.scale))),
        mode,
        align_corners,
    }
}

/// The whole factor of both sides, if there is one.
fn whole_factor(rows: Side, columns: Side) -> Option<usize> {
    let factor = rows.to.checked_div(rows.from).filter(|&factor| (2..=MAX_SCALE).contains(&factor))?;
    let is_whole = |side: Side| side.from * factor == side.to && side.scale == factor as f32;
    (is_whole(rows) && is_whole(columns)).then_some(factor)
}

fn by_nearest(call: &Call<'_>, rows: Side, columns: Side, positions: Positions) -> Result<Op, String> {
    let default = if call.opset < 11 { "floor" } else { "round_prefer_floor" };
    let mode = call.text("nearest_mode", default)?;
    let asked = [nearest(rows, positions, mode)?, nearest(columns, positions, mode)?];
    let repeats = |side: Side, factor: usize| (0..side.to).map(|at| at / factor).collect::<Vec<_>>();
    if let Some(scale) = whole_factor(rows, columns)
        && asked == [repeats(rows, scale), repeats(columns, scale)]
    {
        return Ok(Upsample { scale, mode: UpsampleMode::Nearest }.into());
    }
    let modes = [Interpolation::Nearest, Interpolation::NearestExact];
    for (mode, by_factor) in modes.into_iter().flat_map(|mode| [(mode, true), (mode, false)]) {
        let op = interpolated(rows, columns, mode, positions);
        let scale_factor = op.scale_factor.filter(|_| by_factor);
        let op = Interpolate { align_corners: false, scale_factor, ..op };
        if [op.pixels(rows.from, false), op.pixels(columns.from, true)] == asked {
            return Ok(op.into());
        }
    }
    Err("the pixels that it takes are not those that PyTorch's nearest neighbours are".to_owned())
}

fn by_lines(rows: Side, columns: Side, positions: Positions) -> Result<Op, String> {
    let mode = match positions {
        Positions::HalfPixel => UpsampleMode::Bilinear,
        Positions::Corners => UpsampleMode::BilinearAligned,
        Positions::Asymmetric => return Err("its pixels lie elsewhere than in PyTorch's (asymmetric)".to_owned()),
    };
    Ok(match whole_factor(rows, columns) {
        Some(scale) => Upsample { scale, mode }.into(),
        None => interpolated(rows, columns, Interpolation::Bilinear, positions).into(),
    })
}
