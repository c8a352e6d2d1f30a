//! What a checkpoint is, said to people and to scripts: the one report behind `infill inspect` and the page's card.

mod alignment;
pub mod class;
mod finding;
mod findings;
mod fit;
mod layers;
mod loading;
mod stats;
mod wrapping;

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use crate::checkpoint::{Checkpoint, StateDict};
use crate::models::exported;
use crate::models::identify::{Match, identify};
use crate::models::load::Loaded;
use crate::models::names::as_stored;
use crate::models::spelling::{conventions_json, role_word};

pub use crate::network::ops::Geometry;
pub use alignment::{Aligned, alignment};
pub use class::{ClassReport, read_class};
pub use finding::Finding;
pub use layers::LayerReport;
pub use loading::Loading;
pub use stats::{TensorStats, stats};

/// The report; its JSON is `infill inspect --json`.
#[derive(Serialize)]
pub struct Report {
    /// The file's name.
    pub file: String,
    /// `zip`, `legacy`, `tar`, `torchscript`, `safetensors` or `onnx`.
    pub container: &'static str,
    /// Wrapper keys of the best network's state dict (else of the first), outermost first.
    pub wrapper: Vec<String>,
    /// Prefix stripped from its keys.
    pub prefix: String,
    /// The networks found, best first.
    pub networks: Vec<NetworkReport>,
    /// Every tensor of every state dict.
    pub tensors: Vec<TensorReport>,
    /// What the user should know, most important first.
    pub findings: Vec<Finding>,
    /// safetensors `__metadata__`.
    pub metadata: Vec<(String, String)>,
}

/// One network of the file.
#[derive(Serialize)]
pub struct NetworkReport {
    /// Id as on the command line.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// 0 to 1.
    pub confidence: f32,
    /// Why, in one sentence.
    pub why: String,
    /// What it does: `paints`, `scores`, or what it gives to others, such as `gives-edges`.
    pub role: String,
    /// Base width; 0 where the architecture has none.
    pub width: usize,
    /// Trained parameters.
    pub parameters: u64,
    /// PyTorch's short name of the commonest dtype, such as `float32`.
    pub dtype: &'static str,
    /// Keys the network has and the file has not.
    pub missing: Vec<String>,
    /// Keys the file has and the network has not.
    pub unexpected: Vec<String>,
    /// Keys of another shape.
    pub mismatched: Vec<MismatchReport>,
    /// Where only the names differ: the network's key and the file's at the same place; left out elsewhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<(String, String)>,
    /// Wrapper keys of its state dict.
    pub wrapper: Vec<String>,
    /// Prefix stripped from its keys.
    pub prefix: String,
    /// How it is fed, as guessed.
    pub conventions: Value,
    /// Licence of the published weights.
    pub licence: String,
    /// What this kind of network is, in sentences for people; empty if there is nothing to add.
    pub about: Vec<String>,
    /// Every layer, at the side the network was trained at.
    pub layers: Vec<LayerReport>,
}

/// One key of another shape.
#[derive(Serialize)]
pub struct MismatchReport {
    /// The key.
    pub key: String,
    /// Shape in the network.
    pub expected: Vec<usize>,
    /// Shape in the file.
    pub found: Vec<usize>,
}

/// One tensor.
#[derive(Serialize)]
pub struct TensorReport {
    /// Key without wrapper and prefix.
    pub key: String,
    /// Shape.
    pub shape: Vec<usize>,
    /// PyTorch's short name of the dtype.
    pub dtype: &'static str,
    /// What its values are, where somebody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<TensorStats>,
}

/// Says what an opened checkpoint is.
pub fn inspect(checkpoint: &dyn Checkpoint, file: &str) -> Report {
    let matches = identify(checkpoint);
    let dicts = checkpoint.state_dicts();
    let main = matches.first().map(|m| m.names.view(&dicts[m.dict])).or(dicts.first().map(as_stored));
    Report {
        file: file.to_owned(),
        container: checkpoint.container().as_str(),
        wrapper: main.as_ref().map(|dict| dict.wrapper.clone()).unwrap_or_default(),
        prefix: main.as_ref().map(|dict| dict.prefix.clone()).unwrap_or_default(),
        findings: findings::findings(checkpoint, &matches, file),
        tensors: tensors(dicts, &matches),
        networks: matches.into_iter().map(|found| network(found, dicts)).collect(),
        metadata: checkpoint.metadata().to_vec(),
    }
}

fn tensors(dicts: &[StateDict], matches: &[Match]) -> Vec<TensorReport> {
    let all = dicts.iter().flat_map(|dict| &dict.tensors).zip(keys(dicts, matches));
    all.map(|(t, key)| TensorReport { key, shape: t.shape.clone(), dtype: t.dtype.as_str(), stats: None }).collect()
}

/// The keys of all tensors, in file order, as the networks found spell them where a stripped prefix is their own, and as the
/// file does where nobody knows whose it is.
fn keys(dicts: &[StateDict], matches: &[Match]) -> Vec<String> {
    let own = |index: usize| matches.iter().find(|found| found.dict == index && found.names.prefix.is_empty());
    let is_known = |index: usize| matches.iter().any(|found| found.dict == index);
    let spelled = |(index, dict): (usize, &StateDict)| {
        let stored = if is_known(index) { Cow::Borrowed(dict) } else { as_stored(dict) };
        let put_back = own(index).map_or("", |found| &found.names.put_back);
        stored.tensors.iter().map(|tensor| format!("{put_back}{}", tensor.key)).collect::<Vec<_>>()
    };
    dicts.iter().enumerate().flat_map(spelled).collect()
}

fn network(found: Match, dicts: &[StateDict]) -> NetworkReport {
    let dict = found.names.view(&dicts[found.dict]);
    let conventions = found.conventions();
    let net = found.model.network_for(&found.config, &conventions);
    let mismatched = found.diff.mismatched.into_iter();
    NetworkReport {
        id: found.model.id.clone(),
        name: found.model.name.clone(),
        confidence: found.confidence,
        why: found.why,
        role: role_word(found.model.role),
        width: found.config.width(),
        parameters: net.parameter_count(),
        dtype: commonest_dtype(&dict),
        missing: found.diff.missing,
        unexpected: found.diff.unexpected,
        renamed: found.names.renamed,
        mismatched: mismatched.map(|m| MismatchReport { key: m.key, expected: m.expected, found: m.found }).collect(),
        wrapper: dict.wrapper.clone(),
        prefix: dict.prefix.clone(),
        licence: found.model.licence.clone(),
        about: found.model.about.clone(),
        layers: layers::layers(&net, conventions.size.preferred),
        conventions: conventions_json(&conventions, found.model.role),
    }
}

/// What `inspect` says of a file, its one network being the class that it was loaded with.
pub fn inspect_loaded(checkpoint: &dyn Checkpoint, file: &str, loaded: &Loaded) -> Report {
    let found = Match { why: loaded.why(), ..loaded.found().clone() };
    let (wrapper, prefix) = {
        let dict = found.names.view(&checkpoint.state_dicts()[found.dict]);
        (dict.wrapper.clone(), dict.prefix.clone())
    };
    let tensors = tensors(checkpoint.state_dicts(), std::slice::from_ref(&found));
    Report {
        file: file.to_owned(),
        container: checkpoint.container().as_str(),
        wrapper,
        prefix,
        networks: vec![network(found, checkpoint.state_dicts())],
        tensors,
        findings: Vec::new(),
        metadata: checkpoint.metadata().to_vec(),
    }
}

/// What `inspect` says of a file; a graph of ONNX that no known network fits is followed, and reported as what it is.
pub fn inspect_graph(checkpoint: &dyn Checkpoint, file: &str) -> Report {
    let mut report = inspect(checkpoint, file);
    if checkpoint.graph().is_none() || identify(checkpoint).iter().any(Match::fits) {
        return report;
    }
    match exported::found(checkpoint, file, None) {
        Ok(found) => {
            report.networks = vec![network(found, checkpoint.state_dicts())];
            report.findings = findings::of_graph();
        }
        Err(error) => {
            report.findings.insert(0, finding::finding("graph-not-followed", "error", error.message, error.keys))
        }
    }
    report
}

/// The dtype of most elements.
fn commonest_dtype(dict: &StateDict) -> &'static str {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for tensor in &dict.tensors {
        let (name, elements) = (tensor.dtype.as_str(), tensor.shape.iter().product::<usize>());
        match counts.iter_mut().find(|(n, _)| *n == name) {
            Some((_, count)) => *count += elements,
            None => counts.push((name, elements)),
        }
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map_or("none", |(name, _)| name)
}
