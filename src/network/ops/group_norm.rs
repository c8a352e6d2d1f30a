//! Norms by the values' own statistics over groups of channels or over the last dimensions, and `nn.PReLU`.

use serde::Serialize;

use super::spelling::{Arguments, Kind, Spelling};
use super::{Operator, ParameterSpec, Parameters, Reach, capped_channels};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::{Tensor, element_count};

/// [`torch.nn.GroupNorm`](https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html): `[N, C, ...]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct GroupNorm {
    pub num_groups: usize,
    pub num_channels: usize,
    pub eps: f64,
    pub affine: bool,
}

/// [`torch.nn.LayerNorm`](https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html) over the last dimensions.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct LayerNorm {
    pub normalized_shape: Vec<usize>,
    pub eps: f64,
    pub elementwise_affine: bool,
    pub bias: bool,
}

/// [`torch.nn.PReLU`](https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html): a slope for all channels or for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct PReLU {
    pub num_parameters: usize,
}

/// Normalises a block by its own mean and biased variance; each value then gets a factor and a summand by its place.
fn normalise(block: &mut [f32], eps: f64, scale: impl Fn(usize) -> (f32, f32)) {
    let count = block.len() as f64;
    let mean = block.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let var = block.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count;
    let factor = 1.0 / (var + eps).sqrt();
    for (place, value) in block.iter_mut().enumerate() {
        let (weight, bias) = scale(place);
        *value = ((f64::from(*value) - mean) * factor * f64::from(weight) + f64::from(bias)) as f32;
    }
}

impl Operator for GroupNorm {
    fn name(&self) -> &'static str {
        "GroupNorm"
    }

    fn written(&self) -> String {
        let mut args = vec![self.num_groups.to_string(), self.num_channels.to_string()];
        args.extend((self.eps != 1e-5).then(|| format!("eps={}", self.eps)));
        args.extend((!self.affine).then(|| "affine=False".to_owned()));
        format!("GroupNorm({})", args.join(", "))
    }

    fn check(&self) -> Result<(), String> {
        capped_channels("num_channels", self.num_channels)?;
        if self.num_groups == 0 || !self.num_channels.is_multiple_of(self.num_groups) {
            return Err("num_channels must be divisible by num_groups".to_owned());
        }
        Ok(())
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let names: &[&'static str] = if self.affine { &["weight", "bias"] } else { &[] };
        names.iter().map(|name| ParameterSpec::trained(name, [self.num_channels])).collect()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        match inputs[0].sides() {
            [_, channels, ..] if *channels == self.num_channels => Ok(vec![inputs[0]]),
            sides => Err(format!(
                "Expected weight to be a vector of size equal to the number of channels in input, but got weight of \
                 shape [{}] and input of shape {sides:?}",
                self.num_channels
            )),
        }
    }

    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (weight, bias) = (parameters.get("weight"), parameters.get("bias"));
        let mut out = inputs[0].clone();
        let plane: usize = out.shape()[2..].iter().product();
        let channels = self.num_channels / self.num_groups.max(1);
        for (index, block) in out.data_mut().chunks_exact_mut((channels * plane).max(1)).enumerate() {
            let first = index % self.num_groups * channels;
            normalise(block, self.eps, |place| {
                let channel = first + place / plane.max(1);
                (weight.map_or(1.0, |w| w[channel]), bias.map_or(0.0, |b| b[channel]))
            });
        }
        Ok(vec![out])
    }
}

impl Operator for LayerNorm {
    fn name(&self) -> &'static str {
        "LayerNorm"
    }

    fn written(&self) -> String {
        let mut args = vec![format!("{:?}", self.normalized_shape)];
        args.extend((self.eps != 1e-5).then(|| format!("eps={}", self.eps)));
        args.extend((!self.elementwise_affine).then(|| "elementwise_affine=False".to_owned()));
        args.extend((!self.bias).then(|| "bias=False".to_owned()));
        format!("LayerNorm({})", args.join(", "))
    }

    fn check(&self) -> Result<(), String> {
        match element_count(&self.normalized_shape) {
            Some(count) if count > 0 && !self.normalized_shape.is_empty() => capped_channels("normalized_shape", count),
            _ => Err("Expected normalized_shape to be at least 1-dimensional".to_owned()),
        }
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        let names: &[&'static str] = match (self.elementwise_affine, self.bias) {
            (true, true) => &["weight", "bias"],
            (true, false) => &["weight"],
            (false, _) => &[],
        };
        names.iter().map(|name| ParameterSpec::trained(name, self.normalized_shape.clone())).collect()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        if inputs[0].sides().ends_with(&self.normalized_shape) {
            return Ok(vec![inputs[0]]);
        }
        let shape = &self.normalized_shape;
        Err(format!(
            "Given normalized_shape={shape:?}, expected input with shape [*, {shape:?}], but got {:?}",
            inputs[0]
        ))
    }

    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (weight, bias) = (parameters.get("weight"), parameters.get("bias"));
        let mut out = inputs[0].clone();
        let count = self.normalized_shape.iter().product::<usize>().max(1);
        for block in out.data_mut().chunks_exact_mut(count) {
            let scale = |place: usize| (weight.map_or(1.0, |w| w[place]), bias.map_or(0.0, |b| b[place]));
            normalise(block, self.eps, scale);
        }
        Ok(vec![out])
    }
}

impl Operator for PReLU {
    fn name(&self) -> &'static str {
        "PReLU"
    }

    fn written(&self) -> String {
        if self.num_parameters == 1 { "PReLU()".to_owned() } else { format!("PReLU({})", self.num_parameters) }
    }

    fn check(&self) -> Result<(), String> {
        capped_channels("num_parameters", self.num_parameters)
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        vec![ParameterSpec::trained("weight", [self.num_parameters])]
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let channels = inputs[0].sides().get(1).copied().unwrap_or(1);
        if self.num_parameters == 1 || self.num_parameters == channels {
            return Ok(vec![inputs[0]]);
        }
        Err(format!(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = {} and channel size = \
             {channels}.",
            self.num_parameters
        ))
    }

    fn reach(&self) -> Reach {
        Reach::Pixel
    }

    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let weight = parameters.required("weight")?;
        let mut out = inputs[0].clone();
        let plane = out.shape().get(2..).unwrap_or(&[]).iter().product::<usize>().max(1);
        for (index, plane) in out.data_mut().chunks_exact_mut(plane).enumerate() {
            let slope = weight[index % weight.len()];
            plane.iter_mut().filter(|value| **value < 0.0).for_each(|value| *value *= slope);
        }
        Ok(vec![out])
    }
}

fn layer_norm(a: &dyn Arguments) -> Result<Option<super::Op>, String> {
    let normalized_shape = a.counts("normalized_shape")?;
    let (elementwise_affine, bias) = (a.flag("elementwise_affine", true)?, a.flag("bias", true)?);
    Ok(Some(LayerNorm { normalized_shape, eps: a.float("eps", 1e-5)?, elementwise_affine, bias }.into()))
}

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling {
        names: &["GroupNorm"],
        kind: Kind::Module,
        arguments: &["num_groups", "num_channels", "eps", "affine"],
        read: |a| {
            let (num_groups, num_channels) = (a.count("num_groups", None)?, a.count("num_channels", None)?);
            Ok(Some(
                GroupNorm { num_groups, num_channels, eps: a.float("eps", 1e-5)?, affine: a.flag("affine", true)? }
                    .into(),
            ))
        },
    },
    Spelling {
        names: &["LayerNorm"],
        kind: Kind::Module,
        arguments: &["normalized_shape", "eps", "elementwise_affine", "bias"],
        read: layer_norm,
    },
    Spelling {
        names: &["PReLU"],
        kind: Kind::Module,
        arguments: &["num_parameters", "init"],
        read: |a| Ok(Some(PReLU { num_parameters: a.count("num_parameters", Some(1))? }.into())),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn one_group_is_a_layer_norm_over_everything() {
        let x = Tensor::new([1, 2, 2], vec![1.0, 2.0, 3.0, 6.0]).unwrap();
        let group = GroupNorm { num_groups: 1, num_channels: 2, eps: 1e-5, affine: false };
        let layer = LayerNorm { normalized_shape: vec![2, 2], eps: 1e-5, elementwise_affine: false, bias: true };
        let run = |op: &dyn Operator| op.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(run(&group), run(&layer));
        assert!(GroupNorm { num_groups: 3, ..group }.check().is_err());
    }

    #[test]
    fn slopes_are_those_of_the_channels() {
        let x = Tensor::new([1, 2, 1, 2], vec![-1.0, 2.0, -3.0, -4.0]).unwrap();
        let slopes = [("weight", vec![0.5, 2.0])];
        let y = PReLU { num_parameters: 2 }.forward(&[&x], &Parameters(&slopes)).unwrap().remove(0);
        assert_eq!(y.data(), [-0.5, 2.0, -6.0, -8.0]);
        assert!(PReLU { num_parameters: 3 }.infer(&[Shape::image(2, 1, 1)]).is_err());
    }
}
