//! Operators that move values and change none: `torch.cat`, `torch.chunk`, parts of a dimension, `reshape`.

use serde::Serialize;

use super::spelling::{Kind, Spelling};
use super::{Operator, Parameters, capped, dimension};
use crate::error::Result;
use crate::limits::{MAX_INPUTS, MAX_OUTPUTS};
use crate::network::Shape;
use crate::tensor::{Tensor, element_count};

/// `torch.cat(inputs, dim)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cat {
    /// The dimension along which the inputs follow each other; 1 is the channels.
    pub dim: usize,
}

impl Cat {
    /// Along the channels.
    pub const CHANNELS: Self = Self { dim: 1 };
}

/// `torch.chunk(x, chunks, dim)`: equal parts, the last one smaller where they do not divide the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Chunk {
    pub chunks: usize,
    pub dim: usize,
}

/// `x.narrow(dim, start, length)`, which is `x[:, start : start + length]` for `dim` 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)] // PyTorch's arguments
pub struct Slice {
    pub dim: usize,
    pub start: usize,
    pub length: usize,
}

/// `x.reshape(shape)`; one side may be left to be worked out, as PyTorch's -1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reshape {
    /// The sides; `None` is what is left.
    pub shape: Vec<Option<usize>>,
}

/// The product of the sides before a dimension, and of those from it on.
fn around(shape: &[usize], dim: usize) -> (usize, usize) {
    (shape[..dim].iter().product(), shape[dim..].iter().product())
}

/// Parts of `x` along a dimension: `(start, length)` each.
fn parts(x: &Tensor, dim: usize, parts: &[(usize, usize)]) -> Result<Vec<Tensor>> {
    let (outer, row) = around(x.shape(), dim);
    let unit = row / x.shape()[dim].max(1);
    let part = |&(start, length): &(usize, usize)| {
        let mut shape = x.shape().to_vec();
        shape[dim] = length;
        let rows = (0..outer).flat_map(|o| &x.data()[o * row + start * unit..][..length * unit]);
        Tensor::new(shape, rows.copied().collect())
    };
    parts.iter().map(part).collect()
}

impl Operator for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }

    fn written(&self) -> String {
        format!("torch.cat(inputs, dim={})", self.dim)
    }

    fn arity(&self) -> (usize, usize) {
        (1, MAX_INPUTS)
    }

    fn mixes_images(&self) -> bool {
        self.dim == 0
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let mut all = dimension(inputs[0], self.dim)?;
        for input in &inputs[1..] {
            let side = dimension(*input, self.dim)?;
            if input.with_side(self.dim, 0) != inputs[0].with_side(self.dim, 0) {
                return Err(format!("sizes of tensors must match except in dimension {}: {inputs:?}", self.dim));
            }
            all = all.saturating_add(side);
        }
        Ok(vec![inputs[0].with_side(self.dim, all)])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        let mut shape = inputs[0].shape().to_vec();
        shape[self.dim] = inputs.iter().map(|x| x.shape()[self.dim]).sum();
        let (outer, _) = around(&shape, self.dim);
        let mut data = Vec::with_capacity(shape.iter().product());
        for o in 0..outer {
            for x in inputs {
                let (_, row) = around(x.shape(), self.dim);
                data.extend_from_slice(&x.data()[o * row..][..row]);
            }
        }
        Ok(vec![Tensor::new(shape, data)?])
    }
}

impl Chunk {
    /// `(start, length)` of every chunk of a side.
    pub fn parts(&self, side: usize) -> Vec<(usize, usize)> {
        let length = side.div_ceil(self.chunks.max(1)).max(1);
        (0..self.chunks).map(|index| (index * length, length.min(side.saturating_sub(index * length)))).collect()
    }
}

impl Operator for Chunk {
    fn name(&self) -> &'static str {
        "chunk"
    }

    fn written(&self) -> String {
        format!("torch.chunk(x, {}, dim={})", self.chunks, self.dim)
    }

    fn outputs(&self) -> usize {
        self.chunks.clamp(1, MAX_OUTPUTS)
    }

    fn check(&self) -> Result<(), String> {
        match self.chunks {
            0 => Err("chunk expects `chunks` to be greater than 0, got: 0".to_owned()),
            chunks => capped("chunks", chunks, MAX_OUTPUTS),
        }
    }

    fn mixes_images(&self) -> bool {
        self.dim == 0
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let parts = self.parts(dimension(inputs[0], self.dim)?);
        if parts.iter().any(|&(_, length)| length == 0) {
            return Err(format!("a side of {} makes fewer than {} chunks", inputs[0].sides()[self.dim], self.chunks));
        }
        Ok(parts.iter().map(|&(_, length)| inputs[0].with_side(self.dim, length)).collect())
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        parts(inputs[0], self.dim, &self.parts(inputs[0].shape()[self.dim]))
    }
}

impl Operator for Slice {
    fn name(&self) -> &'static str {
        "narrow"
    }

    fn written(&self) -> String {
        format!("x.narrow({}, {}, {})", self.dim, self.start, self.length)
    }

    fn mixes_images(&self) -> bool {
        self.dim == 0
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let side = dimension(inputs[0], self.dim)?;
        if self.length == 0 || self.start.checked_add(self.length).is_none_or(|end| end > side) {
            return Err(format!("start ({}) + length ({}) exceeds dimension size ({side})", self.start, self.length));
        }
        Ok(vec![inputs[0].with_side(self.dim, self.length)])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        parts(inputs[0], self.dim, &[(self.start, self.length)])
    }
}

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn written(&self) -> String {
        let side = |side: &Option<usize>| side.map_or("-1".to_owned(), |side| side.to_string());
        format!("x.reshape({})", self.shape.iter().map(side).collect::<Vec<_>>().join(", "))
    }

    fn infer(&self, inputs: &[Shape]) -> Result<Vec<Shape>, String> {
        let invalid = || {
            let side = |side: &Option<usize>| side.map_or("-1".to_owned(), |side| side.to_string());
            let sides: Vec<String> = self.shape.iter().map(side).collect();
            format!("shape '[{}]' is invalid for input of size {}", sides.join(", "), inputs[0].elements())
        };
        let known: Vec<usize> = self.shape.iter().flatten().copied().collect();
        let (all, known) = (inputs[0].checked_elements(), element_count(&known));
        let (all, known) = all.zip(known).ok_or_else(invalid)?;
        let left = match self.shape.iter().filter(|side| side.is_none()).count() {
            0 => (all == known).then_some(1),
            1 => (known > 0 && all % known == 0).then(|| all / known),
            _ => return Err("only one dimension can be inferred".to_owned()),
        };
        let left = left.ok_or_else(invalid)?;
        let sides: Vec<usize> = self.shape.iter().map(|side| side.unwrap_or(left)).collect();
        Ok(vec![Shape::of(&sides).ok_or("values of more than eight dimensions are not run")?])
    }

    fn forward(&self, inputs: &[&Tensor], _parameters: &Parameters<'_>) -> Result<Vec<Tensor>> {
        use crate::error::{Code, Error};
        let refused = |text: String| Error::new(Code::InputShape, text);
        let input = Shape::of(inputs[0].shape()).ok_or_else(|| refused("There are too many dimensions.".to_owned()))?;
        let shape = self.infer(&[input]).map_err(refused)?[0];
        Ok(vec![Tensor::new(shape.sides(), inputs[0].data().to_vec())?])
    }
}

pub(super) const SPELLINGS: &[Spelling] = &[Spelling {
    names: &["narrow"],
    kind: Kind::Function,
    arguments: &["dim", "start", "length"],
    read: |a| {
        let (dim, start) = (a.count("dim", None)?, a.count("start", None)?);
        Ok(Some(Slice { dim, start, length: a.count("length", None)? }.into()))
    },
}];

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn tensor(shape: &[usize]) -> Tensor {
        let count = shape.iter().product::<usize>();
        Tensor::new(shape, (0..count).map(|i| i as f32).collect()).unwrap()
    }

    fn run(op: &dyn Operator, inputs: &[&Tensor]) -> Vec<Tensor> {
        op.forward(inputs, &Parameters(&[])).unwrap()
    }

    #[test]
    fn chunks_joined_again_are_the_whole() {
        for dim in 0..3 {
            let x = tensor(&[2, 5, 4]);
            let chunks = run(&Chunk { chunks: 2, dim }, &[&x]);
            let parts: Vec<&Tensor> = chunks.iter().collect();
            assert_eq!(run(&Cat { dim }, &parts), std::slice::from_ref(&x), "dim {dim}");
            let shapes = Chunk { chunks: 2, dim }.infer(&[Shape::of(&[2, 5, 4]).unwrap()]).unwrap();
            assert!(shapes.iter().zip(&chunks).all(|(shape, chunk)| shape.sides() == chunk.shape()));
        }
        // torch.chunk(torch.zeros(5), 4) has three chunks, which a graph of four outputs cannot have.
        assert!(Chunk { chunks: 4, dim: 0 }.infer(&[Shape::of(&[5]).unwrap()]).is_err());
    }

    #[test]
    fn a_slice_is_a_part_and_reshape_keeps_the_order() {
        let x = tensor(&[1, 3, 2]);
        assert_eq!(run(&Slice { dim: 1, start: 1, length: 2 }, &[&x])[0].data(), [2.0, 3.0, 4.0, 5.0]);
        let flat = run(&Reshape { shape: vec![Some(2), None] }, &[&x]).remove(0);
        assert_eq!((flat.shape(), flat.data()), (&[2, 3][..], x.data()));
        let wrong = Reshape { shape: vec![Some(4), None] }.infer(&[Shape::of(&[1, 3, 2]).unwrap()]).unwrap_err();
        assert_eq!(wrong, "shape '[4, -1]' is invalid for input of size 6");
        assert!(Slice { dim: 1, start: usize::MAX, length: 2 }.infer(&[Shape::image(3, 1, 1)]).is_err());
    }
}
