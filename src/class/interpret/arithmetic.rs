//! Numbers, lists and tensors under operators.

use super::super::at;
use super::{ITEMS, Run, Value};
use crate::error::Result;
use crate::network::{NodeId, Op};

impl Run<'_> {
    /// `left operator right`; with a tensor on either side it becomes a node.
    pub(super) fn binary(&mut self, operator: &str, left: Value, right: Value, line: usize) -> Result<Value> {
        use Value::{Float, Int, List, Tensor};
        let float = |value: &Value| match value {
            Int(n) => Some(*n as f64),
            Float(n) => Some(*n),
            _ => None,
        };
        match (operator, &left, &right) {
            ("==", ..) => return Ok(Value::Bool(same(&left, &right))),
            ("!=", ..) => return Ok(Value::Bool(!same(&left, &right))),
            ("+", List(a), List(b)) if a.len() + b.len() <= ITEMS => return Ok(List([&a[..], b].concat())),
            ("*", List(items), Int(times)) | ("*", Int(times), List(items)) => {
                let times = usize::try_from(*times).unwrap_or(0);
                return match items.len().checked_mul(times) {
                    Some(count) if count <= ITEMS => Ok(List(items.iter().cycle().take(count).cloned().collect())),
                    _ => at(line, "this list is too long"),
                };
            }
            ("+", Tensor(a), Tensor(b)) => return self.tensor(Op::Add, &[*a, *b], "add", line),
            (_, Int(a), Int(b)) if operator != "/" => {
                let number = match operator {
                    "+" => a.checked_add(*b),
                    "-" => a.checked_sub(*b),
                    "*" => a.checked_mul(*b),
                    "//" => a.checked_div_euclid(*b),
                    "%" => a.checked_rem_euclid(*b),
                    "**" => u32::try_from(*b).ok().and_then(|b| a.checked_pow(b)),
                    "<" | ">" | "<=" | ">=" => return Ok(Value::Bool(ordered(operator, *a as f64, *b as f64))),
                    _ => None,
                };
                return number.map_or_else(|| at(line, "this number cannot be had"), |n| Ok(Int(n)));
            }
            _ => {}
        }
        if let (Tensor(x), Some(n)) = (&left, float(&right)) {
            let (scale, offset) = match operator {
                "+" => (1.0, n),
                "-" => (1.0, -n),
                "*" => (n, 0.0),
                "/" => (1.0 / n, 0.0),
                _ => return at(line, format!("{operator} with a tensor is not read")),
            };
            return self.tensor(Op::Affine { scale: scale as f32, offset: offset as f32 }, &[*x], "affine", line);
        }
        if let (Some(n), Tensor(x)) = (float(&left), &right) {
            let (scale, offset) = match operator {
                "+" => (1.0, n),
                "-" => (-1.0, n),
                "*" => (n, 0.0),
                _ => return at(line, format!("{operator} with a tensor is not read")),
            };
            return self.tensor(Op::Affine { scale: scale as f32, offset: offset as f32 }, &[*x], "affine", line);
        }
        let (Some(a), Some(b)) = (float(&left), float(&right)) else {
            return at(line, format!("{operator} is not read between these"));
        };
        Ok(match operator {
            "+" => Float(a + b),
            "-" => Float(a - b),
            "*" => Float(a * b),
            "/" => Float(a / b),
            "//" => Float((a / b).floor()),
            "**" => Float(a.powf(b)),
            "<" | ">" | "<=" | ">=" => Value::Bool(ordered(operator, a, b)),
            _ => return at(line, format!("{operator} is not read here")),
        })
    }
}

/// The item at this index, counted from the end if it is negative.
pub(super) fn pick(items: Vec<Value>, index: i64, line: usize) -> Result<Value> {
    let from_end = if index < 0 { index + items.len() as i64 } else { index };
    let found = usize::try_from(from_end).ok().and_then(|index| items.into_iter().nth(index));
    found.map_or_else(|| at(line, "the index lies outside the list"), Ok)
}

/// The tensor, if it is one.
pub(super) fn tensor_of(value: &Value, line: usize) -> Result<NodeId> {
    match value {
        Value::Tensor(id) => Ok(*id),
        _ => at(line, "a tensor is expected here"),
    }
}

/// What a condition decides.
pub(super) fn truth(value: &Value, line: usize) -> Result<bool> {
    Ok(match value {
        Value::None => false,
        Value::Bool(value) => *value,
        Value::Int(number) => *number != 0,
        Value::Float(number) => *number != 0.0,
        Value::Text(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Module(..) => true,
        Value::Tensor(_) | Value::Name(_) | Value::Method(..) => {
            return at(line, "this cannot be decided without running the network");
        }
    })
}

fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::None, Value::None) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        _ => false,
    }
}

fn ordered(operator: &str, a: f64, b: f64) -> bool {
    match operator {
        "<" => a < b,
        ">" => a > b,
        "<=" => a <= b,
        _ => a >= b,
    }
}

/// `range` of one or two numbers, as a list.
pub(super) fn range(args: &[Value], line: usize) -> Result<Value> {
    let numbers: Vec<i64> = args.iter().filter_map(|n| if let Value::Int(n) = n { Some(*n) } else { None }).collect();
    let (from, to) = match (numbers[..].len() == args.len(), &numbers[..]) {
        (true, [to]) => (0, *to),
        (true, [from, to]) => (*from, *to),
        _ => return at(line, "range takes one or two numbers here"),
    };
    match to.saturating_sub(from) <= ITEMS as i64 {
        true => Ok(Value::List((from..to).map(Value::Int).collect())),
        false => at(line, "this range is too long"),
    }
}
