//! The diagnosis: what is seen in a checkpoint, and what to tell its owner.

use std::borrow::Cow;
use std::collections::HashSet;

use super::finding::{Finding, finding};
use super::loading::{line, place};
use super::{fit, wrapping};
use crate::checkpoint::{Checkpoint, StateDict};
use crate::models::identify::Match;
use crate::models::names::as_stored;
use crate::models::{Role, is_sibling, relative};
use crate::ordering;

/// Every finding, errors first.
pub fn findings(checkpoint: &dyn Checkpoint, matches: &[Match], file: &str) -> Vec<Finding> {
    let dicts = checkpoint.state_dicts();
    let mut list = Vec::new();
    if matches.is_empty() {
        unknown(dicts, &mut list);
    }
    let paints = |found: &&Match| found.model.role != Role::Scores;
    let is_beside = matches.iter().any(|found| paints(&found));
    for found in matches {
        let part = found.names.view(&dicts[found.dict]);
        fit::fit(found, &part, &mut list);
        if !paints(&found) && is_beside {
            beside(found, &part, checkpoint, file, &mut list);
            continue;
        }
        let made = found.model.class.as_ref().map(|hint| format!("{}()", hint.class));
        fit::other_class(found, &part, &line(checkpoint, file, &part, made.as_deref()), &mut list);
        let whole = wrapping::Whole { checkpoint, file, dict: &dicts[found.dict] };
        whole.told(&part, found.fits(), &mut list);
    }
    let rest = dicts.iter().enumerate().filter(|&(index, _)| matches.iter().all(|found| found.dict != index));
    for (_, dict) in rest {
        if matches.is_empty() {
            wrapping::Whole { checkpoint, file, dict }.told(&as_stored(dict), false, &mut list);
        } else {
            not_taken(dict, &mut list);
        }
    }
    sibling(dicts, matches, file, &mut list);
    wrapping::python(checkpoint, &mut list);
    wrapping::lone_shard(checkpoint, file, &mut list);
    if !matches.is_empty() {
        list.push(finding("cannot-tell", "info", CANNOT_TELL.to_owned(), Vec::new()));
    }
    let mut said = HashSet::new();
    list.retain(|finding| said.insert((finding.code, finding.message.clone())));
    let rank = |severity: &str| ["error", "warning", "info"].iter().position(|s| *s == severity);
    ordering::sort_by_key(&mut list, |f| rank(f.severity));
    list
}

const CANNOT_TELL: &str = "A file cannot tell eps, dilation, activations, padding, mask polarity or value range: those are guessed per network. Change them if the fill looks wrong.";

/// What is said of a graph that is followed.
pub fn of_graph() -> Vec<Finding> {
    let text = "The graph tells what the network computes, but not what its inputs show, nor the mask's polarity or the value range: those are guessed. Change them if the fill looks wrong.";
    vec![finding("cannot-tell", "info", text.to_owned(), Vec::new())]
}

/// Where a part of a file lies, for people.
fn lies(part: &StateDict) -> String {
    let wrapper = if part.wrapper.is_empty() { String::new() } else { format!(" under {}", place(&part.wrapper)) };
    let prefix =
        if part.prefix.is_empty() { String::new() } else { format!(" with keys that begin with {}", part.prefix) };
    wrapper + &prefix
}

/// A network that scores, beside one that paints.
fn beside(found: &Match, part: &StateDict, checkpoint: &dyn Checkpoint, file: &str, list: &mut Vec<Finding>) {
    let text = format!(
        "The file also holds {}{}: it scores pictures and takes no part in painting. In code: `{}`.",
        found.model.name,
        lies(part),
        line(checkpoint, file, part, None)
    );
    list.push(finding("beside", "info", text, part.siblings.clone()));
}

/// Weights that no network here takes, beside some that one takes.
fn not_taken(dict: &StateDict, list: &mut Vec<Finding>) {
    let dict: Cow<'_, StateDict> = as_stored(dict);
    let (count, first) = (dict.tensors.len(), &dict.tensors[0].key);
    let what = if is_sibling(&dict) {
        "a discriminator that infill does not know"
    } else {
        "weights of no network that infill knows"
    };
    let tensors = if count == 1 { format!("1 tensor, {first}") } else { format!("{count} tensors, the first {first}") };
    let text = format!("The file also holds {what}{} ({tensors}): not read.", lies(&dict));
    list.push(finding("not-taken", "info", text, dict.tensors.iter().map(|tensor| tensor.key.clone()).collect()));
}

/// A file that holds a discriminator alone names the one that is wanted.
fn sibling(dicts: &[StateDict], matches: &[Match], file: &str, list: &mut Vec<Finding>) {
    let only = |(index, dict): (usize, &StateDict)| {
        let mut roles = matches.iter().filter(|found| found.dict == index).map(|found| found.model.role).peekable();
        match roles.peek() {
            Some(_) => roles.all(|role| role == Role::Scores),
            None => is_sibling(dict),
        }
    };
    if dicts.is_empty() || !dicts.iter().enumerate().all(only) {
        return;
    }
    let wanted = wanted(file).map_or_else(String::new, |name| format!(": {name}"));
    let text = format!(
        "This file holds a discriminator, which scores pictures and does not paint. For filling, load the generator's file beside it{wanted}."
    );
    let keys = dicts.iter().flat_map(|dict| dict.siblings.clone()).collect();
    list.push(finding("sibling-file", "warning", text, keys));
}

fn unknown(dicts: &[StateDict], list: &mut Vec<Finding>) {
    let stored = dicts.iter().map(as_stored);
    let keys: Vec<String> =
        stored.flat_map(|dict| dict.tensors.iter().map(|t| t.key.clone()).collect::<Vec<_>>()).collect();
    let first: Vec<&str> = keys.iter().take(4).map(String::as_str).collect();
    let mut text = format!("No network that infill knows has these keys. They begin with {}.", first.join(", "));
    if let Some(relative) = dicts.iter().find_map(relative) {
        text += &format!(" {}", relative.told());
    }
    text += " If you have its class, `infill forward --class net.py` runs what is made of common layers.";
    list.push(finding("unknown-network", "error", text, keys));
}

/// The generator's file that usually lies beside a discriminator's.
fn wanted(file: &str) -> Option<String> {
    let pairs =
        [("_dis", "_gen"), ("_D.", "_G."), ("_netD", "_netG"), ("netD", "netG"), ("discriminator", "generator")];
    pairs.iter().find(|(scores, _)| file.contains(scores)).map(|(scores, paints)| file.replacen(scores, paints, 1))
}
