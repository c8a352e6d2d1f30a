//! Pads and pools.

use super::call::Call;
use super::functions::one;
use super::layers::zero_padded;
use super::places::{joined, part};
use super::trace::Trace;
use super::value::{Kind, Value};
use super::{Follow, Given};
use crate::checkpoint::onnx::Numbers;
use crate::limits::{MAX_PADDING, ONNX_FOLDED_VALUES};
use crate::network::ops::pooling::Pool;
use crate::network::ops::{AdaptivePool2d, AvgPool2d, Binary, MaxPool2d, Pad2d, PaddingMode, Pair};

/// How the operators of this file are followed.
pub const OPERATORS: &[(&str, Follow)] = &[
    ("Pad", pad),
    ("MaxPool", |t, c| pool(t, c, true)),
    ("AveragePool", |t, c| pool(t, c, false)),
    ("GlobalAveragePool", |t, c| global(t, c, false)),
    ("GlobalMaxPool", |t, c| global(t, c, true)),
];

/// What is padded before and behind each dimension; what is cut off is negative.
fn amounts(call: &Call<'_>, x: &Value) -> Result<Vec<[i64; 2]>, String> {
    let list = call.either("pads", 1)?.ok_or("its pads are missing")?;
    let axes = match call.given(3) {
        Some(_) => call.known(3, "axes")?.into_iter().map(|axis| x.axis(axis)).collect::<Result<Vec<_>, _>>()?,
        None => (0..x.rank()).collect(),
    };
    if list.len() != 2 * axes.len() {
        return Err(format!("it has {} pads for {} dimensions", list.len(), axes.len()));
    }
    let mut amounts = vec![[0; 2]; x.rank()];
    for (index, &axis) in axes.iter().enumerate() {
        amounts[axis] = [list[index], list[axes.len() + index]];
    }
    match amounts.iter().flatten().find(|amount| amount.unsigned_abs() > MAX_PADDING as u64) {
        Some(amount) => Err(format!("it pads by {amount}, and at most {MAX_PADDING} can be run")),
        None => Ok(amounts),
    }
}

fn pad(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let mut x = call.input(0)?.clone();
    let mut amounts = amounts(call, &x)?;
    // What is cut off goes first.
    for (dim, amount) in amounts.iter_mut().enumerate().filter(|(_, amount)| amount.iter().any(|&side| side < 0)) {
        let [before, behind] = amount.map(|side| side.min(0).unsigned_abs() as usize);
        let length = x.shape.sides()[dim].checked_sub(before + behind).ok_or("it cuts off more than there is")?;
        x = part(trace, &x, dim, before, length)?;
        *amount = amount.map(|side| side.max(0));
    }
    let amounts: Vec<[usize; 2]> = amounts.into_iter().map(|amount| amount.map(|side| side as usize)).collect();
    if amounts.iter().flatten().all(|&amount| amount == 0) {
        return Ok(vec![x]);
    }
    match call.text("mode", "constant")? {
        "constant" => {
            let value = match call.given(2) {
                Some(value) => value.single().ok_or("the value that it pads with is not known")?,
                None => call.float("value", 0.0)?,
            };
            one(filled(trace, x, &amounts, value))
        }
        "reflect" => one(mirrored(trace, &x, &amounts, PaddingMode::Reflect)),
        "edge" => one(mirrored(trace, &x, &amounts, PaddingMode::Replicate)),
        "wrap" => one(mirrored(trace, &x, &amounts, PaddingMode::Circular)),
        other => Err(format!("its mode is {other}")),
    }
}

/// Padded with one value: of pictures with zeros by their own operator, else by joining blocks of that value.
fn filled(trace: &mut Trace<'_>, mut x: Value, amounts: &[[usize; 2]], value: f32) -> Result<Value, String> {
    if amounts.iter().flatten().all(|&amount| amount == 0) {
        return Ok(x);
    }
    if let ([[0, 0], [0, 0], rows, columns], true, None) = (amounts, value == 0.0, x.ints()) {
        return zero_padded(trace, &x, [(rows[0], columns[0]), (rows[1], columns[1])]);
    }
    for (dim, &[before, behind]) in amounts.iter().enumerate() {
        let block = |length: usize| {
            let shape = x.shape.with_side(dim, length);
            let count =
                shape.checked_elements().filter(|&count| count <= ONNX_FOLDED_VALUES).ok_or("it pads too much")?;
            let numbers = match x.kind {
                Kind::Float => Numbers::Floats(vec![value; count]),
                _ => Numbers::Ints(vec![value as i64; count]),
            };
            Value::known(shape.sides(), numbers, x.kind)
        };
        let mut parts = Vec::new();
        if before > 0 {
            parts.push(block(before)?);
        }
        parts.push(x.clone());
        if behind > 0 {
            parts.push(block(behind)?);
        }
        x = joined(trace, &parts, dim)?;
    }
    Ok(x)
}

/// Padded with the value's own pixels.
fn mirrored(trace: &mut Trace<'_>, x: &Value, amounts: &[[usize; 2]], mode: PaddingMode) -> Result<Value, String> {
    let sides = x.shape.sides().to_vec();
    let Some(([rows, columns], outer)) = amounts.split_last_chunk::<2>().map(|(outer, last)| (*last, outer)) else {
        return Err("it pads a value of fewer than two dimensions".to_owned());
    };
    if outer.iter().flatten().any(|&amount| amount > 0) || !(2..=4).contains(&sides.len()) {
        return Err("it pads other dimensions than height and width".to_owned());
    }
    let mut planes = vec![1; 4 - sides.len()];
    planes.extend(&sides);
    let plane = trace.reshaped(x, &planes)?;
    let pad = Pad2d { left: columns[0], right: columns[1], top: rows[0], bottom: rows[1], mode };
    let y = trace.emit(pad, &[plane])?;
    let own = y.shape.sides()[4 - sides.len()..].to_vec();
    trace.reshaped(&y, &own)
}

/// How far a pool's windows reach beyond the last pixel where the output's side is rounded up.
fn rounded_up(side: usize, kernel: usize, stride: usize, before: usize, behind: usize) -> usize {
    let padded = side.saturating_add(before).saturating_add(behind);
    let stride = stride.max(1);
    let Some(span) = padded.checked_sub(kernel) else { return 0 };
    let mut out = span.div_ceil(stride) + 1;
    // A window that begins beyond the picture is left out.
    if (out - 1).saturating_mul(stride) >= side.saturating_add(before) {
        out -= 1;
    }
    (out - 1).saturating_mul(stride).saturating_add(kernel).saturating_sub(padded)
}

/// Where a pool's windows lie.
struct Windows {
    /// The pool without padding.
    bare: Pool,
    before: Pair,
    behind: Pair,
    /// How much of what lies behind is there only because the output's side is rounded up.
    more: Pair,
}

impl Windows {
    fn of(call: &Call<'_>, x: &Value) -> Result<Self, String> {
        let (kernel_size, stride) = (call.pair("kernel_shape", 0)?, call.pair("strides", 1)?);
        let is_explicit = matches!(call.text("auto_pad", "NOTSET")?, "NOTSET" | "" | "VALID");
        if call.pair("dilations", 1)? != (1, 1) || !is_explicit {
            return Err("it is dilated, or pads by itself".to_owned());
        }
        let list = call.ints("pads")?.unwrap_or(&[0; 4]);
        let pads: Vec<usize> = list.iter().filter_map(|&pad| usize::try_from(pad).ok()).collect();
        let pads = <[usize; 4]>::try_from(pads).ok().filter(|pads| pads.iter().all(|&pad| pad <= MAX_PADDING));
        let [top, left, bottom, right] = pads.ok_or_else(|| format!("its pads are {list:?}"))?;
        let (_, height, width) = x.shape.planes()?;
        let more = match call.int("ceil_mode", 0)? {
            0 => (0, 0),
            _ => (
                rounded_up(height, kernel_size.0, stride.0, top, bottom),
                rounded_up(width, kernel_size.1, stride.1, left, right),
            ),
        };
        let bare = Pool { kernel_size, stride, padding: (0, 0) };
        let behind = (bottom.saturating_add(more.0), right.saturating_add(more.1));
        if behind.0.max(behind.1) > MAX_PADDING {
            return Err("its windows reach too far".to_owned());
        }
        Ok(Self { bare, before: (top, left), behind, more })
    }

    /// What is padded around each dimension of a picture.
    fn amounts(&self) -> [[usize; 2]; 4] {
        [[0, 0], [0, 0], [self.before.0, self.behind.0], [self.before.1, self.behind.1]]
    }

    /// The share of each window that an average counts: what is padded counts as zeros if somebody says so, and what lies
    /// behind that never does.
    fn shares(&self, trace: &mut Trace<'_>, x: &Value, counts_pad: bool) -> Result<Value, String> {
        let (_, height, width) = x.shape.planes()?;
        let [_, _, rows, columns] = self.amounts();
        let (sides, around) = match counts_pad {
            true => (
                [height + rows[0] + rows[1] - self.more.0, width + columns[0] + columns[1] - self.more.1],
                [[0, 0], [0, 0], [0, self.more.0], [0, self.more.1]],
            ),
            false => ([height, width], self.amounts()),
        };
        let count = sides[0].checked_mul(sides[1]).filter(|&count| count <= ONNX_FOLDED_VALUES);
        let ones = Numbers::Floats(vec![1.0; count.ok_or("its picture is too large")?]);
        let ones = filled(trace, Value::known(&[1, 1, sides[0], sides[1]], ones, Kind::Float)?, &around, 0.0)?;
        trace.emit(AvgPool2d(self.bare), &[ones])
    }
}

fn pool(trace: &mut Trace<'_>, call: &Call<'_>, is_max: bool) -> Given {
    let x = call.input(0)?;
    let windows = Windows::of(call, x)?;
    let (bare, is_even) = (windows.bare, windows.before == windows.behind);
    if is_max && is_even {
        return one(trace.emit(MaxPool2d(Pool { padding: windows.before, ..bare }), std::slice::from_ref(x)));
    }
    let padded = filled(trace, x.clone(), &windows.amounts(), if is_max { f32::NEG_INFINITY } else { 0.0 })?;
    if is_max {
        return one(trace.emit(MaxPool2d(bare), &[padded]));
    }
    let y = trace.emit(AvgPool2d(bare), &[padded])?;
    let counts_pad = call.int("count_include_pad", 0)? != 0;
    let is_whole = windows.more == (0, 0) && (counts_pad || is_even && windows.before == (0, 0));
    if is_whole {
        return Ok(vec![y]);
    }
    let share = windows.shares(trace, x, counts_pad)?;
    one(trace.emit(Binary::Div, &[y, share]))
}

fn global(trace: &mut Trace<'_>, call: &Call<'_>, max: bool) -> Given {
    let x = call.input(0)?.clone();
    one(trace.emit(AdaptivePool2d { output_size: (Some(1), Some(1)), max }, &[x]))
}
