//! Numbers, texts, lists and tensors under operators.

use super::super::at;
use super::super::value::{Kind, Value, same};
use super::Run;
use crate::error::Result;
use crate::limits::{MAX_CLASS_ITEMS, MAX_CLASS_SCAN_PER_STEP, MAX_CLASS_TEXT_BYTES};
use crate::network::ValueId;
use crate::network::ops::{Add, Affine, Mul};

impl Run<'_> {
    /// `left operator right`; with a tensor on either side it becomes a node.
    pub(super) fn binary(&mut self, operator: &str, left: Value, right: Value, line: usize) -> Result<Value> {
        use Value::{Tensor, Unread};
        if let Some(answer) = self.compare(operator, &left, &right, line)? {
            return Ok(answer);
        }
        match (&left, &right) {
            (Tensor(_), Unread) | (Unread, Tensor(_)) => {
                return at(line, "this depends on what only a run would tell, such as a tensor's size or a buffer");
            }
            (Unread, _) | (_, Unread) => return Ok(Unread),
            _ => {}
        }
        if let Some(joined) = self.join(operator, &left, &right, line)? {
            return Ok(joined);
        }
        match (&left, &right) {
            (Tensor(a), Tensor(b)) => self.between_tensors(operator, *a, *b, line),
            (Tensor(x), other) | (other, Tensor(x)) if float(other).is_some() => {
                let affine = affine(operator, &left, &right, line)?;
                self.tensor(affine, &[*x], "affine", line)
            }
            _ => numbers(operator, &left, &right, line),
        }
    }

    /// `==`, `!=`, `in` and `not in`; `None` for any other operator.
    fn compare(&mut self, operator: &str, left: &Value, right: &Value, line: usize) -> Result<Option<Value>> {
        Ok(match (operator, left, right) {
            ("==" | "!=", Value::Unread, _) | ("==" | "!=", _, Value::Unread) => Some(Value::Unread),
            ("==" | "!=", ..) => {
                let items = if let Value::List(items) = left { self.heap.lists[items.0].len() } else { 1 };
                self.spend(items, line)?;
                Some(Value::Bool(self.equal(left, right) == (operator == "==")))
            }
            ("in" | "not in", ..) => {
                let found = self.contains(right, left, line)?;
                Some(Value::Bool(found == (operator == "in")))
            }
            _ => None,
        })
    }

    /// Lists and texts joined, repeated or filled in; `None` for anything else.
    fn join(&mut self, operator: &str, left: &Value, right: &Value, line: usize) -> Result<Option<Value>> {
        use Value::{Int, List, Text};
        match (operator, left, right) {
            ("+", List(a), List(b)) => {
                let joined = [&self.heap.lists[a.0][..], &self.heap.lists[b.0][..]].concat();
                self.list(joined, line)
            }
            ("*", List(items), Int(times)) | ("*", Int(times), List(items)) => {
                let items = &self.heap.lists[items.0];
                match items.len().checked_mul(usize::try_from(*times).unwrap_or(0)) {
                    Some(count) if count <= MAX_CLASS_ITEMS => {
                        let items = items.iter().cycle().take(count).cloned().collect();
                        self.list(items, line)
                    }
                    _ => at(line, "this list is too long"),
                }
            }
            ("+", Text(a), Text(b)) => self.text(format!("{a}{b}"), line),
            ("*", Text(text), Int(times)) => {
                let times = usize::try_from(*times).unwrap_or(0);
                match text.len().checked_mul(times) {
                    Some(length) if length <= MAX_CLASS_TEXT_BYTES => self.text(text.repeat(times), line),
                    _ => at(line, "this text is too long"),
                }
            }
            ("%", Text(text), value) => self.fill_in(text, value, line),
            _ => return Ok(None),
        }
        .map(Some)
    }

    /// `text % values`.
    fn fill_in(&mut self, text: &str, values: &Value, line: usize) -> Result<Value> {
        let values = if let Value::List(id) = values { self.heap.lists[id.0].clone() } else { vec![values.clone()] };
        let mut filled = text.to_owned();
        for value in values {
            let Some(place) = filled.find('%') else { break };
            if !filled[place..].starts_with("%d") && !filled[place..].starts_with("%s") {
                return at(line, "%d and %s are read in a text");
            }
            filled.replace_range(place..place + 2, &self.shown(&value, line)?);
            self.fits(&filled, line)?;
            self.spend(1 + filled.len() / MAX_CLASS_SCAN_PER_STEP, line)?;
        }
        self.text(filled, line)
    }

    /// An operator between two tensors.
    fn between_tensors(&mut self, operator: &str, a: ValueId, b: ValueId, line: usize) -> Result<Value> {
        match operator {
            "+" => self.tensor(Add, &[a, b], "add", line),
            "*" => self.tensor(Mul, &[a, b], "mul", line),
            "-" => {
                let negative = self.tensor(Affine { scale: -1.0, offset: 0.0 }, &[b], "affine", line)?;
                self.tensor(Add, &[a, tensor_of(&negative, line)?], "add", line)
            }
            _ => at(
                line,
                format!("{operator} between two tensors is not read: infill adds, subtracts and multiplies them"),
            ),
        }
    }

    /// `==`; lists item by item. Unread items are batches, which are alike.
    fn equal(&self, left: &Value, right: &Value) -> bool {
        let (Value::List(a), Value::List(b)) = (left, right) else { return same(left, right) };
        let (a, b) = (&self.heap.lists[a.0], &self.heap.lists[b.0]);
        let alike = |(a, b): (&Value, &Value)| same(a, b) || matches!((a, b), (Value::Unread, Value::Unread));
        a.len() == b.len() && a.iter().zip(b).all(alike)
    }

    /// Whether a list, a dict's keys or a text holds this.
    fn contains(&mut self, all: &Value, value: &Value, line: usize) -> Result<bool> {
        match (all, value) {
            (Value::Text(all), Value::Text(part)) => Ok(all.contains(&**part)),
            (Value::Dict(id), _) => Ok(self.heap.dicts[id.0].get(value).is_some()),
            (Value::Module(id), Value::Text(name)) if matches!(self.heap.modules[id.0].kind, Kind::Dict) => {
                Ok(self.heap.modules[id.0].get(name).is_some())
            }
            _ => Ok(self.items(all, line)?.iter().any(|item| same(item, value))),
        }
    }
}

/// What an operator between a tensor and a number does to the tensor.
fn affine(operator: &str, left: &Value, right: &Value, line: usize) -> Result<Affine> {
    let (scale, offset) = match (operator, float(left), float(right)) {
        ("+", None, Some(n)) | ("+", Some(n), None) => (1.0, n),
        ("*", None, Some(n)) | ("*", Some(n), None) => (n, 0.0),
        ("-", None, Some(n)) => (1.0, -n),
        ("-", Some(n), None) => (-1.0, n),
        ("/", None, Some(n)) => (1.0 / n, 0.0),
        _ => return at(line, format!("{operator} with a tensor is not read")),
    };
    Ok(Affine { scale: scale as f32, offset: offset as f32 })
}

/// An operator between two numbers.
fn numbers(operator: &str, left: &Value, right: &Value, line: usize) -> Result<Value> {
    if let (Some(a), Some(b)) = (int_of(left), int_of(right))
        && (operator != "/" && (operator != "**" || b >= 0))
    {
        return ints(operator, a, b, line);
    }
    let (Some(a), Some(b)) = (float(left), float(right)) else {
        return at(line, format!("{operator} is not read between these"));
    };
    floats(operator, a, b, line)
}

/// A number as a float.
pub(super) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Bool(flag) => Some(f64::from(*flag)),
        _ => None,
    }
}

/// The tensor, if it is one.
pub(super) fn tensor_of(value: &Value, line: usize) -> Result<ValueId> {
    match value {
        Value::Tensor(id) => Ok(*id),
        Value::Unread => at(line, "a tensor is expected here, but this is what only a run would tell"),
        _ => at(line, "a tensor is expected here"),
    }
}

/// What a condition decides; lists and modules are the caller's.
pub(super) fn truth(value: &Value, line: usize) -> Result<bool> {
    Ok(match value {
        Value::None => false,
        Value::Bool(value) => *value,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::Tensor(_) | Value::OfTensor(..) | Value::Unread => {
            return at(line, "this cannot be decided without running the network");
        }
        _ => true,
    })
}

/// A whole number.
pub(super) fn int_of(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    }
}

/// The int, or an error where there is none: division by zero, or more digits than are read here.
pub(super) fn int(number: Option<i64>, line: usize) -> Result<Value> {
    number.map_or_else(|| at(line, "this number cannot be had"), |number| Ok(Value::Int(number)))
}

/// An operator between ints, as Python rounds: towards minus infinity.
fn ints(operator: &str, a: i64, b: i64, line: usize) -> Result<Value> {
    if let Some(answer) = ordered(operator, &a, &b) {
        return Ok(Value::Bool(answer));
    }
    let floors = |rest: i64| rest != 0 && (rest < 0) != (b < 0);
    int(
        match operator {
            "+" => a.checked_add(b),
            "-" => a.checked_sub(b),
            "*" => a.checked_mul(b),
            "//" => a.checked_div(b).and_then(|q| q.checked_sub(i64::from(floors(a % b)))),
            "%" => a.checked_rem(b).and_then(|r| if floors(r) { r.checked_add(b) } else { Some(r) }),
            "**" => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
            _ => None,
        },
        line,
    )
}

/// An operator between numbers of which one is a float, or whose result is one.
fn floats(operator: &str, a: f64, b: f64, line: usize) -> Result<Value> {
    if let Some(answer) = ordered(operator, &a, &b) {
        return Ok(Value::Bool(answer));
    }
    if b == 0.0 && matches!(operator, "/" | "//" | "%") {
        return at(line, "this divides by zero");
    }
    Ok(Value::Float(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => (a / b).floor(),
        "%" => a - b * (a / b).floor(),
        "**" => a.powf(b),
        _ => return at(line, format!("{operator} is not read here")),
    }))
}

/// What a comparison says; `None` if the operator is none.
fn ordered<T: PartialOrd>(operator: &str, a: &T, b: &T) -> Option<bool> {
    Some(match operator {
        "<" => a < b,
        ">" => a > b,
        "<=" => a <= b,
        ">=" => a >= b,
        _ => return None,
    })
}
