//! Which of a Python file's classes a checkpoint's weights belong to, and that class's engine.

use super::identify::{KeyDiff, compare_keys, compare_parameters};
use super::names::{KeyNames, PartsLeft, endings};
use super::prose::faults;
use super::weights::Weights;
use super::{ArchConfig, KeyRules};
use crate::checkpoint::{Checkpoint, StateDict, Wrapped, unwrapped};
use crate::engine::{self, Engine, EngineKind};
use crate::error::{Code, Error, Result};
use crate::network::{Parameter, ParameterKind};
use crate::sentences::Sentence;
use crate::torch_source::{Description, RegisteredKey};

/// How a class's keys are best found in a file.
#[derive(Clone, Debug)]
pub struct Fit {
    /// Index into [`Checkpoint::state_dicts`].
    pub dict: usize,
    /// How the class's keys are spelled there.
    pub names: KeyNames,
    /// What fits and what does not.
    pub diff: KeyDiff,
}

/// The best fit of what a class computes: keys that `forward` does not use may be in the file or not.
pub fn fit(checkpoint: &dyn Checkpoint, class: &Description) -> Option<Fit> {
    let compare = |view: &StateDict| {
        let mut diff = compare_keys(&class.network, view, &KeyRules::default(), &ArchConfig::default());
        diff.unexpected.retain(|key| !is_unused(class, view, key));
        diff
    };
    best_fit(checkpoint, &compare)
}

/// The best fit of all that a class registers.
pub fn fit_registered(checkpoint: &dyn Checkpoint, keys: &[RegisteredKey]) -> Option<Fit> {
    best_fit(checkpoint, &|view| compare_registered(keys, view))
}

/// What a class registers beside a state dict.
pub fn compare_registered(keys: &[RegisteredKey], dict: &StateDict) -> KeyDiff {
    let parameter = |own: &RegisteredKey| Parameter {
        key: own.key.clone(),
        shape: own.shape.clone(),
        kind: if own.is_counter { ParameterKind::Counter } else { ParameterKind::Trained },
    };
    let parameters = keys.iter().map(parameter).collect();
    compare_parameters(parameters, dict, &KeyRules::default(), &ArchConfig::default())
}

/// The fit with the fewest keys at fault: as the keys are, with a prefix put back that was stripped, or within a part of the
/// state dict.
fn best_fit(checkpoint: &dyn Checkpoint, compare: &dyn Fn(&StateDict) -> KeyDiff) -> Option<Fit> {
    let mut fits = Vec::new();
    let mut left = PartsLeft::beside(checkpoint.state_dicts().len());
    for (dict, keys) in checkpoint.state_dicts().iter().enumerate() {
        let mut ways = vec![Wrapped::new()];
        ways.extend(unwrapped(keys).map(|(_, wrapped)| wrapped));
        for wrapped in ways {
            let named = |prefix: String, put_back: String| {
                let wrapped = wrapped.clone();
                KeyNames { prefix, put_back, wrapped, ..KeyNames::default() }
            };
            let whole = named(String::new(), String::new());
            let parts = left.beginnings(&whole.view(keys));
            let restored = endings(&keys.prefix).into_iter().map(|put_back| named(String::new(), put_back));
            let parts = parts.into_iter().map(|prefix| named(prefix, String::new()));
            for names in std::iter::once(whole).chain(restored).chain(parts) {
                let diff = compare(&names.view(keys));
                fits.push(Fit { dict, names, diff });
            }
        }
    }
    fits.into_iter().min_by_key(|fit| (fit.diff.faults().len(), std::cmp::Reverse(fit.diff.fitting)))
}

/// Whether the file's key is one that the class has and `forward` does not use.
fn is_unused(class: &Description, dict: &StateDict, key: &str) -> bool {
    // What a spectral or weight norm stores in a weight's place.
    let plain = ["_orig", "_u", "_v", "_g"].iter().find_map(|end| key.strip_suffix(end));
    let own = plain.is_some_and(|plain| class.unused.iter().any(|(own, _)| own == plain));
    let shape = dict.tensors.iter().find(|tensor| tensor.key == key).map(|tensor| &tensor.shape);
    let counts = key.ends_with("num_batches_tracked");
    own || class.unused.iter().any(|(own, expected)| own == key && (counts || Some(expected) == shape))
}

/// An engine for the first of these classes whose keys and shapes are the file's.
///
/// `model-mismatch` with every key at fault if none fits; a class that could not be followed keeps its own error.
pub fn engine_for(
    checkpoint: &mut dyn Checkpoint,
    file: &str,
    classes: Vec<(String, Result<Description>)>,
    kind: EngineKind,
) -> Result<(Box<dyn Engine>, Description)> {
    let (mut best, mut fault): (Option<(String, Description, Fit)>, Option<Error>) = (None, None);
    for (name, network) in classes {
        match network {
            Ok(class) => {
                let Some(fit) = fit(checkpoint, &class) else { continue };
                let faults = |fit: &Fit| fit.diff.faults().len();
                if best.as_ref().is_none_or(|(.., before)| faults(&fit) < faults(before)) {
                    best = Some((name, class, fit));
                }
            }
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    match (best, fault) {
        (Some((_, class, fit)), _) if fit.diff.is_empty() => {
            let (names, rules, network) = (&fit.names, &KeyRules::default(), &class.network);
            let mut weights = Weights { checkpoint, dict: fit.dict, names, rules, network };
            let engine = engine::build(kind, network, &mut weights).map_err(|e| e.in_file(file))?;
            Ok((engine, class))
        }
        // The class that was meant is more likely the one that cannot be followed than one that fits nowhere.
        (Some((.., fit)), Some(fault)) if fit.diff.fitting * 2 < fit.diff.wanted => Err(fault),
        (None, Some(fault)) => Err(fault),
        (Some((name, _, fit)), _) => {
            let misfit = Error::said(Sentence::ClassMisfit { class: name.clone() }).with_lines(&faults(&fit.diff));
            Err(misfit.with_keys(fit.diff.faults()).in_file(file))
        }
        (None, None) => Err(Error::new(Code::CheckpointNoTensors, "The file holds no weights.")),
    }
}
