//! Functions that are layers elsewhere: convolutions with given weights, norms, sampling.

use super::super::super::at;
use super::super::super::tensor::{Kind, View};
use super::super::super::value::{Id, Value};
use super::super::Run;
use super::super::arithmetic::{float, tensor_of};
use super::Bound;
use crate::error::Result;
use crate::network::ops::{Binary, ConvTransposeWith, ConvWith, GridSample, LayerNorm, MatMul, Where};
use crate::network::{Op, PaddingMode};

impl Run<'_> {
    /// Convolutions with given weights, norms and what else is a layer elsewhere.
    pub(super) fn layer_function(&mut self, name: &str, x: Id, bound: &Bound, line: usize) -> Result<Option<Value>> {
        let kind = self.tensor(x).kind;
        let id = match name {
            "linear" => {
                let weight = self.tensor_argument(bound, "weight", line)?;
                let weight = self.view(weight, View::Permute(vec![1, 0]), line)?;
                let product = self.op(MatMul, &[x, weight], kind, line)?;
                match bound.get("bias").cloned() {
                    Some(bias) => {
                        return self.binary("+", Value::Tensor(product), bias, line).map(Some);
                    }
                    None => product,
                }
            }
            "conv2d" | "conv_transpose2d" => self.given_weights(name, x, bound, line)?,
            "layer_norm" => {
                let Some(shape) = bound.get("normalized_shape").cloned() else {
                    return Ok(None);
                };
                let shape = self.ints(&shape, line)?.into_iter().map(|n| usize::try_from(n).unwrap_or(0)).collect();
                let eps = bound.get("eps").and_then(float).unwrap_or(1e-5);
                let op = LayerNorm { normalized_shape: shape, eps, elementwise_affine: false, bias: false };
                let y = self.op(op, &[x], kind, line)?;
                return self.scaled(y, bound, &[], line).map(Some);
            }
            "instance_norm" => {
                let eps = bound.get("eps").and_then(float).unwrap_or(1e-5);
                let uses_input = bound.get("use_input_stats").cloned();
                if bound.get("running_mean").is_some()
                    || uses_input.is_some_and(|flag| !matches!(flag, Value::Bool(true)))
                {
                    return at(line, "instance_norm is followed without running statistics");
                }
                let shape = self.tensor(x).shape;
                let op =
                    crate::network::InstanceNorm2d { eps, ..crate::network::InstanceNorm2d::new(shape.channels()) };
                let y = self.op(op, &[x], kind, line)?;
                return self.scaled(y, bound, &[1, 1], line).map(Some);
            }
            "prelu" => {
                let weight = self.tensor_argument(bound, "weight", line)?;
                let count = self.tensor(weight).shape.elements() as usize;
                let sides = [
                    vec![count],
                    vec![1; if count > 1 { self.tensor(x).shape.sides().len().saturating_sub(2) } else { 0 }],
                ]
                .concat();
                let weight = self.reviewed(weight, &sides, line)?;
                let scaled = self.op(crate::network::ops::Mul, &[x, weight], kind, line)?;
                let zero = self.scalar(0.0, line)?;
                let positive = self.op(Binary::Ge, &[x, zero], Kind::Bool, line)?;
                self.op(Where, &[positive, x, scaled], kind, line)?
            }
            "grid_sample" => self.sampled(x, bound, line)?,
            "dropout" | "dropout2d" | "alpha_dropout" | "feature_dropout" | "feature_alpha_dropout" => {
                let default = name == "dropout" || name == "dropout2d";
                let training = match bound.get("training").cloned() {
                    Some(flag) => self.truth(&flag, line)?,
                    None => default,
                };
                let p = bound.get("p").map_or(Some(0.5), float);
                if training && p != Some(0.0) {
                    return at(
                        line,
                        "this dropout stays active outside of training, so that every run gives another picture: write F.dropout(x, p, training=self.training)",
                    );
                }
                x
            }
            _ => return Ok(None),
        };
        Ok(Some(Value::Tensor(id)))
    }

    /// A normed tensor times a weight plus a bias, whose sides of 1 follow theirs.
    pub(super) fn scaled(&mut self, y: Id, bound: &Bound, ones: &[usize], line: usize) -> Result<Value> {
        let mut y = Value::Tensor(y);
        for (name, operator) in [("weight", "*"), ("bias", "+")] {
            if let Some(value) = bound.get(name).cloned() {
                let id = tensor_of(&value, line)?;
                let sides = [self.tensor(id).shape.sides(), ones].concat();
                let value = self.reviewed(id, &sides, line)?;
                y = self.binary(operator, y, Value::Tensor(value), line)?;
            }
        }
        Ok(y)
    }

    pub(super) fn given_weights(&mut self, name: &str, x: Id, bound: &Bound, line: usize) -> Result<Id> {
        let weight = self.tensor_argument(bound, "weight", line)?;
        let mut inputs = vec![x, weight];
        if let Some(bias) = bound.get("bias").cloned() {
            inputs.push(tensor_of(&bias, line)?);
        }
        let pair = |run: &mut Self, name: &str, default: usize| -> Result<(usize, usize)> {
            let Some(value) = bound.get(name).cloned() else {
                return Ok((default, default));
            };
            let numbers = run.ints(&value, line)?;
            let number = |n: i64| usize::try_from(n).ok().filter(|&n| n as i64 <= crate::limits::MAX_LAYER_NUMBER);
            match numbers.iter().map(|&n| number(n)).collect::<Option<Vec<_>>>().as_deref() {
                Some([both]) => Ok((*both, *both)),
                Some([height, width]) => Ok((*height, *width)),
                _ => at(line, format!("{name} is not followed like this")),
            }
        };
        if let Some(Value::Text(_)) = bound.get("padding") {
            return at(line, "padding as a text is not followed here: write the number");
        }
        let (stride, padding) = (pair(self, "stride", 1)?, pair(self, "padding", 0)?);
        let (dilation, (groups, _)) = (pair(self, "dilation", 1)?, pair(self, "groups", 1)?);
        let op: Op = match name {
            "conv2d" => ConvWith { stride, padding, dilation, groups }.into(),
            _ => {
                let output_padding = pair(self, "output_padding", 0)?;
                ConvTransposeWith { stride, padding, output_padding, dilation, groups }.into()
            }
        };
        self.op(op, &inputs, Kind::Float, line)
    }

    pub(super) fn sampled(&mut self, x: Id, bound: &Bound, line: usize) -> Result<Id> {
        let grid = self.tensor_argument(bound, "grid", line)?;
        let text = |name: &str| match bound.get(name) {
            Some(Value::Text(text)) => Some(text.to_string()),
            _ => None,
        };
        let bilinear = match text("mode").as_deref() {
            None | Some("bilinear") => true,
            Some("nearest") => false,
            _ => return at(line, "grid_sample is followed bilinear and nearest"),
        };
        let padding_mode = match text("padding_mode").as_deref() {
            None | Some("zeros") => PaddingMode::Zeros,
            Some("border") => PaddingMode::Replicate,
            Some("reflection") => PaddingMode::Reflect,
            _ => return at(line, "this padding_mode is not followed"),
        };
        let align_corners = match bound.get("align_corners").cloned() {
            Some(flag) => self.truth(&flag, line)?,
            None => false,
        };
        self.op(GridSample { bilinear, padding_mode, align_corners }, &[x, grid], Kind::Float, line)
    }
}
