//! Operators that only pasted classes use. A build that reads no classes links none of them: the list of operators
//! knows them as one.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Geometry, Op, Operator, ParameterSpec, Parameters, Reach};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// One of the operators that are listed in `general!`.
#[derive(Clone)]
pub struct General {
    operator: Arc<dyn Operator + Send + Sync>,
    /// Its arguments under PyTorch's names.
    arguments: Arc<serde_json::Value>,
}

impl General {
    /// The argument of this name, if it is a whole number.
    pub fn count(&self, argument: &str) -> Option<usize> {
        usize::try_from(self.arguments.get(argument)?.as_u64()?).ok()
    }
}

impl std::fmt::Debug for General {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.written())
    }
}

/// The same operator with the same arguments.
impl PartialEq for General {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.arguments == other.arguments
    }
}

impl Serialize for General {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.arguments.serialize(serializer)
    }
}

impl Operator for General {
    fn name(&self) -> &'static str {
        self.operator.name()
    }

    fn written(&self) -> String {
        self.operator.written()
    }

    fn arity(&self) -> (usize, usize) {
        self.operator.arity()
    }

    fn outputs(&self) -> usize {
        self.operator.outputs()
    }

    fn check(&self) -> Result<(), String> {
        self.operator.check()
    }

    fn parameters(&self) -> Vec<ParameterSpec> {
        self.operator.parameters()
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        self.operator.infer(inputs)
    }

    fn macs(&self, inputs: &[Shape], outputs: &[Shape]) -> u64 {
        self.operator.macs(inputs, outputs)
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        self.operator.formula(input, output)
    }

    fn reach(&self) -> Reach {
        self.operator.reach()
    }

    fn mixes_images(&self) -> bool {
        self.operator.mixes_images()
    }

    fn geometry(&self, input: Shape) -> Option<Geometry> {
        self.operator.geometry(input)
    }

    fn forward(&self, inputs: &[&Tensor], parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        self.operator.forward(inputs, parameters)
    }
}

macro_rules! general {
    ($($name:ident),* $(,)?) => { $(
        impl From<super::$name> for Op {
            fn from(operator: super::$name) -> Self {
                let arguments = serde_json::to_value(&operator).unwrap_or_default();
                Op::General(General { operator: Arc::new(operator), arguments: Arc::new(arguments) })
            }
        }
    )* };
}

general! {
    AdaptivePool2d, Binary, ConvTransposeWith, ConvWith, Cumsum, Expand, Flip, Fold, GridSample, GroupNorm, Interpolate,
    LayerNorm, Linear, MatMul, PReLU, Permute, PixelShuffle, PixelUnshuffle, Reduce, SliceScatter, Softmax, Steps, Unary,
    Unfold, Where,
}

#[cfg(test)]
mod tests {
    use super::super::{Linear, PixelShuffle};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn it_is_what_it_was_made_of() {
        let two: Op = PixelShuffle { upscale_factor: 2 }.into();
        assert_eq!(two, PixelShuffle { upscale_factor: 2 }.into());
        assert_ne!(two, PixelShuffle { upscale_factor: 3 }.into());
        assert_eq!(
            (two.name(), serde_json::to_string(&two).unwrap().as_str()),
            ("PixelShuffle", "{\"upscale_factor\":2}")
        );
        let linear: Op = Linear { in_features: 3, out_features: 5, bias: true }.into();
        assert!(matches!(&linear, Op::General(op) if op.count("in_features") == Some(3)));
        assert_eq!(linear.parameters().len(), 2);
    }
}
