//! Pooling to a size: `nn.AdaptiveAvgPool2d` and `nn.AdaptiveMaxPool2d`.

use serde::Serialize;

use super::spelling::{Arguments, Kind, Spelling};
use super::{Op, Operator, Parameters};
use crate::error::Result;
use crate::network::Shape;
use crate::tensor::Tensor;

/// [`torch.nn.AdaptiveAvgPool2d`](https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html), or the same
/// with the greatest value. `None` leaves a side as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct AdaptivePool2d {
    pub output_size: (Option<usize>, Option<usize>),
    pub max: bool,
}

impl AdaptivePool2d {
    fn sides(&self, height: usize, width: usize) -> (usize, usize) {
        (self.output_size.0.unwrap_or(height), self.output_size.1.unwrap_or(width))
    }
}

impl Operator for AdaptivePool2d {
    fn name(&self) -> &'static str {
        if self.max { "AdaptiveMaxPool2d" } else { "AdaptiveAvgPool2d" }
    }

    fn written(&self) -> String {
        let side = |side: Option<usize>| side.map_or("None".to_owned(), |side| side.to_string());
        format!("{}(({}, {}))", self.name(), side(self.output_size.0), side(self.output_size.1))
    }

    fn check(&self) -> Result<(), String> {
        match self.output_size {
            (Some(0), _) | (_, Some(0)) => Err("output size should be greater than zero".to_owned()),
            _ => Ok(()),
        }
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let (_, height, width) = inputs[0].planes()?;
        let (h, w) = self.sides(height, width);
        Ok(vec![inputs[0].with_side(2, h).with_side(3, w)])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let (n, c, h, w) = inputs[0].nchw()?;
        let (oh, ow) = self.sides(h, w);
        // What an output position sees of a side.
        let span = |at: usize, size: usize, out: usize| at * size / out..((at + 1) * size).div_ceil(out);
        let mut out = Tensor::zeros([n, c, oh, ow]);
        let planes = inputs[0].data().chunks_exact(h * w).zip(out.data_mut().chunks_exact_mut(oh * ow));
        for (plane, target) in planes {
            for (index, value) in target.iter_mut().enumerate() {
                let (rows, columns) = (span(index / ow, h, oh), span(index % ow, w, ow));
                let count = (rows.len() * columns.len()) as f64;
                let values = rows.flat_map(|y| columns.clone().map(move |x| plane[y * w + x]));
                *value = match self.max {
                    true => values.fold(f32::NEG_INFINITY, |most, v| if v > most || v.is_nan() { v } else { most }),
                    false => (values.map(f64::from).sum::<f64>() / count) as f32,
                };
            }
        }
        Ok(vec![out])
    }
}

fn read(a: &dyn Arguments, max: bool) -> Result<Option<Op>, String> {
    if a.flag("return_indices", false)? {
        return Err("the indices are not read".to_owned());
    }
    Ok(Some(AdaptivePool2d { output_size: a.open_pair("output_size")?, max }.into()))
}

const ARGUMENTS: &[&str] = &["output_size", "return_indices"];

pub(super) const SPELLINGS: &[Spelling] = &[
    Spelling {
        names: &["AdaptiveAvgPool2d"],
        kind: Kind::Module,
        arguments: &["output_size"],
        read: |a| read(a, false),
    },
    Spelling { names: &["AdaptiveMaxPool2d"], kind: Kind::Module, arguments: ARGUMENTS, read: |a| read(a, true) },
    Spelling {
        names: &["adaptive_avg_pool2d"],
        kind: Kind::Function,
        arguments: &["output_size"],
        read: |a| read(a, false),
    },
    Spelling { names: &["adaptive_max_pool2d"], kind: Kind::Function, arguments: ARGUMENTS, read: |a| read(a, true) },
];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn windows_overlap_where_sides_do_not_divide() {
        let x = Tensor::new([1, 1, 1, 5], vec![1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        let pool = |max| AdaptivePool2d { output_size: (None, Some(2)), max };
        let run = |max| pool(max).forward(&[&x], &Parameters(&[])).unwrap().remove(0);
        assert_eq!(run(false).data(), [2.0, 4.0]);
        assert_eq!(run(true).data(), [3.0, 5.0]);
    }
}
