//! One architecture as data: its description, how its numbers are found in a file, how it is run, and what people are told.

use std::fmt;
use std::sync::Arc;

use super::config::{ArchConfig, ArchParameter};
use super::conventions::{Conventions, NormStatistics, Source};
use crate::network::ops::norm::Statistics;
use crate::network::{Network, Op, Parameter};

/// Makes something from an architecture's numbers.
pub type Builder<T> = Arc<dyn Fn(&ArchConfig) -> T + Send + Sync>;
/// Says something of a key, given the architecture's numbers.
pub type KeyTest = Arc<dyn Fn(&ArchConfig, &str) -> bool + Send + Sync>;
/// The values of a parameter that files may leave out; `None` if they may not.
pub type FixedValues = Arc<dyn Fn(&Parameter) -> Option<Vec<f32>> + Send + Sync>;
/// The form in which files hold the values of a key; `None` if as they are.
pub type Transforms = Arc<dyn Fn(&str) -> Option<KeyTransform> + Send + Sync>;

/// What a network does in a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Role {
    /// It paints the hole.
    Paints,
    /// Its one output channel is what painting networks take as this source.
    Gives(Source),
    /// It scores a picture, patch by patch.
    Scores,
}

/// How a file's values become those of the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyTransform {
    /// The kernel is reversed in both axes: a transposed convolution that files hold as a plain one.
    ReverseKernel,
    /// Multiplied by the single number under this key, if the file has it.
    Times(String),
}

/// What a file may hold, or leave out, beside the description's own keys.
#[derive(Clone, Default)]
pub struct KeyRules {
    /// Keys that a file may hold though nothing reads them, and one sentence on why.
    pub unread: Option<(KeyTest, String)>,
    /// Values of parameters that are never trained, for files that leave them out.
    pub fixed: Option<FixedValues>,
    /// For keys whose values files hold in another form, which one.
    pub transforms: Option<Transforms>,
}

impl KeyRules {
    /// Whether a key that the network has not is simply not read.
    pub fn is_unread(&self, config: &ArchConfig, key: &str) -> bool {
        self.unread.as_ref().is_some_and(|(is_unread, _)| is_unread(config, key))
    }

    /// The values of a parameter that files may leave out.
    pub fn fixed_values(&self, parameter: &Parameter) -> Option<Vec<f32>> {
        self.fixed.as_ref()?(parameter)
    }

    /// How the file's values become those of this key.
    pub fn transform(&self, key: &str) -> Option<KeyTransform> {
        self.transforms.as_ref()?(key)
    }

    /// The key of the number that a file's values of this key are multiplied by.
    pub fn factor(&self, key: &str) -> Option<String> {
        match self.transform(key)? {
            KeyTransform::Times(factor) => Some(factor),
            KeyTransform::ReverseKernel => None,
        }
    }
}

/// The Python class of a network that people load into another one, and what they take it for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassHint {
    /// The right class: `InpaintGenerator`.
    pub class: String,
    /// Id of the network that it is mistaken for.
    pub mistaken_for: String,
}

/// One row of the benchmark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Benchmark {
    /// Name in the tables: `edgeconnect-256`.
    pub name: String,
    /// Side of the square input, pixels.
    pub side: usize,
}

/// One architecture. All that the program does or says about a network comes from here.
#[derive(Clone)]
pub struct ModelSpec {
    /// Stable id, as on the command line: `context-encoder`.
    pub id: String,
    /// Name for people: `ContextEncoder`.
    pub name: String,
    /// Builds the description.
    pub network: Builder<Network>,
    /// The numbers that vary between checkpoints.
    pub parameters: Vec<ArchParameter>,
    /// How it is run unless the user says otherwise.
    pub conventions: Builder<Conventions>,
    /// What it does in a run.
    pub role: Role,
    /// Whether its pictures are soft, made to be given their detail by the sharpening and not to be looked at as they are.
    pub needs_detail: bool,
    /// What a file may hold or leave out.
    pub keys: KeyRules,
    /// One line on the licence of the published weights.
    pub licence: String,
    /// What this kind of network is, in sentences for people.
    pub about: Vec<String>,
    /// For networks that people load into another class.
    pub class: Option<ClassHint>,
    /// Ids it once had: a script that names one still finds it.
    pub former_ids: Vec<String>,
    /// Its rows in the benchmark.
    pub benchmarks: Vec<Benchmark>,
}

impl ModelSpec {
    /// A network that paints, with weights of the user's own, and nothing special about it.
    pub fn new(
        id: &str,
        name: &str,
        network: impl Fn(&ArchConfig) -> Network + Send + Sync + 'static,
        conventions: impl Fn(&ArchConfig) -> Conventions + Send + Sync + 'static,
    ) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            network: Arc::new(network),
            parameters: Vec::new(),
            conventions: Arc::new(conventions),
            role: Role::Paints,
            needs_detail: false,
            keys: KeyRules::default(),
            licence: "your own weights".to_owned(),
            about: Vec::new(),
            class: None,
            former_ids: Vec::new(),
            benchmarks: Vec::new(),
        }
    }

    /// The numbers of the published weights.
    pub fn published(&self) -> ArchConfig {
        ArchConfig::new(self.parameters.iter().map(|parameter| (parameter.name.as_str(), parameter.published)))
    }

    /// The description, its batch norms with their stored statistics.
    pub fn network(&self, config: &ArchConfig) -> Network {
        (self.network)(config)
    }

    /// The description as these conventions run it.
    pub fn network_for(&self, config: &ArchConfig, conventions: &Conventions) -> Network {
        let mut network = self.network(config);
        if let Some(statistics) = conventions.norm_statistics {
            set_statistics(&mut network, statistics);
        }
        network
    }

    /// The conventions at these numbers; [`Conventions::norm_statistics`] only where there is a norm that stores any.
    pub fn conventions(&self, config: &ArchConfig) -> Conventions {
        let mut conventions = (self.conventions)(config);
        if !self.network(config).nodes.iter().any(|node| matches!(node.op, Op::BatchNorm2d(_))) {
            conventions.norm_statistics = None;
        }
        conventions
    }

    /// Rows of the benchmark at these sides, named `name-side`.
    pub fn benchmarked(mut self, name: &str, sides: &[usize]) -> Self {
        self.benchmarks = sides.iter().map(|&side| Benchmark { name: format!("{name}-{side}"), side }).collect();
        self
    }
}

impl fmt::Debug for ModelSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelSpec").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Sentences as a spec holds them.
pub fn sentences(list: &[&str]) -> Vec<String> {
    list.iter().map(|&sentence| sentence.to_owned()).collect()
}

fn set_statistics(network: &mut Network, statistics: NormStatistics) {
    let statistics = match statistics {
        NormStatistics::Stored => Statistics::Stored,
        NormStatistics::Picture => Statistics::Picture,
    };
    for node in &mut network.nodes {
        if let Op::BatchNorm2d(norm) = &mut node.op {
            norm.statistics = statistics;
        }
    }
}
