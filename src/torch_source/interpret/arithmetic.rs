//! Numbers, texts, lists and tensors under operators.

use super::super::at;
use super::super::value::{Id, Kind, Value, identical, same};
use super::Run;
use crate::error::Result;
use crate::limits::{MAX_CLASS_ITEMS, MAX_CLASS_TEXT_BYTES};

impl Run<'_> {
    /// `left operator right`; with a tensor on either side it becomes a node.
    pub(super) fn binary(&mut self, operator: &str, left: Value, right: Value, line: usize) -> Result<Value> {
        use Value::{Tensor, Unread};
        if matches!(operator, "is" | "is not") {
            return self.identity(&left, &right, operator == "is", line);
        }
        if matches!(operator, "in" | "not in") {
            let found = self.contains(&right, &left, line)?;
            return Ok(Value::Bool(found == (operator == "in")));
        }
        match (&left, &right) {
            (Tensor(_), Unread) | (Unread, Tensor(_)) => {
                return at(line, "this depends on what infill does not follow, such as random numbers or a device");
            }
            (Unread, _) | (_, Unread) => return Ok(Unread),
            (Tensor(_), other) | (other, Tensor(_)) if matches!(other, Tensor(_)) || float(other).is_some() => {
                return self.tensors_between(operator, &left, &right, line);
            }
            _ => {}
        }
        if matches!(operator, "==" | "!=") {
            let items = self.spend_items(&left);
            self.spend(items, line)?;
            return Ok(Value::Bool(self.equal(&left, &right, line)? == (operator == "==")));
        }
        if let (Value::Module(id), true) = (&left, self.is_object(&left)) {
            return at(line, format!("{operator} on an object of {} is not followed", self.class_name(*id)));
        }
        match self.join(operator, &left, &right, line)? {
            Some(joined) => Ok(joined),
            None => numbers(operator, &left, &right, line),
        }
    }

    fn spend_items(&self, value: &Value) -> usize {
        if let Value::List(items) | Value::Tuple(items) = value { self.heap.lists[items.0].len() } else { 1 }
    }

    fn is_object(&self, value: &Value) -> bool {
        matches!(value, Value::Module(id) if self.heap.modules[id.0].class.is_some())
    }

    /// `is`, of what Python has one of.
    fn identity(&mut self, left: &Value, right: &Value, wanted: bool, line: usize) -> Result<Value> {
        match (left, right) {
            (Value::Unread, Value::None) | (Value::None, Value::Unread) => {
                at(line, "whether this is None depends on what infill does not follow")
            }
            (Value::Unread, _) | (_, Value::Unread) => Ok(Value::Unread),
            _ => Ok(Value::Bool(identical(left, right) == wanted)),
        }
    }

    /// `before operator= value`: what can be changed is changed, for everybody who holds it.
    pub(super) fn in_place(&mut self, operator: &str, before: Value, value: Value, line: usize) -> Result<Value> {
        match (operator, &before) {
            ("+", Value::List(list)) => {
                let more = self.items(&value, line)?;
                self.extend(*list, more, line)?;
                Ok(before)
            }
            ("*", Value::List(list)) => {
                let list = *list;
                if let Value::List(joined) = self.binary(operator, before.clone(), value, line)? {
                    self.heap.lists[list.0] = self.heap.lists[joined.0].clone();
                }
                Ok(before)
            }
            ("+", Value::Module(id)) if matches!(self.heap.modules[id.0].kind, Kind::List) => {
                let (id, more) = (*id, self.items(&value, line)?);
                self.append(id, more, line)?;
                Ok(before)
            }
            (_, Value::Tensor(tensor)) => {
                let tensor = *tensor;
                let result = self.binary(operator, before.clone(), value, line)?;
                self.overwrite(tensor, &result, line)?;
                Ok(before)
            }
            _ => self.binary(operator, before, value, line),
        }
    }

    /// Lists and texts joined, repeated or filled in; `None` for anything else.
    fn join(&mut self, operator: &str, left: &Value, right: &Value, line: usize) -> Result<Option<Value>> {
        use Value::{Dict, Int, List, Text, Tuple};
        match (operator, left, right) {
            ("+", List(a), List(b)) => {
                let joined = [&self.heap.lists[a.0][..], &self.heap.lists[b.0][..]].concat();
                self.list(joined, line)
            }
            ("+", Tuple(a), Tuple(b)) => {
                let joined = [&self.heap.lists[a.0][..], &self.heap.lists[b.0][..]].concat();
                self.tuple(joined, line)
            }
            ("*", List(items), Int(times)) | ("*", Int(times), List(items)) => {
                let items = self.repeated(*items, *times, line)?;
                self.list(items, line)
            }
            ("*", Tuple(items), Int(times)) | ("*", Int(times), Tuple(items)) => {
                let items = self.repeated(*items, *times, line)?;
                self.tuple(items, line)
            }
            ("|", Dict(a), Dict(b)) => {
                let items = [self.heap.dicts[a.0].items(), self.heap.dicts[b.0].items()].concat();
                self.dict_of(items, line)
            }
            ("+", Text(a), Text(b)) => self.text(format!("{a}{b}"), line),
            ("*", Text(text), Int(times)) | ("*", Int(times), Text(text)) => {
                let times = usize::try_from(*times).unwrap_or(0);
                match text.len().checked_mul(times) {
                    Some(length) if length <= MAX_CLASS_TEXT_BYTES => self.text(text.repeat(times), line),
                    _ => at(line, "this text is too long"),
                }
            }
            ("%", Text(text), value) => self.fill_in(text, value, line),
            ("<" | ">" | "<=" | ">=", Text(a), Text(b)) => Ok(Value::Bool(ordered(operator, a, b).unwrap_or(false))),
            _ => return Ok(None),
        }
        .map(Some)
    }

    fn repeated(&self, items: Id, times: i64, line: usize) -> Result<Vec<Value>> {
        let items = &self.heap.lists[items.0];
        match items.len().checked_mul(usize::try_from(times).unwrap_or(0)) {
            Some(count) if count <= MAX_CLASS_ITEMS => Ok(items.iter().cycle().take(count).cloned().collect()),
            _ => at(line, "this list is too long"),
        }
    }

    /// `==`; lists and tuples item by item.
    fn equal(&self, left: &Value, right: &Value, line: usize) -> Result<bool> {
        let (a, b) = match (left, right) {
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => (a, b),
            (Value::Dict(a), Value::Dict(b)) if a != b => {
                return at(line, "== between dicts is not followed");
            }
            _ => return Ok(same(left, right)),
        };
        let (a, b) = (&self.heap.lists[a.0], &self.heap.lists[b.0]);
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(b) {
            let is_nested = |value: &Value| matches!(value, Value::List(_) | Value::Tuple(_) | Value::Dict(_));
            match (a, b) {
                (Value::Unread | Value::Tensor(_), _) | (_, Value::Unread | Value::Tensor(_)) => {
                    return at(line, "== between these is not followed");
                }
                _ if is_nested(a) && is_nested(b) && !same(a, b) => {
                    return at(line, "== between lists of lists is not followed");
                }
                _ if !same(a, b) => return Ok(false),
                _ => {}
            }
        }
        Ok(true)
    }

    /// Whether a list, a dict's keys or a text holds this.
    fn contains(&mut self, all: &Value, value: &Value, line: usize) -> Result<bool> {
        match (all, value) {
            (Value::Text(all), Value::Text(part)) => Ok(all.contains(&**part)),
            (Value::Unread, _) | (_, Value::Unread) => at(line, "this depends on what infill does not follow"),
            (Value::Dict(id), _) => {
                Self::key(value, line)?;
                Ok(self.heap.dicts[id.0].get(value).is_some())
            }
            (Value::Module(id), Value::Text(name)) if matches!(self.heap.modules[id.0].kind, Kind::Dict) => {
                Ok(self.heap.modules[id.0].get(name).is_some())
            }
            _ => {
                for item in self.items(all, line)? {
                    if self.equal(&item, value, line)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

/// An operator between two numbers.
fn numbers(operator: &str, left: &Value, right: &Value, line: usize) -> Result<Value> {
    if let (Value::Bool(a), Value::Bool(b)) = (left, right)
        && let Some(answer) = match operator {
            "&" => Some(a & b),
            "|" => Some(a | b),
            "^" => Some(a ^ b),
            _ => None,
        }
    {
        return Ok(Value::Bool(answer));
    }
    if let (Some(a), Some(b)) = (int_of(left), int_of(right))
        && (operator != "/" && (operator != "**" || b >= 0))
    {
        return ints(operator, a, b, line);
    }
    let (Some(a), Some(b)) = (float(left), float(right)) else {
        return at(line, format!("{operator} is not read between these"));
    };
    // An int beyond 2^53 is no exact float.
    let is_exact = |value: &Value| int_of(value).is_none_or(|number| number.unsigned_abs() <= 1 << 53);
    if !is_exact(left) || !is_exact(right) {
        return at(line, "this number has more digits than infill counts");
    }
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
pub(super) fn tensor_of(value: &Value, line: usize) -> Result<Id> {
    match value {
        Value::Tensor(id) => Ok(*id),
        Value::Unread => at(line, "a tensor is expected here, but this is what infill does not follow"),
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
        Value::Tensor(_) | Value::Unread => {
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
    let shift = u32::try_from(b).ok();
    int(
        match operator {
            "+" => a.checked_add(b),
            "-" => a.checked_sub(b),
            "*" => a.checked_mul(b),
            "//" => a.checked_div(b).and_then(|q| q.checked_sub(i64::from(floors(a.checked_rem(b)?)))),
            "%" => a.checked_rem(b).and_then(|r| if floors(r) { r.checked_add(b) } else { Some(r) }),
            "**" => shift.and_then(|b| a.checked_pow(b)),
            "&" => Some(a & b),
            "|" => Some(a | b),
            "^" => Some(a ^ b),
            "<<" => shift.filter(|&b| b < 62).and_then(|b| a.checked_mul(1 << b)),
            ">>" => shift.map(|b| a >> b.min(63)),
            _ => return at(line, format!("{operator} is not read here")),
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
    // Python's remainder has the sign of the divisor; the quotient fits it.
    let rest = a % b;
    let rest = if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest };
    Ok(Value::Float(match operator {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "//" => ((a - rest) / b).round(),
        "%" => rest,
        "**" if a < 0.0 && b.fract() != 0.0 => return at(line, "complex numbers are not read"),
        "**" => a.powf(b),
        _ => return at(line, format!("{operator} is not read here")),
    }))
}

/// What a comparison says; `None` if the operator is none.
fn ordered<T: PartialOrd + ?Sized>(operator: &str, a: &T, b: &T) -> Option<bool> {
    Some(match operator {
        "<" => a < b,
        ">" => a > b,
        "<=" => a <= b,
        ">=" => a >= b,
        _ => return None,
    })
}
