//! The state dict a network expects: keys, shapes, and which of them may be absent.

use std::collections::HashSet;

use super::Network;
use super::ops::ParameterKind;

/// One expected entry of the state dict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Full key, such as `encoder.3.running_mean`.
    pub key: String,
    /// PyTorch's shape; empty for a scalar.
    pub shape: Vec<usize>,
    /// What it is for.
    pub kind: ParameterKind,
}

impl Network {
    /// Every entry of the network's `state_dict()`, in order; a layer that is called twice has one.
    pub fn parameters(&self) -> Vec<Parameter> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for node in &self.nodes {
            for (key, own) in node.keys.iter().zip(node.op.parameters()) {
                if seen.insert(key) {
                    all.push(Parameter { key: key.clone(), shape: own.shape, kind: own.kind });
                }
            }
        }
        all
    }

    /// Trained parameters, counted as PyTorch's `sum(p.numel() for p in net.parameters())`.
    pub fn parameter_count(&self) -> u64 {
        let trained = self.parameters().into_iter().filter(|p| p.kind == ParameterKind::Trained);
        let count = |shape: &[usize]| shape.iter().fold(1u64, |all, &side| all.saturating_mul(side as u64));
        trained.fold(0u64, |all, parameter| all.saturating_add(count(&parameter.shape)))
    }
}
