//! Which network a state dict belongs to, derived from the descriptions alone: keys, shapes, and the widths
//! that the shapes vote for.

use std::collections::{HashMap, HashSet};

use super::fold::{self, Stored};
use super::{MODELS, Model, Widths};
use crate::checkpoint::{Checkpoint, StateDict, TensorInfo};
use crate::network::{Network, Parameter, ParameterKind};

/// A key whose shape is another than the network's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The key as the network names it.
    pub key: String,
    /// Shape in the network.
    pub expected: Vec<usize>,
    /// Shape in the file.
    pub found: Vec<usize>,
}

/// How well one state dict fits one network.
#[derive(Clone)]
pub struct Match {
    /// The network.
    pub model: &'static Model,
    /// Channel counts read from the shapes.
    pub widths: Widths,
    /// Index into [`Checkpoint::state_dicts`].
    pub dict: usize,
    /// 0 to 1: the share of keys and shapes that fit.
    pub confidence: f32,
    /// Why, in one sentence for people.
    pub why: String,
    /// Keys the network has and the file has not (counters that eval never reads left out).
    pub missing: Vec<String>,
    /// Keys the file has and the network has not.
    pub unexpected: Vec<String>,
    /// Keys of another shape.
    pub mismatched: Vec<Mismatch>,
    /// Whether some weights are stored under spectral or weight norm and will be folded.
    pub folded: Option<&'static str>,
}

impl Match {
    /// Whether every key fits, so that the network can run.
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.mismatched.is_empty()
    }

    /// All keys at fault, in the order missing, unexpected, mismatched.
    pub fn faults(&self) -> Vec<String> {
        let mismatched = self.mismatched.iter().map(|m| m.key.clone());
        self.missing.iter().chain(&self.unexpected).cloned().chain(mismatched).collect()
    }
}

/// Keys of a state dict by name.
pub fn by_key(dict: &StateDict) -> HashMap<&str, &TensorInfo> {
    dict.tensors.iter().map(|tensor| (tensor.key.as_str(), tensor)).collect()
}

/// Holds one state dict against one network, at the widths its shapes vote for.
pub fn align(model: &'static Model, dict: &StateDict, index: usize) -> Match {
    let tensors = by_key(dict);
    let find = |key: &str| tensors.get(key).copied();
    let widths = widths(model, &find);
    let network = (model.network)(widths);
    let parameters = network.parameters();
    let (mut missing, mut mismatched, mut fitting, mut folded) = (Vec::new(), Vec::new(), 0usize, None);
    let mut used = HashSet::new();
    for Parameter { key, shape, kind } in &parameters {
        let Some(stored) = fold::stored(key, &find) else {
            if *kind != ParameterKind::Counter {
                missing.push(key.clone());
            }
            continue;
        };
        match stored {
            Stored::Spectral(_) => folded = Some("spectral norm"),
            Stored::WeightNorm(_) => folded = Some("weight norm"),
            Stored::Plain(_) => {}
        }
        used.extend(stored.keys().iter().cloned());
        let found = find(stored.shaped_key()).map(|tensor| tensor.shape.clone()).unwrap_or_default();
        // Old checkpoints store the counter as [1].
        if found == *shape || *kind == ParameterKind::Counter {
            fitting += usize::from(*kind != ParameterKind::Counter);
        } else {
            mismatched.push(Mismatch { key: key.clone(), expected: shape.clone(), found });
        }
    }
    let unexpected: Vec<String> = dict.tensors.iter().map(|t| &t.key).filter(|k| !used.contains(*k)).cloned().collect();
    let wanted = parameters.iter().filter(|p| p.kind != ParameterKind::Counter).count();
    let confidence = fitting as f32 / (wanted + unexpected.len()).max(1) as f32;
    let why = why(model, widths, fitting, wanted, &unexpected, folded);
    Match { model, widths, dict: index, confidence, why, missing, unexpected, mismatched, folded }
}

fn why(
    model: &Model,
    widths: Widths,
    fitting: usize,
    wanted: usize,
    unexpected: &[String],
    folded: Option<&str>,
) -> String {
    let mut text = if fitting == wanted && unexpected.is_empty() {
        format!("All {wanted} keys and shapes are those of {}", model.name)
    } else {
        format!("{fitting} of the {wanted} keys and shapes of {} fit, {} are not its own", model.name, unexpected.len())
    };
    if widths != model.published {
        text += &format!(", at base width {} instead of {}", widths.base, model.published.base);
    }
    if let Some(folded) = folded {
        text += &format!("; {folded} is folded into the weights");
    }
    text + "."
}

/// The best fitting network of every state dict, best first; state dicts that resemble none are left out.
pub fn identify(checkpoint: &dyn Checkpoint) -> Vec<Match> {
    let best = |(index, dict): (usize, &StateDict)| {
        let candidates = MODELS.iter().map(|model| align(model, dict, index));
        candidates.max_by(|a, b| a.confidence.total_cmp(&b.confidence)).filter(|m| m.confidence >= 0.3)
    };
    let mut matches: Vec<Match> = checkpoint.state_dicts().iter().enumerate().filter_map(best).collect();
    matches.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    matches
}

/// Reads the channel counts from the shapes: every dimension that scales with a width votes.
fn widths<'a>(model: &Model, find: &dyn Fn(&str) -> Option<&'a TensorInfo>) -> Widths {
    let published = model.published;
    let shapes = |widths: Widths| (model.network)(widths).parameters();
    let at_published = shapes(published);
    let vote = |scaled: Vec<Parameter>, width: usize| -> usize {
        let mut votes: HashMap<usize, usize> = HashMap::new();
        for (a, b) in at_published.iter().zip(&scaled) {
            let Some(tensor) = fold::stored(&a.key, find).and_then(|stored| find(stored.shaped_key())) else {
                continue;
            };
            if tensor.shape.len() != a.shape.len() {
                continue;
            }
            for ((&dim, &scaled), &found) in a.shape.iter().zip(&b.shape).zip(&tensor.shape) {
                // Channels per unit of width: dim = width * factor, so the file's width is found / factor.
                if scaled == 2 * dim && found <= 1 << 20 && (found * width).is_multiple_of(dim) {
                    *votes.entry(found * width / dim).or_default() += 1;
                }
            }
        }
        // Most votes; among equals the larger width, so that the outcome is one and the same every time.
        votes
            .into_iter()
            .filter(|&(w, _)| (1..=4096).contains(&w))
            .max_by_key(|&(w, n)| (n, w))
            .map_or(width, |(w, _)| w)
    };
    let base = vote(shapes(Widths { base: 2 * published.base, ..published }), published.base);
    let bottleneck = match published.bottleneck {
        0 => 0,
        wide => vote(shapes(Widths { bottleneck: 2 * wide, ..published }), wide),
    };
    Widths { base, bottleneck }
}

/// The description at the match's widths.
pub fn network(found: &Match) -> Network {
    (found.model.network)(found.widths)
}
