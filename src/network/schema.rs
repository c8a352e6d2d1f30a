//! The state dict a network expects: keys, shapes, and which of them may be absent.

use std::collections::HashSet;

use super::{Network, Op};

/// What a parameter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// A trained weight or bias.
    Trained,
    /// A statistic gathered in training (`running_mean`, `running_var`): as necessary in eval mode.
    Statistic,
    /// A counter that eval mode never reads (`num_batches_tracked`): harmless if missing.
    Counter,
}

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

impl Op {
    /// The op's own entries: name within the module, shape, kind; in `state_dict()` order.
    pub fn parameters(&self) -> Vec<(&'static str, Vec<usize>, ParameterKind)> {
        use ParameterKind::*;
        let mut list = Vec::new();
        match self {
            Op::Conv2d(c) => {
                let (kh, kw) = c.kernel_size;
                list.push(("weight", vec![c.out_channels, c.in_channels / c.groups.max(1), kh, kw], Trained));
                if c.bias {
                    list.push(("bias", vec![c.out_channels], Trained));
                }
            }
            Op::ConvTranspose2d(c) => {
                let (kh, kw) = c.kernel_size;
                list.push(("weight", vec![c.in_channels, c.out_channels / c.groups.max(1), kh, kw], Trained));
                if c.bias {
                    list.push(("bias", vec![c.out_channels], Trained));
                }
            }
            Op::BatchNorm2d(n) => norm(&mut list, n.num_features, n.affine, true),
            Op::InstanceNorm2d(n) => norm(&mut list, n.num_features, n.affine, n.track_running_stats),
            _ => {}
        }
        list
    }
}

fn norm(list: &mut Vec<(&'static str, Vec<usize>, ParameterKind)>, features: usize, affine: bool, tracked: bool) {
    if affine {
        list.push(("weight", vec![features], ParameterKind::Trained));
        list.push(("bias", vec![features], ParameterKind::Trained));
    }
    if tracked {
        list.push(("running_mean", vec![features], ParameterKind::Statistic));
        list.push(("running_var", vec![features], ParameterKind::Statistic));
        list.push(("num_batches_tracked", vec![], ParameterKind::Counter));
    }
}

impl Network {
    /// Every entry of the network's `state_dict()`, in order; a layer that is called twice has one.
    pub fn parameters(&self) -> Vec<Parameter> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        for node in &self.nodes {
            let own = node.op.parameters();
            if own.is_empty() || !seen.insert(&node.path) {
                continue;
            }
            for (name, shape, kind) in own {
                all.push(Parameter { key: format!("{}.{name}", node.path), shape, kind });
            }
        }
        all
    }

    /// Trained parameters, counted as PyTorch's `sum(p.numel() for p in net.parameters())`.
    pub fn parameter_count(&self) -> u64 {
        let trained = self.parameters().into_iter().filter(|p| p.kind == ParameterKind::Trained);
        trained.map(|p| p.shape.iter().map(|&n| n as u64).product::<u64>()).sum()
    }
}
