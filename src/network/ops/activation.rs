//! Element-wise functions without parameters.

use serde::Serialize;

use super::spelling::{Arguments, Kind, Spelling};
use super::{Op, Operator, Parameters, Reach, element_wise};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// Element-wise functions.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Activation {
    /// `max(x, 0)`.
    ReLU,
    /// `x` where positive, else `slope * x`.
    LeakyReLU {
        /// PyTorch's `negative_slope`.
        #[serde(rename = "negative_slope")]
        slope: f32,
    },
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `tanh(x)`.
    Tanh,
    /// `x` where positive, else `alpha * (exp(x) - 1)`.
    ELU {
        /// PyTorch's `alpha`.
        alpha: f32,
    },
    /// `x * sigmoid(x)`, also called Swish.
    SiLU,
}

impl Activation {
    /// One value, by the standard library's functions.
    pub fn value(self, x: f32) -> f32 {
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        match self {
            Self::ReLU => x.max(0.0),
            Self::LeakyReLU { slope } => x.max(0.0) + x.min(0.0) * slope,
            Self::Sigmoid => sigmoid(x),
            Self::Tanh => x.tanh(),
            Self::ELU { alpha } => x.max(0.0) + x.min(0.0).exp_m1() * alpha,
            Self::SiLU => x * sigmoid(x),
        }
    }
}

impl Operator for Activation {
    fn name(&self) -> &'static str {
        match self {
            Self::ReLU => "ReLU",
            Self::LeakyReLU { .. } => "LeakyReLU",
            Self::Sigmoid => "Sigmoid",
            Self::Tanh => "Tanh",
            Self::ELU { .. } => "ELU",
            Self::SiLU => "SiLU",
        }
    }

    fn written(&self) -> String {
        let argument = match self {
            Self::LeakyReLU { slope } => slope.to_string(),
            Self::ELU { alpha } if *alpha != 1.0 => alpha.to_string(),
            _ => String::new(),
        };
        format!("{}({argument})", self.name())
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![inputs[0]])
    }

    fn reach(&self) -> Reach {
        Reach::Pixel
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        element_wise(inputs[0], |x| self.value(x))
    }
}

/// `torch.clamp(x, low, high)`; also ReLU6 and Hardtanh.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[allow(missing_docs)]
pub struct Clamp {
    pub low: f32,
    pub high: f32,
}

impl Operator for Clamp {
    fn name(&self) -> &'static str {
        "clamp"
    }

    fn written(&self) -> String {
        format!("torch.clamp(x, {}, {})", self.low, self.high)
    }

    fn check(&self) -> Result<(), String> {
        if self.low <= self.high { Ok(()) } else { Err("min must not be greater than max".to_owned()) }
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![inputs[0]])
    }

    fn reach(&self) -> Reach {
        Reach::Pixel
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        element_wise(inputs[0], |x| x.max(self.low).min(self.high))
    }
}

fn leaky(a: &dyn Arguments) -> Result<Option<Op>, String> {
    Ok(Some(Activation::LeakyReLU { slope: a.float("negative_slope", 0.01)? as f32 }.into()))
}

fn elu(a: &dyn Arguments) -> Result<Option<Op>, String> {
    Ok(Some(Activation::ELU { alpha: a.float("alpha", 1.0)? as f32 }.into()))
}

fn hardtanh(a: &dyn Arguments) -> Result<Option<Op>, String> {
    Ok(Some(Clamp { low: a.float("min_val", -1.0)? as f32, high: a.float("max_val", 1.0)? as f32 }.into()))
}

/// A spelling without arguments that matter.
const fn simple(
    kind: Kind,
    names: &'static [&'static str],
    read: fn(&dyn Arguments) -> Result<Option<Op>, String>,
) -> Spelling {
    Spelling { names, kind, arguments: &["inplace"], read }
}

pub(super) const SPELLINGS: &[Spelling] = &[
    simple(Kind::Module, &["ReLU"], |_| Ok(Some(Activation::ReLU.into()))),
    simple(Kind::Function, &["relu", "relu_"], |_| Ok(Some(Activation::ReLU.into()))),
    simple(Kind::Module, &["Sigmoid"], |_| Ok(Some(Activation::Sigmoid.into()))),
    simple(Kind::Function, &["sigmoid", "sigmoid_"], |_| Ok(Some(Activation::Sigmoid.into()))),
    simple(Kind::Module, &["Tanh"], |_| Ok(Some(Activation::Tanh.into()))),
    simple(Kind::Function, &["tanh", "tanh_"], |_| Ok(Some(Activation::Tanh.into()))),
    simple(Kind::Module, &["SiLU"], |_| Ok(Some(Activation::SiLU.into()))),
    simple(Kind::Function, &["silu"], |_| Ok(Some(Activation::SiLU.into()))),
    simple(Kind::Module, &["ReLU6"], |_| Ok(Some(Clamp { low: 0.0, high: 6.0 }.into()))),
    simple(Kind::Function, &["relu6"], |_| Ok(Some(Clamp { low: 0.0, high: 6.0 }.into()))),
    Spelling { names: &["LeakyReLU"], kind: Kind::Module, arguments: &["negative_slope", "inplace"], read: leaky },
    Spelling {
        names: &["leaky_relu", "leaky_relu_"],
        kind: Kind::Function,
        arguments: &["negative_slope", "inplace"],
        read: leaky,
    },
    Spelling { names: &["ELU"], kind: Kind::Module, arguments: &["alpha", "inplace"], read: elu },
    Spelling { names: &["elu", "elu_"], kind: Kind::Function, arguments: &["alpha", "inplace"], read: elu },
    Spelling {
        names: &["Hardtanh"],
        kind: Kind::Module,
        arguments: &["min_val", "max_val", "inplace"],
        read: hardtanh,
    },
    Spelling {
        names: &["hardtanh", "hardtanh_"],
        kind: Kind::Function,
        arguments: &["min_val", "max_val", "inplace"],
        read: hardtanh,
    },
    Spelling {
        names: &["clamp", "clamp_", "clip"],
        kind: Kind::Function,
        arguments: &["min", "max"],
        read: |a| {
            let low = a.float("min", f64::NEG_INFINITY)? as f32;
            Ok(Some(Clamp { low, high: a.float("max", f64::INFINITY)? as f32 }.into()))
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn values_are_those_of_the_definitions() {
        let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} for {b}");
        near(Activation::LeakyReLU { slope: 1.5 }.value(-2.0), -3.0);
        near(Activation::ELU { alpha: 2.0 }.value(-1.0), 2.0 * ((-1.0f32).exp() - 1.0));
        near(Activation::ELU { alpha: 2.0 }.value(3.0), 3.0);
        near(Activation::SiLU.value(1.0), 1.0 / (1.0 + (-1.0f32).exp()));
        near(Activation::Sigmoid.value(-80.0), 0.0);
    }

    #[test]
    fn a_clamp_that_contradicts_itself_is_refused() {
        assert!(Clamp { low: 1.0, high: 0.0 }.check().is_err());
        assert!(Clamp { low: f32::NAN, high: 0.0 }.check().is_err());
    }
}
