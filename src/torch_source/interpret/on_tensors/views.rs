//! Functions that look at the same memory in another way, and those that join and repeat.

use super::super::super::at;
use super::super::super::tensor::{Kind, View};
use super::super::super::value::{Id, Value};
use super::super::Run;
use super::super::arithmetic::{int_of, tensor_of};
use super::{Bound, dimension};
use crate::error::Result;
use crate::network::Shape;
use crate::network::ops::{Cat, Where};

impl Run<'_> {
    /// Functions that look at the same memory in another way, or copy it.
    pub(super) fn view_function(&mut self, name: &str, x: Id, bound: &Bound, line: usize) -> Result<Option<Value>> {
        let shape = self.tensor(x).shape;
        let rank = shape.sides().len();
        let id = match name {
            "view" | "reshape" => {
                let Some(sides) = bound.get("shape").cloned() else {
                    return at(line, "a shape is missing");
                };
                if let Value::Name(_) = sides {
                    return at(line, "view as another dtype is not followed");
                }
                let sides = self.ints(&sides, line)?;
                let to = filled_shape(shape, &sides, line)?;
                if name == "view" { self.view(x, View::Reshape(to), line)? } else { self.reshape(x, to, line)? }
            }
            "view_as" | "reshape_as" => {
                let other = self.tensor_argument(bound, "other", line)?;
                let to = self.tensor(other).shape;
                if name == "view_as" { self.view(x, View::Reshape(to), line)? } else { self.reshape(x, to, line)? }
            }
            "flatten" => {
                let start = self.dim(x, bound, "start_dim", Some(0), line)?;
                let end = self.dim(x, bound, "end_dim", Some(-1), line)?;
                if start == end {
                    return Ok(Some(Value::Tensor(x)));
                }
                let sides = shape.sides();
                let Some(middle) = sides.get(start..=end) else {
                    return at(line, "flatten() has invalid args");
                };
                let to = [&sides[..start], &[middle.iter().product()], &sides[end + 1..]].concat();
                let Some(to) = Shape::of(&to) else {
                    return at(line, "there are too many dimensions");
                };
                self.reshape(x, to, line)?
            }
            "squeeze" => {
                let gone = match bound.get("dim").cloned() {
                    Some(dim) => self.dims(x, &dim, line)?,
                    None => (0..rank).collect(),
                };
                let kept = |&(dim, &side): &(usize, &usize)| side != 1 || !gone.contains(&dim);
                let sides: Vec<usize> = shape.sides().iter().enumerate().filter(kept).map(|(_, &side)| side).collect();
                self.reviewed(x, &sides, line)?
            }
            "unsqueeze" => {
                let dim = bound.get("dim").and_then(int_of);
                let Some(dim) = dim else {
                    return at(line, "unsqueeze takes a dimension");
                };
                self.unsqueezed(x, dimension(dim, rank + 1, line)?, line)?
            }
            "permute" | "transpose" | "swapaxes" | "swapdims" | "t" => {
                let dims = self.permutation(name, x, bound, line)?;
                self.view(x, View::Permute(dims), line)?
            }
            "narrow" => {
                let dim = self.dim(x, bound, "dim", None, line)?;
                let number = |name: &str| bound.get(name).and_then(int_of).and_then(|n| usize::try_from(n).ok());
                let (Some(start), Some(length)) = (number("start"), number("length")) else {
                    return at(line, "narrow takes a start and a length");
                };
                self.view(x, View::Part(crate::network::ops::Steps { dim, start, step: 1, length }), line)?
            }
            "select" => {
                let dim = self.dim(x, bound, "dim", None, line)?;
                let index = bound.get("index").cloned().unwrap_or(Value::None);
                self.selected(x, dim, &index, line)?
            }
            "unbind" => {
                let dim = self.dim(x, bound, "dim", Some(0), line)?;
                let parts = self.unbind(x, dim, line)?;
                return self.tuple(parts, line).map(Some);
            }
            "chunk" | "split" => return self.parts(name, x, bound, line).map(Some),
            "expand" | "expand_as" => {
                let to = match name {
                    "expand" => {
                        let Some(sides) = bound.get("shape").cloned() else {
                            return at(line, "a shape is missing");
                        };
                        let sides = self.ints(&sides, line)?;
                        expanded_shape(shape, &sides, line)?
                    }
                    _ => {
                        let other = self.tensor_argument(bound, "other", line)?;
                        self.tensor(other).shape
                    }
                };
                self.view(x, View::Expand(to), line)?
            }
            "repeat" | "tile" => self.repeated_tensor(name, x, bound, line)?,
            "flip" => {
                let Some(dims) = bound.get("dims").cloned() else {
                    return at(line, "flip takes dimensions");
                };
                let dims = self.dims(x, &dims, line)?;
                self.flipped(x, dims, line)?
            }
            "roll" => self.rolled(x, bound, line)?,
            "positive" => x,
            "type_as" => {
                let other = self.tensor_argument(bound, "other", line)?;
                let kind = self.tensor(other).kind;
                self.cast(x, kind, line)?
            }
            "numel" => return Ok(Some(Value::Int(shape.elements() as i64))),
            _ => return Ok(None),
        };
        Ok(Some(Value::Tensor(id)))
    }

    pub(super) fn permutation(&mut self, name: &str, x: Id, bound: &Bound, line: usize) -> Result<Vec<usize>> {
        let rank = self.tensor(x).shape.sides().len();
        if name == "permute" {
            let Some(dims) = bound.get("shape").cloned() else {
                return at(line, "permute takes dimensions");
            };
            return self.dims(x, &dims, line);
        }
        let (a, b) = match name {
            "t" if rank <= 2 => (0, rank.saturating_sub(1)),
            "t" => return at(line, "t() expects a tensor with <= 2 dimensions"),
            _ => (self.dim(x, bound, "dim0", None, line)?, self.dim(x, bound, "dim1", None, line)?),
        };
        let mut dims: Vec<usize> = (0..rank).collect();
        if rank > 0 {
            dims.swap(a, b);
        }
        Ok(dims)
    }

    /// `chunk` and `split`: views.
    pub(super) fn parts(&mut self, name: &str, x: Id, bound: &Bound, line: usize) -> Result<Value> {
        let dim = self.dim(x, bound, "dim", Some(0), line)?;
        let side = self.tensor(x).shape.sides()[dim];
        let given = bound.get(if name == "chunk" { "chunks" } else { "split_size_or_sections" }).cloned();
        let numbers = match &given {
            Some(value) => self.ints(value, line)?,
            None => return at(line, format!("{name} takes a number")),
        };
        let mut lengths: Vec<usize> = numbers.iter().map(|&n| usize::try_from(n).unwrap_or(0)).collect();
        if matches!(given, Some(Value::Int(_) | Value::Bool(_))) {
            let number = lengths[0];
            let length = if name == "chunk" { side.div_ceil(number.max(1)) } else { number };
            if number == 0 {
                return at(line, format!("{name} takes a number above 0"));
            }
            lengths = (0..side.div_ceil(length)).map(|index| length.min(side - index * length)).collect();
        }
        if lengths.iter().fold(0usize, |all, &length| all.saturating_add(length)) != side {
            return at(line, format!("split_with_sizes expects split_sizes to sum exactly to {side}"));
        }
        let (mut start, mut parts) = (0, Vec::new());
        self.spend(lengths.len(), line)?;
        for length in lengths {
            let part = crate::network::ops::Steps { dim, start, step: 1, length };
            parts.push(Value::Tensor(self.view(x, View::Part(part), line)?));
            start += length;
        }
        self.tuple(parts, line)
    }

    /// `repeat` and `tile`: copies.
    pub(super) fn repeated_tensor(&mut self, name: &str, x: Id, bound: &Bound, line: usize) -> Result<Id> {
        let Some(times) = bound.get("shape").cloned() else {
            return at(line, "repeat takes numbers");
        };
        let mut times = self.ints(&times, line)?;
        let own = self.tensor(x).shape.sides().to_vec();
        if times.len() < own.len() {
            if name == "repeat" {
                return at(
                    line,
                    "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor",
                );
            }
            times.splice(0..0, vec![1; own.len() - times.len()]);
        }
        let mut sides = vec![1; times.len() - own.len()];
        sides.extend(&own);
        let mut x = self.reviewed(x, &sides, line)?;
        let kind = self.tensor(x).kind;
        for (dim, &times) in times.iter().enumerate() {
            if !(1..=crate::limits::MAX_INPUTS as i64).contains(&times) {
                return at(line, "a tensor is repeated between once and a thousand times here");
            }
            if times > 1 {
                x = self.op(Cat { dim }, &vec![x; times as usize], kind, line)?;
            }
        }
        self.copied(x, line)
    }

    pub(super) fn rolled(&mut self, x: Id, bound: &Bound, line: usize) -> Result<Id> {
        let (Some(shifts), Some(dims)) = (bound.get("shifts").cloned(), bound.get("dims").cloned()) else {
            return at(line, "roll takes shifts and dims here");
        };
        let (shifts, dims) = (self.ints(&shifts, line)?, self.dims(x, &dims, line)?);
        if shifts.len() != dims.len() {
            return at(line, "shifts and dimensions must align");
        }
        let kind = self.tensor(x).kind;
        let mut x = x;
        for (shift, dim) in shifts.into_iter().zip(dims) {
            let side = self.tensor(x).shape.sides()[dim];
            let shift = shift.rem_euclid(side as i64) as usize;
            if shift > 0 {
                let part = |start, length| View::Part(crate::network::ops::Steps { dim, start, step: 1, length });
                let (end, begin) =
                    (self.view(x, part(side - shift, shift), line)?, self.view(x, part(0, side - shift), line)?);
                x = self.op(Cat { dim }, &[end, begin], kind, line)?;
            }
        }
        self.copied(x, line)
    }

    /// `cat` and `stack`.
    pub(super) fn joined_tensors(&mut self, name: &str, bound: &Bound, line: usize) -> Result<Value> {
        let Some(tensors) = bound.get("tensors").cloned() else {
            return at(line, format!("{name} takes tensors"));
        };
        let items = self.items(&tensors, line)?;
        let mut ids = items.iter().map(|item| tensor_of(item, line)).collect::<Result<Vec<_>>>()?;
        let Some(&first) = ids.first() else {
            return at(line, format!("{name} needs at least one tensor"));
        };
        let rank = self.tensor(first).shape.sides().len();
        let dim = bound.get("dim").map_or(Some(0), int_of);
        let Some(dim) = dim else {
            return at(line, "a dimension is a number");
        };
        let dim = dimension(dim, if name == "stack" { rank + 1 } else { rank }, line)?;
        if name == "stack" {
            ids = ids.into_iter().map(|id| self.unsqueezed(id, dim, line)).collect::<Result<_>>()?;
        }
        let kind = ids.iter().map(|&id| self.tensor(id).kind).max().unwrap_or(Kind::Float);
        match &ids[..] {
            [one] => self.copied(*one, line).map(Value::Tensor),
            _ => self.op(Cat { dim }, &ids, kind, line).map(Value::Tensor),
        }
    }

    /// `torch.where(condition, x, y)`.
    pub(super) fn chosen(&mut self, bound: &Bound, line: usize) -> Result<Value> {
        let ids = ["condition", "input", "other"].map(|name| self.tensor_argument(bound, name, line));
        let [condition, x, y] = ids;
        let (condition, x, y) = (condition?, x?, y?);
        let kind = self.tensor(x).kind.max(self.tensor(y).kind);
        self.op(Where, &[condition, x, y], kind, line).map(Value::Tensor)
    }
}

/// A shape in which -1 is what is left.
fn filled_shape(from: Shape, sides: &[i64], line: usize) -> Result<Shape> {
    let invalid = || at(line, format!("shape '{sides:?}' is invalid for input of size {}", from.elements()));
    let known = sides
        .iter()
        .filter(|&&side| side != -1)
        .try_fold(1u64, |all, &side| all.checked_mul(u64::try_from(side).ok()?));
    let open = sides.iter().filter(|&&side| side == -1).count();
    let (Some(known), true) = (known, open <= 1) else {
        return invalid();
    };
    let rest = match open {
        0 if known == from.elements() => 1,
        1 if known > 0 && from.elements().is_multiple_of(known) => from.elements() / known,
        _ => return invalid(),
    };
    let side = |&side: &i64| {
        if side == -1 { rest as usize } else { side as usize }
    };
    match Shape::of(&sides.iter().map(side).collect::<Vec<_>>()) {
        Some(shape) => Ok(shape),
        None => at(line, "this tensor has too many dimensions"),
    }
}

/// A shape in which -1 leaves a side as it is.
fn expanded_shape(from: Shape, sides: &[i64], line: usize) -> Result<Shape> {
    let own = from.sides();
    let skip = sides.len().checked_sub(own.len());
    let side = |(place, &side): (usize, &i64)| match side {
        -1 => skip.and_then(|skip| place.checked_sub(skip)).map(|place| own[place]),
        side => usize::try_from(side).ok(),
    };
    let sides = sides.iter().enumerate().map(side).collect::<Option<Vec<_>>>();
    match sides.and_then(|sides| Shape::of(&sides)) {
        Some(shape) if skip.is_some() => Ok(shape),
        _ => at(line, "this size cannot be expanded to"),
    }
}
