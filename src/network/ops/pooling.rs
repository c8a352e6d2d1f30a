//! `nn.MaxPool2d` and `nn.AvgPool2d`.

use serde::Serialize;

use super::spelling::{Arguments, Kind, Spelling};
use super::{Op, Operator, Pair, Parameters, Reach, Window, argument, both_sides, capped_pair, short};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::network::Shape;
use crate::tensor::Tensor;

/// What both kinds of pooling share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Pool {
    pub kernel_size: Pair,
    pub stride: Pair,
    pub padding: Pair,
}

/// [`torch.nn.MaxPool2d`](https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html), without dilation and with
/// `ceil_mode=False`; what lies beyond the border is below every value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MaxPool2d(pub Pool);

/// [`torch.nn.AvgPool2d`](https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html) with `ceil_mode=False` and
/// `count_include_pad=True`, PyTorch's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct AvgPool2d(pub Pool);

impl Pool {
    fn written(&self, name: &str) -> String {
        let mut args = vec![short(self.kernel_size)];
        if self.stride != self.kernel_size {
            args.push(format!("stride={}", short(self.stride)));
        }
        argument(&mut args, "padding", self.padding, 0);
        format!("{name}({})", args.join(", "))
    }

    fn check(&self) -> Result<(), String> {
        let zero = |pair: Pair| pair.0 == 0 || pair.1 == 0;
        if zero(self.kernel_size) {
            return Err("kernel size should be greater than zero".to_owned());
        }
        if zero(self.stride) {
            return Err("stride should not be zero".to_owned());
        }
        capped_pair("kernel_size", self.kernel_size, limits::MAX_KERNEL_SIDE)?;
        capped_pair("stride", self.stride, limits::MAX_STRIDE)?;
        if self.padding.0 > self.kernel_size.0 / 2 || self.padding.1 > self.kernel_size.1 / 2 {
            let ((ph, pw), (kh, kw)) = (self.padding, self.kernel_size);
            let (pad, kernel) = if ph > kh / 2 { (ph, kh) } else { (pw, kw) };
            return Err(format!(
                "pad should be at most half of effective kernel size, but got pad={pad}, kernel_size={kernel} and dilation=1"
            ));
        }
        Ok(())
    }

    fn windows(&self) -> [Window; 2] {
        let (k, s, p) = (self.kernel_size, self.stride, self.padding);
        [
            Window { kernel: k.0, stride: s.0, padding: p.0, dilation: 1 },
            Window { kernel: k.1, stride: s.1, padding: p.1, dilation: 1 },
        ]
    }

    /// `floor((in + 2 * padding - kernel) / stride) + 1` per side; `None` if not positive.
    fn output_size(&self, height: usize, width: usize) -> Option<Pair> {
        let side = |size: usize, window: Window| {
            let padded = size.checked_add(window.padding.checked_mul(2)?)?;
            padded.checked_sub(window.kernel)?.checked_div(window.stride)?.checked_add(1)
        };
        let [rows, columns] = self.windows();
        Some((side(height, rows)?, side(width, columns)?))
    }

    fn infer(&self, input: Shape) -> Result<Vec<Shape>, String> {
        let (channels, height, width) = input.planes()?;
        let size = self.output_size(height, width);
        let (h, w) =
            size.ok_or_else(|| format!("Given input size: ({channels}x{height}x{width}). Output size is too small"))?;
        Ok(vec![input.with_side(2, h).with_side(3, w)])
    }

    fn formula(&self, input: Shape, output: Shape) -> Option<String> {
        let side = |n: usize, window: Window, to: usize| {
            format!("floor(({n} + 2*{} - {}) / {}) + 1 = {to}", window.padding, window.kernel, window.stride)
        };
        let [rows, columns] = self.windows();
        both_sides(side(input.height(), rows, output.height()), side(input.width(), columns, output.width()))
    }

    /// Folds the values of every window, `start` first; `end` makes the output of the fold.
    fn fold(&self, x: &Tensor, start: f32, step: fn(f32, f32) -> f32, end: impl Fn(f32) -> f32) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = x.nchw()?;
        let size = self.output_size(h, w);
        let (oh, ow) = size.ok_or_else(|| Error::new(Code::InputShape, "Output size is too small"))?;
        let mut out = Tensor::zeros([n, c, oh, ow]);
        let inside = |at: usize, padding: usize, size: usize| at.checked_sub(padding).filter(|&at| at < size);
        for (plane, target) in x.data().chunks_exact(h * w).zip(out.data_mut().chunks_exact_mut(oh * ow)) {
            for (index, value) in target.iter_mut().enumerate() {
                let (top, left) = (index / ow * self.stride.0, index % ow * self.stride.1);
                let rows = (0..self.kernel_size.0).filter_map(|k| inside(top + k, self.padding.0, h));
                let columns = || (0..self.kernel_size.1).filter_map(|k| inside(left + k, self.padding.1, w));
                let values = rows.flat_map(|y| columns().map(move |x| plane[y * w + x]));
                *value = end(values.fold(start, step));
            }
        }
        Ok(vec![out])
    }
}

/// The parts of an operator that both kinds of pooling have alike.
macro_rules! pool {
    ($type:ty, $name:literal, $fold:expr) => {
        impl Operator for $type {
            fn name(&self) -> &'static str {
                $name
            }

            fn written(&self) -> String {
                self.0.written($name)
            }

            fn check(&self) -> Result<(), String> {
                self.0.check()
            }

            fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
                self.0.infer(inputs[0])
            }

            fn formula(&self, input: Shape, output: Shape) -> Option<String> {
                self.0.formula(input, output)
            }

            fn reach(&self) -> Reach {
                Reach::Window(self.0.windows())
            }

            fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
                $fold(&self.0, inputs[0])
            }
        }
    };
}

pool!(MaxPool2d, "MaxPool2d", |pool: &Pool, x: &Tensor| pool.fold(x, f32::NEG_INFINITY, f32::max, |most| most));
pool!(AvgPool2d, "AvgPool2d", |pool: &Pool, x: &Tensor| {
    let count = (pool.kernel_size.0 * pool.kernel_size.1) as f32;
    pool.fold(x, 0.0, |sum, value| sum + value, |sum| sum / count)
});

fn pool(a: &dyn Arguments) -> Result<Pool, String> {
    let kernel_size = a.pair("kernel_size", None)?;
    let stride = if a.given("stride") { a.pair("stride", None)? } else { kernel_size };
    if a.flag("ceil_mode", false)? {
        return Err("ceil_mode=True is not read".to_owned());
    }
    Ok(Pool { kernel_size, stride, padding: a.pair("padding", Some(0))? })
}

fn max_pool(a: &dyn Arguments) -> Result<Option<Op>, String> {
    if a.pair("dilation", Some(1))? != (1, 1) || a.flag("return_indices", false)? {
        return Err("dilation and return_indices are not read".to_owned());
    }
    Ok(Some(MaxPool2d(pool(a)?).into()))
}

fn average_pool(a: &dyn Arguments) -> Result<Option<Op>, String> {
    let pool = pool(a)?;
    if pool.padding != (0, 0) && !a.flag("count_include_pad", true)? || a.given("divisor_override") {
        return Err("count_include_pad=False and divisor_override are not read".to_owned());
    }
    Ok(Some(AvgPool2d(pool).into()))
}

const MAX: &[&str] = &["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"];
const MAX_FUNCTION: &[&str] = &["kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"];
const AVERAGE: &[&str] = &["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"];

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling { names: &["MaxPool2d"], kind: Kind::Module, arguments: MAX, read: max_pool },
    Spelling { names: &["max_pool2d"], kind: Kind::Function, arguments: MAX_FUNCTION, read: max_pool },
    Spelling { names: &["AvgPool2d"], kind: Kind::Module, arguments: AVERAGE, read: average_pool },
    Spelling { names: &["avg_pool2d"], kind: Kind::Function, arguments: AVERAGE, read: average_pool },
];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn windows_are_folded_as_pytorch_folds_them() {
        let x = Tensor::new([1, 1, 3, 4], (0..12).map(|i| i as f32 - 6.0).collect()).unwrap();
        let pool = Pool { kernel_size: (2, 2), stride: (2, 2), padding: (0, 0) };
        let run = |op: &dyn Operator| op.forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(run(&MaxPool2d(pool)).data(), [-1.0, 1.0]);
        assert_eq!(run(&AvgPool2d(pool)).data(), [-3.5, -1.5]);
        // torch.nn.functional.max_pool2d(x, 3, 2, 1) and avg_pool2d(x, 3, 2, 1).
        let padded = Pool { kernel_size: (3, 3), stride: (2, 2), padding: (1, 1) };
        assert_eq!(run(&MaxPool2d(padded)).data(), [-1.0, 1.0, 3.0, 5.0]);
        let expected = [-14.0 / 9.0, -12.0 / 9.0, 2.0 / 9.0, 12.0 / 9.0];
        for (found, expected) in run(&AvgPool2d(padded)).data().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }

    #[test]
    fn padding_beyond_half_the_kernel_is_refused() {
        let pool = Pool { kernel_size: (2, 2), stride: (2, 2), padding: (2, 0) };
        let theirs = "pad should be at most half of effective kernel size, but got pad=2, kernel_size=2 and dilation=1";
        assert_eq!(MaxPool2d(pool).check().unwrap_err(), theirs);
    }
}
