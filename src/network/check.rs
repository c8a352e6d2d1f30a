//! PyTorch's own constraints on a layer's arguments, with PyTorch's own words, and the caps of `limits.rs`; and that a
//! description is sound by itself.

use super::{Network, Node};
use crate::error::{Code, Error, Result};
use crate::limits::MAX_NODES;

impl Network {
    /// Checks every layer as PyTorch's constructors and first call would; `network-invalid` names the layer.
    pub fn check(&self) -> Result<()> {
        if self.nodes.len() > MAX_NODES {
            let text = format!("The network has {} layers, and at most {MAX_NODES} can be run.", self.nodes.len());
            return Err(Error::new(Code::NetworkInvalid, text));
        }
        for (index, node) in self.nodes.iter().enumerate() {
            self.check_node(index, node).map_err(|text| {
                Error::new(Code::NetworkInvalid, format!("{} ({}): {text}", node.path, node.op.name()))
            })?;
        }
        let output = self.output();
        match self.nodes.get(output.node) {
            Some(node) if output.output < node.op.outputs() => Ok(()),
            _ => Err(Error::new(Code::NetworkInvalid, "The network has no layers.")),
        }
    }

    fn check_node(&self, index: usize, node: &Node) -> Result<(), String> {
        let there = |value: &super::ValueId| value.node < index && value.output < self.nodes[value.node].op.outputs();
        if !node.inputs.iter().all(there) {
            return Err("it reads a value that does not come before it".to_owned());
        }
        let (least, most) = node.op.arity();
        if !(least..=most).contains(&node.inputs.len()) {
            return Err(format!("it takes {least} inputs or more, up to {most}, and was given {}", node.inputs.len()));
        }
        node.op.check()?;
        if node.keys.len() != node.op.parameters().len() {
            return Err("its parameters and their keys differ in number".to_owned());
        }
        Ok(())
    }
}
