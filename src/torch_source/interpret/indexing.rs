//! `x[index]` of a tensor, and `x[index] = value`.

use super::super::at;
use super::super::tensor::{Kind, View};
use super::super::value::{Id, Value};
use super::Run;
use super::arithmetic::int_of;
use crate::error::Result;
use crate::network::Shape;
use crate::network::ops::{Flip, Steps, Where};

impl Run<'_> {
    /// `x[index]`: a view.
    pub(super) fn indexed(&mut self, x: Id, index: &Value, line: usize) -> Result<Value> {
        let mut x = x;
        let items = match index {
            Value::Tuple(id) => self.heap.lists[id.0].clone(),
            other => vec![other.clone()],
        };
        let takes = |item: &&Value| !matches!(item, Value::None | Value::Ellipsis);
        let rank = self.tensor(x).shape.sides().len();
        let Some(free) = rank.checked_sub(items.iter().filter(takes).count()) else {
            return at(line, "too many indices for this tensor");
        };
        let mut dim = 0;
        for item in &items {
            match item {
                Value::Ellipsis => dim += free,
                Value::None => {
                    x = self.unsqueezed(x, dim, line)?;
                    dim += 1;
                }
                Value::Slice(ends) => {
                    let ends = self.heap.lists[ends.0].clone();
                    x = self.part(x, dim, &ends, line)?;
                    dim += 1;
                }
                Value::Tensor(_) | Value::List(_) => {
                    return at(line, "picking by a tensor or a list is not followed: write slices or torch.where");
                }
                _ => {
                    let Some(_) = int_of(item) else {
                        return at(line, "this index of a tensor is not followed");
                    };
                    if matches!(item, Value::Bool(_)) {
                        return at(line, "this index of a tensor is not followed");
                    }
                    x = self.selected(x, dim, item, line)?;
                }
            }
        }
        Ok(Value::Tensor(x))
    }

    /// `begin:end:step` of one dimension.
    fn part(&mut self, x: Id, dim: usize, ends: &[Value], line: usize) -> Result<Id> {
        let side = self.tensor(x).shape.sides()[dim];
        let places = self.slice_places(ends, side, line)?;
        let (Some(&start), length) = (places.first(), places.len()) else {
            return at(line, "this part of a tensor is empty");
        };
        let step = places.get(1).map_or(1, |second| second.saturating_sub(start));
        self.view(x, View::Part(Steps { dim, start, step, length }), line)
    }

    /// One index of one dimension, which goes.
    pub(super) fn selected(&mut self, x: Id, dim: usize, index: &Value, line: usize) -> Result<Id> {
        let shape = self.tensor(x).shape;
        let start = self.place(index, shape.sides()[dim], line)?;
        let part = self.view(x, View::Part(Steps { dim, start, step: 1, length: 1 }), line)?;
        let mut sides = shape.sides().to_vec();
        sides.remove(dim);
        self.reviewed(part, &sides, line)
    }

    /// `unsqueeze`.
    pub(super) fn unsqueezed(&mut self, x: Id, dim: usize, line: usize) -> Result<Id> {
        let mut sides = self.tensor(x).shape.sides().to_vec();
        sides.insert(dim.min(sides.len()), 1);
        self.reviewed(x, &sides, line)
    }

    /// The same memory in another shape.
    pub(super) fn reviewed(&mut self, x: Id, sides: &[usize], line: usize) -> Result<Id> {
        match Shape::of(sides) {
            Some(shape) => self.view(x, View::Reshape(shape), line),
            None => at(line, "this tensor has too many dimensions"),
        }
    }

    /// All parts of length 1 along a dimension, which goes.
    pub(super) fn unbind(&mut self, x: Id, dim: usize, line: usize) -> Result<Vec<Value>> {
        let Some(&side) = self.tensor(x).shape.sides().get(dim) else {
            return at(line, "a tensor without dimensions has no items");
        };
        self.spend(side, line)?;
        (0..side).map(|index| self.selected(x, dim, &Value::Int(index as i64), line).map(Value::Tensor)).collect()
    }

    /// `x[index] = value`.
    pub(super) fn put_into(&mut self, x: Id, index: &Value, value: &Value, line: usize) -> Result<()> {
        // After `x[index] op= value`, the part is x's own memory already.
        if let (Value::Tensor(mask), Value::Tensor(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_)) =
            (index, value)
            && self.tensor(*mask).kind == Kind::Bool
        {
            if matches!(value, Value::Tensor(id) if !self.tensor(*id).shape.sides().is_empty()) {
                return at(line, "values at a mask are followed where they are one number");
            }
            return self.masked_fill(x, *mask, value, line);
        }
        let Value::Tensor(part) = self.indexed(x, index, line)? else {
            return at(line, "this is not followed");
        };
        if let Value::Tensor(value) = value
            && self.tensor(*value).storage == self.tensor(part).storage
            && self.tensor(*value).steps == self.tensor(part).steps
        {
            return Ok(());
        }
        self.copy_into(part, value, line)
    }

    /// `x.masked_fill_(mask, value)`.
    pub(super) fn masked_fill(&mut self, x: Id, mask: Id, value: &Value, line: usize) -> Result<()> {
        let filled = self.filled(x, mask, value, line)?;
        self.overwrite(x, &Value::Tensor(filled), line)
    }

    /// `x.masked_fill(mask, value)`.
    pub(super) fn filled(&mut self, x: Id, mask: Id, value: &Value, line: usize) -> Result<Id> {
        let kind = self.tensor(x).kind;
        let mut mask = mask;
        let (own, all) = (self.tensor(mask).shape.sides().to_vec(), self.tensor(x).shape.sides().to_vec());
        // An index of fewer dimensions means the first ones.
        if own.len() < all.len() && all.starts_with(&own) && own.len() > 1 {
            let sides = [&own[..], &vec![1; all.len() - own.len()]].concat();
            mask = self.reviewed(mask, &sides, line)?;
        }
        let value = self.as_tensor(value, line)?;
        let value = self.cast(value, kind, line)?;
        self.op(Where, &[mask, value, x], kind, line)
    }

    /// `torch.flip`.
    pub(super) fn flipped(&mut self, x: Id, dims: Vec<usize>, line: usize) -> Result<Id> {
        let kind = self.tensor(x).kind;
        self.op(Flip { dims }, &[x], kind, line)
    }
}
