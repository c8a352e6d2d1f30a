//! Functions over dimensions: sums, means, norms.

use super::super::super::at;
use super::super::super::tensor::Kind;
use super::super::super::value::{Id, Value};
use super::super::Run;
use super::super::arithmetic::float;
use super::Bound;
use crate::error::Result;
use crate::network::ops::{Binary, Cumsum, Reduce, Reduction, Softmax, Unary};

impl Run<'_> {
    /// Sums, means and what else goes over dimensions.
    pub(super) fn reduction(&mut self, name: &str, x: Id, bound: &Bound, line: usize) -> Result<Option<Value>> {
        let own = self.tensor(x).kind;
        let correction = match bound.get("unbiased") {
            Some(Value::Int(number)) => usize::try_from(*number).unwrap_or(0),
            Some(Value::Bool(flag)) => usize::from(*flag),
            // `x.var(unbiased)` without dimensions.
            _ if matches!(bound.get("dim"), Some(Value::Bool(_))) => {
                return at(line, "write unbiased= with its name here");
            }
            _ => 1,
        };
        let (reduction, kind) = match name {
            "sum" | "prod" => (if name == "sum" { Reduction::Sum } else { Reduction::Prod }, own.max(Kind::Int)),
            "mean" => (Reduction::Mean, own),
            "amax" | "max" => (Reduction::Amax, own),
            "amin" | "min" => (Reduction::Amin, own),
            "argmax" => (Reduction::Argmax, Kind::Int),
            "argmin" => (Reduction::Argmin, Kind::Int),
            "all" => (Reduction::All, Kind::Bool),
            "any" => (Reduction::Any, Kind::Bool),
            "var" => (Reduction::Var { correction }, own),
            "std" => (Reduction::Std { correction }, own),
            "norm" => return self.normed(x, bound, line).map(Some),
            "normalize" => return self.normalized(x, bound, line).map(Some),
            "softmax" | "log_softmax" => {
                let dim = self.dim(x, bound, "dim", None, line)?;
                let op = Softmax { dim, log: name == "log_softmax" };
                return self.op(op, &[x], own, line).map(|id| Some(Value::Tensor(id)));
            }
            "cumsum" => {
                let dim = self.dim(x, bound, "dim", None, line)?;
                return self.op(Cumsum { dim }, &[x], own.max(Kind::Int), line).map(|id| Some(Value::Tensor(id)));
            }
            _ => return Ok(None),
        };
        if matches!(name, "max" | "min") && matches!(bound.get("dim"), Some(Value::Tensor(_))) {
            let other = bound.get("dim").cloned().unwrap_or(Value::None);
            let operator = if name == "max" { Binary::Maximum } else { Binary::Minimum };
            return self.between(operator, &Value::Tensor(x), &other, line).map(Some);
        }
        let result = self.reduced(reduction, x, bound, kind, line)?;
        if matches!(name, "max" | "min") && bound.get("dim").is_some() {
            let place = if name == "max" { Reduction::Argmax } else { Reduction::Argmin };
            let places = self.reduced(place, x, bound, Kind::Int, line)?;
            return self.tuple(vec![Value::Tensor(result), Value::Tensor(places)], line).map(Some);
        }
        Ok(Some(Value::Tensor(result)))
    }

    pub(super) fn reduced(
        &mut self,
        reduction: Reduction,
        x: Id,
        bound: &Bound,
        kind: Kind,
        line: usize,
    ) -> Result<Id> {
        let rank = self.tensor(x).shape.sides().len();
        let mut dim = match bound.get("dim").cloned() {
            Some(dim) => self.dims(x, &dim, line)?,
            None => Vec::new(),
        };
        if dim.is_empty() {
            dim = (0..rank).collect();
        }
        dim.sort_unstable();
        let keepdim = match bound.get("keepdim").cloned() {
            Some(flag) => self.truth(&flag, line)?,
            None => false,
        };
        self.op(Reduce { reduction, dim, keepdim }, &[x], kind, line)
    }

    /// `x.norm(p, dim, keepdim)` for p 1 and 2.
    pub(super) fn normed(&mut self, x: Id, bound: &Bound, line: usize) -> Result<Value> {
        match bound.get("p").map_or(Some(2.0), float) {
            Some(2.0) => {
                let square = self.op(Unary::Square, &[x], Kind::Float, line)?;
                let sum = self.reduced(Reduction::Sum, square, bound, Kind::Float, line)?;
                self.op(Unary::Sqrt, &[sum], Kind::Float, line).map(Value::Tensor)
            }
            Some(1.0) => {
                let size = self.op(Unary::Abs, &[x], Kind::Float, line)?;
                self.reduced(Reduction::Sum, size, bound, Kind::Float, line).map(Value::Tensor)
            }
            _ => at(line, "norms are followed for p=1 and p=2"),
        }
    }

    /// `F.normalize(x, dim=1, eps=1e-12)`.
    pub(super) fn normalized(&mut self, x: Id, bound: &Bound, line: usize) -> Result<Value> {
        if bound.get("p").is_some_and(|p| float(p) != Some(2.0)) {
            return at(line, "normalize is followed for p=2");
        }
        let dim = self.dim(x, bound, "dim", Some(1), line)?;
        let square = self.op(Unary::Square, &[x], Kind::Float, line)?;
        let sum = Reduce { reduction: Reduction::Sum, dim: vec![dim], keepdim: true };
        let sum = self.op(sum, &[square], Kind::Float, line)?;
        let norm = self.op(Unary::Sqrt, &[sum], Kind::Float, line)?;
        let least = self.scalar(bound.get("eps").and_then(float).unwrap_or(1e-12), line)?;
        let norm = self.op(Binary::Maximum, &[norm, least], Kind::Float, line)?;
        self.op(Binary::Div, &[x, norm], Kind::Float, line).map(Value::Tensor)
    }
}
