//! Which of a Python file's classes a checkpoint's weights belong to, and that class's engine.

use super::identify::{KeyDiff, compare_keys};
use super::names::{KeyNames, PartsLeft, endings};
use super::prose::faults;
use super::weights::Weights;
use super::{ArchConfig, KeyRules};
use crate::checkpoint::Checkpoint;
use crate::engine::{self, Engine, EngineKind};
use crate::error::{Code, Error, Result};
use crate::network::Network;

/// How a description's keys are best found in a file.
struct Fit {
    dict: usize,
    names: KeyNames,
    diff: KeyDiff,
}

/// The fit with the fewest keys at fault: as the keys are, with a prefix put back that was stripped, or within a part of the
/// state dict.
fn fit(checkpoint: &dyn Checkpoint, network: &Network) -> Option<Fit> {
    let mut fits = Vec::new();
    let mut left = PartsLeft::beside(checkpoint.state_dicts().len());
    for (dict, keys) in checkpoint.state_dicts().iter().enumerate() {
        let restored = endings(&keys.prefix).into_iter().map(|put_back| KeyNames { put_back, ..KeyNames::default() });
        let parts = left.beginnings(keys).into_iter().map(|prefix| KeyNames { prefix, ..KeyNames::default() });
        for names in std::iter::once(KeyNames::default()).chain(restored).chain(parts) {
            let diff = compare_keys(network, &names.view(keys), &KeyRules::default(), &ArchConfig::default());
            fits.push(Fit { dict, names, diff });
        }
    }
    fits.into_iter().min_by_key(|fit| (fit.diff.faults().len(), std::cmp::Reverse(fit.diff.fitting)))
}

/// An engine for the first of these classes whose keys and shapes are the file's.
///
/// `model-mismatch` with every key at fault if none fits; a class that could not be followed keeps its own error.
pub fn engine_for(
    checkpoint: &mut dyn Checkpoint,
    file: &str,
    classes: Vec<(String, Result<Network>)>,
    kind: EngineKind,
) -> Result<Box<dyn Engine>> {
    let (mut best, mut fault): (Option<(String, Network, Fit)>, Option<Error>) = (None, None);
    for (name, network) in classes {
        match network {
            Ok(network) => {
                let Some(fit) = fit(checkpoint, &network) else { continue };
                let faults = |fit: &Fit| fit.diff.faults().len();
                if best.as_ref().is_none_or(|(.., before)| faults(&fit) < faults(before)) {
                    best = Some((name, network, fit));
                }
            }
            Err(error) => fault = fault.or(Some(error)),
        }
    }
    match (best, fault) {
        (Some((_, network, fit)), _) if fit.diff.is_empty() => {
            let (names, rules) = (&fit.names, &KeyRules::default());
            let mut weights = Weights { checkpoint, dict: fit.dict, names, rules, network: &network };
            engine::build(kind, &network, &mut weights).map_err(|e| e.in_file(file))
        }
        // The class that was meant is more likely the one that cannot be followed than one that fits nowhere.
        (Some((.., fit)), Some(fault)) if fit.diff.fitting * 2 < fit.diff.wanted => Err(fault),
        (None, Some(fault)) => Err(fault),
        (Some((name, _, fit)), _) => {
            let mut lines = vec![format!("These weights do not fit the class {name}.")];
            lines.extend(faults(&fit.diff));
            Err(Error::new(Code::ModelMismatch, lines.join("\n")).with_keys(fit.diff.faults()).in_file(file))
        }
        (None, None) => Err(Error::new(Code::CheckpointNoTensors, "The file holds no weights.")),
    }
}
