//! What a run costs: multiply-adds and bytes, known before it starts.

use super::{Network, Shape};
use crate::error::Result;

/// Cost of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cost {
    /// Multiply-adds (0 for operations without weights).
    pub macs: u64,
    /// Bytes of its outputs in f32.
    pub bytes: u64,
}

impl Network {
    /// Cost of every node for inputs of these shapes.
    pub fn costs(&self, inputs: &[Shape]) -> Result<Vec<Cost>> {
        let shapes = self.shapes(inputs)?;
        let cost = |index: usize| {
            let outputs = shapes.outputs(index);
            let macs = self.nodes[index].op.macs(&shapes.inputs(self, index), outputs);
            let bytes = outputs.iter().fold(0u64, |all, shape| all.saturating_add(shape.elements().saturating_mul(4)));
            Cost { macs, bytes }
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
