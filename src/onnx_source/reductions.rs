//! Operators along dimensions.

use super::call::Call;
use super::functions::one;
use super::places::permuted;
use super::trace::Trace;
use super::value::{Kind, Value};
use super::{Follow, Given};
use crate::network::Op;
use crate::network::ops::{Cumsum, GridSample, MatMul, PaddingMode, Reduce, Reduction, Softmax, Unary};
use crate::ordering;

/// How the operators of this file are followed.
pub const OPERATORS: &[(&str, Follow)] = &[
    ("ReduceMean", |t, c| reduced(t, c, None, Reduction::Mean, None)),
    ("ReduceSum", |t, c| reduced(t, c, None, Reduction::Sum, None)),
    ("ReduceMax", |t, c| reduced(t, c, None, Reduction::Amax, None)),
    ("ReduceMin", |t, c| reduced(t, c, None, Reduction::Amin, None)),
    ("ReduceProd", |t, c| reduced(t, c, None, Reduction::Prod, None)),
    ("ReduceL1", |t, c| reduced(t, c, Some(Unary::Abs), Reduction::Sum, None)),
    ("ReduceL2", |t, c| reduced(t, c, Some(Unary::Square), Reduction::Sum, Some(Unary::Sqrt))),
    ("ReduceSumSquare", |t, c| reduced(t, c, Some(Unary::Square), Reduction::Sum, None)),
    ("ArgMax", |t, c| place(t, c, Reduction::Argmax)),
    ("ArgMin", |t, c| place(t, c, Reduction::Argmin)),
    ("CumSum", running),
    ("Softmax", |t, c| softmax(t, c, false)),
    ("LogSoftmax", |t, c| softmax(t, c, true)),
    ("GridSample", sampled),
    ("Einsum", einsum),
];

/// A reduction with a function before and behind it.
fn reduced(
    trace: &mut Trace<'_>,
    call: &Call<'_>,
    before: Option<Unary>,
    reduction: Reduction,
    behind: Option<Unary>,
) -> Given {
    let mut x = call.input(0)?.clone();
    let axes = call.either("axes", 1)?.unwrap_or_default();
    if axes.is_empty() && call.int("noop_with_empty_axes", 0)? != 0 {
        return Ok(vec![x]);
    }
    let mut dim = axes.into_iter().map(|axis| x.axis(axis)).collect::<Result<Vec<_>, _>>()?;
    if dim.is_empty() {
        dim = (0..x.rank()).collect();
    }
    ordering::sort_by(&mut dim, Ord::cmp);
    dim.dedup();
    let kind = x.kind;
    if let Some(function) = before {
        x = trace.emit(function, &[x])?;
    }
    let keepdim = call.int("keepdims", 1)? != 0;
    let y = trace.emit_as(Reduce { reduction, dim, keepdim }, &[x], kind)?;
    match behind {
        Some(function) => one(trace.emit(function, &[y])),
        None => Ok(vec![y]),
    }
}

fn place(trace: &mut Trace<'_>, call: &Call<'_>, reduction: Reduction) -> Given {
    let x = call.input(0)?.clone();
    if call.int("select_last_index", 0)? != 0 {
        return Err("it takes the last of several".to_owned());
    }
    let dim = vec![x.axis(call.int("axis", 0)?)?];
    let keepdim = call.int("keepdims", 1)? != 0;
    one(trace.emit_as(Reduce { reduction, dim, keepdim }, &[x], Kind::Int))
}

fn running(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?.clone();
    if call.int("exclusive", 0)? != 0 || call.int("reverse", 0)? != 0 {
        return Err("it is exclusive, or runs backwards".to_owned());
    }
    let axis = call.known(1, "axis")?;
    let dim = x.axis(axis.first().copied().ok_or("its axis is missing")?)?;
    one(trace.emit_as(Cumsum { dim }, std::slice::from_ref(&x), x.kind))
}

/// Before opset 13 along all dimensions from the axis on, taken as one.
fn softmax(trace: &mut Trace<'_>, call: &Call<'_>, log: bool) -> Given {
    let x = call.input(0)?.clone();
    let is_old = call.opset < 13;
    let dim = x.axis(call.int("axis", if is_old { 1 } else { -1 })?)?;
    let sides = x.shape.sides().to_vec();
    if !is_old || sides[dim + 1..].iter().all(|&side| side == 1) {
        return one(trace.emit(Softmax { dim, log }, &[x]));
    }
    let flat = [sides[..dim].iter().product(), sides[dim..].iter().product()];
    let rows = trace.reshaped(&x, &flat)?;
    let y = trace.emit(Softmax { dim: 1, log }, &[rows])?;
    one(trace.reshaped(&y, &sides))
}

fn sampled(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let bilinear = match call.text("mode", "linear")? {
        "linear" | "bilinear" => true,
        "nearest" => false,
        other => return Err(format!("its mode is {other}")),
    };
    let padding_mode = match call.text("padding_mode", "zeros")? {
        "zeros" => PaddingMode::Zeros,
        "border" => PaddingMode::Replicate,
        "reflection" => PaddingMode::Reflect,
        other => return Err(format!("its padding_mode is {other}")),
    };
    let align_corners = call.int("align_corners", 0)? != 0;
    let inputs = [call.input(0)?.clone(), call.input(1)?.clone()];
    one(trace.emit(GridSample { bilinear, padding_mode, align_corners }, &inputs))
}

/// The letters of an operand of an equation, and of its result.
type Letters = Vec<char>;

fn letters(equation: &str) -> Result<(Vec<Letters>, Letters), String> {
    let text: String = equation.chars().filter(|letter| !letter.is_whitespace()).collect();
    let (operands, result) = text.split_once("->").ok_or_else(|| format!("{equation} names no result"))?;
    let list = |part: &str| -> Result<Letters, String> {
        let letters: Letters = part.chars().collect();
        let is_plain = letters.iter().all(char::is_ascii_alphabetic)
            && letters.iter().enumerate().all(|(index, letter)| !letters[..index].contains(letter));
        if is_plain { Ok(letters) } else { Err(format!("{equation} has other signs than letters, or one twice")) }
    };
    Ok((operands.split(',').map(list).collect::<Result<_, _>>()?, list(result)?))
}

/// The sides of a value by these letters, those that are missing 1.
fn spread(trace: &mut Trace<'_>, x: &Value, own: &Letters, order: &Letters) -> Result<Value, String> {
    let dims = order.iter().filter_map(|letter| own.iter().position(|own| own == letter)).collect();
    let placed = permuted(trace, x, dims)?;
    let side = |letter: &char| own.iter().position(|own| own == letter).map_or(1, |dim| x.shape.sides()[dim]);
    let sides: Vec<usize> = order.iter().map(side).collect();
    trace.reshaped(&placed, &sides)
}

/// `Einsum` of one operand (sums and permutes) or of two (a product of matrices).
fn einsum(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (mut operands, result) = letters(call.text("equation", "")?)?;
    let mut values = call.all();
    if operands.len() != values.len() || values.is_empty() || values.len() > 2 {
        return Err(format!("its equation has {} operands, and one or two are followed", operands.len()));
    }
    for index in 0..values.len() {
        if operands[index].len() != values[index].rank() {
            return Err("its equation does not fit its operands".to_owned());
        }
        // What only this operand has is summed up first.
        let other: Letters =
            operands.iter().enumerate().filter(|(at, _)| *at != index).flat_map(|(_, o)| o.clone()).collect();
        let gone = |letter: &char| !result.contains(letter) && !other.contains(letter);
        let dim: Vec<usize> = (0..operands[index].len()).filter(|&dim| gone(&operands[index][dim])).collect();
        if !dim.is_empty() {
            let op = Op::from(Reduce { reduction: Reduction::Sum, dim, keepdim: false });
            values[index] = trace.emit(op, &[values[index].clone()])?;
            operands[index].retain(|letter| !gone(letter));
        }
    }
    if let ([x], [own]) = (&values[..], &operands[..]) {
        if !result.iter().all(|letter| own.contains(letter)) {
            return Err("its result has a letter that its operand has not".to_owned());
        }
        return one(spread(trace, x, own, &result));
    }
    one(multiplied(trace, &values, &operands, &result))
}

/// Two operands: what both have and the result too goes along, what the result has not is summed over.
fn multiplied(
    trace: &mut Trace<'_>,
    values: &[Value],
    operands: &[Letters],
    result: &Letters,
) -> Result<Value, String> {
    let (a, b) = (&operands[0], &operands[1]);
    let of = |keep: &dyn Fn(&char) -> bool, from: &Letters| -> Letters {
        from.iter().copied().filter(|l| keep(l)).collect()
    };
    if !result.iter().all(|letter| a.contains(letter) || b.contains(letter)) {
        return Err("its result has a letter that no operand has".to_owned());
    }
    let batch = of(&|l| a.contains(l) && b.contains(l), result);
    let rows = of(&|l| a.contains(l) && !b.contains(l), result);
    let columns = of(&|l| b.contains(l) && !a.contains(l), result);
    let inner = of(&|l| b.contains(l) && !result.contains(l), a);
    let side = |letter: &char| {
        let find = |index: usize| {
            operands[index].iter().position(|own| own == letter).map(|dim| values[index].shape.sides()[dim])
        };
        find(0).max(find(1)).unwrap_or(1)
    };
    let count = |letters: &Letters| letters.iter().map(side).product::<usize>();
    let left = spread(trace, &values[0], a, &[batch.clone(), rows.clone(), inner.clone()].concat())?;
    let right = spread(trace, &values[1], b, &[batch.clone(), inner.clone(), columns.clone()].concat())?;
    let left = trace.reshaped(&left, &[count(&batch), count(&rows), count(&inner)])?;
    let right = trace.reshaped(&right, &[count(&batch), count(&inner), count(&columns)])?;
    let y = trace.emit(MatMul, &[left, right])?;
    let order = [batch, rows, columns].concat();
    let sides: Vec<usize> = order.iter().map(side).collect();
    let y = trace.reshaped(&y, &sides)?;
    spread(trace, &y, &order, result)
}
