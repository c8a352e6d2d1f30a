//! What is said to people when weights do not load.

use super::identify::{KeyDiff, Match};
use super::names::as_stored;
use super::{registry, relative};
use crate::checkpoint::{Checkpoint, StateDict};
use crate::error::{Code, Error};

/// The name with its article.
pub fn article(name: &str) -> String {
    let vowel = name.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}

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
    let mut lines = Vec::new();
    match other {
        Some(other) => lines.push(format!(
            "This is {}, not {}. Load it as {}, or use the class {} in your code.",
            article(&other.model.name),
            article(&found.model.name),
            other.model.id,
            other.model.name
        )),
        None if !found.names.renamed.is_empty() => lines.push(format!(
            "{} Load it by position (on the command line, --by-position), or rename the keys.",
            found.why
        )),
        None => {
            let width = match found.config.width() {
                0 => String::new(),
                width => format!(" (base width {width})"),
            };
            lines.push(format!("These weights do not fit {}{width}.", found.model.name));
        }
    }
    lines.extend(faults(&found.diff));
    if other.is_none() {
        let siblings = &checkpoint.state_dicts()[found.dict].siblings;
        let tail = if siblings.is_empty() { String::new() } else { format!(" (beside: {})", siblings.join(", ")) };
        lines.push(format!("Save the whole network's state_dict() again, or choose the model it was made for{tail}."));
    }
    Error::new(Code::ModelMismatch, lines.join("\n")).with_keys(found.diff.faults())
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
    let KeyDiff { fitting, wanted, ref unexpected, folded, .. } = found.diff;
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
    text + "."
}
