//! What is known before the network runs is computed when it is read: the arithmetic of shapes, and constants.

use super::value::{Kind, Value};
use crate::checkpoint::onnx::Numbers;
use crate::limits::ONNX_FOLDED_VALUES;
use crate::network::ops::{Binary, Parameters};
use crate::network::{Op, Shape};
use crate::tensor::Tensor;

/// The result of an operator whose inputs are all known; `None` if one is not, or if it is too large to be kept.
/// `steps` is what may still be computed.
pub fn folded(op: &Op, inputs: &[Value], shape: Shape, kind: Kind, steps: &mut u64) -> Result<Option<Numbers>, String> {
    let is_known = inputs.iter().all(|input| input.numbers().is_some());
    if !is_known || !op.parameters().is_empty() || shape.elements() > ONNX_FOLDED_VALUES as u64 {
        return Ok(None);
    }
    let shapes: Vec<Shape> = inputs.iter().map(|input| input.shape).collect();
    let read: u64 = shapes.iter().map(Shape::elements).sum();
    let cost = op.macs(&shapes, &[shape]).saturating_add(shape.elements()).saturating_add(read);
    *steps = steps.checked_sub(cost).ok_or("too much is computed before the network runs")?;
    if is_moving(op) {
        return moved(op, inputs, shape).map(Some);
    }
    let tensors = inputs.iter().filter_map(Value::tensor).collect::<Result<Vec<_>, String>>()?;
    let values = forward(op, &tensors)?.into_data();
    Ok(Some(match kind {
        Kind::Float => Numbers::Floats(values),
        Kind::Int | Kind::Bool => Numbers::Ints(values.into_iter().map(|value| value as i64).collect()),
    }))
}

fn forward(op: &Op, inputs: &[Tensor]) -> Result<Tensor, String> {
    let inputs: Vec<&Tensor> = inputs.iter().collect();
    let mut given = op.forward(&inputs, &Parameters(&[])).map_err(|error| error.message)?;
    if given.is_empty() { Err("it gives nothing".to_owned()) } else { Ok(given.swap_remove(0)) }
}

/// Whether an operator only places values elsewhere.
fn is_moving(op: &Op) -> bool {
    matches!(op.name(), "cat" | "reshape" | "narrow" | "permute" | "expand" | "flip" | "slice")
}

/// Places numbers elsewhere, whatever they are: the operator is given their places.
fn moved(op: &Op, inputs: &[Value], shape: Shape) -> Result<Numbers, String> {
    let mut next = 0usize;
    let mut places = |input: &Value| {
        let (first, count) = (next, input.numbers().map_or(0, Numbers::len));
        next += count;
        Tensor::new(input.shape.sides(), (first..first + count).map(|place| place as f32).collect())
            .map_err(|error| error.message)
    };
    let tensors = inputs.iter().map(&mut places).collect::<Result<Vec<_>, String>>()?;
    // Places are counted in f32.
    if next > 1 << 24 {
        return Err("there are too many numbers to place".to_owned());
    }
    let places = forward(op, &tensors)?;
    if places.data().len() as u64 != shape.elements() {
        return Err("its result has another shape than it should".to_owned());
    }
    let numbers: Vec<&Numbers> = inputs.iter().filter_map(Value::numbers).collect();
    let is_whole = numbers.iter().all(|list| matches!(list, Numbers::Ints(_)));
    let at = places.data().iter().map(|&place| place as usize);
    Ok(if is_whole {
        let all: Vec<i64> = inputs.iter().filter_map(Value::ints).flatten().collect();
        Numbers::Ints(at.map(|place| all[place]).collect())
    } else {
        let floats = inputs.iter().filter_map(Value::floats).collect::<Result<Vec<_>, String>>()?;
        let all: Vec<f32> = floats.into_iter().flatten().collect();
        Numbers::Floats(at.map(|place| all[place]).collect())
    })
}

/// Index of the element that an operand of a broadcast gives to the element `index` of the result.
fn place(own: Shape, all: Shape, index: usize) -> usize {
    let skip = all.sides().len() - own.sides().len();
    let (mut rest, mut at, mut stride) = (index, 0, 1);
    for (dimension, &side) in all.sides().iter().enumerate().rev() {
        if let Some(&own) = dimension.checked_sub(skip).and_then(|dimension| own.sides().get(dimension)) {
            at += if own == 1 { 0 } else { rest % side * stride };
            stride *= own;
        }
        rest /= side;
    }
    at
}

/// The function of this name of whole numbers, exactly; `None` if it overflows or there is none.
fn whole(name: &str, a: i64, b: i64) -> Option<i64> {
    Some(match name {
        "Add" => a.checked_add(b)?,
        "Sub" => a.checked_sub(b)?,
        "Mul" => a.checked_mul(b)?,
        "Div" => a.checked_div(b)?,
        "Mod" => a.checked_rem_euclid(b).map(|rest| if b < 0 && rest != 0 { rest + b } else { rest })?,
        "Pow" => a.checked_pow(u32::try_from(b).ok()?)?,
        "Min" => a.min(b),
        "Max" => a.max(b),
        "Equal" => i64::from(a == b),
        "Less" => i64::from(a < b),
        "LessOrEqual" => i64::from(a <= b),
        "Greater" => i64::from(a > b),
        "GreaterOrEqual" => i64::from(a >= b),
        "And" => i64::from(a != 0 && b != 0),
        "Or" => i64::from(a != 0 || b != 0),
        "Xor" => i64::from((a != 0) != (b != 0)),
        _ => return None,
    })
}

/// A function of two lists of whole numbers that are known; `None` if one is not.
pub fn integers(name: &str, a: &Value, b: &Value, kind: Kind) -> Option<Result<Value, String>> {
    let (Some(Numbers::Ints(first)), Some(Numbers::Ints(second))) = (a.numbers(), b.numbers()) else { return None };
    let shape = match Op::from(Binary::Sub).infer(&[a.shape, b.shape]) {
        Ok(shapes) => shapes[0],
        Err(text) => return Some(Err(text)),
    };
    if shape.elements() > ONNX_FOLDED_VALUES as u64 {
        return None;
    }
    let one = |index: usize| whole(name, first[place(a.shape, shape, index)], second[place(b.shape, shape, index)]);
    let values: Option<Vec<i64>> = (0..shape.elements() as usize).map(one).collect();
    let values = values.ok_or_else(|| "whole numbers overflow, or are divided by zero".to_owned());
    Some(values.and_then(|values| Value::known(shape.sides(), Numbers::Ints(values), kind)))
}

/// `Where` of whole numbers that are known; `None` if one is not.
pub fn chosen(condition: &Value, a: &Value, b: &Value) -> Option<Result<Value, String>> {
    let lists = [condition.numbers()?, a.numbers()?, b.numbers()?];
    let [Numbers::Ints(condition_list), Numbers::Ints(first), Numbers::Ints(second)] = lists else { return None };
    let shape = match Op::from(crate::network::ops::Where).infer(&[condition.shape, a.shape, b.shape]) {
        Ok(shapes) => shapes[0],
        Err(text) => return Some(Err(text)),
    };
    if shape.elements() > ONNX_FOLDED_VALUES as u64 {
        return None;
    }
    let one = |index: usize| match condition_list[place(condition.shape, shape, index)] {
        0 => second[place(b.shape, shape, index)],
        _ => first[place(a.shape, shape, index)],
    };
    let values = (0..shape.elements() as usize).map(one).collect();
    Some(Value::known(shape.sides(), Numbers::Ints(values), a.kind))
}
