//! What is said of one network: what fits, and what the misfits have in common.

use std::collections::HashSet;

use super::finding::{Finding, finding};
use crate::checkpoint::StateDict;
use crate::models::identify::{Match, Mismatch, align};
use crate::models::{NormStatistics, by_id};
use crate::sentences::article;

/// What fits and what does not, of one network.
pub fn fit(found: &Match, dict: &StateDict, list: &mut Vec<Finding>) {
    let name = &found.model.name;
    let (width, published) = (found.config.width(), found.model.published().width());
    if width != published {
        let text =
            format!("All widths are scaled: base width {width} instead of {published}. The network is built so.");
        list.push(finding("other-width", "info", text, Vec::new()));
    }
    if let Some(folded) = found.diff.folded {
        let mut text = format!("The weights carry {folded}: folded for you.");
        if folded.starts_with("spectral norm") {
            text += " If PyTorch says Missing key weight or Unexpected key weight_orig, weight_u, weight_v, the class was made without torch.nn.utils.spectral_norm around the layers that were trained with it.";
        }
        list.push(finding("folded", "info", text, Vec::new()));
    }
    choices(found, list);
    if !found.names.renamed.is_empty() {
        shift(found, list);
        positional(found, list);
        return;
    }
    let counters = found.network().parameters().into_iter().filter(|p| p.key.ends_with("num_batches_tracked"));
    let absent: Vec<String> =
        counters.map(|p| p.key).filter(|key| !dict.tensors.iter().any(|t| t.key == *key)).collect();
    if !absent.is_empty() {
        let text = "num_batches_tracked is missing, which is harmless: it only counts training steps.".to_owned();
        list.push(finding("counter-missing", "info", text, absent));
    }
    let here: HashSet<&str> = dict.tensors.iter().map(|tensor| module(&tensor.key)).collect();
    let is_statistic = |key: &&String| key.contains("running_") && here.contains(module(key));
    let statistics: Vec<String> = found.diff.missing.iter().filter(is_statistic).cloned().collect();
    if !statistics.is_empty() {
        let text = "running_mean or running_var is missing: batch norm cannot run in eval mode without them. Save the state_dict() of the trained network again, with its buffers.";
        list.push(finding("statistics-missing", "error", text.to_owned(), statistics));
    }
    if found.fits() {
        return;
    }
    shift(found, list);
    let gone = layers_gone(&found.diff.missing, dict);
    if !gone.is_empty() && found.diff.unexpected.is_empty() {
        let text = format!(
            "Whole layers of {name} are not in the file: {}. The network was built with fewer of them, or the file is a part of it.",
            gone.join(", ")
        );
        list.push(finding("layers-missing", "error", text, found.diff.missing.clone()));
    }
    if found.diff.missing.is_empty() && found.diff.mismatched.is_empty() {
        let text = format!(
            "{name} is complete, but the file holds more: {}. Delete these keys and save it again.",
            found.diff.unexpected.join(", ")
        );
        list.push(finding("more-keys", "error", text, found.diff.unexpected.clone()));
    }
    channels(found, list);
    let counts = [
        (found.diff.missing.len(), "missing"),
        (found.diff.unexpected.len(), "unexpected"),
        (found.diff.mismatched.len(), "of another shape"),
    ];
    let counts: Vec<String> = counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let text = format!("{name} fits best, but not all of its keys do: {}.", counts.join(", "));
    list.push(finding("misfit", "error", text, found.diff.faults()));
}

/// The outermost modules of which the file has nothing, in the network's order.
fn layers_gone<'a>(missing: &'a [String], dict: &StateDict) -> Vec<&'a str> {
    let ends = |key: &'a str| key.match_indices('.').map(move |(dot, _)| &key[..dot]);
    let here: HashSet<&str> =
        dict.tensors.iter().flat_map(|t| t.key.match_indices('.').map(|(dot, _)| &t.key[..dot])).collect();
    let mut gone: Vec<&str> = missing.iter().filter_map(|key| ends(key).find(|end| !here.contains(end))).collect();
    gone.dedup();
    gone
}

/// The module of a key.
fn module(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(module, _)| module)
}

fn shift(found: &Match, list: &mut Vec<Finding>) {
    let Some((shift, keys)) = shifted(found) else { return };
    let example = found.diff.missing.iter().find_map(|key| shifted_by(key, shift).map(|file_key| (key, file_key)));
    let example = example
        .map_or_else(String::new, |(network_key, file_key)| format!(" ({network_key} is {file_key} in the file)"));
    let text = format!(
        "The names are shifted by {shift}{example}: the network that was saved has a layer such as Dropout {}. Renumber the keys, or define the class as it was trained.",
        if shift > 0 { "more" } else { "less" }
    );
    list.push(finding("index-shift", "error", text, keys));
}

fn positional(found: &Match, list: &mut Vec<Finding>) {
    let pairs: Vec<String> =
        found.names.renamed.iter().map(|(network_key, file_key)| format!("{file_key} -> {network_key}")).collect();
    let first = found.names.renamed.iter().position(|(network_key, file_key)| network_key != file_key).unwrap_or(0);
    let text = format!(
        "Other names, but the shapes of {} in its order: the keys can be mapped by position, {}, and so on.",
        found.model.name, pairs[first]
    );
    list.push(finding("positional", "warning", text, pairs));
}

/// Another number of channels at the network's ends, where nothing else differs.
fn channels(found: &Match, list: &mut Vec<Finding>) {
    let parameters = found.network().parameters();
    let ends = [parameters.first(), parameters.iter().rfind(|p| p.key.ends_with(".weight"))];
    let [Some(first), Some(last)] = ends.map(|end| end.map(|p| module(&p.key))) else { return };
    let only = |m: &&Mismatch| [first, last].contains(&module(&m.key));
    if found.diff.mismatched.is_empty()
        || !found.diff.mismatched.iter().all(|m| only(&m))
        || !found.diff.missing.is_empty()
    {
        return;
    }
    let side = |m: &Mismatch| if module(&m.key) == first { "input" } else { "output" };
    let each = found.diff.mismatched.iter().map(|m| {
        format!(
            "{} has {:?} in the file and {:?} in {} ({} channels)",
            m.key,
            m.found,
            m.expected,
            found.model.name,
            side(m)
        )
    });
    let mut sides: Vec<&str> = found.diff.mismatched.iter().map(side).collect();
    sides.dedup();
    let text = format!(
        "Only the ends differ: {}. The network was trained with another number of {} channels.",
        each.collect::<Vec<_>>().join("; "),
        sides.join(" and ")
    );
    list.push(finding("channels", "error", text, found.diff.mismatched.iter().map(|m| m.key.clone()).collect()));
}

/// The constant by which the indices of unexpected keys differ from the missing ones, if there is one.
fn shifted(found: &Match) -> Option<(i64, Vec<String>)> {
    let parts = |key: &str| -> Option<(String, i64, String)> {
        let mut pieces: Vec<&str> = key.split('.').collect();
        let at = pieces.iter().rposition(|piece| piece.parse::<i64>().is_ok())?;
        let number = pieces.remove(at).parse().ok()?;
        Some((pieces[..at].join("."), number, pieces[at..].join(".")))
    };
    let missing: Vec<_> = found.diff.missing.iter().filter_map(|key| parts(key)).collect();
    let unexpected: Vec<_> = found.diff.unexpected.iter().filter_map(|key| parts(key)).collect();
    (-4..=4).filter(|shift| *shift != 0).find_map(|shift| {
        let hits = missing.iter().filter(|(head, number, tail)| {
            unexpected.iter().any(|(h, n, t)| h == head && t == tail && *n == number + shift)
        });
        (hits.count() * 2 > missing.len().max(1)).then(|| (shift, found.diff.unexpected.clone()))
    })
}

/// The key with its last index moved by `shift`.
fn shifted_by(key: &str, shift: i64) -> Option<String> {
    let mut pieces: Vec<String> = key.split('.').map(str::to_owned).collect();
    let place = pieces.iter_mut().rev().find(|piece| piece.parse::<i64>().is_ok())?;
    *place = (place.parse::<i64>().ok()? + shift).to_string();
    Some(pieces.join("."))
}

/// For networks that people load into another class: what PyTorch then says, and the line of code to change.
pub fn other_class(found: &Match, dict: &StateDict, code: &str, list: &mut Vec<Finding>) {
    let Some(hint) = &found.model.class else { return };
    let Some(other) = by_id(&hint.mistaken_for) else { return };
    let name = &found.model.name;
    let taken = align(&other, dict, found.dict);
    let first = taken.diff.missing.iter().take(3).map(|key| format!("\"{key}\"")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "If loading it says Missing key(s) in state_dict: {first}, ...: the class is another one. This is {}, not {} ({} of its keys are missing here). Change the class: `{code}`.",
        article(name),
        article(&other.name),
        taken.diff.missing.len()
    );
    list.push(finding("other-class", "info", text, taken.diff.missing));
}

/// What is in the file and not read, and which statistics norms take where that is a choice.
fn choices(found: &Match, list: &mut Vec<Finding>) {
    if let Some((_, why)) = found.model.keys.unread.as_ref().filter(|_| !found.diff.unread.is_empty()) {
        list.push(finding("not-read", "info", why.clone(), found.diff.unread.clone()));
    }
    if found.conventions().norm_statistics == Some(NormStatistics::Picture) {
        let text = "Its batch norms take mean and variance of the picture at hand, as the published way to run it does, and not those stored in the file. Choose the stored ones if it was trained to be run with eval() (on the command line, --norm-statistics stored).";
        list.push(finding("picture-statistics", "info", text.to_owned(), Vec::new()));
    }
}
