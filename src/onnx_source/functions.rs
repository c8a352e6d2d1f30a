//! Operators of one value at a time, and of values side by side.

use super::call::Call;
use super::fold;
use super::trace::Trace;
use super::value::{Content, Kind, Value};
use super::{Follow, Given};
use crate::checkpoint::onnx::Numbers;
use crate::network::Op;
use crate::network::ops::{Activation, Add, Affine, Binary, Clamp, Mul, Unary, Where};

/// How the operators of this file are followed.
pub const OPERATORS: &[(&str, Follow)] = &[
    ("Relu", |t, c| function(t, c, Activation::ReLU)),
    ("LeakyRelu", |t, c| function(t, c, Activation::LeakyReLU { slope: c.float("alpha", 0.01)? })),
    ("Sigmoid", |t, c| function(t, c, Activation::Sigmoid)),
    ("Tanh", |t, c| function(t, c, Activation::Tanh)),
    ("Elu", |t, c| function(t, c, Activation::ELU { alpha: c.float("alpha", 1.0)? })),
    ("Celu", |t, c| function(t, c, Unary::Celu { alpha: c.float("alpha", 1.0)? })),
    ("Selu", selu),
    ("Softplus", |t, c| function(t, c, Unary::Softplus { beta: 1.0, threshold: 20.0 })),
    ("Softsign", |t, c| function(t, c, Unary::Softsign)),
    ("HardSigmoid", hard_sigmoid),
    ("HardSwish", |t, c| function(t, c, Unary::Hardswish)),
    ("Gelu", |t, c| function(t, c, Unary::Gelu { tanh: c.text("approximate", "none")? == "tanh" })),
    ("Mish", |t, c| function(t, c, Unary::Mish)),
    ("ThresholdedRelu", |t, c| function(t, c, Unary::Threshold { threshold: c.float("alpha", 1.0)?, value: 0.0 })),
    ("Abs", |t, c| function(t, c, Unary::Abs)),
    ("Exp", |t, c| function(t, c, Unary::Exp)),
    ("Log", |t, c| function(t, c, Unary::Log)),
    ("Sqrt", |t, c| function(t, c, Unary::Sqrt)),
    ("Reciprocal", |t, c| function(t, c, Unary::Reciprocal)),
    ("Sin", |t, c| function(t, c, Unary::Sin)),
    ("Cos", |t, c| function(t, c, Unary::Cos)),
    ("Tan", |t, c| function(t, c, Unary::Tan)),
    ("Atan", |t, c| function(t, c, Unary::Atan)),
    ("Floor", |t, c| function(t, c, Unary::Floor)),
    ("Ceil", |t, c| function(t, c, Unary::Ceil)),
    ("Round", |t, c| function(t, c, Unary::Round)),
    ("Sign", |t, c| function(t, c, Unary::Sign)),
    ("Erf", |t, c| function(t, c, Unary::Erf)),
    ("Not", |t, c| one(t.emit_as(Unary::LogicalNot, &[c.input(0)?.clone()], Kind::Bool))),
    ("IsNaN", |t, c| one(t.emit_as(Unary::IsNan, &[c.input(0)?.clone()], Kind::Bool))),
    ("Neg", negative),
    ("Identity", |_, c| Ok(vec![c.input(0)?.clone()])),
    ("Dropout", |_, c| Ok(vec![c.input(0)?.clone()])),
    ("Cast", cast),
    ("CastLike", |t, c| one(converted(t, c.input(0)?, c.input(1)?.kind))),
    ("Clip", clip),
    ("Add", |t, c| one(sum(t, c.input(0)?, c.input(1)?))),
    ("Sub", |t, c| one(difference(t, c.input(0)?, c.input(1)?))),
    ("Mul", |t, c| one(product(t, c.input(0)?, c.input(1)?))),
    ("Div", |t, c| one(quotient(t, c.input(0)?, c.input(1)?))),
    ("Mod", remainder),
    ("Pow", |t, c| one(power(t, c.input(0)?, c.input(1)?))),
    ("Sum", |t, c| several(t, c, sum)),
    ("Mean", mean),
    ("Max", |t, c| several(t, c, |t, a, b| binary(t, "Max", Binary::Maximum, a, b))),
    ("Min", |t, c| several(t, c, |t, a, b| binary(t, "Min", Binary::Minimum, a, b))),
    ("Equal", |t, c| truth(t, c, "Equal", Binary::Eq)),
    ("Less", |t, c| truth(t, c, "Less", Binary::Lt)),
    ("LessOrEqual", |t, c| truth(t, c, "LessOrEqual", Binary::Le)),
    ("Greater", |t, c| truth(t, c, "Greater", Binary::Gt)),
    ("GreaterOrEqual", |t, c| truth(t, c, "GreaterOrEqual", Binary::Ge)),
    ("And", |t, c| truth(t, c, "And", Binary::LogicalAnd)),
    ("Or", |t, c| truth(t, c, "Or", Binary::LogicalOr)),
    ("Xor", |t, c| truth(t, c, "Xor", Binary::LogicalXor)),
    ("Where", choice),
];

/// An operator's only output.
pub fn one(value: Result<Value, String>) -> Given {
    value.map(|value| vec![value])
}

fn function(trace: &mut Trace<'_>, call: &Call<'_>, op: impl Into<Op>) -> Given {
    one(trace.emit(op, &[call.input(0)?.clone()]))
}

fn selu(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (alpha, gamma) = (call.float("alpha", 1.673_263_2)?, call.float("gamma", 1.050_701)?);
    let x = call.input(0)?.clone();
    let y = trace.emit(Activation::ELU { alpha }, &[x])?;
    one(affine(trace, &y, gamma, 0.0))
}

fn hard_sigmoid(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let line = affine(trace, call.input(0)?, call.float("alpha", 0.2)?, call.float("beta", 0.5)?)?;
    one(trace.emit(Clamp { low: 0.0, high: 1.0 }, &[line]))
}

fn negative(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    if x.ints().is_some() {
        return one(difference(trace, &Value::list(vec![0])?, x).and_then(|y| trace.reshaped(&y, x.shape.sides())));
    }
    one(affine(trace, x, -1.0, 0.0))
}

/// `x * scale + offset`.
pub fn affine(trace: &mut Trace<'_>, x: &Value, scale: f32, offset: f32) -> Result<Value, String> {
    trace.emit_as(Affine { scale, offset }, std::slice::from_ref(x), x.kind)
}

/// The kind of a `TensorProto.DataType`.
fn kind_of(data_type: i64) -> Result<Kind, String> {
    match data_type {
        1 | 10 | 11 | 16 => Ok(Kind::Float),
        2..=7 | 12 | 13 => Ok(Kind::Int),
        9 => Ok(Kind::Bool),
        other => Err(format!("it converts to the type {other}, which infill does not compute with")),
    }
}

fn cast(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let kind = kind_of(call.int("to", 1)?)?;
    one(converted(trace, call.input(0)?, kind))
}

/// The same numbers as another kind. Narrower floats are computed with as f32.
pub fn converted(trace: &mut Trace<'_>, x: &Value, kind: Kind) -> Result<Value, String> {
    if x.kind == kind {
        return Ok(x.clone());
    }
    if let Some(numbers) = x.numbers() {
        let numbers = match (numbers, kind) {
            (Numbers::Ints(list), Kind::Float) => Numbers::Floats(list.iter().map(|&value| value as f32).collect()),
            (Numbers::Ints(list), Kind::Bool) => Numbers::Ints(list.iter().map(|&v| i64::from(v != 0)).collect()),
            (Numbers::Floats(list), Kind::Bool) => Numbers::Ints(list.iter().map(|&v| i64::from(v != 0.0)).collect()),
            (Numbers::Floats(list), Kind::Int) => Numbers::Ints(list.iter().map(|&value| value as i64).collect()),
            (numbers, _) => numbers.clone(),
        };
        return Value::known(x.shape.sides(), numbers, kind);
    }
    let own = std::slice::from_ref(x);
    match (x.kind, kind) {
        (Kind::Float, Kind::Int) => trace.emit_as(Unary::Trunc, own, kind),
        (_, Kind::Bool) => {
            let zero = Value::scalar(0.0)?;
            trace.emit_as(Binary::Ne, &[x.clone(), zero], kind)
        }
        // Whole numbers and truth values are floats already.
        _ => Ok(Value { kind, ..x.clone() }),
    }
}

fn clip(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let bound = |name: &str, index: usize, default: f32| -> Result<Option<f32>, String> {
        match call.given(index) {
            Some(value) => Ok(value.single()),
            None => call.float(name, default).map(Some),
        }
    };
    let (low, high) = (bound("min", 1, f32::NEG_INFINITY)?, bound("max", 2, f32::INFINITY)?);
    if let (Some(list), Some(low), Some(high)) = (x.ints(), low, high) {
        let values = list.into_iter().map(|value| value.max(low as i64).min(high as i64)).collect();
        return one(Value::known(x.shape.sides(), Numbers::Ints(values), x.kind));
    }
    if let (Some(low), Some(high)) = (low, high) {
        return one(trace.emit_as(Clamp { low, high }, std::slice::from_ref(x), x.kind));
    }
    let mut y = x.clone();
    for (index, op) in [(1, Binary::Maximum), (2, Binary::Minimum)] {
        if let Some(bound) = call.given(index) {
            y = trace.emit(op, &[y, bound.clone()])?;
        }
    }
    Ok(vec![y])
}

/// The number that a value is repeated from, if it is a single known one that gives another value no more dimensions, and
/// that value is not known.
fn factor(value: &Value, beside: &Value) -> Option<f32> {
    let is_run = !matches!(beside.content, Content::Known(..));
    value.single().filter(|value| is_run && value.is_finite()).filter(|_| value.rank() <= beside.rank())
}

/// The kind of what two values give together.
fn common(a: &Value, b: &Value) -> Kind {
    if a.kind == Kind::Int && b.kind == Kind::Int { Kind::Int } else { Kind::Float }
}

/// A function of two values, of whole numbers exactly where they are known.
fn binary(trace: &mut Trace<'_>, name: &str, op: impl Into<Op>, a: &Value, b: &Value) -> Result<Value, String> {
    if let Some(known) = fold::integers(name, a, b, Kind::Int) {
        return known;
    }
    trace.emit_as(op, &[a.clone(), b.clone()], common(a, b))
}

/// `a + b`.
pub fn sum(trace: &mut Trace<'_>, a: &Value, b: &Value) -> Result<Value, String> {
    for (x, number) in [(a, b), (b, a)] {
        if let Some(offset) = factor(number, x) {
            return affine(trace, x, 1.0, offset);
        }
    }
    binary(trace, "Add", Add, a, b)
}

/// `a - b`.
pub fn difference(trace: &mut Trace<'_>, a: &Value, b: &Value) -> Result<Value, String> {
    if let Some(offset) = factor(b, a) {
        return affine(trace, a, 1.0, -offset);
    }
    if let Some(offset) = factor(a, b) {
        return affine(trace, b, -1.0, offset);
    }
    binary(trace, "Sub", Binary::Sub, a, b)
}

/// `a * b`.
pub fn product(trace: &mut Trace<'_>, a: &Value, b: &Value) -> Result<Value, String> {
    for (x, number) in [(a, b), (b, a)] {
        if let Some(scale) = factor(number, x) {
            return affine(trace, x, scale, 0.0);
        }
    }
    binary(trace, "Mul", Mul, a, b)
}

/// `a / b`, of whole numbers towards zero.
pub fn quotient(trace: &mut Trace<'_>, a: &Value, b: &Value) -> Result<Value, String> {
    if common(a, b) == Kind::Int {
        if let Some(known) = fold::integers("Div", a, b, Kind::Int) {
            return known;
        }
        let exact = trace.emit(Binary::Div, &[a.clone(), b.clone()])?;
        return trace.emit_as(Unary::Trunc, &[exact], Kind::Int);
    }
    if let Some(divisor) = factor(b, a).filter(|divisor| (1.0 / divisor).is_normal()) {
        return affine(trace, a, 1.0 / divisor, 0.0);
    }
    trace.emit(Binary::Div, &[a.clone(), b.clone()])
}

/// `Mod`: of whole numbers with the divisor's sign, and with `fmod` with the dividend's.
fn remainder(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if call.int("fmod", 0)? == 0 {
        return one(binary(trace, "Mod", Binary::Remainder, a, b));
    }
    let ratio = trace.emit(Binary::Div, &[a.clone(), b.clone()])?;
    let whole = trace.emit(Unary::Trunc, &[ratio])?;
    let part = trace.emit(Mul, &[whole, b.clone()])?;
    one(trace.emit_as(Binary::Sub, &[a.clone(), part], common(a, b)))
}

/// `a ^ b`.
fn power(trace: &mut Trace<'_>, a: &Value, b: &Value) -> Result<Value, String> {
    if let Some(known) = fold::integers("Pow", a, b, Kind::Int) {
        return known;
    }
    let op: Op = match factor(b, a) {
        Some(1.0) => return Ok(a.clone()),
        Some(2.0) => Unary::Square.into(),
        Some(0.5) => Unary::Sqrt.into(),
        Some(-1.0) => Unary::Reciprocal.into(),
        _ => return trace.emit_as(Binary::Pow, &[a.clone(), b.clone()], a.kind),
    };
    trace.emit_as(op, std::slice::from_ref(a), a.kind)
}

/// A function of two values, of one after the other.
fn several(
    trace: &mut Trace<'_>,
    call: &Call<'_>,
    two: fn(&mut Trace<'_>, &Value, &Value) -> Result<Value, String>,
) -> Given {
    let all = call.all();
    let (first, rest) = all.split_first().ok_or("it has no inputs")?;
    one(rest.iter().try_fold(first.clone(), |so_far, next| two(trace, &so_far, next)))
}

fn mean(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let total = several(trace, call, sum)?.swap_remove(0);
    one(affine(trace, &total, 1.0 / call.all().len() as f32, 0.0))
}

fn truth(trace: &mut Trace<'_>, call: &Call<'_>, name: &str, op: Binary) -> Given {
    let (a, b) = (call.input(0)?, call.input(1)?);
    match fold::integers(name, a, b, Kind::Bool) {
        Some(known) => one(known),
        None => one(trace.emit_as(op, &[a.clone(), b.clone()], Kind::Bool)),
    }
}

fn choice(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let (condition, a, b) = (call.input(0)?, call.input(1)?, call.input(2)?);
    match fold::chosen(condition, a, b) {
        Some(known) => one(known),
        None => one(trace.emit_as(Where, &[condition.clone(), a.clone(), b.clone()], common(a, b))),
    }
}
