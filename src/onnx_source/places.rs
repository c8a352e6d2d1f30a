//! Operators that place values elsewhere, and those of shapes.

use super::call::Call;
use super::functions::one;
use super::trace::Trace;
use super::value::{Kind, Value, axis_of};
use super::{Follow, Given};
use crate::checkpoint::onnx::Numbers;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS, ONNX_FOLDED_VALUES};
use crate::network::Shape;
use crate::network::ops::{Cat, Expand, Flip, Permute, PixelShuffle, Slice, Steps};

/// How the operators of this file are followed.
pub const OPERATORS: &[(&str, Follow)] = &[
    ("Constant", constant),
    ("ConstantOfShape", constant_of_shape),
    ("Range", range),
    ("Shape", shape),
    ("Size", |_, c| one(Value::known(&[], Numbers::Ints(vec![c.input(0)?.shape.elements() as i64]), Kind::Int))),
    ("Reshape", reshape),
    ("Flatten", flatten),
    ("Squeeze", squeeze),
    ("Unsqueeze", unsqueeze),
    ("Transpose", transpose),
    ("Concat", concat),
    ("Slice", slice),
    ("Split", split),
    ("Gather", gather),
    ("Expand", expand),
    ("Tile", tile),
    ("DepthToSpace", depth_to_space),
    ("SpaceToDepth", space_to_depth),
];

/// A `Constant` whose numbers are attributes.
fn constant(_: &mut Trace<'_>, call: &Call<'_>) -> Given {
    if call.has("value_float") {
        return one(Value::scalar(call.float("value_float", 0.0)?));
    }
    if call.has("value_int") {
        return one(Value::known(&[], Numbers::Ints(vec![call.int("value_int", 0)?]), Kind::Int));
    }
    if let Some(values) = call.ints("value_ints")? {
        return one(Value::list(values.to_vec()));
    }
    match call.floats("value_floats") {
        Some(values) => one(Value::known(&[values.len()], Numbers::Floats(values.to_vec()), Kind::Float)),
        None => Err("its value is no number".to_owned()),
    }
}

/// Whole numbers as sides.
fn sides(numbers: &[i64]) -> Result<Vec<usize>, String> {
    numbers.iter().map(|&side| usize::try_from(side).map_err(|_| format!("a side is {side}"))).collect()
}

fn constant_of_shape(_: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let sides = sides(&call.known(0, "sides")?)?;
    let shape = Shape::of(&sides).ok_or("there are too many dimensions")?;
    let count = shape.checked_elements().filter(|&count| count <= ONNX_FOLDED_VALUES);
    let count = count.ok_or_else(|| format!("a constant of shape {sides:?} is too large"))?;
    let value = call.tensor("value").unwrap_or_else(|| Value::scalar(0.0))?;
    let numbers = match value.numbers() {
        Some(Numbers::Ints(list)) => Numbers::Ints(vec![list.first().copied().unwrap_or(0); count]),
        Some(Numbers::Floats(list)) => Numbers::Floats(vec![list.first().copied().unwrap_or(0.0); count]),
        None => return Err("its value is not known".to_owned()),
    };
    one(Value::known(&sides, numbers, value.kind))
}

fn range(_: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let all = call.all();
    let count = |count: f64| match count {
        count if count <= ONNX_FOLDED_VALUES as f64 => Ok(count.max(0.0) as usize),
        _ => Err("it counts too far".to_owned()),
    };
    if let [start, limit, delta] = all.iter().filter_map(Value::ints).flatten().collect::<Vec<i64>>()[..] {
        if delta == 0 {
            return Err("its step is 0".to_owned());
        }
        let steps = count(((limit as f64 - start as f64) / delta as f64).ceil())?;
        let values: Option<Vec<i64>> =
            (0..steps).map(|step| start.checked_add(delta.checked_mul(step as i64)?)).collect();
        return one(Value::list(values.ok_or("whole numbers overflow")?));
    }
    match all.iter().filter_map(Value::single).collect::<Vec<f32>>()[..] {
        [start, limit, delta] if delta != 0.0 => {
            let steps = count(((f64::from(limit) - f64::from(start)) / f64::from(delta)).ceil())?;
            let values: Vec<f32> = (0..steps).map(|step| start + step as f32 * delta).collect();
            one(Value::known(&[values.len()], Numbers::Floats(values), Kind::Float))
        }
        _ => Err("its bounds are not known, or its step is 0".to_owned()),
    }
}

fn shape(_: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let sides: Vec<i64> = call.input(0)?.shape.sides().iter().map(|&side| side as i64).collect();
    let rank = sides.len() as i64;
    let bound = |name: &str, default: i64| -> Result<usize, String> {
        let at = call.int(name, default)?;
        Ok((if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize)
    };
    let (start, end) = (bound("start", 0)?, bound("end", rank)?);
    one(Value::list(sides.get(start..end).unwrap_or_default().to_vec()))
}

fn reshape(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let target = call.either("shape", 1)?.ok_or("its shape is missing")?;
    let keeps_zero = call.int("allowzero", 0)? != 0;
    let mut known: Vec<Option<usize>> = Vec::new();
    for (index, &side) in target.iter().enumerate() {
        known.push(match side {
            -1 => None,
            0 if !keeps_zero => Some(*x.shape.sides().get(index).ok_or("it takes over a side that is not there")?),
            side => Some(usize::try_from(side).map_err(|_| format!("a side is {side}"))?),
        });
    }
    let rest = known.iter().flatten().fold(1u64, |all, &side| all.saturating_mul(side as u64));
    let left = x.shape.elements().checked_div(rest).unwrap_or(0);
    let sides: Vec<usize> = known.into_iter().map(|side| side.unwrap_or(left as usize)).collect();
    one(trace.reshaped(x, &sides))
}

fn flatten(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let axis = match call.int("axis", 1)? {
        axis if axis == x.rank() as i64 => x.rank(),
        axis => x.axis(axis)?,
    };
    let (before, behind) = x.shape.sides().split_at(axis);
    one(trace.reshaped(x, &[before.iter().product(), behind.iter().product()]))
}

fn squeeze(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let own = x.shape.sides();
    let gone: Vec<usize> = match call.either("axes", 1)? {
        Some(axes) => axes.into_iter().map(|axis| x.axis(axis)).collect::<Result<_, _>>()?,
        None => (0..own.len()).filter(|&axis| own[axis] == 1).collect(),
    };
    if let Some(axis) = gone.iter().find(|&&axis| own[axis] != 1) {
        return Err(format!("it takes away the dimension {axis}, whose side is {}", own[*axis]));
    }
    let kept = own.iter().enumerate().filter(|(axis, _)| !gone.contains(axis));
    let sides: Vec<usize> = kept.map(|(_, &side)| side).collect();
    one(trace.reshaped(x, &sides))
}

fn unsqueeze(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let axes = call.either("axes", 1)?.ok_or("its axes are missing")?;
    let rank = x.rank() + axes.len();
    let new = axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<Vec<_>, _>>()?;
    let mut own = x.shape.sides().iter();
    let side = |axis: usize| if new.contains(&axis) { 1 } else { own.next().copied().unwrap_or(1) };
    let sides: Vec<usize> = (0..rank).map(side).collect();
    one(trace.reshaped(x, &sides))
}

/// The dimensions in another order; nothing happens where it is theirs.
pub fn permuted(trace: &mut Trace<'_>, x: &Value, dims: Vec<usize>) -> Result<Value, String> {
    if dims.iter().copied().eq(0..x.rank()) {
        return Ok(x.clone());
    }
    trace.emit_as(Permute { dims }, std::slice::from_ref(x), x.kind)
}

fn transpose(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let dims = match call.ints("perm")? {
        Some(perm) => perm.iter().map(|&axis| x.axis(axis)).collect::<Result<Vec<_>, _>>()?,
        None => (0..x.rank()).rev().collect(),
    };
    one(permuted(trace, x, dims))
}

/// Values one after another along a dimension.
pub fn joined(trace: &mut Trace<'_>, parts: &[Value], dim: usize) -> Result<Value, String> {
    match parts {
        [] => Err("it joins nothing".to_owned()),
        [part] => Ok(part.clone()),
        parts if parts.len() > MAX_INPUTS => Err(format!("it joins {} values", parts.len())),
        parts => trace.emit_as(Cat { dim }, parts, parts[0].kind),
    }
}

fn concat(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let all = call.all();
    let first = all.first().ok_or("it joins nothing")?;
    let axis = first.axis(call.int("axis", 0)?)?;
    // Shapes are joined with empty lists.
    let parts: Vec<Value> = all.iter().filter(|part| part.shape.elements() > 0).cloned().collect();
    match parts.is_empty() {
        true => Ok(vec![first.clone()]),
        false => one(joined(trace, &parts, axis)),
    }
}

/// `length` values of a dimension from `start` on; nothing happens where that is all.
pub fn part(trace: &mut Trace<'_>, x: &Value, dim: usize, start: usize, length: usize) -> Result<Value, String> {
    if start == 0 && x.shape.sides().get(dim) == Some(&length) {
        return Ok(x.clone());
    }
    trace.emit_as(Slice { dim, start, length }, std::slice::from_ref(x), x.kind)
}

/// `x[start:end:step]` along a dimension, as numpy counts.
fn stepped(trace: &mut Trace<'_>, x: &Value, dim: usize, (start, end, step): (i64, i64, i64)) -> Result<Value, String> {
    let side = x.shape.sides()[dim] as i64;
    let from_start = |at: i64| if at < 0 { at.saturating_add(side) } else { at };
    let (low, high) = if step > 0 { (0, side) } else { (-1, side - 1) };
    let (start, end) = (from_start(start).clamp(low.max(0), high), from_start(end).clamp(low, high));
    let length = match step {
        0 => return Err("its step is 0".to_owned()),
        step if step > 0 => (end - start).max(0).div_euclid(step) + i64::from((end - start).max(0) % step != 0),
        step => {
            let (span, step) = ((start - end).max(0), step.saturating_neg());
            span / step + i64::from(span % step != 0)
        }
    };
    let own = std::slice::from_ref(x);
    match (step, length) {
        (_, 0) if x.numbers().is_some() => {
            let sides = x.shape.with_side(dim, 0);
            Value::known(sides.sides(), Numbers::Ints(Vec::new()), x.kind)
        }
        (_, 0) => Err("it takes a part without values".to_owned()),
        (1, length) => part(trace, x, dim, start as usize, length as usize),
        (step, length) if step > 0 => {
            let steps = Steps { dim, start: start as usize, step: step as usize, length: length as usize };
            trace.emit_as(steps, own, x.kind)
        }
        (step, length) => {
            let turned = trace.emit_as(Flip { dims: vec![dim] }, own, x.kind)?;
            let steps = Steps {
                dim,
                start: (side - 1 - start) as usize,
                step: step.unsigned_abs() as usize,
                length: length as usize,
            };
            trace.emit_as(steps, &[turned], x.kind)
        }
    }
}

fn slice(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let mut x = call.input(0)?.clone();
    let missing = || "its bounds are missing".to_owned();
    let starts = call.either("starts", 1)?.ok_or_else(missing)?;
    let ends = call.either("ends", 2)?.ok_or_else(missing)?;
    let axes = call.either("axes", 3)?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.either("steps", 4)?.unwrap_or_else(|| vec![1; starts.len()]);
    if [ends.len(), axes.len(), steps.len()].iter().any(|&count| count != starts.len()) {
        return Err("its bounds differ in number".to_owned());
    }
    for (index, &axis) in axes.iter().enumerate() {
        let dim = x.axis(axis)?;
        x = stepped(trace, &x, dim, (starts[index], ends[index], steps[index]))?;
    }
    Ok(vec![x])
}

fn split(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let dim = x.axis(call.int("axis", 0)?)?;
    let (side, count) = (x.shape.sides()[dim], call.node.outputs.len());
    if count == 0 || count > MAX_OUTPUTS.max(MAX_INPUTS) {
        return Err(format!("it makes {count} parts"));
    }
    let lengths = match call.either("split", 1)? {
        Some(lengths) => sides(&lengths)?,
        None => {
            let length = side.div_ceil(count);
            (0..count).map(|index| length.min(side.saturating_sub(index * length))).collect()
        }
    };
    if lengths.len() != count || lengths.iter().copied().fold(0usize, usize::saturating_add) != side {
        return Err(format!("its parts {lengths:?} do not make up {side}"));
    }
    let mut start = 0;
    let mut each = |length: usize| {
        let one = part(trace, x, dim, start, length);
        start += length;
        one
    };
    lengths.into_iter().map(&mut each).collect()
}

fn gather(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (x, indices) = (call.input(0)?, call.input(1)?);
    let dim = x.axis(call.int("axis", 0)?)?;
    let side = x.shape.sides()[dim];
    let list = indices.ints().ok_or("which parts it takes depends on the picture")?;
    let at = |&index: &i64| axis_of(index, side).map_err(|_| format!("it takes the part {index} of {side}"));
    let list = list.iter().map(at).collect::<Result<Vec<_>, _>>()?;
    // Neighbours are taken together.
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for at in list {
        match runs.last_mut() {
            Some((start, length)) if *start + *length == at => *length += 1,
            _ => runs.push((at, 1)),
        }
    }
    if runs.is_empty() {
        return Err("it takes a part without values".to_owned());
    }
    if runs.len() > MAX_INPUTS {
        return Err(format!("it takes {} scattered parts, and at most {MAX_INPUTS} are joined", runs.len()));
    }
    let parts = runs.into_iter().map(|(start, length)| part(trace, x, dim, start, length));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let all = joined(trace, &parts, dim)?;
    let (before, behind) = (&x.shape.sides()[..dim], &x.shape.sides()[dim + 1..]);
    let sides = [before, indices.shape.sides(), behind].concat();
    one(trace.reshaped(&all, &sides))
}

/// Repeated to a shape that it broadcasts to; nothing happens where it has that shape.
pub fn expanded(trace: &mut Trace<'_>, x: &Value, size: Vec<usize>) -> Result<Value, String> {
    if x.shape.sides() == size {
        return Ok(x.clone());
    }
    trace.emit_as(Expand { size }, std::slice::from_ref(x), x.kind)
}

/// Both may be repeated, unlike PyTorch's.
fn expand(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let target = sides(&call.known(1, "sides")?)?;
    let rank = target.len().max(x.rank());
    let side = |list: &[usize], dim: usize| (dim + list.len()).checked_sub(rank).map_or(1, |index| list[index]);
    let size = (0..rank).map(|dim| match (side(x.shape.sides(), dim), side(&target, dim)) {
        (own, 1) => own,
        (_, target) => target,
    });
    let size = size.collect();
    one(expanded(trace, x, size))
}

fn tile(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let mut x = call.input(0)?.clone();
    let repeats = sides(&call.known(1, "numbers of copies")?)?;
    if repeats.len() != x.rank() {
        return Err(format!("{} numbers of copies are given for {} dimensions", repeats.len(), x.rank()));
    }
    for (dim, &count) in repeats.iter().enumerate() {
        x = match (count, x.shape.sides()[dim]) {
            (1, _) => x,
            (0, _) => return Err("it makes no copy".to_owned()),
            (count, 1) => {
                let size = x.shape.with_side(dim, count).sides().to_vec();
                expanded(trace, &x, size)?
            }
            (count, _) if count <= MAX_INPUTS => joined(trace, &vec![x.clone(); count], dim)?,
            (count, _) => return Err(format!("it makes {count} copies")),
        };
    }
    Ok(vec![x])
}

/// `(N, C, H, W, block)` of a value whose channels or sides are blocks.
fn blocks(call: &Call<'_>) -> Result<(Value, [usize; 5]), String> {
    let (x, block) = (call.input(0)?, call.count("blocksize", 0)?);
    let (channels, height, width) = x.shape.planes()?;
    match block {
        1..=64 => Ok((x.clone(), [x.shape.batch(), channels, height, width, block])),
        _ => Err(format!("its blocksize is {block}")),
    }
}

fn depth_to_space(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (x, [n, c, h, w, b]) = blocks(call)?;
    if call.text("mode", "DCR")? == "CRD" {
        return one(trace.emit(PixelShuffle { upscale_factor: b }, &[x]));
    }
    if !c.is_multiple_of(b * b) {
        return Err(format!("{c} channels do not make blocks of {b}"));
    }
    let apart = trace.reshaped(&x, &[n, b, b, c / (b * b), h, w])?;
    let placed = permuted(trace, &apart, vec![0, 3, 4, 1, 5, 2])?;
    one(trace.reshaped(&placed, &[n, c / (b * b), h * b, w * b]))
}

fn space_to_depth(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (x, [n, c, h, w, b]) = blocks(call)?;
    if !h.is_multiple_of(b) || !w.is_multiple_of(b) {
        return Err(format!("{h} x {w} pixels do not make blocks of {b}"));
    }
    let apart = trace.reshaped(&x, &[n, c, h / b, b, w / b, b])?;
    let placed = permuted(trace, &apart, vec![0, 3, 5, 1, 2, 4])?;
    one(trace.reshaped(&placed, &[n, c * b * b, h / b, w / b]))
}
