//! What is said to people when weights do not load.

use super::identify::{KeyDiff, Match};
use super::names::as_stored;
use super::{registry, relative};
use crate::checkpoint::{Checkpoint, StateDict};
use crate::error::{Code, Error};
use crate::sentences::{Sentence, WithArticle};

/// Whether a state dict lies where training scripts keep a discriminator.
pub fn is_sibling(dict: &StateDict) -> bool {
    let places = dict.wrapper.iter().map(String::as_str).chain([dict.prefix.trim_end_matches('.')]);
    places.into_iter().any(|place| ["discriminator", "netD", "netD_state_dict", "D", "D_ema"].contains(&place))
}

/// `model-unknown`: the keys are no known network's.
pub fn unknown(checkpoint: &dyn Checkpoint) -> Error {
    let own = |dict: &StateDict| as_stored(dict).tensors.iter().map(|tensor| tensor.key.clone()).collect::<Vec<_>>();
    let keys: Vec<String> = checkpoint.state_dicts().iter().flat_map(own).collect();
    let first: Vec<&str> = keys.iter().take(4).map(String::as_str).collect();
    let known: Vec<String> = registry().iter().map(|model| model.name.clone()).collect();
    let mut text = format!(
        "No known network has these keys: {}{}. infill runs {}.",
        first.join(", "),
        if keys.len() > 4 { ", ..." } else { "" },
        known.join(", ")
    );
    if checkpoint.state_dicts().iter().all(is_sibling) {
        text = format!("This file holds a discriminator, which does not paint: load the generator's file. {text}");
    }
    if let Some(relative) = checkpoint.state_dicts().iter().find_map(relative) {
        text = format!("{text} {}", relative.told());
    }
    Error::new(Code::ModelUnknown, text).with_keys(keys)
}

/// `model-mismatch` in PyTorch's own format, with every key and both shapes; `other` is what the file is instead.
pub fn misfit(checkpoint: &dyn Checkpoint, found: &Match, other: Option<&Match>) -> Error {
    let name = found.model.name.clone();
    let sentence = match other {
        Some(other) => Sentence::WeightsOfAnother {
            found: WithArticle(other.model.name.clone()),
            wanted: WithArticle(name),
            id: other.model.id.clone(),
            class: other.model.name.clone(),
        },
        None if !found.names.renamed.is_empty() => {
            Sentence::WeightsByPosition { count: found.names.renamed.len() as u64, name }
        }
        None => match found.config.width() {
            0 => Sentence::WeightsMisfit { name },
            width => Sentence::WeightsMisfitWidth { name, width: width as u64 },
        },
    };
    let mut lines = faults(&found.diff);
    if other.is_none() {
        let siblings = &checkpoint.state_dicts()[found.dict].siblings;
        let tail = if siblings.is_empty() { String::new() } else { format!(" (beside: {})", siblings.join(", ")) };
        lines.push(format!("Save the whole network's state_dict() again, or choose the model it was made for{tail}."));
    }
    Error::said(sentence).with_lines(&lines).with_keys(found.diff.faults())
}

/// What PyTorch would say of these keys.
pub fn faults(diff: &KeyDiff) -> Vec<String> {
    let quote = |keys: &[String]| keys.iter().map(|k| format!("\"{k}\"")).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if !diff.missing.is_empty() {
        lines.push(format!("Missing key(s) in state_dict: {}.", quote(&diff.missing)));
    }
    if !diff.unexpected.is_empty() {
        lines.push(format!("Unexpected key(s) in state_dict: {}.", quote(&diff.unexpected)));
    }
    for m in &diff.mismatched {
        lines.push(format!(
            "size mismatch for {}: the checkpoint has {:?}, the network {:?}.",
            m.key, m.found, m.expected
        ));
    }
    lines
}

/// Why a file is taken for a network, in one sentence.
pub fn why(found: &Match) -> String {
    let KeyDiff { fitting, wanted, ref unexpected, folded, folded_norms, .. } = found.diff;
    let name = &found.model.name;
    let mut text = if fitting == wanted && unexpected.is_empty() {
        format!("All {wanted} keys and shapes are those of {name}")
    } else {
        let more = match unexpected.len() {
            0 => String::new(),
            count => format!(", {count} are not its own"),
        };
        format!("{fitting} of the {wanted} keys and shapes of {name} fit{more}")
    };
    let (width, published) = (found.config.width(), found.model.published().width());
    if width != published {
        text += &format!(", at base width {width} instead of {published}");
    }
    if let Some(folded) = folded {
        text += &format!("; {folded} is folded into the weights");
    }
    if folded_norms > 0 {
        text += &format!("; {folded_norms} of its norms were folded when it was exported");
    }
    text + "."
}
