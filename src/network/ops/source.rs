//! Where values come from: the network's inputs, stored tensors, and numbers of the description itself.

use std::sync::Arc;

use serde::Serialize;

use super::{Operator, ParameterSpec, Parameters, Reach, capped_channels};
use crate::error::{Code, Error, Result};
use crate::network::Shape;
use crate::tensor::{Tensor, element_count};

/// A network input `[N, channels, H, W]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Input {
    /// Channels it must have.
    pub channels: usize,
}

/// A tensor of the state dict that `forward` uses by itself, such as MI-GAN's noise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// PyTorch's shape.
    pub shape: Vec<usize>,
}

/// Numbers that are part of the description.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant(Arc<Tensor>);

/// Its values are no arguments.
impl Serialize for Constant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.shape().serialize(serializer)
    }
}

impl Constant {
    /// These values.
    pub fn new(value: Tensor) -> Self {
        Self(Arc::new(value))
    }

    /// The values.
    pub fn value(&self) -> &Tensor {
        &self.0
    }
}

impl Operator for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn written(&self) -> String {
        format!("input(channels={})", self.channels)
    }

    fn arity(&self) -> (usize, usize) {
        (0, 0)
    }

    fn check(&self) -> Result<(), String> {
        capped_channels("channels", self.channels)
    }

    /// Of the tensor that is given.
    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (channels, ..) = inputs[0].planes()?;
        if channels != self.channels {
            let expected = self.channels;
            return Err(format!("expected input to have {expected} channels, but got {channels} channels instead"));
        }
        Ok(vec![inputs[0]])
    }

    fn reach(&self) -> Reach {
        Reach::Pixel
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        Ok(vec![inputs[0].clone()])
    }
}

/// The shape as a value's; for people if there are too many dimensions.
fn value_shape(shape: &[usize]) -> Result<Shape, String> {
    Shape::of(shape).ok_or_else(|| format!("values of more than eight dimensions are not run, and this has {shape:?}"))
}

impl Operator for Stored {
    fn name(&self) -> &'static str {
        "parameter"
    }

    fn written(&self) -> String {
        format!("self.parameter  # {:?}", self.shape)
    }

    fn arity(&self) -> (usize, usize) {
        (0, 0)
    }

    fn check(&self) -> Result<(), String> {
        value_shape(&self.shape)?;
        match element_count(&self.shape) {
            Some(count) if count > 0 => Ok(()),
            _ => Err(format!("a tensor of shape {:?} cannot be held", self.shape)),
        }
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        vec![ParameterSpec::statistic("value", self.shape.clone())]
    }

    fn infer(&self, _inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![value_shape(&self.shape)?])
    }

    fn forward(&self, _inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        Ok(vec![Tensor::new(self.shape.clone(), parameters.required("value")?.to_vec())?])
    }
}

impl Operator for Constant {
    fn name(&self) -> &'static str {
        "constant"
    }

    fn written(&self) -> String {
        format!("torch.tensor(...)  # {:?}", self.0.shape())
    }

    fn arity(&self) -> (usize, usize) {
        (0, 0)
    }

    fn check(&self) -> Result<(), String> {
        value_shape(self.0.shape()).map(drop)
    }

    fn infer(&self, _inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![value_shape(self.0.shape())?])
    }

    fn forward(&self, _inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        Ok(vec![self.0.as_ref().clone()])
    }
}

/// The values of a node's parameters as they are taken from a state dict; `internal` error if one has another size.
pub fn take(
    specs: Vec<ParameterSpec>,
    keys: &[String],
    mut value: impl FnMut(&str) -> Result<Vec<f32>>,
) -> Result<Vec<(&'static str, Vec<f32>)>> {
    let mut taken = Vec::new();
    for (spec, key) in specs.into_iter().zip(keys) {
        if spec.kind == super::ParameterKind::Counter {
            continue;
        }
        let values = value(key)?;
        if element_count(&spec.shape) != Some(values.len()) {
            let text = format!("{key} has {} values, but its shape is {:?}.", values.len(), spec.shape);
            return Err(Error::new(Code::Internal, text));
        }
        taken.push((spec.name, values));
    }
    Ok(taken)
}
