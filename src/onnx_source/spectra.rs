//! `DFT` along one dimension, as a product with constant matrices of cosines and sines.

use super::call::Call;
use super::functions::{difference, one, product, sum};
use super::layers::matmul;
use super::places::{joined, part, permuted};
use super::trace::Trace;
use super::value::{Kind, Value};
use super::{Follow, Given};
use crate::checkpoint::onnx::Numbers;
use crate::limits::ONNX_FOLDED_VALUES;

/// How the operators of this file are followed.
pub const OPERATORS: &[(&str, Follow)] = &[("DFT", dft)];

/// What a wave costs beside a product.
const WAVE_STEPS: usize = 16;

/// A transform: from `from` values to `to` of a period of `length`.
struct Transform {
    axis: usize,
    from: usize,
    to: usize,
    length: usize,
    is_inverse: bool,
    /// Whether half a spectrum is made, or read: that of real values.
    is_onesided: bool,
}

impl Transform {
    fn of(call: &Call<'_>, x: &Value, last: usize) -> Result<Self, String> {
        let axis = match (call.given(2), call.opset < 20) {
            (Some(_), _) => *call.known(2, "axis")?.first().ok_or("its axis is missing")?,
            (None, true) => call.int("axis", 1)?,
            (None, false) => -2,
        };
        let axis = x.axis(axis)?;
        let (from, parts) = (x.shape.sides()[axis], x.shape.sides()[last]);
        let (is_inverse, is_onesided) = (call.int("inverse", 0)? != 0, call.int("onesided", 0)? != 0);
        let is_half = is_inverse && is_onesided;
        let usual = if is_half { from.saturating_sub(1).saturating_mul(2) } else { from };
        let length = match call.given(1) {
            Some(_) => call.known(1, "length")?.first().copied().and_then(|length| usize::try_from(length).ok()),
            None => Some(usual),
        };
        let length = length.filter(|&length| length > 0).ok_or("its length is no side")?;
        let fits = if is_half { length / 2 + 1 == from && parts == 2 } else { length == from };
        if !fits || axis == last || !matches!(parts, 1 | 2) {
            return Err("it pads or cuts what it transforms, or its values are no complex numbers".to_owned());
        }
        let to = if is_onesided && !is_inverse { length / 2 + 1 } else { length };
        Ok(Self { axis, from, to, length, is_inverse, is_onesided })
    }

    /// How much the value `k` counts: of half a spectrum, most stand for their mirror images too.
    fn weight(&self, k: usize) -> f64 {
        let scale = if self.is_inverse { 1.0 / self.length as f64 } else { 1.0 };
        let is_single = k == 0 || 2 * k == self.length;
        if self.is_inverse && self.is_onesided && !is_single { 2.0 * scale } else { scale }
    }

    /// Cosines and sines, `[from, to]` each.
    fn waves(&self, trace: &mut Trace<'_>) -> Result<[Value; 2], String> {
        let count = self.from.checked_mul(self.to).filter(|&count| count <= ONNX_FOLDED_VALUES);
        let count =
            count.ok_or_else(|| format!("a transform of {} values is too long to be a product", self.length))?;
        trace.spend(count * WAVE_STEPS)?;
        let matrix = |function: fn(f64) -> f64| {
            let value = |index: usize| {
                let (k, t) = (index / self.to, index % self.to);
                let turns = (k as u64 * t as u64 % self.length as u64) as f64 / self.length as f64;
                (function(turns * std::f64::consts::TAU) * self.weight(k)) as f32
            };
            let values = (0..count).map(value).collect();
            Value::known(&[self.from, self.to], Numbers::Floats(values), Kind::Float)
        };
        Ok([matrix(f64::cos)?, matrix(f64::sin)?])
    }

    /// Real and imaginary parts of the result, of values that lie along the last dimension.
    fn products(&self, trace: &mut Trace<'_>, re: &Value, im: Option<&Value>) -> Result<Vec<Value>, String> {
        let [cos, sin] = self.waves(trace)?;
        let mut real = matmul(trace, re, &cos)?;
        if let Some(im) = im {
            let by_sin = matmul(trace, im, &sin)?;
            real = if self.is_inverse { difference(trace, &real, &by_sin) } else { sum(trace, &real, &by_sin) }?;
        }
        if self.is_inverse && self.is_onesided {
            return Ok(vec![real]);
        }
        let mut imaginary = matmul(trace, re, &sin)?;
        if !self.is_inverse {
            imaginary = product(trace, &imaginary, &Value::scalar(-1.0)?)?;
        }
        if let Some(im) = im {
            let by_cos = matmul(trace, im, &cos)?;
            imaginary = sum(trace, &imaginary, &by_cos)?;
        }
        Ok(vec![real, imaginary])
    }
}

fn dft(trace: &mut Trace<'_>, call: &Call<'_>) -> Given {
    let x = call.input(0)?;
    let last = x.rank().checked_sub(1).ok_or("it transforms a single value")?;
    let transform = Transform::of(call, x, last)?;
    // The dimension that is transformed goes last, real and imaginary part apart.
    let rest: Vec<usize> = (0..last).filter(|&dim| dim != transform.axis).collect();
    let order = [rest, vec![transform.axis, last]].concat();
    let turned = permuted(trace, x, order.clone())?;
    let one_part = |trace: &mut Trace<'_>, index: usize| {
        let own = part(trace, &turned, last, index, 1)?;
        let sides = own.shape.sides()[..last].to_vec();
        trace.reshaped(&own, &sides)
    };
    let real = one_part(trace, 0)?;
    let imaginary = if x.shape.sides()[last] == 2 { Some(one_part(trace, 1)?) } else { None };
    let mut parts = transform.products(trace, &real, imaginary.as_ref())?;
    for part in &mut parts {
        let sides = [part.shape.sides(), &[1]].concat();
        *part = trace.reshaped(part, &sides)?;
    }
    let both = joined(trace, &parts, last)?;
    let back = (0..=last).map(|dim| order.iter().position(|&from| from == dim).unwrap_or(dim)).collect();
    one(permuted(trace, &both, back))
}
