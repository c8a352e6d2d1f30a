//! Element-wise functions of one, two or three tensors, as PyTorch broadcasts them. Truth values are 1 and 0.

use serde::Serialize;

use super::pointwise::{common_shape, repeated};
use super::{Operator, Parameters, Reach, element_wise};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// A function of one value, under PyTorch's name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)] // PyTorch's functions and arguments
pub enum Unary {
    Abs,
    Exp,
    Expm1,
    Log,
    Log2,
    Log10,
    Log1p,
    Sqrt,
    Rsqrt,
    Square,
    Reciprocal,
    Sin,
    Cos,
    Tan,
    Atan,
    Floor,
    Ceil,
    Round,
    Trunc,
    Sign,
    Erf,
    LogicalNot,
    /// 1 where it is not a number.
    IsNan,
    /// `approximate='tanh'` or not.
    Gelu {
        tanh: bool,
    },
    Softplus {
        beta: f32,
        threshold: f32,
    },
    Celu {
        alpha: f32,
    },
    Selu,
    Hardswish,
    Hardsigmoid,
    Mish,
    LogSigmoid,
    Softsign,
    Tanhshrink,
    Hardshrink {
        lambd: f32,
    },
    Softshrink {
        lambd: f32,
    },
    Threshold {
        threshold: f32,
        value: f32,
    },
}

/// A function of two tensors, under PyTorch's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // PyTorch's functions
pub enum Binary {
    Sub,
    Div,
    FloorDivide,
    Remainder,
    Pow,
    Maximum,
    Minimum,
    Atan2,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    LogicalAnd,
    LogicalOr,
    LogicalXor,
}

/// `torch.where(condition, x, y)`: `x` where the condition is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Where;

/// The error function, to f64's last digits but a few: its series near 0, its continued fraction beyond.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a < 3.0 {
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term.abs() > 1e-17 * sum.abs() {
            n += 1.0;
            term *= -a * a / n;
            sum += term / (2.0 * n + 1.0);
        }
        return (sum * std::f64::consts::FRAC_2_SQRT_PI).copysign(x);
    }
    let fraction = (1..40).rev().fold(a, |below, k| a + f64::from(k) / 2.0 / below);
    (1.0 - (-a * a).exp() / (fraction * std::f64::consts::PI.sqrt())).copysign(x)
}

/// `a // b` by the remainder, as PyTorch does it: `a / b` may be rounded up to a whole number.
fn floor_divide(a: f32, b: f32) -> f32 {
    if b == 0.0 {
        return a / b;
    }
    let rest = a % b;
    let quotient = (a - rest) / b - f32::from(rest != 0.0 && (b < 0.0) != (rest < 0.0));
    if quotient == 0.0 {
        return 0.0f32.copysign(a / b);
    }
    let floor = quotient.floor();
    if quotient - floor > 0.5 { floor + 1.0 } else { floor }
}

impl Unary {
    /// One value.
    pub fn value(self, x: f32) -> f32 {
        let wide = f64::from(x);
        match self {
            Self::Abs => x.abs(),
            Self::Exp => wide.exp() as f32,
            Self::Expm1 => wide.exp_m1() as f32,
            Self::Log => wide.ln() as f32,
            Self::Log2 => wide.log2() as f32,
            Self::Log10 => wide.log10() as f32,
            Self::Log1p => wide.ln_1p() as f32,
            Self::Sqrt => x.sqrt(),
            Self::Rsqrt => (1.0 / wide.sqrt()) as f32,
            Self::Square => x * x,
            Self::Reciprocal => 1.0 / x,
            Self::Sin => wide.sin() as f32,
            Self::Cos => wide.cos() as f32,
            Self::Tan => wide.tan() as f32,
            Self::Atan => wide.atan() as f32,
            Self::Floor => x.floor(),
            Self::Ceil => x.ceil(),
            Self::Round => x.round_ties_even(),
            Self::Trunc => x.trunc(),
            Self::Sign if x.is_nan() => 0.0,
            Self::Sign => f32::from(i8::from(x > 0.0) - i8::from(x < 0.0)),
            Self::Erf => erf(wide) as f32,
            Self::LogicalNot => f32::from(x == 0.0),
            Self::IsNan => f32::from(x.is_nan()),
            _ => self.activation(wide) as f32,
        }
    }

    /// One value of a function that networks use as an activation.
    fn activation(self, x: f64) -> f64 {
        match self {
            Self::Gelu { tanh: false } => 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            Self::Gelu { tanh: true } => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x);
                0.5 * x * (1.0 + inner.tanh())
            }
            Self::Softplus { beta, threshold } => match f64::from(beta) {
                beta if x * beta > f64::from(threshold) => x,
                beta => (x * beta).exp().ln_1p() / beta,
            },
            Self::Celu { alpha } => x.max(0.0) + f64::from(alpha) * (x.min(0.0) / f64::from(alpha)).exp_m1(),
            Self::Selu => {
                let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);
                scale * (x.max(0.0) + alpha * x.min(0.0).exp_m1())
            }
            Self::Hardswish => x * (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Self::Hardsigmoid => (x + 3.0).clamp(0.0, 6.0) / 6.0,
            Self::Mish => x * (x.max(0.0) + (-x.abs()).exp().ln_1p()).tanh(),
            Self::LogSigmoid => x.min(0.0) - (-x.abs()).exp().ln_1p(),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Tanhshrink => x - x.tanh(),
            Self::Hardshrink { lambd } if x.abs() <= f64::from(lambd) => 0.0,
            Self::Softshrink { lambd } => x - x.clamp(-f64::from(lambd), f64::from(lambd)),
            Self::Threshold { threshold, value } if x <= f64::from(threshold) => f64::from(value),
            _ => x,
        }
    }
}

impl Binary {
    /// One value.
    pub fn value(self, a: f32, b: f32) -> f32 {
        let (wide_a, wide_b) = (f64::from(a), f64::from(b));
        match self {
            Self::Sub => a - b,
            Self::Div => a / b,
            Self::FloorDivide => floor_divide(a, b),
            Self::Remainder => {
                let rest = a % b;
                if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }
            }
            Self::Pow => wide_a.powf(wide_b) as f32,
            // Unlike Rust's, PyTorch's give NaN where either is.
            Self::Maximum | Self::Minimum if a.is_nan() || b.is_nan() => f32::NAN,
            Self::Maximum => a.max(b),
            Self::Minimum => a.min(b),
            Self::Atan2 => wide_a.atan2(wide_b) as f32,
            Self::Eq => f32::from(a == b),
            Self::Ne => f32::from(a != b),
            Self::Lt => f32::from(a < b),
            Self::Le => f32::from(a <= b),
            Self::Gt => f32::from(a > b),
            Self::Ge => f32::from(a >= b),
            Self::LogicalAnd => f32::from(a != 0.0 && b != 0.0),
            Self::LogicalOr => f32::from(a != 0.0 || b != 0.0),
            Self::LogicalXor => f32::from((a != 0.0) != (b != 0.0)),
        }
    }
}

impl Operator for Unary {
    fn name(&self) -> &'static str {
        match self {
            Self::Abs => "abs",
            Self::Exp => "exp",
            Self::Expm1 => "expm1",
            Self::Log => "log",
            Self::Log2 => "log2",
            Self::Log10 => "log10",
            Self::Log1p => "log1p",
            Self::Sqrt => "sqrt",
            Self::Rsqrt => "rsqrt",
            Self::Square => "square",
            Self::Reciprocal => "reciprocal",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Tan => "tan",
            Self::Atan => "atan",
            Self::Floor => "floor",
            Self::Ceil => "ceil",
            Self::Round => "round",
            Self::Trunc => "trunc",
            Self::Sign => "sign",
            Self::Erf => "erf",
            Self::LogicalNot => "logical_not",
            Self::IsNan => "isnan",
            Self::Gelu { .. } => "GELU",
            Self::Softplus { .. } => "Softplus",
            Self::Celu { .. } => "CELU",
            Self::Selu => "SELU",
            Self::Hardswish => "Hardswish",
            Self::Hardsigmoid => "Hardsigmoid",
            Self::Mish => "Mish",
            Self::LogSigmoid => "LogSigmoid",
            Self::Softsign => "Softsign",
            Self::Tanhshrink => "Tanhshrink",
            Self::Hardshrink { .. } => "Hardshrink",
            Self::Softshrink { .. } => "Softshrink",
            Self::Threshold { .. } => "Threshold",
        }
    }

    fn written(&self) -> String {
        let arguments = match self {
            Self::Gelu { tanh: true } => "approximate='tanh'".to_owned(),
            Self::Softplus { beta, threshold } => format!("beta={beta}, threshold={threshold}"),
            Self::Celu { alpha } => format!("alpha={alpha}"),
            Self::Hardshrink { lambd } | Self::Softshrink { lambd } => format!("lambd={lambd}"),
            Self::Threshold { threshold, value } => format!("threshold={threshold}, value={value}"),
            _ if self.name().starts_with(char::is_lowercase) => {
                return format!("torch.{}(x)", self.name());
            }
            _ => String::new(),
        };
        format!("{}({arguments})", self.name())
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

impl Operator for Binary {
    fn name(&self) -> &'static str {
        match self {
            Self::Sub => "sub",
            Self::Div => "div",
            Self::FloorDivide => "floor_divide",
            Self::Remainder => "remainder",
            Self::Pow => "pow",
            Self::Maximum => "maximum",
            Self::Minimum => "minimum",
            Self::Atan2 => "atan2",
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::LogicalAnd => "logical_and",
            Self::LogicalOr => "logical_or",
            Self::LogicalXor => "logical_xor",
        }
    }

    fn written(&self) -> String {
        format!("torch.{}(a, b)", self.name())
    }

    fn arity(&self) -> (usize, usize) {
        (2, 2)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![common_shape(inputs)?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let shape = super::shape_of(inputs, common_shape)?;
        let (a, b) = (repeated(inputs[0], shape)?, repeated(inputs[1], shape)?);
        let values = a.data().iter().zip(b.data()).map(|(&a, &b)| self.value(a, b));
        Ok(vec![Tensor::new(shape.sides(), values.collect())?])
    }
}

impl Operator for Where {
    fn name(&self) -> &'static str {
        "where"
    }

    fn written(&self) -> String {
        "torch.where(condition, x, y)".to_owned()
    }

    fn arity(&self) -> (usize, usize) {
        (3, 3)
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        Ok(vec![common_shape(inputs)?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let shape = super::shape_of(inputs, common_shape)?;
        let [mask, x, y] = [0, 1, 2].map(|index| repeated(inputs[index], shape));
        let (mask, x, y) = (mask?, x?, y?);
        let values = mask.data().iter().zip(x.data().iter().zip(y.data()));
        let values = values.map(|(&mask, (&x, &y))| if mask != 0.0 { x } else { y });
        Ok(vec![Tensor::new(shape.sides(), values.collect())?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn values_are_pytorchs() {
        let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-6, "{a} for {b}");
        near(Unary::Gelu { tanh: false }.value(-0.7), -0.169_374_8);
        near(Unary::Gelu { tanh: true }.value(-0.7), -0.169_429_9);
        near(Unary::Erf.value(0.5), 0.520_499_9);
        near(Unary::Erf.value(-3.5), -0.999_999_3);
        near(Unary::Mish.value(1.0), 0.865_098_4);
        near(Unary::Round.value(2.5), 2.0);
        near(Binary::Remainder.value(-7.0, 4.0), 1.0);
        near(Binary::FloorDivide.value(-7.0, 2.0), -4.0);
        assert!(Binary::Maximum.value(f32::NAN, 1.0).is_nan());
    }

    #[test]
    fn the_condition_chooses() {
        let tensor = |shape: &[usize], data: &[f32]| Tensor::new(shape, data.to_vec()).unwrap();
        let (mask, x, y) = (tensor(&[2, 1], &[1.0, 0.0]), tensor(&[2], &[5.0, 6.0]), tensor(&[], &[7.0]));
        let out = Where.forward(&[&mask, &x, &y], &Parameters(&[])).unwrap().remove(0);
        assert_eq!((out.shape(), out.data()), (&[2, 2][..], &[5.0, 6.0, 7.0, 7.0][..]));
    }
}
