//! Which network a state dict belongs to, derived from the descriptions alone: keys, shapes, and the numbers of the
//! architecture that these give away.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::config::{Found, Keys};
use super::fold::{self, Stored};
use super::lifted;
use super::names::{KeyNames, PartsLeft, beginnings, endings, part, put_back};
use super::{ArchConfig, Conventions, KeyRules, ModelSpec, is_withheld, prose, registry};
use crate::checkpoint::{Checkpoint, StateDict, TensorInfo, unwrapped};
use crate::limits::{MAX_ARCH_NUMBER, MAX_WIDTH};
use crate::network::{Network, Parameter, ParameterKind};
use crate::ordering;

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

/// A state dict compared with a description, key by key.
#[derive(Clone, Debug, Default)]
pub struct KeyDiff {
    /// Keys the network has and the file has not (counters that eval never reads left out).
    pub missing: Vec<String>,
    /// Keys the file has and the network has not.
    pub unexpected: Vec<String>,
    /// Keys of another shape.
    pub mismatched: Vec<Mismatch>,
    /// Keys that the file holds and that are not read, as the network's rules allow.
    pub unread: Vec<String>,
    /// Whether some weights are stored under spectral or weight norm and will be folded.
    pub folded: Option<&'static str>,
    /// How many batch norms were folded into convolutions when it was exported.
    pub folded_norms: usize,
    /// Whether the exported graph norms otherwise than the network does.
    pub other_norms: bool,
    /// Whether the weights are those of an exported graph.
    pub is_graph: bool,
    /// How many keys and shapes fit.
    pub fitting: usize,
    /// How many there are, counters and what may be left out not counted.
    pub wanted: usize,
}

impl KeyDiff {
    /// Whether nothing is at fault.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.mismatched.is_empty() && !self.other_norms
    }

    /// All keys at fault, in the order missing, unexpected, mismatched.
    pub fn faults(&self) -> Vec<String> {
        let mismatched = self.mismatched.iter().map(|m| m.key.clone());
        self.missing.iter().chain(&self.unexpected).cloned().chain(mismatched).collect()
    }
}

/// How well one state dict fits one network.
#[derive(Clone, Debug)]
pub struct Match {
    /// The network.
    pub model: Arc<ModelSpec>,
    /// The architecture's numbers, as the file gives them away.
    pub config: ArchConfig,
    /// Index into [`Checkpoint::state_dicts`].
    pub dict: usize,
    /// How the network's keys are spelled there.
    pub names: KeyNames,
    /// 0 to 1: the share of keys and shapes that fit.
    pub confidence: f32,
    /// Why, in one sentence for people.
    pub why: String,
    /// What fits and what does not.
    pub diff: KeyDiff,
}

impl Match {
    /// Whether every key fits, so that the network can run.
    pub fn fits(&self) -> bool {
        self.diff.is_empty()
    }

    /// How it is fed, before anybody changes that. What was exported was trained to its end, and its norms may be folded: they
    /// take no other statistics than those in the file.
    pub fn conventions(&self) -> Conventions {
        let mut conventions = self.model.conventions(&self.config);
        if self.diff.is_graph {
            conventions.norm_statistics = None;
        }
        conventions
    }

    /// The description, its batch norms with their stored statistics.
    pub fn network(&self) -> Network {
        self.model.network(&self.config)
    }

    fn is_better_than(&self, other: &Self) -> bool {
        (self.fits(), self.confidence) > (other.fits(), other.confidence)
    }
}

/// How sure shapes in the right order make, where no name fits.
const RENAMED: f32 = 0.6;
/// How sure the best network must be to be named at all.
const WORTH_NAMING: f32 = 0.3;

/// Compares one state dict with one network, at the numbers its keys and shapes give away. The end of a stripped prefix may
/// be the network's own, and is put back where the keys fit better so.
pub fn align(model: &Arc<ModelSpec>, dict: &StateDict, index: usize) -> Match {
    let plain = align_spelled(model, dict, index);
    if plain.fits() {
        return plain;
    }
    let restored = endings(&dict.prefix).into_iter().map(|ending| {
        let mut found = align_spelled(model, &put_back(std::borrow::Cow::Borrowed(dict), &ending), index);
        found.names.put_back = ending;
        found
    });
    best(std::iter::once(plain).chain(restored)).unwrap_or_else(|| align_spelled(model, dict, index))
}

/// Compares a state dict whose keys are spelled as the network's.
fn align_spelled(model: &Arc<ModelSpec>, dict: &StateDict, index: usize) -> Match {
    let mut configs = configs(model, &Keys::of(dict)).into_iter();
    let first = align_at(model, configs.next().unwrap_or_else(|| model.published()), dict, index);
    if first.fits() {
        return first;
    }
    let others = configs.map(|config| align_at(model, config, dict, index));
    others.fold(first, |best, other| if other.is_better_than(&best) { other } else { best })
}

fn align_at(model: &Arc<ModelSpec>, config: ArchConfig, dict: &StateDict, index: usize) -> Match {
    let diff = compare_keys(&model.network(&config), dict, &model.keys, &config);
    let confidence = diff.fitting as f32 / (diff.wanted + diff.unexpected.len()).max(1) as f32;
    let (model, names, why) = (Arc::clone(model), KeyNames::default(), String::new());
    let mut found = Match { model, config, dict: index, names, confidence, why, diff };
    found.why = prose::why(&found);
    found
}

/// The first of the best.
fn best(matches: impl IntoIterator<Item = Match>) -> Option<Match> {
    matches.into_iter().reduce(|best, other| if other.is_better_than(&best) { other } else { best })
}

/// Compares one state dict, and then each part of it, with one network; also without wrappers within its keys.
pub fn align_parts(model: &Arc<ModelSpec>, dict: &StateDict, index: usize) -> Vec<Match> {
    let mut all = align_spelled_parts(model, dict, index);
    if !all.iter().any(Match::fits)
        && let Some((clean, wrapped)) = unwrapped(dict)
    {
        let mut more = align_spelled_parts(model, &clean, index);
        more.iter_mut().for_each(|found| found.names.wrapped.clone_from(&wrapped));
        all.extend(more);
    }
    all
}

fn align_spelled_parts(model: &Arc<ModelSpec>, dict: &StateDict, index: usize) -> Vec<Match> {
    let whole = align(model, dict, index);
    if whole.fits() {
        return vec![whole];
    }
    let aligned = |prefix: String| align_part(model, dict, prefix, index);
    beginnings(dict).into_iter().map(aligned).filter(Match::fits).chain([whole]).collect()
}

fn align_part(model: &Arc<ModelSpec>, dict: &StateDict, prefix: String, index: usize) -> Match {
    let mut found = align(model, &part(dict, &prefix), index);
    found.names.prefix = prefix;
    found
}

/// Compares every key of the network with the file's, and every key of the file with the network's.
pub fn compare_keys(network: &Network, dict: &StateDict, rules: &KeyRules, config: &ArchConfig) -> KeyDiff {
    let mut diff = compare_parameters(network.parameters(), dict, rules, config);
    lifted::excuse(network, dict, &mut diff);
    diff
}

/// Compares each of these keys with the file's, and every key of the file with these.
pub fn compare_parameters(
    parameters: Vec<Parameter>,
    dict: &StateDict,
    rules: &KeyRules,
    config: &ArchConfig,
) -> KeyDiff {
    let keys = Keys::of(dict);
    let find = |key: &str| keys.tensor(key);
    let mut diff = KeyDiff::default();
    let mut used = HashSet::new();
    for parameter in parameters {
        let counts = usize::from(parameter.kind != ParameterKind::Counter);
        let Some(stored) = fold::stored(&parameter.key, &find) else {
            if counts > 0 && rules.fixed_values(&parameter).is_none() {
                diff.wanted += 1;
                diff.missing.push(parameter.key);
            }
            continue;
        };
        diff.wanted += counts;
        diff.folded = match stored {
            Stored::Spectral(_) | Stored::SteppedSpectral(_) | Stored::SteppedWithoutV(_) => Some("spectral norm"),
            Stored::Folded(_) => Some("spectral norm as before PyTorch 1.0"),
            Stored::WeightNorm(_) => Some("weight norm"),
            Stored::Plain(_) => diff.folded,
        };
        used.extend(stored.keys().iter().cloned());
        used.extend(rules.factor(&parameter.key));
        let found = find(stored.shaped_key()).map(|tensor| tensor.shape.clone()).unwrap_or_default();
        // Old checkpoints store the counter as [1].
        if found == parameter.shape || counts == 0 {
            diff.fitting += counts;
        } else {
            diff.mismatched.push(Mismatch { key: parameter.key, expected: parameter.shape, found });
        }
    }
    let rest = dict.tensors.iter().map(|tensor| tensor.key.clone()).filter(|key| !used.contains(key));
    (diff.unread, diff.unexpected) = rest.partition(|key| rules.is_unread(config, key));
    diff
}

/// The best fitting network of every state dict, best first; state dicts that resemble none are left out.
pub fn identify(checkpoint: &dyn Checkpoint) -> Vec<Match> {
    let models = registry();
    let dicts = checkpoint.state_dicts();
    let mut left = PartsLeft::beside(dicts.len());
    let each = |(index, dict)| identify_dict(&models, dict, index, &mut left);
    let mut matches: Vec<Match> = dicts.iter().enumerate().flat_map(each).collect();
    ordering::sort_by(&mut matches, |a, b| b.confidence.total_cmp(&a.confidence));
    matches
}

/// The networks of a state dict as it is, or, where they fit better, without wrappers within its keys.
fn identify_dict(models: &[Arc<ModelSpec>], dict: &StateDict, index: usize, left: &mut PartsLeft) -> Vec<Match> {
    if is_withheld(dict) {
        return Vec::new();
    }
    let plain = identify_spelled(models, dict, index, left);
    if plain.iter().any(Match::fits) {
        return plain;
    }
    let Some((clean, wrapped)) = unwrapped(dict) else { return plain };
    let mut found = identify_spelled(models, &clean, index, left);
    found.iter_mut().for_each(|found| found.names.wrapped.clone_from(&wrapped));
    match (found.first(), plain.first()) {
        (Some(clean), Some(plain)) if clean.is_better_than(plain) => found,
        (Some(_), None) => found,
        _ => plain,
    }
}

fn identify_spelled(models: &[Arc<ModelSpec>], dict: &StateDict, index: usize, left: &mut PartsLeft) -> Vec<Match> {
    let best = best(models.iter().map(|model| align(model, dict, index))).filter(|m| m.confidence >= WORTH_NAMING);
    if best.as_ref().is_some_and(Match::fits) {
        return Vec::from_iter(best);
    }
    let fitting = |prefix: String| {
        let aligned = models.iter().map(|model| align_part(model, dict, prefix.clone(), index));
        aligned.into_iter().find(Match::fits)
    };
    let parts: Vec<Match> = left.beginnings(dict).into_iter().filter_map(fitting).collect();
    if !parts.is_empty() {
        return parts;
    }
    let first = best.as_ref().map(|found| &found.model);
    let renamed = first.into_iter().chain(models).find_map(|model| by_position(model, dict, index));
    Vec::from_iter(renamed.or(best))
}

/// The match of a state dict that has the network's shapes in the network's order, under other names.
fn by_position(model: &Arc<ModelSpec>, dict: &StateDict, index: usize) -> Option<Match> {
    let own = |config: &ArchConfig| {
        let all = model.network(config).parameters().into_iter();
        all.filter(|p| p.kind != ParameterKind::Counter).collect::<Vec<_>>()
    };
    let tensors: Vec<&TensorInfo> =
        dict.tensors.iter().filter(|tensor| !tensor.key.ends_with("num_batches_tracked")).collect();
    let published = own(&model.published());
    if published.len() != tensors.len() {
        return None;
    }
    let places = Keys::named(published.iter().map(|p| p.key.as_str()).zip(tensors.iter().copied()));
    let config = configs(model, &places).into_iter().next()?;
    let pair = |(network, file): (Parameter, &&TensorInfo)| {
        (network.shape == file.shape).then(|| (network.key, file.key.clone()))
    };
    let renamed = own(&config).into_iter().zip(&tensors).map(pair).collect::<Option<Vec<_>>>()?;
    if renamed.iter().all(|(network_key, file_key)| network_key == file_key) {
        return None;
    }
    let mut found = align_at(model, config, dict, index);
    found.confidence = RENAMED;
    found.why = format!("All {} shapes are those of {}, in its order, under other names.", renamed.len(), model.name);
    found.names.renamed = renamed;
    Some(found)
}

/// The numbers that a file gives away: those that are read, then those that the shapes vote for; one config for each
/// combination of those that are tried.
fn configs(model: &ModelSpec, keys: &Keys<'_>) -> Vec<ArchConfig> {
    let mut config = model.published();
    for parameter in &model.parameters {
        if let Found::Read(read) = &parameter.found
            && let Some(number) = read(keys).filter(|&number| number <= MAX_ARCH_NUMBER)
        {
            config = config.with(&parameter.name, number);
        }
    }
    let voted = model.parameters.iter().filter(|parameter| matches!(parameter.found, Found::Voted));
    let numbers: Vec<_> = voted.map(|p| (&p.name, vote(model, &config, &p.name, keys))).collect();
    let config = numbers.into_iter().fold(config, |config, (name, number)| config.with(name, number));
    model.parameters.iter().fold(vec![config], |configs, parameter| match &parameter.found {
        Found::Choice(choices) => {
            let each =
                |config: ArchConfig| choices.iter().map(move |&choice| config.clone().with(&parameter.name, choice));
            configs.into_iter().flat_map(each).collect()
        }
        _ => configs,
    })
}

/// The number that most of the dimensions that are multiples of it agree on; the config's own if none does.
fn vote(model: &ModelSpec, config: &ArchConfig, name: &str, keys: &Keys<'_>) -> usize {
    let own = config.get(name);
    let plain = model.network(config).parameters();
    let doubled = model.network(&config.clone().with(name, 2 * own)).parameters();
    let mut votes: HashMap<usize, usize> = HashMap::new();
    for (plain, doubled) in plain.iter().zip(&doubled) {
        let Some(shape) = keys.shape(&plain.key).filter(|shape| shape.len() == plain.shape.len()) else { continue };
        for ((&dim, &doubled), &found) in plain.shape.iter().zip(&doubled.shape).zip(shape) {
            // The dimension is the number times a factor, so the file's number is what was found through that factor.
            if dim > 0 && doubled == 2 * dim && found <= 1 << 20 && (found * own).is_multiple_of(dim) {
                *votes.entry(found * own / dim).or_default() += 1;
            }
        }
    }
    let legal = votes.into_iter().filter(|&(number, _)| (1..=MAX_WIDTH).contains(&number));
    // Among equals the larger number, so that the outcome is one and the same every time.
    legal.max_by_key(|&(number, votes)| (votes, number)).map_or(own, |(number, _)| number)
}
