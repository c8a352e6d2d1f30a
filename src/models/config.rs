//! The whole numbers that tell checkpoints of one architecture apart, and how each is found in a file.

use std::collections::HashMap;
use std::sync::Arc;

use super::fold;
use crate::checkpoint::{StateDict, TensorInfo};

/// Channels after the first convolution; most others are multiples of it.
pub const WIDTH: &str = "width";
/// Channels of the bottleneck, where the architecture has one of its own.
pub const BOTTLENECK: &str = "bottleneck";
/// Residual blocks.
pub const BLOCKS: &str = "blocks";
/// Halvings of a U-Net.
pub const DEPTH: &str = "depth";
/// Side of the only picture size that the network runs at, pixels.
pub const SIDE: &str = "side";
/// Channels of the input.
pub const INPUTS: &str = "inputs";
/// Channels of the output.
pub const OUTPUTS: &str = "outputs";
/// Which norm stands behind the convolutions; the numbers are the architecture's own.
pub const NORM: &str = "norm";
/// 1 where dropout layers were defined, which moves the indices of the layers after them.
pub const DROPOUT: &str = "dropout";
/// 1 where residual convolutions have a bias though the published weights have none.
pub const RESIDUAL_BIAS: &str = "residual-bias";

/// Named whole numbers: what [`super::ModelSpec::network`] builds a description from.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ArchConfig(Vec<(String, usize)>);

impl ArchConfig {
    /// A config with these numbers.
    pub fn new<'a>(numbers: impl IntoIterator<Item = (&'a str, usize)>) -> Self {
        Self(numbers.into_iter().map(|(name, number)| (name.to_owned(), number)).collect())
    }

    /// The number of this name.
    ///
    /// # Panics
    /// If the architecture has no such number, which is a mistake in its own file.
    pub fn get(&self, name: &str) -> usize {
        self.find(name).unwrap_or_else(|| panic!("the architecture has no number named {name}"))
    }

    /// The number of this name, where the architecture has one.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.0.iter().find(|(own, _)| own == name).map(|&(_, number)| number)
    }

    /// Whether the number of this name is not 0; false where the architecture has none.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some_and(|number| number != 0)
    }

    /// The same numbers but for this one.
    pub fn with(mut self, name: &str, number: usize) -> Self {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, old)) => *old = number,
            None => self.0.push((name.to_owned(), number)),
        }
        self
    }

    /// The base width; 0 where the architecture has none.
    pub fn width(&self) -> usize {
        self.find(WIDTH).unwrap_or(0)
    }
}

/// Reads a number from a file's keys and shapes; `None` where they do not tell.
pub type Reader = Arc<dyn Fn(&Keys<'_>) -> Option<usize> + Send + Sync>;

/// How a number is found in a file.
#[derive(Clone)]
pub enum Found {
    /// Every dimension that is a multiple of it votes.
    Voted,
    /// A function reads it from keys and shapes.
    Read(Reader),
    /// Each of these is tried; the best fitting is taken.
    Choice(Vec<usize>),
}

/// One number of an architecture.
#[derive(Clone)]
pub struct ArchParameter {
    /// Its name in the config.
    pub name: String,
    /// Its value in the published weights; taken where a file does not tell.
    pub published: usize,
    /// How a file tells.
    pub found: Found,
}

impl ArchParameter {
    /// A number that the shapes vote for.
    pub fn voted(name: &str, published: usize) -> Self {
        Self { name: name.to_owned(), published, found: Found::Voted }
    }

    /// A number that is read from keys and shapes.
    pub fn read(
        name: &str,
        published: usize,
        reader: impl Fn(&Keys<'_>) -> Option<usize> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.to_owned(), published, found: Found::Read(Arc::new(reader)) }
    }

    /// One of a few numbers, the first of which is published.
    pub fn choice(name: &str, choices: &[usize]) -> Self {
        let published = choices.first().copied().unwrap_or(0);
        Self { name: name.to_owned(), published, found: Found::Choice(choices.to_vec()) }
    }
}

/// The keys of a state dict under the names that a network gives them, to be looked up.
pub struct Keys<'a>(HashMap<&'a str, &'a TensorInfo>);

impl<'a> Keys<'a> {
    /// Of a state dict as it is.
    pub fn of(dict: &'a StateDict) -> Self {
        Self(dict.tensors.iter().map(|tensor| (tensor.key.as_str(), tensor)).collect())
    }

    /// Of tensors under other names than their own.
    pub fn named(tensors: impl IntoIterator<Item = (&'a str, &'a TensorInfo)>) -> Self {
        Self(tensors.into_iter().collect())
    }

    /// The tensor stored under exactly this key.
    pub fn tensor(&self, key: &str) -> Option<&'a TensorInfo> {
        self.0.get(key).copied()
    }

    /// The shape of a weight, also where it is stored under spectral or weight norm.
    pub fn shape(&self, key: &str) -> Option<&'a [usize]> {
        let stored = fold::stored(key, &|key| self.tensor(key))?;
        self.tensor(stored.shaped_key()).map(|tensor| tensor.shape.as_slice())
    }

    /// One side of a weight's shape.
    pub fn side(&self, key: &str, dimension: usize) -> Option<usize> {
        self.shape(key)?.get(dimension).copied()
    }

    /// Whether there is such a weight, in whatever form.
    pub fn has(&self, key: &str) -> bool {
        self.shape(key).is_some()
    }
}
