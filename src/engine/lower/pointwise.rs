//! Element-wise functions that one pass, or the end of a kernel, can do.

use crate::network::{Activation, Op};

/// An element-wise function.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pointwise {
    /// `x`.
    #[default]
    Identity,
    /// `max(x, 0)`.
    ReLU,
    /// `max(x, 0) * positive + min(x, 0) * negative`, then clamped to `low..=high`: LeakyReLU, ReLU6, a clamp, a gain, and
    /// one of each after the other. Where a slope is 0, its side is 0 for every x, infinite ones too.
    Piecewise {
        /// Slope above zero, finite.
        positive: f32,
        /// Slope below zero, finite.
        negative: f32,
        /// Least result; may be negative infinity.
        low: f32,
        /// Greatest result, not less than `low`; may be infinity.
        high: f32,
    },
    /// A curve, value by value.
    Curve(Activation),
}

impl From<Activation> for Pointwise {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::ReLU => Self::ReLU,
            Activation::LeakyReLU { slope } => Self::slopes(1.0, slope),
            curve => Self::Curve(curve),
        }
    }
}

impl Pointwise {
    fn slopes(positive: f32, negative: f32) -> Self {
        Self::Piecewise { positive, negative, low: f32::NEG_INFINITY, high: f32::INFINITY }
    }

    /// The node as an element-wise function, if it is one.
    pub fn of(op: &Op) -> Option<Self> {
        Self::Identity.then(op)
    }

    /// This function followed by a node, as one function; `None` if that is none of these.
    pub fn then(self, op: &Op) -> Option<Self> {
        match (self, op) {
            (Self::Identity, Op::Activation(activation)) => Some((*activation).into()),
            // The rest continues straight lines.
            (Self::Identity, _) => Self::slopes(1.0, 1.0).then(op),
            (Self::ReLU, _) => Self::slopes(1.0, 0.0).then(op),
            (Self::Piecewise { positive, negative, low, high }, Op::Affine(affine)) if affine.offset == 0.0 => {
                let scale = affine.scale;
                let scaled = Self::Piecewise {
                    positive: positive * scale,
                    negative: negative * scale,
                    low: low * scale,
                    high: high * scale,
                };
                (scale > 0.0 && scale.is_finite()).then_some(scaled)
            }
            (Self::Piecewise { positive, negative, low, high }, Op::Clamp(clamp)) => {
                let held = |bound: f32| bound.max(clamp.low).min(clamp.high);
                Some(Self::Piecewise { positive, negative, low: held(low), high: held(high) })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::ops::{Affine, Clamp};
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_chain_of_straight_lines_is_one_function() {
        let chain = [
            Op::from(Activation::LeakyReLU { slope: 0.2 }),
            Affine { scale: 2.0, offset: 0.0 }.into(),
            Clamp { low: -256.0, high: 256.0 }.into(),
        ];
        let one = chain.iter().try_fold(Pointwise::Identity, Pointwise::then);
        assert_eq!(one, Some(Pointwise::Piecewise { positive: 2.0, negative: 0.4, low: -256.0, high: 256.0 }));
        let twice = one.and_then(|one| one.then(&Affine { scale: 0.5, offset: 0.0 }.into()));
        assert_eq!(twice, Some(Pointwise::Piecewise { positive: 1.0, negative: 0.2, low: -128.0, high: 128.0 }));
    }

    #[test]
    fn what_is_no_straight_line_ends_the_chain() {
        let tanh = Pointwise::of(&Activation::Tanh.into()).unwrap();
        assert_eq!(tanh.then(&Clamp { low: 0.0, high: 1.0 }.into()), None);
        assert_eq!(Pointwise::ReLU.then(&Affine { scale: -1.0, offset: 0.0 }.into()), None);
        assert_eq!(Pointwise::ReLU.then(&Affine { scale: 1.0, offset: 0.5 }.into()), None);
        assert_eq!(Pointwise::of(&crate::network::Cat::CHANNELS.into()), None);
    }
}
