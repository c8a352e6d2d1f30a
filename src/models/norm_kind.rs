//! The norms that pix2pix and CycleGAN are trained with: which one leaves its trace in the keys, and how it is built.

use std::sync::Arc;

use super::config::NORM;
use super::{ArchConfig, ArchParameter, KeyRules};
use crate::network::{BatchNorm2d, InstanceNorm2d, Network, ValueId};

/// What stands behind a convolution.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NormKind {
    /// Nothing.
    None,
    /// Batch norm; the convolutions before it have no bias.
    Batch,
    /// Instance norm without parameters; the convolutions before it have one.
    Instance,
}

impl NormKind {
    /// The norm of a config.
    pub fn of(config: &ArchConfig) -> Self {
        match config.get(NORM) {
            1 => Self::Batch,
            2 => Self::Instance,
            _ => Self::None,
        }
    }

    /// Whether the convolution before it has a bias.
    pub fn has_bias(self) -> bool {
        self == Self::Instance
    }

    /// Adds the norm of `channels` channels.
    pub fn push(self, net: &mut Network, path: String, x: ValueId, channels: usize) -> ValueId {
        match self {
            Self::None => x,
            Self::Batch => net.node(path, BatchNorm2d::new(channels), &[x]),
            Self::Instance => net.node(path, InstanceNorm2d::new(channels), &[x]),
        }
    }
}

/// The number of a network whose first convolution and first norm lie at these paths.
pub fn parameter(conv: &'static str, norm: &'static str, published: NormKind) -> ArchParameter {
    ArchParameter::read(NORM, published as usize, move |keys| {
        let is_batch = keys.shape(&format!("{norm}.weight")).is_some_and(|shape| shape.len() == 1);
        Some(match keys.has(&format!("{conv}.bias")) {
            _ if is_batch => NormKind::Batch as usize,
            true => NormKind::Instance as usize,
            false => NormKind::None as usize,
        })
    })
}

/// Files of 2017 and 2018 hold statistics of instance norms, which the published loader throws away.
pub fn rules() -> KeyRules {
    const STATISTICS: [&str; 3] = ["running_mean", "running_var", "num_batches_tracked"];
    let is_statistic = |config: &ArchConfig, key: &str| {
        let name = key.rsplit('.').next().unwrap_or(key);
        NormKind::of(config) == NormKind::Instance && STATISTICS.contains(&name)
    };
    let why = "The file holds statistics of instance norms, as files of 2017 and 2018 do. They are not read: the norms take \
               those of the picture, as the published code does.";
    KeyRules { unread: Some((Arc::new(is_statistic), why.to_owned())), ..KeyRules::default() }
}
