//! Norms: `nn.BatchNorm2d` in `eval()`, with its stored statistics or the picture's own, and `nn.InstanceNorm2d`.

use serde::Serialize;

use super::spelling::{Arguments, Kind, Spelling};
use super::{Operator, ParameterKind, ParameterSpec, Parameters, Reach, capped_channels};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// [`torch.nn.BatchNorm2d`](https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html):
/// `(x - mean) / sqrt(var + eps) * weight + bias`, by channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct BatchNorm2d {
    pub num_features: usize,
    pub eps: f64,
    pub affine: bool,
    /// Which mean and variance.
    #[serde(skip_serializing_if = "Statistics::are_stored")]
    pub statistics: Statistics,
}

/// Which statistics a norm takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Statistics {
    /// `running_mean` and `running_var`, as in `eval()`.
    #[default]
    Stored,
    /// Those of the picture itself, biased, as a batch of one in `train()`: the published way to test pix2pix. The state
    /// dict is the same.
    Picture,
}

impl Statistics {
    fn are_stored(&self) -> bool {
        *self == Self::Stored
    }
}

impl BatchNorm2d {
    /// `nn.BatchNorm2d(num_features)`: eps 1e-5, affine, stored statistics.
    pub fn new(num_features: usize) -> Self {
        Self { num_features, eps: 1e-5, affine: true, statistics: Statistics::Stored }
    }
}

/// [`torch.nn.InstanceNorm2d`](https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html):
/// each channel of each image normalised by its own mean and biased variance, or by running statistics if tracked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct InstanceNorm2d {
    pub num_features: usize,
    pub eps: f64,
    pub affine: bool,
    pub track_running_stats: bool,
}

impl InstanceNorm2d {
    /// `nn.InstanceNorm2d(num_features)`: eps 1e-5, no parameters, no running statistics.
    pub fn new(num_features: usize) -> Self {
        Self { num_features, eps: 1e-5, affine: false, track_running_stats: false }
    }
}

fn parameters(features: usize, affine: bool, tracked: bool) -> Vec<ParameterSpec> {
    let mut list = Vec::new();
    if affine {
        list.extend(["weight", "bias"].map(|name| ParameterSpec::trained(name, [features])));
    }
    if tracked {
        list.extend(["running_mean", "running_var"].map(|name| ParameterSpec::statistic(name, [features])));
        list.push(ParameterSpec { name: "num_batches_tracked", shape: Vec::new(), kind: ParameterKind::Counter });
    }
    list
}

fn infer(features: usize, input: Shape, own_statistics: bool) -> Result<Vec<Shape>, String> {
    let (channels, height, width) = input.planes()?;
    if features > 0 && channels != features {
        return Err(format!("expected input to have {features} channels, but got {channels} channels instead"));
    }
    if own_statistics && height <= 1 && width <= 1 {
        return Err(format!("Expected more than 1 spatial element when training, got input size ({height} x {width})"));
    }
    Ok(vec![input])
}

/// Normalises every plane of every image; `statistics` gives mean and variance of a channel, or else they are the plane's.
fn normalise(
    x: &Tensor,
    eps: f64,
    parameters: &Parameters<'_>,
    statistics: Option<(&[f32], &[f32])>,
) -> Result<Vec<Tensor>> {
    let (_, c, h, w) = x.nchw()?;
    let (weight, bias) = (parameters.get("weight"), parameters.get("bias"));
    let mut out = x.clone();
    for (index, plane) in out.data_mut().chunks_exact_mut(h * w).enumerate() {
        let channel = index % c;
        let (mean, var) = match statistics {
            Some((mean, var)) => (f64::from(mean[channel]), f64::from(var[channel])),
            None => {
                let count = plane.len() as f64;
                let mean = plane.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
                (mean, plane.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / count)
            }
        };
        let scale = f64::from(weight.map_or(1.0, |w| w[channel])) / (var + eps).sqrt();
        let offset = f64::from(bias.map_or(0.0, |b| b[channel])) - mean * scale;
        plane.iter_mut().for_each(|value| *value = (f64::from(*value) * scale + offset) as f32);
    }
    Ok(vec![out])
}

impl Operator for BatchNorm2d {
    fn name(&self) -> &'static str {
        "BatchNorm2d"
    }

    fn written(&self) -> String {
        let mut args = vec![self.num_features.to_string()];
        args.extend((self.eps != 1e-5).then(|| format!("eps={}", self.eps)));
        args.extend((!self.affine).then(|| "affine=False".to_owned()));
        let note = if self.statistics == Statistics::Picture { "  # statistics of the picture" } else { "" };
        format!("BatchNorm2d({}){note}", args.join(", "))
    }

    fn check(&self) -> Result<(), String> {
        capped_channels("num_features", self.num_features)
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        parameters(self.num_features, self.affine, true)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        infer(self.num_features, inputs[0], self.statistics == Statistics::Picture)
    }

    fn reach(&self) -> Reach {
        if self.statistics == Statistics::Stored { Reach::Pixel } else { Reach::Everything }
    }

    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let stored = match self.statistics {
            Statistics::Stored => Some((parameters.required("running_mean")?, parameters.required("running_var")?)),
            Statistics::Picture => None,
        };
        normalise(inputs[0], self.eps, parameters, stored)
    }
}

impl Operator for InstanceNorm2d {
    fn name(&self) -> &'static str {
        "InstanceNorm2d"
    }

    fn written(&self) -> String {
        let mut args = vec![self.num_features.to_string()];
        args.extend((self.eps != 1e-5).then(|| format!("eps={}", self.eps)));
        args.extend(self.affine.then(|| "affine=True".to_owned()));
        args.extend(self.track_running_stats.then(|| "track_running_stats=True".to_owned()));
        format!("InstanceNorm2d({})", args.join(", "))
    }

    fn check(&self) -> Result<(), String> {
        capped_channels("num_features", self.num_features)
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        parameters(self.num_features, self.affine, self.track_running_stats)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        // Without parameters, PyTorch takes any number of channels, and warns of another one.
        let features = if self.affine || self.track_running_stats { self.num_features } else { 0 };
        infer(features, inputs[0], !self.track_running_stats)
    }

    fn reach(&self) -> Reach {
        if self.track_running_stats { Reach::Pixel } else { Reach::Everything }
    }

    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let stored = match self.track_running_stats {
            true => Some((parameters.required("running_mean")?, parameters.required("running_var")?)),
            false => None,
        };
        normalise(inputs[0], self.eps, parameters, stored)
    }
}

/// PyTorch's arguments of every norm.
const ARGUMENTS: &[&str] = &["num_features", "eps", "momentum", "affine", "track_running_stats"];

/// `(num_features, eps, affine, track_running_stats)`.
fn arguments(a: &dyn Arguments, affine: bool, tracked: bool) -> Result<(usize, f64, bool, bool), String> {
    let (affine, tracked) = (a.flag("affine", affine)?, a.flag("track_running_stats", tracked)?);
    Ok((a.count("num_features", None)?, a.float("eps", 1e-5)?, affine, tracked))
}

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling {
        names: &["BatchNorm2d", "SyncBatchNorm"],
        kind: Kind::Module,
        arguments: ARGUMENTS,
        read: |a| {
            let (num_features, eps, affine, tracked) = arguments(a, true, true)?;
            if !tracked {
                return Err(
                    "without running statistics its result depends on the whole batch, which is not read".to_owned()
                );
            }
            Ok(Some(BatchNorm2d { num_features, eps, affine, statistics: Statistics::Stored }.into()))
        },
    },
    Spelling {
        names: &["InstanceNorm2d"],
        kind: Kind::Module,
        arguments: ARGUMENTS,
        read: |a| {
            let (num_features, eps, affine, track_running_stats) = arguments(a, false, false)?;
            Ok(Some(InstanceNorm2d { num_features, eps, affine, track_running_stats }.into()))
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_statistics_of_the_picture_give_zero_mean_and_unit_variance() {
        let x = Tensor::new([1, 2, 2, 2], vec![1.0, 2.0, 3.0, 6.0, -1.0, 1.0, -1.0, 1.0]).unwrap();
        let norm = BatchNorm2d { affine: false, eps: 0.0, statistics: Statistics::Picture, ..BatchNorm2d::new(2) };
        let y = norm.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        for plane in y.data().chunks_exact(4) {
            let mean = plane.iter().sum::<f32>() / 4.0;
            let var = plane.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 4.0;
            assert!(mean.abs() < 1e-6 && (var - 1.0).abs() < 1e-5, "{mean} {var}");
        }
        assert_eq!(norm.parameters().len(), 3, "the state dict keeps its statistics");
    }

    #[test]
    fn a_single_pixel_has_no_statistics() {
        let text = InstanceNorm2d::new(2).infer(&[Shape::image(2, 1, 1)]).unwrap_err();
        assert!(text.starts_with("Expected more than 1 spatial element"), "{text}");
        assert!(BatchNorm2d::new(2).infer(&[Shape::image(2, 1, 1)]).is_ok());
    }
}
