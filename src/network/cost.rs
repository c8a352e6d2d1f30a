//! What a run costs: multiply-adds and bytes, known before it starts.

use super::{Network, Op, Shape};
use crate::error::Result;

/// Cost of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cost {
    /// Multiply-adds (0 for operations without weights).
    pub macs: u64,
    /// Bytes of its output in f32.
    pub bytes: u64,
}

impl Network {
    /// Cost of every node for inputs of these shapes (batch of one).
    pub fn costs(&self, inputs: &[Shape]) -> Result<Vec<Cost>> {
        let shapes = self.shapes(inputs)?;
        let cost = |index: usize| {
            let out = shapes[index];
            let macs = match &self.nodes[index].op {
                Op::Conv2d(c) => {
                    out.elements()
                        * (c.in_channels / c.groups.max(1)) as u64
                        * (c.kernel_size.0 * c.kernel_size.1) as u64
                }
                Op::ConvTranspose2d(c) => {
                    let input = shapes[self.nodes[index].inputs[0].0];
                    input.elements()
                        * (c.out_channels / c.groups.max(1)) as u64
                        * (c.kernel_size.0 * c.kernel_size.1) as u64
                }
                _ => 0,
            };
            Cost { macs, bytes: out.elements() * 4 }
        };
        Ok((0..self.nodes.len()).map(cost).collect())
    }
}
