//! The shape of a value, and shape inference over a whole network, in checked arithmetic.

use std::fmt;
use std::ops::Index;

use super::{Network, Op, ValueId};
use crate::error::{Code, Error, Result};
use crate::limits::{MAX_RANK, TENSOR_ELEMENTS};
use crate::sentences::Sentence;
use crate::tensor::element_count;

/// The sides of a value, outermost first, the batch included: `[N, C, H, W]` for pictures and features. Rank 0 to
/// [`MAX_RANK`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    rank: usize,
    sides: [usize; MAX_RANK],
}

impl Shape {
    /// `[1, C, H, W]`.
    pub fn image(channels: usize, height: usize, width: usize) -> Self {
        let mut sides = [0; MAX_RANK];
        sides[..4].copy_from_slice(&[1, channels, height, width]);
        Self { rank: 4, sides }
    }

    /// A shape from its sides; `None` if there are more than [`MAX_RANK`].
    pub fn of(given: &[usize]) -> Option<Self> {
        let mut sides = [0; MAX_RANK];
        sides.get_mut(..given.len())?.copy_from_slice(given);
        Some(Self { rank: given.len(), sides })
    }

    /// The sides, outermost first.
    pub fn sides(&self) -> &[usize] {
        &self.sides[..self.rank]
    }

    /// The same shape with another side; as it is if there is no such dimension.
    pub fn with_side(mut self, dimension: usize, side: usize) -> Self {
        if dimension < self.rank {
            self.sides[dimension] = side;
        }
        self
    }

    /// The side of this dimension, 1 where there is none.
    fn side(&self, dimension: usize) -> usize {
        self.sides().get(dimension).copied().unwrap_or(1)
    }

    /// `N` of `[N, C, H, W]`.
    pub fn batch(&self) -> usize {
        self.side(0)
    }

    /// `C` of `[N, C, H, W]`.
    pub fn channels(&self) -> usize {
        self.side(1)
    }

    /// `H` of `[N, C, H, W]`.
    pub fn height(&self) -> usize {
        self.side(2)
    }

    /// `W` of `[N, C, H, W]`.
    pub fn width(&self) -> usize {
        self.side(3)
    }

    /// Elements; what [`Network::shapes`] gives stays below [`TENSOR_ELEMENTS`]. More than a u64 holds stay its maximum.
    pub fn elements(&self) -> u64 {
        self.sides().iter().fold(1u64, |all, &side| all.saturating_mul(side as u64))
    }

    /// Elements, if they can be counted and are at most [`TENSOR_ELEMENTS`].
    pub fn checked_elements(&self) -> Option<usize> {
        element_count(self.sides()).filter(|&count| count <= TENSOR_ELEMENTS)
    }

    /// `(C, H, W)` of a value of rank 4, in PyTorch's words if it has another.
    pub fn planes(&self) -> Result<(usize, usize, usize), String> {
        match self.sides() {
            &[_, channels, height, width] => Ok((channels, height, width)),
            sides => Err(format!("expected 4D input (got {}D input)", sides.len())),
        }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sides().fmt(f)
    }
}

/// The shape of every value of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Shapes(Vec<Vec<Shape>>);

impl Shapes {
    /// The outputs of one node.
    pub fn outputs(&self, node: usize) -> &[Shape] {
        &self.0[node]
    }

    /// The inputs of one node.
    pub fn inputs(&self, network: &Network, node: usize) -> Vec<Shape> {
        network.nodes[node].inputs.iter().map(|&value| self[value]).collect()
    }
}

impl Index<ValueId> for Shapes {
    type Output = Shape;

    fn index(&self, value: ValueId) -> &Shape {
        &self.0[value.node][value.output]
    }
}

impl Network {
    /// The shape of every value for inputs of these shapes.
    ///
    /// Errors name the layer: `network-invalid` if PyTorch would refuse its arguments or they exceed a cap,
    /// `input-shape` if the input does not suit it, `out-of-memory` if its output has more values than can be held.
    pub fn shapes(&self, inputs: &[Shape]) -> Result<Shapes> {
        self.check()?;
        let expected = self.inputs().count();
        if inputs.len() != expected {
            return Err(Error::new(
                Code::InputShape,
                format!("The network takes {expected} input tensor(s), but {} were given.", inputs.len()),
            ));
        }
        let mut given = inputs.iter();
        let mut shapes = Shapes(Vec::with_capacity(self.nodes.len()));
        for (index, node) in self.nodes.iter().enumerate() {
            let args: Vec<Shape> = match node.op {
                Op::Input(_) => given.next().copied().into_iter().collect(),
                _ => node.inputs.iter().map(|&value| shapes[value]).collect(),
            };
            let outputs = node
                .op
                .infer(&args)
                .map_err(|text| Error::new(Code::InputShape, format!("{} ({}): {text}", node.path, node.op.name())))?;
            if let Some(shape) = outputs.iter().find(|shape| shape.checked_elements().is_none()) {
                return Err(self.too_many_values(index, *shape));
            }
            shapes.0.push(outputs);
        }
        Ok(shapes)
    }

    fn too_many_values(&self, node: usize, shape: Shape) -> Error {
        let node = &self.nodes[node];
        let (layer, op, shape) = (node.path.clone(), node.op.name().to_owned(), format!("{shape:?}"));
        Error::said(Sentence::LayerMemory { layer, op, shape })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn shapes_have_up_to_eight_sides() {
        assert_eq!(Shape::of(&[2, 3]).unwrap().sides(), [2, 3]);
        assert_eq!(Shape::of(&[1, 2, 3, 4, 5]).unwrap().elements(), 120);
        assert_eq!(Shape::of(&[1; 9]), None);
        assert_eq!(Shape::of(&[]).unwrap().elements(), 1);
        assert_eq!(Shape::image(3, 4, 5), Shape::of(&[1, 3, 4, 5]).unwrap());
    }

    #[test]
    fn elements_that_cannot_be_counted_are_none() {
        assert_eq!(Shape::image(usize::MAX, usize::MAX, 2).checked_elements(), None);
        assert_eq!(Shape::image(usize::MAX, usize::MAX, 2).elements(), u64::MAX);
        assert_eq!(Shape::image(1 << 20, 1 << 10, 2).checked_elements(), None, "more than a tensor may hold");
    }
}
