//! Tensors that a class makes of numbers: `torch.zeros`, `torch.tensor`, `torch.arange` and what resembles them.

use super::super::at;
use super::super::tensor::{Content, Kind};
use super::super::value::{Given, Value};
use super::Run;
use super::arithmetic::{float, int_of};
use super::call::{number_kind, shape_from};
use super::on_tensors::is_random;
use crate::error::Result;
use crate::limits::MAX_CLASS_TENSOR;
use crate::network::Shape;
use crate::tensor::Tensor;

impl Run<'_> {
    /// A new tensor by one of torch's functions; `None` if this is none of them.
    pub(super) fn created(&mut self, name: &str, given: &Given, line: usize) -> Result<Option<Value>> {
        let kind = self.kind_given(given, line)?;
        if is_random(name) {
            let shape = match (name, given.get(0, "input")) {
                ("rand_like" | "randn_like" | "normal" | "bernoulli", Some(Value::Tensor(x))) => self.tensor(*x).shape,
                _ => self.shape_given(given, 0, line)?,
            };
            let id = self.without_value(Content::Unknown("random numbers"), shape, Kind::Float);
            return Ok(Some(Value::Tensor(id)));
        }
        let like = |run: &Self| match given.get(0, "input") {
            Some(Value::Tensor(x)) => Ok((run.tensor(*x).shape, run.tensor(*x).kind)),
            _ => at(line, format!("{name} takes a tensor")),
        };
        Ok(Some(match name {
            "zeros" | "ones" | "empty" => {
                let shape = self.shape_given(given, 0, line)?;
                let number = if name == "ones" { 1.0 } else { 0.0 };
                if name == "empty" {
                    let id = self.without_value(Content::Unknown("memory that nobody has written"), shape, Kind::Float);
                    return Ok(Some(Value::Tensor(id)));
                }
                self.filled_with(shape, number, kind.unwrap_or(Kind::Float), line)?
            }
            "full" => {
                let Some(sides) = given.get(0, "size").cloned() else {
                    return at(line, "a size is missing");
                };
                let sides = self.sides_of(&sides, line)?;
                let shape = shape_from(&sides, line)?;
                let Some(value) = given.get(1, "fill_value").cloned() else {
                    return at(line, "a value is missing");
                };
                self.full(shape, &value, kind, line)?
            }
            "zeros_like" | "ones_like" => {
                let (shape, own) = like(self)?;
                let number = if name == "ones_like" { 1.0 } else { 0.0 };
                self.filled_with(shape, number, kind.unwrap_or(own), line)?
            }
            "empty_like" => {
                let (shape, own) = like(self)?;
                Value::Tensor(self.without_value(Content::Unknown("memory that nobody has written"), shape, own))
            }
            "full_like" => {
                let (shape, own) = like(self)?;
                let Some(value) = given.get(1, "fill_value").cloned() else {
                    return at(line, "a value is missing");
                };
                self.full(shape, &value, kind.or(Some(own)), line)?
            }
            "tensor" | "Tensor" | "FloatTensor" | "as_tensor" | "from_numpy" | "array" => {
                let data = given.get(0, "data").cloned();
                let kind = if matches!(name, "Tensor" | "FloatTensor") { Some(Kind::Float) } else { kind };
                match data {
                    Some(Value::Tensor(id)) => Value::Tensor(self.copied(id, line)?),
                    Some(Value::Int(_)) if name == "Tensor" || name == "FloatTensor" => {
                        let shape = self.shape_given(given, 0, line)?;
                        Value::Tensor(self.without_value(
                            Content::Unknown("memory that nobody has written"),
                            shape,
                            Kind::Float,
                        ))
                    }
                    Some(data) => self.of_numbers(&data, kind, line)?,
                    None => return at(line, "values are missing"),
                }
            }
            "arange" | "linspace" => self.sequence(name, given, kind, line)?,
            "eye" => {
                let sides = self.numbers_given(given, 2, line)?;
                let (rows, columns) = match sides[..] {
                    [side] => (side as i64, side as i64),
                    [rows, columns] => (rows as i64, columns as i64),
                    _ => return at(line, "eye takes one or two numbers"),
                };
                let shape = shape_from(&[rows, columns], line)?;
                self.held(shape, line)?;
                let value = |i: i64| f32::from(i / columns == i % columns);
                let tensor = Tensor::new(shape.sides(), (0..rows * columns).map(value).collect())?;
                Value::Tensor(self.constant_tensor(tensor, kind.unwrap_or(Kind::Float), line)?)
            }
            "meshgrid" => return self.meshgrid(given, line).map(Some),
            _ => return Ok(None),
        }))
    }

    /// The kind that `dtype` says, if it is given.
    fn kind_given(&self, given: &Given, line: usize) -> Result<Option<Kind>> {
        match given.named.iter().find(|(name, _)| name == "dtype").map(|(_, value)| value) {
            Some(Value::Name(name)) => match number_kind(name) {
                Some(Some(kind)) => Ok(Some(kind)),
                _ => at(line, format!("{name} is not followed: infill counts in float32")),
            },
            Some(Value::None | Value::Unread) | None => Ok(None),
            Some(_) => at(line, "this dtype is not followed"),
        }
    }

    /// Sides given one by one or as a list.
    fn shape_given(&mut self, given: &Given, from: usize, line: usize) -> Result<Shape> {
        let named = given.named.iter().find(|(name, _)| name == "size").map(|(_, value)| value.clone());
        let sides = match (&given.args[from.min(given.args.len())..], named) {
            ([one @ (Value::List(_) | Value::Tuple(_)), ..], _) => self.sides_of(&one.clone(), line)?,
            ([], Some(one)) => self.sides_of(&one, line)?,
            (many, _) => {
                let numbers: Option<Vec<i64>> = many.iter().map(int_of).collect();
                match numbers {
                    Some(numbers) => numbers,
                    None => return at(line, "the shape of this tensor is not known"),
                }
            }
        };
        shape_from(&sides, line)
    }

    fn sides_of(&mut self, value: &Value, line: usize) -> Result<Vec<i64>> {
        let items = match value {
            Value::Int(_) => vec![value.clone()],
            _ => self.items(value, line)?,
        };
        let numbers: Option<Vec<i64>> = items.iter().map(int_of).collect();
        numbers.map_or_else(|| at(line, "the shape of this tensor is not known"), Ok)
    }

    fn full(&mut self, shape: Shape, value: &Value, kind: Option<Kind>, line: usize) -> Result<Value> {
        let own = match value {
            Value::Bool(_) => Kind::Bool,
            Value::Int(_) => Kind::Int,
            _ => Kind::Float,
        };
        match float(value) {
            Some(number) => self.filled_with(shape, number, kind.unwrap_or(own), line),
            None => at(line, "this value is not followed"),
        }
    }

    /// One number everywhere: a number that is expanded, so that it takes no memory.
    fn filled_with(&mut self, shape: Shape, number: f64, kind: Kind, line: usize) -> Result<Value> {
        let one = self.scalar(number, line)?;
        let op = crate::network::ops::Expand { size: shape.sides().to_vec() };
        self.op(op, &[one], kind, line).map(Value::Tensor)
    }

    /// An error for a tensor of more numbers than a class holds.
    fn held(&self, shape: Shape, line: usize) -> Result<usize> {
        match shape.checked_elements().filter(|&count| count <= MAX_CLASS_TENSOR) {
            Some(count) => Ok(count),
            None => at(line, "this tensor is too large to be part of a class"),
        }
    }

    /// `torch.tensor` of numbers and lists of them.
    fn of_numbers(&mut self, data: &Value, kind: Option<Kind>, line: usize) -> Result<Value> {
        let (mut sides, mut level, mut own) = (Vec::new(), vec![data.clone()], Kind::Bool);
        while level.iter().all(|value| matches!(value, Value::List(_) | Value::Tuple(_))) && !level.is_empty() {
            let mut next = Vec::new();
            let mut length = None;
            for value in &level {
                let items = self.items(value, line)?;
                if *length.get_or_insert(items.len()) != items.len() {
                    return at(line, "the lists in this tensor have different lengths");
                }
                next.extend(items);
            }
            sides.push(length.unwrap_or(0) as i64);
            level = next;
            if level.len() > MAX_CLASS_TENSOR || sides.len() > crate::limits::MAX_RANK {
                return at(line, "this tensor is too large to be part of a class");
            }
        }
        let mut values = Vec::new();
        for value in &level {
            own = own.max(match value {
                Value::Bool(_) => Kind::Bool,
                Value::Int(_) => Kind::Int,
                _ => Kind::Float,
            });
            match float(value) {
                Some(number) => values.push(number as f32),
                None => return at(line, "a number is expected here"),
            }
        }
        let shape = shape_from(&sides, line)?;
        let tensor = Tensor::new(shape.sides(), values)?;
        Ok(Value::Tensor(self.constant_tensor(tensor, kind.unwrap_or(own), line)?))
    }

    fn numbers_given(&mut self, given: &Given, most: usize, line: usize) -> Result<Vec<f64>> {
        let numbers: Option<Vec<f64>> = given.args.iter().take(most).map(float).collect();
        numbers.filter(|numbers| !numbers.is_empty()).map_or_else(|| at(line, "numbers are expected here"), Ok)
    }

    /// `torch.arange` and `torch.linspace`.
    fn sequence(&mut self, name: &str, given: &Given, kind: Option<Kind>, line: usize) -> Result<Value> {
        let argument = |place: usize, name: &str| given.get(place, name).map(float);
        let all_ints = given.args.iter().all(|value| int_of(value).is_some());
        let values: Vec<f64> = if name == "linspace" {
            let (Some(Some(start)), Some(Some(end)), Some(Some(steps))) =
                (argument(0, "start"), argument(1, "end"), argument(2, "steps"))
            else {
                return at(line, "linspace takes numbers");
            };
            if !(1.0..=MAX_CLASS_TENSOR as f64).contains(&steps) {
                return at(line, "this tensor is too large to be part of a class");
            }
            let step = if steps > 1.0 { (end - start) / (steps - 1.0) } else { 0.0 };
            let value = |i: f64| {
                if i < steps / 2.0 { start + step * i } else { end - step * (steps - i - 1.0) }
            };
            (0..steps as usize).map(|i| value(i as f64)).collect()
        } else {
            let (start, end, step) = match self.numbers_given(given, 3, line)?[..] {
                [end] => (0.0, end, 1.0),
                [start, end] => (start, end, 1.0),
                [start, end, step] => (start, end, step),
                _ => return at(line, "arange takes numbers"),
            };
            let count = ((end - start) / step).ceil();
            if !(1.0..=MAX_CLASS_TENSOR as f64).contains(&count) {
                return at(line, "this tensor is empty, or too large to be part of a class");
            }
            (0..count as usize).map(|i| start + step * i as f64).collect()
        };
        let own = if name == "arange" && all_ints { Kind::Int } else { Kind::Float };
        let count = values.len();
        let tensor = Tensor::new([count], values.into_iter().map(|value| value as f32).collect())?;
        Ok(Value::Tensor(self.constant_tensor(tensor, kind.unwrap_or(own), line)?))
    }

    /// `torch.meshgrid(a, b, indexing='ij')`.
    fn meshgrid(&mut self, given: &Given, line: usize) -> Result<Value> {
        let items = match &given.args[..] {
            [one @ (Value::List(_) | Value::Tuple(_))] => self.items(&one.clone(), line)?,
            many => many.to_vec(),
        };
        let is_xy = match given.named.iter().find(|(name, _)| name == "indexing").map(|(_, value)| value) {
            None => false,
            Some(Value::Text(text)) if matches!(&**text, "ij" | "xy") => &**text == "xy",
            Some(_) => return at(line, "this indexing is not followed"),
        };
        if items.len() != 2 {
            return at(line, "meshgrid is followed for two tensors");
        }
        let mut sides = Vec::new();
        let mut ids = Vec::new();
        for item in &items {
            let id = super::arithmetic::tensor_of(item, line)?;
            let [side] = self.tensor(id).shape.sides() else {
                return at(line, "meshgrid takes rows of numbers");
            };
            sides.push(*side);
            ids.push(id);
        }
        let whole = if is_xy { vec![sides[1], sides[0]] } else { sides.clone() };
        let mut grids = Vec::new();
        for (index, id) in ids.into_iter().enumerate() {
            let is_row = (index == 0) == is_xy;
            let own = if is_row { vec![1, sides[index]] } else { vec![sides[index], 1] };
            let id = self.reviewed(id, &own, line)?;
            let kind = self.tensor(id).kind;
            grids.push(Value::Tensor(self.op(
                crate::network::ops::Expand { size: whole.clone() },
                &[id],
                kind,
                line,
            )?));
        }
        self.tuple(grids, line)
    }
}
