//! Arithmetic, comparisons, and functions of single values.

use super::super::super::at;
use super::super::super::tensor::Kind;
use super::super::super::value::{Id, Value};
use super::super::Run;
use super::super::arithmetic::{float, int_of, tensor_of};
use super::Bound;
use crate::error::Result;
use crate::network::Op;
use crate::network::ops::{Affine, Binary, MatMul, Unary};

impl Run<'_> {
    /// Arithmetic under its name.
    pub(super) fn arithmetic_function(&mut self, name: &str, bound: &Bound, line: usize) -> Result<Option<Value>> {
        let operator = match name {
            "add" => "+",
            "sub" | "subtract" => "-",
            "mul" | "multiply" => "*",
            "div" | "divide" | "true_divide" => "/",
            "floor_divide" => "//",
            "remainder" => "%",
            "pow" => "**",
            "matmul" => "@",
            "eq" => "==",
            "ne" => "!=",
            "lt" => "<",
            "le" => "<=",
            "gt" => ">",
            "ge" => ">=",
            "bitwise_and" => "&",
            "bitwise_or" => "|",
            _ => "",
        };
        let (Some(x), other) = (bound.get("input").cloned(), bound.get("other").or(bound.get("exponent")).cloned())
        else {
            return Ok(None);
        };
        if let (false, Some(mut other)) = (operator.is_empty(), other.clone()) {
            if let Some(alpha) = bound.get("alpha").cloned() {
                other = self.binary("*", other, alpha, line)?;
            }
            let value = self.binary(operator, x, other, line)?;
            return match bound.get("rounding_mode") {
                None => Ok(Some(value)),
                Some(Value::Text(mode)) if matches!(&**mode, "floor" | "trunc") => {
                    let op = if &**mode == "floor" { Unary::Floor } else { Unary::Trunc };
                    let value = tensor_of(&value, line)?;
                    self.op(op, &[value], Kind::Float, line).map(|id| Some(Value::Tensor(id)))
                }
                Some(_) => at(line, "this rounding_mode is not followed"),
            };
        }
        let between = match name {
            "maximum" => Binary::Maximum,
            "minimum" => Binary::Minimum,
            "atan2" => Binary::Atan2,
            "logical_and" => Binary::LogicalAnd,
            "logical_or" => Binary::LogicalOr,
            "logical_xor" => Binary::LogicalXor,
            _ => return self.composed(name, &x, other, bound, line),
        };
        let Some(other) = other else {
            return at(line, format!("{name} takes two tensors"));
        };
        self.between(between, &x, &other, line).map(Some)
    }

    /// Functions that are made of others.
    pub(super) fn composed(
        &mut self,
        name: &str,
        x: &Value,
        other: Option<Value>,
        bound: &Bound,
        line: usize,
    ) -> Result<Option<Value>> {
        let argument = |name: &str| bound.get(name).cloned();
        match (name, other) {
            ("bmm" | "mm", Some(other)) => self.binary("@", x.clone(), other, line).map(Some),
            ("neg" | "negative", _) => self.binary("*", x.clone(), Value::Int(-1), line).map(Some),
            ("bitwise_not", _) => {
                let x = tensor_of(x, line)?;
                self.inverted(x, line).map(Some)
            }
            ("addcmul", _) => {
                let (Some(a), Some(b)) = (argument("tensor1"), argument("tensor2")) else {
                    return Ok(None);
                };
                let mut product = self.binary("*", a, b, line)?;
                if let Some(value) = argument("value") {
                    product = self.binary("*", product, value, line)?;
                }
                self.binary("+", x.clone(), product, line).map(Some)
            }
            ("lerp", _) => {
                let (Some(end), Some(weight)) = (argument("end"), argument("weight")) else {
                    return Ok(None);
                };
                let way = self.binary("-", end, x.clone(), line)?;
                let way = self.binary("*", way, weight, line)?;
                self.binary("+", x.clone(), way, line).map(Some)
            }
            ("clamp" | "clip", _) => {
                let (low, high) = (argument("min"), argument("max"));
                self.clamped(x.clone(), low, high, line).map(Some)
            }
            ("clamp_min", _) => self.clamped(x.clone(), argument("bound"), None, line).map(Some),
            ("clamp_max", _) => self.clamped(x.clone(), None, argument("bound"), line).map(Some),
            ("masked_fill", _) => {
                let (x, mask) = (tensor_of(x, line)?, self.tensor_argument(bound, "mask", line)?);
                let value = argument("value").unwrap_or(Value::None);
                self.filled(x, mask, &value, line).map(|id| Some(Value::Tensor(id)))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn clamped(&mut self, x: Value, low: Option<Value>, high: Option<Value>, line: usize) -> Result<Value> {
        let number = |value: &Option<Value>, open: f64| match value {
            None => Some(open),
            Some(value) => float(value),
        };
        let id = tensor_of(&x, line)?;
        let own = self.tensor(id).kind;
        if let (Some(a), Some(b)) = (number(&low, f64::NEG_INFINITY), number(&high, f64::INFINITY))
            && a <= b
            && low.iter().chain(&high).all(|bound| own == Kind::Float || int_of(bound).is_some())
        {
            let op = crate::network::ops::Clamp { low: a as f32, high: b as f32 };
            return self.op(op, &[id], own, line).map(Value::Tensor);
        }
        // Tensors as bounds; the upper one wins.
        let mut x = x;
        if let Some(low) = low {
            x = self.between(Binary::Maximum, &x, &low, line)?;
        }
        if let Some(high) = high {
            x = self.between(Binary::Minimum, &x, &high, line)?;
        }
        Ok(x)
    }

    /// An operator between two values of which at least one is a tensor.
    pub(in super::super) fn tensors_between(
        &mut self,
        operator: &str,
        left: &Value,
        right: &Value,
        line: usize,
    ) -> Result<Value> {
        if let Some(affine) = self.affine(operator, left, right) {
            let x = tensor_of(if matches!(left, Value::Tensor(_)) { left } else { right }, line)?;
            return self.op(affine, &[x], Kind::Float, line).map(Value::Tensor);
        }
        let binary = match operator {
            "+" => return self.many(crate::network::ops::Add.into(), left, right, line),
            "*" => return self.many(crate::network::ops::Mul.into(), left, right, line),
            "@" => return self.many(MatMul.into(), left, right, line),
            "-" => Binary::Sub,
            "/" => Binary::Div,
            "//" => Binary::FloorDivide,
            "%" => Binary::Remainder,
            "**" => Binary::Pow,
            "==" => Binary::Eq,
            "!=" => Binary::Ne,
            "<" => Binary::Lt,
            "<=" => Binary::Le,
            ">" => Binary::Gt,
            ">=" => Binary::Ge,
            "&" | "|" | "^" if self.are_truths(left, right) => match operator {
                "&" => Binary::LogicalAnd,
                "|" => Binary::LogicalOr,
                _ => Binary::LogicalXor,
            },
            _ => return at(line, format!("{operator} with a tensor is not followed")),
        };
        self.between(binary, left, right, line)
    }

    pub(super) fn are_truths(&self, left: &Value, right: &Value) -> bool {
        [left, right].iter().all(|value| match value {
            Value::Tensor(id) => self.tensor(*id).kind == Kind::Bool,
            other => matches!(other, Value::Bool(_)),
        })
    }

    /// A tensor of floats and a number, where `x * scale + offset` says the same.
    pub(super) fn affine(&self, operator: &str, left: &Value, right: &Value) -> Option<Affine> {
        let is_float = |value: &Value| matches!(value, Value::Tensor(id) if self.tensor(*id).kind == Kind::Float);
        let (scale, offset) = match (operator, is_float(left), is_float(right), float(left), float(right)) {
            ("+", true, _, _, Some(n)) | ("+", _, true, Some(n), _) => (1.0, n),
            ("*", true, _, _, Some(n)) | ("*", _, true, Some(n), _) => (n, 0.0),
            ("-", true, _, _, Some(n)) => (1.0, -n),
            ("-", _, true, Some(n), _) => (-1.0, n),
            // The reciprocal of a power of two is exact.
            ("/", true, _, _, Some(n)) if n.is_normal() && n.to_bits() << 12 == 0 => (1.0 / n, 0.0),
            _ => return None,
        };
        let (scale, offset) = (scale as f32, offset as f32);
        (scale.is_finite() && offset.is_finite()).then_some(Affine { scale, offset })
    }

    pub(super) fn many(&mut self, op: Op, left: &Value, right: &Value, line: usize) -> Result<Value> {
        let (a, b) = (self.as_tensor(left, line)?, self.as_tensor(right, line)?);
        let kind = self.promoted(left, right);
        // The sum of truth values is one.
        let op = if kind == Kind::Bool && matches!(op, Op::Add(_)) { Binary::LogicalOr.into() } else { op };
        self.op(op, &[a, b], kind, line).map(Value::Tensor)
    }

    /// What kind PyTorch gives the result of arithmetic: tensors with dimensions decide before those without.
    pub(super) fn promoted(&self, left: &Value, right: &Value) -> Kind {
        let kind = |value: &Value| match value {
            Value::Tensor(id) => self.tensor(*id).kind,
            Value::Float(_) => Kind::Float,
            Value::Bool(_) => Kind::Bool,
            _ => Kind::Int,
        };
        kind(left).max(kind(right))
    }

    pub(super) fn between(&mut self, binary: Binary, left: &Value, right: &Value, line: usize) -> Result<Value> {
        let (a, b) = (self.as_tensor(left, line)?, self.as_tensor(right, line)?);
        let kind = match binary {
            Binary::Div | Binary::Atan2 => Kind::Float,
            Binary::Sub | Binary::FloorDivide | Binary::Remainder | Binary::Pow | Binary::Maximum | Binary::Minimum => {
                self.promoted(left, right)
            }
            _ => Kind::Bool,
        };
        self.op(binary, &[a, b], kind, line).map(Value::Tensor)
    }

    /// `~x`.
    pub(in super::super) fn inverted(&mut self, x: Id, line: usize) -> Result<Value> {
        match self.tensor(x).kind {
            Kind::Bool => self.op(Unary::LogicalNot, &[x], Kind::Bool, line).map(Value::Tensor),
            _ => at(line, "~ of a tensor is followed for truth values"),
        }
    }
}

/// A function of one value, if it is one.
pub(super) fn unary(name: &str, bound: &Bound, line: usize) -> Result<Option<Unary>> {
    let number = |name: &str, default: f64| match bound.get(name) {
        None => Ok(default as f32),
        Some(value) => float(value).map_or_else(|| at(line, format!("{name} is not followed")), |n| Ok(n as f32)),
    };
    Ok(Some(match name {
        "abs" => Unary::Abs,
        "exp" => Unary::Exp,
        "expm1" => Unary::Expm1,
        "log" => Unary::Log,
        "log2" => Unary::Log2,
        "log10" => Unary::Log10,
        "log1p" => Unary::Log1p,
        "sqrt" => Unary::Sqrt,
        "rsqrt" => Unary::Rsqrt,
        "square" => Unary::Square,
        "reciprocal" => Unary::Reciprocal,
        "sin" => Unary::Sin,
        "cos" => Unary::Cos,
        "tan" => Unary::Tan,
        "atan" => Unary::Atan,
        "floor" => Unary::Floor,
        "ceil" => Unary::Ceil,
        "round" => Unary::Round,
        "trunc" => Unary::Trunc,
        "sign" => Unary::Sign,
        "erf" => Unary::Erf,
        "isnan" => Unary::IsNan,
        "logical_not" => Unary::LogicalNot,
        "hardswish" => Unary::Hardswish,
        "hardsigmoid" => Unary::Hardsigmoid,
        "mish" => Unary::Mish,
        "selu" => Unary::Selu,
        "logsigmoid" => Unary::LogSigmoid,
        "softsign" => Unary::Softsign,
        "tanhshrink" => Unary::Tanhshrink,
        "gelu" => match bound.get("approximate") {
            None => Unary::Gelu { tanh: false },
            Some(Value::Text(text)) if matches!(&**text, "none" | "tanh") => Unary::Gelu { tanh: &**text == "tanh" },
            Some(_) => return at(line, "this approximate is not followed"),
        },
        "softplus" => Unary::Softplus { beta: number("beta", 1.0)?, threshold: number("threshold", 20.0)? },
        "celu" => Unary::Celu { alpha: number("alpha", 1.0)? },
        "hardshrink" => Unary::Hardshrink { lambd: number("lambd", 0.5)? },
        "softshrink" => Unary::Softshrink { lambd: number("lambd", 0.5)? },
        "threshold" => Unary::Threshold { threshold: number("threshold", 0.0)?, value: number("value", 0.0)? },
        _ => return Ok(None),
    }))
}
