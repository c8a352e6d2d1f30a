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
            // Every output (or, transposed, every input) meets so many weights.
            let meets = |elements: u64, channels: usize, groups: usize, (kh, kw): (usize, usize)| {
                elements.saturating_mul((channels / groups.max(1)) as u64).saturating_mul((kh * kw) as u64)
            };
            let macs = match &self.nodes[index].op {
                Op::Conv2d(c) => meets(out.elements(), c.in_channels, c.groups, c.kernel_size),
                Op::ConvTranspose2d(c) => {
                    let input = shapes[self.nodes[index].inputs[0].0];
                    meets(input.elements(), c.out_channels, c.groups, c.kernel_size)
                }
                _ => 0,
            };
            Cost { macs, bytes: out.elements() * 4 }
        };
        Ok((0..self.nodes.len()).map(cost).collect())
    }

    /// Bytes of the values that are alive at once, at the worst moment of a run in the nodes' own order: each value from
    /// the node that writes it to the last that reads it.
    pub fn live_bytes(&self, costs: &[Cost]) -> u64 {
        let last = self.last_uses();
        let mut dying = vec![0u64; self.nodes.len()];
        let (mut alive, mut most) = (0u64, 0u64);
        for (index, cost) in costs.iter().enumerate() {
            alive = alive.saturating_add(cost.bytes);
            most = most.max(alive);
            if let Some(bytes) = dying.get_mut(last[index]) {
                *bytes = bytes.saturating_add(cost.bytes);
            }
            alive = alive.saturating_sub(dying[index]);
        }
        most
    }
}
