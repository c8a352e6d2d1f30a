//! Which network a state dict belongs to, derived from the descriptions alone: keys, shapes, and the widths
//! that the shapes vote for.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::fold::{self, Stored};
use super::{MODELS, Model, Widths};
use crate::checkpoint::{Checkpoint, StateDict, TensorInfo, strip};
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
    /// What its keys begin with there: one network of several, or a prefix of the owner's own; usually empty.
    pub prefix: String,
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
    /// Where only the names differ: every key of the network and the file's key at its place. Empty elsewhere.
    pub renamed: Vec<(String, String)>,
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

/// How sure shapes in the right order make, where no name fits.
const RENAMED: f32 = 0.6;

/// Keys of a state dict by name.
pub fn by_key(dict: &StateDict) -> HashMap<&str, &TensorInfo> {
    dict.tensors.iter().map(|tensor| (tensor.key.as_str(), tensor)).collect()
}

/// Holds one state dict against one network, at the widths its shapes vote for.
pub fn align(model: &'static Model, dict: &StateDict, index: usize) -> Match {
    let tensors = by_key(dict);
    let find = |key: &str| tensors.get(key).copied();
    let widths = widths(model, &find);
    let found = align_at(model, widths, dict, index);
    if found.fits() {
        return found;
    }
    let other = align_at(model, Widths { residual_bias: !widths.residual_bias, ..widths }, dict, index);
    if other.fits() { other } else { found }
}

fn align_at(model: &'static Model, widths: Widths, dict: &StateDict, index: usize) -> Match {
    let KeyDiff { missing, unexpected, mismatched, folded, fitting, wanted } =
        compare_keys(&(model.network)(widths), dict);
    let confidence = fitting as f32 / (wanted + unexpected.len()).max(1) as f32;
    let why = why(model, widths, fitting, wanted, &unexpected, folded);
    let (prefix, renamed) = (String::new(), Vec::new());
    Match { model, widths, dict: index, prefix, confidence, why, missing, unexpected, mismatched, folded, renamed }
}

/// The part of a state dict whose keys begin with `prefix`, without it.
pub fn part<'a>(dict: &'a StateDict, prefix: &str) -> Cow<'a, StateDict> {
    if prefix.is_empty() {
        return Cow::Borrowed(dict);
    }
    let tensor = |t: &TensorInfo| Some(TensorInfo { key: t.key.strip_prefix(prefix)?.to_owned(), ..t.clone() });
    Cow::Owned(StateDict {
        wrapper: dict.wrapper.clone(),
        prefix: format!("{}{prefix}", dict.prefix),
        tensors: dict.tensors.iter().filter_map(tensor).collect(),
        modules: dict.modules.iter().filter_map(|(p, v)| Some((p.strip_prefix(prefix)?.to_owned(), *v))).collect(),
        siblings: dict.siblings.clone(),
    })
}

/// Most beginnings of keys that are tried.
const PARTS: usize = 16;

/// What the keys of one network in this state dict may begin with: an attribute's name that nobody could foresee
/// (`inpainter.`, `net_g.` beside `net_d.`), and prefixes that are stripped everywhere after it.
pub fn parts(dict: &StateDict) -> Vec<String> {
    let mut heads: Vec<&str> = Vec::new();
    for tensor in &dict.tensors {
        let Some(dot) = tensor.key.find('.') else { continue };
        let head = &tensor.key[..=dot];
        let is_number = head.starts_with(|c: char| c.is_ascii_digit());
        if !is_number && !heads.contains(&head) && heads.len() < PARTS {
            heads.push(head);
        }
    }
    heads.into_iter().map(|head| strip(part(dict, head).into_owned()).prefix[dict.prefix.len()..].to_owned()).collect()
}

/// Holds one state dict, and then each part of it, against one network.
pub fn align_parts(model: &'static Model, dict: &StateDict, index: usize) -> Vec<Match> {
    let whole = align(model, dict, index);
    if whole.fits() {
        return vec![whole];
    }
    let aligned = |prefix: String| Match { prefix: prefix.clone(), ..align(model, &part(dict, &prefix), index) };
    parts(dict).into_iter().map(aligned).filter(Match::fits).chain([whole]).collect()
}

/// A state dict held against a description, key by key.
pub struct KeyDiff {
    /// Keys the network has and the file has not (counters that eval never reads left out).
    pub missing: Vec<String>,
    /// Keys the file has and the network has not.
    pub unexpected: Vec<String>,
    /// Keys of another shape.
    pub mismatched: Vec<Mismatch>,
    /// Whether some weights are stored under spectral or weight norm.
    pub folded: Option<&'static str>,
    /// How many keys and shapes fit.
    pub fitting: usize,
    /// How many there are, counters left out.
    pub wanted: usize,
}

/// Holds every key of the network against the file, and every key of the file against the network.
pub fn compare_keys(network: &Network, dict: &StateDict) -> KeyDiff {
    let tensors = by_key(dict);
    let find = |key: &str| tensors.get(key).copied();
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
    KeyDiff { missing, unexpected, mismatched, folded, fitting, wanted }
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
        let more = match unexpected.len() {
            0 => String::new(),
            count => format!(", {count} are not its own"),
        };
        format!("{fitting} of the {wanted} keys and shapes of {} fit{more}", model.name)
    };
    if widths.base != model.published.base {
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
        let best = candidates.max_by(|a, b| a.confidence.total_cmp(&b.confidence)).filter(|m| m.confidence >= 0.3);
        if best.as_ref().is_some_and(Match::fits) {
            return Vec::from_iter(best);
        }
        let parts = parts(dict).into_iter().filter_map(|prefix| {
            let part = part(dict, &prefix);
            let found = MODELS.iter().map(|model| align(model, &part, index)).find(Match::fits)?;
            Some(Match { prefix, ..found })
        });
        let parts: Vec<Match> = parts.collect();
        if !parts.is_empty() {
            return parts;
        }
        let first = best.as_ref().map(|found| found.model);
        let renamed = first.into_iter().chain(MODELS).find_map(|model| by_position(model, dict, index));
        Vec::from_iter(renamed.or(best))
    };
    let mut matches: Vec<Match> = checkpoint.state_dicts().iter().enumerate().flat_map(best).collect();
    matches.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    matches
}

/// The match of a state dict that has the network's shapes in the network's order, under other names.
fn by_position(model: &'static Model, dict: &StateDict, index: usize) -> Option<Match> {
    let own = |widths: Widths| {
        let all = (model.network)(widths).parameters().into_iter();
        all.filter(|p| p.kind != ParameterKind::Counter).collect::<Vec<_>>()
    };
    let tensors: Vec<&TensorInfo> =
        dict.tensors.iter().filter(|tensor| !tensor.key.ends_with("num_batches_tracked")).collect();
    let published = own(model.published);
    if published.len() != tensors.len() {
        return None;
    }
    let places: HashMap<&str, &TensorInfo> =
        published.iter().map(|p| p.key.as_str()).zip(tensors.iter().copied()).collect();
    let widths = widths(model, &|key: &str| places.get(key).copied());
    let pair =
        |(own, tensor): (Parameter, &&TensorInfo)| (own.shape == tensor.shape).then(|| (own.key, tensor.key.clone()));
    let renamed = own(widths).into_iter().zip(&tensors).map(pair).collect::<Option<Vec<_>>>()?;
    if renamed.iter().all(|(network_key, file_key)| network_key == file_key) {
        return None;
    }
    let mut found = align_at(model, widths, dict, index);
    found.confidence = RENAMED;
    found.why = format!("All {} shapes are those of {}, in its order, under other names.", renamed.len(), model.name);
    found.renamed = renamed;
    Some(found)
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
    Widths { base, bottleneck, ..published }
}

/// The description at the match's widths.
pub fn network(found: &Match) -> Network {
    (found.model.network)(found.widths)
}
